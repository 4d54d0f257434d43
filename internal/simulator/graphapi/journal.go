package graphapi

import (
	"slices"
	"sync"
	"time"
)

// Request is one request that came, also one inside a batch, and one to the authority.
type Request struct {
	At              time.Time
	Took            time.Duration
	Method          string
	Path            string // decoded, without the version: /users/ada@contoso.com/events
	Query           string // as sent
	Status          int    // 0 where the connection was reset
	ClientRequestID string
	RequestID       string
	Prefer          string // joined by commas
	RetryAttempt    string // the header that Microsoft's clients add
	Batched         bool   // an item of a batch
	Faulted         bool   // a Fault had its way
	Priority        string // x-ms-throttle-priority
	Units           int    // resource units of the directory
}

// journal keeps the latest requests.
type journal struct {
	mu       sync.Mutex
	limit    int
	requests []Request
	total    int
}

func (j *journal) add(r Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total++
	if len(j.requests) >= j.limit { // cut in halves, not one by one
		j.requests = slices.Delete(j.requests, 0, max(1, j.limit/2))
	}
	j.requests = append(j.requests, r)
}

// Journal gives the latest requests in the order of their answers. Those of a batch come before the batch itself.
func (s *Server) Journal() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return slices.Clone(s.journal.requests)
}

// Requests counts all requests since the start, also those that the journal has forgotten.
func (s *Server) Requests() int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.total
}
