package directory_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
	"usher/model/store/storetest"
)

// permittedTenant is a tenant of which the permissions of the application are known, and nothing else.
type permittedTenant struct {
	directory.Tenant
	roles []string
}

func (p permittedTenant) Permissions(context.Context) ([]string, error) { return p.roles, nil }

func (permittedTenant) FindGroups(_ context.Context, search entraid.GroupSearch, _ string) (entraid.GroupPage, error) {
	if search.Name == "HR" {
		return entraid.GroupPage{Groups: []entraid.Group{{ID: hrID, DisplayName: "HR"}}}, nil
	}
	return entraid.GroupPage{}, nil
}

const (
	hrID      = "11111111-aaaa-4bbb-8ccc-000000000001"
	financeID = "11111111-aaaa-4bbb-8ccc-000000000002"
	publicURL = "https://usher.contoso.example"
)

// setupWorld is a world whose integrations can be set up in a fake Entra.
type setupWorld struct {
	*world
	entra *fakeProvisioning
	roles []string
}

func eachSetup(t *testing.T, test func(w *setupWorld)) {
	t.Helper()
	each(t, func(w *world) {
		s := &setupWorld{
			world: w, entra: &fakeProvisioning{refuse: map[string]error{}, shared: map[string]string{}},
			roles: []string{"Application.ReadWrite.OwnedBy", "AppRoleAssignment.ReadWrite.All"},
		}
		opt := w.svc.Options
		opt.Provisionings = func(context.Context, model.Ref, string) (directory.Provisioning, error) { return s.entra, nil }
		opt.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) {
			return permittedTenant{roles: s.roles}, nil
		}
		w.svc = directory.New(opt)
		s.entra.try = s.signsIn
		test(s)
	})
}

// signsIn is Entra trying the token at the Tenant URL.
func (w *setupWorld) signsIn(address, token string) error {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Path, "/scim/v2/") || u.RawQuery != "aadOptscim062020" {
		return provisioningError(outlook.Invalid, 400, "InvalidAddress", address)
	}
	if _, err := w.svc.SCIMToken(w.ctx, strings.TrimPrefix(u.Path, "/scim/v2/"), token); err != nil {
		return provisioningError(outlook.Invalid, 400, "CredentialValidationUnavailable", "the token "+token+" was refused")
	}
	return nil
}

// works works a job until it has nothing to wait for, as the queue would; a process that dies is followed by another.
func (w *setupWorld) works(job func(context.Context) error) (deaths int) {
	w.Helper()
	for range 2000 {
		died, err := w.once(job)
		again, waits := errors.AsType[*model.Throttled](err)
		switch {
		case died:
			deaths++
			w.clock.move(4 * time.Minute) // until its lease is over
		case waits:
			w.clock.move(again.After)
		default:
			w.ok(err)
			return deaths
		}
	}
	w.Fatal("the job does not end")
	return deaths
}

func (w *setupWorld) once(job func(context.Context) error) (died bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(setupCrash); !ok {
				panic(p)
			}
			died = true
		}
	}()
	return false, job(w.ctx)
}

// setUp works the open task of the integration to its end.
func (w *setupWorld) setUp(ref model.Ref) model.Setup {
	w.Helper()
	w.works(func(ctx context.Context) error {
		return w.svc.SetUp(ctx, directory.SetUp{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
	})
	return w.setup(ref)
}

func (w *setupWorld) setup(ref model.Ref) model.Setup {
	w.Helper()
	row, err := w.svc.Setup(w.ctx, ref)
	w.ok(err)
	return row
}

// secretsAt gives every secret that is sealed for the integration.
func (w *setupWorld) sealed(ref model.Ref) []string {
	w.Helper()
	var names []string
	list, err := w.store.Read(w.ctx).SecretsAfter("", 500)
	w.ok(err)
	for _, s := range list {
		if s.IntegrationID == ref.IntegrationID {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}

// enqueued says whether a job of the kind was enqueued for the integration.
func (w *setupWorld) enqueued(kind string, ref model.Ref) bool {
	w.Helper()
	return slices.ContainsFunc(storetest.Jobs(w, w.store), func(j storetest.RecordedJob) bool {
		return j.Kind == kind && strings.Contains(string(j.Args), ref.IntegrationID)
	})
}
