package calendarstest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"usher/model/outlook"
)

func directory() []promise {
	return []promise{
		{"somebody is found by id, principal name and address", somebody},
		{"nobody is NoUser", nobody},
		{"the members of a group come in pages", membersInPages},
		{"an unknown group is not found", unknownGroup},
		{"a mailbox has one default calendar that is its owner's", defaultCalendar},
		{"a mailbox answers to its address", byAddress},
		{"a calendar that is not there is NotFound", noCalendar},
		{"a person without a mailbox is NoMailbox", func(t *testing.T, w World) { refused(t, w, w.NoMailbox, outlook.NoMailbox) }},
		{"a mailbox out of scope is Forbidden", func(t *testing.T, w World) { refused(t, w, w.OutOfScope, outlook.Forbidden) }},
		{"the permissions are those that were granted", permissions},
	}
}

func somebody(t *testing.T, w World) {
	for _, ref := range []string{w.Ada.ID, w.Ada.UserPrincipalName, w.Ada.Mail, strings.ToUpper(w.Ada.Mail)} {
		got, err := w.Calendars.User(t.Context(), ref)
		if err != nil || got.ID != w.Ada.ID || !strings.EqualFold(got.Mail, w.Ada.Mail) || got.DisplayName != w.Ada.DisplayName || !got.AccountEnabled {
			t.Errorf("%s: %+v, %v", ref, got, err)
		}
	}
	if got, err := w.Calendars.User(t.Context(), w.Alan.Mail); err != nil || got.ID != w.Alan.ID || got.UserPrincipalName == got.Mail {
		t.Errorf("by a mail address that is not the principal name: %+v, %v", got, err)
	}
}

func nobody(t *testing.T, w World) {
	for _, ref := range []string{"7d0a1111-2222-4333-8444-555566667777", "nobody@contoso.example"} {
		_, err := w.Calendars.User(t.Context(), ref)
		wantKind(t, err, outlook.NoUser)
	}
	_, err := w.Calendars.Calendars(t.Context(), "7d0a1111-2222-4333-8444-555566667777")
	wantKind(t, err, outlook.NoUser)
}

func unknownGroup(t *testing.T, w World) {
	_, err := w.Calendars.GroupMembers(t.Context(), "7d0a1111-2222-4333-8444-555566667777", "")
	wantKind(t, err, outlook.NotFound, outlook.NoUser)
}

func defaultCalendar(t *testing.T, w World) {
	list := must[[]outlook.Calendar](t)(w.Calendars.Calendars(t.Context(), w.Ada.ID))
	list = slices.DeleteFunc(list, func(c outlook.Calendar) bool { return !c.IsDefault })
	if len(list) != 1 || list[0].ID == "" || !list[0].CanEdit || !strings.EqualFold(list[0].Owner.Email, w.Ada.Mail) {
		t.Fatalf("default calendars: %+v", list)
	}
	made := w.create(t, w.Ada, lunch("by its id"))
	cal := outlook.CalendarRef{Mailbox: w.Ada.ID, Calendar: list[0].ID}
	if got, err := w.Calendars.Event(t.Context(), cal, made.ID); err != nil || got.ID != made.ID {
		t.Errorf("by the calendar's id: %+v, %v", got, err)
	}
}

func byAddress(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("by address"))
	got, err := w.Calendars.Event(t.Context(), outlook.CalendarRef{Mailbox: w.Ada.Mail}, made.ID)
	if err != nil || got.ID != made.ID {
		t.Errorf("got %+v, %v", got, err)
	}
}

func noCalendar(t *testing.T, w World) {
	cal := outlook.CalendarRef{Mailbox: w.Ada.ID, Calendar: "AAMkAGI2NoSuchCalendar="}
	_, err := w.Calendars.Delta(t.Context(), cal, march(), "")
	wantKind(t, err, outlook.NotFound)
	_, err = w.Calendars.CreateEvent(t.Context(), cal, lunch("nowhere"))
	wantKind(t, err, outlook.NotFound)
}

func permissions(t *testing.T, w World) {
	got := must[[]string](t)(w.Calendars.Permissions(t.Context()))
	for _, want := range []string{"Calendars.Read", "Calendars.ReadWrite", "Place.Read.All", "User.Read.All"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %v", want, got)
		}
	}
}

func membersInPages(t *testing.T, w World) {
	var got []string
	pages := 0
	for next := ""; ; {
		page := must[outlook.UserPage](t)(w.Calendars.GroupMembers(t.Context(), w.Group, next))
		for _, u := range page.Users {
			got = append(got, u.ID)
		}
		pages++
		if next = page.Next; next == "" || pages > 100 {
			break
		}
	}
	want := slices.Clone(w.Members)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || pages < 2 {
		t.Errorf("%d members on %d pages, want %d on several", len(got), pages, len(want))
	}
}

// refused tries every way into a mailbox that Graph does not open.
func refused(t *testing.T, w World, who outlook.User, want outlook.Kind) {
	cal := calendarOf(who)
	for name, try := range map[string]func(context.Context) error{
		"Calendars":   func(ctx context.Context) error { _, err := w.Calendars.Calendars(ctx, who.ID); return err },
		"Delta":       func(ctx context.Context) error { _, err := w.Calendars.Delta(ctx, cal, march(), ""); return err },
		"View":        func(ctx context.Context) error { _, err := w.Calendars.View(ctx, cal, march(), ""); return err },
		"FindEvents":  func(ctx context.Context) error { _, err := w.Calendars.FindEvents(ctx, cal, "mark", ""); return err },
		"CreateEvent": func(ctx context.Context) error { _, err := w.Calendars.CreateEvent(ctx, cal, lunch("no")); return err },
		"Subscribe":   func(ctx context.Context) error { _, err := w.Calendars.Subscribe(ctx, w.wish(who)); return err },
	} {
		t.Run(name, func(t *testing.T) { wantKind(t, try(t.Context()), want) })
	}
}
