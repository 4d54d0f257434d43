package resource

import (
	"maps"
	"slices"
)

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneMap(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = clone(v[i])
		}
		return list
	}
	return v
}

func cloneMap(m map[string]any) map[string]any {
	c := make(map[string]any, len(m)+4)
	for name, v := range m {
		c[name] = clone(v)
	}
	return c
}

// equal compares documents and their parts; numbers are equal when they are written alike.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equal)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}
