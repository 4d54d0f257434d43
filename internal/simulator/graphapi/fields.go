package graphapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"usher/model/outlook"
)

// fields reads the JSON object of a request. A member that the type does not have is refused; annotations are passed over.
func (c *call) fields(typeName string, known ...string) (map[string]json.RawMessage, error) {
	if len(c.body) == 0 {
		return map[string]json.RawMessage{}, nil
	}
	return members(typeName, c.body, known)
}

func members(typeName string, raw []byte, known []string) (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if err := decoder.Decode(&all); err != nil || all == nil || decoder.More() {
		return nil, badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	for name := range all {
		if strings.Contains(name, "@") {
			delete(all, name)
			continue
		}
		at := slices.IndexFunc(known, func(k string) bool { return k == name || isAction(typeName) && strings.EqualFold(k, name) })
		if at < 0 {
			return nil, refuse(400, "RequestBodyRead", "The property '"+name+"' does not exist on type 'microsoft.graph."+typeName+
				"'. Make sure to only use property names that are defined by the type or mark the type as open type.")
		}
		if known[at] != name {
			all[known[at]] = all[name]
			delete(all, name)
		}
	}
	return all, nil
}

// isAction says that names are the parameters of an action, which Microsoft's pages write with a capital at times.
func isAction(typeName string) bool { return typeName == "cancel" || typeName == "getSchedule" }

func unconvertible(name, edm string) *outlook.Error {
	return refuse(400, "RequestBodyRead", "Cannot convert the value of property '"+name+"' to the expected type '"+edm+"'.")
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// reader takes members off an object, and remembers the first that is not what it must be.
type reader struct {
	fields map[string]json.RawMessage
	err    error
}

// inner reads an object inside of an object; one that is missing or null is empty.
func (r *reader) inner(name, typeName string, known ...string) *reader {
	raw, ok := r.fields[name]
	if !ok || isNull(raw) || r.err != nil {
		return &reader{fields: map[string]json.RawMessage{}, err: r.err}
	}
	fields, err := members(typeName, raw, known)
	return &reader{fields: fields, err: err}
}

// has says whether a member is there and not null.
func (r *reader) has(name string) bool {
	raw, ok := r.fields[name]
	return ok && !isNull(raw)
}

// cleared says whether a member is null.
func (r *reader) cleared(name string) bool {
	raw, ok := r.fields[name]
	return ok && isNull(raw)
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) read(name, edm string, into any) {
	if r.has(name) && json.Unmarshal(r.fields[name], into) != nil {
		r.fail(unconvertible(name, edm))
	}
}

func (r *reader) text(name string) string {
	var text string
	r.read(name, "Edm.String", &text)
	return text
}

func (r *reader) flag(name string) *bool {
	if !r.has(name) {
		return nil
	}
	var flag bool
	r.read(name, "Edm.Boolean", &flag)
	return &flag
}

func (r *reader) number(name string) int {
	var n int32
	r.read(name, "Edm.Int32", &n)
	return int(n)
}

// choice reads a value of an enumeration, in the case that Microsoft writes it.
func (r *reader) choice(name string, values ...string) string {
	text := r.text(name)
	if text == "" || r.err != nil {
		return ""
	}
	for _, value := range values {
		if strings.EqualFold(value, text) {
			return value
		}
	}
	r.fail(refuse(400, "RequestBodyRead", "Requested value '"+text+"' of property '"+name+"' was not found."))
	return ""
}

// objects reads a list of objects.
func (r *reader) objects(name, typeName string, known ...string) []*reader {
	var raws []json.RawMessage
	r.read(name, "Collection(microsoft.graph."+typeName+")", &raws)
	var out []*reader
	for _, raw := range raws {
		fields, err := members(typeName, raw, known)
		if err != nil {
			r.fail(err)
			return nil
		}
		out = append(out, &reader{fields: fields})
	}
	return out
}
