package store

import (
	"strings"

	"usher/model"
)

const calendarColumns = `id, organization_id, integration_id, mailbox_id, account_id, room_id, graph_id, name, is_default, can_edit,
 enabled, created_at, updated_at, sync_link, sync_in_round, sync_full, sync_round, sync_from, sync_to, sync_dirty, sync_clean,
 sync_queued, sync_leased, sync_lease, sync_synced_at, sync_changed_at, sync_failures, sync_error, sync_next_at, sync_swept_at,
 sync_pages, sync_last_page, sync_again_after, sub_state, sub_graph_id, sub_secret_hash, sub_expires_at, sub_renew_at,
 sub_touched_at, sub_notified_at, sub_failures, sub_detail, sub_unsupported`

func scanCalendar(r scanner, c *model.Calendar) error {
	y, u := &c.Sync, &c.Subscription
	err := r.Scan(&c.ID, &c.OrganizationID, &c.IntegrationID, &c.MailboxID, &c.AccountID, &c.RoomID, &c.GraphID, &c.Name, &c.IsDefault,
		&c.CanEdit, &c.Enabled, &c.CreatedAt, &c.UpdatedAt, &y.Link, &y.InRound, &y.Full, &y.Round, &y.From, &y.To, &y.Dirty, &y.Clean,
		&y.Queued, &y.Leased, &y.Lease, &y.SyncedAt, &y.ChangedAt, &y.Failures, &y.Error, &y.NextAt, &y.SweptAt,
		&y.Pages, &y.LastPage, &y.AgainAfter, &u.State, &u.GraphID, &u.SecretHash, &u.ExpiresAt, &u.RenewAt,
		&u.TouchedAt, &u.NotifiedAt, &u.Failures, &u.Detail, &u.Unsupported)
	inUTC(&c.CreatedAt, &c.UpdatedAt, &y.From, &y.To, y.Leased, y.SyncedAt, y.ChangedAt, y.NextAt, y.SweptAt, y.AgainAfter,
		u.ExpiresAt, u.RenewAt, u.TouchedAt, u.NotifiedAt)
	return err
}

// calendars reads those that a condition names.
func (r *Reader) calendars(where string, args ...any) ([]model.Calendar, error) {
	list := []model.Calendar{}
	err := r.query(r.calendarsInto(&list, where, args...))
	return list, translate(err)
}

func (r *Reader) calendarsInto(list *[]model.Calendar, where string, args ...any) statement {
	return statement{
		sql: "SELECT " + calendarColumns + " FROM calendars WHERE " + where, args: args,
		scan: func(row scanner) error { return scanAppend(row, list, scanCalendar) },
	}
}

// Calendar reads one calendar.
func (r *Reader) Calendar(organizationID, id string) (model.Calendar, error) {
	if !ValidID(id) {
		return model.Calendar{}, notFound("calendar", id)
	}
	list, err := r.calendars("organization_id = ? AND id = ?", organizationID, id)
	return first(list, err, "calendar", id)
}

// LockCalendar reads one calendar and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockCalendar(organizationID, id string) (model.Calendar, error) {
	if !ValidID(id) {
		return model.Calendar{}, notFound("calendar", id)
	}
	list, err := tx.calendars("organization_id = ? AND id = ?"+tx.forUpdate(), organizationID, id)
	return first(list, err, "calendar", id)
}

// CalendarByID reads a calendar of whatever organization: for notifications, which know no more.
func (r *Reader) CalendarByID(id string) (model.Calendar, error) {
	if !ValidID(id) {
		return model.Calendar{}, notFound("calendar", id)
	}
	list, err := r.calendars("id = ?", id)
	return first(list, err, "calendar", id)
}

// CalendarsOf reads all calendars of a mailbox, in the order of ids.
func (r *Reader) CalendarsOf(ref model.Ref, mailboxID string) ([]model.Calendar, error) {
	if !ValidID(mailboxID) || !ValidID(ref.IntegrationID) {
		return []model.Calendar{}, nil
	}
	_, order := r.behind()
	return r.calendars("mailbox_id = ? AND "+r.beside("organization_id")+" AND "+r.beside("integration_id")+order,
		mailboxID, ref.OrganizationID, ref.IntegrationID)
}

// CalendarFilter narrows the calendars of an organization; the zero value is all of them.
type CalendarFilter struct {
	Account     string
	Room        string
	Integration string
	Enabled     *bool
}

// CalendarsAfter gives a page of calendars in the order of ids.
func (r *Reader) CalendarsAfter(organizationID string, f CalendarFilter, after string, limit int) ([]model.Calendar, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	for _, by := range []struct{ column, value string }{{"account_id", f.Account}, {"room_id", f.Room}} {
		switch {
		case by.value == "":
		case !ValidID(by.value):
			return []model.Calendar{}, nil
		case len(where) == 0: // the one that an index is for
			add(by.column+" = ?", by.value)
		default:
			add(r.beside(by.column), by.value)
		}
	}
	organization, integration := "organization_id = ?", "integration_id = ?"
	if len(where) > 0 {
		organization, integration = r.beside("organization_id"), r.beside("integration_id")
	}
	add(organization, organizationID)
	if f.Integration != "" {
		if !ValidID(f.Integration) {
			return []model.Calendar{}, nil
		}
		add(integration, f.Integration)
	}
	if f.Enabled != nil {
		add(r.beside("enabled"), *f.Enabled)
	}
	add("id > ?", after)
	return r.calendars(strings.Join(where, " AND ")+" ORDER BY id LIMIT ?", append(args, limit)...)
}

// CalendarsOfRooms gives the default calendars of rooms, by the rooms' ids.
func (r *Reader) CalendarsOfRooms(organizationID string, roomIDs []string) (map[string]string, error) {
	found, ids := map[string]string{}, validIDs(roomIDs)
	if len(ids) == 0 {
		return found, nil
	}
	err := r.query(statement{
		sql:  "SELECT room_id, id FROM calendars WHERE room_id" + r.anyOf("uuid", ids) + " AND is_default AND " + r.beside("organization_id"),
		args: []any{r.list(ids), organizationID},
		scan: func(row scanner) error {
			var room, calendar string
			err := row.Scan(&room, &calendar)
			found[room] = calendar
			return err
		},
	})
	return found, translate(err)
}

// InsertCalendar stores a new calendar of a mailbox; ID and times are set here. Where another transaction was first, this one
// runs again.
func (tx *Tx) InsertCalendar(c *model.Calendar) error {
	c.ID, c.CreatedAt, c.UpdatedAt = NewID(), tx.now, tx.now
	if c.Subscription.State == "" {
		c.Subscription.State = model.SubscriptionNone
	}
	exactSync(&c.Sync)
	exactSubscription(&c.Subscription)
	return tx.insert(c)
}

// UpdateCalendar writes what a calendar is and whether it is enabled, and nothing of how far it was synchronized.
func (tx *Tx) UpdateCalendar(c *model.Calendar) error {
	c.UpdatedAt = tx.now
	return tx.update(c, "calendar", c.ID, []string{"name", "is_default", "can_edit", "enabled", "graph_id", "updated_at"},
		"organization_id = ? AND integration_id = ? AND id = ?", c.OrganizationID, c.IntegrationID, c.ID)
}

// DeleteCalendar removes a calendar with its events and writes, and says how many events it had.
func (tx *Tx) DeleteCalendar(ref model.Ref, id string) (events int, err error) {
	if !ValidID(id) || !ValidID(ref.IntegrationID) {
		return 0, notFound("calendar", id)
	}
	err = tx.query(
		statement{
			sql:  "SELECT count(*) FROM events WHERE calendar_id = ? AND " + tx.beside("organization_id") + " AND " + tx.beside("integration_id"),
			args: []any{id, ref.OrganizationID, ref.IntegrationID},
			scan: func(row scanner) error { return row.Scan(&events) },
		},
		statement{
			sql:      "DELETE FROM calendars WHERE organization_id = ? AND integration_id = ? AND id = ?",
			args:     []any{ref.OrganizationID, ref.IntegrationID, id},
			affected: exactlyOne("calendar", id),
		})
	return events, translate(err)
}
