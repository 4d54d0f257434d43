package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"usher/scim/fault"
)

// The bounds of one request body.
const (
	MaxDepth  = 32      // objects and lists within each other
	MaxValues = 100_000 // values in all
	maxNumber = 64      // characters of a number
)

// Body is a parsed request body.
type Body struct {
	Value any
	// Bad is the first string that cannot be stored, nil when all can. It is not an error of Parse so that the caller
	// can name the attribute in the words of the operation: a PATCH knows its path better than the parser does.
	Bad *BadString
}

// BadString is where an unacceptable string stands: a member name (string) or list index (int) per level.
type BadString struct {
	Steps  []any
	Reason string
}

// Path renders steps from index from on as an attribute path, such as emails[0].value.
func (b *BadString) Path(from int) string {
	var s strings.Builder
	for _, step := range b.Steps[min(from, len(b.Steps)):] {
		switch step := step.(type) {
		case int:
			s.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			if s.Len() > 0 {
				s.WriteByte('.')
			}
			s.WriteString(strings.ToValidUTF8(strings.ReplaceAll(step, "\x00", ""), "\uFFFD"))
		}
	}
	if s.Len() == 0 {
		return "value"
	}
	return s.String()
}

// Parse reads one JSON value and refuses anything after it. Errors are *fault.Error: invalidSyntax with line and column,
// or 413 where the text exceeds MaxValues.
func Parse(data []byte) (Body, error) {
	p := parser{data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	p.space()
	if p.pos == len(p.data) {
		return Body{}, fault.Syntax("the body is empty; a JSON object is expected")
	}
	v, err := p.value()
	if err != nil {
		return Body{}, err
	}
	if p.space(); p.pos < len(p.data) {
		return Body{}, p.syntax("nothing may follow the JSON value")
	}
	return Body{Value: v, Bad: p.bad}, nil
}

type parser struct {
	data   []byte
	pos    int
	values int
	steps  []any
	bad    *BadString
}

func (p *parser) syntax(reason string) error {
	before := p.data[:min(p.pos, len(p.data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fault.Syntax("the body is not valid JSON at line %d, column %d: %s", line, column, reason)
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *parser) value() (any, error) {
	if p.values++; p.values > MaxValues {
		return nil, fault.TooLarge("the body holds more than %d values", MaxValues)
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '[':
		return p.list()
	case c == '"':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, word := range []struct {
		text  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if bytes.HasPrefix(p.data[p.pos:], []byte(word.text)) {
			p.pos += len(word.text)
			return word.value, nil
		}
	}
	return nil, p.syntax("a value is expected")
}

// enter descends one level; leave comes back up.
func (p *parser) enter() error {
	p.pos++
	p.steps = append(p.steps, nil)
	if len(p.steps) > MaxDepth {
		return fault.Syntax("the body is nested deeper than %d levels", MaxDepth)
	}
	p.space()
	return nil
}

func (p *parser) leave() {
	p.pos++
	p.steps = p.steps[:len(p.steps)-1]
}

func (p *parser) object() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	o := &Object{}
	for p.peek() != '}' {
		if len(o.Members) > 0 {
			if err := p.comma('}'); err != nil {
				return nil, err
			}
		}
		if err := p.member(o); err != nil {
			return nil, err
		}
		p.space()
	}
	if err := o.unique(); err != nil {
		return nil, err
	}
	p.leave()
	return o, nil
}

func (p *parser) member(o *Object) error {
	if p.peek() != '"' {
		return p.syntax("a member name in quotes is expected")
	}
	p.steps[len(p.steps)-1] = "(member name)"
	name, err := p.text()
	if err != nil {
		return err
	}
	p.steps[len(p.steps)-1] = name
	if p.space(); p.peek() != ':' {
		return p.syntax("a colon is expected")
	}
	p.pos++
	p.space()
	value, err := p.value()
	if err != nil {
		return err
	}
	o.Members = append(o.Members, Member{Name: name, Value: value})
	return nil
}

// unique refuses a name that is given twice: which of the two values is meant cannot be known.
func (o *Object) unique() error {
	if len(o.Members) <= 16 {
		for i := range o.Members {
			for j := range i {
				if o.Members[i].Name == o.Members[j].Name {
					return fault.Syntax("the member %q is given twice in one object", o.Members[i].Name)
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(o.Members))
	for _, m := range o.Members {
		if seen[m.Name] {
			return fault.Syntax("the member %q is given twice in one object", m.Name)
		}
		seen[m.Name] = true
	}
	return nil
}

func (p *parser) list() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	list := []any{}
	for p.peek() != ']' {
		if len(list) > 0 {
			if err := p.comma(']'); err != nil {
				return nil, err
			}
		}
		p.steps[len(p.steps)-1] = len(list)
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		p.space()
	}
	p.leave()
	return list, nil
}

func (p *parser) comma(end byte) error {
	if p.peek() != ',' {
		return p.syntax("a comma or " + string(end) + " is expected")
	}
	p.pos++
	p.space()
	return nil
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}

// number keeps the text as it was written, within what every database can hold.
func (p *parser) number() (any, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return nil, p.syntax("a digit is expected")
	}
	if p.peek() == '.' {
		if p.pos++; !p.digits() {
			return nil, p.syntax("a digit is expected")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return nil, p.syntax("a digit is expected")
		}
	}
	text := string(p.data[start:p.pos])
	if _, err := strconv.ParseFloat(text, 64); err != nil || len(text) > maxNumber {
		p.report("holds a number that is out of range")
	}
	return json.Number(text), nil
}
