package graphapi

import (
	"encoding/base64"
	"strings"
)

// regular begins every id of an event that is not an immutable one.
const regular = "AAMkAGU2"

// outID is how an id is told: as it is where immutable ones are asked for, and else in a form that looks like Exchange's own,
// with characters that must be escaped in a path.
func (p preferences) outID(id string) string {
	if id == "" || p.immutable {
		return id
	}
	return regular + base64.StdEncoding.EncodeToString([]byte(id))
}

// inID understands both forms.
func inID(id string) string {
	encoded, ok := strings.CutPrefix(id, regular)
	if !ok {
		return id
	}
	if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(raw) > 0 {
		return string(raw)
	}
	return id
}
