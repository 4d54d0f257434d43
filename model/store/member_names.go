package store

import "usher/model"

// A membership has the display name of its member: a group is read far more often than a member is renamed, and to look a name up
// costs more than the rest of a member does. Whoever makes a membership writes the name, under a lock on the member's row that
// keeps it from being renamed (whoever imports locks the page of people); whoever renames a member writes its memberships.

// learnNames notes the names of users whose rows are locked.
func (tx *Tx) learnNames(users []model.DirectoryUser) {
	for i := range users {
		tx.learnName(users[i].ID, users[i].DisplayName)
	}
}

func (tx *Tx) learnName(id, display string) {
	if tx.names == nil {
		tx.names = map[string]string{}
	}
	tx.names[id] = display
}

// rename gives the memberships of a user or group its name, unless that is known to be what it was. It comes before the row of
// the member is written: the lock waits for those who are adding the member to a group, who may not be seen before they commit.
func (tx *Tx) rename(table, id, display string) {
	if was, known := tx.names[id]; known && was == display {
		return
	}
	tx.learnName(id, display)
	if tx.s.dialect == postgres {
		tx.buffer(statement{sql: "SELECT 1 FROM " + table + " WHERE id = ? FOR UPDATE", args: []any{id}})
	}
	tx.buffer(statement{
		sql:  "UPDATE memberships SET display = ? WHERE member_id = ? AND display <> ?",
		args: []any{display, id, display},
	})
}
