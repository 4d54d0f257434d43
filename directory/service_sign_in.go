package directory

import (
	"context"
	"strings"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// How long an operator stays signed in: without using the console, and at all.
const (
	SessionIdle = 2 * time.Hour
	SessionLife = 12 * time.Hour
)

// After so many wrong passwords in a row none is taken for a while.
const (
	wrongPasswords = 5
	lockedFor      = 15 * time.Minute
)

// Visitor is where somebody signs in from.
type Visitor struct{ RemoteAddress, UserAgent string }

// SignedInOperator is an operator who is signed in. Token is what the browser keeps; it is set where the session begins.
type SignedInOperator struct {
	Operator model.Operator
	Session  model.OperatorSession
	Token    string
}

// errSignIn says the same whatever was wrong, so that nobody learns who is an operator.
func errSignIn() error {
	return model.Errorf(model.Unauthorized, "E-mail and password do not fit, or too many wrong ones came in a row and none is taken for %d minutes.", int(lockedFor.Minutes()))
}

// SignIn lets an operator in by e-mail and password. Whatever does not fit is Unauthorized; after five wrong passwords none is
// taken for a quarter of an hour. One password is looked at at a time, because that takes memory; who finds no turn within a few
// seconds is Throttled.
func (s *Service) SignIn(ctx context.Context, organization, email, password string, from Visitor) (SignedInOperator, error) {
	r := s.Store.Read(ctx)
	org, err := r.Organization(organization)
	var o model.Operator
	if err == nil {
		o, err = r.OperatorByEmail(org.ID, strings.TrimSpace(email))
	}
	if err != nil && model.KindOf(err) != model.NotFound {
		return SignedInOperator{}, err
	}
	right, err := s.passwordMatches(ctx, password, o.PasswordHash)
	if err != nil {
		return SignedInOperator{}, err
	}
	if o.ID == "" {
		s.Log.InfoContext(ctx, "sign-in refused", "reason", "no such operator", "remote_address", from.RemoteAddress)
		return SignedInOperator{}, errSignIn()
	}
	ctx = WithActor(ctx, o.Actor())
	if !right {
		return SignedInOperator{}, s.wrongPassword(ctx, o, from)
	}
	var out SignedInOperator
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := s.lockOperator(tx, o.OrganizationID, o.ID)
		switch {
		case model.KindOf(err) == model.NotFound && err != nil, err == nil && now.PasswordHash != o.PasswordHash:
			return errSignIn()
		case err != nil:
			return err
		case now.LockedUntil != nil && tx.Now().Before(*now.LockedUntil):
			return errSignIn()
		}
		out, err = s.begin(ctx, tx, now, model.SignInPassword, from)
		return err
	})
	return out, err
}

// passwordPatience is how long a password waits for its turn.
const passwordPatience = 5 * time.Second

// passwordMatches compares a password with a hash; "" takes as long as a hash does.
func (s *Service) passwordMatches(ctx context.Context, password, hash string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, passwordPatience)
	defer cancel()
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return false, &model.Throttled{After: passwordPatience}
	}
	defer s.hashing.Release(1)
	if hash == "" {
		_ = secret.HashPassword(password)
		return false, nil
	}
	return secret.PasswordMatches(password, hash), nil
}

// lockOperator reads one operator and keeps other writers of operators out.
func (s *Service) lockOperator(tx *store.Tx, organizationID, id string) (model.Operator, error) {
	if _, err := tx.LockOperators(organizationID); err != nil {
		return model.Operator{}, err
	}
	return tx.Operator(organizationID, id)
}

// wrongPassword counts, and locks out.
func (s *Service) wrongPassword(ctx context.Context, o model.Operator, from Visitor) error {
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := s.lockOperator(tx, o.OrganizationID, o.ID)
		if err != nil || now.LockedUntil != nil && tx.Now().Before(*now.LockedUntil) {
			return err
		}
		now.LockedUntil = nil
		if now.Failures++; now.Failures < wrongPasswords {
			return tx.UpdateOperator(&now)
		}
		until := tx.Now().Add(lockedFor)
		now.Failures, now.LockedUntil = 0, &until
		if err := tx.UpdateOperator(&now); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.locked", "operator", o.ID, o.Email,
			"operator "+o.Email+" cannot sign in with a password until "+until.Format(time.RFC3339)+", after five wrong ones in a row",
			map[string]any{"remote_address": from.RemoteAddress})
	})
	if err != nil {
		return err
	}
	return errSignIn()
}

// begin begins a session.
func (s *Service) begin(ctx context.Context, tx *store.Tx, o model.Operator, how model.SignInMethod, from Visitor) (SignedInOperator, error) {
	now := tx.Now()
	o.Failures, o.LockedUntil, o.SignedInAt = 0, nil, &now
	if err := tx.UpdateOperator(&o); err != nil {
		return SignedInOperator{}, err
	}
	id := store.NewID()
	out := SignedInOperator{Operator: o, Token: s.Keys.NewToken(secret.PrefixSession, id)}
	out.Session = model.OperatorSession{
		ID: id, OrganizationID: o.OrganizationID, OperatorID: o.ID, Hash: s.Keys.Hash(out.Token), Method: how,
		UserAgent: cut(from.UserAgent, maxVisitor), RemoteAddress: cut(from.RemoteAddress, maxVisitor), ExpiresAt: now.Add(SessionLife),
	}
	tx.DeleteEndedSessions(now)
	if err := tx.InsertOperatorSession(&out.Session); err != nil {
		return SignedInOperator{}, err
	}
	return out, s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.signed_in", "operator", o.ID, o.Email,
		"operator "+o.Email+" signed in "+signedInBy(how), map[string]any{"remote_address": out.Session.RemoteAddress})
}

// maxVisitor bounds what is kept of where somebody signs in from, in bytes.
const maxVisitor = 300

func signedInBy(how model.SignInMethod) string {
	switch how {
	case model.SignInLink:
		return "with a link"
	case model.SignInEntra:
		return "with Entra"
	default:
		return "with a password"
	}
}

// errSession says that somebody has to sign in.
func errSession() error { return model.Errorf(model.Unauthorized, "Please sign in.") }

// OperatorSession gives who is signed in with a session's token, and keeps the session from growing idle. One that is unknown,
// has ended, or was not used for SessionIdle is Unauthorized.
func (s *Service) OperatorSession(ctx context.Context, token string) (SignedInOperator, error) {
	who, err := s.StandingSession(ctx, token)
	if err == nil && s.Now().Sub(who.Session.SeenAt) >= time.Minute {
		err = s.Store.InTx(ctx, func(tx *store.Tx) error { tx.UseOperatorSession(who.Session.ID); return nil })
	}
	return who, err
}

// StandingSession is OperatorSession for what goes on without the operator's doing: it does not count as use.
func (s *Service) StandingSession(ctx context.Context, token string) (SignedInOperator, error) {
	id, ok := secret.TokenID(secret.PrefixSession, token)
	if !ok || !s.Keys.Made(secret.PrefixSession, token) {
		return SignedInOperator{}, errSession()
	}
	r := s.Store.Read(ctx)
	session, err := r.OperatorSession(id)
	var o model.Operator
	if err == nil {
		o, err = r.Operator(session.OrganizationID, session.OperatorID)
	}
	switch now := s.Now(); {
	case err != nil && model.KindOf(err) == model.NotFound:
		return SignedInOperator{}, errSession()
	case err != nil:
		return SignedInOperator{}, err
	case !s.Keys.Matches(token, session.Hash), !now.Before(session.ExpiresAt), now.Sub(session.SeenAt) >= SessionIdle:
		return SignedInOperator{}, errSession()
	}
	return SignedInOperator{Operator: o, Session: session}, nil
}

// SignOut ends a session; one that has ended already is fine.
func (s *Service) SignOut(ctx context.Context, organizationID, operatorID, sessionID string) error {
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.DeleteOperatorSession(organizationID, operatorID, sessionID)
	})
	if model.KindOf(err) == model.NotFound {
		return nil
	}
	return err
}

// EntraIdentity is what an ID token of Entra says of who signed in, after it was checked: the object id, and the addresses
// whose domains Entra has verified.
type EntraIdentity struct {
	ObjectID string
	Emails   []string
}

// EntraSignIn lets in the operator whom Entra vouches for: the one who is known by the object id, else the one with a verified
// address, who is known by the object id from then on.
func (s *Service) EntraSignIn(ctx context.Context, organization string, who EntraIdentity, from Visitor) (SignedInOperator, error) {
	org, err := s.Store.Read(ctx).Organization(organization)
	if err != nil {
		return SignedInOperator{}, err
	}
	if who.ObjectID == "" {
		return SignedInOperator{}, model.Errorf(model.Unauthorized, "Entra did not say who you are.")
	}
	var out SignedInOperator
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockOperators(org.ID); err != nil {
			return err
		}
		o, err := entraOperator(tx, org.ID, who)
		if err != nil {
			return err
		}
		o.EntraObjectID = who.ObjectID
		out, err = s.begin(WithActor(ctx, o.Actor()), tx, o, model.SignInEntra, from)
		return err
	})
	return out, err
}

func entraOperator(tx *store.Tx, organizationID string, who EntraIdentity) (model.Operator, error) {
	o, err := tx.OperatorByEntra(organizationID, who.ObjectID)
	if err == nil || model.KindOf(err) != model.NotFound {
		return o, err
	}
	for _, email := range who.Emails {
		o, err := tx.OperatorByEmail(organizationID, email)
		switch {
		case err == nil && o.EntraObjectID == "":
			return o, nil
		case err == nil: // the address went to somebody else since
			return o, model.Errorf(model.Forbidden, "The operator %s is tied to another person of Entra. Ask an administrator to remove and invite the operator again.", o.Email)
		case model.KindOf(err) != model.NotFound:
			return o, err
		}
	}
	return o, model.Errorf(model.Forbidden, "Entra knows you, but you are not an operator of Usher. Ask an administrator to invite you.")
}
