package store

import (
	"encoding/json"
	"time"

	"usher/model"
)

// DeliveryFilter narrows a list of deliveries.
type DeliveryFilter struct {
	State model.DeliveryState // "" for all
	Type  model.ChangeType    // "" for all
}

// WebhookDeliveriesBefore gives a page of an endpoint's deliveries, the newest first, before the id; "" begins with the newest.
func (r *Reader) WebhookDeliveriesBefore(organizationID, endpointID string, f DeliveryFilter, before string, limit int) ([]model.WebhookDelivery, error) {
	if !ValidID(endpointID) {
		return []model.WebhookDelivery{}, nil
	}
	where, args := ofOrganization+" AND endpoint_id = ?", []any{organizationID, endpointID}
	if before != "" {
		if !ValidID(before) {
			return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		where, args = where+" AND id < ?", append(args, before)
	}
	if f.State != "" {
		where, args = where+" AND state = ?", append(args, f.State)
	}
	if f.Type != "" {
		where, args = where+" AND type = ?", append(args, f.Type)
	}
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.WebhookDelivery{}
	err = db.Where(where, args...).Order("id DESC").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// WebhookDelivery reads a delivery of an endpoint.
func (r *Reader) WebhookDelivery(organizationID, endpointID, id string) (model.WebhookDelivery, error) {
	if !ValidID(id) || !ValidID(endpointID) {
		return model.WebhookDelivery{}, notFound("delivery", id)
	}
	return one[model.WebhookDelivery](r, "delivery", id, ofOrganization+" AND endpoint_id = ? AND id = ?", organizationID, endpointID, id)
}

// WebhookCounts are how many deliveries of an endpoint are in a state, since a time.
type WebhookCounts struct {
	Pending, Delivered, Failed int
	More                       bool // there are more than were looked at, which are the newest
}

// CountWebhookDeliveries counts an endpoint's deliveries since a time, the newest ones where there are more than most.
func (r *Reader) CountWebhookDeliveries(organizationID, endpointID string, since time.Time, most int) (WebhookCounts, error) {
	var c WebhookCounts
	err := r.query(statement{
		sql: "SELECT state, count(*) FROM (SELECT state, created_at FROM webhook_deliveries WHERE " + ofOrganization +
			" AND endpoint_id = ? ORDER BY id DESC LIMIT ?) AS newest WHERE created_at >= ? GROUP BY state",
		args: []any{organizationID, endpointID, most, since.UTC()},
		scan: func(row scanner) error {
			var state model.DeliveryState
			var n int
			err := row.Scan(&state, &n)
			switch state {
			case model.DeliveryPending:
				c.Pending = n
			case model.DeliveryDelivered:
				c.Delivered = n
			case model.DeliveryFailed:
				c.Failed = n
			}
			return err
		},
	})
	c.More = c.Pending+c.Delivered+c.Failed == most
	return c, translate(err)
}

// Waiting is what waits of an endpoint.
type Waiting struct {
	Due      []model.WebhookDelivery // the first of each subject, of those whose time has come; in the order of ids
	Subjects map[string]int          // how many wait of each subject
	Count    int
}

// WebhooksWaiting reads what of an endpoint's deliveries waits, and at most limit of those that are to be tried now.
func (r *Reader) WebhooksWaiting(e model.WebhookEndpoint, now time.Time, limit int) (Waiting, error) {
	w := Waiting{Subjects: map[string]int{}}
	var ids []string
	err := r.query(statement{
		sql: "SELECT id, subject, next_at FROM webhook_deliveries WHERE endpoint_id = ? AND " + r.beside("organization_id") +
			" AND state = 'pending' ORDER BY id",
		args: []any{e.ID, e.OrganizationID},
		scan: func(row scanner) error {
			var id, subject string
			var next *time.Time
			if err := row.Scan(&id, &subject, &next); err != nil {
				return err
			}
			if w.Count++; w.Subjects[subject] == 0 && (next == nil || !next.After(now)) && len(ids) < limit {
				ids = append(ids, id)
			}
			w.Subjects[subject]++
			return nil
		},
	})
	if err != nil || len(ids) == 0 {
		return w, translate(err)
	}
	db, err := r.orm()
	if err != nil {
		return w, translate(err)
	}
	err = db.Where(ofOrganization+" AND id IN ?", e.OrganizationID, ids).Order("id").Find(&w.Due).Error
	return w, translate(err)
}

const deliveryColumns = `id, organization_id, endpoint_id, message_id, position, type, subject, kind, state, next_at, attempts, created_at, updated_at`

// InsertWebhookDeliveries stores new deliveries, in the order that they were made in; all are of one endpoint.
func (tx *Tx) InsertWebhookDeliveries(list []model.WebhookDelivery) error {
	if len(list) == 0 {
		return nil
	}
	attempts := make([]string, len(list))
	for i := range list {
		d := &list[i]
		if d.OrganizationID != list[0].OrganizationID || d.EndpointID != list[0].EndpointID {
			return model.Errorf(model.Internal, "deliveries of several endpoints are stored together")
		}
		raw, err := json.Marshal(d.Attempts)
		if err != nil {
			return err
		}
		if d.ID == "" {
			d.ID = NewID()
		}
		attempts[i], d.CreatedAt, d.UpdatedAt = string(raw), tx.now, tx.now
	}
	if tx.s.dialect == postgres && len(list) > fewRows {
		tx.buffer(manyDeliveries(list, attempts))
		return nil
	}
	for i := range list {
		d := &list[i]
		tx.buffer(statement{ // neighbours with the same text are prepared once
			sql: "INSERT INTO webhook_deliveries (" + deliveryColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
			args: []any{
				d.ID, d.OrganizationID, d.EndpointID, d.MessageID, d.Position, string(d.Type), d.Subject, string(d.Kind), string(d.State),
				exact(d.NextAt), attempts[i], d.CreatedAt, d.UpdatedAt,
			},
		})
	}
	return nil
}

// manyDeliveries sends one array for each column that differs, so that one text serves any number of rows.
func manyDeliveries(list []model.WebhookDelivery, attempts []string) statement {
	n := len(list)
	ids, messages, positions, types := make([]string, n), make([]string, n), make([]*int64, n), make([]string, n)
	subjects, kinds, states, next := make([]string, n), make([]string, n), make([]string, n), make([]*time.Time, n)
	for i := range list {
		d := &list[i]
		ids[i], messages[i], positions[i], types[i] = d.ID, d.MessageID, d.Position, string(d.Type)
		subjects[i], kinds[i], states[i], next[i] = d.Subject, string(d.Kind), string(d.State), exact(d.NextAt)
	}
	return statement{
		sql: "INSERT INTO webhook_deliveries (" + deliveryColumns + `)
 SELECT id, ?::uuid, ?::uuid, message_id, position, type, subject, kind, state, next_at, attempts::json, ?::timestamptz, ?::timestamptz
 FROM unnest(?::uuid[], ?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::timestamptz[], ?::text[])
 AS x(id, message_id, position, type, subject, kind, state, next_at, attempts)`,
		args: []any{
			list[0].OrganizationID, list[0].EndpointID, list[0].CreatedAt, list[0].UpdatedAt,
			ids, messages, positions, types, subjects, kinds, states, next, attempts,
		},
	}
}

// UpdateWebhookDelivery writes what became of a delivery.
func (tx *Tx) UpdateWebhookDelivery(d *model.WebhookDelivery) error {
	attempts, err := json.Marshal(d.Attempts)
	if err != nil {
		return err
	}
	d.UpdatedAt = tx.now
	tx.buffer(statement{
		sql:  "UPDATE webhook_deliveries SET state = ?, next_at = ?, attempts = ?, updated_at = ? WHERE " + ofOrganization + " AND id = ?",
		args: []any{string(d.State), exact(d.NextAt), string(attempts), d.UpdatedAt, d.OrganizationID, d.ID},
	})
	return nil
}

// WebhookProgress is where an endpoint stands after a worker's step.
type WebhookProgress struct {
	Position       int64
	ReplayPosition *int64
	FailingSince   *time.Time
	LastSuccessAt  *time.Time
	LastError      string
	Until          time.Time // of the lease
	Hurry          bool      // what waits is to be tried at once: the endpoint works again
}

// SaveWebhookProgress stores it, if the worker still has the endpoint; else it is a Conflict. NextAt becomes the time of the first
// delivery that waits.
func (tx *Tx) SaveWebhookProgress(e model.WebhookEndpoint, lease string, p WebhookProgress) error {
	if p.Hurry {
		tx.buffer(statement{
			sql:  "UPDATE webhook_deliveries SET next_at = ? WHERE " + ofOrganization + " AND endpoint_id = ? AND state = 'pending' AND next_at > ?",
			args: []any{tx.now, e.OrganizationID, e.ID, tx.now},
		})
	}
	return translate(tx.query(statement{
		sql: `UPDATE webhook_endpoints SET position = ?, replay_position = ?, replay_until = CASE WHEN ? THEN NULL ELSE replay_until END,
 failing_since = ?, last_success_at = ?, last_error = ?, leased_until = ?,
 next_at = (SELECT min(coalesce(next_at, ?)) FROM webhook_deliveries d WHERE d.endpoint_id = webhook_endpoints.id AND d.state = 'pending')
 WHERE ` + ofOrganization + ` AND id = ? AND lease = ? AND leased_until > ?`,
		args: []any{
			p.Position, p.ReplayPosition, p.ReplayPosition == nil, exact(p.FailingSince), exact(p.LastSuccessAt), p.LastError, exact(&p.Until), tx.now,
			e.OrganizationID, e.ID, lease, tx.now,
		},
		affected: leased,
	}))
}

// DeleteWebhookDeliveries deletes deliveries that were made before a time and are done with, at most limit, and says how many.
func (tx *Tx) DeleteWebhookDeliveries(before time.Time, limit int) (n int64, err error) {
	err = tx.query(statement{
		sql: `DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE created_at < ? AND state <> 'pending'
 ORDER BY created_at LIMIT ?)`,
		args: []any{before.UTC(), limit}, affected: func(got int64) error { n = got; return nil },
	})
	return n, translate(err)
}
