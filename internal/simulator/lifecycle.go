package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrTaken says that another user has that user principal name.
var ErrTaken = errors.New("the user principal name is taken")

// Hire creates a user. Blank are filled in: ID, user type, display name, alias, user name and mail (from the names),
// employee type. A taken user name gets a number. The new user is enabled and joins the groups of those object ids.
func (t *Tenant) Hire(u User, groupIDs ...string) (User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.GivenName == "" && u.DisplayName == "" {
		return User{}, errors.New("a new user needs a name")
	}
	groups := make([]*groupRecord, 0, len(groupIDs))
	for _, id := range groupIDs {
		g, err := t.group(id)
		if err != nil {
			return User{}, err
		}
		if g.rule != nil {
			return User{}, fmt.Errorf("group %s: %w", g.DisplayName, ErrDynamic)
		}
		groups = append(groups, g)
	}
	t.complete(&u)
	if _, taken := t.people[u.ID]; taken {
		return User{}, fmt.Errorf("user %s exists", u.ID)
	}
	p := t.admit(u)
	t.note(UserChanged, p.ID, "", Created)
	for _, g := range groups {
		t.join(g, p.ID)
	}
	t.applyRules(p)
	return p.User, nil
}

// Create stores a user as it is; blank are filled in: ID, user type, alias. A user name that somebody has, also a soft-deleted
// user, is refused.
func (t *Tenant) Create(u User) (User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.UserPrincipalName == "" || u.DisplayName == "" {
		return User{}, errors.New("a new user needs a name and a user principal name")
	}
	if t.byUPN[strings.ToLower(u.UserPrincipalName)] != nil {
		return User{}, fmt.Errorf("%s: %w", u.UserPrincipalName, ErrTaken)
	}
	enabled := u.AccountEnabled
	employee := u.EmployeeType
	t.complete(&u)
	u.AccountEnabled, u.EmployeeType = enabled, employee
	if _, taken := t.people[u.ID]; taken {
		return User{}, fmt.Errorf("user %s exists", u.ID)
	}
	p := t.store(u)
	t.note(UserChanged, p.ID, "", Created)
	t.applyRules(p)
	return p.User, nil
}

// Edit changes a user by a function that is given a copy; all that it does is one change. The user principal name must stay
// unique. Parts that are shared must be made anew.
func (t *Tenant) Edit(id string, change func(*User) error) error {
	return t.edit(id, func(p *person) error {
		next := p.User
		if err := change(&next); err != nil {
			return err
		}
		if next.UserPrincipalName != p.UserPrincipalName {
			if err := t.rename(p, next.UserPrincipalName); err != nil {
				return err
			}
		}
		next.ID, next.DeletedAt = p.ID, p.DeletedAt
		p.User = next
		return nil
	})
}

// complete fills the blanks of a new user.
func (t *Tenant) complete(u *User) {
	if u.ID == "" {
		u.ID = t.mint()
	}
	if u.DisplayName == "" {
		u.DisplayName = strings.TrimSpace(u.GivenName + " " + u.Surname)
	}
	if u.UserPrincipalName == "" {
		u.UserPrincipalName = t.aliasOf(u.GivenName, u.Surname) + "@" + t.domain
		if u.Mail == "" {
			u.Mail = u.UserPrincipalName
		}
	}
	if u.MailNickname == "" {
		u.MailNickname, _, _ = strings.Cut(u.UserPrincipalName, "@")
	}
	if u.UserType == "" {
		u.UserType = "Member"
	}
	if u.EmployeeType == "" && u.UserType == "Member" {
		u.EmployeeType = "Employee"
	}
	u.AccountEnabled, u.CreatedAt, u.DeletedAt = true, t.now().UTC(), time.Time{}
}

// Disable turns sign-in off (accountEnabled=false).
func (t *Tenant) Disable(id string) error {
	return t.edit(id, func(p *person) error { p.AccountEnabled = false; return nil })
}

// Enable turns sign-in on.
func (t *Tenant) Enable(id string) error {
	return t.edit(id, func(p *person) error { p.AccountEnabled = true; return nil })
}

// SoftDelete moves a user to the deleted items, where it keeps its groups, and renames it as Entra does: the object id
// without dashes in front of the user principal name.
func (t *Tenant) SoftDelete(id string) error {
	return t.edit(id, func(p *person) error {
		if !p.DeletedAt.IsZero() {
			return fmt.Errorf("user %s is deleted already", id)
		}
		p.DeletedAt = t.now().UTC()
		return t.rename(p, tombstone(id)+p.UserPrincipalName)
	})
}

// Restore brings a soft-deleted user back under its old name.
func (t *Tenant) Restore(id string) error {
	return t.edit(id, func(p *person) error {
		if p.DeletedAt.IsZero() {
			return fmt.Errorf("user %s is not deleted", id)
		}
		if err := t.rename(p, strings.TrimPrefix(p.UserPrincipalName, tombstone(id))); err != nil {
			return err
		}
		p.DeletedAt = time.Time{}
		return nil
	})
}

// tombstone is what Entra puts in front of the user principal name of a deleted user.
func tombstone(id string) string { return strings.ReplaceAll(id, "-", "") }

// HardDelete removes a user for good, soft-deleted or not. Groups lose it without a membership change of their own, as
// in Graph; people who reported to it have no manager.
func (t *Tenant) HardDelete(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.person(id)
	if err != nil {
		return err
	}
	for _, g := range p.groups {
		g.drop(id)
	}
	delete(t.people, id)
	delete(t.byUPN, strings.ToLower(p.UserPrincipalName))
	t.order = slices.DeleteFunc(t.order, func(other *person) bool { return other == p })
	t.note(UserChanged, id, "", Created)
	for _, report := range t.order {
		if report.ManagerID == id {
			report.ManagerID = ""
			t.noteUser(report.ID, id, propertyOf("manager"))
		}
	}
	return nil
}

// Rename gives a user new names and, from them, a new user principal name, alias and, where there was one, mail address.
func (t *Tenant) Rename(id, givenName, surname string) (User, error) {
	var renamed User
	err := t.edit(id, func(p *person) error {
		alias := t.aliasOf(givenName, surname)
		upn := alias + "@" + t.domain
		if err := t.rename(p, upn); err != nil {
			return err
		}
		p.GivenName, p.Surname, p.DisplayName, p.MailNickname = givenName, surname, strings.TrimSpace(givenName+" "+surname), alias
		if p.Mail != "" {
			p.Mail = upn
		}
		renamed = p.User
		return nil
	})
	return renamed, err
}

// SetManager sets the manager; an empty managerID takes it away.
func (t *Tenant) SetManager(id, managerID string) error {
	return t.edit(id, func(p *person) error {
		if managerID != "" {
			if _, err := t.person(managerID); err != nil {
				return err
			}
			if managerID == id {
				return fmt.Errorf("user %s cannot be its own manager", id)
			}
		}
		p.ManagerID = managerID
		return nil
	})
}

// SetAttribute sets an attribute by its Graph name, e.g. "jobTitle", "city", "extensionAttribute3", "userPrincipalName".
// An empty value clears it. [User.Attribute] reads by the same names.
func (t *Tenant) SetAttribute(id, name, value string) error {
	return t.edit(id, func(p *person) error {
		if name == "userPrincipalName" {
			return t.rename(p, value)
		}
		if !p.set(name, value) {
			return fmt.Errorf("attribute %q is unknown or cannot be set", name)
		}
		return nil
	})
}

// edit runs a change of one user under the lock; when it succeeds, the user counts as changed and dynamic groups look again.
func (t *Tenant) edit(id string, change func(*person) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.person(id)
	if err != nil {
		return err
	}
	before := p.User
	if err := change(p); err != nil {
		return err
	}
	t.noteUser(id, before.ManagerID, changed(before, p.User))
	t.applyRules(p)
	return nil
}

// rename changes the user principal name, which is unique without regard to case. The caller holds the lock.
func (t *Tenant) rename(p *person, upn string) error {
	key := strings.ToLower(upn)
	if upn == "" {
		return errors.New("a user needs a user principal name")
	}
	if other := t.byUPN[key]; other != nil && other != p {
		return fmt.Errorf("%s: %w", upn, ErrTaken)
	}
	delete(t.byUPN, strings.ToLower(p.UserPrincipalName))
	p.UserPrincipalName = upn
	t.byUPN[key] = p
	return nil
}
