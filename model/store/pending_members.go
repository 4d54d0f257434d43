package store

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"usher/model"
)

// Newcomer is what values of members may call a user or group by that arrives, or gets another name.
type Newcomer struct {
	ExternalID  string // exactly
	UserNameKey string // of a user: its folded userName
}

// keys gives the folded values that may mean the newcomer.
func (n Newcomer) keys() []string {
	keys := make([]string, 0, 2)
	for _, key := range []string{model.Fold(n.ExternalID), n.UserNameKey} {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// doorCount is how many locks keep arrivals and the remembering of members apart, per integration: a bound on the locks
// that a request of thousands of members takes, and enough that two requests seldom meet at one.
const doorCount = 256

// doors names the locks of folded values, in the order in which they are taken. A newcomer holds its doors in common from
// before it looks whether it is awaited until it is there; whoever remembers a member holds the value's door alone from before
// it looks whether the member is there until it is remembered. So one of the two sees the other, whichever commits first.
func doors(ref model.Ref, keys []string) []string {
	names := make([]string, 0, len(keys))
	for _, key := range keys {
		h := fnv.New32a()
		_, _ = h.Write([]byte(key)) // which never fails
		names = append(names, "door:"+ref.IntegrationID+":"+strconv.Itoa(int(h.Sum32()%doorCount)))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// closedDoors says that doors were held by others. Waiting for them with a group locked could be a deadlock, so that the
// transaction runs again and takes them before anything but the settings.
type closedDoors struct{ names []string }

func (closedDoors) Error() string { return "an arrival is under way" }

// holdClosed gives the statement that waits for the doors that an earlier run of this transaction found closed.
func (tx *Tx) holdClosed() []statement {
	if len(tx.try.doors) == 0 {
		return nil
	}
	return []statement{{
		sql:  "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(?::text[]) AS name",
		args: []any{tx.try.doors},
	}}
}

// tryDoors holds doors alone, or in common, without waiting; held becomes whether it does.
func (tx *Tx) tryDoors(names []string, shared bool, held *bool) []statement {
	*held = true
	if tx.s.dialect != postgres { // which has one writer
		return nil
	}
	lock := "pg_try_advisory_xact_lock"
	if shared {
		lock += "_shared"
	}
	return []statement{{
		sql:  "SELECT coalesce(bool_and(" + lock + "(hashtextextended(name, 0))), true) FROM unnest(?::text[]) AS name",
		args: []any{names},
		scan: func(row scanner) error { return row.Scan(held) },
	}}
}

// awaited gives an SQL condition that says whether a value is remembered that has one of the keys, and its arguments.
func (tx *Tx) awaited(ref model.Ref, keys []string) (string, []any) {
	parts, args := make([]string, len(keys)), []any{}
	for i, key := range keys {
		parts[i] = "EXISTS (SELECT 1 FROM pending_members WHERE value_key = ? AND " + tx.beside("integration_id") + " AND " +
			tx.beside("organization_id") + ")"
		args = append(args, key, ref.IntegrationID, ref.OrganizationID)
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

// holdArrival is hold for a newcomer: it also tells whether any group may await it, and keeps groups from beginning to until
// the transaction ends. It costs no statement more.
func (tx *Tx) holdArrival(ref model.Ref, who Newcomer, version *int64, awaited *bool) []statement {
	keys := who.keys()
	if len(keys) == 0 {
		return tx.hold(ref.OrganizationID, "", version)
	}
	condition, args := tx.awaited(ref, keys)
	list := tx.hold(ref.OrganizationID, ", "+condition, version, awaited)
	read := &list[len(list)-1]
	read.args = append(args, read.args...)
	if tx.s.dialect == postgres { // SQLite has one writer
		locks := &list[0]
		for _, name := range doors(ref, keys) {
			locks.sql += ", pg_advisory_xact_lock_shared(hashtextextended(?, 0))"
			locks.args = append(locks.args, name)
		}
	}
	return list
}

// HoldArrival is HoldSettings for a group that arrives. It also says whether groups may await it: then Awaiting tells which. It
// guesses as ArrivalFacts does.
func (tx *Tx) HoldArrival(ref model.Ref, who Newcomer) (version int64, awaited bool, err error) {
	hold := tx.holdArrival(ref, who, &version, &awaited)
	if version, ok := tx.guessable(ref, who); ok {
		tx.guess(ref, who, version, hold, "")
		return version, false, nil
	}
	err = tx.query(hold...)
	if err == nil && version == 0 {
		err = notFound("organization", ref.OrganizationID)
	}
	return version, awaited, translate(err)
}

// HoldRenamed is HoldArrival for a user or group that is there and locked, and gets another name.
func (tx *Tx) HoldRenamed(ref model.Ref, who Newcomer) (awaited bool, err error) {
	keys := who.keys()
	if len(keys) == 0 {
		return false, nil
	}
	held, names := false, doors(ref, keys)
	condition, args := tx.awaited(ref, keys)
	err = tx.query(append(tx.tryDoors(names, true, &held), statement{
		sql:  "SELECT " + condition,
		args: args,
		scan: func(row scanner) error { return row.Scan(&awaited) },
	})...)
	if err == nil && !held {
		err = closedDoors{names}
	}
	return awaited, translate(err)
}

// Awaiting is a group that remembers values which mean a newcomer; its row is locked.
type Awaiting struct {
	Group  model.DirectoryGroup
	Values []string
}

// Awaiting gives the groups that await a newcomer, in the order of ids. An externalId that anybody but id has too names
// nobody.
func (tx *Tx) Awaiting(ref model.Ref, who Newcomer, id string) ([]Awaiting, error) {
	keys := who.keys()
	if len(keys) == 0 || !ValidID(id) {
		return nil, nil
	}
	ids, err := tx.awaitingIDs(ref, keys)
	if err != nil || len(ids) == 0 {
		return nil, translate(err)
	}
	var groups []model.DirectoryGroup
	values, shared := map[string][]string{}, false
	list := []statement{
		{
			sql: "SELECT " + groupColumns + " FROM directory_groups WHERE organization_id = ? AND integration_id = ? AND id" + tx.anyOf("uuid", ids) +
				" ORDER BY id" + tx.forUpdate(),
			args: []any{ref.OrganizationID, ref.IntegrationID, tx.list(ids)},
			scan: func(row scanner) error { return scanAppend(row, &groups, scanGroup) },
		},
		{ // once more, as it is now that the groups are locked
			sql:  "SELECT group_id, value" + tx.pendingOf(keys) + " ORDER BY value",
			args: []any{tx.list(keys), ref.IntegrationID, ref.OrganizationID},
			scan: func(row scanner) error {
				var group, value string
				err := row.Scan(&group, &value)
				values[group] = append(values[group], value)
				return err
			},
		},
	}
	for _, table := range []string{"directory_users", "directory_groups"} {
		list = append(list, tx.byExternalID(ref, table, []string{who.ExternalID}, func(_, other string) { shared = shared || other != id }))
	}
	if err := tx.query(list...); err != nil {
		return nil, translate(err)
	}
	var awaiting []Awaiting
	for i := range groups {
		meant := slices.DeleteFunc(values[groups[i].ID], func(v string) bool {
			byName := who.UserNameKey != "" && model.Fold(v) == who.UserNameKey
			return groups[i].ID == id || !byName && (v != who.ExternalID || shared)
		})
		if len(meant) > 0 {
			awaiting = append(awaiting, Awaiting{groups[i], meant})
		}
	}
	return awaiting, nil
}

// pendingOf gives the rest of a SELECT that reads what is remembered under one of the keys.
func (tx *Tx) pendingOf(keys []string) string {
	return " FROM pending_members WHERE value_key" + tx.anyOf("text", keys) + " AND " + tx.beside("integration_id") + " AND " + tx.beside("organization_id")
}

func (tx *Tx) awaitingIDs(ref model.Ref, keys []string) ([]string, error) {
	var ids []string
	err := tx.query(statement{
		sql:  "SELECT DISTINCT group_id" + tx.pendingOf(keys),
		args: []any{tx.list(keys), ref.IntegrationID, ref.OrganizationID},
		scan: func(row scanner) error {
			return scanAppend(row, &ids, func(r scanner, id *string) error { return r.Scan(id) })
		},
	})
	return ids, err
}

// byExternalID reads who has one of the externalIds.
func (r *Reader) byExternalID(ref model.Ref, table string, externalIDs []string, found func(externalID, id string)) statement {
	return statement{
		sql: "SELECT external_id, id FROM " + table + " WHERE external_id <> '' AND external_id" + r.anyOf("text", externalIDs) + " AND " +
			r.beside("integration_id") + " AND " + r.beside("organization_id"),
		args: []any{r.list(externalIDs), ref.IntegrationID, ref.OrganizationID},
		scan: func(row scanner) error {
			var externalID, id string
			err := row.Scan(&externalID, &id)
			found(externalID, id)
			return err
		},
	}
}

// Admit makes a newcomer a member of the groups that awaited it, which forget its values and get their next version. It gives
// those of the groups that it was not a member of already.
func (tx *Tx) Admit(ref model.Ref, who model.Member, awaiting []Awaiting) ([]model.DirectoryGroup, error) {
	if len(awaiting) == 0 || !ValidID(who.ID) {
		return nil, nil
	}
	ids := make([]string, len(awaiting))
	for i := range awaiting {
		ids[i] = awaiting[i].Group.ID
	}
	joined := map[string]bool{}
	err := tx.query(statement{
		sql: `INSERT INTO memberships (group_id, member_id, organization_id, integration_id, member_type, display)
 SELECT g.id, ` + tx.typed("uuid") + `, g.organization_id, g.integration_id, ` + tx.typed("text") + `, ` + tx.typed("text") + ` FROM directory_groups g
 WHERE g.organization_id = ? AND g.integration_id = ? AND g.id` + tx.anyOf("uuid", ids) + ` ON CONFLICT DO NOTHING RETURNING group_id`,
		args: []any{who.ID, string(who.Type), who.Display, ref.OrganizationID, ref.IntegrationID, tx.list(ids)},
		scan: func(row scanner) error {
			var id string
			err := row.Scan(&id)
			joined[id] = true
			return err
		},
	})
	if err != nil {
		return nil, translate(err)
	}
	var groups []model.DirectoryGroup
	for i := range awaiting {
		g := &awaiting[i].Group
		tx.forget(g, awaiting[i].Values)
		if joined[g.ID] {
			tx.TouchDirectoryGroup(g)
			groups = append(groups, *g)
		} else {
			tx.StorePendingMembers(g)
		}
	}
	return groups, nil
}

// StorePendingMembers writes how many members a locked group remembers. It is no change of the group: version and time stay.
func (tx *Tx) StorePendingMembers(g *model.DirectoryGroup) {
	tx.buffer(statement{
		sql:      "UPDATE directory_groups SET pending_members = ? WHERE organization_id = ? AND integration_id = ? AND id = ?",
		args:     []any{g.PendingMembers, g.OrganizationID, g.IntegrationID, g.ID},
		affected: exactlyOne("group", g.ID), locked: true,
	})
}

// pairs makes the value that unpaired binds: values with their keys.
func (tx *Tx) pairs(values []string) []any {
	keys := make([]string, len(values))
	for i, v := range values {
		keys[i] = model.Fold(v)
	}
	if tx.s.dialect == postgres {
		return []any{values, keys}
	}
	both := make([][2]string, len(values))
	for i := range values {
		both[i] = [2]string{values[i], keys[i]}
	}
	text, _ := json.Marshal(both) // strings always marshal
	return []any{string(text)}
}

// unpaired gives a relation of the columns value and value_key.
func (tx *Tx) unpaired() string {
	if tx.s.dialect == postgres {
		return "unnest(?::text[], ?::text[]) AS v (value, value_key)"
	}
	return "(SELECT value ->> 0 AS value, value ->> 1 AS value_key FROM json_each(?)) AS v"
}
