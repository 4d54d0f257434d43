package store

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// travelTogether prepares what travels in company. With few lanes companies are large, and cost little; more of them are of use
// where several processors work for the database.
func (s *Store) travelTogether() {
	lanes := max(1, runtime.GOMAXPROCS(0)/2)
	s.reads = &company{free: lanes, travel: s.readTogether}
	s.commits = &company{free: lanes, travel: s.commitTogether}
	s.edits = &company{free: lanes, travel: s.rideTogether}
}

// lend runs fn with a connection.
func (s *Store) lend(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return pgxConn(conn, fn)
}

// readQuick sends reads that are quick.
func (s *Store) readQuick(ctx context.Context, list []statement) error {
	alone := func() error { return poolRunner{s, s.read}.run(ctx, list) }
	err := s.reads.run(ctx, &parcel{list: list, alone: alone})
	if errors.Is(err, errAlone) {
		return alone()
	}
	return err
}

// readTogether sends reads. What was read before one of them failed was read; and whoever got some of their rows only keeps the
// error, as rows cannot be given twice.
func (s *Store) readTogether(ctx context.Context, led []*parcel) {
	_ = s.lend(ctx, func(conn *pgx.Conn) error {
		results := s.sendBatch(ctx, conn, lists(led)...)
		for _, p := range led {
			err := readResults(results, p.list)
			if err == nil || slices.ContainsFunc(p.list, func(st statement) bool { return st.heard }) {
				p.err = err
			}
		}
		return results.Close()
	})
}

// commitAtOnce sends all that a transaction does, of which nothing was sent before. Guesses travel in company: what they
// change is complete, and is checked where it is written.
func (tx *Tx) commitAtOnce(all []statement) error {
	alone := func() error {
		if err := tx.connect(); err != nil {
			return err
		}
		return tx.raw.run(tx.ctx, all)
	}
	if tx.company == "" || !tx.try.company {
		return alone()
	}
	p := &parcel{list: all, class: tx.company, alone: alone}
	if tx.touched != nil {
		p.key = tx.touched.id
	}
	err := tx.s.commits.run(tx.ctx, p)
	if errors.Is(err, errAlone) {
		return alone()
	}
	return err
}

// commitTogether sends several transactions as one.
func (s *Store) commitTogether(ctx context.Context, led []*parcel) {
	err := s.lend(ctx, func(conn *pgx.Conn) error {
		return s.runBatch(ctx, conn, append([][]statement{impatient}, lists(led)...)...)
	})
	if err != nil {
		return
	}
	for _, p := range led {
		p.err = nil
	}
}

// impatient bounds how long the transaction waits for a lock.
var impatient = []statement{{sql: "SELECT set_config('lock_timeout', '" + strconv.FormatInt(patience.Milliseconds(), 10) + "', true)"}}

// lists gives what the parcels send. Settings that several hold are held once.
func lists(led []*parcel) [][]statement {
	held := map[any]bool{}
	all := make([][]statement, 0, len(led)+1)
	for _, p := range led {
		if len(p.list) > 0 && p.list[0].sql == lockSettings {
			settings := p.list[0].args[0]
			if held[settings] {
				p.list = p.list[1:]
			}
			held[settings] = true
		}
		all = append(all, p.list)
	}
	return all
}
