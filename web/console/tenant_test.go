package console_test

import (
	"net/http"
	"strings"
	"testing"

	"usher/model"
)

func TestEntraWithoutGraph(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/entra").want(http.StatusOK, `data-empty="not-connected"`, "No directory is connected").lacks("On-board somebody")
		f.get("/entra/operations").want(http.StatusOK, `data-empty="not-connected"`)
		i := f.contoso()
		for _, path := range []string{"/entra", "/entra?view=deleted", "/entra/licences"} {
			f.get(path).want(http.StatusOK, "Graph is not connected", "no access to Microsoft Graph")
		}
		f.get("/entra").want(http.StatusOK, "Writing is switched off")
		f.get("/entra/new").want(http.StatusOK, "Nobody can be made here")
		f.get("/entra/operations").want(http.StatusOK, `data-empty="nothing-yet"`)
		f.get("/entra/operations?state=failed").want(http.StatusOK, `data-empty="filtered"`)
		_, err := f.svc.ChangeIntegration(f.Context(), i.Ref(), func(i *model.Integration) error { i.ReadOnly = true; return nil }, nil)
		f.ok(err)
		f.get("/entra").want(http.StatusOK, "This integration only reads").lacks("On-board somebody")
	})
}

func TestEntraWithoutPermission(t *testing.T) {
	each(t, func(f *fixture) {
		town := f.tenant()
		f = f.as(f.master)
		town.graph.Grant(graphApp, "Calendars.Read")
		f.get("/entra").want(http.StatusOK, "A permission is missing", "/setup/permissions")
		f.get("/entra/people/"+town.ref.IntegrationID+"/"+town.ada.ID).want(http.StatusOK, "A permission is missing")
		f.get("/entra/new").want(http.StatusOK, "A permission is missing")
	})
}

func TestEntraPeople(t *testing.T) {
	each(t, func(f *fixture) {
		town := f.tenant()
		f = f.as(f.master)
		f.get("/entra").want(http.StatusOK, "Ada Lovelace", "On-board somebody", "/people/"+f.account(town.ada.UserPrincipalName).ID)
		f.get("/entra?q=ada").want(http.StatusOK, "Ada Lovelace").lacks("Alan Turing")
		f.get("/entra?q=nobody").want(http.StatusOK, `data-empty="filtered"`)
		f.get("/entra?q=ada", "HX-Request", "true").want(http.StatusOK, "Ada Lovelace").lacks("<html")
		f.get("/entra/licences").want(http.StatusOK, "SPE_E3", "Cannot be given", "subscription is suspended")
		path := "/entra/people/" + town.ref.IntegrationID + "/" + town.ada.ID
		f.get(path).want(http.StatusOK, "Ada Lovelace", "SPE_E3", "Take away", "Search groups", "seats free")
		f.get("/entra/people/" + town.ref.IntegrationID + "/00000000-0000-4000-8000-000000000001").want(http.StatusNotFound)
		f.post(path+"/groups", "gid", "").want(http.StatusOK, `id="f-gid-error"`, "Choose a group.")
		f.post(path+"/groups", "gid", "no id!").want(http.StatusOK, "is not an id of Entra")
		f.post(path+"/licences", "sku", "").want(http.StatusOK, `id="f-sku-error"`)
		hr, _ := town.people.GroupNamed("HR")
		done := f.post(path+"/groups", "gid", hr.ID).want(http.StatusSeeOther).Header.Get("Location")
		f.get(done).want(http.StatusOK, "Put into the group", "Queued", `data-events="`+done+`/events"`)
		f.work(done)
		f.get(done).want(http.StatusOK, "Succeeded").lacks("data-events")
		if members := strings.Join(town.people.Members(hr.ID), " "); !strings.Contains(members, town.ada.ID) {
			t.Errorf("Ada is not in HR: %s", members)
		}
		f.get(path).want(http.StatusOK, "HR", "Put into a group")
		f.post(done + "/cancel").want(http.StatusConflict)
	})
}

func TestOnboard(t *testing.T) {
	each(t, func(f *fixture) {
		town := f.tenant()
		f = f.as(f.master)
		hr, _ := town.people.GroupNamed("HR")
		office := town.people.SKUs()[0]
		f.get("/entra/new").want(http.StatusOK, hr.ID, "seats free", "First password")
		typed := []string{
			"integration", town.ref.IntegrationID, "user_principal_name", "katherine@contoso.example", "display_name", "Katherine Coleman", "job_title", "Computer",
			"password", "a secret of hers 1", "groups", hr.ID, "licences", office.ID, "account_enabled", "on",
		}
		with := func(more ...string) []string { return append(append([]string{}, typed...), more...) }
		f.post("/entra/new", typed...).want(http.StatusOK, `id="f-usage_location-error"`, `value="Katherine Coleman"`, `value="Computer"`, `value="`+hr.ID+`" checked`).lacks("a secret of hers")
		f.post("/entra/new", with("usage_location", "dk")...).want(http.StatusOK, `id="f-usage_location-error"`, `value="dk"`)
		f.post("/entra/new", with("usage_location", "DK", "manager_id", "nobody at all")...).want(http.StatusOK, `id="f-manager_id-error"`)
		f.post("/entra/new", "integration", town.ref.IntegrationID, "user_principal_name", "ädä", "display_name", "x").want(http.StatusOK, `id="f-user_principal_name-error"`, `value="ädä"`)
		f.post("/entra/new", "integration", "nothing").want(http.StatusNotFound)
		done := f.post("/entra/new", with("usage_location", "DK")...).want(http.StatusSeeOther).Header.Get("Location")
		f.work(done)
		f.get(done).want(http.StatusOK, "Succeeded", "Create the user", "Give the licence", "katherine@contoso.example")
		if _, there := town.people.UserNamed("Katherine Coleman"); !there {
			t.Error("the tenant does not have her")
		}
		again := f.post("/entra/new", with("usage_location", "DK")...).want(http.StatusSeeOther).Header.Get("Location")
		f.work(again)
		f.get(again).want(http.StatusOK, "It failed", "Failed")
		f.get("/entra/operations?state=failed").want(http.StatusOK, "On-board", "katherine@contoso.example")
	})
}

func TestOffboard(t *testing.T) {
	each(t, func(f *fixture) {
		town := f.tenant()
		f = f.as(f.master)
		path := "/entra/people/" + town.ref.IntegrationID + "/" + town.ada.ID + "/offboard"
		f.get(path).want(http.StatusOK, "Keep the user from signing in", "End all sign-ins", "SPE_E3", "nothing is done yet")
		f.post(path, "do", "preview").want(http.StatusOK, "Keep the user from signing in").lacks("SPE_E3")
		f.post(path, "do", "offboard", "at", "soon", "delete", "on").want(http.StatusOK, `id="f-at-error"`, `value="soon"`, `name="delete" value="on" checked`)
		f.post(path, "do", "offboard", "at", "2001-01-01T08:00").want(http.StatusOK, `id="f-at-error"`, "Has passed")
		f.post(strings.Replace(path, town.ada.ID, "00000000-0000-4000-8000-000000000001", 1), "do", "preview").want(http.StatusNotFound)
		if u, _ := town.people.UserNamed("Ada Lovelace"); !u.AccountEnabled {
			t.Fatal("looking at what would be has done it")
		}
		done := f.post(path, "do", "offboard", "revoke_sessions", "on", "remove_groups", "on", "remove_licences", "on").want(http.StatusSeeOther).Header.Get("Location")
		f.get(done).want(http.StatusOK, "Queued", "Deactivate the account")
		f.work(done)
		f.get(done).want(http.StatusOK, "Succeeded", "Take the licence away")
		if u, _ := town.people.UserNamed("Ada Lovelace"); u.AccountEnabled {
			t.Error("Ada may still sign in")
		}
		if a := f.account(town.ada.UserPrincipalName); a.Status != model.AccountDeactivated {
			t.Errorf("the account is %s", a.Status)
		}
	})
}

func TestScheduledOffboarding(t *testing.T) {
	each(t, func(f *fixture) {
		town := f.tenant()
		f = f.as(f.master)
		path := "/entra/people/" + town.ref.IntegrationID + "/" + town.ada.ID + "/offboard"
		later := f.svc.Now().UTC().AddDate(0, 1, 0).Format("2006-01-02T15:04")
		done := f.post(path, "do", "offboard", "at", later).want(http.StatusSeeOther).Header.Get("Location")
		f.get(done).want(http.StatusOK, "Scheduled", "To begin", "/cancel").lacks("data-events")
		f.post(done + "/cancel").to(done)
		f.get(done).want(http.StatusOK, "Cancelled")
	})
}

func TestRestore(t *testing.T) {
	each(t, func(f *fixture) {
		town := f.tenant()
		f = f.as(f.master)
		alan, _ := town.people.UserNamed("Alan Turing")
		f.get("/entra?view=deleted").want(http.StatusOK, "Nobody can be restored")
		f.ok(town.people.SoftDelete(alan.ID))
		path := "/entra/people/" + town.ref.IntegrationID + "/" + alan.ID + "/restore"
		f.get("/entra?view=deleted").want(http.StatusOK, "Alan Turing", path)
		f.work(f.post(path).want(http.StatusSeeOther).Header.Get("Location"))
		f.get("/entra?q=alan").want(http.StatusOK, "Alan Turing")
	})
}
