package store_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// drawUser fills the columns as directory.Index does.
func drawUser(t *rapid.T, n int) *model.DirectoryUser {
	doc := drawDocument(t, n)
	u := storetest.NewUser(model.Ref{}, doc["userName"].(string))
	u.ID = store.NewID()
	u.Document = model.NewDocument(doc)
	u.ExternalID, _ = doc["externalId"].(string)
	u.DisplayName, _ = doc["displayName"].(string)
	active, said := doc["active"].(bool)
	u.Active, u.Email = active || !said, ""
	if all := elements(doc["emails"]); len(all) > 0 {
		u.Email = text(part(all[0], "value"))
	}
	u.EmailKey = model.Fold(u.Email)
	return u
}

// twins are the same users and groups in an integration of each database.
type twins struct {
	names  []string
	stores []*store.Store
	refs   []model.Ref
	users  []*model.DirectoryUser // in the order of ids
	groups map[string][]any       // of each user
}

func newTwins(t *testing.T) *twins {
	now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	return &twins{
		names: []string{"sqlite", "postgres"},
		stores: []*store.Store{
			storetest.OpenWith(t, store.Options{URL: storetest.SQLiteURL(t), Now: now}),
			storetest.OpenWith(t, store.Options{URL: storetest.PostgresURL(t), Now: now}),
		},
	}
}

// fill makes a new integration with users and groups, and takes the ones before away: groups have the same ids every time.
func (w *twins) fill(t *testing.T, rt *rapid.T) {
	t.Helper()
	w.users, w.groups, w.refs = nil, map[string][]any{}, nil
	for n := range rapid.IntRange(1, 8).Draw(rt, "users") {
		w.users = append(w.users, drawUser(rt, n))
	}
	groups := make([]*model.DirectoryGroup, len(groupIDs()))
	members := make([][]string, len(groups))
	for i, id := range groupIDs() {
		groups[i] = storetest.NewGroup(model.Ref{}, rapid.SampledFrom(hostile()).Draw(rt, "group")+string(rune('0'+i)))
		groups[i].ID = id
		for _, u := range w.users {
			if rapid.IntRange(0, 2).Draw(rt, "member") == 0 {
				members[i] = append(members[i], u.ID)
				w.groups[u.ID] = append(w.groups[u.ID], map[string]any{"value": id, "display": groups[i].DisplayName, "type": "direct"})
			}
		}
	}
	for _, s := range w.stores {
		ref := storetest.Ref(t, s)
		w.refs = append(w.refs, ref)
		storetest.InTx(t, s, func(tx *store.Tx) error {
			for _, table := range []string{"memberships", "directory_groups"} {
				if err := store.ExecForTest(&tx.Reader, "DELETE FROM "+table); err != nil {
					return err
				}
			}
			for _, u := range w.users {
				u.OrganizationID, u.IntegrationID = ref.OrganizationID, ref.IntegrationID
				if err := tx.InsertDirectoryUser(u); err != nil {
					return err
				}
			}
			for i, g := range groups {
				g.OrganizationID, g.IntegrationID = ref.OrganizationID, ref.IntegrationID
				if err := tx.InsertDirectoryGroup(g); err != nil {
					return err
				}
				if _, _, err := tx.AddMembers(ref, g.ID, members[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// matches gives the users that a filter should find, in the order of ids.
func (w *twins) matches(f model.Filter) []*model.DirectoryUser {
	list := []*model.DirectoryUser{}
	for _, u := range w.users {
		if f == nil || newOracle(u, w.groups[u.ID]...).holds(f) {
			list = append(list, u)
		}
	}
	return list
}

func userNames(users []*model.DirectoryUser) []string {
	names := []string{}
	for _, u := range users {
		names = append(names, u.UserName)
	}
	return names
}

// ask gives the names of the users that a database finds.
func (w *twins) ask(t *testing.T, rt *rapid.T, i int, q model.ResourceQuery) ([]model.DirectoryUser, []string, int) {
	t.Helper()
	found, total, err := w.stores[i].Read(t.Context()).Users(w.refs[i], q)
	if err != nil {
		rt.Fatalf("%s: %#v: %v", w.names[i], q, err)
	}
	names := []string{}
	for _, u := range found {
		names = append(names, u.UserName)
	}
	return found, names, total
}

// TestFiltersAgree: for any filter over any documents, both databases answer as the oracle does.
func TestFiltersAgree(t *testing.T) {
	w := newTwins(t)
	rapid.Check(t, func(rt *rapid.T) {
		w.fill(t, rt)
		for range 16 {
			f := drawFilter(rt, 2)
			want := userNames(w.matches(f))
			count := rapid.SampledFrom([]int{100, 3}).Draw(rt, "count") // the default is sent as a prepared statement
			for i := range w.stores {
				_, got, total := w.ask(t, rt, i, model.ResourceQuery{Filter: f, Count: count})
				if !slices.Equal(got, want[:min(count, len(want))]) || total != len(want) {
					rt.Fatalf("%s: %#v\n gives %q of %d, want %q", w.names[i], f, got, total, want)
				}
			}
		}
	})
}
