package api_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"usher/web/api"
)

func TestRuns(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		f.push(id, "ada@contoso.com")
		f.push(id, "backup-service@contoso.com")
		f.do("POST", "/integrations/"+id+"/imports", nil).wantProblem(http.StatusConflict, "")
		graph := f.integration(map[string]any{"ingress": "graph"})
		run := str(t, f.do("POST", "/integrations/"+id+"/previews", nil).want(http.StatusAccepted), "id")
		if got := f.do("GET", "/runs/"+run, nil).want(http.StatusOK); got["state"] != "queued" || got["kind"] != "preview" || got["progress"] == nil {
			t.Errorf("run %v", got)
		}
		f.work(run)
		got := f.do("GET", "/runs/"+run, nil).want(http.StatusOK)
		progress, _ := got["progress"].(map[string]any)
		if got["state"] != "succeeded" || progress["total"] != 2.0 || got["counts"] == nil {
			t.Errorf("run %v", got)
		}
		f.do("POST", "/runs/"+run+"/cancel", nil).wantProblem(http.StatusConflict, "")
		f.do("POST", "/runs/"+run+"/apply", nil).wantProblem(http.StatusConflict, "")
		second := str(t, f.do("POST", "/integrations/"+id+"/reevaluations", nil).want(http.StatusAccepted), "id")
		if got := f.do("POST", "/runs/"+second+"/cancel", nil).want(http.StatusOK); got["state"] != "cancelled" {
			t.Errorf("cancelled to %v", got)
		}
		for query, want := range map[string]int{"": 2, "kind=preview": 1, "state=cancelled": 1, "integration=" + graph: 0} {
			if list := f.do("GET", "/runs?"+query, nil).list(); len(list) != want {
				t.Errorf("?%s gave %d runs, want %d", query, len(list), want)
			}
		}
	})
}

func TestHeldRun(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		f.do("PATCH", "/integrations/"+id, map[string]any{"guard": map[string]any{"minimum": 0, "percent": 0}}).want(http.StatusOK)
		ada := f.push(id, "ada@contoso.com")
		hold := func() string {
			f.do("PUT", "/integrations/"+id+"/exclusions", `[{"pattern":"ada*"}]`).entries()
			run := str(t, f.do("GET", "/runs?state=queued", nil).list()[0], "id")
			f.work(run)
			if got := f.do("GET", "/runs/"+run, nil).want(http.StatusOK); got["state"] != "held" {
				t.Fatalf("run %v", got)
			}
			return run
		}
		run := hold()
		decisions := f.do("GET", "/runs/"+run+"/decisions", nil).list()
		if len(decisions) != 1 {
			t.Fatalf("decisions %v", decisions)
		}
		subject, _ := decisions[0]["subject"].(map[string]any)
		changes := objects(t, decisions[0]["changes"])
		if subject["type"] != "directory_user" || subject["id"] != ada.ID || subject["email"] != "ada@contoso.com" ||
			decisions[0]["action"] != "deactivate" || len(changes) == 0 || changes[0]["reason"] == "" {
			t.Errorf("decision %v", decisions[0])
		}
		if got := f.do("GET", "/runs/"+run+"/decisions?action=create", nil).list(); len(got) != 0 {
			t.Errorf("decisions to create: %v", got)
		}
		f.do("POST", "/runs/"+run+"/discard", nil).want(http.StatusOK)
		f.do("PUT", "/integrations/"+id+"/exclusions", `[]`).entries()
		f.work(str(t, f.do("GET", "/runs?state=queued", nil).list()[0], "id"))
		run = hold()
		f.do("POST", "/runs/"+run+"/apply", nil).want(http.StatusOK)
		f.work(run)
		if list := f.do("GET", "/accounts?status=deactivated", nil).list(); len(list) != 1 {
			t.Errorf("deactivated after the run was applied: %v", list)
		}
	})
}

// events reads server-sent events until the stream ends; on is called with each.
func (f *fixture) events(run, last string, on func(name, id, data string)) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.url+api.Base+"/runs/"+run+"/events", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.key)
	req.Header.Set("Last-Event-ID", last)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		f.t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	name, id := "", ""
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch key {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			on(name, id, value)
		}
	}
}

func TestRunEvents(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		f.push(id, "ada@contoso.com")
		run := str(t, f.do("POST", "/integrations/"+id+"/previews", nil).want(http.StatusAccepted), "id")
		var names []string
		lastID := ""
		f.events(run, "", func(name, id, data string) {
			names = append(names, name)
			lastID = id
			if !strings.Contains(data, run) {
				t.Errorf("data %s", data)
			}
			if len(names) == 1 {
				f.work(run)
			}
		})
		if len(names) < 2 || names[0] != "progress" || names[len(names)-1] != "finished" {
			t.Errorf("events %v", names)
		}
		f.events(run, lastID, func(name, _, _ string) { t.Errorf("%s again, although the client has it", name) })
		f.events(run, "0", func(name, _, _ string) {
			if name != "finished" {
				t.Errorf("%s of a finished run", name)
			}
		})
	})
}
