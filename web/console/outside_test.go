package console_test

import (
	"net/http"
	"testing"
	"time"

	"usher/model"
	"usher/model/store/storetest"
)

func TestWebhooks(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/webhooks").want(http.StatusOK, "data-empty")
		f.post("/webhooks/new", "url", "ftp://app.contoso.example", "description", "Booking", "types", "account.*").
			want(http.StatusOK, `id="f-url-error"`, `value="ftp://app.contoso.example"`, `value="Booking"`, `value="account.*" checked`)
		f.post("/webhooks/new", "url", "https://app.contoso.example/hooks", "types", "nonsense").want(http.StatusOK, "u-field-error")
		f.post("/webhooks/new", "url", "https://app.contoso.example/hooks", "types", "account.*").want(http.StatusOK, "whsec_", "cannot be shown again")
		list, err := f.store.Read(f.Context()).WebhookEndpointsAfter(f.org.ID, "", 10)
		f.ok(err)
		path := "/webhooks/" + list[0].ID
		f.get("/webhooks").want(http.StatusOK, "https://app.contoso.example/hooks")
		f.get(path).want(http.StatusOK, "app.contoso.example").lacks("whsec_")
		f.post(path+"/edit", "url", "").want(http.StatusOK, `id="f-url-error"`)
		f.post(path+"/edit", "url", "https://app.contoso.example/other", "description", "Desks").to("/console" + path)
		f.get(path).want(http.StatusOK, "Desks")
		f.post(path+"/state", "state", "paused").to("/console" + path)
		f.get(path).want(http.StatusOK, "Paused")
		f.post(path+"/state", "state", "active").to("/console" + path)
		f.get(path+"/rotate").want(http.StatusOK, "24 hours")
		f.post(path+"/rotate").want(http.StatusOK, "whsec_")
		tested := f.post(path + "/test").want(http.StatusSeeOther).Header.Get("Location")
		f.get(tested).want(http.StatusOK)
		f.post(path+"/replay", "from", "x", "to", "").want(http.StatusOK, "u-field-error", `value="x"`)
		f.get(path+"/delete").want(http.StatusOK, "told of nothing more")
		f.post(path + "/delete").to("/console/webhooks")
		f.get(path).want(http.StatusNotFound)
	})
}

func TestChanges(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/changes").want(http.StatusOK, "data-empty")
		f.contoso()
		f.get("/changes").want(http.StatusOK, "account.created")
		f.get("/changes?kind=account").want(http.StatusOK, "account.created").lacks("membership.")
		f.get("/changes?kind=nothing").want(http.StatusBadRequest)
		f.get("/changes?after=nothing").want(http.StatusBadRequest)
	})
}

func TestCalendars(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		for _, path := range []string{"/calendars", "/calendars/rooms", "/calendars/mailboxes"} {
			f.get(path).want(http.StatusOK, "data-empty")
		}
		i := f.contoso()
		_, err := f.svc.ChangeIntegration(f.Context(), i.Ref(), func(i *model.Integration) error { i.CalendarSync = true; return nil }, nil)
		f.ok(err)
		c := storetest.Calendar(t, f.store, i.Ref(), "ada@contoso.example")
		event := storetest.NewEvent(c, "Planning the engine", 0)
		storetest.Events(t, f.store, event)
		path := "/calendars/" + c.ID
		f.get("/calendars").want(http.StatusOK, path, "On")
		f.get("/calendars?enabled=off").want(http.StatusOK, `data-empty="filtered"`)
		f.get("/calendars/mailboxes").want(http.StatusOK, "ada@contoso.example")
		f.get(path+"?week="+event.Start.UTC.Format(time.DateOnly)).want(http.StatusOK, "Planning the engine")
		f.get(path + "?week=someday").want(http.StatusBadRequest)
		f.get("/calendars/find?from=soon&minutes=60").want(http.StatusOK, `id="f-from-error"`)
		f.get("/calendars/find?from=2026-03-02T10:00&minutes=60&capacity=many").want(http.StatusOK, `id="f-capacity-error"`, `value="many"`)
		f.get("/calendars/book").want(http.StatusOK, ": Calendar")
		form := []string{"subject", "", "calendar", c.ID, "from", "2026-03-02T10:00", "minutes", "60", "guests", "alan@contoso.example"}
		f.post("/calendars/book", form...).want(http.StatusOK, `id="f-subject-error"`, `value="alan@contoso.example"`, `value="`+c.ID+`" selected`)
		f.post("/calendars/book", "subject", "Tea", "from", "x", "calendar", c.ID).want(http.StatusOK, `id="f-from-error"`, `value="Tea"`)
		form[1] = "Tea"
		f.post("/calendars/book", form...).to("/console" + path + "?week=2026-03-02")
		f.get(path+"?week=2026-03-02").want(http.StatusOK, "Tea")
		f.get(path + "/switch").want(http.StatusOK)
		f.post(path+"/switch", "enabled", "off").want(http.StatusSeeOther)
		now, err := f.store.Read(f.Context()).Calendar(f.org.ID, c.ID)
		f.ok(err)
		if now.Enabled {
			t.Error("the calendar is still on")
		}
	})
}
