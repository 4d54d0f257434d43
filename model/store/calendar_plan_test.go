package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// offices is a tenant of 1,500 mailboxes with a calendar each; the first calendar has 10,000 events, every second one of which
// is of a series, and of which 1,000 were written; the others have five.
func offices(t *testing.T, s *store.Store) (model.Calendar, []string, []model.Event) {
	t.Helper()
	const mailboxes, events = 1500, 10000
	ref := storetest.Ref(t, s)
	var first model.Calendar
	ids := []string{}
	storetest.InTx(t, s, func(tx *store.Tx) error {
		for i := range mailboxes {
			a := storetest.NewAccount(ref.OrganizationID, fmt.Sprintf("user%06d@contoso.com", i))
			if err := tx.InsertAccount(a); err != nil {
				return err
			}
			u := storetest.NewUser(ref, a.Email)
			u.AccountID = &a.ID
			if err := tx.InsertDirectoryUser(u); err != nil {
				return err
			}
			c, err := office(tx, ref, a, i)
			if err != nil {
				return err
			}
			if ids = append(ids, c.ID); i == 0 {
				first = *c
			}
		}
		return nil
	})
	list := make([]model.Event, events)
	for i := range list {
		list[i] = storetest.NewEvent(first, fmt.Sprintf("event %d", i), time.Duration(i)*4*time.Hour)
		if i%2 == 0 {
			list[i].Kind, list[i].SeriesGraphID = model.EventOccurrence, fmt.Sprintf("series %d", i/100)
		}
	}
	for _, id := range ids[1:] {
		for i := range 5 {
			e := storetest.NewEvent(first, fmt.Sprintf("event %d", i), time.Duration(i)*time.Hour)
			e.CalendarID = id
			list = append(list, e)
		}
	}
	storetest.Events(t, s, list...)
	storetest.InTx(t, s, func(tx *store.Tx) error {
		for i := range 1000 {
			w := storetest.NewWrite(list[i], model.WriteUpdate)
			w.Done = i > 10
			if err := tx.InsertWrite(w); err != nil {
				return err
			}
		}
		return nil
	})
	return first, ids, list
}

// office makes a room, a mailbox and its calendar. Few of them are due for anything.
func office(tx *store.Tx, ref model.Ref, a *model.Account, i int) (*model.Calendar, error) {
	if _, err := tx.PutRoom(storetest.NewRoom(ref, fmt.Sprintf("room%06d", i))); err != nil {
		return nil, err
	}
	at := tx.Now().Add(-time.Hour)
	m := model.Mailbox{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, AccountID: &a.ID, State: model.MailboxActive}
	if i%300 == 0 {
		m.State, m.RetryAt = model.MailboxPending, &at
	}
	if err := tx.InsertMailbox(&m); err != nil {
		return nil, err
	}
	c := storetest.NewCalendar(m, fmt.Sprintf("calendar %d", i))
	later := tx.Now().Add(time.Hour)
	c.Subscription = model.CalendarSubscription{State: model.SubscriptionActive, GraphID: fmt.Sprintf("subscription %d", i), RenewAt: &later}
	c.Sync.NextAt = &later
	if i%300 == 0 {
		c.Subscription.RenewAt, c.Sync.Dirty, c.Sync.ChangedAt, c.Sync.NextAt = &at, 1, &at, &at
	}
	return c, tx.InsertCalendar(c)
}

// TestCalendarPlansUseIndexes: nothing that the calendar bridge asks reads a whole table, with and without statistics, and
// whether PostgreSQL plans for these parameters or for any.
func TestCalendarPlansUseIndexes(t *testing.T) {
	t.Parallel()
	s := storetest.OpenPostgres(t)
	cases := calendarPlanCases(t, s)
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		for _, generic := range []bool{false, true} {
			for _, c := range cases {
				if !analyzed && afterAnalyze(c.name) {
					continue
				}
				plan := strings.Join(store.ExplainForTest(t, s, generic, c.ask), ", ")
				for _, table := range calendarTables() {
					if strings.Contains(plan, "Seq Scan "+table) {
						t.Errorf("%s, analyzed=%v, generic=%v: a whole table is read: %s", c.name, analyzed, generic, plan)
					}
				}
				for want := range strings.FieldsSeq(c.want) {
					if !strings.Contains(plan, want) {
						t.Errorf("%s, analyzed=%v, generic=%v: %s, want %s in it", c.name, analyzed, generic, plan, want)
					}
				}
			}
		}
	}
}

// TestSQLiteCalendarPlansUseIndexes is the same on SQLite.
func TestSQLiteCalendarPlansUseIndexes(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLite(t)
	for _, c := range calendarPlanCases(t, s) {
		lines := store.ExplainForTest(t, s, false, c.ask)
		plan := strings.Join(lines, ", ")
		for _, line := range lines {
			for _, table := range calendarTables() {
				if strings.HasPrefix(line, "SCAN "+table) {
					t.Errorf("%s: a whole table is read: %s", c.name, line)
				}
			}
		}
		for want := range strings.FieldsSeq(c.want) {
			if strings.HasSuffix(want, "_pkey") {
				want = "sqlite_autoindex_" + strings.TrimSuffix(want, "_pkey")
			}
			if !strings.Contains(plan, want) {
				t.Errorf("%s: %s, want %s in it", c.name, plan, want)
			}
		}
	}
}

// afterAnalyze names what looks for few among many, which PostgreSQL cannot know without statistics: jobs that come by now and
// then.
func afterAnalyze(name string) bool {
	return slices.Contains([]string{"CalendarsDue", "SubscriptionsDue", "MailboxesDue", "DeleteWrites"}, name)
}

func calendarTables() []string {
	return []string{"rooms", "mailboxes", "calendars", "events", "event_writes", "accounts", "directory_users"}
}

// calendarPlanCase is something that is asked, with the indexes that its plan must show.
type calendarPlanCase struct {
	name string
	ask  func(*store.Tx) error
	want string
}

func calendarPlanCases(t *testing.T, s *store.Store) []calendarPlanCase {
	t.Helper()
	c, ids, events := offices(t, s)
	ref, now, week := c.Ref(), s.Now(), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	end := week.AddDate(0, 0, 7)
	var eventIDs []string
	for _, e := range events[:50] {
		eventIDs = append(eventIDs, e.ID)
	}
	room, err := s.Read(t.Context()).RoomByEmail(ref, "room000007@rooms.contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	list := append(mailboxPlanCases(c, room, now), calendarListPlanCases(c, ids, now)...)
	return append(list, []calendarPlanCase{
		{"Event", func(tx *store.Tx) error { _, err := tx.Event(ref.OrganizationID, events[7].ID); return err }, "events_pkey"},
		{"LockEvent", func(tx *store.Tx) error { _, err := tx.LockEvent(ref.OrganizationID, events[7].ID); return err }, "events_pkey"},
		{"EventsByGraphID of one", func(tx *store.Tx) error { _, err := tx.EventsByGraphID(c, []string{"event 7"}); return err }, "events_graph"},
		{"EventsByGraphID of many", func(tx *store.Tx) error {
			_, err := tx.EventsByGraphID(c, []string{"event 7", "event 8", "x"})
			return err
		}, "events_graph"},
		{"EventsOfSeries", func(tx *store.Tx) error { _, err := tx.EventsOfSeries(c, "series 3"); return err }, "events_series"},
		{"EventCopies", func(tx *store.Tx) error {
			_, err := tx.EventCopies(model.Event{OrganizationID: ref.OrganizationID, CalendarID: store.NewID(), ICalUID: "uid-event 7"}, "", 10)
			return err
		}, "events_ical_uid"},
		{"OwnEvents", func(tx *store.Tx) error {
			_, err := tx.OwnEvents(ref, []string{"uid-event 7", "uid-event 8"})
			return err
		}, "events_ical_uid"},
		{"RoomMeetings", func(tx *store.Tx) error { _, err := tx.RoomMeetings(ref.OrganizationID, eventIDs); return err }, "events_pkey events_ical_uid"},
		{"MoveEvents", func(tx *store.Tx) error { tx.MoveEvents(c, c, eventIDs[:1]); return nil }, "events_pkey event_writes_event"},
		{"EventsBetween", func(tx *store.Tx) error {
			_, err := tx.EventsBetween(ref.OrganizationID, c.ID, week, end, store.EventFilter{}, store.PlaceOf(events[7]), 50)
			return err
		}, "events_window"},
		{"EventsBetween with series", func(tx *store.Tx) error {
			_, err := tx.EventsBetween(ref.OrganizationID, c.ID, week, end, store.EventFilter{Series: true}, "", 50)
			return err
		}, "events_window events_pkey"},
		{"EventsUnseen", func(tx *store.Tx) error { _, err := tx.EventsUnseen(c, 7, week, end, events[7].ID, 50); return err }, "events_window"},
		{"BusyOf one", func(tx *store.Tx) error { _, err := tx.BusyOf(ref.OrganizationID, ids[:1], week, end, 100); return err }, "events_window"},
		{"BusyOf many", func(tx *store.Tx) error {
			_, err := tx.BusyOf(ref.OrganizationID, ids[:20], week, end, 100)
			return err
		}, "events_window"},
		{"UpdateEvent", func(tx *store.Tx) error { e := events[7]; return tx.UpdateEvent(&e) }, "events_pkey"},
		{"TouchEvents", func(tx *store.Tx) error { return tx.TouchEvents(c, eventIDs, 3) }, "events_pkey"},
		{"DeleteEvents", func(tx *store.Tx) error { _, err := tx.DeleteEvents(c, eventIDs); return err }, "events_pkey"},
		{"WritesDue", func(tx *store.Tx) error { _, err := tx.WritesDue(c, now, 10); return err }, "event_writes_calendar"},
		{"NextWriteAt", func(tx *store.Tx) error { _, _, err := tx.NextWriteAt(c); return err }, "event_writes_calendar"},
		{"WritesOfEvents", func(tx *store.Tx) error { _, err := tx.WritesOfEvents(c, eventIDs[:1]); return err }, "event_writes_event"},
		{"DeleteWrites", func(tx *store.Tx) error { _, err := tx.DeleteWrites(now.AddDate(0, 0, -1)); return err }, "event_writes_done"},
	}...)
}

func mailboxPlanCases(c model.Calendar, room model.Room, now time.Time) []calendarPlanCase {
	ref := c.Ref()
	return []calendarPlanCase{
		{"Mailbox", func(tx *store.Tx) error { _, err := tx.Mailbox(ref, c.MailboxID); return err }, "mailboxes_"},
		{"MailboxByID", func(tx *store.Tx) error { _, err := tx.MailboxByID(ref.OrganizationID, c.MailboxID); return err }, "mailboxes_"},
		{"MailboxOf an account", func(tx *store.Tx) error { _, _, err := tx.MailboxOf(ref, *c.AccountID, ""); return err }, "mailboxes_account"},
		{"MailboxOf a room", func(tx *store.Tx) error { _, _, err := tx.MailboxOf(ref, "", room.ID); return err }, "mailboxes_room"},
		{"MailboxesAfter", func(tx *store.Tx) error { _, err := tx.MailboxesAfter(ref, c.MailboxID, 50); return err }, "mailboxes_"},
		{"MailboxesDue", func(tx *store.Tx) error { _, err := tx.MailboxesDue(ref, now, c.MailboxID, 50); return err }, "mailboxes_pending mailboxes_retry"},
		{"MailboxCandidatesAfter", func(tx *store.Tx) error { _, err := tx.MailboxCandidatesAfter(ref, *c.AccountID, 50); return err }, "accounts_"},
		{"RoomsAfter", func(tx *store.Tx) error {
			_, err := tx.RoomsAfter(ref.OrganizationID, store.RoomFilter{Integration: ref.IntegrationID, MinCapacity: 2, Q: "room"}, room.ID, 50)
			return err
		}, "rooms_"},
		{"Room", func(tx *store.Tx) error { _, err := tx.Room(ref.OrganizationID, room.ID); return err }, "rooms_"},
		{"RoomByEmail", func(tx *store.Tx) error { _, err := tx.RoomByEmail(ref, room.Email); return err }, "rooms_email"},
	}
}

func calendarListPlanCases(c model.Calendar, ids []string, now time.Time) []calendarPlanCase {
	ref := c.Ref()
	filtered := func(f store.CalendarFilter) func(*store.Tx) error {
		return func(tx *store.Tx) error { _, err := tx.CalendarsAfter(ref.OrganizationID, f, "", 50); return err }
	}
	enabled := true
	return []calendarPlanCase{
		{"Calendar", func(tx *store.Tx) error { _, err := tx.Calendar(ref.OrganizationID, c.ID); return err }, "calendars_"},
		{"CalendarByID", func(tx *store.Tx) error { _, err := tx.CalendarByID(c.ID); return err }, "calendars_pkey"},
		{"CalendarsOf", func(tx *store.Tx) error { _, err := tx.CalendarsOf(ref, c.MailboxID); return err }, "calendars_mailbox"},
		{"CalendarsAfter", filtered(store.CalendarFilter{Enabled: &enabled}), "calendars_"},
		{"CalendarsAfter of an account", filtered(store.CalendarFilter{Account: *c.AccountID}), "calendars_account"},
		{"CalendarsAfter of a room", filtered(store.CalendarFilter{Room: *c.AccountID}), "calendars_room"},
		{"CalendarsOfRooms", func(tx *store.Tx) error { _, err := tx.CalendarsOfRooms(ref.OrganizationID, ids[:50]); return err }, "calendars_room"},
		{"CalendarsAfter of an integration", filtered(store.CalendarFilter{Integration: ref.IntegrationID}), "calendars_"},
		{"MarkDirty", func(tx *store.Tx) error { _, err := tx.MarkDirty(ids[:10]); return err }, "calendars_pkey"},
		{"MarkDirty of one", func(tx *store.Tx) error { _, err := tx.MarkDirty(ids[:1]); return err }, "calendars_pkey"},
		{"CalendarsDue", func(tx *store.Tx) error { _, err := tx.CalendarsDue(now, "", 50); return err }, "calendars_changed calendars_next"},
		{"SubscriptionsDue", func(tx *store.Tx) error { _, err := tx.SubscriptionsDue(now, "", 50); return err }, "calendars_subscribing"},
		{"SubscribedAfter", func(tx *store.Tx) error { _, err := tx.SubscribedAfter(ref, c.ID, 50); return err }, "calendars_"},
		{"CalendarBySubscription", func(tx *store.Tx) error { _, err := tx.CalendarBySubscription("subscription 7"); return err }, "calendars_subscription"},
		{"DeleteCalendar", func(tx *store.Tx) error { _, err := tx.DeleteCalendar(ref, ids[7]); return err }, "events_window"},
	}
}
