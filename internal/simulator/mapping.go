package simulator

import "strings"

// SCIM schema URNs that the provisioning service uses (RFC 7643 §8, and Usher's own extension).
const (
	CoreUserURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	CoreGroupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseUserURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	UsherUserURN      = "urn:ietf:params:scim:schemas:extension:usher:2.0:User"
	patchURN          = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	listURN           = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	// entraGroupURN stands in the schemas of every group that Entra creates, although it is no URN.
	entraGroupURN = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
)

// Mapping is one row of the attribute mapping: target ← source.
type Mapping struct {
	// Target is a SCIM path: userName, name.givenName, emails[type eq "work"].value, or an extension attribute after
	// its schema URN and a colon.
	Target string
	// Source is an attribute of [User.Attribute].
	Source string
	// Expression computes the value instead of Source. An empty answer is skipped, as a null in Entra.
	Expression func(User) string
}

// DefaultUserMappings is the mapping of a new non-gallery application, plus Usher's extension. externalID is the source
// of externalId: "objectId", which Usher's documentation asks for, or "mailNickname", Entra's default.
// active has no row: the service always maps it from IsSoftDeleted.
func DefaultUserMappings(externalID string) []Mapping {
	enterprise, usher := EnterpriseUserURN+":", UsherUserURN+":"
	rows := []Mapping{
		{Target: "externalId", Source: externalID},
		{Target: "userName", Source: "userPrincipalName"},
		{Target: "displayName", Source: "displayName"},
		{Target: "title", Source: "jobTitle"},
		{Target: `emails[type eq "work"].value`, Source: "mail"},
		{Target: "preferredLanguage", Source: "preferredLanguage"},
		{Target: "name.givenName", Source: "givenName"},
		{Target: "name.familyName", Source: "surname"},
		{Target: "name.formatted", Expression: func(u User) string { return strings.TrimSpace(u.GivenName + " " + u.Surname) }},
		{Target: `addresses[type eq "work"].formatted`, Source: "physicalDeliveryOfficeName"},
		{Target: `addresses[type eq "work"].streetAddress`, Source: "streetAddress"},
		{Target: `addresses[type eq "work"].locality`, Source: "city"},
		{Target: `addresses[type eq "work"].region`, Source: "state"},
		{Target: `addresses[type eq "work"].postalCode`, Source: "postalCode"},
		{Target: `addresses[type eq "work"].country`, Source: "country"},
		{Target: `phoneNumbers[type eq "work"].value`, Source: "telephoneNumber"},
		{Target: `phoneNumbers[type eq "mobile"].value`, Source: "mobile"},
		{Target: `phoneNumbers[type eq "fax"].value`, Source: "facsimileTelephoneNumber"},
		{Target: enterprise + "employeeNumber", Source: "employeeId"},
		{Target: enterprise + "department", Source: "department"},
		{Target: usher + "objectId", Source: "objectId"},
		{Target: usher + "userType", Source: "userType"},
		{Target: usher + "employeeType", Source: "employeeType"},
		{Target: usher + "companyName", Source: "companyName"},
		{Target: usher + "usageLocation", Source: "usageLocation"},
	}
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"} {
		rows = append(rows, Mapping{Target: usher + "extensionAttribute" + name, Source: "extensionAttribute" + name})
	}
	return rows
}

// desired is one attribute as the source wants it: a string, or a bool for active.
type desired struct {
	path  path
	value any
}

// attributeMap is a parsed mapping.
type attributeMap struct {
	rows  []Mapping
	paths []path
}

func parseMappings(rows []Mapping) (attributeMap, error) {
	m := attributeMap{rows: rows, paths: make([]path, len(rows))}
	for i, row := range rows {
		parsed, err := parsePath(row.Target)
		if err != nil {
			return attributeMap{}, err
		}
		m.paths[i] = parsed
	}
	return m, nil
}

// user evaluates the mapping. Empty values are left out: Entra skips null.
func (m attributeMap) user(u User, softDeleted bool) []desired {
	out := make([]desired, 0, len(m.rows)+1)
	for i, row := range m.rows {
		value := ""
		if row.Expression != nil {
			value = row.Expression(u)
		} else {
			value = u.Attribute(row.Source)
		}
		if value != "" {
			out = append(out, desired{m.paths[i], value})
		}
	}
	return append(out, desired{path{text: "active", attribute: "active"}, !softDeleted})
}

// groupAttributes maps a group: displayName, and externalId from the object id.
func groupAttributes(g Group) []desired {
	return []desired{
		{path{text: "externalId", attribute: "externalId"}, g.ID},
		{path{text: "displayName", attribute: "displayName"}, g.DisplayName},
	}
}

// valueOf finds the value of a target path, "" when the source has none.
func valueOf(attributes []desired, target string) string {
	for _, d := range attributes {
		if d.path.text == target {
			text, _ := d.value.(string)
			return text
		}
	}
	return ""
}
