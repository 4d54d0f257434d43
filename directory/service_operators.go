package directory

import (
	"context"
	"strings"
	"unicode/utf8"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// Limits of an operator's password, in characters.
const (
	minPassword = 12
	maxPassword = 1000
)

// CreateOperator makes a person who signs in to the console. A taken e-mail is a Conflict; a password has at least 12
// characters. What is wrong is Invalid and names the field.
func (s *Service) CreateOperator(ctx context.Context, organizationID, email, name, password string, rights []model.Right) (model.Operator, error) {
	var out model.Operator
	o := model.Operator{OrganizationID: organizationID, Email: strings.TrimSpace(email), Name: strings.TrimSpace(name), Rights: rights}
	if err := checkOperator(o); err != nil {
		return out, err
	}
	if err := checkPassword(password); err != nil {
		return out, err
	}
	if err := validRights(rights); err != nil {
		return out, err
	}
	o.PasswordHash = secret.HashPassword(password) // outside the transaction: it takes long on purpose
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		out = o
		if err := tx.InsertOperator(&out); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, organizationID, nil, "operator.created", "operator", out.ID, out.Email,
			"operator "+out.Email+" was created", map[string]any{"rights": rights})
	})
	return out, err
}

func checkOperator(o model.Operator) error {
	if err := checkEmail("email", o.Email, true); err != nil {
		return err
	}
	return checkText("name", o.Name, maxTitle)
}

func checkPassword(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return model.FieldErrorf(model.Invalid, "password", "a password has at least %d characters", minPassword)
	case n > maxPassword:
		return model.FieldErrorf(model.Invalid, "password", "a password has at most %d characters", maxPassword)
	}
	return nil
}

// SetOperatorPassword gives the operator with the e-mail another password, and ends the operator's sessions.
func (s *Service) SetOperatorPassword(ctx context.Context, organizationID, email, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	hash := secret.HashPassword(password)
	return s.editOperator(ctx, organizationID, email, "operator.password_changed", "got another password", func(tx *store.Tx, o *model.Operator) error {
		o.PasswordHash, o.Failures, o.LockedUntil = hash, 0, nil
		tx.DeleteOperatorSessions(organizationID, o.ID, "")
		return tx.UpdateOperator(o)
	})
}

// DeleteOperator removes the operator with the e-mail.
func (s *Service) DeleteOperator(ctx context.Context, organizationID, email string) error {
	return s.editOperator(ctx, organizationID, email, "operator.deleted", "was deleted", func(tx *store.Tx, o *model.Operator) error {
		return tx.DeleteOperator(organizationID, o.ID)
	})
}

func (s *Service) editOperator(ctx context.Context, organizationID, email, action, what string, edit func(*store.Tx, *model.Operator) error) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, err := tx.OperatorByEmail(organizationID, strings.TrimSpace(email))
		if err != nil {
			return err
		}
		if err := edit(tx, &o); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, organizationID, nil, action, "operator", o.ID, o.Email, "operator "+o.Email+" "+what, nil)
	})
}
