package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	ast "github.com/scim2/filter-parser/v2"

	"usher/scim/fault"
	"usher/scim/schemas"
)

// The bounds of one filter.
const (
	MaxBytes   = 16 << 10
	MaxClauses = 256 // comparisons
	maxDepth   = 32  // parentheses within each other
)

// Note is told about a deviation from the RFC that was tolerated.
type Note func(deviation string)

// Parse reads a filter. An error is a *fault.Error with invalidFilter that names the token at fault.
func Parse(filter string, note Note) (ast.Expression, error) {
	p, err := open(filter, note)
	if err != nil {
		return nil, fault.Filter("the filter cannot be read: %s", err)
	}
	expr, err := p.or()
	if err == nil && p.peek().kind != end {
		err = p.unexpected("and, or, or the end")
	}
	if err != nil {
		return nil, fault.Filter("the filter cannot be read: %s", err)
	}
	return expr, nil
}

// ParsePath reads the path of a PATCH operation: [urn:]attribute[[filter]][.sub]. An error is a *fault.Error with
// invalidPath that names the path.
func ParsePath(path string, note Note) (ast.Path, error) {
	p, err := open(path, note)
	if err != nil {
		return ast.Path{}, fault.Path(clip(path), "%s", err)
	}
	parsed, err := p.path()
	if err == nil && p.peek().kind != end {
		err = p.unexpected("the end")
	}
	if err != nil {
		return ast.Path{}, fault.Path(clip(path), "%s", err)
	}
	return parsed, nil
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

type reader struct {
	tokens  []token
	at      int
	clauses int
	depth   int
	note    Note
}

func open(s string, note Note) (*reader, error) {
	if len(s) > MaxBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", MaxBytes)
	}
	if note == nil {
		note = func(string) {}
	}
	tokens, err := lex(s)
	return &reader{tokens: tokens, note: note}, err
}

func (p *reader) peek() token { return p.tokens[p.at] }

func (p *reader) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *reader) unexpected(wanted string) error {
	return fmt.Errorf("%s is expected, not %s", wanted, p.peek())
}

func (p *reader) keyword(word string) bool {
	t := p.peek()
	return t.kind != text && strings.EqualFold(t.text, word)
}

func (p *reader) or() (ast.Expression, error) { return p.chain("or", ast.OR, p.and) }

func (p *reader) and() (ast.Expression, error) { return p.chain("and", ast.AND, p.factor) }

func (p *reader) chain(word string, op ast.LogicalOperator, operand func() (ast.Expression, error)) (ast.Expression, error) {
	left, err := operand()
	for err == nil && p.keyword(word) {
		p.next()
		var right ast.Expression
		right, err = operand()
		left = &ast.LogicalExpression{Left: left, Right: right, Operator: op}
	}
	return left, err
}

func (p *reader) factor() (ast.Expression, error) {
	if p.keyword("not") && p.tokens[p.at+1].is("(") {
		p.next()
		inner, err := p.group("(", ")")
		return &ast.NotExpression{Expression: inner}, err
	}
	if p.peek().is("(") {
		return p.group("(", ")")
	}
	return p.condition()
}

// group reads a filter between brackets.
func (p *reader) group(left, right string) (ast.Expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	if !p.next().is(left) {
		return nil, p.unexpected(left)
	}
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.peek().is(right) {
		return nil, p.unexpected(right)
	}
	p.next()
	p.depth--
	return inner, nil
}

func (p *reader) condition() (ast.Expression, error) {
	attr, err := p.attribute()
	if err != nil {
		return nil, err
	}
	if !p.peek().is("[") {
		return p.comparison(attr)
	}
	inner, err := p.group("[", "]")
	if err != nil {
		return nil, err
	}
	value := &ast.ValuePath{AttributePath: attr, ValueFilter: inner}
	sub, ok, err := p.trailing()
	if err != nil || !ok {
		return value, err
	}
	// RFC 7644 has no attribute[filter].sub in filters; Entra looks people up that way. One element must satisfy both.
	p.note("sub-attribute after a value path in a filter")
	last, err := p.comparison(ast.AttributePath{AttributeName: sub})
	value.ValueFilter = &ast.LogicalExpression{Left: inner, Right: last, Operator: ast.AND}
	return value, err
}

// trailing reads the .sub that may follow a closing bracket.
func (p *reader) trailing() (sub string, ok bool, err error) {
	t := p.peek()
	if t.kind != word || t.text[0] != '.' {
		return "", false, nil
	}
	if sub = t.text[1:]; !isName(sub) {
		return "", false, p.unexpected("a sub-attribute")
	}
	p.next()
	return sub, true, nil
}

func (p *reader) attribute() (ast.AttributePath, error) {
	t := p.peek()
	if t.kind != word {
		return ast.AttributePath{}, p.unexpected("an attribute")
	}
	urn, name, sub := schemas.Split(t.text)
	if !isName(name) || (sub != "" || strings.HasSuffix(t.text, ".")) && !isName(sub) || !isURN(t.text, urn) {
		return ast.AttributePath{}, p.unexpected("an attribute")
	}
	p.next()
	path := ast.AttributePath{AttributeName: name}
	if urn != "" {
		path.URIPrefix = &urn
	}
	if sub != "" {
		path.SubAttribute = &sub
	}
	return path, nil
}

// isName says whether s is an attrName of RFC 7643 §2.1; $ref is the one name with a leading dollar sign.
func isName(s string) bool {
	s = strings.TrimPrefix(s, "$")
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '_' && c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

func isURN(path, urn string) bool {
	if urn == "" {
		return !strings.Contains(path, ":")
	}
	for i := range len(urn) {
		c := urn[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(":._-", c) < 0 {
			return false
		}
	}
	return true
}

func (p *reader) comparison(attr ast.AttributePath) (ast.Expression, error) {
	if p.clauses++; p.clauses > MaxClauses {
		return nil, fmt.Errorf("it holds more than %d comparisons", MaxClauses)
	}
	t := p.peek()
	if t.kind != word {
		return nil, p.unexpected("an operator after " + attr.String())
	}
	op := ast.CompareOperator(strings.ToLower(t.text))
	switch op {
	case ast.PR:
		p.next()
		return &ast.AttributeExpression{AttributePath: attr, Operator: op}, nil
	case ast.EQ, ast.NE, ast.CO, ast.SW, ast.EW, ast.GT, ast.GE, ast.LT, ast.LE:
		p.next()
	default:
		return nil, p.unexpected("an operator (eq, ne, co, sw, ew, pr, gt, ge, lt, le)")
	}
	value, err := p.literal()
	if err != nil {
		return nil, fmt.Errorf("after %s %s %w", attr, op, err)
	}
	return &ast.AttributeExpression{AttributePath: attr, Operator: op, CompareValue: value}, nil
}

// literal reads a JSON value that is no list or object, or an unquoted word, which is taken as a string.
func (p *reader) literal() (any, error) {
	t := p.peek()
	switch {
	case t.kind == text:
		p.next()
		return t.text, nil
	case t.kind != word:
		return nil, fmt.Errorf("a value is expected, not %s", t)
	}
	p.next()
	switch strings.ToLower(t.text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if t.text[0] == '-' || t.text[0] >= '0' && t.text[0] <= '9' {
		if json.Valid([]byte(t.text)) {
			return json.Number(t.text), nil
		}
	}
	p.note("unquoted value in a filter")
	return t.text, nil
}

func (p *reader) path() (ast.Path, error) {
	if p.peek().kind == end {
		return ast.Path{}, errors.New("it is empty")
	}
	attr, err := p.attribute()
	if err != nil || !p.peek().is("[") {
		return ast.Path{AttributePath: attr}, err
	}
	if attr.SubAttribute != nil {
		return ast.Path{}, p.unexpected("the end")
	}
	inner, err := p.group("[", "]")
	if err != nil {
		return ast.Path{}, err
	}
	path := ast.Path{AttributePath: attr, ValueExpression: inner}
	sub, ok, err := p.trailing()
	if ok {
		path.SubAttribute = &sub
	}
	return path, err
}
