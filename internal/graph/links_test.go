package graph_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"usher/internal/graph"
	"usher/model/outlook"
)

func TestLinks(t *testing.T) {
	own := outlook.CalendarRef{Mailbox: ada}
	foreign := []string{
		"https://evil.example/v1.0/users", "http://127.0.0.1:1/v1.0/users", "//evil.example/x", "users/1", "http://ada@{host}/v1.0", "https://{host}/v1.0/x", "::", "http://{host}.evil.example/",
	}
	calls := map[string]func(ctx context.Context, c *graph.Client, link string) (next string, err error){
		"delta": func(ctx context.Context, c *graph.Client, link string) (string, error) {
			page, err := c.Delta(ctx, own, window, link)
			return page.Next, err
		},
		"view": func(ctx context.Context, c *graph.Client, link string) (string, error) {
			page, err := c.View(ctx, own, window, link)
			return page.Next, err
		},
		"instances": func(ctx context.Context, c *graph.Client, link string) (string, error) {
			page, err := c.Instances(ctx, own, "e", window, link)
			return page.Next, err
		},
		"members": func(ctx context.Context, c *graph.Client, link string) (string, error) {
			page, err := c.GroupMembers(ctx, "g", link)
			return page.Next, err
		},
		"rooms": func(ctx context.Context, c *graph.Client, link string) (string, error) {
			page, err := c.Rooms(ctx, link)
			return page.Next, err
		},
		"subscriptions": func(ctx context.Context, c *graph.Client, link string) (string, error) {
			page, err := c.Subscriptions(ctx, link)
			return page.Next, err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ok(`{"value":[],"@odata.nextLink":"{graph}/v1.0/next?$skiptoken=a%2Bb%3D&x=1"}`), ok(`{"value":[],"@odata.nextLink":"{graph}/v1.0/again"}`))
			c := w.client()
			next, err := call(t.Context(), c, "")
			if err != nil {
				t.Fatal(err)
			}
			if next, err = call(t.Context(), c, next); err != nil || !strings.HasSuffix(next, "/v1.0/again") {
				t.Errorf("%s, %v", next, err)
			}
			requests := w.asked(2)
			if requests[1].Path != "/v1.0/next" || requests[1].Query != "$skiptoken=a%2Bb%3D&x=1" {
				t.Errorf("the link became %s?%s", requests[1].Path, requests[1].Query)
			}
			if a, b := requests[0].Header.Values("Prefer"), requests[1].Header.Values("Prefer"); !reflect.DeepEqual(a, b) {
				t.Errorf("Prefer %v, on the next page %v", a, b)
			}
			for _, link := range foreign {
				link = strings.ReplaceAll(link, "{host}", strings.TrimPrefix(w.graph.URL, "http://"))
				want := outlook.Invalid
				if name == "delta" {
					want = outlook.SyncLost
				}
				_, err := call(t.Context(), c, link)
				checkKind(t, err, want)
			}
			w.asked(2)
			for _, body := range []string{`{"value":[],"@odata.nextLink":"https://evil.example/v1.0"}`, `{"value":[],"@odata.deltaLink":"https://evil.example/v1.0"}`} {
				if name != "delta" && strings.Contains(body, "deltaLink") {
					continue
				}
				w.answers = []answer{ok(body)}
				_, err := call(t.Context(), c, "")
				checkKind(t, err, outlook.Unavailable)
			}
		})
	}
	t.Run("the pipeline looks once more", func(t *testing.T) {
		w, other := newWorld(t), newWorld(t)
		checkKind(t, w.client().Carry(t.Context(), other.graph.URL+"/v1.0/users"), outlook.Invalid)
		other.asked(0)
	})
	t.Run("a delta that leads nowhere", func(t *testing.T) {
		w := newWorld(t, ok(`{"value":[]}`))
		_, err := w.client().Delta(t.Context(), own, window, "")
		checkKind(t, err, outlook.Unavailable)
	})
	t.Run("lists that do not end", func(t *testing.T) {
		var answers []answer
		for range 200 {
			answers = append(answers, ok(`{"value":[],"@odata.nextLink":"{graph}/v1.0/again"}`))
		}
		w := newWorld(t, answers...)
		_, err := w.client().Calendars(t.Context(), ada)
		checkKind(t, err, outlook.Unavailable)
		w.asked(200)
	})
}

// TestSecrecy: neither tokens nor secrets, bodies, queries and messages come into the log, and what support asks for does.
func TestSecrecy(t *testing.T) {
	w := newWorld(t,
		refusal(404, "Request_ResourceNotFound", "Resource 'private@contoso.com' does not exist"), ok(`{"value":[{"id":"1","displayName":"Private Person"}]}`),
		with(ok(`{"id":"e","subject":"Private subject"}`), "request-id", "request-of-support"),
		refusal(403, "ErrorAccessDenied", "Private message"), ok(`{"value":[{"id":"e"}]}`), answer{status: -1}, ok(`{"id":5}`),
	)
	c := w.client()
	cal := outlook.CalendarRef{Mailbox: ada}
	if _, err := c.User(t.Context(), "private@contoso.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateEvent(t.Context(), cal, outlook.Draft{Subject: pointer("Private subject")}); err != nil {
		t.Fatal(err)
	}
	_, err := c.UpdateEvent(t.Context(), cal, "e", outlook.Draft{Subject: pointer("Private subject")}, "k")
	checkKind(t, err, outlook.Forbidden)
	if _, err := c.FindEvents(t.Context(), cal, "private-mark", ""); err != nil {
		t.Fatal(err)
	}
	checkKind(t, changing(t.Context(), c), outlook.Unavailable)
	checkKind(t, reading(t.Context(), c), outlook.Unavailable)
	log := w.log.String()
	for _, word := range []string{secret, "eyJ", "Bearer", "rivate", "Tea", "$filter", "users/"} {
		if strings.Contains(log, word) {
			t.Errorf("the log has %q in it:\n%s", word, log)
		}
	}
	for _, word := range []string{
		`"level":"DEBUG","msg":"Graph answered","operation":"events.create","status":200,"attempt":1`, `"mailbox":"` + ada + `"`, `"request_id":"request-of-support"`,
		`"client_request_id":"` + w.requests[0].Header.Get("client-request-id") + `"`, `"level":"INFO","msg":"Graph refused","operation":"events.update","status":403`, `"code":"ErrorAccessDenied"`,
	} {
		if !strings.Contains(log, word) {
			t.Errorf("the log has no %s:\n%s", word, log)
		}
	}
	if got := w.seen[3]; got.Operation != "events.update" || got.Status != 403 || got.Outcome != "forbidden" || got.Attempt != 1 {
		t.Errorf("observed %+v", got)
	}
}
