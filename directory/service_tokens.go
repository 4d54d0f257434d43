package directory

import (
	"context"
	"strings"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

func unauthorized() error {
	return model.Errorf(model.Unauthorized, "the bearer token is missing, wrong, expired or revoked")
}

// unmarkedWait is when to come back with a token that would have to be looked up, while too many of that sort are shown.
const unmarkedWait = time.Second

// SCIMToken says who shows a bearer token: one of the integration's tokens, or an access token of one of its clients. It is
// Unauthorized unless the token is right, neither expired nor revoked, and of the integration named in the URL; the detail is
// the model.Denial. A token that this installation did not make costs no statement, one that it made at most one in tokenAge.
// Throttled says that too many were shown that can only be told by a statement.
func (s *Service) SCIMToken(ctx context.Context, integrationID, token string) (model.SCIMCaller, error) {
	now, hash := s.Now(), s.Keys.Hash(token)
	r := s.tokens.get(hash, now)
	if !r.ok {
		read := s.readSCIMToken
		if strings.HasPrefix(token, secret.PrefixAccess) {
			read = s.readAccessToken
		} else if _, ok := secret.TokenID(secret.PrefixSCIM, token); !ok {
			return model.SCIMCaller{}, model.Denied(model.DeniedMalformed)
		}
		var err error
		if r.caller, r.why, err = read(ctx, token, hash, r); err != nil {
			return model.SCIMCaller{}, err
		}
	}
	switch {
	case r.why != "":
		return model.SCIMCaller{}, model.Denied(r.why)
	case r.caller.IntegrationID != integrationID:
		return model.SCIMCaller{}, model.Denied(model.DeniedElsewhere)
	}
	return r.caller, nil
}

// readSCIMToken looks a token up and remembers what it finds.
func (s *Service) readSCIMToken(ctx context.Context, token, hash string, r remembered) (caller model.SCIMCaller, why model.Denial, err error) {
	now, made := s.Now(), s.Keys.Made(secret.PrefixSCIM, token)
	if !made && !r.seen && !s.unmarked.AllowN(now, 1) {
		return caller, "", &model.Throttled{After: unmarkedWait}
	}
	id, _ := secret.TokenID(secret.PrefixSCIM, token)
	row, err := s.Store.Read(ctx).SCIMToken(id)
	switch {
	case model.KindOf(err) == model.NotFound && err != nil:
		why = model.DeniedUnknown
		if made {
			why = model.DeniedRevoked
			s.tokens.deny(hash, why, now.Add(tokenAge))
		}
		return caller, why, nil
	case err != nil:
		return caller, "", err
	case !s.Keys.Matches(token, row.Hash):
		return caller, model.DeniedUnknown, nil
	case row.ExpiresAt != nil && !now.Before(*row.ExpiresAt):
		s.tokens.deny(hash, model.DeniedExpired, now.Add(tokenAge))
		return caller, model.DeniedExpired, nil
	}
	caller = model.SCIMCaller{
		Ref:          model.Ref{OrganizationID: row.OrganizationID, IntegrationID: row.IntegrationID},
		CredentialID: id, CredentialName: row.Name,
	}
	s.tokens.put(hash, knownToken{caller, now.Add(tokenAge), row.ExpiresAt}, r.generation)
	s.noteUse(ctx, func(tx *store.Tx) error { return tx.UseSCIMToken(id) }, row.LastUsedAt)
	return caller, "", nil
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
	if err := validCredential(name, expiresAt, s.Now()); err != nil {
		return row, "", err
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := pushed(tx, ref); err != nil {
			return err
		}
		id := store.NewID()
		text = s.Keys.NewToken(secret.PrefixSCIM, id)
		row = model.SCIMToken{
			ID: id, OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Name: name, Hash: s.Keys.Hash(text),
			ExpiresAt: utc(expiresAt), CreatedAt: tx.Now(), WarnedDays: passed(expiresAt, tx.Now()), State: model.StateOf(expiresAt, tx.Now()),
		}
		if err := tx.InsertSCIMToken(&row); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, ref.OrganizationID, &ref.IntegrationID, "scim_token.created", "scim_token", id, name, "SCIM token "+name+" was created", nil)
	})
	return row, text, err
}

// pushed refuses what only an integration has that Entra pushes to.
func pushed(tx *store.Tx, ref model.Ref) error {
	integration, err := tx.Integration(ref)
	if err == nil && integration.Ingress != model.IngressSCIM {
		err = model.Errorf(model.Refused, "integration %s pulls people over Graph; only one with ingress scim has SCIM tokens and clients", integration.Name)
	}
	return err
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
	if !s.Keys.Made(secret.PrefixAPI, token) && !s.unmarked.AllowN(s.Now(), 1) {
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
		text = s.Keys.NewToken(secret.PrefixAPI, id)
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

func validCredential(name string, expiresAt *time.Time, now time.Time) error {
	if strings.TrimSpace(name) == "" {
		return model.FieldErrorf(model.Invalid, "name", "is required")
	}
	if err := checkText("name", name, maxTitle); err != nil {
		return err
	}
	return validExpiry(expiresAt, now)
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
