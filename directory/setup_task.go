package directory

import (
	"context"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/store"
)

// SetupRequest is what somebody asks for who has Usher set up provisioning in Entra.
type SetupRequest struct {
	DisplayName        string                // of the application; the integration's name by default
	Groups             []model.GroupSelector // whose members are provisioned; those of the group mappings by default
	Everyone           bool                  // the whole tenant instead
	ServicePrincipalID string                // of an application that is there already; a new one by default
	NotifyEmail        string                // whom Entra writes to when it puts the job into quarantine
	DeleteLimit        int                   // more deletions in a cycle wait for somebody
	Hold               bool                  // do not start the job
	TokenExpiresAt     *time.Time            // never, by default
}

// The bounds of a SetupRequest.
const (
	maxSetupGroups  = 1000
	maxOverlapHours = 24 * 30
	defaultOverlap  = 24
	maxDeleteLimit  = 1000000
)

// Setup reads how the provisioning of an integration in Entra stands. Where nobody has asked for any, its state is TaskNone.
func (s *Service) Setup(ctx context.Context, ref model.Ref) (model.Setup, error) {
	read := s.Store.Read(ctx)
	if _, err := read.Integration(ref); err != nil {
		return model.Setup{}, err
	}
	row, err := read.Setup(ref)
	if model.KindOf(err) == model.NotFound && err != nil {
		return model.Setup{
			OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, State: model.TaskNone, Steps: []model.TaskStep{},
			Options: model.SetupOptions{Groups: []string{}},
		}, nil
	}
	return row, err
}

// StartSetup has the provisioning of an integration set up in Entra, by a job. publicURL is where Entra reaches Usher. One that failed
// goes on; one that succeeded is brought up to what is asked for now. It is Refused, with what to do, where it cannot succeed.
func (s *Service) StartSetup(ctx context.Context, ref model.Ref, in SetupRequest, publicURL string) (model.Setup, error) {
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return model.Setup{}, err
	}
	options, err := s.setupOptions(ctx, entry, in, publicURL)
	if err != nil {
		return model.Setup{}, err
	}
	if err := s.setupAllowed(ctx, entry.Integration, len(options.Groups) > 0); err != nil {
		return model.Setup{}, err
	}
	return s.beginTask(ctx, ref, model.SetupInstall, func(row *model.Setup) error {
		if was := row.Options.Adopted; row.Entra.ServicePrincipal != "" && was != options.Adopted {
			return model.FieldErrorf(model.Refused, "service_principal_id", "provisioning is set up with another application; undo it first (DELETE …/setup/provisioning)")
		}
		row.Options = options
		return nil
	})
}

// setupOptions checks what is asked for.
func (s *Service) setupOptions(ctx context.Context, entry model.IntegrationSettings, in SetupRequest, publicURL string) (model.SetupOptions, error) {
	i := entry.Integration
	o := model.SetupOptions{
		BaseURL: tenantURL(publicURL, i.ID), DisplayName: strings.TrimSpace(in.DisplayName), Everyone: in.Everyone, NotifyEmail: in.NotifyEmail,
		DeleteLimit: in.DeleteLimit, Hold: in.Hold, Adopted: in.ServicePrincipalID, OverlapHours: defaultOverlap, TokenExpiresAt: utc(in.TokenExpiresAt),
	}
	if o.DisplayName == "" {
		o.DisplayName = i.Name
	}
	if err := s.checkOptions(i, o, publicURL); err != nil {
		return o, err
	}
	if in.Everyone {
		o.Groups = []string{}
		return o, nil
	}
	selectors := in.Groups
	if selectors == nil {
		selectors = s.mappedGroups(ctx, entry)
	}
	var err error
	if o.Groups, err = s.groupIDs(ctx, i.Ref(), selectors); o.Groups == nil {
		o.Groups = []string{}
	}
	return o, err
}

// mappedGroups are the groups of the group mappings that Entra has, each once.
func (s *Service) mappedGroups(ctx context.Context, entry model.IntegrationSettings) []model.GroupSelector {
	list := []model.GroupSelector{}
	for _, m := range entry.GroupMappings {
		id := m.Group.ExternalID
		if id == "" {
			id, _ = s.groupNamed(ctx, entry.Integration.Ref(), "", m.Group.DisplayName) // one that is not found is not assigned
		}
		if tenantID.MatchString(id) {
			list = append(list, model.GroupSelector{ExternalID: id})
		}
	}
	return list
}

func (s *Service) checkOptions(i model.Integration, o model.SetupOptions, publicURL string) error {
	switch {
	case i.Ingress != model.IngressSCIM:
		return model.FieldErrorf(model.Refused, "ingress", "integration %s pulls people over Graph; only one with ingress scim is provisioned by Entra", i.Name)
	case !strings.HasPrefix(publicURL, "https://") && s.LoginURL == "":
		return model.Errorf(model.Refused, "Entra calls https addresses alone, and Usher's is %s: set USHER_PUBLIC_URL", publicURL)
	case o.Adopted != "" && !tenantID.MatchString(o.Adopted):
		return model.FieldErrorf(model.Invalid, "service_principal_id", "%q is not an object id", cut(o.Adopted, 100))
	case o.DeleteLimit < 0 || o.DeleteLimit > maxDeleteLimit:
		return model.FieldErrorf(model.Invalid, "delete_limit", "must be between 0 and %d", maxDeleteLimit)
	}
	if o.NotifyEmail != "" {
		if a, err := mail.ParseAddress(o.NotifyEmail); err != nil || a.Address != o.NotifyEmail {
			return model.FieldErrorf(model.Invalid, "notify_email", "is not an e-mail address")
		}
	}
	if err := checkText("display_name", o.DisplayName, maxTitle); err != nil {
		return err
	}
	return validExpiry(o.TokenExpiresAt, s.Now())
}

// groupIDs gives the object ids of groups; those that are named are looked for in Entra.
func (s *Service) groupIDs(ctx context.Context, ref model.Ref, selectors []model.GroupSelector) ([]string, error) {
	var list []string
	for n, g := range selectors {
		field := fmt.Sprintf("groups[%d]", n)
		id := g.ExternalID
		if id == "" {
			var err error
			if id, err = s.groupNamed(ctx, ref, field, g.DisplayName); err != nil {
				return nil, err
			}
		}
		if !tenantID.MatchString(id) {
			return nil, model.FieldErrorf(model.Invalid, field, "%q is not the object id of a group", cut(id, 100))
		}
		if id = strings.ToLower(id); !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	if len(list) > maxSetupGroups {
		return nil, model.FieldErrorf(model.TooLarge, "groups", "at most %d groups can be assigned here", maxSetupGroups)
	}
	return list, nil
}

// groupNamed finds the one group of a name.
func (s *Service) groupNamed(ctx context.Context, ref model.Ref, field, name string) (string, error) {
	if s.Tenants == nil {
		return "", model.FieldErrorf(model.Invalid, field, "name the group by external_id: this process cannot look for %q in Entra", name)
	}
	tenant, err := s.Tenants(ctx, ref)
	if err != nil {
		return "", model.FieldErrorf(model.Refused, field, "group %q cannot be looked for in Entra (%s); name it by external_id", name, cut(err.Error(), maxSaid))
	}
	found, err := tenant.FindGroups(ctx, entra.GroupSearch{Name: name}, "")
	switch {
	case err != nil:
		return "", model.FieldErrorf(model.Refused, field, "group %q cannot be looked for in Entra (%s); name it by external_id", name, cut(err.Error(), maxSaid))
	case len(found.Groups) == 0:
		return "", model.FieldErrorf(model.Invalid, field, "Entra has no group named %q", name)
	case len(found.Groups) > 1:
		return "", model.FieldErrorf(model.Invalid, field, "Entra has %d groups named %q; name the one by external_id", len(found.Groups), name)
	}
	return found.Groups[0].ID, nil
}

// tenantURL is what Entra calls: with the flag that has it send what RFC 7644 says.
func tenantURL(publicURL, integrationID string) string {
	return strings.TrimRight(publicURL, "/") + "/scim/v2/" + url.PathEscape(integrationID) + "?aadOptscim062020"
}

// beginTask stores that a task is to be done, and has it done.
func (s *Service) beginTask(ctx context.Context, ref model.Ref, task model.SetupTask, edit func(*model.Setup) error) (model.Setup, error) {
	var row model.Setup
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.LockSetup(ref); err != nil {
			return err
		}
		if row.State.Open() && (task != model.SetupUndo || row.Task == model.SetupUndo) {
			return model.Errorf(model.Refused, "the set-up is being worked on (%s); GET …/setup/provisioning says how far it is", row.Task)
		}
		if err := edit(&row); err != nil {
			return err
		}
		row.Task, row.State, row.Error, row.Attempts, row.Actor = task, model.TaskQueued, "", 0, ActorOf(ctx)
		row.Steps = []model.TaskStep{}
		for _, step := range setupPlan(task) {
			row.Steps = append(row.Steps, model.TaskStep{Name: step.name, State: model.StepPending})
		}
		if err := tx.SaveSetup(&row); err != nil {
			return err
		}
		return tx.Enqueue(SetUp{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
	})
	return row, err
}

// UndoSetup takes away again what a set-up has made in Entra, also of one that is half done.
func (s *Service) UndoSetup(ctx context.Context, ref model.Ref) (model.Setup, error) {
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return model.Setup{}, err
	}
	if err := s.setupAllowed(ctx, i, false); err != nil {
		return model.Setup{}, err
	}
	return s.beginTask(ctx, ref, model.SetupUndo, func(row *model.Setup) error {
		if row.State == model.TaskNone || row.Entra == (model.SetupEntra{}) && !row.State.Open() && row.State != model.TaskFailed {
			return model.Errorf(model.Refused, "Usher has set up nothing in Entra for this integration")
		}
		return nil
	})
}

// RotateSetupToken has a new SCIM token made, tried and stored in Entra; the former one goes on working for some hours, 24 where that
// is 0.
func (s *Service) RotateSetupToken(ctx context.Context, ref model.Ref, overlapHours int, expiresAt *time.Time) (model.Setup, error) {
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return model.Setup{}, err
	}
	if overlapHours == 0 {
		overlapHours = defaultOverlap
	}
	if overlapHours < 1 || overlapHours > maxOverlapHours {
		return model.Setup{}, model.FieldErrorf(model.Invalid, "overlap_hours", "must be between 1 and %d", maxOverlapHours)
	}
	if err := validExpiry(expiresAt, s.Now()); err != nil {
		return model.Setup{}, err
	}
	if err := s.setupAllowed(ctx, i, false); err != nil {
		return model.Setup{}, err
	}
	return s.beginTask(ctx, ref, model.SetupRotate, func(row *model.Setup) error {
		if row.Entra.JobID == "" || row.Options.BaseURL == "" {
			return model.Errorf(model.Refused, "Usher did not set up the provisioning of this integration; make a token and enter it in Entra by hand")
		}
		row.Options.OverlapHours, row.Options.TokenExpiresAt = overlapHours, utc(expiresAt)
		return nil
	})
}
