package scim

import (
	"strings"

	"usher/scim/wire"
)

// bulkPrefix begins a reference to what another operation of the request creates (RFC 7644 §3.7.2).
const bulkPrefix = "bulkId:"

// references calls visit for every bulkId that the operation refers to, in its path and anywhere in its data.
func (op *operation) references(visit func(bulkID string)) {
	walkReference(op.path, visit)
	walkReferences(op.data, visit)
}

func walkReferences(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		walkReference(v, visit)
	case []any:
		for _, element := range v {
			walkReferences(element, visit)
		}
	case *wire.Object:
		for _, m := range v.Members {
			walkReferences(m.Value, visit)
		}
	}
}

func walkReference(s string, visit func(string)) {
	replaceReferences(s, func(id string) (string, bool) {
		visit(id)
		return "", false
	})
}

// replaceReferences puts ids in the place of the references that s holds: s itself, as the value of a member, the last part
// of a path or URL, as in /Users/bulkId:ada, or a literal of a value path, as in members[value eq "bulkId:ada"].
func replaceReferences(s string, id func(bulkID string) (string, bool)) string {
	if !strings.Contains(s, bulkPrefix) {
		return s
	}
	if name, ok := strings.CutPrefix(s, bulkPrefix); ok {
		if found, ok := id(name); ok {
			return found
		}
		return s
	}
	if i := strings.Index(s, "/"+bulkPrefix); i >= 0 {
		start := i + 1 + len(bulkPrefix)
		end := len(s)
		if j := strings.IndexByte(s[start:], '/'); j >= 0 {
			end = start + j
		}
		if found, ok := id(s[start:end]); ok {
			return s[:i+1] + found + s[end:]
		}
		return s
	}
	return replaceLiterals(s, id)
}

func replaceLiterals(s string, id func(string) (string, bool)) string {
	var out strings.Builder
	for {
		i := strings.Index(s, `"`+bulkPrefix)
		if i < 0 {
			break
		}
		start := i + 1 + len(bulkPrefix)
		length := strings.IndexByte(s[start:], '"')
		if length < 0 {
			break
		}
		out.WriteString(s[:i+1])
		if found, ok := id(s[start : start+length]); ok {
			out.WriteString(found)
		} else {
			out.WriteString(s[i+1 : start+length])
		}
		s = s[start+length:]
	}
	out.WriteString(s)
	return out.String()
}

// resolved gives a copy of v in which references are replaced.
func resolved(v any, id func(bulkID string) (string, bool)) any {
	switch v := v.(type) {
	case string:
		return replaceReferences(v, id)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = resolved(v[i], id)
		}
		return list
	case *wire.Object:
		o := &wire.Object{Members: make([]wire.Member, len(v.Members))}
		for i, m := range v.Members {
			o.Members[i] = wire.Member{Name: m.Name, Value: resolved(m.Value, id)}
		}
		return o
	}
	return v
}

// aside takes out of a resource what refers to things that are not there yet: elements of lists, and other attributes whole.
// It gives what is left, and what was taken out, under the same names. isExtension says whether a member holds attributes of
// an extension, and is not an attribute itself.
func aside(o *wire.Object, waits, isExtension func(string) bool) (kept, taken *wire.Object) {
	kept, taken = &wire.Object{}, &wire.Object{}
	put := func(into *wire.Object, name string, value any) {
		into.Members = append(into.Members, wire.Member{Name: name, Value: value})
	}
	for _, m := range o.Members {
		inner, isObject := m.Value.(*wire.Object)
		list, isList := m.Value.([]any)
		switch {
		case !refersTo(m.Value, waits):
			put(kept, m.Name, m.Value)
		case isObject && isExtension(m.Name):
			left, later := aside(inner, waits, isExtension)
			put(kept, m.Name, left)
			put(taken, m.Name, later)
		case isList:
			var left, later []any
			for _, element := range list {
				if refersTo(element, waits) {
					later = append(later, element)
				} else {
					left = append(left, element)
				}
			}
			put(kept, m.Name, left)
			put(taken, m.Name, later)
		default:
			put(taken, m.Name, m.Value)
		}
	}
	return kept, taken
}

func refersTo(v any, waits func(bulkID string) bool) bool {
	found := false
	walkReferences(v, func(id string) { found = found || waits(id) })
	return found
}
