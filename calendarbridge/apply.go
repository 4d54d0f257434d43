package calendarbridge

import (
	"encoding/json"
	"slices"

	"usher/model"
	"usher/model/store"
)

// told is what the change feed says of an event.
type told struct {
	CalendarID string          `json:"calendar_id"`
	ICalUID    string          `json:"ical_uid,omitempty"`
	Kind       model.EventKind `json:"kind"`
	Reason     string          `json:"reason,omitempty"`
	Fields     []field         `json:"fields,omitempty"`
}

// tell appends to the change feed what happened to an event.
func tell(tx *store.Tx, actor string, what model.ChangeType, e *model.Event, reason string, changed []field) error {
	return tx.Tell(model.Change{
		OrganizationID: e.OrganizationID, IntegrationID: &e.IntegrationID, Type: what, SubjectType: "event", SubjectID: e.ID, Actor: actor,
	}, told{e.CalendarID, e.ICalUID, e.Kind, reason, changed})
}

// apply stores a page with the link behind it in one transaction, which may run several times.
func (w *work) apply(got loaded) error {
	var stored, dropped int
	err := w.Store.InTx(w.ctx, func(tx *store.Tx) error {
		a := &applying{work: w, tx: tx, round: w.cal.Sync.Round, at: map[string]int{}, left: map[string]bool{}}
		if err := a.read(got); err != nil {
			return err
		}
		for i := range got.events {
			if err := a.one(got.events[i]); err != nil {
				return err
			}
		}
		if err := a.write(got); err != nil {
			return err
		}
		stored, dropped = len(a.fresh)+a.changed, len(a.kept)
		return tx.SaveSync(&w.cal, w.lease)
	})
	if err != nil {
		return err
	}
	w.Observe(EventStored, stored)
	w.Observe(EventDropped, dropped)
	return nil
}

// applying is one transaction that stores events.
type applying struct {
	*work
	tx      *store.Tx
	round   int64
	local   map[string]model.Event       // by Graph's id
	pending map[string][]pending         // by our id
	old     map[string][]string          // change keys that own changes replaced, by our id
	ids     map[string]string            // our id of a series, by Graph's
	origin  map[string]model.EventOrigin // of a series, by Graph's id
	fresh   []model.Event
	altered []model.Event
	at      map[string]int // our id of one that is altered: where it stands
	kept    []string
	changed int
	left    map[string]bool // our ids of events that were removed
}

// read finds what is stored of the events: by Graph's id, and where the answer to our creation was lost, by our own.
func (a *applying) read(got loaded) error {
	var ids []string
	for i := range got.events {
		ids = append(ids, got.events[i].GraphID, got.events[i].SeriesGraphID)
	}
	for id := range got.gone {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	var err error
	if a.local, err = a.tx.EventsByGraphID(a.cal, ids); err != nil {
		return err
	}
	for i := range got.events {
		if err := a.claim(&got.events[i]); err != nil {
			return err
		}
	}
	a.ids, a.origin = map[string]string{}, map[string]model.EventOrigin{}
	var own []string
	for id, e := range a.local {
		own = append(own, e.ID)
		a.ids[id], a.origin[id] = e.ID, e.Origin
	}
	slices.Sort(own)
	return a.readWrites(own)
}

// claim recognizes an event that the application made and whose creation has no answer yet: its transaction id is our id.
func (a *applying) claim(remote *model.Event) error {
	if _, ok := a.local[remote.GraphID]; ok || !store.ValidID(remote.TransactionID) || remote.SeriesGraphID != "" {
		return nil
	}
	mine, err := a.tx.LockEvent(a.cal.OrganizationID, remote.TransactionID)
	if err != nil {
		return ignoreMissing(err)
	}
	if mine.CalendarID == a.cal.ID && mine.GraphID == "" {
		a.local[remote.GraphID] = mine
	}
	return nil
}

func (a *applying) readWrites(own []string) error {
	a.pending, a.old = map[string][]pending{}, map[string][]string{}
	list, err := a.tx.WritesOfEvents(a.cal, own)
	if err != nil {
		return err
	}
	for _, write := range list {
		if write.Done {
			if write.ChangeKey != "" {
				a.old[write.EventID] = append(a.old[write.EventID], write.ChangeKey)
			}
			continue
		}
		p, err := decodePending(write)
		if err != nil {
			return err
		}
		a.pending[write.EventID] = append(a.pending[write.EventID], p)
	}
	return nil
}

func decodePending(write model.EventWrite) (pending, error) {
	p := pending{write: write, base: map[field]string{}}
	var err error
	if p.fields, err = decodeFields(write.Draft); err == nil && len(write.Base) > 0 {
		err = json.Unmarshal(write.Base, &p.base)
	}
	return p, err
}

// one merges one event into what is stored.
func (a *applying) one(remote model.Event) error {
	remote.Round = a.round
	m := meeting{remote: remote}
	if local, ok := a.local[remote.GraphID]; ok {
		m.local, m.pending, m.replaced = &local, a.pending[local.ID], a.old[local.ID]
		if local.GraphID == "" {
			if err := a.settleCreation(&m); err != nil {
				return err
			}
		}
	}
	out := a.norm.merge(m)
	a.placeInSeries(&out.event)
	switch out.action {
	case insert:
		out.event.ID = store.NewID()
		a.ids[remote.GraphID], a.origin[remote.GraphID] = out.event.ID, out.event.Origin
		a.fresh = append(a.fresh, out.event)
		return nil
	case keep:
		a.kept = append(a.kept, out.event.ID)
		return nil
	case bump, take:
	}
	out.event.Round = a.round
	a.alter(out.event)
	a.local[remote.GraphID] = out.event
	if err := a.savePending(m.pending, out); err != nil {
		return err
	}
	if out.action == bump {
		a.kept = append(a.kept, out.event.ID)
		return nil
	}
	a.changed++
	what := model.EventUpdated
	if out.event.Status == "cancelled" && m.local.Status != "cancelled" {
		what = model.EventCancelled
	}
	return tell(a.tx, actorOutlook, what, &out.event, "changed in Outlook", out.changed)
}

// alter has an event written with the others, once, however often it comes in a page.
func (a *applying) alter(e model.Event) {
	if i, ok := a.at[e.ID]; ok {
		a.altered[i] = e
		return
	}
	a.at[e.ID] = len(a.altered)
	a.altered = append(a.altered, e)
}

// placeInSeries ties an occurrence to its series; whoever made the series made its occurrences.
func (a *applying) placeInSeries(e *model.Event) {
	if e.SeriesGraphID == "" {
		e.SeriesID = nil
		return
	}
	if id, ok := a.ids[e.SeriesGraphID]; ok {
		e.SeriesID, e.Origin = &id, a.origin[e.SeriesGraphID]
	}
}

// settleCreation takes an event that was found by its transaction id for the answer to its creation.
func (a *applying) settleCreation(m *meeting) error {
	rest := m.pending[:0:0]
	for _, p := range m.pending {
		if p.write.Op != model.WriteCreate {
			rest = append(rest, p)
			continue
		}
		finish(&p.write, m.remote.ChangeKey, m.remote.Hash)
		if err := a.tx.UpdateWrite(&p.write); err != nil {
			return err
		}
	}
	m.pending = rest
	a.pending[m.local.ID] = rest
	return nil
}

// finish notes that a write has arrived; what it wrote is not kept any longer.
func finish(write *model.EventWrite, key, hash string) {
	write.Done, write.ResultKey, write.ResultHash, write.Error = true, key, hash, ""
	write.Draft, write.Base, write.Comment = json.RawMessage("{}"), json.RawMessage("{}"), ""
}

// savePending stores the pending changes as they stand after a merge, and logs what Outlook won.
func (a *applying) savePending(before []pending, out outcome) error {
	for i := range out.pending {
		p := &out.pending[i]
		if p.done {
			finish(&p.write, out.event.ChangeKey, out.event.Hash)
		} else if err := encodePending(p); err != nil {
			return err
		}
		if i >= len(before) || !sameWrite(before[i].write, p.write) {
			if err := a.tx.UpdateWrite(&p.write); err != nil {
				return err
			}
		}
	}
	if len(out.conflicts) == 0 {
		return nil
	}
	a.Observe(EventConflict, len(out.conflicts))
	return logConflict(a.tx, &out.event, out.conflicts)
}

func encodePending(p *pending) (err error) {
	if p.write.Draft, err = p.fields.encode(); err == nil {
		p.write.Base, err = json.Marshal(p.base)
	}
	return err
}

func sameWrite(a, b model.EventWrite) bool {
	return a.Done == b.Done && a.ChangeKey == b.ChangeKey && string(a.Draft) == string(b.Draft) && string(a.Base) == string(b.Base)
}

// write stores what is new, notes what was seen, and removes what is gone.
func (a *applying) write(got loaded) error {
	if err := a.tx.UpdateEvents(a.altered); err != nil {
		return err
	}
	slices.SortStableFunc(a.fresh, func(x, y model.Event) int { return seriesFirst(x) - seriesFirst(y) })
	for i := range a.fresh {
		a.placeInSeries(&a.fresh[i]) // of a series that came after it in the page
	}
	if err := a.tx.InsertEvents(a.fresh); err != nil {
		return err
	}
	for i := range a.fresh {
		if err := tell(a.tx, actorOutlook, model.EventCreated, &a.fresh[i], "made in Outlook", nil); err != nil {
			return err
		}
	}
	if a.cal.Sync.Full {
		if err := a.tx.TouchEvents(a.cal, a.kept, a.round); err != nil {
			return err
		}
	}
	return a.leave(got)
}

// leave removes what is gone, series with their occurrences, those that have the same reason together.
func (a *applying) leave(got loaded) error {
	there := make(map[string]bool, len(got.events))
	for i := range got.events {
		there[got.events[i].GraphID] = true
	}
	var ids []string
	for _, id := range slices.Sorted(keys(got.gone)) {
		if !there[id] {
			ids = append(ids, id)
		}
	}
	occurrences, err := a.tx.EventsOfEachSeries(a.cal, ids)
	if err != nil {
		return err
	}
	var reasons []string // in the order they come
	leaving := map[string][]model.Event{}
	for _, id := range ids {
		list := occurrences[id]
		if e, ok := a.local[id]; ok {
			list = append([]model.Event{e}, list...)
		}
		reason := got.gone[id]
		for i := range list {
			if a.left[list[i].ID] {
				continue
			}
			a.left[list[i].ID] = true
			if leaving[reason] == nil {
				reasons = append(reasons, reason)
			}
			leaving[reason] = append(leaving[reason], list[i])
		}
	}
	for _, reason := range reasons {
		if err := a.remove(a.tx, leaving[reason], actorOutlook, reason); err != nil {
			return err
		}
		a.changed += len(leaving[reason])
	}
	return nil
}

func seriesFirst(e model.Event) int {
	if e.Kind == model.EventSeries {
		return 0
	}
	return 1
}

// remove takes events out of the application, tells it, and forgets what was to be written of them.
func (w *work) remove(tx *store.Tx, list []model.Event, actor, reason string) error {
	return w.Service.remove(tx, w.cal, list, actor, reason)
}

func (s *Service) remove(tx *store.Tx, cal model.Calendar, list []model.Event, actor, reason string) error {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	writes, err := tx.WritesOfEvents(cal, ids)
	if err != nil {
		return err
	}
	for i := range writes {
		if writes[i].Done {
			continue
		}
		finish(&writes[i], "", "")
		if err := tx.UpdateWrite(&writes[i]); err != nil {
			return err
		}
	}
	if _, err := tx.DeleteEvents(cal, ids); err != nil {
		return err
	}
	for i := range list {
		if err := tell(tx, actor, model.EventDeleted, &list[i], reason, nil); err != nil {
			return err
		}
	}
	return nil
}
