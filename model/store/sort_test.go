package store_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// sortable are the paths that people can be sorted by, with their types.
func sortable() map[string]model.AttributePath {
	paths := attributes()
	maps.DeleteFunc(paths, func(_ string, p model.AttributePath) bool { return p.Name == "groups" })
	for name, p := range paths {
		switch p.Name {
		case "level":
			p.Type = model.TypeDecimal
		case "hired", "meta":
			p.Type = model.TypeDateTime
		}
		paths[name] = p
	}
	return paths
}

// sortKey gives what a user is sorted by: text, *big.Rat, time.Time or bool; nil where there is nothing.
func (o oracle) sortKey(p model.AttributePath) any {
	values := o.values(p)
	if p.MultiValued {
		list := elements(o.attribute(p))
		i := slices.IndexFunc(list, func(e any) bool {
			object, ok := e.(map[string]any)
			return ok && object["primary"] == true
		})
		if len(list) == 0 {
			return nil
		}
		values = []any{part(list[max(i, 0)], p.Sub)}
	}
	if !isScalar(values[0]) || text(values[0]) == "" {
		return nil
	}
	has := text(values[0])
	switch p.Type {
	case model.TypeDecimal:
		if !plainNumber.MatchString(has) {
			return nil
		}
		r, _ := new(big.Rat).SetString(has)
		return r
	case model.TypeDateTime:
		at, ok := instant(has)
		if !ok {
			return nil
		}
		return at
	default: // what is left is text, and active
	}
	if p.Name == "active" {
		return values[0]
	}
	return fold(has, model.Compare{Path: p})
}

func compareKeys(a, b any) int {
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return map[bool]int{true: 1}[a] - map[bool]int{true: 1}[b.(bool)]
	}
	return a.(*big.Rat).Cmp(b.(*big.Rat))
}

// sorted gives the users in the order that a query should give them in.
func (w *twins) sorted(users []*model.DirectoryUser, by *model.Sort) []*model.DirectoryUser {
	users = slices.Clone(users)
	if by == nil {
		return users
	}
	slices.SortStableFunc(users, func(a, b *model.DirectoryUser) int {
		x, y := newOracle(a).sortKey(by.Path), newOracle(b).sortKey(by.Path)
		order := 0
		switch {
		case x == nil && y == nil:
		case x == nil:
			order = 1
		case y == nil:
			order = -1
		default:
			order = compareKeys(x, y)
		}
		if by.Descending {
			order = -order
		}
		return order
	})
	return users
}

func drawSort(t *rapid.T) *model.Sort {
	if rapid.IntRange(0, 5).Draw(t, "unsorted") == 0 {
		return nil
	}
	paths := sortable()
	path := paths[rapid.SampledFrom(slices.Sorted(maps.Keys(paths))).Draw(t, "sortBy")]
	return &model.Sort{Path: path, Descending: rapid.Bool().Draw(t, "descending")}
}

// TestOrdersAgree: any order of any matches is the same on both databases and that of the oracle, page by page, whether pages
// begin at a number or behind a resource.
func TestOrdersAgree(t *testing.T) {
	w := newTwins(t)
	rapid.Check(t, func(rt *rapid.T) {
		w.fill(t, rt)
		for range 8 {
			q := model.ResourceQuery{Sort: drawSort(rt), Count: rapid.IntRange(1, 4).Draw(rt, "count")}
			if rapid.Bool().Draw(rt, "filtered") {
				q.Filter = drawFilter(rt, 1)
			}
			want := userNames(w.sorted(w.matches(q.Filter), q.Sort))
			for i := range w.stores {
				got := [2][]string{{}, {}}
				for walk := range got {
					q.After, q.StartIndex = "", 1
					for {
						found, names, total := w.ask(t, rt, i, q)
						got[walk] = append(got[walk], names...)
						if total != len(want) {
							rt.Fatalf("%s: %#v\n is %d in all, want %d", w.names[i], q, total, len(want))
						}
						if len(found) == 0 || len(got[walk]) > len(want) {
							break
						}
						if q.StartIndex += len(found); walk == 1 {
							q.After = found[len(found)-1].ID
						}
					}
				}
				if !slices.Equal(got[0], want) || !slices.Equal(got[1], want) {
					by, _ := json.Marshal(q.Sort)
					rt.Fatalf("%s: %s %#v\n gives %q by number and %q by place, want %q", w.names[i], by, q, got[0], got[1], want)
				}
			}
		}
	})
}

func TestOrders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		for i, name := range []string{"bob", "Ada", "ÉVA", "ada2"} {
			u := storetest.NewUser(ref, name+"@contoso.com")
			doc := u.Document.Attributes()
			delete(doc, "displayName")
			if u.DisplayName = ""; name != "ada2" {
				u.DisplayName, doc["displayName"] = name, name
			}
			doc["emails"] = []any{
				map[string]any{"value": fmt.Sprintf("z%d@contoso.com", i)}, map[string]any{"value": fmt.Sprintf("%d@contoso.com", 9-i), "primary": i%2 == 0},
			}
			u.Document = model.NewDocument(doc)
			storetest.InTx(t, s, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
		}
		for _, c := range []struct {
			by         model.AttributePath
			descending bool
			want       string
		}{
			{path("displayName"), false, "Ada bob ÉVA ada2"},
			{path("displayName"), true, "ada2 ÉVA bob Ada"},
			{path("userName"), false, "ada2 Ada bob ÉVA"},
			{path("emails", "value"), false, "ÉVA bob Ada ada2"}, // 7, 9, z1, z3
			{path("active"), true, "bob Ada ÉVA ada2"},           // all alike, so that the id decides
			{path("id"), true, "ada2 ÉVA Ada bob"},
		} {
			users, total, err := s.Read(t.Context()).Users(ref, model.ResourceQuery{Count: 10, Sort: &model.Sort{Path: c.by, Descending: c.descending}})
			got := []string{}
			for _, u := range users {
				got = append(got, strings.TrimSuffix(u.UserName, "@contoso.com"))
			}
			if err != nil || strings.Join(got, " ") != c.want || total != 4 {
				t.Errorf("by %v, descending %v: %q of %d, %v, want %q", c.by, c.descending, got, total, err, c.want)
			}
		}
	})
}

// TestPlaces: a page of an unsorted list begins behind a resource that is gone; that of a sorted one says that it cannot.
func TestPlaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		ids := storetest.Users(t, s, ref, 5)
		stranger := storetest.User(t, s, storetest.Ref(t, s), "stranger@contoso.com")
		var gone model.DirectoryUser
		storetest.InTx(t, s, func(tx *store.Tx) (err error) {
			if gone, err = tx.DirectoryUser(ref, ids[2]); err != nil {
				return err
			}
			return tx.DeleteDirectoryUser(&gone)
		})
		some := model.Compare{Path: path("displayName"), Op: model.OpStartsWith, Value: "user00000"}
		sorted := &model.Sort{Path: path("userName")}
		for _, c := range []struct {
			name string
			q    model.ResourceQuery
			rows int
			kind model.Kind
		}{
			{"all, behind who is gone", model.ResourceQuery{After: gone.ID, Count: 10}, 2, 0},
			{"some, behind who is gone", model.ResourceQuery{After: gone.ID, Count: 10, Filter: some}, 2, 0},
			{"columns, behind who is gone", model.ResourceQuery{After: gone.ID, Count: 1, Filter: cmp(path("userName"), "sw", "user")}, 1, 0},
			{"all, behind the last", model.ResourceQuery{After: ids[4], Count: 10}, 0, 0},
			{"sorted, behind who is there", model.ResourceQuery{After: ids[3], Count: 10, Sort: sorted}, 1, 0},
			{"sorted, behind the last", model.ResourceQuery{After: ids[4], Count: 10, Sort: sorted}, 0, 0},
			{"sorted, behind who does not match any more", model.ResourceQuery{
				After: ids[1], Count: 10, Sort: sorted, Filter: model.Not{Inner: cmp(path("userName"), "co", "000001")},
			}, 2, 0},
			{"sorted, behind who is gone", model.ResourceQuery{After: gone.ID, Count: 10, Sort: sorted}, 0, model.NotFound},
			{"sorted, behind who is of another integration", model.ResourceQuery{After: stranger.ID, Count: 10, Sort: sorted}, 0, model.NotFound},
			{"behind what is no id", model.ResourceQuery{After: "7", Count: 10}, 0, model.Invalid},
		} {
			users, total, err := s.Read(t.Context()).Users(ref, c.q)
			fault, _ := err.(*model.Error) //nolint:errorlint // it is not wrapped
			switch {
			case c.kind != 0:
				if model.KindOf(err) != c.kind || fault == nil || fault.Field != "cursor" {
					t.Errorf("%s: %v, want one of kind %d about the cursor", c.name, err, c.kind)
				}
			case err != nil || len(users) != c.rows || total < c.rows || c.q.Filter == nil && total != 4:
				t.Errorf("%s: %d of %d, %v, want %d", c.name, len(users), total, err, c.rows)
			}
		}
		bySet := model.ResourceQuery{Count: 1, Sort: &model.Sort{Path: path("groups")}}
		if _, _, err := s.Read(t.Context()).Users(ref, bySet); model.KindOf(err) != model.Invalid {
			t.Errorf("sorted by groups: %v, want Invalid", err)
		}
	})
}
