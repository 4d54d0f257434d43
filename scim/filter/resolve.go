package filter

import (
	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/schemas"
)

type resolver struct {
	Scope
	// outer is the complex attribute whose brackets surround the expression.
	outer *schemas.Target
}

func (r resolver) resolve(expr ast.Expression) (model.Filter, error) {
	switch e := expr.(type) {
	case *ast.LogicalExpression:
		left, err := r.resolve(e.Left)
		if err != nil {
			return nil, err
		}
		right, err := r.resolve(e.Right)
		if err != nil {
			return nil, err
		}
		if e.Operator == ast.OR {
			return disjunction(left, right), nil
		}
		return conjunction(left, right), nil
	case *ast.NotExpression:
		inner, err := r.resolve(e.Expression)
		if err != nil {
			return nil, err
		}
		return negation(inner), nil
	case *ast.AttributeExpression:
		if r.outer != nil {
			return r.element(e)
		}
		return r.compare(e)
	case *ast.ValuePath:
		return r.valuePath(e)
	}
	return nil, fault.Filter("the filter cannot be read")
}

// find gives what a path names; missing is true where another type of the query has it and this one does not.
func (r resolver) find(p ast.AttributePath) (t schemas.Target, missing bool, err error) {
	t = r.Resource.Resolve(p.URI(), p.AttributeName, p.SubAttributeName())
	reason := r.unknown(t, p)
	if (reason != "" || t.Schema == nil) && r.elsewhere(p) {
		return t, true, nil
	}
	if reason != "" {
		return t, false, fault.Filter("the filter names %s", reason)
	}
	return t, false, nil
}

func (r resolver) compare(e *ast.AttributeExpression) (model.Filter, error) {
	t, missing, err := r.find(e.AttributePath)
	switch {
	case err != nil:
		return nil, err
	case missing:
		return absent(e), nil
	case t.Attr == nil:
		return r.untyped(t, e)
	case r.rowed(t):
		return r.rows(t, e)
	case isMeta(t):
		return r.meta(t, e)
	}
	path := model.AttributePath{Schema: t.URN, Name: t.Name, Sub: t.Sub, MultiValued: t.Attr.Multi}
	leaf := t.Attr
	if t.SubAttr != nil {
		leaf = t.SubAttr
	} else if leaf.Type == schemas.Complex {
		value := leaf.Sub("value")
		if value == nil {
			return r.whole(t, e)
		}
		leaf, path.Sub = value, value.Name
	}
	return r.leaf(path, leaf, e)
}

func (r resolver) leaf(path model.AttributePath, a *schemas.Attribute, e *ast.AttributeExpression) (model.Filter, error) {
	path.Type, path.CaseExact = modelType(a.Type), a.CaseExact
	f, err := r.typed(path, a.Type, e)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func modelType(t schemas.Type) model.AttributeType {
	switch t {
	case schemas.Boolean:
		return model.TypeBoolean
	case schemas.Integer:
		return model.TypeInteger
	case schemas.Decimal:
		return model.TypeDecimal
	case schemas.DateTime:
		return model.TypeDateTime
	default:
		return model.TypeString
	}
}

// whole compares a complex attribute without value, such as name, with null: it is present where one of its
// sub-attributes is.
func (r resolver) whole(t schemas.Target, e *ast.AttributeExpression) (model.Filter, error) {
	isNull := e.CompareValue == nil && (e.Operator == ast.EQ || e.Operator == ast.NE)
	if e.Operator != ast.PR && !isNull {
		return nil, fault.Filter("the filter compares %s, which has sub-attributes; name one of them", e.AttributePath)
	}
	var f model.Filter
	for _, sub := range t.Attr.Subs {
		var c model.Filter = model.Compare{Op: model.OpPresent, Path: model.AttributePath{
			Schema: t.URN, Name: t.Name, Sub: sub.Name, MultiValued: t.Attr.Multi,
			Type: modelType(sub.Type), CaseExact: sub.CaseExact,
		}}
		if f != nil {
			c = model.Or{Left: f, Right: c}
		}
		f = c
	}
	if e.Operator == ast.EQ {
		f = model.Not{Inner: f}
	}
	return f, nil
}

// element resolves a comparison between the brackets of a value path: its names are sub-attributes.
func (r resolver) element(e *ast.AttributeExpression) (model.Filter, error) {
	p := e.AttributePath
	sub := r.outer.Attr.Sub(p.AttributeName)
	if p.URIPrefix != nil || p.SubAttribute != nil || sub == nil {
		return nil, fault.Filter("the filter names %s in brackets, but %s has no such sub-attribute", p, r.outer.Name)
	}
	if r.rowed(*r.outer) {
		return r.row(sub, e)
	}
	if r.outer.Attr.Multi {
		return r.leaf(model.AttributePath{Name: sub.Name}, sub, e)
	}
	inner := *r.outer // of a single value, brackets are another way to write the sub-attribute
	inner.Sub, inner.SubAttr = sub.Name, sub
	if isMeta(inner) {
		return r.meta(inner, e)
	}
	return r.leaf(model.AttributePath{Schema: inner.URN, Name: inner.Name, Sub: sub.Name}, sub, e)
}

func (r resolver) valuePath(e *ast.ValuePath) (model.Filter, error) {
	if r.outer != nil {
		return nil, fault.Filter("the filter has brackets within the brackets of %s", r.outer.Name)
	}
	t, missing, err := r.find(e.AttributePath)
	switch {
	case err != nil:
		return nil, err
	case missing:
		return constant(false), nil
	case t.Attr == nil || t.Attr.Type != schemas.Complex || t.Sub != "":
		return nil, fault.Filter("the filter has brackets after %s, which has no sub-attributes", e.AttributePath)
	}
	path := model.AttributePath{Schema: t.URN, Name: t.Name, MultiValued: true}
	if r.rowed(t) {
		path = rowPath(t)
		if f := r.rowList(path, e.ValueFilter); f != nil {
			return f, nil
		}
	}
	inner, err := resolver{Scope: r.Scope, outer: &t}.resolve(e.ValueFilter)
	if err != nil || !t.Attr.Multi {
		return inner, err
	}
	return model.ValuePath{Path: path, Inner: inner}, nil
}
