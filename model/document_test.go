package model_test

import (
	"encoding/json"
	"testing"

	"usher/model"
)

// TestDocumentEqual: documents are equal whose JSON is, whatever the order of names and the types that hold it.
func TestDocumentEqual(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b  any
		equal bool
	}{
		{"Ada", "Ada", true},
		{"Ada", "ada", false},
		{true, true, true},
		{true, "true", false},
		{nil, nil, true},
		{nil, "", false},
		{json.Number("1"), 1, true},
		{json.Number("1"), json.Number("2"), false},
		{json.Number("1"), "1", false},
		{[]any{"a", "b"}, []any{"a", "b"}, true},
		{[]any{"a", "b"}, []any{"b", "a"}, false},
		{[]any{"a"}, []any{"a", "b"}, false},
		{[]any{"a"}, []string{"a"}, true},
		{[]any{}, nil, false},
		{map[string]any{"x": "1", "y": "2"}, map[string]any{"y": "2", "x": "1"}, true},
		{map[string]any{"x": "1"}, map[string]any{"x": "2"}, false},
		{map[string]any{"x": nil}, map[string]any{}, false},
		{map[string]any{"x": nil}, map[string]any{"y": nil}, false},
		{map[string]any{"x": []any{map[string]any{"z": "1"}}}, map[string]any{"x": []any{map[string]any{"z": "1"}}}, true},
		{map[string]any{"x": []any{map[string]any{"z": "1"}}}, map[string]any{"x": []any{map[string]any{"z": "2"}}}, false},
		{map[string]any{"x": "1"}, map[string]string{"x": "1"}, true},
	} {
		a, b := model.NewDocument(map[string]any{"v": test.a}), model.NewDocument(map[string]any{"v": test.b})
		if a.Equal(&b) != test.equal || b.Equal(&a) != test.equal {
			t.Errorf("%#v and %#v: want equal %v", test.a, test.b, test.equal)
		}
	}
}
