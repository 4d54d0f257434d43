package directory

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"usher/model"
)

// The schemas whose attributes a path may name (RFC 7643 §4.1, §4.3). Usher's own extension carries what Entra has
// beyond them: extensionAttribute1…15 and directory extensions.
const (
	coreUserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseUserSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	usherUserSchema      = "urn:ietf:params:scim:schemas:extension:usher:2.0:User"
)

// Path is a SCIM attribute path (RFC 7644 §3.10) that reads from a document: title, name.givenName,
// emails[type eq "work"].value, urn:…:enterprise:2.0:User:department, extensionAttribute3, or the id of a directory
// extension. Names are compared without case. A name that is neither a core attribute nor has a schema is looked for
// in the extensions: enterprise first, then Usher's, then the others in the order of their URNs.
type Path struct {
	source string
	schema string // "" for the core schema and for names without one
	name   string
	filter filter.Expression
	sub    string
}

// maxPathLength bounds the text of a path, in bytes.
const maxPathLength = 512

// ParsePath reads a path, or a name that Graph gives to an attribute SCIM calls otherwise (mail, jobTitle, …).
func ParsePath(source string) (Path, error) {
	trimmed := strings.TrimSpace(source)
	if trimmed == "" {
		return Path{}, model.Errorf(model.Invalid, "an attribute path is needed")
	}
	if len(trimmed) > maxPathLength {
		return Path{}, model.Errorf(model.Invalid, "an attribute path has at most %d characters", maxPathLength)
	}
	parsed, err := filter.ParsePathNumber([]byte(scimPath(trimmed)))
	if err != nil {
		return Path{}, model.Errorf(model.Invalid,
			"%q is not a SCIM attribute path such as title, name.givenName or emails[type eq \"work\"].value", source)
	}
	p := Path{
		source: trimmed, schema: parsed.AttributePath.URI(), name: parsed.AttributePath.AttributeName,
		filter: parsed.ValueExpression, sub: parsed.SubAttributeName(),
	}
	if p.sub == "" {
		p.sub = parsed.AttributePath.SubAttributeName()
	}
	if strings.EqualFold(p.schema, coreUserSchema) {
		p.schema = ""
	}
	return p, nil
}

// scimPath translates the names by which administrators know an attribute from Graph. Where the SCIM path is the same
// word, nothing is to be done.
func scimPath(name string) string {
	switch strings.ToLower(name) {
	case "mail", "email":
		return "emails"
	case "userprincipalname":
		return "userName"
	case "jobtitle":
		return "title"
	case "givenname":
		return "name.givenName"
	case "surname", "familyname":
		return "name.familyName"
	case "employeeid":
		return enterpriseUserSchema + ":employeeNumber"
	}
	return name
}

// String gives the path as it was written.
func (p Path) String() string { return p.source }

// Values gives every value at the path as text, in the order of the document, without empty ones.
func (p Path) Values(attrs map[string]any) []string {
	var out []string
	for _, element := range p.elements(attrs) {
		out = p.appendTexts(out, element)
	}
	return out
}

// Text gives the value at the path: of several, the primary one, else the first.
func (p Path) Text(attrs map[string]any) string {
	if p.filter == nil && p.sub == "" {
		// The ordinary case, a simple attribute, without detours.
		if value, _ := p.root(attrs); value != nil {
			if text, ok := value.(string); ok {
				return strings.TrimSpace(text)
			}
		}
	}
	elements := p.elements(attrs)
	for _, element := range elements {
		if complexValue, ok := element.(map[string]any); ok && isPrimary(complexValue) {
			if texts := p.appendTexts(nil, element); len(texts) > 0 {
				return texts[0]
			}
		}
	}
	for _, element := range elements {
		if texts := p.appendTexts(nil, element); len(texts) > 0 {
			return texts[0]
		}
	}
	return ""
}

// elements gives the attribute's values as they are: the members of a list that satisfy the filter, or the one value.
func (p Path) elements(attrs map[string]any) []any {
	value, ok := p.root(attrs)
	if !ok || value == nil {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	if p.filter == nil {
		return list
	}
	var out []any
	for _, element := range list {
		if complexValue, ok := element.(map[string]any); ok && satisfies(complexValue, p.filter) {
			out = append(out, element)
		}
	}
	return out
}

// root finds the attribute itself.
func (p Path) root(attrs map[string]any) (any, bool) {
	if p.schema != "" {
		return member(attrs, p.schema, p.name)
	}
	if value, ok := lookup(attrs, p.name); ok || isCoreAttribute(p.name) {
		return value, ok
	}
	for _, schema := range [...]string{enterpriseUserSchema, usherUserSchema} {
		if value, ok := member(attrs, schema, p.name); ok {
			return value, ok
		}
	}
	for _, schema := range slices.Sorted(maps.Keys(attrs)) {
		if strings.HasPrefix(schema, "urn:") {
			if value, ok := member(attrs, schema, p.name); ok {
				return value, ok
			}
		}
	}
	return nil, false
}

// member finds an attribute of an extension.
func member(attrs map[string]any, schema, name string) (any, bool) {
	value, ok := lookup(attrs, schema)
	if !ok {
		return nil, false
	}
	extension, ok := value.(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(extension, name)
}

// lookup finds a member by its name without case (RFC 7643 §2.1); the exact spelling wins, then the smallest.
func lookup(attrs map[string]any, name string) (any, bool) {
	if value, ok := attrs[name]; ok {
		return value, true
	}
	found, best := false, ""
	for key := range attrs {
		if len(key) == len(name) && strings.EqualFold(key, name) && (!found || key < best) {
			found, best = true, key
		}
	}
	return attrs[best], found
}

// isCoreAttribute says whether the name is one of the core User schema, which no extension may shadow.
func isCoreAttribute(name string) bool {
	switch strings.ToLower(name) {
	case "id", "externalid", "meta", "schemas", "username", "name", "displayname", "nickname", "profileurl", "title",
		"usertype", "preferredlanguage", "locale", "timezone", "active", "emails", "phonenumbers", "ims", "photos",
		"addresses", "groups", "entitlements", "roles", "x509certificates":
		return true
	}
	return false
}

// appendTexts adds the text of one value of the attribute, or of its sub-attribute where the path names one.
func (p Path) appendTexts(out []string, element any) []string {
	complexValue, ok := element.(map[string]any)
	switch {
	case !ok && p.sub != "":
		// A sub-attribute of a simple value: Entra sends some complex attributes, such as manager, as plain text.
		if !strings.EqualFold(p.sub, "value") {
			return out
		}
	case ok && p.sub != "":
		element, _ = lookup(complexValue, p.sub)
	case ok && strings.EqualFold(p.name, "name"):
		return appendNameTexts(out, complexValue)
	case ok:
		element, _ = lookup(complexValue, "value")
	}
	if list, ok := element.([]any); ok {
		for _, inner := range list {
			out = appendText(out, inner)
		}
		return out
	}
	return appendText(out, element)
}

// appendNameTexts gives the parts of a name that are not derived from others: the attribute "name" is empty when a
// person has neither.
func appendNameTexts(out []string, name map[string]any) []string {
	for _, part := range [...]string{"givenName", "familyName"} {
		value, _ := lookup(name, part)
		out = appendText(out, value)
	}
	return out
}

func appendText(out []string, value any) []string {
	if text := strings.TrimSpace(textOf(value)); text != "" {
		return append(out, text)
	}
	return out
}

// textOf renders a simple JSON value as an administrator would write it; anything else is empty.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	}
	return ""
}

func isPrimary(element map[string]any) bool {
	value, _ := lookup(element, "primary")
	return strings.EqualFold(textOf(value), "true")
}

// satisfies evaluates a value filter on one element of a multi-valued attribute. Text is compared without case, as
// the sub-attributes that filters name (type, display) are not case-exact.
func satisfies(element map[string]any, expression filter.Expression) bool {
	switch e := expression.(type) {
	case *filter.LogicalExpression:
		if e.Operator == filter.AND {
			return satisfies(element, e.Left) && satisfies(element, e.Right)
		}
		return satisfies(element, e.Left) || satisfies(element, e.Right)
	case *filter.NotExpression:
		return !satisfies(element, e.Expression)
	case *filter.AttributeExpression:
		value, _ := lookup(element, e.AttributePath.AttributeName)
		return compares(model.Fold(textOf(value)), e.Operator, model.Fold(textOf(e.CompareValue)))
	}
	return false
}

func compares(have string, operator filter.CompareOperator, want string) bool {
	switch filter.CompareOperator(strings.ToLower(string(operator))) {
	case filter.EQ:
		return have == want
	case filter.NE:
		return have != want
	case filter.CO:
		return strings.Contains(have, want)
	case filter.SW:
		return strings.HasPrefix(have, want)
	case filter.EW:
		return strings.HasSuffix(have, want)
	case filter.PR:
		return have != ""
	case filter.GT:
		return have > want
	case filter.GE:
		return have >= want
	case filter.LT:
		return have < want
	case filter.LE:
		return have <= want
	}
	return false
}
