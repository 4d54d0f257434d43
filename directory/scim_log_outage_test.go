package directory_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"usher/directory"
	"usher/model/store"
	"usher/model/store/storetest"
)

// hold keeps the database from writing to the log until the function that it gives is called.
func (w *world) hold() (release func()) {
	w.Helper()
	tx, err := w.store.DB().BeginTx(w.ctx, nil) // on SQLite this is the one that writes
	w.ok(err)
	if w.store.Dialect() == "postgres" {
		_, err = tx.ExecContext(w.ctx, "LOCK TABLE scim_requests IN ACCESS EXCLUSIVE MODE")
		w.ok(err)
	}
	return func() { w.ok(tx.Rollback()) }
}

// TestRequestLogUnderAFlood sends far more than a database that stands still takes: nobody waits, the memory is bounded, and
// every entry is either written or counted as dropped.
func TestRequestLogUnderAFlood(t *testing.T) {
	each(t, func(w *world) {
		l := w.requestLog(directory.RequestLogOptions{})
		release := w.hold()
		const flood, writers = 30_000, 4
		var wg sync.WaitGroup
		entries := make([]logged, flood)
		for i := range entries {
			entries[i] = w.request("flood", 0)
		}
		for n := range writers {
			wg.Go(func() {
				for i := n; i < flood; i += writers {
					l.Keep(entries[i])
				}
			})
		}
		wg.Wait()
		release()
		kept := w.settle(l)
		dropped := w.alarms.of(directory.EventSCIMLogDropped)
		if kept+dropped != flood || kept < 4000 || kept > 8<<20/1000 {
			w.Errorf("%d written and %d dropped of %d; want all accounted for, and at most 8 MiB written", kept, dropped, flood)
		}
		l.Keep(w.request("after", time.Second))
		if w.settle(l) != kept+1 {
			w.Error("after the flood nothing is kept any more")
		}
	})
}

// settle writes until nothing waits, and gives how many lines there are.
func (w *world) settle(l *directory.RequestLog) int {
	w.Helper()
	last := -1
	for {
		l.Flush(w.ctx)
		n := len(w.requests(store.SCIMRequestFilter{}))
		if n == last {
			return n
		}
		last = n
	}
}

// TestRequestLogOutlastsTheDatabase takes the table away, as a failing database does, and brings it back: what was answered
// meanwhile is written then, once.
func TestRequestLogOutlastsTheDatabase(t *testing.T) {
	each(t, func(w *world) {
		l := w.requestLog(directory.RequestLogOptions{})
		rename := func(from, to string) {
			w.Helper()
			_, err := w.store.DB().ExecContext(w.ctx, "ALTER TABLE "+from+" RENAME TO "+to)
			w.ok(err)
		}
		rename("scim_requests", "away")
		for i := range 5 {
			l.Keep(w.request(fmt.Sprint(i), time.Duration(i)*time.Millisecond))
			l.Flush(w.ctx)
		}
		rename("away", "scim_requests")
		l.Keep(w.request("5", 5*time.Millisecond))
		l.Flush(w.ctx)
		if got := summaries(w.requests(store.SCIMRequestFilter{})); got != "5|4|3|2|1|0" || w.alarms.of(directory.EventSCIMLogDropped) != 0 {
			w.Errorf("the log says %q, %d dropped", got, w.alarms.of(directory.EventSCIMLogDropped))
		}
	})
}

// TestRequestLogOutlastsPostgres ends every connection and lets nobody in for a while.
func TestRequestLogOutlastsPostgres(t *testing.T) {
	t.Parallel()
	at := storetest.PostgresURL(t)
	w := newWorld(t, at)
	l := w.requestLog(directory.RequestLogOptions{})
	u, err := url.Parse(at)
	w.ok(err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	admin, err := pgx.Connect(t.Context(), u.String())
	w.ok(err)
	defer func() { _ = admin.Close(context.WithoutCancel(t.Context())) }()
	allow := func(yes string) {
		_, err := admin.Exec(t.Context(), "ALTER DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH ALLOW_CONNECTIONS "+yes)
		w.ok(err)
	}
	allow("false")
	_, err = admin.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
	w.ok(err)
	l.Keep(w.request("meanwhile", 0))
	l.Flush(t.Context())
	if err := w.store.Ping(t.Context()); err == nil {
		t.Fatal("the database is not away")
	}
	allow("true")
	for range 3 { // connections of the pool may still have to be found dead
		l.Flush(t.Context())
	}
	if got := summaries(w.requests(store.SCIMRequestFilter{})); got != "meanwhile" {
		t.Errorf("the log says %q", got)
	}
}

// TestRequestLogPassesOverPoison shows that an entry that no database takes does not stop the others.
func TestRequestLogPassesOverPoison(t *testing.T) {
	each(t, func(w *world) {
		l := w.requestLog(directory.RequestLogOptions{})
		bad := w.request("bad", 0)
		bad.row.ID = "no id"
		for i := range 3 {
			l.Keep(w.request("good", time.Duration(i)*time.Millisecond))
			l.Keep(bad)
		}
		for range 6 {
			l.Flush(w.ctx)
		}
		good := 0
		for _, r := range w.requests(store.SCIMRequestFilter{}) {
			if r.Summary == "good" {
				good++
			}
		}
		if good != 3 {
			w.Errorf("%d good entries of 3 were written", good)
		}
		if n := w.alarms.of(directory.EventSCIMLogDropped); w.store.Dialect() == "postgres" && n != 3 {
			w.Errorf("%d entries were counted as dropped, want 3", n)
		}
	})
}

func TestRequestLogWritesByItselfAndAtTheEnd(t *testing.T) {
	each(t, func(w *world) {
		l := w.requestLog(directory.RequestLogOptions{})
		l.Keep(w.request("by itself", 0))
		began, tick := time.Now(), time.NewTicker(20*time.Millisecond)
		defer tick.Stop()
		for len(w.requests(store.SCIMRequestFilter{})) == 0 {
			if <-tick.C; time.Since(began) > time.Minute {
				w.Fatal("nothing was written within a minute")
			}
		}
		l.Keep(w.request("at the end", time.Second))
		l.Close(w.ctx)
		if got := summaries(w.requests(store.SCIMRequestFilter{})); got != "at the end|by itself" {
			w.Errorf("after the end the log says %q", got)
		}
		l.Close(w.ctx) // twice does no harm
		l.Flush(w.ctx)
	})
}
