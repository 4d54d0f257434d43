package graph_test

import (
	"net/http"
	"testing"
	"unicode/utf8"

	"usher/internal/graph"
	"usher/model/outlook"
)

// FuzzFailure: no body of an error panics, loses the status or brings control characters into a code.
func FuzzFailure(f *testing.F) {
	f.Add(404, refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.").body, "1")
	f.Add(429, `{"error":{"code":"TooManyRequests","innerError":{"code":"429","date":"2020-08-18T12:51:51","message":"Please retry after","request-id":"9","status":"429"},"message":"Please retry again later."}}`, "10")
	f.Add(400, `{"error":"invalid"}`, "Fri, 31 Dec 1999 23:59:59 GMT")
	f.Add(500, `{"error":{"innerError":{"innerError":{"code":5}}}}`, "-1")
	f.Add(502, `<html>`, "1e300")
	f.Add(401, `{"error":null}`, "NaN")
	f.Fuzz(func(t *testing.T, status int, body, after string) {
		if status < 400 || status > 599 {
			status = 400 + (status&0x7fffffff)%200
		}
		got := graph.Failure("events.get", status, http.Header{"Retry-After": {after}}, []byte(body), start)
		if got.Status != status || got.Kind == outlook.Other || got.Message == "" && http.StatusText(status) != "" {
			t.Errorf("%+v", got)
		}
		if len(got.Code) > 100 || len(got.Message) > 500 || !utf8.ValidString(got.Message) || got.After < 0 {
			t.Errorf("%+v", got)
		}
		for _, r := range got.Code {
			if r < '-' || r > 'z' {
				t.Errorf("code %q", got.Code)
			}
		}
		if got.Error() == "" {
			t.Error("no text")
		}
	})
}

// FuzzEvent: whatever JSON Graph sends for an event, reading it neither panics nor invents.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(fullEvent))
	f.Add([]byte(`{"@odata.type":"#microsoft.graph.event","id":"e","@removed":{"reason":"deleted"}}`))
	f.Add([]byte(`{"@odata.etag":"W/\"k\"","id":"o","type":"occurrence","seriesMasterId":"m","start":{"dateTime":"2026-11-23T08:00:00.0000000","timeZone":"UTC"}}`))
	f.Add([]byte(`{"id":"e","attendees":[{"emailAddress":{}},null],"recurrence":{"pattern":null},"exceptionOccurrences":[{"id":"x"},{}],"categories":["a",null]}`))
	f.Add([]byte(`{"id":"e","@odata.etag":5,"@removed":[1],"singleValueExtendedProperties":[{"id":null,"value":"x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := graph.DecodeEvent(body)
		if err != nil {
			return
		}
		if got.Removed != "" && (got.Subject != "" || got.Removed != "deleted" && got.Removed != "changed") {
			t.Errorf("%+v", got)
		}
		if got.Stub && (got.Type != outlook.Occurrence || got.Subject != "" || got.Attendees != nil) {
			t.Errorf("%+v", got)
		}
		for _, exception := range got.ExceptionOccurrences {
			if exception.ID == "" {
				t.Errorf("%+v", got)
			}
		}
	})
}
