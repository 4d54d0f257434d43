package simulator

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Counts tell what a cycle did. Objects that were looked at and found equal count as Unchanged.
type Counts struct {
	Created, Updated, Disabled, Deleted, Skipped, Unchanged int // users and groups
	Failed                                                  int // objects and references that were escrowed
	ManagersSet, ManagersRemoved                            int
	MembersAdded, MembersRemoved                            int
	Requests                                                int // HTTP requests sent
}

// Report is what one call of the provisioning service did.
type Report struct {
	Kind         string // "test connection", "initial cycle", "incremental cycle", "on demand", "restart"
	Cycle        int    // number of the call in the life of the job, also in journal and log
	Began, Ended time.Time
	State        State // of the job afterwards
	Quarantine   Quarantine
	Counts       Counts
	Entries      []Entry // the provisioning log of this call; objects found equal have none
	Escrows      int     // objects and references waiting for a retry afterwards
	NextRetry    time.Time
}

// Failures lists the entries that failed.
func (r *Report) Failures() []Entry {
	var failed []Entry
	for _, e := range r.Entries {
		if e.Outcome == OutcomeFailure {
			failed = append(failed, e)
		}
	}
	return failed
}

// String is the report in one line.
func (r *Report) String() string {
	var parts []string
	for _, c := range []struct {
		n    int
		word string
	}{
		{r.Counts.Created, "created"},
		{r.Counts.Updated, "updated"},
		{r.Counts.Disabled, "disabled"},
		{r.Counts.Deleted, "deleted"},
		{r.Counts.Skipped, "skipped"},
		{r.Counts.Unchanged, "unchanged"},
		{r.Counts.Failed, "failed"},
		{r.Counts.ManagersSet, "managers set"},
		{r.Counts.ManagersRemoved, "managers removed"},
		{r.Counts.MembersAdded, "members added"},
		{r.Counts.MembersRemoved, "members removed"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	return fmt.Sprintf("%s: %s (%d requests, job %s)", r.Kind, strings.Join(parts, ", "), r.Counts.Requests, r.State)
}

// run is one call in progress: its dialect, its report, and whether the job must stop.
type run struct {
	cycle   int
	dialect Dialect
	stop    func(error) // cancels the run with its cause

	mu       sync.Mutex
	report   *Report
	critical *Failure
	events   int // objects and references handled
	failures int // of these, failed ones that are no references
}

// count changes the counts.
func (r *run) count(change func(*Counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.report.Counts)
}

// handled counts an event, the denominator of the failure proportion.
func (r *run) handled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events++
}

// log records an entry in the report.
func (r *run) log(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Entries = append(r.report.Entries, e)
}

// tally counts an entry that is about an object as a whole, or failed.
func (c *Counts) tally(e Entry) {
	switch {
	case e.Outcome == OutcomeFailure:
		c.Failed++
	case e.Outcome == OutcomeSkipped:
		c.Skipped++
	case e.Action == ActionCreate:
		c.Created++
	case e.Action == ActionUpdate:
		c.Updated++
	case e.Action == ActionDisable:
		c.Disabled++
	case e.Action == ActionDelete:
		c.Deleted++
	}
}

// fatal ends the run: the job goes into quarantine.
func (r *run) fatal(f *Failure) {
	r.mu.Lock()
	if r.critical == nil {
		r.critical = f
	}
	r.mu.Unlock()
	r.stop(f)
}

// failed counts a failure that is no reference.
func (r *run) failed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures++
}
