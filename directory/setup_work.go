package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// SetUp is the job that does the task of a set-up, step by step.
type SetUp struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
}

// Kind names the job.
func (SetUp) Kind() string { return "directory.set_up" }

// Outward says that the job waits for Microsoft Graph.
func (SetUp) Outward() bool { return true }

// The bounds of a task: for how long nobody else works it, how often a step is tried that Graph is not available for, and the waits
// in between.
const (
	setupLease    = 3 * time.Minute
	setupAttempts = 30
	setupBusy     = 5 * time.Second
	setupRetry    = 10 * time.Second
	setupRetryMax = 2 * time.Minute
)

// errSuperseded says that something else is to be done by now.
var errSuperseded = errors.New("the set-up was changed meanwhile")

// setupWait says that a step has to wait for Entra.
type setupWait struct {
	after time.Duration
	why   string
}

func (n *setupWait) Error() string { return n.why }

// setupWork does one task of one set-up. Nobody else does while it has the lease.
type setupWork struct {
	svc   *Service
	ctx   context.Context
	row   model.Setup
	task  model.SetupTask
	lease string
	api   Provisioning
	hide  []string // secrets that no text may contain
}

// setupStep is one step of a task: what it did is its detail.
type setupStep struct {
	name string
	do   func(*setupWork) (detail string, err error)
}

// setupPlan gives the steps of a task, in order. Each of them can be done again.
func setupPlan(task model.SetupTask) []setupStep {
	switch task {
	case model.SetupInstall:
		return []setupStep{
			{"application", (*setupWork).application},
			{"replication", (*setupWork).replication},
			{"job", (*setupWork).job},
			{"token", (*setupWork).token},
			{"credentials", (*setupWork).credentials},
			{"mappings", (*setupWork).mappings},
			{"groups", (*setupWork).groups},
			{"start", (*setupWork).start},
			{"duplicates", (*setupWork).duplicates},
		}
	case model.SetupRotate:
		return []setupStep{{"token", (*setupWork).freshToken}, {"credentials", (*setupWork).credentials}}
	case model.SetupUndo:
		return []setupStep{
			{"pause", (*setupWork).undoPause},
			{"job", (*setupWork).undoJob},
			{"application", (*setupWork).undoApplication},
			{"token", (*setupWork).undoToken},
		}
	}
	return nil
}

// SetUp works the job. What a step did is stored before the next one begins; a step that was interrupted is done again.
func (s *Service) SetUp(ctx context.Context, job SetUp) error {
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	w := &setupWork{svc: s, lease: store.NewID()}
	open, err := w.begin(ctx, ref)
	if err != nil || !open {
		return unlessRemoved(err)
	}
	if err = w.connect(); err == nil {
		err = w.run()
	}
	return unlessRemoved(w.end(err))
}

// unlessRemoved makes nothing of an integration that was removed meanwhile.
func unlessRemoved(err error) error {
	if err != nil && model.KindOf(err) == model.NotFound {
		return nil
	}
	return err
}

// begin takes the lease.
func (w *setupWork) begin(ctx context.Context, ref model.Ref) (open bool, err error) {
	err = w.svc.Store.InTx(ctx, func(tx *store.Tx) error {
		open = false
		row, err := tx.LockSetup(ref)
		if err != nil || !row.State.Open() {
			return err
		}
		if row.Leased != nil && row.Leased.After(tx.Now()) {
			return &model.Throttled{After: setupBusy}
		}
		until := tx.Now().Add(setupLease)
		row.Lease, row.Leased, row.State = w.lease, &until, model.TaskRunning
		w.row, w.task, open = row, row.Task, true
		return tx.SaveSetup(&w.row)
	})
	w.ctx = WithActor(ctx, w.row.Actor)
	return open, err
}

// save stores what was learnt, whatever is to be done by now, and keeps the lease for longer. It gives errSuperseded, and the lease
// back, where something else is to be done.
func (w *setupWork) save(change func(*store.Tx, *model.Setup) error) error {
	return w.store(change, true)
}

// note stores how far the task is, unless something else is to be done by now.
func (w *setupWork) note(change func(*store.Tx, *model.Setup) error) error {
	return w.store(change, false)
}

func (w *setupWork) store(change func(*store.Tx, *model.Setup) error, always bool) error {
	superseded := false
	err := w.svc.Store.InTx(context.WithoutCancel(w.ctx), func(tx *store.Tx) error {
		row, err := tx.LockSetup(w.row.Ref())
		if err != nil {
			return err
		}
		if row.Lease != w.lease {
			return errSuperseded
		}
		until := tx.Now().Add(setupLease)
		row.Leased = &until
		superseded = row.Task != w.task || !row.State.Open()
		if always || !superseded {
			if err := change(tx, &row); err != nil {
				return err
			}
		}
		if superseded {
			row.Lease, row.Leased = "", nil
		}
		w.row = row
		return tx.SaveSetup(&w.row)
	})
	if err == nil && superseded {
		err = errSuperseded
	}
	return err
}

// stepOf gives a step of the row.
func stepOf(row *model.Setup, name string) *model.TaskStep {
	for i := range row.Steps {
		if row.Steps[i].Name == name {
			return &row.Steps[i]
		}
	}
	row.Steps = append(row.Steps, model.TaskStep{Name: name, State: model.StepPending})
	return &row.Steps[len(row.Steps)-1]
}

func (w *setupWork) run() error {
	for _, step := range setupPlan(w.task) {
		if stepOf(&w.row, step.name).State == model.StepDone {
			continue
		}
		err := w.note(func(tx *store.Tx, row *model.Setup) error {
			at := stepOf(row, step.name)
			at.State = model.StepPending
			if at.Begun == nil {
				now := tx.Now()
				at.Begun = &now
			}
			return nil
		})
		if err != nil {
			return err
		}
		detail, err := step.do(w)
		if err != nil {
			return err
		}
		err = w.note(func(tx *store.Tx, row *model.Setup) error {
			at, now := stepOf(row, step.name), tx.Now()
			at.State, at.Detail, at.Ended, row.Attempts = model.StepDone, detail, &now, 0
			return nil
		})
		if err != nil {
			return err
		}
	}
	return w.note(func(tx *store.Tx, row *model.Setup) error { return w.succeed(tx, row) })
}

func (w *setupWork) succeed(tx *store.Tx, row *model.Setup) error {
	row.State, row.Error, row.Lease, row.Leased = model.TaskSucceeded, "", "", nil
	forgetAccess(tx, row)
	if w.task == model.SetupUndo {
		row.Entra, row.TokenID, row.Job, row.JobAt, row.JobError, row.QuarantineTold = model.SetupEntra{}, "", nil, nil, "", ""
	}
	return w.log(tx, row, "succeeded", "")
}

// forgetAccess forgets the access token of the administrator: it is for one set-up.
func forgetAccess(tx *store.Tx, row *model.Setup) {
	tx.DeleteSecret(row.Ref(), secretAccess)
	row.SignIn.AccessUntil = nil
}

// log writes what became of a task into the administrator's log.
func (w *setupWork) log(tx *store.Tx, row *model.Setup, what, why string) error {
	i, err := tx.Integration(row.Ref())
	if err != nil {
		return err
	}
	summary := map[model.SetupTask]string{
		model.SetupInstall: "the set-up of provisioning in Entra", model.SetupRotate: "the rotation of the token in Entra and here",
		model.SetupUndo: "the removal of provisioning from Entra",
	}[w.task] + " " + what
	if why != "" {
		summary += ": " + why
	}
	return w.svc.logSetting(w.ctx, tx, row.OrganizationID, &row.IntegrationID, "setup."+what, "integration", i.ID, i.Name, summary,
		map[string]any{"task": w.task, "entra": row.Entra})
}

// end says what the outcome of the steps means for the job: nothing more to do, come back later, or failed with a reason.
func (w *setupWork) end(err error) error {
	var wait *setupWait
	switch {
	case err == nil || errors.Is(err, errSuperseded):
		return nil
	case errors.As(err, &wait):
		return w.later(wait.after, wait.why, false)
	case w.ctx.Err() != nil:
		return errors.Join(w.later(0, "", false), w.ctx.Err())
	case outlook.KindOf(err) == outlook.Throttled:
		after := setupRetry
		if e, ok := errors.AsType[*outlook.Error](err); ok && e.After > 0 {
			after = e.After
		}
		return w.later(after, "Microsoft Graph is throttling", false)
	case outlook.KindOf(err) == outlook.Unavailable && w.row.Attempts < setupAttempts:
		return w.later(min(setupRetry<<min(w.row.Attempts, 4), setupRetryMax), "Microsoft Graph is not available", true)
	case model.KindOf(err) == model.Internal && !isGraph(err):
		return errors.Join(w.later(0, "", false), err) // our own failure: the queue tries again
	}
	return w.fail(w.says(err))
}

func isGraph(err error) bool { _, ok := errors.AsType[*outlook.Error](err); return ok }

// later gives the lease back, and says when to come again.
func (w *setupWork) later(after time.Duration, why string, failed bool) error {
	err := w.note(func(_ *store.Tx, row *model.Setup) error {
		row.Lease, row.Leased = "", nil
		if failed {
			row.Attempts++
		}
		for i := range row.Steps {
			if at := &row.Steps[i]; at.State == model.StepPending && at.Begun != nil && why != "" {
				at.Detail = why
			}
		}
		return nil
	})
	if errors.Is(err, errSuperseded) {
		return nil
	}
	if err != nil || after == 0 {
		return err
	}
	return &model.Throttled{After: after}
}

// fail ends the task; it goes on where it stopped when it is asked for again. A token that Entra never got goes.
func (w *setupWork) fail(why string) error {
	err := w.note(func(tx *store.Tx, row *model.Setup) error {
		for i := range row.Steps {
			if at := &row.Steps[i]; at.State == model.StepPending && at.Begun != nil {
				now := tx.Now()
				at.State, at.Detail, at.Ended = model.StepFailed, why, &now
				break
			}
		}
		row.State, row.Error, row.Attempts, row.Lease, row.Leased = model.TaskFailed, why, 0, "", nil
		if err := w.dropPending(tx, row); err != nil {
			return err
		}
		return w.log(tx, row, "failed", why)
	})
	w.svc.tokens.forget()
	if errors.Is(err, errSuperseded) {
		return nil
	}
	return err
}

// says puts a failure into words for an administrator, without any secret.
func (w *setupWork) says(err error) string {
	text := ""
	switch outlook.KindOf(err) {
	case outlook.BadCredentials:
		text = "Entra does not accept the credentials any more; sign in again (POST …/setup/sign-in), or see to the integration's application, and ask for the set-up again. "
	case outlook.Forbidden:
		text = "Entra refuses this to who asks; sign in as a Cloud Application Administrator (POST …/setup/sign-in), or grant what GET …/setup lists, and ask for the set-up again. "
	default:
	}
	if isGraph(err) {
		text += "Microsoft Graph: "
	}
	return w.clean(text + err.Error())
}

// maxSaid is how much of a failure is told.
const maxSaid = 700

// clean takes secrets out of a text that somebody else wrote.
func (w *setupWork) clean(text string) string {
	for _, secret := range w.hide {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "(secret)")
		}
	}
	return cut(text, maxSaid)
}

func setupWaits(after time.Duration, format string, args ...any) error {
	return &setupWait{after, fmt.Sprintf(format, args...)}
}
