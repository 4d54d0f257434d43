package filter

import (
	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/schemas"
)

// Scope is what filters and orders are resolved against: the resources of one type of one integration.
type Scope struct {
	Resource *schemas.Resource
	// Others are the other types that the same query asks for. What they have and Resource lacks has no value in Resource
	// (RFC 7644 §3.4.2.1); what none of them has is refused.
	Others []*schemas.Resource
	// Location is the absolute URL of a resource without its id, with a slash at the end; it decides about meta.location.
	Location string
	// Note, where set, is told about what was tolerated.
	Note Note
}

// Filter turns a filter into conditions on the resource's attributes with values of their types. An attribute of a URN
// that no schema has is compared as a string without case, or as a number with a number; an attribute that a known schema
// does not have is refused. Errors are *fault.Error with invalidFilter.
func (s Scope) Filter(expr ast.Expression) (model.Filter, error) {
	if s.Note == nil {
		s.Note = func(string) {}
	}
	return resolver{Scope: s}.resolve(expr)
}

// Sort resolves sortBy (RFC 7644 §3.4.2.3) as filters resolve attributes. It gives nil where no resource of the type comes
// before another by it: all have the same value, or another type alone has the attribute. Errors are *fault.Error with
// invalidValue and name sortBy: the standard keeps invalidPath for PATCH.
func (s Scope) Sort(sortBy string, descending bool) (*model.Sort, error) {
	refuse := func(format string, args ...any) (*model.Sort, error) {
		return nil, fault.Value("sortBy", format, args...)
	}
	p, err := parseAttribute(sortBy)
	if err != nil {
		return refuse("%s", err)
	}
	r := resolver{Scope: s}
	t := s.Resource.Resolve(p.URI(), p.AttributeName, p.SubAttributeName())
	switch reason := r.unknown(t, p); {
	case (reason != "" || t.Schema == nil) && r.elsewhere(p):
		return nil, nil
	case reason != "":
		return refuse("names %s", reason)
	case r.rowed(t):
		return refuse("names %s, by which nothing can be sorted, since it is a set without order", t.Name)
	case t.Attr == nil:
		path := model.AttributePath{Schema: t.URN, Name: t.Name, Sub: t.Sub, MultiValued: isCommon(t), Type: model.TypeString}
		return &model.Sort{Path: path, Descending: descending}, nil
	case isMeta(t):
		return sortMeta(t, descending)
	}
	path := model.AttributePath{Schema: t.URN, Name: t.Name, Sub: t.Sub, MultiValued: t.Attr.Multi}
	leaf := t.Attr
	if t.SubAttr != nil {
		leaf = t.SubAttr
	} else if leaf.Type == schemas.Complex {
		value := leaf.Sub("value")
		if value == nil {
			return refuse("names %s, which has sub-attributes; name one of them", t.Text())
		}
		leaf, path.Sub = value, value.Name
	}
	if leaf.Type == schemas.Binary {
		return refuse("names %s, by which nothing can be sorted, since it is binary", t.Text())
	}
	path.Type, path.CaseExact = modelType(leaf.Type), leaf.CaseExact
	return &model.Sort{Path: path, Descending: descending}, nil
}

func sortMeta(t schemas.Target, descending bool) (*model.Sort, error) {
	switch {
	case t.SubAttr != nil && t.SubAttr.Type == schemas.DateTime:
		path := model.AttributePath{Name: "meta." + t.Sub, Type: model.TypeDateTime}
		return &model.Sort{Path: path, Descending: descending}, nil
	case t.Sub == "location": // the same text but for the id
		return &model.Sort{Path: idPath(), Descending: descending}, nil
	case t.Sub == "resourceType":
		return nil, nil
	}
	return nil, fault.Value("sortBy", "names %s; of meta only created, lastModified and location can be sorted by", t.Text())
}

// parseAttribute reads [urn:]attribute[.sub].
func parseAttribute(text string) (ast.AttributePath, error) {
	p, err := open(text, nil)
	if err != nil {
		return ast.AttributePath{}, err
	}
	path, err := p.attribute()
	if err == nil && p.peek().kind != end {
		err = p.unexpected("the end")
	}
	return path, err
}

// unknown says what of the path the resource does not have; "" where it has it all, or where the URN is of no schema.
func (r resolver) unknown(t schemas.Target, p ast.AttributePath) string {
	switch {
	case t.Name == "":
		return "the schema " + p.String() + "; an attribute is expected"
	case t.Attr == nil && t.Schema != nil && !isCommon(t):
		return p.String() + ", which " + t.Schema.URN + " does not have"
	case t.Attr != nil && t.Sub != "" && t.SubAttr == nil:
		return p.String() + ", but " + t.Attr.Name + " has no such sub-attribute"
	}
	return ""
}

// elsewhere says whether another type of the query has the attribute.
func (r resolver) elsewhere(p ast.AttributePath) bool {
	for _, other := range r.Others {
		t := other.Resolve(p.URI(), p.AttributeName, p.SubAttributeName())
		if t.Attr != nil && r.unknown(t, p) == "" {
			return true
		}
	}
	return false
}

// isCommon says whether the target is schemas, the common attribute that no table lists.
func isCommon(t schemas.Target) bool { return t.URN == "" && t.Name == "schemas" && t.Sub == "" }

// isMeta says whether the target is meta, which is computed, or a part of it.
func isMeta(t schemas.Target) bool { return t.URN == "" && t.Attr != nil && t.Name == "meta" }

// rowed says whether the target is the members of a group or the groups of a user, which are rows and no part of the
// document.
func (r resolver) rowed(t schemas.Target) bool {
	return t.URN == "" && t.Attr != nil && (t.Name == "members" || t.Name == "groups")
}

func idPath() model.AttributePath {
	return model.AttributePath{Name: "id", Type: model.TypeString, CaseExact: true}
}
