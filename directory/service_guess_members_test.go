package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// briefly changes members as a PATCH does that asks for nothing of the group beforehand.
func (w *world) briefly(id string, kind model.MemberOpKind, ids ...string) (model.DirectoryGroup, error) {
	return w.svc.ChangeMembers(w.ctx, w.ref, id, []model.MemberOp{{Kind: kind, IDs: ids}}, true, func(*model.DirectoryGroup) error { return nil })
}

// toldOfMembers gives what the feed says of members behind a position, as "added User ID name of the group", and the next one.
func (w *world) toldOfMembers(after int64) (told []string, next int64) {
	w.Helper()
	list, next, err := w.store.Changes(w.ctx, w.org, store.ChangeQuery{After: after, Types: []string{"membership.*"}, Limit: 1000})
	w.ok(err)
	for _, c := range list {
		var data struct {
			Group  model.GroupRef `json:"directory_group"`
			Member model.Member   `json:"member"`
		}
		w.ok(json.Unmarshal(c.Data, &data))
		if data.Member.Display != "" {
			w.Errorf("%s tells the name of a member: %s", c.Type, c.Data)
		}
		told = append(told, fmt.Sprintf("%s %s %s %s", c.Type, data.Member.Type, data.Member.ID, data.Group.DisplayName))
	}
	return told, next
}

func (w *world) memberIDs(group string) []string {
	w.Helper()
	list, err := w.svc.Members(w.ctx, w.ref, []string{group}, 0)
	w.ok(err)
	ids := []string{}
	for _, m := range list[group] {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// TestServiceMembersOtherThanGuessed changes members where the store guesses wrongly that each step does what it says: each comes
// after one of which the guess was right, and long after a wrong one.
func TestServiceMembersOtherThanGuessed(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ada, grace, alan := w.user("ada@contoso.com"), w.user("grace@contoso.com"), w.user("alan@contoso.com")
		g, inner := w.group("Staff"), w.group("Inner")
		_, at := w.toldOfMembers(0)
		version := g.Version
		// step wants the change to give the next version, to tell of as much, and to leave these members.
		step := func(what string, kind model.MemberOpKind, ids, told, left []string) {
			w.Helper()
			got, err := w.briefly(g.ID, kind, ids...)
			w.ok(err)
			if len(told) > 0 {
				version++
			}
			now, err := w.svc.Group(w.ctx, w.ref, g.ID)
			w.ok(err)
			if got.Version != version || now.Version != version {
				w.Fatalf("%s: version %d is given, %d is stored, want %d", what, got.Version, now.Version, version)
			}
			var list []string
			list, at = w.toldOfMembers(at)
			slices.Sort(left)
			if !slices.Equal(list, told) || !slices.Equal(w.memberIDs(g.ID), left) {
				w.Fatalf("%s: told of %q, want %q; members %v, want %v", what, list, told, w.memberIDs(g.ID), left)
			}
		}
		primed := func() {
			w.Helper()
			w.clock.move(time.Hour)
			step("a guess that is right", model.MembersAdd, []string{alan.ID}, []string{"membership.added User " + alan.ID + " Staff"}, append(w.memberIDs(g.ID), alan.ID))
			step("another", model.MembersRemove, []string{alan.ID}, []string{"membership.removed User " + alan.ID + " Staff"},
				slices.DeleteFunc(w.memberIDs(g.ID), func(id string) bool { return id == alan.ID }))
		}
		primed()
		step("two people", model.MembersAdd, []string{ada.ID, grace.ID},
			[]string{"membership.added User " + ada.ID + " Staff", "membership.added User " + grace.ID + " Staff"}, []string{ada.ID, grace.ID})
		step("a member again", model.MembersAdd, []string{ada.ID}, nil, []string{ada.ID, grace.ID})
		primed()
		step("one of them new", model.MembersAdd, []string{ada.ID, alan.ID}, []string{"membership.added User " + alan.ID + " Staff"}, []string{ada.ID, grace.ID, alan.ID})
		w.clock.move(time.Hour)
		step("two of them out", model.MembersRemove, []string{alan.ID, grace.ID},
			[]string{"membership.removed User " + grace.ID + " Staff", "membership.removed User " + alan.ID + " Staff"}, []string{ada.ID})
		step("who is out already", model.MembersRemove, []string{grace.ID}, nil, []string{ada.ID})
		primed()
		step("a group", model.MembersAdd, []string{inner.ID}, []string{"membership.added Group " + inner.ID + " Staff"}, []string{ada.ID, inner.ID})
		primed()
		step("a group out", model.MembersRemove, []string{inner.ID}, []string{"membership.removed Group " + inner.ID + " Staff"}, []string{ada.ID})
		primed()
		step("nobody yet", model.MembersAdd, []string{"object-lise"}, nil, []string{ada.ID})
		lise := w.user("lise@contoso.com")
		version++ // as Lise arrived
		_, at = w.toldOfMembers(at)
		step("who has come in by that", model.MembersAdd, []string{lise.ID}, nil, []string{ada.ID, lise.ID})
	})
}

// TestServiceMembersOfGroupsThatAnotherReplicaChanged changes members through one replica of groups that another one has renamed,
// mapped to a role or deleted since: the first knows them as they were.
func TestServiceMembersOfGroupsThatAnotherReplicaChanged(t *testing.T) {
	t.Parallel()
	eachURL(t, func(w *world, url string) {
		other := directory.New(directory.Options{
			Store: storetest.OpenWith(t, store.Options{URL: url, Now: w.clock.Now}), Keys: w.svc.Keys, Now: w.clock.Now,
		})
		w.roles("hr")
		ada, grace := w.user("ada@contoso.com"), w.user("grace@contoso.com")
		g := w.group("Staff")
		_, err := w.briefly(g.ID, model.MembersAdd, ada.ID)
		w.ok(err)

		_, err = other.ChangeGroup(w.ctx, w.ref, g.ID, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
			g.Document = model.NewDocument(map[string]any{"displayName": "Everybody", "externalId": "object-Staff"})
			return nil, nil
		})
		w.ok(err)
		_, at := w.toldOfMembers(0)
		_, err = w.briefly(g.ID, model.MembersAdd, grace.ID)
		w.ok(err)
		told, _ := w.toldOfMembers(at)
		if want := []string{"membership.added User " + grace.ID + " Everybody"}; !slices.Equal(told, want) {
			w.Fatalf("told %q, want %q", told, want)
		}

		w.clock.move(time.Hour)
		_, err = w.briefly(g.ID, model.MembersRemove, grace.ID)
		w.ok(err)
		_, err = other.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{{Group: model.GroupSelector{DisplayName: "Everybody"}, Role: "hr"}}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		_, err = w.briefly(g.ID, model.MembersAdd, grace.ID)
		w.ok(err)
		w.hasRoles("grace@contoso.com", "hr")

		elsewhere := w.integration("Fabrikam", model.RoleSyncReconcile)
		w.clock.move(time.Hour)
		_, err = w.briefly(g.ID, model.MembersRemove, ada.ID)
		w.ok(err)
		_, err = w.svc.ChangeMembers(w.ctx, elsewhere, g.ID, []model.MemberOp{{Kind: model.MembersAdd, IDs: []string{ada.ID}}}, true,
			func(g *model.DirectoryGroup) error {
				w.Errorf("group %s is shown to another integration", g.DisplayName)
				return nil
			})
		if !isNotFound(err) {
			w.Fatalf("a member of another integration's group: %v", err)
		}

		w.ok(other.DeleteGroup(w.ctx, w.ref, g.ID, nil))
		if _, err := w.briefly(g.ID, model.MembersAdd, ada.ID); !isNotFound(err) {
			w.Fatalf("a member of a deleted group: %v", err)
		}
	})
}

// TestServiceMembersAtOnce changes the members of one group from many sides: nothing is lost, told twice or given one version.
func TestServiceMembersAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		const people = 12
		users := make([]model.DirectoryUser, people)
		for i := range users {
			users[i] = w.user(fmt.Sprintf("person%d@contoso.com", i))
		}
		g := w.group("Staff")
		_, at := w.toldOfMembers(0)
		versions := make([]int64, 2*people)
		var changes []func() error
		for i := range 2 * people { // each person twice
			changes = append(changes, func() error {
				got, err := w.briefly(g.ID, model.MembersAdd, users[i%people].ID)
				versions[i] = got.Version
				return err
			})
		}
		w.ok(errors.Join(together(changes...)...))
		told, at := w.toldOfMembers(at)
		now, err := w.svc.Group(w.ctx, w.ref, g.ID)
		w.ok(err)
		slices.Sort(versions)
		distinct := len(slices.Compact(versions))
		if len(told) != people || len(w.memberIDs(g.ID)) != people || now.Version != g.Version+people || distinct < people {
			w.Fatalf("%d people added from two sides each: told %d times, %d members, version %d, %d versions given", people, len(told), len(w.memberIDs(g.ID)), now.Version, distinct)
		}
		w.clock.move(time.Hour)
		for i := range changes {
			changes[i] = func() error { _, err := w.briefly(g.ID, model.MembersRemove, users[i%people].ID); return err }
		}
		w.ok(errors.Join(together(changes...)...))
		if told, _ = w.toldOfMembers(at); len(told) != people || len(w.memberIDs(g.ID)) != 0 {
			w.Fatalf("%d people removed from two sides each: told %d times, %d members left", people, len(told), len(w.memberIDs(g.ID)))
		}
	})
}
