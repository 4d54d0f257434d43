package store

// RoomMeeting is the organizer's copy of a meeting that a room has an entry of.
type RoomMeeting struct {
	EventID string // of the organizer's copy
	Subject string
}

// RoomMeetings gives, by the ids of events in calendars of rooms, the organizer's copies of them where these are known: Exchange writes
// the organizer's name over the subject of a room's entry. Neither copy is a private one. Other events are not in the answer.
func (r *Reader) RoomMeetings(organizationID string, eventIDs []string) (map[string]RoomMeeting, error) {
	found, ids := map[string]RoomMeeting{}, validIDs(eventIDs)
	if len(ids) == 0 {
		return found, nil
	}
	err := r.query(statement{
		sql: `SELECT e.id, o.id, o.subject FROM events e
 JOIN events o ON o.ical_uid = e.ical_uid AND o.ical_uid <> '' AND o.organization_id = e.organization_id AND o.is_organizer
 WHERE e.id` + r.anyOf("uuid", ids) + ` AND e.ical_uid <> '' AND ` + r.beside("e.organization_id") + ` AND e.sensitivity = 'normal' AND o.sensitivity = 'normal'
 AND (SELECT c.room_id FROM calendars c WHERE c.id = e.calendar_id) IS NOT NULL
 AND (o.original_start = e.original_start OR o.original_start IS NULL AND e.original_start IS NULL) ORDER BY o.id DESC`,
		args: []any{r.list(ids), organizationID},
		scan: func(row scanner) error {
			var id string
			var m RoomMeeting
			err := row.Scan(&id, &m.EventID, &m.Subject)
			found[id] = m // of several, which copies of a person's own may be, the first that was made
			return err
		},
	})
	return found, translate(err)
}
