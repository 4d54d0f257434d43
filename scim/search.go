package scim

import (
	"encoding/json"
	"slices"
	"strings"

	ast "github.com/scim2/filter-parser/v2"

	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// messageSearch is the message in which a search is posted (RFC 7644 §3.4.3).
const messageSearch = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// search is what a list is asked for, before it is resolved for a resource type.
type search struct {
	start, count int
	filter       string // as it was sent
	expr         ast.Expression
	sortBy       string
	descending   bool
	byCursor     bool
	after        place  // the zero place at the beginning
	purpose      string // of the cursors of this search
}

// search reads the parameters of a list.
func (h *Handler) search(c *call, of []collection) (search, error) {
	s := search{filter: strings.TrimSpace(c.query["filter"]), sortBy: strings.TrimSpace(c.query["sortby"])}
	var err error
	if s.descending, err = c.query.descending(); err != nil {
		return s, err
	}
	if s.filter != "" {
		if s.expr, err = filter.Parse(s.filter, c.note); err != nil {
			return s, err
		}
	}
	cursor := ""
	if cursor, s.byCursor = c.query["cursor"]; !s.byCursor {
		s.start, s.count, err = c.query.page()
		return s, err
	}
	if s.count, err = c.query.cursorCount(); err != nil {
		return s, err
	}
	s.purpose = c.purpose(&s, of)
	if cursor = strings.TrimSpace(cursor); cursor == "" {
		return s, nil
	}
	if s.after, err = h.openCursor(cursor, s.purpose); err != nil {
		return s, err
	}
	if s.count != s.after.count {
		return s, badPage(invalidCount, "count: is %d, but the query that the cursor belongs to had %d", s.count, s.after.count)
	}
	return s, nil
}

// posted makes the search of a list that is posted (RFC 7644 §3.4.3): the body takes the place of the query.
func posted(list endpoint) endpoint {
	return func(c *call) (answer, error) {
		for _, name := range searchMembers() {
			if _, ok := c.query[strings.ToLower(name)]; ok {
				return answer{}, fault.Value(name, "belongs in the body of a search that is posted, not in the URL")
			}
		}
		body, err := c.body()
		if err != nil {
			return answer{}, err
		}
		if c.query, err = searchRequest(body, c.note); err != nil {
			return answer{}, err
		}
		return list(c)
	}
}

func searchMembers() []string {
	return []string{"attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"}
}

// searchRequest reads a SearchRequest into the parameters that a GET would have. Members that it does not know are passed
// over, as a GET passes over parameters.
func searchRequest(body wire.Body, note filter.Note) (query, error) {
	object, ok := body.Value.(*wire.Object)
	if !ok {
		return nil, fault.Syntax("the body is %s; a JSON object with a search is expected", wire.Describe(body.Value))
	}
	if body.Bad != nil {
		return nil, fault.Value(body.Bad.Path(0), "%s", body.Bad.Reason)
	}
	q, seen := query{}, map[string]bool{}
	for _, m := range object.Members {
		key := strings.ToLower(m.Name)
		if _, twice := seen[key]; twice {
			return nil, fault.Syntax("the member %q is given twice, in different case", clip(m.Name))
		}
		seen[key] = m.Value != nil // null is unassigned (RFC 7643 §2.5)
		known := func(name string) bool { return strings.EqualFold(name, key) }
		i := slices.IndexFunc(searchMembers(), known)
		switch {
		case m.Value == nil:
		case key == "schemas":
			if err := searchSchemas(m.Value); err != nil {
				return nil, err
			}
		case i >= 0:
			name := searchMembers()[i]
			text, err := searchValue(name, m.Value, note)
			if err != nil {
				return nil, err
			}
			q[key] = text
		}
	}
	if !seen["schemas"] {
		note("search without schemas")
	}
	return q, q.bounded()
}

func searchSchemas(v any) error {
	list, ok := v.([]any)
	if !ok {
		return fault.Value("schemas", "is %s; a list with %s is expected", wire.Describe(v), messageSearch)
	}
	isSearch := func(v any) bool { s, ok := v.(string); return ok && strings.EqualFold(s, messageSearch) }
	if !slices.ContainsFunc(list, isSearch) {
		return fault.Value("schemas", "does not hold %s", messageSearch)
	}
	return nil
}

// searchValue gives the value of a member as the text of a parameter.
func searchValue(name string, v any, note filter.Note) (string, error) {
	switch name {
	case "attributes", "excludedAttributes":
		return searchNames(name, v, note)
	case "startIndex", "count":
		switch v := v.(type) {
		case json.Number:
			return v.String(), nil
		case string:
			note("string number")
			return v, nil
		}
		return "", fault.Value(name, "is %s; a whole number is expected", wire.Describe(v))
	}
	text, ok := v.(string)
	if !ok {
		return "", fault.Value(name, "is %s; a string is expected", wire.Describe(v))
	}
	return text, nil
}

func searchNames(name string, v any, note filter.Note) (string, error) {
	if text, ok := v.(string); ok {
		note("one value for a list")
		return text, nil
	}
	list, ok := v.([]any)
	if !ok {
		return "", fault.Value(name, "is %s; a list of attribute names is expected", wire.Describe(v))
	}
	names := make([]string, len(list))
	for i := range list {
		if names[i], ok = list[i].(string); !ok {
			return "", fault.Value(name, "holds %s; a list of attribute names is expected", wire.Describe(list[i]))
		}
	}
	return strings.Join(names, ","), nil
}

// selectable bounds the lists of attributes, since each name is looked for in each resource of a page.
func selectable(name, list string) error {
	if len(list) > schemas.MaxText || strings.Count(list, ",") >= maxNames {
		return fault.Value(name, "names more than %d attributes", maxNames)
	}
	return nil
}
