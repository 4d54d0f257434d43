package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"usher/model"
	"usher/model/store"
)

// planAge is how long a plan can be applied.
const planAge = 7 * 24 * time.Hour

// digestOf gives a digest of what a decision does: two decisions that do the same have the same one.
func digestOf(action model.Action, changes []model.FieldChange) string {
	type change struct {
		Field         string
		Before, After any
	}
	list := make([]change, len(changes))
	for i, c := range changes {
		list[i] = change{c.Field, c.Before, c.After}
	}
	raw, err := json.Marshal(list)
	if err != nil { // a value that JSON cannot tell is told as Go does; it is never stored
		raw = fmt.Append(nil, list)
	}
	sum := sha256.Sum256(append([]byte(string(action)+"\n"), raw...))
	return hex.EncodeToString(sum[:16])
}

// chained gives the hash of a plan with one decision more. It does not depend on how the plan is cut into pages.
func chained(chain string, d *model.RunDecision) string {
	sum := sha256.Sum256([]byte(chain + "\n" + d.SubjectID + "\n" + d.Digest))
	return hex.EncodeToString(sum[:])
}

// completePlan gives the plan its hash and its end, and asks the guard.
func (w *runWork) completePlan() error {
	end := w.tx.Now().Add(planAge)
	w.run.Hash, w.run.ExpiresAt = chained(w.run.Chain, &model.RunDecision{SubjectID: w.run.IntegrationID}), &end
	return w.guard()
}

// guard finds out whether the run would deactivate more than the integration's guard lets pass, those counted that it has
// deactivated already, and whether a group is missing that the settings name.
func (w *runWork) guard() error {
	integration, err := w.tx.Integration(w.run.Ref())
	if err != nil {
		return err
	}
	guard := integration.Guard
	if supposed := w.run.Settings; supposed != nil && supposed.Guard != nil {
		guard = *supposed.Guard
	}
	active, err := w.tx.CountActiveAccounts(w.run.Ref())
	if err != nil {
		return err
	}
	active += w.run.Deactivated
	v := &model.GuardVerdict{
		Active: active, Limit: guard.Limit(active), Deactivations: w.run.Counts[model.ActionDeactivate] + w.run.Deactivated, MissingGroups: []model.MissingGroup{},
	}
	if watcher, ok := w.people.(groupWatcher); ok {
		missing, err := watcher.missingGroups(w.ctx, w.tx)
		if err != nil {
			return err
		}
		v.MissingGroups = append(v.MissingGroups, missing...)
	}
	switch {
	case v.Deactivations > v.Limit:
		w.run.HeldBecause = fmt.Sprintf("it would deactivate %d of %d active accounts and the guard lets %d pass", v.Deactivations, v.Active, v.Limit)
		v.Holds = true
	case len(v.MissingGroups) > 0:
		w.run.HeldBecause = missingInWords(v.MissingGroups)
		v.Holds = true
	case w.run.HeldBecause != "":
		v.Holds = true // it went beyond its plan when it was applied
	}
	w.run.Guard = v
	if w.run.Kind == model.RunPreview || len(v.MissingGroups) == 0 {
		return nil
	}
	return w.svc.alarmMissing(w.ctx, w.tx, w.run.Ref(), v.MissingGroups, "the run is held")
}

// hold lets the run wait for an operator.
func (w *runWork) hold() error {
	w.run.State = model.RunHeld
	if err := w.tx.UpdateRun(w.run); err != nil {
		return err
	}
	if err := w.svc.tellRun(w.ctx, w.tx, w.run, model.RunWasHeld); err != nil {
		return err
	}
	w.svc.Observe(EventRunHeld, 1)
	summary := "held: " + w.run.HeldBecause
	if len(w.run.Applied) == 0 {
		summary += "; nothing was applied"
	}
	return w.svc.logRun(w.ctx, w.tx, w.run, summary)
}

// beyond is given by a page that would deactivate more than the guard let pass: the world is another one than when the run was
// planned.
type beyond struct{ deactivations, limit int }

// Error says how far.
func (b *beyond) Error() string {
	return fmt.Sprintf("while it was being applied the world changed: it would have deactivated %d accounts and the guard lets %d pass",
		b.deactivations, b.limit)
}

// replan has a run planned again that would have gone beyond its guard, to be held then. What it has applied so far stays.
func (w *runWork) replan(b *beyond) error {
	if w.run.State != model.RunRunning || w.run.Phase != model.PhaseApply || w.run.Approved {
		return nil
	}
	if err := w.tx.DropPlan(w.run.OrganizationID, w.run.ID); err != nil {
		return err
	}
	w.run.HeldBecause = b.Error()
	return w.enter(model.PhasePlan)
}

func missingInWords(groups []model.MissingGroup) string {
	text := ""
	for i, g := range groups {
		if i == maxNamed {
			return text + fmt.Sprintf(", and %d more", len(groups)-i)
		}
		if i > 0 {
			text += ", "
		}
		name, what := g.DisplayName, "came back without members"
		if name == "" {
			name = g.ExternalID
		}
		if g.Gone {
			what = "has vanished"
		}
		text += fmt.Sprintf("%s group %s %s", g.Use, name, what)
	}
	return text
}

// maxNamed is how many things a sentence names.
const maxNamed = 10

// alarmMissing tells that groups are missing that the settings name. A group that is not there is never an instruction.
func (s *Service) alarmMissing(ctx context.Context, tx *store.Tx, ref model.Ref, groups []model.MissingGroup, outcome string) error {
	s.Observe(EventGroupMissing, len(groups))
	err := tx.Tell(model.Change{
		OrganizationID: ref.OrganizationID, Type: model.IntegrationGroupMissing, IntegrationID: &ref.IntegrationID, SubjectType: "integration",
		SubjectID: ref.IntegrationID, Actor: ActorOf(ctx),
	}, map[string]any{"groups": groups})
	if err != nil {
		return err
	}
	return tx.Log(model.Activity{
		OrganizationID: ref.OrganizationID, IntegrationID: &ref.IntegrationID, Actor: ActorOf(ctx), Action: string(model.IntegrationGroupMissing),
		SubjectType: "integration", SubjectID: ref.IntegrationID, Summary: missingInWords(groups) + "; " + outcome,
	}, map[string]any{"groups": groups})
}

// missing raises the alarm when a push takes a group, or all of its members, that the settings name. A push cannot be held: it is
// applied, and the alarm says so.
func (e *groupEdit) missing(gone bool, members int) error {
	group := refOf(e.group)
	if !e.rules.GroupMatters(e.ref.IntegrationID, group) {
		return nil
	}
	use := "chosen"
	if e.rules.byID[e.ref.IntegrationID].mapped.holds(group) {
		use = "mapped"
	}
	return e.svc.alarmMissing(e.ctx, e.tx, e.ref, []model.MissingGroup{
		{ExternalID: group.ExternalID, DisplayName: group.DisplayName, Use: use, Members: members, Gone: gone},
	}, "it was pushed, so that it is applied")
}
