package console_test

import (
	"testing"
	"time"

	"usher/model/store/storetest"
)

// TestBrowserRules tries an expression on real people while it is typed, previews an exclusion and follows the run.
func TestBrowserRules(t *testing.T) {
	b := browse(t)
	i := b.contoso()
	b.push(i, "noreply@contoso.example", "No Reply")
	b.signIn()
	b.goTo("/mappings")
	ask[bool](b, `(() => { document.querySelector("[name='target.0']").value = "job_title"; return true })()`)
	b.fill("[name='source.0']", "title")
	b.fill("[name='expression.0']", "ToUpper(value)")
	b.see(".u-tried", "ANALYST")
	b.checked("mappings")
	b.goTo("/scope")
	b.see(".card", "Everyone whom Entra pushes")
	b.checked("scope")
	b.goTo("/scope/suggestions?integration=" + i.ID)
	b.see("tbody", "noreply")
	b.checked("scope-suggestions")
	b.goTo("/scope")
	b.fill("[name='pattern.1']", "person1*")
	b.click("button[value=preview]")
	b.see(".u-notice", "Nothing is saved yet")
	b.planned(ask[string](b, "location.pathname"))
	b.see("tbody", "Alan Turing")
	b.checked("run")
	b.goTo("/runs")
	b.see("tbody", "Preview")
	b.checked("runs")
}

// TestBrowserCalendars looks at a week and books a meeting.
func TestBrowserCalendars(t *testing.T) {
	b := browse(t)
	i := b.contoso()
	c := storetest.Calendar(t, b.store, i.Ref(), "ada@contoso.example")
	event := storetest.NewEvent(c, "Planning the engine", 9*time.Hour)
	storetest.Events(t, b.store, event)
	b.signIn()
	for _, page := range []struct{ path, name, selector, text string }{
		{"/calendars", "calendars", "tbody", "ada@contoso.example"},
		{"/calendars/mailboxes", "mailboxes", "tbody", "ada@contoso.example"},
		{"/calendars/rooms", "rooms", ".u-empty", "No rooms are known"},
		{"/calendars/find", "find-room", "h1", "Find a room"},
		{"/calendars/" + c.ID + "?week=" + event.Start.UTC.Format(time.DateOnly), "week", ".u-week", "Planning the engine"},
		{"/calendars/book", "book", "h1", "Book a room"},
	} {
		b.goTo(page.path)
		b.see(page.selector, page.text)
		b.checked(page.name)
	}
}

// TestBrowserWebhooks adds an endpoint and looks at what it is told.
func TestBrowserWebhooks(t *testing.T) {
	b := browse(t)
	b.contoso()
	b.signIn()
	b.goTo("/webhooks")
	b.see(".u-empty", "")
	b.checked("webhooks-empty")
	b.goTo("/webhooks/new")
	b.fill("#f-url", "https://app.contoso.example/hooks")
	b.checked("webhook-new")
	b.click("form.u-stack .btn-primary")
	b.see("h1", "The endpoint is added")
	b.checked("webhook-secret")
	list, err := b.store.Read(t.Context()).WebhookEndpointsAfter(b.org.ID, "", 1)
	b.ok(err)
	delivery, err := b.svc.TestWebhookEndpoint(t.Context(), b.org.ID, list[0].ID)
	b.ok(err)
	for _, page := range []struct{ path, name, selector, text string }{
		{"/webhooks", "webhooks", "main", "app.contoso.example"},
		{"/webhooks/" + list[0].ID, "webhook", "h1", "app.contoso.example"},
		{"/webhooks/" + list[0].ID + "/deliveries/" + delivery.ID, "webhook-delivery", "main", "webhook_endpoint.test"},
		{"/webhooks/" + list[0].ID + "/delete", "webhook-delete", "h1", "Delete the endpoint"},
		{"/changes", "changes", "main", "account.created"},
	} {
		b.goTo(page.path)
		b.see(page.selector, page.text)
		b.checked(page.name)
	}
}
