package calendarbridge

import (
	"fmt"
	"time"

	"usher/model"
	"usher/model/outlook"
)

// loaded is a page as it is to be stored: what there is, and what is gone, by Microsoft 365's ids, with the reason.
type loaded struct {
	events []model.Event
	gone   map[string]string
}

// empty says that there is nothing to be stored.
func (l loaded) empty() bool { return len(l.events) == 0 && len(l.gone) == 0 }

// The reasons why an event leaves the application, as the change feed gives them.
const (
	reasonDeleted = "deleted in Outlook"
	reasonLeft    = "it left the days that are synchronized"
	reasonMissing = "Outlook does not have it any more"
	reasonSwitch  = "the calendar is not synchronized any more"
)

// load asks Microsoft 365 for everything that a page does not say itself: what the occurrences of a series are about, which
// of them are cancelled, and whether what was removed is gone or only out of the window.
func (w *work) load(items []outlook.Event) (loaded, error) {
	out := loaded{gone: map[string]string{}}
	var removed []string // of others it does not matter here whether they are known
	for i := range items {
		if items[i].Removed != "" {
			removed = append(removed, items[i].ID)
		}
	}
	known, err := w.Store.Read(w.ctx).EventsByGraphID(w.cal, removed)
	if err != nil {
		return out, err
	}
	if err := w.arrivals(items); err != nil {
		return out, err
	}
	var series []string // in the order they come
	members := map[string][]outlook.Event{}
	for i := range items {
		item := items[i]
		of := seriesOf(item)
		if have, ok := known[item.ID]; item.Removed != "" && ok {
			of = seriesOfStored(have)
		}
		switch {
		case of != "":
			if _, seen := members[of]; !seen {
				series = append(series, of)
			}
			members[of] = append(members[of], item)
		case item.Removed != "":
			err = w.removed(&out, item, known)
		default:
			w.add(&out, item)
		}
		if err != nil {
			return out, err
		}
	}
	for _, id := range series {
		if err := w.series(&out, id, members[id], known); err != nil {
			return out, err
		}
	}
	return out, nil
}

func seriesOfStored(e model.Event) string {
	if e.Kind == model.EventSeries {
		return e.GraphID
	}
	return e.SeriesGraphID
}

// add normalizes an item. One that cannot be kept is told of, and the others go on.
func (w *work) add(out *loaded, item outlook.Event) {
	e, err := w.norm.event(w.cal, item)
	if err != nil {
		w.Observe(EventSkipped, 1)
		w.Log.WarnContext(w.ctx, "an event cannot be kept", "calendar", w.cal.ID, "event", w.clean.text(item.ID, 256), "err", err)
		return
	}
	out.events = append(out.events, e)
}

// removed says what became of a single event that a delta calls removed: gone, or out of the window. What the application made,
// and what is kept from outside the window, is looked for before it is given up.
func (w *work) removed(out *loaded, item outlook.Event, known map[string]model.Event) error {
	have, ok := known[item.ID]
	if !ok { // of something outside the window, or of a series whose occurrences alone are known
		out.gone[item.ID] = goneReason(item)
		return nil
	}
	if have.Origin != model.OriginUsher && w.inWindow(have.Start.UTC, have.End.UTC) {
		out.gone[item.ID] = goneReason(item)
		return nil
	}
	found, err := w.one(item.ID)
	switch {
	case outlook.KindOf(err) == outlook.NotFound:
		moved, err := w.departed(have)
		if err == nil && !moved {
			out.gone[item.ID] = reasonDeleted
		}
		return err
	case err != nil:
		return err
	}
	w.add(out, found)
	return nil
}

func goneReason(item outlook.Event) string {
	if item.Removed == "changed" {
		return reasonLeft
	}
	return reasonDeleted
}

func (w *work) inWindow(start, end time.Time) bool {
	y := w.cal.Sync
	return start.Before(y.To) && (end.After(y.From) || !start.Before(y.From))
}

// series brings a series up to date of which the page has something. In a round that brings everything the page itself says
// which occurrences there are. In any other, nothing tells of an occurrence that was cancelled: the series is read as a whole.
func (w *work) series(out *loaded, id string, members []outlook.Event, known map[string]model.Event) error {
	master, found, err := w.master(id, members)
	if err != nil {
		return err
	}
	if !found {
		return w.endSeries(out, id)
	}
	w.add(out, master)
	if !w.whole() {
		return w.instances(out, master)
	}
	for _, m := range members {
		switch {
		case m.Type == outlook.SeriesMaster && m.Removed == "":
		case m.Removed != "":
			if _, ok := known[m.ID]; ok {
				out.gone[m.ID] = goneReason(m)
			}
		default:
			w.add(out, hydrate(master, m))
		}
	}
	return nil
}

// whole says whether the pages that are read bring everything there is, so that they say by themselves which occurrences a
// series has.
func (w *work) whole() bool { return w.cal.Sync.Full && w.cal.Sync.InRound }

// mastersKept bounds how many masters a round remembers.
const mastersKept = 200

// master gives the series itself: from the page, from an earlier page of a round that brings everything, or from Microsoft
// 365. It says whether there is one.
func (w *work) master(id string, members []outlook.Event) (outlook.Event, bool, error) {
	if w.whole() {
		for _, m := range members {
			if m.Type == outlook.SeriesMaster && !m.Stub && m.Removed == "" {
				w.remember(m)
				return m, true, nil
			}
		}
		if m, ok := w.masters[id]; ok {
			return m, true, nil
		}
	}
	m, err := w.seriesAt(id)
	switch {
	case outlook.KindOf(err) == outlook.NotFound:
		return m, false, nil
	case err != nil:
		return m, false, err
	}
	if m.Type != outlook.SeriesMaster { // it was made a single event meanwhile
		return m, true, nil
	}
	if w.whole() {
		w.remember(m)
	}
	return m, true, w.arrivals([]outlook.Event{m})
}

func (w *work) remember(m outlook.Event) {
	if len(w.masters) >= mastersKept {
		clear(w.masters)
	}
	w.masters[m.ID] = m
}

// maxInstances bounds the pages of one series: a daily one over the window has a few hundred occurrences.
const maxInstances = 200

// instances reads all occurrences of a series in the window. What is stored and not among them is gone.
func (w *work) instances(out *loaded, master outlook.Event) error {
	there := map[string]bool{}
	window := outlook.Window{From: w.cal.Sync.From, To: w.cal.Sync.To}
	for next, pages := "", 0; master.Type == outlook.SeriesMaster; pages++ {
		if pages == maxInstances {
			return &outlook.Error{Kind: outlook.Unavailable, Code: "EndlessInstances", Message: "the occurrences of a series do not end"}
		}
		page, err := w.api.Instances(w.ctx, w.home, master.ID, window, next)
		if outlook.KindOf(err) == outlook.NotFound {
			return w.endSeries(out, master.ID)
		}
		if err != nil {
			return err
		}
		for _, item := range page.Events {
			if there[item.ID] {
				continue
			}
			there[item.ID] = true
			w.add(out, hydrate(master, item))
		}
		if next = page.Next; next == "" {
			break
		}
	}
	stored, err := w.Store.Read(w.ctx).EventsOfSeries(w.cal, master.ID)
	if err != nil {
		return err
	}
	for i := range stored {
		e := &stored[i]
		if !there[e.GraphID] && (w.inWindow(e.Start.UTC, e.End.UTC) || master.Type != outlook.SeriesMaster) {
			out.gone[e.GraphID] = "the occurrence was cancelled in Outlook"
		}
	}
	return nil
}

// endSeries notes that a series is gone, unless it was moved; its occurrences go with it as it is stored.
func (w *work) endSeries(out *loaded, id string) error {
	moved, err := w.departedSeries(id)
	if err == nil && !moved {
		out.gone[id] = reasonDeleted
	}
	return err
}

// view reads the window once without a delta, whose pages do not end. The next round tries the delta again.
func (w *work) view() error {
	y := &w.cal.Sync
	w.begun = y.Clean
	if !y.InRound {
		w.begun = y.Dirty
	}
	y.Link, y.Full, y.InRound = "", true, true
	w.newRound()
	if y.From.IsZero() {
		y.From, y.To = w.window(w.now())
	}
	for next, pages := "", 0; ; pages++ {
		if pages == maxPages {
			return &outlook.Error{Kind: outlook.Unavailable, Code: "EndlessView", Message: fmt.Sprintf("the view has more than %d pages", maxPages)}
		}
		page, err := w.api.View(w.ctx, w.ref, outlook.Window{From: y.From, To: y.To}, next)
		if err != nil {
			return err
		}
		got, err := w.load(latest(page.Events))
		if err != nil {
			return err
		}
		next = page.Next
		y.InRound = next != ""
		// A worker that dies here begins the round anew: there is no link to go on with.
		stored := *y
		y.InRound, y.Full = false, false
		if err := w.apply(got); err != nil {
			return err
		}
		y.InRound, y.Full = stored.InRound, stored.Full
		if next == "" {
			break
		}
	}
	if err := w.sweep(); err != nil {
		return err
	}
	y.Link, y.SweptAt = "", nil
	y.NextAt = w.in(around(w.Periods.Poll))
	return w.save()
}
