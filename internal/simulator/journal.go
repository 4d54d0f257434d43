package simulator

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Exchange is one request of the provisioning service and its answer.
type Exchange struct {
	Number       int // counts from 1 over the life of the job
	At           time.Time
	Duration     time.Duration
	Cycle        int
	Words        string // what the request does: "Create Ada Lovelace"
	ObjectID     string // object id in the tenant, empty for probes
	Method       string
	Path         string // path and query as sent
	RequestBody  string // empty for GET and DELETE
	Status       int    // 0 without an answer
	ResponseBody string
	Failure      string // transport failure, else empty
}

// Action is what the service did to an object.
type Action string

// The actions of the provisioning log.
const (
	ActionCreate  Action = "Create"
	ActionUpdate  Action = "Update"
	ActionDisable Action = "Disable"
	ActionDelete  Action = "Delete"
	ActionSkip    Action = "Skip"
)

// Outcome is how an action ended.
type Outcome string

// The outcomes of the provisioning log.
const (
	OutcomeSuccess Outcome = "Success"
	OutcomeFailure Outcome = "Failure"
	OutcomeSkipped Outcome = "Skipped"
)

// Entry is a line of the provisioning log, as the portal shows it.
type Entry struct {
	At       time.Time
	Cycle    int
	Action   Action
	Outcome  Outcome
	Type     string // "User" or "Group"
	ObjectID string // object id in the tenant
	Name     string // display name in the tenant
	TargetID string // SCIM id, where known
	Code     Code   // of a failure or a skip
	Reason   string // one sentence
	Modified []Modified
}

// Modified is a property that an action changed at the target.
type Modified struct{ Name, Old, New string }

// String is the entry as a sentence.
func (e Entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s: %s", e.Action, strings.ToLower(e.Type), e.Name, strings.ToLower(string(e.Outcome)))
	if e.Code != "" {
		fmt.Fprintf(&b, ", %s", e.Code)
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, " (%s)", e.Reason)
	}
	for _, m := range e.Modified {
		fmt.Fprintf(&b, "\n    %s: %q -> %q", m.Name, m.Old, m.New)
	}
	return b.String()
}

// maxJournalBody bounds what the journal keeps of a body, in bytes.
const maxJournalBody = 16 << 10

// Journal keeps the latest exchanges and log entries of a provisioning job. Safe for concurrent use.
type Journal struct {
	mu        sync.Mutex
	limit     int
	number    int
	exchanges ring[Exchange]
	entries   ring[Entry]
}

func newJournal(limit int) *Journal { return &Journal{limit: limit} }

// Exchanges lists the kept requests and answers in the order in which the answers came.
func (j *Journal) Exchanges() []Exchange {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.exchanges.list()
}

// Entries lists the kept provisioning log, oldest first.
func (j *Journal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries.list()
}

// Requests counts every request so far, kept or not.
func (j *Journal) Requests() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.number
}

// WriteTo prints the kept exchanges for a reader: words, request, bodies, answer.
func (j *Journal) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	for _, e := range j.Exchanges() {
		fmt.Fprintf(&b, "#%d %s  %s\n%s %s\n", e.Number, e.At.UTC().Format(time.RFC3339), e.Words, e.Method, e.Path)
		if e.RequestBody != "" {
			fmt.Fprintf(&b, "%s\n", e.RequestBody)
		}
		if e.Failure != "" {
			fmt.Fprintf(&b, "-> no answer: %s\n\n", e.Failure)
			continue
		}
		fmt.Fprintf(&b, "-> %d %s\n\n", e.Status, e.ResponseBody)
	}
	return b.WriteTo(w)
}

func (j *Journal) addExchange(e Exchange) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.number++
	e.Number = j.number
	e.RequestBody, e.ResponseBody = clip(e.RequestBody), clip(e.ResponseBody)
	j.exchanges.add(e, j.limit)
}

func (j *Journal) addEntry(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries.add(e, j.limit)
}

func clip(body string) string {
	if len(body) <= maxJournalBody {
		return body
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(body[:maxJournalBody], ""), len(body))
}

// ring keeps the last limit values.
type ring[T any] struct {
	values []T
	next   int // where the next value goes once the ring is full
}

func (r *ring[T]) add(v T, limit int) {
	if len(r.values) < limit {
		r.values = append(r.values, v)
		return
	}
	r.values[r.next] = v
	r.next = (r.next + 1) % limit
}

func (r *ring[T]) list() []T {
	return append(append(make([]T, 0, len(r.values)), r.values[r.next:]...), r.values[:r.next]...)
}
