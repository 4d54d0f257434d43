package exchange_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

func TestPeopleAndGroups(t *testing.T) {
	w := newWorld(t, exchange.Options{PageSize: 2})
	for _, ref := range []string{w.ids["Ada"], adaMail, strings.ToUpper(adaMail)} {
		if u := must[outlook.User](t)(w.client.User(t.Context(), ref)); u.ID != w.ids["Ada"] || u.DisplayName != "Ada Lovelace" || !u.AccountEnabled {
			t.Errorf("%s is %+v", ref, u)
		}
	}
	group := w.AddGroup(adaMail, graceMail, alanMail)
	page := must[outlook.UserPage](t)(w.client.GroupMembers(t.Context(), group, ""))
	rest := must[outlook.UserPage](t)(w.client.GroupMembers(t.Context(), group, page.Next))
	if len(page.Users) != 2 || len(rest.Users) != 1 || rest.Next != "" {
		t.Errorf("members %+v, %+v", page, rest)
	}
	w.SetMembers(group, adaMail)
	if page = must[outlook.UserPage](t)(w.client.GroupMembers(t.Context(), group, "")); len(page.Users) != 1 {
		t.Errorf("members %+v", page)
	}
	_, err := w.client.GroupMembers(t.Context(), "none", "")
	wantKind(t, err, outlook.NotFound, 404, "Request_ResourceNotFound")
	_, err = w.client.User(t.Context(), "nobody")
	wantKind(t, err, outlook.NoUser, 404, "Request_ResourceNotFound")
}

func TestMailboxesComeAndGo(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	made := event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	ask := func() error {
		_, err := w.client.Event(t.Context(), ref, made.ID)
		return err
	}
	w.SetHosting(adaMail, exchange.OnPremises)
	wantKind(t, ask(), outlook.NoMailbox, 404, "MailboxNotEnabledForRESTAPI")
	w.SetHosting(adaMail, exchange.Hosted)
	if err := ask(); err != nil {
		t.Errorf("a move loses nothing: %v", err)
	}
	w.DeleteUser(adaMail)
	wantKind(t, ask(), outlook.NoUser, 404, "Request_ResourceNotFound")
	w.RestoreUser(adaMail)
	if err := ask(); err != nil {
		t.Errorf("restored: %v", err)
	}
	w.Block(adaMail, true)
	wantKind(t, ask(), outlook.Forbidden, 403, "ErrorAccessDenied")
	w.Block(adaMail, false)
	before := must[[]outlook.Calendar](t)(w.client.Calendars(t.Context(), adaMail))
	w.SetHosting(adaMail, exchange.NoLicence)
	wantKind(t, ask(), outlook.NoMailbox, 404, "MailboxNotEnabledForRESTAPI")
	w.SetHosting(adaMail, exchange.Hosted)
	wantKind(t, ask(), outlook.NotFound, 404, "ErrorItemNotFound")
	if after := must[[]outlook.Calendar](t)(w.client.Calendars(t.Context(), adaMail)); after[0].ID == before[0].ID {
		t.Error("the new mailbox has the old ids")
	}
	if w.RemoveRoom(roomMail); len(must[outlook.RoomPage](t)(w.client.Rooms(t.Context(), "")).Rooms) != 0 {
		t.Error("the room is there")
	}
}

func TestCalendarsOfAMailbox(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	private := w.AddCalendar(adaMail, "Private")
	mount := must[string](t)(w.ShareCalendar(graceMail, "", adaMail, false))
	list := must[[]outlook.Calendar](t)(w.client.Calendars(t.Context(), adaMail))
	if len(list) != 3 || !list[0].IsDefault || list[1].ID != private || !list[1].CanEdit || list[2].ID != mount || list[2].CanEdit || list[2].Owner.Email != graceMail || list[1].Owner.Email != adaMail {
		t.Fatalf("calendars %+v", list)
	}
	event(t)(w.grace.Create("", meeting("Hers", "09:00:00", "10:00:00")))
	if page := must[outlook.EventPage](t)(w.client.View(t.Context(), outlook.CalendarRef{Mailbox: adaMail, Calendar: mount}, march(), "")); len(page.Events) != 1 {
		t.Errorf("the mount shows %+v", page)
	}
	for _, err := range []error{w.RenameCalendar(adaMail, private, "Mine"), w.SetCanEdit(adaMail, private, false), w.SetDefaultCalendar(adaMail, private)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	renewed := must[string](t)(w.RenewCalendarID(adaMail, private))
	list = must[[]outlook.Calendar](t)(w.client.Calendars(t.Context(), adaMail))
	if list[0].ID != renewed || list[0].Name != "Mine" || list[0].CanEdit || !list[0].IsDefault || list[1].IsDefault {
		t.Errorf("calendars %+v", list)
	}
	_, err := w.client.View(t.Context(), outlook.CalendarRef{Mailbox: adaMail, Calendar: private}, march(), "")
	wantKind(t, err, outlook.NotFound, 404, "ErrorItemNotFound")
	made := event(t)(w.ada.Create(list[1].ID, meeting("Old", "09:00:00", "10:00:00")))
	if err := w.DeleteCalendar(adaMail, list[1].ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.client.Event(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, made.ID)
	wantKind(t, err, outlook.NotFound, 404, "ErrorItemNotFound")
}

func TestPermissions(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	w.Grant("Calendars.Read")
	if got := must[[]string](t)(w.client.Permissions(t.Context())); len(got) != 1 || got[0] != "Calendars.Read" {
		t.Errorf("permissions %v", got)
	}
	must[outlook.EventPage](t)(w.client.View(t.Context(), ref, march(), ""))
	_, err := w.client.CreateEvent(t.Context(), ref, meeting("Budget", "09:00:00", "10:00:00"))
	wantKind(t, err, outlook.Forbidden, 403, "ErrorAccessDenied")
	_, err = w.client.Rooms(t.Context(), "")
	wantKind(t, err, outlook.Forbidden, 403, "Authorization_RequestDenied")
	_, err = w.client.User(t.Context(), adaMail)
	wantKind(t, err, outlook.Forbidden, 403, "Authorization_RequestDenied")
	w.RevokeConsent(true)
	_, err = w.client.View(t.Context(), ref, march(), "")
	wantKind(t, err, outlook.BadCredentials, 401, "InvalidAuthenticationToken")
}

func TestRequestFaults(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	made := event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	w.Throttle(adaMail, 2, 130*time.Second)
	for i := range 4 {
		_, err := w.client.Event(t.Context(), outlook.CalendarRef{Mailbox: w.ids["Ada"]}, made.ID)
		if i < 2 {
			wantKind(t, err, outlook.Throttled, 429, "ApplicationThrottled")
		} else if err != nil {
			t.Error(err)
		}
		if _, err := w.client.View(t.Context(), outlook.CalendarRef{Mailbox: graceMail}, march(), ""); err != nil {
			t.Errorf("another mailbox: %v", err)
		}
	}
	w.Fail(adaMail, -1, &outlook.Error{Kind: outlook.Unavailable, Status: 502, Code: "UnknownError"})
	_, err := w.client.Event(t.Context(), ref, made.ID)
	wantKind(t, err, outlook.Unavailable, 502, "UnknownError")
	w.Fail(adaMail, 0, nil)
	for _, test := range []struct {
		faults exchange.Faults
		kind   outlook.Kind
		status int
		code   string
	}{
		{exchange.Faults{Throttle: 1, ThrottleAfter: time.Second}, outlook.Throttled, 429, "ApplicationThrottled"},
		{exchange.Faults{Unavailable: 1}, outlook.Unavailable, 503, "ErrorInternalServerTransientError"},
		{exchange.Faults{Denied: 1}, outlook.Forbidden, 403, "ErrorAccessDenied"},
		{exchange.Faults{ReadConflict: 1}, outlook.Conflict, 412, "ErrorIrresolvableConflict"},
	} {
		w.SetFaults(test.faults)
		_, err := w.client.Event(t.Context(), ref, made.ID)
		wantKind(t, err, test.kind, test.status, test.code)
	}
	w.SetFaults(exchange.Faults{Conflict: 1})
	_, err = w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Subject: ptr("x")}, made.ChangeKey)
	wantKind(t, err, outlook.Conflict, 412, "ErrorIrresolvableConflict")

	// A lost answer: the event is there, and its transaction id finds it again.
	w.SetFaults(exchange.Faults{LostAnswer: 1})
	d := meeting("Lost", "11:00:00", "12:00:00", graceMail)
	d.TransactionID = "tx"
	if lost, err := w.client.CreateEvent(t.Context(), ref, d); outlook.KindOf(err) != outlook.Unavailable || lost.ID != "" {
		t.Errorf("got %+v, %v", lost, err)
	}
	w.SetFaults(exchange.Faults{})
	event(t)(w.client.CreateEvent(t.Context(), ref, d))
	if len(view(t, w.ada)) != 2 || w.countMails(exchange.Invitation, graceMail) != 1 {
		t.Error("it was made twice")
	}
}

func TestRequestJournal(t *testing.T) {
	w := newWorld(t, exchange.Options{JournalLimit: 3})
	for range 3 {
		must[outlook.User](t)(w.client.User(t.Context(), adaMail))
	}
	_, err := w.client.Event(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, "x")
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	list := w.Requests()
	last := list[len(list)-1]
	if len(list) != 3 || w.RequestCount() != 4 || last.Method != "Event" || last.Mailbox != adaMail || last.Target != "x" || last.App != "usher" || last.Err != err.Error() || list[0].Method != "User" {
		t.Errorf("%d requests: %+v", w.RequestCount(), list)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.client.User(ctx, adaMail); !errors.Is(err, context.Canceled) || w.RequestCount() != 4 {
		t.Errorf("a request that was given up: %v", err)
	}
}

func TestSameSeedSameIDs(t *testing.T) {
	idsOf := func(seed uint64) string {
		w := newWorld(t, exchange.Options{Seed: seed})
		return w.ID() + event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00"))).ID
	}
	first, again, other := idsOf(1), idsOf(1), idsOf(2)
	if first != again || first == other {
		t.Error("ids do not follow the seed")
	}
}

// Over HTTP and in real time, with many at once.
func TestRunOverHTTP(t *testing.T) {
	arrived := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if token := request.URL.Query().Get("validationToken"); token != "" {
			if request.URL.Query().Get("cal") != "1" {
				answer.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(answer, token)
			return
		}
		body, _ := io.ReadAll(request.Body)
		arrived <- string(body)
		answer.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	tenant := exchange.New(exchange.Options{Deliver: exchange.OverHTTP(server.Client())})
	ada := tenant.AddUser(exchange.NewUser{Name: "Ada Lovelace"})
	client := tenant.Client("usher")
	_, err := client.Subscribe(t.Context(), outlook.NewSubscription{
		Calendar: outlook.CalendarRef{Mailbox: ada.ID}, NotificationURL: server.URL + "/n?cal=1", ClientState: "s", ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := tenant.Run(t.Context(), time.Millisecond)
	defer stop()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if _, err := client.CreateEvent(t.Context(), outlook.CalendarRef{Mailbox: ada.ID}, meeting("Budget", "09:00:00", "10:00:00")); err != nil {
					t.Error(err)
				}
				if _, err := client.View(t.Context(), outlook.CalendarRef{Mailbox: ada.ID}, march(), ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for count := 0; count < 40; {
		select {
		case body := <-arrived:
			count += strings.Count(body, `"changeType":"created"`)
		case <-time.After(time.Minute):
			t.Fatalf("%d of 40 arrived", count)
		}
	}
	stop()
	stop()
}
