package directory_test

import (
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// calendarOf gives the person's account a mailbox with a calendar.
func (w *world) calendarOf(email string) model.Calendar {
	w.Helper()
	a := w.account(email)
	m := model.Mailbox{
		OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, AccountID: &a.ID, Address: email, State: model.MailboxActive, Enabled: true,
	}
	var c *model.Calendar
	w.ok(w.svc.Store.InTx(w.ctx, func(tx *store.Tx) error {
		if err := tx.InsertMailbox(&m); err != nil {
			return err
		}
		c = storetest.NewCalendar(m, "calendar")
		return tx.InsertCalendar(c)
	}))
	return *c
}

func TestServiceCalendarsEndWithTheirAccount(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada@contoso.com")
		w.user("grace@contoso.com")
		c, other := w.calendarOf("ada@contoso.com"), w.calendarOf("grace@contoso.com")
		id := w.account("ada@contoso.com").ID
		there := func(c model.Calendar, want bool) {
			w.Helper()
			_, err := w.svc.Store.Read(w.ctx).Mailbox(c.Ref(), c.MailboxID)
			_, calendarErr := w.svc.Store.Read(w.ctx).Calendar(w.org, c.ID)
			if (err == nil) != want || (calendarErr == nil) != want {
				w.Fatalf("mailbox: %v, calendar: %v; want them there: %v", err, calendarErr, want)
			}
		}
		removed := func(want ...string) {
			w.Helper()
			list, _, err := w.svc.Store.Changes(w.ctx, w.org, store.ChangeQuery{Types: []string{"calendar.removed"}, Limit: 10})
			w.ok(err)
			if len(list) != len(want) {
				w.Fatalf("%d calendars are told to be removed, want %d", len(list), len(want))
			}
			for i, c := range list {
				if c.SubjectID != want[i] || c.IntegrationID == nil || *c.IntegrationID != w.ref.IntegrationID {
					w.Fatalf("%+v", c)
				}
			}
		}
		_, err := w.svc.DeactivateAccount(w.ctx, w.org, id)
		w.ok(err)
		there(c, true) // whoever is away for a while comes back to it
		_, err = w.svc.ArchiveAccount(w.ctx, w.org, id)
		w.ok(err)
		there(c, false)
		there(other, true)
		removed(c.ID)
		late := w.calendarOf("ada@contoso.com") // found by somebody who had looked before
		w.ok(w.svc.DeleteAccount(w.ctx, w.org, id))
		there(late, false)
		there(other, true)
		removed(c.ID, late.ID)
	})
}
