package filter

import (
	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/schemas"
)

// Resolve turns a filter into conditions on the resource's attributes with values of their types. An attribute of a URN
// that no schema has is compared as a string without case; an attribute that a known schema does not have is refused.
// Errors are *fault.Error with invalidFilter.
func Resolve(expr ast.Expression, res *schemas.Resource, note Note) (model.Filter, error) {
	if note == nil {
		note = func(string) {}
	}
	r := resolver{res: res, note: note}
	return r.resolve(expr)
}

type resolver struct {
	res  *schemas.Resource
	note Note
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
			return model.Or{Left: left, Right: right}, nil
		}
		return model.And{Left: left, Right: right}, nil
	case *ast.NotExpression:
		inner, err := r.resolve(e.Expression)
		return model.Not{Inner: inner}, err
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

func (r resolver) find(p ast.AttributePath) (schemas.Target, error) {
	t := r.res.Resolve(p.URI(), p.AttributeName, p.SubAttributeName())
	switch {
	case t.Name == "":
		return t, fault.Filter("the filter names the schema %s; an attribute is expected", p)
	case t.Attr == nil && t.Schema != nil && !isCommon(t):
		return t, fault.Filter("the filter names %s, which %s does not have", p, t.Schema.URN)
	case t.Attr != nil && t.Sub != "" && t.SubAttr == nil:
		return t, fault.Filter("the filter names %s, but %s has no such sub-attribute", p, t.Attr.Name)
	}
	return t, nil
}

// isCommon says whether the target is schemas, the common attribute that no table lists.
func isCommon(t schemas.Target) bool { return t.URN == "" && t.Name == "schemas" && t.Sub == "" }

func (r resolver) compare(e *ast.AttributeExpression) (model.Filter, error) {
	t, err := r.find(e.AttributePath)
	if err != nil {
		return nil, err
	}
	if special, f, err := r.special(t, e); special {
		return f, err
	}
	if t.Attr == nil {
		path := model.AttributePath{Schema: t.URN, Name: t.Name, Sub: t.Sub, MultiValued: isCommon(t), Type: model.TypeString}
		return r.typed(path, schemas.String, e)
	}
	path := model.AttributePath{Schema: t.URN, Name: t.Name, Sub: t.Sub, MultiValued: t.Attr.Multi}
	leaf := t.Attr
	if t.SubAttr != nil {
		leaf = t.SubAttr
	} else if leaf.Type == schemas.Complex {
		value := leaf.Sub("value")
		if value == nil {
			return r.anyPresent(t, e)
		}
		leaf, path.Sub = value, value.Name
	}
	return r.leaf(path, leaf, e)
}

func (r resolver) leaf(path model.AttributePath, a *schemas.Attribute, e *ast.AttributeExpression) (model.Filter, error) {
	path.Type, path.CaseExact = modelType(a.Type), a.CaseExact
	return r.typed(path, a.Type, e)
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

// anyPresent answers pr on a complex attribute without value, such as name: one of its sub-attributes is present.
func (r resolver) anyPresent(t schemas.Target, e *ast.AttributeExpression) (model.Filter, error) {
	if e.Operator != ast.PR {
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
	return f, nil
}

// element resolves a comparison between the brackets of a value path: its names are sub-attributes.
func (r resolver) element(e *ast.AttributeExpression) (model.Filter, error) {
	p := e.AttributePath
	sub := r.outer.Attr.Sub(p.AttributeName)
	if p.URIPrefix != nil || p.SubAttribute != nil || sub == nil {
		return nil, fault.Filter("the filter names %s in brackets, but %s has no such sub-attribute", p, r.outer.Name)
	}
	if r.outer.Attr.Multi {
		return r.leaf(model.AttributePath{Name: sub.Name}, sub, e)
	}
	return r.leaf(model.AttributePath{Schema: r.outer.URN, Name: r.outer.Name, Sub: sub.Name}, sub, e)
}

func (r resolver) valuePath(e *ast.ValuePath) (model.Filter, error) {
	if r.outer != nil {
		return nil, fault.Filter("the filter has brackets within the brackets of %s", r.outer.Name)
	}
	t, err := r.find(e.AttributePath)
	if err != nil {
		return nil, err
	}
	if t.Attr == nil || t.Attr.Type != schemas.Complex || t.Sub != "" {
		return nil, fault.Filter("the filter has brackets after %s, which has no sub-attributes", e.AttributePath)
	}
	if r.rowed(t) {
		return r.memberPath(e.ValueFilter)
	}
	if t.URN == "" && (t.Name == "meta" || t.Attr.OnRequest) {
		return nil, fault.Filter("the filter has brackets after %s, which cannot be filtered that way", e.AttributePath)
	}
	inner, err := resolver{res: r.res, note: r.note, outer: &t}.resolve(e.ValueFilter)
	if err != nil || !t.Attr.Multi {
		return inner, err
	}
	path := model.AttributePath{Schema: t.URN, Name: t.Name, MultiValued: true}
	return model.ValuePath{Path: path, Inner: inner}, nil
}
