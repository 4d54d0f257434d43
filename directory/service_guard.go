package directory

import (
	"fmt"
	"sync"
	"time"

	"usher/model"
)

// alarmPeriod is the time within which deactivations by pushes are counted together, and the shortest between alarms.
const alarmPeriod = time.Hour

// alarm raises the alarm when the pushes of the last hour have deactivated more accounts than the guard lets a run
// deactivate. A push cannot be held: it is applied, and the alarm says so.
func (w *settlement) alarm() error {
	if w.deactivated == 0 {
		return nil
	}
	integration, err := w.rules.integration(w.ref)
	if err != nil {
		return err
	}
	active, err := w.svc.active.of(w.tx, w.ref)
	if err != nil {
		return err
	}
	limit, watch := integration.Integration.Guard.Limit(active), &w.svc.pushes
	if !watch.suspicious(w.ref, w.deactivated, limit, w.tx.Now()) {
		return nil
	}
	n, err := w.tx.CountPushedDeactivations(w.ref, w.tx.Now().Add(-alarmPeriod), limit+1)
	if err != nil {
		return err
	}
	watch.counted(w.ref, n, w.tx.Now())
	if n <= limit {
		return nil
	}
	due, err := w.tx.ClaimAlert(w.ref, alarmPeriod)
	if err != nil {
		return err
	}
	if !due {
		watch.alarmed(w.ref, w.tx.Now())
		return nil
	}
	w.svc.Observe(EventMassDeactivation, 1)
	return w.raise(n, limit, active)
}

// pushWatch spares leavers the counting of all leavers of the hour. It never says too few for this process: it adds what
// was seen here to what was counted last, also what was rolled back. What other processes do is noticed at the next
// count, watchAge later at most.
type pushWatch struct {
	mu sync.Mutex
	at map[string]watched
}

type watched struct {
	pushed int       // at most so many were deactivated within the period, as far as this process knows
	read   time.Time // when that was counted
	quiet  time.Time // until when nobody need look, because the alarm has been raised
}

// watchAge is how long a count serves.
const watchAge = 30 * time.Second

// suspicious notes that n more were deactivated, and says whether they must be counted.
func (p *pushWatch) suspicious(ref model.Ref, n, limit int, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil || len(p.at) > maxRemembered {
		p.at = map[string]watched{}
	}
	seen := p.at[ref.IntegrationID]
	seen.pushed += n
	p.at[ref.IntegrationID] = seen
	return now.After(seen.quiet) && (seen.pushed > limit || now.Sub(seen.read) > watchAge)
}

func (p *pushWatch) counted(ref model.Ref, n int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[ref.IntegrationID] = watched{pushed: n, read: now}
}

// alarmed notes that a committed alarm stands for this hour already.
func (p *pushWatch) alarmed(ref model.Ref, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[ref.IntegrationID] = watched{read: now, quiet: now.Add(watchAge)}
}

func (w *settlement) raise(n, limit, active int) error {
	err := w.tx.Tell(model.Change{
		OrganizationID: w.ref.OrganizationID, Type: model.IntegrationMassDeactivate, IntegrationID: &w.ref.IntegrationID,
		SubjectType: "integration", SubjectID: w.ref.IntegrationID, Actor: ActorOf(w.ctx),
	}, map[string]any{"deactivated": n, "limit": limit, "active": active, "within": alarmPeriod.String()})
	if err != nil {
		return err
	}
	return w.tx.Log(model.Activity{
		OrganizationID: w.ref.OrganizationID, IntegrationID: &w.ref.IntegrationID, Actor: ActorOf(w.ctx),
		Action: string(model.IntegrationMassDeactivate), SubjectType: "integration", SubjectID: w.ref.IntegrationID,
		Summary: fmt.Sprintf("pushes deactivated more than %d accounts within an hour; a run would have been held", limit),
	}, nil)
}
