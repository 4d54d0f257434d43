package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"usher/model"
)

// securityScheme is the name of the bearer scheme in the OpenAPI document.
const securityScheme = "api_key"

// config describes the API as a whole. huma's own pages are off: its documentation page loads from other hosts, and its
// OpenAPI route renders the document without a lock.
func (a *API) config(version string) huma.Config {
	config := huma.DefaultConfig("Usher management API", version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	config.Transformers = []huma.Transformer{asProblem}
	config.Info.Description = "Steer Usher and read what it keeps: integrations with Microsoft Entra ID, the rules that map people to " +
		"accounts and roles, the accounts themselves, runs, and the ordered feed of changes. JSON is snake_case, times are RFC 3339 in " +
		"UTC, ids are opaque strings. Errors are application/problem+json (RFC 9457)."
	config.Servers = []*huma.Server{{URL: a.publicURL + Base}}
	config.Security = []map[string][]string{{securityScheme: {}}}
	config.Components.Schemas = huma.NewMapRegistry(schemaPrefix, schemaName)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{securityScheme: {
		Type: "http", Scheme: "bearer",
		Description: "An API key of an organization, or the installation's key.",
	}}
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[model.Document](), reflect.TypeFor[map[string]any]())
	config.Tags = tags()
	return config
}

// The tags that operations are grouped by.
const (
	tagOrganizations = "Organizations"
	tagKeys          = "API keys"
	tagIntegrations  = "Integrations"
	tagCatalogue     = "Catalogue"
	tagRules         = "Rules"
	tagDirectory     = "Directory"
	tagRuns          = "Runs"
	tagAccounts      = "Accounts"
	tagEmployees     = "Employees"
	tagFeed          = "Changes and activity"
	tagCalendars     = "Calendars"
	tagLists         = "Lists"
	tagEntra         = "Entra"
)

func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: tagOrganizations, Description: "Customers of the installation. Only the installation's key sees them."},
		{Name: tagKeys, Description: "Keys of this API. The text of a key is shown once."},
		{Name: tagIntegrations, Description: "Connections of the organization to Entra tenants, and their SCIM tokens."},
		{Name: tagCatalogue, Description: "What accounts may hold: roles, departments, sites, modules, custom fields."},
		{Name: tagRules, Description: "How people of a directory become accounts. A list is read and written as a whole; a change re-evaluates everyone concerned in a run."},
		{Name: tagDirectory, Description: "The mirror: users, groups and members exactly as Entra sent them."},
		{Name: tagEntra, Description: "What the tenant holds at this moment, and changes of it, for whoever on- and off-boards people."},
		{Name: tagLists, Description: "Distribution lists: groups of Entra that have an address, and which accounts are in them."},
		{Name: tagRuns, Description: "Imports, previews and re-evaluations: progress, outcome, and what was decided about whom."},
		{Name: tagAccounts, Description: "The application's own users."},
		{Name: tagEmployees, Description: "HR master records. An employee that is linked to an account owns its profile."},
		{Name: tagCalendars, Description: "Calendars of accounts and meeting rooms in Microsoft 365: their events, which are written both ways, and who is free when."},
		{Name: tagFeed, Description: "What happened: the ordered feed for programs, the log for administrators."},
	}
}

// schemaName names the schema of a type; a View is what is shown of a thing, and has its name.
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[model.Problem]() {
		return "RuleProblem" // Problem is how a failure looks
	}
	name := huma.DefaultSchemaNamer(t, hint)
	return strings.TrimSuffix(name, "View")
}

// tidy makes the document say what the API does: lists are never null, answers may get more fields in later versions, and
// of huma's own error type nothing is left.
func tidy(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	seen := map[*huma.Schema]bool{}
	for name, s := range schemas {
		neverNull(s, seen)
		if closed, ok := s.AdditionalProperties.(bool); ok && !closed && !strings.HasSuffix(name, "Input") && !strings.HasSuffix(name, "Patch") {
			s.AdditionalProperties = nil
		}
	}
	for _, item := range doc.Paths {
		for _, op := range operationsOf(item) {
			if op.RequestBody == nil {
				continue
			}
			for _, media := range op.RequestBody.Content {
				neverNull(media.Schema, seen)
			}
			for _, response := range op.Responses {
				for _, media := range response.Content {
					neverNull(media.Schema, seen)
				}
			}
		}
	}
}

func neverNull(s *huma.Schema, seen map[*huma.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	neverNull(s.Items, seen)
	for _, p := range s.Properties {
		neverNull(p, seen)
	}
}

// operationsOf gives the operations of a path in the order in which they are shown.
func operationsOf(item *huma.PathItem) []*huma.Operation {
	list := []*huma.Operation{}
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
		if op != nil {
			list = append(list, op)
		}
	}
	return list
}
