package entraid

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"usher/internal/simulator"
	"usher/model/entra"
)

// userOf tells a user in the words of model/entra, with the directory extensions that were asked for.
func userOf(u simulator.User, extensions []string) entra.User {
	out := entra.User{
		ID: u.ID, UserPrincipalName: u.UserPrincipalName, Mail: u.Mail, MailNickname: u.MailNickname, UserType: u.UserType,
		AccountEnabled: u.AccountEnabled, OnPremisesSync: u.OnPremisesSync, DisplayName: u.DisplayName, GivenName: u.GivenName,
		Surname: u.Surname, JobTitle: u.JobTitle, Department: u.Department, CompanyName: u.CompanyName, EmployeeID: u.EmployeeID,
		EmployeeType: u.EmployeeType, UsageLocation: u.UsageLocation, PreferredLanguage: u.PreferredLanguage,
		MobilePhone: u.MobilePhone, FaxNumber: u.FaxNumber, ManagerID: u.ManagerID, CreatedAt: u.CreatedAt, DeletedAt: u.DeletedAt,
		ProxyAddresses: ProxyAddresses(u),
	}
	if u.BusinessPhone != "" {
		out.BusinessPhones = []string{u.BusinessPhone}
	}
	if a := u.Address; a != nil {
		out.OfficeLocation, out.StreetAddress, out.City, out.State, out.PostalCode, out.Country = a.Office, a.Street, a.City, a.State, a.PostalCode, a.Country
	}
	if u.Extension != nil {
		out.ExtensionAttributes = map[string]string{}
		for i, value := range u.Extension {
			if value != "" {
				out.ExtensionAttributes[fmt.Sprintf("extensionAttribute%d", i+1)] = value
			}
		}
	}
	if u.More != nil {
		out.OtherMails = slices.Clone(u.More.OtherMails)
		for _, name := range extensions {
			if value, has := u.More.Extensions[name]; has {
				if out.Extensions == nil {
					out.Extensions = map[string]string{}
				}
				out.Extensions[name] = value
			}
		}
	}
	return out
}

// ProxyAddresses are the addresses of a user, the primary one with SMTP in capitals.
func ProxyAddresses(u simulator.User) []string {
	if u.Mail == "" {
		return nil
	}
	list := []string{"SMTP:" + u.Mail}
	if u.More != nil {
		for _, alias := range u.More.Aliases {
			list = append(list, "smtp:"+alias)
		}
	}
	return list
}

// groupOf tells a group in the words of model/entra.
func groupOf(g simulator.Group) entra.Group {
	return entra.Group{
		ID: g.ID, DisplayName: g.DisplayName, Description: g.Description, Mail: g.Mail, MailNickname: MailNickname(g),
		Types: slices.Clone(g.GroupTypes), MailEnabled: g.MailEnabled, SecurityEnabled: g.SecurityEnabled, MembershipRule: g.MembershipRule,
		RoleAssignable: g.RoleAssignable, OnPremisesSync: g.OnPremisesSync, ManagementRestricted: g.ManagementRestricted, Visibility: g.Visibility,
	}
}

// MailNickname is the alias of a group: its own, or one made of its name.
func MailNickname(g simulator.Group) string {
	if g.MailNickname != "" {
		return g.MailNickname
	}
	return strings.Map(func(c rune) rune {
		if c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
			return unicode.ToLower(c)
		}
		return -1
	}, g.DisplayName)
}

// MemberType says what a member of a group is.
func MemberType(row simulator.MemberRow) entra.MemberType {
	if row.Group.ID != "" {
		return entra.MemberGroup
	}
	return entra.MemberUser
}

// DirectoryExtensions are the values that a user has, by the whole names.
func DirectoryExtensions(u simulator.User) map[string]string {
	if u.More == nil {
		return nil
	}
	return maps.Clone(u.More.Extensions)
}
