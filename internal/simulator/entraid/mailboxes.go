package entraid

import (
	"usher/internal/simulator"
	"usher/internal/simulator/exchange"
)

// SyncMailboxes lets mailboxes follow what has happened to people since it was called last: somebody gets one with the licence that it
// belongs to, and an address with it.
func (d *Directory) SyncMailboxes() {
	if d.options.Mailboxes == nil {
		return
	}
	d.syncing.Lock()
	defer d.syncing.Unlock()
	for d.tenant.Sequence() != d.synced || !d.seeded {
		upTo := d.tenant.Sequence()
		if d.seeded {
			d.follow(d.changed(d.synced, upTo))
		} else {
			d.follow(d.tenant.UserIDs())
		}
		d.synced, d.seeded = upTo, true
	}
}

// changed lists the users that something happened to, each once.
func (d *Directory) changed(after, upTo uint64) []string {
	var ids []string
	seen := map[string]bool{}
	for {
		steps := d.tenant.Steps(after, upTo, maxSteps)
		for _, step := range steps {
			after = step.Sequence
			id := step.ID
			if step.Kind == simulator.MemberChanged {
				id = step.Member
			}
			if step.Kind != simulator.GroupChanged && !seen[id] {
				ids, seen[id] = append(ids, id), true
			}
		}
		if len(steps) < maxSteps {
			return ids
		}
	}
}

func (d *Directory) follow(ids []string) {
	mailbox := map[string]bool{}
	for _, sku := range d.tenant.SKUs() {
		mailbox[sku.ID] = sku.Mailbox()
	}
	for _, id := range ids {
		u, exists := d.tenant.User(id)
		if !exists {
			if _, isGroup := d.tenant.Group(id); !isGroup {
				d.options.Mailboxes.Forget(id)
			}
			continue
		}
		hosting := exchange.NoLicence
		for _, h := range d.tenant.Holdings(id) {
			if mailbox[h.SKUID] && h.Error == "" {
				hosting = exchange.Hosted
			}
		}
		if hosting == exchange.Hosted && u.Mail == "" && !u.Deleted() {
			if err := d.tenant.SetAttribute(id, "mail", u.UserPrincipalName); err == nil {
				u.Mail = u.UserPrincipalName
			}
		}
		d.options.Mailboxes.Follow(exchange.NewUser{
			ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Mail: u.Mail, Disabled: !u.AccountEnabled, Hosting: hosting,
		}, u.Deleted())
	}
}
