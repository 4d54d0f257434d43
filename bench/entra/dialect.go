package entra

import "fmt"

// Dialect chooses between the two forms of a PATCH. Legacy is what Entra sends to
// a Tenant URL without the flag aadOptscim062020: capital operations, booleans as
// text, one operation per attribute, removal of members by a list of values. With
// the flag attributes are collapsed into one operation without a path, and each
// member is removed by a path with a filter.
// https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
type Dialect struct{ Legacy bool }

// String names the dialect in reports.
func (d Dialect) String() string {
	if d.Legacy {
		return "legacy"
	}
	return "aadOptscim062020"
}

// Attributes is a PATCH of three attributes, one of them of the enterprise extension.
func (d Dialect) Attributes(displayName, title, department string) []byte {
	if !d.Legacy {
		return patch(object{"op": "replace", "value": object{
			"displayName": displayName, "title": title, EnterpriseSchema + ":department": department,
		}})
	}
	return patch(
		object{"op": "Replace", "path": "displayName", "value": displayName},
		object{"op": "Replace", "path": "title", "value": title},
		object{"op": "Replace", "path": EnterpriseSchema + ":department", "value": department},
	)
}

// Active is the PATCH that disables or restores a person.
func (d Dialect) Active(active bool) []byte {
	if !d.Legacy {
		return patch(object{"op": "replace", "path": "active", "value": active})
	}
	text := "False"
	if active {
		text = "True"
	}
	return patch(object{"op": "Replace", "path": "active", "value": text})
}

// Add is the PATCH that adds members to a group.
func (d Dialect) Add(members ...string) []byte {
	if !d.Legacy {
		return patch(object{"op": "add", "path": "members", "value": references(members, false)})
	}
	return patch(object{"op": "Add", "path": "members", "value": references(members, true)})
}

// Remove is the PATCH that takes members out of a group.
func (d Dialect) Remove(members ...string) []byte {
	if d.Legacy {
		return patch(object{"op": "Remove", "path": "members", "value": references(members, true)})
	}
	operations := make([]object, len(members))
	for i, member := range members {
		operations[i] = object{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", member)}
	}
	return patch(operations...)
}

func references(members []string, withNull bool) []object {
	values := make([]object, len(members))
	for i, member := range members {
		values[i] = object{"value": member}
		if withNull {
			values[i]["$ref"] = nil
		}
	}
	return values
}

func patch(operations ...object) []byte {
	return encode(object{"schemas": []string{patchSchema}, "Operations": operations})
}
