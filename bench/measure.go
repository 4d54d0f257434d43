package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"usher/bench/load"
	"usher/bench/meter"
	"usher/bench/report"
	"usher/bench/stats"
)

// subject is a server and the session with it.
type subject struct {
	*server
	session *load.Session
	rounds  map[key][]stats.Round
}

// key is a row of a table.
type key struct {
	concurrency int
	operation   string
}

// measure loads the servers and measures every operation against each in turns.
func (b *bench) measure(ctx context.Context) (report.Load, error) {
	result := report.Load{WithFloor: !b.options.skipFloor, Statements: "statements"}
	if !b.options.noGo {
		var err error
		if result.Benchmarks, err = b.goBenchmarks(ctx); err != nil {
			return result, err
		}
	}
	plan := b.options.plan()
	tag := newTag()
	servers, err := b.servers(ctx, plan, tag)
	if err != nil {
		return result, err
	}
	var subjects []*subject
	for _, server := range servers {
		subject, loaded, err := b.prepare(ctx, server, tag, plan)
		if err != nil {
			return result, err
		}
		subjects = append(subjects, subject)
		result.Loaded = append(result.Loaded, loaded)
	}
	operations := slices.DeleteFunc(load.Operations(plan), func(o load.Operation) bool { return !b.options.has(o.Phase) })
	others := meter.Others(b.cluster)
	if err := b.rounds(ctx, subjects, operations); err != nil {
		return result, err
	}
	share, known := others()
	for i, subject := range subjects {
		b.say("reading back from %s", subject.name)
		subject.session.Verify(ctx)
		if failures := subject.session.Failures(); len(failures) > 0 {
			result.Failures = append(result.Failures, report.Failures{Name: subject.name, Failures: failures})
		}
		if subject.program != nil {
			// Not known on every system, and then the report says so.
			_, result.Loaded[i].Peak, _ = meter.Memory(subject.program.command.Process.Pid)
		}
	}
	result.Facts, result.Target = b.facts(), subjects[0].name
	result.Notes = append(b.options.notes, otherWork(share, known)...)
	if b.cluster != nil && !b.cluster.Exact {
		result.Statements = "transactions"
		result.Notes = append(result.Notes, meter.Extension+" is not installed: transactions are counted, about once a second, in place of statements.")
	}
	b.tabulate(&result, subjects, operations)
	return result, ctx.Err()
}

func (b *bench) prepare(ctx context.Context, server *server, tag string, plan load.Plan) (*subject, report.Loaded, error) {
	loaded := report.Loaded{Name: server.name}
	session, err := load.Open(server.base, server.token, tag, b.options.dialect(), plan)
	if err != nil {
		return nil, loaded, err
	}
	b.say("loading %d users into %s", plan.Users, server.name)
	if loaded.Loaded, err = session.Prepare(ctx); err != nil {
		return nil, loaded, fmt.Errorf("%s: %w", server.name, err)
	}
	if server.databaseURL != "" {
		err = b.cluster.Tidy(ctx, server.databaseURL)
	}
	return &subject{server: server, session: session, rounds: map[key][]stats.Round{}}, loaded, err
}

// rounds measures each operation on one server right after the other, so that
// what else the machine does falls on both, and swaps their order from round to
// round.
func (b *bench) rounds(ctx context.Context, subjects []*subject, operations []load.Operation) error {
	order := slices.Clone(subjects)
	for round := range b.options.rounds {
		for _, concurrency := range b.options.concurrency {
			b.say("round %d of %d, concurrency %d", round+1, b.options.rounds, concurrency)
			for _, operation := range operations {
				for _, subject := range order {
					if round == 0 {
						// Opens connections, and lets the server prepare its statements.
						subject.session.Run(ctx, operation, concurrency, b.options.duration/4)
						subject.session.Settle(ctx, operation)
					}
					if err := subject.once(ctx, operation, concurrency, b.options.duration); err != nil {
						return err
					}
				}
			}
		}
		slices.Reverse(order)
	}
	return ctx.Err()
}

// once measures an operation for one round.
func (s *subject) once(ctx context.Context, operation load.Operation, concurrency int, duration time.Duration) error {
	before, metered, err := s.read(ctx)
	if err != nil {
		return err
	}
	round := s.session.Run(ctx, operation, concurrency, duration)
	after, _, err := s.read(ctx)
	if err != nil {
		return err
	}
	round.Metered = metered
	round.CPU, round.Statements = after.CPU-before.CPU, after.Statements-before.Statements
	s.session.Settle(ctx, operation)
	row := key{concurrency, operation.Name}
	s.rounds[row] = append(s.rounds[row], round)
	return nil
}

// read returns the server's counters, and whether it has any.
func (s *subject) read(ctx context.Context) (meter.Reading, bool, error) {
	if s.probe == nil || !s.probe.Visible() {
		return meter.Reading{}, false, nil
	}
	reading, err := s.probe.Read(ctx)
	if err != nil && s.program != nil {
		select {
		case <-s.program.ended:
			err = fmt.Errorf("%s ended by itself: %w: %s", s.name, err, s.program.tail())
		default:
		}
	}
	return reading, true, err
}

func (b *bench) tabulate(result *report.Load, subjects []*subject, operations []load.Operation) {
	for _, concurrency := range b.options.concurrency {
		table := report.Table{Concurrency: concurrency}
		rows := map[string]report.Row{}
		for _, operation := range operations {
			row := report.Row{Operation: operation.Name}
			row.Target = stats.Summarize(subjects[0].rounds[key{concurrency, operation.Name}])
			if len(subjects) > 1 {
				row.Floor = stats.Summarize(subjects[1].rounds[key{concurrency, operation.Name}])
			}
			rows[operation.Name] = row
			table.Rows = append(table.Rows, row)
		}
		result.Tables = append(result.Tables, table)
		if sizes := b.options.sizes; len(sizes) > 1 && b.options.has(load.PhaseMembers) {
			small, large := sizes[0], sizes[len(sizes)-1]
			few, many := rows[load.MemberOperation(small)], rows[load.MemberOperation(large)]
			result.Flatness = append(result.Flatness, report.Flatness{
				Concurrency: concurrency, Small: small, Large: large,
				Target: stats.Ratio(float64(many.Target.P50), float64(few.Target.P50)),
				Floor:  stats.Ratio(float64(many.Floor.P50), float64(few.Floor.P50)),
			})
		}
	}
}
