package calendarbridge

import (
	"fmt"

	"usher/model"
	"usher/model/outlook"
)

// equal checks that the store has what the mailbox has within the calendar's window, neither more nor less.
func (w *world) equal(user outlook.User, cal model.Calendar) {
	w.Helper()
	for _, d := range w.difference(user, cal) {
		w.Error(d)
	}
}

func (w *world) difference(user outlook.User, cal model.Calendar) (out []string) {
	w.Helper()
	graphID := cal.GraphID
	if cal.IsDefault {
		graphID = ""
	}
	truth, err := w.tenant.As(user.ID).View(graphID, outlook.Window{From: cal.Sync.From, To: cal.Sync.To})
	if err != nil {
		w.Fatal(err)
	}
	n := normalizer{clean: w.svc.clean}
	wanted := map[string]model.Event{}
	for _, o := range truth {
		if o.SeriesMasterID != "" {
			o = hydrate(outlook.Event{ID: o.SeriesMasterID}, o)
		}
		e, err := n.event(cal, o)
		if err != nil {
			w.Fatal(err)
		}
		wanted[o.ID] = e
	}
	for _, e := range w.events(cal) {
		if !e.Start.UTC.Before(cal.Sync.To) || !e.End.UTC.After(cal.Sync.From) && e.Start.UTC.Before(cal.Sync.From) {
			continue
		}
		want, ok := wanted[e.GraphID]
		delete(wanted, e.GraphID)
		switch {
		case e.SyncState == model.EventFailed && e.GraphID == "":
		case !ok:
			out = append(out, fmt.Sprintf("%s of %s is stored and not in the mailbox: %+v", e.Subject, user.Mail, e))
		case e.Hash != want.Hash || len(n.differences(e, want)) > 0:
			out = append(out, fmt.Sprintf("stored is\n%+v\nand in the mailbox\n%+v\nthey differ in %v", e, want, n.differences(e, want)))
		case e.SyncState == model.EventPending:
			out = append(out, fmt.Sprintf("%s is still pending", e.Subject))
		case e.SeriesGraphID != "" && e.SeriesID == nil:
			out = append(out, fmt.Sprintf("an occurrence of %s has no series", e.Subject))
		}
	}
	for _, e := range wanted {
		out = append(out, fmt.Sprintf("%s at %s of %s is in the mailbox and not stored", e.Subject, e.Start.DateTime, user.Mail))
	}
	return out
}
