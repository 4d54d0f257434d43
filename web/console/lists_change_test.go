package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"

	"usher/directory"
	"usher/internal/simulator"
	"usher/model"
	"usher/model/store"
)

const lookAgain = "meanwhile, and nothing of yours was saved. This is how they are now: look again, and repeat your change."

func (f *fixture) settings(i model.Integration) model.IntegrationSettings {
	f.Helper()
	entry, err := f.svc.Lists(f.Context(), i.Ref())
	f.ok(err)
	return entry
}

func (f *fixture) runs() int {
	f.Helper()
	list, err := f.store.Read(f.Context()).RunsBefore(f.org.ID, store.RunFilter{}, "", 100)
	f.ok(err)
	return len(list)
}

// TestMappingsOfAStaleForm saves, previews and restores mappings that somebody else has changed meanwhile.
func TestMappingsOfAStaleForm(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		send := func(source, version, do string) answer {
			f.Helper()
			return f.post("/mappings", "integration", i.ID, "target.0", "job_title", "source.0", source, "mode.0", "always", "version", version, "do", do)
		}
		send("title", hidden(f.get("/mappings"), "version"), "save").to("/console/mappings?integration=" + i.ID)
		one := "/mappings/" + i.ID + "/versions/1"
		theirs := []model.FieldMapping{{Source: "nickName", Target: "given_name", Mode: model.FieldAlways}}
		put := func(expression string) {
			theirs[0].Expression = expression
			_, err := f.svc.ChangeFieldMappings(f.Context(), i.Ref(), theirs, directory.Replacing[model.FieldMapping]())
			f.ok(err)
		}
		stands := func(before int) {
			f.Helper()
			if got := f.settings(i).FieldMappings; !slices.Equal(got, theirs) || f.runs() != before {
				f.Errorf("stored are %v, and there are %d runs more", got, f.runs()-before)
			}
		}
		version := hidden(f.get("/mappings"), "version")
		put("")
		before, restore := f.runs(), hidden(f.get(one), "version")
		var again answer
		for _, do := range []string{"save", "preview"} {
			again = send("employeeNumber", version, do)
			again.want(http.StatusOK, "Somebody else has changed the field mappings "+lookAgain, `<option value="given_name" selected>`, `value="nickName"`,
				"What you had typed", "job_title: employeeNumber, always").lacks(`<option value="job_title" selected>`)
		}
		stands(before)
		put("ToUpper(value)")
		before = f.runs()
		f.post(one, "do", "restore", "version", restore).want(http.StatusOK, "Somebody else has changed the field mappings "+lookAgain, "as ToUpper(value)")
		send("employeeNumber", hidden(again, "version"), "save").want(http.StatusOK, lookAgain)
		stands(before)

		version = hidden(f.get("/mappings"), "version")
		f.post("/mappings", "integration", i.ID, "target.0", "job_title", "expression.0", "ToUpper(", "version", version).
			want(http.StatusOK, "u-field-error", `name="version" value="`+version+`"`)
		send("employeeNumber", version, "preview").want(http.StatusSeeOther)
		send("employeeNumber", version, "save").to("/console/mappings?integration=" + i.ID)
		f.post(one, "do", "restore", "version", hidden(f.get(one), "version")).to("/console/mappings?integration=" + i.ID)
		if got := f.settings(i).FieldMappings; len(got) != 1 || got[0].Source != "title" {
			t.Errorf("repeated and restored, stored are %v", got)
		}
	})
}

func TestExclusionsOfAStaleForm(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		send := func(version, do string) answer {
			f.Helper()
			return f.post("/scope", "integration", i.ID, "pattern.0", "svc-*", "pattern.1", "mine-*", "version", version, "do", do)
		}
		version := hidden(f.get("/scope"), "version")
		theirs := []model.Exclusion{{Pattern: "theirs-*"}}
		_, err := f.svc.ChangeExclusions(f.Context(), i.Ref(), theirs, directory.Replacing[model.Exclusion]())
		f.ok(err)
		before := f.runs()
		var again answer
		for _, do := range []string{"save", "preview"} {
			again = send(version, do)
			again.want(http.StatusOK, "Somebody else has changed the exclusions "+lookAgain, `value="theirs-*"`, "What you had typed", "<li class=\"u-break\">mine-*</li>").lacks(`value="mine-*"`)
		}
		if got := f.settings(i).Exclusions; !slices.Equal(got, theirs) || f.runs() != before {
			t.Errorf("stored are %v, and there are %d runs more", got, f.runs()-before)
		}
		send(hidden(again, "version"), "save").to("/console/scope?integration=" + i.ID)
		if got := f.settings(i).Exclusions; len(got) != 2 {
			t.Errorf("repeated, stored are %v", got)
		}
	})
}

// atOnce sends forms to a page at the same time.
func (f *fixture) atOnce(path string, forms ...[]string) {
	f.Helper()
	answers := make([]answer, len(forms))
	var wg sync.WaitGroup
	for n, form := range forms {
		wg.Go(func() { answers[n] = f.post(path, form...) })
	}
	wg.Wait()
	for _, a := range answers {
		a.want(http.StatusSeeOther)
	}
}

// TestButtonsOfSeveralAtOnce has several administrators add and remove one entry each.
func TestButtonsOfSeveralAtOnce(t *testing.T) {
	each(t, func(f *fixture) {
		const n = 6
		c := f.importing(n)
		f = f.as(f.master)
		var groups, lists, exclusions, maps, out [][]string
		hr, err := f.svc.CreateGroup(f.Context(), c.i.Ref(), model.DirectoryGroup{Document: model.NewDocument(map[string]any{"displayName": "HR", "externalId": "ext-HR"})}, nil)
		f.ok(err)
		for k := range n {
			name := fmt.Sprintf("List %d", k)
			f.group(c, simulator.Group{DisplayName: name, Mail: fmt.Sprintf("list%d@contoso.example", k), MailEnabled: true, GroupTypes: []string{"Unified"}})
			groups = append(groups, []string{"gid", c.id(f, fmt.Sprintf("Project %04d", k))})
			lists = append(lists, []string{"gid", c.id(f, name)})
			exclusions = append(exclusions, []string{"integration", c.i.ID, "pattern", fmt.Sprintf("svc%d-*", k)})
			maps = append(maps, []string{"by", "id", "language", []string{"da", "de", "en", "fr", "it", "nl"}[k]})
			out = append(out, append(slices.Clone(groups[k]), "do", "remove", "confirm", "yes"))
		}
		f.atOnce(c.path+"/groups", groups...)
		f.atOnce(c.path+"/room-groups", groups...)
		f.atOnce(c.path+"/lists", lists...)
		f.atOnce("/scope/suggestions", exclusions...)
		f.atOnce("/groups/"+c.i.ID+"/"+hr.ID+"/map", maps...)
		entry := f.settings(c.i)
		made, err := f.svc.DistributionLists(f.Context(), c.i.Ref())
		f.ok(err)
		if len(entry.ChosenGroups) != n || len(entry.RoomGroups) != n || len(made) != n || len(entry.Exclusions) != n || len(entry.GroupMappings) != n {
			t.Errorf("of %d: %d groups, %d of rooms, %d lists, %d exclusions, %d mappings", n,
				len(entry.ChosenGroups), len(entry.RoomGroups), len(made), len(entry.Exclusions), len(entry.GroupMappings))
		}
		f.atOnce(c.path+"/groups", out...)
		f.atOnce(c.path+"/room-groups", out...)
		if entry = f.settings(c.i); len(entry.ChosenGroups)+len(entry.RoomGroups) != 0 {
			t.Errorf("left are %v and %v", entry.ChosenGroups, entry.RoomGroups)
		}
	})
}

// TestMappingThatHasMoved edits a mapping that stands elsewhere among the others by now.
func TestMappingThatHasMoved(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f.places(i)
		f = f.as(f.master)
		list := f.mappings(i)
		path := "/integrations/" + i.ID + "/role-rules/groups/" + strconv.Itoa(len(list)-1)
		was := hidden(f.get(path), "was")
		more := model.GroupMapping{Group: model.GroupSelector{DisplayName: "Another"}, Role: "guest"}
		_, err := f.svc.ChangeGroupMappings(f.Context(), i.Ref(), nil, func(list, _ []model.GroupMapping) ([]model.GroupMapping, error) {
			return append(list[1:len(list)-1], list[len(list)-1], more), nil
		})
		f.ok(err)
		f.post(path, "was", was, "by", "name", "role", "hr").to("/console/integrations/" + i.ID + "/role-rules")
		now := f.mappings(i)
		if m := now[len(now)-2]; m.Group.DisplayName != "Vanished" || m.Role != "hr" || directory.ListVersion(now[len(now)-1:]) != directory.ListVersion([]model.GroupMapping{more}) {
			t.Errorf("stored are %+v", now)
		}
		f.post(path, "was", was, "by", "name", "role", "guest").want(http.StatusConflict, "Somebody has changed or removed this mapping")
	})
}
