package calendarbridge

import (
	"context"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
)

// late is a tenant whose answers to changes come after the lease of whoever waits for them: meanwhile happens in between.
type late struct {
	graph
	meanwhile func()
	answers   bool // or never come
}

func (l *late) UpdateEvent(ctx context.Context, cal outlook.CalendarRef, id string, draft outlook.Draft, key string) (outlook.Event, error) {
	e, err := l.graph.UpdateEvent(ctx, cal, id, draft, key)
	if then := l.meanwhile; then != nil && err == nil {
		l.meanwhile = nil
		then()
		if !l.answers {
			return outlook.Event{}, &outlook.Error{Kind: outlook.Unavailable, Status: 504, Code: "Late", Message: "the answer was lost"}
		}
	}
	return e, err
}

// TestLateAnswers: a worker whose request takes longer than its lease stores nothing over what the next worker did, whether the answer
// comes at last or not: a change that has arrived is not sent again, and what came after it stands.
func TestLateAnswers(t *testing.T) {
	for name, answers := range map[string]bool{"lost": false, "late": true} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) { w.lateAnswer(answers) })
		})
	}
}

func (w *world) lateAnswer(answers bool) {
	ctx, org := w.Context(), w.ref.OrganizationID
	ada, account := w.person("Ada Lovelace")
	grace, _ := w.person("Grace Hopper")
	slow := &late{graph: w.tenant.Client("usher"), answers: answers}
	w.svc.Connect = func(context.Context, model.Ref) (Calendars, error) { return slow, nil }
	w.start()
	cal := w.calendar(account)
	e := w.invite(cal, grace)
	w.settle()
	w.rename(e.ID, "Second")
	slow.meanwhile = func() {
		w.clock.advance(leaseTime + time.Minute)
		w.ok(w.svc.SyncCalendar(ctx, SyncCalendar{OrganizationID: org, CalendarID: cal.ID, Full: true, At: w.clock.Now()}))
		w.rename(e.ID, "Third")
		w.ok(w.svc.WriteEvents(ctx, WriteEvents{OrganizationID: org, CalendarID: cal.ID}))
	}
	w.step(time.Second)
	series, err := w.tenant.As(ada.ID).Series("")
	if err != nil || len(series) != 1 {
		w.Fatalf("Outlook has %+v, %v", series, err)
	}
	w.ok(w.tenant.As(ada.ID).Touch(series[0].ID))
	w.settle()
	if got := w.subjects(cal); len(got) != 1 || got[0] != "Third" {
		w.Errorf("the application has %q", got)
	}
	told := map[string]int{}
	for _, mail := range w.tenant.Mails() {
		if mail.Kind == exchange.Update {
			told[mail.Subject]++
		}
	}
	if len(told) != 2 || told["Second"] != 1 || told["Third"] != 1 {
		w.Errorf("Grace was told %v", told)
	}
	w.equal(ada, w.calendar(account))
}

// invite makes a meeting of the application's, called "First".
func (w *world) invite(cal model.Calendar, whom outlook.User) model.Event {
	w.Helper()
	e, err := w.svc.CreateEvent(w.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{
		Subject: ptr("First"), Start: at("2026-11-20T09:00:00"), End: at("2026-11-20T10:00:00"), SendInvitations: true,
		Attendees: &[]model.EventPerson{{Email: whom.Mail}},
	})
	w.ok(err)
	return e
}

func (w *world) rename(id, subject string) {
	w.Helper()
	if _, err := w.svc.UpdateEvent(w.Context(), "api", w.ref.OrganizationID, id, Fields{Subject: &subject, SendInvitations: true}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// TestCalledOffBeforeTheAnswer: a change whose answer was lost is not sent again where the meeting is called off meanwhile.
func TestCalledOffBeforeTheAnswer(t *testing.T) {
	eachWorld(t, func(w *world) {
		ctx, org := w.Context(), w.ref.OrganizationID
		_, account := w.person("Ada Lovelace")
		grace, _ := w.person("Grace Hopper")
		w.start()
		e := w.invite(w.calendar(account), grace)
		w.settle()
		w.tenant.SetFaults(exchange.Faults{LostAnswer: 1, Missing: 1}) // so that what has arrived is read after the deletion
		w.rename(e.ID, "Second")
		w.step(time.Second)
		w.tenant.SetFaults(exchange.Faults{})
		w.ok(w.svc.DeleteEvent(ctx, "api", org, e.ID, "not any more"))
		w.ok(w.svc.SyncNow(ctx, org, e.CalendarID))
		w.settle()
		told := map[exchange.MailKind]int{}
		for _, mail := range w.tenant.Mails() {
			told[mail.Kind]++
		}
		if told[exchange.Invitation] != 1 || told[exchange.Update] != 1 || told[exchange.Cancellation] != 1 {
			w.Errorf("Grace was told %v", told)
		}
		if got := w.subjects(w.calendar(account)); len(got) != 0 {
			w.Errorf("the application still has %q", got)
		}
	})
}

// TestPrivateChangesArriveOnce: nothing is kept of what a private event says, and yet a change of it is sent until it has arrived, and
// not once more; what it says is not kept with the change either.
func TestPrivateChangesArriveOnce(t *testing.T) {
	for name, arrives := range map[string]bool{"arrived": true, "not arrived": false} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) { w.privateChange(arrives) })
		})
	}
}

func (w *world) privateChange(arrives bool) {
	ctx, org := w.Context(), w.ref.OrganizationID
	ada, account := w.person("Ada Lovelace")
	grace, _ := w.person("Grace Hopper")
	w.start()
	e := w.invite(w.calendar(account), grace)
	w.settle()
	outlookOf := w.tenant.As(ada.ID)
	series, err := outlookOf.Series("")
	if err != nil || len(series) != 1 {
		w.Fatalf("Outlook has %+v, %v", series, err)
	}
	w.must(outlookOf.Change(series[0].ID, outlook.Draft{Sensitivity: ptr("private")}))
	w.settle()
	faults := exchange.Faults{Missing: 1}
	if arrives {
		faults.LostAnswer = 1
	} else {
		faults.Unavailable = 1
	}
	w.tenant.SetFaults(faults)
	w.rename(e.ID, "Second")
	w.step(time.Second)
	w.tenant.SetFaults(exchange.Faults{Missing: 1})
	if arrives {
		w.ok(outlookOf.Touch(series[0].ID))
	} else {
		w.must(outlookOf.Change(series[0].ID, outlook.Draft{ShowAs: ptr("oof")}))
	}
	w.ok(w.svc.SyncNow(ctx, org, e.CalendarID))
	w.step(time.Second)
	writes, err := w.store.Read(ctx).WritesOfEvents(w.calendar(account), []string{e.ID})
	if err != nil || len(writes) == 0 {
		w.Fatalf("writes %+v, %v", writes, err)
	}
	for i := range writes {
		if strings.Contains(string(writes[i].Base), "First") {
			w.Errorf("what the private event says is kept: %s", writes[i].Base)
		}
	}
	w.tenant.SetFaults(exchange.Faults{})
	w.settle()
	told := 0
	for _, mail := range w.tenant.Mails() {
		if mail.Kind == exchange.Update {
			told++
		}
	}
	series, err = outlookOf.Series("")
	if err != nil || told != 1 || len(series) != 1 || series[0].Subject != "Second" {
		w.Errorf("Grace was told %d times, and Outlook has %+v, %v", told, series, err)
	}
	if now := w.events(w.calendar(account)); len(now) != 1 || now[0].SyncState != model.EventSynced || now[0].Subject != "" {
		w.Errorf("the application has %+v", now)
	}
}

// losing is a tenant that forgets a round at its second page; meanwhile happens before that.
type losing struct {
	graph
	meanwhile func()
	pages     int
}

func (l *losing) Delta(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, link string) (outlook.DeltaPage, error) {
	if l.pages++; l.pages == 2 {
		l.meanwhile()
		return outlook.DeltaPage{}, &outlook.Error{Kind: outlook.SyncLost, Status: 410, Code: "SyncStateNotFound"}
	}
	return l.graph.Delta(ctx, cal, window, link)
}

// TestRoundLostAfterItsSeries: what a round that was lost has read of a series is not what the next one, of the same turn, gives the
// occurrences whose pages do not say it: nothing would tell of the change again.
func TestRoundLostAfterItsSeries(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		person := w.tenant.As(ada.ID)
		series := w.must(person.Create("", typed("First", "2026-11-12T09:00:00", "2026-11-12T09:15:00", func(d *outlook.Draft) { d.Recurrence = daily("2026-11-12", 2) })))
		for range 8 { // so that there is a second page
			w.must(person.Create("", typed("Meeting", "2026-11-14T09:00:00", "2026-11-14T10:00:00")))
		}
		w.tenant.SetFaults(exchange.Faults{NoMaster: true})
		second := "Second"
		lost := &losing{graph: w.tenant.Client("usher"), meanwhile: func() { w.must(person.Change(series.ID, outlook.Draft{Subject: &second})) }}
		w.svc.Connect = func(context.Context, model.Ref) (Calendars, error) { return lost, nil }
		w.start()
		w.equal(ada, w.calendar(account))
		if got := w.subjects(w.calendar(account)); len(got) != 10 || lost.pages < 4 {
			t.Errorf("%q after %d pages", got, lost.pages)
		}
	})
}
