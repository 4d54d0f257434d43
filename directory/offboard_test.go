package directory_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

// leaver is a person in Entra and in Usher who is about to leave.
func (w *world) leaver() *fakeEntra {
	w.Helper()
	f := w.stocked()
	w.user(ada, map[string]any{"externalId": "u1"})
	for _, id := range []string{"security", "dynamic", "unified"} {
		f.members[id] = []string{"u1"}
	}
	f.licences["u1"] = append(f.licences["u1"], entraid.Licence{SKUID: "sku-e3"})
	return f
}

func everything() directory.Offboarding {
	return directory.Offboarding{OffboardPlan: model.OffboardPlan{RevokeSessions: true, RemoveGroups: true, RemoveLicences: true, Delete: true}}
}

func (w *world) offboard(in directory.Offboarding) model.Operation {
	w.Helper()
	o, err := w.svc.OffboardEntraUser(w.ctx, w.ref, "u1", in)
	w.ok(err)
	return o
}

// evidence says in short what the steps are and how they ended.
func evidence(o model.Operation) string {
	var list []string
	for _, s := range o.Steps {
		list = append(list, strings.TrimSpace(string(s.Action)+" "+s.Target)+" "+string(s.State))
	}
	return strings.Join(list, "; ")
}

// TestOffboarding off-boards somebody altogether, in order and with evidence.
func TestOffboarding(t *testing.T) {
	each(t, func(w *world) {
		f := w.leaver()
		var o model.Operation
		e := w.during(func() { o = w.offboard(everything()) })
		w.wrote(e, "account.deactivated", "account.deactivated operation.asked")
		if len(f.calls) > 0 {
			w.Fatalf("Entra was written to before the job ran: %v", f.calls)
		}
		w.hasStatus(ada, model.AccountDeactivated)
		id := w.account(ada).ID
		o = w.operate(o)
		want := []string{"disable", "revoke", "remove security", "remove unified", "licences", "delete"}
		if o.State != model.OperationSucceeded || !slices.Equal(f.calls, want) || f.deleted["u1"] == nil || f.users["u1"] != nil {
			w.Fatalf("%v, want %v; %+v", f.calls, want, o.Error)
		}
		got := evidence(o)
		if got != "deactivate_account "+id+" done; check done; disable done; revoke_sessions done; read_groups done; remove_member dynamic skipped;"+
			" remove_member security done; remove_member unified done; read_licences done; remove_licence sku-e3 done; delete done" {
			w.Fatal(got)
		}
		for _, s := range o.Steps {
			if s.Outcome == "" || s.State == model.StepDone && (s.StartedAt == nil || s.FinishedAt == nil || s.Attempts != 1) {
				w.Fatalf("no evidence: %+v", s)
			}
		}
		again := w.operate(must(w, w.svc.DeleteEntraUser)(w.ctx, w.ref, "u1"))
		if again.State != model.OperationSucceeded {
			w.Fatalf("%+v", again.Error)
		}
		back := w.operate(must(w, func(ctx context.Context, ref model.Ref, id string) (model.Operation, error) {
			return w.svc.RestoreEntraUser(ctx, ref, id, true)
		})(w.ctx, w.ref, "u1"))
		if back.State != model.OperationSucceeded || f.users["u1"] == nil || !f.users["u1"].AccountEnabled {
			w.Fatalf("%+v", back.Error)
		}
		w.hasStatus(ada, model.AccountDeactivated)
	})
}

// TestOffboardingAfterCrashes kills the worker at every write, before and after it was carried out, and comes to the same end.
func TestOffboardingAfterCrashes(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(map[bool]string{false: "before", true: "after"}[after], func(t *testing.T) {
			each(t, func(w *world) {
				f := w.leaver()
				o := w.offboard(everything())
				killed := map[string]bool{}
				for range 40 {
					alive, die := context.WithCancel(w.ctx)
					f.fail = func(call string, done bool) error {
						if done == after && !killed[call] {
							killed[call] = true
							die()
							return alive.Err()
						}
						return nil
					}
					_ = w.svc.WorkOperation(alive, directory.WorkOperation{OrganizationID: w.org, OperationID: o.ID})
					die()
					w.clock.move(6 * time.Minute)
					if o = w.operation(o.ID); o.FinishedAt != nil {
						break
					}
				}
				if o.State != model.OperationSucceeded || f.deleted["u1"] == nil || len(f.members["security"])+len(f.members["unified"]) > 0 || len(killed) < 6 {
					w.Fatalf("%s %+v %v %s", o.State, o.Error, killed, evidence(o))
				}
				if strings.Count(evidence(o), "remove_member security") != 1 {
					w.Fatal(evidence(o))
				}
			})
		})
	}
}

// TestOffboardingStopsBeforeWhatCannotBeTakenBack has a step fail for good.
func TestOffboardingStopsBeforeWhatCannotBeTakenBack(t *testing.T) {
	each(t, func(w *world) {
		f := w.leaver()
		f.fail = func(call string, after bool) error {
			if call == "disable" && !after {
				return &outlook.Error{Kind: outlook.Forbidden, Status: 403, Code: "Authorization_RequestDenied", Message: "Insufficient privileges"}
			}
			return nil
		}
		o := w.operate(w.offboard(everything()))
		if o.State != model.OperationFailed || o.Error.Code != "administrator_target" || !strings.Contains(o.Error.Detail, "Privileged Authentication Administrator") {
			w.Fatalf("%+v", o.Error)
		}
		if want := []string{"revoke", "remove security", "remove unified"}; !slices.Equal(f.calls, want) {
			w.Fatalf("%v, want %v", f.calls, want)
		}
		w.hasStatus(ada, model.AccountDeactivated)
		if f.deleted["u1"] != nil || len(f.licences["u1"]) != 2 {
			w.Fatal("what cannot be taken back was done")
		}
	})
}

// TestOffboardingOfHybridUsers cannot change Entra, but takes the account away.
func TestOffboardingOfHybridUsers(t *testing.T) {
	each(t, func(w *world) {
		f := w.leaver()
		f.users["u1"].OnPremisesSync = true
		o := w.operate(w.offboard(everything()))
		if o.State != model.OperationFailed || o.Error.Code != "hybrid_user" || len(f.calls) > 0 {
			w.Fatalf("%+v %v", o.Error, f.calls)
		}
		w.hasStatus(ada, model.AccountDeactivated)
	})
}

// TestScheduledOffboarding waits for its time, can be cancelled until then, and gives way to one that is asked for at once.
func TestScheduledOffboarding(t *testing.T) {
	each(t, func(w *world) {
		f := w.leaver()
		at := w.clock.Now().Add(48 * time.Hour)
		plan := everything()
		plan.At = &at
		later := w.offboard(plan)
		if later.State != model.OperationScheduled {
			w.Fatalf("%+v", later)
		}
		w.tryOperation(later)
		w.hasStatus(ada, model.AccountActive)
		_, err := w.svc.OffboardEntraUser(w.ctx, w.ref, "u1", plan)
		w.refused(err, model.Conflict, "", later.ID)
		update := must(w, func(ctx context.Context, ref model.Ref, id string) (model.Operation, error) {
			return w.svc.UpdateEntraUser(ctx, ref, id, directory.EntraUserChange{Profile: map[string]string{"jobTitle": "x"}})
		})(w.ctx, w.ref, "u1")
		if o := w.operate(update); o.State != model.OperationSucceeded { // it does not wait for what is scheduled
			w.Fatalf("%+v", o)
		}
		if o, err := w.svc.CancelOperation(w.ctx, w.org, later.ID); err != nil || o.State != model.OperationCancelled {
			w.Fatalf("%+v %v", o, err)
		}
		again := w.offboard(plan)
		w.clock.move(49 * time.Hour)
		f.calls = nil
		if o := w.operate(again); o.State != model.OperationSucceeded || f.calls[0] != "disable" {
			w.Fatalf("%+v", o.Error)
		}
		w.hasStatus(ada, model.AccountDeactivated)
		_, err = w.svc.CancelOperation(w.ctx, w.org, again.ID)
		w.refused(err, model.Refused, "", "succeeded already")
	})
}

// TestOffboardingOvertakes ends what else waits for a person who leaves.
func TestOffboardingOvertakes(t *testing.T) {
	each(t, func(w *world) {
		f := w.leaver()
		f.fail = func(call string, _ bool) error {
			if strings.HasPrefix(call, "add") {
				return lost()
			}
			return nil
		}
		f.groups["more"] = &entraid.Group{ID: "more", DisplayName: "More", SecurityEnabled: true}
		stuck, err := w.svc.AddEntraMember(w.ctx, w.ref, "more", "u1")
		w.ok(err)
		w.tryOperation(stuck)
		at := w.clock.Now().Add(48 * time.Hour)
		plan := everything()
		plan.At = &at
		later := w.offboard(plan)
		plan.At = nil
		if o := w.operate(w.offboard(plan)); o.State != model.OperationSucceeded {
			w.Fatalf("%+v", o.Error)
		}
		for _, id := range []string{stuck.ID, later.ID} {
			if o := w.operation(id); o.State != model.OperationCancelled || o.Error == nil || o.Error.Code != "offboarded" {
				w.Fatalf("%+v %+v", o, o.Error)
			}
		}
	})
}

// TestOffboardingFindsTheAccountByName off-boards somebody whom only Entra can name, while Entra does not answer at first.
func TestOffboardingFindsTheAccountByName(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		w.user(ada, map[string]any{"externalId": "ada"}) // the mail nickname, as Entra sends it by default
		f.fail = func(string, bool) error { return lost() }
		o := w.offboard(directory.Offboarding{})
		w.hasStatus(ada, model.AccountActive)
		f.fail = nil
		if o = w.operate(o); o.State != model.OperationSucceeded || !strings.HasPrefix(evidence(o), "deactivate_account "+w.account(ada).ID+" done") {
			w.Fatal(evidence(o))
		}
		w.hasStatus(ada, model.AccountDeactivated)
	})
}

// TestOffboardingPreviewed says what would be done, and does nothing.
func TestOffboardingPreviewed(t *testing.T) {
	each(t, func(w *world) {
		f := w.leaver()
		var o model.Operation
		e := w.during(func() {
			var err error
			o, err = w.svc.PreviewOffboarding(w.ctx, w.ref, "u1", everything())
			w.ok(err)
		})
		w.wrote(e, "", "")
		if len(f.calls) > 0 || o.ID != "" || o.Error != nil || o.State != model.OperationPlanned {
			w.Fatalf("%+v %v", o, f.calls)
		}
		if got := evidence(o); !strings.Contains(got, "remove_member dynamic skipped; remove_member security pending; remove_member unified pending; read_licences pending; remove_licence sku-e3 pending; delete pending") {
			w.Fatal(got)
		}
		f.users["u1"].OnPremisesSync = true
		if o, err := w.svc.PreviewOffboarding(w.ctx, w.ref, "u1", everything()); err != nil || o.Error == nil || o.Error.Code != "hybrid_user" {
			w.Fatalf("%+v %v", o, err)
		}
		w.hasStatus(ada, model.AccountActive)
	})
}
