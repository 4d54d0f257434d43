package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemaPrefix is what references to the schemas of the API begin with.
const schemaPrefix = "#/components/schemas/"

// shed lets go of what only a reader of the documents wants to know, once every route is there: what is held for as long as the
// server runs is looked through at every garbage collection. Requests are checked against the rest: the schemas of parameters
// and of bodies, and whatever those refer to.
func shed(doc *huma.OpenAPI) {
	k := keeper{
		all: doc.Components.Schemas, kept: huma.NewMapRegistry(schemaPrefix, schemaName),
		seen: map[*huma.Schema]bool{}, alike: map[string][]*huma.Schema{},
	}
	for _, item := range doc.Paths {
		for _, op := range operationsOf(item) {
			k.operation(op)
		}
	}
	doc.Paths, doc.Tags = nil, nil
	doc.Components.Schemas = k.kept
}

// keeper takes over from all schemas those that requests are checked against.
type keeper struct {
	all, kept huma.Registry
	seen      map[*huma.Schema]bool
	alike     map[string][]*huma.Schema // properties that differ, by type and reference
}

func (k keeper) operation(op *huma.Operation) {
	for _, p := range op.Parameters {
		k.schema(p.Schema)
	}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			k.schema(media.Schema)
		}
	}
	if o, ok := op.Metadata[metaOperation].(*operation); ok {
		o.query = queryNames(op)
		o.doc, o.request, o.responses = "", nil, nil
	}
	op.Description, op.Tags, op.Extensions, op.Parameters, op.Responses = "", nil, nil, nil, nil
}

// queryNames are the query parameters that an operation has.
func queryNames(op *huma.Operation) []string {
	var names []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	return names
}

func (k keeper) schema(s *huma.Schema) {
	if s == nil || k.seen[s] {
		return
	}
	k.seen[s] = true
	s.Title, s.Description, s.Examples, s.Default, s.Extensions = "", "", nil, nil, nil
	if s.Ref != "" {
		target := k.all.SchemaFromRef(s.Ref)
		k.kept.Map()[strings.TrimPrefix(s.Ref, schemaPrefix)] = target
		k.schema(target)
	}
	k.schema(s.Items)
	for name, p := range s.Properties {
		k.schema(p)
		s.Properties[name] = k.shared(p)
	}
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		k.schema(more)
	}
	for _, list := range [][]*huma.Schema{s.OneOf, s.AnyOf, s.AllOf, {s.Not}} {
		for _, part := range list {
			k.schema(part)
		}
	}
}

// shared gives one schema for all properties that are checked in the same way: without their descriptions most are alike, and
// each takes 700 bytes.
func (k keeper) shared(s *huma.Schema) *huma.Schema {
	kind := s.Type + s.Ref
	for _, other := range k.alike[kind] {
		if reflect.DeepEqual(s, other) {
			return other
		}
	}
	k.alike[kind] = append(k.alike[kind], s)
	return s
}
