package directory

import (
	"context"
	"strings"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// How long links are good for: the first operator's, which stands in a terminal, and an invitation, which somebody sends.
const (
	firstLinkLife  = 24 * time.Hour
	inviteLinkLife = 3 * 24 * time.Hour
	signInLinkLife = 24 * time.Hour
)

// errLink says the same of a link that was used, has expired, or never was.
func errLink() error {
	return model.Errorf(model.Unauthorized, "This link has been used or has expired. Ask for a new one.")
}

// FirstOperatorLink gives the secret of a link with which somebody becomes the first operator of the organization, while there
// is none; "" where there is one. Links of other processes stay good: each has printed its own.
func (s *Service) FirstOperatorLink(ctx context.Context, organizationID string) (string, error) {
	if n, err := s.Store.Read(ctx).CountOperators(organizationID); err != nil || n > 0 {
		return "", err
	}
	var token string
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		token, err = s.putLink(tx, model.OperatorLink{OrganizationID: organizationID, Purpose: model.LinkFirst}, firstLinkLife)
		return err
	})
	return token, err
}

// putLink stores a link in place of the operator's others, and gives its secret.
func (s *Service) putLink(tx *store.Tx, l model.OperatorLink, life time.Duration) (string, error) {
	if l.OperatorID != nil {
		tx.DeleteOperatorLinks(l.OrganizationID, *l.OperatorID)
	}
	l.ID = store.NewID()
	token := s.Keys.NewToken(secret.PrefixLink, l.ID)
	l.Hash, l.ExpiresAt = s.Keys.Hash(token), tx.Now().Add(life)
	return token, tx.InsertOperatorLink(&l)
}

// OperatorLink reads a link by its secret, with the operator that it is for, and does not use it up.
func (s *Service) OperatorLink(ctx context.Context, token string) (model.OperatorLink, model.Operator, error) {
	return s.link(s.Store.Read(ctx), token)
}

func (s *Service) link(r *store.Reader, token string) (l model.OperatorLink, o model.Operator, err error) {
	id, ok := secret.TokenID(secret.PrefixLink, token)
	if !ok || !s.Keys.Made(secret.PrefixLink, token) {
		return l, o, errLink()
	}
	if l, err = r.OperatorLink(id); err == nil && l.OperatorID != nil {
		o, err = r.Operator(l.OrganizationID, *l.OperatorID)
	}
	switch {
	case err != nil && model.KindOf(err) == model.NotFound:
		return l, o, errLink()
	case err == nil && (!s.Keys.Matches(token, l.Hash) || !s.Now().Before(l.ExpiresAt)):
		return l, o, errLink()
	}
	return l, o, err
}

// NewOperator is what somebody says of himself with a link.
type NewOperator struct{ Email, Name, Password string }

// UseOperatorLink uses a link up and signs its operator in: the first operator is made of what is given, with every right; a
// link for a password takes the password of it; a link to sign in takes nothing.
func (s *Service) UseOperatorLink(ctx context.Context, token string, in NewOperator, from Visitor) (SignedInOperator, error) {
	l, o, err := s.OperatorLink(ctx, token)
	if err != nil {
		return SignedInOperator{}, err
	}
	switch l.Purpose {
	case model.LinkFirst:
		o = model.Operator{OrganizationID: l.OrganizationID, Email: strings.TrimSpace(in.Email), Name: strings.TrimSpace(in.Name), Rights: []model.Right{model.RightAll}}
		err = checkOperator(o)
	case model.LinkPassword, model.LinkSignIn:
	}
	if err == nil && l.Purpose != model.LinkSignIn {
		err = checkPassword(in.Password)
	}
	if err != nil {
		return SignedInOperator{}, err
	}
	hash := ""
	if l.Purpose != model.LinkSignIn {
		if hash, err = s.hashPassword(ctx, in.Password); err != nil {
			return SignedInOperator{}, err
		}
	}
	var out SignedInOperator
	err = s.Store.InTx(WithActor(ctx, o.Actor()), func(tx *store.Tx) error {
		if _, err := tx.LockOperators(l.OrganizationID); err != nil {
			return err
		}
		if err := tx.DeleteOperatorLink(l.OrganizationID, l.ID); err != nil {
			if model.KindOf(err) == model.NotFound {
				return errLink()
			}
			return err
		}
		var err error
		out, err = s.useLink(WithActor(ctx, o.Actor()), tx, l, o, hash, from)
		return err
	})
	return out, err
}

// useLink does what the link is for, with the operators locked.
func (s *Service) useLink(ctx context.Context, tx *store.Tx, l model.OperatorLink, o model.Operator, hash string, from Visitor) (SignedInOperator, error) {
	if l.Purpose == model.LinkFirst {
		if n, err := tx.CountOperators(l.OrganizationID); err != nil || n > 0 {
			if err == nil {
				err = errLink()
			}
			return SignedInOperator{}, err
		}
		o.PasswordHash = hash
		if err := tx.InsertOperator(&o); err != nil {
			return SignedInOperator{}, err
		}
		tx.DeleteOperatorLinks(l.OrganizationID, "")
		if err := s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.created", "operator", o.ID, o.Email,
			"operator "+o.Email+" was created as the first one, with every right", map[string]any{"rights": o.Rights}); err != nil {
			return SignedInOperator{}, err
		}
		return s.begin(ctx, tx, o, model.SignInLink, from)
	}
	now, err := tx.Operator(o.OrganizationID, o.ID)
	if err != nil {
		return SignedInOperator{}, err
	}
	if l.Purpose == model.LinkPassword {
		now.PasswordHash = hash
		tx.DeleteOperatorSessions(o.OrganizationID, o.ID, "")
		if err := s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.password_changed", "operator", o.ID, o.Email,
			"operator "+o.Email+" chose a password with a link", nil); err != nil {
			return SignedInOperator{}, err
		}
	}
	return s.begin(ctx, tx, now, model.SignInLink, from)
}

// hashPassword hashes a password when its turn comes.
func (s *Service) hashPassword(ctx context.Context, password string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, passwordPatience)
	defer cancel()
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return "", &model.Throttled{After: passwordPatience}
	}
	defer s.hashing.Release(1)
	return secret.HashPassword(password), nil
}
