package load

import (
	"context"

	"usher/bench/entra"
)

// matchAndCreate is what the initial cycle does for each person.
func matchAndCreate(ctx context.Context, w *worker) {
	number := w.session.nextNumber()
	w.do(ctx, get(entra.ByUserName(w.session.tenant.Person(number).UserName), found(0)))
	w.create(ctx, number)
}

// incremental is what a running tenant sends between two full cycles. The shares
// stand in docs/performance.md.
func incremental(ctx context.Context, w *worker) {
	switch share := w.random.IntN(100); {
	case share < 25:
		w.findByUserName(ctx, w.anyone())
	case share < 50:
		w.patchAttributes(ctx, w.own())
	case share < 60:
		w.patchActive(ctx, w.own())
	case share < 80:
		w.moveMember(ctx)
	case share < 90:
		getGroup(ctx, w)
	default:
		getUser(ctx, w)
	}
}

// pendingLimit is how many memberships a worker of the mix keeps before it
// removes the oldest: groups stay about as large as they were.
const pendingLimit = 8

// moveMember adds one of the worker's users to a group, or undoes the oldest addition.
func (w *worker) moveMember(ctx context.Context) {
	pending := &w.session.pending[w.number]
	if len(*pending) > 0 && (len(*pending) >= pendingLimit || w.random.IntN(2) == 0) {
		oldest := (*pending)[0]
		*pending = (*pending)[1:]
		w.toggle(ctx, oldest.group, block{oldest.user, oldest.user + 1})
		return
	}
	user := w.own()
	group := w.session.ordinary[w.random.IntN(len(w.session.ordinary))]
	one := block{user, user + 1}
	loaded := user >= group.loaded.low && user < group.loaded.high
	if loaded || group.state(one) != absent {
		getGroup(ctx, w) // in the group already, so that adding would be no change
		return
	}
	w.toggle(ctx, group, one)
	if group.state(one) == present {
		*pending = append(*pending, pair{group, user})
	}
}

// Settle undoes the memberships that the operation left behind, unmeasured: with
// another number of workers the next step divides the users differently.
func (s *Session) Settle(ctx context.Context, operation Operation) {
	for number := range s.pending {
		w := s.newWorker(operation.Name, number, len(s.pending))
		for _, left := range s.pending[number] {
			w.toggle(ctx, left.group, block{left.user, left.user + 1})
		}
		s.pending[number] = nil
	}
}
