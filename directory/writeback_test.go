package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

// fakeEntra is a tenant in memory that does what Graph documents, and fails where it is told to.
type fakeEntra struct {
	directory.TenantReader // what is not faked must not be called

	mu       sync.Mutex
	now      func() time.Time
	org      entraid.Organization
	users    map[string]*entraid.User // by object id
	deleted  map[string]*entraid.User
	groups   map[string]*entraid.Group
	members  map[string][]string // group -> users
	skus     []entraid.SKU
	licences map[string][]entraid.Licence // by user
	granted  []string
	created  int
	password string   // of the user who was made last
	calls    []string // every write that arrived

	// fail, where set, is asked before and after a call is carried out.
	fail func(call string, after bool) error
}

func newFakeEntra(now func() time.Time) *fakeEntra {
	return &fakeEntra{
		now:   now,
		org:   entraid.Organization{ID: "t", DisplayName: "Contoso", Domains: []entraid.Domain{{Name: "contoso.com", IsDefault: true}, {Name: "contoso.onmicrosoft.com", Initial: true}, {Name: "fed.contoso.com", Federated: true}}},
		users: map[string]*entraid.User{}, deleted: map[string]*entraid.User{}, groups: map[string]*entraid.Group{}, members: map[string][]string{},
		licences: map[string][]entraid.Licence{}, granted: []string{"User.ReadWrite.All", "GroupMember.ReadWrite.All", "LicenseAssignment.ReadWrite.All"},
		skus: []entraid.SKU{{ID: "sku-e3", PartNumber: "SPE_E3", AppliesTo: "User", Status: "Enabled", Enabled: 5}},
	}
}

// call notes a write, and lets the test fail it.
func (f *fakeEntra) call(name string, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		if err := f.fail(name, false); err != nil {
			return err
		}
	}
	f.calls = append(f.calls, name)
	if err := do(); err != nil {
		return err
	}
	if f.fail != nil {
		return f.fail(name, true)
	}
	return nil
}

func (f *fakeEntra) look(name string, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		if err := f.fail(name, false); err != nil {
			return err
		}
	}
	return do()
}

func notThere(what string) error {
	return &outlook.Error{Kind: outlook.NoUser, Status: 404, Code: "Request_ResourceNotFound", Message: "Resource '" + what + "' does not exist"}
}

func (f *fakeEntra) Permissions(context.Context) ([]string, error) { return f.granted, nil }

func (f *fakeEntra) Organization(context.Context) (org entraid.Organization, err error) {
	err = f.look("organization", func() error { org = f.org; return nil })
	return org, err
}

func (f *fakeEntra) find(ref string) *entraid.User {
	for _, u := range f.users {
		if u.ID == ref || strings.EqualFold(u.UserPrincipalName, ref) {
			return u
		}
	}
	return nil
}

func (f *fakeEntra) TenantUser(_ context.Context, ref string, _ []string) (u entraid.User, err error) {
	err = f.look("user", func() error {
		found := f.find(ref)
		if found == nil {
			return notThere(ref)
		}
		u = *found
		return nil
	})
	return u, err
}

func (f *fakeEntra) DeletedUsers(context.Context, string) (p entraid.UserPage, err error) {
	err = f.look("deleted", func() error {
		for _, u := range f.deleted {
			p.Users = append(p.Users, *u)
		}
		return nil
	})
	return p, err
}

func (f *fakeEntra) Group(_ context.Context, id string) (g entraid.Group, err error) {
	err = f.look("group", func() error {
		if f.groups[id] == nil {
			return &outlook.Error{Kind: outlook.NotFound, Status: 404, Code: "Request_ResourceNotFound"}
		}
		g = *f.groups[id]
		return nil
	})
	return g, err
}

func (f *fakeEntra) GroupsOf(_ context.Context, user string) (list []entraid.Group, err error) {
	err = f.look("groups", func() error {
		for id, members := range f.members {
			if slices.Contains(members, user) {
				list = append(list, *f.groups[id])
			}
		}
		slices.SortFunc(list, func(a, b entraid.Group) int { return strings.Compare(a.ID, b.ID) })
		return nil
	})
	return list, err
}

func (f *fakeEntra) SKUs(context.Context) (list []entraid.SKU, err error) {
	err = f.look("skus", func() error { list = slices.Clone(f.skus); return nil })
	return list, err
}

func (f *fakeEntra) Licences(_ context.Context, user string) (list []entraid.Licence, err error) {
	err = f.look("licences", func() error { list = slices.Clone(f.licences[user]); return nil })
	return list, err
}

func (f *fakeEntra) CreateUser(_ context.Context, in entraid.NewUser) (u entraid.User, err error) {
	err = f.call("create", func() error {
		if f.find(in.UserPrincipalName) != nil {
			return &outlook.Error{Kind: outlook.Duplicate, Status: 400, Code: "Request_BadRequest", Message: "Another object with the same value for property userPrincipalName already exists."}
		}
		f.created++
		f.password = in.Password
		made := entraid.User{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", f.created), UserPrincipalName: in.UserPrincipalName, MailNickname: in.MailNickname, AccountEnabled: in.Enabled,
			CreatedAt: f.now(),
		}
		set(&made, &in.UserChange)
		f.users[made.ID] = &made
		u = made
		return nil
	})
	return u, err
}

func set(u *entraid.User, c *entraid.UserChange) {
	for name, value := range c.Set {
		switch name {
		case "displayName":
			u.DisplayName = value
		case "givenName":
			u.GivenName = value
		case "surname":
			u.Surname = value
		case "department":
			u.Department = value
		case "jobTitle":
			u.JobTitle = value
		case "usageLocation":
			u.UsageLocation = value
		case "mail":
			u.Mail = value
		case "userPrincipalName":
			u.UserPrincipalName = value
		default:
			panic("the fake does not know " + name)
		}
	}
	if c.ManagerID != nil {
		u.ManagerID = *c.ManagerID
	}
	if c.Enabled != nil {
		u.AccountEnabled = *c.Enabled
	}
}

// on does something to a user who is there.
func (f *fakeEntra) on(call, id string, do func(*entraid.User) error) error {
	return f.call(call, func() error {
		u := f.users[id]
		if u == nil {
			return notThere(id)
		}
		return do(u)
	})
}

func (f *fakeEntra) UpdateUser(_ context.Context, id string, c entraid.UserChange) error {
	name := "update"
	if c.Enabled != nil && !*c.Enabled {
		name = "disable"
	}
	return f.on(name, id, func(u *entraid.User) error { set(u, &c); return nil })
}

func (f *fakeEntra) DeleteUser(_ context.Context, id string) error {
	return f.on("delete", id, func(u *entraid.User) error {
		f.deleted[id] = u
		delete(f.users, id)
		return nil
	})
}

func (f *fakeEntra) RestoreUser(_ context.Context, id string) (u entraid.User, err error) {
	err = f.call("restore", func() error {
		gone := f.deleted[id]
		if gone == nil {
			return notThere(id)
		}
		if f.find(gone.UserPrincipalName) != nil {
			return &outlook.Error{Kind: outlook.Conflict, Status: 409, Code: "ObjectConflict"}
		}
		f.users[id] = gone
		delete(f.deleted, id)
		u = *gone
		return nil
	})
	return u, err
}

func (f *fakeEntra) RevokeSessions(_ context.Context, id string) error {
	return f.on("revoke", id, func(*entraid.User) error { return nil })
}

func (f *fakeEntra) AddMember(_ context.Context, group, user string) error {
	return f.on("add "+group, user, func(*entraid.User) error {
		if slices.Contains(f.members[group], user) {
			return &outlook.Error{Kind: outlook.Duplicate, Status: 400}
		}
		f.members[group] = append(f.members[group], user)
		return nil
	})
}

func (f *fakeEntra) RemoveMember(_ context.Context, group, user string) error {
	return f.on("remove "+group, user, func(*entraid.User) error {
		at := slices.Index(f.members[group], user)
		if at < 0 {
			return &outlook.Error{Kind: outlook.NotFound, Status: 404}
		}
		f.members[group] = slices.Delete(f.members[group], at, at+1)
		return nil
	})
}

func (f *fakeEntra) AssignLicences(_ context.Context, user string, add []entraid.Licence, remove []string) error {
	return f.on("licences", user, func(u *entraid.User) error {
		if len(add) > 0 && u.UsageLocation == "" {
			return &outlook.Error{Kind: outlook.Invalid, Status: 400, Message: "License assignment cannot be done for user with invalid usage location."}
		}
		f.licences[user] = slices.DeleteFunc(f.licences[user], func(l entraid.Licence) bool {
			return l.Group == "" && slices.Contains(remove, l.SKUID)
		})
		f.licences[user] = append(f.licences[user], add...)
		return nil
	})
}

// tenant gives the world an integration that may write everything, with a tenant behind it.
func (w *world) tenant() *fakeEntra {
	w.Helper()
	f := newFakeEntra(w.clock.Now)
	w.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) { return f, nil }
	_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error {
		i.WriteBack = model.WriteBack{Create: true, Update: true, Delete: true}
		return nil
	}, nil)
	w.ok(err)
	w.drain()
	return f
}

// work works an operation until it has ended, moving the clock where it is to wait.
func (w *world) operate(o model.Operation) model.Operation {
	w.Helper()
	for range 200 {
		w.tryOperation(o)
		o = w.operation(o.ID)
		if o.FinishedAt != nil {
			return o
		}
		w.clock.move(max(o.NextAt.Sub(w.clock.Now()), 15*time.Second))
	}
	w.Fatalf("operation %+v does not end", o)
	return o
}

// tryOperation works an operation once, as the job would.
func (w *world) tryOperation(o model.Operation) {
	w.Helper()
	err := w.svc.WorkOperation(w.ctx, directory.WorkOperation{OrganizationID: w.org, OperationID: o.ID})
	if err == nil || strings.HasPrefix(err.Error(), "throttled") || w.ctx.Err() != nil {
		return
	}
	w.ok(err)
}

func (w *world) operation(id string) model.Operation {
	w.Helper()
	o, err := w.svc.Operation(w.ctx, w.org, id)
	w.ok(err)
	return o
}

// entraUser is a user of the fake tenant.
type entraUser = entraid.User
