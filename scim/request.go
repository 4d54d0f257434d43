package scim

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/resource"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// The bounds of a page (RFC 7644 §3.4.2.4), and of each list of attributes.
const (
	defaultCount = 100
	maxCount     = 500
	maxNames     = 256
)

// query is a parsed query string: names in lower case, the first value of each.
type query map[string]string

// parseQuery reads a query. Unlike net/url it does not drop what holds a semicolon, since a filter may, and it refuses
// what it cannot decode, since a filter that is silently dropped would list everyone. Names without value, such as
// aadOptscim062020, and names that mean nothing are passed over.
func parseQuery(raw string) (query, error) {
	if raw == "" {
		return nil, nil
	}
	q := query{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, fault.Syntax("the query cannot be decoded; a percent sign must be followed by two hexadecimal digits")
		}
		if name = strings.ToLower(name); q[name] == "" {
			q[name] = value
		}
	}
	return q, q.bounded()
}

// number reads a whole number of any size, bounded to what a database counts; ok is false where there is none.
func (q query) number(name string) (n int, ok bool, err error) {
	text := strings.TrimSpace(q[strings.ToLower(name)])
	if text == "" {
		return 0, false, nil
	}
	n64, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false, fault.Value(name, "must be a whole number")
	}
	return int(max(-1, min(n64, 1<<31-1))), true, nil
}

// page reads startIndex and count (RFC 7644 §3.4.2.4).
func (q query) page() (start, count int, err error) {
	start, count = 1, defaultCount
	n, ok, err := q.number("startIndex")
	if err != nil {
		return start, count, err
	}
	if ok {
		start = max(1, n)
	}
	if n, ok, err = q.number("count"); ok {
		count = min(max(0, n), maxCount)
	}
	return start, count, err
}

// cursorCount reads count where pages are asked for by cursor (RFC 9865 §2): less than 0 means 0 there too, but what is
// more than a page can hold is refused and not cut. A startIndex beside it would ask for another page than the cursor.
func (q query) cursorCount() (int, error) {
	if n, ok, err := q.number("startIndex"); err != nil || ok && n > 1 {
		return 0, fault.Value("startIndex", "cannot stand beside cursor; send one of them")
	}
	n, ok, err := q.number("count")
	switch {
	case err != nil:
		return 0, badPage(invalidCount, "%s", err)
	case !ok:
		return defaultCount, nil
	case n > maxCount:
		return 0, badPage(invalidCount, "count: must be at most %d", maxCount)
	}
	return max(0, n), nil
}

// descending reads sortOrder; without one it is ascending.
func (q query) descending() (bool, error) {
	switch order := strings.TrimSpace(q["sortorder"]); {
	case order == "", strings.EqualFold(order, "ascending"):
		return false, nil
	case strings.EqualFold(order, "descending"):
		return true, nil
	default:
		return false, fault.Value("sortOrder", "is %q; ascending or descending is expected", clip(order))
	}
}

// bounded refuses lists of attributes that are too long.
func (q query) bounded() error {
	if err := selectable("attributes", q["attributes"]); err != nil {
		return err
	}
	return selectable("excludedAttributes", q["excludedattributes"])
}

func (c *call) projection(res *schemas.Resource) resource.Projection {
	if c.query["attributes"] != "" && c.query["excludedattributes"] != "" {
		c.note("attributes and excludedAttributes at once")
	}
	return resource.ParseProjection(res, c.query["attributes"], c.query["excludedattributes"])
}

// body reads and parses the request's body.
func (c *call) body() (wire.Body, error) {
	if c.sent != nil {
		return *c.sent, nil
	}
	raw, err := c.receive()
	if err != nil {
		return wire.Body{}, err
	}
	c.told.body = raw
	if memory := weigh(raw); memory > ordinaryMemory {
		if err := c.hold(memory); err != nil {
			return wire.Body{}, err
		}
	}
	if err := c.begin(); err != nil {
		return wire.Body{}, err
	}
	return wire.Parse(raw)
}

// document bounds what a resource may grow to and wraps it.
func (c *call) document(attributes map[string]any) (model.Document, error) {
	d := model.NewDocument(attributes)
	raw, err := d.Raw()
	if err == nil && int64(len(raw)) > c.maxBody {
		err = fault.TooLarge("the resource would be larger than %d bytes", c.maxBody)
	}
	return d, err
}
