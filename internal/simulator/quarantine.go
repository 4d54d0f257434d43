package simulator

import (
	"errors"
	"time"
)

// State is the state of a provisioning job.
type State string

// The states of a job.
const (
	StateActive      State = "active"
	StateQuarantined State = "quarantined" // cycles run only when an attempt is due
	StateDisabled    State = "disabled"    // four weeks in quarantine; only a restart helps
)

// ErrQuarantined says that a cycle did not run because the job is in quarantine and no attempt is due, or that it put
// the job there.
var ErrQuarantined = errors.New("the provisioning job is in quarantine")

// ErrDisabled says that the job is disabled after four weeks in quarantine. Restart it.
var ErrDisabled = errors.New("the provisioning job is disabled")

// Quarantine is why a job is slowed down and when it tries again.
type Quarantine struct {
	// Reason has Graph's words: EncounteredQuarantineException (credentials, protocol),
	// EncounteredEscrowProportionThreshold, EncounteredBaseEscrowThreshold, EncounteredTotalEscrowThreshold.
	Reason      string
	Detail      string
	Since       time.Time
	NextAttempt time.Time
	Attempts    int // cycles tried since, without success
}

// Thresholds decide when failures quarantine a job. Zero fields take Entra's published values.
type Thresholds struct {
	EvaluateFrom int     // failures in a cycle from which the proportion counts; 5,000
	Proportion   float64 // share of a cycle's events that failed, references excluded; 0.40
	NonReference int     // escrows, references excluded; 40,000
	Total        int     // escrows of all kinds; 60,000
}

func (t Thresholds) withDefaults() Thresholds {
	if t.EvaluateFrom == 0 {
		t.EvaluateFrom = 5000
	}
	if t.Proportion == 0 {
		t.Proportion = 0.40
	}
	if t.NonReference == 0 {
		t.NonReference = 40000
	}
	if t.Total == 0 {
		t.Total = 60000
	}
	return t
}

// exceeded names the threshold that a finished cycle crossed, or "".
func (t Thresholds) exceeded(events, failures, escrows, references int) string {
	switch {
	case escrows >= t.Total:
		return "EncounteredTotalEscrowThreshold"
	case escrows-references > t.NonReference:
		return "EncounteredBaseEscrowThreshold"
	case failures >= t.EvaluateFrom && float64(failures) > t.Proportion*float64(events):
		return "EncounteredEscrowProportionThreshold"
	}
	return ""
}

// disabledAfter is how long a job may stay in quarantine.
const disabledAfter = 28 * 24 * time.Hour

// attemptAfter is when the n-th attempt (from 1) is due, counted from the start of the quarantine: 6 h, 12 h, 24 h,
// then every 24 h.
func attemptAfter(n int) time.Duration {
	switch n {
	case 1:
		return 6 * time.Hour
	case 2:
		return 12 * time.Hour
	default:
		return time.Duration(n-2) * 24 * time.Hour
	}
}

// enter puts the job in quarantine, or counts another failed attempt there.
func (q *Quarantine) enter(reason, detail string, now time.Time) {
	if q.Since.IsZero() {
		q.Since = now
	} else {
		q.Attempts++
	}
	q.Reason, q.Detail = reason, detail
	next := q.Attempts + 1
	for !q.Since.Add(attemptAfter(next)).After(now) { // a late attempt does not earn a second one at once
		next++
	}
	q.NextAttempt = q.Since.Add(attemptAfter(next))
}

// state is the job's state at a moment.
func (q *Quarantine) state(now time.Time) State {
	switch {
	case q.Since.IsZero():
		return StateActive
	case now.Sub(q.Since) >= disabledAfter:
		return StateDisabled
	}
	return StateQuarantined
}

// The back-off of single objects. Entra retries after one cycle (40 minutes); the rest of its curve is unpublished.
const (
	firstRetry  = 40 * time.Minute
	longestWait = 24 * time.Hour
)

// retryAfter is the wait before the next try of an object that failed n times (from 1).
func retryAfter(n int) time.Duration {
	wait := firstRetry
	for range n - 1 {
		if wait *= 2; wait >= longestWait {
			return longestWait
		}
	}
	return wait
}
