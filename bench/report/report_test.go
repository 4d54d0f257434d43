package report

import (
	"strings"
	"testing"
	"time"

	"usher/bench/load"
	"usher/bench/stats"
)

func sample() Load {
	return Load{
		Facts: Facts{
			Command: "go run ./bench -users 100", Date: time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC),
			Machine: "2 cores", PostgreSQL: "15.14", Notes: []string{"A note."},
		},
		Target: "Usher", WithFloor: true, Statements: "statements",
		Tables: []Table{{Concurrency: 8, Rows: []Row{
			{
				Operation: "filter: a|b",
				Target: stats.Summary{
					Requests: 10, PerSecond: 1234.5, P50: 1500 * time.Microsecond, P99: 20 * time.Millisecond,
					Metered: true, CPU: 250 * time.Microsecond, Statements: 4,
				},
				Floor: stats.Summary{Requests: 10, PerSecond: 2469, P50: time.Millisecond, P99: 2 * time.Millisecond},
			},
			{Operation: "never answered", Floor: stats.Summary{Requests: 1, Errors: 2, PerSecond: 50, Metered: true}},
		}}},
		Flatness: []Flatness{{Concurrency: 8, Small: 10, Large: 50000, Target: 1.05}},
		Loaded: []Loaded{{
			Name:   "Usher",
			Loaded: load.Loaded{Users: 100, UsersTook: 2 * time.Second, Memberships: 500, MembershipTook: time.Second},
			Peak:   64 << 20,
		}},
		Benchmarks: []Benchmark{{Package: "directory", Name: "Decide", Nanoseconds: 2500, Bytes: 512, Allocated: 7}},
	}
}

func TestMarkdown(t *testing.T) {
	want := `    go run ./bench -users 100

21 November 2026 09:30 UTC, on 2 cores, PostgreSQL 15.14.
A note.

No errors: every answer was right, and every acknowledged write that was read back was there once.

### Concurrency 8

| operation | requests/s | p50 ms | p99 ms | statements | CPU ms | floor: requests/s | p50 ms | p99 ms | statements | CPU ms | ratio to floor |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
| filter: a\|b | 1234 | 1.50 | 20.00 | 4.0 | 0.25 | 2469 | 1.00 | 2.00 | – | – | 0.50 |
| never answered | – | – | – | – | – | 50.0 (2 errors) | 0.00 | 0.00 | 0.0 | 0.00 | – |

Flatness: the median time of one member in or out of the group of 50000, divided by that of the group of 10.

| concurrency | Usher | floor |
| --: | --: | --: |
| 8 | 1.05 | – |

### Loading, and memory

| server | users | users/s | memberships | memberships/s | peak memory MiB |
| --- | --: | --: | --: | --: | --: |
| Usher | 100 | 50.0 | 500 | 500 | 64 |

### Go benchmarks

| package | benchmark | µs | bytes | allocations |
| --- | --- | --: | --: | --: |
| directory | Decide | 2.50 | 512 | 7 |
`
	if got := sample().Markdown(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestMarkdownWithoutFloorHasNoColumnsForIt(t *testing.T) {
	measured := sample()
	measured.WithFloor = false
	got := measured.Markdown()
	if strings.Contains(got, "floor: requests/s") || !strings.Contains(got, "| filter: a\\|b | 1234 | 1.50 | 20.00 | 4.0 | 0.25 |\n") {
		t.Errorf("got:\n%s", got)
	}
}

func TestMarkdownShowsErrors(t *testing.T) {
	measured := sample()
	if measured.Failed() {
		t.Error("a run without failures counts as failed")
	}
	measured.Failures = []Failures{{"Usher", []load.Failure{{Operation: "POST user", Count: 3, Samples: []string{"status 500: `x`"}}}}}
	got := measured.Markdown()
	if !measured.Failed() || strings.Contains(got, "No errors") || !strings.Contains(got, "- Usher, POST user: 3\n  - `status 500: 'x'`\n") {
		t.Errorf("got:\n%s", got)
	}
}

func TestReevaluationMarkdown(t *testing.T) {
	got := Reevaluation{
		Facts:  sample().Facts,
		Loaded: sample().Loaded[0],
		Runs:   []Run{{What: "nothing changes", People: 100000, Took: 20 * time.Second, Before: 50 << 20, Peak: 90 << 20, Updates: 200}},
		Failed: []string{"lost"},
	}.Markdown()
	for _, want := range []string{"| nothing changes | 100000 | 20.0 | 5000 | 50 | 90 | 200 |", "- Error: lost\n", "100 users pushed through SCIM before at 50.0 a second"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

func TestImportMarkdown(t *testing.T) {
	got := Import{
		Facts: sample().Facts, People: 100000, InScope: 99000, Groups: 500, Memberships: 1000000,
		Runs: []ImportRun{{Run: Run{What: "the first", Took: 200 * time.Second, Before: 50 << 20, Peak: 90 << 20, Updates: 7}, Statements: 12345, CPU: 30 * time.Second}},
	}.Markdown()
	for _, want := range []string{"100000 people, of whom 99000 are imported, 500 groups and 1000000 memberships", "| the first | 200.0 | 500 | 12345 | 30.0 | 50 | 90 | 7 |"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

func TestReplace(t *testing.T) {
	const document = "# P\n<!-- bench:load -->\nold\n<!-- /bench:load -->\nafter\n<!-- bench:x -->\n<!-- /bench:x -->\n"
	got, err := Replace(document, "load", "\n    new\n")
	want := "# P\n<!-- bench:load -->\n\n    new\n\n<!-- /bench:load -->\nafter\n<!-- bench:x -->\n<!-- /bench:x -->\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if again, err := Replace(got, "load", "    new"); err != nil || again != want {
		t.Errorf("the second time: %q, %v", again, err)
	}
	for name, broken := range map[string]string{
		"no markers":     "# P\n",
		"no end":         "<!-- bench:load -->\n",
		"twice":          document + document,
		"the end first":  "<!-- /bench:load -->\n<!-- bench:load -->\n",
		"other sections": "<!-- bench:x -->\n<!-- /bench:x -->\n",
	} {
		if _, err := Replace(broken, "load", "new"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
