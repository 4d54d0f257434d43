package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"usher/directory/assertion"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// readAccessToken looks up whether the client and the credential of an access token are still there, and remembers it. A
// token that was given before its secret expired is good for its time; one whose secret was deleted is not.
func (s *Service) readAccessToken(ctx context.Context, token, hash string, r remembered) (caller model.SCIMCaller, why model.Denial, err error) {
	now := s.Now()
	a, ok := s.Keys.Access(token)
	switch {
	case !ok:
		return caller, model.DeniedUnknown, nil
	case !now.Before(a.Expires):
		return caller, model.DeniedExpired, nil
	}
	client, err := s.Store.Read(ctx).SCIMClientOf(a.ClientID, a.CredentialID)
	if model.KindOf(err) == model.NotFound && err != nil {
		s.tokens.deny(hash, model.DeniedRevoked, now.Add(tokenAge))
		return caller, model.DeniedRevoked, nil
	}
	if err != nil {
		return caller, "", err
	}
	caller = model.SCIMCaller{Ref: client.Ref(), CredentialID: client.ID, CredentialName: client.Name}
	s.tokens.put(hash, knownToken{caller, now.Add(tokenAge), &a.Expires}, r.generation)
	s.noteUse(ctx, func(tx *store.Tx) error { return tx.UseSCIMClient(client.ID) }, client.LastUsedAt)
	return caller, "", nil
}

// SecretGrant gives a client that shows its secret an access token (RFC 6749 §4.4). It is Unauthorized, with the reason as
// detail, unless the secret is one of the client's that is live. A secret that this installation did not make costs no
// statement.
func (s *Service) SecretGrant(ctx context.Context, clientID, text string) (model.SCIMGrant, error) {
	id, ok := secret.TokenID(secret.PrefixClient, text)
	switch {
	case !ok || !store.ValidID(clientID):
		return model.SCIMGrant{}, model.Denied(model.DeniedMalformed)
	case !s.Keys.Made(secret.PrefixClient, text):
		return model.SCIMGrant{}, model.Denied(model.DeniedUnknown)
	}
	row, err := s.Store.Read(ctx).SCIMClientSecret(id)
	switch {
	case model.KindOf(err) == model.NotFound && err != nil:
		return model.SCIMGrant{}, model.Denied(model.DeniedRevoked)
	case err != nil:
		return model.SCIMGrant{}, err
	case !s.Keys.Matches(text, row.Hash):
		return model.SCIMGrant{}, model.Denied(model.DeniedUnknown)
	case row.ClientID != clientID:
		return model.SCIMGrant{}, model.Denied(model.DeniedOtherClient)
	case row.ExpiresAt != nil && !s.Now().Before(*row.ExpiresAt):
		return model.SCIMGrant{}, model.Denied(model.DeniedExpired)
	}
	grant, err := s.grant(ctx, clientID, id)
	if err == nil {
		s.noteUse(ctx, func(tx *store.Tx) error { return tx.UseSCIMClientSecret(id) }, row.LastUsedAt)
	}
	return grant, err
}

// grant makes the access token of a client for one of its credentials.
func (s *Service) grant(ctx context.Context, clientID, credentialID string) (model.SCIMGrant, error) {
	client, err := s.Store.Read(ctx).SCIMClientOf(clientID, credentialID)
	if model.KindOf(err) == model.NotFound && err != nil {
		return model.SCIMGrant{}, model.Denied(model.DeniedRevoked)
	}
	if err != nil {
		return model.SCIMGrant{}, err
	}
	valid := time.Duration(client.TokenMinutes) * time.Minute
	issued := s.Now().UTC().Truncate(time.Second)
	token, err := s.Keys.NewAccessToken(secret.Access{
		ClientID: client.ID, CredentialID: credentialID, Issued: issued, Expires: issued.Add(valid + time.Second),
	})
	return model.SCIMGrant{
		Token: token, Valid: valid,
		SCIMCaller: model.SCIMCaller{Ref: client.Ref(), CredentialID: client.ID, CredentialName: client.Name},
	}, err
}

// The bounds of what an assertion without client_id is compared with: federations, and audiences that it names.
const (
	maxCandidates = 20
	maxAudiences  = 3
)

// AssertionGrant gives an access token to the client that an assertion of a trusted issuer is about (RFC 7523). clientID may
// be empty where one client alone trusts that issuer with that subject and audience. It is Unauthorized, with the reason as
// detail, unless the assertion satisfies the client's trust, and Throttled while the issuer's keys cannot be had.
func (s *Service) AssertionGrant(ctx context.Context, clientID, text string) (model.SCIMGrant, error) {
	claims, err := assertion.Peek(text)
	if err != nil {
		return model.SCIMGrant{}, denied(err)
	}
	f, err := s.trusted(ctx, clientID, claims)
	if err != nil {
		return model.SCIMGrant{}, err
	}
	err = s.issuers.Verify(ctx, text, s.trust(&f))
	if errors.Is(err, assertion.ErrKeys) {
		s.Log.WarnContext(ctx, "a federated SCIM client cannot be let in", "client_id", f.ClientID, "err", err)
		return model.SCIMGrant{}, &model.Throttled{After: assertion.RetryAfter}
	}
	if err != nil {
		return model.SCIMGrant{}, denied(err)
	}
	grant, err := s.grant(ctx, f.ClientID, f.ID)
	if err == nil {
		s.noteUse(ctx, func(tx *store.Tx) error { return tx.UseSCIMClientFederation(f.ID) }, f.LastUsedAt)
	}
	return grant, err
}

// denied makes a refusal of an assertion Unauthorized; any other error stays.
func denied(err error) error {
	if refusal, ok := errors.AsType[*assertion.Refusal](err); ok {
		return model.Denied(model.Denial(refusal.Error()))
	}
	return err
}

// trusted finds the federation that the claims are about.
func (s *Service) trusted(ctx context.Context, clientID string, claims assertion.Claims) (model.SCIMClientFederation, error) {
	if clientID != "" {
		client, err := s.federatedClient(ctx, clientID)
		if err != nil {
			return model.SCIMClientFederation{}, err
		}
		return s.pick(client.Federations, claims)
	}
	if hasControl(claims.Subject) {
		return s.pick(nil, claims)
	}
	if !s.searches.AllowN(s.Now(), 1) {
		return model.SCIMClientFederation{}, &model.Throttled{After: unmarkedWait}
	}
	var candidates []model.SCIMClientFederation
	for _, audience := range claims.Audience[:min(len(claims.Audience), maxAudiences)] {
		if hasControl(audience) {
			continue
		}
		list, err := s.Store.Read(ctx).SCIMFederations(claims.Subject, audience, maxCandidates)
		if err != nil {
			return model.SCIMClientFederation{}, err
		}
		candidates = append(candidates, list...)
	}
	return s.pick(candidates, claims)
}

// federatedClient reads a client with its federations, or remembers it. A client that is named by an id that this installation
// did not make costs a statement only now and then.
func (s *Service) federatedClient(ctx context.Context, id string) (model.SCIMClient, error) {
	now := s.Now()
	client, ok, generation := s.tokens.client(id, now)
	if ok {
		return client, nil
	}
	if !s.Keys.MadeID(id) && !s.searches.AllowN(now, 1) {
		return client, &model.Throttled{After: unmarkedWait}
	}
	client, err := s.Store.Read(ctx).SCIMClientByID(id)
	if model.KindOf(err) == model.NotFound && err != nil {
		return client, model.Denied(model.DeniedUnknown)
	}
	if err == nil {
		s.tokens.putClient(client, now.Add(tokenAge), generation)
	}
	return client, err
}

// pick gives the federation that fits the claims, if those that do are of one client.
func (s *Service) pick(candidates []model.SCIMClientFederation, claims assertion.Claims) (found model.SCIMClientFederation, err error) {
	for i := range candidates {
		f := &candidates[i]
		if f.Subject != claims.Subject || !slices.Contains(claims.Audience, f.Audience) || !slices.Contains(s.trust(f).Issuers, claims.Issuer) {
			continue
		}
		if found.ID != "" && found.ClientID != f.ClientID {
			return found, model.Denied("several clients trust this subject of this issuer: the request must name one by client_id")
		}
		found = *f
	}
	if found.ID == "" {
		return found, model.Denied(model.Denial(fmt.Sprintf("no federation trusts issuer %.200q with subject %.200q and audience %.200q",
			claims.Issuer, claims.Subject, claims.Audience)))
	}
	return found, nil
}
