package storetest

import (
	"slices"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func mailboxCases() []testCase {
	return []testCase{
		{"a mailbox is of an account or a room of its own organization, once", mailboxOwners},
		{"mailboxes are due when they are pending or to be tried again", mailboxesDue},
		{"the candidates for mailboxes are the accounts that are linked to the integration", mailboxCandidates},
		{"deleting an account or a room deletes its mailboxes with all that is in them", mailboxesGo},
		{"rooms are stored under their addresses, and found by what they are", rooms},
		{"calendars are listed by what they belong to", calendarLists},
	}
}

func mailboxOwners(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	m := Mailbox(t, s.Store, ref, "ada@contoso.com")
	room := NewRoom(ref, "R1")
	InTx(t, s.Store, func(tx *store.Tx) error { _, err := tx.PutRoom(room); return err })
	foreign := Account(t, s.Store, Org(t, s.Store), "eve@contoso.com")
	sister := Integration(t, s.Store, ref.OrganizationID).ID
	for name, c := range map[string]struct {
		change func(*model.Mailbox)
		want   model.Kind
	}{
		"a second one":                  {func(*model.Mailbox) {}, model.Conflict},
		"another organization's person": {func(n *model.Mailbox) { n.AccountID = &foreign.ID }, model.NotFound},
		"nobody's":                      {func(n *model.Mailbox) { n.AccountID = nil }, model.Invalid},
		"of both":                       {func(n *model.Mailbox) { n.RoomID = &room.ID }, model.Invalid},
		"another integration's room":    {func(n *model.Mailbox) { n.AccountID, n.RoomID, n.IntegrationID = nil, &room.ID, sister }, model.NotFound},
	} {
		n := m
		c.change(&n)
		if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertMailbox(&n) }); model.KindOf(err) != c.want || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	again, of := m, model.Mailbox{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, RoomID: &room.ID, State: model.MailboxActive}
	again.IntegrationID = sister
	InTx(t, s.Store, func(tx *store.Tx) error {
		if err := tx.InsertMailbox(&again); err != nil {
			return err
		}
		return tx.InsertMailbox(&of)
	})
	at := s.Now()
	m.GraphUserID, m.Address, m.State, m.Detail, m.Enabled, m.TriedAt, m.RetryAt = "X", "new@contoso.com", model.MailboxMissing, "why", false, &at, &at
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.UpdateMailbox(&m) })
	for name, read := range map[string]func() (model.Mailbox, error){
		"by id":               func() (model.Mailbox, error) { return s.Read(t.Context()).Mailbox(ref, m.ID) },
		"in the organization": func() (model.Mailbox, error) { return s.Read(t.Context()).MailboxByID(ref.OrganizationID, m.ID) },
		"by account": func() (model.Mailbox, error) {
			got, _, err := s.Read(t.Context()).MailboxOf(ref, *m.AccountID, "")
			return got, err
		},
	} {
		if got, err := read(); err != nil || !equalJSON(t, got, m) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, m)
		}
	}
	if got, ok, err := s.Read(t.Context()).MailboxOf(ref, "", room.ID); err != nil || !ok || got.ID != of.ID {
		t.Errorf("of the room: %+v, %v, %v", got, ok, err)
	}
	pages(t, []string{m.ID, of.ID}, func(after string, limit int) ([]model.Mailbox, error) {
		return s.Read(t.Context()).MailboxesAfter(ref, after, limit)
	}, func(m model.Mailbox) string { return m.ID })
}

func mailboxesDue(t *testing.T, s suite) {
	ref, now := Ref(t, s.Store), someday()
	var want []string
	for _, c := range []struct {
		name  string
		state model.MailboxState
		retry time.Duration
		due   bool
	}{
		{"pending", model.MailboxPending, 0, true},
		{"active", model.MailboxActive, 0, false},
		{"missing", model.MailboxMissing, -time.Second, true},
		{"blocked", model.MailboxBlocked, time.Second, false},
		{"pending and late", model.MailboxPending, -time.Second, true},
	} {
		m := Mailbox(t, s.Store, ref, c.name)
		m.State = c.state
		if c.retry != 0 {
			at := now.Add(c.retry)
			m.RetryAt = &at
		}
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.UpdateMailbox(&m) })
		if c.due {
			want = append(want, m.ID)
		}
	}
	pages(t, want, func(after string, limit int) ([]model.Mailbox, error) {
		return s.Read(t.Context()).MailboxesDue(ref, now, after, limit)
	}, func(m model.Mailbox) string { return m.ID })
}

func mailboxCandidates(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	sister := Integration(t, s.Store, ref.OrganizationID).Ref()
	link := func(ref model.Ref, a *model.Account, active bool) {
		u := NewUser(ref, "directory-"+a.Email)
		u.AccountID, u.Active = &a.ID, active
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
	}
	ada, bob := Account(t, s.Store, ref.OrganizationID, "ada@contoso.com"), Account(t, s.Store, ref.OrganizationID, "bob@contoso.com")
	eve := Account(t, s.Store, ref.OrganizationID, "eve@contoso.com")
	Account(t, s.Store, ref.OrganizationID, "nobody@contoso.com")
	User(t, s.Store, ref, "unlinked@contoso.com")
	link(ref, ada, true)
	link(sister, ada, true)
	link(sister, bob, true)
	link(ref, eve, false)
	pages(t, []string{ada.ID, eve.ID}, func(after string, limit int) ([]store.MailboxCandidate, error) {
		return s.Read(t.Context()).MailboxCandidatesAfter(ref, after, limit)
	}, func(c store.MailboxCandidate) string { return c.AccountID })
	list, err := s.Read(t.Context()).MailboxCandidatesAfter(ref, ada.ID, 1)
	want := store.MailboxCandidate{
		AccountID: eve.ID, Email: eve.Email, UserName: eve.UserName, Status: model.AccountActive, ExternalID: "ext-directory-eve",
		DirectoryUserName: "directory-eve@contoso.com", DirectoryEmail: "directory-eve@contoso.com",
	}
	if err != nil || !slices.Equal(list, []store.MailboxCandidate{want}) {
		t.Errorf("%+v, %v; want %+v", list, err, want)
	}
}

// furnish gives a mailbox two calendars with an event that is written, and gives the calendars' ids.
func furnish(t *testing.T, s suite, m model.Mailbox) (ids []string) {
	t.Helper()
	for _, name := range []string{"first", "second"} {
		c := NewCalendar(m, name)
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertCalendar(c) })
		e := Events(t, s.Store, NewEvent(*c, "event", 0))[0]
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertWrite(NewWrite(e, model.WriteUpdate)) })
		ids = append(ids, c.ID)
	}
	return ids
}

// waysOut lists what ends a mailbox; each gives the calendars that it had.
func waysOut(ref model.Ref) map[string]func(tx *store.Tx, m model.Mailbox) ([]model.Calendar, error) {
	return map[string]func(tx *store.Tx, m model.Mailbox) ([]model.Calendar, error){
		"a mailbox": func(tx *store.Tx, m model.Mailbox) ([]model.Calendar, error) { return tx.DeleteMailbox(ref, m.ID) },
		"the mailboxes of an account": func(tx *store.Tx, m model.Mailbox) ([]model.Calendar, error) {
			return tx.DeleteMailboxesOf(&model.Account{ID: *m.AccountID, OrganizationID: m.OrganizationID})
		},
		"an account": func(tx *store.Tx, m model.Mailbox) ([]model.Calendar, error) {
			a, err := tx.LockAccount(ref.OrganizationID, *m.AccountID)
			if err != nil {
				return nil, err
			}
			list, err := tx.CalendarsOf(ref, m.ID)
			tx.DeleteAccount(&a)
			return list, err
		},
		"a room": func(tx *store.Tx, m model.Mailbox) ([]model.Calendar, error) {
			list, err := tx.CalendarsOf(ref, m.ID)
			if err == nil {
				err = tx.DeleteRoom(ref, *m.RoomID)
			}
			return list, err
		},
	}
}

func mailboxesGo(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	stays := Mailbox(t, s.Store, ref, "stays@contoso.com")
	furnish(t, s, stays)
	before := dump(t, s, "mailbox_id", stays.ID)
	for name, remove := range waysOut(ref) {
		m := Mailbox(t, s.Store, ref, name)
		if name == "a room" {
			room := NewRoom(ref, name)
			m.AccountID, m.RoomID = nil, &room.ID
			InTx(t, s.Store, func(tx *store.Tx) error {
				if _, err := tx.PutRoom(room); err != nil {
					return err
				}
				return tx.InsertMailbox(&m)
			})
		}
		ids := furnish(t, s, m)
		var gone []string
		InTx(t, s.Store, func(tx *store.Tx) error {
			list, err := remove(tx, m)
			gone = nil
			for _, k := range list {
				gone = append(gone, k.ID)
			}
			return err
		})
		if !slices.Equal(gone, ids) {
			t.Errorf("%s: the calendars %v are told, want %v", name, gone, ids)
		}
		for _, id := range ids {
			if left := dump(t, s, "calendar_id", id); len(left) > 0 {
				t.Errorf("%s leaves %q", name, left)
			}
		}
		if left := dump(t, s, "mailbox_id", m.ID); len(left) > 0 {
			t.Errorf("%s leaves %q", name, left)
		}
		if _, err := s.Read(t.Context()).Mailbox(ref, m.ID); model.KindOf(err) != model.NotFound {
			t.Errorf("%s leaves the mailbox: %v", name, err)
		}
	}
	if after := dump(t, s, "mailbox_id", stays.ID); !slices.Equal(before, after) {
		t.Errorf("another mailbox changed from %q to %q", before, after)
	}
}

func rooms(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	put := func(m *model.Room) (changed bool) {
		t.Helper()
		InTx(t, s.Store, func(tx *store.Tx) (err error) { changed, err = tx.PutRoom(m); return err })
		return changed
	}
	big, small, elsewhere := NewRoom(ref, "Big Ünit"), NewRoom(ref, "Small 100%"), NewRoom(Integration(t, s.Store, ref.OrganizationID).Ref(), "Elsewhere")
	big.Capacity, small.Capacity, small.Building = 20, 0, "Annex"
	for _, m := range []*model.Room{big, small, elsewhere} {
		if !put(m) {
			t.Errorf("%s is stored without a change", m.DisplayName)
		}
	}
	same, other := *big, *big
	same.Email, other.Floor = "BIG ünit@rooms.contoso.com", "3"
	if put(big) || !put(&same) || !put(&other) || same.ID != big.ID || other.ID != big.ID {
		t.Errorf("rooms %+v, %+v and %+v are one, and the last two changed it", big, same, other)
	}
	if got, err := s.Read(t.Context()).RoomByEmail(ref, "bIG üNIT@rooms.contoso.com"); err != nil || !equalJSON(t, got, other) {
		t.Errorf("by address: %+v, %v; want %+v", got, err, other)
	}
	key := func(m model.Room) string { return m.ID }
	for _, c := range []struct {
		f    store.RoomFilter
		want []string
	}{
		{store.RoomFilter{}, []string{big.ID, small.ID, elsewhere.ID}},
		{store.RoomFilter{Integration: ref.IntegrationID}, []string{big.ID, small.ID}},
		{store.RoomFilter{Integration: "x"}, nil},
		{store.RoomFilter{MinCapacity: 9}, []string{big.ID}},
		{store.RoomFilter{Building: "Annex"}, []string{small.ID}},
		{store.RoomFilter{Q: "0%"}, []string{small.ID}},
		{store.RoomFilter{Q: "ANNEX"}, []string{small.ID}},
		{store.RoomFilter{Q: "zzz"}, nil},
	} {
		list, err := s.Read(t.Context()).RoomsAfter(ref.OrganizationID, c.f, "", 100)
		var got []string
		for _, m := range list {
			got = append(got, m.ID)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v; want %v", c.f, got, err, c.want)
		}
	}
	pages(t, []string{big.ID, small.ID, elsewhere.ID}, func(after string, limit int) ([]model.Room, error) {
		return s.Read(t.Context()).RoomsAfter(ref.OrganizationID, store.RoomFilter{}, after, limit)
	}, key)
}

func calendarLists(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	sister := Integration(t, s.Store, ref.OrganizationID).Ref()
	a := Calendar(t, s.Store, ref, "ada@contoso.com")
	second := a
	second.GraphID, second.Enabled = "second", false
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertCalendar(&second) })
	elsewhere := Calendar(t, s.Store, sister, "bob@contoso.com")
	Calendar(t, s.Store, Ref(t, s.Store), "eve@contoso.com")
	yes, no := true, false
	for _, c := range []struct {
		f    store.CalendarFilter
		want []string
	}{
		{store.CalendarFilter{}, []string{a.ID, second.ID, elsewhere.ID}},
		{store.CalendarFilter{Account: *a.AccountID}, []string{a.ID, second.ID}},
		{store.CalendarFilter{Account: *a.AccountID, Integration: sister.IntegrationID}, nil},
		{store.CalendarFilter{Integration: sister.IntegrationID}, []string{elsewhere.ID}},
		{store.CalendarFilter{Room: *a.AccountID}, nil},
		{store.CalendarFilter{Account: "x"}, nil},
		{store.CalendarFilter{Integration: "x"}, nil},
		{store.CalendarFilter{Enabled: &no}, []string{second.ID}},
		{store.CalendarFilter{Enabled: &yes}, []string{a.ID, elsewhere.ID}},
	} {
		list, err := s.Read(t.Context()).CalendarsAfter(ref.OrganizationID, c.f, "", 100)
		var got []string
		for _, k := range list {
			got = append(got, k.ID)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v; want %v", c.f, got, err, c.want)
		}
	}
	pages(t, []string{a.ID, second.ID, elsewhere.ID}, func(after string, limit int) ([]model.Calendar, error) {
		return s.Read(t.Context()).CalendarsAfter(ref.OrganizationID, store.CalendarFilter{}, after, limit)
	}, func(c model.Calendar) string { return c.ID })
	third := a
	third.MailboxID, third.GraphID = elsewhere.MailboxID, "third"
	if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertCalendar(&third) }); model.KindOf(err) != model.NotFound {
		t.Errorf("a calendar in another integration's mailbox: %v, want NotFound", err)
	}
	changed := second
	changed.Name, changed.IsDefault, changed.CanEdit, changed.Enabled, changed.GraphID = "Ünits", false, false, true, "moved"
	changed.Sync.Dirty = 99
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.UpdateCalendar(&changed) })
	changed.Sync.Dirty = 0
	if got, err := s.Read(t.Context()).Calendar(ref.OrganizationID, second.ID); err != nil || !equalJSON(t, got, changed) {
		t.Errorf("after the update %+v, %v; want %+v", got, err, changed)
	}
}
