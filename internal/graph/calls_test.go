package graph_test

import (
	"context"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/outlook"
)

// story is one call, what it must send, what Graph answers, and what must come of it.
type story struct {
	name   string
	call   func(context.Context, *graph.Client) (any, error)
	answer answer

	method, path, query string // the query is compared decoded, as "name=value&…" in any order
	prefer, ifMatch     string
	body                string
	want                any
}

var window = outlook.Window{From: start, To: start.AddDate(0, 0, 7)}

const (
	viewQuery = "startDateTime=2026-11-21T09:00:00Z&endDateTime=2026-11-28T09:00:00Z"
	expand    = "$expand=singleValueExtendedProperties($filter=id eq '" + graph.OriginProperty + "')"
	listed    = `IdType="ImmutableId"|odata.maxpagesize=50|outlook.body-content-type="html"`
	single    = `IdType="ImmutableId"|outlook.body-content-type="html"`
	immutable = `IdType="ImmutableId"`
)

func run(t *testing.T, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s.answer)
			got, err := s.call(t.Context(), w.client())
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, s.want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, s.want)
			}
			s.body = strings.ReplaceAll(s.body, "{graph}", w.graph.URL)
			checkRequest(t, w.asked(1)[0], s)
		})
	}
}

func checkRequest(t *testing.T, r request, s story) {
	t.Helper()
	if r.Method != s.method || r.Path != s.path {
		t.Errorf("asked %s %s, want %s %s", r.Method, r.Path, s.method, s.path)
	}
	if strings.HasPrefix(r.Query, "%24") || strings.Contains(r.Query, "&%24") {
		t.Errorf("the query %s escapes the dollar of its names", r.Query)
	}
	got, err := url.ParseQuery(r.Query)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{}
	for _, pair := range strings.Split(s.query, "&") {
		if name, value, found := strings.Cut(pair, "="); found {
			want.Set(name, value)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("query\n%v\nwant\n%v", got, want)
	}
	if prefer := strings.Join(r.Header.Values("Prefer"), "|"); prefer != s.prefer {
		t.Errorf("Prefer %s, want %s", prefer, s.prefer)
	}
	if got := r.Header.Get("If-Match"); got != s.ifMatch {
		t.Errorf("If-Match %s, want %s", got, s.ifMatch)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") || r.Header.Get("client-request-id") == "" {
		t.Errorf("no token or no client-request-id: %v", r.Header)
	}
	if r.Header.Get("Content-Encoding") != "" || s.body != "" && r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("body of type %s, encoded %s", r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"))
	}
	sameJSON(t, r.Body, s.body)
}

const userFields = "$select=id,userPrincipalName,mail,displayName,accountEnabled"

func TestUsersAndCalendars(t *testing.T) {
	adaUser := outlook.User{ID: ada, UserPrincipalName: "ada@contoso.com", Mail: "ada@contoso.com", DisplayName: "Ada Lovelace", AccountEnabled: true}
	adaJSON := `{"id":"` + ada + `","userPrincipalName":"ada@contoso.com","mail":"ada@contoso.com","displayName":"Ada Lovelace","accountEnabled":true}`
	run(t, []story{
		{
			name:   "a user by principal name",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.User(ctx, "ada@contoso.com") },
			method: "GET", path: "/v1.0/users/ada%40contoso.com", query: userFields, answer: ok(adaJSON), want: adaUser,
		},
		{
			name:   "members of a group, without the groups in it",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.GroupMembers(ctx, "g/1", "") },
			method: "GET", path: "/v1.0/groups/g%2F1/members", query: userFields + "&$top=500",
			answer: ok(`{"value":[{"@odata.type":"#microsoft.graph.group","id":"g2"},null,{"@odata.type":"#microsoft.graph.user",` + adaJSON[1:] + `]}`),
			want:   outlook.UserPage{Users: []outlook.User{adaUser}},
		},
		{
			name:   "calendars, with members that nobody knows",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Calendars(ctx, ada) },
			method: "GET", path: "/v1.0/users/" + ada + "/calendars", query: "$select=id,name,color,canEdit,isDefaultCalendar,owner&$top=100", prefer: immutable,
			answer: ok(`{"value":[{"id":"c1","name":"Calendar","color":"lightBlue","isDefaultCalendar":true,"canEdit":true,"fromTheFuture":{"a":[1]},
				"owner":{"name":"Ada Lovelace","address":"ada@contoso.com"}},{"id":"c2","name":null,"color":"plaid","owner":null}]}`),
			want: []outlook.Calendar{
				{ID: "c1", Name: "Calendar", Color: "lightBlue", IsDefault: true, CanEdit: true, Owner: outlook.Address{Email: "ada@contoso.com", Name: "Ada Lovelace"}},
				{ID: "c2"},
			},
		},
	})
}

func TestUserByMail(t *testing.T) {
	w := newWorld(t, refusal(404, "Request_ResourceNotFound", "Resource 'o'hara@contoso.com' does not exist"), ok(`{"value":[{"id":"1"}]}`))
	user, err := w.client().User(t.Context(), "o'hara@contoso.com")
	if err != nil || user.ID != "1" {
		t.Fatalf("%+v, %v", user, err)
	}
	checkRequest(t, w.asked(2)[1], story{method: "GET", path: "/v1.0/users", query: userFields + "&$filter=mail eq 'o''hara@contoso.com'"})

	for name, found := range map[string]string{"nobody": `[]`, "several": `[{"id":"1"},{"id":"2"}]`} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, refusal(404, "Request_ResourceNotFound", ""), ok(`{"value":`+found+`}`))
			_, err := w.client().User(t.Context(), "ada@contoso.com")
			checkKind(t, err, outlook.NoUser)
		})
	}
	t.Run("a name that leads elsewhere", func(t *testing.T) {
		w := newWorld(t, ok(`{"value":[]}`))
		_, err := w.client().User(t.Context(), "delta")
		checkKind(t, err, outlook.NoUser)
	})
	t.Run("an object id is no address", func(t *testing.T) {
		w := newWorld(t, refusal(404, "Request_ResourceNotFound", ""))
		_, err := w.client().User(t.Context(), ada)
		checkKind(t, err, outlook.NoUser)
		w.asked(1)
	})
}

// delta takes the server's address out of the links.
func delta(page outlook.DeltaPage, err error) (any, error) {
	for _, link := range []*string{&page.Next, &page.Delta} {
		if _, path, found := strings.Cut(*link, "/v1.0"); found {
			*link = "/v1.0" + path
		}
	}
	return page, err
}

func TestViews(t *testing.T) {
	own, named := outlook.CalendarRef{Mailbox: ada}, outlook.CalendarRef{Mailbox: ada, Calendar: "c+1="}
	one := outlook.Event{ID: "e1", ChangeKey: "ck", Type: outlook.SingleInstance, Subject: "Tea"}
	const body = `"value":[null,{"subject":"no id"},{"@odata.etag":"W/\"ck\"","id":"e1","type":"singleInstance","subject":"Tea"}]}`
	run(t, []story{
		{
			name:   "a delta of the default calendar",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return delta(c.Delta(ctx, own, window, "")) },
			method: "GET", path: "/v1.0/users/" + ada + "/calendarView/delta()", query: viewQuery, prefer: listed,
			answer: ok(`{"@odata.nextLink":"{graph}/v1.0/next?$skiptoken=a",` + body),
			want:   outlook.DeltaPage{Events: []outlook.Event{one}, Next: "/v1.0/next?$skiptoken=a"},
		},
		{
			name:   "a delta of a named calendar",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return delta(c.Delta(ctx, named, window, "")) },
			method: "GET", path: "/v1.0/users/" + ada + "/calendars/c%2B1%3D/calendarView/delta()", query: viewQuery, prefer: listed,
			answer: ok(`{"@odata.deltaLink":"{graph}/v1.0/delta?$deltatoken=b",` + body),
			want:   outlook.DeltaPage{Events: []outlook.Event{one}, Delta: "/v1.0/delta?$deltatoken=b"},
		},
		{
			name:   "a view",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.View(ctx, own, window, "") },
			method: "GET", path: "/v1.0/users/" + ada + "/calendarView", query: viewQuery, prefer: listed,
			answer: ok("{" + body), want: outlook.EventPage{Events: []outlook.Event{one}},
		},
		{
			name:   "a view of a named calendar",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.View(ctx, named, window, "") },
			method: "GET", path: "/v1.0/users/" + ada + "/calendars/c%2B1%3D/calendarView", query: viewQuery, prefer: listed,
			answer: ok("{" + body), want: outlook.EventPage{Events: []outlook.Event{one}},
		},
		{
			name: "instances",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return c.Instances(ctx, named, "m/1", window, "")
			},
			method: "GET", path: "/v1.0/users/" + ada + "/calendars/c%2B1%3D/events/m%2F1/instances", query: viewQuery, prefer: listed,
			answer: ok("{" + body), want: outlook.EventPage{Events: []outlook.Event{one}},
		},
		{
			name:   "events by mark",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.FindEvents(ctx, own, "it's", "") },
			method: "GET", path: "/v1.0/users/" + ada + "/events", prefer: listed,
			query:  expand + "&$filter=singleValueExtendedProperties/Any(ep: ep/id eq '" + graph.OriginProperty + "' and ep/value eq 'it''s')",
			answer: ok("{" + body), want: []outlook.Event{one},
		},
		{
			name:   "events by iCalUId",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.FindEvents(ctx, named, "", "040A") },
			method: "GET", path: "/v1.0/users/" + ada + "/calendars/c%2B1%3D/events", prefer: listed,
			query: expand + "&$filter=iCalUId eq '040A'", answer: ok("{" + body), want: []outlook.Event{one},
		},
	})
}

func TestSingleEvents(t *testing.T) {
	own := outlook.CalendarRef{Mailbox: ada}
	const master = "$select=id,changeKey,iCalUId,transactionId,seriesMasterId,type,subject,body,bodyPreview,location,start,end,isAllDay,showAs," +
		"sensitivity,importance,categories,originalStartTimeZone,originalEndTimeZone,originalStart,isCancelled,isOrganizer,isDraft,organizer," +
		"attendees,responseStatus,recurrence,isOnlineMeeting,onlineMeeting,onlineMeetingUrl,webLink,createdDateTime,lastModifiedDateTime," +
		"cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences,singleValueExtendedProperties($filter=id eq '" + graph.OriginProperty + "')"
	run(t, []story{
		{
			name:   "an event with its mark",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Event(ctx, own, "E/1+=") },
			method: "GET", path: "/v1.0/users/" + ada + "/events/E%2F1%2B%3D", query: expand, prefer: single,
			answer: ok(`{"id":"E/1+=","changeKey":"k","singleValueExtendedProperties":[{"id":"String {6F1D4C5E-9A0B-4B53-8D0E-2F6A7C1B9E34} Name UsherOrigin","value":"w1"}]}`),
			want:   outlook.Event{ID: "E/1+=", ChangeKey: "k", Origin: "w1"},
		},
		{
			name:   "a series",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Master(ctx, own, "m") },
			method: "GET", path: "/v1.0/users/" + ada + "/events/m", query: master, prefer: single,
			answer: ok(`{"id":"m","type":"seriesMaster","cancelledOccurrences":["OID.m.2026-11-22"],"exceptionOccurrences":[{"id":"x","type":"exception","seriesMasterId":"m"}]}`),
			want: outlook.Event{
				ID: "m", Type: outlook.SeriesMaster, CancelledOccurrences: []string{"OID.m.2026-11-22"},
				ExceptionOccurrences: []outlook.Event{{ID: "x", Type: outlook.Exception, SeriesMasterID: "m"}},
			},
		},
		{
			name: "a cancellation",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return nil, c.CancelEvent(ctx, outlook.CalendarRef{Mailbox: ada, Calendar: "c1"}, "e", "No tea left")
			},
			method: "POST", path: "/v1.0/users/" + ada + "/calendars/c1/events/e/cancel", prefer: immutable,
			body: `{"Comment":"No tea left"}`, answer: answer{status: 202},
		},
		{
			name: "a deletion of one version",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return nil, c.DeleteEvent(ctx, own, "e", "ck==")
			},
			method: "DELETE", path: "/v1.0/users/" + ada + "/events/e", prefer: immutable, ifMatch: `W/"ck=="`, answer: answer{status: 204},
		},
	})
}

func TestSubscriptionCalls(t *testing.T) {
	asked := outlook.NewSubscription{
		Calendar: outlook.CalendarRef{Mailbox: ada}, NotificationURL: "https://usher.contoso.example/graph/notifications?cal=1",
		LifecycleURL: "https://usher.contoso.example/graph/lifecycle", ClientState: "state", ExpiresAt: start.Add(10065*time.Minute + time.Millisecond),
	}
	made := outlook.Subscription{ID: "s1", Resource: "Users/1/Events", NotificationURL: "https://usher.contoso.example/n", ExpiresAt: start.Add(time.Hour)}
	const madeJSON = `{"id":"s1","resource":"Users/1/Events","notificationUrl":"https://usher.contoso.example/n","expirationDateTime":"2026-11-21T11:00:00.0000000+01:00","creatorId":null}`
	run(t, []story{
		{
			name:   "a subscription",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Subscribe(ctx, asked) },
			method: "POST", path: "/v1.0/subscriptions", prefer: immutable, answer: answer{status: 201, body: madeJSON}, want: made,
			body: `{"changeType":"created,updated,deleted","resource":"users/` + ada + `/events","notificationUrl":"https://usher.contoso.example/graph/notifications?cal=1",
				"lifecycleNotificationUrl":"https://usher.contoso.example/graph/lifecycle","clientState":"state","expirationDateTime":"2026-11-28T08:45:00Z","latestSupportedTlsVersion":"v1_2"}`,
		},
		{
			name:   "a reauthorization",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return nil, c.Reauthorize(ctx, "s1") },
			method: "POST", path: "/v1.0/subscriptions/s1/reauthorize", answer: answer{status: 204},
		},
		{
			name:   "an end",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return nil, c.Unsubscribe(ctx, "s1") },
			method: "DELETE", path: "/v1.0/subscriptions/s1", answer: answer{status: 204},
		},
		{
			name:   "an end of what is gone",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return nil, c.Unsubscribe(ctx, "s1") },
			method: "DELETE", path: "/v1.0/subscriptions/s1", answer: refusal(404, "ResourceNotFound", "The object was not found."),
		},
		{
			name:   "the list",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Subscriptions(ctx, "") },
			method: "GET", path: "/v1.0/subscriptions", answer: ok(`{"value":[` + madeJSON + `]}`),
			want: outlook.SubscriptionPage{Subscriptions: []outlook.Subscription{made}},
		},
	})
}

func TestRoomsAndSchedules(t *testing.T) {
	run(t, []story{
		{
			name:   "rooms, some of them odd",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Rooms(ctx, "") },
			method: "GET", path: "/v1.0/places/microsoft.graph.room", query: "$top=100",
			answer: ok(`{"value":[{"id":"p1","emailAddress":"tea@contoso.com","displayName":"Tea room","capacity":"50","building":"1","floorNumber":2,"displayDevice":"x"},
				{"id":"p2","emailAddress":"b@contoso.com","capacity":8,"floorLabel":"Ground"},{"id":"p3","emailAddress":"c@contoso.com","capacity":null},
				{"id":"p4"},null,{"id":5},{"id":"p6","emailAddress":"d@contoso.com","capacity":-3}]}`),
			want: outlook.RoomPage{Rooms: []outlook.Room{
				{PlaceID: "p1", Email: "tea@contoso.com", DisplayName: "Tea room", Capacity: 50, Building: "1", Floor: "2"},
				{PlaceID: "p2", Email: "b@contoso.com", Capacity: 8, Floor: "Ground"},
				{PlaceID: "p3", Email: "c@contoso.com"},
				{PlaceID: "p6", Email: "d@contoso.com"},
			}},
		},
		{
			name: "schedules, in the order of the question",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return c.Schedules(ctx, ada, []string{"b@contoso.com", "A@contoso.com", "lost@contoso.com", "bad@contoso.com"}, window)
			},
			method: "POST", path: "/v1.0/users/" + ada + "/calendar/getSchedule", prefer: `outlook.timezone="UTC"`,
			body: `{"Schedules":["b@contoso.com","A@contoso.com","lost@contoso.com","bad@contoso.com"],"StartTime":{"dateTime":"2026-11-21T09:00:00","timeZone":"UTC"},
				"EndTime":{"dateTime":"2026-11-28T09:00:00","timeZone":"UTC"},"AvailabilityViewInterval":30}`,
			answer: ok(`{"value":[{"scheduleId":"a@contoso.com","scheduleItems":[
				{"status":"free","start":{"dateTime":"2026-11-21T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-11-21T10:00:00.0000000","timeZone":"UTC"}},
				{"status":"oof","start":{"dateTime":"2026-11-21T10:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-11-21T11:00:00.0000000","timeZone":"UTC"}},
				{"status":"brandNew","start":{"dateTime":"2026-11-21T12:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-11-21T13:00:00","timeZone":"UTC"}}]},
				{"scheduleId":"b@contoso.com","error":{"message":"Unable to resolve","responseCode":"ErrorMailRecipientNotFound"}},
				{"scheduleId":"bad@contoso.com","scheduleItems":[{"status":"busy","start":{"dateTime":"x","timeZone":"UTC"},"end":null}]}]}`),
			want: []outlook.Schedule{
				{Address: "b@contoso.com", Err: &outlook.Error{Kind: outlook.NoMailbox, Code: "ErrorMailRecipientNotFound", Message: "Unable to resolve"}},
				{Address: "A@contoso.com", Busy: []outlook.Busy{
					{Window: outlook.Window{From: start.Add(time.Hour), To: start.Add(2 * time.Hour)}, Status: "oof"},
					{Window: outlook.Window{From: start.Add(3 * time.Hour), To: start.Add(4 * time.Hour)}, Status: "busy"},
				}},
				{Address: "lost@contoso.com", Err: &outlook.Error{Kind: outlook.Unavailable, Code: "UnreadableAnswer", Message: "the answer does not speak of this address"}},
				{Address: "bad@contoso.com", Err: &outlook.Error{Kind: outlook.Unavailable, Code: "UnreadableAnswer", Message: "a time of the schedule cannot be read"}},
			},
		},
	})
}
