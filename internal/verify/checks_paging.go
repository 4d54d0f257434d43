package verify

import (
	"fmt"
	"net/http"
	"net/url"
)

func pagingChecks() []Check {
	const source = "RFC 7644 §3.4.2.4"
	return []Check{
		{
			Name: "paging/count", Severity: Must, Source: source,
			Asserts: "count=1 gives at most one user and says startIndex 1, itemsPerPage and totalResults as numbers",
			run: func(t *talk) {
				r := t.get("/Users?startIndex=1&count=1")
				found := r.listed()
				if len(found) > 1 {
					r.blame("%d users, expected at most one", len(found))
				}
				r.has("startIndex", 1).has("itemsPerPage", len(found))
			},
		},
		{
			Name: "paging/count-zero", Severity: Must, Source: source,
			Asserts: "count=0 gives the total alone",
			run:     func(t *talk) { emptyPage(t, "/Users?count=0") },
		},
		{
			Name: "paging/negative-count", Severity: Must, Source: source,
			Asserts: "a negative count means 0",
			run:     func(t *talk) { emptyPage(t, "/Users?count=-1") },
		},
		{
			Name: "paging/start-below-one", Severity: Must, Source: source,
			Asserts: "a startIndex below 1 means 1",
			run: func(t *talk) {
				r := t.get("/Users?startIndex=0&count=1")
				r.listed()
				r.has("startIndex", 1)
			},
		},
		{
			Name: "paging/beyond-the-end", Severity: Must, Source: source,
			Asserts: "a page behind the last is empty and not an error",
			run:     func(t *talk) { emptyPage(t, "/Users?startIndex=2000000000&count=5") },
		},
	}
}

func pageChecks() []Check {
	const source = "RFC 7644 §3.4.2.4"
	return []Check{
		{
			Name: "paging/eleven-users", Severity: Entra, Source: "Entra gallery validation: SCIM_User_Pagination_Test", Writes: true,
			Asserts: "with eleven users and count=5, pages are full, follow each other without repeats, and echo startIndex",
			run: func(t *talk) {
				for range 11 {
					t.user("")
				}
				walk(t, "Users")
			},
		},
		{
			Name: "paging/eleven-groups", Severity: Should, Source: "Entra gallery validation: SCIM_Group_Pagination_Test", Writes: true, Needs: []Feature{Groups},
			Asserts: "with eleven groups and count=5, pages are full, follow each other without repeats, and echo startIndex",
			run: func(t *talk) {
				for range 11 {
					t.group()
				}
				walk(t, "Groups")
			},
		},
		{
			Name: "paging/filtered", Severity: Must, Source: source, Writes: true,
			Asserts: "pages of a filter hold together everything that it finds, once",
			run:     filteredPages,
		},
	}
}

func emptyPage(t *talk, path string) {
	r := t.get(path)
	if n := len(r.listed()); n > 0 {
		r.blame("%d users, expected none on this page", n)
	}
}

// walk reads the first three pages as Entra's validation does; there may be millions more.
func walk(t *talk, kind string) {
	const size = 5
	seen := map[any]bool{}
	for page := range 3 {
		start := page*size + 1
		r := t.get(fmt.Sprintf("/%s?startIndex=%d&count=%d", kind, start, size))
		found := r.listed()
		r.has("startIndex", start)
		total, _ := r.object()["totalResults"].(float64)
		if want := min(size, int(min(total, 1<<30))-start+1); len(found) != want {
			r.blame("%d resources on the page that begins with %d of %.0f, expected %d", len(found), start, total, want)
		}
		for _, resource := range found {
			if seen[text(resource["id"])] {
				r.blame("the resource %s is on two pages", asText(resource["id"]))
			}
			seen[text(resource["id"])] = true
		}
		if t.err != nil || total <= float64(start+size-1) {
			return
		}
	}
}

func filteredPages(t *talk) {
	wanted := map[string]bool{}
	title := t.s.prefix + "-page"
	for range 5 {
		wanted[t.user(`{"title":"`+title+`"}`).id] = true
	}
	for start := 1; start <= 5; start += 2 {
		r := t.get(fmt.Sprintf("/Users?filter=%s&startIndex=%d&count=2", url.QueryEscape(`title eq "`+title+`"`), start))
		for _, resource := range r.listed() {
			if !wanted[text(resource["id"])] {
				r.blame("the user %s is on two pages, or is none of those asked for", asText(resource["id"]))
			}
			delete(wanted, text(resource["id"]))
		}
		r.has("totalResults", 5)
	}
	if len(wanted) > 0 {
		t.fail("%d of five users are on no page", len(wanted))
	}
}

func projectionChecks() []Check {
	const source = "RFC 7644 §3.4.2.5, §3.9"
	return []Check{
		{
			Name: "projection/attributes", Severity: Must, Source: source, Writes: true,
			Asserts: "attributes limits what comes back; id always comes",
			run: func(t *talk) {
				p := t.user(`{"title":"Countess","name":{"givenName":"Ada","familyName":"Lovelace"}}`)
				r := t.get(p.path+"?attributes=userName,name.familyName").status(http.StatusOK).has("id", p.id).has("userName", p.userName)
				r.has("name.familyName", "Lovelace").lacks("title").lacks("name.givenName")
			},
		},
		{
			Name: "projection/excluded-attributes", Severity: Must, Source: source, Writes: true,
			Asserts: "excludedAttributes takes away what it names, but never id",
			run: func(t *talk) {
				p := t.user(`{"title":"Countess","nickName":"Ada"}`)
				t.get(p.path+"?excludedAttributes=title,id").status(http.StatusOK).has("id", p.id).has("nickName", "Ada").lacks("title")
			},
		},
		{
			Name: "projection/list", Severity: Must, Source: source, Writes: true,
			Asserts: "attributes limits the resources of a list",
			run:     projectedList,
		},
		{
			Name: "projection/extension", Severity: Must, Source: source, Writes: true, Needs: []Feature{Enterprise},
			Asserts: "attributes names an attribute of an extension by its URN",
			run: func(t *talk) {
				p := t.user(`{"` + urnEnterprise + `":{"department":"Analysis","employeeNumber":"1815"}}`)
				t.get(p.path+"?attributes="+url.QueryEscape(urnEnterprise+":department")).status(http.StatusOK).
					has(urnEnterprise+":department", "Analysis").lacks(urnEnterprise + ":employeeNumber").lacks("displayName")
			},
		},
	}
}

func answerChecks() []Check {
	const source = "RFC 7644 §3.4.2.5, §3.9"
	return []Check{
		{
			Name: "projection/on-create", Severity: Should, Source: source, Writes: true,
			Asserts: "attributes limits the answer to a POST",
			run: func(t *talk) {
				name := t.userName()
				t.post("/Users?attributes=userName", object{"schemas": list{urnUser}, "userName": name, "title": "Countess"}).
					status(http.StatusCreated).has("userName", name).lacks("title")
			},
		},
		{
			Name: "projection/group-members", Severity: Entra, Source: "Entra: get group; SCIM Validator 14, 15", Writes: true, Needs: []Feature{Groups},
			Asserts: "excludedAttributes=members keeps members out of a group and of a list of groups",
			run: func(t *talk) {
				g := t.group(t.user(""))
				t.get(g.path+"?excludedAttributes=members").status(http.StatusOK).has("displayName", g.name).lacks("members")
				r := t.get("/Groups?excludedAttributes=members&filter=" + url.QueryEscape(`displayName eq "`+g.name+`"`)).one(g.id)
				for _, resource := range r.listed() {
					if !unassigned(lookup(resource, "members")) {
						r.blame("a group of the list has members")
					}
				}
			},
		},
		{
			Name: "projection/value-path", Severity: Should, Source: "Microsoft's Postman collection", Writes: true,
			Asserts: "attributes=emails[type eq \"work\"] gives e-mails and is no error",
			run: func(t *talk) {
				p := t.user(`{"emails":[{"type":"work","value":"ada@example.com"}]}`)
				t.get(p.path+"?attributes="+url.QueryEscape(`emails[type eq "work"]`)).status(http.StatusOK).
					has(`emails[type eq "work"].value`, "ada@example.com")
			},
		},
	}
}

func projectedList(t *talk) {
	p := t.user(`{"title":"Countess"}`)
	r := t.get("/Users?attributes=userName&filter=" + url.QueryEscape(`userName eq "`+p.userName+`"`)).one(p.id)
	for _, resource := range r.listed() {
		if resource["userName"] != p.userName || resource["title"] != nil {
			r.blame("the resource of the list is %s, expected userName without title", asText(resource))
		}
	}
}
