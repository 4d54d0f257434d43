package resource

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// coerce gives v the attribute's type; nil stands for unassigned. path names the attribute in errors.
func coerce(a *schemas.Attribute, path string, v any, note Note) (any, error) {
	if !a.Multi {
		return single(a, path, v, note)
	}
	list, ok := v.([]any)
	if !ok {
		if v == nil || v == "" {
			return nil, nil
		}
		note("one value for a list")
		list = []any{v}
	}
	if len(list) > MaxElements {
		return nil, fault.Value(path, "holds more than %d elements", MaxElements)
	}
	elements := make([]any, 0, len(list))
	for i := range list {
		element, err := single(a, path+"["+strconv.Itoa(i)+"]", list[i], note)
		if err != nil {
			return nil, err
		}
		if element != nil {
			elements = append(elements, element)
		}
	}
	if len(elements) == 0 {
		return nil, nil
	}
	return elements, nil
}

// single coerces one value, which for a multi-valued attribute is one element.
func single(a *schemas.Attribute, path string, v any, note Note) (any, error) {
	if list, ok := v.([]any); ok && !a.Multi {
		switch len(list) {
		case 0:
			return nil, nil
		case 1:
			note("list for a single value")
			v = list[0]
		}
	}
	if v == nil {
		return nil, nil
	}
	switch a.Type {
	case schemas.Complex:
		return object(a, path, v, note)
	case schemas.Boolean:
		return boolean(path, v, note)
	case schemas.Integer, schemas.Decimal:
		return number(a, path, v, note)
	default:
		return text(a, path, v)
	}
}

// text takes a string, which a date and time is too.
func text(a *schemas.Attribute, path string, v any) (any, error) {
	s, ok := v.(string)
	switch {
	case !ok:
		return nil, fault.Value(path, "must be a string, not %s", wire.Describe(v))
	case s == "":
		return nil, nil
	case len(s) > a.MaxBytes:
		return nil, fault.Value(path, "is longer than %d bytes", a.MaxBytes)
	}
	if a.Type == schemas.DateTime {
		if _, err := filter.ParseTime(s); err != nil {
			return nil, fault.Value(path, "must be a date and time such as 2026-11-21T09:00:00Z, not %q", brief(s))
		}
	}
	return s, nil
}

func brief(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// boolean takes the strings that Entra's older dialect sends.
func boolean(path string, v any, note Note) (any, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if v == "" {
			return nil, nil
		}
		if yes := strings.EqualFold(v, "true"); yes || strings.EqualFold(v, "false") {
			note("string boolean")
			return yes, nil
		}
		return nil, fault.Value(path, "must be true or false, not %q", brief(v))
	}
	return nil, fault.Value(path, "must be true or false, not %s", wire.Describe(v))
}

func number(a *schemas.Attribute, path string, v any, note Note) (any, error) {
	n, ok := v.(json.Number)
	if s, isText := v.(string); isText {
		if s == "" {
			return nil, nil
		}
		note("string number")
		n, ok = json.Number(s), json.Valid([]byte(s)) && len(s) <= 32
		if _, err := n.Float64(); err != nil {
			ok = false
		}
	}
	if ok && a.Type == schemas.Integer {
		_, err := n.Int64()
		ok = err == nil
	}
	if !ok {
		return nil, fault.Value(path, "must be of type %s, not %s", a.Type, brief(fmt.Sprint(wire.Plain(v))))
	}
	return n, nil
}

// object coerces a complex value. A bare string is its value, as Entra sends the manager.
func object(a *schemas.Attribute, path string, v any, note Note) (any, error) {
	o, ok := v.(*wire.Object)
	if !ok {
		s, isText := v.(string)
		value := a.Sub("value")
		switch {
		case isText && s == "":
			return nil, nil
		case !isText || value == nil:
			return nil, fault.Value(path, "must be an object, not %s", wire.Describe(v))
		}
		note("string " + a.Name)
		coerced, err := single(value, path, s, note)
		return map[string]any{value.Name: coerced}, err
	}
	m := make(map[string]any, len(o.Members))
	for _, member := range o.Members {
		if err := setSub(m, a, path, member, note); err != nil {
			return nil, err
		}
	}
	if value, sent := o.Get("value"); sent && !a.Multi && (value == nil || value == "") {
		return nil, nil // {"value":""} is how Entra takes the manager away
	}
	if len(m) == 0 {
		return nil, nil
	}
	return m, nil
}

// setSub puts one member of a complex value into m. A sub-attribute that the schema does not have is kept as it is.
func setSub(m map[string]any, a *schemas.Attribute, path string, member wire.Member, note Note) error {
	sub := a.Sub(member.Name)
	if sub == nil {
		if member.Value != nil {
			m[member.Name] = wire.Plain(member.Value)
		}
		return nil
	}
	if sub.ReadOnly {
		return nil
	}
	if _, twice := m[sub.Name]; twice {
		return fault.Syntax("%s.%s is given twice", path, sub.Name)
	}
	value, err := coerce(sub, path+"."+sub.Name, member.Value, note)
	if err == nil && value != nil {
		m[sub.Name] = value
	}
	return err
}
