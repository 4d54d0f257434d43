package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"usher/model/store/storetest"
)

// TestBrowserViews acknowledges an alarm, looks through the views of people, and asks what a person has in Entra.
func TestBrowserViews(t *testing.T) {
	b := browse(t)
	i := b.contoso()
	b.push(i, "anita@contoso.example", "Anita Borg", hybrid())
	run := b.held(i, b.push(i, "held@contoso.example", "Held Person"))
	b.failing("https://hr.contoso.example/hooks", b.svc.Now().Add(-2*time.Hour))
	b.signIn()
	b.see(".u-alert", "A plan is held")
	b.see(".u-alert", "hr.contoso.example")
	b.checked("home-alarms")
	b.click(`form:has(input[value^="webhook_endpoint:"]) button`)
	b.see(".u-notice", "Acknowledged")
	b.see(".u-seen summary", "1 alarm is acknowledged")
	b.click(".u-seen summary")
	b.see(".u-seen", "hr.contoso.example")
	b.checked("home-acknowledged")
	b.goTo("/people?view=hybrid")
	b.see("tbody", "Anita Borg")
	b.checked("people-hybrid")
	b.goTo("/people?view=held")
	b.see("tbody", "Would be deactivated")
	b.checked("people-held")
	b.fill("#q", "nobody at all")
	b.see(".u-empty", "Nobody fits")
	b.goTo("/people?view=held")
	b.click("tbody a[href*='/runs/']")
	b.until(`location.pathname.endsWith("/runs/` + run.ID + `")`)
	b.goTo("/people/" + b.account("held@contoso.example").ID)
	b.see(".card", "Graph is not connected")
	b.see(".u-time", "The plan is held until somebody applies it")
	b.checked("person-held")
}

// TestBrowserWeekOnAPhone looks at a week at the width of a phone: seven days below each other, and nothing beside them.
func TestBrowserWeekOnAPhone(t *testing.T) {
	b := browse(t)
	i := b.contoso()
	c := storetest.Calendar(b.T, b.store, i.Ref(), "ada@contoso.example")
	e := storetest.NewEvent(c, "event", 0)
	e.Start.UTC, e.End.UTC = b.svc.Now(), b.svc.Now().Add(time.Hour)
	storetest.Events(b.T, b.store, e)
	b.signIn()
	for _, width := range []int64{390, 600, 820, 1280} {
		b.do(chromedp.EmulateViewport(width, 800))
		b.goTo("/calendars/" + c.ID)
		b.see("h2", "Week of")
		b.shoot(fmt.Sprintf("week-%d", width))
		// What no day covers must look like the card.
		if bare := ask[bool](b, `getComputedStyle(document.querySelector(".u-week")).backgroundColor === "rgba(0, 0, 0, 0)"`); !bare {
			t.Errorf("at %d points what no day covers has a colour of its own", width)
		}
		if days := ask[int](b, `new Set([...document.querySelectorAll(".u-day")].map(d => Math.round(d.getBoundingClientRect().left))).size`); width == 390 && days != 1 {
			t.Errorf("at %d points days stand in %d columns", width, days)
		}
	}
	b.checked("week")
}
