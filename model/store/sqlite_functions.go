package store

import (
	"database/sql/driver"
	"encoding/json"
	"sync"
	"time"

	"modernc.org/sqlite"

	"usher/model"
)

// registerFunctions gives SQLite what it lacks to filter documents as PostgreSQL does. The driver's registry is the
// process's, so this happens once in it, however many stores are opened.
var registerFunctions = sync.OnceValue(func() error {
	for _, f := range []struct {
		name string
		args int32
		call func(args []string) (driver.Value, error)
	}{
		{"usher_fold", 1, func(args []string) (driver.Value, error) { return model.Fold(args[0]), nil }},
		{"usher_text", 4, func(args []string) (driver.Value, error) {
			v, err := member(args[0], args[1], args[2])
			if args[3] != "" {
				object, _ := v.(map[string]any)
				v = object[args[3]]
			}
			return asText(v), err
		}},
		{"usher_list", 3, func(args []string) (driver.Value, error) {
			v, err := member(args[0], args[1], args[2])
			if err != nil {
				return nil, err
			}
			return asList(v)
		}},
		{"usher_element", 2, func(args []string) (driver.Value, error) { return element(args[0], args[1]), nil }},
		{"usher_time", 1, func(args []string) (driver.Value, error) {
			at, err := time.Parse(time.RFC3339Nano, args[0])
			if err != nil {
				return nil, nil //nolint:nilerr // what is no time compares with nothing
			}
			return at.UTC().Format(sortableTime), nil
		}},
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

// member opens a document: the attribute name, of an extension where schema is set.
func member(document, schema, name string) (any, error) {
	d, err := model.ParseDocument([]byte(document))
	if err != nil {
		return nil, err
	}
	attrs := d.Attributes()
	if schema != "" {
		attrs, _ = attrs[schema].(map[string]any)
	}
	return attrs[name], nil
}

// asText gives what PostgreSQL's ->> gives.
func asText(v any) driver.Value {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return v
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return string(raw)
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

// element gives a sub-attribute of an element, which json_each hands over as JSON where it is an object and as itself
// where it is simple.
func element(raw, sub string) driver.Value {
	var object map[string]any
	if json.Unmarshal([]byte(raw), &object) == nil && object != nil {
		return asText(object[sub])
	}
	if sub == "value" {
		return raw
	}
	return nil
}
