package directory_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

func named(names ...string) []model.GroupSelector {
	var list []model.GroupSelector
	for _, name := range names {
		list = append(list, model.GroupSelector{DisplayName: name})
	}
	return list
}

// objects gives each group without its name.
func objects(list []model.GroupSelector) []string {
	var ids []string
	for _, g := range list {
		ids = append(ids, g.ExternalID)
	}
	return ids
}

func TestChooseGroups(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = contosoGroups()

		stored := must(w, put(w.svc.ChangeChosenGroups))(w.ctx, ref, []model.GroupSelector{{DisplayName: "hr"}, {ExternalID: strings.ToUpper(object(5))}})
		if want := []model.GroupSelector{{ExternalID: object(1), DisplayName: "HR"}, {ExternalID: object(5), DisplayName: "Everybody"}}; !reflect.DeepEqual(stored, want) {
			t.Fatalf("stored %+v, want %+v", stored, want)
		}
		for _, bad := range []struct {
			list         []model.GroupSelector
			field, words string
		}{
			{named("hr", "Nobody"), "[1].display_name", `no group named "Nobody"`},
			{named("Sales"), "[0].display_name", `Entra has 3 groups named "Sales"; name the one that is meant by its external_id: ` + object(2) + " (microsoft365, sales@contoso.com), " + object(3)},
			{[]model.GroupSelector{{ExternalID: object(80)}}, "[0].external_id", "no group with the object id"},
			{[]model.GroupSelector{{ExternalID: "HR"}}, "[0].external_id", `"HR" is not the object id`},
			{[]model.GroupSelector{{ExternalID: object(1)}, {DisplayName: "HR"}}, "[1]", "is the same group as [0]"},
		} {
			_, err := w.svc.ChangeChosenGroups(w.ctx, ref, bad.list, directory.Replacing[model.GroupSelector]())
			w.refused(err, model.Invalid, bad.field, bad.words)
		}
		_, err := w.svc.ChangeChosenGroups(w.ctx, ref, named("Sales"), directory.Replacing[model.GroupSelector]())
		e, ok := errors.AsType[*directory.AmbiguousGroup](err)
		if !ok || len(e.Candidates) != 3 || e.Candidates[0] != (directory.GroupCandidate{ExternalID: object(2), DisplayName: "Sales", Email: "sales@contoso.com", Description: "Nordic", Kind: "microsoft365"}) {
			t.Fatalf("candidates %+v of %v", e, err)
		}

		// What is chosen already is not asked for again; what Graph refuses changes nothing.
		before := tenant.calls["Group"] + tenant.calls["FindGroups"]
		must(w, put(w.svc.ChangeChosenGroups))(w.ctx, ref, stored[:1])
		if n := tenant.calls["Group"] + tenant.calls["FindGroups"]; n != before {
			t.Fatalf("%d look-ups for what is chosen already", n-before)
		}
		tenant.fail = &outlook.Error{Kind: outlook.Forbidden, Status: 403, Code: "Authorization_RequestDenied"}
		if _, err := w.svc.ChangeChosenGroups(w.ctx, ref, named("Berlin"), directory.Replacing[model.GroupSelector]()); outlook.KindOf(err) != outlook.Forbidden {
			t.Fatalf("%v, want what Graph said", err)
		}
		if entry := must2(w, w.svc.Lists)(w.ctx, ref); !slices.Equal(objects(entry.ChosenGroups), []string{object(1)}) {
			t.Fatalf("chosen %+v", entry.ChosenGroups)
		}
	})
}

// must2 is must for functions of two arguments.
func must2[A, B, C any](w *world, fn func(A, B) (C, error)) func(A, B) C {
	return func(a A, b B) C {
		w.Helper()
		c, err := fn(a, b)
		w.ok(err)
		return c
	}
}

// TestChooseGroupsWithoutAccess keeps names as they are where the tenant cannot be asked, and looks for them before an import.
func TestChooseGroupsWithoutAccess(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = contosoGroups()
		tenants := w.svc.Tenants
		w.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) {
			return nil, model.FieldErrorf(model.Refused, "graph.client_id", "no application id")
		}
		if got := must(w, put(w.svc.ChangeChosenGroups))(w.ctx, ref, named("hr", "Sales", "Gone")); !reflect.DeepEqual(got, named("hr", "Sales", "Gone")) {
			t.Fatalf("stored %+v", got)
		}
		w.refused(directory.LookUpGroups(w.ctx, w.svc, ref), model.Refused, "graph.client_id", "no application id")
		uses := must(w, directory.GroupsToRead)(w.ctx, w.svc, ref)
		if len(uses) != 3 || uses[1].ExternalID != "" || !strings.Contains(uses[1].Unfound, `"hr" was not looked for in Entra yet`) {
			t.Fatalf("%+v", uses)
		}

		w.svc.Tenants = tenants
		w.ok(directory.LookUpGroups(w.ctx, w.svc, ref))
		want := []directory.GroupUse{
			{Name: "Gone", Chosen: true, Unfound: `Entra has no group named "Gone"`},
			{Name: "Sales", Chosen: true, Unfound: `Entra has 3 groups named "Sales"; name the one that is meant by its external_id`},
			{ExternalID: object(1), Name: "hr", Chosen: true},
		}
		if got := must(w, directory.GroupsToRead)(w.ctx, w.svc, ref); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}
		w.svc.Tenants = nil
		_, err := w.svc.EntraUsers(w.ctx, ref, "", false, "", 1)
		w.refused(err, model.Refused, "", "this process has no access to Microsoft Graph")
	})
}

func TestGroupsToRead(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = contosoGroups()
		w.roles("hr")
		must(w, put(w.svc.ChangeChosenGroups))(w.ctx, ref, named("HR"))
		must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, []model.GroupSelector{{ExternalID: object(5)}})
		w.mappedIn(ref, "hr=hr", "Berlin=hr", "Everybody=hr")
		w.ok(directory.LookUpGroups(w.ctx, w.svc, ref))
		want := []directory.GroupUse{
			{ExternalID: object(1), Name: "HR", Chosen: true, Mapped: true},
			{ExternalID: object(5), Name: "Everybody", Mapped: true, List: true},
			{ExternalID: object(7), Name: "Berlin", Mapped: true},
		}
		if got := must(w, directory.GroupsToRead)(w.ctx, w.svc, ref); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}

		// Somebody makes another group of the name: while the mirror knows the first one by it, the name means that one.
		berlin, err := w.svc.CreateGroup(w.ctx, ref, model.DirectoryGroup{
			Document: model.NewDocument(map[string]any{"displayName": "Berlin", "externalId": object(7)}),
		}, nil)
		w.ok(err)
		tenant.groups = append(tenant.groups, entraid.Group{ID: object(8), DisplayName: "Berlin"})
		w.ok(directory.LookUpGroups(w.ctx, w.svc, ref))
		if got := must(w, directory.GroupsToRead)(w.ctx, w.svc, ref); got[2].ExternalID != object(7) {
			t.Fatalf("%+v", got)
		}
		// The first one gets another name: then the name means the one that has it.
		_, err = w.svc.ChangeGroup(w.ctx, ref, berlin.ID, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
			g.Document = model.NewDocument(map[string]any{"displayName": "Berlin (old)", "externalId": object(7)})
			return nil, nil
		})
		w.ok(err)
		tenant.groups[6].DisplayName = "Berlin (old)"
		w.ok(directory.LookUpGroups(w.ctx, w.svc, ref))
		if got := must(w, directory.GroupsToRead)(w.ctx, w.svc, ref); got[2].ExternalID != object(8) {
			t.Fatalf("%+v", got)
		}
		// Names that nothing asks for any more are forgotten.
		w.mappedIn(ref)
		w.ok(directory.LookUpGroups(w.ctx, w.svc, ref))
		if names, err := w.store.Read(w.ctx).GroupNames(ref); err != nil || len(names) != 0 {
			t.Fatalf("%+v, %v", names, err)
		}
		_, err = directory.GroupsToRead(w.ctx, w.svc, model.Ref{OrganizationID: w.org, IntegrationID: w.org})
		w.refused(err, model.NotFound, "", "not found")
	})
}

func TestChooseGroupsByFile(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = contosoGroups()
		must(w, put(w.svc.ChangeChosenGroups))(w.ctx, ref, named("HR"))
		file := "\ufeffhr\r\n\r\n\"Engineers, all\"\r\nSales\r\nNobody\r\nEngineers, all\r\n" + object(4) + "\r\nHR\r\n"
		choose := func(file string, dry bool) directory.GroupFile {
			w.Helper()
			out, err := w.svc.ChooseGroups(w.ctx, ref, strings.NewReader(file), dry)
			w.ok(err)
			return out
		}
		for _, dry := range []bool{true, false} {
			out := choose(file, dry)
			var problems []string
			for _, p := range out.Problems {
				problems = append(problems, p.Name+": "+p.Detail)
			}
			slices.Sort(problems)
			if out.Lines != 7 || out.Unchanged != 1 || len(out.Added) != 2 || out.Added[0].ExternalID != object(6) || out.Added[1].ExternalID != object(4) || len(problems) != 4 ||
				!strings.Contains(problems[0], "has 2 fields") || !strings.Contains(problems[1], "is the same group as line 1") ||
				!strings.Contains(problems[2], "no group named") || !strings.Contains(problems[3], "3 groups named") {
				t.Fatalf("dry %v: %+v, %q", dry, out, problems)
			}
			i := slices.IndexFunc(out.Problems, func(p directory.GroupProblem) bool { return p.Name == "Sales" })
			if p := out.Problems[i]; p.Line != 4 || len(p.Candidates) != 3 {
				t.Fatalf("%+v", p)
			}
			want := []string{object(1)}
			if !dry {
				want = []string{object(1), object(6), object(4)}
			}
			if entry := must2(w, w.svc.Lists)(w.ctx, ref); !slices.Equal(objects(entry.ChosenGroups), want) {
				t.Fatalf("dry %v: chosen %+v", dry, entry.ChosenGroups)
			}
		}
		if out := choose(file, false); len(out.Added) != 0 || out.Unchanged != 3 {
			t.Fatalf("again: %+v", out)
		}
		_, err := w.svc.ChooseGroups(w.ctx, ref, strings.NewReader("HR\n\"Sales\n"), false)
		w.refused(err, model.Invalid, "lines[2]", "is not CSV")
		_, err = w.svc.ChooseGroups(w.ctx, ref, strings.NewReader("\xff\xfe"), false)
		w.refused(err, model.Invalid, "lines[1]", "is not UTF-8")
		_, err = w.svc.ChooseGroups(w.ctx, ref, strings.NewReader(strings.Repeat("HR\n", 1001)), false)
		w.refused(err, model.TooLarge, "", "at most 1000 groups")
		_, err = w.svc.ChooseGroups(w.ctx, w.ref, strings.NewReader("HR\n"), false)
		w.refused(err, model.Refused, "", "ingress scim")
	})
}

func TestAvailableGroups(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = contosoGroups()
		must(w, put(w.svc.ChangeChosenGroups))(w.ctx, ref, named("HR"))
		must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, []model.GroupSelector{{ExternalID: object(5)}})
		var seen []string
		for after := ""; ; {
			page, err := w.svc.AvailableGroups(w.ctx, ref, "", false, after, 3)
			w.ok(err)
			if len(page.Data) > 3 {
				t.Fatalf("%d entries", len(page.Data))
			}
			for _, g := range page.Data {
				seen = append(seen, g.ExternalID)
				if g.Chosen != (g.ExternalID == object(1)) || g.List != (g.ExternalID == object(5)) || g.CanBeList != (g.Email != "") ||
					g.Dynamic != (g.ExternalID == object(6)) {
					t.Fatalf("%+v", g)
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if want := []string{object(1), object(2), object(3), object(4), object(5), object(6), object(7)}; !slices.Equal(seen, want) {
			t.Fatalf("seen %v", seen)
		}
		page, err := w.svc.AvailableGroups(w.ctx, ref, "sal", true, "", 10)
		if err != nil || len(page.Data) != 2 || page.Next != "" {
			t.Fatalf("%+v, %v", page, err)
		}
		w.clock.move(time.Second)
	})
}
