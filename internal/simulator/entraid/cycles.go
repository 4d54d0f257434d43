package entraid

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"usher/internal/simulator"
	"usher/model/entra"
	"usher/model/outlook"
)

// shown tells how a job is getting on. The caller holds the lock.
func (d *Directory) shown(sp *principal, j *job) entra.Job {
	out := entra.Job{ID: j.id, TemplateID: j.template, State: j.state, Interval: Interval}
	st := &out.Status
	switch {
	case secret(sp.secrets, "BaseAddress") == "":
		st.Code = "NotConfigured"
	case j.quarantine != nil:
		st.Code = "Quarantine"
	case j.state != "Active":
		st.Code = "Paused"
	case !j.ran:
		st.Code = "NotRun"
	default:
		st.Code = "Active"
	}
	st.SuccessiveFailures, st.Last, st.LastSuccessful, st.Quarantine, st.SteadyStateAt = j.failures, j.last, j.lastOK, j.quarantine, j.steady
	if j.provisioner != nil {
		users, groups := j.provisioner.Linked()
		st.Synchronized = map[string]int{"User": users, "Group": groups}
	}
	st.TroubleshootingURL = "https://portal.azure.com/#view/provisioning/" + sp.id
	return out
}

// equip makes the provisioner of a job that has none. The caller holds the lock.
func (d *Directory) equip(sp *principal, j *job) error {
	if j.provisioner != nil {
		return nil
	}
	m, err := readSchema(j.schema)
	if err != nil {
		return failure(outlook.Invalid, 400, "InvalidSchema", "%s", err.Error())
	}
	o := simulator.ProvisionerOptions{
		Tenant: d.tenant, TenantURL: secret(sp.secrets, "BaseAddress"), Token: secret(sp.secrets, "SecretToken"), Scope: scopeOf(sp.secrets),
		UserMatching: m.userMatching, GroupMatching: m.groupMatching, Mappings: m.rows, HTTPClient: d.options.HTTPClient, Now: d.options.Now,
	}
	for _, a := range sp.assigned {
		o.Assigned = append(o.Assigned, a.PrincipalID)
	}
	if j.provisioner, err = simulator.NewProvisioner(o); err != nil {
		j.provisioner = nil
		return failure(outlook.Invalid, 400, "InvalidConfiguration", "%s", err.Error())
	}
	d.apps.mapped[j.provisioner] = string(j.schema)
	return nil
}

func scopeOf(secrets []entra.Secret) simulator.Scope {
	if strings.EqualFold(secret(secrets, "SyncAll"), "true") {
		return simulator.ScopeAll
	}
	return simulator.ScopeAssigned
}

// configuration is what a job is to run with.
type configuration struct {
	secrets []entra.Secret
	schema  string
}

// equipped gives the provisioner of a job with the credentials and mappings of now. It waits for a cycle that is under way, so
// that the lock must not be held.
func (d *Directory) equipped(servicePrincipal, id string) (*simulator.Provisioner, error) {
	d.mu.Lock()
	sp, err := d.principal(servicePrincipal)
	var p *simulator.Provisioner
	var c configuration
	if err == nil {
		for _, j := range sp.jobs {
			if j.id == id {
				p, c = j.provisioner, configuration{slices.Clone(sp.secrets), string(j.schema)}
			}
		}
	}
	d.mu.Unlock()
	if err != nil || p == nil {
		return nil, notFound(id)
	}
	return p, d.configure(p, c)
}

// configure gives a provisioner what has changed since it ran last.
func (d *Directory) configure(p *simulator.Provisioner, c configuration) error {
	m, err := readSchema([]byte(c.schema))
	if err != nil {
		return err
	}
	if url, token := p.Target(); url != secret(c.secrets, "BaseAddress") || token != secret(c.secrets, "SecretToken") {
		if err := p.Retarget(secret(c.secrets, "BaseAddress"), secret(c.secrets, "SecretToken")); err != nil {
			return err
		}
	}
	p.Rescope(scopeOf(c.secrets), strings.EqualFold(secret(c.secrets, "SkipOutOfScopeDeletions"), "true"))
	d.mu.Lock()
	before := d.apps.mapped[p]
	d.apps.mapped[p] = c.schema
	d.mu.Unlock()
	if before == c.schema {
		return nil
	}
	return p.Remap(m.rows, m.userMatching, m.groupMatching)
}

// Step lets mailboxes follow the directory and runs the provisioning jobs that are due. It says how many ran.
func (d *Directory) Step(ctx context.Context) int {
	d.SyncMailboxes()
	ran := 0
	for _, one := range d.due() {
		if ctx.Err() != nil {
			break
		}
		d.cycle(ctx, one)
		ran++
	}
	return ran
}

// dueJob names a job that is due.
type dueJob struct {
	servicePrincipal string
	job              *job
	restart          string
}

// due takes the jobs that are due.
func (d *Directory) due() []dueJob {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []dueJob
	for _, id := range d.apps.order {
		sp := d.apps.principals[id]
		for _, j := range sp.jobs {
			if j.state != "Active" || j.running || j.due.After(d.now()) {
				continue
			}
			if err := d.equip(sp, j); err != nil {
				j.quarantine = &entra.Quarantine{Reason: "EncounteredQuarantineException", Begun: d.now(), ErrorCode: "InvalidConfiguration", ErrorMessage: err.Error()}
				j.due = d.now().Add(Interval)
				continue
			}
			list = append(list, dueJob{id, j, j.restart})
			j.running, j.restart = true, ""
		}
	}
	return list
}

// cycle runs a job once.
func (d *Directory) cycle(ctx context.Context, one dueJob) {
	begun := d.now()
	p, err := d.equipped(one.servicePrincipal, one.job.id)
	var report *simulator.Report
	if err == nil {
		switch {
		case strings.Contains(one.restart, "Full"):
			report, err = p.Restart(ctx, true)
		case one.restart != "":
			report, err = p.Restart(ctx, false)
		default:
			report, err = p.IncrementalCycle(ctx)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	j := one.job
	j.running, j.ran = false, true
	j.due = d.now().Add(Interval)
	e := &entra.JobExecution{State: "Succeeded", Begun: begun, Ended: d.now()}
	if report != nil {
		c := report.Counts
		e.Exported = c.Created + c.Updated + c.Disabled + c.Deleted + c.MembersAdded + c.MembersRemoved + c.ManagersSet + c.ManagersRemoved
		e.Imported, e.Entitled, e.Escrowed = e.Exported+c.Unchanged+c.Skipped, c.Created+c.Updated+c.Unchanged, report.Escrows
		if report.Escrows > 0 {
			e.State = "EntryLevelErrors"
		}
	}
	if err != nil {
		d.failed(j, e, report, err)
	} else {
		j.failures, j.quarantine, j.lastOK, j.steady = 0, nil, e, d.now()
	}
	j.last = e
}

// failed notes a cycle that did not succeed. The caller holds the lock.
func (d *Directory) failed(j *job, e *entra.JobExecution, report *simulator.Report, err error) {
	j.failures++
	e.State, e.ErrorCode, e.ErrorMessage = "Failed", "CycleFailed", err.Error()
	e.Action = "Check the tenant URL and the secret token, then restart provisioning."
	if why, ok := errors.AsType[*simulator.Failure](err); ok {
		e.ErrorCode = string(why.Code)
	}
	if report == nil || report.State == simulator.StateActive {
		return
	}
	j.quarantine = &entra.Quarantine{
		Reason: report.Quarantine.Reason, Begun: report.Quarantine.Since, NextAttempt: report.Quarantine.NextAttempt, ErrorCode: e.ErrorCode,
		ErrorMessage: report.Quarantine.Detail,
	}
	j.due = report.Quarantine.NextAttempt
	if report.State == simulator.StateDisabled {
		j.state = "Disabled"
	}
}

// Provisioner gives the provisioning service of a job, with its journal, once the job has run; nil before.
func (d *Directory) Provisioner(servicePrincipal, jobID string) *simulator.Provisioner {
	d.mu.Lock()
	defer d.mu.Unlock()
	sp := d.apps.principals[servicePrincipal]
	if sp == nil {
		return nil
	}
	for _, j := range sp.jobs {
		if j.id == jobID {
			return j.provisioner
		}
	}
	return nil
}

// Quarantine puts a job into quarantine with a reason of Graph's, such as TooManyDeletes, until it is restarted.
func (d *Directory) Quarantine(servicePrincipal, jobID, reason, message string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, sp := range slices.Collect(maps.Values(d.apps.principals)) {
		for _, j := range sp.jobs {
			if sp.id == servicePrincipal && j.id == jobID {
				next := d.now().Add(6 * time.Hour)
				j.quarantine = &entra.Quarantine{Reason: reason, Begun: d.now(), NextAttempt: next, ErrorCode: reason, ErrorMessage: message}
				j.due = next
			}
		}
	}
}

// Run calls Step in real time, every so often, until stop is called or the context ends. stop returns when the last Step is over,
// and may be called twice.
func (d *Directory) Run(ctx context.Context, every time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				d.Step(ctx)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}
