package directory_test

import (
	"fmt"
	"slices"
	"testing"

	"usher/directory"
	"usher/model"
)

func (w *world) versions() []model.FieldMappingVersion {
	w.Helper()
	list, err := w.svc.FieldMappingVersions(w.ctx, w.ref, 0, 500)
	w.ok(err)
	return list
}

func (w *world) mapFields(list ...model.FieldMapping) {
	w.Helper()
	_, err := w.svc.ChangeFieldMappings(w.ctx, w.ref, list, directory.Replacing[model.FieldMapping]())
	w.ok(err)
}

func TestEverySaveOfFieldMappingsIsAVersion(t *testing.T) {
	each(t, func(w *world) {
		if list := w.versions(); len(list) != 0 {
			t.Fatalf("versions before the first save: %+v", list)
		}
		title := model.FieldMapping{Source: "title", Target: "job_title", Mode: model.FieldAlways}
		loud := title
		loud.Expression = "ToUpper(value)"
		badge := model.FieldMapping{Source: "nickName", Target: "display_name", Mode: model.FieldFirstTime}
		w.mapFields(title)
		w.mapFields(title) // which changes nothing
		w.mapFields(loud, badge)
		w.mapFields(badge, loud)
		w.mapFields()
		_, err := w.svc.ChangeFieldMappings(w.ctx, w.ref, []model.FieldMapping{{Source: "title", Target: "shoe_size"}}, directory.Replacing[model.FieldMapping]())
		w.refused(err, model.Invalid, "[0].target", "shoe_size")
		var got []string
		for _, v := range w.versions() {
			got = append(got, fmt.Sprintf("%d %s %s (%d)", v.Number, v.Actor, v.Summary, v.Entries))
		}
		want := []string{
			"4 tester removed display_name, job_title (0)", "3 tester the order of the lines changed (2)",
			"2 tester added display_name; changed job_title (expression) (2)", "1 tester added job_title (1)",
		}
		if !slices.Equal(got, want) {
			t.Errorf("versions\n%q, want\n%q", got, want)
		}
		page, err := w.svc.FieldMappingVersions(w.ctx, w.ref, 3, 1)
		w.ok(err)
		if len(page) != 1 || page[0].Number != 2 {
			t.Errorf("the page before version 3 is %+v", page)
		}
	})
}

func TestRestoreFieldMappings(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada, map[string]any{"title": "Analyst", "nickName": "Countess"})
		title := model.FieldMapping{Source: "title", Target: "job_title", Mode: model.FieldAlways}
		w.mapFields(title)
		w.mapFields(model.FieldMapping{Source: "nickName", Target: "job_title", Mode: model.FieldAlways})
		w.drain()
		if got := w.account(ada).JobTitle; got != "Countess" {
			t.Fatalf("before the restore the job title is %q", got)
		}
		v, err := w.svc.RestoreFieldMappings(directory.WithActor(w.ctx, "operator:grace@contoso.com"), w.ref, 1)
		w.ok(err)
		entry, err := w.svc.Lists(w.ctx, w.ref)
		w.ok(err)
		if v.Number != 3 || v.Actor != "operator:grace@contoso.com" || v.Summary != "version 1 restored: changed job_title (source)" ||
			!slices.Equal(v.Mappings, []model.FieldMapping{title}) || !slices.Equal(entry.FieldMappings, v.Mappings) {
			t.Errorf("the restored version is %+v, stored is %+v", v, entry.FieldMappings)
		}
		if w.drain(); w.account(ada).JobTitle != "Analyst" {
			t.Errorf("after the restore the job title is %q: it is a save, which looks at everyone anew", w.account(ada).JobTitle)
		}
		if v, err = w.svc.RestoreFieldMappings(w.ctx, w.ref, 1); err != nil || v.Number != 3 || len(w.versions()) != 3 {
			t.Errorf("restoring what is there made %+v, %v, and left %d versions", v, err, len(w.versions()))
		}
		_, err = w.svc.RestoreFieldMappings(w.ctx, w.ref, 7)
		w.refused(err, model.NotFound, "", "version 7")
	})
}

// TestRestoreNamesTheLineThatIsNotValidAnyMore deletes a field that an old version names.
func TestRestoreNamesTheLineThatIsNotValidAnyMore(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "badge"})
		w.ok(err)
		title := model.FieldMapping{Source: "title", Target: "job_title", Mode: model.FieldAlways}
		w.mapFields(title, model.FieldMapping{Source: "nickName", Target: "custom_fields.badge", Mode: model.FieldAlways})
		w.mapFields(title)
		w.ok(w.svc.DeleteCustomField(w.ctx, w.org, "badge"))
		const words = "line 2 of version 1, which fills custom_fields.badge: custom field badge does not exist"
		_, err = w.svc.RestoreFieldMappings(w.ctx, w.ref, 1)
		w.refused(err, model.Invalid, "mappings[1].target", words)
		_, err = w.svc.PreviewFieldMappings(w.ctx, w.ref, 1)
		w.refused(err, model.Invalid, "mappings[1].target", words)
		if n := len(w.versions()); n != 2 {
			t.Errorf("%d versions after a refused restore", n)
		}
		run, err := w.svc.PreviewFieldMappings(w.ctx, w.ref, 2)
		w.ok(err)
		if run.Kind != model.RunPreview || run.Settings == nil || !slices.Equal(*run.Settings.FieldMappings, []model.FieldMapping{title}) {
			t.Errorf("the preview is %+v", run)
		}
	})
}

func TestCompareFieldMappings(t *testing.T) {
	t.Parallel()
	a := model.FieldMapping{Source: "title", Target: "job_title"}
	b := model.FieldMapping{Source: "nickName", Target: "display_name", Mode: model.FieldAlways}
	always := a
	always.Mode = model.FieldAlways
	once := a
	once.Mode = model.FieldFirstTime
	type list = []model.FieldMapping
	for name, c := range map[string]struct {
		before, after list
		want          string
	}{
		"nothing":             {list{a}, list{a}, ""},
		"a mode that is said": {list{a}, list{always}, ""},
		"another mode":        {list{a, b}, list{once, b}, "job_title: true true;"},
		"added, removed":      {list{a}, list{b}, "display_name: false true;job_title: true false;"},
		"from nothing":        {nil, list{b, a}, "display_name: false true;job_title: false true;"},
	} {
		got := ""
		for _, d := range directory.CompareFieldMappings(c.before, c.after) {
			got += fmt.Sprintf("%s: %v %v;", d.Target, d.Before != nil, d.After != nil)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
