package directory

import (
	"context"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// InviteOperator makes an operator without a password, and gives the secret of the link with which one is chosen. by is who
// invites, and can give no right that by has not.
func (s *Service) InviteOperator(ctx context.Context, by model.Operator, email, name string, rights []model.Right) (model.Operator, string, error) {
	o := model.Operator{OrganizationID: by.OrganizationID, Email: strings.TrimSpace(email), Name: strings.TrimSpace(name), Rights: rights}
	var token string
	if err := checkOperator(o); err != nil {
		return o, "", err
	}
	if err := checkGiven(by, nil, rights); err != nil {
		return o, "", err
	}
	out := o
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		out = o
		if err := tx.InsertOperator(&out); err != nil {
			return err
		}
		var err error
		token, err = s.putLink(tx, model.OperatorLink{OrganizationID: out.OrganizationID, OperatorID: &out.ID, Purpose: model.LinkPassword}, inviteLinkLife)
		if err != nil {
			return err
		}
		return s.logSetting(ctx, tx, out.OrganizationID, nil, "operator.created", "operator", out.ID, out.Email,
			"operator "+out.Email+" was invited", map[string]any{"after": map[string]any{"rights": rights}})
	})
	return out, token, err
}

// checkGiven refuses to give a right, or to take one away, that by has not.
func checkGiven(by model.Operator, before, after []model.Right) error {
	if err := validRights(after); err != nil {
		return err
	}
	for _, r := range model.Rights() {
		if slices.Contains(before, r) != slices.Contains(after, r) && !by.Has(r) {
			return model.FieldErrorf(model.Forbidden, "rights", "you can give and take only rights that you have yourself; you have not %q", r)
		}
	}
	return nil
}

// RenewOperatorLink gives the secret of a link with which the operator chooses a password anew, or, for model.LinkSignIn, signs
// in. Earlier links of the operator stop working. by must have every right that the operator has: who holds the link can become
// the operator.
func (s *Service) RenewOperatorLink(ctx context.Context, by model.Operator, id string, purpose model.LinkPurpose) (string, error) {
	var token string
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, err := s.lockOperator(tx, by.OrganizationID, id)
		if err != nil {
			return err
		}
		if err := outranks(by, o); err != nil {
			return err
		}
		life := inviteLinkLife
		if purpose == model.LinkSignIn {
			life = signInLinkLife
		}
		token, err = s.putLink(tx, model.OperatorLink{OrganizationID: o.OrganizationID, OperatorID: &o.ID, Purpose: purpose}, life)
		if err != nil {
			return err
		}
		return s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.link_made", "operator", o.ID, o.Email,
			"a link that works once was made for operator "+o.Email, map[string]any{"purpose": purpose})
	})
	return token, err
}

// SetOperatorRights says what an operator may do. by can give and take only rights that by has; the last operator with every
// right keeps it.
func (s *Service) SetOperatorRights(ctx context.Context, by model.Operator, id string, rights []model.Right) (model.Operator, error) {
	var out model.Operator
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		all, err := tx.LockOperators(by.OrganizationID)
		if err != nil {
			return err
		}
		if out, err = tx.Operator(by.OrganizationID, id); err != nil {
			return err
		}
		before := out.Rights
		if err := checkGiven(by, before, rights); err != nil {
			return err
		}
		if slices.Equal(slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(rights))) {
			return nil
		}
		if !slices.Contains(rights, model.RightAll) {
			if err := anotherMaster(all, out); err != nil {
				return err
			}
		}
		out.Rights = rights
		if err := tx.UpdateOperator(&out); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, out.OrganizationID, nil, "operator.rights_changed", "operator", out.ID, out.Email,
			"the rights of operator "+out.Email+" changed",
			map[string]any{"before": map[string]any{"rights": before}, "after": map[string]any{"rights": rights}})
	})
	return out, err
}

// anotherMaster refuses to let go of the last operator with every right: nobody could make another one.
func anotherMaster(all []model.Operator, o model.Operator) error {
	if !slices.Contains(o.Rights, model.RightAll) {
		return nil
	}
	if slices.ContainsFunc(all, func(other model.Operator) bool {
		return other.ID != o.ID && slices.Contains(other.Rights, model.RightAll)
	}) {
		return nil
	}
	return model.FieldErrorf(model.Refused, "rights", "%s is the last operator with every right; give another one every right first", o.Email)
}

// outranks refuses what only somebody may do who has every right that the operator has.
func outranks(by, o model.Operator) error {
	for _, right := range o.Rights {
		if !by.Has(right) {
			return model.Errorf(model.Forbidden, "%s has the right %q, which you have not: ask somebody who has it", o.Email, right)
		}
	}
	return nil
}

// RemoveOperator removes an operator with the operator's sessions and links. by must have every right that the operator has.
func (s *Service) RemoveOperator(ctx context.Context, by model.Operator, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		all, err := tx.LockOperators(by.OrganizationID)
		if err != nil {
			return err
		}
		o, err := tx.Operator(by.OrganizationID, id)
		if err != nil {
			return err
		}
		if err := outranks(by, o); err != nil {
			return err
		}
		if err := anotherMaster(all, o); err != nil {
			return err
		}
		if err := tx.DeleteOperator(o.OrganizationID, o.ID); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.deleted", "operator", o.ID, o.Email, "operator "+o.Email+" was deleted",
			map[string]any{"before": map[string]any{"rights": o.Rights}})
	})
}

// SignOutOperator ends all sessions of an operator.
func (s *Service) SignOutOperator(ctx context.Context, organizationID, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, err := s.lockOperator(tx, organizationID, id)
		if err != nil {
			return err
		}
		tx.DeleteOperatorSessions(organizationID, id, "")
		return s.logSetting(ctx, tx, organizationID, nil, "operator.signed_out", "operator", o.ID, o.Email,
			"operator "+o.Email+" was signed out everywhere", nil)
	})
}

// ChangeOwnPassword gives an operator another password, for the present one, and ends the operator's other sessions.
func (s *Service) ChangeOwnPassword(ctx context.Context, who SignedInOperator, present, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	if who.Operator.PasswordHash != "" {
		right, err := s.passwordMatches(ctx, present, who.Operator.PasswordHash)
		if err != nil {
			return err
		}
		if !right {
			if err := s.wrongPassword(ctx, who.Operator, Visitor{RemoteAddress: who.Session.RemoteAddress}); model.KindOf(err) != model.Unauthorized {
				return err
			}
			return model.FieldErrorf(model.Invalid, "present", "this is not your present password")
		}
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, err := s.lockOperator(tx, who.Operator.OrganizationID, who.Operator.ID)
		if err != nil {
			return err
		}
		if o.PasswordHash != who.Operator.PasswordHash || o.LockedUntil != nil && tx.Now().Before(*o.LockedUntil) {
			return model.Errorf(model.Conflict, "the password cannot be changed now; sign in again and retry")
		}
		o.PasswordHash, o.Failures, o.LockedUntil = hash, 0, nil
		if err := tx.UpdateOperator(&o); err != nil {
			return err
		}
		tx.DeleteOperatorSessions(o.OrganizationID, o.ID, who.Session.ID)
		return s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.password_changed", "operator", o.ID, o.Email,
			"operator "+o.Email+" got another password", nil)
	})
}

// EndOtherSessions signs an operator out everywhere but where the session is.
func (s *Service) EndOtherSessions(ctx context.Context, who SignedInOperator) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		o := who.Operator
		tx.DeleteOperatorSessions(o.OrganizationID, o.ID, who.Session.ID)
		return s.logSetting(ctx, tx, o.OrganizationID, nil, "operator.signed_out", "operator", o.ID, o.Email,
			"operator "+o.Email+" signed out everywhere else", nil)
	})
}
