package model

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Document is the canonical SCIM resource of a mirror row: every attribute as Entra sent it, with names in the
// spelling of the schema, without id and meta, which are columns. It parses and renders on demand and remembers both
// forms, because a read needs only the bytes and an edit only the attributes. Numbers are json.Number.
//
// The zero Document is an empty object. Attributes of a Document must not be changed in place: copy, then NewDocument.
type Document struct {
	raw   []byte
	attrs map[string]any
}

// NewDocument takes ownership of attrs.
func NewDocument(attrs map[string]any) Document { return Document{attrs: attrs} }

// ParseDocument reads a JSON object.
func ParseDocument(raw []byte) (Document, error) {
	d := Document{raw: raw}
	_, err := d.Parse()
	return d, err
}

// Parse gives the attributes, or an error if the bytes are not one JSON object.
func (d *Document) Parse() (map[string]any, error) {
	if d.attrs != nil {
		return d.attrs, nil
	}
	attrs := map[string]any{}
	if len(d.raw) > 0 {
		dec := json.NewDecoder(bytes.NewReader(d.raw))
		dec.UseNumber()
		if err := dec.Decode(&attrs); err != nil {
			return nil, fmt.Errorf("parse document: %w", err)
		}
	}
	d.attrs = attrs
	return attrs, nil
}

// Attributes gives the attributes of a document that is known to be well-formed, as stored ones are.
func (d *Document) Attributes() map[string]any {
	attrs, err := d.Parse()
	if err != nil {
		return map[string]any{}
	}
	return attrs
}

// Raw gives the JSON object.
func (d *Document) Raw() ([]byte, error) {
	if d.raw == nil {
		if len(d.attrs) == 0 {
			return []byte("{}"), nil
		}
		raw, err := json.Marshal(d.attrs)
		if err != nil {
			return nil, fmt.Errorf("render document: %w", err)
		}
		d.raw = raw
	}
	return d.raw, nil
}

// Size is how many bytes the document was read from, or will be written as.
func (d *Document) Size() int {
	raw, _ := d.Raw() // what does not render has no size
	return len(raw)
}

// Equal says whether both documents hold the same attributes, whatever their order.
func (d *Document) Equal(other *Document) bool {
	if len(d.raw) > 0 && bytes.Equal(d.raw, other.raw) {
		return true
	}
	return sameJSON(d.Attributes(), other.Attributes())
}

// sameJSON compares two values as they are rendered.
func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return maps.EqualFunc(a, b, sameJSON)
		}
	case []any:
		if b, ok := b.([]any); ok {
			return slices.EqualFunc(a, b, sameJSON)
		}
	case string:
		if b, ok := b.(string); ok {
			return a == b
		}
	}
	x, errA := json.Marshal(a) // numbers and lists have several types
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// Scan reads the column of either database.
func (d *Document) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Document{}
	case []byte:
		*d = Document{raw: bytes.Clone(v)}
	case string:
		*d = Document{raw: []byte(v)}
	default:
		return fmt.Errorf("scan document from %T", src)
	}
	return nil
}

// ScanBytes reads the column as pgx has it in its own memory, which Scan would be given a copy of.
func (d *Document) ScanBytes(raw []byte) error {
	*d = Document{raw: bytes.Clone(raw)}
	return nil
}

// Value gives the column's text.
func (d Document) Value() (driver.Value, error) {
	raw, err := d.Raw()
	return string(raw), err
}

// MarshalJSON gives the JSON object itself.
func (d Document) MarshalJSON() ([]byte, error) { return d.Raw() }

// UnmarshalJSON reads a JSON object.
func (d *Document) UnmarshalJSON(raw []byte) error {
	parsed, err := ParseDocument(bytes.Clone(raw))
	*d = parsed
	return err
}
