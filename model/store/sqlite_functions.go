package store

import (
	"database/sql/driver"
	"encoding/json"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"

	"usher/model"
)

// registerFunctions gives SQLite what it lacks to filter documents as PostgreSQL does. The driver's registry is the
// process's, so this happens once in it, however many stores are opened.
var registerFunctions = sync.OnceValue(func() error {
	documents := &openDocuments{seed: maphash.MakeSeed()}
	attribute := func(args []string) (any, error) {
		v, err := documents.member(args[0], args[1], args[2])
		if args[3] != "" {
			object, _ := v.(map[string]any)
			v = object[args[3]]
		}
		return v, err
	}
	for _, f := range []struct {
		name string
		args int32
		call func(args []string) (driver.Value, error)
	}{
		{"usher_fold", 1, func(args []string) (driver.Value, error) { return model.Fold(args[0]), nil }},
		{"usher_text", 4, func(args []string) (driver.Value, error) {
			v, err := attribute(args)
			return asText(v), err
		}},
		{"usher_present", 4, func(args []string) (driver.Value, error) {
			v, err := attribute(args)
			return isPresent(v), err
		}},
		{"usher_first", 4, func(args []string) (driver.Value, error) {
			v, err := documents.member(args[0], args[1], args[2])
			return firstText(v, args[3]), err
		}},
		{"usher_list", 3, func(args []string) (driver.Value, error) {
			v, err := documents.member(args[0], args[1], args[2])
			if err != nil {
				return nil, err
			}
			return asList(v)
		}},
		{"usher_element", 3, func(args []string) (driver.Value, error) { return element(args[0], args[1], args[2]), nil }},
		{"usher_number", 1, func(args []string) (driver.Value, error) { return sortableNumber(args[0]), nil }},
		{"usher_time", 1, func(args []string) (driver.Value, error) { return asTime(args[0]), nil }},
		{"usher_contains", 2, func(args []string) (driver.Value, error) { return strings.Contains(args[0], args[1]), nil }},
		{"usher_starts", 2, func(args []string) (driver.Value, error) { return strings.HasPrefix(args[0], args[1]), nil }},
		{"usher_ends", 2, func(args []string) (driver.Value, error) { return strings.HasSuffix(args[0], args[1]), nil }},
	} {
		if err := sqlite.RegisterDeterministicScalarFunction(f.name, f.args, onText(f.call)); err != nil {
			return err
		}
	}
	return nil
})

// onText gives NULL for NULL, and the call's answer for text.
func onText(call func([]string) (driver.Value, error)) func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
	return func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		texts := make([]string, len(args))
		for i, a := range args {
			switch v := a.(type) {
			case nil:
				return nil, nil
			case string:
				texts[i] = v
			default:
				raw, err := json.Marshal(v)
				if err != nil {
					return nil, err
				}
				texts[i] = string(raw)
			}
		}
		return call(texts)
	}
}

// openDocuments remembers the documents that were opened last: a filter with several conditions opens one as often.
type openDocuments struct {
	seed  maphash.Seed
	slots [16]atomic.Pointer[openDocument]
}

type openDocument struct {
	raw   string
	attrs map[string]any
}

// maxOpen bounds what a remembered document weighs.
const maxOpen = 64 << 10

// member opens a document: the attribute name, of an extension where schema is set.
func (o *openDocuments) member(document, schema, name string) (any, error) {
	slot := &o.slots[maphash.String(o.seed, document)%uint64(len(o.slots))]
	open := slot.Load()
	if open == nil || open.raw != document {
		d, err := model.ParseDocument([]byte(document))
		if err != nil {
			return nil, err
		}
		open = &openDocument{document, d.Attributes()}
		if len(document) <= maxOpen {
			slot.Store(open)
		}
	}
	attrs := open.attrs
	if schema != "" {
		attrs, _ = attrs[schema].(map[string]any)
	}
	return attrs[name], nil
}

// asText gives what PostgreSQL's ->> gives of what is no object and no list.
func asText(v any) driver.Value {
	switch v.(type) {
	case nil, []any, map[string]any:
		return nil
	}
	return scalarText(v)
}

// scalarText gives the text of a value that is neither object nor list. A number is spelt as PostgreSQL spells it.
func scalarText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return plainNumber(v.String())
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func isPresent(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// firstText gives the text of the primary element, else of the first.
func firstText(v any, sub string) driver.Value {
	list, isList := v.([]any)
	if !isList && v != nil {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil
	}
	chosen := list[0]
	for _, e := range list {
		if object, ok := e.(map[string]any); ok && object["primary"] == true {
			chosen = e
			break
		}
	}
	object, isObject := chosen.(map[string]any)
	switch {
	case isObject && sub == "":
		return asText(object["value"])
	case isObject:
		return asText(object[sub])
	case sub == "" || sub == "value":
		return asText(chosen)
	}
	return nil
}

func asList(v any) (driver.Value, error) {
	switch v.(type) {
	case nil:
		return "[]", nil
	case []any:
	default:
		v = []any{v}
	}
	raw, err := json.Marshal(v)
	return string(raw), err
}

// element gives a sub-attribute of an element, which json_each hands over with its type: an object as JSON, what is simple as
// itself, and a boolean as a number.
func element(kind, raw, sub string) driver.Value {
	switch kind {
	case "object":
		var object map[string]any
		dec := json.NewDecoder(strings.NewReader(raw))
		dec.UseNumber()
		if dec.Decode(&object) != nil {
			return nil
		}
		return asText(object[sub])
	case "array":
		return nil
	case "true", "false":
		raw = kind
	}
	if sub == "value" {
		return raw
	}
	return nil
}
