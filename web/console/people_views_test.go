package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"usher/model"
)

// hybrid is what the mirror has of somebody whose master is an Active Directory.
func hybrid() map[string]any {
	return map[string]any{"urn:ietf:params:scim:schemas:extension:usher:2.0:User": map[string]any{"onPremisesSyncEnabled": true}}
}

func TestPeopleViews(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		i := f.contoso()
		f.get("/people?view=hybrid").want(http.StatusOK, "Nobody is hybrid", `data-empty="nothing-yet"`)
		f.get("/people?view=held").want(http.StatusOK, "No plan is held", `data-empty="nothing-yet"`)
		f.push(i, "anita@contoso.example", "Anita Borg", hybrid())
		run := f.held(i, f.push(i, "held@contoso.example", "Held Person"))
		f.get("/people?view=hybrid").want(http.StatusOK, "Anita Borg", `value="`+f.account("anita@contoso.example").ID+`"`).lacks("Ada Lovelace", "Held Person")
		f.get("/people?view=held").want(http.StatusOK, "Held Person", "Would be deactivated", "Left every chosen group", "/console/runs/"+run.ID).lacks("Ada Lovelace", "Anita Borg")
		for _, view := range []string{"hybrid", "held", "guests", "excluded", "conflicts"} {
			f.get("/people?view="+view+"&q=nobody").want(http.StatusOK, `data-empty="filtered"`, "Clear the filters")
		}
		f.get("/people?view=held&q=HELD+p").want(http.StatusOK, "Held Person")
		f.get("/people?view=hybrid&q=borg").want(http.StatusOK, "Anita Borg")
		f.get("/people?view=guests&q=HAMILTON").want(http.StatusOK, "Margaret Hamilton")
		for _, after := range []string{"nonsense", run.ID, run.ID + "/", run.ID + "/x.y", run.ID + "/1.00000000-0000-0000-0000-000000000000"} {
			if a := f.get("/people?view=held&after=" + after); a.StatusCode != http.StatusBadRequest && a.StatusCode != http.StatusOK {
				t.Errorf("after=%s: %d", after, a.StatusCode)
			}
		}
	})
}

// TestPeopleViewsByPage reads every view to its end, and finds everybody in it once.
func TestPeopleViewsByPage(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		i := f.integration("Contoso")
		var all []model.DirectoryUser
		for n := range 60 {
			all = append(all, f.push(i, fmt.Sprintf("h%02d_fabrikam.example#EXT#@contoso.example", n), fmt.Sprintf("Number %02d", n), hybrid()))
		}
		f.held(i, all...)
		for _, view := range []string{"hybrid", "guests", "held", "active", ""} {
			seen := map[string]int{}
			for path, pages := "/people?view="+view, 0; path != "" && pages < 5; pages++ {
				body := f.get(path).want(http.StatusOK).body
				for n := range 60 {
					seen[fmt.Sprintf("Number %02d", n)] += strings.Count(body, fmt.Sprintf(">Number %02d<", n))
				}
				path = ""
				if _, rest, more := strings.Cut(body, `rel="next"`); more && rest != "" {
					before, _, _ := strings.Cut(body, `" rel="next"`)
					path = strings.ReplaceAll(before[strings.LastIndex(before, `"`)+1:], "&amp;", "&")
				}
			}
			for name, n := range seen {
				if n != 1 {
					t.Errorf("the view %q shows %s %d times", view, name, n)
				}
			}
			csv := f.get("/people/export?view=" + view).want(http.StatusOK).body
			if lines := strings.Count(csv, "\n"); lines != 61 {
				t.Errorf("the export of %q has %d lines, want a head and 60", view, lines)
			}
		}
	})
}

func TestExportIsTheView(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		i := f.contoso()
		f.push(i, "anita@contoso.example", "Anita Borg", hybrid())
		f.held(i, f.push(i, "held@contoso.example", "=Held Person"))
		f.get("/people/export?view=hybrid").want(http.StatusOK, "Anita Borg", "Has an account").lacks("Ada Lovelace")
		f.get("/people/export?view=held").want(http.StatusOK, "'=Held Person", "left every chosen group").lacks("Ada Lovelace")
		f.get("/people/export?view=excluded").want(http.StatusOK, "svc-backup").lacks("Ada Lovelace")
		f.get("/people/export?view=guests&q=nobody").want(http.StatusOK).lacks("Margaret")
		f.get("/people/export?view=external").want(http.StatusOK, "Grace Visitor").lacks("Ada Lovelace")
		f.get("/people/export?view=nothing").want(http.StatusBadRequest)
	})
}

func TestBulkOfViews(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		f.push(i, "anita@contoso.example", "Anita Borg", hybrid())
		f.post("/people/preview", "whom", "filter", "view", "hybrid", "action", "deactivate").want(http.StatusOK, "1 account of 1 would be deactivated", "anita@contoso.example")
		f.post("/people/preview", "whom", "filter", "view", "hybrid", "q", "lovelace", "action", "deactivate").want(http.StatusOK, "0 accounts of 0")
		f.post("/people/preview", "whom", "filter", "view", "guests", "integration", i.ID, "action", "deactivate").want(http.StatusOK, "of 1 would be deactivated")
		for _, view := range []string{"excluded", "conflicts", "held", "nothing"} {
			f.post("/people/preview", "whom", "filter", "view", view, "q", "a", "action", "deactivate").want(http.StatusBadRequest, "no accounts or wait for a plan")
		}
		f.post("/people/bulk", "whom", "filter", "view", "hybrid", "action", "deactivate").to("/console/people")
		if got := f.account("anita@contoso.example").Status; got != model.AccountDeactivated {
			t.Error(got)
		}
		if got := f.account("person0@contoso.example").Status; got != model.AccountActive {
			t.Error(got)
		}
	})
}

func TestPersonHistoryAndLicences(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		i := f.contoso()
		u := f.push(i, "held@contoso.example", "Held Person")
		run := f.held(i, u)
		path := "/people/" + f.account("held@contoso.example").ID
		f.get(path).want(http.StatusOK, "The plan is held until somebody applies it", "/console/runs/"+run.ID, "Licences")
		f.get("/people/"+f.account("person0@contoso.example").ID).want(http.StatusOK, "/console/groups/"+i.ID+"/").lacks("The plan is held")
		f.get(path+"/licences").want(http.StatusOK, `data-empty="not-connected"`, "Back to Held Person")
		visitor := "/people/" + f.account("visitor@fabrikam.example").ID
		f.get(visitor).want(http.StatusOK).lacks("/licences")
		f.get(visitor+"/licences").want(http.StatusOK, "Linked to nobody in Entra")
		town := f.tenant()
		ada := f.account(model.Fold(town.ada.UserPrincipalName))
		part := f.get("/people/"+ada.ID+"/licences", "HX-Request", "true").want(http.StatusOK, "In Entra").lacks("<html")
		if !strings.Contains(part.body, "SPE_") && !strings.Contains(part.body, "No licences") {
			t.Error(part.said())
		}
	})
}
