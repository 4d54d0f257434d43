package filter

import (
	"strings"

	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/schemas"
)

// What follows resolves what does not stand in the document: meta, members and groups.

func (r resolver) meta(t schemas.Target, e *ast.AttributeExpression) (model.Filter, error) {
	switch {
	case t.SubAttr != nil && t.SubAttr.Type == schemas.DateTime:
		return r.leaf(model.AttributePath{Name: "meta." + t.Sub}, t.SubAttr, e)
	case t.Sub == "resourceType":
		return r.fixed(r.Resource.Name, e)
	case t.Sub == "location":
		return r.location(e)
	case e.Operator == ast.PR, e.CompareValue == nil: // meta itself and its version: every resource has them
		return r.fixed("x", e)
	}
	return nil, fault.Filter("the filter names %s; of meta only created, lastModified, resourceType and location can be compared",
		e.AttributePath)
}

// location compares the URL of the resource, which is the same text for all but for the id.
func (r resolver) location(e *ast.AttributeExpression) (model.Filter, error) {
	if e.Operator == ast.PR || e.CompareValue == nil {
		return r.fixed("x", e)
	}
	want, _ := literalText(e.CompareValue)
	id, mine := strings.CutPrefix(want, r.Location)
	switch {
	case e.Operator != ast.EQ && e.Operator != ast.NE:
		return nil, fault.Filter("the filter uses %s on meta.location; use eq or ne", e.Operator)
	case !mine || r.Location == "":
		return constant(e.Operator == ast.NE), nil
	}
	return model.Compare{Path: idPath(), Op: model.CompareOp(e.Operator), Value: id}, nil
}

// rowPath is how the store knows the members of a group, and the groups of a user.
func rowPath(t schemas.Target) model.AttributePath {
	return model.AttributePath{Name: t.Name, MultiValued: true, Type: model.TypeString, CaseExact: true}
}

// rows compares the id of any member, or of any group, or another part of one. Not to be equal is to have none that is equal:
// Entra asks in that way whether somebody is no member.
func (r resolver) rows(t schemas.Target, e *ast.AttributeExpression) (model.Filter, error) {
	path := rowPath(t)
	if t.Sub != "" && t.Sub != "value" {
		path.Sub, path.CaseExact = t.Sub, t.SubAttr.CaseExact
	}
	compare, err := r.typed(path, schemas.String, e)
	if err != nil {
		return nil, err
	}
	if compare.Op == model.OpNotEqual && compare.Value != nil {
		compare.Op = model.OpEqual
		return model.Not{Inner: compare}, nil
	}
	return compare, nil
}

// row compares a part of one member, or of one group.
func (r resolver) row(sub *schemas.Attribute, e *ast.AttributeExpression) (model.Filter, error) {
	exact := sub.CaseExact || sub.Name == "value" // the ids of groups are as exact as those of members
	return r.leaf(model.AttributePath{Name: sub.Name}, &schemas.Attribute{Type: sub.Type, CaseExact: exact}, e)
}

// rowList resolves members[value eq "x" or value eq "y"] to comparisons that an index answers; nil where the brackets hold
// anything else.
func (r resolver) rowList(path model.AttributePath, inner ast.Expression) model.Filter {
	switch e := inner.(type) {
	case *ast.AttributeExpression:
		text, ok := literalText(e.CompareValue)
		if ok && e.Operator == ast.EQ && strings.EqualFold(e.AttributePath.String(), "value") {
			return model.Compare{Path: path, Op: model.OpEqual, Value: text}
		}
	case *ast.LogicalExpression:
		if e.Operator != ast.OR {
			return nil
		}
		left, right := r.rowList(path, e.Left), r.rowList(path, e.Right)
		if left != nil && right != nil {
			return model.Or{Left: left, Right: right}
		}
	}
	return nil
}
