package entraid

import (
	"fmt"
	"regexp"
	"strings"

	"usher/internal/simulator"
)

// formula computes a value of a user.
type formula func(simulator.User) string

var expressionTokens = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^\]]+\]|[A-Za-z][A-Za-z0-9_]*|-?[0-9]+|[(),]`)

// readExpression reads an expression of the mapping editor: attributes in brackets, texts in quotes, and the functions Join, Append,
// Switch, Not, ToLower, ToUpper, Coalesce, Replace and Trim (Microsoft: reference for writing expressions).
func readExpression(text string) (formula, error) {
	p := &expressionParser{text: text, tokens: expressionTokens.FindAllString(text, -1)}
	f, err := p.value()
	if err == nil && p.at < len(p.tokens) {
		err = p.bad()
	}
	return f, err
}

type expressionParser struct {
	text   string
	tokens []string
	at     int
}

func (p *expressionParser) bad() error { return fmt.Errorf("the expression %s cannot be read", p.text) }

func (p *expressionParser) next() string {
	if p.at >= len(p.tokens) {
		return ""
	}
	p.at++
	return p.tokens[p.at-1]
}

func (p *expressionParser) peek() string {
	if p.at >= len(p.tokens) {
		return ""
	}
	return p.tokens[p.at]
}

func (p *expressionParser) value() (formula, error) {
	switch token := p.next(); {
	case token == "":
		return nil, p.bad()
	case token[0] == '"':
		text := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(token[1 : len(token)-1])
		return func(simulator.User) string { return text }, nil
	case token[0] == '[':
		name := token[1 : len(token)-1]
		return func(u simulator.User) string { return attributeOf(u, name) }, nil
	case p.peek() == "(":
		return p.call(token)
	default:
		return func(simulator.User) string { return token }, nil
	}
}

// attributeOf reads a source attribute, directory extensions and IsSoftDeleted included.
func attributeOf(u simulator.User, name string) string {
	if strings.EqualFold(name, "IsSoftDeleted") {
		if u.SoftDeleted() {
			return "True"
		}
		return "False"
	}
	if strings.HasPrefix(name, "extension_") {
		return DirectoryExtensions(u)[name]
	}
	return u.Attribute(name)
}

func (p *expressionParser) call(name string) (formula, error) {
	p.next() // the bracket
	var arguments []formula
	for p.peek() != ")" {
		if p.peek() == "," { // an argument that is left out
			arguments = append(arguments, func(simulator.User) string { return "" })
			p.next()
			continue
		}
		one, err := p.value()
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, one)
		switch p.peek() {
		case ",":
			p.next()
		case ")":
		default:
			return nil, p.bad()
		}
	}
	p.next()
	compute, least := functionOf(strings.ToLower(name))
	if compute == nil || len(arguments) < least {
		return nil, fmt.Errorf("the function %s of %s is not held, or lacks arguments", name, p.text)
	}
	return func(u simulator.User) string {
		values := make([]string, 0, len(arguments))
		for _, one := range arguments {
			values = append(values, one(u))
		}
		return compute(values)
	}, nil
}

// functionOf gives a function and how many arguments it needs.
func functionOf(name string) (compute func([]string) string, least int) {
	switch name {
	case "join":
		return func(v []string) string {
			var parts []string
			for _, one := range v[1:] {
				if one != "" {
					parts = append(parts, one)
				}
			}
			return strings.Join(parts, v[0])
		}, 1
	case "append":
		return func(v []string) string { return v[0] + v[1] }, 2
	case "switch":
		return switchOf, 2
	case "not":
		return func(v []string) string {
			if strings.EqualFold(v[0], "True") {
				return "False"
			}
			return "True"
		}, 1
	case "tolower":
		return func(v []string) string { return strings.ToLower(v[0]) }, 1
	case "toupper":
		return func(v []string) string { return strings.ToUpper(v[0]) }, 1
	case "trim":
		return func(v []string) string { return strings.TrimSpace(v[0]) }, 1
	case "coalesce":
		return func(v []string) string {
			for _, one := range v {
				if one != "" {
					return one
				}
			}
			return ""
		}, 1
	case "replace":
		return func(v []string) string { return strings.ReplaceAll(v[0], v[1], v[len(v)-1]) }, 3
	}
	return nil, 0
}

// switchOf is Switch(value, default, key, value, …).
func switchOf(v []string) string {
	for i := 2; i+1 < len(v); i += 2 {
		if strings.EqualFold(v[0], v[i]) {
			return v[i+1]
		}
	}
	return v[1]
}
