package verify

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// The URNs that the checks speak of.
const (
	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	urnPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	urnError      = "urn:ietf:params:scim:api:messages:2.0:Error"
	urnList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnSearch     = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	urnBulk       = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
)

// reply is an answer with what a check expects of it. Its methods do nothing once the talk has failed.
type reply struct {
	t      *talk
	answer *answer
}

// blame makes this answer the one that the report shows.
func (r *reply) blame(format string, args ...any) {
	if r.t.err == nil {
		r.t.last = r.answer
		r.t.fail(format, args...)
	}
}

func (r *reply) status(wanted ...int) *reply {
	if r.t.err == nil && !slices.Contains(wanted, r.answer.status) {
		words := make([]string, len(wanted))
		for i, code := range wanted {
			words[i] = statusText(code)
		}
		r.blame("status %s, expected %s", statusText(r.answer.status), strings.Join(words, " or "))
	}
	return r
}

func statusText(code int) string {
	return strings.TrimSpace(asText(code) + " " + http.StatusText(code))
}

// body gives the answer's JSON; the answer must have some.
func (r *reply) body() any {
	if r.t.err == nil && r.answer.problem != "" {
		r.blame("%s", r.answer.problem)
	}
	return r.answer.value
}

func (r *reply) object() object {
	o, ok := r.body().(object)
	if !ok {
		r.blame("the answer is no JSON object")
	}
	return o
}

func (r *reply) id() string {
	id, _ := r.object()["id"].(string)
	if !usable(id) {
		r.blame("id is %s, expected a string that can stand in a URL", asText(r.object()["id"]))
	}
	return id
}

// has wants the attribute to have exactly this value.
func (r *reply) has(path string, want any) *reply {
	if got := lookup(r.object(), path); !same(got, want) {
		r.blame("%s is %s, expected %s", path, asText(got), asText(want))
	}
	return r
}

// lacks wants the attribute to be unassigned: absent, null, or an empty list or object (RFC 7643 §2.5).
func (r *reply) lacks(path string) *reply {
	if got := lookup(r.object(), path); !unassigned(got) {
		r.blame("%s is %s, expected it not to be there", path, asText(got))
	}
	return r
}

func unassigned(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case list:
		return len(v) == 0
	case object:
		return len(v) == 0
	}
	return false
}

// holds wants all that a JSON object says: each member is a path with its value, null means unassigned.
func (r *reply) holds(text string) {
	wanted := object{}
	if err := json.Unmarshal([]byte(text), &wanted); err != nil {
		r.t.fail("the check is written wrongly: %w", err)
	}
	for path, want := range wanted {
		if want == nil {
			r.lacks(path)
		} else {
			r.has(path, want)
		}
	}
}

// listed wants a list of resources and gives them.
func (r *reply) listed() []object {
	o := r.status(http.StatusOK).object()
	if !containsText(o["schemas"], urnList) {
		r.blame("schemas is %s, expected %s", asText(o["schemas"]), urnList)
	}
	if _, ok := o["totalResults"].(float64); !ok {
		r.blame("totalResults is %s, expected a number", asText(o["totalResults"]))
	}
	entries, ok := o["Resources"].(list)
	if !ok && o["Resources"] != nil {
		r.blame("Resources is %s, expected a list", asText(o["Resources"]))
	}
	var resources []object
	for _, entry := range entries {
		resource, ok := entry.(object)
		if !ok {
			r.blame("an entry of Resources is %s, expected an object", asText(entry))
			return nil
		}
		resources = append(resources, resource)
	}
	return resources
}

// one wants a list with exactly that resource.
func (r *reply) one(id string) *reply {
	found := r.listed()
	if r.t.err == nil && (len(found) != 1 || found[0]["id"] != id || r.object()["totalResults"] != 1.0) {
		r.blame("%d resources of %s in all, expected exactly the one with id %s", len(found), asText(r.object()["totalResults"]), id)
	}
	return r
}

// none wants an empty list.
func (r *reply) none() {
	if found := r.listed(); len(found) > 0 || !same(r.object()["totalResults"], 0) {
		r.blame("%d resources, totalResults %s; expected an empty list", len(found), asText(r.object()["totalResults"]))
	}
}

// refused wants an error in SCIM's form (RFC 7644 §3.12), with that scimType unless it is "".
func (r *reply) refused(status int, scimType string) *reply {
	o := r.status(status).object()
	if !containsText(o["schemas"], urnError) {
		r.blame("schemas of the error is %s, expected %s", asText(o["schemas"]), urnError)
	}
	if !same(o["status"], asText(status)) {
		r.blame("status in the error is %s, expected the string \"%d\"", asText(o["status"]), status)
	}
	if scimType != "" && !same(o["scimType"], scimType) {
		r.blame("scimType is %s, expected %q", asText(o["scimType"]), scimType)
	}
	return r
}

// header wants a header to be there and gives it.
func (r *reply) header(name string) string {
	value := r.answer.header.Get(name)
	if value == "" {
		r.blame("the header %s is missing", name)
	}
	return value
}

func containsText(v any, want string) bool {
	entries, _ := v.(list)
	return slices.ContainsFunc(entries, func(e any) bool {
		text, ok := e.(string)
		return ok && strings.EqualFold(text, want)
	})
}

// same compares JSON values, whatever kind of number the check used.
func same(got, want any) bool {
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	return reflect.DeepEqual(got, want)
}

// asText shows a value in a sentence.
func asText(v any) string {
	if v == nil {
		return "missing or null"
	}
	text, err := encode(v)
	if err != nil {
		return "unreadable"
	}
	if s, ok := v.(string); ok && !strings.ContainsAny(s, "\"\\") {
		text = []byte(`"` + s + `"`)
	}
	return printable(string(text), maxValue)
}
