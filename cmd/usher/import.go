package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/model"
	"usher/model/store"
)

type importCmd struct {
	Start     importStart     `cmd:"" help:"Start an import, a preview or a re-evaluation; the server works it."`
	Status    importStatus    `cmd:"" help:"Show a run: where it stands, what it plans, why it is held."`
	List      importList      `cmd:"" help:"List runs, newest first."`
	Decisions importDecisions `cmd:"" help:"List what a run decided about whom, deactivations first."`
	Apply     importApply     `cmd:"" help:"Apply a held run, whole or to some people."`
	Discard   importDiscard   `cmd:"" help:"Discard a held run, whole or for some people."`
	Cancel    importCancel    `cmd:"" help:"Cancel a run; what it has applied stays."`
	Undo      importUndo      `cmd:"" help:"Take back what a run applied, where nothing has changed since."`
}

type importStart struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
	Kind        string `help:"import, preview or reevaluation." enum:"import,preview,reevaluation" default:"import"`
	waiting
}

// Run starts a run.
func (c importStart) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		run, err := a.Service.StartRun(ctx, model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}, model.RunKind(c.Kind))
		return c.follow(ctx, con, a, c.scope, run, err)
	})
}

// oneRun names a run.
type oneRun struct {
	scope
	ID string `arg:"" help:"Id of the run."`
}

type importStatus struct{ oneRun }

// Run shows a run.
func (c importStatus) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		run, err := a.Store.Read(ctx).Run(o.ID, c.ID)
		if err != nil {
			return err
		}
		return showRun(con, c.scope, run)
	})
}

// showRun prints one run, with what is to be known of its plan.
func showRun(con console, sc scope, run model.Run) error {
	rows := [][]string{
		{"id", run.ID},
		{"kind", string(run.Kind)},
		{"state", string(run.State)},
		{"reason", run.Reason},
		{"started", when(run.StartedAt)},
		{"finished", when(run.FinishedAt)},
	}
	for _, phase := range []model.RunPhase{model.PhaseRead, model.PhasePlan, model.PhaseApply} {
		if p, ok := run.Phases[phase]; ok {
			rows = append(rows, []string{string(phase), fmt.Sprintf("%d of %d", p.Done, p.Total)})
		}
	}
	for _, line := range [][2]string{
		{"planned", actions(run.Counts)}, {"applied", actions(run.Applied)}, {"held because", run.HeldBecause}, {"hash", run.Hash}, {"error", run.Error},
	} {
		if line[1] != "" {
			rows = append(rows, line[:])
		}
	}
	if run.LeftAlone > 0 {
		rows = append(rows, []string{"left as they are", strconv.Itoa(run.LeftAlone)})
	}
	if run.State == model.RunHeld {
		rows = append(rows, []string{"expires", when(run.ExpiresAt)})
	}
	return sc.print(con.out, run, []string{"RUN", ""}, rows)
}

// actions gives counts in words, those first that take most away.
func actions(counts map[model.Action]int) string {
	var list []model.Action
	for action := range counts {
		list = append(list, action)
	}
	slices.SortFunc(list, func(a, b model.Action) int { return a.Rank() - b.Rank() })
	var parts []string
	for _, action := range list {
		parts = append(parts, fmt.Sprintf("%d %s", counts[action], action))
	}
	return strings.Join(parts, ", ")
}

type importList struct {
	scope
	Integration string `help:"Id of an integration; of all where left out."`
	State       string `help:"queued, running, held, succeeded, failed or cancelled." enum:",queued,running,held,succeeded,failed,cancelled" default:""`
}

// Run lists runs.
func (c importList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "KIND", "STATE", "PHASE", "DONE", "PLANNED", "CREATED"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.Run, error) {
			return a.Store.Read(ctx).RunsBefore(o.ID, store.RunFilter{Integration: c.Integration, State: model.RunState(c.State)}, "", listMax)
		},
		func(r model.Run) []string {
			return []string{
				r.ID, string(r.Kind), string(r.State), string(r.Phase), fmt.Sprintf("%d/%d", r.Progress.Done, r.Progress.Total), actions(r.Counts), when(&r.CreatedAt),
			}
		})
}

type importDecisions struct {
	oneRun
	Action string `help:"create, link, update, deactivate, reactivate or skip." enum:",create,link,update,deactivate,reactivate,skip" default:""`
	Limit  int    `help:"How many at most; 0 is all of them." default:"0"`
}

// Run prints decisions, a page at a time, however many there are.
func (c importDecisions) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if _, err := a.Store.Read(ctx).Run(o.ID, c.ID); err != nil {
			return err
		}
		head := []string{"SUBJECT", "E-MAIL", "ACTION", "STATE", "REASON"}
		for after, shown := "", 0; c.Limit == 0 || shown < c.Limit; {
			limit := listMax
			if c.Limit > 0 {
				limit = min(limit, c.Limit-shown)
			}
			list, err := a.Store.Read(ctx).RunDecisionsAfter(o.ID, c.ID, model.Action(c.Action), after, limit)
			if err != nil {
				return err
			}
			if err := c.printPage(con, list, head); err != nil {
				return err
			}
			if len(list) < limit {
				return nil
			}
			head, after, shown = nil, store.DecisionCursor(list[len(list)-1]), shown+len(list)
		}
		return nil
	})
}

// decisionLine is a decision as JSON: one a line, so that no list of everyone is held.
type decisionLine struct {
	Subject string              `json:"subject"`
	Email   string              `json:"email"`
	Name    string              `json:"name"`
	Action  model.Action        `json:"action"`
	Changes []model.FieldChange `json:"changes"`
	Reason  string              `json:"reason"`
	State   model.DecisionState `json:"state"`
	Note    string              `json:"note,omitempty"`
}

func (c importDecisions) printPage(con console, list []model.RunDecision, head []string) error {
	var rows [][]string
	for _, d := range list {
		if c.Output == "json" {
			line := decisionLine{d.SubjectID, d.Email, d.Name, d.Action, d.Changes, d.Reason, d.State, d.Note}
			if err := json.NewEncoder(con.out).Encode(line); err != nil {
				return err
			}
			continue
		}
		state := string(d.State)
		if d.Note != "" {
			state += " (" + d.Note + ")"
		}
		rows = append(rows, []string{d.SubjectID, d.Email, string(d.Action), state, d.Reason})
	}
	if c.Output == "json" {
		return nil
	}
	if head == nil && len(rows) > 0 {
		head, rows = rows[0], rows[1:]
	}
	return c.print(con.out, nil, head, rows)
}

type importApply struct {
	oneRun
	Subjects   []string `help:"Ids of people to apply it to; the others are left as they are."`
	Except     []string `help:"Ids of people to leave as they are."`
	Hash       string   `help:"The hash of the plan that was looked at."`
	LeaveMoved bool     `help:"Leave people as they are who have changed since the plan was made."`
	waiting
}

// Run applies a held run.
func (c importApply) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		run, err := a.Service.ApplyRun(ctx, o.ID, c.ID, directory.PlanChoice{
			Subjects: c.Subjects, Except: c.Except, Hash: c.Hash, LeaveMoved: c.LeaveMoved,
		})
		return c.follow(ctx, con, a, c.scope, run, err)
	})
}

type importDiscard struct {
	oneRun
	Subjects []string `help:"Ids of people to take out of the plan."`
	Hash     string   `help:"The hash of the plan that was looked at."`
}

// Run discards a held run.
func (c importDiscard) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		run, err := a.Service.DiscardRun(ctx, o.ID, c.ID, directory.PlanChoice{Subjects: c.Subjects, Hash: c.Hash})
		if err != nil {
			return err
		}
		return showRun(con, c.scope, run)
	})
}

type importCancel struct{ oneRun }

// Run cancels a run.
func (c importCancel) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		run, err := a.Service.CancelRun(ctx, o.ID, c.ID)
		if err != nil {
			return err
		}
		return showRun(con, c.scope, run)
	})
}

type importUndo struct {
	oneRun
	waiting
}

// Run undoes a run.
func (c importUndo) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		run, err := a.Service.UndoRun(ctx, o.ID, c.ID)
		return c.follow(ctx, con, a, c.scope, run, err)
	})
}

// waiting is how a command waits for a run that the server works.
type waiting struct {
	Wait    bool          `help:"Wait until the run has ended or is held; anything but success is a failure."`
	Timeout time.Duration `help:"How long to wait." default:"10m"`
}

// waitPoll is how often a run is looked at that is waited for.
const waitPoll = 500 * time.Millisecond

// follow shows the run that was started, at the end where that is waited for.
func (c waiting) follow(ctx context.Context, con console, a *app.App, sc scope, run model.Run, err error) error {
	if err != nil || !c.Wait {
		if err == nil {
			err = showRun(con, sc, run)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	for !run.State.Finished() && run.State != model.RunHeld {
		select {
		case <-ctx.Done():
			return fmt.Errorf("run %s is still %s: is a server running that works it?", run.ID, run.State)
		case <-tick.C:
		}
		if run, err = a.Store.Read(ctx).Run(run.OrganizationID, run.ID); err != nil {
			return err
		}
	}
	if err := showRun(con, sc, run); err != nil || run.State == model.RunSucceeded {
		return err
	}
	if run.State == model.RunHeld {
		return fmt.Errorf("run %s is held: %s", run.ID, run.HeldBecause)
	}
	return fmt.Errorf("run %s has %s: %s", run.ID, run.State, run.Error)
}
