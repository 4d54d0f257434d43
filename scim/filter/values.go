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
func (r resolver) typed(path model.AttributePath, typ schemas.Type, e *ast.AttributeExpression) (model.Filter, error) {
	c := model.Compare{Path: path, Op: model.CompareOp(e.Operator)}
	if c.Op == model.OpPresent {
		return c, nil
	}
	if e.CompareValue == nil {
		if c.Op != model.OpEqual && c.Op != model.OpNotEqual {
			return nil, fault.Filter("the filter compares %s with null by %s; only eq and ne can do that", e.AttributePath, c.Op)
		}
		return c, nil
	}
	if !allowed(c.Op, typ) {
		return nil, fault.Filter("the filter uses %s on %s, which is of type %s", c.Op, e.AttributePath, typ)
	}
	value, ok := r.convert(path.Type, e.CompareValue)
	if !ok {
		return nil, fault.Filter("the filter compares %s, which is of type %s, with %v", e.AttributePath, typ, e.CompareValue)
	}
	c.Value = value
	return c, nil
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
		t, err := ParseTime(s)
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
			r.note("string boolean in a filter")
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

// special resolves what does not stand in the document: id, meta, members and groups.
func (r resolver) special(t schemas.Target, e *ast.AttributeExpression) (handled bool, f model.Filter, err error) {
	if t.URN != "" || t.Attr == nil {
		return false, nil, nil
	}
	switch {
	case r.rowed(t):
		f, err = r.member(t, e)
	case t.Attr.OnRequest:
		err = fault.Filter("the filter names %s, which users cannot be filtered by; filter groups by members instead", t.Name)
	case t.Name != "meta":
		return false, nil, nil
	case strings.EqualFold(t.Sub, "resourceType"):
		f, err = r.resourceType(e)
	case t.SubAttr != nil && t.SubAttr.Type == schemas.DateTime:
		f, err = r.leaf(model.AttributePath{Name: "meta." + t.Sub}, t.SubAttr, e)
	default:
		err = fault.Filter("the filter names %s; of meta only created, lastModified and resourceType can be filtered by", e.AttributePath)
	}
	return true, f, err
}

// resourceType holds for every resource of the endpoint or for none.
func (r resolver) resourceType(e *ast.AttributeExpression) (model.Filter, error) {
	var all model.Filter = model.Compare{
		Op: model.OpPresent, Path: model.AttributePath{Name: "id", Type: model.TypeString, CaseExact: true},
	}
	value, _ := literalText(e.CompareValue)
	switch {
	case e.Operator == ast.PR, e.Operator == ast.EQ && value == r.res.Name, e.Operator == ast.NE && value != r.res.Name:
		return all, nil
	case e.Operator == ast.EQ, e.Operator == ast.NE:
		return model.Not{Inner: all}, nil
	}
	return nil, fault.Filter("the filter uses %s on meta.resourceType; use eq or ne", e.Operator)
}

// rowed says whether the target is the members of a group, which are rows and not part of the document.
func (r resolver) rowed(t schemas.Target) bool {
	return t.URN == "" && t.Attr != nil && t.Name == "members"
}

func (r resolver) member(t schemas.Target, e *ast.AttributeExpression) (model.Filter, error) {
	path := model.AttributePath{Name: "members", MultiValued: true, Type: model.TypeString, CaseExact: true}
	if t.Sub != "" && t.Sub != "value" {
		return nil, fault.Filter("the filter names %s; groups can be filtered by the id of a member alone", e.AttributePath)
	}
	switch e.Operator {
	case ast.PR:
		return model.Compare{Path: path, Op: model.OpPresent}, nil
	case ast.EQ, ast.NE:
		value, ok := literalText(e.CompareValue)
		if !ok {
			break
		}
		var f model.Filter = model.Compare{Path: path, Op: model.OpEqual, Value: value}
		if e.Operator == ast.NE {
			f = model.Not{Inner: f}
		}
		return f, nil
	default: // members have no order and no text to look into
	}
	return nil, fault.Filter("the filter uses %s on members; use eq with the id of a member, or pr", e.Operator)
}

// memberPath resolves members[value eq "x" or value eq "y"].
func (r resolver) memberPath(inner ast.Expression) (model.Filter, error) {
	switch e := inner.(type) {
	case *ast.AttributeExpression:
		if strings.EqualFold(e.AttributePath.String(), "value") && e.Operator == ast.EQ {
			return r.member(schemas.Target{Name: "members"}, e)
		}
	case *ast.LogicalExpression:
		if e.Operator == ast.OR {
			left, err := r.memberPath(e.Left)
			if err != nil {
				return nil, err
			}
			right, err := r.memberPath(e.Right)
			return model.Or{Left: left, Right: right}, err
		}
	}
	return nil, fault.Filter("the filter has a condition on members other than value eq; groups can be filtered by the id of a member alone")
}
