package schemas

import "strings"

// Target is what an attribute path names. Names are in the schema's spelling where the schema knows them, else as sent.
type Target struct {
	URN    string     // "" for the core schema
	Schema *Schema    // nil for a URN that no schema has
	Name   string     // "" where the path is a URN alone and means the whole extension
	Attr   *Attribute // nil for an attribute that the schema does not have
	Sub    string
	// SubAttr is nil for a sub-attribute that the schema does not have.
	SubAttr *Attribute
}

// Text is the target as a path.
func (t Target) Text() string {
	s := t.Name
	if t.URN != "" {
		s = strings.TrimSuffix(t.URN+":"+t.Name, ":")
	}
	if t.Sub != "" {
		s += "." + t.Sub
	}
	return s
}

// Schema gives the resource's schema of that URN, compared without case; nil where there is none.
func (r *Resource) Schema(urn string) *Schema {
	if strings.EqualFold(urn, r.Core.URN) {
		return r.Core
	}
	for _, s := range r.Extensions {
		if strings.EqualFold(urn, s.URN) {
			return s
		}
	}
	return nil
}

// Bare finds a name that was given without URN: in the core schema, else in the first extension that has it, because
// Entra writes manager and department that way. A name that no schema has is taken as one of the core schema.
func (r *Resource) Bare(name, sub string) Target {
	if a := r.Core.Attribute(name); a != nil {
		return target("", r.Core, a, sub)
	}
	for _, s := range r.Extensions {
		if a := s.Attribute(name); a != nil {
			return target(s.URN, s, a, sub)
		}
	}
	return Target{Schema: r.Core, Name: name, Sub: sub}
}

// Resolve finds what [urn:]name[.sub] names.
func (r *Resource) Resolve(urn, name, sub string) Target {
	if urn == "" {
		return r.Bare(name, sub)
	}
	if whole := r.Schema(join(urn, name, sub)); whole != nil {
		return r.whole(whole)
	}
	s := r.Schema(urn)
	if s == nil {
		return Target{URN: urn, Name: name, Sub: sub}
	}
	own := s.URN
	if s == r.Core {
		own = ""
	}
	if a := s.Attribute(name); a != nil {
		return target(own, s, a, sub)
	}
	return Target{URN: own, Schema: s, Name: name, Sub: sub}
}

func (r *Resource) whole(s *Schema) Target {
	if s == r.Core {
		return Target{Schema: s}
	}
	return Target{URN: s.URN, Schema: s}
}

func target(urn string, s *Schema, a *Attribute, sub string) Target {
	t := Target{URN: urn, Schema: s, Name: a.Name, Attr: a, Sub: sub}
	if sub != "" {
		if t.SubAttr = a.Sub(sub); t.SubAttr != nil {
			t.Sub = t.SubAttr.Name
		}
	}
	return t
}

func join(urn, name, sub string) string {
	if sub != "" {
		return urn + ":" + name + "." + sub
	}
	return urn + ":" + name
}

// Split takes a path without value filter apart: the URN up to the last colon, the attribute, the sub-attribute after
// a dot. A URN itself may hold dots, as in 2.0:User.
func Split(path string) (urn, name, sub string) {
	if i := strings.LastIndexByte(path, ':'); i >= 0 {
		urn, path = path[:i], path[i+1:]
	}
	name, sub, _ = strings.Cut(path, ".")
	return urn, name, sub
}
