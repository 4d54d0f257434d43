package console_test

import (
	"testing"

	"usher/internal/simulator"
	"usher/model"
	"usher/model/store"
)

// progressed sets how far a run is, as its worker would.
func (f *fixture) progressed(run model.Run, done, total int) {
	f.Helper()
	f.ok(f.store.InTx(f.Context(), func(tx *store.Tx) error {
		r, err := tx.LockRun(run.OrganizationID, run.ID)
		if err != nil {
			return err
		}
		r.State, r.Phase, r.Progress = model.RunRunning, model.PhasePlan, model.Progress{Done: done, Total: total}
		return tx.UpdateRun(&r)
	}))
}

// TestBrowserFollowsARun watches the progress of a run move, without the page being loaded anew until the run has ended.
func TestBrowserFollowsARun(t *testing.T) {
	b := browse(t, quick)
	path, run := b.goingRun()
	b.signIn()
	b.goTo(path)
	b.see("#run-progress", "Queued")
	b.until(`document.querySelector("[data-again]").hidden`) // it is followed
	ask[bool](b, `window.same = true`)
	b.progressed(run, 3, 9)
	b.see("#run-progress", "Plan: 3 of 9, under way")
	b.see("#run-progress", "being made")
	b.checked("run-going")
	b.progressed(run, 7, 9)
	b.see("#run-progress", "Plan: 7 of 9, under way")
	if got := ask[string](b, `document.getElementById("u-live").innerText`); got != "Running" {
		t.Errorf("a screen reader is told %q", got)
	}
	if !ask[bool](b, `window.same === true`) {
		t.Error("the page was loaded anew")
	}
	b.progressed(run, 0, 0)
	b.planned(path)
	b.see("tbody", "Backup Service") // now it is: the plan is there
	b.see(".u-badge", "Succeeded")
	b.quiet("run")
}

// TestBrowserFollowsAnOffboarding watches the steps of an off-boarding tick off.
func TestBrowserFollowsAnOffboarding(t *testing.T) {
	b := browse(t, quick)
	town := b.tenant()
	b.signIn()
	b.goTo("/entra/people/" + town.ref.IntegrationID + "/" + town.ada.ID + "/offboard")
	b.click("button[value=offboard]")
	b.see(".u-badge", "Queued")
	b.until(`document.querySelector("[data-again]").hidden`)
	b.checked("operation-going")
	b.work(ask[string](b, "location.pathname"))
	b.see(".u-badge", "Succeeded")
	b.quiet("off-boarding")
}

// TestBrowserChoosesGroups searches among many groups, chooses some, and takes one out after looking at what that means.
func TestBrowserChoosesGroups(t *testing.T) {
	b := browse(t, quick)
	c := b.importing(300)
	b.signIn()
	page := c.path + "/groups"
	b.goTo(page)
	b.see("#chosen-groups", "Chosen")
	b.checked("groups-to-choose")
	b.fill("#q", "project 0299")
	b.see("#found", "Project 0299")
	b.until(`!document.querySelector("#found").innerText.includes("Project 0298")`)
	b.click("#found button")
	b.see(".u-notice", "“Project 0299” is chosen")
	b.see("#found", "Chosen")
	b.fill("#f-names", "Project 0007\nTwins")
	b.click("button[value=look]")
	b.see("#problems", "Line 2, “Twins”: Entra has several groups of this name")
	b.checked("groups-by-name")
	b.click("#problems button")
	b.see(".u-notice", "“Twins” is chosen")
	b.click("form button[value=remove]")
	b.see("h1", "out of the choice?")
	b.checked("groups-taken-out")
	ask[bool](b, `window.same = true`)
	b.planned(ask[string](b, `document.querySelector("[data-events]").dataset.events.replace("/events", "")`))
	b.see("[data-events] .u-badge", "Succeeded")
	if !ask[bool](b, `window.same === true`) {
		t.Error("the question was loaded anew")
	}
	b.click("button[name=confirm]")
	b.see(".u-notice", "is no longer chosen")
	if got := b.chosen(c); got != "Twins" {
		t.Errorf("chosen are %s", got)
	}
	b.goTo(c.path + "/lists")
	b.see("#found", "News of the company")
	b.checked("lists-to-choose")
	b.goTo(c.path + "/edit")
	b.checked("integration-settings")
}

// TestBrowserPicksGroups searches for groups in the form of a new user: what was chosen stays, and so does what was typed.
func TestBrowserPicksGroups(t *testing.T) {
	b := browse(t)
	town := b.tenant()
	for _, name := range []string{"Analysts", "Engines"} {
		_, err := town.people.AddGroup(simulator.Group{DisplayName: name, SecurityEnabled: true})
		b.ok(err)
	}
	b.signIn()
	b.goTo("/entra/new")
	b.fill("#f-display_name", "Katherine Coleman")
	for _, name := range []string{"analyst", "engines"} {
		b.fill("[name=group_q]", name)
		b.until(`(n => document.querySelectorAll("#picked-groups [name=groups]:not(:checked)").length === 1 && document.querySelector("#picked-groups").innerText.toLowerCase().includes(n))("` + name + `")`)
		b.click("#picked-groups [name=groups]:not(:checked)")
	}
	b.fill("[name=group_q]", "nothing like it")
	b.see("#picked-groups", "No group has words that begin so")
	b.checked("onboard-groups")
	if got := ask[int](b, `document.querySelectorAll("#picked-groups [name=groups]:checked").length`); got != 2 {
		t.Errorf("%d groups are chosen", got)
	}
	if got := ask[string](b, `document.querySelector("#f-display_name").value`); got != "Katherine Coleman" {
		t.Errorf("the name became %q", got)
	}
}
