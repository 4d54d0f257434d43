// Package app_test holds the tests that see the whole program. This file guards the
// house itself: which room may import which (docs/explanation/architecture.md).
package app_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "usher"

// A room is a folder with everything below it, except what is a room of its own.
type room struct {
	floor int
	// also names rooms that this one may import although its floor does not allow it.
	also []string
	// tests marks a room that only tests, and rooms that name it in also, may import.
	tests bool
}

// rooms is the plan of the house. A star stands for one folder name; each such
// folder is a room of its own.
var rooms = map[string]room{
	"cmd/usher":             {floor: 5},
	"internal/app":          {floor: 4},
	"scim":                  {floor: 3},
	"web/*":                 {floor: 3},
	"internal/jobs":         {floor: 3},
	"directory":             {floor: 2},
	"calendarbridge":        {floor: 2},
	"internal/webhook":      {floor: 2},
	"internal/graph":        {floor: 2},
	"internal/simulator":    {floor: 2},
	"model/store":           {floor: 1},
	"model/store/storetest": {floor: 1, also: []string{"model/store", "migrations", "internal/pgtest"}, tests: true},
	"migrations":            {floor: 1},
	"internal/secret":       {floor: 1},
	"internal/verify":       {floor: 1},
	"internal/timezone":     {floor: 1},
	"internal/recurrence":   {floor: 1, also: []string{"internal/timezone"}},
	"model":                 {floor: 0},
	"model/outlook":         {floor: 0},
	"model/entra":           {floor: 0},

	// What tests alone try with whoever stands behind an interface.
	"calendarbridge/calendarstest": {floor: 2, also: []string{"calendarbridge"}, tests: true},
	"directory/tenanttest":         {floor: 2, also: []string{"directory"}, tests: true},

	// Tools, not part of the program.
	"internal/pgtest": {floor: 0, tests: true},
	"bench":           {floor: 5, also: []string{"internal/pgtest"}},
	"deploy":          {floor: 0}, // tests of the files there
	"docs":            {floor: 5}, // examples that the documentation shows
}

// libraries lists the modules that stay behind one door, and the doors.
var libraries = []struct {
	name  string
	paths []string
	doors []string
}{
	{"gorm", []string{"gorm.io"}, []string{"model/store"}},
	{"the Graph SDK", []string{"github.com/microsoftgraph", "github.com/microsoft/kiota-abstractions-go", "github.com/microsoft/kiota-http-go"}, []string{"internal/graph"}},
	{"River", []string{"github.com/riverqueue"}, []string{"internal/jobs"}},
	{"echo", []string{"github.com/labstack"}, []string{"scim", "web", "internal/app"}},
}

// TestArchitecture parses the imports of every Go file, whatever its build tags.
func TestArchitecture(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && isIgnored(entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		files++
		imports, err := importsOf(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel("../..", name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		for _, violation := range check(path.Dir(relative), strings.HasSuffix(name, "_test.go"), imports) {
			t.Errorf("%s: %s", relative, violation)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 2 {
		t.Errorf("only %d Go files were seen: the walk does not start at the module's root", files)
	}
}

// isIgnored follows the go command: it does not see these folders either.
func isIgnored(name string) bool {
	return name == "testdata" || name == "vendor" || name == "node_modules" ||
		name != ".." && strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func importsOf(name string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, spec := range file.Imports {
		value, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, value)
	}
	return imports, nil
}

// check returns what is wrong with the imports of a file: pkg is the folder
// relative to the module's root, test whether it is a test file.
func check(pkg string, test bool, imports []string) []string {
	name, own, ok := roomOf(pkg)
	if !ok {
		return []string{fmt.Sprintf("package %s is in no room; add it to the table of rooms, with a floor", pkg)}
	}
	var violations []string
	for _, imported := range imports {
		var violation string
		if target, inside := strings.CutPrefix(imported, module+"/"); inside {
			violation = checkRoom(name, own, target, test)
		} else {
			violation = checkLibrary(name, pkg, imported, test)
		}
		if violation != "" {
			violations = append(violations, violation)
		}
	}
	return violations
}

func checkRoom(name string, own room, target string, test bool) string {
	targetName, targetRoom, ok := roomOf(target)
	switch {
	case !ok:
		return fmt.Sprintf("imports %s, which is in no room", target)
	case targetName == name || slices.Contains(own.also, targetName):
		return ""
	case targetRoom.tests:
		if !test {
			return fmt.Sprintf("imports %s, which is for tests", target)
		}
		return ""
	case targetRoom.floor > own.floor:
		return fmt.Sprintf("imports upward: %s (floor %d) -> %s (floor %d)", name, own.floor, targetName, targetRoom.floor)
	case targetRoom.floor == own.floor && !test:
		return fmt.Sprintf("imports sideways: %s -> %s, both on floor %d", name, targetName, own.floor)
	}
	return ""
}

func checkLibrary(name, pkg, imported string, test bool) string {
	if name == "model" && !test && !isStandard(imported) {
		return fmt.Sprintf("imports %s; model takes nothing but the standard library", imported)
	}
	for _, library := range libraries {
		within := func(folder string) func(string) bool {
			return func(prefix string) bool { return folder == prefix || strings.HasPrefix(folder, prefix+"/") }
		}
		if slices.ContainsFunc(library.paths, within(imported)) && !slices.ContainsFunc(library.doors, within(pkg)) {
			return fmt.Sprintf("imports %s; %s stays inside %s", imported, library.name, strings.Join(library.doors, ", "))
		}
	}
	return ""
}

// isStandard uses the go command's own rule: module paths have a dot in front.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// roomOf finds the room that a package is in: the longest entry of the table that
// matches it or a folder above it.
func roomOf(pkg string) (name string, found room, ok bool) {
	for candidate := pkg; candidate != "."; candidate = path.Dir(candidate) {
		for _, pattern := range slices.Sorted(maps.Keys(rooms)) {
			if matched, err := path.Match(pattern, candidate); err == nil && matched {
				return candidate, rooms[pattern], true
			}
		}
	}
	return "", room{}, false
}

func TestArchitectureRules(t *testing.T) {
	for _, test := range []struct {
		name    string
		pkg     string
		test    bool
		imports string
		want    string // part of the violation; empty if it is allowed
	}{
		{"downward", "scim", false, "usher/directory", ""},
		{"down many floors", "cmd/usher", false, "usher/model", ""},
		{"upward by one", "directory", false, "usher/scim", "upward: directory (floor 2) -> scim (floor 3)"},
		{"upward to the top", "model/store", false, "usher/internal/app", "upward"},
		{"model upward", "model", false, "usher/model/store", "upward: model (floor 0) -> model/store (floor 1)"},
		{"upward from a folder below the room", "internal/simulator/entra", false, "usher/internal/jobs", "upward: internal/simulator"},
		{"upward to a folder below the room", "directory", false, "usher/scim/filter", "upward: directory"},
		{"sideways among edges", "scim", false, "usher/web/api", "sideways: scim -> web/api"},
		{"sideways between web's rooms", "web/console", false, "usher/web/api", "sideways: web/console -> web/api"},
		{"sideways in the core", "directory", false, "usher/internal/webhook", "sideways"},
		{"store to migrations", "model/store", false, "usher/migrations", "sideways"},
		{"within a room", "scim", false, "usher/scim/filter", ""},
		{"within a room upward in the tree", "web/api/v1", false, "usher/web/api", ""},

		{"a test sideways", "scim", true, "usher/internal/jobs", ""},
		{"a test upward", "directory", true, "usher/scim", "upward"},
		{"a test with the store's suite", "directory", true, "usher/model/store/storetest", ""},
		{"a test with PostgreSQL", "model/store", true, "usher/internal/pgtest", ""},
		{"the program with the store's suite", "directory", false, "usher/model/store/storetest", "for tests"},
		{"the program with PostgreSQL for tests", "model/store", false, "usher/internal/pgtest", "for tests"},
		{"the store's suite with what it needs", "model/store/storetest", false, "usher/model/store usher/migrations usher/internal/pgtest usher/model", ""},
		{"the store's suite upward", "model/store/storetest", false, "usher/directory", "upward"},
		{"the benchmarks with PostgreSQL", "bench", false, "usher/internal/pgtest usher/internal/app", ""},
		{"the program with the benchmarks", "internal/app", false, "usher/bench", "upward"},
		{"pgtest's own command", "internal/pgtest/cmd/throwaway", false, "usher/internal/pgtest", ""},
		{"pgtest with the program", "internal/pgtest", false, "usher/model/store", "upward"},

		{"gorm at home", "model/store", false, "gorm.io/gorm gorm.io/driver/postgres", ""},
		{"gorm in the store's suite", "model/store/storetest", false, "gorm.io/gorm", ""},
		{"gorm in the core", "directory", false, "gorm.io/gorm", "gorm stays inside model/store"},
		{"gorm in a test", "scim", true, "gorm.io/gorm", "gorm stays"},
		{"gorm in model", "model", false, "gorm.io/gorm", "nothing but the standard library"},
		{"the SDK at home", "internal/graph", false, "github.com/microsoftgraph/msgraph-sdk-go/users", ""},
		{"the SDK in the core", "calendarbridge", false, "github.com/microsoftgraph/msgraph-sdk-go", "internal/graph"},
		{"the SDK's plumbing in the program", "cmd/usher", false, "github.com/microsoft/kiota-http-go", "internal/graph"},
		{"the SDK in a test", "internal/app", true, "github.com/microsoftgraph/msgraph-sdk-go", "internal/graph"},
		{"River at home", "internal/jobs", false, "github.com/riverqueue/river", ""},
		{"River in the composition root", "internal/app", false, "github.com/riverqueue/river", "internal/jobs"},
		{"a River driver in the store", "model/store", false, "github.com/riverqueue/river/riverdriver/riverdatabasesql", "internal/jobs"},
		{"echo at the edges", "scim", false, "github.com/labstack/echo/v4", ""},
		{"echo in web's rooms", "web/api", false, "github.com/labstack/echo/v4/middleware", ""},
		{"echo in the core", "internal/webhook", false, "github.com/labstack/echo/v4", "scim, web, internal/app"},
		{"echo in the program's main", "cmd/usher", false, "github.com/labstack/echo/v4", "scim, web, internal/app"},
		{"a library beside gorm's name", "directory", false, "gorm.io.example/x", ""},
		{"model with the standard library", "model", false, "strings encoding/json", ""},
		{"model with a library", "model", false, "github.com/google/uuid", "nothing but the standard library"},
		{"a test of model with a library", "model", true, "pgregory.net/rapid", ""},
		{"a library elsewhere", "model/store", false, "github.com/google/uuid", ""},

		{"an unknown top-level package", "billing", false, "", "package billing is in no room"},
		{"an unknown internal package", "internal/cache", false, "", "package internal/cache is in no room"},
		{"an unknown program", "cmd/other", false, "", "package cmd/other is in no room"},
		{"a package beside web's rooms", "web", false, "", "package web is in no room"},
		{"an import of an unknown package", "scim", false, "usher/internal/cache", "in no room"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(check(test.pkg, test.test, strings.Fields(test.imports)), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("check(%s, test=%t, %s) = %q, want %q", test.pkg, test.test, test.imports, got, test.want)
			}
		})
	}
}
