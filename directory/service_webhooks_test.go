package directory_test

import (
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
)

// TestWebhookChangesAreLogged changes an endpoint, and then leaves it as it is: nothing is written of that.
func TestWebhookChangesAreLogged(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		made, _, err := w.svc.CreateWebhookEndpoint(w.ctx, model.WebhookEndpoint{OrganizationID: w.org, URL: "https://app.contoso.com/hooks"})
		w.ok(err)
		pause := func() {
			e, err := w.svc.ChangeWebhookEndpoint(w.ctx, w.org, made.ID, func(e *model.WebhookEndpoint) {
				e.State, e.Types = model.WebhookPaused, []string{"account.*"}
			})
			if w.ok(err); e.State != model.WebhookPaused || e.ID != made.ID {
				t.Fatalf("%+v", e)
			}
		}
		w.wrote(w.during(pause), "", "webhook_endpoint.changed")
		w.wrote(w.during(pause), "", "")
	})
}

// TestTheWebhooksOfARemovedIntegrationEnd: those that are told of nothing else are disabled, one that is active behind what it is yet
// to be told.
func TestTheWebhooksOfARemovedIntegrationEnd(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		goes, stays := w.integration("goes", model.RoleSyncReconcile), w.integration("stays", model.RoleSyncReconcile)
		make := func(name string, of *model.Ref, state model.WebhookState, reason string) string {
			e := model.WebhookEndpoint{OrganizationID: w.org, URL: "https://" + name + ".contoso.com"}
			if of != nil {
				e.IntegrationID = &of.IntegrationID
			}
			e, _, err := w.svc.CreateWebhookEndpoint(w.ctx, e)
			w.ok(err)
			w.ok(w.store.InTx(w.ctx, func(tx *store.Tx) error {
				e.State, e.Reason = state, reason
				return tx.UpdateWebhookEndpoint(&e)
			}))
			return e.ID
		}
		want := map[string]string{
			make("active", &goes, model.WebhookActive, ""):       "active, the integration was removed",
			make("paused", &goes, model.WebhookPaused, ""):       "disabled, the integration was removed",
			make("gone", &goes, model.WebhookDisabled, "410"):    "disabled, 410",
			make("another", &stays, model.WebhookActive, ""):     "active, ",
			make("everything", nil, model.WebhookPaused, ""):     "paused, ",
			make("everything-too", nil, model.WebhookActive, ""): "active, ",
		}
		plan, err := w.svc.Removal(w.ctx, goes)
		if w.ok(err); plan.Removed["webhook_endpoints"] != 3 || !strings.Contains(plan.Steps[0].Detail, "3 webhook endpoints") {
			t.Errorf("what would go: %v, %q", plan.Removed, plan.Steps[0].Detail)
		}
		w.wrote(w.during(func() { w.ok(w.svc.DeleteIntegration(w.ctx, goes)) }),
			"webhook_endpoint.disabled integration.removed", "webhook_endpoint.disabled integration.removed")
		list, err := w.store.Read(w.ctx).WebhookEndpointsAfter(w.org, "", 10)
		w.ok(err)
		for _, e := range list {
			if got := string(e.State) + ", " + e.Reason; got != want[e.ID] {
				t.Errorf("%s is %q, want %q", e.URL, got, want[e.ID])
			}
		}
		for _, e := range list {
			if e.State != model.WebhookDisabled || e.Reason == "410" {
				continue
			}
			_, err := w.svc.ChangeWebhookEndpoint(w.ctx, w.org, e.ID, func(e *model.WebhookEndpoint) { e.Description = "was of Contoso" })
			w.ok(err)
			_, err = w.svc.ChangeWebhookEndpoint(w.ctx, w.org, e.ID, func(e *model.WebhookEndpoint) { e.State = model.WebhookActive })
			w.refused(err, model.Invalid, "integration_id", "there is no integration")
			e, err := w.svc.ChangeWebhookEndpoint(w.ctx, w.org, e.ID, func(e *model.WebhookEndpoint) { e.State, e.IntegrationID = model.WebhookActive, nil })
			if w.ok(err); e.State != model.WebhookActive || e.Reason != "" {
				t.Errorf("made active for all integrations it is %s, %q", e.State, e.Reason)
			}
		}
		e, err := w.svc.ChangeWebhookEndpoint(w.ctx, w.org, list[0].ID, func(e *model.WebhookEndpoint) { e.IntegrationID = &stays.IntegrationID })
		if w.ok(err); e.Reason != "" {
			t.Errorf("given to another integration before it was disabled it still ends: %q", e.Reason)
		}
	})
}
