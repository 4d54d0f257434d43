package store

import (
	"gorm.io/gorm/clause"

	"usher/model"
)

// Entry is one kind of thing in an organization's catalogue.
type Entry interface {
	model.Role | model.Department | model.Site | model.Module | model.CustomField
}

// Entries gives a page of a catalogue in the order of keys.
func Entries[T Entry](r *Reader, organizationID, after string, limit int) ([]T, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []T{}
	return list, translate(db.Where("organization_id = ? AND key > ?", organizationID, after).Order("key").Limit(limit).Find(&list).Error)
}

// EntryByKey reads one entry of a catalogue; what names its kind in the error.
func EntryByKey[T Entry](r *Reader, organizationID, key, what string) (T, error) {
	return one[T](r, what, key, "organization_id = ? AND key = ?", organizationID, key)
}

// PutEntry stores an entry of a catalogue, new or not.
func PutEntry[T Entry](tx *Tx, entry *T) error {
	db, err := tx.orm()
	if err != nil {
		return err
	}
	return db.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "organization_id"}, {Name: "key"}},
		UpdateAll: true,
	}).Create(entry).Error
}

// DeleteEntry removes an entry of a catalogue.
func DeleteEntry[T Entry](tx *Tx, organizationID, key, what string) error {
	db, err := tx.orm()
	if err != nil {
		return err
	}
	return rowOrNotFound(db.Where("organization_id = ? AND key = ?", organizationID, key).Delete(new(T)), what, key)
}
