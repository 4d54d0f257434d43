// Package wire reads and writes JSON as a SCIM edge needs it and encoding/json does not offer: members in the order in
// which they were sent (PATCH applies them in that order), numbers as written, duplicate members refused, depth and
// number of values bounded, and strings that no database can hold reported with the path of the attribute. It imports
// the standard library and scim/fault.
package wire

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Object is a JSON object with its members in order. The other JSON values are string, bool, nil, json.Number and []any.
type Object struct{ Members []Member }

// Member is one name and value of an Object.
type Member struct {
	Name  string
	Value any
}

// Get gives the value of the member whose name equals name without case, as attribute names are compared
// (RFC 7643 §2.1).
func (o *Object) Get(name string) (value any, ok bool) {
	for _, m := range o.Members {
		if m.Name == name || strings.EqualFold(m.Name, name) {
			return m.Value, true
		}
	}
	return nil, false
}

// Plain gives v with every Object as a map, which is how documents hold values.
func Plain(v any) any {
	switch v := v.(type) {
	case *Object:
		m := make(map[string]any, len(v.Members))
		for _, member := range v.Members {
			m[member.Name] = Plain(member.Value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = Plain(v[i])
		}
		return list
	}
	return v
}

// Describe names the JSON type of v in a sentence to the client.
func Describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}

// AppendString appends s as a JSON string.
func AppendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			quoted, err := json.Marshal(s)
			if err != nil { // a string always renders
				return strconv.AppendQuote(b, s)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
