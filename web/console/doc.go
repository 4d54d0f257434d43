// Package console is the administrators' console: pages at /console that the server draws with html/template, made livelier by htmx
// and styled by Tabler, all of it embedded. Pages work without JavaScript, save where they say otherwise.
//
// It owns the pages, signing in and out, which right each page needs, and how failures look to a person. It decides nothing: every
// write is a call of directory.Service or calendarbridge.Service, every list a read of the store, and every one of them names the
// operator's organization. It may import directory, calendarbridge, internal/webhook, model, model/store and echo; never web/api.
//
// # How a screen is made
//
// A screen is a pair of files, runs.go and runs.html, with a test of its own. runs.go begins with the screen's routes:
//
//	func (c *Console) runRoutes() []route {
//		return []route{
//			get("/runs", model.RightRead, (*visit).showRuns),
//			get("/runs/{run}", model.RightRead, (*visit).showRun),
//			post("/runs/{run}/apply", model.RightRun, (*visit).applyRun),
//		}
//	}
//
// and one line in allRoutes (routes.go) adds them. The entry of the navigation shows by itself when its path has a route. A
// generated test tries every route without its right and with another organization's ids: say in the test's table which ids a new
// path parameter stands for.
//
// A handler is a method of *visit, of a few lines: read, make the view model, render. It answers by returning:
//
//	func (v *visit) showRuns() error {
//		list, err := v.read.RunsBefore(v.org, filter, v.query("after"), runsPage+1)
//		if err != nil {
//			return err // a *model.Error becomes a page in a sentence; anything else is logged, and told as "Something went wrong"
//		}
//		return v.render("runs", page{Title: "Runs", Lead: "…", Body: runsView{…}})
//	}
//
// runs.html defines "content", which gets the Body, and whatever parts it likes; "actions" may define what stands beside the title.
// Its view model is a struct with a field for each thing shown, of the types in components.go where a component fits: {{template
// "empty" .Empty}}, "badge", "time", "alert", "pager", "tabs", "field", "form-error", "secret", "copy", "light", "steps", "timeline",
// "bars". Icons are named as in @tabler/icons; copy a missing one into assets/icons. Styles are classes of Tabler and of
// assets/console.css: the policy for content forbids style attributes, inline scripts and inline styles.
//
// Filters are in the address (v.query, with), so that it can be shared, and are plain forms with method get; hx-get makes them live:
// v.partial says that htmx asks, and v.fragment answers with one part. Lists are paged by cursor (v.paged), never counted as a
// whole. A list that is empty says why, by one of emptyNotConnected, emptyYet, emptyFiltered, emptyForbidden.
//
// A change is a form with method post. It ends in v.done(path, sentence), which redirects and says the sentence there; a secret that
// is shown once is rendered instead. Where something is wrong, f := v.newForm(action, submit) has what was typed, f.fail(err) puts
// the sentence beside its field, and the page is rendered anew with f.field(type, name, label) for each field, then f.rest(). What
// deactivates, removes or replaces asks first, on a page that says the consequences and counts them.
//
// What should follow the work of a job is a part of the page with data-events and, beside it, {{template "again" .Path}}: its address
// answers with v.follow (events.go), which sends the part again whenever it is another. The part is made from what is read alone, since
// one reader serves all who look. Without JavaScript the page says how it stood, and leads to itself.
//
// Groups of a tenant are many thousands: a form that offers some has a picker (picker.go), and a page that chooses them is one of
// choosings (choose.go).
package console
