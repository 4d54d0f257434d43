package entraid

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"usher/internal/simulator"
	"usher/model/entra"
	"usher/model/outlook"
)

// Values are properties of a user by Graph's names, as JSON has them: nil, string, bool, float64, []any, map[string]any.
type Values map[string]any

// longest is how many characters a text may have (Microsoft: resource type user).
func longest(name string) (int, bool) {
	lengths := map[string]int{
		"displayName": 256, "givenName": 64, "surname": 64, "jobTitle": 128, "department": 64, "companyName": 64, "employeeId": 16,
		"employeeType": 64, "officeLocation": 128, "usageLocation": 2, "preferredLanguage": 64, "streetAddress": 1024, "city": 128,
		"state": 128, "postalCode": 40, "country": 128, "mobilePhone": 64, "faxNumber": 64, "mail": 256, "mailNickname": 64,
		"userPrincipalName": 113, "userType": 6,
	}
	n, known := lengths[name]
	return n, known
}

// The properties that an application may not change of somebody with an administrator's role.
func sensitive(name string) bool {
	return slices.Contains([]string{
		"accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails", "passwordProfile", "userPrincipalName",
	}, name)
}

var (
	nickname  = regexp.MustCompile(`^[A-Za-z0-9'._!#^~-]+$`)
	localPart = regexp.MustCompile(`^[A-Za-z0-9'._!#^~-]{1,64}$`)
	address   = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	country   = regexp.MustCompile(`^[A-Za-z]{2}$`)
)

// rules are what the values of properties depend on.
type rules struct {
	domains    []entra.Domain
	extensions []entra.Extension
}

func (d *Directory) rules() rules {
	d.mu.Lock()
	defer d.mu.Unlock()
	return rules{slices.Clone(d.domains), slices.Clone(d.extensions)}
}

func (r rules) domain(name string) (entra.Domain, bool) {
	at := slices.IndexFunc(r.domains, func(one entra.Domain) bool { return strings.EqualFold(one.Name, name) })
	if at < 0 {
		return entra.Domain{}, false
	}
	return r.domains[at], true
}

func (r rules) extension(name string) (entra.Extension, bool) {
	at := slices.IndexFunc(r.extensions, func(e entra.Extension) bool { return e.Name == name })
	if at < 0 {
		return entra.Extension{}, false
	}
	return r.extensions[at], true
}

// put sets properties of a user who is about to be stored.
func (r rules) put(u *simulator.User, values Values) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := r.putOne(u, name, values[name]); err != nil {
			return err
		}
	}
	return nil
}

func (r rules) putOne(u *simulator.User, name string, value any) error {
	switch name {
	case "accountEnabled":
		enabled, ok := value.(bool)
		if !ok {
			return badValue(name)
		}
		u.AccountEnabled = enabled
		return nil
	case "businessPhones":
		list, ok := texts(value)
		if !ok || len(list) > 1 {
			return badValue(name)
		}
		u.BusinessPhone = strings.Join(list, "")
		return nil
	case "otherMails":
		list, ok := texts(value)
		if !ok || len(list) > 250 || slices.ContainsFunc(list, func(mail string) bool { return !address.MatchString(mail) || len(mail) > 250 }) {
			return badValue(name)
		}
		change(u, func(m *simulator.More) { m.OtherMails = list })
		return nil
	case "onPremisesExtensionAttributes":
		return putAttributes(u, value)
	case "passwordProfile":
		return putPassword(u, value)
	case "onPremisesImmutableId":
		return nil
	case "proxyAddresses", "id", "createdDateTime", "deletedDateTime", "assignedLicenses", "onPremisesSyncEnabled":
		return Invalid("Property '%s' is read-only and cannot be set.", name)
	}
	if strings.HasPrefix(name, "extension_") {
		return r.putExtension(u, name, value)
	}
	return r.putText(u, name, value)
}

func (r rules) putText(u *simulator.User, name string, value any) error {
	text, isText := value.(string)
	most, known := longest(name)
	switch {
	case !known:
		return Invalid("Property '%s' does not exist as a declared property or extension property.", name)
	case value != nil && !isText, isText && text == "", len([]rune(text)) > most:
		return badValue(name)
	case value == nil && slices.Contains([]string{"displayName", "userPrincipalName", "mailNickname", "usageLocation", "userType"}, name):
		return badValue(name)
	}
	switch name {
	case "userPrincipalName":
		if err := r.checkName(text); err != nil {
			return err
		}
		u.UserPrincipalName = text
		return nil
	case "mail":
		if text != "" && !address.MatchString(text) {
			return badValue(name)
		}
	case "usageLocation":
		if !country.MatchString(text) {
			return badValue(name)
		}
	case "mailNickname":
		if !nickname.MatchString(text) {
			return badValue(name)
		}
	case "userType":
		if text != "Member" && text != "Guest" {
			return badValue(name)
		}
	}
	u.Set(name, text)
	return nil
}

// checkName refuses a user principal name that the tenant cannot have.
func (r rules) checkName(upn string) error {
	local, domain, _ := strings.Cut(upn, "@")
	if !localPart.MatchString(local) && !strings.Contains(local, "#EXT#") || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") {
		return badValue("userPrincipalName")
	}
	if _, verified := r.domain(domain); !verified {
		e := Invalid("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
		e.Kind = outlook.BadDomain
		return e
	}
	return nil
}

// texts reads a list of strings; null is an empty one.
func texts(value any) ([]string, bool) {
	list, isList := value.([]any)
	if value != nil && !isList {
		return nil, false
	}
	var out []string
	for _, one := range list {
		text, isText := one.(string)
		if !isText {
			return nil, false
		}
		out = append(out, text)
	}
	return out, true
}

// change gives a user a new part of what few people have.
func change(u *simulator.User, with func(*simulator.More)) {
	more := simulator.More{}
	if u.More != nil {
		more = *u.More
	}
	with(&more)
	u.More = &more
}

func putAttributes(u *simulator.User, value any) error {
	fields, ok := value.(map[string]any)
	if !ok {
		return badValue("onPremisesExtensionAttributes")
	}
	for name, one := range fields {
		text, isText := one.(string)
		if one != nil && !isText || len(text) > 1024 || !strings.HasPrefix(name, "extensionAttribute") || !u.Set(name, text) {
			return badValue(name)
		}
	}
	return nil
}

func putPassword(u *simulator.User, value any) error {
	fields, _ := value.(map[string]any)
	password, isText := fields["password"].(string)
	if !isText {
		return badValue("passwordProfile")
	}
	if !strong(password) {
		e := Invalid("The specified password does not comply with password complexity requirements. Please provide a different password.")
		e.Kind = outlook.PasswordPolicy
		return &Error{Failure: *e, Details: []Detail{{Code: "PasswordProhibited", Message: e.Message, Target: "passwordProfile"}}}
	}
	change(u, func(m *simulator.More) { m.Password = password })
	return nil
}

// strong is Entra's rule: eight to 256 characters, of three of four kinds.
func strong(password string) bool {
	kinds := 0
	for _, kind := range []string{`[a-z]`, `[A-Z]`, `[0-9]`, `[^A-Za-z0-9]`} {
		if matched, err := regexp.MatchString(kind, password); err == nil && matched {
			kinds++
		}
	}
	return kinds >= 3 && len(password) >= 8 && len(password) <= 256
}
