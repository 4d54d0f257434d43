package directory

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"strings"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/store"
)

// WorkOperation works an operation, not before At.
type WorkOperation struct {
	OrganizationID string    `json:"organization_id"`
	OperationID    string    `json:"operation_id"`
	At             time.Time `json:"at,omitzero"`
}

// Kind names the job.
func (WorkOperation) Kind() string { return "directory.work_operation" }

// Outward says that the job waits for Microsoft Graph.
func (WorkOperation) Outward() bool { return true }

// NotBefore says when the job may begin.
func (j WorkOperation) NotBefore() time.Time { return j.At }

// OperationsDue enqueues operations whose job was lost, and forgets passwords that have waited too long; it is periodic, every
// minute or so.
type OperationsDue struct{}

// Kind names the job.
func (OperationsDue) Kind() string { return "directory.operations_due" }

// The bounds of working at operations.
const (
	operationLease = 5 * time.Minute  // longer than a job can take
	operationTurn  = 60 * time.Second // after it the job makes room for others
	operationLife  = 24 * time.Hour   // how long Entra is tried that is not reached
	operationQuiet = 2 * time.Minute  // after which an operation that nobody works is looked for
	busyWait       = 15 * time.Second // until another operation of the user may have ended
	dueAtOnce      = 500
)

// OperationsDue works the job.
func (s *Service) OperationsDue(ctx context.Context, _ OperationsDue) error {
	if err := s.Store.InTx(ctx, func(tx *store.Tx) error { _, err := tx.WipeSecrets(); return err }); err != nil {
		return err
	}
	for after := ""; ; {
		list, err := s.Store.Read(ctx).OperationsDue(s.Now().Add(-operationQuiet), after, dueAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		jobs := make([]store.Job, len(list))
		for i := range list {
			jobs[i] = WorkOperation{OrganizationID: list[i].OrganizationID, OperationID: list[i].ID}
		}
		if err := s.Store.InTx(ctx, func(tx *store.Tx) error { return tx.EnqueueAll(jobs) }); err != nil {
			return err
		}
		after = list[len(list)-1].ID
	}
}

// WorkOperation works the job. It gives *model.Throttled when the operation is to be gone on with later: another one of the user
// comes first, Entra asks to wait, or the turn is over. No transaction is open while Entra is spoken to.
func (s *Service) WorkOperation(ctx context.Context, job WorkOperation) error {
	lease := store.NewID()
	o, ok, err := s.Store.LeaseOperation(ctx, job.OrganizationID, job.OperationID, lease, s.Now().Add(operationLease))
	if err != nil {
		return ignoreGone(err)
	}
	if !ok {
		if !o.Open {
			return nil
		}
		return &model.Throttled{After: max(o.NextAt.Sub(s.Now()), busyWait)}
	}
	x := &operating{Service: s, ctx: WithActor(ctx, o.Actor), o: &o, lease: lease, until: s.Now().Add(operationTurn)}
	return x.leave(x.work())
}

func ignoreGone(err error) error {
	if model.KindOf(err) == model.NotFound {
		return nil // its integration was removed
	}
	return err
}

// operating is an operation in the hands of the one worker that has it.
type operating struct {
	*Service
	ctx    context.Context
	o      *model.Operation
	lease  string
	until  time.Time
	read   TenantReader
	write  TenantWriter
	user   *entra.User           // as it was read last
	added  []model.OperationStep // steps that the one under way has found out to be needed
	before bool                  // an earlier attempt at the step has no answer: it may have been carried out
}

// leave gives the operation back where it goes on later; the error is what the queue is told.
func (x *operating) leave(err error) error {
	if model.KindOf(err) == model.Conflict && err != nil {
		return nil // another worker has it by now, or it was ended
	}
	wait := &model.Throttled{}
	if !errors.As(err, &wait) || !x.o.Open {
		return err
	}
	lost := x.save(nil, func() { x.o.Lease, x.o.LeasedUntil = "", nil })
	if model.KindOf(lost) == model.Conflict && lost != nil {
		return nil
	}
	if lost != nil {
		return lost
	}
	return err
}

// save stores the operation, and a step where one is given, with those that it added.
func (x *operating) save(step *model.OperationStep, change func(), added ...model.OperationStep) error {
	if change != nil {
		change()
	}
	// What Entra has answered is stored even where the process is being stopped.
	return x.Store.InTx(context.WithoutCancel(x.ctx), func(tx *store.Tx) error {
		if err := tx.UpdateOperation(x.o, x.lease); err != nil {
			return err
		}
		if step != nil {
			tx.PutStep(x.o, step)
		}
		for i := range added {
			tx.PutStep(x.o, &added[i])
		}
		return nil
	})
}

// work does step after step.
func (x *operating) work() error {
	if err := x.begin(); err != nil {
		return err
	}
	for i := 0; i < len(x.o.Steps); i++ {
		step := &x.o.Steps[i]
		if step.State != model.StepPending {
			continue
		}
		if !x.Now().Before(x.until) {
			return &model.Throttled{}
		}
		if err := x.step(step); err != nil {
			return err
		}
	}
	return x.end()
}

// begin opens the way to the tenant. Where settings have come to forbid the operation meanwhile, it fails.
func (x *operating) begin() error {
	if x.o.State != model.OperationRunning {
		if err := x.start(); err != nil {
			return err
		}
	}
	i, err := x.Store.Read(x.ctx).Integration(x.o.Ref())
	if err != nil {
		return err
	}
	if err := switchedOn(&i, x.o); err != nil {
		code := codeSwitchedOff
		if i.ReadOnly {
			code = codeReadOnly
		}
		return x.failed(refuse(code, "%v", err))
	}
	if x.read, err = x.reader(x.ctx, x.o.Ref()); err == nil {
		x.write, err = x.writer(x.ctx, x.o.Ref())
	}
	if err != nil && model.KindOf(err) == model.Refused {
		return x.failed(refuse(codeNoAccess, "%v", err))
	}
	return err
}

// start begins an operation: what is to be done in Usher itself is done before Entra is asked for anything.
func (x *operating) start() error {
	account, first := x.o.AccountID, x.o.Steps[0]
	return x.Store.InTx(x.ctx, func(tx *store.Tx) error {
		x.o.AccountID, x.o.Steps[0] = account, first // the transaction may run more than once
		now := tx.Now()
		x.o.State, x.o.StartedAt = model.OperationRunning, &now
		if x.o.Kind == model.OperationOffboardUser {
			if err := x.overtake(tx); err != nil {
				return err
			}
			if err := x.leaveUsher(x.ctx, tx, x.o); err != nil {
				return err
			}
		}
		return tx.UpdateOperation(x.o, x.lease)
	})
}

// end ends the operation as its steps say.
func (x *operating) end() error {
	var first *model.OperationStep
	others := 0
	for i := range x.o.Steps {
		if s := &x.o.Steps[i]; s.State == model.StepFailed {
			if first != nil {
				others++
				continue
			}
			first = s
		}
	}
	if first == nil {
		return x.finish(model.OperationSucceeded, nil)
	}
	detail := first.Outcome
	if x.o.Kind == model.OperationCreateUser && x.o.UserID != "" {
		detail = "the user was made, but not all that goes with it: " + detail
	}
	if others > 0 {
		detail += "; more steps failed, see the steps"
	}
	return x.finish(model.OperationFailed, &model.OperationError{Code: first.Code, Detail: detail})
}

// failed ends an operation that cannot go on. What is left of it is skipped.
func (x *operating) failed(err error) error {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	for i := range x.o.Steps {
		if s := &x.o.Steps[i]; s.State == model.StepPending {
			s.State, s.Outcome = model.StepSkipped, "not done, because the operation ended before"
		}
	}
	return x.finish(model.OperationFailed, &r.OperationError)
}

// finish ends the operation, wipes what it holds of a password, and tells.
func (x *operating) finish(state model.OperationState, failure *model.OperationError) error {
	if failure != nil {
		failure.Detail = x.clean(failure.Detail)
	}
	lease := x.lease
	late := context.WithoutCancel(x.ctx)
	err := x.Store.InTx(late, func(tx *store.Tx) error { return x.endOperation(late, tx, x.o, lease, state, failure) })
	if err == nil {
		x.Observe(observed(state), 1)
	}
	return err
}

// endOperation stores that an operation has ended, and tells it.
func (s *Service) endOperation(ctx context.Context, tx *store.Tx, o *model.Operation, lease string, state model.OperationState, failure *model.OperationError) error {
	now := tx.Now()
	o.State, o.Open, o.Error, o.FinishedAt = state, false, failure, &now
	o.Lease, o.LeasedUntil = "", nil
	wipe(o)
	if err := tx.UpdateOperation(o, lease); err != nil {
		return err
	}
	for i := range o.Steps {
		tx.PutStep(o, &o.Steps[i])
	}
	return s.tellOperation(ctx, tx, o)
}

// wipe forgets what an operation holds of a password.
func wipe(o *model.Operation) { o.KeyID, o.Sealed, o.SealedUntil = "", nil, nil }

// clean takes the password out of a text that somebody else wrote, in case it is repeated there.
func (x *operating) clean(text string) string {
	if len(x.o.Sealed) == 0 {
		return text
	}
	password, err := x.Keys.Open(x.o.KeyID, x.o.Sealed, "operation/"+x.o.ID)
	if err != nil {
		return text
	}
	quoted, _ := json.Marshal(password) // text always marshals
	for _, form := range []string{password, strings.Trim(string(quoted), `"`), url.QueryEscape(password), html.EscapeString(password)} {
		text = strings.ReplaceAll(text, form, "(the password)")
	}
	return text
}
