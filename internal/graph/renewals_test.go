package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/model/outlook"
)

// batchItem is one answer of a batch, by its place in the question.
func batchItem(place, status int, header, body string) string {
	return fmt.Sprintf(`{"id":"%d","status":%d,"headers":{%s},"body":%s}`, place, status, header, body)
}

func batch(items ...string) answer { return ok(`{"responses":[` + strings.Join(items, ",") + `]}`) }

// renewedItem is a renewal that Graph grants, until an hour after the test began.
func renewedItem(place int) string {
	return batchItem(place, 200, `"Content-Type":"application/json"`, fmt.Sprintf(`{"id":"s%d","expirationDateTime":"2026-11-21T10:00:00Z"}`, place))
}

func renewals(n int) []outlook.Renewal {
	var list []outlook.Renewal
	for i := range n {
		list = append(list, outlook.Renewal{ID: fmt.Sprint("s", i+1), ExpiresAt: start.Add(10065 * time.Minute)})
	}
	return list
}

// places gives the subscriptions of a batch with the ends that were asked for.
func places(t *testing.T, r request) map[string]string {
	t.Helper()
	var body struct {
		Requests []struct {
			ID, Method, URL string
			Headers         map[string]string
			Body            map[string]string
		}
	}
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil || r.Method != "POST" || r.Path != "/v1.0/$batch" {
		t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	result := map[string]string{}
	for _, item := range body.Requests {
		if item.Method != "PATCH" || item.Headers["Content-Type"] != "application/json" || len(item.Body) != 1 {
			t.Errorf("%+v", item)
		}
		result[item.ID+" "+item.URL] = item.Body["expirationDateTime"]
	}
	return result
}

func TestRenew(t *testing.T) {
	const refused = `{"error":{"code":"%s","message":"%s"}}`
	w := newWorld(t,
		batch( // in any order
			batchItem(4, 404, "", fmt.Sprintf(refused, "ResourceNotFound", "gone")),
			batchItem(3, 400, "", fmt.Sprintf(refused, "InvalidRequest", "Subscription expiration can only be 4230 minutes in the future.")),
			batchItem(2, 429, `"Retry-After":"5","x":7`, fmt.Sprintf(refused, "TooManyRequests", "")),
			renewedItem(1),
			batchItem(5, 429, `"retry-after":3600`, "null"),
			batchItem(6, 200, "", `"<html>"`),
			batchItem(99, 200, "", `{}`), `{"id":"x","status":200}`,
			batchItem(8, 503, "", "null"),
		),
		batch(renewedItem(2), renewedItem(3), renewedItem(8)),
	)
	list := renewals(8) // the seventh gets no answer
	got, err := w.client().Renew(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]outlook.Kind{3: outlook.NotFound, 4: outlook.Throttled, 5: outlook.Unavailable, 6: outlook.Unavailable}
	for i, result := range got {
		kind, fails := want[i]
		if result.ID != list[i].ID || fails != (result.Err != nil) || fails && outlook.KindOf(result.Err) != kind || !fails && !result.ExpiresAt.Equal(start.Add(time.Hour)) {
			t.Errorf("%d: %+v", i, result)
		}
	}
	if failed, isOutlook := errors.AsType[*outlook.Error](got[4].Err); !isOutlook || failed.After != time.Hour {
		t.Errorf("%#v", got[4].Err)
	}
	if !reflect.DeepEqual(w.sleeps, []time.Duration{5 * time.Second}) {
		t.Errorf("slept %v", w.sleeps)
	}
	requests := w.asked(2)
	if first := places(t, requests[0]); len(first) != 8 || first["1 /subscriptions/s1"] != "2026-11-28T08:45:00Z" {
		t.Errorf("%v", first)
	}
	second := map[string]string{
		"2 /subscriptions/s2": "2026-11-28T08:45:00Z", "3 /subscriptions/s3": "2026-11-24T07:15:00Z", "8 /subscriptions/s8": "2026-11-28T08:45:00Z",
	}
	if got := places(t, requests[1]); !reflect.DeepEqual(got, second) {
		t.Errorf("again %v, want %v", got, second)
	}
}

func TestRenewMany(t *testing.T) {
	all := func(n int) answer {
		var items []string
		for i := n; i > 0; i-- {
			items = append(items, batchItem(i, 200, "", `{"expirationDateTime":"2026-11-21T10:00:00Z"}`))
		}
		return batch(items...)
	}
	t.Run("twenty at a time", func(t *testing.T) {
		w := newWorld(t, all(20), all(20), all(5))
		list := renewals(45)
		got, err := w.client().Renew(t.Context(), list)
		if err != nil || len(got) != 45 {
			t.Fatal(len(got), err)
		}
		for i, result := range got {
			if result.ID != list[i].ID || result.Err != nil {
				t.Errorf("%+v", result)
			}
		}
		if last := places(t, w.asked(3)[2]); len(last) != 5 || last["1 /subscriptions/s41"] == "" {
			t.Errorf("%v", last)
		}
	})
	t.Run("what was done before a failure is not lost", func(t *testing.T) {
		w := newWorld(t, all(20), refusal(403, "Authorization_RequestDenied", ""))
		got, err := w.client().Renew(t.Context(), renewals(45))
		checkKind(t, err, outlook.Forbidden)
		for i, result := range got {
			if (result.Err == nil) != (i < 20) {
				t.Errorf("%d: %+v", i, result)
			}
		}
	})
	t.Run("too long twice", func(t *testing.T) {
		long := batchItem(1, 400, "", `{"error":{"code":"InvalidRequest","message":"expirationDateTime"}}`)
		w := newWorld(t, batch(long), batch(long))
		got, err := w.client().Renew(t.Context(), renewals(1))
		if err != nil {
			t.Fatal(err)
		}
		checkKind(t, got[0].Err, outlook.TooLong)
	})
	t.Run("throttled for ever", func(t *testing.T) {
		busy := batch(batchItem(1, 429, "", "{}"))
		w := newWorld(t, busy, busy, busy, busy)
		got, err := w.client().Renew(t.Context(), renewals(1))
		if err != nil {
			t.Fatal(err)
		}
		checkKind(t, got[0].Err, outlook.Throttled)
		w.asked(4)
	})
	t.Run("nothing", func(t *testing.T) {
		w := newWorld(t)
		got, err := w.client().Renew(t.Context(), []outlook.Renewal{{}})
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		checkKind(t, got[0].Err, outlook.Invalid)
	})
	t.Run("no batch", func(t *testing.T) {
		w := newWorld(t, ok(`[]`))
		_, err := w.client().Renew(t.Context(), renewals(1))
		checkKind(t, err, outlook.Unavailable)
	})
}

func TestSubscribeForLess(t *testing.T) {
	asked := outlook.NewSubscription{
		Calendar: outlook.CalendarRef{Mailbox: ada, Calendar: "c1="}, NotificationURL: "https://usher.contoso.example/n", ExpiresAt: start.Add(10065 * time.Minute),
	}
	long := refusal(400, "InvalidRequest", "Subscription expiration can only be 4230 minutes in the future.")
	t.Run("granted", func(t *testing.T) {
		w := newWorld(t, long, answer{status: 201, body: `{"id":"s1","expirationDateTime":"2026-11-24T07:15:00Z"}`})
		got, err := w.client().Subscribe(t.Context(), asked)
		if err != nil || got.ID != "s1" || !got.ExpiresAt.Equal(start.Add(4215*time.Minute)) {
			t.Fatalf("%+v, %v", got, err)
		}
		sameJSON(t, w.asked(2)[1].Body, `{"changeType":"created,updated,deleted","resource":"users/`+ada+`/calendars/c1=/events","notificationUrl":"https://usher.contoso.example/n",
			"expirationDateTime":"2026-11-24T07:15:00Z","latestSupportedTlsVersion":"v1_2"}`)
	})
	t.Run("refused again", func(t *testing.T) {
		w := newWorld(t, long, long)
		_, err := w.client().Subscribe(t.Context(), asked)
		checkKind(t, err, outlook.TooLong)
		w.asked(2)
	})
	t.Run("without end", func(t *testing.T) {
		w := newWorld(t, answer{status: 201, body: `{"id":"s1"}`})
		_, err := w.client().Subscribe(t.Context(), asked)
		checkKind(t, err, outlook.Unavailable)
	})
}
