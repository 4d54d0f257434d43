package store

import (
	"context"
	"strings"
	"time"

	"usher/model"
)

// InsertOperation stores a new operation with its steps; times are set here, ID and NextAt where there are none. Where an open
// operation has the same subject and claim nothing is stored, and that one is given.
func (tx *Tx) InsertOperation(o *model.Operation) (open *model.Operation, err error) {
	if o.ID == "" {
		o.ID = NewID()
	}
	if o.NextAt.IsZero() {
		o.NextAt = tx.now
	}
	if o.Claim == "" {
		o.Claim = o.ID // nothing else can want it
	}
	o.CreatedAt, o.UpdatedAt = tx.now, tx.now
	values, err := operationValues(o)
	if err != nil {
		return nil, err
	}
	args := append([]any{o.ID, o.OrganizationID, o.IntegrationID, string(o.Kind), o.Claim, o.Automatic, o.Actor, o.At, o.CreatedAt}, values...)
	stored := false
	err = tx.query(statement{
		sql: "INSERT INTO operations (id, organization_id, integration_id, kind, claim, automatic, actor, at, created_at, " + operationUpdates +
			") VALUES (?" + strings.Repeat(",?", len(args)-1) + ") ON CONFLICT (integration_id, subject, claim) WHERE open DO NOTHING",
		args: args, affected: func(n int64) error { stored = n == 1; return nil },
	})
	if err != nil {
		return nil, translate(err)
	}
	if stored {
		for i := range o.Steps {
			tx.PutStep(o, &o.Steps[i])
		}
		return nil, nil
	}
	list, err := tx.operations(false, "integration_id = ? AND organization_id = ? AND subject = ? AND claim = ? AND open", o.IntegrationID,
		o.OrganizationID, o.Subject, o.Claim)
	other, err := first(list, err, "operation", o.Claim)
	return &other, err
}

// operationUpdates are the columns that change in an operation's life.
const operationUpdates = `state, open, subject, user_id, user_name, account_id, request, error, result, key_id, sealed, sealed_until, next_at,
 failures, lease, leased_until, started_at, finished_at, updated_at`

func operationValues(o *model.Operation) ([]any, error) {
	request, failure, result, err := operationJSON(o)
	if err != nil {
		return nil, err
	}
	var sealed any
	if len(o.Sealed) > 0 {
		sealed = o.Sealed
	}
	o.NextAt, o.At, o.SealedUntil, o.LeasedUntil = *exact(&o.NextAt), exact(o.At), exact(o.SealedUntil), exact(o.LeasedUntil)
	o.StartedAt, o.FinishedAt = exact(o.StartedAt), exact(o.FinishedAt)
	return []any{
		string(o.State), o.Open, o.Subject, o.UserID, o.UserName, o.AccountID, request, failure, result, o.KeyID, sealed, o.SealedUntil, o.NextAt,
		o.Failures, o.Lease, o.LeasedUntil, o.StartedAt, o.FinishedAt, o.UpdatedAt,
	}, nil
}

// UpdateOperation writes where an operation stands, in the name of the lease that it was read under ("" for one that nobody works).
// It is a Conflict where the lease is another's by now. The operation may give the lease back with it.
func (tx *Tx) UpdateOperation(o *model.Operation, lease string) error {
	if !ValidID(o.ID) || !ValidID(o.IntegrationID) {
		return notFound("operation", o.ID)
	}
	o.UpdatedAt = tx.now
	values, err := operationValues(o)
	if err != nil {
		return err
	}
	set := strings.ReplaceAll(operationUpdates, ",", " = ?,") + " = ?"
	return translate(tx.query(statement{
		sql:  "UPDATE operations SET " + set + " WHERE organization_id = ? AND integration_id = ? AND id = ? AND lease = ? AND open",
		args: append(values, o.OrganizationID, o.IntegrationID, o.ID, lease),
		affected: func(n int64) error {
			if n != 1 {
				return model.Errorf(model.Conflict, "another worker has the operation, or it has ended")
			}
			return nil
		},
	}))
}

// PutStep stores a step of the operation, new or changed.
func (tx *Tx) PutStep(o *model.Operation, s *model.OperationStep) {
	s.OperationID, s.OrganizationID = o.ID, o.OrganizationID
	s.StartedAt, s.FinishedAt = exact(s.StartedAt), exact(s.FinishedAt)
	args := []any{
		s.OperationID, s.Position, s.OrganizationID, string(s.Action), s.Target, s.Name, string(s.State), s.Sent, s.Attempts, s.Code, s.Outcome,
		s.RequestID, s.StartedAt, s.FinishedAt,
	}
	tx.buffer(statement{
		sql: "INSERT INTO operation_steps (" + stepColumns + ") VALUES (?" + strings.Repeat(",?", len(args)-1) + `)
 ON CONFLICT (operation_id, position) DO UPDATE SET target = excluded.target, name = excluded.name, state = excluded.state, sent = excluded.sent,
 attempts = excluded.attempts, code = excluded.code, outcome = excluded.outcome, request_id = excluded.request_id,
 started_at = excluded.started_at, finished_at = excluded.finished_at WHERE operation_steps.organization_id = excluded.organization_id`,
		args: args,
	})
}

// LeaseOperation gives an operation to one worker, which is known by the name of the lease, until the time; it gives the operation
// with its steps. ok is false where it has ended, its time has not come, another worker has it, or another operation of its subject
// comes first: one that is worked, or one that was asked for before, which off-boarding alone does not wait for.
func (s *Store) LeaseOperation(ctx context.Context, organizationID, id, lease string, until time.Time) (o model.Operation, ok bool, err error) {
	if !ValidID(id) || lease == "" {
		return o, false, notFound("operation", id)
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		ok = false
		if err := tx.lockSubject(organizationID, id); err != nil {
			return err
		}
		err := tx.query(statement{
			sql: `UPDATE operations SET lease = ?, leased_until = ? WHERE organization_id = ? AND id = ? AND open AND next_at <= ?
 AND (leased_until IS NULL OR leased_until <= ?) AND NOT EXISTS (SELECT 1 FROM operations b WHERE b.integration_id = operations.integration_id
 AND b.subject = operations.subject AND b.open AND b.id <> operations.id AND (b.leased_until > ?
 OR b.id < operations.id AND b.state <> 'scheduled' AND operations.kind <> 'offboard_user'))`,
			args:     []any{lease, exact(&until), organizationID, id, tx.now, tx.now, tx.now},
			affected: func(n int64) error { ok = n == 1; return nil },
		})
		if err != nil {
			return translate(err)
		}
		o, err = tx.Operation(organizationID, id)
		return err
	})
	return o, ok, err
}

// lockSubject keeps whoever leases another operation of the same subject out until the transaction ends.
func (tx *Tx) lockSubject(organizationID, id string) error {
	if tx.s.dialect != postgres {
		return nil // a transaction is alone anyway
	}
	return translate(tx.query(statement{
		sql: "SELECT pg_advisory_xact_lock(hashtextextended('operation:' || integration_id || ':' || subject, 0)) FROM operations" +
			" WHERE organization_id = ? AND id = ?",
		args: []any{organizationID, id},
	}))
}

// OpenOperations gives the open operations of a subject, oldest first, with their steps.
func (r *Reader) OpenOperations(ref model.Ref, subject string) ([]model.Operation, error) {
	if !ValidID(ref.IntegrationID) {
		return []model.Operation{}, nil
	}
	return r.operations(true, "integration_id = ? AND organization_id = ? AND subject = ? AND open ORDER BY id", ref.IntegrationID,
		ref.OrganizationID, subject)
}

// OperationsDue gives, in the order of ids, open operations of every organization whose time came before the given one and that
// nobody works.
func (r *Reader) OperationsDue(before time.Time, after string, limit int) ([]model.Operation, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	return r.operations(false, "open AND next_at <= ? AND (leased_until IS NULL OR leased_until <= ?) AND id > ? ORDER BY id LIMIT ?",
		before.UTC(), before.UTC(), after, limit)
}

// WipeSecrets forgets what operations of every organization hold of passwords whose time has passed, and says how many there were.
func (tx *Tx) WipeSecrets() (wiped int, err error) {
	err = tx.query(statement{
		sql:      "UPDATE operations SET sealed = NULL, key_id = '', sealed_until = NULL WHERE sealed IS NOT NULL AND sealed_until <= ?",
		args:     []any{tx.now},
		affected: func(n int64) error { wiped = int(n); return nil },
	})
	return wiped, translate(err)
}
