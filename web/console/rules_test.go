package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

func TestMappings(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/mappings").want(http.StatusOK, `data-empty="not-connected"`)
		i := f.contoso()
		f.get("/mappings").want(http.StatusOK, "Mapped by default", "job_title")
		form := []string{"integration", i.ID, "target.0", "", "target.1", "job_title", "source.1", "title", "mode.1", "always", "expression.1", "ToUpper(value"}
		f.post("/mappings", form...).want(http.StatusOK, `id="f-expression-1-error"`, `value="ToUpper(value"`, `value="title"`)
		form[len(form)-1] = "ToUpper(value)"
		f.post("/mappings", append(form, "do", "preview")...).want(http.StatusSeeOther)
		f.post("/mappings", form...).to("/console/mappings?integration=" + i.ID)
		f.get("/mappings").want(http.StatusOK, "The mappings are saved", `value="ToUpper(value)"`)
		try := "/mappings/try?integration=" + i.ID + "&target.0=job_title&source.0=title&expression.0="
		f.get(try+"ToUpper(value)").want(http.StatusOK, "ANALYST")
		f.get(try+"ToUpper(").want(http.StatusOK, "u-field-error")
		f.post("/mappings", "integration", "nothing").want(http.StatusNotFound)
	})
}

func TestScope(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/scope").want(http.StatusOK, `data-empty="not-connected"`)
		i := f.contoso()
		f.get("/scope").want(http.StatusOK, "Everyone whom Entra pushes", `value="svc-*"`)
		form := []string{"integration", i.ID, "pattern.0", "svc-*", "pattern.1", "", "attribute.1", "title", "operator.1", "resembles", "value.1", "Analyst"}
		f.post("/scope", form...).want(http.StatusOK, "u-field-error", `value="svc-*"`, `value="Analyst"`)
		form[9] = model.ExcludeEquals
		f.post("/scope", append(form, "do", "preview")...).want(http.StatusSeeOther)
		f.post("/scope", form...).to("/console/scope?integration=" + i.ID)
		f.get("/scope").want(http.StatusOK, "The exclusions are saved", `value="Analyst"`)
		f.get("/scope/suggestions?integration=nothing").want(http.StatusNotFound)
		f.push(i, "noreply@contoso.example", "No Reply")
		f.get("/scope/suggestions?integration="+i.ID).want(http.StatusOK, "noreply@contoso.example")
		f.post("/scope/suggestions", "integration", i.ID, "pattern", "noreply*").to("/console/scope?integration=" + i.ID)
		f.get("/scope").want(http.StatusOK, `value="noreply*"`)
	})
}

// planned works the run whose page is at the path, and those before it.
func (f *fixture) planned(path string) model.Run {
	f.Helper()
	id := path[strings.LastIndex(path, "/")+1:]
	waiting, err := f.store.Read(f.Context()).RunsBefore(f.org.ID, store.RunFilter{State: model.RunQueued}, "", 50)
	f.ok(err)
	for _, r := range slices.Backward(waiting) {
		f.ok(f.svc.Work(f.Context(), directory.WorkRun{OrganizationID: f.org.ID, RunID: r.ID}))
	}
	f.ok(f.svc.Work(f.Context(), directory.WorkRun{OrganizationID: f.org.ID, RunID: id})) // one that is being applied waits no more
	r, err := f.store.Read(f.Context()).Run(f.org.ID, id)
	f.ok(err)
	return r
}

func TestRuns(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/runs").want(http.StatusOK, "data-empty")
		i := f.contoso()
		f.post("/runs/start", "integration", i.ID, "kind", "explode").want(http.StatusBadRequest)
		f.post("/runs/start", "integration", "nothing", "kind", "preview").want(http.StatusNotFound)
		path := f.post("/scope", "integration", i.ID, "pattern.0", "person*", "do", "preview").want(http.StatusSeeOther).Header.Get("Location")
		f.get(path).want(http.StatusOK, "Queued", "The plan is being made")
		f.planned(path)
		f.get(path).want(http.StatusOK, "Ada Lovelace", "Deactivate", "7 deactivate", "active").lacks("every 2s")
		f.get(path+"?action=deactivate").want(http.StatusOK, "Ada Lovelace")
		f.get(path + "?action=nothing").want(http.StatusBadRequest)
		f.get(path).want(http.StatusOK, "How far it is")
		f.get(path+"/export").want(http.StatusOK, "person0@contoso.example", "Deactivate")
		f.post(path+"/apply", "who", "chosen").want(http.StatusBadRequest, "tick")
		f.post(path + "/apply").want(http.StatusConflict)
		f.get("/runs?kind=preview").want(http.StatusOK, "Preview", "Contoso")
		f.get("/runs?state=failed").want(http.StatusOK, `data-empty="filtered"`)
	})
}

func TestHeldRun(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		_, err := f.svc.ChangeIntegration(f.Context(), i.Ref(), func(i *model.Integration) error { i.Guard = model.Guard{Minimum: 1, Percent: 1}; return nil }, nil)
		f.ok(err)
		f.post("/scope", "integration", i.ID, "pattern.0", "person*", "pattern.1", "svc-*").to("/console/scope?integration=" + i.ID)
		list, err := f.store.Read(f.Context()).RunsBefore(f.org.ID, store.RunFilter{Kind: model.RunReevaluation}, "", 1)
		f.ok(err)
		path := "/runs/" + list[0].ID
		r := f.planned(path)
		if r.State != model.RunHeld {
			t.Fatalf("the run is %s", r.State)
		}
		f.get("/runs?state=held").want(http.StatusOK, "Held")
		f.get(path).want(http.StatusOK, "It is held, and nothing of it was applied", "7 of 8 active accounts", `name="hash" value="`+r.Hash+`"`)
		decisions, err := f.store.Read(f.Context()).RunDecisionsAfter(f.org.ID, r.ID, "", "", 1)
		f.ok(err)
		f.post(path+"/apply", "who", "all", "hash", "another").want(http.StatusConflict)
		f.post(path+"/discard", "who", "chosen", "subject", decisions[0].SubjectID, "hash", r.Hash).to("/console" + path)
		f.get(path).want(http.StatusOK, "left as it was")
		f.post(path+"/apply", "who", "all").to("/console" + path)
		f.planned(path)
		f.get(path).want(http.StatusOK, "Succeeded", "Undo for 6 people")
		if n := f.active(); n != 3 { // the visitor, the guest, and whom it was not applied to
			t.Errorf("%d accounts are active", n)
		}
		undo := f.post(path + "/undo").want(http.StatusSeeOther).Header.Get("Location")
		f.planned(undo)
		if n := f.active(); n != 9 {
			t.Errorf("%d accounts are active again", n)
		}
	})
}

// active counts the active accounts.
func (f *fixture) active() int {
	f.Helper()
	list, err := f.store.Read(f.Context()).AccountsAfter(f.org.ID, store.AccountFilter{Status: model.AccountActive}, "", 100)
	f.ok(err)
	return len(list)
}
