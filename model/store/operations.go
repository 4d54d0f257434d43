package store

import (
	"encoding/json"
	"slices"
	"time"

	"usher/model"
)

const operationColumns = `id, organization_id, integration_id, kind, state, open, subject, claim, user_id, user_name, account_id, automatic,
 actor, request, error, result, key_id, sealed, sealed_until, at, next_at, failures, lease, leased_until, created_at, started_at,
 finished_at, updated_at`

func scanOperation(r scanner, o *model.Operation) error {
	var request, failure, result, sealed []byte
	err := r.Scan(&o.ID, &o.OrganizationID, &o.IntegrationID, &o.Kind, &o.State, &o.Open, &o.Subject, &o.Claim, &o.UserID, &o.UserName,
		&o.AccountID, &o.Automatic, &o.Actor, &request, &failure, &result, &o.KeyID, &sealed, &o.SealedUntil, &o.At, &o.NextAt, &o.Failures,
		&o.Lease, &o.LeasedUntil, &o.CreatedAt, &o.StartedAt, &o.FinishedAt, &o.UpdatedAt)
	if err != nil {
		return err
	}
	o.Sealed, o.Steps = slices.Clone(sealed), []model.OperationStep{}
	inUTC(o.SealedUntil, o.At, &o.NextAt, o.LeasedUntil, &o.CreatedAt, o.StartedAt, o.FinishedAt, &o.UpdatedAt)
	if err := json.Unmarshal(request, &o.Request); err != nil {
		return err
	}
	if failure != nil {
		if err := json.Unmarshal(failure, &o.Error); err != nil {
			return err
		}
	}
	return json.Unmarshal(result, &o.Result)
}

// operationJSON gives the columns of an operation that hold JSON.
func operationJSON(o *model.Operation) (request string, failure any, result string, err error) {
	if o.Result == nil {
		o.Result = map[string]any{}
	}
	asked, err := json.Marshal(o.Request)
	if err != nil {
		return "", nil, "", err
	}
	gave, err := json.Marshal(o.Result)
	if err != nil {
		return "", nil, "", err
	}
	if o.Error != nil {
		raw, err := json.Marshal(o.Error)
		if err != nil {
			return "", nil, "", err
		}
		failure = string(raw)
	}
	return string(asked), failure, string(gave), nil
}

const stepColumns = `operation_id, position, organization_id, action, target, name, state, sent, attempts, code, outcome, request_id,
 started_at, finished_at`

func scanStep(r scanner, s *model.OperationStep) error {
	err := r.Scan(&s.OperationID, &s.Position, &s.OrganizationID, &s.Action, &s.Target, &s.Name, &s.State, &s.Sent, &s.Attempts, &s.Code,
		&s.Outcome, &s.RequestID, &s.StartedAt, &s.FinishedAt)
	inUTC(s.StartedAt, s.FinishedAt)
	return err
}

// operations reads those that a condition names, with their steps where that is asked for.
func (r *Reader) operations(steps bool, where string, args ...any) ([]model.Operation, error) {
	list := []model.Operation{}
	err := r.query(statement{
		sql: "SELECT " + operationColumns + " FROM operations WHERE " + where, args: args,
		scan: func(row scanner) error { return scanAppend(row, &list, scanOperation) },
	})
	if err != nil || !steps || len(list) == 0 {
		return list, translate(err)
	}
	at, ids := map[string]int{}, make([]string, len(list))
	for i := range list {
		at[list[i].ID], ids[i] = i, list[i].ID
	}
	var all []model.OperationStep
	err = r.query(statement{
		sql: "SELECT " + stepColumns + " FROM operation_steps WHERE operation_id" + r.anyOf("uuid", ids) + " AND " + r.beside("organization_id") +
			" ORDER BY operation_id, position",
		args: []any{r.list(ids), list[0].OrganizationID},
		scan: func(row scanner) error { return scanAppend(row, &all, scanStep) },
	})
	for _, step := range all {
		o := &list[at[step.OperationID]]
		o.Steps = append(o.Steps, step)
	}
	return list, translate(err)
}

// Operation reads one operation with its steps.
func (r *Reader) Operation(organizationID, id string) (model.Operation, error) {
	return r.operation(organizationID, id, "")
}

// LockOperation reads one operation with its steps, and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockOperation(organizationID, id string) (model.Operation, error) {
	return tx.operation(organizationID, id, tx.forUpdate())
}

func (r *Reader) operation(organizationID, id, lock string) (model.Operation, error) {
	if !ValidID(id) {
		return model.Operation{}, notFound("operation", id)
	}
	list, err := r.operations(true, "organization_id = ? AND id = ?"+lock, organizationID, id)
	return first(list, err, "operation", id)
}

// OperationFilter narrows the operations of an organization; the zero value is all of them.
type OperationFilter struct {
	Integration string
	Account     string
	User        string // object id in Entra
	Kind        model.OperationKind
	State       model.OperationState
}

// OperationsBefore gives a page of operations, newest first, of those older than the one with the id before, without their steps.
func (r *Reader) OperationsBefore(organizationID string, f OperationFilter, before string, limit int) ([]model.Operation, error) {
	where, args := "organization_id = ?", []any{organizationID}
	for _, by := range []struct {
		column, value string
		id            bool
	}{
		{"integration_id", f.Integration, true},
		{"account_id", f.Account, true},
		{"user_id", f.User, false},
		{"kind", string(f.Kind), false},
		{"state", string(f.State), false},
	} {
		if by.value == "" {
			continue
		}
		if by.id && !ValidID(by.value) {
			return []model.Operation{}, nil
		}
		where, args = where+" AND "+by.column+" = ?", append(args, by.value)
	}
	if before != "" {
		if _, err := cursor(before); err != nil {
			return nil, err
		}
		where, args = where+" AND id < ?", append(args, before)
	}
	return r.operations(false, where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// OperationsOfAccounts gives the operations of a kind, newest first, that the integration has of some accounts.
func (r *Reader) OperationsOfAccounts(ref model.Ref, kind model.OperationKind, accountIDs []string) ([]model.Operation, error) {
	ids := validIDs(accountIDs)
	if len(ids) == 0 || !ValidID(ref.IntegrationID) {
		return []model.Operation{}, nil
	}
	return r.operations(false, "account_id"+r.anyOf("uuid", ids)+" AND integration_id = ? AND "+r.beside("organization_id")+" AND kind = ? ORDER BY id DESC",
		r.list(ids), ref.IntegrationID, ref.OrganizationID, string(kind))
}

// CountAutomatic says how many operations of a kind have followed from changes of accounts since a time, but those that failed.
func (r *Reader) CountAutomatic(ref model.Ref, kind model.OperationKind, since time.Time) (int, error) {
	if !ValidID(ref.IntegrationID) {
		return 0, nil
	}
	var n int
	err := r.query(statement{
		sql: "SELECT count(*) FROM operations WHERE integration_id = ? AND organization_id = ? AND kind = ? AND automatic AND created_at > ?" +
			" AND state <> 'failed'",
		args: []any{ref.IntegrationID, ref.OrganizationID, string(kind), since.UTC()},
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}
