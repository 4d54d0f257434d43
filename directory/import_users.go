package directory

import (
	"context"
	"errors"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// users reads a page of users, once it is decided how.
func (r *importRound) users(ctx context.Context) error {
	scope, err := r.scope(r.svc.Store.Read(ctx))
	if err != nil {
		return err
	}
	switch r.state.UsersMode {
	case model.ImportUndecided:
		return r.decide(ctx, scope)
	case model.ImportByID:
		return r.usersByID(ctx, scope)
	case model.ImportChanges, model.ImportAll:
	}
	return r.usersDelta(ctx, scope)
}

// decide chooses: what has changed, where there is a link; everybody of the tenant, where everybody or many are in scope; else those in
// scope one by one, with a link that leads from now on.
func (r *importRound) decide(ctx context.Context, scope store.ImportScope) error {
	mode, later := model.ImportChanges, ""
	if r.state.UsersLink == "" {
		few, err := r.fewInScope(ctx, scope)
		if err != nil {
			return err
		}
		mode = model.ImportAll
		if few {
			mode = model.ImportByID
			if later, err = r.fromNowOn(ctx); err != nil {
				return err
			}
		}
	}
	return r.store(ctx, 0, func(tx *store.Tx, state *model.ImportState) error {
		state.UsersMode, state.UsersLater, state.UsersNext, state.Cursor = mode, later, "", ""
		if mode != model.ImportChanges {
			state.Mark++
			state.UsersMark = state.Mark
		}
		if later != "" {
			state.UsersAt = new(tx.Now())
		}
		return nil
	})
}

func (r *importRound) fewInScope(ctx context.Context, scope store.ImportScope) (bool, error) {
	if scope.Everyone {
		return false, nil
	}
	read := r.svc.Store.Read(ctx)
	known, err := read.CountDirectoryUsers(r.ref)
	if err != nil || known > mostByID {
		return false, err
	}
	n, err := read.CountInScope(r.ref, scope, mostByID+1)
	return n+known <= mostByID, err
}

// fromNowOn gives a link to what will change of users. It is taken before they are read, so that nothing is missed.
func (r *importRound) fromNowOn(ctx context.Context) (string, error) {
	link := LinkLatest
	for range 10 {
		page, err := r.tenant.UsersDelta(ctx, link, r.extensions())
		if err != nil {
			return "", err
		}
		over, err := ended(page.Next, page.Delta, link)
		if err != nil {
			return "", err
		}
		if over {
			return page.Delta, nil
		}
		link = page.Next
	}
	return "", &outlook.Error{Kind: outlook.Unavailable, Code: "Microsoft Graph gave no link to changes from now on"}
}

func (r *importRound) extensions() []string {
	return directoryExtensions(wantedAttributes(&r.settings))
}

func (r *importRound) usersDelta(ctx context.Context, scope store.ImportScope) error {
	from := r.state.UsersNext
	if from == "" && r.state.UsersMode == model.ImportChanges {
		from = r.state.UsersLink
	}
	page, err := r.tenant.UsersDelta(ctx, from, r.extensions())
	if outlook.KindOf(err) == outlook.SyncLost && from != "" {
		return r.store(ctx, 0, func(_ *store.Tx, state *model.ImportState) error { return usersAnew(state) })
	}
	if err != nil {
		return err
	}
	over, err := ended(page.Next, page.Delta, from)
	if err != nil {
		return err
	}
	if r.state.UsersMode == model.ImportChanges {
		if err := r.managersOf(ctx, page.Users); err != nil {
			return err
		}
	}
	list, err := r.importable(page.Users)
	if err != nil {
		return err
	}
	return r.store(ctx, len(list), func(tx *store.Tx, state *model.ImportState) error {
		if err := tx.StageUsers(r.ref, state.UsersMark, scope, list); err != nil {
			return err
		}
		state.UsersNext = page.Next
		if over {
			state.UsersLink, state.UsersNext, state.UsersAt = page.Delta, "", new(tx.Now())
			r.afterUsers(state, tx.Now())
		}
		return nil
	})
}

// usersAnew has users read from the beginning.
func usersAnew(state *model.ImportState) error {
	state.Stage, state.Cursor = model.ImportUsers, ""
	state.UsersLink, state.UsersNext, state.UsersLater, state.UsersMode, state.UsersMark = "", "", "", model.ImportUndecided, 0
	return nil
}

// afterUsers goes on to the deleted users, where it is time to look at them or everybody was read, else to the checks.
func (r *importRound) afterUsers(state *model.ImportState, now time.Time) {
	state.Stage, state.Cursor = model.ImportCheck, ""
	if state.UsersMode != model.ImportChanges || state.BinAt == nil || now.Sub(*state.BinAt) > binAge {
		state.Stage = model.ImportBin
	}
}

// usersByID reads a page of those who are in scope, or in the mirror.
func (r *importRound) usersByID(ctx context.Context, scope store.ImportScope) error {
	ids, err := r.svc.Store.Read(ctx).KnownAfter(r.ref, scope, r.state.Cursor, idsAtOnce)
	if err != nil {
		return err
	}
	found, _, err := r.byID(ctx, ids)
	if err != nil {
		return err
	}
	return r.store(ctx, len(ids), func(tx *store.Tx, state *model.ImportState) error {
		if err := tx.StageUsers(r.ref, state.UsersMark, scope, found); err != nil {
			return err
		}
		if len(ids) == idsAtOnce {
			state.Cursor = ids[len(ids)-1]
			return nil
		}
		state.UsersLink, state.UsersLater = state.UsersLater, ""
		r.afterUsers(state, tx.Now())
		return nil
	})
}

// byID reads users by id, and says who is not there.
func (r *importRound) byID(ctx context.Context, ids []string) (found []model.ImportUser, absent []string, err error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	users, err := r.tenant.UsersByID(ctx, ids, r.extensions())
	if err != nil {
		return nil, nil, err
	}
	if found, err = r.importable(users); err != nil {
		return nil, nil, err
	}
	there := make(map[string]bool, len(found))
	for i := range found {
		there[found[i].ObjectID] = true
	}
	for _, id := range ids {
		if !there[id] {
			absent = append(absent, id)
		}
	}
	return found, absent, nil
}

// bin reads a page of the deleted users: a delta does not tell of every one who was deleted or restored.
func (r *importRound) bin(ctx context.Context) error {
	page, err := r.tenant.DeletedUsers(ctx, r.state.Cursor)
	if err != nil {
		return err
	}
	if page.Next != "" && page.Next == r.state.Cursor {
		return &outlook.Error{Kind: outlook.Unavailable, Code: "a page of deleted users leads nowhere"}
	}
	ids := make([]string, 0, len(page.Users))
	for i := range page.Users {
		ids = append(ids, clean(page.Users[i].ID))
	}
	return r.store(ctx, len(ids), func(tx *store.Tx, state *model.ImportState) error {
		tx.StageRecycled(r.ref, state.UsersMark, distinct(ids))
		if state.Cursor = page.Next; page.Next == "" {
			state.Stage, state.BinAt = model.ImportCheck, new(tx.Now())
		}
		return nil
	})
}

// The parts of the checks, which are the beginnings of the cursor.
const (
	checkMissing  = "m" // members in scope that no delta has told of
	checkDoubtful = "d"
)

// check reads users by id that a delta cannot tell of: people who were there before they came into scope, and those of whom the round
// knows that something is wrong.
func (r *importRound) check(ctx context.Context) error {
	read := r.svc.Store.Read(ctx)
	view, err := r.view(read)
	if err != nil {
		return err
	}
	scope := r.scopeOf(view)
	part, after := checkMissing, ""
	if r.state.Cursor != "" {
		part, after = r.state.Cursor[:1], r.state.Cursor[1:]
	}
	var ids []string
	if part == checkDoubtful {
		ids, err = read.DoubtfulAfter(r.ref, r.binWasRead(), after, idsAtOnce)
	} else if r.lookForMissing(view, after) {
		if after == "" && r.state.UsersMode == model.ImportChanges {
			// So many are read faster together with everybody else.
			if n, err := read.CountMissing(r.ref, scope, mostByID+1); err != nil || n > mostByID {
				return errors.Join(err, r.store(ctx, 0, func(_ *store.Tx, state *model.ImportState) error { return usersAnew(state) }))
			}
		}
		ids, err = read.MissingAfter(r.ref, scope, after, idsAtOnce)
	}
	if err != nil {
		return err
	}
	found, absent, err := r.byID(ctx, ids)
	if err != nil {
		return err
	}
	return r.store(ctx, len(ids), func(tx *store.Tx, state *model.ImportState) error {
		if len(ids) > 0 {
			if err := tx.StageUsers(r.ref, state.UsersMark, scope, found); err != nil {
				return err
			}
			tx.ConfirmUsers(r.ref, state.UsersMark, ids, absent)
		}
		checked(state, part, after, ids, len(absent))
		return nil
	})
}

// checked goes on to the next page, the next part or the next stage.
func checked(state *model.ImportState, part, after string, ids []string, absent int) {
	if part == checkMissing {
		if after == "" {
			state.Absent = 0
		}
		state.Absent += absent
	}
	switch {
	case len(ids) == idsAtOnce:
		state.Cursor = part + ids[len(ids)-1]
	case part == checkMissing:
		state.Cursor = checkDoubtful
	default:
		state.Stage, state.Cursor = model.ImportSettle, ""
	}
}

// lookForMissing says whether there can be people in scope whom nobody has told of: when members or the groups that count have
// changed, or somebody could not be read before.
func (r *importRound) lookForMissing(view importView, after string) bool {
	return !r.everyone() && (after != "" || r.state.Absent > 0 || r.state.UsersMode != model.ImportChanges ||
		r.state.Reach != condensed(view.reach) || len(r.touched(view)) > 0)
}

func (r *importRound) binWasRead() bool {
	return r.state.BinAt != nil && r.state.BegunAt != nil && !r.state.BinAt.Before(*r.state.BegunAt)
}
