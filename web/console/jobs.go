package console

import "context"

// Jobs tells what the queue holds; internal/app has it.
type Jobs interface {
	// JobCounts counts the jobs of the installation by kind and state.
	JobCounts(ctx context.Context) ([]JobCount, error)
}

// JobCount is how many jobs of a kind are in a state: available, running, scheduled, retryable, completed, cancelled, discarded.
type JobCount struct {
	Kind, State string
	Count       int
	LastError   string // of the newest that failed
}
