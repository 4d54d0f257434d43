package console_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"usher/model/store"
	"usher/model/store/storetest"
)

// databases are both, each with a store that counts the statements it sends.
func databases(tb testing.TB, counted *atomic.Int64, only string) map[string]func() *store.Store {
	open := func(url func(testing.TB) string) func() *store.Store {
		return func() *store.Store {
			return storetest.OpenWith(tb, store.Options{URL: url(tb), Trace: func(string) { counted.Add(1) }})
		}
	}
	all := map[string]func() *store.Store{"SQLite": open(storetest.SQLiteURL), "PostgreSQL": open(storetest.PostgresURL)}
	if only != "" {
		return map[string]func() *store.Store{only: all[only]}
	}
	return all
}

// mostStatements is how many statements a page may send, whoever asks for it.
const mostStatements = 60

// TestStatementsDoNotGrow opens every page with few people and with many: each sends as many statements as before.
func TestStatementsDoNotGrow(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			s := newFixture(t, databases(t, &sent, database)[database]()).seed()
			s.fixture = s.as(s.master)
			counts := func() map[string]int64 {
				list := map[string]int64{}
				for _, path := range s.pages() {
					for strings.Contains(s.get(path).body, ">Look on<") { // what is remembered for a while is known the last time
						continue
					}
					before := sent.Load()
					s.get(path)
					list[path] = sent.Load() - before
				}
				return list
			}
			s.multiply(50, 5)
			few := counts()
			s.multiply(500, 50)
			for path, n := range counts() {
				if n != few[path] || n > mostStatements {
					t.Errorf("%s: %d statements with 50 people, %d with 500", path, few[path], n)
				}
			}
			if few["/people"] == 0 {
				t.Error("nothing was counted")
			}
		})
	}
}

// timesEach is how often the benchmark opens each page, behind a first time that fills caches.
const timesEach = 9

// BenchmarkPages opens every page of the console with many people, each in ten groups and with a calendar, and says how long
// each takes, the slowest first. USHER_BENCH_PEOPLE says how many people; without it there are few, so that the program is seen
// to work. USHER_BENCH_DATABASE names one of SQLite and PostgreSQL.
func BenchmarkPages(b *testing.B) {
	people, err := strconv.Atoi(cmp.Or(os.Getenv("USHER_BENCH_PEOPLE"), "1000"))
	if err != nil {
		b.Fatal(err)
	}
	var sent atomic.Int64
	for name, open := range databases(b, &sent, os.Getenv("USHER_BENCH_DATABASE")) {
		b.Run(name, func(b *testing.B) {
			s := newFixture(b, open()).seed()
			s.fixture = s.as(s.master)
			begun := time.Now()
			s.multiply(people, max(10, people/200))
			b.Logf("%s: %d people were there after %s", name, people, time.Since(begun).Round(time.Second))
			b.ResetTimer()
			list := s.timed(&sent)
			b.ReportMetric(list[0].median.Seconds()*1000, "slowest-median-ms")
			fmt.Printf("\n%s, %d people\n%s", name, people, table(list)) // a log would be cut
		})
	}
}

// pageTime is how long a page took.
type pageTime struct {
	path          string
	status        int
	median, worst time.Duration
	statements    int64
	bytes         int
}

// timed opens every page several times.
func (s *seeded) timed(sent *atomic.Int64) []pageTime {
	s.Helper()
	var list []pageTime
	for _, path := range s.pages() {
		p := pageTime{path: path}
		s.get(path)
		var took []time.Duration
		for range timesEach {
			before, begun := sent.Load(), time.Now()
			a := s.get(path)
			took = append(took, time.Since(begun))
			p.status, p.bytes, p.statements = a.StatusCode, len(a.body), sent.Load()-before
		}
		if p.status >= http.StatusInternalServerError {
			s.Errorf("%s: %d: %s", path, p.status, s.log)
		}
		slices.Sort(took)
		p.median, p.worst = took[len(took)/2], took[len(took)-1]
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b pageTime) int { return cmp.Compare(b.median, a.median) })
	return list
}

// table lays pages out for people; ids are left out.
func table(list []pageTime) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "median ms\tworst ms\tstatements\tKiB\tstatus\t page")
	for _, p := range list {
		_, _ = fmt.Fprintf(w, "%.1f\t%.1f\t%d\t%d\t%d\t %s\n", p.median.Seconds()*1000, p.worst.Seconds()*1000, p.statements, p.bytes>>10, p.status, p.path)
	}
	_ = w.Flush() // into memory
	return b.String()
}
