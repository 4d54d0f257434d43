package directory

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"usher/model"
)

// The bounds of what may be asked for of a user of Entra (Graph resource type user).
const (
	maxEntraText     = 256
	maxEntraLocal    = 64
	maxEntraUPN      = 113
	maxEntraList     = 50
	minEntraPassword = 8
	maxEntraPassword = 256
)

// entraProperties are the properties of a user that can be set, with the most characters that Graph takes. The key is Graph's name.
func entraProperties() map[string]entraProperty {
	m := map[string]entraProperty{
		"displayName": {"display_name", 256}, "givenName": {"given_name", 64}, "surname": {"family_name", 64}, "mail": {"mail", 256},
		"mailNickname": {"mail_nickname", 64}, "jobTitle": {"job_title", 128}, "department": {"department", 64}, "companyName": {"company_name", 64},
		"employeeId": {"employee_id", 16}, "officeLocation": {"office_location", 128}, "usageLocation": {"usage_location", 2},
		"preferredLanguage": {"preferred_language", 64}, "streetAddress": {"street_address", 1024}, "city": {"city", 128}, "state": {"state", 128},
		"postalCode": {"postal_code", 40}, "country": {"country", 128}, "mobilePhone": {"mobile_phone", 64},
		"userPrincipalName": {"user_principal_name", maxEntraUPN},
	}
	return m
}

type entraProperty struct {
	field string // the name that a caller knows it by
	most  int
}

// EntraField gives the name in the management API of a property that Graph names.
func EntraField(property string) string {
	if p, ok := entraProperties()[property]; ok {
		return p.field
	}
	return property
}

func checkNewUser(in *NewEntraUser) error {
	in.UserPrincipalName = strings.TrimSpace(in.UserPrincipalName)
	if err := checkUPN("user_principal_name", in.UserPrincipalName); err != nil {
		return err
	}
	in.Profile = maps.Clone(in.Profile)
	maps.DeleteFunc(in.Profile, func(_, v string) bool { return strings.TrimSpace(v) == "" })
	if err := checkProfile(in.Profile); err != nil {
		return err
	}
	if in.Profile["displayName"] == "" {
		return model.FieldErrorf(model.Invalid, "display_name", "is required")
	}
	delete(in.Profile, "userPrincipalName") // it is said once
	if err := checkEntraPassword(in.Password); err != nil {
		return err
	}
	if len(in.Licences) > 0 && in.Profile["usageLocation"] == "" {
		return model.FieldErrorf(model.Invalid, "usage_location", "is required with licences: Microsoft gives none to a user without a location")
	}
	if in.ManagerID != nil && *in.ManagerID != "" {
		if err := checkEntraRef("manager_id", *in.ManagerID); err != nil {
			return err
		}
	}
	if err := checkEntraIDs("groups", &in.Groups); err != nil {
		return err
	}
	return checkEntraIDs("licences", &in.Licences)
}

func checkUserChange(in *EntraUserChange) error {
	in.Profile = maps.Clone(in.Profile)
	if len(in.Profile) == 0 && in.ManagerID == nil && in.Enabled == nil {
		return model.Errorf(model.Invalid, "nothing is to be changed")
	}
	if err := checkProfile(in.Profile); err != nil {
		return err
	}
	if _, ok := in.Profile["mailNickname"]; ok {
		return model.FieldErrorf(model.Invalid, "mail_nickname", "can be set of a new user alone")
	}
	for _, name := range []string{"displayName", "userPrincipalName", "usageLocation"} {
		if v, ok := in.Profile[name]; ok && v == "" {
			return model.FieldErrorf(model.Invalid, EntraField(name), "cannot be taken away: Entra wants one of every user")
		}
	}
	if upn, ok := in.Profile["userPrincipalName"]; ok {
		if err := checkUPN("user_principal_name", upn); err != nil {
			return err
		}
	}
	if in.ManagerID != nil && *in.ManagerID != "" {
		return checkEntraRef("manager_id", *in.ManagerID)
	}
	return nil
}

// checkProfile checks properties, and trims them.
func checkProfile(profile map[string]string) error {
	known := entraProperties()
	for _, name := range slices.Sorted(maps.Keys(profile)) {
		p, ok := known[name]
		switch {
		case ok:
		case isExtensionAttribute(name):
			p = entraProperty{name, 1024}
		default:
			return model.FieldErrorf(model.Invalid, name, "is not a property that can be set")
		}
		value := strings.TrimSpace(profile[name])
		profile[name] = value
		if err := checkText(p.field, value, p.most); err != nil {
			return err
		}
	}
	if v := profile["usageLocation"]; v != "" && !isCountry(v) {
		return model.FieldErrorf(model.Invalid, "usage_location", "%q is not a country of two capital letters, such as DK (ISO 3166-1)", v)
	}
	if v := profile["mail"]; v != "" {
		if err := checkEmail("mail", v, true); err != nil {
			return err
		}
	}
	if v := profile["mailNickname"]; v != "" && !isLocalPart(v) {
		return model.FieldErrorf(model.Invalid, "mail_nickname", "has characters that Entra does not take")
	}
	return nil
}

func isExtensionAttribute(name string) bool {
	number, ok := strings.CutPrefix(name, "extensionAttribute")
	return ok && slices.Contains([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"}, number)
}

func isCountry(text string) bool {
	return len(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z'
}

// checkUPN checks a user principal name as Graph takes one for a new user: letters without accents, digits and ' . - _ ! # ^ ~
// before the @.
func checkUPN(field, upn string) error {
	local, domain, found := strings.Cut(upn, "@")
	switch {
	case upn == "":
		return model.FieldErrorf(model.Invalid, field, "is required")
	case !found || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "@ "):
		return model.FieldErrorf(model.Invalid, field, "%q is not a user principal name such as ada@contoso.com", upn)
	case len(local) > maxEntraLocal || len(upn) > maxEntraUPN:
		return model.FieldErrorf(model.Invalid, field, "has at most %d characters before the @, and %d in all", maxEntraLocal, maxEntraUPN)
	case !isLocalPart(local):
		return model.FieldErrorf(model.Invalid, field, "%q has characters that Entra does not take before the @: letters without accents, digits and '.-_!#^~ are", upn)
	case strings.HasPrefix(local, ".") || strings.HasSuffix(local, "."):
		return model.FieldErrorf(model.Invalid, field, "%q has a dot at the beginning or the end of what is before the @", upn)
	}
	return nil
}

func isLocalPart(text string) bool {
	for _, c := range text {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("'.-_!#^~", c) {
			return false
		}
	}
	return text != ""
}

// checkEntraPassword checks a password as far as it can be without telling Entra; "" is none. The error does not repeat it.
func checkEntraPassword(password string) error {
	if password == "" {
		return nil
	}
	n := utf8.RuneCountInString(password)
	if n < minEntraPassword || n > maxEntraPassword || !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl) {
		return model.FieldErrorf(model.Invalid, "password", "has %d to %d characters, and no control characters", minEntraPassword, maxEntraPassword)
	}
	return nil
}

// checkEntraIDs checks a list of object ids or ids of products, and takes what comes twice once.
func checkEntraIDs(field string, list *[]string) error {
	if len(*list) > maxEntraList {
		return model.FieldErrorf(model.Invalid, field, "has at most %d entries", maxEntraList)
	}
	var ids []string
	for _, id := range *list {
		if err := checkEntraID(field, id); err != nil {
			return err
		}
		if id = objectID(id); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	*list = ids
	return nil
}

// checkEntraID checks an id that becomes part of a request to Graph.
func checkEntraID(field, id string) error {
	bad := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	}
	if id == "" || len(id) > maxEntraLocal || strings.ContainsFunc(id, bad) {
		return model.FieldErrorf(model.Invalid, field, "%q is not an id of Entra's, such as 11111111-2222-3333-4444-555555555555", id)
	}
	return nil
}

// checkEntraRef checks an object id or a user principal name; that of a guest has #EXT#.
func checkEntraRef(field, ref string) error {
	if !strings.Contains(ref, "@") {
		return checkEntraID(field, ref)
	}
	local, domain, _ := strings.Cut(ref, "@")
	if !isLocalPart(local) || domain == "" || strings.ContainsAny(domain, "@ /\\?#%") || len(ref) > maxEntraText {
		return model.FieldErrorf(model.Invalid, field, "%q is neither an object id of Entra's nor a user principal name", ref)
	}
	return nil
}
