package verify

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

func discoveryChecks() []Check {
	return []Check{
		{
			Name: "discovery/provider-config", Severity: Must, Source: "RFC 7643 §5; Entra gallery requirements",
			Asserts: "/ServiceProviderConfig says of each feature whether it is supported, and how clients authenticate",
			run:     providerConfig,
		},
		{
			Name: "discovery/resource-types", Severity: Must, Source: "RFC 7643 §6; Entra gallery requirements",
			Asserts: "/ResourceTypes lists User with its endpoint and schema",
			run:     resourceTypes,
		},
		{
			Name: "discovery/resource-type-by-name", Severity: Should, Source: "RFC 7644 §4",
			Asserts: "/ResourceTypes/User is the resource type, and an unknown name is 404",
			run: func(t *talk) {
				t.get("/ResourceTypes/User").status(http.StatusOK).has("name", "User")
				t.get("/ResourceTypes/"+t.s.prefix).refused(http.StatusNotFound, "")
			},
		},
		{
			Name: "discovery/schemas", Severity: Must, Source: "RFC 7643 §7; Entra gallery requirements",
			Asserts: "/Schemas is a list of schemas, each with id and attributes, and the User schema is among them",
			run:     schemas,
		},
		{
			Name: "discovery/schema-form", Severity: Entra, Source: "Entra: schema discovery; RFC 7643 §7",
			Asserts: "no property of a schema is null, and mutability, returned, type and uniqueness have the standard's spelling",
			run:     schemaForm,
		},
	}
}

func schemaChecks() []Check {
	return []Check{
		{
			Name: "discovery/schema-by-urn", Severity: Must, Source: "RFC 7644 §4",
			Asserts: "/Schemas/{URN} is that schema, and an unknown URN is 404",
			run: func(t *talk) {
				t.get("/Schemas/"+urnUser).status(http.StatusOK).has("id", urnUser)
				t.get("/Schemas/urn:"+t.s.prefix).refused(http.StatusNotFound, "")
			},
		},
		{
			Name: "discovery/entra-attributes", Severity: Entra, Source: "Entra gallery validation: Schema_Discoverability_Test",
			Asserts: "every attribute that Entra maps by default is found in /Schemas, as Entra's validation flattens it",
			run:     entraAttributes,
		},
		{
			Name: "discovery/filter-forbidden", Severity: Must, Source: "RFC 7644 §4",
			Asserts: "a filter on discovery is 403",
			run: func(t *talk) {
				t.get("/Schemas?filter=id+pr").refused(http.StatusForbidden, "")
			},
		},
		{
			Name: "discovery/read-only", Severity: Should, Source: "RFC 7644 §4; Okta specification test 2, 4, 6", Writes: true,
			Asserts: "POST to discovery is 405",
			run: func(t *talk) {
				for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas"} {
					t.post(path, object{}).status(http.StatusMethodNotAllowed)
				}
			},
		},
		{
			Name: "discovery/describes-itself", Severity: Info, Source: "RFC 7643 §8.7.2; scim2-tester",
			Asserts: "/Schemas has the schemas of ServiceProviderConfig, ResourceType and Schema too",
			run: func(t *talk) {
				listed := t.get("/Schemas").listed()
				for _, name := range []string{"ServiceProviderConfig", "ResourceType", "Schema"} {
					if !slices.ContainsFunc(listed, func(o object) bool { return o["name"] == name }) {
						t.fail("no schema has the name %s", name)
					}
				}
			},
		},
	}
}

func providerConfig(t *talk) {
	r := t.get("/ServiceProviderConfig").status(http.StatusOK)
	for _, feature := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
		if _, ok := lookup(r.object(), feature+".supported").(bool); !ok {
			r.blame("%s.supported is %s, expected a boolean", feature, asText(lookup(r.object(), feature+".supported")))
		}
	}
	r.has("patch.supported", true)
	schemes, ok := r.object()["authenticationSchemes"].(list)
	if !ok {
		r.blame("authenticationSchemes is %s, expected a list", asText(r.object()["authenticationSchemes"]))
	}
	for _, scheme := range schemes {
		for _, name := range []string{"type", "name", "description"} {
			if text, _ := lookup(scheme, name).(string); text == "" {
				r.blame("an authentication scheme has no %s", name)
			}
		}
	}
}

func resourceTypes(t *talk) {
	r := t.get("/ResourceTypes")
	for _, entry := range r.listed() {
		if entry["name"] != "User" {
			continue
		}
		if endpoint, _ := entry["endpoint"].(string); strings.Trim(endpoint, "/") != "Users" {
			r.blame("the endpoint of User is %s, expected /Users", asText(entry["endpoint"]))
		}
		if !same(entry["schema"], urnUser) {
			r.blame("the schema of User is %s, expected %s", asText(entry["schema"]), urnUser)
		}
		return
	}
	r.blame("no resource type has the name User")
}

func schemas(t *talk) {
	r := t.get("/Schemas")
	listed := r.listed()
	for _, s := range listed {
		if id, _ := s["id"].(string); id == "" {
			r.blame("a schema has no id")
		}
		if _, ok := s["attributes"].(list); !ok {
			r.blame("the schema %s has no list of attributes", asText(s["id"]))
		}
	}
	if !slices.ContainsFunc(listed, func(s object) bool { return s["id"] == urnUser }) {
		r.blame("no schema has the id %s", urnUser)
	}
}

// spellings are the values of RFC 7643 §7.
func spellings() map[string][]string {
	return map[string][]string{
		"type":       {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"},
		"mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
		"returned":   {"always", "never", "default", "request"},
		"uniqueness": {"none", "server", "global"},
	}
}

func schemaForm(t *talk) {
	r := t.get("/Schemas")
	for _, s := range r.listed() {
		if where := nullIn(s); where != "" {
			r.blame("%s of schema %s is null", where, asText(s["id"]))
		}
		attributes, _ := s["attributes"].(list)
		checkSpelling(r, attributes)
	}
}

func nullIn(o object) string {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch v := o[name].(type) {
		case nil:
			return name
		case object:
			if inner := nullIn(v); inner != "" {
				return name + "." + inner
			}
		case list:
			for _, entry := range v {
				inner, _ := entry.(object)
				if where := nullIn(inner); where != "" {
					return name + "." + where
				}
			}
		}
	}
	return ""
}

func checkSpelling(r *reply, attributes list) {
	for _, entry := range attributes {
		a, _ := entry.(object)
		if name, _ := a["name"].(string); name == "" {
			r.blame("an attribute has no name")
		}
		for property, allowed := range spellings() {
			text, ok := a[property].(string)
			if (ok || a[property] != nil) && !slices.Contains(allowed, text) {
				r.blame("%s of attribute %s is %s, expected one of %s", property, asText(a["name"]), asText(a[property]), strings.Join(allowed, ", "))
			}
		}
		subs, _ := a["subAttributes"].(list)
		checkSpelling(r, subs)
	}
}

func entraAttributes(t *talk) {
	r := t.get("/Schemas")
	found := map[string]bool{}
	for _, s := range r.listed() {
		id, _ := s["id"].(string)
		for _, name := range flatten(s) {
			if id != urnUser && id != urnGroup {
				name = id + ":" + name
			}
			found[strings.ToLower(name)] = true
		}
	}
	for _, name := range mappedByDefault() {
		if !found[strings.ToLower(name)] {
			r.blame("%s is not found in /Schemas", name)
		}
	}
}

// mappedByDefault is Entra's default mapping of users and groups of a non-gallery application.
func mappedByDefault() []string {
	names := []string{
		"userName", "active", "displayName", "title", "preferredLanguage", "externalId", "members",
		"name.givenName", "name.familyName", "name.formatted", `emails[type eq "work"].value`,
	}
	for _, sub := range []string{"formatted", "streetAddress", "locality", "region", "postalCode", "country"} {
		names = append(names, `addresses[type eq "work"].`+sub)
	}
	for _, kind := range []string{"work", "mobile", "fax"} {
		names = append(names, `phoneNumbers[type eq "`+kind+`"].value`)
	}
	for _, name := range []string{"employeeNumber", "department", "manager"} {
		names = append(names, urnEnterprise+":"+name)
	}
	return names
}

// flatten names the attributes of a schema as Entra's gallery validation does: references are passed over, manager and
// members stand by their name, a multi-valued attribute with canonical types becomes one path for each type, and one
// without becomes a path on the primary element.
func flatten(schema object) []string {
	var names []string
	attributes, _ := schema["attributes"].(list)
	for _, entry := range attributes {
		a, _ := entry.(object)
		name, _ := a["name"].(string)
		subs, _ := a["subAttributes"].(list)
		switch {
		case a["type"] == "reference":
		case a["type"] != "complex" || name == "manager" || name == "members":
			names = append(names, name)
		case a["multiValued"] != true:
			for _, sub := range subs {
				if kind := lookup(sub, "type"); kind != "reference" && kind != "complex" {
					names = append(names, name+"."+text(lookup(sub, "name")))
				}
			}
		default:
			names = append(names, flattenMulti(name, subs)...)
		}
	}
	return names
}

func flattenMulti(name string, subs list) []string {
	var names []string
	var kinds list
	for _, sub := range subs {
		if lookup(sub, "name") == "type" {
			kinds, _ = lookup(sub, "canonicalValues").(list)
		}
	}
	for _, sub := range subs {
		s := text(lookup(sub, "name"))
		switch {
		case s == "primary" || (len(kinds) > 0 && s == "type"):
		case len(kinds) == 0:
			names = append(names, name+`[primary eq "True"].`+s)
		default:
			for _, kind := range kinds {
				names = append(names, name+`[type eq "`+text(kind)+`"].`+s)
			}
		}
	}
	return names
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
