package calendarbridge

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"usher/model"
	"usher/model/outlook"
)

func ptr[T any](v T) *T { return &v }

// wish is a change of the application's, made when the event was as given.
func wish(before model.Event, f Fields) pending {
	n := testNormalizer()
	p := pending{write: model.EventWrite{ID: "w", Op: model.WriteUpdate, ChangeKey: before.ChangeKey}, fields: f, base: map[field]string{}}
	values := n.values(before)
	for _, name := range f.sets() {
		p.base[name] = values[name]
	}
	return p
}

func TestMerge(t *testing.T) {
	before := normal(t, standUp())
	before.ID, before.Origin = "e1", model.OriginUsher
	renamed := before
	renamed.Subject, renamed.SyncState = "Ours", model.EventPending
	retitle := wish(before, Fields{Subject: ptr("Ours")})
	off := pending{write: model.EventWrite{ID: "w", Op: model.WriteDelete, ChangeKey: "k1"}}
	key := func(k string) func(*outlook.Event) { return func(e *outlook.Event) { e.ChangeKey = k } }
	subject := func(s string) func(*outlook.Event) { return func(e *outlook.Event) { e.Subject = s } }
	place := func(e *outlook.Event) { e.Location.DisplayName = "Room 1" }
	for _, tt := range []struct {
		name      string
		local     *model.Event
		pending   []pending
		replaced  []string
		remote    outlook.Event
		want      action
		subject   string
		left      int // changes still to be sent
		conflicts []field
	}{
		{name: "unknown", remote: standUp(), want: insert, subject: "Stand-up"},
		{name: "known", local: &before, remote: standUp(), want: keep, subject: "Stand-up"},
		{name: "bumped by the server", local: &before, remote: standUp(key("k2")), want: bump, subject: "Stand-up"},
		{name: "changed in Outlook", local: &before, remote: standUp(key("k2"), subject("Theirs")), want: take, subject: "Theirs"},
		{name: "our change waits, nothing new", local: &renamed, pending: []pending{retitle}, remote: standUp(), want: keep, subject: "Ours", left: 1},
		{name: "our change waits, bumped", local: &renamed, pending: []pending{retitle}, remote: standUp(key("k2")), want: bump, subject: "Ours", left: 1},
		{name: "another field changed in Outlook", local: &renamed, pending: []pending{retitle}, remote: standUp(key("k2"), place), want: take, subject: "Ours", left: 1},
		{name: "the same field changed in Outlook", local: &renamed, pending: []pending{retitle}, remote: standUp(key("k2"), subject("Theirs")), want: take, subject: "Theirs", conflicts: []field{fieldSubject}},
		{name: "our change arrived, its answer was lost", local: &renamed, pending: []pending{retitle}, remote: standUp(key("k2"), subject("Ours")), want: take, subject: "Ours"},
		{name: "a page from before our change", local: ptr(func() model.Event { e := renamed; e.ChangeKey = "k2"; e.Hash = "x"; return e }()), replaced: []string{"k1"}, remote: standUp(), want: keep, subject: "Ours"},
		{name: "called off here, changed there", local: &before, pending: []pending{off}, remote: standUp(key("k2"), subject("Theirs")), want: take, subject: "Theirs", left: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := testNormalizer().merge(meeting{tt.local, tt.pending, tt.replaced, normal(t, tt.remote)})
			if out.action != tt.want || out.event.Subject != tt.subject || !slices.Equal(out.conflicts, tt.conflicts) {
				t.Errorf("got %d %q %v", out.action, out.event.Subject, out.conflicts)
			}
			left := 0
			for _, p := range out.pending {
				if !p.done {
					left++
					if out.action != keep && p.write.ChangeKey != tt.remote.ChangeKey {
						t.Errorf("what is left is sent with the key %q", p.write.ChangeKey)
					}
				}
			}
			if left != tt.left {
				t.Errorf("%d changes are left", left)
			}
			if tt.local != nil && (out.event.ID != "e1" || out.event.Origin != model.OriginUsher) {
				t.Errorf("lost who it is: %+v", out.event)
			}
			if pendingLeft := out.event.SyncState == model.EventPending; out.action == take && pendingLeft != (tt.left > 0) {
				t.Errorf("is %s with %d changes left", out.event.SyncState, left)
			}
		})
	}
}

// TestMergeOfTwoChanges: the second change of a field stands on the first one, which is no change of Outlook's.
func TestMergeOfTwoChanges(t *testing.T) {
	before := normal(t, standUp())
	first := wish(before, Fields{Subject: ptr("One")})
	mid := before
	mid.Subject = "One"
	second := wish(mid, Fields{Subject: ptr("Two")})
	local := mid
	local.Subject = "Two"
	out := testNormalizer().merge(meeting{local: &local, pending: []pending{first, second}, remote: normal(t, standUp(func(e *outlook.Event) {
		e.ChangeKey, e.ShowAs = "k2", "oof"
	}))})
	if out.event.Subject != "Two" || out.event.ShowAs != "oof" || len(out.conflicts) != 0 || out.pending[0].done || out.pending[1].done {
		t.Errorf("got %q %v %+v", out.event.Subject, out.conflicts, out.pending)
	}
}

// TestMergeConverges draws changes on both sides: once what is left has been sent, both sides are the same; a field that one
// side alone changed has that side's value; and what comes twice changes nothing.
func TestMergeConverges(t *testing.T) {
	n := testNormalizer()
	words := rapid.SampledFrom([]string{"A", "B", "C", ""})
	rapid.Check(t, func(t *rapid.T) {
		build := func(subject, place, show string, key string) model.Event {
			e, err := n.event(model.Calendar{}, standUp(func(e *outlook.Event) {
				e.Subject, e.Location.DisplayName, e.ShowAs, e.ChangeKey = subject, place, show, key
			}))
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		shows := rapid.SampledFrom([]string{"busy", "free", "oof"})
		base := build(words.Draw(t, "s0"), words.Draw(t, "p0"), shows.Draw(t, "b0"), "k0")
		base.ID = "e"
		remote := build(words.Draw(t, "s1"), words.Draw(t, "p1"), shows.Draw(t, "b1"), "k1")
		f := Fields{}
		if rapid.Bool().Draw(t, "sets subject") {
			f.Subject = ptr(words.Draw(t, "s2"))
		}
		if rapid.Bool().Draw(t, "sets place") {
			f.Location = ptr(words.Draw(t, "p2"))
		}
		local := base
		f.apply(&local)
		out := n.merge(meeting{local: &local, pending: []pending{wish(base, f)}, remote: remote})
		sent := remote
		for _, p := range out.pending {
			if !p.done {
				p.fields.apply(&sent)
			}
		}
		if d := n.differences(sent, out.event); len(d) != 0 {
			t.Fatalf("after sending both sides differ in %v: %+v and %+v", d, sent, out.event)
		}
		if f.Subject != nil && base.Subject == remote.Subject && out.event.Subject != *f.Subject {
			t.Fatalf("our subject %q was lost to %q", *f.Subject, out.event.Subject)
		}
		if base.Location != remote.Location && out.event.Location != remote.Location {
			t.Fatalf("Outlook's place %q was lost to %q", remote.Location, out.event.Location)
		}
		again := n.merge(meeting{local: &out.event, pending: out.pending, remote: remote})
		if again.action != keep {
			t.Fatalf("the same page again is taken: %d", again.action)
		}
	})
}
