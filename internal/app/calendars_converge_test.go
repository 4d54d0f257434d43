package app_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/calendarbridge"
	"usher/internal/pgtest"
	pretend "usher/internal/simulator/exchange"
	"usher/internal/timezone"
	"usher/model/outlook"
)

// The length of a run: each stretch of it ends with a kill.
const (
	convergeStretches = 4
	convergeActs      = 250
)

// TestCalendarsConverge does random things on both sides of whole servers, with everything going wrong that can, and kills
// them now and then. Then nothing goes wrong any more and some hours pass: the application has what the mailboxes have,
// nothing exists twice, nobody was told anything twice, and the servers leave the mailboxes alone.
func TestCalendarsConverge(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) { converge(t, url, 1, 1) })
}

// TestCalendarsConvergeOnTwoServers does the same with two servers on one database, which never work on one calendar at once.
func TestCalendarsConvergeOnTwoServers(t *testing.T) {
	t.Parallel()
	converge(t, pgtest.Database(t), 2, 2)
}

func converge(t *testing.T, url string, seed uint64, servers int) {
	t.Helper()
	m := &machine{office: newOffice(t, url, seed, servers), booked: map[string]bool{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d; what was done:\n%s", seed, strings.Join(m.deeds, "\n"))
		}
	})
	if servers > 1 {
		m.shared()
	}
	for range convergeStretches {
		for range convergeActs {
			m.act()
		}
		m.crash()
	}
	m.heal()
	m.check()
}

// crash kills a server, or all of them, in the middle of what they do, and starts them again after a while in which people
// went on working.
func (m *machine) crash() {
	m.t.Helper()
	m.rename()
	m.rest(1 + m.random.IntN(5))
	if len(m.at) > 1 && m.random.IntN(2) == 0 {
		m.did("one server is killed")
		m.at[m.random.IntN(len(m.at))].kill()
	} else {
		m.did("all servers are killed")
		m.killAll()
	}
	for range 3 {
		m.n++
		m.inOutlook()
	}
	m.start()
}

// heal ends all troubles and lets some hours pass.
func (m *machine) heal() {
	m.t.Helper()
	m.did("all is well")
	m.mail.SetFaults(pretend.Faults{})
	for _, remove := range m.disarm {
		remove()
	}
	m.killAll() // who was killed before leaves leases that end by themselves
	m.start()
	for range 4 {
		m.pass(150 * time.Minute)
		m.look()
		m.quiet()
	}
}

// quiet waits until nothing is left to be done now.
func (m *machine) quiet() {
	m.t.Helper()
	eventually(m.t, "the servers have nothing to do", func() bool {
		m.promote()
		return m.idle()
	})
}

func (m *machine) check() {
	m.t.Helper()
	for _, f := range m.folders {
		for _, d := range m.differences(f) {
			m.t.Errorf("%s: %s", f, d)
		}
	}
	for _, text := range m.troubles() {
		m.t.Error(text)
	}
	for _, text := range m.traffic.overlaps() {
		m.t.Errorf("two at once: %s", text)
	}
	m.onlyOnce()
	m.toldOnce()
	m.silence()
}

// differences compares what the API shows of a calendar with what its mailbox holds.
func (m *machine) differences(f folder) (out []string) {
	m.t.Helper()
	truth, err := m.mail.As(f.owner).View(f.graph, m.window())
	if err != nil {
		m.t.Fatal(err)
	}
	count, meetings := map[string]int{}, m.meetings(f)
	for _, e := range truth {
		if subject, ok := meetings[place(e)]; ok && e.Sensitivity == "normal" {
			e.Subject = subject
		}
		count[m.shown(e)]++
	}
	for _, e := range m.entries(f) {
		if e.SyncState == "failed" && e.ICalUID == "" {
			continue // Microsoft 365 has refused it
		}
		if e.SyncState == "pending" || (e.Kind == "occurrence" || e.Kind == "exception") && e.SeriesID == nil {
			out = append(out, fmt.Sprintf("%s is %s: %+v", e.Subject, e.SyncState, e))
		}
		count[e.shown(m)]--
	}
	for _, text := range slices.Sorted(maps.Keys(count)) {
		if n := count[text]; n != 0 {
			out = append(out, fmt.Sprintf("the mailbox has %+d of %s", n, text))
		}
	}
	return out
}

// meetings gives what organizers call the meetings that a room has entries of, over which Exchange writes their own names.
func (m *machine) meetings(room folder) map[string]string {
	m.t.Helper()
	subjects := map[string]string{}
	for _, f := range m.folders {
		if !room.room || f.room {
			continue
		}
		list, err := m.mail.As(f.owner).View(f.graph, m.window())
		if err != nil {
			m.t.Fatal(err)
		}
		for _, e := range list {
			if e.IsOrganizer && e.ICalUID != "" && e.Sensitivity == "normal" {
				subjects[place(e)] = e.Subject
			}
		}
	}
	return subjects
}

// place names a meeting, and which of its series it is, in whosever mailbox.
func place(e outlook.Event) string { return e.ICalUID + e.OriginalStart.Format(time.RFC3339) }

// shown gives what matters of an event of a mailbox, as an entry of the application should show it.
func (m *machine) shown(e outlook.Event) string {
	kind := map[outlook.EventType]string{
		outlook.SingleInstance: "single", outlook.Occurrence: "occurrence", outlook.Exception: "exception", outlook.SeriesMaster: "series",
	}[e.Type]
	people := make([]string, 0, len(e.Attendees))
	for _, a := range e.Attendees {
		people = append(people, strings.ToLower(a.Email)+" "+answerOf(a.Response))
	}
	return m.line(kind, e.Subject, e.Sensitivity == "private", e.AllDay, e.ShowAs, m.instant(e.Start, e.AllDay), m.instant(e.End, e.AllDay), people)
}

func (e entry) shown(m *machine) string {
	people := make([]string, 0, len(e.Attendees))
	for _, a := range e.Attendees {
		people = append(people, strings.ToLower(a.Email)+" "+a.Response)
	}
	start, end := outlook.Moment(e.Start), outlook.Moment(e.End)
	return m.line(e.Kind, e.Subject, e.Sensitivity == "private", e.AllDay, e.ShowAs, m.instant(start, e.AllDay), m.instant(end, e.AllDay), people)
}

func answerOf(r outlook.Response) string {
	switch r {
	case outlook.ResponseAccepted, outlook.ResponseOrganizer:
		return "accepted"
	case outlook.ResponseTentative:
		return "tentative"
	case outlook.ResponseDeclined:
		return "declined"
	case outlook.ResponseNone, outlook.NotResponded:
	}
	return "none"
}

func (m *machine) line(kind, subject string, private, allDay bool, showAs, start, end string, people []string) string {
	if private {
		subject, people = "", nil // nothing of it is the application's business
	}
	slices.Sort(people)
	return fmt.Sprintf("%s %q private=%v all day=%v %s %s-%s %v", kind, subject, private, allDay, cmp.Or(showAs, "busy"), start, end, people)
}

func (m *machine) instant(at outlook.Moment, allDay bool) string {
	m.t.Helper()
	if allDay {
		return at.DateTime[:len(time.DateOnly)]
	}
	zone, err := timezone.Load(at.TimeZone)
	if err != nil {
		m.t.Fatal(err)
	}
	t, err := timezone.Instant(at.DateTime, zone)
	if err != nil {
		m.t.Fatal(err)
	}
	return t.UTC().Format(time.RFC3339)
}

// troubles gives what is wrong with the calendars by their own account.
func (o *office) troubles() (out []string) {
	o.t.Helper()
	var page struct {
		Data []struct {
			ID           string
			Subscription struct{ State string }
			LastSyncedAt *time.Time `json:"last_synced_at"`
			SyncError    string     `json:"sync_error"`
		}
	}
	o.at[0].api(http.MethodGet, "/calendars?limit=100&enabled=true", nil, &page)
	for _, c := range page.Data {
		if c.Subscription.State != "active" || c.SyncError != "" || c.LastSyncedAt == nil {
			out = append(out, fmt.Sprintf("calendar %+v", c))
		}
	}
	if len(page.Data) != len(o.folders) {
		out = append(out, fmt.Sprintf("%d calendars are enabled, of %d", len(page.Data), len(o.folders)))
	}
	return out
}

// onlyOnce wants each event that the application made to exist once in all mailboxes of organizers.
func (m *machine) onlyOnce() {
	m.t.Helper()
	marks := map[string]int{}
	for _, f := range m.folders {
		list, err := m.mail.As(f.owner).Series(f.graph)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, e := range list {
			if e.Origin == "" || !e.IsOrganizer {
				continue
			}
			if marks[e.Origin]++; marks[e.Origin] > 1 {
				m.t.Errorf("%q of %s exists twice", e.Subject, f)
			}
		}
	}
	if len(marks) == 0 {
		m.t.Error("the application has made nothing that is left: the test is no test")
	}
}

// toldOnce wants everybody to have been invited to a meeting once, and to have been told once of each of its names, as none
// was given twice.
func (m *machine) toldOnce() {
	m.t.Helper()
	invited, updated := map[string]int{}, map[string]int{}
	for _, mail := range m.mail.Mails() {
		key := fmt.Sprintf("%s %s %q", mail.ICalUID, mail.To, mail.Occurrence)
		switch mail.Kind {
		case pretend.Invitation:
			if invited[key]++; invited[key] > 1 {
				m.t.Errorf("%s was invited to %q twice", mail.To, mail.Subject)
			}
		case pretend.Update:
			key += mail.Subject
			if updated[key]++; updated[key] > 1 {
				m.t.Errorf("%s was told twice that a meeting is %q now", mail.To, mail.Subject)
			}
		case pretend.Cancellation, pretend.Answer:
		}
	}
	if len(invited) == 0 || len(updated) == 0 {
		m.t.Errorf("%d invitations and %d updates were sent: the test is no test", len(invited), len(updated))
	}
}

// perLook is how many requests a calendar may cost that is looked at and has not changed: its delta.
const perLook = 1

// silence wants no request for as long as nobody asks, and few where somebody does.
func (m *machine) silence() {
	m.t.Helper()
	m.pass(2 * time.Minute) // a round that was told of and brought nothing is repeated once
	m.look()
	m.quiet()
	for range 3 {
		before := m.mail.RequestCount()
		m.pass(2 * time.Minute)
		m.enqueue(calendarbridge.SyncDue{}, calendarbridge.EnsureSubscriptions{})
		m.quiet()
		if n := m.mail.RequestCount() - before; n > 0 {
			m.t.Errorf("%d requests though nothing happens: %+v", n, m.mail.Requests()[before:])
		}
	}
	before := m.mail.RequestCount()
	for _, f := range m.folders {
		if err := m.steer.Calendars.SyncNow(m.t.Context(), m.org, f.id); err != nil {
			m.t.Fatal(err)
		}
	}
	m.quiet()
	if n := m.mail.RequestCount() - before; n > perLook*len(m.folders) {
		m.t.Errorf("%d requests to look at %d calendars: %+v", n, len(m.folders), m.mail.Requests()[before:])
	}
}

// shared waits until both servers have worked for the calendars.
func (m *machine) shared() {
	m.t.Helper()
	eventually(m.t, "both servers have read calendars", func() bool {
		m.look()
		for _, f := range m.folders {
			if err := m.steer.Calendars.SyncNow(m.t.Context(), m.org, f.id); err != nil {
				m.t.Fatal(err)
			}
		}
		m.rest(2 * len(m.folders))
		n := 0
		err := m.steer.Store.DB().QueryRowContext(m.t.Context(),
			"SELECT count(DISTINCT who) FROM river_job, unnest(attempted_by) AS who WHERE kind = $1 AND state = 'completed'", calendarbridge.SyncCalendar{}.Kind()).Scan(&n)
		if err != nil {
			m.t.Fatal(err)
		}
		return n >= len(m.at)
	})
}
