package graphapi

import (
	"fmt"
	"slices"
	"strings"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
)

// personProperties are the names that Graph knows of a user and this server holds.
func personProperties() []string {
	return append(userDefaults(), "accountEnabled", "assignedLicenses", "city", "companyName", "country", "createdDateTime",
		"creationType", "deletedDateTime", "department", "employeeId", "employeeType", "externalUserState", "faxNumber",
		"licenseAssignmentStates", "mailNickname", "onPremisesExtensionAttributes", "onPremisesImmutableId", "onPremisesSyncEnabled",
		"otherMails", "postalCode", "proxyAddresses", "securityIdentifier", "signInSessionsValidFromDateTime", "state",
		"streetAddress", "usageLocation", "userType", "manager", "passwordProfile")
}

// person tells one property of a user; nil is null.
func (s *Server) person(u simulator.User, name string) any {
	switch name {
	case "id":
		return u.ID
	case "userPrincipalName":
		return u.UserPrincipalName // as it is stored, also of guests
	case "accountEnabled":
		return u.AccountEnabled
	case "businessPhones":
		if u.BusinessPhone == "" {
			return []string{}
		}
		return []string{u.BusinessPhone}
	case "createdDateTime":
		return u.CreatedAt.UTC().Format("2006-01-02T15:04:05Z")
	case "deletedDateTime":
		if u.DeletedAt.IsZero() {
			return nil
		}
		return u.DeletedAt.UTC().Format("2006-01-02T15:04:05Z")
	case "onPremisesSyncEnabled":
		if !u.OnPremisesSync {
			return nil
		}
		return true
	case "onPremisesExtensionAttributes":
		return extensionAttributes(u)
	case "proxyAddresses":
		return listOf(entraid.ProxyAddresses(u))
	case "otherMails":
		if u.More == nil {
			return []string{}
		}
		return listOf(u.More.OtherMails)
	case "signInSessionsValidFromDateTime":
		if u.More == nil || u.More.SessionsFrom.IsZero() {
			return u.CreatedAt.UTC().Format("2006-01-02T15:04:05Z")
		}
		return u.More.SessionsFrom.UTC().Format("2006-01-02T15:04:05Z")
	case "assignedLicenses", "licenseAssignmentStates":
		return s.personLicences(u, name)
	}
	if isExtension(name) {
		return s.personExtension(u, name)
	}
	return orNull(u.Attribute(name))
}

func (s *Server) personExtension(u simulator.User, name string) any {
	value, has := entraid.DirectoryExtensions(u)[name]
	if !has {
		return nil
	}
	return s.opts.Directory.ExtensionValue(name, value)
}

// extensionAttributes are all fifteen, as Graph tells them.
func extensionAttributes(u simulator.User) object {
	o := object{}
	for i := range len(simulator.ExtensionAttributes{}) {
		var value any
		if u.Extension != nil {
			value = orNull(u.Extension[i])
		}
		o[fmt.Sprintf("extensionAttribute%d", i+1)] = value
	}
	return o
}

func (s *Server) personLicences(u simulator.User, name string) []object {
	out := []object{}
	for _, h := range s.opts.Directory.Tenant().Holdings(u.ID) {
		o := object{"skuId": h.SKUID, "disabledPlans": listOf(h.DisabledPlans)}
		if name == "licenseAssignmentStates" {
			state, failed := "Active", "None"
			if h.Error != "" {
				state, failed = "Error", h.Error
			}
			o["assignedByGroup"], o["state"], o["error"] = orNull(h.Group), state, failed
			o["lastUpdatedDateTime"] = h.At.UTC().Format("2006-01-02T15:04:05Z")
		} else if slices.ContainsFunc(out, func(other object) bool { return other["skuId"] == h.SKUID }) {
			continue
		}
		out = append(out, o)
	}
	return out
}

// renderPerson tells what is selected of a user, the usual properties where nothing is.
func (s *Server) renderPerson(u simulator.User, names []string) object {
	if names == nil {
		names = userDefaults()
	}
	o := object{"id": u.ID}
	for _, name := range names {
		if name != "manager" && name != "passwordProfile" {
			o[name] = s.person(u, name)
		}
	}
	return o
}

// expandManager adds the manager of a user.
func (s *Server) expandManager(o object, u simulator.User) {
	if u.ManagerID == "" {
		return
	}
	if manager, ok := s.opts.Directory.Tenant().User(u.ManagerID); ok && !manager.Deleted() {
		o["manager"] = typed(s.renderPerson(manager, nil), "user")
	}
}

// typed says of which type an object is.
func typed(o object, name string) object {
	o["@odata.type"] = "#microsoft.graph." + name
	return o
}

func (s *Server) getPerson(u simulator.User) func(string) (any, bool) {
	return func(name string) (any, bool) { return s.person(u, name), true }
}

// groupDefaults are what Graph tells of a group without $select.
func groupDefaults() []string {
	return []string{
		"id", "createdDateTime", "description", "displayName", "groupTypes", "isAssignableToRole", "mail", "mailEnabled", "mailNickname",
		"membershipRule", "onPremisesSyncEnabled", "proxyAddresses", "securityEnabled", "visibility",
	}
}

func groupProperties() []string {
	return append(groupDefaults(), "assignedLicenses", "isManagementRestricted", "deletedDateTime", "members", "owners")
}

// property tells one property of a group; nil is null.
func (s *Server) property(g simulator.Group, name string) any {
	switch name {
	case "id":
		return g.ID
	case "createdDateTime":
		return "2020-01-01T08:00:00Z"
	case "description":
		return orNull(g.Description)
	case "displayName":
		return g.DisplayName
	case "groupTypes":
		return listOf(g.GroupTypes)
	case "isAssignableToRole":
		if !g.RoleAssignable {
			return nil
		}
		return true
	case "isManagementRestricted":
		return g.ManagementRestricted
	case "mail":
		return orNull(g.Mail)
	case "mailEnabled":
		return g.MailEnabled
	case "mailNickname":
		return entraid.MailNickname(g)
	case "membershipRule":
		return orNull(g.MembershipRule)
	case "onPremisesSyncEnabled":
		if !g.OnPremisesSync {
			return nil
		}
		return true
	case "proxyAddresses":
		if g.Mail == "" {
			return []string{}
		}
		return []string{"SMTP:" + g.Mail}
	case "securityEnabled":
		return g.SecurityEnabled
	case "visibility":
		return orNull(g.Visibility)
	case "assignedLicenses":
		return s.groupLicences(g)
	}
	return nil
}

func (s *Server) groupLicences(g simulator.Group) []object {
	out := []object{}
	for _, l := range s.opts.Directory.Tenant().GroupLicences(g.ID) {
		out = append(out, object{"skuId": l.SKUID, "disabledPlans": listOf(l.DisabledPlans)})
	}
	return out
}

func (s *Server) renderGroup(g simulator.Group, names []string) object {
	if names == nil {
		names = groupDefaults()
	}
	o := object{"id": g.ID}
	for _, name := range names {
		if name != "members" && name != "owners" {
			o[name] = s.property(g, name)
		}
	}
	return o
}

func (s *Server) getGroup(g simulator.Group) func(string) (any, bool) {
	return func(name string) (any, bool) { return s.property(g, name), true }
}

// less orders by a property, texts in any case.
func less(one, other any) int {
	order, _ := compare(one, other)
	if one == nil || other == nil {
		return strings.Compare(fmt.Sprint(one), fmt.Sprint(other))
	}
	return order
}
