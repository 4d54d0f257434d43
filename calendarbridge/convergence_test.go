package calendarbridge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// errDied is what a worker sees last.
var errDied = errors.New("the process was killed")

// mortal is a tenant whose application may die while it is asked: the worker's database is gone from that moment, so that
// neither what it would store nor the release of its lease happens. A write may have been carried out or not.
type mortal struct {
	graph
	w *world
}

// graph is Calendars under a name that is not one of its methods.
type graph interface{ Calendars }

// burn counts a call down, and says whether it is the one at which the process dies, before or after it is carried out.
// Calls are made side by side; whoever is dead makes none.
func (m mortal) burn() (before, after bool) {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	if m.w.died {
		return true, false
	}
	if m.w.fuse == 0 {
		return false, false
	}
	if m.w.fuse--; m.w.fuse > 0 {
		return false, false
	}
	return m.w.random.IntN(2) == 0, true
}

func (m mortal) die() error {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	if m.w.died {
		return errDied
	}
	m.w.died = true
	if err := m.w.svc.Store.Close(); err != nil {
		return err
	}
	return errDied
}

func through[T any](m mortal, call func() (T, error)) (T, error) {
	var none T
	before, after := m.burn()
	if before {
		return none, m.die()
	}
	got, err := call()
	if after {
		return none, m.die()
	}
	return got, err
}

func (m mortal) Delta(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, link string) (outlook.DeltaPage, error) {
	return through(m, func() (outlook.DeltaPage, error) { return m.graph.Delta(ctx, cal, window, link) })
}

func (m mortal) Instances(ctx context.Context, cal outlook.CalendarRef, id string, window outlook.Window, next string) (outlook.EventPage, error) {
	return through(m, func() (outlook.EventPage, error) { return m.graph.Instances(ctx, cal, id, window, next) })
}

func (m mortal) CreateEvent(ctx context.Context, cal outlook.CalendarRef, draft outlook.Draft) (outlook.Event, error) {
	return through(m, func() (outlook.Event, error) { return m.graph.CreateEvent(ctx, cal, draft) })
}

func (m mortal) UpdateEvent(ctx context.Context, cal outlook.CalendarRef, id string, draft outlook.Draft, key string) (outlook.Event, error) {
	return through(m, func() (outlook.Event, error) { return m.graph.UpdateEvent(ctx, cal, id, draft, key) })
}

func (m mortal) CancelEvent(ctx context.Context, cal outlook.CalendarRef, id, comment string) error {
	_, err := through(m, func() (int, error) { return 0, m.graph.CancelEvent(ctx, cal, id, comment) })
	return err
}

func (m mortal) DeleteEvent(ctx context.Context, cal outlook.CalendarRef, id, key string) error {
	_, err := through(m, func() (int, error) { return 0, m.graph.DeleteEvent(ctx, cal, id, key) })
	return err
}

func (m mortal) Subscribe(ctx context.Context, s outlook.NewSubscription) (outlook.Subscription, error) {
	return through(m, func() (outlook.Subscription, error) { return m.graph.Subscribe(ctx, s) })
}

// machine does random things on both sides.
type machine struct {
	*world
	people []outlook.User
	cals   []model.Calendar
	owner  []outlook.User // of cals
	second []string       // another calendar of each person
	n      int
}

// convergenceActs is how many things a run does before it is let come to rest.
const convergenceActs = 1500

// TestConvergence does thousands of random things on both sides, with everything going wrong that can, then lets some hours
// pass without: the store has what the mailboxes have, nothing exists twice, nobody was invited twice, and all is quiet.
func TestConvergence(t *testing.T) {
	for name, open := range map[string]storetest.URL{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				m := newMachine(t, open(t), seed)
				for range convergenceActs {
					m.act()
				}
				m.heal()
				m.check()
			})
		}
	}
}

func newMachine(t *testing.T, url string, seed uint64) *machine {
	t.Helper()
	m := &machine{world: newWorld(t, url, seed+1)}
	for _, name := range []string{"Ada Lovelace", "Grace Hopper"} {
		user, account := m.person(name)
		m.second = append(m.second, m.tenant.AddCalendar(user.ID, "Projects"))
		m.people = append(m.people, user)
		m.start()
		list, err := m.store.Read(t.Context()).CalendarsAfter(m.ref.OrganizationID, store.CalendarFilter{Account: account.ID}, "", 10)
		if err != nil || len(list) != 2 {
			t.Fatalf("%d calendars, %v", len(list), err)
		}
		for _, cal := range list {
			if _, err := m.svc.SwitchCalendar(t.Context(), "api", m.ref.OrganizationID, cal.ID, true); err != nil {
				t.Fatal(err)
			}
			m.cals, m.owner = append(m.cals, cal), append(m.owner, user)
		}
	}
	m.tenant.AddRoom(exchange.NewRoom{Name: "Engine", Capacity: 4})
	m.start()
	return m
}

func (m *machine) act() {
	m.n++
	switch n := m.random.IntN(20); {
	case n < 7:
		m.inOutlook()
	case n < 12:
		m.inApplication()
	case n < 16:
		m.step(time.Duration(m.random.IntN(400))*time.Second, SyncDue{}, EnsureSubscriptions{})
	case n < 17:
		m.step(time.Duration(m.random.IntN(100))*time.Hour, SyncDue{}, EnsureSubscriptions{}, Discover{}, CompareSubscriptions{})
	case n < 18:
		m.fuse = 1 + m.random.IntN(6)
	case n < 19:
		m.tenant.SetFaults(m.faults())
	default:
		m.mishap()
	}
}

func (m *machine) faults() exchange.Faults {
	p := func() float64 { return float64(m.random.IntN(3)) * 0.12 }
	return exchange.Faults{
		Throttle: p() / 3, ThrottleAfter: 2 * time.Second, Unavailable: p(), LostAnswer: p(), Conflict: p(), ReadConflict: p(), SyncLost: p(), EmptyPage: p(),
		Repeat: p(), Phantom: p(), Replay: p(), Shuffle: m.random.IntN(2) == 0, Sparse: m.random.IntN(2) == 0, NoMaster: m.random.IntN(2) == 0,
		ReasonChanged: m.random.IntN(2) == 0, DeltaLag: time.Duration(m.random.IntN(2)*25) * time.Second, Duplicate: p(), Spurious: p(), Reorder: p(),
		Late: p(), Missing: p(), TellMissed: m.random.IntN(2) == 0, Mixed: p(), Early: p(), Mute: p(), Vanish: p(),
	}
}

func (m *machine) mishap() {
	user := m.people[m.random.IntN(len(m.people))]
	switch m.random.IntN(5) {
	case 0:
		m.tenant.ExpireDeltaLinks(user.ID)
	case 1:
		m.tenant.Lifecycle([]string{"missed", "subscriptionRemoved", "reauthorizationRequired"}[m.random.IntN(3)])
	case 2:
		m.tenant.Throttle(user.ID, 3, time.Second)
	case 3:
		m.tenant.Block(user.ID, true)
		m.step(time.Minute, SyncDue{})
		m.tenant.Block(user.ID, false)
	default:
		m.tenant.SetFaults(exchange.Faults{})
	}
}

func (m *machine) word() string { return fmt.Sprintf("Event %d", m.n) }

// when gives the wall times of something in the next weeks, sometimes about the end of the window.
func (m *machine) when() (date, start, end string) {
	day := begin().AddDate(0, 0, m.random.IntN(40))
	if m.random.IntN(10) == 0 {
		day = begin().AddDate(1, 0, m.random.IntN(20)-10)
	}
	date = day.Format(time.DateOnly)
	hour := m.random.IntN(20)
	return date, fmt.Sprintf("%sT%02d:00:00", date, hour), fmt.Sprintf("%sT%02d:30:00", date, hour)
}

func (m *machine) inOutlook() {
	i := m.random.IntN(len(m.people))
	person := m.tenant.As(m.people[i].ID)
	folder := []string{"", m.second[i]}[m.random.IntN(2)]
	view, err := person.View(folder, outlook.Window{From: begin().AddDate(0, -1, 0), To: begin().AddDate(1, 1, 0)})
	if err != nil {
		m.Fatal(err)
	}
	if len(view) == 0 || m.random.IntN(3) == 0 {
		m.compose(person, folder, i)
		return
	}
	chosen := view[m.random.IntN(len(view))]
	id := chosen.ID
	if chosen.SeriesMasterID != "" && m.random.IntN(3) == 0 {
		id = chosen.SeriesMasterID
	}
	date, start, end := m.when()
	switch m.random.IntN(8) {
	case 0:
		_ = person.Delete(id) // whatever Outlook does not let one do is not done
	case 1:
		_ = person.Touch(id)
	case 2:
		_, _ = person.Change(id, outlook.Draft{ShowAs: ptr([]string{"free", "oof", "busy"}[m.random.IntN(3)])})
	case 3:
		_, _ = person.ChangeFollowing(id, outlook.Draft{Subject: ptr(m.word())})
	case 4:
		_ = person.Answer(id, []outlook.Response{outlook.ResponseAccepted, outlook.ResponseTentative, outlook.ResponseDeclined}[m.random.IntN(3)], "")
	case 5:
		_ = person.Move(id, []string{"", m.second[i]}[m.random.IntN(2)])
	case 6:
		d := typed(m.word(), start, end)
		if id == chosen.SeriesMasterID {
			d.Recurrence = daily(date, 1+m.random.IntN(6))
		}
		_, _ = person.Change(id, d)
	default:
		_, _ = person.Change(id, outlook.Draft{Subject: ptr(m.word()), Sensitivity: ptr([]string{"normal", "private"}[m.random.IntN(2)])})
	}
}

func (m *machine) compose(person exchange.Person, folder string, i int) {
	date, start, end := m.when()
	d := typed(m.word(), start, end)
	switch m.random.IntN(5) {
	case 0:
		d.Recurrence = daily(date, 1+m.random.IntN(8))
	case 1:
		d.AllDay, d.Start.DateTime, d.End.DateTime = ptr(true), date+"T00:00:00", date+"T00:00:00"
		next, err := time.Parse(time.DateOnly, date)
		if err != nil {
			m.Fatal(err)
		}
		d.End.DateTime = next.AddDate(0, 0, 1).Format("2006-01-02T15:04:05")
	case 2:
		d.Attendees = &[]outlook.Attendee{{Address: outlook.Address{Email: m.people[1-i].Mail}, Type: outlook.Required}}
	}
	if _, err := person.Create(folder, d); err != nil {
		m.Fatal(err)
	}
}

func (m *machine) inApplication() {
	i := m.random.IntN(len(m.cals))
	cal, org := m.cals[i], m.ref.OrganizationID
	list := m.events(cal)
	date, start, end := m.when()
	var err error
	switch n := m.random.IntN(6); {
	case n < 2 || len(list) == 0:
		f := Fields{Subject: ptr(m.word()), Start: at(start), End: at(end)}
		switch m.random.IntN(4) {
		case 0:
			f.Recurrence = writeRecurrence(*daily(date, 1+m.random.IntN(5)))
		case 1:
			f.SendInvitations, f.Attendees = true, &[]model.EventPerson{{Email: m.people[m.random.IntN(2)].Mail}, {Email: "Engine@contoso.example", Type: "resource"}}
		}
		_, err = m.svc.CreateEvent(m.Context(), "api", org, cal.ID, f)
	case n < 5:
		f := Fields{SendInvitations: true}
		if m.random.IntN(2) == 0 {
			f.Subject = ptr(m.word())
		}
		if m.random.IntN(3) == 0 {
			f.Start = at(start)
		}
		if m.random.IntN(3) == 0 {
			f.ShowAs = ptr([]string{"free", "oof"}[m.random.IntN(2)])
		}
		_, err = m.svc.UpdateEvent(m.Context(), "api", org, list[m.random.IntN(len(list))].ID, f)
	default:
		err = m.svc.DeleteEvent(m.Context(), "api", org, list[m.random.IntN(len(list))].ID, "")
	}
	if kind := model.KindOf(err); err != nil && kind != model.Refused && kind != model.Invalid && kind != model.NotFound {
		m.Fatal(err)
	}
}

// heal ends all troubles and lets time pass.
func (m *machine) heal() {
	m.fuse = 0
	m.tenant.SetFaults(exchange.Faults{})
	for _, user := range m.people {
		m.tenant.Throttle(user.ID, 0, 0)
	}
	m.settle()
	for range 4 {
		m.step(150*time.Minute, SyncDue{}, EnsureSubscriptions{}, Discover{}, CompareSubscriptions{})
		m.settle()
	}
}

func (m *machine) check() {
	for i, cal := range m.cals {
		now, err := m.store.Read(m.Context()).Calendar(m.ref.OrganizationID, cal.ID)
		if err != nil {
			m.Fatal(err)
		}
		m.equal(m.owner[i], now)
		if now.Subscription.State != model.SubscriptionActive || now.Sync.Error != "" {
			m.Errorf("%s of %s: %+v %s", now.Name, m.owner[i].Mail, now.Subscription, now.Sync.Error)
		}
	}
	marks := map[string]int{}
	for i, user := range m.people {
		for _, folder := range []string{"", m.second[i]} {
			list, err := m.tenant.As(user.ID).Series(folder)
			if err != nil {
				m.Fatal(err)
			}
			for _, e := range list {
				if e.Origin != "" {
					if marks[e.Origin]++; marks[e.Origin] > 1 {
						m.Errorf("%s of %s exists twice", e.Subject, user.Mail)
					}
				}
			}
		}
	}
	invited := map[string]int{}
	for _, mail := range m.tenant.Mails() {
		if mail.Kind != exchange.Invitation || mail.Occurrence != "" {
			continue
		}
		key := mail.ICalUID + " " + mail.To
		if invited[key]++; invited[key] > 1 {
			m.Errorf("%s was invited to %q twice", mail.To, mail.Subject)
		}
	}
	asked := m.tenant.RequestCount()
	for range 10 {
		m.step(20*time.Second, SyncDue{}, EnsureSubscriptions{})
	}
	if n := m.tenant.RequestCount() - asked; n > 0 {
		m.Errorf("%d requests though nothing happens: %+v", n, m.tenant.Requests()[asked:])
	}
}

// newRandom gives what a world draws from.
func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }
