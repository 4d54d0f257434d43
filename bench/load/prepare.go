package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"usher/bench/entra"
)

// loaders is how many requests are under way while loading.
const loaders = 16

// loadBatch is the number of members per PATCH while loading.
const loadBatch = 1000

// Loaded says how long the loading took.
type Loaded struct {
	Users, Memberships        int
	UsersTook, MembershipTook time.Duration
}

// Prepare loads the plan's users, groups and memberships through SCIM. It stops at
// the first failure, because everything later rests on it.
func (s *Session) Prepare(ctx context.Context) (Loaded, error) {
	var loaded Loaded
	var err error
	if s.before, err = s.totalUsers(ctx); err != nil {
		return loaded, fmt.Errorf("count the users there are: %w", err)
	}
	start := time.Now()
	err = inParallel(ctx, len(s.ids), func(ctx context.Context, i int) error {
		body, err := s.perform(ctx, post("/Users", s.tenant.User(i)))
		s.ids[i] = idOf(body)
		return err
	})
	loaded.Users, loaded.UsersTook = len(s.ids), time.Since(start)
	if err != nil {
		return loaded, fmt.Errorf("load users: %w", err)
	}
	groups := s.allGroups()
	err = inParallel(ctx, len(groups), func(ctx context.Context, i int) error {
		body, err := s.perform(ctx, post("/Groups", s.tenant.Group(groups[i].name)))
		groups[i].id = idOf(body)
		return err
	})
	if err != nil {
		return loaded, fmt.Errorf("load groups: %w", err)
	}
	start = time.Now()
	// A group's own additions come one after the other, as from Entra.
	err = inParallel(ctx, len(groups), func(ctx context.Context, i int) error { return s.fill(ctx, groups[i]) })
	for _, group := range groups {
		loaded.Memberships += group.loaded.high - group.loaded.low
	}
	loaded.MembershipTook = time.Since(start)
	if err != nil {
		return loaded, fmt.Errorf("load members: %w", err)
	}
	return loaded, nil
}

func (s *Session) fill(ctx context.Context, g *group) error {
	for low := g.loaded.low; low < g.loaded.high; low += loadBatch {
		ids := s.ids[low:min(low+loadBatch, g.loaded.high)]
		if _, err := s.perform(ctx, patch(entra.Group(g.id), s.dialect.Add(ids...))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) totalUsers(ctx context.Context) (int, error) {
	body, err := s.perform(ctx, get(entra.Page(1, 1), nil))
	if err != nil {
		return 0, err
	}
	list, err := decodeList(body)
	if err != nil {
		return 0, err
	}
	return *list.TotalResults, nil
}

// inParallel calls do for every number below count, and returns the first error.
func inParallel(ctx context.Context, count int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range loaders {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err) // the first cause stays
					return
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// Samples that are read back at the end.
const (
	samplesOfUsers   = 200
	samplesOfCreated = 100
	samplesOfGroups  = 40
)

// Verify reads back what the target acknowledged, and records each difference as
// a failure: users in their last state, created users once each, the number of
// users, and the members of groups one by one.
func (s *Session) Verify(ctx context.Context) {
	const operation = "read back: "
	s.note(operation+"number of users", s.verifyTotal(ctx))
	var written []int
	for number := range s.people {
		if s.people[number].written && !s.people[number].uncertain {
			written = append(written, number)
		}
	}
	s.readBack(ctx, operation+"changed users", len(written), samplesOfUsers, func(ctx context.Context, i int) error {
		number := written[i]
		_, err := s.perform(ctx, get(entra.User(s.ids[number]), likeLedger(s.people[number])))
		return err
	})
	s.readBack(ctx, operation+"created users", len(s.created), samplesOfCreated, func(ctx context.Context, i int) error {
		_, err := s.perform(ctx, get(entra.ByUserName(s.tenant.Person(s.created[i].number).UserName), found(1)))
		return err
	})
	s.readBack(ctx, operation+"members of ordinary groups", len(s.ordinary), samplesOfGroups, func(ctx context.Context, i int) error {
		return s.verifyMembers(ctx, s.ordinary[i])
	})
	others := s.allGroups()[len(s.ordinary):] // all of them: each was written to the whole time
	s.readBack(ctx, operation+"members of sized groups", len(others), len(others), func(ctx context.Context, i int) error {
		return s.verifyMembers(ctx, others[i])
	})
}

// readBack judges an even sample of count things.
func (s *Session) readBack(ctx context.Context, operation string, count, samples int, judge func(context.Context, int) error) {
	samples = min(samples, count)
	err := inParallel(ctx, samples, func(ctx context.Context, i int) error {
		err := judge(ctx, i*count/samples)
		if ctx.Err() == nil {
			s.note(operation, err)
		}
		return nil // the others are judged all the same
	})
	if err != nil {
		s.note(operation, err)
	}
}

func (s *Session) verifyTotal(ctx context.Context) error {
	total, err := s.totalUsers(ctx)
	if err != nil {
		return err
	}
	least := s.before + len(s.ids) + len(s.created)
	if total < least || total > least+s.unclear {
		return fmt.Errorf("%d users; %d were acknowledged, and %d creations got no clear answer", total, least, s.unclear)
	}
	return nil
}

func (s *Session) verifyMembers(ctx context.Context, g *group) error {
	_, err := s.perform(ctx, get(entra.Group(g.id), s.showsMembers(g)))
	return err
}

// showsMembers wants a group with exactly the members that were acknowledged.
func (s *Session) showsMembers(g *group) check {
	return func(body []byte) error {
		var read struct{ Members []struct{ Value string } }
		if err := json.Unmarshal(body, &read); err != nil {
			return errors.Join(errors.New("read the members"), err)
		}
		shown := make([]string, len(read.Members))
		for i, member := range read.Members {
			shown[i] = member.Value
		}
		return g.compare(shown, s.ids)
	}
}
