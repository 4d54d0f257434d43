package graphapi

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"usher/internal/simulator/entraid"
)

// dirQuery is what is asked of a list of the directory.
type dirQuery struct {
	names   []string // selected; nil is the usual ones
	match   condition
	orderBy string
	falling bool
	top     int // 0 leaves it to the directory
	count   bool
	eventual,
	manager bool // $expand=manager
}

// readQuery reads the options of a list. Some want ConsistencyLevel: eventual and $count=true (Microsoft: advanced queries).
func (c *call) readQuery(typeName string, known []string, searchable []string) (dirQuery, error) {
	var q dirQuery
	var err error
	if q.names, err = c.selectedOpen(typeName, known); err != nil {
		return q, err
	}
	q.eventual = strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual")
	q.count = strings.EqualFold(c.query.Get("$count"), "true")
	if q.top, err = c.topOf(); err != nil {
		return q, err
	}
	advanced := q.count
	if text := c.query.Get("$filter"); text != "" {
		f, err := readFilter(text, func(name string) bool { return slices.Contains(known, name) || isExtension(name) })
		if err != nil {
			return q, err
		}
		q.match, advanced = f.match, advanced || f.advanced
	}
	if text := c.query.Get("$search"); text != "" {
		search, err := readSearch(text, searchable)
		if err != nil {
			return q, err
		}
		q.match, advanced = both(q.match, search), true
	}
	if text := c.query.Get("$orderby"); text != "" {
		name, direction, _ := strings.Cut(strings.TrimSpace(text), " ")
		if !slices.Contains(known, name) {
			return q, unsupported("Unsupported sort property '" + name + "' for '" + typeName + "'.")
		}
		q.orderBy, q.falling = name, strings.EqualFold(strings.TrimSpace(direction), "desc")
		advanced = advanced || q.match != nil
	}
	if advanced && (!q.eventual || c.query.Get("$search") == "" && !q.count) {
		return q, unsupported("The request uses advanced query options. Set the ConsistencyLevel header to eventual and $count to true.")
	}
	if c.query.Get("$skip") != "" {
		return q, refuse(http.StatusBadRequest, "Request_BadRequest", "'$skip' is not supported by the service.")
	}
	return q, c.readExpand(&q)
}

func (c *call) readExpand(q *dirQuery) error {
	for _, one := range c.expansions() {
		name, _, _ := strings.Cut(one, "(")
		if !strings.EqualFold(name, "manager") {
			return notHeld("the expansion of " + name)
		}
		q.manager = true
	}
	return nil
}

// maxTop is the largest page of the directory.
const maxTop = 999

func (c *call) topOf() (int, error) {
	text := c.query.Get("$top")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxTop {
		return 0, unsupported("Invalid page size specified: '" + text + "'. Must be between 1 and 999 inclusive.")
	}
	return n, nil
}

func isExtension(name string) bool { return strings.HasPrefix(name, "extension_") }

// selectedOpen reads $select of a type that directory extensions belong to.
func (c *call) selectedOpen(typeName string, known []string) ([]string, error) {
	open := slices.Clone(known)
	for name := range strings.SplitSeq(c.query.Get("$select"), ",") {
		if name = strings.TrimSpace(name); isExtension(name) {
			open = append(open, name)
		}
	}
	return c.selected(typeName, open...)
}

func both(one, other condition) condition {
	if one == nil {
		return other
	}
	return func(get func(string) (any, bool)) bool { return one(get) && other(get) }
}

var searchClause = regexp.MustCompile(`^"([A-Za-z]+):((?:[^"\\]|\\.)*)"`)

// readSearch reads $search: clauses in quotes, joined by AND or OR, of which AND binds (Microsoft: the $search query parameter).
func readSearch(text string, searchable []string) (condition, error) {
	bad := unsupported("Syntax error: $search must be clauses such as \"displayName:text\", joined by AND or OR.")
	var either, all []condition
	for rest := strings.TrimSpace(text); ; {
		found := searchClause.FindStringSubmatch(rest)
		if found == nil {
			return nil, bad
		}
		if !slices.Contains(searchable, found[1]) {
			return nil, unsupported("Property '" + found[1] + "' is not searchable.")
		}
		all = append(all, searchFor(found[1], strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(found[2])))
		rest = strings.TrimSpace(rest[len(found[0]):])
		word, after, _ := strings.Cut(rest, " ")
		rest = strings.TrimSpace(after)
		switch word {
		case "AND":
		case "OR":
			either, all = append(either, every(all)), nil
		case "":
			either = append(either, every(all))
			return func(get func(string) (any, bool)) bool {
				return slices.ContainsFunc(either, func(one condition) bool { return one(get) })
			}, nil
		default:
			return nil, bad
		}
	}
}

func every(list []condition) condition {
	return func(get func(string) (any, bool)) bool {
		return !slices.ContainsFunc(list, func(one condition) bool { return !one(get) })
	}
}

// searchFor wants every word at the beginning of a word of the property.
func searchFor(property, words string) condition {
	return func(get func(string) (any, bool)) bool {
		value, _ := get(property)
		text, _ := value.(string)
		for word := range strings.FieldsSeq(words) {
			if !entraid.HasWord(text, word) {
				return false
			}
		}
		return true
	}
}
