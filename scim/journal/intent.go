package journal

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"usher/scim/wire"
)

// act is what a request does.
type act int

const (
	other    act = iota // text says it whole
	creates             // name is that of the new resource
	reads               //
	replaces            //
	deletes             //
	changes             //
	looks               // for attribute equal to value
	asks                // whether one resource has another as attribute: members or manager
	searches            // by a filter that is not so simple
	lists               //
	bulks               // parts says what
)

// intent is what a request means, as far as its URL and body tell. It is small, whatever the size of the request.
type intent struct {
	act  act
	noun string // user, group, or empty
	text string
	name string // of a new resource; the new name of one that is renamed; the value that is looked for

	attribute, filter string
	id, related       string // of asks

	renamed          bool
	active           *bool
	changed, cleared []string // attributes, each once
	more             int      // attributes beyond those
	added, removed   ids
	set              *ids // the members become exactly these
	emptied          bool // all members are removed

	parts []bulkPart
	total int // operations of a bulk request
}

// ids counts ids and keeps the first.
type ids struct {
	n     int
	first string
}

func (i *ids) add(id string) {
	if i.n++; i.n == 1 {
		i.first = Clean(id, maxSubject)
	}
}

// bulkPart is one operation of a bulk request.
type bulkPart struct {
	intent
	of string // id of the resource
}

// The bounds of what is told in words.
const (
	maxNamed = 4 // attributes
	maxParts = 5 // operations
	maxName  = 64
)

// understand reads what a request means. Whatever cannot be understood is told by its method and path.
func understand(method, route, filter string, body []byte) intent {
	get := method == http.MethodGet || method == http.MethodHead
	noun, ofOne := listed(route), strings.HasSuffix(route, "/:id")
	switch {
	case get && (route == "/Users" || route == "/Groups" || route == ""),
		strings.HasSuffix(route, "/.search") && method == http.MethodPost:
		return lookup(noun, filter)
	case route == "/Bulk" && method == http.MethodPost:
		return bulk(object(body))
	case noun != "" && ofOne && get:
		return intent{act: reads, noun: noun}
	case noun != "" && ofOne && method == http.MethodDelete:
		return intent{act: deletes, noun: noun}
	case noun != "" && (ofOne && (method == http.MethodPut || method == http.MethodPatch) || method == http.MethodPost):
		return edit(method, noun, object(body))
	}
	return intent{text: plain(method, route)}
}

// listed says what the resources of a route are; "" where they are of both types.
func listed(route string) string {
	switch {
	case strings.HasPrefix(route, "/Users"):
		return "user"
	case strings.HasPrefix(route, "/Groups"):
		return "group"
	}
	return ""
}

// plain says what needs no names.
func plain(method, route string) string {
	if method == http.MethodGet || method == http.MethodHead {
		switch route {
		case "/ServiceProviderConfig":
			return "read what the server offers"
		case "/ResourceTypes", "/ResourceTypes/:id":
			return "read the resource types"
		case "/Schemas", "/Schemas/:id":
			return "read the schemas"
		}
	}
	switch route {
	case "/Me", "/Me/*":
		return "ask for the owner of the token"
	case "/*":
		return "call an endpoint that does not exist"
	}
	return "use " + method + " on " + Clean("/"+strings.Trim(strings.TrimSuffix(route, ":id"), "/"), maxName)
}

func object(body []byte) *wire.Object {
	parsed, err := wire.Parse(body)
	o, ok := parsed.Value.(*wire.Object)
	if err != nil || !ok {
		return &wire.Object{}
	}
	return o
}

func text(o *wire.Object, name string) string {
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}

// edit reads a POST, PUT or PATCH on users or groups.
func edit(method, noun string, o *wire.Object) intent {
	i := intent{noun: noun}
	switch method {
	case http.MethodPost:
		i.act, i.name = creates, nameIn(o, noun)
		if members, ok := o.Get("members"); ok && noun == "group" {
			each(members, i.added.add)
		}
	case http.MethodPut:
		i.act, i.name = replaces, nameIn(o, noun)
	case http.MethodPatch:
		i.act = changes
		i.patch(o)
	default:
		i = intent{text: "use " + Clean(method, maxName) + " on " + noun + "s"}
	}
	return i
}

func nameIn(o *wire.Object, noun string) string {
	if noun == "group" {
		return Clean(text(o, "displayName"), maxSubject)
	}
	return Clean(text(o, "userName"), maxSubject)
}

// each calls add with every id that members have in one of the forms that clients send.
func each(v any, add func(string)) {
	switch v := v.(type) {
	case string:
		add(v)
	case *wire.Object:
		add(text(v, "value"))
	case []any:
		for _, m := range v {
			if _, nested := m.([]any); !nested {
				each(m, add)
			}
		}
	}
}

// patch reads the operations of a PATCH.
func (i *intent) patch(o *wire.Object) {
	v, _ := o.Get("Operations")
	ops, ok := v.([]any)
	if !ok {
		ops = []any{v}
	}
	for _, v := range ops {
		op, ok := v.(*wire.Object)
		if !ok {
			continue
		}
		value, _ := op.Get("value")
		if list, ok := value.([]any); ok && len(list) == 1 && text(op, "path") == "" {
			value = list[0]
		}
		verb, path := strings.ToLower(text(op, "op")), strings.TrimSpace(text(op, "path"))
		if object, ok := value.(*wire.Object); ok && (path == "" || isSchema(path)) && verb != "remove" {
			i.members(verb, object)
			continue
		}
		if path != "" {
			i.step(verb, path, value)
		}
	}
}

// isSchema says whether a path is the URN of a whole schema.
func isSchema(path string) bool {
	last := path[strings.LastIndexByte(path, ':')+1:]
	return strings.HasPrefix(strings.ToLower(path), "urn:") && (strings.EqualFold(last, "User") || strings.EqualFold(last, "Group"))
}

// members reads an operation without a path, each member of whose value is one.
func (i *intent) members(verb string, o *wire.Object) {
	for _, m := range o.Members {
		if inner, ok := m.Value.(*wire.Object); ok && isSchema(m.Name) {
			i.members(verb, inner)
			continue
		}
		switch strings.ToLower(m.Name) {
		case "schemas", "id", "meta":
		default:
			i.step(verb, m.Name, m.Value)
		}
	}
}

// step reads what happens to one attribute.
func (i *intent) step(verb, path string, value any) {
	name := attributeOf(path)
	head, _, _ := strings.Cut(strings.ToLower(name), " ")
	switch {
	case i.noun == "group" && head == "members":
		i.memberStep(verb, path, value)
		return
	case i.noun == "user" && head == "active" && verb != "remove":
		if yes, ok := boolean(value); ok {
			i.active = &yes
			return
		}
	case i.noun == "user" && head == "username", i.noun == "group" && head == "displayname":
		if s, ok := value.(string); ok && s != "" && verb != "remove" {
			i.renamed, i.name = true, Clean(s, maxSubject)
			return
		}
	}
	list := &i.changed
	if verb == "remove" || unassigned(value) {
		list = &i.cleared
	}
	switch {
	case slices.Contains(i.changed, name) || slices.Contains(i.cleared, name):
	case len(i.changed)+len(i.cleared) < maxNamed:
		*list = append(*list, name)
	default:
		i.more++
	}
}

func boolean(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		return strings.EqualFold(v, "true"), strings.EqualFold(v, "true") || strings.EqualFold(v, "false")
	}
	return false, false
}

// unassigned says whether a value takes an attribute away: null, an empty string or list, or an object without a value.
func unassigned(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case *wire.Object:
		inner, ok := v.Get("value")
		return ok && len(v.Members) == 1 && (inner == nil || inner == "")
	}
	return false
}

// memberValue is the value that a path selects a member by.
var memberValue = regexp.MustCompile(`(?i)eq\s+"([^"]*)"`)

func (i *intent) memberStep(verb, path string, value any) {
	selected := memberValue.FindAllStringSubmatch(path, -1)
	switch {
	case verb == "remove" && selected != nil:
		for _, s := range selected {
			i.removed.add(s[1])
		}
	case verb == "remove" && value == nil:
		i.emptied = true
	case verb == "remove":
		each(value, i.removed.add)
	case verb == "replace":
		i.set = &ids{}
		each(value, i.set.add)
	default:
		each(value, i.added.add)
	}
}

// bulk reads the operations of a bulk request, of which the first few are told.
func bulk(o *wire.Object) intent {
	i := intent{act: bulks}
	v, _ := o.Get("Operations")
	ops, _ := v.([]any)
	i.total = len(ops)
	for _, v := range ops[:min(len(ops), maxParts)] {
		op, ok := v.(*wire.Object)
		if !ok {
			continue
		}
		path := text(op, "path")
		at := strings.LastIndex(path, "/Users")
		if at < 0 {
			at = strings.LastIndex(path, "/Groups")
		}
		if at < 0 {
			continue
		}
		kind, id, ofOne := strings.Cut(path[at+1:], "/")
		data, _ := op.Get("data")
		inner, ok := data.(*wire.Object)
		if !ok {
			inner = &wire.Object{}
		}
		noun := strings.TrimSuffix(strings.ToLower(kind), "s")
		part := bulkPart{of: Clean(id, maxSubject)}
		if method := strings.ToUpper(text(op, "method")); method == http.MethodDelete && ofOne {
			part.intent = intent{act: deletes, noun: noun}
		} else {
			part.intent = edit(method, noun, inner)
		}
		i.parts = append(i.parts, part)
	}
	return i
}
