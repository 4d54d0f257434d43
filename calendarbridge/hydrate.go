package calendarbridge

import (
	"slices"

	"usher/model/outlook"
)

// hydrate gives an occurrence of which a delta said little the contents of its series. What an exception brings itself stays.
func hydrate(master, o outlook.Event) outlook.Event {
	if !o.Stub {
		o.SeriesMasterID = orElse(o.SeriesMasterID, master.ID)
		o.ICalUID = orElse(o.ICalUID, master.ICalUID)
		o.TransactionID, o.Recurrence = "", nil
		return o
	}
	full := master
	full.ID, full.ChangeKey, full.Start, full.End = o.ID, o.ChangeKey, o.Start, o.End
	full.Type, full.SeriesMasterID, full.Stub, full.Removed = outlook.Occurrence, master.ID, false, ""
	full.ICalUID = orElse(o.ICalUID, master.ICalUID)
	full.OriginalStart = o.OriginalStart
	// An id of the creator's names the series, not each of its occurrences.
	full.TransactionID, full.Recurrence, full.CancelledOccurrences, full.ExceptionOccurrences = "", nil, nil, nil
	if len(full.Attendees) > 0 {
		full.Attendees = slices.Clone(full.Attendees)
	}
	return full
}

// latest gives the items of a page, of an id that comes several times the last one, in the order of the last ones.
func latest(items []outlook.Event) []outlook.Event {
	last := make(map[string]int, len(items))
	for i := range items {
		last[items[i].ID] = i
	}
	if len(last) == len(items) {
		return items
	}
	out := make([]outlook.Event, 0, len(last))
	for i := range items {
		if last[items[i].ID] == i {
			out = append(out, items[i])
		}
	}
	return out
}

// seriesOf gives the id of the series that the item is of, its own where it is one; "" of a single event.
func seriesOf(o outlook.Event) string {
	if o.Type == outlook.SeriesMaster {
		return o.ID
	}
	return o.SeriesMasterID
}
