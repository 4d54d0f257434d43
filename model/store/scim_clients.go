package store

import (
	"time"

	"gorm.io/gorm"

	"usher/model"
)

const ofIntegration = "organization_id = ? AND integration_id = ?"

// SCIMClient reads a client of the integration, with its secrets and federations.
func (r *Reader) SCIMClient(ref model.Ref, id string) (model.SCIMClient, error) {
	if !ValidID(id) {
		return model.SCIMClient{}, notFound("client", id)
	}
	c, err := one[model.SCIMClient](r, "client", id, ofIntegration+" AND id = ?", ref.OrganizationID, ref.IntegrationID, id)
	if err != nil {
		return c, err
	}
	list := []model.SCIMClient{c}
	err = r.addCredentials(ref, list)
	return list[0], err
}

// SCIMClientsAfter gives a page of an integration's clients in the order of ids, with their secrets and federations.
func (r *Reader) SCIMClientsAfter(ref model.Ref, after string, limit int) ([]model.SCIMClient, error) {
	list, err := page[model.SCIMClient](r, after, limit, ofIntegration, ref.OrganizationID, ref.IntegrationID)
	if err != nil || len(list) == 0 {
		return list, err
	}
	return list, r.addCredentials(ref, list)
}

// addCredentials reads the secrets and federations of the clients, two statements for all of them.
func (r *Reader) addCredentials(ref model.Ref, list []model.SCIMClient) error {
	at, ids := map[string]*model.SCIMClient{}, make([]string, len(list))
	for i := range list {
		list[i].Secrets, list[i].Federations = []model.SCIMClientSecret{}, []model.SCIMClientFederation{}
		at[list[i].ID], ids[i] = &list[i], list[i].ID
	}
	secrets, err := ofClients[model.SCIMClientSecret](r, ref, ids)
	if err != nil {
		return err
	}
	for i := range secrets {
		c := at[secrets[i].ClientID]
		c.Secrets = append(c.Secrets, secrets[i])
	}
	federations, err := ofClients[model.SCIMClientFederation](r, ref, ids)
	if err != nil {
		return err
	}
	for i := range federations {
		c := at[federations[i].ClientID]
		c.Federations = append(c.Federations, federations[i])
	}
	return nil
}

func ofClients[T any](r *Reader, ref model.Ref, clientIDs []string) ([]T, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []T
	err = db.Where(ofIntegration+" AND client_id IN ?", ref.OrganizationID, ref.IntegrationID, clientIDs).Order("id").Find(&list).Error
	return list, translate(err)
}

// CountSCIMClients says how many clients the integration has.
func (r *Reader) CountSCIMClients(ref model.Ref) (int, error) {
	db, err := r.orm()
	if err != nil {
		return 0, translate(err)
	}
	var n int64
	err = db.Model(&model.SCIMClient{}).Where(ofIntegration, ref.OrganizationID, ref.IntegrationID).Count(&n).Error
	return int(n), translate(err)
}

// SCIMClientByID reads a client by its id alone, with its federations: the id is what tells the organization.
func (r *Reader) SCIMClientByID(id string) (model.SCIMClient, error) {
	c, err := one[model.SCIMClient](r, "client", id, "id = ?", id)
	if err != nil {
		return c, err
	}
	c.Federations, err = ofClients[model.SCIMClientFederation](r, c.Ref(), []string{c.ID})
	return c, err
}

// SCIMClientOf reads a client by its id and that of one of its secrets or federations, NotFound where either is gone.
func (r *Reader) SCIMClientOf(id, credentialID string) (model.SCIMClient, error) {
	if !ValidID(id) || !ValidID(credentialID) {
		return model.SCIMClient{}, notFound("client", id)
	}
	return one[model.SCIMClient](r, "client", id, `id = ? AND (EXISTS (SELECT 1 FROM scim_client_secrets s WHERE s.client_id = scim_clients.id AND s.id = ?)
 OR EXISTS (SELECT 1 FROM scim_client_federations f WHERE f.client_id = scim_clients.id AND f.id = ?))`, id, credentialID, credentialID)
}

// SCIMClientSecret reads a secret by its id.
func (r *Reader) SCIMClientSecret(id string) (model.SCIMClientSecret, error) {
	return one[model.SCIMClientSecret](r, "secret", id, "id = ?", id)
}

// SCIMFederations gives the federations of all clients that trust the subject and audience, at most limit of them.
func (r *Reader) SCIMFederations(subject, audience string, limit int) ([]model.SCIMClientFederation, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []model.SCIMClientFederation
	err = db.Where("subject = ? AND audience = ?", subject, audience).Order("id").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// LockSCIMClient reads a client of the integration and keeps other writers of its secrets and federations out until the
// transaction ends.
func (tx *Tx) LockSCIMClient(ref model.Ref, id string) (model.SCIMClient, error) {
	if !ValidID(id) {
		return model.SCIMClient{}, notFound("client", id)
	}
	err := tx.query(statement{
		sql:  "SELECT id FROM scim_clients WHERE " + ofIntegration + " AND id = ?" + tx.forUpdate(),
		args: []any{ref.OrganizationID, ref.IntegrationID, id},
		scan: func(row scanner) error { return row.Scan(new(string)) },
	})
	if err != nil {
		return model.SCIMClient{}, translate(err)
	}
	return tx.SCIMClient(ref, id)
}

// InsertSCIMClient stores a new client; ID and CreatedAt are set by the caller, because the id is marked.
func (tx *Tx) InsertSCIMClient(c *model.SCIMClient) error { return tx.insert(c) }

// DeleteSCIMClient removes a client with its secrets and federations.
func (tx *Tx) DeleteSCIMClient(ref model.Ref, id string) error {
	return remove[model.SCIMClient](tx, "client", id, ofIntegration+" AND id = ?", ref.OrganizationID, ref.IntegrationID, id)
}

// UseSCIMClient notes that an access token of a client was used, at most once a minute.
func (tx *Tx) UseSCIMClient(id string) error { return tx.used("scim_clients", id) }

// InsertSCIMClientSecret stores a new secret; ID and CreatedAt are set by the caller, because the secret's text carries its id.
func (tx *Tx) InsertSCIMClientSecret(s *model.SCIMClientSecret) error { return tx.insert(s) }

// DeleteSCIMClientSecret removes a secret of a client.
func (tx *Tx) DeleteSCIMClientSecret(ref model.Ref, clientID, id string) error {
	if !ValidID(clientID) {
		return notFound("client", clientID)
	}
	return remove[model.SCIMClientSecret](tx, "secret", id, ofIntegration+" AND client_id = ? AND id = ?",
		ref.OrganizationID, ref.IntegrationID, clientID, id)
}

// UseSCIMClientSecret notes that a secret was used, at most once a minute.
func (tx *Tx) UseSCIMClientSecret(id string) error { return tx.used("scim_client_secrets", id) }

// InsertSCIMClientFederation stores a new federation; ID and CreatedAt are set here.
func (tx *Tx) InsertSCIMClientFederation(f *model.SCIMClientFederation) error {
	f.ID, f.CreatedAt = NewID(), tx.now
	return tx.insert(f)
}

// DeleteSCIMClientFederation removes a federation of a client.
func (tx *Tx) DeleteSCIMClientFederation(ref model.Ref, clientID, id string) error {
	if !ValidID(clientID) {
		return notFound("client", clientID)
	}
	return remove[model.SCIMClientFederation](tx, "federation", id, ofIntegration+" AND client_id = ? AND id = ?",
		ref.OrganizationID, ref.IntegrationID, clientID, id)
}

// UseSCIMClientFederation notes that a federation was used, at most once a minute.
func (tx *Tx) UseSCIMClientFederation(id string) error { return tx.used("scim_client_federations", id) }

// Credentials that end

// ExpiringCredentials gives the integration's tokens and secrets that end within the bounds, the first to end first.
func (r *Reader) ExpiringCredentials(ref model.Ref, from, to time.Time) ([]model.Credential, error) {
	return r.expiring(from, to, func(db *gorm.DB) *gorm.DB { return db.Where(ofIntegration, ref.OrganizationID, ref.IntegrationID) })
}

// AllExpiringCredentials gives those of every organization, at most limit tokens and limit secrets, the first to end first.
func (r *Reader) AllExpiringCredentials(from, to time.Time, limit int) ([]model.Credential, error) {
	return r.expiring(from, to, func(db *gorm.DB) *gorm.DB { return db.Limit(limit) })
}

// CredentialsToWarn gives those of every organization that nobody was warned of at the threshold or a smaller one.
func (r *Reader) CredentialsToWarn(from, to time.Time, days, limit int) ([]model.Credential, error) {
	return r.expiring(from, to, func(db *gorm.DB) *gorm.DB {
		return db.Where("(warned_days IS NULL OR warned_days > ?)", days).Limit(limit)
	})
}

// WarnedOfExpiry notes that a warning was given for the threshold, and says whether that was due: not given yet, by no other
// process either.
func (tx *Tx) WarnedOfExpiry(c *model.Credential, days int) (bool, error) {
	table := "scim_tokens"
	if c.Kind == model.CredentialSecret {
		table = "scim_client_secrets"
	}
	claimed := false
	err := tx.query(statement{
		sql:      "UPDATE " + table + " SET warned_days = ? WHERE " + ofIntegration + " AND id = ? AND (warned_days IS NULL OR warned_days > ?)",
		args:     []any{days, c.OrganizationID, c.IntegrationID, c.ID, days},
		affected: func(n int64) error { claimed = n == 1; return nil },
	})
	return claimed, translate(err)
}
