package entraid

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/internal/simulator"
	"usher/model/entra"
	"usher/model/outlook"
)

// Interval is how often a job runs.
const Interval = 40 * time.Minute

// templates are those of an application of one's own.
func templates() []string { return []string{"scim", "customappsso"} }

// sync carries out a request about the synchronization of a service principal, under the directory's lock.
func (s *Session) sync(ctx context.Context, method, servicePrincipal string, write bool, work func(d *Directory, sp *principal) error) error {
	all := []string{"Synchronization.ReadWrite.All"}
	if !write {
		all = append(all, "Synchronization.Read.All")
	}
	return s.app(ctx, call{method: method, target: servicePrincipal, needs: append(all, "Application.ReadWrite.OwnedBy"), write: write}, func(d *Directory) error {
		sp, err := d.principal(servicePrincipal)
		if err != nil {
			return err
		}
		if err := s.mayChange(sp.owner, all...); err != nil {
			return err
		}
		return work(d, sp)
	})
}

// inJob carries out a request about a job.
func (s *Session) inJob(ctx context.Context, method, servicePrincipal, id string, write bool, work func(d *Directory, sp *principal, j *job) error) error {
	return s.sync(ctx, method, servicePrincipal, write, func(d *Directory, sp *principal) error {
		for _, j := range sp.jobs {
			if j.id == id {
				return work(d, sp, j)
			}
		}
		return noJob(id)
	})
}

func noJob(id string) error {
	return failure(outlook.NotFound, 404, "JobNotFound", "The synchronization job %s was not found.", id)
}

// Templates gives the ids of the synchronization templates (Graph: GET …/synchronization/templates).
func (s *Session) Templates(ctx context.Context, servicePrincipal string) ([]string, error) {
	err := s.sync(ctx, "Templates", servicePrincipal, false, func(*Directory, *principal) error { return nil })
	if err != nil {
		return nil, err
	}
	return templates(), nil
}

// Jobs gives the provisioning jobs (Graph: GET …/synchronization/jobs).
func (s *Session) Jobs(ctx context.Context, servicePrincipal string) ([]entra.Job, error) {
	var list []entra.Job
	err := s.sync(ctx, "Jobs", servicePrincipal, false, func(d *Directory, sp *principal) error {
		for _, j := range sp.jobs {
			list = append(list, d.shown(sp, j))
		}
		return nil
	})
	return list, err
}

// CreateJob makes a provisioning job (Graph: POST …/synchronization/jobs).
func (s *Session) CreateJob(ctx context.Context, servicePrincipal, templateID string) (entra.Job, error) {
	var made entra.Job
	err := s.sync(ctx, "CreateJob", servicePrincipal, true, func(d *Directory, sp *principal) error {
		if !slices.Contains(templates(), templateID) {
			return failure(outlook.Invalid, 400, "InvalidTemplate", "The synchronization template %s was not found.", templateID)
		}
		rule := d.guid()
		id := templateID + "." + strings.ReplaceAll(d.options.ID, "-", "") + "." + d.guid()
		j := &job{id: id, template: templateID, state: "Disabled", schema: newSchema(id, rule)}
		sp.jobs = append(sp.jobs, j)
		made = d.shown(sp, j)
		return nil
	})
	return made, err
}

// Job reads how a job is getting on (Graph: GET …/synchronization/jobs/{id}).
func (s *Session) Job(ctx context.Context, servicePrincipal, id string) (entra.Job, error) {
	var found entra.Job
	err := s.inJob(ctx, "Job", servicePrincipal, id, false, func(d *Directory, sp *principal, j *job) error {
		found = d.shown(sp, j)
		return nil
	})
	return found, err
}

// DeleteJob deletes a job (Graph: DELETE …/synchronization/jobs/{id}).
func (s *Session) DeleteJob(ctx context.Context, servicePrincipal, id string) error {
	return s.inJob(ctx, "DeleteJob", servicePrincipal, id, true, func(_ *Directory, sp *principal, j *job) error {
		sp.jobs = slices.DeleteFunc(sp.jobs, func(other *job) bool { return other == j })
		return nil
	})
}

func secret(list []entra.Secret, key string) string {
	for _, one := range list {
		if one.Key == key {
			return one.Value
		}
	}
	return ""
}

// ValidateCredentials calls the endpoint with the credentials, or with the stored ones where there are none. Without a job's id it
// is for a job that is yet to be made (Graph: POST …/synchronization/jobs/{id}/validateCredentials, and without an id).
func (s *Session) ValidateCredentials(ctx context.Context, servicePrincipal, id string, list []entra.Secret) error {
	err := s.sync(ctx, "ValidateCredentials", servicePrincipal, true, func(_ *Directory, sp *principal) error {
		if id != "" && !slices.ContainsFunc(sp.jobs, func(j *job) bool { return j.id == id }) {
			return noJob(id)
		}
		if list == nil {
			list = slices.Clone(sp.secrets)
		}
		return nil
	})
	if err != nil {
		return err
	}
	bad := func(why string) error {
		return failure(outlook.Invalid, 400, "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable",
			"You appear to have entered invalid credentials. Please confirm you are using the correct information for an administrative account. %s", why)
	}
	probe, err := simulator.NewProvisioner(simulator.ProvisionerOptions{
		Tenant: s.directory.tenant, TenantURL: secret(list, "BaseAddress"), Token: secret(list, "SecretToken"),
		HTTPClient: s.directory.options.HTTPClient, Now: s.directory.options.Now,
	})
	if err != nil {
		return bad(err.Error())
	}
	if _, err := probe.TestConnection(ctx); err != nil {
		return bad(err.Error())
	}
	return nil
}

// PutSecrets replaces all stored credentials (Graph: PUT …/synchronization/secrets).
func (s *Session) PutSecrets(ctx context.Context, servicePrincipal string, list []entra.Secret) error {
	return s.sync(ctx, "PutSecrets", servicePrincipal, true, func(_ *Directory, sp *principal) error {
		for _, one := range list {
			if !slices.Contains([]string{"BaseAddress", "SecretToken", "SyncAll", "SkipOutOfScopeDeletions", "SyncNotificationSettings"}, one.Key) {
				return failure(outlook.Invalid, 400, "InvalidSecretKey", "The key %s is not known.", one.Key)
			}
		}
		sp.secrets = slices.Clone(list)
		return nil
	})
}

// Secrets gives the stored credentials; the token is not told (Graph: GET …/synchronization/secrets).
func (s *Session) Secrets(ctx context.Context, servicePrincipal string) ([]entra.Secret, error) {
	var list []entra.Secret
	err := s.sync(ctx, "Secrets", servicePrincipal, false, func(_ *Directory, sp *principal) error {
		list = slices.Clone(sp.secrets)
		for i := range list {
			if list[i].Key == "SecretToken" {
				list[i].Value = "*"
			}
		}
		return nil
	})
	return list, err
}

// StoredToken gives the token that a service principal provisions with, for the eyes of tests.
func (d *Directory) StoredToken(servicePrincipal string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	sp, err := d.principal(servicePrincipal)
	if err != nil {
		return ""
	}
	return secret(sp.secrets, "SecretToken")
}

// JobSchema reads the mappings (Graph: GET …/synchronization/jobs/{id}/schema).
func (s *Session) JobSchema(ctx context.Context, servicePrincipal, id string) (json.RawMessage, error) {
	var raw json.RawMessage
	err := s.inJob(ctx, "JobSchema", servicePrincipal, id, false, func(_ *Directory, _ *principal, j *job) error {
		raw = slices.Clone(j.schema)
		return nil
	})
	return raw, err
}

// PutJobSchema replaces the mappings as a whole; everything is looked at again (Graph: PUT …/synchronization/jobs/{id}/schema).
func (s *Session) PutJobSchema(ctx context.Context, servicePrincipal, id string, raw json.RawMessage) error {
	return s.inJob(ctx, "PutJobSchema", servicePrincipal, id, true, func(d *Directory, _ *principal, j *job) error {
		if _, err := readSchema(raw); err != nil {
			return failure(outlook.Invalid, 400, "InvalidSchema", "%s", err.Error())
		}
		j.schema, j.due = slices.Clone(raw), d.now()
		return nil
	})
}

// StartJob starts a job, or lets it go on (Graph: POST …/synchronization/jobs/{id}/start).
func (s *Session) StartJob(ctx context.Context, servicePrincipal, id string) error {
	return s.inJob(ctx, "StartJob", servicePrincipal, id, true, func(d *Directory, sp *principal, j *job) error {
		if secret(sp.secrets, "BaseAddress") == "" {
			return failure(outlook.Invalid, 400, "CredentialsMissing", "The job cannot be started: credentials have not been configured.")
		}
		if j.state != "Active" {
			j.state, j.due = "Active", d.now()
		}
		return nil
	})
}

// PauseJob pauses a job; a cycle that is under way ends (Graph: POST …/synchronization/jobs/{id}/pause).
func (s *Session) PauseJob(ctx context.Context, servicePrincipal, id string) error {
	return s.inJob(ctx, "PauseJob", servicePrincipal, id, true, func(_ *Directory, _ *principal, j *job) error {
		j.state = "Paused"
		return nil
	})
}

// RestartJob begins anew what the scope says (Graph: POST …/synchronization/jobs/{id}/restart).
func (s *Session) RestartJob(ctx context.Context, servicePrincipal, id, scope string) error {
	return s.inJob(ctx, "RestartJob", servicePrincipal, id, true, func(d *Directory, _ *principal, j *job) error {
		for flag := range strings.SplitSeq(scope, ",") {
			if !slices.Contains([]string{"None", "ConnectorDataStore", "Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes"}, strings.TrimSpace(flag)) {
				return failure(outlook.Invalid, 400, "InvalidResetScope", "The reset scope %s is not known.", scope)
			}
		}
		j.state, j.restart, j.due, j.quarantine = "Active", scope, d.now(), nil
		return nil
	})
}

// maxOnDemand is how many calls within ten seconds Graph takes.
const maxOnDemand = 5

// ProvisionOnDemand provisions one user or group at once (Graph: POST …/synchronization/jobs/{id}/provisionOnDemand). The report's
// entries say what was done.
func (s *Session) ProvisionOnDemand(ctx context.Context, servicePrincipal, id, objectID string, members ...string) (*simulator.Report, error) {
	var p *simulator.Provisioner
	err := s.inJob(ctx, "ProvisionOnDemand", servicePrincipal, id, true, func(d *Directory, sp *principal, j *job) error {
		now := d.now()
		d.apps.onDemand = slices.DeleteFunc(d.apps.onDemand, func(at time.Time) bool { return now.Sub(at) >= 10*time.Second })
		if len(d.apps.onDemand) >= maxOnDemand {
			return throttled(10 * time.Second)
		}
		d.apps.onDemand = append(d.apps.onDemand, now)
		return d.equip(sp, j)
	})
	if err == nil {
		p, err = s.directory.equipped(servicePrincipal, id)
	}
	if err != nil {
		return nil, err
	}
	report, err := p.OnDemand(ctx, strings.ToLower(objectID), members...)
	if err != nil && report == nil {
		return nil, failure(outlook.Invalid, 400, "InvalidRequest", "%s", err.Error())
	}
	return report, nil
}

// RuleID gives the id of the synchronization rule of a job, which provisioning on demand is asked with.
func RuleID(schema json.RawMessage) (string, error) {
	var s schemaJSON
	if err := json.Unmarshal(schema, &s); err != nil || len(s.Rules) == 0 {
		return "", fmt.Errorf("the schema has no rule: %w", err)
	}
	return s.Rules[0].ID, nil
}
