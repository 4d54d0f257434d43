package store

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// ride is one transaction in which several requests change what they have locked, each a row of its own. It commits when all
// of them have come to their commit or have left without one.
//
// No lock of a ride keeps those who ride from each other. So who needs another one than that of the row goes alone, and rows
// that belong to a row of the class, as the account of a user does, must belong to one of that class only.
type ride struct {
	mu     sync.Mutex
	tx     *Tx
	aboard int  // who has neither come to the commit nor left
	failed bool // nothing will be committed
	cancel func()

	over chan struct{}
	err  error // once it is over
}

// lockTogether sends what a transaction begins with: statements that lock the row with the key, of the class. Transactions
// that begin so at the same time become a ride.
func (tx *Tx) lockTogether(class, key string, list ...statement) error {
	alone := func() error { return tx.query(list...) }
	if !tx.try.company || tx.begun || len(tx.pending) > 0 {
		return alone()
	}
	p := &parcel{list: list, class: class, key: key, apart: true, alone: alone}
	err := tx.s.edits.run(tx.ctx, p) // not again here where it failed: rows may have been given
	tx.ride = p.ride
	return err
}

// rideTogether begins a ride.
func (s *Store) rideTogether(ctx context.Context, led []*parcel) {
	r := &ride{aboard: len(led), over: make(chan struct{})}
	ctx, r.cancel = context.WithTimeout(context.WithoutCancel(ctx), companyTime)
	r.tx, _ = s.newTx(ctx) // of PostgreSQL: it has not connected yet
	if err := r.tx.send(slices.Concat(append([][]statement{impatient}, lists(led)...)...)...); err != nil {
		r.end()
		return
	}
	for _, p := range led {
		p.ride, p.err = r, nil
	}
}

// send reads what somebody needs to know besides. Whoever wants to see their own writes goes alone, as do those who want the
// connection for themselves, or a lock.
func (r *ride) send(tx *Tx, list []statement) error {
	wrote := len(tx.pending) + len(tx.feed.rows) + len(tx.log.rows)
	if wrote > 0 || len(list) == 0 || slices.ContainsFunc(list, locks) {
		return errAlone
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed {
		return errAlone
	}
	if err := r.tx.send(list...); err != nil {
		r.failed = true
		return errAlone
	}
	return nil
}

// locks says whether a statement may do anything but read.
func locks(st statement) bool {
	return !strings.HasPrefix(st.sql, "SELECT ") || strings.Contains(st.sql, " FOR ") || strings.Contains(st.sql, "advisory")
}

// commit waits until the ride has committed, where there is anything to commit.
func (r *ride) commit(list []statement) error {
	for i := range list {
		list[i].into = "" // joined where it can be
	}
	r.leave(list)
	if len(list) == 0 {
		return nil
	}
	<-r.over
	return r.err
}

// leave goes from aboard, with what shall be committed. The last one commits.
func (r *ride) leave(list []statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tx.pending = append(r.tx.pending, list...)
	if r.aboard--; r.aboard > 0 {
		return
	}
	r.err = errAlone
	defer r.end()
	if r.failed {
		return
	}
	if err := r.tx.commit(); !undone(err) {
		r.err = err
	}
}

// undone says whether a commit that gave the error did nothing for certain: PostgreSQL refused it, or it could not be written whole,
// and its COMMIT stands at the end. Where an answer is lost nobody knows. Done again it might meet its own work, and tell the client
// that somebody else was first.
func undone(err error) bool {
	_, refused := errors.AsType[*pgconn.PgError](err)
	broken, ok := errors.AsType[*net.OpError](err)
	return refused || errors.Is(err, errNotCommitted) || ok && broken.Op == "write"
}

// end gives the connection back, and tells everybody.
func (r *ride) end() {
	r.tx.end()
	r.cancel()
	close(r.over)
}
