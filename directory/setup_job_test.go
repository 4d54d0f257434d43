package directory_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

func TestSetupIsRefused(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		start := func(ref model.Ref, in directory.SetupRequest, url string) error {
			_, err := w.svc.StartSetup(w.ctx, ref, in, url)
			return err
		}
		reads := w.integration("Reads", model.RoleSyncReconcile, func(i *model.Integration) { i.ReadOnly = true })
		pulls := w.integration("Pulls", model.RoleSyncReconcile, func(i *model.Integration) { i.Ingress = model.IngressGraph })
		w.refused(start(reads, hr(), publicURL), model.Refused, "read_only", "only reads")
		_, err := w.svc.SignInURL(w.ctx, reads, publicURL)
		w.refused(err, model.Refused, "read_only", "only reads")
		_, err = w.svc.RotateSetupToken(w.ctx, reads, 0, nil)
		w.refused(err, model.Refused, "read_only", "only reads")
		_, err = w.svc.UndoSetup(w.ctx, reads)
		w.refused(err, model.Refused, "read_only", "only reads")
		_, err = w.svc.SteerJob(w.ctx, reads, directory.JobPause, "")
		w.refused(err, model.Refused, "read_only", "only reads")
		w.refused(start(pulls, hr(), publicURL), model.Refused, "ingress", "pulls people")
		w.refused(start(w.ref, hr(), "http://usher.contoso.example"), model.Refused, "", "https")
		w.refused(start(w.ref, directory.SetupRequest{Groups: []model.GroupSelector{{DisplayName: "Nobody"}}}, publicURL), model.Invalid, "groups[0]", "no group named")
		w.refused(start(w.ref, directory.SetupRequest{Groups: []model.GroupSelector{{ExternalID: "hr"}}}, publicURL), model.Invalid, "groups[0]", "object id")
		w.refused(start(w.ref, directory.SetupRequest{NotifyEmail: "Ada <ada@contoso.com>"}, publicURL), model.Invalid, "notify_email", "")
		w.refused(start(w.ref, directory.SetupRequest{ServicePrincipalID: "../x"}, publicURL), model.Invalid, "service_principal_id", "")
		w.roles = []string{"Application.ReadWrite.All"}
		w.refused(start(w.ref, hr(), publicURL), model.Refused, "", "lacks AppRoleAssignment.ReadWrite.All")
		_, err = w.svc.RotateSetupToken(w.ctx, w.ref, 0, nil)
		w.refused(err, model.Refused, "", "did not set up")
		_, err = w.svc.UndoSetup(w.ctx, w.ref)
		w.refused(err, model.Refused, "", "set up nothing")
		if len(w.entra.calls) != 0 || w.setup(w.ref).State != model.TaskNone || w.enqueued("directory.set_up", w.ref) {
			t.Errorf("what was refused did something: %v", w.entra.calls)
		}

		// Nothing is written either where an integration begins to read only while a task waits.
		w.roles = append(w.roles, "AppRoleAssignment.ReadWrite.All")
		w.ok(start(w.ref, hr(), publicURL))
		w.change(w.ref, func(i *model.Integration) { i.ReadOnly = true })
		if row := w.setUp(w.ref); row.State != model.TaskFailed || !strings.Contains(row.Error, "only reads") || len(w.entra.calls) != 0 {
			t.Errorf("%s %q, called %v", row.State, row.Error, w.entra.calls)
		}
	})
}

// TestSetupRotation replaces the token, here and there, also where the process dies in between; the former one ends after the overlap.
func TestSetupRotation(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		for at, reached := 0, true; reached; at++ {
			w.entra.apps, w.entra.faultAt = nil, nil
			ref := w.integration(fmt.Sprint("rotates ", at), model.RoleSyncReconcile)
			w.asks(ref, hr())
			w.setUp(ref)
			former := secretOf(w.entra.apps[0].secrets, "SecretToken")
			w.entra.calls, reached = nil, false
			w.entra.faultAt = func(n int, _ string) setupFault {
				if n == at {
					reached = true
					return [...]setupFault{crashAfter, lostAnswer, crashBefore}[at%3]
				}
				return noFault
			}
			_, err := w.svc.RotateSetupToken(w.ctx, ref, 48, nil)
			w.ok(err)
			row := w.setUp(ref)
			now := secretOf(w.entra.apps[0].secrets, "SecretToken")
			if row.State != model.TaskSucceeded || now == former || len(w.tokens(ref)) != 2 || len(w.sealed(ref)) != 0 {
				t.Fatalf("%s %q, %d tokens, sealed %v", row.State, row.Error, len(w.tokens(ref)), w.sealed(ref))
			}
			for _, key := range []string{"BaseAddress", "SyncAll", "SkipOutOfScopeDeletions"} {
				if secretOf(w.entra.apps[0].secrets, key) == "" {
					t.Errorf("Entra lost %s", key)
				}
			}
			for token, works := range map[string]bool{former: true, now: true} {
				if _, err := w.svc.SCIMToken(w.ctx, ref.IntegrationID, token); (err == nil) != works {
					t.Errorf("during the overlap: %v", err)
				}
			}
			w.clock.move(49 * time.Hour)
			if _, err := w.svc.SCIMToken(w.ctx, ref.IntegrationID, former); err == nil {
				t.Error("the former token works on")
			}
			if _, err := w.svc.SCIMToken(w.ctx, ref.IntegrationID, now); err != nil {
				t.Errorf("the new token: %v", err)
			}
		}
		// A token that Entra does not accept is revoked, and the former one stays.
		ref := w.integration("refuses", model.RoleSyncReconcile)
		w.entra.apps, w.entra.faultAt = nil, nil
		w.asks(ref, hr())
		w.setUp(ref)
		former := secretOf(w.entra.apps[0].secrets, "SecretToken")
		w.entra.try = func(_, token string) error {
			return provisioningError(outlook.Invalid, 400, "Bad", "the token "+token+" was refused")
		}
		_, err := w.svc.RotateSetupToken(w.ctx, ref, 0, nil)
		w.ok(err)
		row := w.setUp(ref)
		if row.State != model.TaskFailed || !strings.Contains(row.Error, "the token (secret) was refused") || len(w.tokens(ref)) != 1 || len(w.sealed(ref)) != 0 {
			t.Fatalf("%s %q, %d tokens", row.State, row.Error, len(w.tokens(ref)))
		}
		if _, err := w.svc.SCIMToken(w.ctx, ref.IntegrationID, former); err != nil {
			t.Errorf("the former token: %v", err)
		}
	})
}

// TestSetupUndoneMeanwhile asks for everything to be taken away while it is being made, at every call.
func TestSetupUndoneMeanwhile(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		for at, reached := 0, true; reached; at++ {
			w.entra.apps, w.entra.deleted, w.entra.calls, reached = nil, nil, nil, false
			ref := w.integration(fmt.Sprint("undone ", at), model.RoleSyncReconcile)
			w.asks(ref, hr())
			undone := make(chan error, 1)
			w.entra.faultAt = func(n int, _ string) setupFault {
				if n == at && !reached {
					reached = true
					_, err := w.svc.UndoSetup(w.ctx, ref)
					undone <- err
				}
				return noFault
			}
			w.setUp(ref)
			if !reached {
				break
			}
			w.ok(<-undone)
			row := w.setUp(ref)
			if row.Task != model.SetupUndo || row.State != model.TaskSucceeded || len(w.entra.alive()) != 0 || len(w.tokens(ref)) != 0 || len(w.sealed(ref)) != 0 {
				t.Fatalf("at call %d: %s %s %q, %d applications, %d tokens, %v", at, row.Task, row.State, row.Error, len(w.entra.alive()), len(w.tokens(ref)), w.entra.calls)
			}
		}
	})
}

// TestSetupAdopts uses an application that is there, and never deletes it.
func TestSetupAdopts(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		const there = "22222222-aaaa-4bbb-8ccc-000000000001"
		w.entra.apps = []*fakeApp{{
			Application: entraid.Application{ObjectID: "o", AppID: "a", ServicePrincipalID: there, DisplayName: "Ours"}, assigned: map[string]string{},
			jobs: []*entraid.Job{{ID: "scim.old", TemplateID: "scim"}}, schema: entraid.Schema(defaultSchema),
		}}
		w.asks(w.ref, directory.SetupRequest{ServicePrincipalID: there, Groups: []model.GroupSelector{}})
		row := w.setUp(w.ref)
		if row.State != model.TaskSucceeded || row.Entra.JobID != "scim.old" || row.Entra.OwnJob || len(w.entra.apps) != 1 || !w.entra.apps[0].started {
			t.Fatalf("%+v", row)
		}
		_, err := w.svc.StartSetup(w.ctx, w.ref, directory.SetupRequest{}, publicURL)
		w.refused(err, model.Refused, "service_principal_id", "undo it first")
		_, err = w.svc.UndoSetup(w.ctx, w.ref)
		w.ok(err)
		w.setUp(w.ref)
		if a := w.entra.apps[0]; a.gone || len(w.entra.deleted) != 0 || len(a.jobs) != 1 || a.started {
			t.Errorf("%+v, deleted %v", a, w.entra.deleted)
		}
	})
}

func (w *setupWorld) watch() {
	w.Helper()
	w.ok(w.svc.WatchSetups(w.ctx, directory.WatchSetups{}))
	w.ok(w.svc.WatchSetup(w.ctx, directory.WatchSetup{OrganizationID: w.ref.OrganizationID, IntegrationID: w.ref.IntegrationID}))
}

// TestWatch tells of a quarantine once, with its reason in words, and of its end.
func TestWatch(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		w.asks(w.ref, hr())
		w.setUp(w.ref)
		w.entra.job = entraid.JobStatus{Code: "Active", Last: &entraid.JobExecution{State: "EntryLevelErrors", Escrowed: 3}, Synchronized: map[string]int{"User": 7}}
		w.wrote(w.during(w.watch), "", "")
		row := w.setup(w.ref)
		if row.Job == nil || row.Job.Synchronized["User"] != 7 || !strings.Contains(row.Job.Says, "3 entries failed") || !w.enqueued("directory.watch_setup", w.ref) {
			t.Fatalf("%+v", row.Job)
		}
		begun := w.clock.Now()
		w.entra.job = entraid.JobStatus{Code: "Quarantine", Quarantine: &entraid.Quarantine{
			Reason: "EncounteredQuarantineException", Begun: begun, NextAttempt: begun.Add(6 * time.Hour), ErrorMessage: "401 Unauthorized",
		}}
		e := w.during(w.watch)
		w.wrote(e, "integration.quarantined", "integration.quarantined")
		says := w.setup(w.ref).Job.Says
		for _, want := range []string{"could not sign in", "401 Unauthorized", "tries again at 2026-11-21T18:00:00Z", "gives up at 2026-12-19T12:00:00Z"} {
			if !strings.Contains(says, want) || !strings.Contains(string(e.changes[0].Data), "says") {
				t.Errorf("it says %q, not %q", says, want)
			}
		}
		if w.alarms.n[directory.EventQuarantined] != 1 {
			t.Errorf("%d alarms", w.alarms.n[directory.EventQuarantined])
		}
		w.wrote(w.during(w.watch), "", "")
		w.entra.job.Quarantine.Begun = begun.Add(time.Hour)
		w.wrote(w.during(w.watch), "integration.quarantined", "integration.quarantined")
		w.entra.job = entraid.JobStatus{Code: "Active"}
		w.wrote(w.during(w.watch), "", "integration.quarantine_ended")

		for _, step := range []struct{ action, scope, call string }{
			{directory.JobPause, "", "PauseJob"},
			{directory.JobStart, "", "StartJob"},
			{directory.JobRestart, "", "RestartJob Full"},
			{directory.JobRestart, "quarantinestate, escrows", "RestartJob QuarantineState, Escrows"},
		} {
			n := len(w.entra.calls)
			_, err := w.svc.SteerJob(w.ctx, w.ref, step.action, step.scope)
			w.ok(err)
			if got := w.entra.calls[n]; got != step.call {
				t.Errorf("%s: called %s", step.action, got)
			}
		}
		_, err := w.svc.SteerJob(w.ctx, w.ref, directory.JobRestart, "Everything")
		w.refused(err, model.Invalid, "scope", "Everything")
		w.entra.refuse["Job"] = noRight()
		row, err = w.svc.RefreshSetup(w.ctx, w.ref)
		w.ok(err)
		if !strings.Contains(row.JobError, "Insufficient privileges") {
			t.Errorf("%q", row.JobError)
		}
		w.clock.move(time.Hour)
		w.asks(w.ref, hr()) // whoever was to work it has died
		w.clock.move(time.Hour)
		w.ok(w.svc.WatchSetups(context.Background(), directory.WatchSetups{}))
	})
}
