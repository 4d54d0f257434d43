package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"usher/bench/entra"
	"usher/bench/load"
	"usher/bench/meter"
	"usher/bench/report"
)

// sampleEvery is how often memory and progress are looked at during a run.
const sampleEvery = 50 * time.Millisecond

// reevaluate pushes people into an Usher of its own, with everybody in a group
// that gives a role, and has all of them decided about again: first with nothing
// to change, then with another role for everybody.
func (b *bench) reevaluate(ctx context.Context) (report.Reevaluation, error) {
	var result report.Reevaluation
	plan := load.Plan{
		Users: b.options.users, Groups: b.options.groups, Workers: 1, Mapped: 1,
		Members: (b.options.users-1)/b.options.groups + 1,
	}
	if err := plan.Validate(); err != nil {
		return result, err
	}
	tag := newTag()
	server, err := b.startUsher(ctx, plan, tag)
	if err != nil {
		return result, err
	}
	subject, loaded, err := b.prepare(ctx, server, tag, plan)
	if err != nil {
		return result, err
	}
	result.Loaded = loaded
	for _, step := range []struct {
		what  string
		start func(context.Context) (string, error)
	}{
		{"nothing changes", server.usher.startReevaluation},
		{"everybody gets another role", func(ctx context.Context) (string, error) {
			return server.usher.changeMappings(ctx, plan, entra.Tenant{Tag: tag})
		}},
	} {
		b.say("re-evaluating %d people: %s", plan.Users, step.what)
		followed, err := server.follow(ctx, step.start)
		if err != nil {
			return result, fmt.Errorf("%s: %w", step.what, err)
		}
		followed.What, followed.People = step.what, plan.Users
		result.Runs = append(result.Runs, followed)
	}
	subject.session.Verify(ctx)
	for _, failure := range subject.session.Failures() {
		result.Failed = append(result.Failed, fmt.Sprintf("%s: %d, such as %s", failure.Operation, failure.Count, failure.Samples[0]))
	}
	result.Facts = b.facts()
	return result, ctx.Err()
}

// startReevaluation starts a run and returns its id.
func (u *usher) startReevaluation(ctx context.Context) (string, error) {
	var started struct{ ID string }
	err := u.call(ctx, http.MethodPost, u.integration+"/reevaluations", nil, &started)
	return started.ID, err
}

// changeMappings has all mapped groups give the second role, and returns the run
// that Usher starts because of it.
func (u *usher) changeMappings(ctx context.Context, plan load.Plan, tenant entra.Tenant) (string, error) {
	before, err := u.newestRun(ctx)
	if err != nil {
		return "", err
	}
	if err := u.mapGroups(ctx, plan, tenant, secondRole); err != nil {
		return "", err
	}
	after, err := u.newestRun(ctx)
	if err == nil && after == before {
		err = errors.New("a change of mappings started no run")
	}
	return after, err
}

func (u *usher) newestRun(ctx context.Context) (string, error) {
	var list struct{ Data []struct{ ID string } }
	if err := u.call(ctx, http.MethodGet, "/runs?kind=reevaluation&limit=1", nil, &list); err != nil {
		return "", err
	}
	if len(list.Data) == 0 {
		return "", nil
	}
	return list.Data[0].ID, nil
}

// follow starts a run and watches it and the server's memory until it ends.
func (s *server) follow(ctx context.Context, start func(context.Context) (string, error)) (report.Run, error) {
	watched := report.Run{}
	watched.Before, _, _ = meter.Memory(s.program.command.Process.Pid) // 0 where it cannot be seen
	peak, stop := s.watchMemory()
	defer stop()
	began := time.Now()
	id, err := start(ctx)
	if err != nil {
		return watched, err
	}
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	last := -1
	for {
		var run struct {
			State    string
			Progress struct{ Done, Total int }
			Error    string
		}
		if err := s.usher.call(ctx, http.MethodGet, "/runs/"+id, nil, &run); err != nil {
			return watched, err
		}
		if run.Progress.Done != last {
			last = run.Progress.Done
			watched.Updates++
		}
		switch run.State {
		case "succeeded":
			watched.Took, watched.Peak = time.Since(began), peak.Load()
			return watched, nil
		case "queued", "running":
		default:
			return watched, fmt.Errorf("the run ended %s: %s", run.State, run.Error)
		}
		select {
		case <-ctx.Done():
			return watched, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// watchMemory samples the server's memory until stop is called. The kernel's own
// peak would include the loading.
func (s *server) watchMemory() (peak *atomic.Int64, stop func()) {
	peak = &atomic.Int64{}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(sampleEvery)
		defer ticker.Stop()
		for {
			if resident, _, err := meter.Memory(s.program.command.Process.Pid); err == nil {
				peak.Store(max(peak.Load(), resident))
			}
			select {
			case <-end:
				return
			case <-ticker.C:
			}
		}
	}()
	return peak, func() { close(end); <-ended }
}
