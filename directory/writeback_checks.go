package directory

import (
	"slices"
	"strings"

	"usher/model"
	"usher/model/entra"
)

// changeable says why the members of a group cannot be changed over Graph (Graph: working with groups).
func changeable(g *entra.Group) error {
	switch {
	case slices.ContainsFunc(g.Types, func(t string) bool { return strings.EqualFold(t, "DynamicMembership") }) || g.MembershipRule != "":
		return refuse(codeGroupDynamic, "group %s is dynamic: its members follow from its rule (%s), so change the rule, or what it looks at", g.DisplayName, g.MembershipRule)
	case g.OnPremisesSync:
		return refuse(codeGroupOnPrem, "group %s is synchronised from Active Directory: change its members there", g.DisplayName)
	case g.MailEnabled && !unified(g) && g.SecurityEnabled:
		return refuse(codeGroupMail, "group %s is a mail-enabled security group, which Graph cannot change: change its members in the Exchange admin centre", g.DisplayName)
	case g.MailEnabled && !unified(g):
		return refuse(codeGroupList, "group %s is a distribution list, which Graph cannot change: change its members in the Exchange admin centre", g.DisplayName)
	case g.RoleAssignable:
		return refuse(codeGroupRole, "group %s gives an administrator role: its members are changed by a Privileged Role Administrator in the Entra admin centre", g.DisplayName)
	case g.ManagementRestricted:
		return refuse(codeGroupManaged, "group %s is in a restricted management administrative unit: its members are changed by that unit's administrators", g.DisplayName)
	}
	return nil
}

func unified(g *entra.Group) bool {
	return slices.ContainsFunc(g.Types, func(t string) bool { return strings.EqualFold(t, "Unified") })
}

// writableTenant refuses a tenant whose people come from Active Directory.
func writableTenant(org *entra.Organization) error {
	if org.OnPremisesSync {
		return refuse(codeHybridTenant, "the people of tenant %s are synchronised from Active Directory, which is their master: make the change there, and it arrives in Entra by itself", org.DisplayName)
	}
	return nil
}

func writableUser(u *entra.User) error {
	if u.OnPremisesSync {
		return refuse(codeHybridUser, "%s is synchronised from Active Directory, which is the user's master: make the change there, and it arrives in Entra by itself", u.UserPrincipalName)
	}
	return nil
}

// inVerifiedDomain refuses an address whose domain the tenant has not verified. A federated domain is refused for new names:
// its users need an immutable id and have their passwords elsewhere.
func inVerifiedDomain(org *entra.Organization, address string, name bool) error {
	_, domain, _ := strings.Cut(address, "@")
	var known []string
	for _, d := range org.Domains {
		if strings.EqualFold(d.Name, domain) {
			if d.Federated && name {
				return refuse(codeFederated, "domain %s is federated: its users sign in, and are made, with the identity provider behind it", d.Name)
			}
			return nil
		}
		known = append(known, d.Name)
	}
	return refuse(codeDomain, "%s is not in a verified domain of the tenant, which are: %s", address, strings.Join(known, ", "))
}

// assignable says why a product cannot be given to one more user. location is the user's.
func assignable(skus []entra.SKU, id, location string) (entra.SKU, error) {
	at := slices.IndexFunc(skus, func(s entra.SKU) bool { return strings.EqualFold(s.ID, id) })
	if at < 0 {
		return entra.SKU{}, refuse(codeNoLicence, "the tenant has not subscribed to product %s", id)
	}
	s := skus[at]
	switch {
	case s.AppliesTo != "" && s.AppliesTo != "User":
		return s, refuse(codeNotAssignable, "product %s is the company's and is not assigned to users", s.PartNumber)
	case s.Status != "" && s.Status != "Enabled" && s.Status != "Warning":
		return s, refuse(codeNotAssignable, "the tenant's subscription of product %s is %s: renew it first", s.PartNumber, strings.ToLower(s.Status))
	case s.Free() == 0:
		return s, refuse(codeNoSeats, "no seat of product %s is free (%d of %d are used): buy more, or take one from somebody else", s.PartNumber, s.Consumed, s.Enabled+s.Warning)
	case location == "":
		return s, refuse(codeNoLocation, "the user has no usage location, without which Microsoft gives no licence: set usage_location first, such as DK")
	}
	return s, nil
}

// directly finds the licence that was assigned to the user, and the groups that give it besides.
func directly(list []entra.Licence, sku string) (direct *entra.Licence, groups []string) {
	for i := range list {
		switch l := &list[i]; {
		case !strings.EqualFold(l.SKUID, sku):
		case l.Group == "":
			direct = l
		default:
			groups = append(groups, l.Group)
		}
	}
	return direct, groups
}

// changedNames names the properties that a change sets, for the journal: none of their values.
func changedNames(c *entra.UserChange) []string {
	names := make([]string, 0, len(c.Set)+2)
	for name := range c.Set {
		names = append(names, EntraField(name))
	}
	if c.ManagerID != nil {
		names = append(names, "manager_id")
	}
	if c.Enabled != nil {
		names = append(names, "account_enabled")
	}
	slices.Sort(names)
	return names
}

// valueOf gives a property of a user by Graph's name.
func valueOf(u *entra.User, name string) string {
	if isExtensionAttribute(name) {
		return u.ExtensionAttributes[name]
	}
	return map[string]string{
		"displayName": u.DisplayName, "givenName": u.GivenName, "surname": u.Surname, "mail": u.Mail, "mailNickname": u.MailNickname,
		"jobTitle": u.JobTitle, "department": u.Department, "companyName": u.CompanyName, "employeeId": u.EmployeeID,
		"officeLocation": u.OfficeLocation, "usageLocation": u.UsageLocation, "preferredLanguage": u.PreferredLanguage,
		"streetAddress": u.StreetAddress, "city": u.City, "state": u.State, "postalCode": u.PostalCode, "country": u.Country,
		"mobilePhone": u.MobilePhone, "userPrincipalName": u.UserPrincipalName,
	}[name]
}

// remaining gives what of a request the user does not have yet.
func remaining(r *model.OperationRequest, u *entra.User) entra.UserChange {
	c := entra.UserChange{Set: map[string]string{}}
	for name, value := range r.Profile {
		if valueOf(u, name) != value {
			c.Set[name] = value
		}
	}
	if r.ManagerID != nil && !strings.EqualFold(*r.ManagerID, u.ManagerID) {
		c.ManagerID = r.ManagerID
	}
	if r.Enabled != nil && *r.Enabled != u.AccountEnabled {
		c.Enabled = r.Enabled
	}
	return c
}
