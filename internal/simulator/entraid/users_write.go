package entraid

import (
	"context"
	"errors"
	"slices"
	"strings"

	"usher/internal/simulator"
	"usher/model/outlook"
)

// CreateUser makes a user (Graph: POST /users).
func (s *Session) CreateUser(ctx context.Context, values Values) (simulator.User, error) {
	var made simulator.User
	upn, _ := values["userPrincipalName"].(string)
	err := s.do(ctx, call{method: "CreateUser", target: upn, needs: append(writeUsers(), "User.Create"), write: true}, func() error {
		for _, name := range []string{"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"} {
			if value, there := values[name]; !there || value == nil {
				return Invalid("A value is required for property '%s' of resource 'User'.", name)
			}
		}
		u := simulator.User{UserType: "Member", CreatedAt: s.directory.now()}
		r := s.directory.rules()
		if err := r.put(&u, values); err != nil {
			return err
		}
		if err := r.checkFederation(u, values); err != nil {
			return err
		}
		if err := s.directory.checkMail(u); err != nil {
			return err
		}
		var err error
		if made, err = s.directory.tenant.Create(u); err != nil {
			return nameTaken(err)
		}
		s.directory.mu.Lock()
		defer s.directory.mu.Unlock()
		s.directory.made(made.ID)
		return nil
	})
	return made, err
}

// checkFederation wants the immutable id of a user whose domain signs people in elsewhere.
func (r rules) checkFederation(u simulator.User, values Values) error {
	_, domain, _ := strings.Cut(u.UserPrincipalName, "@")
	if one, _ := r.domain(domain); one.Federated && values["onPremisesImmutableId"] == nil {
		return Invalid("One or more properties contains invalid values.")
	}
	return nil
}

// checkMail refuses an address that another object has.
func (d *Directory) checkMail(u simulator.User) error {
	if u.Mail == "" {
		return nil
	}
	taken := false
	d.tenant.Walk(0, 0, func(other simulator.User) bool {
		taken = taken || other.ID != u.ID && !other.Deleted() && slices.ContainsFunc(ProxyAddresses(other), func(proxy string) bool {
			_, mail, _ := strings.Cut(proxy, ":")
			return strings.EqualFold(mail, u.Mail)
		})
		return false
	})
	d.tenant.WalkGroups(0, 0, func(g simulator.Group) bool {
		taken = taken || strings.EqualFold(g.Mail, u.Mail)
		return false
	})
	if taken {
		return conflict(outlook.AddressTaken, "proxyAddresses")
	}
	return nil
}

func nameTaken(err error) error {
	if errors.Is(err, simulator.ErrTaken) {
		return conflict(outlook.Duplicate, "userPrincipalName")
	}
	return err
}

// UpdateUser changes properties of a user (Graph: PATCH /users/{id}).
func (s *Session) UpdateUser(ctx context.Context, ref string, values Values) error {
	what := call{method: "UpdateUser", target: ref, write: true, needs: append(writeUsers(), "User.EnableDisableAccount.All",
		"User-PasswordProfile.ReadWrite.All", "User-Phone.ReadWrite.All", "User-Mail.ReadWrite.All")}
	return s.do(ctx, what, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		if err := s.mayUpdate(u, values); err != nil {
			return err
		}
		next, r := u, s.directory.rules()
		if err := r.put(&next, values); err != nil {
			return err
		}
		if next.Mail != u.Mail {
			if err := s.directory.checkMail(next); err != nil {
				return err
			}
		}
		return nameTaken(s.directory.tenant.Edit(u.ID, func(stored *simulator.User) error {
			return r.put(stored, values)
		}))
	})
}

// mayUpdate refuses what the permissions do not cover, what is sensitive of an administrator, and what Active Directory is the
// master of.
func (s *Session) mayUpdate(u simulator.User, values Values) error {
	narrow := map[string]string{
		"accountEnabled": "User.EnableDisableAccount.All", "mobilePhone": "User-Phone.ReadWrite.All",
		"businessPhones": "User-Phone.ReadWrite.All", "otherMails": "User-Mail.ReadWrite.All",
	}
	for name := range values {
		allowed := s.may(writeUsers()...) || narrow[name] != "" && s.may(narrow[name])
		if name == "passwordProfile" {
			allowed = s.may("User-PasswordProfile.ReadWrite.All", "Directory.AccessAsUser.All")
		}
		if !allowed || sensitive(name) && s.directory.administrator(u.ID) {
			return Denied()
		}
	}
	for name := range values {
		if u.OnPremisesSync && name != "usageLocation" {
			return mastered()
		}
	}
	return nil
}

func (d *Directory) administrator(userID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.admins[userID]
}

// SetManager makes somebody the manager of a user; "" takes the manager away (Graph: PUT and DELETE /users/{id}/manager/$ref).
func (s *Session) SetManager(ctx context.Context, ref, manager string) error {
	return s.do(ctx, call{method: "SetManager", target: ref, needs: writeUsers(), write: true}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		if u.OnPremisesSync {
			return mastered()
		}
		if manager == "" {
			if u.ManagerID == "" {
				return notFound("manager")
			}
			return s.directory.tenant.SetManager(u.ID, "")
		}
		boss, err := s.directory.find(manager)
		if err != nil {
			return notFound(manager)
		}
		if boss.ID == u.ID {
			return Invalid("Invalid value specified for property 'manager' of resource 'User'.")
		}
		return s.directory.tenant.SetManager(u.ID, boss.ID)
	})
}

// Manager gives the manager of a user (Graph: GET /users/{id}/manager).
func (s *Session) Manager(ctx context.Context, ref string) (simulator.User, error) {
	var boss simulator.User
	err := s.do(ctx, call{method: "Manager", target: ref, needs: readUsers()}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		if boss, err = s.directory.find(u.ManagerID); err != nil {
			return notFound("manager")
		}
		return nil
	})
	return boss, err
}

// DeleteUser puts a user among the deleted items (Graph: DELETE /users/{id}).
func (s *Session) DeleteUser(ctx context.Context, ref string) error {
	return s.do(ctx, call{method: "DeleteUser", target: ref, needs: deleteUsers(), write: true}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		if s.directory.administrator(u.ID) {
			return Denied()
		}
		if u.OnPremisesSync {
			return mastered()
		}
		return s.directory.tenant.SoftDelete(u.ID)
	})
}

// findDeleted gives a user among the deleted items.
func (d *Directory) findDeleted(id string) (simulator.User, error) {
	u, ok := d.tenant.User(strings.ToLower(id))
	if !ok || !u.Deleted() {
		return simulator.User{}, noUser(id)
	}
	return u, nil
}

// DeletedUser reads a user among the deleted items (Graph: GET /directory/deletedItems/{id}).
func (s *Session) DeletedUser(ctx context.Context, id string) (simulator.User, error) {
	var found simulator.User
	err := s.do(ctx, call{method: "DeletedUser", target: id, needs: append(readUsers(), deleteUsers()...)}, func() (err error) {
		found, err = s.directory.findDeleted(id)
		return err
	})
	return found, err
}

// RestoreUser takes a user out of the deleted items (Graph: POST /directory/deletedItems/{id}/restore).
func (s *Session) RestoreUser(ctx context.Context, id string) (simulator.User, error) {
	var back simulator.User
	err := s.do(ctx, call{method: "RestoreUser", target: id, needs: deleteUsers(), write: true}, func() error {
		u, err := s.directory.findDeleted(id)
		if err != nil {
			return err
		}
		if s.directory.administrator(u.ID) {
			return Denied()
		}
		if err := s.directory.tenant.Restore(u.ID); err != nil {
			return nameTaken(err)
		}
		back, _ = s.directory.tenant.User(u.ID)
		return nil
	})
	return back, err
}

// PurgeUser deletes a user for good (Graph: DELETE /directory/deletedItems/{id}).
func (s *Session) PurgeUser(ctx context.Context, id string) error {
	return s.do(ctx, call{method: "PurgeUser", target: id, needs: deleteUsers(), write: true}, func() error {
		u, err := s.directory.findDeleted(id)
		if err != nil {
			return err
		}
		return s.directory.tenant.HardDelete(u.ID)
	})
}

// RevokeSessions ends a user's sign-ins everywhere (Graph: POST /users/{id}/revokeSignInSessions).
func (s *Session) RevokeSessions(ctx context.Context, ref string) error {
	needs := append(writeUsers(), "User.RevokeSessions.All")
	return s.do(ctx, call{method: "RevokeSessions", target: ref, needs: needs, write: true}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		if s.directory.administrator(u.ID) {
			return Denied()
		}
		return s.directory.tenant.Edit(u.ID, func(stored *simulator.User) error {
			change(stored, func(m *simulator.More) { m.SessionsFrom = s.directory.now() })
			return nil
		})
	})
}
