package store

import (
	"gorm.io/gorm"

	"usher/model"
)

// Organization reads one by id, or by slug.
func (r *Reader) Organization(idOrSlug string) (model.Organization, error) {
	where := "slug = ?"
	if ValidID(idOrSlug) {
		where = "id = ?"
	}
	return one[model.Organization](r, "organization", idOrSlug, where, idOrSlug)
}

// OrganizationsAfter gives a page of organizations in the order of ids.
func (r *Reader) OrganizationsAfter(after string, limit int) ([]model.Organization, error) {
	return page[model.Organization](r, after, limit, "1 = 1")
}

// InsertOrganization stores a new organization; ID and times are set here.
func (tx *Tx) InsertOrganization(o *model.Organization) error {
	o.ID, o.SettingsVersion, o.CreatedAt, o.UpdatedAt = NewID(), 1, tx.now, tx.now
	return tx.insert(o)
}

// UpdateOrganization writes the name and the slug.
func (tx *Tx) UpdateOrganization(o *model.Organization) error {
	o.UpdatedAt = tx.now
	return tx.update(o, "organization", o.ID, []string{"slug", "name", "updated_at"}, "id = ?", o.ID)
}

// DeleteOrganization removes an organization with everything that it owns.
func (tx *Tx) DeleteOrganization(id string) error {
	if !ValidID(id) {
		return notFound("organization", id)
	}
	for _, table := range []string{
		"memberships", "pending_members", "import_members", "import_users", "directory_users", "directory_groups", "accounts", "changes", "activities",
		"scim_requests", "scim_rejections",
	} {
		tx.buffer(statement{sql: "DELETE FROM " + table + " WHERE organization_id = ?", args: []any{id}})
	}
	tx.buffer(statement{sql: "DELETE FROM organizations WHERE id = ?", args: []any{id}, affected: exactlyOne("organization", id)})
	return translate(tx.send())
}

// APIKey reads a key by its id, whatever organization it belongs to: the key is what tells the organization.
func (r *Reader) APIKey(id string) (model.APIKey, error) {
	return one[model.APIKey](r, "API key", id, "id = ?", id)
}

// APIKeysAfter gives a page of an organization's keys in the order of ids.
func (r *Reader) APIKeysAfter(organizationID, after string, limit int) ([]model.APIKey, error) {
	return page[model.APIKey](r, after, limit, "organization_id = ?", organizationID)
}

// InsertAPIKey stores a new key; ID and CreatedAt are set by the caller, because the key's text carries its id.
func (tx *Tx) InsertAPIKey(k *model.APIKey) error { return tx.insert(k) }

// DeleteAPIKey revokes a key.
func (tx *Tx) DeleteAPIKey(organizationID, id string) error {
	return remove[model.APIKey](tx, "API key", id, "organization_id = ? AND id = ?", organizationID, id)
}

// UseAPIKey notes that a key was used, at most once a minute.
func (tx *Tx) UseAPIKey(id string) error { return tx.used("api_keys", id) }

func (tx *Tx) used(table, id string) error {
	tx.buffer(statement{
		sql:  "UPDATE " + table + " SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)",
		args: []any{tx.now, id, tx.now.Add(-usedEvery)},
	})
	return nil
}

// SCIMToken reads a token by its id.
func (r *Reader) SCIMToken(id string) (model.SCIMToken, error) {
	return one[model.SCIMToken](r, "token", id, "id = ?", id)
}

// SCIMTokensAfter gives a page of an integration's tokens in the order of ids.
func (r *Reader) SCIMTokensAfter(ref model.Ref, after string, limit int) ([]model.SCIMToken, error) {
	return page[model.SCIMToken](r, after, limit, "organization_id = ? AND integration_id = ?", ref.OrganizationID, ref.IntegrationID)
}

// InsertSCIMToken stores a new token; ID and CreatedAt are set by the caller, because the token's text carries its id.
func (tx *Tx) InsertSCIMToken(t *model.SCIMToken) error { return tx.insert(t) }

// DeleteSCIMToken revokes a token.
func (tx *Tx) DeleteSCIMToken(ref model.Ref, id string) error {
	return remove[model.SCIMToken](tx, "token", id, "organization_id = ? AND integration_id = ? AND id = ?",
		ref.OrganizationID, ref.IntegrationID, id)
}

// UseSCIMToken notes that a token was used, at most once a minute.
func (tx *Tx) UseSCIMToken(id string) error { return tx.used("scim_tokens", id) }

// Operators

// OperatorByEmail reads an operator by e-mail, without case.
func (r *Reader) OperatorByEmail(organizationID, email string) (model.Operator, error) {
	return one[model.Operator](r, "operator", email, "organization_id = ? AND email_key = ?", organizationID, model.Fold(email))
}

// OperatorsAfter gives a page of operators in the order of ids.
func (r *Reader) OperatorsAfter(organizationID, after string, limit int) ([]model.Operator, error) {
	return page[model.Operator](r, after, limit, "organization_id = ?", organizationID)
}

// InsertOperator stores a new operator; ID and times are set here.
func (tx *Tx) InsertOperator(o *model.Operator) error {
	o.ID, o.EmailKey, o.CreatedAt, o.UpdatedAt = NewID(), model.Fold(o.Email), tx.now, tx.now
	return tx.insert(o)
}

// UpdateOperator writes an operator.
func (tx *Tx) UpdateOperator(o *model.Operator) error {
	o.EmailKey, o.UpdatedAt = model.Fold(o.Email), tx.now
	return tx.update(o, "operator", o.ID, []string{
		"email", "email_key", "name", "rights", "password_hash", "entra_object_id", "failures", "locked_until", "signed_in_at", "updated_at",
	}, "organization_id = ? AND id = ?", o.OrganizationID, o.ID)
}

// DeleteOperator removes an operator.
func (tx *Tx) DeleteOperator(organizationID, id string) error {
	return remove[model.Operator](tx, "operator", id, "organization_id = ? AND id = ?", organizationID, id)
}

// one reads the row that the condition names.
func one[T any](r *Reader, what, id, where string, args ...any) (T, error) {
	var item T
	for _, a := range args {
		if text, ok := a.(string); ok && text == "" {
			return item, notFound(what, id)
		}
	}
	if what != "operator" && where == "id = ?" && !ValidID(id) {
		return item, notFound(what, id)
	}
	db, err := r.orm()
	if err != nil {
		return item, translate(err)
	}
	err = db.Where(where, args...).Take(&item).Error
	if err = translate(err); model.KindOf(err) == model.NotFound && err != nil {
		return item, notFound(what, id)
	}
	return item, err
}

// page reads rows in the order of ids, behind the id after.
func page[T any](r *Reader, after string, limit int, where string, args ...any) ([]T, error) {
	if after != "" {
		if !ValidID(after) {
			return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		where += " AND id > ?"
		args = append(args, after)
	}
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []T{}
	err = db.Where(where, args...).Order("id").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// insert stores a new row.
func (tx *Tx) insert(item any) error {
	db, err := tx.orm()
	if err != nil {
		return err
	}
	return db.Create(item).Error
}

// update writes the named columns, cleared ones too, of the one row that the condition names. gorm's Updates would write a
// time of its own as updated_at; UpdateColumns writes what the item has, the transaction's.
func (tx *Tx) update(item any, what, id string, columns []string, where string, args ...any) error {
	db, err := tx.orm()
	if err != nil {
		return err
	}
	res := db.Model(item).Where(where, args...).Select(columns).UpdateColumns(item)
	return rowOrNotFound(res, what, id)
}

func remove[T any](tx *Tx, what, id, where string, args ...any) error {
	if !ValidID(id) {
		return notFound(what, id)
	}
	db, err := tx.orm()
	if err != nil {
		return err
	}
	return rowOrNotFound(db.Where(where, args...).Delete(new(T)), what, id)
}

func rowOrNotFound(res *gorm.DB, what, id string) error {
	if res.Error == nil && res.RowsAffected == 0 {
		return notFound(what, id)
	}
	return res.Error
}
