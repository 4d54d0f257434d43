package simulator

import (
	"maps"
	"slices"
	"strings"
)

// Properties is a set of what a change changed of a user, by Graph's names of them.
type Properties uint64

// What happened to a user as a whole. A user who was restored has no changed property.
const (
	Created     Properties = 1 << 63 // or gone for good
	SoftDeleted Properties = 1 << 62
	Restored    Properties = 1 << 61
)

// properties are the names, in the order of their bits.
func properties() []string {
	return []string{
		"accountEnabled", "businessPhones", "city", "companyName", "country", "department", "displayName", "employeeId", "employeeType",
		"faxNumber", "givenName", "jobTitle", "mail", "mailNickname", "mobilePhone", "officeLocation", "onPremisesExtensionAttributes",
		"onPremisesSyncEnabled", "otherMails", "postalCode", "preferredLanguage", "proxyAddresses", "state", "streetAddress", "surname",
		"usageLocation", "userPrincipalName", "userType", "manager", "assignedLicenses", "extensions", "signInSessionsValidFromDateTime",
		"passwordProfile",
	}
}

// PropertiesOf gives the set of the properties of those names. All directory extensions are one; names that nobody tracks are
// none.
func PropertiesOf(names ...string) Properties {
	var set Properties
	for _, name := range names {
		set |= propertyOf(name)
	}
	return set
}

func propertyOf(name string) Properties {
	switch {
	case strings.HasPrefix(name, "extension_"):
		name = "extensions"
	case name == "licenseAssignmentStates", name == "assignedPlans":
		name = "assignedLicenses"
	}
	at := slices.Index(properties(), name)
	if at < 0 {
		return 0
	}
	return 1 << at
}

// changed tells what differs between two states of a user.
func changed(before, after User) Properties {
	switch {
	case before.DeletedAt.IsZero() && !after.DeletedAt.IsZero():
		return SoftDeleted
	case !before.DeletedAt.IsZero() && after.DeletedAt.IsZero():
		return Restored
	}
	var set Properties
	for i, name := range properties() {
		if before.Attribute(name) != after.Attribute(name) {
			set |= 1 << i
		}
	}
	if before.UserPrincipalName != after.UserPrincipalName {
		set |= propertyOf("userPrincipalName")
	}
	if before.OnPremisesSync != after.OnPremisesSync {
		set |= propertyOf("onPremisesSyncEnabled")
	}
	if before.Extension != after.Extension && (before.Extension == nil || after.Extension == nil || *before.Extension != *after.Extension) {
		set |= propertyOf("onPremisesExtensionAttributes")
	}
	if before.Mail != after.Mail {
		set |= propertyOf("proxyAddresses")
	}
	return set | changedMore(before.more(), after.more())
}

func changedMore(before, after More) Properties {
	var set Properties
	for name, differs := range map[string]bool{
		"otherMails":                      !slices.Equal(before.OtherMails, after.OtherMails),
		"proxyAddresses":                  !slices.Equal(before.Aliases, after.Aliases),
		"extensions":                      !maps.Equal(before.Extensions, after.Extensions),
		"signInSessionsValidFromDateTime": !before.SessionsFrom.Equal(after.SessionsFrom),
		"passwordProfile":                 before.Password != after.Password,
	} {
		if differs {
			set |= propertyOf(name)
		}
	}
	return set
}

// more gives what few people have, empty where nothing is kept.
func (u User) more() More {
	if u.More == nil {
		return More{}
	}
	return *u.More
}
