package console_test

import (
	"testing"

	"usher/model/store/storetest"
)

// TestBrowserWizard sets an integration up as an administrator would, and watches the ticks come without reloading.
func TestBrowserWizard(t *testing.T) {
	b := browse(t)
	b.signIn()
	b.goTo("/integrations")
	b.see(".u-empty", "No directory is connected")
	b.click(".u-head .btn-primary")
	b.see("h1", "Set up an integration")
	b.checked("wizard-new")
	b.fill("#f-name", "Contoso")
	b.press(keyEnter)
	b.see("h1", "Set up Contoso")
	b.see(".u-steps", "Make a token")
	b.checked("wizard-steps")
	b.fill("#f-name", "Entra")
	b.click("form.u-row button")
	b.see("h2", "Enter these two in Entra")
	b.see("#secret-token", "usher_scim_")
	b.checked("wizard-token")
	list, err := b.store.Read(t.Context()).Integrations(b.org.ID)
	b.ok(err)
	b.logged(list[0].Ref(), storetest.NewRequest(list[0].Ref(), "look for nobody"))
	b.see(".u-steps", "Entra last called just now")
	b.push(list[0], "ada@contoso.example", "Ada Lovelace")
	b.see(".u-steps", "People are arriving")
	b.checked("wizard-live")
}

func TestBrowserIntegration(t *testing.T) {
	b := browse(t)
	i := b.contoso()
	b.signIn()
	b.goTo("/integrations")
	b.see(".u-light", "Contoso")
	b.checked("integrations")
	b.goTo("/integrations/" + i.ID)
	b.see("h1", "Contoso")
	b.checked("integration")
	b.goTo("/integrations/" + i.ID + "/edit")
	b.checked("integration-edit")
	b.fill("#f-name", "Contoso A/S")
	b.click("form.u-stack .btn-primary")
	b.see(".u-notice", "The settings are saved")
	b.goTo("/integrations/" + i.ID + "/remove")
	b.fill("#f-name", "Fabrikam")
	b.click(".btn-danger")
	b.see(".u-field-error", "This is not the name of the integration")
	b.checked("integration-remove")
}

func TestBrowserPerson(t *testing.T) {
	b := browse(t)
	b.contoso()
	b.signIn()
	b.goTo("/people")
	b.click("tbody a")
	b.see("h1", "Ada Lovelace")
	b.see(".u-reasons", "Group HR gives role hr")
	b.checked("person")
	b.goTo("/people/" + b.account("person1@contoso.example").ID)
	ask[bool](b, `(() => { const s = document.getElementById("join"); s.value = [...s.options].find(o => o.text === "HR").value; return true })()`)
	b.click(`form[hx-target="#what-if"] button`)
	b.see("#what-if", "If Alan Turing joined HR")
	b.checked("person-what-if")
	b.click(".u-head .btn-primary")
	b.see(".u-notice", "everything is as they say")
	b.click(".u-head a.btn")
	b.see("h1", "Deactivate Alan Turing")
	b.checked("person-deactivate")
	b.click(".btn-danger")
	b.see(".u-notice", "Alan Turing is deactivated")
	b.goTo("/people")
	b.click(`tbody tr:nth-child(1) input[type=checkbox]`)
	b.click(`button[value=deactivate]`)
	b.see("h1", "Deactivate people")
	b.checked("people-bulk")
	b.goTo("/people?view=excluded")
	b.click("tbody a")
	b.see("h1", "Backup Service")
	b.checked("person-excluded")
}

func TestBrowserLogsAndSettings(t *testing.T) {
	b := browse(t)
	b.contoso()
	b.signIn()
	for _, page := range []struct{ path, name, selector, text string }{
		{"/logs", "logs", "tbody", "Update user person1@contoso.example"},
		{"/logs/rejections", "logs-rejections", "tbody", "expired"},
		{"/logs/activity", "logs-activity", ".list-group", "Grace Visitor"},
		{"/settings", "settings", "h2", "Health"},
		{"/settings/operators", "operators", "tbody", "Grace Hopper"},
		{"/settings/operators/" + b.master.ID, "operator", "h2", "Help with signing in"},
		{"/settings/api-keys", "api-keys", ".u-empty", "No API keys yet"},
	} {
		b.goTo(page.path)
		b.see(page.selector, page.text)
		b.checked(page.name)
	}
	b.goTo("/logs")
	b.click("tbody a")
	b.see("h2", "What was sent")
	b.checked("request")
	b.goTo("/settings/operators")
	b.fill("#f-email", "ada@contoso.example")
	b.click("form[action$=operators] button")
	b.see("h2", "ada@contoso.example is invited")
	b.checked("operators-invited")
}
