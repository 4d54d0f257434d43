package exchange

import (
	"fmt"
	"slices"
	"strings"

	"usher/model/outlook"
)

// Hosting says where somebody's mailbox is.
type Hosting int

// The places of mailboxes.
const (
	Hosted     Hosting = iota // in the tenant
	NoLicence                 // there is none
	OnPremises                // Graph does not reach it
)

// NewUser is somebody to be added to the tenant.
type NewUser struct {
	ID       string // object id; made where empty
	Name     string
	UPN      string // made of the name where empty: ada.lovelace@…
	Mail     string // the UPN where empty
	Disabled bool
	Hosting  Hosting
}

// NewRoom is a room to be added to the tenant.
type NewRoom struct {
	Name     string
	Mail     string // made of the name where empty
	Capacity int
	Building string
	Floor    string
	Manual   bool // a person answers for it, never the mailbox
}

// user is an account, with its mailbox where it has one.
type user struct {
	id, name, upn, mail string
	enabled, deleted    bool
	hosting             Hosting
	box                 *mailbox
	room                *room
}

type room struct {
	user  *user
	place outlook.Room
	auto  bool
}

type group struct {
	id      string
	members []*user
}

// AddUser adds somebody. The answer is what Client.User gives.
func (t *Tenant) AddUser(n NewUser) outlook.User {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.addUser(n).shown()
}

func (t *Tenant) addUser(n NewUser) *user {
	u := &user{id: n.ID, name: n.Name, upn: n.UPN, mail: n.Mail, enabled: !n.Disabled, hosting: n.Hosting}
	if u.id == "" {
		u.id = t.guid()
	}
	if u.upn == "" {
		u.upn = t.addressOf(n.Name)
	}
	if u.mail == "" {
		u.mail = u.upn
	}
	t.users = append(t.users, u)
	u.box = t.newMailbox(u)
	return u
}

func (t *Tenant) addressOf(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), ".")) + "@" + t.options.Domain
}

func (u *user) shown() outlook.User {
	return outlook.User{ID: u.id, UserPrincipalName: u.upn, Mail: u.mail, DisplayName: u.name, AccountEnabled: u.enabled}
}

// AddRoom adds a room with its mailbox, which answers invitations by itself.
func (t *Tenant) AddRoom(n NewRoom) outlook.Room {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &room{auto: !n.Manual}
	r.user = t.addUser(NewUser{Name: n.Name, UPN: n.Mail, Disabled: true})
	r.user.room = r
	r.place = outlook.Room{PlaceID: t.guid(), Email: r.user.mail, DisplayName: n.Name, Capacity: n.Capacity, Building: n.Building, Floor: n.Floor}
	t.rooms = append(t.rooms, r)
	return r.place
}

// RemoveRoom takes a room, with its account, out of the tenant.
func (t *Tenant) RemoveRoom(email string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rooms = slices.DeleteFunc(t.rooms, func(r *room) bool { return strings.EqualFold(r.place.Email, email) })
	if u := t.find(email); u != nil {
		t.setDeleted(u, true)
	}
}

// AddGroup adds a group with the users of the given references as its members; its id is answered.
func (t *Tenant) AddGroup(members ...string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := &group{id: t.guid()}
	t.groups[g.id] = g
	for _, ref := range members {
		g.members = append(g.members, t.must(ref))
	}
	return g.id
}

// SetMembers replaces the members of a group.
func (t *Tenant) SetMembers(id string, members ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.groups[id]
	g.members = nil
	for _, ref := range members {
		g.members = append(g.members, t.must(ref))
	}
}

// SetHosting moves somebody's mailbox. One that comes back from NoLicence is new: empty, with other ids.
func (t *Tenant) SetHosting(ref string, hosting Hosting) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.must(ref)
	if u.hosting == NoLicence && hosting == Hosted {
		t.forget(u.box)
		u.box = t.newMailbox(u)
	}
	if hosting != Hosted {
		t.dropSubscriptions(u)
	}
	u.hosting = hosting
}

// SetEnabled says whether the account may sign in; the mailbox stays as it is.
func (t *Tenant) SetEnabled(ref string, enabled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must(ref).enabled = enabled
}

// DeleteUser moves an account to the deleted ones: nothing of it can be read, its subscriptions are gone.
func (t *Tenant) DeleteUser(ref string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setDeleted(t.must(ref), true)
}

// RestoreUser brings a deleted account back, with what its mailbox held. ref is the object id.
func (t *Tenant) RestoreUser(ref string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setDeleted(t.must(ref), false)
}

func (t *Tenant) setDeleted(u *user, deleted bool) {
	u.deleted = deleted
	if deleted {
		t.dropSubscriptions(u)
	}
}

// Block shuts a mailbox off from applications by policy, or opens it again.
func (t *Tenant) Block(ref string, blocked bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must(ref).box.blocked = blocked
}

// find gives the account of an object id, a user principal name or an address; nil where there is none.
func (t *Tenant) find(ref string) *user {
	for _, u := range t.users {
		if strings.EqualFold(u.id, ref) || strings.EqualFold(u.upn, ref) || strings.EqualFold(u.mail, ref) {
			return u
		}
	}
	return nil
}

// must is for whoever wrote the test or the demonstration: a name that nobody has is a mistake of theirs.
func (t *Tenant) must(ref string) *user {
	u := t.find(ref)
	if u == nil {
		panic(fmt.Sprintf("exchange: nobody is called %q", ref))
	}
	return u
}

// reach gives somebody's mailbox, as an application finds it.
func (t *Tenant) reach(ref string) (*mailbox, error) {
	u := t.find(ref)
	if u == nil || u.deleted {
		return nil, noUser(ref)
	}
	if u.hosting != Hosted {
		return nil, noMailbox()
	}
	if u.box.blocked {
		return nil, blockedByPolicy()
	}
	return u.box, nil
}
