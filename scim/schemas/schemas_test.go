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
