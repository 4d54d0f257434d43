package console_test

import (
	"net/http"
	"strings"
	"testing"

	"usher/model"
)

func TestPeople(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/people").want(http.StatusOK, `data-empty="not-connected"`)
		i := f.contoso()
		for path, want := range map[string][]string{
			"/people":                            {"Ada Lovelace", "Grace Visitor", "made by hand"},
			"/people?q=lovelace":                 {"Ada Lovelace"},
			"/people?q=PERSON1@":                 {"Alan Turing"},
			"/people?role=hr":                    {"Ada Lovelace"},
			"/people?view=external":              {"Grace Visitor"},
			"/people?view=guests":                {"Margaret Hamilton"},
			"/people?view=excluded":              {"svc-backup@contoso.example"},
			"/people?view=archived":              {`data-empty="nothing-yet"`},
			"/people?view=conflicts":             {"No conflicts"},
			"/people?q=nobody":                   {`data-empty="filtered"`, "Clear the filters"},
			"/people?integration=" + i.ID:        {"Ada Lovelace"},
			"/people?view=archived&q=x&role=hr":  {`data-empty="filtered"`},
			"/people?view=excluded&q=svc-backup": {"svc-backup"},
		} {
			f.get(path).want(http.StatusOK, want...)
		}
		f.get("/people?q=lovelace").lacks("Alan Turing")
		f.get("/people?view=external").lacks("Ada Lovelace")
		part := f.get("/people?q=turing", "HX-Request", "true").want(http.StatusOK, "Alan Turing").lacks("<html")
		if part.Header.Get("Vary") != "HX-Request" {
			t.Error(part.Header)
		}
		csv := f.get("/people/export?role=employee").want(http.StatusOK, "Ada Lovelace", "person0@contoso.example").lacks("Grace Visitor")
		if !strings.HasPrefix(csv.Header.Get("Content-Type"), "text/csv") {
			t.Error(csv.Header)
		}
	})
}

func TestBulk(t *testing.T) {
	each(t, func(f *fixture) {
		f.contoso()
		f = f.as(f.master)
		ada, alan := f.account("person0@contoso.example"), f.account("person1@contoso.example")
		f.post("/people/preview", "whom", "marked", "action", "deactivate").want(http.StatusBadRequest, "Nobody is marked")
		f.post("/people/preview", "whom", "marked", "account", ada.ID, "account", alan.ID, "account", "nobody", "action", "deactivate").
			want(http.StatusOK, "2 accounts of 2 would be deactivated", "person0@contoso.example", `name="account" value="`+ada.ID+`"`)
		if f.account("person0@contoso.example").Status != model.AccountActive {
			t.Error("looking at what would be has done it")
		}
		f.post("/people/bulk", "whom", "marked", "account", ada.ID, "account", alan.ID, "action", "deactivate").to("/console/people")
		f.get("/people").want(http.StatusOK, "2 accounts deactivated")
		if f.account("person0@contoso.example").Status != model.AccountDeactivated {
			t.Error("the account is not deactivated")
		}
		f.post("/people/preview", "whom", "filter", "view", "deactivated", "action", "reactivate").want(http.StatusOK, "2 accounts of 2 would be reactivated")
		f.post("/people/preview", "whom", "filter", "action", "archive").want(http.StatusBadRequest, "every account")
		f.post("/people/preview", "whom", "filter", "view", "active", "action", "explode").want(http.StatusBadRequest)
	})
}

func TestPerson(t *testing.T) {
	each(t, func(f *fixture) {
		f.contoso()
		f = f.as(f.master)
		ada := f.account("person0@contoso.example")
		path := "/people/" + ada.ID
		f.get(path).want(http.StatusOK, "Ada Lovelace", "Group HR gives role hr", "All employees", "gives role HR", "name.givenName", "What if").lacks("name.nothing")
		f.get(path + "/what-if?leave=nothing").want(http.StatusNotFound)
		hr := f.groupID(ada, "HR")
		f.get(path+"/what-if?leave="+hr).want(http.StatusOK, "Nothing would change if Ada Lovelace left HR") // reconcile keeps the role
		alan := f.account("person1@contoso.example")
		f.get("/people/"+alan.ID+"/what-if?join="+hr).want(http.StatusOK, "If Alan Turing joined HR", "Group HR gives role hr")
		f.get("/people/"+alan.ID+"/what-if?join_name=hr").want(http.StatusOK, "If Alan Turing joined HR", "Group HR gives role hr")
		f.get("/people/"+alan.ID+"/what-if?join_name=nothing").want(http.StatusNotFound, "No group is called")
		if got := f.account("person1@contoso.example"); got.Version != alan.Version {
			t.Error("asking what would be has changed something")
		}
		f.post(path + "/sync").to("/console" + path)
		f.get(path).want(http.StatusOK, "everything is as they say")
		f.post(path+"/roles", "roles-sent", "1", "roles", "guest").to("/console" + path)
		f.get(path).want(http.StatusOK, "Guest")
		f.post(path+"/roles", "roles-sent", "1", "roles", "nothing").want(http.StatusOK, "nothing")
		f.get(path+"/status/deactivate").want(http.StatusOK, "no longer be used")
		f.post(path + "/status/deactivate").to("/console" + path)
		f.get(path).want(http.StatusOK, "Deactivated", "An operator deactivated")
		f.post(path+"/status/delete").want(http.StatusOK, "only an archived account can be deleted")
		f.post(path + "/status/explode").want(http.StatusNotFound)
		f.post(path + "/status/archive").to("/console" + path)
		f.post(path + "/status/delete").to("/console/people")
		f.get(path).want(http.StatusNotFound)
	})
}

// groupID finds a group of the account's person.
func (f *fixture) groupID(a model.Account, name string) string {
	f.Helper()
	ref := model.Ref{OrganizationID: f.org.ID, IntegrationID: a.Links[0].IntegrationID}
	groups, err := f.store.Read(f.Context()).DirectoryGroupsAfter(ref, "", 10)
	f.ok(err)
	for _, g := range groups {
		if g.DisplayName == name {
			return g.ID
		}
	}
	f.Fatalf("there is no group %s", name)
	return ""
}
