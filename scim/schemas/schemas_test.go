package schemas_test

import (
	"encoding/json"
	"strings"
	"testing"

	"usher/scim/schemas"
)

// TestDiscoverability flattens the schemas as Microsoft's gallery validation does, and looks for every attribute that
// Entra maps by default and for Usher's own.
func TestDiscoverability(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	reg := schemas.New()
	for _, res := range reg.Resources() {
		for _, s := range append([]*schemas.Schema{res.Core}, res.Extensions...) {
			prefix := ""
			if s != res.Core {
				prefix = s.URN + ":"
			}
			for _, name := range flatten(t, s) {
				found[strings.ToLower(res.Name+" "+prefix+name)] = true
			}
		}
	}
	want := []string{
		"User externalId", "User userName", "User active", "User displayName", "User title", "User preferredLanguage",
		"User name.givenName", "User name.familyName", "User name.formatted", `User emails[type eq "work"].value`,
		`User addresses[type eq "work"].formatted`, `User addresses[type eq "work"].streetAddress`,
		`User addresses[type eq "work"].locality`, `User addresses[type eq "work"].region`,
		`User addresses[type eq "work"].postalCode`, `User addresses[type eq "work"].country`,
		`User phoneNumbers[type eq "work"].value`, `User phoneNumbers[type eq "mobile"].value`, `User phoneNumbers[type eq "fax"].value`,
		`User roles[primary eq "True"].display`, `User roles[primary eq "True"].value`, `User roles[primary eq "True"].type`,
		"User " + schemas.EnterpriseURN + ":employeeNumber", "User " + schemas.EnterpriseURN + ":department",
		"User " + schemas.EnterpriseURN + ":manager", "User " + schemas.UsherURN + ":extensionAttribute1",
		"User " + schemas.UsherURN + ":extensionAttribute15", "User " + schemas.UsherURN + ":employeeHireDate",
		"User " + schemas.UsherURN + ":onPremisesSyncEnabled", "Group displayName", "Group externalId", "Group members",
	}
	for _, name := range want {
		if !found[strings.ToLower(name)] {
			t.Errorf("%s cannot be discovered", name)
		}
	}
}

type definition struct {
	Name            string       `json:"name"`
	Type            string       `json:"type"`
	MultiValued     bool         `json:"multiValued"`
	CanonicalValues []string     `json:"canonicalValues"`
	SubAttributes   []definition `json:"subAttributes"`
}

func flatten(t *testing.T, s *schemas.Schema) []string {
	t.Helper()
	raw, err := json.Marshal(s.Definition())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "null") {
		t.Errorf("%s holds a null", s.URN)
	}
	var d struct {
		Attributes []definition `json:"attributes"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range d.Attributes {
		names = append(names, flattenOne(a)...)
	}
	return names
}

func flattenOne(a definition) []string {
	var names []string
	switch {
	case a.Name == "manager" || a.Name == "members" || a.Type != "complex":
		return []string{a.Name}
	case !a.MultiValued:
		for _, sub := range a.SubAttributes {
			if sub.Type != "reference" && sub.Type != "complex" {
				names = append(names, a.Name+"."+sub.Name)
			}
		}
		return names
	}
	var canonical []string
	for _, sub := range a.SubAttributes {
		if sub.Name == "type" {
			canonical = sub.CanonicalValues
		}
	}
	for _, sub := range a.SubAttributes {
		for _, value := range canonical {
			if sub.Name != "type" && sub.Name != "primary" {
				names = append(names, a.Name+`[type eq "`+value+`"].`+sub.Name)
			}
		}
		if canonical == nil && sub.Name != "primary" {
			names = append(names, a.Name+`[primary eq "True"].`+sub.Name)
		}
	}
	return names
}

// TestDefinitions looks at every attribute of every schema as a validator does: each says of itself all that RFC 7643 §7
// asks for, and nothing is null.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	for _, s := range schemas.New().Schemas() {
		raw, err := json.Marshal(s.Definition())
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			ID, Name, Description string
			Schemas               []string
			Attributes            []map[string]any
		}
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatal(err)
		}
		if d.ID != s.URN || d.Name == "" || d.Description == "" || len(d.Schemas) != 1 || d.Schemas[0] != schemas.SchemaURN {
			t.Errorf("%s: %q %q %q %q", s.URN, d.ID, d.Name, d.Description, d.Schemas)
		}
		for _, a := range d.Attributes {
			checkDefinition(t, s.URN, a)
		}
	}
}

func checkDefinition(t *testing.T, where string, a map[string]any) {
	t.Helper()
	name, _ := a["name"].(string)
	where += ":" + name
	wanted := []string{"name", "type", "multiValued", "description", "required", "mutability", "returned"}
	switch a["type"] {
	case "complex":
		wanted = append(wanted, "subAttributes")
	case "reference":
		wanted = append(wanted, "caseExact", "uniqueness", "referenceTypes")
	case "boolean":
	default:
		wanted = append(wanted, "caseExact", "uniqueness")
	}
	for _, property := range wanted {
		if v, ok := a[property]; !ok || v == nil || v == "" {
			t.Errorf("%s has no %s", where, property)
		}
	}
	for property, v := range a {
		if v == nil {
			t.Errorf("%s: %s is null", where, property)
		}
	}
	subs, _ := a["subAttributes"].([]any)
	for _, sub := range subs {
		if m, ok := sub.(map[string]any); ok {
			checkDefinition(t, where, m)
		}
	}
}

// TestCanonicalTypes shows the kinds of values that validators make attributes of, and that roles have none: Microsoft's
// gallery validation asks for roles by primary then.
func TestCanonicalTypes(t *testing.T) {
	t.Parallel()
	var d struct {
		Attributes []definition `json:"attributes"`
	}
	raw, err := json.Marshal(schemas.New().User.Core.Definition())
	if err == nil {
		err = json.Unmarshal(raw, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"emails": "work home other", "addresses": "work home other", "phoneNumbers": "work home mobile fax pager other", "roles": "",
		"entitlements": "",
	}
	for _, a := range d.Attributes {
		for _, sub := range a.SubAttributes {
			if kinds, ok := want[a.Name]; ok && sub.Name == "type" && strings.Join(sub.CanonicalValues, " ") != kinds {
				t.Errorf("%s.type is one of %q, want %q", a.Name, sub.CanonicalValues, kinds)
			}
		}
	}
}

// TestResolve shows what a path names, in whatever spelling.
func TestResolve(t *testing.T) {
	t.Parallel()
	user := schemas.New().User
	for path, want := range map[string]string{
		"USERNAME":       "userName",
		"name.GIVENNAME": "name.givenName",
		"manager":        schemas.EnterpriseURN + ":manager",
		"department":     schemas.EnterpriseURN + ":department",
		"userType":       "userType",
		"companyName":    schemas.UsherURN + ":companyName",
		"nosuch":         "nosuch",
		strings.ToUpper(schemas.EnterpriseURN) + ":MANAGER.VALUE": schemas.EnterpriseURN + ":manager.value",
		strings.ToLower(schemas.UserURN) + ":title":               "title",
		schemas.EnterpriseURN:                                     schemas.EnterpriseURN,
		"urn:contoso:2.0:User:colour":                             "urn:contoso:2.0:User:colour",
	} {
		if got := user.Resolve(schemas.Split(path)).Text(); got != want {
			t.Errorf("%s names %s, want %s", path, got, want)
		}
	}
}
