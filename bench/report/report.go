// Package report writes what a run measured as Markdown.
//
// It owns the tables and the markers between which a document keeps them. It is
// pure and imports bench/load, bench/stats and the standard library alone.
package report

import (
	"fmt"
	"strings"
	"time"

	"usher/bench/load"
	"usher/bench/stats"
)

// Facts are what a reader needs to judge or repeat a run.
type Facts struct {
	Command    string
	Date       time.Time
	Machine    string
	PostgreSQL string   // version, "" if the database was not seen
	Notes      []string // each a sentence
}

// Load is a run of operations against a target and, side by side, the floor.
type Load struct {
	Facts
	Target     string
	WithFloor  bool
	Statements string // what is counted per request: "statements" or "transactions"
	Loaded     []Loaded
	Tables     []Table
	Flatness   []Flatness
	Failures   []Failures
	Benchmarks []Benchmark
}

// Loaded is how one server took the initial load, and the most memory that it
// used in the whole run.
type Loaded struct {
	Name   string
	Loaded load.Loaded
	Peak   int64 // bytes, 0 if not known
}

// Table is one concurrency.
type Table struct {
	Concurrency int
	Rows        []Row
}

// Row is one operation.
type Row struct {
	Operation     string
	Target, Floor stats.Summary
}

// Flatness compares one member in or out of the largest and of the smallest group.
type Flatness struct {
	Concurrency   int
	Small, Large  int     // members
	Target, Floor float64 // median latency at large divided by that at small
}

// Failures are those of one server.
type Failures struct {
	Name     string
	Failures []load.Failure
}

// Benchmark is one line of `go test -bench`.
type Benchmark struct {
	Package, Name                 string
	Nanoseconds, Bytes, Allocated float64 // per operation
	Metrics                       []Metric
}

// Metric is a figure that a benchmark reports by itself.
type Metric struct {
	Unit  string
	Value float64
}

// Failed reports whether anything went wrong.
func (l Load) Failed() bool { return len(l.Failures) > 0 }

// Markdown returns the report.
func (l Load) Markdown() string {
	var b strings.Builder
	writeFacts(&b, l.Facts)
	l.writeFailures(&b)
	for _, table := range l.Tables {
		l.writeTable(&b, table)
	}
	l.writeFlatness(&b)
	l.writeLoaded(&b)
	l.writeBenchmarks(&b)
	return b.String()
}

func writeFacts(b *strings.Builder, facts Facts) {
	fmt.Fprintf(b, "    %s\n\n", facts.Command)
	fmt.Fprintf(b, "%s, on %s", facts.Date.UTC().Format("2 January 2006 15:04 UTC"), facts.Machine)
	if facts.PostgreSQL != "" {
		fmt.Fprintf(b, ", PostgreSQL %s", facts.PostgreSQL)
	}
	fmt.Fprint(b, ".\n")
	for _, note := range facts.Notes {
		fmt.Fprintf(b, "%s\n", note)
	}
	fmt.Fprint(b, "\n")
}

func (l Load) writeTable(b *strings.Builder, table Table) {
	fmt.Fprintf(b, "\n### Concurrency %d\n\n", table.Concurrency)
	header := []string{"operation", "requests/s", "p50 ms", "p99 ms", l.Statements, "CPU ms"}
	if l.WithFloor {
		header = append(header, "floor: requests/s", "p50 ms", "p99 ms", l.Statements, "CPU ms", "ratio to floor")
	}
	writeRow(b, header...)
	writeRow(b, append([]string{"---"}, repeat("--:", len(header)-1)...)...)
	for _, row := range table.Rows {
		cells := append([]string{escape(row.Operation)}, summaryCells(row.Target)...)
		if l.WithFloor {
			cells = append(append(cells, summaryCells(row.Floor)...), ratio(row.Target.PerSecond, row.Floor.PerSecond))
		}
		writeRow(b, cells...)
	}
}

func summaryCells(summary stats.Summary) []string {
	if summary.Requests == 0 {
		return repeat("–", 5)
	}
	cells := []string{number(summary.PerSecond), milliseconds(summary.P50), milliseconds(summary.P99), "–", "–"}
	if summary.Metered {
		cells[3], cells[4] = fmt.Sprintf("%.1f", summary.Statements), milliseconds(summary.CPU)
	}
	if summary.Errors > 0 {
		cells[0] += fmt.Sprintf(" (%d errors)", summary.Errors)
	}
	return cells
}

func (l Load) writeFlatness(b *strings.Builder) {
	if len(l.Flatness) == 0 {
		return
	}
	first := l.Flatness[0]
	fmt.Fprintf(b, "\nFlatness: the median time of one member in or out of the group of %d, divided by that of the group of %d.\n\n", first.Large, first.Small)
	writeRow(b, "concurrency", l.Target, "floor")
	writeRow(b, "--:", "--:", "--:")
	for _, flat := range l.Flatness {
		writeRow(b, fmt.Sprint(flat.Concurrency), factor(flat.Target), factor(flat.Floor))
	}
}

func (l Load) writeLoaded(b *strings.Builder) {
	if len(l.Loaded) == 0 {
		return
	}
	fmt.Fprint(b, "\n### Loading, and memory\n\n")
	writeRow(b, "server", "users", "users/s", "memberships", "memberships/s", "peak memory MiB")
	writeRow(b, append([]string{"---"}, repeat("--:", 5)...)...)
	for _, loaded := range l.Loaded {
		peak := "–"
		if loaded.Peak > 0 {
			peak = fmt.Sprintf("%.0f", float64(loaded.Peak)/(1<<20))
		}
		writeRow(b, loaded.Name,
			fmt.Sprint(loaded.Loaded.Users), rate(loaded.Loaded.Users, loaded.Loaded.UsersTook),
			fmt.Sprint(loaded.Loaded.Memberships), rate(loaded.Loaded.Memberships, loaded.Loaded.MembershipTook), peak)
	}
}

func (l Load) writeFailures(b *strings.Builder) {
	if len(l.Failures) == 0 {
		fmt.Fprint(b, "No errors: every answer was right, and every acknowledged write that was read back was there once.\n")
		return
	}
	fmt.Fprint(b, "### Errors\n\n")
	for _, failures := range l.Failures {
		for _, failure := range failures.Failures {
			fmt.Fprintf(b, "- %s, %s: %d\n", failures.Name, failure.Operation, failure.Count)
			for _, sample := range failure.Samples {
				fmt.Fprintf(b, "  - `%s`\n", strings.ReplaceAll(sample, "`", "'"))
			}
		}
	}
}

func (l Load) writeBenchmarks(b *strings.Builder) {
	if len(l.Benchmarks) == 0 {
		return
	}
	fmt.Fprint(b, "\n### Go benchmarks\n\n")
	writeRow(b, "package", "benchmark", "µs", "bytes", "allocations")
	writeRow(b, append([]string{"---", "---"}, repeat("--:", 3)...)...)
	for _, benchmark := range l.Benchmarks {
		writeRow(b, benchmark.Package, escape(benchmark.Name), fmt.Sprintf("%.2f", benchmark.Nanoseconds/1000),
			fmt.Sprintf("%.0f", benchmark.Bytes), fmt.Sprintf("%.0f", benchmark.Allocated))
	}
}
