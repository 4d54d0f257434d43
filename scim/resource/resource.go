// Package resource turns what a client sends into the canonical document of a user or group, and back into what the
// client asked to see. Everything in it is pure: bodies and documents in, documents and member steps out. It knows
// every deviation of Entra and reports each that it tolerated. It imports model, scim/schemas, scim/filter, scim/wire
// and scim/fault.
//
// A canonical document holds names in the schema's spelling, values of the schema's types, extensions under their URN,
// attributes that no schema knows as they were sent, no null, no empty list or object among known attributes, neither
// id nor meta nor members nor groups, and schemas as computed from its content.
package resource

import (
	"slices"
	"sort"
	"strings"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// Note is told about every deviation from the RFC that was tolerated.
type Note = filter.Note

// MaxElements is how many elements a multi-valued attribute of a document may have. Members of groups are not part of
// documents and have no such bound.
const MaxElements = 1000

// Normal is a resource as a client sent it, made canonical.
type Normal struct {
	Attributes map[string]any
	Members    []string
	// MembersSent tells a resource without members from one that does not speak of them.
	MembersSent bool
	named       map[string]bool
}

// Names says whether the body speaks of a core attribute, if only to say null.
func (n *Normal) Names(attribute string) bool { return n.named[strings.ToLower(attribute)] }

// Normalise makes the body of POST or PUT canonical. Names are matched without case; null and [] mean unassigned, and
// so does "" for a string (RFC 7643 §2.5 and Entra's gallery validation); what the server alone decides (id, meta,
// groups) is ignored; unknown attributes are kept. Errors are *fault.Error and name the attribute.
func Normalise(res *schemas.Resource, body wire.Body, note Note) (Normal, error) {
	if body.Bad != nil {
		return Normal{}, fault.Value(body.Bad.Path(0), "%s", body.Bad.Reason)
	}
	object, ok := body.Value.(*wire.Object)
	if !ok {
		return Normal{}, fault.Syntax("the body is %s; a JSON object is expected", wire.Describe(body.Value))
	}
	x := exploder{res: res, note: note, kind: replace, once: map[string]bool{}}
	if err := x.object(object); err != nil {
		return Normal{}, err
	}
	e := editor{res: res, doc: map[string]any{}, note: note}
	for i := range x.steps {
		if err := e.apply(&x.steps[i]); err != nil {
			return Normal{}, err
		}
	}
	for _, a := range res.Core.Attributes {
		if _, ok := e.doc[a.Name]; a.Required && !a.ReadOnly && !ok {
			return Normal{}, fault.Value(a.Name, "is required and must not be empty")
		}
	}
	e.finish()
	n := Normal{Attributes: e.doc, MembersSent: x.membersSent, named: x.once}
	for _, op := range x.members {
		n.Members = op.IDs
	}
	return n, nil
}

// editor changes one document.
type editor struct {
	res  *schemas.Resource
	doc  map[string]any
	note Note
	// declared are the URNs of no known schema that the client listed in schemas.
	declared []string
}

// finish computes schemas: the core, the extensions that have values, and what the client declared or sent under URNs
// that no schema has.
func (e *editor) finish() {
	list := []any{e.res.Core.URN}
	for _, s := range e.res.Extensions {
		if _, ok := e.doc[s.URN]; ok {
			list = append(list, s.URN)
		}
	}
	var unknown []string
	for key, value := range e.doc {
		if _, object := value.(map[string]any); object && isURN(key) && e.res.Schema(key) == nil {
			unknown = append(unknown, key)
		}
	}
	sort.Strings(unknown)
	for _, urn := range slices.Concat(e.declared, unknown) {
		known := func(v any) bool { s, ok := v.(string); return ok && strings.EqualFold(s, urn) }
		if !slices.ContainsFunc(list, known) {
			list = append(list, urn)
		}
	}
	e.doc["schemas"] = list
}

// declare remembers the unknown URNs of schemas.
func (e *editor) declare(s *step) error {
	values, ok := s.value.([]any)
	if !ok && s.value != nil {
		values = []any{s.value}
	}
	if len(values) > MaxElements {
		return fault.Value("schemas", "holds more than %d URNs", MaxElements)
	}
	if s.kind == replace {
		e.declared = nil
	}
	for _, v := range values {
		urn, ok := v.(string)
		if !ok || len(urn) > schemas.MaxKey {
			return fault.Value("schemas", "must be a list of URNs, of at most %d bytes each", schemas.MaxKey)
		}
		if urn != "" && e.res.Schema(urn) == nil {
			e.declared = append(e.declared, urn)
		}
	}
	return nil
}

// isURN says whether a name that no schema has is the URN of an extension.
func isURN(name string) bool {
	return len(name) > 4 && strings.EqualFold(name[:4], "urn:") && strings.Count(name, ":") > 1
}

// Patch is a parsed PATCH request: steps on the document and steps on the members, which do not depend on each other.
type Patch struct {
	res     *schemas.Resource
	steps   []step
	members []model.MemberOp
}

// Members gives the steps by which the members of the group change.
func (p *Patch) Members() []model.MemberOp { return p.members }

// TouchesDocument says whether there is a step on the document at all.
func (p *Patch) TouchesDocument() bool { return len(p.steps) > 0 }

// Apply gives the document after the steps, and whether it differs from doc, which stays as it is. An error leaves
// nothing half-applied.
func (p *Patch) Apply(doc map[string]any, note Note) (changed map[string]any, differs bool, err error) {
	e := editor{res: p.res, doc: cloneMap(doc), note: note}
	if list, ok := doc["schemas"].([]any); ok {
		for _, v := range list {
			if urn, ok := v.(string); ok && p.res.Schema(urn) == nil {
				e.declared = append(e.declared, urn)
			}
		}
	}
	for i := range p.steps {
		if err := e.apply(&p.steps[i]); err != nil {
			return nil, false, err
		}
	}
	e.finish()
	if equal(e.doc, doc) {
		return doc, false, nil
	}
	return e.doc, true, nil
}
