package store

import (
	"encoding/json"
	"hash/fnv"
	"io"
	"slices"

	"usher/model"
)

// The column match_keys holds a number for every value of a user by which Entra or an administrator may look for people, so
// that "eq" on any such attribute is answered by one index. A number is made of the integration, the attribute and the value
// without case. Different values may have the same number: a condition compares what is found once more. Which attributes have
// numbers, and what that costs, stands in docs/decisions/0007.

// enterpriseUser is the extension of RFC 7643 §4.3.
const enterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// maxMatchKeys bounds the numbers of one user. Who has more has none, and is looked at by every query for numbers.
const maxMatchKeys = 200

// hasKey says whether the values at the path have numbers. Of the core and the enterprise schema these are the attributes
// that tell people apart, and department; of other extensions all, since their attributes are mapped for a reason.
func hasKey(p model.AttributePath) bool {
	whole := p.Sub == "" || p.Sub == "value"
	switch p.Schema {
	case "":
		switch p.Name {
		case "displayName", "emails", "phoneNumbers":
			return whole
		}
		return false
	case enterpriseUser:
		switch p.Name {
		case "employeeNumber", "department", "manager":
			return whole
		}
		return false
	}
	return true
}

// matchKey gives the number of a value; the value of a complex attribute is that of the attribute.
func matchKey(integrationID string, p model.AttributePath, value string) int32 {
	if p.Sub == "value" {
		p.Sub = ""
	}
	h := fnv.New64a()
	for _, part := range []string{integrationID, p.Schema, p.Name, p.Sub, model.Fold(value)} {
		_, _ = io.WriteString(h, part) // never fails, as the documentation of package hash promises
		_, _ = h.Write([]byte{0})
	}
	sum := h.Sum64()
	return int32(sum>>32) ^ int32(sum) //nolint:gosec // a number of 32 bits is wanted
}

// matchKeys gives the numbers of a user in ascending order, nil for too many.
func matchKeys(u *model.DirectoryUser) []int32 {
	attrs := u.Document.Attributes()
	k := keyring{integration: u.IntegrationID, keys: make([]int32, 0, 8)}
	for name, value := range attrs {
		extension, isObject := value.(map[string]any)
		if isObject && len(name) > 4 && model.Fold(name[:4]) == "urn:" {
			for attribute, v := range extension {
				k.add(model.AttributePath{Schema: name, Name: attribute}, v)
			}
			continue
		}
		k.add(model.AttributePath{Name: name}, value)
	}
	if len(k.keys) > maxMatchKeys {
		return nil
	}
	slices.Sort(k.keys)
	return slices.Compact(k.keys)
}

type keyring struct {
	integration string
	keys        []int32
}

// add adds the numbers of whatever a comparison with the attribute may find in the value.
func (k *keyring) add(p model.AttributePath, value any) {
	if len(k.keys) > maxMatchKeys {
		return
	}
	switch v := value.(type) {
	case nil:
	case []any:
		for _, element := range v {
			k.add(p, element)
		}
	case map[string]any:
		for sub, x := range v {
			if p.Sub == "" {
				k.add(model.AttributePath{Schema: p.Schema, Name: p.Name, Sub: sub}, x)
			}
		}
	default:
		if text := scalarText(v); text != "" && hasKey(p) {
			k.keys = append(k.keys, matchKey(k.integration, p, text))
		}
	}
}

// matchColumn gives the column of a user, as the database takes it.
func (r *Reader) matchColumn(u *model.DirectoryUser) any {
	keys := matchKeys(u)
	switch {
	case keys == nil:
		return nil // and not an empty list of numbers, which SQLite's driver does not take
	case r.s.dialect == postgres:
		return keys
	}
	raw, _ := json.Marshal(keys) // numbers always marshal
	return string(raw)
}

// keyCondition holds of users who have the value, if the path has numbers; it may hold of a few others.
func (c *compiler) keyCondition(p model.AttributePath, value any) (string, bool) {
	text, isText := value.(string)
	if c.table != usersTable || c.one || !isText || text == "" || !hasKey(p) {
		return "", false
	}
	key := matchKey(c.integration, p, text)
	switch {
	case c.dialect == postgres && c.kept:
		// Hidden in a query of its own, the number says nothing to the planner: else it would find that a plan for this
		// number is better than one for any, and make one every time.
		return "(match_keys @> (SELECT " + c.bind([]int32{key}) + "::integer[]) OR match_keys IS NULL)", true
	case c.dialect == postgres:
		return "(match_keys @> " + c.bind([]int32{key}) + "::integer[] OR match_keys IS NULL)", true
	}
	return "id IN (SELECT user_id FROM directory_user_keys WHERE match_key = " + c.bind(int64(key)) +
		" UNION ALL SELECT id FROM directory_users WHERE match_keys IS NULL AND integration_id = " + c.bind(c.integration) + ")", true
}

// elementKey is keyCondition for a condition on one element: it must say "value eq" of a text, beside whatever else.
func (c *compiler) elementKey(p model.AttributePath, inner model.Filter) (string, bool) {
	switch f := inner.(type) {
	case model.And:
		if condition, ok := c.elementKey(p, f.Left); ok {
			return condition, true
		}
		return c.elementKey(p, f.Right)
	case model.Compare:
		if f.Op == model.OpEqual {
			return c.keyCondition(model.AttributePath{Schema: p.Schema, Name: p.Name, Sub: f.Path.Name}, f.Value)
		}
	}
	return "", false
}
