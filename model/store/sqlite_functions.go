package store

import (
	"database/sql/driver"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
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
		{"usher_element", 3, func(args []string) (driver.Value, error) { return element(args[0], args[1], args[2]), nil }},
		{"usher_number", 1, func(args []string) (driver.Value, error) { return asNumber(args[0]), nil }},
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
	case "true", "false":
		raw = kind
	}
	if sub == "value" {
		return raw
	}
	return nil
}

var (
	numberPattern = regexp.MustCompile(numberForm)
	timePattern   = regexp.MustCompile(timeForm)
)

// asNumber gives an integer or a float, which SQLite compares exactly, or NULL for what is no number.
func asNumber(text string) driver.Value {
	if !numberPattern.MatchString(text) {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	n, _ := strconv.ParseFloat(text, 64) // beyond its range it is infinite, which is where it sorts
	return n
}

// asTime gives text that sorts as the time does, or NULL for what is no time.
func asTime(text string) driver.Value {
	if !timePattern.MatchString(text) {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil
	}
	return at.UTC().Format(sortableTime)
}
