package graphapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/model/outlook"
)

const (
	tenantID = "3f1c2a54-6f0e-4f5b-9b0f-2d9b7c6f1a01"
	appID    = "0b8c7b7e-7d53-4b57-8a5c-6d1f0a0c2e11"
	adaID    = "6a1d4c1e-2f55-4be0-9a55-0d6a4f0b7a02"
)

// tenant is a world of canned answers that remembers what it was asked.
type tenant struct {
	mu     sync.Mutex
	roles  []string
	err    error // of every call but Permissions
	events []outlook.Event
	list   []outlook.Calendar
	page   outlook.DeltaPage
	users  outlook.UserPage
	rooms  outlook.RoomPage
	subs   outlook.SubscriptionPage
	busy   []outlook.Schedule

	cal        outlook.CalendarRef
	id         string
	draft      outlook.Draft
	key        string
	comment    string
	link       string
	window     outlook.Window
	origin     string
	uid        string
	asked      outlook.NewSubscription
	renewed    outlook.Renewal
	created    int
	subscribed int
	gone       string
	master     bool
}

func (w *tenant) note(do func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
	return w.err
}

func (w *tenant) first() outlook.Event {
	if len(w.events) == 0 {
		return outlook.Event{}
	}
	return w.events[0]
}

func (w *tenant) User(_ context.Context, ref string) (outlook.User, error) {
	err := w.note(func() {})
	if err == nil && !strings.EqualFold(ref, "ada@contoso.com") && !strings.EqualFold(ref, "lovelace@contoso.com") && ref != adaID {
		err = &outlook.Error{Kind: outlook.NoUser}
	}
	return outlook.User{ID: adaID, UserPrincipalName: "ada@contoso.com", Mail: "lovelace@contoso.com", DisplayName: "Ada Lovelace", AccountEnabled: true}, err
}

func (w *tenant) GroupMembers(_ context.Context, _, next string) (outlook.UserPage, error) {
	return w.users, w.note(func() { w.link = next })
}

func (w *tenant) Calendars(context.Context, string) ([]outlook.Calendar, error) {
	return w.list, w.note(func() {})
}

func (w *tenant) Delta(_ context.Context, cal outlook.CalendarRef, window outlook.Window, link string) (outlook.DeltaPage, error) {
	return w.page, w.note(func() { w.cal, w.window, w.link = cal, window, link })
}

func (w *tenant) View(_ context.Context, cal outlook.CalendarRef, window outlook.Window, next string) (outlook.EventPage, error) {
	return outlook.EventPage{Events: w.events}, w.note(func() { w.cal, w.window, w.link = cal, window, next })
}

func (w *tenant) Event(_ context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error) {
	return w.first(), w.note(func() { w.cal, w.id = cal, id })
}

func (w *tenant) Master(_ context.Context, _ outlook.CalendarRef, id string) (outlook.Event, error) {
	return w.first(), w.note(func() { w.id, w.master = id, true })
}

func (w *tenant) Instances(_ context.Context, _ outlook.CalendarRef, id string, window outlook.Window, next string) (outlook.EventPage, error) {
	return outlook.EventPage{Events: w.events, Next: "more of " + id}, w.note(func() { w.id, w.window, w.link = id, window, next })
}

func (w *tenant) FindEvents(_ context.Context, _ outlook.CalendarRef, origin, uid string) ([]outlook.Event, error) {
	return w.events, w.note(func() { w.origin, w.uid = origin, uid })
}

func (w *tenant) CreateEvent(_ context.Context, cal outlook.CalendarRef, draft outlook.Draft) (outlook.Event, error) {
	return w.first(), w.note(func() { w.cal, w.draft = cal, draft; w.created++ })
}

func (w *tenant) UpdateEvent(_ context.Context, _ outlook.CalendarRef, id string, draft outlook.Draft, key string) (outlook.Event, error) {
	return w.first(), w.note(func() { w.id, w.draft, w.key = id, draft, key })
}

func (w *tenant) CancelEvent(_ context.Context, _ outlook.CalendarRef, id, comment string) error {
	return w.note(func() { w.id, w.comment = id, comment })
}

func (w *tenant) DeleteEvent(_ context.Context, _ outlook.CalendarRef, id, key string) error {
	return w.note(func() { w.id, w.key = id, key })
}

func (w *tenant) Subscribe(_ context.Context, s outlook.NewSubscription) (outlook.Subscription, error) {
	return outlook.Subscription{ID: "s1", Resource: "users/x/events", NotificationURL: s.NotificationURL, ExpiresAt: s.ExpiresAt},
		w.note(func() { w.asked = s; w.subscribed++ })
}

func (w *tenant) Renew(_ context.Context, list []outlook.Renewal) ([]outlook.Renewed, error) {
	err := w.note(func() { w.renewed = list[0] })
	return []outlook.Renewed{{ID: list[0].ID, ExpiresAt: list[0].ExpiresAt, Err: err}}, nil
}

func (w *tenant) Reauthorize(_ context.Context, id string) error {
	return w.note(func() { w.id = id })
}

func (w *tenant) Unsubscribe(_ context.Context, id string) error {
	return w.note(func() { w.gone = id })
}

func (w *tenant) Subscriptions(context.Context, string) (outlook.SubscriptionPage, error) {
	return w.subs, w.note(func() {})
}

func (w *tenant) Rooms(context.Context, string) (outlook.RoomPage, error) {
	return w.rooms, w.note(func() {})
}

func (w *tenant) Schedules(_ context.Context, _ string, _ []string, window outlook.Window) ([]outlook.Schedule, error) {
	return w.busy, w.note(func() { w.window = window })
}

func (w *tenant) Permissions(context.Context) ([]string, error) { return w.roles, nil }

// client speaks to a server as an application of the tenant.
type client struct {
	*Server
	http  *http.Client
	token string
}

func start(t *testing.T, w *tenant, change func(*Options)) *client {
	t.Helper()
	if w.roles == nil {
		w.roles = []string{"Calendars.Read", "Calendars.ReadWrite", "Place.Read.All", "User.Read.All", "GroupMember.Read.All"}
	}
	opts := Options{Calendars: w, TenantID: tenantID, Apps: []App{{ID: appID, Secrets: []Secret{{Value: "s3cret"}}}}}
	if change != nil {
		change(&opts)
	}
	server, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	c := &client{Server: server, http: trusting(server)}
	c.token = c.signIn(t)
	return c
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	raw    string
	json   map[string]any
}

func (c *client) signIn(t *testing.T) string {
	t.Helper()
	got := c.askToken(t, url.Values{"client_secret": {"s3cret"}})
	text, _ := got.json["access_token"].(string)
	if text == "" {
		t.Fatalf("no token: %d %s", got.status, got.raw)
	}
	return text
}

func (c *client) askToken(t *testing.T, more url.Values) reply {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {appID},
		"scope": {"https://graph.microsoft.com/.default openid offline_access profile"},
	}
	for name, values := range more {
		form[name] = values
	}
	request, err := http.NewRequestWithContext(t.Context(), "POST", c.LoginURL+"/"+tenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.send(t, request)
}

// do asks Graph; headers are pairs.
func (c *client) do(t *testing.T, method, target, body string, headers ...string) reply {
	t.Helper()
	request := c.request(t, method, target, body, headers...)
	return c.send(t, request)
}

func (c *client) request(t *testing.T, method, target, body string, headers ...string) *http.Request {
	t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = c.GraphURL + "/v1.0" + target
	}
	request, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return request
}

func (c *client) send(t *testing.T, request *http.Request) reply {
	t.Helper()
	response, err := c.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := reply{status: response.StatusCode, header: response.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &got.json)
	return got
}

// at walks into the answer: at("error", "code"), at("value", "0", "id").
func (r reply) at(names ...string) any {
	var at any = r.json
	for _, name := range names {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	return at
}

func (r reply) want(t *testing.T, status int, code string) {
	t.Helper()
	if got, _ := r.at("error", "code").(string); r.status != status || got != code {
		t.Fatalf("got %d %q, want %d %q: %s", r.status, got, status, code, r.raw)
	}
}

func meeting() outlook.Event {
	return outlook.Event{
		ID: "AAkALgA/+=1", ChangeKey: "ck1", ICalUID: "uid1", Type: outlook.SingleInstance, Subject: "Réunion 🚀",
		Body:  outlook.Body{ContentType: "text", Content: "a < b\nc"},
		Start: outlook.Moment{DateTime: "2026-11-21T09:00:00", TimeZone: "UTC"}, End: outlook.Moment{DateTime: "2026-11-21T10:00:00.5", TimeZone: "UTC"},
		OriginalStartTimeZone: "W. Europe Standard Time", OriginalEndTimeZone: "W. Europe Standard Time",
		Organizer: outlook.Address{Email: "ada@contoso.com", Name: "Ada Lovelace"}, IsOrganizer: true, Origin: "mark-1",
		Attendees: []outlook.Attendee{{Address: outlook.Address{Email: "grace@contoso.com"}, Type: outlook.Required, Response: outlook.ResponseAccepted}},
		CreatedAt: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2026, 11, 2, 8, 0, 0, 123_456_700, time.UTC),
	}
}
