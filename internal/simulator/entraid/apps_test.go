package entraid_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator/entraid"
	"usher/model/entra"
	"usher/model/outlook"
)

// target is a SCIM endpoint that believes everything.
type target struct {
	mu    sync.Mutex
	token string
	made  map[string]map[string]any // by path
}

func (s *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/scim+json")
	answer := func(status int, body any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+s.token:
		answer(401, map[string]any{})
	case r.Method == http.MethodPost:
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		id := fmt.Sprint(len(s.made) + 1)
		body["id"] = id
		s.made[r.URL.Path+"/"+id] = body
		answer(201, body)
	case r.Method == http.MethodGet && s.made[r.URL.Path] != nil:
		answer(200, s.made[r.URL.Path])
	case r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") == 2:
		answer(200, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": 0, "Resources": []any{}})
	case r.Method == http.MethodPatch:
		w.WriteHeader(204)
	default:
		answer(404, map[string]any{})
	}
}

func (s *target) users(attribute string) map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]bool{}
	for path, one := range s.made {
		if strings.Contains(path, "/Users/") {
			out[fmt.Sprint(one[attribute])] = true
		}
	}
	return out
}

func TestProvisioningIsSetUpAndRuns(t *testing.T) {
	endpoint := &target{token: "first", made: map[string]map[string]any{}}
	server := httptest.NewServer(endpoint)
	defer server.Close()
	w := newWorld(t, nil)
	ctx, hr := t.Context(), w.group("HR")
	w.directory.SetFaults(entraid.Faults{Replication: 30 * time.Second})
	app, err := w.Instantiate(ctx, entraid.NonGallery, "Usher")
	w.ok(err)
	sp := app.ServicePrincipalID
	_, err = w.ServicePrincipal(ctx, sp)
	w.fails(err, outlook.NotFound, "Request_ResourceNotFound")
	_, err = w.Templates(ctx, sp)
	w.fails(err, outlook.NotFound, "")
	w.clock.pass(30 * time.Second)
	found, err := w.ServicePrincipalOf(ctx, app.AppID)
	w.ok(err)
	if named, err := w.ApplicationsNamed(ctx, "Usher"); err != nil || len(named) != 1 || named[0] != app {
		t.Errorf("%+v, %v", named, err)
	}
	job, err := w.CreateJob(ctx, sp, "scim")
	w.ok(err)
	if !strings.HasPrefix(job.ID, "scim.") || job.State != "Disabled" || job.Status.Code != "NotConfigured" || job.Interval != 40*time.Minute {
		t.Errorf("%+v", job)
	}
	w.fails(w.StartJob(ctx, sp, job.ID), outlook.Invalid, "CredentialsMissing")
	credentials := func(token string) []entra.Secret {
		return []entra.Secret{{Key: "BaseAddress", Value: server.URL + "/scim?aadOptscim062020"}, {Key: "SecretToken", Value: token}, {Key: "SyncAll", Value: "false"}}
	}
	w.fails(w.ValidateCredentials(ctx, sp, job.ID, credentials("wrong")), outlook.Invalid, "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable")
	w.ok(w.ValidateCredentials(ctx, sp, job.ID, credentials("first")))
	w.ok(w.PutSecrets(ctx, sp, credentials("first")))
	raw, err := w.JobSchema(ctx, sp, job.ID)
	w.ok(err)
	changed := strings.Replace(string(raw), `"name":"mailNickname","expression":"[mailNickname]"`, `"name":"objectId","expression":"[objectId]"`, 1)
	if changed == string(raw) {
		t.Fatal("externalId is not mapped from mailNickname")
	}
	w.fails(w.PutJobSchema(ctx, sp, job.ID, []byte(`{"synchronizationRules":[]}`)), outlook.Invalid, "InvalidSchema")
	w.ok(w.PutJobSchema(ctx, sp, job.ID, []byte(changed)))
	w.fails(w.Assign(ctx, sp, hr.ID, "no role"), outlook.Invalid, "")
	w.ok(w.Assign(ctx, sp, hr.ID, found.Roles[0].ID))
	w.fails(w.Assign(ctx, sp, hr.ID, found.Roles[0].ID), outlook.Duplicate, "Request_BadRequest")
	w.fails(w.Assign(ctx, sp, w.group("Newsletter").ID, found.Roles[0].ID), outlook.Invalid, "")
	if w.directory.Step(ctx) != 0 {
		t.Error("a job runs before it was started")
	}
	w.ok(w.StartJob(ctx, sp, job.ID))
	if w.directory.Step(ctx) != 1 || w.directory.Step(ctx) != 0 {
		t.Error("the job must run once")
	}
	hedy := w.named("Hedy Lamarr")
	if got := endpoint.users("externalId"); !got[hedy.ID] || len(got) < 2 {
		t.Errorf("provisioned: %v", got)
	}
	job, err = w.Job(ctx, sp, job.ID)
	w.ok(err)
	if job.Status.Code != "Active" || job.Status.Last == nil || job.Status.Last.State != "Succeeded" || job.Status.Synchronized["User"] != len(endpoint.users("externalId")) {
		t.Errorf("%+v", job.Status)
	}

	hired, err := w.CreateUser(ctx, newcomer())
	w.ok(err)
	w.clock.pass(time.Minute)
	w.ok(w.AddMember(ctx, hr.ID, hired.ID))
	w.clock.pass(39 * time.Minute)
	w.directory.Step(ctx)
	if !endpoint.users("externalId")[hired.ID] {
		t.Error("who was made over Graph is not provisioned")
	}

	endpoint.mu.Lock()
	endpoint.token = "second"
	endpoint.mu.Unlock()
	w.clock.pass(40 * time.Minute)
	w.ok(w.tenant.SetAttribute(hedy.ID, "jobTitle", "Inventor"))
	w.directory.Step(ctx)
	job, err = w.Job(ctx, sp, job.ID)
	w.ok(err)
	if q := job.Status.Quarantine; job.Status.Code != "Quarantine" || q == nil || q.Reason != "EncounteredQuarantineException" || q.NextAttempt.IsZero() {
		t.Fatalf("%+v", job.Status)
	}
	w.ok(w.PutSecrets(ctx, sp, credentials("second")))
	w.ok(w.RestartJob(ctx, sp, job.ID, "Watermark, Escrows, QuarantineState"))
	w.directory.Step(ctx)
	if job, err = w.Job(ctx, sp, job.ID); err != nil || job.Status.Code != "Active" || job.Status.Quarantine != nil {
		t.Errorf("%+v, %v", job.Status, err)
	}
	w.ok(w.PauseJob(ctx, sp, job.ID))
	w.clock.pass(time.Hour)
	if w.directory.Step(ctx) != 0 {
		t.Error("a paused job runs")
	}
	w.ok(w.DeleteJob(ctx, sp, job.ID))
	w.fails(w.DeleteJob(ctx, sp, job.ID), outlook.NotFound, "")
	w.ok(w.DeleteApplication(ctx, app.ObjectID))
	if _, err := w.ServicePrincipal(ctx, sp); err != nil {
		t.Errorf("the service principal stays: %v", err)
	}
	w.ok(w.DeleteServicePrincipal(ctx, sp))
	w.fails(w.DeleteServicePrincipal(ctx, sp), outlook.NotFound, "")
}

func TestGrants(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	own := w.directory.Install("usher", "Usher")
	w.directory.Grant("usher", "User.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All")
	w.directory.GrantScopes(own.ServicePrincipalID, "User.Read", "Group.Read.All")
	sp, err := w.ServicePrincipalOf(ctx, "usher")
	w.ok(err)
	grants, err := w.Grants(ctx, sp.ID)
	w.ok(err)
	if len(grants) != 5 || !grants[0].Delegated || grants[0].Name != "User.Read Group.Read.All" {
		t.Fatalf("%+v", grants)
	}
	w.ok(w.DeleteGrant(ctx, sp.ID, grants[0]))
	w.ok(w.DeleteGrant(ctx, sp.ID, grants[1]))
	left, err := w.Permissions(ctx)
	w.ok(err)
	if len(left) != 3 {
		t.Errorf("%v", left)
	}
	w.ok(w.DeleteServicePrincipal(ctx, sp.ID))
	_, err = w.Organization(ctx)
	w.fails(err, outlook.BadCredentials, "")
}

func TestOwnedApplicationsAreEnough(t *testing.T) {
	w := newWorld(t, nil)
	w.directory.Grant("usher", "Application.ReadWrite.OwnedBy")
	app, err := w.Instantiate(t.Context(), entraid.NonGallery, "Usher")
	w.ok(err)
	_, err = w.CreateJob(t.Context(), app.ServicePrincipalID, "scim")
	w.ok(err)
	other := w.directory.Client("other")
	w.directory.Grant("other", "Application.ReadWrite.OwnedBy")
	_, err = other.CreateJob(t.Context(), app.ServicePrincipalID, "scim")
	w.fails(err, outlook.Forbidden, "Authorization_RequestDenied")
	w.fails(other.DeleteServicePrincipal(t.Context(), app.ServicePrincipalID), outlook.Forbidden, "")
}
