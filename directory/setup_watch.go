package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// WatchSetups is the job that has every provisioning job in Entra looked at, and goes on with set-ups and removals that nobody works.
type WatchSetups struct{}

// Kind names the job.
func (WatchSetups) Kind() string { return "directory.watch_setups" }

// WatchSetup is the job that looks at the provisioning job of one integration.
type WatchSetup struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
}

// Kind names the job.
func (WatchSetup) Kind() string { return "directory.watch_setup" }

// Outward says that the job waits for Microsoft Graph.
func (WatchSetup) Outward() bool { return true }

// The bounds of watching: how many set-ups are read at once, and after how long a task that nobody has touched is taken up again.
const (
	watchPage  = 200
	watchStale = 10 * time.Minute
)

// EventQuarantined counts provisioning jobs that Entra put into quarantine.
const EventQuarantined = "provisioning_quarantined"

// WatchSetups works the job.
func (s *Service) WatchSetups(ctx context.Context, _ WatchSetups) error {
	for after := ""; ; {
		list, err := s.Store.Read(ctx).SetupsAfter(after, watchPage)
		if err != nil {
			return err
		}
		var jobs []store.Job
		for i := range list {
			row := &list[i]
			if err := s.forgetEndedAccess(ctx, row); unlessRemoved(err) != nil {
				return err
			}
			switch stale := s.Now().After(row.UpdatedAt.Add(watchStale)); {
			case row.State.Open() && stale:
				jobs = append(jobs, SetUp{OrganizationID: row.OrganizationID, IntegrationID: row.IntegrationID})
			case !row.State.Open() && row.Entra.JobID != "" && s.Provisionings != nil:
				jobs = append(jobs, WatchSetup{OrganizationID: row.OrganizationID, IntegrationID: row.IntegrationID})
			}
		}
		if err := s.Store.InTx(ctx, func(tx *store.Tx) error { return tx.EnqueueAll(jobs) }); err != nil {
			return err
		}
		if len(list) < watchPage {
			return s.watchRemovals(ctx)
		}
		after = list[len(list)-1].IntegrationID
	}
}

// WatchSetup works the job: what Entra says of the provisioning job is stored, and a quarantine is told once.
func (s *Service) WatchSetup(ctx context.Context, job WatchSetup) error {
	_, err := s.RefreshSetup(WithActor(ctx, "watch"), model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID})
	if outlook.KindOf(err) == outlook.Throttled || outlook.KindOf(err) == outlook.Unavailable {
		return nil // the next round asks again
	}
	return unlessRemoved(err)
}

// RefreshSetup asks Entra how the provisioning job is getting on. What keeps it from being asked is stored as well, and no failure.
func (s *Service) RefreshSetup(ctx context.Context, ref model.Ref) (model.Setup, error) {
	row, err := s.Setup(ctx, ref)
	if err != nil || row.Entra.JobID == "" {
		return row, err
	}
	var seen *model.SetupJob
	api, err := s.jobReader(ctx, ref)
	if err == nil {
		j, failed := api.Job(ctx, row.Entra.ServicePrincipal, row.Entra.JobID)
		if err = failed; err == nil {
			seen = jobSeen(j)
		}
	}
	if err != nil && !isGraph(err) && model.KindOf(err) != model.Refused && model.KindOf(err) != model.Invalid {
		return row, err
	}
	return s.noteJob(ctx, ref, row.Entra.JobID, seen, err)
}

// noteJob stores what was seen of a job, unless it is another one by now.
func (s *Service) noteJob(ctx context.Context, ref model.Ref, jobID string, seen *model.SetupJob, failed error) (model.Setup, error) {
	var out model.Setup
	told := false
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		told = false
		row, err := tx.LockSetup(ref)
		out = row
		if err != nil || row.Entra.JobID != jobID {
			return err
		}
		now := tx.Now()
		row.JobAt, row.JobError = &now, ""
		if failed != nil {
			row.JobError = cut(failed.Error(), maxSaid)
			if notInEntra(failed) {
				row.JobError = "Entra does not have the job any more; undo the set-up, or ask for it again: " + row.JobError
			}
		} else {
			row.Job = seen
			if told, err = s.tellQuarantine(ctx, tx, &row); err != nil {
				return err
			}
		}
		out = row
		return tx.SaveSetup(&out)
	})
	if err == nil && told {
		s.Observe(EventQuarantined, 1)
	}
	return out, err
}

// tellQuarantine tells of a quarantine once, and of its end.
func (s *Service) tellQuarantine(ctx context.Context, tx *store.Tx, row *model.Setup) (told bool, err error) {
	q, mark := row.Job.Quarantine, ""
	if q != nil {
		mark = "begun"
		if q.BegunAt != nil {
			mark = q.BegunAt.Format(time.RFC3339)
		}
	}
	if mark == row.QuarantineTold {
		return false, nil
	}
	row.QuarantineTold = mark
	i, err := tx.Integration(row.Ref())
	if err != nil {
		return false, err
	}
	if q == nil {
		return false, s.logSetting(ctx, tx, i.OrganizationID, &i.ID, "integration.quarantine_ended", "integration", i.ID, i.Name,
			"Entra provisions integration "+i.Name+" again", nil)
	}
	data := map[string]any{
		"name": i.Name, "reason": q.Reason, "says": q.Says, "begun_at": q.BegunAt, "next_attempt_at": q.NextAttempt, "job_id": row.Entra.JobID,
	}
	if err := s.tellIntegration(ctx, tx, model.IntegrationQuarantined, &i, data); err != nil {
		return false, err
	}
	return true, s.logSetting(ctx, tx, i.OrganizationID, &i.ID, "integration.quarantined", "integration", i.ID, i.Name,
		"Entra put the provisioning of integration "+i.Name+" into quarantine: "+q.Says, data)
}

// What can be done with a provisioning job.
const (
	JobStart   = "start"
	JobPause   = "pause"
	JobRestart = "restart"
)

// restartScopes are what a restart can forget (Graph: synchronizationJobRestartCriteria).
func restartScopes() []string {
	return []string{"Full", "Watermark", "Escrows", "QuarantineState", "ForceDeletes"}
}

// SteerJob starts, pauses or restarts the provisioning job. scope is what a restart forgets, comma separated, Full by default.
func (s *Service) SteerJob(ctx context.Context, ref model.Ref, action, scope string) (model.Setup, error) {
	row, err := s.Setup(ctx, ref)
	if err != nil {
		return row, err
	}
	if action == JobRestart {
		if scope, err = restartScope(scope); err != nil {
			return row, err
		}
	}
	api, _, err := s.provisioning(ctx, ref)
	if err != nil {
		return row, err
	}
	e := row.Entra
	if e.JobID == "" || row.State.Open() {
		return row, model.Errorf(model.Refused, "there is no provisioning job that Usher has set up and finished for this integration")
	}
	switch action {
	case JobStart:
		err = api.StartJob(ctx, e.ServicePrincipal, e.JobID)
	case JobPause:
		err = api.PauseJob(ctx, e.ServicePrincipal, e.JobID)
	default:
		err = api.RestartJob(ctx, e.ServicePrincipal, e.JobID, scope)
	}
	if err != nil {
		return row, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		i, err := tx.Integration(ref)
		if err != nil {
			return err
		}
		return s.logSetting(ctx, tx, i.OrganizationID, &i.ID, "setup.job_"+action, "integration", i.ID, i.Name,
			fmt.Sprintf("the provisioning job of integration %s was told to %s", i.Name, strings.TrimSpace(action+" "+scope)), nil)
	})
	if err != nil {
		return row, err
	}
	return s.RefreshSetup(ctx, ref)
}

// restartScope reads a list of scopes.
func restartScope(list string) (string, error) {
	if strings.TrimSpace(list) == "" {
		return "Full", nil
	}
	var scopes []string
	for name := range strings.SplitSeq(list, ",") {
		at := slices.IndexFunc(restartScopes(), func(known string) bool { return strings.EqualFold(known, strings.TrimSpace(name)) })
		if at < 0 {
			return "", model.FieldErrorf(model.Invalid, "scope", "%q is not one of %s", cut(name, 100), strings.Join(restartScopes(), ", "))
		}
		scopes = append(scopes, restartScopes()[at])
	}
	return strings.Join(scopes, ", "), nil
}
