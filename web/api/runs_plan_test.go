package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// hold excludes ada and grace where nobody may be deactivated, and gives the run that is held for it.
func (f *fixture) hold(id string) string {
	f.t.Helper()
	f.do("PATCH", "/integrations/"+id, map[string]any{"guard": map[string]any{"minimum": 0, "percent": 0}}).want(http.StatusOK)
	f.do("PUT", "/integrations/"+id+"/exclusions", `[{"pattern":"ada*"},{"pattern":"grace*"}]`).entries()
	run := str(f.t, f.do("GET", "/runs?state=queued", nil).list()[0], "id")
	f.work(run)
	return run
}

func TestHeldRunIsAppliedPerPerson(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		ada, grace := f.push(id, "ada@contoso.com"), f.push(id, "grace@contoso.com")
		run := f.hold(id)
		got := f.do("GET", "/runs/"+run, nil).want(http.StatusOK)
		hash := str(t, got, "hash")
		guard, _ := got["guard"].(map[string]any)
		phases, _ := got["phases"].(map[string]any)
		if hash == "" || got["expires_at"] == nil || guard["deactivations"] != 2.0 || guard["limit"] != 0.0 || guard["holds"] != true || phases["plan"] == nil ||
			!strings.Contains(str(t, got, "held_because"), "would deactivate 2 of 2") {
			t.Errorf("run %v", got)
		}
		apply := "/runs/" + run + "/apply"
		f.do("POST", apply, nil, "If-Match", `"another"`).wantProblem(http.StatusPreconditionFailed, "hash")
		f.do("POST", apply, map[string]any{"hash": "another"}).wantProblem(http.StatusPreconditionFailed, "hash")
		f.do("POST", apply, map[string]any{"subjects": []string{}}).wantProblem(http.StatusUnprocessableEntity, "subjects")
		f.do("POST", apply, map[string]any{"subjects": []string{"x"}}).wantProblem(http.StatusUnprocessableEntity, "subjects[0]")
		f.do("POST", apply, map[string]any{"subjects": []string{ada.ID}, "except": []string{grace.ID}}).wantProblem(http.StatusUnprocessableEntity, "except")
		f.do("POST", apply, `{"subject":["x"]}`).wantProblem(http.StatusUnprocessableEntity, "subject")
		f.do("POST", apply, map[string]any{"subjects": []string{ada.ID}}, "If-Match", `"`+hash+`"`).want(http.StatusOK)
		f.work(run)
		got = f.do("GET", "/runs/"+run, nil).want(http.StatusOK)
		applied, _ := got["applied"].(map[string]any)
		if got["state"] != "succeeded" || applied["deactivate"] != 1.0 || got["left"] != 1.0 {
			t.Errorf("run %v", got)
		}
		states := map[any]any{}
		for _, d := range f.do("GET", "/runs/"+run+"/decisions", nil).list() {
			subject, _ := d["subject"].(map[string]any)
			states[subject["id"]] = d["state"]
		}
		if states[ada.ID] != "applied" || states[grace.ID] != "left" {
			t.Errorf("decisions %v", states)
		}
		undo := str(t, f.do("POST", "/runs/"+run+"/undo", nil).want(http.StatusAccepted), "id")
		f.do("POST", "/runs/"+run+"/undo", nil).wantProblem(http.StatusConflict, "")
		f.work(undo)
		if got := f.do("GET", "/runs/"+undo, nil).want(http.StatusOK); got["state"] != "succeeded" || got["kind"] != "undo" || got["undo_of"] != run {
			t.Errorf("undo %v", got)
		}
		if list := f.do("GET", "/accounts?status=active", nil).list(); len(list) != 2 {
			t.Errorf("%d accounts are active", len(list))
		}
	})
}

func TestHeldRunOfAWorldThatMoved(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		ada := f.push(id, "ada@contoso.com")
		f.push(id, "grace@contoso.com")
		run := f.hold(id)
		account := str(t, f.do("GET", "/accounts?email=ada@contoso.com", nil).list()[0], "id")
		f.do("POST", "/accounts/"+account+"/deactivate", nil).want(http.StatusOK)
		detail := f.do("POST", "/runs/"+run+"/apply", nil).wantProblem(http.StatusConflict, "")
		if !strings.Contains(detail, "ada@contoso.com") || strings.Contains(detail, "grace@contoso.com") {
			t.Errorf("the conflict says %q", detail)
		}
		f.do("POST", "/runs/"+run+"/discard", map[string]any{"subjects": []string{ada.ID}}).want(http.StatusOK)
		f.do("POST", "/runs/"+run+"/apply", nil).want(http.StatusOK)
		f.work(run)
		if got := f.do("GET", "/runs/"+run, nil).want(http.StatusOK); got["state"] != "succeeded" || got["left"] != 1.0 {
			t.Errorf("run %v", got)
		}
	})
}

func TestPreviewOfSettingsThatAreNotSaved(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		f.do("PUT", "/roles/guest", map[string]any{"name": "Guest"})
		f.push(id, "ada@contoso.com")
		previews := "/integrations/" + id + "/previews"
		for body, field := range map[string]string{
			`{"exclusions":[{"pattern":"x"},{}]}`:                             "exclusions[1].pattern",
			`{"exclusions":{}}`:                                               "exclusions",
			`{"group_mappings":[{"group":{"display_name":"HR"},"role":"x"}]}`: "group_mappings[0].role",
			`{"group_mappings":[{"role":"guest"}]}`:                           "group_mappings[0].group",
			`{"field_mappings":[{"source":"title","target":"x"}]}`:            "field_mappings[0].target",
			`{"role_sync":"x"}`:                                               "role_sync",
			`{"default_role":"x"}`:                                            "default_role",
			`{"guard":{"percent":1000}}`:                                      "guard.percent",
			`{"name":"x"}`:                                                    "name",
		} {
			f.do("POST", previews, body).wantProblem(http.StatusUnprocessableEntity, field)
		}
		before := string(f.do("GET", "/integrations/"+id, nil).raw)
		run := str(t, f.do("POST", previews, `{"exclusions":[{"pattern":"ada*"}],"guard":{"minimum":0},"default_role":"guest","role_sync":"mirror",
			"field_mappings":[{"source":"userName","target":"job_title"}]}`).want(http.StatusAccepted), "id")
		f.work(run)
		got := f.do("GET", "/runs/"+run, nil).want(http.StatusOK)
		counts, _ := got["counts"].(map[string]any)
		supposed, _ := got["settings"].(map[string]any)
		if got["state"] != "succeeded" || counts["deactivate"] != 1.0 || supposed["role_sync"] != "mirror" {
			t.Errorf("preview %v", got)
		}
		if after := string(f.do("GET", "/integrations/"+id, nil).raw); after != before {
			t.Errorf("the integration became %s", after)
		}
		if list := f.do("GET", "/integrations/"+id+"/exclusions", nil).entries(); len(list) != 0 {
			t.Errorf("exclusions were saved: %v", list)
		}
		f.work(str(t, f.do("POST", previews, `{}`).want(http.StatusAccepted), "id"))
		f.work(str(t, f.do("POST", previews, `{"exclusions":null,"role_sync":null}`).want(http.StatusAccepted), "id"))
	})
}
