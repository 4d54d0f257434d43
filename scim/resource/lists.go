package resource

import (
	"slices"

	"usher/scim/fault"
	"usher/scim/schemas"
)

// list changes a multi-valued attribute as a whole.
func (e *editor) list(s *step, held []any) (any, error) {
	a := s.target.Attr
	if s.kind == remove && (s.value == nil || s.value == "") {
		return nil, nil
	}
	if s.kind == add && !s.given {
		return nil, fault.Value(s.path, "the operation has no value")
	}
	value, err := coerce(a, s.target.Text(), s.value, e.note)
	if err != nil {
		return nil, err
	}
	sent := elements(value)
	switch s.kind {
	case replace:
		return orNil(sent), nil
	case remove:
		e.note("remove with a value")
		return orNil(without(held, sent)), nil
	case add: // takes the bounds of a list into account
	}
	before := len(held)
	held = union(held, sent)
	onePrimary(a, held, func(i int) bool { return i >= before })
	return e.bounded(a, held)
}

func (e *editor) bounded(a *schemas.Attribute, list []any) (any, error) {
	if len(list) > MaxElements {
		return nil, fault.Value(a.Name, "would hold more than %d elements", MaxElements)
	}
	return orNil(list), nil
}

func orNil(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// union adds the elements that are not there yet (RFC 7644 §3.5.2.1).
func union(held, sent []any) []any {
	for _, element := range sent {
		if !slices.ContainsFunc(held, func(h any) bool { return equal(h, element) }) {
			held = append(held, element)
		}
	}
	return held
}

// without takes away every element that agrees with one of the given ones in all that is said of it.
func without(held, given []any) []any {
	return slices.DeleteFunc(held, func(h any) bool {
		return slices.ContainsFunc(given, func(g any) bool { return agrees(h, g) })
	})
}

func agrees(held, given any) bool {
	want, ok := given.(map[string]any)
	has, isObject := held.(map[string]any)
	if !ok || !isObject {
		return equal(held, given)
	}
	for name, value := range want {
		if !equal(has[name], value) {
			return false
		}
	}
	return len(want) > 0
}

// onePrimary takes primary from every other element when a changed one has it (RFC 7644 §3.5.2).
func onePrimary(a *schemas.Attribute, list []any, changed func(i int) bool) {
	if a.Sub("primary") == nil {
		return
	}
	winner := -1
	for i, element := range list {
		if m, ok := element.(map[string]any); ok && m["primary"] == true && changed(i) {
			winner = i
		}
	}
	if winner < 0 {
		return
	}
	for i, element := range list {
		if m, ok := element.(map[string]any); ok && i != winner && m["primary"] == true {
			m["primary"] = false
		}
	}
}

// everySub changes one sub-attribute of all elements, as a path without brackets asks; without elements it makes one.
func (e *editor) everySub(s *step, held []any) (any, error) {
	value, err := e.subValue(s)
	if err != nil {
		return nil, err
	}
	if len(held) == 0 && value != nil {
		return []any{map[string]any{s.target.Sub: value}}, nil
	}
	return orNil(setSubs(held, s.target.Sub, value, func(map[string]any) bool { return true })), nil
}

// setSubs sets the sub-attribute of the elements that are meant. An element of which nothing but its label is left
// after clearing is dropped.
func setSubs(held []any, sub string, value any, meant func(map[string]any) bool) []any {
	kept := held[:0]
	for _, element := range held {
		if m, ok := element.(map[string]any); ok && meant(m) {
			_, had := m[sub]
			set(m, sub, value)
			if value == nil && had && isShell(m) {
				continue
			}
		}
		kept = append(kept, element)
	}
	return kept
}

func isShell(m map[string]any) bool {
	for name := range m {
		if name != "type" && name != "primary" {
			return false
		}
	}
	return true
}

// selected changes the elements that a value filter selects.
func (e *editor) selected(s *step, held []any) (any, error) {
	a := s.target.Attr
	meant := func(m map[string]any) bool { return matches(s.filter, a, m) }
	found := slices.ContainsFunc(held, func(element any) bool {
		m, ok := element.(map[string]any)
		return ok && meant(m)
	})
	if s.kind == remove && s.target.Sub == "" {
		return orNil(slices.DeleteFunc(held, func(element any) bool {
			m, ok := element.(map[string]any)
			return ok && meant(m)
		})), nil
	}
	value, err := e.selectedValue(s)
	if err != nil {
		return nil, err
	}
	if !found {
		return e.create(s, held, value)
	}
	changed := make([]bool, len(held))
	for i, element := range held {
		m, ok := element.(map[string]any)
		changed[i] = ok && meant(m)
	}
	switch {
	case s.target.Sub == "" && value == nil:
		return orNil(slices.DeleteFunc(held, func(element any) bool {
			m, ok := element.(map[string]any)
			return ok && meant(m)
		})), nil
	case s.target.Sub == "":
		for i, element := range held {
			if changed[i] {
				held[i] = e.exchange(s, element.(map[string]any), value.(map[string]any))
			}
		}
	case value == nil:
		return orNil(setSubs(held, s.target.Sub, nil, meant)), nil
	default:
		for i, element := range held {
			if changed[i] {
				element.(map[string]any)[s.target.Sub] = value
			}
		}
	}
	onePrimary(a, held, func(i int) bool { return changed[i] })
	return orNil(held), nil
}

// selectedValue coerces the value for one element, or for a sub-attribute of it.
func (e *editor) selectedValue(s *step) (any, error) {
	if s.target.Sub != "" {
		return e.subValue(s)
	}
	if s.kind == add && !s.given {
		return nil, fault.Value(s.path, "the operation has no value")
	}
	v := s.value
	if list, ok := v.([]any); ok && len(list) <= 1 {
		if v = nil; len(list) == 1 {
			v = list[0]
		}
		e.note("list for a single value")
	}
	return single(s.target.Attr, s.target.Text(), v, e.note)
}

// exchange gives the element that takes the place of a selected one: replace keeps what the filter says, add keeps all
// that is not given anew.
func (e *editor) exchange(s *step, old, value map[string]any) map[string]any {
	kept := map[string]any{}
	if s.kind == add {
		kept = old
	} else {
		template(s.filter, s.target.Attr, kept)
	}
	for name, v := range value {
		kept[name] = clone(v)
	}
	return kept
}

// create makes the element that a filter describes but nothing satisfies. RFC 7644 §3.5.2.3 asks for an error there;
// Entra relies on the element being made.
func (e *editor) create(s *step, held []any, value any) (any, error) {
	if s.kind == remove || value == nil {
		return orNil(held), nil
	}
	made := map[string]any{}
	if !template(s.filter, s.target.Attr, made) {
		return nil, fault.NoTarget("path %q selects no element, and its filter does not say what to create", s.path)
	}
	e.note("created on unmatched filter")
	if s.target.Sub != "" {
		made[s.target.Sub] = value
	} else {
		for name, v := range value.(map[string]any) {
			made[name] = v
		}
	}
	held = append(held, made)
	onePrimary(s.target.Attr, held, func(i int) bool { return i == len(held)-1 })
	return e.bounded(s.target.Attr, held)
}

// selectedSingle changes a single-valued attribute that was addressed as if it were a list, as in
// manager[value eq "x"].
func (e *editor) selectedSingle(s *step, held any) (any, error) {
	var list []any
	if held != nil {
		list = []any{held}
	}
	e.note("value path on a single value")
	value, err := e.selected(s, list)
	if err != nil {
		return nil, err
	}
	switch after := elements(value); len(after) {
	case 0:
		return nil, nil
	case 1:
		return after[0], nil
	}
	return nil, fault.NoTarget("path %q does not select the present %s", s.path, s.target.Name)
}
