package verify

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func searchChecks() []Check {
	return []Check{
		{
			Name: "search/users", Severity: Should, Source: "RFC 7644 §3.4.3", Writes: true,
			Asserts: "POST to /Users/.search finds what a filter in the URL finds, and attributes limits it",
			run: func(t *talk) {
				p := t.user(`{"title":"Countess"}`)
				r := t.search("/Users/.search", p).one(p.id)
				for _, resource := range r.listed() {
					if resource["title"] != nil {
						r.blame("attributes is passed over")
					}
				}
			},
		},
		{
			Name: "search/root", Severity: Should, Source: "RFC 7644 §3.4.3", Writes: true,
			Asserts: "POST to /.search looks through all types",
			run: func(t *talk) {
				p := t.user("")
				t.search("/.search", p).one(p.id)
			},
		},
	}
}

// search skips the check where the endpoint has no such path: there is no way of advertising it.
func (t *talk) search(path string, p person) *reply {
	r := t.post(path, object{
		"schemas": list{urnSearch}, "filter": `userName eq "` + p.userName + `"`, "attributes": list{"userName"}, "startIndex": 1, "count": 10,
	})
	if slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, r.answer.status) {
		t.skip("the endpoint does not offer " + path)
	}
	return r
}

func sortChecks() []Check {
	const source = "RFC 7644 §3.4.2.3"
	return []Check{
		{
			Name: "sort/ascending", Severity: Must, Source: source, Needs: []Feature{Sort}, Writes: true,
			Asserts: "sortBy orders, ascending unless told otherwise, without regard to case",
			run:     func(t *talk) { sorted(t, "sortBy=nickName", "ada Bob cyd") },
		},
		{
			Name: "sort/descending", Severity: Must, Source: source, Needs: []Feature{Sort}, Writes: true,
			Asserts: "sortOrder=descending turns the order around",
			run:     func(t *talk) { sorted(t, "sortBy=nickName&sortOrder=descending", "cyd Bob ada") },
		},
	}
}

func sorted(t *talk, query, want string) {
	title := t.s.prefix + "-sort"
	for _, name := range []string{"Bob", "cyd", "ada"} {
		t.user(`{"nickName":"` + name + `","title":"` + title + `"}`)
	}
	r := t.get("/Users?" + query + "&filter=" + url.QueryEscape(`title eq "`+title+`"`))
	var got []string
	for _, resource := range r.listed() {
		got = append(got, text(resource["nickName"]))
	}
	if strings.Join(got, " ") != want {
		r.blame("the order is %s, expected %s", strings.Join(got, " "), want)
	}
}

func etagChecks() []Check {
	const source = "RFC 7644 §3.14"
	checks := []Check{
		{
			Name: "etag/version", Severity: Must, Source: source,
			Asserts: "ETag is the same as meta.version, and changes with the user",
			run: func(t *talk) {
				p := t.user("")
				r := t.get(p.path).status(http.StatusOK)
				before := r.header("ETag")
				r.has("meta.version", before)
				t.patch(p.path, `[{"op":"replace","path":"title","value":"Countess"}]`).status(http.StatusOK, http.StatusNoContent)
				if r = t.get(p.path).status(http.StatusOK); r.header("ETag") == before {
					r.blame("the ETag is still %s after a change", before)
				}
			},
		},
		{
			Name: "etag/if-none-match", Severity: Must, Source: source,
			Asserts: "If-None-Match with the current version is 304",
			run: func(t *talk) {
				p := t.user("")
				version := t.get(p.path).status(http.StatusOK).header("ETag")
				t.send(http.MethodGet, p.path, nil, map[string]string{"If-None-Match": version}).status(http.StatusNotModified)
			},
		},
		{
			Name: "etag/if-match", Severity: Must, Source: source,
			Asserts: "If-Match with an old version is 412 and changes nothing; with the current one the change is made",
			run:     ifMatch,
		},
	}
	for i := range checks {
		checks[i].Needs, checks[i].Writes = []Feature{ETag}, true
	}
	return checks
}

func ifMatch(t *talk) {
	p := t.user(`{"title":"Countess"}`)
	old := t.get(p.path).status(http.StatusOK).header("ETag")
	t.patch(p.path, `[{"op":"replace","path":"title","value":"Lady"}]`).status(http.StatusOK, http.StatusNoContent)
	change := patchBody(`[{"op":"replace","path":"title","value":"Baroness"}]`)
	t.send(http.MethodPatch, p.path, change, map[string]string{"If-Match": old}).refused(http.StatusPreconditionFailed, "")
	r := t.get(p.path).status(http.StatusOK).has("title", "Lady")
	t.send(http.MethodPatch, p.path, change, map[string]string{"If-Match": r.header("ETag")}).status(http.StatusOK, http.StatusNoContent)
	t.get(p.path).status(http.StatusOK).has("title", "Baroness")
}

func bulkChecks() []Check {
	const source = "RFC 7644 §3.7"
	return []Check{
		{
			Name: "bulk/references", Severity: Must, Source: source, Needs: []Feature{Bulk, Groups}, Writes: true,
			Asserts: "one bulk request makes a user and a group with that user in it, by bulkId",
			run:     bulkReferences,
		},
		{
			Name: "bulk/fail-on-errors", Severity: Must, Source: source, Needs: []Feature{Bulk}, Writes: true,
			Asserts: "after failOnErrors failures nothing more is done",
			run: func(t *talk) {
				name := t.userName()
				bad := object{"method": "POST", "path": "/Users", "bulkId": "a", "data": object{"schemas": list{urnUser}}}
				good := object{"method": "POST", "path": "/Users", "bulkId": "b", "data": object{"schemas": list{urnUser}, "userName": name}}
				t.post("/Bulk", object{"schemas": list{urnBulk}, "failOnErrors": 1, "Operations": list{bad, good}}).status(http.StatusOK)
				t.find("Users", `userName eq "`+name+`"`).none()
			},
		},
		{
			Name: "bulk/too-many", Severity: Must, Source: source, Needs: []Feature{Bulk}, Writes: true,
			Asserts: "more operations than advertised are 413",
			run: func(t *talk) {
				if t.s.maxBulk == 0 || t.s.maxBulk > 10_000 {
					t.skip("the advertised limit is none, or too high to try")
				}
				operations := slices.Repeat(list{object{"method": "DELETE", "path": "/Users/" + unknownID}}, min(t.s.maxBulk, 10_000)+1)
				t.post("/Bulk", object{"schemas": list{urnBulk}, "Operations": operations}).refused(http.StatusRequestEntityTooLarge, "")
			},
		},
	}
}

func bulkReferences(t *talk) {
	user, name := t.userName(), t.groupName()
	r := t.post("/Bulk", object{"schemas": list{urnBulk}, "Operations": list{
		object{"method": "POST", "path": "/Users", "bulkId": "ada", "data": object{"schemas": list{urnUser}, "userName": user}},
		object{"method": "POST", "path": "/Groups", "bulkId": "team", "data": object{
			"schemas": list{urnGroup}, "displayName": name, "members": list{object{"value": "bulkId:ada"}},
		}},
	}}).status(http.StatusOK)
	operations, _ := r.object()["Operations"].(list)
	for _, o := range operations {
		if status := text(lookup(o, "status")); status != "201" || text(lookup(o, "location")) == "" {
			r.blame("an operation has status %s and location %s, expected \"201\" and the URL", asText(lookup(o, "status")), asText(lookup(o, "location")))
		}
	}
	if len(operations) != 2 {
		r.blame("%d results, expected 2", len(operations))
	}
	for _, found := range t.find("Users", `userName eq "`+user+`"`).listed() {
		t.find("Groups", `displayName eq "`+name+`" and members eq "`+text(found["id"])+`"`).has("totalResults", 1)
		return
	}
	t.fail("the user of the bulk request is not found")
}

func cursorChecks() []Check {
	const source = "RFC 9865"
	return []Check{
		{
			Name: "cursor/walk", Severity: Must, Source: source, Needs: []Feature{Cursor}, Writes: true,
			Asserts: "pages by cursor hold together everything that a filter finds, once; the last has no nextCursor",
			run:     cursorWalk,
		},
		{
			Name: "cursor/invalid", Severity: Must, Source: source, Needs: []Feature{Cursor},
			Asserts: "a cursor that the endpoint never gave is 400 with scimType invalidCursor",
			run: func(t *talk) {
				t.get("/Users?count=1&cursor="+t.s.prefix).refused(http.StatusBadRequest, "invalidCursor")
			},
		},
	}
}

func cursorWalk(t *talk) {
	wanted := map[string]bool{}
	title := t.s.prefix + "-cursor"
	for range 3 {
		wanted[t.user(`{"title":"`+title+`"}`).id] = true
	}
	cursor := ""
	for range 4 {
		r := t.get("/Users?count=2&cursor=" + url.QueryEscape(cursor) + "&filter=" + url.QueryEscape(`title eq "`+title+`"`))
		for _, resource := range r.listed() {
			if !wanted[text(resource["id"])] {
				r.blame("the user %s is on two pages, or is none of those asked for", asText(resource["id"]))
			}
			delete(wanted, text(resource["id"]))
		}
		if cursor = text(r.object()["nextCursor"]); cursor == "" {
			break
		}
	}
	if len(wanted) > 0 || cursor != "" {
		t.fail("%d of three users are on no page, and the cursor of the last page is %s", len(wanted), asText(cursor))
	}
}
