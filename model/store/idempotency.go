package store

import (
	"context"
	"encoding/json"
	"time"

	"usher/model"
)

// onceFor is how long an Idempotency-Key stands for what was asked with it first.
const onceFor = 24 * time.Hour

// BeginOnce notes that a request with a key of the caller's is worked on. Where it was worked on before, done is true and the
// answer is the one of then. It is a Conflict while the first one is worked on, and after it broke off; Invalid where
// something else was asked with the key, as the fingerprint tells. A key is forgotten after a day.
func (s *Store) BeginOnce(ctx context.Context, organizationID, key, fingerprint string) (answer json.RawMessage, done bool, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		begun, asked, was := false, "", []byte(nil)
		tx.buffer(statement{
			sql:  "DELETE FROM idempotent_requests WHERE organization_id = ? AND created_at <= ?",
			args: []any{organizationID, tx.now.Add(-onceFor)},
		})
		err := tx.query(
			statement{
				sql: "INSERT INTO idempotent_requests (organization_id, key, fingerprint, done, created_at) VALUES (?, ?, ?, false, ?)" +
					" ON CONFLICT (organization_id, key) DO NOTHING",
				args:     []any{organizationID, key, fingerprint, tx.now},
				affected: func(n int64) error { begun = n == 1; return nil },
			},
			statement{
				sql:  "SELECT fingerprint, done, answer FROM idempotent_requests WHERE organization_id = ? AND key = ?",
				args: []any{organizationID, key},
				scan: func(row scanner) error {
					err := row.Scan(&asked, &done, &was)
					answer = append(json.RawMessage(nil), was...)
					return err
				},
			})
		switch {
		case err != nil || begun:
			return translate(err)
		case asked != fingerprint:
			return model.FieldErrorf(model.Invalid, "Idempotency-Key", "was used for another request")
		case !done:
			return model.FieldErrorf(model.Conflict, "Idempotency-Key", "the first request with it has not been answered yet; where that broke off, look at what is there and use another key")
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return answer, done, nil
}

// EndOnce keeps the answer of a request that BeginOnce let through.
func (s *Store) EndOnce(ctx context.Context, organizationID, key string, answer json.RawMessage) error {
	return s.InTx(ctx, func(tx *Tx) error {
		tx.buffer(statement{
			sql:  "UPDATE idempotent_requests SET done = true, answer = ? WHERE organization_id = ? AND key = ? AND done = false",
			args: []any{string(answer), organizationID, key},
		})
		return nil
	})
}

// ForgetOnce forgets a request that BeginOnce let through and that changed nothing.
func (s *Store) ForgetOnce(ctx context.Context, organizationID, key string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		tx.buffer(statement{
			sql:  "DELETE FROM idempotent_requests WHERE organization_id = ? AND key = ? AND done = false",
			args: []any{organizationID, key},
		})
		return nil
	})
}
