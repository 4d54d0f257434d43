package calendarbridge

import (
	"slices"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

func daily(start string, n int) *outlook.Recurrence {
	return &outlook.Recurrence{
		Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1}, Range: outlook.Range{Type: outlook.Numbered, StartDate: start, NumberOfOccurrences: n},
	}
}

func (w *world) must(e outlook.Event, err error) outlook.Event {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return e
}

// TestOutlookToApplication: what is made, changed and deleted in Outlook is seen, told once each, and then all is quiet.
func TestOutlookToApplication(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		person := w.tenant.As(ada.ID)
		for _, day := range []string{"03", "04", "05", "06", "09", "10", "11", "12", "13"} {
			w.must(person.Create("", typed("Old "+day, "2026-11-"+day+"T09:00:00", "2026-11-"+day+"T10:00:00")))
		}
		w.start()
		cal := w.calendar(account)
		if got := w.subjects(cal); len(got) != 9 {
			t.Fatalf("the first round brought %v", got)
		}
		if cal.Subscription.State != model.SubscriptionActive {
			t.Fatalf("the subscription is %+v", cal.Subscription)
		}
		_, position := w.changes(0)

		e := w.must(person.Create("", typed("New", "2026-11-20T09:00:00", "2026-11-20T10:00:00")))
		w.settle()
		w.must(person.Change(e.ID, outlook.Draft{Subject: ptr("Newer")}))
		w.settle()
		if err := person.Touch(e.ID); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if err := person.Delete(e.ID); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got, _ := w.changes(position); !slices.Equal(got, []string{"event.created", "event.updated", "event.deleted"}) {
			t.Errorf("told %v", got)
		}
		w.equal(ada, w.calendar(account))
		quiet := w.tenant.RequestCount()
		w.settle()
		if n := w.tenant.RequestCount() - quiet; n != 0 {
			t.Errorf("%d requests though nothing happens", n)
		}
	})
}

// TestSeries: a series is moved, an occurrence is changed, one is cancelled without a word, and the series ends early.
func TestSeries(t *testing.T) {
	for name, faults := range map[string]exchange.Faults{
		"plain": {}, "sparse, without masters": {Sparse: true, NoMaster: true, Shuffle: true}, "pages of all kinds": {EmptyPage: 0.3, Repeat: 0.5, Phantom: 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				w.tenant.SetFaults(faults)
				ada, account := w.person("Ada Lovelace")
				person := w.tenant.As(ada.ID)
				series := w.must(person.Create("", typed("Daily", "2026-11-02T09:00:00", "2026-11-02T09:15:00", func(d *outlook.Draft) { d.Recurrence = daily("2026-11-02", 12) })))
				w.start()
				cal := w.calendar(account)
				check := func(what string, want int) {
					t.Helper()
					if got := w.events(cal); len(got) != want {
						t.Errorf("%s: %d occurrences", what, len(got))
					}
					w.equal(ada, cal)
				}
				check("at first", 12)
				occurrence := func(n int) string {
					list, err := person.View("", outlook.Window{From: cal.Sync.From, To: cal.Sync.To})
					if err != nil {
						t.Fatal(err)
					}
					return list[n].ID
				}
				w.must(person.Change(occurrence(3), outlook.Draft{Subject: ptr("Special")}))
				w.settle()
				check("with an exception", 12)
				if err := person.Delete(occurrence(5)); err != nil {
					t.Fatal(err)
				}
				w.settle()
				check("without one", 11)
				w.must(person.Change(series.ID, outlook.Draft{Subject: ptr("Every day")}))
				w.settle()
				check("renamed", 11)
				w.must(person.Change(series.ID, outlook.Draft{
					Start: &outlook.Moment{DateTime: "2026-11-02T15:00:00", TimeZone: "W. Europe Standard Time"},
					End:   &outlook.Moment{DateTime: "2026-11-02T15:15:00", TimeZone: "W. Europe Standard Time"},
				}))
				w.settle()
				w.equal(ada, cal)
				w.must(person.ChangeFollowing(occurrence(4), outlook.Draft{Subject: ptr("Second half")}))
				w.settle()
				w.equal(ada, cal)
				if err := person.Delete(series.ID); err != nil {
					t.Fatal(err)
				}
				w.settle()
				w.equal(ada, cal)
			})
		})
	}
}

// TestApplicationToOutlook: an event of the application's is made, invites once, is changed and called off; nothing of it comes
// back as news.
func TestApplicationToOutlook(t *testing.T) {
	for name, faults := range map[string]exchange.Faults{
		"plain": {}, "answers are lost": {LostAnswer: 0.5, Unavailable: 0.2}, "told before the answer": {Early: 1}, "spurious conflicts": {Conflict: 0.5, ReadConflict: 0.3},
	} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				ada, account := w.person("Ada Lovelace")
				grace, graceAccount := w.person("Grace Hopper")
				w.start()
				cal := w.calendar(account)
				w.tenant.SetFaults(faults)
				e, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{
					Subject: ptr("Plan"), Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00"), SendInvitations: true,
					Attendees: &[]model.EventPerson{{Email: grace.Mail}},
				})
				if err != nil {
					t.Fatal(err)
				}
				if e.SyncState != model.EventPending || e.Origin != model.OriginUsher {
					t.Errorf("made as %+v", e)
				}
				for range 12 {
					w.settle()
				}
				if e, err = w.svc.UpdateEvent(t.Context(), "api", w.ref.OrganizationID, e.ID, Fields{Location: ptr("Here"), SendInvitations: true}); err != nil {
					t.Fatal(err)
				}
				for range 12 {
					w.settle()
				}
				stored, err := w.store.Read(t.Context()).Event(w.ref.OrganizationID, e.ID)
				if err != nil || stored.SyncState != model.EventSynced || stored.Location != "Here" || stored.GraphID == "" {
					t.Fatalf("stored as %+v, %v", stored, err)
				}
				list, err := w.tenant.As(ada.ID).Series("")
				if err != nil || len(list) != 1 || list[0].Subject != "Plan" || list[0].Location.DisplayName != "Here" {
					t.Fatalf("in Outlook are %+v, %v", list, err)
				}
				if n := w.invitations(); n != 1 {
					t.Errorf("%d invitations went out: %+v", n, w.tenant.Mails())
				}
				if err := w.svc.DeleteEvent(t.Context(), "api", w.ref.OrganizationID, e.ID, "sorry"); err != nil {
					t.Fatal(err)
				}
				for range 12 {
					w.settle()
				}
				w.tenant.SetFaults(exchange.Faults{})
				w.settle()
				if got := w.subjects(cal); len(got) != 0 {
					t.Errorf("still stored: %v", got)
				}
				if list, _ := w.tenant.As(ada.ID).Series(""); len(list) != 0 {
					t.Errorf("still in Outlook: %+v", list)
				}
				w.equal(grace, w.calendar(graceAccount))
			})
		})
	}
}

// invitations counts those that went out.
func (w *world) invitations() (n int) {
	for _, m := range w.tenant.Mails() {
		if m.Kind == exchange.Invitation {
			n++
		}
	}
	return n
}

// TestEchoIsNoNews: the change feed tells of the application's own change once.
func TestEchoIsNoNews(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, account := w.person("Ada Lovelace")
		w.start()
		cal := w.calendar(account)
		_, position := w.changes(0)
		e, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{
			Subject: ptr("Mine"), Body: ptr("<p>Words</p>"), Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00"),
			Recurrence: writeRecurrence(*daily("2026-11-10", 3)),
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.settle()
		}
		got, position := w.changes(position)
		if want := []string{"event.created", "event.created", "event.created", "event.created"}; !slices.Equal(got, want) {
			t.Errorf("told %v", got)
		}
		if _, err := w.svc.UpdateEvent(t.Context(), "api", w.ref.OrganizationID, e.ID, Fields{ShowAs: ptr("free")}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.settle()
		}
		if got, _ := w.changes(position); !slices.Equal(got, []string{"event.updated", "event.updated", "event.updated", "event.updated"}) {
			t.Errorf("of the change of a series and its three occurrences is told %v", got)
		}
	})
}

// TestConflict: both sides change an event at the same time.
func TestConflict(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		person := w.tenant.As(ada.ID)
		theirs := w.must(person.Create("", typed("Lunch", "2026-11-10T12:00:00", "2026-11-10T13:00:00")))
		w.start()
		cal := w.calendar(account)
		e := w.events(cal)[0]
		if _, err := w.svc.UpdateEvent(t.Context(), "api", w.ref.OrganizationID, e.ID, Fields{Subject: ptr("Ours"), Location: ptr("Canteen")}); err != nil {
			t.Fatal(err)
		}
		w.must(person.Change(theirs.ID, outlook.Draft{Subject: ptr("Theirs"), ShowAs: ptr("oof")}))
		w.settle()
		w.settle()
		got, err := person.Event(theirs.ID)
		if err != nil || got.Subject != "Theirs" || got.Location.DisplayName != "Canteen" || got.ShowAs != "oof" {
			t.Errorf("in Outlook is %+v, %v", got, err)
		}
		w.equal(ada, cal)
		lines, err := w.store.Read(t.Context()).ActivitiesBefore(w.ref.OrganizationID, store.ActivityFilter{}, "", 100)
		if err != nil || !slices.ContainsFunc(lines, func(a model.Activity) bool { return a.Action == "event.conflict" }) {
			t.Errorf("the conflict is not logged: %+v, %v", lines, err)
		}
	})
}

// TestMailboxStates: who has no mailbox is said so once; who gets one is synchronized.
func TestMailboxStates(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.tenant.SetHosting(ada.ID, exchange.NoLicence)
		w.start()
		mailbox := func() model.Mailbox {
			m, _, err := w.store.Read(t.Context()).MailboxOf(w.ref, account.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if m := mailbox(); m.State != model.MailboxMissing || m.Detail == "" || m.RetryAt == nil {
			t.Fatalf("the mailbox is %+v", m)
		}
		asked := w.tenant.RequestCount()
		for range 5 {
			w.step(5*time.Minute, Discover{}, SyncDue{}, EnsureSubscriptions{})
		}
		if n := w.tenant.RequestCount() - asked; n != 0 {
			t.Errorf("it was looked for %d times more within the hour", n)
		}
		w.tenant.SetHosting(ada.ID, exchange.Hosted)
		w.must(w.tenant.As(ada.ID).Create("", typed("Hello", "2026-11-10T12:00:00", "2026-11-10T13:00:00")))
		w.step(27*time.Hour, Discover{})
		w.settle()
		if m := mailbox(); m.State != model.MailboxActive {
			t.Fatalf("the mailbox is %+v", m)
		}
		w.equal(ada, w.calendar(account))
		if len(w.events(w.calendar(account))) != 1 {
			t.Error("its event is not there")
		}
		w.tenant.Block(ada.ID, true)
		w.step(8*time.Hour, SyncDue{})
		if m := mailbox(); m.State != model.MailboxBlocked {
			t.Errorf("blocked, the mailbox is %+v", m)
		}
		w.tenant.Block(ada.ID, false)
		w.step(3*time.Hour, Discover{})
		w.settle()
		if m := mailbox(); m.State != model.MailboxActive || len(w.events(w.calendar(account))) != 1 {
			t.Errorf("let in again, the mailbox is %+v", m)
		}
	})
}

// TestEnds: a switched-off calendar, a deactivated account and a switched-off integration lose their Outlook events and their
// subscriptions.
func TestEnds(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		grace, graceAccount := w.person("Grace Hopper")
		for _, user := range []outlook.User{ada, grace} {
			w.must(w.tenant.As(user.ID).Create("", typed("Lunch", "2026-11-10T12:00:00", "2026-11-10T13:00:00")))
		}
		w.start()
		cal := w.calendar(account)
		live := func() int {
			page, err := w.tenant.Client("usher").Subscriptions(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Subscriptions)
		}
		if live() != 2 {
			t.Fatalf("%d subscriptions", live())
		}
		if _, err := w.svc.SwitchCalendar(t.Context(), "api", w.ref.OrganizationID, cal.ID, false); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if live() != 1 || len(w.events(cal)) != 0 {
			t.Errorf("switched off: %d subscriptions, %d events", live(), len(w.events(cal)))
		}
		if _, err := w.svc.SwitchCalendar(t.Context(), "api", w.ref.OrganizationID, cal.ID, true); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if live() != 2 || len(w.events(cal)) != 1 {
			t.Errorf("switched on: %d subscriptions, %d events", live(), len(w.events(cal)))
		}
		graceCal := w.calendar(graceAccount)
		w.edit(graceAccount.ID, func(a *model.Account) { a.Status = model.AccountDeactivated })
		w.step(time.Minute, Discover{})
		w.settle()
		if live() != 1 || len(w.events(graceCal)) != 0 {
			t.Errorf("deactivated: %d subscriptions, %d events", live(), len(w.events(graceCal)))
		}
		w.edit(graceAccount.ID, func(a *model.Account) { a.Status = model.AccountActive })
		w.step(time.Minute, Discover{})
		w.settle()
		if live() != 2 || len(w.events(graceCal)) != 1 {
			t.Errorf("active again: %d subscriptions, %d events", live(), len(w.events(graceCal)))
		}
		w.integration(func(i *model.Integration) { i.CalendarSync = false })
		w.step(time.Minute, Discover{})
		w.settle()
		left, err := w.store.Read(t.Context()).CalendarsAfter(w.ref.OrganizationID, store.CalendarFilter{}, "", 10)
		if err != nil || live() != 0 || len(left) != 0 {
			t.Errorf("switched off: %d subscriptions, %d calendars, %v", live(), len(left), err)
		}
	})
}

func (w *world) edit(accountID string, change func(*model.Account)) {
	w.Helper()
	err := w.store.InTx(w.Context(), func(tx *store.Tx) error {
		a, err := tx.LockAccount(w.ref.OrganizationID, accountID)
		if err != nil {
			return err
		}
		change(&a)
		return tx.UpdateAccount(&a)
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) integration(change func(*model.Integration)) {
	w.Helper()
	err := w.store.InTx(w.Context(), func(tx *store.Tx) error {
		if err := tx.ChangeSettings(w.ref.OrganizationID); err != nil {
			return err
		}
		i, err := tx.Integration(w.ref)
		if err != nil {
			return err
		}
		change(&i)
		return tx.UpdateIntegration(&i)
	})
	if err != nil {
		w.Fatal(err)
	}
}
