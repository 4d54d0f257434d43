package model_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/model"
)

// TestChangeTypes holds the list against the constants, so that an endpoint can ask for every type.
func TestChangeTypes(t *testing.T) {
	var declared []string
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "ChangeType" {
				text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, text)
			}
			return true
		})
	}
	for _, text := range declared {
		if text != string(model.WebhookTest) && !slices.Contains(model.ChangeTypes(), model.ChangeType(text)) {
			t.Errorf("%s is not in ChangeTypes", text)
		}
	}
	if len(declared) < len(model.ChangeTypes()) {
		t.Errorf("%d types are declared, and %d listed", len(declared), len(model.ChangeTypes()))
	}
}
