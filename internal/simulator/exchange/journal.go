package exchange

import "time"

// Request is one call of an application.
type Request struct {
	At      time.Time
	App     string
	Method  string // of Client: Delta, UpdateEvent, …
	Mailbox string // as it was asked for; "" where none was
	Target  string // what it was about: an id, a link, a group
	Err     string // what was answered; "" where all went well
}

// Requests gives what applications asked so far, the oldest first.
func (t *Tenant) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests.list()
}

// RequestCount says how many requests there were, those that the journal keeps no more included.
func (t *Tenant) RequestCount() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests.total
}

// ring keeps the last values.
type ring[T any] struct {
	values []T
	total  int
}

func (r *ring[T]) add(value T, limit int) {
	if len(r.values) < limit {
		r.values = append(r.values, value)
	} else {
		r.values[r.total%limit] = value
	}
	r.total++
}

func (r *ring[T]) list() []T {
	if len(r.values) == 0 {
		return nil
	}
	first := r.total % len(r.values)
	return append(append(make([]T, 0, len(r.values)), r.values[first:]...), r.values[:first]...)
}
