package report

import (
	"fmt"
	"strings"
	"time"
)

// Reevaluation is a run of the rules over everyone.
type Reevaluation struct {
	Facts
	Loaded Loaded
	Runs   []Run
	Failed []string
}

// Run is one run of the rules.
type Run struct {
	What    string
	People  int
	Took    time.Duration
	Before  int64 // bytes of resident memory when it started
	Peak    int64 // the most while it ran, as sampled
	Updates int   // different states of progress that were seen
}

// Markdown returns the report.
func (r Reevaluation) Markdown() string {
	var b strings.Builder
	writeFacts(&b, r.Facts)
	fmt.Fprintf(&b, "%d users pushed through SCIM before at %s a second, %d memberships at %s a second.\n\n",
		r.Loaded.Loaded.Users, rate(r.Loaded.Loaded.Users, r.Loaded.Loaded.UsersTook),
		r.Loaded.Loaded.Memberships, rate(r.Loaded.Loaded.Memberships, r.Loaded.Loaded.MembershipTook))
	for _, failure := range r.Failed {
		fmt.Fprintf(&b, "- Error: %s\n", failure)
	}
	writeRow(&b, "run", "people", "seconds", "people/s", "memory before MiB", "peak memory MiB", "states of progress seen")
	writeRow(&b, append([]string{"---"}, repeat("--:", 6)...)...)
	for _, run := range r.Runs {
		writeRow(&b, run.What, fmt.Sprint(run.People), fmt.Sprintf("%.1f", run.Took.Seconds()), rate(run.People, run.Took),
			mebibytes(run.Before), mebibytes(run.Peak), fmt.Sprint(run.Updates))
	}
	return b.String()
}

func mebibytes(bytes int64) string {
	if bytes == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", float64(bytes)/(1<<20))
}
