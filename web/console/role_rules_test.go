package console_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"usher/model"
)

func TestMappingVersions(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		f.get("/mappings").want(http.StatusOK, "Every save makes a version")
		f.get("/mappings/"+i.ID+"/versions").want(http.StatusOK, `data-empty="nothing-yet"`)
		f.get("/mappings/" + i.ID + "/versions/1").want(http.StatusNotFound)
		_, err := f.svc.PutCustomField(f.Context(), f.org.ID, model.CustomField{Key: "badge", Name: "Badge"})
		f.ok(err)
		save := func(pairs ...string) {
			f.post("/mappings", append(pairs, "integration", i.ID)...).want(http.StatusSeeOther)
		}
		save("target.0", "job_title", "source.0", "title", "mode.0", "always", "target.1", "custom_fields.badge", "source.1", "nickName", "mode.1", "first_time")
		save("target.0", "job_title", "source.0", "title", "mode.0", "always", "expression.0", "ToUpper(value)")
		f.get("/mappings").want(http.StatusOK, `<option value="job_title" selected>`, "Version 2", "Changed job_title (expression); removed custom_fields.badge.", masterEmail)
		f.get("/mappings/"+i.ID+"/versions").want(http.StatusOK, "Added job_title, custom_fields.badge.", "2 versions on this page")
		f.get("/mappings/"+i.ID+"/versions?after=2").want(http.StatusOK, "Version 1").lacks("Version 2")
		one := "/mappings/" + i.ID + "/versions/1"
		f.get(one).want(http.StatusOK, "title, always, as ToUpper(value)", "nickName, first time", "no line of its own", "Restore this version")
		f.get("/mappings/"+i.ID+"/versions/2").want(http.StatusOK, "the mappings are as they were in this version").lacks("Restore this version")
		f.post(one, "do", "explode").want(http.StatusBadRequest)
		run := f.post(one, "do", "preview").want(http.StatusSeeOther).Header.Get("Location")
		f.planned(run)
		f.get(run).want(http.StatusOK, "Nothing is saved yet", "Save these settings")
		f.post(one, "do", "restore").to("/console/mappings?integration=" + i.ID)
		f.get("/mappings").want(http.StatusOK, "Version 1 is restored, as version 3", "Version 1 restored: added custom_fields.badge; changed job_title (expression).")
		save()
		f.ok(f.svc.DeleteCustomField(f.Context(), f.org.ID, "badge"))
		for _, do := range []string{"restore", "preview"} {
			f.post(one, "do", do).want(http.StatusOK, "Line 2 of version 1, which fills custom_fields.badge: custom field badge does not exist.", "u-field-error")
		}
		viewer := f.as(f.operator("viewer@contoso.example", model.RightRead))
		viewer.get(one).want(http.StatusOK).lacks("Restore this version")
	})
}

func TestRoleRules(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f.places(i)
		f = f.as(f.master)
		path := "/integrations/" + i.ID + "/role-rules"
		hr := f.groupID(f.account("person0@contoso.example"), "HR")
		f.get(path).want(http.StatusOK, "role Employee", "<strong>7</strong> people: Ada Lovelace, Alan Turing", "and 2 others",
			"<strong>1</strong> person: Ada Lovelace", "manager of Booking at Denmark", "Not in the directory", "/groups/"+i.ID+"/"+hr+"/map?entry=1", "There is none")
		f.get("/scope?integration="+i.ID).want(http.StatusOK, "/console"+path)
		f.get(path + "?after=99").want(http.StatusBadRequest)
		f.list(i.Ref(), "sales@contoso.example", "ext-HR")
		f.get(path).want(http.StatusOK, "Sales</a>: 1 account")
		f.post(path, "role_sync", "sometimes").want(http.StatusOK, "sometimes", "u-field-error")
		f.post(path, "role_sync", "mirror", "default_role", "nobody").want(http.StatusOK, `id="f-default_role-error"`)
		run := f.post(path, "role_sync", "mirror", "default_role", "guest", "require_group", "on", "do", "preview").want(http.StatusSeeOther).Header.Get("Location")
		if got, err := f.store.Read(f.Context()).Integration(i.Ref()); err != nil || got.RoleSync == model.RoleSyncMirror {
			t.Fatalf("a preview saved %+v, %v", got, err)
		}
		f.post(run + "/save").want(http.StatusConflict)
		f.planned(run)
		f.get(run).want(http.StatusOK, "Save these settings", "1 deactivate", "Margaret Hamilton")
		viewer := f.as(f.operator("viewer@contoso.example", model.RightRead, model.RightManageSettings))
		viewer.get(run).want(http.StatusOK).lacks("Save these settings")
		viewer.post(run + "/save").want(http.StatusForbidden)
		viewer.get(path).want(http.StatusOK, "Roles are reconciled").lacks(`name="role_sync"`)
		f.post(run + "/save").to("/console" + path)
		got, err := f.store.Read(f.Context()).Integration(i.Ref())
		f.ok(err)
		if got.RoleSync != model.RoleSyncMirror || got.DefaultRole != "guest" || !got.RequireGroup || got.NestedGroups {
			t.Errorf("saved %+v", got)
		}
		f.post(run + "/save").want(http.StatusConflict) // the settings are others now
		f.get(run).want(http.StatusOK, "preview them again").lacks("Save these settings")
		f.get(path).want(http.StatusOK, "takes <strong>Guest</strong>", "nobody now")
		f.post(path, "role_sync", "initial", "default_role", "").to("/console" + path)
	})
}

// TestMappingOfAGroupThatIsNotThere changes and removes a mapping whose group Entra never sent.
func TestMappingOfAGroupThatIsNotThere(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f.places(i)
		f = f.as(f.master)
		list := f.mappings(i)
		path := "/integrations/" + i.ID + "/role-rules/groups/" + strconv.Itoa(len(list)-1)
		f.get("/integrations/"+i.ID+"/role-rules").want(http.StatusOK, path)
		f.get("/integrations/" + i.ID + "/role-rules/groups/99").want(http.StatusNotFound)
		form := f.get(path).want(http.StatusOK, "Map Vanished", "Remove the mapping")
		f.post(path, "was", hidden(form, "was"), "by", "name", "role", "nothing").want(http.StatusOK, `id="f-role-error"`)
		f.post(path, "was", hidden(form, "was"), "by", "name", "role", "hr").to("/console/integrations/" + i.ID + "/role-rules")
		if now := f.mappings(i); len(now) != len(list) || now[len(now)-1].Role != "hr" || now[len(now)-1].Group.DisplayName != "Vanished" {
			t.Errorf("saved %+v", now)
		}
		form = f.get(path)
		run := f.post(path, "was", hidden(form, "was"), "do", "preview-removal").want(http.StatusSeeOther).Header.Get("Location")
		if r := f.planned(run); r.Settings == nil || len(*r.Settings.GroupMappings) != len(list)-1 {
			t.Errorf("previewed %+v", r.Settings)
		}
		f.post(path, "was", hidden(form, "was"), "do", "remove").to("/console/integrations/" + i.ID + "/role-rules")
		if now := f.mappings(i); len(now) != len(list)-1 {
			t.Errorf("left %+v", now)
		}
	})
}

// TestEffectWhileTyping asks what a mapping, and what exclusions, would do before they are saved.
func TestEffectWhileTyping(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		before := f.activities()
		try := "/groups/" + i.ID + "/" + f.groupID(f.account("person0@contoso.example"), "All employees") + "/map/try"
		a := f.post(try, "by", "id", "role", "guest").want(http.StatusOK, "Of 7 members: 7 update", "Ada Lovelace", "employee, guest", "and 2 others")
		a.lacks("<html")
		f.post(try, "by", "id", "role", "nothing").want(http.StatusOK, "u-field-error", "Role nothing does not exist")
		f.post(try, "by", "id", "language", "da").want(http.StatusOK, "Language")
		form := []string{"integration", i.ID, "pattern.0", "svc-*", "pattern.1", "", "pattern.2", "person1*", "pattern.3", "[a", "pattern.4", "nobody*"}
		f.post("/scope/try", form...).want(http.StatusOK, "1. svc-*", "Backup Service", "3. person1*", "1 person, of whom 1 has an account", "Alan Turing",
			"4. [a", "u-field-error", "5. nobody*</strong>: nobody", "2 people of 9 would be excluded").lacks("<html")
		f.post("/scope/try", "integration", "nothing").want(http.StatusNotFound)
		if after := f.activities(); after != before || strings.Contains(a.body, "saved") {
			t.Errorf("%d lines of the log became %d by looking", before, after)
		}
	})
}
