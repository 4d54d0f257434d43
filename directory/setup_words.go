package directory

import (
	"fmt"
	"time"

	"usher/model"
	"usher/model/entra"
)

// quarantineLife is after how long in quarantine Entra disables a job.
const quarantineLife = 28 * 24 * time.Hour

// jobSeen puts what Entra says of a job into the words of an administrator. Texts of Entra's are bounded and made one line.
func jobSeen(j entra.Job) *model.SetupJob {
	st := j.Status
	out := &model.SetupJob{
		State: st.Code, Schedule: j.State, IntervalSeconds: int(j.Interval / time.Second), Failures: st.SuccessiveFailures,
		LastCycle: cycleSeen(st.Last), LastGoodCycle: cycleSeen(st.LastSuccessful), SteadyStateAt: moment(st.SteadyStateAt),
		Synchronized: st.Synchronized, Progress: model.Progress{Done: st.Completed, Total: st.Total},
		TroubleshootingURL: cut(st.TroubleshootingURL, maxSaid),
	}
	if out.Synchronized == nil {
		out.Synchronized = map[string]int{}
	}
	if st.Quarantine != nil {
		out.Quarantine = quarantineSeen(st.Quarantine)
	}
	out.Says = jobSays(out)
	return out
}

func jobSays(j *model.SetupJob) string {
	switch {
	case j.Quarantine != nil:
		return "in quarantine: " + j.Quarantine.Says
	case j.State == "NotConfigured":
		return "not configured: credentials or mappings are missing"
	case j.State == "Paused" || j.Schedule == "Paused" || j.Schedule == "Disabled":
		return "paused: Entra sends nothing until it is started"
	case j.State == "NotRun":
		return "started; the first cycle has not ended yet"
	case j.LastCycle != nil && j.LastCycle.State == "EntryLevelErrors":
		return fmt.Sprintf("running; in the last cycle %d entries failed and are tried again", j.LastCycle.Escrowed)
	case j.LastCycle != nil && j.LastCycle.State == "Failed":
		return "running; the last cycle failed: " + j.LastCycle.Error
	case j.State == "Active":
		return "running"
	}
	return j.State
}

func cycleSeen(e *entra.JobExecution) *model.SetupCycle {
	if e == nil {
		return nil
	}
	text := e.ErrorMessage
	if e.ErrorCode != "" {
		text = e.ErrorCode + ": " + text
	}
	if e.Action != "" {
		text += " (" + e.Action + ")"
	}
	return &model.SetupCycle{
		State: e.State, BegunAt: moment(e.Begun), EndedAt: moment(e.Ended), Imported: e.Imported, Exported: e.Exported, Escrowed: e.Escrowed,
		Entitled: e.Entitled, Error: cut(text, maxSaid),
	}
}

func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return utc(&at)
}

func quarantineSeen(q *entra.Quarantine) *model.SetupQuarantine {
	out := &model.SetupQuarantine{
		Reason: cut(q.Reason, 100), BegunAt: moment(q.Begun), NextAttempt: moment(q.NextAttempt), ErrorCode: cut(q.ErrorCode, 100), Error: cut(q.ErrorMessage, maxSaid),
	}
	out.Says = quarantineReason(q.Reason)
	if out.Error != "" {
		out.Says += "; Entra says: " + out.Error
	}
	if out.NextAttempt != nil {
		out.Says += "; Entra tries again at " + out.NextAttempt.Format(time.RFC3339)
	}
	if out.BegunAt != nil {
		end := out.BegunAt.Add(quarantineLife)
		out.EndsAt = &end
		out.Says += ", and gives up at " + end.Format(time.RFC3339)
	}
	return out
}

// quarantineReason says what a reason means and what to do (Graph: quarantineReason; Entra: application provisioning in quarantine
// status).
func quarantineReason(reason string) string {
	switch reason {
	case "EncounteredBaseEscrowThreshold", "EncounteredTotalEscrowThreshold", "EncounteredEscrowProportionThreshold":
		return "too many entries fail; see the request log for what was refused and why, correct it, then restart"
	case "EncounteredQuarantineException":
		return "Entra could not sign in or did not understand the answers; see that the token has not ended and that Usher can be reached, then restart"
	case "TooManyDeletes":
		return "a cycle would delete more than the limit; look at who it is, and restart with ForceDeletes where that is right"
	case "QuarantinedOnDemand":
		return "somebody put it into quarantine; restart it when it may go on"
	case "IngestionInterrupted":
		return "Entra could not read its own directory; it goes on by itself"
	case "", "Unknown":
		return "Entra gives no reason; see its provisioning logs"
	}
	return "Entra gives the reason " + cut(reason, 100)
}
