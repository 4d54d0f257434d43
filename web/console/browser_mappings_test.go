package console_test

import (
	"fmt"
	"testing"

	"usher/model"
)

// choose sets a select or a radio button, as somebody who picks it.
func (b *tab) choose(selector, value string) {
	b.Helper()
	ask[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%q); if (e.type === "radio") { e.checked = true } else { e.value = %q }
		e.dispatchEvent(new Event("change", {bubbles: true})); return true })()`, selector, value))
}

// TestBrowserMappingVersions saves mappings, previews a change of them, saves it from the preview, and rolls it back.
func TestBrowserMappingVersions(t *testing.T) {
	b := browse(t)
	i := b.contoso()
	b.signIn()
	b.goTo("/mappings?integration=" + i.ID)
	b.choose("[name='target.0']", "job_title")
	b.fill("[name='source.0']", "title")
	b.see(".u-tried", "Analyst")
	b.click("button[value=save]")
	b.see(".u-notice", "The mappings are saved")
	b.see("main", "Added job_title.")
	b.fill("[name='expression.0']", "ToUpper(value)")
	b.see(".u-tried", "ANALYST")
	b.click("button[value=preview]")
	b.see(".u-notice", "Nothing is saved yet")
	run := ask[string](b, "location.pathname")
	if r := b.planned(run); r.Counts[model.ActionUpdate] != 8 {
		t.Fatalf("the preview of %+v would do %v", *r.Settings.FieldMappings, r.Counts)
	}
	b.goTo(run[len("/console"):])
	b.see("tbody", "ANALYST")
	b.see("main", "Save these settings")
	b.checked("mapping-preview")
	b.click("form[action$='/save'] button")
	b.see(".u-notice", "What the preview supposed is saved")
	b.see("main", "Changed job_title (expression).")
	b.checked("mappings-saved")
	b.goTo("/mappings/" + i.ID + "/versions")
	b.see("tbody", "Version 1")
	b.checked("mapping-versions")
	b.click("tbody tr:last-child a")
	b.see("h1", "Version 1 of the field mappings")
	b.see("tbody", "title, always, as ToUpper(value)")
	b.checked("mapping-version")
	b.click("button[value=restore]")
	b.see(".u-notice", "Version 1 is restored, as version 3")
	if got := ask[string](b, `document.querySelector("[name='expression.0']").value`); got != "" {
		t.Errorf("after the roll-back the expression is %q", got)
	}
	b.quiet("after the roll-back")
}

// TestBrowserRoleRules looks at who gets what by which rule, and changes a rule while the effect shows.
func TestBrowserRoleRules(t *testing.T) {
	b := browse(t)
	i := b.contoso()
	b.places(i)
	b.signIn()
	b.goTo("/scope?integration=" + i.ID)
	b.see("main", "1 person, of whom")
	b.fill("[name='pattern.1']", "person1*")
	b.see("main", "Alan Turing")
	b.checked("scope-live")
	b.click(".u-tabs li:last-child a")
	b.see("h1", "Role rules of Contoso")
	b.see("tbody", "Katherine Johnson")
	b.see("tbody", "Not in the directory")
	b.checked("role-rules")
	b.click("tbody tr:first-child td:last-child a")
	b.see("h1", "Map All employees")
	b.see("main", "nobody would change")
	b.choose("[name=role]", "guest")
	b.see("main", "7 update")
	b.checked("group-map-live")
	b.goTo("/integrations/" + i.ID + "/role-rules")
	b.choose("[name=role_sync][value=mirror]", "mirror")
	b.click("button[value=preview]")
	b.see(".u-notice", "Nothing is saved yet")
	run := ask[string](b, "location.pathname")
	b.planned(run)
	b.goTo(run[len("/console"):])
	b.see("main", "how roles follow the groups")
	b.click("form[action$='/save'] button")
	b.see(".u-notice", "What the preview supposed is saved")
	got, err := b.store.Read(t.Context()).Integration(i.Ref())
	b.ok(err)
	if got.RoleSync != model.RoleSyncMirror {
		t.Errorf("saved %s", got.RoleSync)
	}
	b.quiet("role rules")
}
