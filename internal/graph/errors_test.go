package graph_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/outlook"
)

func TestKinds(t *testing.T) {
	for _, test := range []struct {
		operation string
		status    int
		code      string
		message   string
		want      outlook.Kind
	}{
		{"events.update", 400, "ErrorOccurrenceCrossingBoundary", "Modified occurrence is crossing or overlapping adjacent occurrence.", outlook.CrossingBoundary},
		{"events.create", 400, "TimeZoneNotSupportedException", "", outlook.BadZone},
		{"events.create", 400, "errorinvalidtimezone", "", outlook.BadZone},
		{"events.create", 400, "ErrorPropertyValidationFailure", "", outlook.Invalid},
		{"events.create", 400, "RequestBodyRead", "", outlook.Invalid},
		{"events.get", 400, "ErrorInvalidIdMalformed", "", outlook.Invalid},
		{"events.get", 400, "ErrorInvalidIdMailboxMismatch", "", outlook.NotFound},
		{"events.cancel", 400, "ErrorInvalidRequest", "Your request can't be completed. You need to be an organizer to cancel a meeting.", outlook.NotOrganizer},
		{"events.update", 400, "ErrorInvalidRequest", "The organizer is not valid", outlook.Invalid},
		{"subscriptions.create", 400, "ValidationError", "", outlook.ValidationFailed},
		{"subscriptions.create", 400, "InvalidRequest", "Subscription validation request timed out.", outlook.ValidationFailed},
		{"subscriptions.create", 400, "InvalidRequest", "Subscription expiration can only be 4230 minutes in the future.", outlook.TooLong},
		{"subscriptions.renew", 400, "ExtensionError", "Expiration is too far", outlook.TooLong},
		{"subscriptions.create", 400, "InvalidRequest", "The resource is not supported", outlook.Invalid},
		{"calendarView.delta", 400, "syncStateInvalid", "", outlook.SyncLost},
		{"calendarView.delta", 404, "SyncStateNotFound", "", outlook.SyncLost},
		{"calendarView.delta", 400, "resyncRequired", "", outlook.SyncLost},
		{"calendarView.delta", 410, "", "", outlook.SyncLost},
		{"calendarView.delta", 410, "fullSyncRequired", "", outlook.SyncLost},
		{"events.get", 401, "InvalidAuthenticationToken", "", outlook.BadCredentials},
		{"events.get", 403, "ErrorAccessDenied", "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.", outlook.Forbidden},
		{"users.get", 403, "Authorization_RequestDenied", "", outlook.Forbidden},
		{"subscriptions.create", 403, "ExtensionError", "Operation: Create; Exception: [Status Code: Forbidden; Reason: Forbidden]", outlook.Forbidden},
		{"subscriptions.create", 403, "ExtensionError", "Subscription quota reached", outlook.Quota},
		{"subscriptions.create", 403, "x", "The number of subscriptions is over the limit of 1000", outlook.Quota},
		{"events.get", 403, "x", "over the limit", outlook.Forbidden},
		{"events.get", 404, "ErrorItemNotFound", "", outlook.NotFound},
		{"calendars.list", 404, "ErrorCalendarNotFound", "", outlook.NotFound},
		{"events.get", 404, "MailboxNotEnabledForRESTAPI", "", outlook.NoMailbox},
		{"events.get", 404, "mailboxnotsupportedforrestapi", "", outlook.NoMailbox},
		{"events.get", 404, "ErrorInvalidUser", "", outlook.NoMailbox},
		{"events.get", 404, "Request_ResourceNotFound", "", outlook.NoUser},
		{"users.get", 404, "Request_ResourceNotFound", "", outlook.NoUser},
		{"users.get", 404, "", "", outlook.NoUser},
		{"groups.members", 404, "Request_ResourceNotFound", "", outlook.NotFound},
		{"subscriptions.delete", 404, "ResourceNotFound", "", outlook.NotFound},
		{"subscriptions.create", 409, "Conflict", "Subscription Id <> already exists for the requested combination", outlook.Duplicate},
		{"events.create", 409, "ConcurrentItemSave", "", outlook.Conflict},
		{"events.update", 412, "ErrorIrresolvableConflict", "", outlook.Conflict},
		{"events.get", 424, "", "", outlook.Unavailable},
		{"events.get", 423, "", "", outlook.Unavailable},
		{"events.get", 408, "", "", outlook.Unavailable},
		{"events.get", 429, "ApplicationThrottled", "", outlook.Throttled},
		{"events.get", 429, "", "", outlook.Throttled},
		{"events.get", 509, "", "", outlook.Throttled},
		{"events.get", 500, "ErrorInternalServerError", "", outlook.Unavailable},
		{"events.get", 502, "", "", outlook.Unavailable},
		{"subscriptions.create", 503, "ExtensionError", "Operation: Create; Exception: [Status Code: ServiceUnavailable]", outlook.Unavailable},
		{"events.get", 504, "UnknownError", "", outlook.Unavailable},
		{"events.get", 405, "", "", outlook.Invalid},
		{"events.get", 413, "", "", outlook.Invalid},
	} {
		body := refusal(test.status, test.code, test.message).body
		got := graph.Failure(test.operation, test.status, http.Header{}, []byte(body), start)
		if got.Kind != test.want || got.Code != test.code || got.Status != test.status || got.RequestID != "e4ac7b40-request" {
			t.Errorf("%s %d %s %q: %+v, want kind %d", test.operation, test.status, test.code, test.message, got, test.want)
		}
		if test.message != "" && got.Message != test.message {
			t.Errorf("message %q, want %q", got.Message, test.message)
		}
	}
}

// TestHostileErrors: whatever the body is, the status is kept.
func TestHostileErrors(t *testing.T) {
	for name, test := range map[string]struct{ body, code, message string }{
		"empty":            {"", "", "Bad Gateway"},
		"an object":        {"{}", "", "Bad Gateway"},
		"code alone":       {`{"error":{"code":"X"}}`, "X", "Bad Gateway"},
		"a text":           {`{"error":"invalid_thing"}`, "invalid_thing", "Bad Gateway"},
		"null":             {`{"error":null}`, "", "Bad Gateway"},
		"a list":           {`[]`, "", "Bad Gateway"},
		"numbers":          {`{"error":{"code":5,"message":"seven"}}`, "", "seven"},
		"HTML":             {"<html><body>502</body></html>", "", "Bad Gateway"},
		"truncated":        {`{"error":{"code":"Unkn`, "", "Bad Gateway"},
		"controls":         {`{"error":{"code":"A\u0000B\nC","message":"m"}}`, "ABC", "m"},
		"long":             {`{"error":{"code":"` + strings.Repeat("c", 1000) + `","message":"` + strings.Repeat("m", 1000) + `"}}`, strings.Repeat("c", 100), strings.Repeat("m", 500)},
		"in another case":  {`{"Error":{"Code":"x","Message":"y"}}`, "x", "y"},
		"deeply nested":    {strings.Repeat(`{"error":`, 20000), "", "Bad Gateway"},
		"nested innermost": {`{"error":{"code":"E","innererror":{"innererror":{"code":"F","request-id":7}}}}`, "E", "Bad Gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, answer{status: 502, body: test.body, header: map[string]string{"Content-Type": "text/html"}})
			_, err := w.client().Event(t.Context(), outlook.CalendarRef{Mailbox: ada}, "e")
			got, isOutlook := err.(*outlook.Error) //nolint:errorlint // nothing may be wrapped around it
			if !isOutlook || got.Status != 502 || got.Kind != outlook.Unavailable || got.Code != test.code || got.Message != test.message {
				t.Errorf("%#v", err)
			}
		})
	}
}

// TestHostileAnswers: answers that say 200 and are nothing.
func TestHostileAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "truncated": `{"id":"e"`, "HTML": "<html></html>", "null": "null", "a list": "[]", "a text": `"e"`, "no id": `{"subject":"Tea"}`,
		"id a number": `{"id":5}`, "start a text": `{"id":"e","start":"now"}`, "wrong date": `{"id":"e","createdDateTime":"yesterday"}`,
		"days of tomorrow": `{"id":"e","recurrence":{"pattern":{"daysOfWeek":["x"]},"range":{}}}`,
		"deep":             strings.Repeat("[", 100000),
		"attendees":        `{"id":"e","attendees":{"a":1}}`,
		"type":             `{"@odata.type":7,"id":"e"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, with(ok(body), "request-id", "r1"))
			got, err := w.client().Event(t.Context(), outlook.CalendarRef{Mailbox: ada}, "e")
			if failed, _ := errors.AsType[*outlook.Error](err); (name == "truncated" || name == "HTML" || name == "deep") && (failed.Status != 200 || failed.RequestID != "r1") {
				t.Errorf("status or request are lost: %#v", err)
			}
			if err == nil && name != "start a text" && name != "days of tomorrow" {
				t.Errorf("%+v", got)
			}
			if err != nil {
				checkKind(t, err, outlook.Unavailable)
			}
			w.asked(1)
		})
	}
	t.Run("too large for a page, asked again for less", func(t *testing.T) {
		w := newWorld(t, ok(`{"value":[],"padding":"`+strings.Repeat("x", 2000)+`"}`), ok(`{"value":[{"id":"e"}]}`))
		options := w.options()
		options.MaxAnswer = 1000
		page, err := w.clientOf(options).View(t.Context(), outlook.CalendarRef{Mailbox: ada}, window, "")
		if err != nil || len(page.Events) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		if got := w.asked(2)[1].Header.Values("Prefer")[1]; got != "odata.maxpagesize=2" {
			t.Error(got)
		}
	})
	t.Run("a redirection is not followed", func(t *testing.T) {
		w := newWorld(t, answer{status: 302, header: map[string]string{"Location": "http://contoso.example/"}})
		_, err := w.client().Event(t.Context(), outlook.CalendarRef{Mailbox: ada}, "e")
		checkKind(t, err, outlook.Other)
	})
}

func TestDelay(t *testing.T) {
	for _, test := range []struct {
		after    time.Duration
		attempts int
		jitter   float64
		want     time.Duration
	}{
		{0, 1, 0, time.Second},
		{0, 2, 0, 2 * time.Second},
		{0, 3, 1, 6 * time.Second},
		{0, 1000, 0, 64 * time.Second},
		{time.Second, 3, 0, time.Second},
		{time.Millisecond, 1, 0, time.Second},
		{5 * time.Second, 1, 1, 6 * time.Second},
		{time.Minute, 1, 1, 62 * time.Second},
	} {
		if got := graph.Delay(test.after, test.attempts, test.jitter); got != test.want {
			t.Errorf("Delay(%v, %d, %v) = %v, want %v", test.after, test.attempts, test.jitter, got, test.want)
		}
	}
}
