package graphapi

import (
	"net/http"
	"regexp"
	"strings"

	"usher/model/outlook"
)

// condition is a $filter that has been read; get gives a property of the object by its name, and whether there is one.
type condition func(get func(name string) (any, bool)) bool

// filter is a condition and what it takes: some operators read the index of advanced queries, which has to be asked for.
type filter struct {
	match    condition
	advanced bool
}

func unsupported(message string) *outlook.Error {
	return refuse(http.StatusBadRequest, "Request_UnsupportedQuery", message)
}

// maxClauses is how many conditions may be joined by or, and how many values in takes.
const maxClauses = 15

var filterTokens = regexp.MustCompile(`'(?:[^']|'')*'|[A-Za-z_@$][A-Za-z0-9_./@]*|-?[0-9][0-9A-Za-z.:+-]*|[(),:]`)

// readFilter reads the part of OData's language that Graph takes for objects of the directory. known says which names there are.
func readFilter(text string, known func(name string) bool) (filter, error) {
	p := &filterParser{known: known, text: text}
	between := 0
	for _, at := range append(filterTokens.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		if strings.TrimSpace(text[between:at[0]]) != "" {
			return filter{}, badFilter(text)
		}
		if between = at[1]; at[0] < at[1] {
			p.tokens = append(p.tokens, text[at[0]:at[1]])
		}
	}
	match, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = badFilter(text)
	}
	return filter{match, p.advanced}, err
}

func badFilter(text string) *outlook.Error {
	return refuse(http.StatusBadRequest, "Request_BadRequest", "Invalid filter clause: '"+text+"'.")
}

type filterParser struct {
	text     string
	tokens   []string
	at       int
	known    func(string) bool
	variable string // of the lambda expression that is being read
	advanced bool
}

func (p *filterParser) next() string {
	if p.at >= len(p.tokens) {
		return ""
	}
	p.at++
	return p.tokens[p.at-1]
}

func (p *filterParser) take(word string) bool {
	if p.at < len(p.tokens) && strings.EqualFold(p.tokens[p.at], word) {
		p.at++
		return true
	}
	return false
}

func (p *filterParser) or() (condition, error) {
	left, err := p.and()
	clauses := 1
	for err == nil && p.take("or") {
		var right condition
		if right, err = p.and(); err != nil {
			break
		}
		if clauses++; clauses > maxClauses {
			return nil, unsupported("Too many child clauses specified in search filter expression containing 'OR' operators: 16. Max allowed: 15.")
		}
		one := left
		left = func(get func(string) (any, bool)) bool { return one(get) || right(get) }
	}
	return left, err
}

func (p *filterParser) and() (condition, error) {
	left, err := p.primary()
	for err == nil && p.take("and") {
		var right condition
		if right, err = p.primary(); err != nil {
			break
		}
		one := left
		left = func(get func(string) (any, bool)) bool { return one(get) && right(get) }
	}
	return left, err
}

func (p *filterParser) primary() (condition, error) {
	switch {
	case p.take("not"):
		p.advanced = true
		inner, err := p.primary()
		return func(get func(string) (any, bool)) bool { return !inner(get) }, err
	case p.take("("):
		inner, err := p.or()
		if err == nil && !p.take(")") {
			err = badFilter(p.text)
		}
		return inner, err
	}
	name := p.next()
	if name == "" {
		return nil, badFilter(p.text)
	}
	if collection, isLambda := strings.CutSuffix(name, "/any"); isLambda {
		return p.lambda(collection)
	}
	if p.take("(") {
		return p.function(name)
	}
	return p.comparison(name)
}

// function reads startswith and endsWith.
func (p *filterParser) function(name string) (condition, error) {
	property, comma, literal, end := p.next(), p.take(","), p.next(), p.take(")")
	if !comma || !end || !strings.HasPrefix(literal, "'") {
		return nil, badFilter(p.text)
	}
	if err := p.check(property); err != nil {
		return nil, err
	}
	wanted := strings.ToLower(literalText(literal))
	var test func(value, wanted string) bool
	switch strings.ToLower(name) {
	case "startswith":
		test = strings.HasPrefix
	case "endswith":
		test, p.advanced = strings.HasSuffix, true
	default:
		return nil, unsupported("Unsupported function '" + name + "'.")
	}
	return func(get func(string) (any, bool)) bool {
		value, _ := get(property)
		text, isText := value.(string)
		return isText && test(strings.ToLower(text), wanted)
	}, nil
}

// lambda reads any, where one element of a collection meets a condition.
func (p *filterParser) lambda(collection string) (condition, error) {
	if err := p.check(collection); err != nil {
		return nil, err
	}
	open, variable, colon := p.take("("), p.next(), p.take(":")
	if !open || !colon {
		return nil, badFilter(p.text)
	}
	p.variable = variable
	inner, err := p.or()
	p.variable = ""
	if err == nil && !p.take(")") {
		err = badFilter(p.text)
	}
	return func(get func(string) (any, bool)) bool {
		value, _ := get(collection)
		for _, element := range elements(value) {
			if inner(func(name string) (any, bool) { return within(element, strings.TrimPrefix(name, variable)) }) {
				return true
			}
		}
		return false
	}, err
}

func elements(value any) []any {
	var out []any
	switch list := value.(type) {
	case []string:
		for _, one := range list {
			out = append(out, one)
		}
	case []object:
		for _, one := range list {
			out = append(out, one)
		}
	}
	return out
}

func within(element any, path string) (any, bool) {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return element, true
	}
	o, _ := element.(object)
	value, ok := o[path]
	return value, ok
}

func (p *filterParser) check(name string) error {
	if p.variable != "" && (name == p.variable || strings.HasPrefix(name, p.variable+"/")) || p.known(name) {
		return nil
	}
	return unsupported("Unsupported or invalid query filter clause specified for property '" + name + "' of resource.")
}

// comparison reads eq, ne, in, and the order of texts and times.
func (p *filterParser) comparison(name string) (condition, error) {
	if err := p.check(name); err != nil {
		return nil, err
	}
	operator := strings.ToLower(p.next())
	if operator == "in" {
		return p.in(name)
	}
	literal := p.next()
	if literal == "" {
		return nil, badFilter(p.text)
	}
	wanted := readLiteral(literal)
	var test func(order int, equal bool) bool
	switch operator {
	case "eq":
		test = func(_ int, equal bool) bool { return equal }
	case "ne":
		p.advanced = true
		test = func(_ int, equal bool) bool { return !equal }
	case "ge":
		test = func(order int, _ bool) bool { return order >= 0 }
	case "le":
		test = func(order int, _ bool) bool { return order <= 0 }
	default:
		return nil, unsupported("Unsupported operator '" + operator + "'.")
	}
	return func(get func(string) (any, bool)) bool {
		value, _ := get(name)
		if value == nil && operator != "eq" && operator != "ne" {
			return false
		}
		return test(compare(value, wanted))
	}, nil
}

func (p *filterParser) in(name string) (condition, error) {
	if !p.take("(") {
		return nil, badFilter(p.text)
	}
	var wanted []any
	for {
		wanted = append(wanted, readLiteral(p.next()))
		if p.take(")") {
			break
		}
		if !p.take(",") {
			return nil, badFilter(p.text)
		}
	}
	if len(wanted) > maxClauses {
		return nil, unsupported("Too many child clauses specified in search filter expression containing 'OR' operators: " +
			"16. Max allowed: 15.")
	}
	return func(get func(string) (any, bool)) bool {
		value, _ := get(name)
		for _, one := range wanted {
			if _, equal := compare(value, one); equal {
				return true
			}
		}
		return false
	}, nil
}

func literalText(literal string) string {
	return unquote(strings.TrimSuffix(strings.TrimPrefix(literal, "'"), "'"))
}

// readLiteral gives nil for null, a bool, or a text.
func readLiteral(literal string) any {
	switch {
	case strings.EqualFold(literal, "null"):
		return nil
	case strings.EqualFold(literal, "true"), strings.EqualFold(literal, "false"):
		return strings.EqualFold(literal, "true")
	case strings.HasPrefix(literal, "'"):
		return literalText(literal)
	}
	return literal
}

// compare compares as the directory does: texts in any case.
func compare(value, wanted any) (order int, equal bool) {
	if flag, isFlag := wanted.(bool); isFlag {
		has, _ := value.(bool) // what was never said is false
		return 0, has == flag
	}
	text, isText := value.(string)
	other, wantsText := wanted.(string)
	if !isText || !wantsText {
		return -1, value == nil && wanted == nil
	}
	order = strings.Compare(strings.ToLower(text), strings.ToLower(other))
	return order, order == 0
}
