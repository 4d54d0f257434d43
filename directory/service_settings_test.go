package directory_test

import (
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

func TestServiceListsAreStoredOnce(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr")
		w.user(ada)
		list := []model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr"}}
		put := func() {
			_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, list, directory.Replacing[model.GroupMapping]())
			w.ok(err)
		}
		w.wrote(w.during(put), "", "group_mappings.changed")
		run := w.run()
		if run.Kind != model.RunReevaluation || run.Reason != "group mappings of Contoso changed" || run.Actor != "tester" {
			w.Fatalf("%+v", run)
		}
		w.drain()
		before, err := w.store.Read(w.ctx).Organization(w.org)
		w.ok(err)
		w.wrote(w.during(put), "", "")
		if w.run().ID != run.ID {
			w.Fatal("the same list has everyone decided about again")
		}
		if after, err := w.store.Read(w.ctx).Organization(w.org); err != nil || after.SettingsVersion != before.SettingsVersion {
			w.Fatal("the same list made a new version of the settings")
		}
		list[0].Role = "nope"
		_, err = w.svc.ChangeGroupMappings(w.ctx, w.ref, list, directory.Replacing[model.GroupMapping]())
		w.refused(err, model.Invalid, "[0].role", "nope")
		entry, err := w.svc.Lists(w.ctx, w.ref)
		w.ok(err)
		if len(entry.GroupMappings) != 1 || entry.GroupMappings[0].Role != "hr" {
			w.Fatalf("%+v", entry.GroupMappings)
		}
	})
}

func TestServiceIntegrationIsMadeAsItIsGiven(t *testing.T) {
	each(t, func(w *world) {
		in := directory.DefaultIntegration("Contoso", model.IngressSCIM)
		in.Guard = model.Guard{}
		i, err := w.svc.CreateIntegration(w.ctx, w.org, in, nil)
		w.ok(err)
		if stored, err := w.store.Read(w.ctx).Integration(i.Ref()); err != nil || stored.Guard != (model.Guard{}) {
			w.Errorf("a guard that lets nothing pass became %+v, %v", stored.Guard, err)
		}
		in.RoleSync = ""
		_, err = w.svc.CreateIntegration(w.ctx, w.org, in, nil)
		w.refused(err, model.Invalid, "role_sync", "")
	})
}

func TestServiceIntegrationSettings(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		secrets := map[string]string{directory.SecretClientSecret: "hunter2hunter2"}
		i, err := w.svc.CreateIntegration(w.ctx, w.org, directory.DefaultIntegration(" Graph ", model.IngressGraph), secrets)
		w.ok(err)
		if i.Name != "Graph" || i.RoleSync != model.RoleSyncReconcile || i.Scope != model.ScopeGroups || i.Guard != (model.Guard{Minimum: 10, Percent: 5}) ||
			!i.Graph.HasSecret || i.Graph.HasCertificate || i.Owner != "tester" {
			w.Fatalf("%+v", i)
		}
		stored, err := w.store.Read(w.ctx).Secret(i.Ref(), directory.SecretClientSecret)
		w.ok(err)
		if plain, err := w.svc.Keys.Open(stored.KeyID, stored.Sealed, i.ID+"/"+stored.Name); err != nil || plain != "hunter2hunter2" || strings.Contains(string(stored.Sealed), "hunter2") {
			w.Fatalf("%q %v", plain, err)
		}
		i, err = w.svc.ChangeIntegration(w.ctx, i.Ref(), func(i *model.Integration) error { i.ID, i.Graph.HasSecret = "x", true; return nil },
			map[string]string{directory.SecretClientSecret: ""})
		w.ok(err)
		if _, err := w.store.Read(w.ctx).Secret(i.Ref(), directory.SecretClientSecret); model.KindOf(err) != model.NotFound || i.Graph.HasSecret {
			w.Fatalf("%+v %v", i, err)
		}
		_, err = w.svc.ChangeIntegration(w.ctx, i.Ref(), func(i *model.Integration) error { i.Ingress = model.IngressSCIM; return nil }, nil)
		w.refused(err, model.Refused, "ingress", "cannot change")
		_, err = w.svc.ChangeIntegration(w.ctx, i.Ref(), func(i *model.Integration) error { i.Guard.Percent = 101; return nil }, nil)
		w.refused(err, model.Invalid, "guard.percent", "")
		e := w.during(func() {
			_, err = w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.Name = "Renamed"; return nil }, nil)
			w.ok(err)
			_, err = w.svc.ChangeIntegration(w.ctx, w.ref, func(*model.Integration) error { return nil }, nil)
			w.ok(err)
		})
		w.wrote(e, "integration.updated", "integration.updated")
		for _, a := range w.log() {
			if strings.Contains(a.Summary+string(a.Data), "hunter2") {
				w.Fatalf("the log shows a secret: %+v", a)
			}
		}
	})
}

func TestServiceTokens(t *testing.T) {
	each(t, func(w *world) {
		soon := w.clock.Now().Add(time.Minute)
		_, text, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "entra", &soon)
		w.ok(err)
		row, second, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "entra 2", nil)
		w.ok(err)
		for _, token := range []string{text, second} {
			caller, err := w.svc.SCIMToken(w.ctx, w.ref.IntegrationID, token)
			w.ok(err)
			if caller.Ref != w.ref || !strings.HasPrefix(caller.CredentialName, "entra") {
				w.Fatalf("%+v", caller)
			}
		}
		other := w.integration("Other", model.RoleSyncReconcile)
		bad := func(integration, token string, why model.Denial) {
			w.Helper()
			_, err := w.svc.SCIMToken(w.ctx, integration, token)
			w.refused(err, model.Unauthorized, "", string(why))
		}
		bad(other.IntegrationID, text, model.DeniedElsewhere)
		bad(w.ref.IntegrationID, text+"x", model.DeniedMalformed)
		bad(w.ref.IntegrationID, "", model.DeniedMalformed)
		w.clock.move(time.Minute)
		bad(w.ref.IntegrationID, text, model.DeniedExpired)
		w.ok(w.svc.DeleteSCIMToken(w.ctx, w.ref, row.ID))
		bad(w.ref.IntegrationID, second, model.DeniedRevoked)
		_, _, err = w.svc.CreateSCIMToken(w.ctx, w.ref, "late", &soon)
		w.refused(err, model.Invalid, "expires_at", "past")
		graph, err := w.svc.CreateIntegration(w.ctx, w.org, directory.DefaultIntegration("Graph", model.IngressGraph), nil)
		w.ok(err)
		_, _, err = w.svc.CreateSCIMToken(w.ctx, graph.Ref(), "x", nil)
		w.refused(err, model.Refused, "", "over Graph")
		key, keyText, err := w.svc.CreateAPIKey(w.ctx, w.org, "script", []model.Right{model.RightRead}, nil)
		w.ok(err)
		if got, err := w.svc.APIKey(w.ctx, keyText); err != nil || got.ID != key.ID || got.OrganizationID != w.org {
			w.Fatal(got, err)
		}
		_, err = w.svc.APIKey(w.ctx, text)
		w.refused(err, model.Unauthorized, "", "bearer token")
		w.ok(w.svc.DeleteAPIKey(w.ctx, w.org, key.ID))
		_, err = w.svc.APIKey(w.ctx, keyText)
		w.refused(err, model.Unauthorized, "", "bearer token")
	})
}
