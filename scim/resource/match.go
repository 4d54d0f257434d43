package resource

import (
	"encoding/json"
	"strings"

	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/schemas"
)

// checkFilter refuses a value filter that names what the elements of a do not have.
func checkFilter(expr ast.Expression, a *schemas.Attribute, path string) error {
	switch e := expr.(type) {
	case *ast.LogicalExpression:
		if err := checkFilter(e.Left, a, path); err != nil {
			return err
		}
		return checkFilter(e.Right, a, path)
	case *ast.NotExpression:
		return checkFilter(e.Expression, a, path)
	case *ast.AttributeExpression:
		p := e.AttributePath
		if p.URIPrefix != nil || p.SubAttribute != nil || a.Sub(p.AttributeName) == nil {
			return fault.Path(path, "%s has no sub-attribute %s", a.Name, p)
		}
		return nil
	}
	return fault.Path(path, "brackets within brackets are not possible")
}

// matches says whether an element satisfies a value filter (RFC 7644 §3.4.2.2).
func matches(expr ast.Expression, a *schemas.Attribute, element map[string]any) bool {
	switch e := expr.(type) {
	case *ast.LogicalExpression:
		left := matches(e.Left, a, element)
		if e.Operator == ast.OR {
			return left || matches(e.Right, a, element)
		}
		return left && matches(e.Right, a, element)
	case *ast.NotExpression:
		return !matches(e.Expression, a, element)
	case *ast.AttributeExpression:
		sub := a.Sub(e.AttributePath.AttributeName)
		return sub != nil && compare(e, sub, element[sub.Name])
	}
	return false
}

func compare(e *ast.AttributeExpression, sub *schemas.Attribute, have any) bool {
	switch e.Operator {
	case ast.PR:
		return have != nil
	case ast.NE:
		return !same(e.CompareValue, sub, have)
	case ast.EQ:
		return same(e.CompareValue, sub, have)
	default:
		return compareText(e, sub, have)
	}
}

func compareText(e *ast.AttributeExpression, sub *schemas.Attribute, have any) bool {
	text, isText := have.(string)
	want, ok := filterText(e.CompareValue)
	if !isText || !ok {
		return false
	}
	if !sub.CaseExact {
		text, want = model.Fold(text), model.Fold(want)
	}
	switch e.Operator {
	case ast.CO:
		return strings.Contains(text, want)
	case ast.SW:
		return strings.HasPrefix(text, want)
	case ast.EW:
		return strings.HasSuffix(text, want)
	case ast.GT:
		return text > want
	case ast.GE:
		return text >= want
	case ast.LT:
		return text < want
	case ast.LE:
		return text <= want
	default:
		return false
	}
}

// same compares for equality. A boolean that an element lacks is false: that is what primary means.
func same(want any, sub *schemas.Attribute, have any) bool {
	if want == nil {
		return have == nil
	}
	if sub.Type == schemas.Boolean {
		wanted, ok := filterBool(want)
		is, _ := have.(bool)
		return ok && wanted == is
	}
	text, isText := have.(string)
	wanted, ok := filterText(want)
	if !isText || !ok {
		return false
	}
	if sub.CaseExact {
		return text == wanted
	}
	return model.Fold(text) == model.Fold(wanted)
}

func filterText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

func filterBool(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		yes := strings.EqualFold(v, "true")
		return yes, yes || strings.EqualFold(v, "false")
	}
	return false, false
}

// template gives the element that a filter of equalities joined by and describes, so that a PATCH that selects an
// element that is not there can make it: Entra never adds a work address otherwise.
func template(expr ast.Expression, a *schemas.Attribute, into map[string]any) bool {
	switch e := expr.(type) {
	case *ast.LogicalExpression:
		return e.Operator == ast.AND && template(e.Left, a, into) && template(e.Right, a, into)
	case *ast.AttributeExpression:
		sub := a.Sub(e.AttributePath.AttributeName)
		if e.Operator != ast.EQ || sub == nil || e.CompareValue == nil {
			return false
		}
		var value any
		var ok bool
		if sub.Type == schemas.Boolean {
			value, ok = filterBool(e.CompareValue)
		} else {
			var text string
			text, ok = filterText(e.CompareValue)
			value, ok = text, ok && text != "" && len(text) <= sub.MaxBytes
		}
		if old, set := into[sub.Name]; !ok || set && old != value {
			return false
		}
		into[sub.Name] = value
		return true
	}
	return false
}
