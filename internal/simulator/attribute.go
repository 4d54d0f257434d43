package simulator

import (
	"strconv"
	"strings"
)

// Attribute reads a user's attribute by its Entra name, "" when it has none. Names are those of Graph ("mobilePhone",
// "city", "extensionAttribute1") and of the mapping editor ("objectId", "mobile", "telephoneNumber",
// "physicalDeliveryOfficeName", "facsimileTelephoneNumber"). As in the mapping editor, userPrincipalName of a guest is
// its real address and originalUserPrincipalName the stored name with #EXT#.
func (u User) Attribute(name string) string {
	switch name {
	case "objectId", "id":
		return u.ID
	case "originalUserPrincipalName":
		return u.UserPrincipalName
	case "userPrincipalName":
		return realAddress(u.UserPrincipalName)
	case "manager":
		return u.ManagerID
	case "accountEnabled":
		return stringBool(u.AccountEnabled)
	}
	if n, ok := extensionIndex(name); ok {
		if u.Extension == nil {
			return ""
		}
		return u.Extension[n]
	}
	if u.Address != nil {
		if field := u.Address.field(name); field != nil {
			return *field
		}
	}
	if field := u.field(name); field != nil {
		return *field
	}
	return ""
}

// set writes an attribute. Shared parts are copied first. It reports whether the name is known and writable.
func (u *User) set(name, value string) bool {
	if n, ok := extensionIndex(name); ok {
		own := ExtensionAttributes{}
		if u.Extension != nil {
			own = *u.Extension
		}
		own[n] = value
		u.Extension = &own
		return true
	}
	if field := u.field(name); field != nil {
		*field = value
		return true
	}
	own := Address{}
	if u.Address != nil {
		own = *u.Address
	}
	field := own.field(name)
	if field == nil {
		return false
	}
	*field = value
	u.Address = &own
	return true
}

// field points at a plain attribute.
func (u *User) field(name string) *string {
	switch name {
	case "displayName":
		return &u.DisplayName
	case "givenName":
		return &u.GivenName
	case "surname":
		return &u.Surname
	case "mail":
		return &u.Mail
	case "mailNickname":
		return &u.MailNickname
	case "userType":
		return &u.UserType
	case "jobTitle":
		return &u.JobTitle
	case "department":
		return &u.Department
	case "companyName":
		return &u.CompanyName
	case "employeeId":
		return &u.EmployeeID
	case "employeeType":
		return &u.EmployeeType
	case "usageLocation":
		return &u.UsageLocation
	case "preferredLanguage":
		return &u.PreferredLanguage
	case "mobile", "mobilePhone":
		return &u.MobilePhone
	case "telephoneNumber", "businessPhones":
		return &u.BusinessPhone
	case "facsimileTelephoneNumber", "faxNumber":
		return &u.FaxNumber
	}
	return nil
}

// field points at a part of an address.
func (a *Address) field(name string) *string {
	switch name {
	case "physicalDeliveryOfficeName", "officeLocation":
		return &a.Office
	case "streetAddress":
		return &a.Street
	case "city":
		return &a.City
	case "state":
		return &a.State
	case "postalCode":
		return &a.PostalCode
	case "country":
		return &a.Country
	}
	return nil
}

// extensionIndex finds the element of extensionAttribute1..15.
func extensionIndex(name string) (int, bool) {
	digits, found := strings.CutPrefix(name, "extensionAttribute")
	if !found {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n - 1, err == nil && n >= 1 && n <= len(ExtensionAttributes{})
}

// realAddress undoes the user name of a guest: alias_fabrikam.com#EXT#@contoso.onmicrosoft.com -> alias@fabrikam.com.
func realAddress(upn string) string {
	guest, _, isGuest := strings.Cut(upn, "#EXT#@")
	at := strings.LastIndexByte(guest, '_')
	if !isGuest || at < 0 {
		return upn
	}
	return guest[:at] + "@" + guest[at+1:]
}

// stringBool is how Entra writes a boolean in the legacy dialect.
func stringBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// Set writes a text by its Graph name, "" to clear it. It reports whether the name is known and writable. Shared parts are copied
// first.
func (u *User) Set(name, value string) bool { return u.set(name, value) }
