package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNotCommitted says that the database rolled back when it was told to commit, because a statement had failed.
var errNotCommitted = errors.New("the transaction was rolled back: a statement of it had failed")

// buffer keeps a write until the next read or the commit.
func (tx *Tx) buffer(list ...statement) { tx.pending = append(tx.pending, list...) }

// send sends what is buffered and then list, on PostgreSQL all of it in one round trip, which the first time begins with
// BEGIN.
func (tx *Tx) send(list ...statement) error {
	all := make([]statement, 0, len(tx.pending)+len(list)+1)
	if !tx.begun {
		tx.begun = true
		all = append(all, statement{sql: "BEGIN"})
	}
	all = append(append(append(all, tx.pending...), tx.appends()...), list...)
	tx.pending = nil
	if len(all) == 0 {
		return nil
	}
	return tx.raw.run(tx.ctx, all)
}

// commit sends what is buffered and commits. On PostgreSQL both are one round trip, unless a buffered statement has yet to
// find out whether its row is there: then it must be heard first.
func (tx *Tx) commit() error {
	if tx.sqlTx != nil {
		if err := tx.send(); err != nil {
			return err
		}
		return tx.sqlTx.Commit()
	}
	if !tx.begun && len(tx.pending)+len(tx.feed.rows)+len(tx.log.rows) == 0 {
		return nil
	}
	for i := range tx.pending {
		if tx.pending[i].affected != nil && !tx.pending[i].locked {
			if err := tx.send(); err != nil {
				return err
			}
			break
		}
	}
	if err := tx.send(statement{sql: "COMMIT", commit: true}); err != nil {
		return err
	}
	tx.begun = false
	return nil
}

// rollbackTime bounds how long a rollback may take before its connection is given up, which has the same effect.
const rollbackTime = 5 * time.Second

// rollback ends the transaction unless it was committed. A connection on which that fails is not used again.
func (tx *Tx) rollback() {
	if tx.sqlTx != nil {
		_ = tx.sqlTx.Rollback() // after Commit this does nothing
		return
	}
	if !tx.begun {
		return
	}
	tx.begun = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), rollbackTime)
	defer cancel()
	err := pgxConn(tx.conn, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "ROLLBACK")
		return err
	})
	if err != nil {
		_ = tx.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}
