package directory_test

import (
	"testing"

	"usher/model"
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
