package calendarbridge

import (
	"context"
	"testing"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// live counts the subscriptions that the tenant has.
func (w *world) live() int {
	w.Helper()
	page, err := w.tenant.Client("usher").Subscriptions(w.Context(), "")
	if err != nil {
		w.Fatal(err)
	}
	return len(page.Subscriptions)
}

// tellOf changes an account, and tells of it as the directory does.
func (w *world) tellOf(accountID string, what model.ChangeType, status model.AccountStatus) {
	w.Helper()
	w.edit(accountID, func(a *model.Account) { a.Status = status })
	storetest.InTx(w, w.store, func(tx *store.Tx) error {
		return tx.Tell(model.Change{OrganizationID: w.ref.OrganizationID, Type: what, SubjectType: "account", SubjectID: accountID}, nil)
	})
}

// TestNobodyFollowsWithoutCalendars: where no integration has calendars the changes of the feed are not given their positions.
func TestNobodyFollowsWithoutCalendars(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, account := w.person("Ada Lovelace")
		w.tellOf(account.ID, model.AccountUpdated, model.AccountActive)
		numbered := func() bool {
			w.Helper()
			list, err := w.store.Read(w.Context()).ChangesBefore(w.ref.OrganizationID, nil, 0, 1)
			if err != nil {
				w.Fatal(err)
			}
			return len(list) > 0
		}
		w.integration(func(i *model.Integration) { i.CalendarSync = false })
		if w.step(0, FollowAccounts{}); numbered() {
			w.Fatal("without calendars")
		}
		w.integration(func(i *model.Integration) { i.CalendarSync = true })
		if w.step(0, FollowAccounts{}); !numbered() {
			w.Fatal("with calendars")
		}
	})
}

// TestFollowAccounts: what happens to people reaches their mailboxes within seconds, without a look at everybody.
func TestFollowAccounts(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.must(w.tenant.As(ada.ID).Create("", typed("Standup", "2026-11-10T09:00:00", "2026-11-10T09:15:00")))
		w.step(0, FollowAccounts{}) // the first time everybody is looked at
		w.settle()
		cal := w.calendar(account)
		if w.live() != 1 || len(w.events(cal)) != 1 {
			t.Fatalf("at first: %d subscriptions, %d events", w.live(), len(w.events(cal)))
		}

		w.tellOf(account.ID, model.AccountWasDeactivated, model.AccountDeactivated)
		w.step(15*time.Second, FollowAccounts{})
		if w.live() != 0 || len(w.events(cal)) != 0 {
			t.Errorf("deactivated: %d subscriptions, %d events", w.live(), len(w.events(cal)))
		}
		w.tellOf(account.ID, model.AccountReactivated, model.AccountActive)
		w.step(15*time.Second, FollowAccounts{})
		w.settle()
		if w.live() != 1 || len(w.events(cal)) != 1 {
			t.Errorf("active again: %d subscriptions, %d events", w.live(), len(w.events(cal)))
		}

		grace, graceAccount := w.person("Grace Hopper")
		w.tellOf(graceAccount.ID, model.AccountCreated, model.AccountActive)
		w.step(15*time.Second, FollowAccounts{})
		w.settle()
		if got := w.calendar(graceAccount); got.Subscription.State != model.SubscriptionActive || w.live() != 2 {
			t.Errorf("%s came: %+v, %d subscriptions", grace.Mail, got.Subscription, w.live())
		}
		requests := w.tenant.RequestCount()
		w.step(15*time.Second, FollowAccounts{})
		if n := w.tenant.RequestCount() - requests; n != 0 {
			t.Errorf("%d requests though nothing happened", n)
		}
	})
}

// TestLinkGoes: somebody whose directory user is deleted, though the account stays active, has no mailbox any more.
func TestLinkGoes(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, account := w.person("Ada Lovelace")
		w.step(0, FollowAccounts{})
		w.settle()
		read := w.store.Read(t.Context())
		a, err := read.Account(w.ref.OrganizationID, account.ID)
		if err != nil || len(a.Links) != 1 {
			t.Fatal(a.Links, err)
		}
		storetest.InTx(t, w.store, func(tx *store.Tx) error {
			u, err := tx.DirectoryUser(w.ref, a.Links[0].DirectoryUserID)
			if err != nil {
				return err
			}
			if err := tx.DeleteDirectoryUser(&u); err != nil {
				return err
			}
			return tx.Tell(model.Change{
				OrganizationID: w.ref.OrganizationID, Type: model.DirectoryUserDeleted, IntegrationID: &w.ref.IntegrationID,
				SubjectType: "directory_user", SubjectID: u.ID,
			}, map[string]any{"directory_user": map[string]any{"account_id": account.ID}})
		})
		w.step(15*time.Second, FollowAccounts{})
		_, found, err := w.store.Read(t.Context()).MailboxOf(w.ref, account.ID, "")
		if err != nil || found || w.live() != 0 {
			t.Errorf("the mailbox is there: %t, %d subscriptions, %v", found, w.live(), err)
		}
	})
}

// TestPutAway: an account that is deleted takes its calendars with it at once, and its subscriptions soon.
func TestPutAway(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, account := w.person("Ada Lovelace")
		w.person("Grace Hopper")
		w.start()
		if w.live() != 2 {
			t.Fatalf("%d subscriptions", w.live())
		}
		w.edit(account.ID, func(a *model.Account) { a.Status = model.AccountArchived })
		storetest.InTx(t, w.store, func(tx *store.Tx) error { _, err := tx.DeleteMailboxesOf(&account); return err })
		w.step(15*time.Second, FollowAccounts{})
		if w.live() != 1 {
			t.Errorf("%d subscriptions are left", w.live())
		}
		if left, err := w.store.Read(t.Context()).EndedSubscriptions(w.ref, 10); err != nil || len(left) != 0 {
			t.Errorf("still to be ended: %v, %v", left, err)
		}
	})
}

func (w *world) removeIntegration(ctx context.Context) error {
	return w.store.InTx(ctx, func(tx *store.Tx) error { return tx.DeleteIntegration(w.ref) })
}

// TestEndRemoved: an integration takes its subscriptions with it; what cannot be ended is said, and forgotten.
func TestEndRemoved(t *testing.T) {
	for name, test := range map[string]struct {
		revoke bool
		left   int
	}{"reached": {}, "consent is revoked": {revoke: true, left: 2}} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				w.person("Ada Lovelace")
				w.person("Grace Hopper")
				w.start()
				if err := w.removeIntegration(t.Context()); err != nil || w.live() != 2 {
					t.Fatalf("%v, %d subscriptions", err, w.live())
				}
				w.tenant.RevokeConsent(test.revoke)
				refused, err := w.svc.EndRemoved(t.Context(), w.ref)
				if refused != test.left || (err != nil) != test.revoke {
					t.Fatalf("refused %d, %v", refused, err)
				}
				w.tenant.RevokeConsent(false)
				if w.live() != test.left {
					t.Errorf("%d subscriptions are left", w.live())
				}
				if left, err := w.store.Read(t.Context()).EndedSubscriptions(w.ref, 10); err != nil || len(left) != 0 {
					t.Errorf("still noted: %v, %v", left, err)
				}
				if refused, err := w.svc.EndRemoved(t.Context(), w.ref); refused != 0 || err != nil {
					t.Errorf("once more: refused %d, %v", refused, err)
				}
			})
		})
	}
}

// TestMovedAway: an event that was moved to another calendar of the mailbox is gone from the one it was in, also where it was made
// by the application or lies before the window, so that it is looked for before it is given up.
func TestMovedAway(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		person := w.tenant.As(ada.ID)
		other := w.tenant.AddCalendar(ada.ID, "Other")
		old := w.must(person.Create("", typed("Old", "2026-10-06T09:00:00", "2026-10-06T10:00:00")))
		series := w.must(person.Create("", typed("Daily", "2026-11-05T09:00:00", "2026-11-05T09:15:00", func(d *outlook.Draft) { d.Recurrence = daily("2026-11-05", 3) })))
		w.start()
		cal := w.calendar(account)
		made, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{Subject: ptr("Ours"), Start: at("2026-11-12T10:00:00"), End: at("2026-11-12T11:00:00")})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		made, err = w.store.Read(t.Context()).Event(w.ref.OrganizationID, made.ID)
		if err != nil || made.GraphID == "" || len(w.events(cal)) != 5 {
			t.Fatalf("%+v, %v; %v", made, err, w.subjects(cal))
		}
		w.step(8*24*time.Hour, SyncDue{}, EnsureSubscriptions{}) // the window leaves the first one behind
		w.settle()
		for _, id := range []string{old.ID, series.ID, made.GraphID} {
			if err := person.Move(id, other); err != nil {
				t.Fatal(err)
			}
		}
		w.step(8*24*time.Hour, SyncDue{}, EnsureSubscriptions{})
		w.settle()
		if got := w.subjects(cal); len(got) != 1 || got[0] != "Old" { // kept as it was last seen: it is out of the window
			t.Errorf("left %v", got)
		}
	})
}
