package report

import (
	"fmt"
	"strings"
	"time"
)

// Import is what imports of one tenant cost.
type Import struct {
	Facts
	People, Groups, Memberships int // of the tenant
	InScope                     int // people who are members of a group
	Runs                        []ImportRun
}

// ImportRun is one import.
type ImportRun struct {
	Run
	Statements int64
	CPU        time.Duration // of Usher and PostgreSQL
}

// Markdown returns the report.
func (i Import) Markdown() string {
	var b strings.Builder
	writeFacts(&b, i.Facts)
	fmt.Fprintf(&b, "The tenant has %d people, of whom %d are imported, %d groups and %d memberships.\n\n", i.People, i.InScope, i.Groups, i.Memberships)
	writeRow(&b, "import", "seconds", "people of the tenant/s", "statements", "CPU s", "memory before MiB", "peak memory MiB", "states of progress seen")
	writeRow(&b, append([]string{"---"}, repeat("--:", 7)...)...)
	for _, run := range i.Runs {
		writeRow(&b, run.What, fmt.Sprintf("%.1f", run.Took.Seconds()), rate(i.People, run.Took), fmt.Sprint(run.Statements),
			fmt.Sprintf("%.1f", run.CPU.Seconds()), mebibytes(run.Before), mebibytes(run.Peak), fmt.Sprint(run.Updates))
	}
	return b.String()
}
