package directory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"usher/model"
)

// memberNames gives what the members of a group are called.
func (w *world) memberNames(group string) []string {
	w.Helper()
	list, err := w.svc.Members(w.ctx, w.ref, []string{group}, 0)
	w.ok(err)
	names := []string{}
	for _, m := range list[group] {
		names = append(names, m.Display)
	}
	slices.Sort(names)
	return names
}

// TestServiceMembersHaveTheirNames has members come into a group in every way, and renames them.
func TestServiceMembersHaveTheirNames(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.user("ada@contoso.com", map[string]any{"displayName": "Ada"})
		brief := w.user("brief@contoso.com", map[string]any{"displayName": "Brief"})
		inner := w.group("Inner")
		g := w.group("Staff")
		want := func(names ...string) {
			w.Helper()
			if got := w.memberNames(g.ID); !slices.Equal(got, names) {
				w.Fatalf("names %q, want %q", got, names)
			}
		}
		_, err := w.briefly(g.ID, model.MembersAdd, brief.ID)
		w.ok(err)
		_, err = w.briefly(g.ID, model.MembersAdd, inner.ID, "object-lise", "object-Later")
		w.ok(err)
		want("Brief", "Inner")
		w.user("lise@contoso.com", map[string]any{"displayName": "Lise"})
		later := w.group("Later")
		want("Brief", "Inner", "Later", "Lise")

		told, at := w.toldOfMembers(0)
		if len(told) != 4 {
			w.Fatalf("told %q, want of four members", told)
		}
		w.patch(brief, map[string]any{"displayName": "Short"})
		w.rename(later, "Sooner")
		want("Inner", "Lise", "Short", "Sooner")
		if told, _ := w.toldOfMembers(at); len(told) > 0 {
			w.Fatalf("told %q of members who have another name", told)
		}
		w.patch(brief, map[string]any{"displayName": nil})
		want("", "Inner", "Lise", "Sooner")
	})
}

// TestServiceMembersRenamedAtOnce renames people while they come and go, in a group that gives a role and in another one.
func TestServiceMembersRenamedAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.roles("hr")
		w.mapped("HR=hr")
		groups := []model.DirectoryGroup{w.group("HR"), w.group("Staff")}
		var work []func() error
		for i := range 8 {
			u := w.user(fmt.Sprintf("person%d@contoso.com", i))
			for n := range 6 {
				work = append(work, func() error {
					_, err := w.svc.ChangeUser(w.ctx, w.ref, u.ID, func(u *model.DirectoryUser) error {
						u.Document = model.NewDocument(attributes(u.UserName, map[string]any{"displayName": fmt.Sprintf("Name %d of %d", n, i)}))
						return nil
					})
					return err
				})
				for _, g := range groups {
					work = append(work, func() error {
						_, err := w.briefly(g.ID, []model.MemberOpKind{model.MembersAdd, model.MembersRemove}[n%2], u.ID)
						return err
					})
				}
			}
		}
		rand.Shuffle(len(work), func(i, j int) { work[i], work[j] = work[j], work[i] })
		for _, err := range together(work...) {
			w.ok(err)
		}
		for _, g := range groups {
			list, err := w.svc.Members(w.ctx, w.ref, []string{g.ID}, 0)
			w.ok(err)
			for _, m := range list[g.ID] {
				if u, err := w.svc.User(w.ctx, w.ref, m.ID); err != nil || m.Display != u.DisplayName {
					w.Errorf("%s is called %q in %s, %v", u.DisplayName, m.Display, g.DisplayName, err)
				}
			}
		}
	})
}
