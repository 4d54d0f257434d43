package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"usher/model"
	"usher/model/store"
)

// NewEntraUser is a user to be made in Entra. Profile has Graph's names, as entra.UserChange. Without a Password one is made that
// nobody learns.
type NewEntraUser struct {
	UserPrincipalName string
	Password          string
	Profile           map[string]string
	ManagerID         *string
	Enabled           *bool    // true where nothing is said
	Groups            []string // object ids
	Licences          []string // ids of products
}

// EntraUserChange is what of a user of Entra is to be changed; "" in Profile clears a property.
type EntraUserChange struct {
	Profile   map[string]string
	ManagerID *string // "" takes the manager away
	Enabled   *bool
}

// passwordLife is how long a password waits, sealed, for Entra to be reachable.
const passwordLife = time.Hour

// CreateEntraUser asks for a user, with groups and licences. What is wrong with the request is Invalid and names the field; what only
// Entra can tell makes the operation fail. While another operation makes a user of that name it is a Conflict.
func (s *Service) CreateEntraUser(ctx context.Context, ref model.Ref, in NewEntraUser) (model.Operation, error) {
	if err := checkNewUser(&in); err != nil {
		return model.Operation{}, err
	}
	o := newOperation(ref, model.OperationCreateUser, "upn:"+model.Fold(in.UserPrincipalName), "create")
	o.UserName = in.UserPrincipalName
	o.Request = model.OperationRequest{
		Profile: in.Profile, ManagerID: in.ManagerID, Enabled: in.Enabled, Groups: in.Groups, Licences: in.Licences,
	}
	plan(o, model.StepCheck, "")
	plan(o, model.StepCreate, "")
	if in.ManagerID != nil && *in.ManagerID != "" {
		plan(o, model.StepUpdate, "")
	}
	for _, id := range in.Groups {
		plan(o, model.StepAddMember, id)
	}
	for _, id := range in.Licences {
		plan(o, model.StepAddLicence, id)
	}
	s.sealPassword(o, in.Password)
	return s.ask(ctx, o, nil)
}

// sealPassword puts the password of a new user where the worker of the operation finds it, and nobody else.
func (s *Service) sealPassword(o *model.Operation, password string) {
	if password == "" {
		password = madePassword()
	}
	until := s.Now().Add(passwordLife)
	o.KeyID, o.Sealed = s.Keys.Seal(password, "operation/"+o.ID)
	o.SealedUntil = &until
}

// madePassword gives a password with every sort of character that Entra may want.
func madePassword() string {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // never fails
	return "aA1!" + base64.RawURLEncoding.EncodeToString(raw)
}

// UpdateEntraUser asks for a change of a user, who is named by object id or user principal name.
func (s *Service) UpdateEntraUser(ctx context.Context, ref model.Ref, user string, in EntraUserChange) (model.Operation, error) {
	if err := checkUserChange(&in); err != nil {
		return model.Operation{}, err
	}
	return s.askAbout(ctx, ref, model.OperationUpdateUser, user, "", func(o *model.Operation) {
		o.Request = model.OperationRequest{Profile: in.Profile, ManagerID: in.ManagerID, Enabled: in.Enabled}
		plan(o, model.StepCheck, "")
		plan(o, model.StepUpdate, "")
	})
}

// DeleteEntraUser asks that a user be put among the deleted items of Entra, where one can be restored for 30 days.
func (s *Service) DeleteEntraUser(ctx context.Context, ref model.Ref, user string) (model.Operation, error) {
	return s.askAbout(ctx, ref, model.OperationDeleteUser, user, "delete", func(o *model.Operation) {
		plan(o, model.StepCheck, "")
		plan(o, model.StepDelete, "")
	})
}

// RestoreEntraUser asks that a deleted user, who is named by object id, be taken back; with enable also that the user may sign in.
func (s *Service) RestoreEntraUser(ctx context.Context, ref model.Ref, userID string, enable bool) (model.Operation, error) {
	return s.askAbout(ctx, ref, model.OperationRestoreUser, userID, "restore", func(o *model.Operation) {
		plan(o, model.StepCheck, "")
		plan(o, model.StepRestore, "")
		if enable {
			plan(o, model.StepEnable, "")
		}
	})
}

// AddEntraMember asks that a user be put into a group.
func (s *Service) AddEntraMember(ctx context.Context, ref model.Ref, groupID, user string) (model.Operation, error) {
	return s.askOne(ctx, ref, model.OperationAddMember, model.StepAddMember, user, groupID)
}

// RemoveEntraMember asks that a user be taken out of a group.
func (s *Service) RemoveEntraMember(ctx context.Context, ref model.Ref, groupID, user string) (model.Operation, error) {
	return s.askOne(ctx, ref, model.OperationRemoveMember, model.StepRemoveMember, user, groupID)
}

// AddEntraLicence asks that a user be given a product.
func (s *Service) AddEntraLicence(ctx context.Context, ref model.Ref, user, sku string) (model.Operation, error) {
	return s.askOne(ctx, ref, model.OperationAddLicence, model.StepAddLicence, user, sku)
}

// RemoveEntraLicence asks that a product be taken from a user.
func (s *Service) RemoveEntraLicence(ctx context.Context, ref model.Ref, user, sku string) (model.Operation, error) {
	return s.askOne(ctx, ref, model.OperationRemoveLicence, model.StepRemoveLicence, user, sku)
}

func (s *Service) askOne(ctx context.Context, ref model.Ref, kind model.OperationKind, action model.StepAction, user, target string) (model.Operation, error) {
	field := "gid"
	if action == model.StepAddLicence || action == model.StepRemoveLicence {
		field = "sku"
	}
	if err := checkEntraID(field, target); err != nil {
		return model.Operation{}, err
	}
	return s.askAbout(ctx, ref, kind, user, string(action)+" "+target, func(o *model.Operation) {
		if action == model.StepAddMember || action == model.StepRemoveMember {
			o.Request.Groups = []string{target}
		} else {
			o.Request.Licences = []string{target}
		}
		plan(o, model.StepCheck, "")
		plan(o, action, target)
	})
}

func newOperation(ref model.Ref, kind model.OperationKind, subject, claim string) *model.Operation {
	return &model.Operation{
		ID: store.NewID(), OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: kind, State: model.OperationQueued, Open: true,
		Subject: subject, Claim: claim, Result: map[string]any{}, Steps: []model.OperationStep{},
	}
}

// stepGap is how many steps can be added behind one that finds out what there is to do.
const stepGap = 10_000

// plan adds a step.
func plan(o *model.Operation, action model.StepAction, target string) {
	o.Steps = append(o.Steps, model.OperationStep{
		Position: (len(o.Steps) + 1) * stepGap, Action: action, Target: target, State: model.StepPending,
	})
}

// askAbout asks for something about a user who is there.
func (s *Service) askAbout(ctx context.Context, ref model.Ref, kind model.OperationKind, user, claim string, fill func(*model.Operation)) (model.Operation, error) {
	who, err := s.whoIs(ctx, ref, user)
	if err != nil {
		return model.Operation{}, err
	}
	o := newOperation(ref, kind, "id:"+who.id, claim)
	o.UserID, o.UserName, o.AccountID = who.id, who.name, who.account
	fill(o)
	return s.ask(ctx, o, nil)
}

// ask stores an operation and has it worked, unless the integration's settings refuse it. before is called in the transaction.
func (s *Service) ask(ctx context.Context, o *model.Operation, before func(*store.Tx) error) (model.Operation, error) {
	asked := *o
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		again := asked // the transaction may run more than once
		again.Steps = slices.Clone(asked.Steps)
		integration, err := tx.Integration(o.Ref())
		if err != nil {
			return err
		}
		if err := switchedOn(&integration, o); err != nil {
			return err
		}
		*o = again
		return s.store(ctx, tx, o, before)
	})
	return *o, err
}

// store stores an operation that may be asked for, and has it worked.
func (s *Service) store(ctx context.Context, tx *store.Tx, o *model.Operation, before func(*store.Tx) error) error {
	o.Actor = ActorOf(ctx)
	other, err := tx.InsertOperation(o)
	if err != nil {
		return err
	}
	if other != nil {
		return model.Errorf(model.Conflict, "operation %s, which is %s, does the same already: follow it at /operations/%s", other.ID, other.State, other.ID)
	}
	if before != nil {
		if err := before(tx); err != nil {
			return err
		}
	}
	if err := s.logOperation(ctx, tx, o, "asked", askedSentence(o)); err != nil {
		return err
	}
	return tx.Enqueue(WorkOperation{OrganizationID: o.OrganizationID, OperationID: o.ID, At: timeOf(o.At)})
}

func timeOf(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}
