package directory

import (
	"regexp"
	"slices"
	"strings"

	"usher/model"
)

// AttributeMapping is one row of Entra's attribute mappings.
type AttributeMapping struct {
	Entra    string `json:"entra" doc:"Attribute of Entra, or an expression."`
	SCIM     string `json:"scim" doc:"Attribute of SCIM that it goes to."`
	Matching int    `json:"matching_priority,omitempty" doc:"People are found by the attribute with the smallest number first; absent where it is not for finding."`
	Do       string `json:"do" enum:"keep,change,add" doc:"Entra's default is kept or changed, or the row is added."`
	Note     string `json:"note,omitempty"`
}

// SetupMappings are the attribute mappings that an integration wants.
type SetupMappings struct {
	Users  []AttributeMapping `json:"users"`
	Groups []AttributeMapping `json:"groups"`
	// Unknown are sources of field mappings and exclusions that no attribute of Entra is known for.
	Unknown []string `json:"unknown" doc:"Attributes that field mappings or exclusions read and that you have to choose a source in Entra for."`
}

// directorySchema is the extension under which directory extensions travel: a URN of no schema, so that any name may be under it.
const directorySchema = "urn:ietf:params:scim:schemas:extension:directory:2.0:User"

// What Entra's provisioning does by itself with somebody who is disabled, deleted or no longer assigned.
const activeExpression = `Switch([IsSoftDeleted], , "False", "True", "True", "False")`

// defaultUserMappings is what Entra maps by itself for an application that is in no gallery, with the one change that is needed:
// mailNickname, Entra's choice for externalId, is neither unique nor permanent.
func defaultUserMappings() []AttributeMapping {
	const work, phone = `addresses[type eq "work"].`, `phoneNumbers[type eq "`
	keep := func(entra, scim string) AttributeMapping {
		return AttributeMapping{Entra: entra, SCIM: scim, Do: "keep"}
	}
	return []AttributeMapping{
		{"objectId", "externalId", 0, "change", "Entra's default is mailNickname, which is neither unique nor permanent"},
		{"userPrincipalName", "userName", 1, "keep", "of a guest, Entra leaves #EXT# and the tenant out"},
		{activeExpression, "active", 0, "keep", "never accountEnabled: it tells nothing of somebody who leaves the assigned groups"},
		keep("displayName", "displayName"), keep("jobTitle", "title"), keep("mail", `emails[type eq "work"].value`),
		keep("preferredLanguage", "preferredLanguage"), keep("givenName", "name.givenName"), keep("surname", "name.familyName"),
		keep(`Join(" ", [givenName], [surname])`, "name.formatted"), keep("physicalDeliveryOfficeName", work+"formatted"),
		keep("streetAddress", work+"streetAddress"), keep("city", work+"locality"), keep("state", work+"region"),
		keep("postalCode", work+"postalCode"), keep("country", work+"country"), keep("telephoneNumber", phone+`work"].value`),
		keep("mobile", phone+`mobile"].value`), keep("facsimileTelephoneNumber", phone+`fax"].value`),
		keep("employeeId", enterpriseUserSchema+":employeeNumber"), keep("department", enterpriseUserSchema+":department"),
		keep("manager", enterpriseUserSchema+":manager"),
	}
}

func groupMappings() []AttributeMapping {
	return []AttributeMapping{
		{"displayName", "displayName", 1, "keep", ""},
		{"objectId", "externalId", 0, "keep", "groups are told by it, and survive a renaming"},
		{"members", "members", 0, "keep", ""},
	}
}

// wantedMappings gives the default mappings, and a row for each attribute that field mappings and exclusions read besides.
func wantedMappings(entry model.IntegrationSettings) SetupMappings {
	m := SetupMappings{Users: defaultUserMappings(), Groups: groupMappings(), Unknown: []string{}}
	var sources []string
	for _, f := range entry.FieldMappings {
		if f.Mode != model.FieldSkip && f.Source != "" {
			sources = append(sources, f.Source)
		}
	}
	for _, x := range entry.Exclusions {
		if x.Attribute != "" {
			sources = append(sources, x.Attribute)
		}
	}
	for _, source := range sources {
		p, err := ParsePath(source)
		if err != nil || mappedByDefault(p) {
			continue
		}
		entra, scim, known := entraSource(p)
		switch {
		case !known && !slices.Contains(m.Unknown, source):
			m.Unknown = append(m.Unknown, source)
		case known && !slices.ContainsFunc(m.Users, func(a AttributeMapping) bool { return a.SCIM == scim }):
			m.Users = append(m.Users, AttributeMapping{Entra: entra, SCIM: scim, Do: "add", Note: "a field mapping or an exclusion reads it"})
		}
	}
	return m
}

// mappedByDefault says whether Entra maps the attribute by itself.
func mappedByDefault(p Path) bool {
	if p.schema != "" && !strings.EqualFold(p.schema, enterpriseUserSchema) {
		return false
	}
	switch strings.ToLower(p.name) {
	case "username", "active", "displayname", "title", "emails", "preferredlanguage", "name", "addresses", "phonenumbers", "externalid", "id":
		return p.schema == ""
	case "employeenumber", "department", "manager":
		return true
	}
	return false
}

var (
	extensionAttribute = regexp.MustCompile(`(?i)^extensionAttribute([1-9]|1[0-5])$`)
	directoryExtension = regexp.MustCompile(`^extension_[0-9a-fA-F]{32}_\w+$`)
)

// entraSource gives the attribute of Entra that a path is filled from, and the target that Entra writes.
func entraSource(p Path) (entra, scim string, known bool) {
	switch {
	case p.filter != nil || p.sub != "" || p.schema != "" && !strings.EqualFold(p.schema, usherUserSchema) && p.schema != directorySchema &&
		!strings.EqualFold(p.schema, enterpriseUserSchema):
		return "", "", false
	case directoryExtension.MatchString(p.name):
		return p.name, directorySchema + ":" + p.name, true
	case extensionAttribute.MatchString(p.name):
		n := extensionAttribute.FindStringSubmatch(p.name)[1]
		return "extensionAttribute" + n, usherUserSchema + ":extensionAttribute" + n, true
	}
	switch strings.ToLower(p.name) {
	case "nickname":
		return "mailNickname", "nickName", true
	case "organization":
		return "companyName", enterpriseUserSchema + ":organization", true
	}
	for _, name := range []string{"employeeType", "companyName", "usageLocation", "objectId", "mailNickname", "employeeHireDate"} {
		if strings.EqualFold(p.name, name) {
			return name, usherUserSchema + ":" + name, true
		}
	}
	return "", "", false
}

// IsObjectID says whether a text has the form of an object id of Entra's.
func IsObjectID(text string) bool { return tenantID.MatchString(text) }
