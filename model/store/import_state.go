package store

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"usher/model"
)

// ImportState says how far the reading of an integration's tenant has come; before the first round it is empty.
func (r *Reader) ImportState(ref model.Ref) (model.ImportState, error) {
	none := model.ImportState{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}
	if !ValidID(ref.OrganizationID) || !ValidID(ref.IntegrationID) {
		return none, notFound("integration", ref.IntegrationID)
	}
	db, err := r.orm()
	if err != nil {
		return none, translate(err)
	}
	var state model.ImportState
	err = db.Where("organization_id = ? AND integration_id = ?", ref.OrganizationID, ref.IntegrationID).Take(&state).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return none, nil
	}
	return state, translate(err)
}

// PutImportState stores how far the reading has come, as its next step. The caller holds what keeps others from reading
// (Tx.LockRun), and has looked that the step is still the one it began with.
func (tx *Tx) PutImportState(state *model.ImportState) error {
	db, err := tx.orm()
	if err != nil {
		return translate(err)
	}
	state.Step++
	state.MovedAt = &tx.now
	return translate(db.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "integration_id"}}, UpdateAll: true,
		Where: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "import_states.organization_id = excluded.organization_id"}}},
	}).Create(state).Error)
}

// ImportLinks gives the deltas that the groups of an integration are read by, in the order of their ids.
func (r *Reader) ImportLinks(ref model.Ref) ([]model.ImportLink, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []model.ImportLink
	err = db.Where("organization_id = ? AND integration_id = ?", ref.OrganizationID, ref.IntegrationID).Order("id").Find(&list).Error
	return list, translate(err)
}

// InsertImportLink stores a new delta; its ID is set here.
func (tx *Tx) InsertImportLink(link *model.ImportLink) error {
	link.ID = NewID()
	return translate(tx.insert(link))
}

// UpdateImportLink stores how far a delta has come.
func (tx *Tx) UpdateImportLink(link *model.ImportLink) error {
	return tx.update(link, "link", link.ID, []string{"link", "next", "linked_at", "mark", "ended"},
		"organization_id = ? AND integration_id = ? AND id = ?", link.OrganizationID, link.IntegrationID, link.ID)
}

// DeleteImportLinks forgets deltas that no group is read by.
func (tx *Tx) DeleteImportLinks(ref model.Ref) {
	tx.buffer(statement{
		sql: `DELETE FROM import_links WHERE organization_id = ? AND integration_id = ?
 AND NOT EXISTS (SELECT 1 FROM import_groups g WHERE g.integration_id = import_links.integration_id AND g.link_id = import_links.id)`,
		args: []any{ref.OrganizationID, ref.IntegrationID},
	})
}

// DiscardImport forgets everything that was read of an integration's tenant, so that the next round reads everything.
func (tx *Tx) DiscardImport(ref model.Ref) {
	for _, table := range []string{"import_users", "import_members", "import_groups", "import_links"} {
		tx.buffer(statement{
			sql:  "DELETE FROM " + table + " WHERE organization_id = ? AND integration_id = ?",
			args: []any{ref.OrganizationID, ref.IntegrationID},
		})
	}
	tx.buffer(statement{
		sql: `UPDATE import_states SET step = step + 1, stage = '', cursor = '', users_link = '', users_next = '', users_later = '', users_mode = ''
 WHERE organization_id = ? AND integration_id = ?`,
		args: []any{ref.OrganizationID, ref.IntegrationID},
	})
}

// rowsAs gives rows as a table x with the named columns; kinds are PostgreSQL's types of them: uuid, text, boolean or bigint.
// The text is the same for any number of rows, so that it stays prepared.
func (r *Reader) rowsAs(names, kinds string, rows [][]any) (from string, args []any) {
	columns, types := strings.Fields(names), strings.Fields(kinds)
	if r.s.dialect == postgres {
		arrays := make([]string, len(types))
		for c, kind := range types {
			arrays[c] = "?::" + kind + "[]"
			args = append(args, eventColumn(rows, c, kind))
		}
		return "unnest(" + strings.Join(arrays, ", ") + ") AS x(" + strings.Join(columns, ", ") + ")", args
	}
	extracted := make([]string, len(columns))
	for c, name := range columns {
		extracted[c] = "json_extract(value, '$[" + strconv.Itoa(c) + "]') AS " + name
	}
	return "(SELECT " + strings.Join(extracted, ", ") + " FROM json_each(?)) AS x", []any{rowsText(rows)}
}

func rowsText(rows [][]any) string {
	if rows == nil {
		rows = [][]any{}
	}
	raw, _ := json.Marshal(rows) // texts, numbers and booleans always marshal
	return string(raw)
}

// scanTexts scans one column of texts.
func scanTexts(into *[]string) func(scanner) error {
	return func(row scanner) error {
		return scanAppend(row, into, func(r scanner, text *string) error { return r.Scan(text) })
	}
}

// sortedIDs gives each of ids once, in order, so that two transactions take rows in one order.
func sortedIDs(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
