package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func feedCases() []testCase {
	return []testCase{
		{"a reader that pages while many write misses nothing and reads nothing twice", gapFree},
		{"two sequencers give no position twice", twoSequencers},
		{"many changes told at once keep their order and their data", tellMany},
		{"the feed gives the types asked for, and goes on behind the others", typesFilter},
		{"a position is never given again, though its entry is gone", positionsAreSpent},
		{"a waiting reader wakes when something is told", awaitChange},
		{"deactivations of an integration are counted since a time", countDeactivations},
	}
}

func tell(tx *store.Tx, org, subject string, n int) error {
	return tx.Tell(model.Change{
		OrganizationID: org, Type: model.AccountUpdated, SubjectType: "account", SubjectID: subject, Actor: "test",
	}, n)
}

// numbers are the entries of each subject, in the order read.
type numbers map[string][]int

func (seen numbers) add(t *testing.T, list []model.Change) {
	t.Helper()
	for _, c := range list {
		var n int
		if err := json.Unmarshal(c.Data, &n); err != nil {
			t.Fatal(err)
		}
		seen[c.SubjectID] = append(seen[c.SubjectID], n)
	}
}

// gapFree lets writers commit out of the order in which they inserted, which they do when each tells about its subject
// first and holds its transaction open for a while.
func gapFree(t *testing.T, s suite) {
	const writers, each = 8, 25
	ref := Ref(t, s.Store)
	org := ref.OrganizationID
	users := Users(t, s.Store, ref, writers)
	done, stop := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	seen, last := numbers{}, int64(0)
	read := func() {
		list, next, err := s.Changes(t.Context(), org, store.ChangeQuery{After: last, Limit: 7})
		if err != nil || next < last {
			t.Errorf("behind %d: next %d, %v", last, next, err)
		}
		for _, c := range list {
			if *c.Position <= last {
				t.Errorf("position %d behind %d", *c.Position, last)
			}
		}
		seen.add(t, list)
		last = next
	}
	reading.Go(func() {
		for done.Err() == nil && !t.Failed() {
			read()
		}
	})
	together(writers, func(w int) {
		for n := range each {
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.LockFacts(ref, users[w:w+1]); err != nil {
					return err
				}
				if err := tell(tx, org, users[w], n); err != nil {
					return err
				}
				for range rand.IntN(4) { // sends the entry, and takes a while
					if _, err := tx.CountDirectoryUsers(ref); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	stop()
	reading.Wait()
	for before := int64(-1); before != last; {
		before = last
		read()
	}
	for w, user := range users {
		if got := seen[user]; !slices.Equal(got, upTo(each)) {
			t.Errorf("writer %d: read %v, want 0 to %d in order", w, got, each-1)
		}
	}
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func twoSequencers(t *testing.T, s suite) {
	const writers, each = 4, 40
	org := Org(t, s.Store)
	stores := []*store.Store{s.Store, OpenURL(t, s.url)}
	done, stop := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	for _, reader := range stores {
		reading.Go(func() {
			for done.Err() == nil {
				if _, _, err := reader.Changes(t.Context(), org, store.ChangeQuery{Limit: 1}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	together(writers, func(w int) {
		for n := range each {
			err := stores[w%2].InTx(t.Context(), func(tx *store.Tx) error { return tell(tx, org, fmt.Sprint(w), n) })
			if err != nil {
				t.Error(err)
			}
		}
	})
	stop()
	reading.Wait()
	list, next, err := s.Changes(t.Context(), org, store.ChangeQuery{Limit: 2 * writers * each})
	if err != nil || len(list) != writers*each || next != int64(len(list)) {
		t.Fatalf("%d entries up to position %d, %v, want %d", len(list), next, err, writers*each)
	}
	for i, c := range list {
		if *c.Position != int64(i+1) {
			t.Fatalf("entry %d has position %d", i+1, *c.Position)
		}
	}
}

func tellMany(t *testing.T, s suite) {
	const n = 1500
	ref := Ref(t, s.Store)
	subjects, data := make([]string, n), make([]any, n)
	for i := range n {
		subjects[i], data[i] = fmt.Sprintf(`s'"%d`, i), map[string]any{"n": i, "text": `"é\` + "\u0000"}
	}
	at := s.Now()
	InTx(t, s.Store, func(tx *store.Tx) error {
		return errors.Join(
			tx.TellMany(model.Change{
				OrganizationID: ref.OrganizationID, IntegrationID: &ref.IntegrationID, Type: model.MembershipAdded, SubjectType: "membership",
			}, subjects, data),
			tx.TellMany(model.Change{OrganizationID: ref.OrganizationID}, nil, nil),
			tx.TellMany(model.Change{OrganizationID: ref.OrganizationID, Type: model.MembershipRemoved}, []string{"x"}, []any{nil}))
	})
	list, _, err := s.Changes(t.Context(), ref.OrganizationID, store.ChangeQuery{Limit: n + 2})
	if err != nil || len(list) != n+1 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	for i, c := range list[:n] {
		var got map[string]any
		if err := json.Unmarshal(c.Data, &got); err != nil {
			t.Fatal(err)
		}
		if c.SubjectID != subjects[i] || got["n"] != float64(i) || got["text"] != `"é\`+"\u0000" || *c.IntegrationID != ref.IntegrationID ||
			c.Type != model.MembershipAdded || c.OccurredAt.Before(at) {
			t.Fatalf("entry %d: %+v %s", i, c, c.Data)
		}
	}
	if c := list[n]; c.IntegrationID != nil || string(c.Data) != "null" || c.SubjectID != "x" {
		t.Errorf("the entry without integration and data: %+v", c)
	}
	if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.TellMany(model.Change{}, subjects, nil) }); err == nil {
		t.Error("subjects without data were told")
	}
}

func typesFilter(t *testing.T, s suite) {
	org, other := Org(t, s.Store), Org(t, s.Store)
	all := []model.ChangeType{
		model.AccountCreated, model.DirectoryUserCreated, model.AccountDeleted, model.RunStarted, "accountant.hired", model.DirectoryUserDeleted,
	}
	InTx(t, s.Store, func(tx *store.Tx) error {
		for _, at := range []string{org, other} {
			for _, kind := range all {
				if err := tx.Tell(model.Change{OrganizationID: at, Type: kind, SubjectID: at}, nil); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, c := range []struct {
		types []string
		want  []model.ChangeType
	}{
		{nil, all},
		{[]string{"account.*"}, []model.ChangeType{model.AccountCreated, model.AccountDeleted}},
		{[]string{"account.deleted", "run.*"}, []model.ChangeType{model.AccountDeleted, model.RunStarted}},
		{[]string{"directory_user.created"}, []model.ChangeType{model.DirectoryUserCreated}},
		{[]string{"directory%.*", "account_*", "none", "*"}, nil},
	} {
		var got []model.ChangeType
		after := int64(0)
		for range all {
			list, next, err := s.Changes(t.Context(), org, store.ChangeQuery{After: after, Types: c.types, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range list {
				got = append(got, change.Type)
				if change.SubjectID != org {
					t.Errorf("an entry of another organization: %+v", change)
				}
			}
			after = next
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("types %v give %v, want %v", c.types, got, c.want)
		}
		if rest, next, err := s.Changes(t.Context(), org, store.ChangeQuery{After: after, Types: c.types, Limit: 1}); err != nil ||
			len(rest) != 0 || next < int64(len(all)) {
			t.Errorf("types %v: behind the last entry come %v, next %d, %v", c.types, rest, next, err)
		}
	}
}

func positionsAreSpent(t *testing.T, s suite) {
	org, other := Org(t, s.Store), Org(t, s.Store)
	next := func(want int64) {
		t.Helper()
		list, at, err := s.Changes(t.Context(), org, store.ChangeQuery{After: want - 1, Limit: 10})
		if err != nil || len(list) != 1 || *list[0].Position != want || at < want {
			t.Errorf("%+v up to %d, %v, want one entry at %d", list, at, err, want)
		}
	}
	InTx(t, s.Store, func(tx *store.Tx) error { return errors.Join(tell(tx, org, "a", 1), tell(tx, other, "b", 1)) })
	next(1)
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.DeleteOrganization(other) })
	InTx(t, s.Store, func(tx *store.Tx) error { return tell(tx, org, "a", 2) })
	next(3)
}

func awaitChange(t *testing.T, s suite) {
	org := Org(t, s.Store)
	woken := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		s.AwaitChange(ctx, time.Hour)
		close(woken)
	}()
	for {
		InTx(t, s.Store, func(tx *store.Tx) error { return tell(tx, org, "a", 1) })
		select {
		case <-woken:
			if ctx.Err() != nil {
				t.Error("nothing woke the reader")
			}
			return
		default: // it does not wait yet
		}
	}
}

func countDeactivations(t *testing.T, s suite) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	ref, other := Ref(t, s2), Ref(t, s2)
	for range 5 {
		InTx(t, s2, func(tx *store.Tx) error {
			return errors.Join(
				tx.Tell(model.Change{OrganizationID: ref.OrganizationID, IntegrationID: &ref.IntegrationID, Type: model.AccountWasDeactivated}, nil),
				tx.Tell(model.Change{OrganizationID: ref.OrganizationID, IntegrationID: &ref.IntegrationID, Type: model.AccountUpdated}, nil))
		})
		now = now.Add(time.Minute)
	}
	since := time.Date(2026, 3, 1, 13, 1, 0, 0, time.FixedZone("CET", 3600))
	for _, c := range []struct {
		ref   model.Ref
		limit int
		want  int
	}{{ref, 100, 3}, {ref, 2, 2}, {other, 100, 0}} {
		if n, err := s2.Read(t.Context()).CountPushedDeactivations(c.ref, since, c.limit); err != nil || n != c.want {
			t.Errorf("deactivations of %v: %d, %v, want %d", c.ref, n, err, c.want)
		}
	}
}
