package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// statement is one piece of hand-written SQL. Placeholders are ?; scan, where set, receives every row, until
// it gives errEnough.
type statement struct {
	sql  string
	args []any
	scan func(scanner) error
	// rare marks a text that a caller's filter shaped: there is no end to such texts, so they are neither remembered nor kept
	// prepared, and travel alone.
	rare     bool
	numbered bool // the text has $1, $2, … already
	// affected, where set, receives the number of rows that were written.
	affected func(int64) error
	// locked says that the row is locked by this transaction already, so that affected cannot refuse: such a statement may
	// travel with the COMMIT.
	locked bool
	// into names the table that this writes a row of, where the write may be sent as one statement with writes of other
	// tables: it is of one row that nothing before it in the transaction wrote, and nobody asks how many it wrote.
	into string
	// guess marks a statement that fails by dividing by zero where a guess was wrong.
	guess bool
	// quick marks a read that finds what it wants by a key, so that it may travel with those of others.
	quick bool
	heard bool // rows were given
	// commit marks the COMMIT, whose answer must be that it did.
	commit bool
}

// errEnough is what a statement's scan gives behind the last row that it wants.
var errEnough = errors.New("no more rows are wanted")

// scanner is the current row of a result.
type scanner interface{ Scan(dest ...any) error }

// runner sends statements in order; on PostgreSQL all of them in one round trip.
type runner interface {
	run(ctx context.Context, list []statement) error
}

// query sends statements whose rows are wanted now, behind what is buffered.
func (r *Reader) query(list ...statement) error {
	if r.s.trace != nil && r.tx == nil {
		r.s.traced(list)
	}
	if r.tx != nil {
		return r.tx.send(list...)
	}
	if r.s.dialect == postgres && list[0].quick {
		return r.s.readQuick(r.ctx, list)
	}
	return r.raw.run(r.ctx, list)
}

// pgxRunner pipelines over the transaction's own connection.
type pgxRunner struct {
	s    *Store
	conn *sql.Conn
}

func (p pgxRunner) run(ctx context.Context, list []statement) error {
	return pgxConn(p.conn, func(conn *pgx.Conn) error {
		return eachRun(list, func(part []statement) error {
			if part[0].rare {
				return runRare(ctx, conn, &part[0])
			}
			return p.s.runBatch(ctx, conn, part)
		})
	})
}

// runBatch sends what is in the lists in one round trip, and hears all answers.
func (s *Store) runBatch(ctx context.Context, conn *pgx.Conn, lists ...[]statement) error {
	results := s.sendBatch(ctx, conn, lists...)
	for _, list := range lists {
		if err := readResults(results, list); err != nil {
			_ = results.Close()
			return err
		}
	}
	return results.Close()
}

func (s *Store) sendBatch(ctx context.Context, conn *pgx.Conn, lists ...[]statement) pgx.BatchResults {
	batch, needed := &pgx.Batch{}, room(0)
	for _, list := range lists {
		for i := range list {
			batch.Queue(s.numbered(&list[i]), list[i].args...)
			needed += roomFor(list[i].args)
		}
	}
	conn.PgConn().Frontend().Send(needed)
	return conn.SendBatch(ctx, batch)
}

func readResults(results pgx.BatchResults, list []statement) error {
	for i := range list {
		if err := readResult(results, &list[i]); err != nil {
			return err
		}
	}
	return nil
}

func readResult(results pgx.BatchResults, st *statement) error {
	if st.scan == nil {
		tag, err := results.Exec()
		if st.wrong(err) {
			return errWrongGuess
		}
		if err == nil && st.commit && tag.String() != "COMMIT" {
			return errNotCommitted
		}
		if err == nil && st.affected != nil {
			err = st.affected(tag.RowsAffected())
		}
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		st.heard = true
		if err := st.scan(rows); errors.Is(err, errEnough) {
			return nil // Close passes over the rest
		} else if err != nil {
			return err
		}
	}
	if err = rows.Err(); st.wrong(err) {
		return errWrongGuess
	}
	return err
}

// wrong says whether the error is that of a guess.
func (st *statement) wrong(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && st.guess && pe.Code == divisionByZero
}

// poolRunner runs outside a transaction.
type poolRunner struct {
	s  *Store
	db *sql.DB
}

func (p poolRunner) run(ctx context.Context, list []statement) error {
	if p.s.dialect == postgres {
		conn, err := p.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		return pgxRunner{p.s, conn}.run(ctx, list)
	}
	return runEach(ctx, p.db, list)
}

// txRunner runs one statement after the other inside SQLite's transaction, where a round trip costs nothing.
type txRunner struct{ tx *sql.Tx }

func (t txRunner) run(ctx context.Context, list []statement) error { return runEach(ctx, t.tx, list) }

type sqlRunner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// runEach runs one statement after the other. Neighbours with the same text, such as rows that are inserted, are prepared once.
func runEach(ctx context.Context, db sqlRunner, list []statement) error {
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[0].scan == nil && list[n].scan == nil && list[n].sql == list[0].sql {
			n++
		}
		var err error
		if n > 1 {
			err = runAlike(ctx, db, list[:n])
		} else {
			err = runOne(ctx, db, &list[0])
		}
		if err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// runAlike runs statements that have one text and no rows.
func runAlike(ctx context.Context, db sqlRunner, list []statement) error {
	prepared, err := db.PrepareContext(ctx, list[0].sql)
	if err != nil {
		return err
	}
	defer func() { _ = prepared.Close() }()
	for i := range list {
		res, err := prepared.ExecContext(ctx, list[i].args...)
		if err != nil {
			return err
		}
		if err := heard(res, &list[i]); err != nil {
			return err
		}
	}
	return nil
}

// heard tells a statement how many rows it wrote, where it wants to know.
func heard(res sql.Result, st *statement) error {
	if st.affected == nil {
		return nil
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	return st.affected(n)
}

func runOne(ctx context.Context, db sqlRunner, st *statement) error {
	if st.scan == nil {
		res, err := db.ExecContext(ctx, st.sql, st.args...)
		if err != nil {
			return err
		}
		return heard(res, st)
	}
	rows, err := db.QueryContext(ctx, st.sql, st.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := st.scan(rows); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return rows.Err()
}

// numbered gives the statement's text with $1, $2, … for PostgreSQL.
func (s *Store) numbered(st *statement) string {
	if st.numbered {
		return st.sql
	}
	if st.rare {
		return rebind(st.sql)
	}
	if done, ok := s.rebound.Load(st.sql); ok {
		return done.(string)
	}
	text := rebind(st.sql)
	s.rebound.Store(st.sql, text)
	return text
}

// rebind turns ? into $1, $2, …; SQL of this package has no ? within literals.
func rebind(text string) string {
	var b strings.Builder
	n := 0
	for i := range len(text) {
		if text[i] != '?' {
			b.WriteByte(text[i])
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// anyOf gives a condition "is one of the values bound to the next placeholder"; list makes the value to bind. The SQL
// is the same for any number of values, so that it stays prepared.
//
// One value is compared as it is: PostgreSQL keeps the plan for that, where it plans anew for every array.
func (r *Reader) anyOf(kind string, values []string) string {
	if r.s.dialect == postgres {
		if len(values) == 1 {
			return " = ?::" + kind
		}
		return " = ANY(?::" + kind + "[])"
	}
	return " IN (SELECT value FROM json_each(?))"
}

// list makes the value that anyOf binds.
func (r *Reader) list(values []string) any {
	if r.s.dialect == postgres {
		if len(values) == 1 {
			return values[0]
		}
		return values
	}
	if values == nil {
		values = []string{}
	}
	text, _ := json.Marshal(values) // strings always marshal
	return string(text)
}

// indexedBy names the index to SQLite, which knows nothing of how many rows there are and may prefer an order to a search.
func (r *Reader) indexedBy(name string) string {
	if r.s.dialect == sqliteLite {
		return " INDEXED BY " + name
	}
	return ""
}

// beside gives a condition on a column that stands beside a selective one, in a form that no index serves, so that the index
// of the selective one is taken however small the table was when the plan was made.
func (r *Reader) beside(column string) string {
	if r.s.dialect == postgres {
		return column + " IS NOT DISTINCT FROM ?"
	}
	return "+" + column + " = ?"
}

// forUpdate locks the rows of a SELECT against other writers. SQLite has one writer, whose lock the transaction holds.
func (r *Reader) forUpdate() string {
	if r.s.dialect == postgres {
		return " FOR NO KEY UPDATE"
	}
	return ""
}
