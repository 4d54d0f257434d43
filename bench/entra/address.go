package entra

import (
	"fmt"
	"net/url"
	"strings"
)

// Filters in the wording of Entra, and one no client of Entra sends but an
// administrator's script might.

// ByUserName addresses the users of that name: none or one.
func ByUserName(userName string) string {
	return users(fmt.Sprintf("userName eq %q", userName))
}

// ByUserNameInCapitals addresses the same user; userName is case-insensitive (RFC 7643 §4.1.1).
func ByUserNameInCapitals(userName string) string { return ByUserName(strings.ToUpper(userName)) }

// ByExternalID addresses the user with that object id.
func ByExternalID(externalID string) string {
	return users(fmt.Sprintf("externalId eq %q", externalID))
}

// ByWorkMail addresses the user with that address. The filter is Entra's own: RFC
// 7644 §3.4.2.2 allows no sub-attribute after a value path.
func ByWorkMail(address string) string {
	return users(fmt.Sprintf(`emails[type eq "work"].value eq %q`, address))
}

// Engineers addresses the first fifty active engineers of a department.
func Engineers(department string) string {
	return users(fmt.Sprintf(`%s:department eq %q and (title co "Engineer" or name.familyName eq "Hopper") and active eq true`,
		EnterpriseSchema, department)) + "&count=50"
}

// Page addresses a page of all users, counted from 1 (RFC 7644 §3.4.2.4).
func Page(start, count int) string {
	return fmt.Sprintf("/Users?startIndex=%d&count=%d", start, count)
}

// User addresses one user.
func User(id string) string { return "/Users/" + id }

// Group addresses one group, with its members.
func Group(id string) string { return "/Groups/" + id }

// GroupAlone addresses one group as Entra reads it, without its members.
func GroupAlone(id string) string { return Group(id) + "?excludedAttributes=members" }

// ByDisplayName addresses the groups of that name, without members.
func ByDisplayName(displayName string) string {
	return groups(fmt.Sprintf("displayName eq %q", displayName))
}

// Membership addresses the group if the user is a member of it: Entra's way to
// ask without reading the members.
func Membership(group, user string) string {
	return groups(fmt.Sprintf("id eq %q and members eq %q", group, user))
}

func users(filter string) string { return "/Users?filter=" + url.QueryEscape(filter) }

func groups(filter string) string {
	return "/Groups?excludedAttributes=members&filter=" + url.QueryEscape(filter)
}
