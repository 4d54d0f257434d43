package console_test

import (
	"fmt"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store/storetest"
)

// contoso fills the organization with what every screen has something of.
func (f *fixture) contoso() model.Integration {
	f.Helper()
	for _, r := range []model.Role{{Key: "employee", Name: "Employee"}, {Key: "hr", Name: "HR"}, {Key: "guest", Name: "Guest"}} {
		_, err := f.svc.PutRole(f.Context(), f.org.ID, r)
		f.ok(err)
	}
	i := f.integration("Contoso")
	_, err := f.svc.ChangeExclusions(f.Context(), i.Ref(), []model.Exclusion{{Pattern: "svc-*"}}, directory.Replacing[model.Exclusion]())
	f.ok(err)
	_, err = f.svc.ChangeGroupMappings(f.Context(), i.Ref(), []model.GroupMapping{
		{Group: model.GroupSelector{DisplayName: "All employees"}, Role: "employee"}, {Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr"},
	}, directory.Replacing[model.GroupMapping]())

	f.ok(err)
	var ids []string
	for n, name := range []string{"Ada Lovelace", "Alan Turing", "Katherine Johnson", "Radia Perlman", "Barbara Liskov", "Edsger Dijkstra", "Donald Knuth"} {
		u := f.push(i, fmt.Sprintf("person%d@contoso.example", n), name)
		ids = append(ids, u.ID)
	}
	f.push(i, "svc-backup@contoso.example", "Backup Service")
	f.push(i, "margaret_fabrikam.example#EXT#@contoso.example", "Margaret Hamilton")
	for name, members := range map[string][]string{"All employees": ids, "HR": ids[:1]} {
		_, err := f.svc.CreateGroup(f.Context(), i.Ref(), model.DirectoryGroup{Document: model.NewDocument(map[string]any{"displayName": name, "externalId": "ext-" + name})}, members)
		f.ok(err)
	}
	_, err = f.svc.CreateAccount(f.Context(), f.org.ID, model.Account{Email: "visitor@fabrikam.example", DisplayName: "Grace Visitor"})
	f.ok(err)
	var lines []model.SCIMRequest
	for n := range 40 {
		line := storetest.NewRequest(i.Ref(), "update user person1@contoso.example")
		if n%9 == 0 {
			line.Status, line.Result, line.Detail, line.Rule = 409, model.SCIMRejected, "userName is taken", "uniqueness of userName"
		}
		lines = append(lines, line)
	}
	f.logged(i.Ref(), lines...)
	return i
}

func TestBrowserHomeAndPeople(t *testing.T) {
	b := browse(t)
	b.goTo("/sign-in")
	b.checked("sign-in")
	b.fill("#f-email", masterEmail)
	b.fill("#f-password", password)
	b.press(keyEnter)
	b.see("h1", "Home")
	b.see(".u-empty", "No directory is connected")
	b.checked("home-empty")
	b.contoso()
	b.goTo("/")
	b.see(".u-light", "Entra last called just now")
	b.checked("home")
	b.goTo("/people")
	b.see("tbody", "Ada Lovelace")
	b.checked("people")
	b.fill("#q", "turing")
	b.see("tbody", "Alan Turing")
	b.until(`!document.querySelector("tbody").innerText.includes("Ada")`)
	if at := ask[string](b, "location.href"); at != b.url+"/console/people?q=turing&integration=&role=" {
		t.Errorf("the search is at %s", at)
	}
	b.fill("#q", "nobody at all")
	b.see(".u-empty", "Nobody fits")
	b.checked("people-filtered")
	b.goTo("/people?view=excluded")
	b.see("tbody", "svc-backup")
	b.checked("people-excluded")
	b.goTo("/people?view=guests")
	b.see("tbody", "Margaret Hamilton")
	b.goTo("/me")
	b.checked("me")
}

func TestBrowserKeyboard(t *testing.T) {
	b := browse(t)
	b.signIn()
	b.press("/")
	if focus := ask[string](b, `document.activeElement.id`); focus != "search" {
		t.Errorf("/ leads to %q", focus)
	}
	b.press(keyEscape)
	ask[bool](b, `document.activeElement.blur(); true`)
	b.press("?")
	b.see("dialog[open]", "Go to People")
	b.checked("help")
	b.press(keyEscape)
	b.press("g")
	b.press("p")
	b.see("h1", "People")
	b.goTo("/")
	b.press(keyTab)
	if focus := ask[string](b, `document.activeElement.className`); focus != "u-skip" {
		t.Errorf("the first stop is %q", focus)
	}
	b.press(keyEnter)
	if focus := ask[string](b, `document.activeElement.id`); focus != "main" {
		t.Errorf("the skip link leads to %q", focus)
	}
	b.click(".u-to-dark")
	b.until(`document.documentElement.dataset.bsTheme === "dark"`)
	b.quiet("keyboard")
}
