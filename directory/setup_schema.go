package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"usher/model/entra"
)

// schemaEdit changes the mappings of a provisioning job in its JSON, so that what it does not know of stays as it is (Graph:
// synchronizationSchema, which can only be replaced as a whole).
type schemaEdit struct {
	root    map[string]any
	changed []string
	missing []string // attributes that Entra does not offer as a source
}

// editSchema gives the schema as it should be and says what was changed; nil where nothing had to be.
func editSchema(raw entra.Schema, want SetupMappings) (entra.Schema, string, error) {
	e := schemaEdit{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&e.root); err != nil {
		return nil, "", errors.New("it is no JSON object")
	}
	users := e.objectMapping("User")
	if users == nil {
		return nil, "", errors.New("it has no mapping of users")
	}
	e.apply(users, want.Users, true)
	groups := e.objectMapping("Group")
	if groups != nil {
		e.apply(groups, want.Groups, false)
	}
	report := "changed: " + strings.Join(e.changed, ", ")
	if groups == nil {
		report += "; it has no mapping of groups"
	}
	if len(e.missing) > 0 {
		report += "; Entra does not offer " + strings.Join(e.missing, ", ")
	}
	if len(e.changed) == 0 {
		return nil, report, nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e.root); err != nil {
		return nil, "", err
	}
	return bytes.TrimSpace(out.Bytes()), cut(report, maxSaid), nil
}

// mappedObject is the mapping of one sort of objects, with the rule that it is part of.
type mappedObject struct{ rule, mapping map[string]any }

func (e *schemaEdit) objectMapping(source string) *mappedObject {
	for _, rule := range schemaObjects(e.root["synchronizationRules"]) {
		for _, m := range schemaObjects(rule["objectMappings"]) {
			if strings.EqualFold(schemaText(m["sourceObjectName"]), source) {
				return &mappedObject{rule, m}
			}
		}
	}
	return nil
}

// apply makes the rows so. With missing ones added, only where Entra offers their source.
func (e *schemaEdit) apply(m *mappedObject, rows []AttributeMapping, check bool) {
	if on, ok := m.mapping["enabled"].(bool); !ok || !on {
		m.mapping["enabled"] = true
		e.note("%s enabled", schemaText(m.mapping["sourceObjectName"]))
	}
	for _, row := range rows {
		if strings.ContainsAny(row.Entra, "([") {
			e.active(m, row)
			continue
		}
		e.direct(m, row, check)
	}
}

// direct sees to it that an attribute goes to its target. Of Entra's own rows, the changed ones alone are touched.
func (e *schemaEdit) direct(m *mappedObject, row AttributeMapping, check bool) {
	existing := schemaFind(m.mapping["attributeMappings"], "targetAttributeName", row.SCIM)
	switch {
	case existing != nil && row.Do == "keep" && (check || row.SCIM == "displayName" || row.SCIM == "members"):
		return
	case existing == nil && row.Do == "keep" && check && row.SCIM != "userName" && row.SCIM != "displayName":
		return // an administrator has taken it out, or Microsoft has
	case existing == nil && !e.offers(m, row):
		e.missing = append(e.missing, row.Entra)
		return
	}
	if existing == nil {
		e.target(m, row)
		existing = map[string]any{
			"targetAttributeName": row.SCIM, "matchingPriority": row.Matching, "flowBehavior": "FlowWhenChanged", "flowType": "Always",
			"defaultValue": nil, "exportMissingReferences": false,
		}
		list, _ := m.mapping["attributeMappings"].([]any)
		m.mapping["attributeMappings"] = append(list, existing)
	}
	source, _ := existing["source"].(map[string]any)
	if strings.EqualFold(schemaText(source["type"]), "Attribute") && strings.EqualFold(schemaText(source["name"]), row.Entra) {
		return
	}
	existing["source"] = map[string]any{"type": "Attribute", "name": row.Entra, "expression": "[" + row.Entra + "]", "parameters": []any{}}
	e.note("%s ← %s", row.SCIM, row.Entra)
}

// active sees to it that who is disabled, deleted or no longer assigned is told of. Expressions other than that are left alone.
func (e *schemaEdit) active(m *mappedObject, row AttributeMapping) {
	if row.SCIM != "active" {
		return
	}
	existing := schemaFind(m.mapping["attributeMappings"], "targetAttributeName", row.SCIM)
	if existing != nil {
		source, _ := json.Marshal(existing["source"])
		if strings.Contains(strings.ToLower(string(source)), "issoftdeleted") {
			return
		}
	} else {
		existing = map[string]any{
			"targetAttributeName": row.SCIM, "matchingPriority": 0, "flowBehavior": "FlowWhenChanged", "flowType": "Always",
			"defaultValue": "True", "exportMissingReferences": false,
		}
		list, _ := m.mapping["attributeMappings"].([]any)
		m.mapping["attributeMappings"] = append(list, existing)
	}
	deleted := map[string]any{"type": "Attribute", "name": "IsSoftDeleted", "expression": "[IsSoftDeleted]", "parameters": []any{}}
	existing["source"] = map[string]any{
		"type": "Function", "name": "Not", "expression": "Not([IsSoftDeleted])",
		"parameters": []any{map[string]any{"key": "source", "value": deleted}},
	}
	e.note("active ← Not([IsSoftDeleted])")
}

// offers says whether Entra has the source. A directory extension is made known to it.
func (e *schemaEdit) offers(m *mappedObject, row AttributeMapping) bool {
	object := e.object(schemaText(m.rule["sourceDirectoryName"]), schemaText(m.mapping["sourceObjectName"]))
	if object == nil || schemaFind(object["attributes"], "name", row.Entra) != nil {
		return true // Entra itself will say what is wrong
	}
	if !directoryExtension.MatchString(row.Entra) {
		return false
	}
	addAttribute(object, row.Entra)
	return true
}

// target makes an attribute known to the target directory.
func (e *schemaEdit) target(m *mappedObject, row AttributeMapping) {
	object := e.object(schemaText(m.rule["targetDirectoryName"]), schemaText(m.mapping["targetObjectName"]))
	if object != nil && schemaFind(object["attributes"], "name", row.SCIM) == nil {
		addAttribute(object, row.SCIM)
	}
}

func addAttribute(object map[string]any, name string) {
	list, _ := object["attributes"].([]any)
	object["attributes"] = append(list, map[string]any{
		"name": name, "type": "String", "anchor": false, "caseExact": false, "multivalued": false, "mutability": "ReadWrite", "required": false,
		"flowNullValues": false, "defaultValue": nil, "metadata": []any{}, "referencedObjects": []any{}, "apiExpressions": []any{},
	})
}

func (e *schemaEdit) object(directory, name string) map[string]any {
	d := schemaFind(e.root["directories"], "name", directory)
	if d == nil {
		return nil
	}
	return schemaFind(d["objects"], "name", name)
}

func (e *schemaEdit) note(format string, args ...any) {
	e.changed = append(e.changed, fmt.Sprintf(format, args...))
}

func schemaText(v any) string { s, _ := v.(string); return s }

// schemaObjects gives the objects of a JSON list.
func schemaObjects(v any) []map[string]any {
	list, _ := v.([]any)
	var out []map[string]any
	for _, element := range list {
		if o, ok := element.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// schemaFind gives the object of a list whose property has the value, in any case.
func schemaFind(list any, property, value string) map[string]any {
	for _, o := range schemaObjects(list) {
		if strings.EqualFold(schemaText(o[property]), value) {
			return o
		}
	}
	return nil
}
