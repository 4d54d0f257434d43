package entra

import "context"

// Priority is how urgent a request is among those of the same tenant: Graph refuses the less urgent ones first where a tenant
// comes near its limits (Graph: throttling guidance, header x-ms-throttle-priority).
type Priority int

// The priorities; Normal is that of a context that says nothing.
const (
	Normal Priority = iota
	Low             // of what works by itself: imports, photos
	High            // of what an administrator waits for
)

type priorityKey struct{}

// WithPriority makes every request to Graph under the context as urgent as that.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// PriorityOf tells how urgent requests under the context are.
func PriorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority) // without one it is Normal
	return p
}
