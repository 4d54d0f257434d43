package console

import (
	"context"
	"fmt"

	"usher/model"
)

// runProgress is the part of a run's page that changes while the run goes on. It is the same for everyone who looks at it, and is
// made from the run alone.
type runProgress struct {
	State           badge
	Run             model.Run
	Phases          []phaseRow
	Going           bool // it is followed
	Applied, Counts string
	Guard           string
	Missing         []model.MissingGroup
	Path            string
}

type phaseRow struct {
	Name        string
	Done, Total int
	Now         bool
}

func progressOf(r model.Run) runProgress {
	p := runProgress{
		State: runState(r), Run: r, Counts: countsInWords(r.Counts), Path: Base + "/runs/" + r.ID,
		Going: r.State == model.RunQueued || r.State == model.RunRunning,
	}
	for _, phase := range []model.RunPhase{model.PhaseRead, model.PhasePlan, model.PhaseApply} {
		progress, begun := r.Phases[phase]
		if !begun && phase != r.Phase {
			continue
		}
		if phase == r.Phase {
			progress = r.Progress
		}
		name := map[model.RunPhase]string{model.PhaseRead: "Read", model.PhasePlan: "Plan", model.PhaseApply: "Apply"}[phase]
		p.Phases = append(p.Phases, phaseRow{name, progress.Done, max(progress.Total, progress.Done), p.Going && phase == r.Phase})
	}
	if r.Phase == model.PhaseApply {
		p.Applied = countsInWords(r.Applied)
	} else if p.Going { // what is not planned yet must not look as if it were nothing
		p.Counts = "being made"
		if so := countsInWords(r.Counts); so != countsInWords(nil) {
			p.Counts += "; so far " + so
		}
	}
	if r.Guard != nil {
		p.Missing = r.Guard.MissingGroups
		p.Guard = fmt.Sprintf("%s of %s active accounts would be deactivated; the guard lets %s pass.", count(r.Guard.Deactivations), count(r.Guard.Active), count(r.Guard.Limit))
	}
	return p
}

// followRun sends the progress of a run as it goes, until it has ended or waits for an operator.
func (v *visit) followRun() error {
	r, err := v.run()
	if err != nil {
		return err
	}
	c, org, id := v.Console, v.org, r.ID
	return v.follow("run/"+id, func(ctx context.Context) (news, error) {
		r, err := c.store.Read(ctx).Run(org, id)
		if err != nil {
			return news{}, err
		}
		p := progressOf(r)
		html, err := c.part("run", "run-progress", p)
		return news{html, !p.Going}, err
	})
}
