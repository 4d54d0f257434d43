package directory

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"usher/model"
	"usher/model/entra"
)

// importedDocument gives the SCIM document of a user of the tenant, as Entra's provisioning would send it with its default mappings
// and the object id as externalId, so that rules, filters and the console do not care which way somebody came
// (docs/reference/import.md has the table). wanted are the extension attributes and directory extensions that the settings read.
func importedDocument(u *entra.User, wanted []string) model.Document {
	attrs := map[string]any{
		"schemas":    []any{coreUserSchema, enterpriseUserSchema, usherUserSchema},
		"externalId": clean(u.ID), "userName": clean(u.UserPrincipalName), "active": u.AccountEnabled,
	}
	put(attrs, "displayName", u.DisplayName)
	put(attrs, "title", u.JobTitle)
	put(attrs, "preferredLanguage", u.PreferredLanguage)
	put(attrs, "userType", u.UserType)
	if mail := importedMail(u); mail != "" {
		attrs["emails"] = []any{map[string]any{"type": "work", "primary": true, "value": mail}}
	}
	name := map[string]any{}
	put(name, "givenName", u.GivenName)
	put(name, "familyName", u.Surname)
	put(name, "formatted", strings.TrimSpace(u.GivenName+" "+u.Surname))
	putAll(attrs, "name", name)
	address := map[string]any{}
	put(address, "formatted", u.OfficeLocation)
	put(address, "streetAddress", u.StreetAddress)
	put(address, "locality", u.City)
	put(address, "region", u.State)
	put(address, "postalCode", u.PostalCode)
	put(address, "country", u.Country)
	if len(address) > 0 {
		address["type"], address["primary"] = "work", true
		attrs["addresses"] = []any{address}
	}
	if phones := importedPhones(u); len(phones) > 0 {
		attrs["phoneNumbers"] = phones
	}
	enterprise := map[string]any{}
	put(enterprise, "employeeNumber", u.EmployeeID)
	put(enterprise, "department", u.Department)
	if u.ManagerID != "" {
		enterprise["manager"] = map[string]any{"value": clean(u.ManagerID)}
	}
	putAll(attrs, enterpriseUserSchema, enterprise)
	putAll(attrs, usherUserSchema, importedExtras(u, wanted))
	return model.NewDocument(attrs)
}

// importedMail gives the address of a user. A guest without one has a real one elsewhere.
func importedMail(u *entra.User) string {
	mail := clean(u.Mail)
	if mail != "" || !strings.EqualFold(u.UserType, "Guest") {
		return mail
	}
	for _, other := range u.OtherMails {
		if other = clean(other); isAddress(other) {
			return other
		}
	}
	if real := realAddress(clean(u.UserPrincipalName)); isAddress(real) {
		return real
	}
	return ""
}

func importedPhones(u *entra.User) []any {
	var phones []any
	add := func(kind, number string) {
		if number = clean(number); number != "" {
			phones = append(phones, map[string]any{"type": kind, "value": number})
		}
	}
	if len(u.BusinessPhones) > 0 {
		add("work", u.BusinessPhones[0])
	}
	add("mobile", u.MobilePhone)
	add("fax", u.FaxNumber)
	return phones
}

// importedExtras gives what no standard schema has.
func importedExtras(u *entra.User, wanted []string) map[string]any {
	extras := map[string]any{}
	put(extras, "userType", u.UserType)
	put(extras, "employeeType", u.EmployeeType)
	put(extras, "companyName", u.CompanyName)
	put(extras, "usageLocation", u.UsageLocation)
	put(extras, "mailNickname", u.MailNickname)
	if u.OnPremisesSync {
		extras["onPremisesSyncEnabled"] = true // hybrid: what writes to Entra refuses it
	}
	for _, name := range wanted {
		for _, from := range []map[string]string{u.ExtensionAttributes, u.Extensions} {
			if value, ok := from[name]; ok {
				put(extras, name, value)
			}
		}
	}
	return extras
}

func put(into map[string]any, name, value string) {
	if value = clean(value); value != "" {
		into[name] = value
	}
}

func putAll(into map[string]any, name string, values map[string]any) {
	if len(values) > 0 {
		into[name] = values
	}
}

// clean gives text that both databases store: without the character zero and what is no UTF-8, and without space around it.
func clean(text string) string {
	return strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD"))
}

// recycledDocument gives the document of somebody who was deleted and can be restored: as Entra sends one, which is not active and
// has its object id in front of the userName, so that somebody else can have the name.
func recycledDocument(u *model.DirectoryUser) model.Document {
	attrs := maps.Clone(u.Document.Attributes())
	attrs["active"] = false
	if !isTombstone(u.UserName) {
		name := strings.ReplaceAll(strings.ToLower(u.ExternalID), "-", "") + u.UserName
		if cut := []rune(name); len(cut) > maxNameLength {
			name = string(cut[:maxNameLength])
		}
		attrs["userName"] = name
	}
	return model.NewDocument(attrs)
}

// Hybrid says whether a directory user is synchronised from Active Directory, so that Entra refuses changes of it.
func Hybrid(u *model.DirectoryUser) bool {
	value, _ := member(u.Document.Attributes(), usherUserSchema, "onPremisesSyncEnabled")
	return strings.EqualFold(textOf(value), "true")
}

// extensionName finds, in the settings, names of attributes that are read only where somebody uses them.
var extensionName = regexp.MustCompile(`(?i)\bextensionAttribute(?:1[0-5]|[1-9])\b|\bextension_[0-9a-f]{32}_\w+`)

// wantedAttributes gives the extension attributes and directory extensions that the settings of an integration use, in order.
func wantedAttributes(s *model.IntegrationSettings) []string {
	var texts []string
	for i := range s.FieldMappings {
		texts = append(texts, s.FieldMappings[i].Source, s.FieldMappings[i].Expression)
	}
	for i := range s.Exclusions {
		texts = append(texts, s.Exclusions[i].Attribute)
	}
	names := []string{}
	for _, text := range texts {
		for _, name := range extensionName.FindAllString(text, -1) {
			if strings.EqualFold(name[:len("extensionA")], "extensionA") {
				name = "extensionAttribute" + name[len("extensionAttribute"):]
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// directoryExtensions gives those of the wanted names that Graph must be asked for by name.
func directoryExtensions(wanted []string) []string {
	var names []string
	for _, name := range wanted {
		if strings.HasPrefix(strings.ToLower(name), "extension_") {
			names = append(names, name)
		}
	}
	return names
}
