package store

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"usher/model"
)

// expiring reads tokens and secrets that end after from and not after to, narrowed further.
func (r *Reader) expiring(from, to time.Time, narrow func(*gorm.DB) *gorm.DB) ([]model.Credential, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	ending := func() *gorm.DB {
		return narrow(db.Where("expires_at > ? AND expires_at <= ?", from.UTC(), to.UTC())).Order("expires_at, id")
	}
	var tokens []model.SCIMToken
	if err := ending().Find(&tokens).Error; err != nil {
		return nil, translate(err)
	}
	var secrets []model.SCIMClientSecret
	if err := ending().Find(&secrets).Error; err != nil {
		return nil, translate(err)
	}
	names, err := r.clientNames(db, secrets)
	if err != nil {
		return nil, err
	}
	list := make([]model.Credential, 0, len(tokens)+len(secrets))
	for i := range tokens {
		t := &tokens[i]
		list = append(list, model.Credential{
			Kind: model.CredentialToken, ID: t.ID, Name: t.Name, ExpiresAt: *t.ExpiresAt, LastUsedAt: t.LastUsedAt, WarnedDays: t.WarnedDays,
			Ref: model.Ref{OrganizationID: t.OrganizationID, IntegrationID: t.IntegrationID},
		})
	}
	for i := range secrets {
		s := &secrets[i]
		list = append(list, model.Credential{
			Kind: model.CredentialSecret, ID: s.ID, ClientID: s.ClientID, Name: names[s.ClientID], ExpiresAt: *s.ExpiresAt,
			LastUsedAt: s.LastUsedAt, WarnedDays: s.WarnedDays, Ref: model.Ref{OrganizationID: s.OrganizationID, IntegrationID: s.IntegrationID},
		})
	}
	slices.SortStableFunc(list, func(a, b model.Credential) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	return list, nil
}

func (r *Reader) clientNames(db *gorm.DB, secrets []model.SCIMClientSecret) (map[string]string, error) {
	names := map[string]string{}
	if len(secrets) == 0 {
		return names, nil
	}
	ids := make([]string, len(secrets))
	for i := range secrets {
		ids[i] = secrets[i].ClientID
	}
	var clients []model.SCIMClient
	if err := db.Select("id", "name").Where("id IN ?", ids).Find(&clients).Error; err != nil {
		return nil, translate(err)
	}
	for i := range clients {
		names[clients[i].ID] = clients[i].Name
	}
	return names, nil
}
