package simulator

import (
	"fmt"
	"net/url"
	"strings"
)

// Dialect is the shape of the PATCH requests.
type Dialect string

// The dialects of the provisioning service.
const (
	// Legacy is what Entra sends without a flag, and always on demand: capitalised op, one operation per attribute,
	// booleans as "True" and "False", member removal by a list of values.
	Legacy Dialect = "legacy"
	// Compliant is switched on by aadOptscim062020 (or its older name AzureAdScimPatch062020) in the tenant URL:
	// lower-case op, JSON booleans, attributes collapsed into one replace without path, members[value eq "…"].
	Compliant Dialect = "compliant"
)

// DialectOf reads the dialect from the flags in the query of a tenant URL.
func DialectOf(tenantURL *url.URL) Dialect {
	for flag := range tenantURL.Query() {
		if strings.EqualFold(flag, "aadOptscim062020") || strings.EqualFold(flag, "AzureAdScimPatch062020") {
			return Compliant
		}
	}
	return Legacy
}

// difference is an attribute whose value at the target is not the one of the source.
type difference struct {
	path     path
	old, new any // old is nil when the target has none
}

// differences compares what the source wants with a resource of the target.
func differences(want []desired, resource map[string]any) []difference {
	var out []difference
	for _, d := range want {
		have := d.path.read(resource)
		if text, isText := have.(string); isText {
			if _, wantsBool := d.value.(bool); wantsBool {
				have = strings.EqualFold(text, "true")
			}
		}
		if have != d.value {
			out = append(out, difference{d.path, have, d.value})
		}
	}
	return out
}

// userBody is the POST body of a user (facts of the documentation: no custom URN in schemas, meta and roles are sent).
func userBody(want []desired) object {
	body := object{{"schemas", []string{CoreUserURN, EnterpriseUserURN}}}
	for _, d := range want {
		body.write(d.path, d.value)
	}
	body.child("meta").set("resourceType", "User")
	body.set("roles", []string{})
	return body
}

// groupBody is the POST body of a group: always without members.
func groupBody(want []desired) object {
	body := object{{"schemas", []string{CoreGroupURN, entraGroupURN}}}
	for _, d := range want {
		body.write(d.path, d.value)
	}
	body.child("meta").set("resourceType", "Group")
	return body
}

func patchBody(operations ...object) object {
	return object{{"schemas", []string{patchURN}}, {"Operations", operations}}
}

// op names an operation in the dialect.
func (d Dialect) op(name string) string {
	if d == Compliant {
		return strings.ToLower(name)
	}
	return name
}

// attributes is the PATCH of differing attributes.
func (d Dialect) attributes(kind objectKind, changed []difference) object {
	if d == Compliant {
		return patchBody(collapsed(kind, changed)...)
	}
	operations := make([]object, 0, len(changed))
	for _, c := range changed {
		value := c.new
		if flag, isBool := value.(bool); isBool {
			value = stringBool(flag)
		}
		operations = append(operations, object{{"op", addOrReplace(c)}, {"path", c.path.text}, {"value", value}})
	}
	return patchBody(operations...)
}

func addOrReplace(c difference) string {
	if c.old == nil {
		return "Add"
	}
	return "Replace"
}

// collapsed is the flag's form: value paths keep an operation each; the other attributes of a user share one replace
// without path unless there is only one; those of a group always do.
func collapsed(kind objectKind, changed []difference) []object {
	var operations []object
	var plain []difference
	for _, c := range changed {
		if c.path.kind != "" {
			operations = append(operations, object{{"op", strings.ToLower(addOrReplace(c))}, {"path", c.path.text}, {"value", c.new}})
		} else {
			plain = append(plain, c)
		}
	}
	switch {
	case len(plain) == 0:
	case len(plain) == 1 && kind == kindUser:
		c := plain[0]
		operations = append(operations, object{{"op", strings.ToLower(addOrReplace(c))}, {"path", c.path.text}, {"value", c.new}})
	default:
		flat := object{}
		for _, c := range plain {
			flat.set(c.path.text, c.new)
		}
		operations = append(operations, object{{"op", "replace"}, {"value", flat}})
	}
	return operations
}

// manager is the PATCH that sets a manager (a bare string, in both dialects) or, without an id, takes it away.
func (d Dialect) manager(before, now string) object {
	target := EnterpriseUserURN + ":manager"
	switch {
	case now == "" && d == Compliant:
		return patchBody(object{{"op", "remove"}, {"path", target}})
	case now == "":
		return patchBody(object{{"op", "Remove"}, {"path", target}, {"value", before}})
	case before == "":
		return patchBody(object{{"op", d.op("Add")}, {"path", target}, {"value", now}})
	default:
		return patchBody(object{{"op", d.op("Replace")}, {"path", target}, {"value", now}})
	}
}

// members is the PATCH that adds or removes members by their SCIM ids.
func (d Dialect) members(add bool, ids []string) object {
	if !add && d == Compliant {
		operations := make([]object, 0, len(ids))
		for _, id := range ids {
			operations = append(operations, object{{"op", "remove"}, {"path", fmt.Sprintf("members[value eq %s]", quoted(id))}})
		}
		return patchBody(operations...)
	}
	values := make([]object, 0, len(ids))
	for _, id := range ids {
		values = append(values, object{{"$ref", nil}, {"value", id}})
	}
	name := "Add"
	if !add {
		name = "Remove"
	}
	return patchBody(object{{"op", d.op(name)}, {"path", "members"}, {"value", values}})
}

// equals is a filter "attribute eq value", the only comparison Entra uses.
func equals(attribute, value string) string { return attribute + " eq " + quoted(value) }

// quoted writes a filter literal (RFC 7644 §3.4.2.2: a JSON string).
func quoted(value string) string {
	literal, err := encode(value)
	if err != nil { // a string always encodes
		return `""`
	}
	return string(literal)
}
