package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
	"usher/model/store"
)

const (
	// importWait is how long an import waits before it asks Graph again that did not answer.
	importWait = 20 * time.Second
	// importPatience is how long Graph may go without an answer before an import fails. The next one goes on from there.
	importPatience = 30 * time.Minute
	// groupsPerLink is how many groups one delta can be narrowed to (Graph: group delta, $filter).
	groupsPerLink = 50
	// linkAge is how old the link of a delta may be: Graph keeps it for seven days.
	linkAge = 6 * 24 * time.Hour
	// fullAge is how often everything is read anew, since a delta may leave something out.
	fullAge = 7 * 24 * time.Hour
	// binAge is how often deleted users are looked at: a delta does not always tell of one that was restored.
	binAge = 24 * time.Hour
	// mostByID is how many users are read one by one rather than with everybody else of the tenant.
	mostByID = 10_000
	// idsAtOnce is how many users are asked for by id together.
	idsAtOnce = 500
)

// errOvertaken says that another worker has read the same meanwhile; what was read is dropped.
var errOvertaken = errors.New("another worker was faster")

// importRound is one step of the reading of a tenant: at most one call of Graph for a page, and one transaction that stores it together
// with where to go on.
type importRound struct {
	importSource
	tenant   TenantReader
	settings model.IntegrationSettings
	state    model.ImportState
}

// read reads one page.
func (m importSource) read(ctx context.Context, _ model.Run) (bool, error) {
	state, err := m.svc.Store.Read(ctx).ImportState(m.ref)
	if err != nil {
		return false, err
	}
	settings, err := m.svc.Lists(ctx, m.ref)
	if err != nil {
		return false, err
	}
	if err := checkImport(&settings); err != nil {
		return false, err
	}
	tenant, err := m.svc.reader(ctx, m.ref)
	if err != nil {
		return false, err
	}
	r := &importRound{importSource: m, tenant: tenant, settings: settings, state: state}
	done, err := r.step(ctx)
	if errors.Is(err, errOvertaken) {
		return false, nil
	}
	return done, r.inWords(ctx, err)
}

func (r *importRound) step(ctx context.Context) (done bool, err error) {
	switch r.state.Stage {
	case model.ImportIdle:
		return false, r.begin(ctx)
	case model.ImportNames:
		return false, r.names(ctx)
	case model.ImportGroups:
		return false, r.groups(ctx)
	case model.ImportUsers:
		return false, r.users(ctx)
	case model.ImportBin:
		return false, r.bin(ctx)
	case model.ImportCheck:
		return false, r.check(ctx)
	case model.ImportSettle:
		return r.settle(ctx)
	}
	return false, fmt.Errorf("an import is in the unknown stage %q", r.state.Stage)
}

// store stores what a step has read, unless another worker has stored it, or somebody has ended the run or thrown away what was
// read. read says how much of the tenant's came.
func (r *importRound) store(ctx context.Context, read int, fn func(tx *store.Tx, state *model.ImportState) error) error {
	from := 0
	err := r.svc.Store.InTx(ctx, func(tx *store.Tx) error {
		run, err := tx.LockRun(r.ref.OrganizationID, r.run.ID)
		if err != nil {
			return err
		}
		from = run.Progress.Done
		state, err := tx.ImportState(r.ref)
		if err != nil {
			return err
		}
		if run.State != model.RunRunning || run.Phase != model.PhaseRead || state.Step != r.state.Step {
			return errOvertaken
		}
		if err := fn(tx, &state); err != nil {
			return err
		}
		run.Progress.Done += read
		run.Progress.Total = max(run.Progress.Total, run.Progress.Done)
		return errors.Join(tx.PutImportState(&state), tx.UpdateRun(&run))
	})
	if err == nil && grown(from, from+read) {
		err = r.svc.Store.AnalyzeImport(ctx)
	}
	return err
}

// begin begins a round: it decides what is read anew, and what goes on from the links of the last round.
func (r *importRound) begin(ctx context.Context) error {
	return r.store(ctx, 0, func(tx *store.Tx, state *model.ImportState) error {
		now := tx.Now()
		state.Round++
		state.Stage, state.Cursor, state.BegunAt = model.ImportNames, "", &now
		state.UsersNext, state.UsersLater, state.UsersMode, state.UsersMark = "", "", model.ImportUndecided, 0
		old := state.FullAt == nil || now.Sub(*state.FullAt) > fullAge
		if madeFor := r.madeFor(); old || madeFor != state.MadeFor || aged(state.UsersAt, now) {
			state.UsersLink, state.MadeFor = "", madeFor
		}
		links, err := tx.ImportLinks(r.ref)
		if err != nil {
			return err
		}
		for i := range links {
			link := &links[i]
			link.Next, link.Mark = "", 0
			if old || aged(link.LinkedAt, now) {
				link.Link = ""
			}
			if link.Link == "" {
				state.Mark++
				link.Mark = state.Mark
			}
			if err := tx.UpdateImportLink(link); err != nil {
				return err
			}
		}
		return nil
	})
}

func aged(at *time.Time, now time.Time) bool { return at == nil || now.Sub(*at) > linkAge }

// madeFor condenses what of the settings the users are read by: where it changes, they are read anew.
func (r *importRound) madeFor() string {
	scope := model.ScopeGroups
	if r.everyone() {
		scope = model.ScopeEveryone
	}
	return fmt.Sprintf("%s %q", scope, wantedAttributes(&r.settings))
}

func (r *importRound) everyone() bool { return r.settings.Integration.Scope == model.ScopeEveryone }

// names looks up the groups that the settings name by name, so that they have object ids.
func (r *importRound) names(ctx context.Context) error {
	if err := r.svc.lookUpGroups(ctx, r.ref); err != nil {
		return err
	}
	return r.store(ctx, 0, func(tx *store.Tx, state *model.ImportState) error {
		state.Stage = model.ImportGroups
		return r.chooseGroups(tx, state)
	})
}

// inWords says what became of a failure of Graph: the run is put off, or it ends with a sentence that says what to do.
func (r *importRound) inWords(ctx context.Context, err error) error {
	failure, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		return err
	}
	said := failure.Code
	if failure.RequestID != "" {
		said += ", request " + failure.RequestID
	}
	switch failure.Kind {
	case outlook.Throttled:
		return &model.Throttled{After: max(failure.After, time.Second)}
	case outlook.Unavailable, outlook.SyncLost:
		now := r.svc.Now()
		if r.state.MovedAt == nil || now.Sub(*r.state.MovedAt) < importPatience {
			return &model.Throttled{After: max(failure.After, importWait)}
		}
		return r.failed(ctx, "Microsoft Graph has not answered for "+importPatience.String()+" ("+said+"); the next import goes on where this one stopped")
	case outlook.BadCredentials:
		return r.failed(ctx, "Entra refused the credentials of the integration ("+said+"): check client id, secret or certificate, and tenant")
	case outlook.Forbidden:
		return r.failed(ctx, "Microsoft Graph refused to give people and groups ("+said+"): an administrator of the tenant must grant "+
			"User.Read.All and GroupMember.Read.All")
	default:
		return r.failed(ctx, "Microsoft Graph refused a request ("+said+")")
	}
}

// failed tells that the import failed, and gives the sentence to end the run with.
func (r *importRound) failed(ctx context.Context, detail string) error {
	err := r.svc.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Integration(r.ref); err != nil {
			return err
		}
		return tx.Tell(model.Change{
			OrganizationID: r.ref.OrganizationID, Type: model.IntegrationImportFailed, IntegrationID: &r.ref.IntegrationID,
			SubjectType: "integration", SubjectID: r.ref.IntegrationID, Actor: ActorOf(ctx),
		}, map[string]any{"run_id": r.run.ID, "error": detail})
	})
	r.svc.Observe(EventImportFailed, 1)
	return errors.Join(model.Errorf(model.Refused, "%s", detail), err)
}

// ended checks that a page leads on, or ends what it is a page of.
func ended(next, delta, before string) (bool, error) {
	switch {
	case delta != "" && next == "":
		return true, nil
	case next == "" || next == before:
		return false, &outlook.Error{Kind: outlook.Unavailable, Code: "a page of Microsoft Graph leads nowhere"}
	}
	return false, nil
}

// scope gives whom the round takes, as far as it has read groups.
func (r *importRound) scope(reader *store.Reader) (store.ImportScope, error) {
	if r.everyone() {
		return store.ImportScope{Everyone: true}, nil
	}
	view, err := r.view(reader)
	return r.scopeOf(view), err
}

func (r *importRound) scopeOf(view importView) store.ImportScope {
	if r.everyone() {
		return store.ImportScope{Everyone: true}
	}
	return store.ImportScope{GroupIDs: view.reach}
}

// importView is what a round has read of groups.
type importView struct {
	groups  []model.ImportGroup
	edges   []store.ImportEdge
	nesting *nesting
	reach   []string // ids of the groups whose members are in scope
}

func (r *importRound) view(reader *store.Reader) (importView, error) {
	var v importView
	var err error
	if v.groups, err = reader.ImportGroups(r.ref); err != nil {
		return v, err
	}
	if v.edges, err = reader.ImportEdges(r.ref); err != nil {
		return v, err
	}
	wanted, err := r.svc.groupsToRead(reader, r.ref)
	if err != nil {
		return v, err
	}
	chosen := map[string]bool{}
	for _, g := range wanted {
		chosen[g.ExternalID] = g.Chosen && g.ExternalID != ""
	}
	v.nesting = importNesting(v.groups, v.edges, 0, true)
	for i := range v.groups {
		if _, there := v.nesting.groups[v.groups[i].GroupID]; there && chosen[v.groups[i].ObjectID] {
			v.reach = append(v.reach, v.groups[i].GroupID)
		}
	}
	if r.settings.Integration.NestedGroups {
		v.reach = v.nesting.within(v.reach)
	}
	return v, nil
}

// importable gives what a round has read of users, as it is stored.
func (r *importRound) importable(list []entra.User) ([]model.ImportUser, error) {
	wanted := wantedAttributes(&r.settings)
	last := make(map[string]int, len(list)) // by object id: a page may tell of somebody more than once
	users := make([]model.ImportUser, 0, len(list))
	for i := range list {
		u, err := importable(&list[i], wanted)
		if err != nil {
			return nil, err
		}
		if u.ObjectID == "" {
			continue
		}
		if n, ok := last[u.ObjectID]; ok {
			users[n] = u
			continue
		}
		last[u.ObjectID] = len(users)
		users = append(users, u)
	}
	return users, nil
}

// importable gives one user; one that no mirror can hold is nobody.
func importable(u *entra.User, wanted []string) (model.ImportUser, error) {
	id := clean(u.ID)
	switch u.Removed {
	case entra.Changed:
		return model.ImportUser{ObjectID: id, Gone: model.ImportRecycled}, nil
	case entra.Deleted:
		return model.ImportUser{ObjectID: id, Gone: model.ImportDeleted}, nil
	case entra.Kept:
	}
	row := model.DirectoryUser{Document: importedDocument(u, wanted)}
	if err := Index(&row); err != nil {
		if model.KindOf(err) == model.Invalid {
			return model.ImportUser{}, nil
		}
		return model.ImportUser{}, err
	}
	return model.ImportUser{ObjectID: id, UserNameKey: row.UserNameKey, Document: &row.Document}, nil
}
