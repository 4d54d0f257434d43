package calendarbridge

import (
	"slices"

	"usher/model"
)

// action says what becomes of a stored event when Microsoft 365 tells of it.
type action int

const (
	keep   action = iota // nothing that matters is new: it is our own change coming back, an old state, or one that is known
	bump                 // its contents are the same under another change key
	insert               // it was not known
	take                 // Outlook changed it
)

// pending is a change of the application's that is not known to have arrived, with what its fields were before it.
type pending struct {
	write  model.EventWrite
	fields Fields
	base   map[field]string
	done   bool // nothing is left to be sent
}

// meeting is what merge is given: what is stored, nil where nothing is; the changes that are under way, oldest first; the
// change keys that an own change of the last hour replaced; and what Microsoft 365 says now.
type meeting struct {
	local    *model.Event
	pending  []pending
	replaced []string
	remote   model.Event
}

// outcome is what merge decides: the event as it is to be stored, and the pending changes as they are to be sent.
type outcome struct {
	action    action
	event     model.Event
	pending   []pending
	changed   []field // in which the stored event differs from what was stored
	conflicts []field // that both sides set; Outlook's stand
}

// merge decides what is stored of an event. Both sides are compared with what Microsoft 365 last had: a field that the
// application alone set stays, and is sent; one that Outlook set is Outlook's. It decides by states, not by what was told
// when, so that it comes to the same result whatever comes twice, late or in another order.
func (n normalizer) merge(m meeting) outcome {
	remote := m.remote
	if m.local == nil {
		remote.Whole = nil
		return outcome{action: insert, event: remote}
	}
	local := *m.local
	out := outcome{event: local, pending: m.pending}
	known := remote.ChangeKey == local.ChangeKey && local.ChangeKey != ""
	switch {
	case slices.Contains(m.replaced, remote.ChangeKey) && remote.ChangeKey != "" && !known:
		return out // a page that lags behind our own change
	case known && (remote.Hash == local.Hash || remote.SeriesGraphID == "" && local.Kind == remote.Kind): // a part of a series may change with it alone
		return out
	case remote.Hash == local.Hash && (remote.Whole == nil || len(m.pending) == 0): // of a private one the hash says too little
		out.action, out.event.ChangeKey = bump, remote.ChangeKey
		out.pending = rekey(m.pending, remote.ChangeKey)
		return out
	}
	return n.over(local, m.pending, remote)
}

// over puts the pending changes on top of what Microsoft 365 has.
func (n normalizer) over(local model.Event, list []pending, remote model.Event) outcome {
	out := outcome{action: take, event: n.adopt(local, remote)}
	if ending(list) { // it is about to go; what goes is told by its latest key
		out.event.Status, out.event.SyncState = local.Status, model.EventPending
		out.pending = rekey(list, remote.ChangeKey)
	} else {
		out.pending, out.conflicts = n.rebase(list, remote)
		for i := range out.pending {
			if p := &out.pending[i]; !p.done && p.write.Op == model.WriteUpdate {
				p.fields.apply(&out.event)
				out.event.SyncState = model.EventPending
			}
		}
	}
	out.changed = n.differences(local, out.event)
	return out
}

// adopt gives the stored event the contents of Microsoft 365, and leaves it what the store alone knows.
func (n normalizer) adopt(local, remote model.Event) model.Event {
	e := remote
	e.Whole = nil
	e.ID, e.Origin, e.CreatedAt, e.Version, e.Round = local.ID, local.Origin, local.CreatedAt, local.Version, local.Round
	e.SeriesID = local.SeriesID
	e.TransactionID = orElse(remote.TransactionID, local.TransactionID)
	// Exchange gives a zone back under the name that Windows has for it, which stands for several of IANA's.
	if e.Start.DateTime == local.Start.DateTime && e.Start.UTC.Equal(local.Start.UTC) {
		e.Start.TimeZone = local.Start.TimeZone
	}
	if e.End.DateTime == local.End.DateTime && e.End.UTC.Equal(local.End.UTC) {
		e.End.TimeZone = local.End.TimeZone
	}
	return e
}

// rebase puts the pending changes on top of a state of Microsoft 365's. A field that has arrived, or that Outlook changed
// as well, is taken out. What is never kept of a private event is compared all the same, as it comes; nobody knows what it was
// before, so that the application's word stands.
func (n normalizer) rebase(list []pending, remote model.Event) (out []pending, conflicts []field) {
	state := remote // as the changes before this one will have made it
	if remote.Whole != nil {
		state = *remote.Whole
	}
	for _, p := range list {
		if p.write.Op != model.WriteUpdate {
			out = append(out, p)
			continue
		}
		wanted, has := state, n.values(state)
		p.fields.put(&wanted)
		wants := n.values(wanted)
		base := map[field]string{}
		for _, f := range p.fields.sets() {
			was, knew := p.base[f]
			switch {
			case has[f] == wants[f]:
				p.fields.drop(f)
			case knew && has[f] != was:
				p.fields.drop(f)
				conflicts = append(conflicts, f)
			case remote.Whole != nil && masked(f): // what it says is not kept here either
			default:
				base[f] = has[f]
			}
		}
		p.base, p.done = base, len(p.fields.sets()) == 0
		p.write.ChangeKey = remote.ChangeKey
		p.fields.put(&state)
		out = append(out, p)
	}
	return out, conflicts
}

func rekey(list []pending, key string) []pending {
	out := slices.Clone(list)
	for i := range out {
		out[i].write.ChangeKey = key
	}
	return out
}

// ending says whether the application has called the event off.
func ending(list []pending) bool {
	return slices.ContainsFunc(list, func(p pending) bool { return p.write.Op == model.WriteCancel || p.write.Op == model.WriteDelete })
}
