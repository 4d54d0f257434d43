package directory_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/store"
)

// imported makes a group of the mirror under the object id that the tenant has for it, as an import would.
func (w *world) imported(ref model.Ref, id, name string, members ...string) model.DirectoryGroup {
	w.Helper()
	doc := model.NewDocument(map[string]any{"displayName": name, "externalId": id})
	g, err := w.svc.CreateGroup(w.ctx, ref, model.DirectoryGroup{Document: doc}, members)
	w.ok(err)
	return g
}

func (w *world) lists(ref model.Ref) []model.List {
	w.Helper()
	return must2(w, w.svc.DistributionLists)(w.ctx, ref)
}

func TestDistributionLists(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = contosoGroups()
		e := w.during(func() {
			got := must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, []model.GroupSelector{{DisplayName: "everybody"}, {ExternalID: strings.ToUpper(object(2))}})
			if len(got) != 2 || got[0].ExternalID != object(2) || got[0].Kind != model.ListMicrosoft365 || got[0].Email != "sales@contoso.com" || got[0].State != model.ListPending ||
				got[1].DisplayName != "Everybody" || got[1].Kind != model.ListDistribution {
				t.Fatalf("%+v", got)
			}
		})
		w.wrote(e, "list.created list.created", "list.created list.created")

		for _, bad := range []struct {
			list         []model.GroupSelector
			field, words string
		}{
			{named("HR"), "[0].display_name", `group "HR" has no mailbox or address`},
			{[]model.GroupSelector{{ExternalID: object(1)}}, "[0].external_id", "has no mailbox or address"},
			{named("Everybody", "Sales"), "[1].display_name", `Entra has 2 groups named "Sales"`},
			{[]model.GroupSelector{{ExternalID: object(5)}, {DisplayName: "Everybody"}}, "[1]", "stands in the list already"},
			{named("Everybody", "everyBody"), "[1]", "is the same group as [0]"},
			{named("Nobody"), "[0].display_name", "no group named"},
		} {
			_, err := w.svc.ChangeDistributionLists(w.ctx, ref, bad.list, directory.Replacing[model.GroupSelector]())
			w.refused(err, model.Invalid, bad.field, bad.words)
		}
		_, err := w.svc.ChangeDistributionLists(w.ctx, w.ref, named("Everybody"), directory.Replacing[model.GroupSelector]())
		w.refused(err, model.Refused, "", "ingress scim")

		before := w.lists(ref)
		e = w.during(func() {
			got := must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, []model.GroupSelector{{DisplayName: "everybody"}, {ExternalID: object(3)}})
			if len(got) != 2 || got[1].ID != before[1].ID || got[0].Kind != model.ListMailSecurity {
				t.Fatalf("%+v", got)
			}
		})
		w.wrote(e, "list.deleted list.created", "list.deleted list.created")
		w.wrote(w.during(func() { must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, named("Everybody", "nothing")[:1]) }), "list.deleted", "list.deleted")
		w.wrote(w.during(func() { must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, named("Everybody")) }), "", "")

		add := func(file string, dry bool) directory.GroupFile {
			w.Helper()
			out, err := w.svc.AddDistributionLists(w.ctx, ref, strings.NewReader(file), dry)
			w.ok(err)
			return out
		}
		file := "Everybody\nSales\nHR\n" + object(2) + "\n"
		for _, dry := range []bool{true, false} {
			out := add(file, dry)
			if len(out.Added) != 1 || out.Added[0].ExternalID != object(2) || out.Unchanged != 1 || len(out.Problems) != 2 ||
				len(out.Problems[0].Candidates) != 2 || !strings.Contains(out.Problems[1].Detail, "no mailbox or address") {
				t.Fatalf("%+v", out)
			}
		}
		if got := w.lists(ref); len(got) != 2 {
			t.Fatalf("%+v", got)
		}
		w.wrote(w.during(func() { w.ok(w.svc.DeleteIntegration(w.ctx, ref)) }),
			"list.deleted list.deleted integration.removed", "list.deleted list.deleted integration.removed")
		if all, err := w.store.Read(w.ctx).ListsAfter(w.org, store.ListFilter{}, "", 10); err != nil || len(all) != 0 {
			t.Fatalf("%+v, %v", all, err)
		}
	})
}

// TestSettleLists follows a list from its first import to its group's end.
func TestSettleLists(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls(func(i *model.Integration) { i.Scope = model.ScopeEveryone })
		tenant.groups = contosoGroups()
		must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, []model.GroupSelector{{ExternalID: object(2)}, {ExternalID: object(5)}})
		_, err := w.svc.ChangeExclusions(w.ctx, ref, []model.Exclusion{{Pattern: "scanner*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		people := map[string]model.DirectoryUser{}
		for i, name := range []string{"ada", "alan", "grace", "scanner"} {
			people[name] = w.mirrored(ref, person(20+i, name+"@contoso.com"))
		}
		settle := func(changed ...string) entries {
			w.Helper()
			return w.during(func() { w.ok(directory.SettleLists(w.ctx, w.svc, ref, changed)) })
		}
		list := func() model.List { w.Helper(); return w.lists(ref)[0] }
		said := func(e entries) map[string]model.FieldChange {
			w.Helper()
			var data struct {
				List    model.List
				Changes []model.FieldChange
			}
			w.ok(json.Unmarshal(e.changes[len(e.changes)-1].Data, &data))
			fields := map[string]model.FieldChange{}
			for _, c := range data.Changes {
				fields[c.Field] = c
			}
			return fields
		}
		w.wrote(settle(), "", "") // a list whose group was not imported yet waits

		inner := w.imported(ref, object(40), "Inner", people["grace"].ID)
		g := w.imported(ref, object(2), "Sales", people["ada"].ID, people["alan"].ID, people["scanner"].ID, inner.ID)
		w.staged(ref, map[string][]string{
			object(2): {people["ada"].ExternalID, people["alan"].ExternalID, people["scanner"].ExternalID, object(70), object(71)},
			// Of the nested group one person is a member of the outer one as well.
			object(40): {people["grace"].ExternalID, people["ada"].ExternalID, object(72)},
		}, map[string]string{object(2): object(40)})
		e := settle(object(2))
		w.wrote(e, "list.updated", "")
		if l := list(); l.State != model.ListReady || l.Members != 3 || l.WithoutAccount != 4 {
			t.Fatalf("%+v", l)
		}
		if f := said(e); len(f) != 3 || f["members"].After != 3.0 || f["state"].After != "ready" {
			t.Fatalf("%+v", f)
		}
		var names []string
		for after := ""; ; {
			page, err := w.svc.ListMembers(w.ctx, w.org, list().ID, after, 2)
			w.ok(err)
			for _, m := range page {
				names = append(names, m.DisplayName)
				after = m.AccountID
			}
			if len(page) < 2 {
				break
			}
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"ada", "alan", "grace"}) {
			t.Fatalf("members %v", names)
		}
		w.wrote(settle(object(2), object(40)), "", "") // nothing has changed

		// Others, as many as before; the change is in the nested group, and is not looked for where nothing changed.
		heidi := w.mirrored(ref, person(30, "heidi@contoso.com"))
		w.members(inner, model.MembersReplace, heidi)
		w.ok(directory.SettleLists(w.ctx, w.svc, ref, []string{object(80)}))
		if e := settle(object(40)); said(e)["members"].Before != 3.0 || said(e)["members"].After != 3.0 || len(e.changes) != 1 {
			t.Fatalf("%+v", e.changes)
		}
		w.rename(g, "Sellers")
		e = settle(object(2))
		w.wrote(e, "list.updated", "list.renamed")
		if f := said(e); f["display_name"].After != "Sellers" || len(f) != 1 {
			t.Fatalf("%+v", f)
		}
		w.ok(w.svc.DeleteGroup(w.ctx, ref, g.ID, nil))
		w.wrote(settle(), "", "") // that the mirror does not have it says nothing of Entra
		w.ok(w.store.InTx(w.ctx, func(tx *store.Tx) error {
			groups, err := tx.ImportGroups(ref)
			for i := range groups {
				if groups[i].ObjectID == object(2) {
					groups[i].NewGone = "deleted in Entra"
				}
			}
			tx.UpdateImportGroups(groups)
			tx.SettleMembers(ref, 1)
			return err
		}))
		w.wrote(settle(), "list.deleted", "list.deleted")
		w.wrote(settle(), "", "")
		if got := w.lists(ref); len(got) != 1 || got[0].State != model.ListPending {
			t.Fatalf("%+v", got)
		}
	})
}

// staged notes who an import has read to be in which group, and which group is nested in which.
func (w *world) staged(ref model.Ref, members map[string][]string, nested map[string]string) {
	w.Helper()
	w.ok(w.store.InTx(w.ctx, func(tx *store.Tx) error {
		ids := []string{}
		for id := range members {
			ids = append(ids, id)
		}
		tx.AddImportGroups(ref, store.NewID(), true, ids)
		groups, err := tx.ImportGroups(ref)
		if err != nil {
			return err
		}
		var joined []model.ImportMember
		for _, g := range groups {
			for _, m := range members[g.ObjectID] {
				joined = append(joined, model.ImportMember{GroupID: g.GroupID, Member: m})
			}
			if inner := nested[g.ObjectID]; inner != "" {
				joined = append(joined, model.ImportMember{GroupID: g.GroupID, Member: inner, Nested: true})
			}
		}
		tx.StageMembers(ref, 1, 1, joined, nil)
		return nil
	}))
}

func TestListsOfAnotherOrganization(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = []entraid.Group{contosoGroups()[4]}
		l := must(w, put(w.svc.ChangeDistributionLists))(w.ctx, ref, named("Everybody"))[0]
		other := must(w, w.svc.CreateOrganization)(w.ctx, "fabrikam", "").ID
		_, err := w.svc.ListMembers(w.ctx, other, l.ID, "", 10)
		w.refused(err, model.NotFound, "", "not found")
		for _, r := range []model.Ref{{OrganizationID: other, IntegrationID: ref.IntegrationID}, {OrganizationID: w.org, IntegrationID: "x"}} {
			if _, err := w.svc.DistributionLists(w.ctx, r); model.KindOf(err) != model.NotFound {
				t.Fatalf("%v", err)
			}
			if list, err := w.store.Read(w.ctx).ListsOf(r); err != nil || len(list) != 0 {
				t.Fatalf("%v, %v", list, err)
			}
		}
		if list, err := w.store.Read(w.ctx).ListsAfter(w.org, store.ListFilter{Integration: ref.IntegrationID, Q: "EVERY"}, "", 5); err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		if list, err := w.store.Read(w.ctx).ListsAfter(w.org, store.ListFilter{Q: "100%"}, "", 5); err != nil || len(list) != 0 {
			t.Fatalf("%v, %v", list, err)
		}
	})
}
