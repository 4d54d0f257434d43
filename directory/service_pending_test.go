package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
)

// ask changes the members of a group by whatever values name them.
func (w *world) ask(g model.DirectoryGroup, kind model.MemberOpKind, values ...string) {
	w.Helper()
	w.ok(w.tryAsk(g, kind, values...))
}

func (w *world) tryAsk(g model.DirectoryGroup, kind model.MemberOpKind, values ...string) error {
	_, err := w.svc.ChangeGroup(w.ctx, g.Ref(), g.ID, func(*model.DirectoryGroup) ([]model.MemberOp, error) {
		return []model.MemberOp{{Kind: kind, IDs: values}}, nil
	})
	return err
}

// awaits fails the test unless the group remembers exactly these.
func (w *world) awaits(g model.DirectoryGroup, want ...string) {
	w.Helper()
	list, err := w.store.Read(w.ctx).PendingMembersAfter(g.Ref(), g.ID, "", 1000)
	w.ok(err)
	got := []string{}
	for _, m := range list {
		got = append(got, m.Value)
	}
	slices.Sort(want)
	now, err := w.svc.Group(w.ctx, g.Ref(), g.ID)
	w.ok(err)
	if !slices.Equal(got, append([]string{}, want...)) || now.PendingMembers != len(want) {
		w.Fatalf("group %s awaits %q and counts %d, want %q", g.DisplayName, got, now.PendingMembers, want)
	}
}

// holds fails the test unless these are the members of the group.
func (w *world) holds(g model.DirectoryGroup, want ...string) {
	w.Helper()
	all, err := w.svc.Members(w.ctx, g.Ref(), []string{g.ID}, 0)
	w.ok(err)
	got := []string{}
	for _, m := range all[g.ID] {
		got = append(got, m.ID)
	}
	slices.Sort(want)
	if !slices.Equal(got, append([]string{}, want...)) {
		w.Fatalf("group %s has members %v, want %v", g.DisplayName, got, want)
	}
}

// last gives the newest line of the log.
func (w *world) last() string {
	w.Helper()
	log := w.log()
	return log[len(log)-1].Summary
}

func TestServiceMembersToComeJoinWhenTheyArrive(t *testing.T) {
	for name, c := range map[string]struct {
		value  string
		arrive func(w *world) model.DirectoryUser
	}{
		"created, by externalId": {"object-ada", func(w *world) model.DirectoryUser { return w.user(ada) }},
		"created, by userName":   {"ADA@contoso.com", func(w *world) model.DirectoryUser { return w.user(ada) }},
		"given the externalId": {"object-new", func(w *world) model.DirectoryUser {
			return w.patch(w.user(ada), map[string]any{"externalId": "object-new"})
		}},
		"given the userName": {"countess@contoso.com", func(w *world) model.DirectoryUser {
			return w.patch(w.user(ada), map[string]any{"userName": "countess@contoso.com"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.roles("hr", "guest")
				w.mapped("HR=hr")
				g, other := w.group("HR"), w.group("Other")
				before := w.during(func() { w.ask(g, model.MembersAdd, c.value, "nobody") })
				w.wrote(before, "", "directory_group.members_awaited")
				if got := w.last(); got != "2 members of group HR are not known yet" {
					w.Fatalf("the log says %q", got)
				}
				w.ask(other, model.MembersAdd, c.value)
				w.wrote(w.during(func() { w.ask(g, model.MembersAdd, c.value) }), "", "")
				w.awaits(g, c.value, "nobody")
				w.holds(g)
				var u model.DirectoryUser
				e := w.during(func() { u = c.arrive(w) })
				w.awaits(g, "nobody")
				w.awaits(other)
				w.holds(g, u.ID)
				w.holds(other, u.ID)
				w.hasRoles(ada, "hr")
				if types := strings.Join(e.types(), " "); !strings.HasSuffix(types, "membership.added membership.added") {
					w.Fatalf("the feed got %s", types)
				}
				if got := w.last(); !strings.HasSuffix(got, ", whom group Other awaited, is a member of it now") {
					w.Fatalf("the log says %q", got)
				}
				if now, err := w.svc.Group(w.ctx, w.ref, g.ID); err != nil || now.Version != g.Version+1 {
					w.Fatalf("version %d, %v, want the next one after %d", now.Version, err, g.Version)
				}
			})
		})
	}
}

// TestServiceArrivalIsDecidedOnce: an account that arrives into a group gets the group's role when it is made, in every mode.
func TestServiceArrivalIsDecidedOnce(t *testing.T) {
	for _, mode := range []model.RoleSync{model.RoleSyncInitial, model.RoleSyncReconcile, model.RoleSyncMirror} {
		t.Run(string(mode), func(t *testing.T) {
			each(t, func(w *world) {
				w.roles("hr", "guest")
				w.ref = w.integration("Fabrikam", mode, func(i *model.Integration) { i.DefaultRole, i.RequireGroup = "guest", true })
				w.mapped("HR=hr")
				w.ask(w.group("HR"), model.MembersAdd, "object-ada")
				w.wrote(w.during(func() { w.user(ada) }), "account.created directory_user.created membership.added", "account.created directory_group.updated")
				w.hasRoles(ada, "hr")
			})
		})
	}
}

func TestServiceMembersNamedOtherwise(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr")
		w.mapped("HR=hr")
		u := w.user(ada)
		g, inner := w.group("HR"), w.group("Inner")
		w.ask(g, model.MembersAdd, "object-ada", "object-Inner", "object-HR", g.ID)
		w.holds(g, u.ID, inner.ID)
		w.awaits(g)
		w.hasRoles(ada, "hr")
		w.wrote(w.during(func() { w.ask(g, model.MembersReplace, "ADA@contoso.com", inner.ID) }), "", "")
		w.holds(g, u.ID, inner.ID)
		w.ask(g, model.MembersRemove, "object-ada", "nobody")
		w.holds(g, inner.ID)
	})
}

func TestServiceTwoOfOneNameAreNobody(t *testing.T) {
	each(t, func(w *world) {
		g := w.group("HR")
		one := w.user(ada, map[string]any{"externalId": "same"})
		w.user("grace@contoso.com", map[string]any{"externalId": "same"})
		w.ask(g, model.MembersAdd, "same")
		w.user("third@contoso.com", map[string]any{"externalId": "same"})
		w.holds(g)
		w.awaits(g, "same")
		w.ask(g, model.MembersAdd, one.ID)
		w.holds(g, one.ID)
	})
}

func TestServiceMembersToComeAreForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		forget func(w *world, g model.DirectoryGroup)
		left   []string
	}{
		"removed by value": {func(w *world, g model.DirectoryGroup) { w.ask(g, model.MembersRemove, "object-ada") }, []string{"object-grace"}},
		"all removed":      {func(w *world, g model.DirectoryGroup) { w.ask(g, model.MembersReplace) }, nil},
		"replaced": {func(w *world, g model.DirectoryGroup) {
			w.ask(g, model.MembersReplace, "object-grace", "object-edsger")
		}, []string{"object-edsger", "object-grace"}},
		"added and removed in one request": {func(w *world, g model.DirectoryGroup) {
			_, err := w.svc.ChangeGroup(w.ctx, g.Ref(), g.ID, func(*model.DirectoryGroup) ([]model.MemberOp, error) {
				return []model.MemberOp{
					{Kind: model.MembersReplace},
					{Kind: model.MembersAdd, IDs: []string{"object-ada", "object-edsger"}},
					{Kind: model.MembersRemove, IDs: []string{"object-ada"}},
				}, nil
			})
			w.ok(err)
		}, []string{"object-edsger"}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				g := w.group("HR")
				w.ask(g, model.MembersAdd, "object-ada", "object-grace")
				e := w.during(func() { c.forget(w, g) })
				w.wrote(e, "", "directory_group.members_awaited")
				w.awaits(g, c.left...)
				u := w.user(ada)
				w.holds(g)
				w.ask(g, model.MembersAdd, u.ID)
				w.holds(g, u.ID)
			})
		})
	}
}

func TestServiceMembersToComeGoWithTheirGroup(t *testing.T) {
	each(t, func(w *world) {
		g := w.group("HR")
		w.ask(g, model.MembersAdd, "object-ada")
		w.ok(w.svc.DeleteGroup(w.ctx, w.ref, g.ID, nil))
		w.wrote(w.during(func() { w.user(ada) }), "account.created directory_user.created", "account.created")
		var n int
		w.ok(w.store.DB().QueryRowContext(w.ctx, "SELECT count(*) FROM pending_members").Scan(&n))
		if n != 0 {
			w.Fatalf("%d are remembered", n)
		}
	})
}

func TestServiceADeletedUserDoesNotComeBackAsMember(t *testing.T) {
	each(t, func(w *world) {
		g := w.group("HR")
		w.ask(g, model.MembersAdd, "object-ada")
		u := w.user(ada)
		w.holds(g, u.ID)
		w.ok(w.svc.DeleteUser(w.ctx, w.ref, u.ID, nil))
		w.user(ada)
		w.holds(g)
		w.awaits(g)
	})
}

func TestServiceGroupsToComeJoin(t *testing.T) {
	each(t, func(w *world) {
		g := w.group("HR")
		w.ask(g, model.MembersAdd, "object-Inner", "object-Renamed")
		inner := w.group("Inner")
		w.holds(g, inner.ID)
		other := w.group("Other")
		_, err := w.svc.ChangeGroup(w.ctx, w.ref, other.ID, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
			g.Document = model.NewDocument(map[string]any{"displayName": "Other", "externalId": "object-Renamed"})
			return nil, nil
		})
		w.ok(err)
		w.holds(g, inner.ID, other.ID)
		w.awaits(g)
		late, err := w.svc.CreateGroup(w.ctx, w.ref, model.DirectoryGroup{
			Document: model.NewDocument(map[string]any{"displayName": "Late", "externalId": "object-Late"}),
		}, []string{"object-ada", "object-Late", inner.ID})
		w.ok(err)
		w.holds(late, inner.ID)
		w.awaits(late, "object-ada")
		u := w.user(ada)
		w.holds(late, inner.ID, u.ID)
	})
}

func TestServiceMembersToComeStayInTheirIntegration(t *testing.T) {
	each(t, func(w *world) {
		other := w.integration("Fabrikam", model.RoleSyncReconcile)
		g, theirs := w.group("HR"), w.groupIn(other, "HR")
		w.ask(g, model.MembersAdd, "object-ada")
		w.ask(theirs, model.MembersAdd, "object-ada")
		u := w.userIn(other, ada)
		w.holds(g)
		w.awaits(g, "object-ada")
		w.holds(theirs, u.ID)
	})
}

func TestServiceMembersToComeAreBounded(t *testing.T) {
	each(t, func(w *world) {
		const bound, ofAll = 10_000, 100_000
		values := make([]string, bound+3)
		for i := range values {
			values[i] = fmt.Sprintf("object-%05d", i)
		}
		g, other := w.group("HR"), w.group("Other")
		w.ask(g, model.MembersAdd, values...)
		if now, err := w.svc.Group(w.ctx, w.ref, g.ID); err != nil || now.PendingMembers != bound {
			w.Fatalf("%d are remembered, %v", now.PendingMembers, err)
		}
		if got := w.last(); !strings.HasPrefix(got, "10000 members of group HR are not known yet; 3 members of group HR were passed over: at most 10000") {
			w.Fatalf("the log says %q", got)
		}
		w.user("x@contoso.com", map[string]any{"externalId": values[0]})
		w.ask(g, model.MembersAdd, "one more", "and another")
		if got := w.last(); !strings.Contains(got, "1 member of group HR was passed over") {
			w.Fatalf("the log says %q", got)
		}
		_, err := w.store.DB().ExecContext(w.ctx, fmt.Sprintf("UPDATE directory_groups SET pending_members = %d WHERE id = '%s'", ofAll-1, g.ID))
		w.ok(err)
		w.ask(other, model.MembersAdd, "first", "second")
		if got := w.last(); !strings.HasPrefix(got, "1 member of group Other is not known yet; 1 member of group Other was passed over") {
			w.Fatalf("the log says %q", got)
		}
	})
}

func TestServiceMembersThatCannotBeNames(t *testing.T) {
	each(t, func(w *world) {
		g := w.group("HR")
		for name, value := range map[string]string{"empty": "", "long": strings.Repeat("x", 257), "NUL": "a\x00b", "no UTF-8": "\xff"} {
			for _, kind := range []model.MemberOpKind{model.MembersAdd, model.MembersRemove, model.MembersReplace} {
				err := w.tryAsk(g, kind, "object-ada", value)
				w.refused(err, model.Invalid, "members", "at most 256 bytes")
				w.awaits(g)
				if err == nil {
					w.Fatalf("%s was taken", name)
				}
			}
		}
		w.ask(g, model.MembersAdd, strings.Repeat("x", 256), "O'Brien; DROP TABLE", "%_\\", "ünï/\"\n\t")
		u := w.user(ada, map[string]any{"externalId": "ünï/\"\n\t"})
		w.holds(g, u.ID)
	})
}

// TestServiceArrivalRacesWithMembership: users arrive while groups are told of them, by externalId and by userName; whoever
// commits first, each ends as a member of each.
func TestServiceArrivalRacesWithMembership(t *testing.T) {
	each(t, func(w *world) {
		const rounds, groups = 25, 3
		w.roles("hr")
		w.mapped("Group 0=hr")
		var all []model.DirectoryGroup
		for i := range groups {
			all = append(all, w.group(fmt.Sprintf("Group %d", i)))
		}
		for round := range rounds {
			mail := fmt.Sprintf("person%d@contoso.com", round)
			var made model.DirectoryUser
			fns := []func() error{func() (err error) { made, err = w.push(w.ref, mail); return err }}
			for i, g := range all {
				value := []string{mail, fmt.Sprintf("object-person%d", round)}[(i+round)%2]
				fns = append(fns, func() error { return w.tryAsk(g, model.MembersAdd, value, "nobody") })
			}
			w.ok(errors.Join(together(fns...)...))
			for _, g := range all {
				groupsOf, err := w.svc.GroupsOf(w.ctx, w.ref, []string{made.ID}, 0)
				w.ok(err)
				if len(groupsOf[made.ID]) != groups {
					w.Fatalf("round %d: member of %v", round, groupsOf)
				}
				w.awaits(g, "nobody")
			}
			w.hasRoles(mail, "hr")
		}
		if n := len(w.accounts(store.AccountFilter{Role: "hr"})); n != rounds {
			w.Fatalf("%d accounts hold the role", n)
		}
	})
}

// TestServiceManagerToCome: a manager who is not there is kept as it was sent, and nothing waits for it.
func TestServiceManagerToCome(t *testing.T) {
	each(t, func(w *world) {
		const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
		manager := map[string]any{"manager": map[string]any{"value": "object-grace"}}
		u := w.user(ada, map[string]any{enterprise: manager})
		w.user("grace@contoso.com")
		u = w.mirror(w.patch(u, map[string]any{"title": "Countess"}))
		got, _ := u.Document.Attributes()[enterprise].(map[string]any)
		if m, _ := got["manager"].(map[string]any); m["value"] != "object-grace" {
			w.Fatalf("manager %v", got)
		}
	})
}
