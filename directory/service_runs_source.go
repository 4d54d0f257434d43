package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// runPeople is whom a run is about. Everything that is kept between two calls is in the database: each page may be worked by
// another process.
//
// Keys are the ids that the people's directory users have, or will have: a source that brings somebody new decides on the
// id before the plan, and uses the same one in the plan and when it is applied.
type runPeople interface {
	// total counts the people, for the progress.
	total(tx *store.Tx) (int, error)
	// after gives the next page of keys behind the cursor, which is the last key of the page before, or "".
	after(tx *store.Tx, cursor string, limit int) ([]string, error)
	// before is called once, in the transaction that begins the phase plan or apply. A run whose applying went beyond its guard
	// plans again, and may then begin the phase apply for a second time.
	before(ctx context.Context, tx *store.Tx, phase model.RunPhase) error
	// done is called once, in the transaction that ends a run that succeeded. A preview is not applied, and calls discarded. Where
	// an operator applied the run to some people only, it has not worked the others with apply.
	done(ctx context.Context, tx *store.Tx) error
	// discarded is called once, in the transaction that ends a run in any other way.
	discarded(ctx context.Context, tx *store.Tx) error
}

// runSource is people whom the rules decide about, and what is known of them.
type runSource interface {
	runPeople
	// work gives the facts of a page of people, with their rows locked; people that are not there any more are left out. In the
	// facts they are as the run would have them, but for their Version, which is the one in the mirror, 0 where they are not there.
	// With apply the mirror is brought up to date as well: what concerns other rows than the people's own (memberships) at once,
	// the people's own rows by the settlement's keep, which is called with each. What a run brings of one person must not show in
	// the mirror before that person's key was worked with apply: an operator may apply some people only. The transaction of a page
	// may be rolled back and worked again with fewer people.
	work(ctx context.Context, tx *store.Tx, keys []string, apply bool) (*settlement, error)
}

// runReader is a source that is read from outside before there is anything to plan: its runs begin in the phase read.
type runReader interface {
	runSource
	// read reads for a while, outside of any transaction, and says whether it has come to the end. It stores what it read and
	// the run's progress itself, each page in a transaction that locks the run (Tx.LockRun) and makes sure that nobody else has
	// read the same meanwhile: another worker may be at it. It is called again with the run as it stands then. *model.Throttled
	// puts the run off; other errors end or retry it as those of a page do (Service.Work).
	read(ctx context.Context, run model.Run) (done bool, err error)
}

// groupWatcher is a source that notices when a group has vanished, or came back empty, that the settings name. It is asked once,
// when the plan is complete. Any such group is an alarm and holds the run.
type groupWatcher interface {
	missingGroups(ctx context.Context, tx *store.Tx) ([]model.MissingGroup, error)
}

// runSources makes the source of each kind of run; those without one look at the mirror.
func runSources() map[model.RunKind]func(*Service, *model.Run) runSource {
	return map[model.RunKind]func(*Service, *model.Run) runSource{model.RunImport: newImportSource}
}

func (s *Service) sourceOf(run *model.Run) runPeople {
	if source, ok := s.sources[run.Kind]; ok {
		return source(s, run)
	}
	if run.Kind == model.RunUndo {
		return undoing{svc: s, run: run}
	}
	return mirrorSource{svc: s, ref: run.Ref(), supposed: run.Settings}
}

// firstPhase is the phase that a run begins in.
func (s *Service) firstPhase(run *model.Run) model.RunPhase {
	if _, reads := s.sourceOf(run).(runReader); reads {
		return model.PhaseRead
	}
	return model.PhasePlan
}

// mirrorSource is everyone of an integration as the mirror has them: re-evaluations and previews bring nothing new.
type mirrorSource struct {
	svc      *Service
	ref      model.Ref
	supposed *model.PreviewSettings // what a preview supposes the settings to be
}

func (m mirrorSource) total(tx *store.Tx) (int, error) { return tx.CountDirectoryUsers(m.ref) }

func (m mirrorSource) after(tx *store.Tx, cursor string, limit int) ([]string, error) {
	return tx.DirectoryUserIDsAfter(m.ref, cursor, limit)
}

func (m mirrorSource) work(ctx context.Context, tx *store.Tx, keys []string, _ bool) (*settlement, error) {
	if m.supposed == nil {
		return m.svc.lockFacts(ctx, tx, m.ref, keys)
	}
	facts, err := tx.LockFacts(m.ref, keys)
	if err != nil {
		return nil, err
	}
	rules, err := m.svc.supposedRules(tx, m.ref, *m.supposed)
	if err != nil {
		return nil, err
	}
	w := newSettlement(m.svc, ctx, tx, m.ref, rules, facts)
	return w, w.lookAll()
}

func (mirrorSource) before(context.Context, *store.Tx, model.RunPhase) error { return nil }

func (mirrorSource) done(context.Context, *store.Tx) error { return nil }

func (mirrorSource) discarded(context.Context, *store.Tx) error { return nil }
