package directory

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// The bounds of SCIM clients. An access token is good for TokenMinutes, which Microsoft's gallery wants between one hour and
// six.
const (
	MinTokenMinutes  = 60
	MaxTokenMinutes  = 360
	maxClients       = 50 // of an integration
	maxLiveSecrets   = 2  // of a client: one to replace, one to replace it with
	maxFederations   = 10 // of a client
	expiredSecretAge = 24 * time.Hour
)

// CreateSCIMClient makes a client of the integration with its first secret, whose text is shown this once. tokenMinutes is
// how long its access tokens are good for, MinTokenMinutes where it is 0; expiresAt is the end of the secret.
func (s *Service) CreateSCIMClient(ctx context.Context, ref model.Ref, name string, tokenMinutes int, expiresAt *time.Time) (model.SCIMClient, string, error) {
	var client model.SCIMClient
	var text string
	if tokenMinutes == 0 {
		tokenMinutes = MinTokenMinutes
	}
	if tokenMinutes < MinTokenMinutes || tokenMinutes > MaxTokenMinutes {
		return client, "", model.FieldErrorf(model.Invalid, "token_minutes", "must be between %d and %d", MinTokenMinutes, MaxTokenMinutes)
	}
	if err := validCredential(name, expiresAt, s.Now()); err != nil {
		return client, "", err
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := pushed(tx, ref); err != nil {
			return err
		}
		if n, err := tx.CountSCIMClients(ref); err != nil || n >= maxClients {
			return orElse(err, model.Errorf(model.Refused, "the integration has %d clients already; delete one that is not used", n))
		}
		client = model.SCIMClient{
			ID: s.Keys.MarkID(store.NewID()), CreatedAt: tx.Now(), OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Name: name, TokenMinutes: tokenMinutes,
			Federations: []model.SCIMClientFederation{},
		}
		if err := tx.InsertSCIMClient(&client); err != nil {
			return err
		}
		row, plain, err := s.insertSecret(tx, &client, expiresAt)
		if err != nil {
			return err
		}
		client.Secrets, text = []model.SCIMClientSecret{row}, plain
		return s.logClient(ctx, tx, &client, "created", "SCIM client "+name+" was created")
	})
	return client, text, err
}

// orElse gives the error, or the other one where there is none.
func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func (s *Service) insertSecret(tx *store.Tx, c *model.SCIMClient, expiresAt *time.Time) (model.SCIMClientSecret, string, error) {
	id := store.NewID()
	text := s.Keys.NewToken(secret.PrefixClient, id)
	row := model.SCIMClientSecret{
		ID: id, OrganizationID: c.OrganizationID, IntegrationID: c.IntegrationID, ClientID: c.ID, Hash: s.Keys.Hash(text),
		ExpiresAt: utc(expiresAt), CreatedAt: tx.Now(), WarnedDays: passed(expiresAt, tx.Now()), State: model.StateOf(expiresAt, tx.Now()),
	}
	return row, text, tx.InsertSCIMClientSecret(&row)
}

// logClient writes a line of the administrator's log about a client.
func (s *Service) logClient(ctx context.Context, tx *store.Tx, c *model.SCIMClient, what, summary string) error {
	return s.logSetting(ctx, tx, c.OrganizationID, &c.IntegrationID, "scim_client."+what, "scim_client", c.ID, c.Name, summary, nil)
}

// DeleteSCIMClient removes a client with its secrets and federations; its access tokens are refused from then on.
func (s *Service) DeleteSCIMClient(ctx context.Context, ref model.Ref, id string) error {
	return s.changeClient(ctx, ref, id, func(tx *store.Tx, c *model.SCIMClient) error {
		if err := tx.DeleteSCIMClient(ref, id); err != nil {
			return err
		}
		return s.logClient(ctx, tx, c, "deleted", "SCIM client "+c.Name+" was deleted with its secrets")
	})
}

// changeClient runs fn on a client that is locked, and forgets what was remembered of tokens when it is done.
func (s *Service) changeClient(ctx context.Context, ref model.Ref, id string, fn func(*store.Tx, *model.SCIMClient) error) error {
	defer s.tokens.forget()
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Integration(ref); err != nil {
			return err
		}
		c, err := tx.LockSCIMClient(ref, id)
		if err != nil {
			return err
		}
		return fn(tx, &c)
	})
}

// CreateSCIMClientSecret makes one more secret of a client, so that one can be replaced without a gap. A client has at most
// two that are live; a third is Refused with what to delete. Secrets that expired long ago go.
func (s *Service) CreateSCIMClientSecret(ctx context.Context, ref model.Ref, clientID string, expiresAt *time.Time) (model.SCIMClientSecret, string, error) {
	var row model.SCIMClientSecret
	var text string
	if err := validExpiry(expiresAt, s.Now()); err != nil {
		return row, "", err
	}
	err := s.changeClient(ctx, ref, clientID, func(tx *store.Tx, c *model.SCIMClient) (err error) {
		if err := s.roomForSecret(tx, c); err != nil {
			return err
		}
		if row, text, err = s.insertSecret(tx, c, expiresAt); err != nil {
			return err
		}
		return s.logClient(ctx, tx, c, "secret_created", "a secret of SCIM client "+c.Name+" was created")
	})
	return row, text, err
}

// roomForSecret removes secrets whose access tokens are over too, and refuses where two are live.
func (s *Service) roomForSecret(tx *store.Tx, c *model.SCIMClient) error {
	var live []model.SCIMClientSecret
	for i := range c.Secrets {
		old := &c.Secrets[i]
		switch {
		case old.ExpiresAt == nil || tx.Now().Before(*old.ExpiresAt):
			live = append(live, *old)
		case !tx.Now().Before(old.ExpiresAt.Add(expiredSecretAge)):
			if err := tx.DeleteSCIMClientSecret(c.Ref(), c.ID, old.ID); err != nil {
				return err
			}
		}
	}
	if len(live) < maxLiveSecrets {
		return nil
	}
	idle := live[0] // the oldest, unless another one was used less lately
	for _, secret := range live[1:] {
		if secret.LastUsedAt == nil && idle.LastUsedAt != nil ||
			secret.LastUsedAt != nil && idle.LastUsedAt != nil && secret.LastUsedAt.Before(*idle.LastUsedAt) {
			idle = secret
		}
	}
	used := "never used"
	if idle.LastUsedAt != nil {
		used = "last used " + idle.LastUsedAt.Format(time.RFC3339)
	}
	return model.Errorf(model.Refused, "the client has %d secrets already, and no more can be live at once: delete the one that is not in use, such as %s (made %s, %s)",
		len(live), idle.ID, idle.CreatedAt.Format(time.RFC3339), used)
}

// DeleteSCIMClientSecret removes a secret; access tokens that were given for it are refused from then on.
func (s *Service) DeleteSCIMClientSecret(ctx context.Context, ref model.Ref, clientID, id string) error {
	return s.changeClient(ctx, ref, clientID, func(tx *store.Tx, c *model.SCIMClient) error {
		if err := tx.DeleteSCIMClientSecret(ref, clientID, id); err != nil {
			return err
		}
		return s.logClient(ctx, tx, c, "secret_deleted", "a secret of SCIM client "+c.Name+" was deleted")
	})
}

// CreateSCIMFederation makes a client trust an issuer: what is read of f are TenantID and Cloud, or Issuer, and Subject,
// Audience and JWKSURL.
func (s *Service) CreateSCIMFederation(ctx context.Context, ref model.Ref, clientID string, f model.SCIMClientFederation) (model.SCIMClientFederation, error) {
	err := s.changeClient(ctx, ref, clientID, func(tx *store.Tx, c *model.SCIMClient) error {
		integration, err := tx.Integration(ref)
		if err != nil {
			return err
		}
		if f.TenantID != "" && f.Cloud == "" {
			f.Cloud = cmp.Or(integration.Graph.Cloud, "global")
		}
		if err := checkFederation(&f); err != nil {
			return err
		}
		for _, other := range c.Federations {
			if other.TenantID == f.TenantID && other.Issuer == f.Issuer && other.Subject == f.Subject && other.Audience == f.Audience {
				return model.FieldErrorf(model.Conflict, "subject", "the client trusts this subject of this issuer already")
			}
		}
		if len(c.Federations) >= maxFederations {
			return model.Errorf(model.Refused, "the client has %d federations already; delete one that is not used", maxFederations)
		}
		f.ID, f.OrganizationID, f.IntegrationID, f.ClientID, f.LastUsedAt = "", ref.OrganizationID, ref.IntegrationID, c.ID, nil
		if err := tx.InsertSCIMClientFederation(&f); err != nil {
			return err
		}
		return s.logClient(ctx, tx, c, "federation_created", fmt.Sprintf("SCIM client %s trusts subject %s of %s%s", c.Name, f.Subject, f.TenantID, f.Issuer))
	})
	return f, err
}

// DeleteSCIMFederation ends the trust in an issuer; access tokens that were given for it are refused from then on.
func (s *Service) DeleteSCIMFederation(ctx context.Context, ref model.Ref, clientID, id string) error {
	return s.changeClient(ctx, ref, clientID, func(tx *store.Tx, c *model.SCIMClient) error {
		if err := tx.DeleteSCIMClientFederation(ref, clientID, id); err != nil {
			return err
		}
		return s.logClient(ctx, tx, c, "federation_deleted", "SCIM client "+c.Name+" lost a federation")
	})
}
