package filter

import (
	"encoding/json"
	"strings"
	"time"

	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/schemas"
)

// typed gives the literal the attribute's type and refuses what the type cannot be asked (RFC 7644 §3.4.2.2).
func (r resolver) typed(path model.AttributePath, typ schemas.Type, e *ast.AttributeExpression) (model.Compare, error) {
	c := model.Compare{Path: path, Op: model.CompareOp(e.Operator)}
	if c.Op == model.OpPresent {
		return c, nil
	}
	if e.CompareValue == nil {
		if c.Op != model.OpEqual && c.Op != model.OpNotEqual {
			return c, fault.Filter("the filter compares %s with null by %s; only eq and ne can do that", e.AttributePath, c.Op)
		}
		return c, nil
	}
	if !allowed(c.Op, typ) {
		return c, fault.Filter("the filter uses %s on %s, which is of type %s", c.Op, e.AttributePath, typ)
	}
	value, ok := r.convert(path.Type, e.CompareValue)
	if !ok {
		return c, fault.Filter("the filter compares %s, which is of type %s, with %v", e.AttributePath, typ, e.CompareValue)
	}
	c.Value = value
	return c, nil
}

// untyped compares schemas, and what stands under a URN that no schema has: nothing is known of its type but what the
// literal says.
func (r resolver) untyped(t schemas.Target, e *ast.AttributeExpression) (model.Filter, error) {
	path := model.AttributePath{Schema: t.URN, Name: t.Name, Sub: t.Sub, MultiValued: isCommon(t), Type: model.TypeString}
	typ := schemas.String
	switch e.CompareValue.(type) {
	case bool:
		typ = schemas.Boolean
	case json.Number:
		if allowed(model.CompareOp(e.Operator), schemas.Decimal) && !isCommon(t) {
			path.Type, typ = model.TypeDecimal, schemas.Decimal
		}
	}
	f, err := r.typed(path, typ, e)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func allowed(op model.CompareOp, typ schemas.Type) bool {
	switch op {
	case model.OpContains, model.OpStartsWith, model.OpEndsWith:
		return typ == schemas.String || typ == schemas.Reference || typ == schemas.Binary
	case model.OpGreater, model.OpGreaterOrEqual, model.OpLess, model.OpLessOrEqual:
		return typ != schemas.Boolean && typ != schemas.Binary
	default: // equality and presence are known to every type
		return true
	}
}

func (r resolver) convert(typ model.AttributeType, v any) (any, bool) {
	switch typ {
	case model.TypeBoolean:
		return r.boolean(v)
	case model.TypeInteger, model.TypeDecimal:
		return number(v)
	case model.TypeDateTime:
		s, ok := v.(string)
		if !ok {
			s, ok = literalText(v)
		}
		t, err := r.instant(s)
		return t, ok && err == nil
	default:
		return literalText(v)
	}
}

func literalText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

func (r resolver) boolean(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		if yes := strings.EqualFold(v, "true"); yes || strings.EqualFold(v, "false") {
			r.Note("string boolean in a filter")
			return yes, true
		}
	}
	return nil, false
}

func number(v any) (any, bool) {
	switch v := v.(type) {
	case json.Number:
		return v, true
	case string:
		n := json.Number(v)
		_, err := n.Float64()
		return n, err == nil && json.Valid([]byte(v))
	}
	return nil, false
}

// instant reads a time. A plus sign that was not written as %2B arrives as a blank.
func (r resolver) instant(s string) (time.Time, error) {
	if zone := len(s) - len(" 01:00"); zone > 0 && s[zone] == ' ' {
		r.Note("blank for the plus sign of a time zone")
		s = s[:zone] + "+" + s[zone+1:]
	}
	return ParseTime(s)
}

// ParseTime reads an XML Schema dateTime, with or without zone (then UTC) and time of day.
func ParseTime(s string) (time.Time, error) {
	var t time.Time
	var err error
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02Z07:00", "2006-01-02"} {
		if t, err = time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}
