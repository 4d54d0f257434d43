package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNotCommitted says that the database rolled back when it was told to commit, because a statement had failed.
var errNotCommitted = errors.New("the transaction was rolled back: a statement of it had failed")

// errWrongGuess says that a transaction wrote nothing, because what it had guessed was wrong.
var errWrongGuess = errors.New("a guess was wrong")

// divisionByZero is the SQLSTATE of a wrong guess.
const divisionByZero = "22012"

// buffer keeps a write until the next read or the commit.
func (tx *Tx) buffer(list ...statement) { tx.pending = append(tx.pending, list...) }

// send sends what is buffered and then list, on PostgreSQL all of it in one round trip, which the first time begins with
// BEGIN.
func (tx *Tx) send(list ...statement) error {
	if tx.ride != nil {
		return tx.ride.send(tx, list)
	}
	all := make([]statement, 0, len(tx.pending)+len(list)+4)
	if !tx.begun {
		tx.begun = true
		all = append(all, statement{sql: "BEGIN"})
	}
	all = append(tx.writes(all), list...)
	if len(all) == 0 {
		return nil
	}
	if tx.s.trace != nil {
		tx.s.traced(all)
	}
	if err := tx.connect(); err != nil {
		return err
	}
	return tx.raw.run(tx.ctx, all)
}

// writes gives what is buffered, behind all, and forgets it. On PostgreSQL neighbours that may are joined.
func (tx *Tx) writes(all []statement) []statement {
	from := len(all)
	all = append(append(all, tx.pending...), tx.appends()...)
	tx.pending = nil
	if tx.s.dialect != postgres {
		return all
	}
	return append(all[:from], tx.s.joined(all[from:])...)
}

// commit sends what is buffered and commits. On PostgreSQL both are one round trip, unless a buffered statement has yet to
// find out whether its row is there: then it must be heard first. What was not begun needs no COMMIT either: statements that
// are sent together, without BEGIN among them, are one transaction that ends with them. Rare ones are sent by themselves.
func (tx *Tx) commit() error {
	if tx.sqlTx != nil {
		if err := tx.send(); err != nil {
			return err
		}
		return tx.sqlTx.Commit()
	}
	if tx.ride != nil {
		r := tx.ride
		tx.ride = nil
		return r.commit(tx.writes(nil))
	}
	heard, together := true, true
	for i := range tx.pending {
		heard = heard && (tx.pending[i].affected == nil || tx.pending[i].locked)
		together = together && !tx.pending[i].rare
	}
	if !tx.begun && heard && together {
		all := tx.writes(nil)
		if len(all) == 0 {
			return nil
		}
		return tx.commitAtOnce(all)
	}
	if !heard {
		if err := tx.send(); err != nil {
			return err
		}
	}
	if err := tx.send(statement{sql: "COMMIT", commit: true}); err != nil {
		return err
	}
	tx.begun = false
	return nil
}

// joined turns writes of different tables that follow each other into one statement, which costs the database less than one
// each: WITH w0 AS (INSERT …), w1 AS (UPDATE …) INSERT …. They all see the same rows, those before any of them, and so
// none may depend on another. There are few combinations, so that the texts stay prepared.
func (s *Store) joined(list []statement) []statement {
	out := list[:0]
	for len(list) > 0 {
		n := 1
		for n < min(len(list), maxJoined) && list[0].into != "" && list[n].into != "" && !writesTo(list[:n], list[n].into) {
			n++
		}
		st := list[0]
		if n > 1 {
			st = s.join(list[:n])
		}
		out, list = append(out, st), list[n:]
	}
	return out
}

// maxJoined is how many writes are joined at most.
const maxJoined = 4

func writesTo(list []statement, table string) bool {
	return slices.ContainsFunc(list, func(st statement) bool { return st.into == table })
}

func (s *Store) join(list []statement) statement {
	var key [maxJoined]string
	n := 0
	for i := range list {
		key[i] = list[i].sql
		n += len(list[i].args)
	}
	st := statement{args: make([]any, 0, n), numbered: true}
	for i := range list {
		st.args = append(st.args, list[i].args...)
	}
	if text, ok := s.rebound.Load(key); ok {
		st.sql = text.(string)
		return st
	}
	var with []string
	last := len(list) - 1
	for i, part := range list[:last] {
		with = append(with, "w"+strconv.Itoa(i)+" AS ("+part.sql+")")
	}
	st.sql = rebind("WITH " + strings.Join(with, ", ") + " " + list[last].sql)
	s.rebound.Store(key, st.sql)
	return st
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
