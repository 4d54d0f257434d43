package store

import (
	"encoding/json"
	"strconv"

	"usher/model"
)

const versionColumns = "organization_id, integration_id, number, actor, summary, entries, mappings, created_at"

func scanVersion(r scanner, v *model.FieldMappingVersion) error {
	var mappings []byte
	err := r.Scan(&v.OrganizationID, &v.IntegrationID, &v.Number, &v.Actor, &v.Summary, &v.Entries, &mappings, &v.CreatedAt)
	inUTC(&v.CreatedAt)
	if err != nil || mappings == nil {
		return err
	}
	return json.Unmarshal(mappings, &v.Mappings)
}

// FieldMappingVersionsBefore gives a page of the versions of an integration's field mappings, the newest first, without the mappings
// themselves. before is the number that the page ends in front of, 0 for the newest.
func (r *Reader) FieldMappingVersionsBefore(ref model.Ref, before, limit int) ([]model.FieldMappingVersion, error) {
	list := []model.FieldMappingVersion{}
	if !ValidID(ref.IntegrationID) {
		return list, nil
	}
	where, args := "organization_id = ? AND integration_id = ?", []any{ref.OrganizationID, ref.IntegrationID}
	if before > 0 {
		where, args = where+" AND number < ?", append(args, before)
	}
	err := r.query(statement{
		sql: "SELECT organization_id, integration_id, number, actor, summary, entries, NULL, created_at FROM field_mapping_versions WHERE " + where +
			" ORDER BY number DESC LIMIT ?",
		args: append(args, limit),
		scan: func(row scanner) error { return scanAppend(row, &list, scanVersion) },
	})
	return list, translate(err)
}

// FieldMappingVersion reads one version with its mappings.
func (r *Reader) FieldMappingVersion(ref model.Ref, number int) (model.FieldMappingVersion, error) {
	var list []model.FieldMappingVersion
	var err error
	if ValidID(ref.IntegrationID) && number > 0 && number <= maxVersion {
		err = r.query(statement{
			sql:  "SELECT " + versionColumns + " FROM field_mapping_versions WHERE organization_id = ? AND integration_id = ? AND number = ?",
			args: []any{ref.OrganizationID, ref.IntegrationID, number},
			scan: func(row scanner) error { return scanAppend(row, &list, scanVersion) },
		})
	}
	return first(list, translate(err), "version", strconv.Itoa(number))
}

// maxVersion is the largest number that its column holds.
const maxVersion = 1<<31 - 1

// LastFieldMappingVersion gives the number of the newest version, 0 where there is none.
func (r *Reader) LastFieldMappingVersion(ref model.Ref) (int, error) {
	last := 0
	if !ValidID(ref.IntegrationID) {
		return last, nil
	}
	err := r.query(statement{
		sql:  "SELECT number FROM field_mapping_versions WHERE organization_id = ? AND integration_id = ? ORDER BY number DESC LIMIT 1",
		args: []any{ref.OrganizationID, ref.IntegrationID},
		scan: func(row scanner) error { return row.Scan(&last) },
	})
	return last, translate(err)
}

// InsertFieldMappingVersion stores a version under its number, which the caller has found while holding the settings, and takes those
// away that are beyond what is kept. Entries and the time are set here.
func (tx *Tx) InsertFieldMappingVersion(v *model.FieldMappingVersion) error {
	if v.Mappings == nil {
		v.Mappings = []model.FieldMapping{}
	}
	raw, err := json.Marshal(v.Mappings)
	if err != nil {
		return err
	}
	v.Entries, v.CreatedAt = len(v.Mappings), tx.now
	tx.buffer(statement{
		sql:  "INSERT INTO field_mapping_versions (" + versionColumns + ") VALUES (?,?,?,?,?,?,?,?)",
		args: []any{v.OrganizationID, v.IntegrationID, v.Number, v.Actor, v.Summary, v.Entries, string(raw), v.CreatedAt},
	})
	tx.buffer(statement{
		sql:  "DELETE FROM field_mapping_versions WHERE organization_id = ? AND integration_id = ? AND number <= ?",
		args: []any{v.OrganizationID, v.IntegrationID, v.Number - model.FieldMappingVersionsKept},
	})
	return nil
}
