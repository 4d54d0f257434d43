package console_test

import (
	"html"
	"net/http"
	"regexp"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// list makes a distribution list of a group of the mirror.
func (f *fixture) list(ref model.Ref, email, externalID string) model.List {
	f.Helper()
	l := model.List{
		ID: store.NewID(), OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, ExternalID: externalID, DisplayName: "Sales", Email: email,
		Kind: model.ListMicrosoft365, State: model.ListReady, Members: 1,
	}
	f.ok(f.store.InTx(f.Context(), func(tx *store.Tx) error { tx.InsertList(&l); return nil }))
	return l
}

// places gives the organization sites and modules, and a group that grants levels there.
func (f *fixture) places(i model.Integration) {
	f.Helper()
	for _, s := range []model.Site{{Key: "dk", Name: "Denmark"}, {Key: "cph", Name: "Copenhagen", Parent: "dk"}, {Key: "osl", Name: "Oslo"}} {
		_, err := f.svc.PutSite(f.Context(), f.org.ID, s)
		f.ok(err)
	}
	for _, m := range []model.Module{{Key: "booking", Name: "Booking"}, {Key: "visitors", Name: "Visitors"}} {
		_, err := f.svc.PutModule(f.Context(), f.org.ID, m)
		f.ok(err)
	}
	_, err := f.svc.PutRole(f.Context(), f.org.ID, model.Role{Key: "root", Name: "Administrator", Administrator: true})
	f.ok(err)
	list := append(f.mappings(i), model.GroupMapping{
		Group: model.GroupSelector{ExternalID: "ext-HR", DisplayName: "Human Resources"}, Site: "dk",
		Permissions: []model.ModulePermission{{Module: "booking", Level: model.LevelManager}},
	}, model.GroupMapping{Group: model.GroupSelector{DisplayName: "Vanished"}, Role: "guest"})
	_, err = f.svc.ChangeGroupMappings(f.Context(), i.Ref(), list, directory.Replacing[model.GroupMapping]())
	f.ok(err)
}

func (f *fixture) mappings(i model.Integration) []model.GroupMapping {
	f.Helper()
	entry, err := f.svc.Lists(f.Context(), i.Ref())
	f.ok(err)
	return entry.GroupMappings
}

func TestGroups(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/groups").want(http.StatusOK, `data-empty="not-connected"`)
		f.get("/groups/sites").want(http.StatusOK, "No sites and modules yet")
		f.get("/groups/lists").want(http.StatusOK, `data-empty="not-connected"`)
		i := f.contoso()
		f.get("/groups/lists").want(http.StatusOK, `data-empty="nothing-yet"`)
		f.places(i)
		f.get("/groups").want(http.StatusOK, "All employees", "role HR", "Mapped", "Renamed, was Human Resources", "Groups that are not there", "Vanished", "would give role Guest")
		f.get("/groups?q=employ").want(http.StatusOK, "All employees").lacks("Renamed")
		f.get("/groups?q=nothing").want(http.StatusOK, `data-empty="filtered"`)
		f.get("/groups?q=employ", "HX-Request", "true").want(http.StatusOK, "All employees").lacks("<html")
		hr := f.groupID(f.account("person0@contoso.example"), "HR")
		f.get("/groups/"+i.ID+"/"+hr).want(http.StatusOK, "Ada Lovelace", "role HR", "manager of Booking at Denmark", "by its name")
		f.get("/groups/sites?site=cph").want(http.StatusOK, "inherits from Denmark", "/groups/"+i.ID+"/"+hr, "manager", "at Denmark")
		f.get("/groups/sites?site=osl").want(http.StatusOK, "No group gives anything here")
		l := f.list(i.Ref(), "sales@contoso.example", "ext-HR")
		f.get("/groups/lists").want(http.StatusOK, "sales@contoso.example", "Ready")
		f.get("/groups/lists?q=zzz").want(http.StatusOK, `data-empty="filtered"`)
		f.get("/groups/lists/"+l.ID).want(http.StatusOK, "Ada Lovelace", "Microsoft 365 group")
	})
}

func TestMapGroup(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f.places(i)
		f = f.as(f.master)
		path := "/groups/" + i.ID + "/" + f.groupID(f.account("person0@contoso.example"), "HR")
		f.get(path+"/map").want(http.StatusOK, "Booking", "Let this group give an administrator role")
		before := len(f.mappings(i))
		f.post(path+"/map", "by", "id", "language", "not a language", "level.booking", "admin", "site", "osl").
			want(http.StatusOK, `id="f-language-error"`, `value="not a language"`, `value="admin" selected`, `value="osl" selected`)
		f.post(path+"/map", "by", "id", "role", "nothing").want(http.StatusOK, `id="f-role-error"`)
		f.post(path+"/map", "by", "id", "level.booking", "admin").want(http.StatusOK, "u-field-error")
		f.post(path+"/map", "by", "id", "site", "osl", "level.booking", "boss").want(http.StatusOK, `id="f-level-booking-error"`)
		f.post(path+"/map", "by", "id", "site", "cph", "level.booking", "admin").want(http.StatusOK, "u-field-error", "inherits")
		f.post(path+"/map", "by", "id", "role", "guest", "do", "preview").want(http.StatusSeeOther)
		if got := len(f.mappings(i)); got != before {
			t.Fatalf("%d mappings became %d by looking", before, got)
		}
		f.post(path+"/map", "by", "id", "site", "osl", "level.booking", "admin", "role", "guest").to("/console" + path)
		list := f.mappings(i)
		if m := list[len(list)-1]; len(list) != before+1 || m.Group.ExternalID != "ext-HR" || m.Role != "guest" || m.Site != "osl" || len(m.Permissions) != 1 {
			t.Fatalf("saved %+v", list)
		}
		f.get(path).want(http.StatusOK, "admin of Booking at Oslo")
		f.get(path + "/map?entry=0").want(http.StatusNotFound) // another group's
		form := f.get(path+"/map?entry="+string(rune('0'+len(list)-1))).want(http.StatusOK, "Remove the mapping")
		was := hidden(form, "was")
		f.post(path+"/map", "was", was, "by", "id", "role", "hr").to("/console" + path)
		f.post(path+"/map", "was", was, "by", "id", "role", "guest").want(http.StatusOK, "Somebody has changed or removed this mapping")
		form = f.get(path + "/map?entry=" + string(rune('0'+len(list)-1)))
		f.post(path+"/map", "was", hidden(form, "was"), "do", "remove").to("/console" + path)
		if got := len(f.mappings(i)); got != before {
			t.Errorf("%d mappings are left", got)
		}
	})
}

// hidden gives the value of a hidden field of a page.
func hidden(a answer, name string) string {
	a.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		a.Fatalf("there is no field %s: %s", name, a.said())
	}
	return html.UnescapeString(m[1])
}
