package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/model"
	"usher/model/store"
)

// WorkRun is the job that works a run for a while; one that is not finished asks to be called again.
type WorkRun struct {
	OrganizationID string `json:"organization_id"`
	RunID          string `json:"run_id"`
	// Reading says that the job is for the phase read alone, and has another one enqueued for what comes after it.
	Reading bool `json:"reading,omitempty"`
}

// workOf is the job for the phase that the run is in.
func workOf(run *model.Run) WorkRun {
	return WorkRun{OrganizationID: run.OrganizationID, RunID: run.ID, Reading: run.Phase == model.PhaseRead}
}

// Outward says that the job waits for Microsoft Graph.
func (j WorkRun) Outward() bool { return j.Reading }

// Kind names the job.
func (WorkRun) Kind() string { return "directory.work_run" }

// runPage is how many people a run settles in one transaction, by default.
const runPage = 250

// runSlice is how long one job works at a run before it lets others have the worker.
const runSlice = 20 * time.Second

// StartRun asks for an import, a preview or a re-evaluation and gives it, queued. A re-evaluation that is queued already serves, and so
// does an import that has not ended; while one is held, there is no other: Refused.
func (s *Service) StartRun(ctx context.Context, ref model.Ref, kind model.RunKind) (model.Run, error) {
	var run model.Run
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Integration(ref); err != nil {
			return err
		}
		switch kind {
		case model.RunImport:
			settings, err := tx.Settings(ref.OrganizationID)
			if err != nil {
				return err
			}
			entry := settings.Integrations[ref.IntegrationID]
			if err := checkImport(&entry); err != nil {
				return err
			}
		case model.RunUndo:
			return model.Errorf(model.Refused, "an undo is asked for of the run that is to be undone")
		case model.RunPreview, model.RunReevaluation:
		}
		var err error
		run, err = s.queueRun(ctx, tx, model.Run{
			OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: kind, Reason: "asked for by " + ActorOf(ctx),
		})
		return err
	})
	return run, err
}

// requestReevaluation has everyone of the integration decided about again, unless there is nobody.
func (s *Service) requestReevaluation(ctx context.Context, tx *store.Tx, ref model.Ref, reason string) error {
	some, err := tx.DirectoryUsersAfter(ref, "", 1)
	if err != nil || len(some) == 0 {
		return err
	}
	_, err = s.queueRun(ctx, tx, model.Run{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: model.RunReevaluation, Reason: reason,
	})
	return err
}

// queueRun queues the run, unless one that is open serves.
func (s *Service) queueRun(ctx context.Context, tx *store.Tx, run model.Run) (model.Run, error) {
	if err := tx.LockRuns(run.Ref()); err != nil {
		return model.Run{}, err
	}
	open, err := tx.OpenRuns(run.Ref())
	if err != nil {
		return model.Run{}, err
	}
	for _, other := range open {
		switch {
		case other.Kind != run.Kind:
		case run.Kind == model.RunReevaluation && other.State == model.RunQueued:
			return other, nil
		case run.Kind == model.RunImport && other.State == model.RunHeld:
			return other, model.Errorf(model.Refused, "import %s is held: apply or discard it first", other.ID)
		case run.Kind == model.RunImport:
			return other, nil
		}
	}
	run.State, run.Actor, run.Phase = model.RunQueued, ActorOf(ctx), s.firstPhase(&run)
	if err := tx.InsertRun(&run); err != nil {
		return run, err
	}
	return run, tx.Enqueue(workOf(&run))
}

// Work works the run for a while. It gives *model.Throttled when the run is to be worked on later: because another run
// of the integration comes first, or because its slice of time is over. Each page is one transaction that also stores how
// far the run is, so that a crash repeats at most one page; two workers on one run share the pages.
func (s *Service) Work(ctx context.Context, job WorkRun) error {
	until := s.Now().Add(runSlice)
	for ctx.Err() == nil && s.Now().Before(until) {
		run, done, err := s.runStep(ctx, job)
		if err != nil {
			err = s.afterRollback(ctx, job, err)
		}
		if err == nil && !done && run.Phase == model.PhaseRead {
			err = s.readStep(ctx, job, run)
		}
		if err != nil || done {
			return s.failed(ctx, job, err)
		}
	}
	return &model.Throttled{}
}

// failed ends the run with a sentence when its work is refused for good; other errors are tried again.
func (s *Service) failed(ctx context.Context, job WorkRun, err error) error {
	kind := model.KindOf(err)
	if err == nil || kind == model.Internal || kind == model.Conflict {
		return err
	}
	end := s.Store.InTx(ctx, func(tx *store.Tx) error {
		run, err2 := tx.LockRun(job.OrganizationID, job.RunID)
		if err2 != nil || run.State.Finished() {
			return err2
		}
		run.Error = err.Error()
		return s.endRun(ctx, tx, &run, model.RunFailed)
	})
	if end != nil && model.KindOf(end) != model.NotFound {
		return end
	}
	return nil
}

// runStep does one page, and says whether the job has nothing more to do. It gives the run as it stands then.
func (s *Service) runStep(ctx context.Context, job WorkRun) (run model.Run, done bool, err error) {
	from := 0
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		done = false
		run, err = tx.LockRun(job.OrganizationID, job.RunID)
		if model.KindOf(err) == model.NotFound && err != nil {
			done = true // its integration was removed
			return nil
		}
		if err != nil {
			return err
		}
		if run.State.Finished() || run.State == model.RunHeld || job.Reading && run.Phase != model.PhaseRead {
			done = true
			return nil
		}
		if run.CancelRequested {
			done = true
			return s.endRun(ctx, tx, &run, model.RunCancelled)
		}
		from = run.Progress.Done
		done, err = s.runWork(ctx, tx, &run).step()
		return err
	})
	if err == nil && grown(from, run.Progress.Done) {
		err = s.Store.AnalyzePeople(ctx)
	}
	return run, done, err
}

// readStep has the source of a run read for a while, outside of any transaction. At the end of it the run is handed on.
func (s *Service) readStep(ctx context.Context, job WorkRun, run model.Run) error {
	source, ok := s.sourceOf(&run).(runReader)
	if !ok {
		return fmt.Errorf("a run of kind %s has nothing to read", run.Kind)
	}
	done, err := source.read(WithActor(ctx, "run:"+run.ID), run)
	if err != nil || !done {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		run, err := tx.LockRun(run.OrganizationID, run.ID)
		if err != nil || run.State != model.RunRunning || run.Phase != model.PhaseRead {
			return err
		}
		if err := s.runWork(ctx, tx, &run).enter(model.PhasePlan); err != nil || !job.Reading {
			return err
		}
		return tx.Enqueue(workOf(&run))
	})
}

// endRun ends a run for good.
func (s *Service) endRun(ctx context.Context, tx *store.Tx, run *model.Run, state model.RunState) error {
	now := tx.Now()
	run.State, run.FinishedAt = state, &now
	end := s.sourceOf(run).discarded
	if state == model.RunSucceeded && run.Kind != model.RunPreview {
		end = s.sourceOf(run).done
	}
	if err := errors.Join(end(ctx, tx), tx.UpdateRun(run)); err != nil {
		return err
	}
	if err := s.tellRun(ctx, tx, run, model.RunFinished); err != nil {
		return err
	}
	return s.logRun(ctx, tx, run, fmt.Sprintf("%s %s: %s", run.Kind, state, countsInWords(run.Counts)))
}

func (s *Service) tellRun(ctx context.Context, tx *store.Tx, run *model.Run, kind model.ChangeType) error {
	return tx.Tell(model.Change{
		OrganizationID: run.OrganizationID, Type: kind, IntegrationID: &run.IntegrationID, SubjectType: "run", SubjectID: run.ID,
		Actor: ActorOf(ctx),
	}, map[string]any{"run": run})
}

func (s *Service) logRun(ctx context.Context, tx *store.Tx, run *model.Run, summary string) error {
	if run.Error != "" {
		summary += "; " + run.Error
	}
	return s.logSetting(ctx, tx, run.OrganizationID, &run.IntegrationID, "run."+string(run.State), "run", run.ID, string(run.Kind), summary,
		map[string]any{"counts": run.Counts, "reason": run.Reason})
}

func countsInWords(counts map[model.Action]int) string {
	text := ""
	for _, a := range []model.Action{
		model.ActionCreate, model.ActionLink, model.ActionUpdate, model.ActionDeactivate, model.ActionReactivate, model.ActionSkip, model.ActionNone,
	} {
		if counts[a] == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", counts[a], a)
	}
	if text == "" {
		return "nobody"
	}
	return text
}

// CancelRun asks a run to end before its next page; one that is held or queued ends at once.
func (s *Service) CancelRun(ctx context.Context, organizationID, id string) (model.Run, error) {
	return s.editRun(ctx, organizationID, id, func(tx *store.Tx, run *model.Run) error {
		if run.State.Finished() {
			return model.Errorf(model.Refused, "the run has %s already", run.State)
		}
		if run.State == model.RunRunning {
			run.CancelRequested = true
			return tx.UpdateRun(run)
		}
		return s.endRun(ctx, tx, run, model.RunCancelled)
	})
}

func (s *Service) editRun(ctx context.Context, organizationID, id string, edit func(*store.Tx, *model.Run) error) (model.Run, error) {
	var out model.Run
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		run, err := tx.LockRun(organizationID, id)
		if err != nil {
			return err
		}
		if err := edit(tx, &run); err != nil {
			return err
		}
		out = run
		return nil
	})
	return out, err
}

// ResumeRuns is the job that makes sure that every open run has a worker. It is enqueued when the program starts and
// then periodically, because a process that is killed leaves its job behind unfinished.
type ResumeRuns struct {
	// Starting asks for every open run, not only for those that have stood still: a worker too many shares the work.
	Starting bool `json:"starting"`
}

// Kind names the job.
func (ResumeRuns) Kind() string { return "directory.resume_runs" }

// runStale is how long a run may go without a page before it gets another worker.
const runStale = time.Minute

// Resume enqueues work for every run that is queued or running and has not moved for a while.
func (s *Service) Resume(ctx context.Context, job ResumeRuns) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		since := tx.Now().Add(-runStale)
		if job.Starting {
			since = tx.Now().Add(time.Second)
		}
		runs, err := tx.StaleRuns(since)
		if err != nil {
			return err
		}
		for i := range runs {
			if err := tx.Enqueue(workOf(&runs[i])); err != nil {
				return err
			}
		}
		return nil
	})
}
