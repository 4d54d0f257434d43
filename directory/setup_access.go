package directory

import (
	"context"
	"strings"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/store"
)

// jobReader is the part of Provisioning that changes nothing.
type jobReader interface {
	Job(ctx context.Context, servicePrincipal, job string) (entra.Job, error)
}

// setupAccess is the access token of the administrator who signed in, "" where nobody did or it has ended.
func (s *Service) setupAccess(read *store.Reader, row *model.Setup) (string, error) {
	if row.SignIn.AccessUntil == nil || !s.Now().Before(*row.SignIn.AccessUntil) {
		return "", nil
	}
	token, err := openSetup[string](s, read, row.Ref(), secretAccess)
	return token, unlessRemoved(err)
}

// provisioning gives what Entra's provisioning is set up with. It is the one place that hands that out for writing, and it is Refused
// for an integration that only reads.
func (s *Service) provisioning(ctx context.Context, ref model.Ref) (api Provisioning, accessToken string, err error) {
	read := s.Store.Read(ctx)
	i, err := read.Integration(ref)
	if err != nil {
		return nil, "", err
	}
	if err := setupWritable(i); err != nil {
		return nil, "", err
	}
	return s.openProvisioning(ctx, ref)
}

// jobReader gives what the job is watched with.
func (s *Service) jobReader(ctx context.Context, ref model.Ref) (jobReader, error) {
	api, _, err := s.openProvisioning(ctx, ref)
	return api, err
}

func (s *Service) openProvisioning(ctx context.Context, ref model.Ref) (Provisioning, string, error) {
	if s.Provisionings == nil {
		return nil, "", model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	row, err := s.Setup(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	token, err := s.setupAccess(s.Store.Read(ctx), &row)
	if err != nil {
		return nil, "", err
	}
	api, err := s.Provisionings(ctx, ref, token)
	return api, token, err
}

// connect gives the task what it works with.
func (w *setupWork) connect() error {
	api, token, err := w.svc.provisioning(w.ctx, w.row.Ref())
	w.api = api
	if token != "" {
		w.hide = append(w.hide, token)
	}
	return err
}

// setupWritable refuses what an integration that only reads may not do.
func setupWritable(i model.Integration) error {
	if i.ReadOnly {
		return model.FieldErrorf(model.Refused, "read_only", "integration %s only reads from Entra, and so writes nothing there", i.Name)
	}
	return nil
}

// setupAllowed says, before anything is begun, whether a set-up can succeed: an administrator has signed in, or the application has
// the permissions. It is Refused with what to do.
func (s *Service) setupAllowed(ctx context.Context, i model.Integration, groups bool) error {
	if err := setupWritable(i); err != nil {
		return err
	}
	if s.Provisionings == nil {
		return model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	row, err := s.Setup(ctx, i.Ref())
	if err != nil {
		return err
	}
	if at := row.SignIn.AccessUntil; at != nil && s.Now().Add(time.Minute).Before(*at) {
		return nil
	}
	const signIn = "have an administrator sign in once (POST …/setup/sign-in)"
	if s.Tenants == nil {
		return model.Errorf(model.Refused, "whether the application may set up provisioning is not known; %s", signIn)
	}
	tenant, err := s.Tenants(ctx, i.Ref())
	if err != nil {
		return model.Errorf(model.Refused, "Microsoft Graph cannot be reached as the integration's application (%s); %s", cut(err.Error(), maxSaid), signIn)
	}
	roles, err := tenant.Permissions(ctx)
	if err != nil {
		return model.Errorf(model.Refused, "Microsoft Graph cannot be reached as the integration's application (%s); %s", cut(err.Error(), maxSaid), signIn)
	}
	var missing []string
	for _, c := range Preflight(setupNeeds(groups), roles) {
		if !c.Granted {
			missing = append(missing, c.Permission)
		}
	}
	if len(missing) > 0 {
		return model.Errorf(model.Refused, "the application lacks %s: grant it, or better %s", strings.Join(missing, " and "), signIn)
	}
	return nil
}
