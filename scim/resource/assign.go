package resource

import (
	"strings"

	"usher/scim/fault"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// apply makes one change.
func (e *editor) apply(s *step) error {
	t := s.target
	switch {
	case t.URN == "" && strings.EqualFold(t.Name, "schemas"):
		if s.kind == remove {
			return fault.Mutability(s.path, "is computed from the content and cannot be removed")
		}
		return e.declare(s)
	case t.Name == "":
		return e.whole(s)
	case t.Attr == nil:
		return e.unknown(s)
	}
	if t.Attr.Required && t.Sub == "" && s.kind == remove {
		return fault.Mutability(t.Name, "is required and cannot be removed")
	}
	parent, err := e.parent(t.URN, s.path)
	if err != nil {
		return err
	}
	var value any
	switch {
	case s.filter != nil && t.Attr.Multi:
		value, err = e.selected(s, elements(parent[t.Attr.Name]))
	case s.filter != nil:
		value, err = e.selectedSingle(s, parent[t.Attr.Name])
	case t.Sub != "" && t.Attr.Multi:
		value, err = e.everySub(s, elements(parent[t.Attr.Name]))
	case t.Sub != "":
		value, err = e.sub(s, parent[t.Attr.Name])
	case t.Attr.Multi:
		value, err = e.list(s, elements(parent[t.Attr.Name]))
	default:
		value, err = e.value(s, parent[t.Attr.Name])
	}
	if err != nil {
		return err
	}
	if value == nil && t.Attr.Required {
		return fault.Value(t.Name, "is required and must not be empty")
	}
	e.put(t.URN, parent, t.Attr.Name, value)
	return nil
}

// key gives the name under which the document holds an unknown name, which is compared without case.
func key(m map[string]any, name string) string {
	if _, ok := m[name]; ok {
		return name
	}
	for k := range m {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

// parent gives the object that holds the attributes of a URN; it is not in the document before put.
func (e *editor) parent(urn, path string) (map[string]any, error) {
	if urn == "" {
		return e.doc, nil
	}
	switch m := e.doc[key(e.doc, urn)].(type) {
	case map[string]any:
		return m, nil
	case nil:
		return map[string]any{}, nil
	}
	return nil, fault.Path(path, "%s is not an object", urn)
}

// put stores a value, or takes the attribute away where it is nil; an extension without attributes goes too.
func (e *editor) put(urn string, parent map[string]any, name string, value any) {
	if value == nil {
		delete(parent, name)
	} else {
		parent[name] = value
	}
	if urn == "" {
		return
	}
	if urn = key(e.doc, urn); len(parent) == 0 {
		delete(e.doc, urn)
		return
	}
	e.doc[urn] = parent
}

// whole changes an extension as one. Known extensions given as objects came apart into their attributes before.
func (e *editor) whole(s *step) error {
	urn := s.target.URN
	o, isObject := s.value.(*wire.Object)
	switch {
	case s.kind == remove || s.value == nil || s.value == "":
		if urn == "" {
			return fault.Mutability(s.path, "the core schema cannot be removed")
		}
		delete(e.doc, key(e.doc, urn))
		e.undeclare(urn)
		return nil
	case !isObject || s.target.Schema != nil:
		return fault.Value(s.path, "must be an object, not %s", wire.Describe(s.value))
	}
	e.note("unknown attribute")
	held, isHeld := e.doc[key(e.doc, urn)].(map[string]any)
	if !isHeld {
		e.doc[key(e.doc, urn)] = wire.Plain(o)
		return nil
	}
	for _, m := range o.Members {
		if m.Value == nil {
			delete(held, key(held, m.Name))
		} else {
			held[key(held, m.Name)] = wire.Plain(m.Value)
		}
	}
	return nil
}

func (e *editor) undeclare(urn string) {
	kept := e.declared[:0]
	for _, d := range e.declared {
		if !strings.EqualFold(d, urn) {
			kept = append(kept, d)
		}
	}
	e.declared = kept
}

// unknown changes an attribute that no schema has. It is kept as it was sent; but a path that names an attribute of
// a known schema which neither the schema nor the document has is a mistake of the client.
func (e *editor) unknown(s *step) error {
	t := s.target
	parent, err := e.parent(t.URN, s.path)
	if err != nil {
		return err
	}
	name := key(parent, t.Name)
	held, isHeld := parent[name]
	if s.named && t.Schema != nil && !isHeld {
		return fault.Path(s.path, "%s has no attribute %s", t.Schema.URN, t.Name)
	}
	e.note("unknown attribute")
	if t.Sub != "" {
		inner, isObject := held.(map[string]any)
		if !isObject && isHeld {
			return fault.Path(s.path, "%s has no sub-attributes", t.Name)
		}
		if inner == nil {
			inner = map[string]any{}
		}
		set(inner, key(inner, t.Sub), unknownValue(s, nil))
		if len(inner) == 0 {
			inner = nil
		}
		set(parent, name, asAny(inner))
	} else {
		set(parent, name, unknownValue(s, held))
	}
	e.put(t.URN, parent, name, parent[name])
	return nil
}

func asAny(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

func set(m map[string]any, name string, value any) {
	if value == nil {
		delete(m, name)
	} else {
		m[name] = value
	}
}

// unknownValue gives the new value of an unknown attribute: a list grows by add and shrinks by remove with a value.
func unknownValue(s *step, held any) any {
	list, isList := held.([]any)
	values, many := s.value.([]any)
	if !many && s.value != nil {
		values = []any{s.value}
	}
	switch {
	case s.kind == remove && isList && len(values) > 0:
		return orNil(without(list, wire.Plain(values).([]any)))
	case s.kind == remove || s.value == nil || many && len(values) == 0 || s.named && s.value == "":
		return nil
	case s.kind == add && isList:
		return union(list, wire.Plain(values).([]any))
	}
	return wire.Plain(s.value)
}

func elements(v any) []any {
	list, _ := v.([]any)
	return list
}

// value changes a single-valued attribute. A complex one without a value of its own, such as name, is merged; one that
// refers to something, such as manager, is replaced as a whole, since what it said of the old value would not hold.
func (e *editor) value(s *step, held any) (any, error) {
	a := s.target.Attr
	if s.kind == remove {
		return nil, nil
	}
	if s.kind == add && !s.given {
		return nil, fault.Value(s.path, "the operation has no value")
	}
	o, isObject := s.value.(*wire.Object)
	if !isObject || a.Type != schemas.Complex || a.Sub("value") != nil {
		return single(a, s.target.Text(), s.value, e.note)
	}
	merged, _ := held.(map[string]any)
	if merged == nil {
		merged = map[string]any{}
	}
	sent := map[string]any{}
	for _, m := range o.Members {
		if err := setSub(sent, a, a.Name, m, e.note); err != nil {
			return nil, err
		}
		name := m.Name
		if sub := a.Sub(name); sub != nil {
			name = sub.Name
		}
		set(merged, name, sent[name])
	}
	if len(merged) == 0 {
		return nil, nil
	}
	return merged, nil
}

// sub changes one sub-attribute of a single-valued attribute.
func (e *editor) sub(s *step, held any) (any, error) {
	value, err := e.subValue(s)
	if err != nil {
		return nil, err
	}
	m, _ := held.(map[string]any)
	if value == nil && s.target.Attr.Sub("value") == s.target.SubAttr {
		return nil, nil // without its value, what else is said of the manager means nothing
	}
	if m == nil {
		m = map[string]any{}
	}
	set(m, s.target.Sub, value)
	if len(m) == 0 {
		return nil, nil
	}
	return m, nil
}

func (e *editor) subValue(s *step) (any, error) {
	switch {
	case s.kind == remove:
		return nil, nil
	case s.kind == add && !s.given:
		return nil, fault.Value(s.path, "the operation has no value")
	}
	return coerce(s.target.SubAttr, s.target.Text(), s.value, e.note)
}
