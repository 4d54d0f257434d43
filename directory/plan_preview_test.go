package directory_test

import (
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

func TestPreviewOfOtherSettings(t *testing.T) {
	each(t, func(w *world) {
		directory.SetRunPage(w.svc, 5)
		w.roles("hr", "guest")
		users := crowd(w, 21, 10)
		w.group("HR", users[:3]...)
		before := w.settings()
		role, mirror, minimum := "guest", model.RoleSyncMirror, model.Guard{Minimum: 3}
		e := w.during(func() {
			_, err := w.svc.StartPreview(w.ctx, w.ref, model.PreviewSettings{
				Exclusions: &[]model.Exclusion{{Pattern: "*-bot@*"}}, DefaultRole: &role, RoleSync: &mirror, Guard: &minimum,
				GroupMappings: &[]model.GroupMapping{{Group: model.GroupSelector{DisplayName: "hr"}, Role: "hr"}},
				FieldMappings: &[]model.FieldMapping{{Source: "userName", Target: "job_title", Mode: model.FieldAlways}},
			})
			w.ok(err)
			w.pages(directory.WorkRun{OrganizationID: w.org, RunID: w.run().ID}, 2) // and then the process is killed
			w.clock.move(2 * time.Minute)
			w.ok(w.svc.Resume(w.ctx, directory.ResumeRuns{}))
			w.drain()
		})
		w.wrote(e, "run.started run.finished", "run.succeeded")
		run := w.run()
		if run.Counts[model.ActionDeactivate] != 11 || run.Counts[model.ActionUpdate] != 10 || w.active() != 21 {
			w.Fatalf("%+v", run)
		}
		if !run.Guard.Holds || run.Guard.Limit != 3 || run.Guard.Deactivations != 11 || run.HeldBecause == "" || run.Settings == nil {
			w.Fatalf("%+v", run)
		}
		d := w.decision(run, users[0].ID)
		got := map[string]any{}
		for _, c := range d.Changes {
			got[c.Field] = c.After
		}
		if roles, _ := got["roles"].([]any); len(roles) != 1 || roles[0] != "hr" || got["job_title"] != users[0].UserName {
			w.Fatalf("%+v", d)
		}
		if after := w.settings(); after != before {
			w.Fatalf("settings were saved: version %d became %d", before, after)
		}
		_, err := w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{})
		w.refused(err, model.Refused, "", "only a held run")
	})
}

func (w *world) settings() int64 {
	w.Helper()
	settings, err := w.store.CurrentSettings(w.ctx, w.org)
	w.ok(err)
	return settings.Version
}

func TestPreviewFailsAsSavingWould(t *testing.T) {
	each(t, func(w *world) {
		w.roles("admin")
		nobody, admin, bad := "nobody", "admin", model.RoleSync("x")
		for _, c := range []struct {
			supposed model.PreviewSettings
			field    string
			words    string
		}{
			{model.PreviewSettings{Exclusions: &[]model.Exclusion{{Pattern: "x*"}, {}}}, "exclusions[1].pattern", ""},
			{model.PreviewSettings{GroupMappings: &[]model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "nobody"}}}, "group_mappings[0].role", "nobody"},
			{model.PreviewSettings{FieldMappings: &[]model.FieldMapping{{Source: "x[", Target: "job_title"}}}, "field_mappings[0].source", ""},
			{model.PreviewSettings{ChosenGroups: &[]model.GroupSelector{{}}}, "chosen_groups[0]", "named by"},
			{model.PreviewSettings{DefaultRole: &nobody}, "default_role", "does not exist"},
			{model.PreviewSettings{DefaultRole: &admin}, "default_role", "administrator"},
			{model.PreviewSettings{RoleSync: &bad}, "role_sync", "not one of"},
			{model.PreviewSettings{Guard: &model.Guard{Percent: 101}}, "guard.percent", ""},
		} {
			_, err := w.svc.StartPreview(w.ctx, w.ref, c.supposed)
			w.refused(err, model.Invalid, c.field, c.words)
		}
		if runs, err := w.store.Read(w.ctx).OpenRuns(w.ref); err != nil || len(runs) > 0 {
			w.Fatalf("%d runs, %v", len(runs), err)
		}
	})
}
