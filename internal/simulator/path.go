package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// path is a parsed target path of a mapping.
type path struct {
	text      string // as written
	schema    string // URN of an extension, or empty
	attribute string
	kind      string // the type of emails[type eq "work"], or empty
	sub       string // sub-attribute, or empty
}

// pathForm takes a target path apart: URN and colon, attribute, type filter, sub-attribute.
var pathForm = regexp.MustCompile(`^(?:(urn:.+):)?([A-Za-z][\w$-]*)(?:\[type eq "([^"]+)"\])?(?:\.([A-Za-z][\w$-]*))?$`)

func parsePath(text string) (path, error) {
	m := pathForm.FindStringSubmatch(text)
	if m == nil {
		return path{}, fmt.Errorf("mapping target %q is not a SCIM path that Entra can map", text)
	}
	return path{text: text, schema: m[1], attribute: m[2], kind: m[3], sub: m[4]}, nil
}

// read gives the value at the path in a resource of the target, nil when there is none.
func (p path) read(resource map[string]any) any {
	holder := resource
	if p.schema != "" {
		holder, _ = resource[p.schema].(map[string]any)
	}
	value := holder[p.attribute]
	if p.kind != "" {
		value = elementOfType(value, p.kind)
	}
	if p.sub != "" {
		inner, _ := value.(map[string]any)
		return inner[p.sub]
	}
	return value
}

func elementOfType(value any, kind string) any {
	list, _ := value.([]any)
	for _, element := range list {
		entry, _ := element.(map[string]any)
		if name, _ := entry["type"].(string); strings.EqualFold(name, kind) {
			return entry
		}
	}
	return nil
}

// object is a JSON object that keeps the order in which its members were set, as Entra's bodies do.
type object []member

type member struct {
	name  string
	value any
}

// set adds a member or replaces the value of the one there.
func (o *object) set(name string, value any) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, member{name, value})
}

// child finds or adds a member that is itself an object.
func (o *object) child(name string) *object {
	for _, m := range *o {
		if m.name == name {
			if inner, ok := m.value.(*object); ok {
				return inner
			}
		}
	}
	inner := &object{}
	o.set(name, inner)
	return inner
}

// element finds or adds the element of a multi-valued member that has the given type. The first one is primary e-mail.
func (o *object) element(name, kind string) *object {
	var list []*object
	for _, m := range *o {
		if m.name == name {
			list, _ = m.value.([]*object)
		}
	}
	for _, entry := range list {
		if (*entry)[0].value == any(kind) || len(*entry) > 1 && (*entry)[1].value == any(kind) {
			return entry
		}
	}
	entry := &object{}
	if name == "emails" && len(list) == 0 {
		entry.set("primary", true)
	}
	entry.set("type", kind)
	o.set(name, append(list, entry))
	return entry
}

// write sets a mapped value at its path.
func (o *object) write(p path, value any) {
	holder := o
	if p.schema != "" {
		holder = holder.child(p.schema)
	}
	switch {
	case p.kind != "":
		name := p.sub
		if name == "" {
			name = "value"
		}
		holder.element(p.attribute, p.kind).set(name, value)
	case p.sub != "":
		holder.child(p.attribute).set(p.sub, value)
	default:
		holder.set(p.attribute, value)
	}
}

// MarshalJSON writes the members in order, without escaping <, > and &.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := encode(m.name)
		if err != nil {
			return nil, err
		}
		value, err := encode(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode marshals without HTML escaping and without the encoder's newline.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
