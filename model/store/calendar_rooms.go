package store

import (
	"encoding/json"
	"strings"

	"usher/model"
)

const roomColumns = `id, organization_id, integration_id, email, email_key, display_name, capacity, building, floor, created_at, updated_at`

func scanRoom(r scanner, m *model.Room) error {
	err := r.Scan(&m.ID, &m.OrganizationID, &m.IntegrationID, &m.Email, &m.EmailKey, &m.DisplayName, &m.Capacity, &m.Building, &m.Floor,
		&m.CreatedAt, &m.UpdatedAt)
	inUTC(&m.CreatedAt, &m.UpdatedAt)
	return err
}

func (r *Reader) rooms(where string, args ...any) ([]model.Room, error) {
	list := []model.Room{}
	err := r.query(statement{
		sql: "SELECT " + roomColumns + " FROM rooms WHERE " + where, args: args,
		scan: func(row scanner) error { return scanAppend(row, &list, scanRoom) },
	})
	return list, translate(err)
}

// RoomFilter narrows the rooms of an organization; the zero value is all of them.
type RoomFilter struct {
	Integration string
	MinCapacity int    // rooms whose capacity is not known have 0
	Building    string // exactly
	Q           string // part of the name, the address or the building, without case
}

// RoomsAfter gives a page of rooms in the order of ids.
func (r *Reader) RoomsAfter(organizationID string, f RoomFilter, after string, limit int) ([]model.Room, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	where, args := []string{"organization_id = ?", "id > ?"}, []any{organizationID, after}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if f.Integration != "" {
		if !ValidID(f.Integration) {
			return []model.Room{}, nil
		}
		add(r.beside("integration_id"), f.Integration)
	}
	if f.MinCapacity > 0 {
		add("capacity >= ?", f.MinCapacity)
	}
	if f.Building != "" {
		add("building = ?", f.Building)
	}
	if f.Q != "" {
		like := "%" + escapeLike(model.Fold(f.Q)) + "%"
		add("("+r.fold("display_name")+" LIKE ? ESCAPE '!' OR email_key LIKE ? ESCAPE '!' OR "+r.fold("building")+" LIKE ? ESCAPE '!')", like, like, like)
	}
	return r.rooms(strings.Join(where, " AND ")+" ORDER BY id LIMIT ?", append(args, limit)...)
}

// Room reads one room.
func (r *Reader) Room(organizationID, id string) (model.Room, error) {
	if !ValidID(id) {
		return model.Room{}, notFound("room", id)
	}
	list, err := r.rooms("organization_id = ? AND id = ?", organizationID, id)
	return first(list, err, "room", id)
}

// RoomByEmail reads a room by its address, without case.
func (r *Reader) RoomByEmail(ref model.Ref, email string) (model.Room, error) {
	if !ValidID(ref.IntegrationID) {
		return model.Room{}, notFound("room", email)
	}
	list, err := r.rooms("integration_id = ? AND email_key = ? AND "+r.beside("organization_id"), ref.IntegrationID, model.Fold(email), ref.OrganizationID)
	return first(list, err, "room", email)
}

// PutRoom stores a room under its address, new or not; ID and times are set here. It says whether that made a difference.
// Where another transaction was first, this one runs again.
func (tx *Tx) PutRoom(m *model.Room) (changed bool, err error) {
	m.EmailKey = model.Fold(m.Email)
	was, err := tx.RoomByEmail(model.Ref{OrganizationID: m.OrganizationID, IntegrationID: m.IntegrationID}, m.Email)
	if model.KindOf(err) == model.NotFound && err != nil {
		m.ID, m.CreatedAt, m.UpdatedAt = NewID(), tx.now, tx.now
		return true, tx.insert(m)
	}
	if err != nil {
		return false, err
	}
	m.ID, m.CreatedAt, m.UpdatedAt = was.ID, was.CreatedAt, was.UpdatedAt
	if *m == was {
		return false, nil
	}
	m.UpdatedAt = tx.now
	return true, tx.update(m, "room", m.ID, []string{"email", "display_name", "capacity", "building", "floor", "updated_at"},
		"organization_id = ? AND integration_id = ? AND id = ?", m.OrganizationID, m.IntegrationID, m.ID)
}

// DeleteRoom removes a room with its mailbox, calendars, events and writes.
func (tx *Tx) DeleteRoom(ref model.Ref, id string) error {
	return remove[model.Room](tx, "room", id, "organization_id = ? AND integration_id = ? AND id = ?", ref.OrganizationID, ref.IntegrationID, id)
}

// RoomGroups reads the groups whose members are rooms of the integration.
func (r *Reader) RoomGroups(ref model.Ref) ([]model.RoomGroup, error) {
	list := []model.RoomGroup{}
	if !ValidID(ref.IntegrationID) {
		return list, nil
	}
	err := r.query(statement{
		sql:  "SELECT items FROM integration_lists WHERE organization_id = ? AND integration_id = ? AND kind = ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, ListRoomGroups},
		scan: func(row scanner) error {
			var items []byte
			if err := row.Scan(&items); err != nil {
				return err
			}
			return json.Unmarshal(items, &list)
		},
	})
	return list, translate(err)
}
