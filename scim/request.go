package scim

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/resource"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// The bounds of a page (RFC 7644 §3.4.2.4).
const (
	defaultCount = 100
	maxCount     = 500
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
	return q, nil
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

// page reads startIndex, count and filter.
func (c *call) page(res *schemas.Resource) (model.ResourceQuery, error) {
	q := model.ResourceQuery{StartIndex: 1, Count: defaultCount}
	n, ok, err := c.query.number("startIndex")
	if err != nil {
		return q, err
	}
	if ok {
		q.StartIndex = max(1, n)
	}
	if n, ok, err = c.query.number("count"); err != nil {
		return q, err
	}
	if ok {
		q.Count = min(max(0, n), maxCount)
	}
	text := strings.TrimSpace(c.query["filter"])
	if text == "" {
		return q, nil
	}
	expr, err := filter.Parse(text, c.note)
	if err != nil {
		return q, err
	}
	q.Filter, err = filter.Resolve(expr, res, c.note)
	return q, err
}

func (c *call) projection(res *schemas.Resource) resource.Projection {
	return resource.ParseProjection(res, c.query["attributes"], c.query["excludedattributes"])
}

// body reads and parses the request's body.
func (c *call) body() (wire.Body, error) {
	var buf bytes.Buffer
	if n := c.request.ContentLength; n > 0 && n <= c.maxBody {
		buf.Grow(int(n) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(c.request.Body, c.maxBody+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || n > c.maxBody {
		return wire.Body{}, fault.TooLarge("the body is larger than %d bytes", c.maxBody)
	}
	if err != nil {
		return wire.Body{}, fault.Syntax("the body could not be read to its end")
	}
	return wire.Parse(buf.Bytes())
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
