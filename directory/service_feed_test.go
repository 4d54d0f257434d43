package directory_test

import (
	"encoding/json"
	"strings"
	"testing"

	"usher/model"
)

// TestServiceFeedAndLog says, action by action, what the change feed and the administrator's log get.
func TestServiceFeedAndLog(t *testing.T) {
	each(t, func(w *world) {
		staffed(w, model.RoleSyncReconcile)
		var u model.DirectoryUser
		var g model.DirectoryGroup
		id := func() string { return w.account(ada).ID }
		for _, step := range []struct {
			name           string
			do             func() error
			types, actions string
		}{
			{
				"a user arrives", func() error { u = w.user(ada); return nil },
				"account.created directory_user.created", "account.created",
			},
			{
				"an unmapped group arrives with a member", func() error { w.group("Chess", u); return nil },
				"directory_group.created membership.added", "directory_group.created",
			},
			{
				"a mapped group arrives", func() error { g = w.group("HR"); return nil },
				"directory_group.created", "directory_group.created",
			},
			{
				"a member is added", func() error { w.members(g, model.MembersAdd, u); return nil },
				"membership.added account.roles_changed", "directory_group.updated account.updated",
			},
			{"it is added again", func() error { w.members(g, model.MembersAdd, u); return nil }, "", ""},
			{
				"it is removed", func() error { w.members(g, model.MembersRemove, u); return nil },
				"membership.removed", "directory_group.updated",
			},
			{"who is no member is removed", func() error { w.members(g, model.MembersRemove, u); return nil }, "", ""},
			{
				"an attribute without meaning changes", func() error { w.patch(u, map[string]any{"nickName": "Ada"}); return nil },
				"directory_user.updated", "directory_user.updated",
			},
			{
				"a mapped attribute changes", func() error { w.patch(u, map[string]any{"title": "Poet"}); return nil },
				"account.updated directory_user.updated", "account.updated",
			},
			{"it is pushed again", func() error { w.patch(u, map[string]any{"title": "Poet"}); return nil }, "", ""},
			{
				"the user is disabled", func() error { w.patch(u, map[string]any{"active": false}); return nil },
				"account.deactivated directory_user.updated", "account.deactivated",
			},
			{
				"and enabled", func() error { w.patch(u, map[string]any{"active": true}); return nil },
				"account.reactivated directory_user.updated", "account.reactivated",
			},
			{
				"roles by hand", func() error { _, err := w.svc.SetRoles(w.ctx, w.org, id(), []string{"hr", "manager"}); return err },
				"account.roles_changed", "account.roles_changed",
			},
			{"the same roles", func() error {
				_, err := w.svc.SetRoles(w.ctx, w.org, id(), []string{"manager", "hr", "hr"})
				return err
			}, "", ""},
			{
				"the group is renamed", func() error { w.rename(g, "Chess club"); return nil },
				"directory_group.updated", "directory_group.updated",
			},
			{
				"the group is deleted", func() error { return w.svc.DeleteGroup(w.ctx, w.ref, g.ID, nil) },
				"directory_group.deleted", "directory_group.deleted",
			},
			{
				"an operator deactivates", func() error { _, err := w.svc.DeactivateAccount(w.ctx, w.org, id()); return err },
				"account.deactivated", "account.deactivated",
			},
			{"again", func() error { _, err := w.svc.DeactivateAccount(w.ctx, w.org, id()); return err }, "", ""},
			{
				"and archives", func() error { _, err := w.svc.ArchiveAccount(w.ctx, w.org, id()); return err },
				"account.archived", "account.archived",
			},
			{
				"and brings back", func() error { _, err := w.svc.ReactivateAccount(w.ctx, w.org, id()); return err },
				"account.reactivated", "account.reactivated",
			},
			{
				"the user is deleted", func() error { return w.svc.DeleteUser(w.ctx, w.ref, u.ID, nil) },
				"account.deactivated directory_user.deleted", "account.deactivated",
			},
			{
				"the integration is removed", func() error { return w.svc.DeleteIntegration(w.ctx, w.ref) },
				"integration.removed", "integration.removed",
			},
		} {
			e := w.during(func() { w.ok(step.do()) })
			w.Logf("%s: %v | %v", step.name, e.types(), e.actions())
			w.wrote(e, step.types, step.actions)
			for _, c := range e.changes {
				if c.Actor != "tester" || c.OrganizationID != w.org {
					w.Fatalf("%s: %+v", step.name, c)
				}
			}
			for _, a := range e.activity {
				if a.Actor != "tester" || a.Summary == "" || a.Subject == "" || a.SubjectID == "" {
					w.Fatalf("%s: %+v", step.name, a)
				}
			}
		}
	})
}

func TestServiceChangeOfAnAccountSaysEverything(t *testing.T) {
	each(t, func(w *world) {
		staffed(w, model.RoleSyncReconcile)
		var u model.DirectoryUser
		e := w.during(func() { u = w.user(ada) })
		var data struct {
			Account map[string]any      `json:"account"`
			Changes []model.FieldChange `json:"changes"`
		}
		c := e.changes[0]
		w.ok(json.Unmarshal(c.Data, &data))
		id := w.account(ada).ID
		if c.SubjectType != "account" || c.SubjectID != id || data.Account["id"] != id || data.Account["email"] != ada ||
			c.IntegrationID == nil || *c.IntegrationID != w.ref.IntegrationID {
			w.Fatalf("%+v %s", c, c.Data)
		}
		if links, _ := data.Account["links"].([]any); len(links) != 1 {
			w.Fatalf("the account is told without its link: %s", c.Data)
		}
		g := w.group("HR")
		e = w.during(func() { w.members(g, model.MembersAdd, u) })
		w.ok(json.Unmarshal(e.changes[1].Data, &data))
		if ch := data.Changes[0]; len(data.Changes) != 1 || ch.Field != "roles" || ch.Reason != "group HR gives role hr" {
			w.Fatalf("%+v", data.Changes)
		}
		if line := e.activity[1].Summary; !strings.Contains(line, "group HR gives role hr") {
			w.Fatal(line)
		}
		if line := e.activity[0].Summary; line != "1 member added to group HR" {
			w.Fatal(line)
		}
	})
}

func TestServiceFailedEditChangesNothing(t *testing.T) {
	each(t, func(w *world) {
		u := w.user(ada)
		g := w.group("HR", u)
		want := model.Errorf(model.Precondition, "version 7 is not the current one")
		e := w.during(func() {
			_, err := w.svc.ChangeUser(w.ctx, w.ref, u.ID, func(u *model.DirectoryUser) error {
				u.Document = model.NewDocument(attributes("other@contoso.com", nil))
				return want
			})
			w.refused(err, model.Precondition, "", "version 7")
			_, err = w.svc.ChangeGroup(w.ctx, w.ref, g.ID, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
				g.Document = model.NewDocument(map[string]any{"displayName": "Other"})
				return []model.MemberOp{{Kind: model.MembersReplace}}, want
			})
			w.refused(err, model.Precondition, "", "version 7")
			_, err = w.svc.ChangeUser(w.ctx, w.ref, u.ID, func(u *model.DirectoryUser) error {
				u.Document = model.NewDocument(map[string]any{"displayName": "without a name"})
				return nil
			})
			w.refused(err, model.Invalid, "userName", "required")
			_, err = w.push(w.ref, "ADA@contoso.com")
			w.refused(err, model.Conflict, "userName", "another user")
		})
		w.wrote(e, "", "")
		if got := w.mirror(u); got.Version != 1 || got.UserName != ada {
			w.Fatalf("%+v", got)
		}
	})
}
