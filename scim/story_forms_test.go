package scim_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// repeat sends a request several times; {{n}} in it counts from 1. Every answer but the last, which the story may look
// at, must be a success.
func (s *story) repeat(times, text string) {
	s.t.Helper()
	n, err := strconv.Atoi(times)
	if err != nil || n < 1 {
		s.t.Fatalf("repeat: %q is no number", times)
	}
	for i := range n {
		if i > 0 && s.got.Code >= 300 {
			s.t.Fatalf("%s\nstatus %d\n%s", s.request, s.got.Code, s.got.Body)
		}
		s.send("", strings.ReplaceAll(text, "{{n}}", strconv.Itoa(i+1)))
	}
}

// discoverable wants every attribute that the section names, one a line, in the last answer, which is a list of
// schemas. They are read as the test Schema_Discoverability_Test of Microsoft's gallery validation reads them.
func (s *story) discoverable(text string) {
	s.t.Helper()
	var page struct {
		Resources []discovered
	}
	if err := json.Unmarshal(s.got.Body.Bytes(), &page); err != nil {
		s.t.Fatal(err)
	}
	var found []string
	for _, schema := range page.Resources {
		prefix := schema.ID + ":" // every other schema is taken for an extension of User
		if strings.HasSuffix(schema.ID, ":core:2.0:User") || strings.HasSuffix(schema.ID, ":core:2.0:Group") {
			prefix = ""
		}
		for _, a := range schema.Attributes {
			for _, name := range a.paths() {
				found = append(found, strings.ToLower(prefix+name))
			}
		}
	}
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" && !slices.Contains(found, strings.ToLower(name)) {
			s.t.Errorf("%s is not discovered", name)
		}
	}
}

// discovered is a schema, or an attribute of one.
type discovered struct {
	ID, Name, Type  string
	MultiValued     bool
	CanonicalValues []string
	Attributes      []discovered
	SubAttributes   []discovered
}

// paths names the attribute as Entra maps it: a simple one by its name, a complex one by its simple sub-attributes, a
// multi-valued one by its canonical types, or by the primary element where it declares none.
func (a *discovered) paths() []string {
	switch {
	case a.Type == "reference":
		return nil
	case a.Type != "complex" || a.Name == "manager" || a.Name == "members":
		return []string{a.Name}
	}
	var kinds, paths []string
	for _, sub := range a.SubAttributes {
		if sub.Name == "type" {
			kinds = sub.CanonicalValues
		}
	}
	for _, sub := range a.SubAttributes {
		switch {
		case !a.MultiValued && sub.Type != "reference" && sub.Type != "complex":
			paths = append(paths, a.Name+"."+sub.Name)
		case !a.MultiValued || sub.Name == "primary" || (sub.Name == "type" && len(kinds) > 0):
		case len(kinds) == 0:
			paths = append(paths, a.Name+`[primary eq "True"].`+sub.Name)
		}
		for _, kind := range kinds {
			if a.MultiValued && sub.Name != "primary" && sub.Name != "type" {
				paths = append(paths, a.Name+`[type eq "`+kind+`"].`+sub.Name)
			}
		}
	}
	return paths
}
