package graphapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/model/outlook"
)

// answers gives the items of a batch by their ids.
func (r reply) answers() map[string]map[string]any {
	out := map[string]map[string]any{}
	list, _ := r.json["responses"].([]any)
	for _, one := range list {
		item, _ := one.(map[string]any)
		id, _ := item["id"].(string)
		out[id] = item
	}
	return out
}

func TestBatchAnswersEachItemForItself(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	c.Fail(Fault{Mailbox: "v", Where: InBatch, Status: 429, Code: "ApplicationThrottled", RetryAfter: "7"})
	got := c.do(t, "POST", "/$batch", `{"requests":[
		{"id":"1","method":"GET","url":"/users/u/events/x","body":null,"dependsOn":[],"headers":{"Prefer":"IdType=\"ImmutableId\""}},
		{"id":"2","method":"GET","url":"/users/v/events/x","headers":{}},
		{"id":"3","method":"PATCH","url":"users/u/events/x","headers":{"Content-Type":"application/json"},"body":{"subject":"in a batch"}},
		{"id":"4","method":"PATCH","url":"/users/u/events/x","body":{"subject":"no type"}},
		{"id":"5","method":"GET","url":"/nothing"}]}`)
	if got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.raw)
	}
	items := got.answers()
	for id, want := range map[string]float64{"1": 200, "2": 429, "3": 200, "4": 400, "5": 400} {
		if items[id]["status"] != want {
			t.Errorf("item %s: %v", id, items[id])
		}
	}
	if body, _ := items["1"]["body"].(map[string]any); body["id"] != "AAkALgA/+=1" {
		t.Errorf("item 1: %v", items["1"])
	}
	if headers, _ := items["2"]["headers"].(map[string]any); headers["Retry-After"] != "7" {
		t.Errorf("item 2: %v", items["2"])
	}
	if w.draft.Subject == nil || *w.draft.Subject != "in a batch" {
		t.Errorf("draft %+v", w.draft)
	}
	batched := 0
	for _, r := range c.Journal() {
		if r.Batched {
			batched++
		}
	}
	if batched != 4 { // one never became a request
		t.Errorf("%d items in the journal", batched)
	}
}

func TestBatchDependencies(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	c.Fail(Broken("/users/*/events/a", 500))
	items := c.do(t, "POST", "/$batch", `{"requests":[
		{"id":"a","method":"GET","url":"/users/u/events/a"},
		{"id":"b","method":"DELETE","url":"/users/u/events/b","dependsOn":["a"]},
		{"id":"c","method":"DELETE","url":"/users/u/events/c","dependsOn":["b"]},
		{"id":"d","method":"GET","url":"/users/u/events/d"}]}`).answers()
	if items["a"]["status"] != float64(500) || items["b"]["status"] != float64(424) || items["c"]["status"] != float64(424) || items["d"]["status"] != float64(200) {
		t.Errorf("items %v", items)
	}
}

func TestBatchRefusals(t *testing.T) {
	var items []string
	for i := range 21 {
		items = append(items, fmt.Sprintf(`{"id":"%d","method":"GET","url":"/users/u/calendars"}`, i))
	}
	c := start(t, &tenant{}, nil)
	for name, test := range map[string]struct{ body, code string }{
		"21 items":                      {`{"requests":[` + strings.Join(items, ",") + `]}`, "MaximumValueExceeded"},
		"an id twice":                   {`{"requests":[` + items[0] + `,` + items[0] + `]}`, "BadRequest"},
		"no items":                      {`{"requests":[]}`, "BadRequest"},
		"a dependency that comes later": {`{"requests":[{"id":"1","method":"GET","url":"/x","dependsOn":["2"]},{"id":"2","method":"GET","url":"/x"}]}`, "BadRequest"},
		"no JSON":                       {`nonsense`, "BadRequest"},
	} {
		t.Run(name, func(t *testing.T) { c.do(t, "POST", "/$batch", test.body).want(t, 400, test.code) })
	}
	if got := c.do(t, "POST", "/$batch", `{"requests":[`+strings.Join(items[:20], ",")+`]}`); len(got.answers()) != 20 {
		t.Errorf("20 items: %s", got.raw)
	}
	if got := c.do(t, "POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"`+c.GraphURL+`/v1.0/users/u/calendars"}]}`); got.answers()["1"]["status"] != float64(400) {
		t.Errorf("an absolute url: %s", got.raw)
	}
}

func TestBatchItemsRenewInOrder(t *testing.T) {
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	c := start(t, &tenant{}, nil)
	items := c.do(t, "POST", "/$batch", `{"requests":[{"id":"1","method":"PATCH","url":"/subscriptions/s1","headers":{"content-type":"application/json"},
		"body":{"expirationDateTime":"`+until+`"}},{"id":"2","method":"POST","url":"/subscriptions/s1/reauthorize"}]}`).answers()
	if items["1"]["status"] != float64(200) || items["2"]["status"] != float64(204) {
		t.Errorf("items %v", items)
	}
	if _, there := items["2"]["body"]; there {
		t.Error("204 has a body")
	}
}
