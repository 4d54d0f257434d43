package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"usher/model"
)

// ExplainForTest gives the nodes of the plans of every statement that fn sends, as "node relation index", under the plan that
// PostgreSQL would keep for any parameters where generic is set, else under the one for these.
func ExplainForTest(t testing.TB, s *Store, generic bool, fn func(*Tx) error) []string {
	t.Helper()
	var nodes []string
	_, err := s.once(t.Context(), attempt{}, func(tx *Tx) error {
		if inner, ok := tx.raw.(txRunner); ok {
			tx.raw = liteExplainer{inner, &nodes}
			if err := errors.Join(fn(tx), tx.send()); err != nil {
				return err
			}
			return errExplained
		}
		mode := "force_custom_plan"
		if generic {
			mode = "force_generic_plan"
		}
		if err := tx.query(statement{sql: "SET LOCAL plan_cache_mode = " + mode}); err != nil {
			return err
		}
		inner, ok := tx.raw.(pgxRunner)
		if !ok {
			return fmt.Errorf("plans are explained on PostgreSQL alone")
		}
		tx.raw = explainer{inner, &nodes}
		if err := fn(tx); err != nil {
			return err
		}
		if err := tx.send(); err != nil {
			return err
		}
		return errExplained // and nothing is kept
	})
	if !errors.Is(err, errExplained) {
		t.Fatal(err)
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

var errExplained = errors.New("explained")

// explainer prepares each statement, asks for its plan, and then runs it.
type explainer struct {
	pgxRunner
	nodes *[]string
}

func (e explainer) run(ctx context.Context, list []statement) error {
	for i := range list {
		if err := e.explain(ctx, &list[i]); err != nil {
			return fmt.Errorf("%s: %w", list[i].sql, err)
		}
		if err := e.pgxRunner.run(ctx, list[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (e explainer) explain(ctx context.Context, st *statement) error {
	return pgxConn(e.conn, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "DEALLOCATE ALL"); err != nil {
			return err
		}
		if err := conn.DeallocateAll(ctx); err != nil {
			return err
		}
		described, err := conn.PgConn().Prepare(ctx, "explained", rebind(st.sql), nil)
		if err != nil {
			return err
		}
		execute := "EXPLAIN (FORMAT JSON) EXECUTE explained"
		for i, arg := range st.args {
			value, err := conn.TypeMap().Encode(described.ParamOIDs[i], pgx.TextFormatCode, arg, nil)
			if err != nil {
				return err
			}
			text := "NULL"
			if value != nil {
				if text, err = conn.PgConn().EscapeString(string(value)); err != nil {
					return err
				}
				text = "'" + text + "'"
			}
			execute += map[bool]string{true: "(", false: ", "}[i == 0] + text
		}
		if len(st.args) > 0 {
			execute += ")"
		}
		var raw []byte
		if err := conn.QueryRow(ctx, execute, pgx.QueryExecModeSimpleProtocol).Scan(&raw); err != nil {
			return err
		}
		var plans []struct{ Plan plan }
		if err := json.Unmarshal(raw, &plans); err != nil {
			return err
		}
		plans[0].Plan.collect(e.nodes)
		return nil
	})
}

// liteExplainer is explainer for SQLite, whose plans are lines such as "SEARCH m USING INDEX …".
type liteExplainer struct {
	txRunner
	nodes *[]string
}

func (e liteExplainer) run(ctx context.Context, list []statement) error {
	for i := range list {
		explain := statement{sql: "EXPLAIN QUERY PLAN " + list[i].sql, args: list[i].args, scan: func(row scanner) error {
			var id, parent, unused int
			var detail string
			err := row.Scan(&id, &parent, &unused, &detail)
			*e.nodes = append(*e.nodes, detail)
			return err
		}}
		if err := e.txRunner.run(ctx, []statement{explain, list[i]}); err != nil {
			return fmt.Errorf("%s: %w", list[i].sql, err)
		}
	}
	return nil
}

type plan struct {
	Node     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Plans    []plan
}

func (p plan) collect(into *[]string) {
	if p.Relation+p.Index != "" {
		*into = append(*into, strings.TrimSpace(p.Node+" "+p.Relation+" "+p.Index))
	}
	for _, child := range p.Plans {
		child.collect(into)
	}
}

// FilterPlanForTest is ExplainForTest for a query by filter.
func FilterPlanForTest(t testing.TB, s *Store, generic bool, ref model.Ref, table string, f model.Filter) []string {
	t.Helper()
	return ExplainForTest(t, s, generic, func(tx *Tx) error {
		q := model.ResourceQuery{Filter: f, StartIndex: 1, Count: 100}
		if table == "directory_groups" {
			_, _, err := tx.Groups(ref, q)
			return err
		}
		_, _, err := tx.Users(ref, q)
		return err
	})
}

// EachForTest runs a query and calls fn while each of its rows is current. It is no method, because the suite tries every
// method of a Reader.
func EachForTest(r *Reader, query string, fn func() error) error {
	return r.query(statement{sql: query, scan: func(scanner) error { return fn() }})
}

// QuickForTest is EachForTest for a query that may travel in company.
func QuickForTest(r *Reader, query string, fn func() error) error {
	return r.query(statement{sql: query, quick: true, scan: func(scanner) error { return fn() }})
}

// AnswerForTest has an answer be heard when the transaction is sent, which commits all the same.
func AnswerForTest(tx *Tx, hear func() error) {
	tx.buffer(statement{sql: "SELECT 1", locked: true, affected: func(int64) error { return hear() }})
}

// ExecForTest sends any statement.
func ExecForTest(r *Reader, query string) error { return r.query(statement{sql: query}) }

// BufferForTest buffers a statement to be written with the others of the transaction; a rare one travels alone.
func BufferForTest(tx *Tx, rare bool, sql string, args ...any) {
	tx.buffer(statement{sql: sql, args: args, rare: rare})
}

// AnalyzedForTest gives the tables of people that PostgreSQL has statistics of.
func AnalyzedForTest(t testing.TB, s *Store) []string {
	t.Helper()
	var names []string
	err := s.Read(t.Context()).query(statement{
		sql: `SELECT DISTINCT tablename::text FROM pg_stats WHERE schemaname = current_schema()
 AND tablename IN ('accounts', 'directory_users', 'directory_groups', 'memberships') ORDER BY 1`,
		scan: scanTexts(&names),
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TogetherForTest runs functions so that what each of them sends first travels together: it keeps all lanes until all wait for one.
func TogetherForTest(t testing.TB, s *Store, fns ...func() error) []error {
	t.Helper()
	companies := []*company{s.reads, s.commits, s.edits}
	lanes := make([]int, len(companies))
	for i, c := range companies {
		c.mu.Lock()
		lanes[i], c.free = c.free, 0
		c.mu.Unlock()
	}
	errs := make([]error, len(fns))
	var running sync.WaitGroup
	for i, fn := range fns {
		running.Go(func() {
			defer func() {
				if got := recover(); got != nil {
					errs[i] = fmt.Errorf("panic: %v", got)
				}
			}()
			errs[i] = fn()
		})
	}
	for n, until := 0, time.Now().Add(time.Minute); n < len(fns); time.Sleep(time.Millisecond) {
		n = 0
		for _, c := range companies {
			c.mu.Lock()
			n += len(c.waiting)
			c.mu.Unlock()
		}
		if time.Now().After(until) {
			t.Fatalf("%d of %d wait to travel together", n, len(fns))
		}
	}
	for i, c := range companies {
		for range lanes[i] {
			c.next()
		}
	}
	running.Wait()
	return errs
}

// Lend runs fn with a connection of the store.
func Lend(t *testing.T, s *Store, fn func(*pgx.Conn) error) {
	t.Helper()
	if err := s.lend(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
