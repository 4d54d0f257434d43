package calendarbridge

import (
	"slices"
	"strings"
	"testing"

	"usher/model"
	"usher/model/outlook"
)

// only gives the one event of a list.
func (w *world) only(list []outlook.Event, err error) outlook.Event {
	w.Helper()
	if err != nil || len(list) != 1 {
		w.Fatalf("%d events, %v", len(list), err)
	}
	return list[0]
}

func TestSplitBlock(t *testing.T) {
	const link = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_1%40thread.v2/0?context=%7b%22Tid%22%7d&x=1"
	href := strings.ReplaceAll(link, "&", "&amp;")
	line := "<div><span>" + strings.Repeat("_", 80) + "</span></div>"
	block := `<div class="me-email-text" lang="en-US"><span class="me-email-text">Teams</span><a class="me-email-headline" href="` + href + `">Join</a></div>`
	for _, test := range []struct{ name, body, rest, block string }{
		{"no meeting", "<p>Notes</p>", "<p>Notes</p>", ""},
		{"a document", "<html><head><meta name=x></head><body><p>Notes</p>\n" + line + "\n" + block + "</body></html>", "<p>Notes</p>", line + "\n" + block},
		{"text behind it", "<p>Notes</p>" + block + "<p>More</p>", "<p>Notes</p><p>More</p>", block},
		{"within what people wrote", "<div><p>Notes</p>" + line + block + "</div>", "<div><p>Notes</p></div>", line + block},
		{"a line of somebody's", "<p>" + strings.Repeat("_", 80) + "</p><p>Notes</p>" + block, "<p>" + strings.Repeat("_", 80) + "</p><p>Notes</p>", block},
		{"another meeting's", `<div class="me-email-text"><a href="https://teams.microsoft.com/other">Join</a></div>`, `<div class="me-email-text"><a href="https://teams.microsoft.com/other">Join</a></div>`, ""},
		{"the words alone", "<p>class me-email-text</p>", "<p>class me-email-text</p>", ""},
		{"too deep", strings.Repeat("<div>", 2000) + block, strings.Repeat("<div>", 2000) + block, ""},
	} {
		if rest, got := splitBlock(test.body, link); rest != test.rest || got != test.block {
			t.Errorf("%s: rest is\n%s\nwant\n%s\nblock is\n%s\nwant\n%s", test.name, rest, test.rest, got, test.block)
		}
	}
}

// TestBodyOfAnOnlineMeeting: a new body keeps the meeting, whatever the application knows of its invitation, and is told once.
func TestBodyOfAnOnlineMeeting(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		cal, org := w.calendar(account), w.ref.OrganizationID
		person := w.tenant.As(ada.ID)
		update := func(id string, f Fields) model.Event {
			w.Helper()
			if _, err := w.svc.UpdateEvent(t.Context(), "api", org, id, f); err != nil {
				t.Fatal(err)
			}
			w.settle()
			e, err := w.store.Read(t.Context()).Event(org, id)
			if err != nil || e.SyncState != model.EventSynced {
				t.Fatalf("%+v, %v", e, err)
			}
			return e
		}
		made, err := w.svc.CreateEvent(t.Context(), "api", org, cal.ID, Fields{
			Subject: ptr("Call"), Body: ptr("<p>One</p>"), OnlineMeeting: ptr(true), Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00"),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		there := w.only(person.Series(""))
		if !there.OnlineMeeting {
			t.Fatalf("it is no online meeting: %+v", there)
		}
		check := func(text string) {
			w.Helper()
			now := w.must(person.Event(there.ID))
			if !now.OnlineMeeting || now.OnlineMeetingURL != there.OnlineMeetingURL || !strings.Contains(now.Body.Content, text) || strings.Count(now.Body.Content, "me-email-headline") != 1 {
				t.Fatalf("in Outlook it is %+v", now)
			}
		}
		_, before := w.changes(0)
		stored := update(made.ID, Fields{Body: ptr("<p>Two</p>")})
		check("Two")
		if stored.MeetingURL == "" || !strings.Contains(stored.Body, "Two") || !strings.Contains(stored.Body, stored.MeetingURL) {
			t.Errorf("stored is %+v", stored)
		}
		if types, _ := w.changes(before); !slices.Equal(types, []string{"event.updated"}) {
			t.Errorf("told %v", types)
		}
		// Somebody changes the body as it was read, with the invitation in it.
		update(made.ID, Fields{Body: ptr(strings.Replace(stored.Body, "Two", "Three", 1))})
		check("Three")
		// Of a private event it is not known that it is one.
		update(made.ID, Fields{Sensitivity: ptr("private")})
		update(made.ID, Fields{Body: ptr("<p>Four</p>")})
		check("Four")
		w.equal(ada, w.calendar(account))
	})
}

// TestInvitationThatIsNotFound: where the invitation cannot be told from the rest, the body stays, and the event says why.
func TestInvitationThatIsNotFound(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		cal, org := w.calendar(account), w.ref.OrganizationID
		made, err := w.svc.CreateEvent(t.Context(), "api", org, cal.ID, Fields{Subject: ptr("Call"), OnlineMeeting: ptr(true), Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00")})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		person := w.tenant.As(ada.ID)
		there := w.only(person.Series(""))
		err = person.Resanitize(there.ID, func(outlook.Body) outlook.Body {
			return outlook.Body{ContentType: "html", Content: "<p>Join at <a href=\"" + there.OnlineMeetingURL + "\">the meeting</a></p>"}
		})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		if _, err := w.svc.UpdateEvent(t.Context(), "api", org, made.ID, Fields{Body: ptr("New")}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		e, err := w.store.Read(t.Context()).Event(org, made.ID)
		now := w.must(person.Event(there.ID))
		if err != nil || e.SyncState != model.EventFailed || !strings.Contains(e.SyncError, "MeetingBlockNotFound") || !now.OnlineMeeting || strings.Contains(now.Body.Content, "New") {
			t.Errorf("%+v, %v; in Outlook %+v", e, err, now)
		}
	})
}
