package exchange

import (
	"slices"
	"strings"
)

// Follow makes an account what the directory says of it: its names, whether it may sign in, whether it is among the deleted ones, and
// whether it has a mailbox. An account that is not known and has none is passed over, and so is one whose name somebody else has.
// A mailbox that is on premises stays there.
func (t *Tenant) Follow(n NewUser, deleted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := slices.IndexFunc(t.users, func(u *user) bool { return strings.EqualFold(u.id, n.ID) })
	if at < 0 {
		if !deleted && n.Hosting == Hosted && t.find(n.UPN) == nil {
			t.addUser(n)
		}
		return
	}
	u := t.users[at]
	u.name, u.upn, u.enabled = n.Name, n.UPN, !n.Disabled
	if u.mail = n.Mail; u.mail == "" {
		u.mail = n.UPN
	}
	if u.hosting == NoLicence && n.Hosting == Hosted {
		t.forget(u.box)
		u.box = t.newMailbox(u)
	}
	if u.hosting != OnPremises {
		u.hosting = n.Hosting
	}
	if u.hosting != Hosted {
		t.dropSubscriptions(u)
	}
	if u.deleted != deleted {
		t.setDeleted(u, deleted)
	}
}

// Forget takes an account out of the tenant for good: nothing of it can be read any more.
func (t *Tenant) Forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := slices.IndexFunc(t.users, func(u *user) bool { return strings.EqualFold(u.id, id) }); at >= 0 {
		t.setDeleted(t.users[at], true)
		t.users[at].id = "gone " + t.users[at].id
		t.users[at].upn, t.users[at].mail = t.users[at].id, t.users[at].id
	}
}
