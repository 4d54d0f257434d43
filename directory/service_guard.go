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
	active, limit, many, err := w.tooMany(integration.Integration.Guard)
	if err != nil || !many {
		return err
	}
	due, err := w.tx.ClaimAlert(w.ref, alarmPeriod)
	if err != nil {
		return err
	}
	if !due {
		w.svc.pushes.alarmed(w.ref, w.tx.Now())
		return nil
	}
	w.svc.Observe(EventMassDeactivation, 1)
	return w.raise(limit, active)
}

// tooMany says whether the pushes of the last hour have deactivated more than the guard allows, and of how many active accounts
// that is the limit. To ask the database how many are active is the dearest, as an integration may have everybody: so it is asked
// only whether there are enough for what was pushed, and as long as there are, for twice as much.
func (w *settlement) tooMany(guard model.Guard) (active, limit int, many bool, err error) {
	watch, now := &w.svc.pushes, w.tx.Now()
	seen := watch.note(w.ref, w.deactivated, now)
	count := func(most int) (bool, error) {
		n, err := w.tx.CountPushedDeactivations(w.ref, now.Add(-alarmPeriod), most+1)
		if err == nil && n <= most {
			watch.counted(w.ref, n, now)
		}
		return n > most, err
	}
	if seen.alarmed || seen.fresh && seen.pushed <= guard.Minimum {
		return 0, 0, false, nil
	}
	all := false
	if seen.fresh {
		active, all, err = w.svc.active.enough(w.tx, w.ref, guard, seen.pushed)
		if err != nil || !all || seen.pushed <= guard.Limit(active) {
			return 0, 0, false, err
		}
	}
	for most := guard.Minimum; !all; most = 2*most + 1 {
		if many, err = count(most); err != nil || !many {
			return 0, 0, false, err
		}
		if active, all, err = w.svc.active.enough(w.tx, w.ref, guard, 2*most+1); err != nil {
			return 0, 0, false, err
		}
	}
	limit = guard.Limit(active)
	many, err = count(limit)
	return active, limit, many, err
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

// sighting is what the watch knows when another deactivation comes.
type sighting struct {
	pushed  int  // at most so many in the hour, this one counted, while fresh
	fresh   bool // they were counted so shortly ago that other processes need not be asked
	alarmed bool // the alarm has been raised, and nobody need look
}

// note takes down that n more were deactivated.
func (p *pushWatch) note(ref model.Ref, n int, now time.Time) sighting {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil || len(p.at) > maxRemembered {
		p.at = map[string]watched{}
	}
	seen := p.at[ref.IntegrationID]
	seen.pushed += n
	p.at[ref.IntegrationID] = seen
	return sighting{pushed: seen.pushed, fresh: now.Sub(seen.read) <= watchAge, alarmed: !now.After(seen.quiet)}
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

func (w *settlement) raise(limit, active int) error {
	err := w.tx.Tell(model.Change{
		OrganizationID: w.ref.OrganizationID, Type: model.IntegrationMassDeactivate, IntegrationID: &w.ref.IntegrationID,
		SubjectType: "integration", SubjectID: w.ref.IntegrationID, Actor: ActorOf(w.ctx),
	}, map[string]any{"deactivated": limit + 1, "limit": limit, "active": active, "within": alarmPeriod.String()})
	if err != nil {
		return err
	}
	return w.tx.Log(model.Activity{
		OrganizationID: w.ref.OrganizationID, IntegrationID: &w.ref.IntegrationID, Actor: ActorOf(w.ctx),
		Action: string(model.IntegrationMassDeactivate), SubjectType: "integration", SubjectID: w.ref.IntegrationID,
		Summary: fmt.Sprintf("pushes deactivated more than %d accounts within an hour; a run would have been held", limit),
	}, nil)
}
