package verify

import (
	"net/http"
	"strings"
)

const unknownID = "00000000-0000-4000-8000-000000000000"

func protocolChecks() []Check {
	return []Check{
		{
			Name: "protocol/content-type", Severity: Entra, Source: "Entra: general guidelines; RFC 7644 §3.8",
			Asserts: "answers and errors have the content type application/scim+json",
			run: func(t *talk) {
				for _, path := range []string{"/ServiceProviderConfig", "/Users?count=1", "/Users/" + unknownID} {
					r := t.get(path)
					if t.err == nil && r.answer.contentType() != "application/scim+json" {
						r.blame("the content type is %q, expected application/scim+json", r.answer.contentType())
					}
				}
			},
		},
		{
			Name: "protocol/bare-request", Severity: Entra, Source: "Entra: its requests have no User-Agent, and no Content-Type on GET",
			Asserts: "a GET without Accept, Content-Type and User-Agent is answered",
			run: func(t *talk) {
				t.send(http.MethodGet, "/Users?count=1", nil, map[string]string{"Accept": "", "User-Agent": ""}).listed()
			},
		},
		{
			Name: "protocol/flags-in-query", Severity: Entra, Source: "Entra: aadOptscim062020 rides in the Tenant URL",
			Asserts: "an unknown word in the query, without value, is passed over",
			run: func(t *talk) {
				t.get("/Users?count=1&aadOptscim062020").listed()
			},
		},
		{
			Name: "protocol/trailing-slash", Severity: Info, Source: "Entra: the Tenant URL may end with a slash",
			Asserts: "a doubled slash before Users is tolerated",
			run: func(t *talk) {
				t.get("//Users?count=1").listed()
			},
		},
		{
			Name: "protocol/token-refused", Severity: Must, Source: "RFC 7644 §2; Entra: 401 for bad credentials",
			Asserts: "a wrong token is 401 with the header WWW-Authenticate",
			run:     tokenRefused,
		},
		{
			Name: "protocol/unknown-user", Severity: Entra, Source: "Entra: GET by id; RFC 7644 §3.12",
			Asserts: "an unknown user is 404 as a SCIM error, its status a string, with a detail",
			run: func(t *talk) {
				r := t.get("/Users/"+unknownID).refused(http.StatusNotFound, "")
				if text(r.object()["detail"]) == "" {
					r.blame("the error has no detail")
				}
			},
		},
	}
}

func bodyChecks() []Check {
	return []Check{
		{
			Name: "protocol/unknown-endpoint", Severity: Must, Source: "RFC 7644 §3.12; scim2-tester",
			Asserts: "an unknown path is 404 as a SCIM error",
			run: func(t *talk) {
				t.get("/"+t.s.prefix).refused(http.StatusNotFound, "")
			},
		},
		{
			Name: "protocol/me", Severity: Info, Source: "RFC 7644 §3.11",
			Asserts: "/Me is served, redirected (308) or 501",
			run: func(t *talk) {
				t.get("/Me").status(http.StatusOK, http.StatusPermanentRedirect, http.StatusNotImplemented)
			},
		},
		{
			Name: "protocol/plain-json", Severity: Should, Source: "RFC 7644 §3.8", Writes: true,
			Asserts: "a body of type application/json is taken as well",
			run: func(t *talk) {
				name := t.userName()
				t.send(http.MethodPost, "/Users", object{"schemas": list{urnUser}, "userName": name},
					map[string]string{"Content-Type": "application/json", "Accept": "application/json"}).status(http.StatusCreated).has("userName", name)
			},
		},
		{
			Name: "protocol/broken-json", Severity: Must, Source: "RFC 7644 §3.12", Writes: true,
			Asserts: "a body that is no JSON is 400",
			run: func(t *talk) {
				t.post("/Users", `{"schemas":["`+urnUser+`"],"userName":"`+t.userName()+`"`).refused(http.StatusBadRequest, "")
			},
		},
		{
			Name: "protocol/names-without-case", Severity: Must, Source: "RFC 7643 §2.1; Microsoft's Postman collection", Writes: true,
			Asserts: "names of attributes are compared without case",
			run: func(t *talk) {
				name := t.userName()
				r := t.post("/Users", object{"schemas": list{urnUser}, "USERNAME": name, "displayname": "Ada", "Name": object{"FamilyName": "Lovelace"}})
				r.status(http.StatusCreated).has("userName", name).has("displayName", "Ada").has("name.familyName", "Lovelace")
			},
		},
	}
}

// tokenRefused sends a token that nobody made; without a token of our own there is nothing to protect.
func tokenRefused(t *talk) {
	if t.s.client.token == "" {
		t.skip("no token was given")
	}
	r := t.send(http.MethodGet, "/Users?count=1", nil, map[string]string{"Authorization": "Bearer " + t.s.prefix}).status(http.StatusUnauthorized)
	if t.err == nil && !strings.Contains(strings.ToLower(r.header("WWW-Authenticate")), "bearer") {
		r.blame("WWW-Authenticate is %q, expected it to name Bearer", r.header("WWW-Authenticate"))
	}
}
