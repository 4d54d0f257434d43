package resource

import (
	"strings"

	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/schemas"
	"usher/scim/wire"
)

type verb string

const (
	add     verb = "add"
	replace verb = "replace"
	remove  verb = "remove"
)

// step is one change of one attribute. PATCH operations and whole resources alike come apart into steps.
type step struct {
	kind   verb
	path   string // as sent, for messages
	target schemas.Target
	filter ast.Expression
	value  any  // a value of package wire
	given  bool // there was a value, if only null
	// named says that an operation named the attribute by its path. Otherwise it was the name of a member in an object:
	// then an unknown name is kept and one that the server decides is ignored, as Okta and Entra send them.
	named bool
}

// exploder takes bodies apart into steps.
type exploder struct {
	res     *schemas.Resource
	note    Note
	kind    verb
	steps   []step
	members []model.MemberOp
	// membersSent says that members were named at all.
	membersSent bool
	// once, where set, holds what was assigned already: a resource may name an attribute once, in whatever spelling.
	once map[string]bool
}

// object takes a resource, or the value of an operation without path, apart in the order in which it was written.
func (x *exploder) object(o *wire.Object) error {
	for _, m := range o.Members {
		if err := x.member(m); err != nil {
			return err
		}
	}
	return nil
}

func (x *exploder) member(m wire.Member) error {
	s := step{kind: x.kind, path: m.Name, value: m.Value, given: true}
	switch name := m.Name; {
	case name == "":
		return fault.Syntax("a member has an empty name")
	case isURN(name):
		return x.urn(s)
	case strings.ContainsRune(name, '['):
		if path, err := filter.ParsePath(name, x.note); err == nil {
			s.target, s.filter = pathTarget(x.res, path), path.ValueExpression
			if s.target.Attr != nil {
				x.note("value path as a member name")
				return x.push(s)
			}
		}
		s.target = schemas.Target{Schema: x.res.Core, Name: name}
	case strings.ContainsRune(name, '.'):
		parent, sub, _ := strings.Cut(name, ".")
		if s.target = x.res.Bare(parent, sub); s.target.SubAttr != nil {
			x.note("flattened name")
		} else {
			s.target = schemas.Target{Schema: x.res.Core, Name: name}
		}
	default:
		s.target = x.res.Bare(name, "")
	}
	if s.target.URN != "" {
		x.note("extension attribute without its URN")
	}
	return x.push(s)
}

// urn takes a member whose name is the URN of an extension, or an attribute with its URN before it.
func (x *exploder) urn(s step) error {
	schema := x.res.Schema(s.path)
	o, isObject := s.value.(*wire.Object)
	if list, ok := s.value.([]any); ok && len(list) == 1 {
		if inner, ok := list[0].(*wire.Object); ok && schema != nil {
			x.note("list for a single value")
			o, isObject = inner, true
		}
	}
	switch {
	case schema != nil && isObject:
		return x.extension(schema, s, o)
	case schema != nil:
		s.target = schemas.Target{Schema: schema, URN: schema.URN}
		return x.push(s)
	case isObject && !x.underKnown(s.path):
		s.target = schemas.Target{URN: s.path} // kept whole, under the name as sent
		return x.push(s)
	}
	s.target = x.res.Resolve(schemas.Split(s.path))
	x.note("flattened name")
	return x.push(s)
}

// underKnown says whether the path begins with the URN of a known schema.
func (x *exploder) underKnown(path string) bool {
	urn, _, _ := schemas.Split(path)
	return x.res.Schema(urn) != nil
}

func (x *exploder) extension(schema *schemas.Schema, s step, o *wire.Object) error {
	for _, m := range o.Members {
		name, sub, _ := strings.Cut(m.Name, ".")
		inner := s
		inner.named = false
		inner.path, inner.value = s.path+":"+m.Name, m.Value
		inner.target = x.res.Resolve(schema.URN, name, sub)
		if inner.target.Attr == nil || sub != "" && inner.target.SubAttr == nil {
			inner.target = schemas.Target{Schema: schema, Name: m.Name}
			if schema != x.res.Core {
				inner.target.URN = schema.URN
			}
		}
		if err := x.push(inner); err != nil {
			return err
		}
	}
	return nil
}

// push checks what does not depend on the document and files the step.
func (x *exploder) push(s step) error {
	t := s.target
	if x.once != nil && t.Name != "" && s.filter == nil {
		key := strings.ToLower(t.Text())
		if x.once[key] {
			return fault.Syntax("%s is given twice", s.path)
		}
		x.once[key] = true
	}
	if t.URN == "" && x.res.Ignored[strings.ToLower(t.Name)] {
		x.note(strings.ToLower(t.Name) + " ignored")
		return nil
	}
	if t.Attr != nil && t.Attr.ReadOnly || t.SubAttr != nil && t.SubAttr.ReadOnly {
		if !s.named && (x.once != nil || t.Name != "groups") {
			return nil
		}
		return fault.Mutability(s.path, "is decided by the server and cannot be changed")
	}
	if err := wellAimed(&s); err != nil {
		return err
	}
	if t.Attr != nil && t.Name == "members" && t.URN == "" {
		return x.memberStep(s)
	}
	x.steps = append(x.steps, s)
	return nil
}

// wellAimed refuses a path into an attribute that has no such part.
func wellAimed(s *step) error {
	t := s.target
	switch {
	case t.Attr != nil && t.Sub != "" && t.SubAttr == nil:
		return fault.Path(s.path, "%s has no sub-attribute %s", t.Name, t.Sub)
	case s.filter == nil:
		return nil
	case t.Attr == nil || t.Attr.Type != schemas.Complex:
		return fault.Path(s.path, "only attributes with sub-attributes can be selected from with brackets")
	}
	return checkFilter(s.filter, t.Attr, s.path)
}

// pathTarget finds what a parsed path names.
func pathTarget(res *schemas.Resource, path ast.Path) schemas.Target {
	sub := path.AttributePath.SubAttributeName()
	if path.SubAttribute != nil {
		sub = *path.SubAttribute
	}
	return res.Resolve(path.AttributePath.URI(), path.AttributePath.AttributeName, sub)
}
