package store

import "usher/model"

// OwnEvents gives the events of an integration that the application made and that have one of the iCalUIds: singles and series.
func (r *Reader) OwnEvents(ref model.Ref, icalUIDs []string) ([]model.Event, error) {
	if len(icalUIDs) == 0 || !ValidID(ref.IntegrationID) {
		return []model.Event{}, nil
	}
	return r.events("ical_uid"+r.anyOf("text", icalUIDs)+" AND ical_uid <> '' AND organization_id = ? AND "+r.beside("integration_id")+
		" AND origin = 'usher' AND series_graph_id = '' ORDER BY id", r.list(icalUIDs), ref.OrganizationID, ref.IntegrationID)
}

// MoveEvents puts events, by their own ids, with their writes from one calendar into another of the integration. Their versions stay.
func (tx *Tx) MoveEvents(from, to model.Calendar, ids []string) {
	ids = validIDs(ids)
	of, args, ok := tx.besideCalendar(from)
	if !ok || len(ids) == 0 || from.Ref() != to.Ref() || !ValidID(to.ID) {
		return
	}
	args = append([]any{to.ID, tx.list(ids)}, args...)
	tx.buffer(statement{sql: "UPDATE events SET calendar_id = ? WHERE id" + tx.anyOf("uuid", ids) + " AND " + of, args: args})
	tx.buffer(statement{sql: "UPDATE event_writes SET calendar_id = ? WHERE event_id" + tx.anyOf("uuid", ids) + " AND " + of, args: args})
}
