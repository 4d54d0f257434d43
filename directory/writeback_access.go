package directory

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// writer gives what writes to the integration's tenant. It is the one place that does: it is Refused for an integration that only
// reads, so that there is no way from such a one to a write.
func (s *Service) writer(ctx context.Context, ref model.Ref) (TenantWriter, error) {
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return nil, err
	}
	if err := mayWrite(&i); err != nil {
		return nil, err
	}
	if s.Tenants == nil {
		return nil, model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	return s.Tenants(ctx, ref)
}

func mayWrite(i *model.Integration) error {
	if i.ReadOnly {
		return model.Errorf(model.Refused, "integration %s only reads: Usher writes nothing to its tenant while read_only is on", i.Name)
	}
	return nil
}

// switchedOn says why an operation must not be done as the integration's settings are.
func switchedOn(i *model.Integration, o *model.Operation) error {
	if err := mayWrite(i); err != nil {
		return err
	}
	on := i.WriteBack
	for _, need := range switches(o) {
		if need == "create" && !on.Create || need == "update" && !on.Update || need == "delete" && !on.Delete {
			return model.Errorf(model.Refused, "integration %s does not let Usher do this in Entra: switch write_back.%s on", i.Name, need)
		}
	}
	return nil
}

// switches names the switches of write-back that an operation takes.
func switches(o *model.Operation) []string {
	switch o.Kind {
	case model.OperationCreateUser:
		return []string{"create"}
	case model.OperationDeleteUser, model.OperationRestoreUser:
		return []string{"delete"}
	case model.OperationOffboardUser:
		if o.Request.Offboard != nil && o.Request.Offboard.Delete {
			return []string{"update", "delete"}
		}
	case model.OperationUpdateUser, model.OperationAddMember, model.OperationRemoveMember, model.OperationAddLicence, model.OperationRemoveLicence:
	}
	return []string{"update"}
}

// person is whom an operation is about.
type entraPerson struct {
	id      string // object id
	name    string // user principal name, where it is known
	account *string
}

// whoIs finds whom a caller names by object id or user principal name. An object id is taken as it is, so that an operation can be
// asked for while Entra cannot be reached; a name is looked for in the mirror, then in Entra.
func (s *Service) whoIs(ctx context.Context, ref model.Ref, user string) (entraPerson, error) {
	if err := checkEntraRef("uid", user); err != nil {
		return entraPerson{}, err
	}
	r := s.Store.Read(ctx)
	if _, err := r.Integration(ref); err != nil {
		return entraPerson{}, err
	}
	who, err := mirrored(r, ref, user)
	if err != nil || who.id != "" {
		return who, err
	}
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return who, err
	}
	u, err := tenant.TenantUser(ctx, user, nil)
	if err != nil {
		return who, toldOf(err, "uid", "user "+user)
	}
	return entraPerson{id: u.ID, name: u.UserPrincipalName}, nil
}

// mirrored finds somebody among the directory users of the integration; the id stays empty where only Entra can tell it: the
// externalId that Entra's provisioning sends is an object id only where that was mapped so.
func mirrored(r *store.Reader, ref model.Ref, user string) (entraPerson, error) {
	who := entraPerson{}
	if !strings.Contains(user, "@") {
		who.id = objectID(user)
	}
	list, err := r.DirectoryUsersNamed(ref, user)
	if err != nil || len(list) == 0 {
		return who, err
	}
	u := &list[0]
	if who.id == "" && uuid.Validate(u.ExternalID) == nil {
		who.id = objectID(u.ExternalID)
	}
	who.name, who.account = u.UserName, u.AccountID
	return who, nil
}

// objectID gives an object id as Graph writes it: GUIDs are in lower case.
func objectID(text string) string {
	if uuid.Validate(text) == nil {
		return strings.ToLower(text)
	}
	return text
}

// toldOf turns what Graph answered to a question into what the caller may be told.
func toldOf(err error, field, what string) error {
	switch outlook.KindOf(err) {
	case outlook.NoUser, outlook.NotFound:
		return model.FieldErrorf(model.NotFound, field, "%s is not in Entra", what)
	case outlook.Throttled:
		return &model.Throttled{After: waitFor(err, 0)}
	case outlook.BadCredentials, outlook.Forbidden, outlook.Unavailable:
		return model.Errorf(model.Refused, "Microsoft Graph did not answer: %v", err)
	default:
		return err
	}
}
