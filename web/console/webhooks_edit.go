package console

import (
	"slices"
	"strings"

	"usher/model"
)

// webhookForm are the fields of an endpoint.
type webhookForm struct {
	Form                          *form
	URL, Description, Integration field
	Types                         field
	Back                          string
}

func (v *visit) newWebhook() error {
	return v.webhookForm(v.newForm("/webhooks/new", "Add the endpoint"), page{Title: "Add an endpoint", Crumbs: []crumb{{"Webhooks", "/webhooks"}}}, "/webhooks")
}

func (v *visit) webhookForm(f *form, p page, back string) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	w := webhookForm{Form: f, Back: Base + back}
	w.URL = f.field("url", "url", "URL")
	w.URL.Required, w.URL.Placeholder, w.URL.Help = true, "https://app.contoso.com/webhooks", "Messages are posted here, signed with a secret that you are shown once."
	w.Description = f.field("text", "description", "What it is for")
	w.Integration = f.field("select", "integration_id", "Integration")
	options := []option{{Name: "Changes of every integration"}}
	for _, i := range sortedIntegrations(settings) {
		options = append(options, option{Value: i.ID, Name: i.Name})
	}
	if id := strings.Join(f.values["integration_id"], ""); id != "" && !slices.ContainsFunc(options, func(o option) bool { return o.Value == id }) {
		options = append(options, option{Value: id, Name: "An integration that was removed"})
	}
	w.Integration = w.Integration.choose(options...)
	chosen := f.values["types"]
	w.Types = f.field("checks", "types", "What it is told of")
	w.Types.Help = "Nothing ticked is everything."
	for _, kind := range changeKinds() {
		w.Types.Options = append(w.Types.Options, option{Value: kind + ".*", Name: kindInWords(kind), Chosen: slices.Contains(chosen, kind+".*")})
	}
	for _, t := range chosen {
		if !slices.ContainsFunc(w.Types.Options, func(o option) bool { return o.Value == t }) {
			w.Types.Options = append(w.Types.Options, option{Value: t, Name: t, Chosen: true})
		}
	}
	f.rest()
	p.Body = w
	return v.render("webhook_edit", p)
}

// changeKinds are what changes are about: account, membership and so on.
func changeKinds() []string {
	var kinds []string
	for _, t := range model.ChangeTypes() {
		kind, _, _ := strings.Cut(string(t), ".")
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func kindInWords(kind string) string {
	text := strings.ReplaceAll(kind, "_", " ")
	return strings.ToUpper(text[:1]) + text[1:] + "s"
}

// intoWebhook sets what the form says.
func (v *visit) intoWebhook(e *model.WebhookEndpoint) {
	e.URL, e.Description, e.Types = v.field("url"), v.field("description"), slices.Clone(v.r.PostForm["types"])
	e.IntegrationID = nil
	if id := v.field("integration_id"); id != "" {
		e.IntegrationID = &id
	}
}

// shownSecret is a secret that is shown this once.
type shownSecret struct {
	ID, Label, Value, Help string
	Next                   string
}

func (v *visit) makeWebhook() error {
	e := model.WebhookEndpoint{OrganizationID: v.org}
	v.intoWebhook(&e)
	e, text, err := v.svc.CreateWebhookEndpoint(v.ctx, e)
	if err != nil {
		f := v.newForm("/webhooks/new", "Add the endpoint")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.webhookForm(f, page{Title: "Add an endpoint", Crumbs: []crumb{{"Webhooks", "/webhooks"}}}, "/webhooks")
	}
	return v.showSecret(e, text, "The endpoint is added")
}

func (v *visit) showSecret(e model.WebhookEndpoint, text, title string) error {
	return v.render("webhook_secret", page{
		Title: title, Lead: e.URL, Crumbs: []crumb{{"Webhooks", "/webhooks"}, {hostOf(e.URL), "/webhooks/" + e.ID}},
		Body: shownSecret{"webhook-secret", "Signing secret", text, "Enter it in the application. It cannot be shown again; you can replace it.", Base + "/webhooks/" + e.ID},
	})
}

func (v *visit) editWebhook() error {
	e, err := v.endpoint()
	if err != nil {
		return err
	}
	f := v.newForm("/webhooks/"+e.ID+"/edit", "Save")
	f.set("url", e.URL)
	f.set("description", e.Description)
	f.values["types"] = e.Types
	if e.IntegrationID != nil {
		f.set("integration_id", *e.IntegrationID)
	}
	return v.webhookForm(f, editWebhookPage(e), "/webhooks/"+e.ID)
}

func editWebhookPage(e model.WebhookEndpoint) page {
	return page{Title: "Change the endpoint", Crumbs: []crumb{{"Webhooks", "/webhooks"}, {hostOf(e.URL), "/webhooks/" + e.ID}}}
}

func (v *visit) saveWebhook() error {
	e, err := v.endpoint()
	if err != nil {
		return err
	}
	if _, err = v.svc.ChangeWebhookEndpoint(v.ctx, v.org, e.ID, v.intoWebhook); err != nil {
		f := v.newForm("/webhooks/"+e.ID+"/edit", "Save")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.webhookForm(f, editWebhookPage(e), "/webhooks/"+e.ID)
	}
	return v.done("/webhooks/"+e.ID, "The endpoint is changed.")
}

func (v *visit) switchWebhook() error {
	state, said := model.WebhookPaused, "The endpoint is paused. What happens meanwhile is told when it goes on."
	if v.field("state") == "active" {
		state, said = model.WebhookActive, "The endpoint goes on, with everything that it missed."
	}
	e, err := v.svc.ChangeWebhookEndpoint(v.ctx, v.org, v.r.PathValue("endpoint"), func(e *model.WebhookEndpoint) { e.State = state })
	if err != nil {
		return err
	}
	return v.done("/webhooks/"+e.ID, said)
}

// askView asks before something is done, and says what follows.
type askView struct {
	Form         *form
	Consequences []string
	Danger       bool
	Back         string
}

func (v *visit) askWebhook(title, action, submit string, danger bool, consequences ...string) error {
	e, err := v.endpoint()
	if err != nil {
		return err
	}
	path := "/webhooks/" + e.ID
	return v.render("status", page{
		Title: title, Lead: e.URL, Crumbs: []crumb{{"Webhooks", "/webhooks"}, {hostOf(e.URL), path}},
		Body: askView{v.newForm(path+action, submit), consequences, danger, Base + path},
	})
}

func (v *visit) askRotateWebhook() error {
	return v.askWebhook("Replace the secret", "/rotate", "Replace the secret", false,
		"You are shown a new secret, once.", "Messages are signed with both secrets for 24 hours, so that nothing is refused while you enter it.",
		"After that the old secret is worthless.")
}

func (v *visit) rotateWebhook() error {
	e, err := v.endpoint()
	if err != nil {
		return err
	}
	text, err := v.svc.RotateWebhookSecret(v.ctx, v.org, e.ID)
	if err != nil {
		return err
	}
	return v.showSecret(e, text, "The secret is replaced")
}

func (v *visit) askDeleteWebhook() error {
	return v.askWebhook("Delete the endpoint", "/delete", "Delete the endpoint", true,
		"The application is told of nothing more.", "What waits to be told again is lost, and so is the record of what was delivered.",
		"The change feed keeps everything: the application can read on there.")
}

func (v *visit) deleteWebhook() error {
	if err := v.svc.DeleteWebhookEndpoint(v.ctx, v.org, v.r.PathValue("endpoint")); err != nil {
		return err
	}
	return v.done("/webhooks", "The endpoint is deleted.")
}
