package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// optional is a field of a request that may be absent, null or a value. Absent leaves things as they are, null resets
// them to the default.
type optional[T any] struct {
	set, null bool
	value     T
}

// UnmarshalJSON is called only where the field is present.
func (o *optional[T]) UnmarshalJSON(raw []byte) error {
	*o = optional[T]{set: true, null: bytes.Equal(raw, []byte("null"))}
	if o.null {
		return nil
	}
	return json.Unmarshal(raw, &o.value)
}

// Schema is that of the value.
func (o optional[T]) Schema(r huma.Registry) *huma.Schema {
	s := r.Schema(reflect.TypeFor[T](), true, "")
	if s.Ref == "" && s.Type != huma.TypeArray && s.Type != huma.TypeObject {
		s.Nullable = true
	}
	return s
}

// into sets target where the field is present; null sets it to reset.
func (o optional[T]) into(target *T, reset T) {
	switch {
	case o.null:
		*target = reset
	case o.set:
		*target = o.value
	}
}
