package directory

import (
	"context"
	"sync"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// tokenCache remembers right tokens for a short time, so that a request does not read its token again. A revoked token is
// refused at once by the process that revoked it, and within tokenAge by others.
type tokenCache struct {
	mu    sync.Mutex
	known map[string]knownToken // by the hash of the token
}

type knownToken struct {
	id      string
	ref     model.Ref
	until   time.Time
	expires *time.Time
}

// tokenAge is how long a right token is remembered.
const tokenAge = 10 * time.Second

func (c *tokenCache) get(hash string, now time.Time) (knownToken, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.known[hash]
	return k, ok && now.Before(k.until) && (k.expires == nil || now.Before(*k.expires))
}

func (c *tokenCache) put(hash string, k knownToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxRemembered {
		c.known = map[string]knownToken{}
	}
	c.known[hash] = k
}

func (c *tokenCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = nil
}

func unauthorized() error {
	return model.Errorf(model.Unauthorized, "the bearer token is missing, wrong, expired or revoked")
}

// SCIMToken gives the integration that a bearer token belongs to. It is Unauthorized unless the token is right, neither
// expired nor revoked, and of the integration named in the URL.
func (s *Service) SCIMToken(ctx context.Context, integrationID, token string) (model.Ref, error) {
	id, ok := secret.TokenID(secret.PrefixSCIM, token)
	if !ok {
		return model.Ref{}, unauthorized()
	}
	now, hash := s.Now(), s.Keys.Hash(token)
	k, ok := s.tokens.get(hash, now)
	if !ok {
		row, err := s.Store.Read(ctx).SCIMToken(id)
		if model.KindOf(err) == model.NotFound {
			return model.Ref{}, unauthorized()
		}
		if err != nil {
			return model.Ref{}, err
		}
		if !s.Keys.Matches(token, row.Hash) || (row.ExpiresAt != nil && !now.Before(*row.ExpiresAt)) {
			return model.Ref{}, unauthorized()
		}
		k = knownToken{id: id, ref: model.Ref{OrganizationID: row.OrganizationID, IntegrationID: row.IntegrationID}, until: now.Add(tokenAge), expires: row.ExpiresAt}
		s.tokens.put(hash, k)
		s.noteUse(ctx, func(tx *store.Tx) error { return tx.UseSCIMToken(id) }, row.LastUsedAt)
	}
	if k.ref.IntegrationID != integrationID {
		return model.Ref{}, unauthorized()
	}
	return k.ref, nil
}

// noteUse writes the time of last use, unless that was done within the last minute. A failure is logged: it must not
// cost a request its answer.
func (s *Service) noteUse(ctx context.Context, use func(*store.Tx) error, last *time.Time) {
	if last != nil && s.Now().Sub(*last) < time.Minute {
		return
	}
	if err := s.Store.InTx(ctx, use); err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "time of last use was not written", "err", err)
	}
}

// CreateSCIMToken makes a token of the integration and gives its text, which is shown this once.
func (s *Service) CreateSCIMToken(ctx context.Context, ref model.Ref, name string, expiresAt *time.Time) (model.SCIMToken, string, error) {
	var row model.SCIMToken
	var text string
	if err := validExpiry(expiresAt, s.Now()); err != nil {
		return row, "", err
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		integration, err := tx.Integration(ref)
		if err != nil {
			return err
		}
		if integration.Ingress != model.IngressSCIM {
			return model.Errorf(model.Refused, "integration %s pulls people over Graph; only one with ingress scim has SCIM tokens", integration.Name)
		}
		id := store.NewID()
		text = secret.NewToken(secret.PrefixSCIM, id)
		row = model.SCIMToken{
			ID: id, OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Name: name, Hash: s.Keys.Hash(text),
			ExpiresAt: utc(expiresAt), CreatedAt: tx.Now(),
		}
		if err := tx.InsertSCIMToken(&row); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, ref.OrganizationID, &ref.IntegrationID, "scim_token.created", "scim_token", id, name, "SCIM token "+name+" was created", nil)
	})
	return row, text, err
}

// DeleteSCIMToken revokes a token.
func (s *Service) DeleteSCIMToken(ctx context.Context, ref model.Ref, id string) error {
	defer s.tokens.forget()
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Integration(ref); err != nil {
			return err
		}
		if err := tx.DeleteSCIMToken(ref, id); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, ref.OrganizationID, &ref.IntegrationID, "scim_token.revoked", "scim_token", id, "", "a SCIM token was revoked", nil)
	})
}

// APIKey gives the key that a bearer token is, or Unauthorized.
func (s *Service) APIKey(ctx context.Context, token string) (model.APIKey, error) {
	id, ok := secret.TokenID(secret.PrefixAPI, token)
	if !ok {
		return model.APIKey{}, unauthorized()
	}
	row, err := s.Store.Read(ctx).APIKey(id)
	if model.KindOf(err) == model.NotFound {
		return model.APIKey{}, unauthorized()
	}
	if err != nil {
		return model.APIKey{}, err
	}
	if !s.Keys.Matches(token, row.Hash) || (row.ExpiresAt != nil && !s.Now().Before(*row.ExpiresAt)) {
		return model.APIKey{}, unauthorized()
	}
	s.noteUse(ctx, func(tx *store.Tx) error { return tx.UseAPIKey(id) }, row.LastUsedAt)
	return row, nil
}

// CreateAPIKey makes a key of the organization and gives its text, which is shown this once.
func (s *Service) CreateAPIKey(ctx context.Context, organizationID, name string, rights []model.Right, expiresAt *time.Time) (model.APIKey, string, error) {
	var row model.APIKey
	var text string
	if err := validExpiry(expiresAt, s.Now()); err != nil {
		return row, "", err
	}
	if err := validRights(rights); err != nil {
		return row, "", err
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		id := store.NewID()
		text = secret.NewToken(secret.PrefixAPI, id)
		row = model.APIKey{
			ID: id, OrganizationID: organizationID, Name: name, Rights: rights, Hash: s.Keys.Hash(text), ExpiresAt: utc(expiresAt),
			CreatedAt: tx.Now(),
		}
		if err := tx.InsertAPIKey(&row); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, organizationID, nil, "api_key.created", "api_key", id, name, "API key "+name+" was created",
			map[string]any{"rights": rights})
	})
	return row, text, err
}

// DeleteAPIKey revokes a key.
func (s *Service) DeleteAPIKey(ctx context.Context, organizationID, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteAPIKey(organizationID, id); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, organizationID, nil, "api_key.revoked", "api_key", id, "", "an API key was revoked", nil)
	})
}

func validExpiry(at *time.Time, now time.Time) error {
	if at != nil && !at.After(now) {
		return model.FieldErrorf(model.Invalid, "expires_at", "is in the past")
	}
	return nil
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC().Truncate(time.Microsecond)
	return &u
}

func validRights(rights []model.Right) error {
	if len(rights) == 0 {
		return model.FieldErrorf(model.Invalid, "rights", "at least one right is needed")
	}
	known := map[model.Right]bool{}
	for _, r := range model.Rights() {
		known[r] = true
	}
	for _, r := range rights {
		if !known[r] {
			return model.FieldErrorf(model.Invalid, "rights", "%q is not a right; the rights are %v", r, model.Rights())
		}
	}
	return nil
}
