package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"usher/bench/stats"
)

// Operation is one row of the report: what a worker does again and again.
type Operation struct {
	Name  string
	Phase string
	step  func(context.Context, *worker)
}

// worker is one of several that send requests side by side. The users whose
// number leaves its own when divided by all are its own to change, so that what
// it wrote last is what must be read.
type worker struct {
	session     *Session
	operation   string
	number, all int
	random      *rand.Rand
	latencies   []time.Duration
	errors      int
}

// Run repeats the operation on so many workers for so long, and returns what they
// measured; every worker does it once or more. A request under way at the end is waited for, because its effect
// would otherwise be unknown. Only the caller's context ends it early.
func (s *Session) Run(ctx context.Context, operation Operation, workers int, duration time.Duration) stats.Round {
	crew := make([]*worker, workers)
	var wait sync.WaitGroup
	start := time.Now()
	for i := range crew {
		crew[i] = s.newWorker(operation.Name, i, workers)
		wait.Go(func() {
			// Once at least, however late a busy machine lets the worker begin.
			for first := true; first || time.Since(start) < duration; first = false {
				if ctx.Err() != nil || s.isHopeless(operation.Name) {
					return
				}
				operation.step(ctx, crew[i])
			}
		})
	}
	wait.Wait()
	round := stats.Round{Elapsed: time.Since(start)}
	for _, w := range crew {
		round.Latencies = append(round.Latencies, w.latencies...)
		round.Errors += w.errors
	}
	return round
}

func (s *Session) newWorker(operation string, number, all int) *worker {
	return &worker{
		session: s, operation: operation, number: number, all: all,
		random: rand.New(rand.NewPCG(uint64(number), uint64(s.numbers.Load()))),
	}
}

// do sends one request of the operation and measures it.
func (w *worker) do(ctx context.Context, c call) ([]byte, bool) {
	start := time.Now()
	status, body, err := w.session.client.send(ctx, c.method, c.path, c.body)
	elapsed := time.Since(start) // judging the answer is not the server's time
	if err == nil {
		err = c.judge(status, body)
	}
	if err != nil && ctx.Err() != nil {
		return nil, false // the run was stopped; that is no failure of the server
	}
	w.session.note(w.operation, err)
	if err != nil {
		w.errors++
		return nil, false
	}
	w.latencies = append(w.latencies, elapsed)
	return body, true
}

// own returns the number of a random user that this worker may change.
func (w *worker) own() int {
	changeable := w.session.plan.changeable()
	share := (changeable - w.number + w.all - 1) / w.all
	return w.number + w.all*w.random.IntN(share)
}

// anyone returns the number of a random loaded user.
func (w *worker) anyone() int { return w.random.IntN(w.session.plan.Users) }
