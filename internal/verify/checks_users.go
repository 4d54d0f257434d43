package verify

import (
	"net/http"
	"strings"
)

func createChecks() []Check {
	return []Check{
		{
			Name: "create/user", Severity: Entra, Source: "Entra: create user; RFC 7644 §3.3", Writes: true,
			Asserts: "POST is 201 and gives back every attribute as it was sent, with an id",
			run:     createUser,
		},
		{
			Name: "create/minimal", Severity: Entra, Source: "Entra: users of the cloud alone have no mail", Writes: true,
			Asserts: "userName alone is enough to create a user",
			run: func(t *talk) {
				name := t.userName()
				t.post("/Users", object{"schemas": list{urnUser}, "userName": name}).status(http.StatusCreated).has("userName", name)
			},
		},
		{
			Name: "create/location", Severity: Must, Source: "RFC 7644 §3.3, RFC 7643 §3.1", Writes: true,
			Asserts: "Location of a 201 is absolute, the same as meta.location, and meta.resourceType is User",
			run: func(t *talk) {
				r := t.post("/Users", object{"schemas": list{urnUser}, "userName": t.userName()}).status(http.StatusCreated)
				location := r.header("Location")
				r.has("meta.location", location).has("meta.resourceType", "User")
				if !strings.HasPrefix(location, "http") || !strings.HasSuffix(location, "/Users/"+r.id()) {
					r.blame("Location is %q, expected an absolute URL that ends with the id", location)
				}
			},
		},
		{
			Name: "create/nulls", Severity: Entra, Source: "Entra: create user; RFC 7643 §2.5", Writes: true,
			Asserts: "null and empty values in a POST are unassigned, and meta from the client is passed over",
			run: func(t *talk) {
				name := t.userName()
				t.post("/Users", object{
					"schemas": list{urnUser}, "userName": name, "title": nil, "addresses": nil, "phoneNumbers": nil, "roles": list{},
					"meta": object{"resourceType": "User"},
				}).status(http.StatusCreated).has("userName", name).lacks("title").lacks("addresses").lacks("roles")
			},
		},
		{
			Name: "create/unknown-schema", Severity: Entra, Source: "Entra: schemas may name extensions that the endpoint does not have", Writes: true,
			Asserts: "an unknown URN in schemas does not stop a POST",
			run: func(t *talk) {
				t.user(`{"schemas":["` + urnUser + `","urn:ietf:params:scim:schemas:extension:contoso:2.0:User"]}`)
			},
		},
		{
			Name: "create/string-booleans", Severity: Entra, Source: "Entra SCIM Validator: roles with primary \"True\"", Writes: true,
			Asserts: "\"True\" stands for true in a POST",
			run: func(t *talk) {
				p := t.user(`{"active":"True","roles":[{"primary":"True","type":"app","value":"Reader","display":"Reader"}]}`)
				t.get(p.path).status(http.StatusOK).has("active", true).has(`roles[value eq "Reader"].primary`, true)
			},
		},
	}
}

func refusalChecks() []Check {
	return []Check{
		{
			Name: "create/unknown-attribute", Severity: Must, Source: "RFC 7644 §3.3; Microsoft's Postman collection", Writes: true,
			Asserts: "an unknown attribute in a POST is passed over or kept, not refused",
			run:     func(t *talk) { t.user(`{"favouriteColour":"green"}`) },
		},
		{
			Name: "create/without-user-name", Severity: Must, Source: "RFC 7643 §4.1.1", Writes: true,
			Asserts: "a user without userName is 400",
			run: func(t *talk) {
				t.post("/Users", object{"schemas": list{urnUser}, "displayName": t.userName()}).refused(http.StatusBadRequest, "")
			},
		},
		{
			Name: "create/duplicate", Severity: Entra, Source: "Entra SCIM Validator: Create a duplicate User; RFC 7644 §3.3", Writes: true,
			Asserts: "a userName that is taken is 409 with scimType uniqueness",
			run: func(t *talk) {
				p := t.user("")
				t.post("/Users", object{"schemas": list{urnUser}, "userName": p.userName}).refused(http.StatusConflict, "uniqueness")
			},
		},
		{
			Name: "create/duplicate-in-other-case", Severity: Must, Source: "RFC 7643 §4.1.1: userName is not case-exact", Writes: true,
			Asserts: "a userName that is taken in other case is 409",
			run: func(t *talk) {
				p := t.user("")
				t.post("/Users", object{"schemas": list{urnUser}, "userName": shout(p.userName)}).refused(http.StatusConflict, "uniqueness")
			},
		},
		{
			Name: "create/password", Severity: Must, Source: "RFC 7643 §4.1.1: password is never returned", Writes: true,
			Asserts: "a password does not come back",
			run: func(t *talk) {
				p := t.user(`{"password":"correct-Horse-7-battery"}`)
				t.get(p.path).status(http.StatusOK).lacks("password")
			},
		},
	}
}

// shout turns a name of this run into other case, but leaves the part by which it is recognised.
func shout(userName string) string {
	return strings.Replace(userName, domain, strings.ToUpper(domain), 1)
}

func createUser(t *talk) {
	p := t.user(`{"schemas":["` + urnUser + `","` + urnEnterprise + `"],"title":"Countess","preferredLanguage":"en-GB",
		"name":{"formatted":"Ada Lovelace","givenName":"Ada","familyName":"Lovelace"},
		"emails":[{"primary":true,"type":"work","value":"ada@example.com"}],
		"phoneNumbers":[{"type":"work","value":"55555555555"},{"type":"mobile","value":"+44 20 7946 0000"}],
		"addresses":[{"type":"work","formatted":"12 St James's Square","locality":"London","postalCode":"SW1Y 4JH","country":"GB"}],
		"` + urnEnterprise + `":{"department":"Analysis","employeeNumber":"1815"}}`)
	(&reply{t, t.last}).status(http.StatusCreated)
	t.get(p.path).status(http.StatusOK).has("id", p.id).has("userName", p.userName).has("externalId", p.userName).holds(`{
		"active":true,"displayName":"Usher Verify","title":"Countess","preferredLanguage":"en-GB","name.formatted":"Ada Lovelace",
		"name.givenName":"Ada","name.familyName":"Lovelace","emails[type eq \"work\"].value":"ada@example.com",
		"emails[type eq \"work\"].primary":true,"phoneNumbers[type eq \"work\"].value":"55555555555",
		"phoneNumbers[type eq \"mobile\"].value":"+44 20 7946 0000","addresses[type eq \"work\"].formatted":"12 St James's Square",
		"addresses[type eq \"work\"].postalCode":"SW1Y 4JH","` + urnEnterprise + `:department":"Analysis",
		"` + urnEnterprise + `:employeeNumber":"1815"}`)
}

func userChecks() []Check {
	return []Check{
		{
			Name: "user/read", Severity: Entra, Source: "Entra: get user; RFC 7644 §3.4.1", Writes: true,
			Asserts: "GET by id is the user, with schemas and meta",
			run: func(t *talk) {
				p := t.user("")
				r := t.get(p.path).status(http.StatusOK).has("id", p.id).has("meta.resourceType", "User")
				if !containsText(r.object()["schemas"], urnUser) {
					r.blame("schemas is %s, expected %s in it", asText(r.object()["schemas"]), urnUser)
				}
			},
		},
		{
			Name: "user/replace", Severity: Must, Source: "RFC 7644 §3.5.1; Okta", Writes: true,
			Asserts: "PUT is 200, sets what is sent and takes away what is not; the id stays",
			run: func(t *talk) {
				p := t.user(`{"title":"Countess","nickName":"Ada"}`)
				t.put(p.path, object{"schemas": list{urnUser}, "id": p.id, "userName": p.userName, "active": false, "title": "Lady"}).
					status(http.StatusOK).has("id", p.id)
				t.get(p.path).status(http.StatusOK).has("title", "Lady").has("active", false).lacks("nickName")
			},
		},
		{
			Name: "user/replace-unknown-attribute", Severity: Must, Source: "RFC 7644 §3.5.1; Microsoft's Postman collection", Writes: true,
			Asserts: "an unknown attribute in a PUT does not stop it",
			run: func(t *talk) {
				p := t.user("")
				t.put(p.path, object{"schemas": list{urnUser}, "userName": p.userName, "favouriteColour": "green", "title": "Lady"}).
					status(http.StatusOK).has("title", "Lady")
			},
		},
		{
			Name: "user/replace-without-user-name", Severity: Must, Source: "RFC 7644 §3.5.1; Microsoft's Postman collection", Writes: true,
			Asserts: "a PUT without userName is 400 and changes nothing",
			run: func(t *talk) {
				p := t.user(`{"title":"Countess"}`)
				t.put(p.path, object{"schemas": list{urnUser}, "title": "Lady"}).refused(http.StatusBadRequest, "")
				t.get(p.path).status(http.StatusOK).has("title", "Countess")
			},
		},
		{
			Name: "user/replace-unknown", Severity: Must, Source: "RFC 7644 §3.5.1", Writes: true,
			Asserts: "PUT never creates: an unknown id is 404",
			run: func(t *talk) {
				t.put("/Users/"+unknownID, object{"schemas": list{urnUser}, "userName": t.userName()}).refused(http.StatusNotFound, "")
			},
		},
	}
}

func deleteChecks() []Check {
	return []Check{
		{
			Name: "user/delete", Severity: Entra, Source: "Entra: delete user; RFC 7644 §3.6", Writes: true,
			Asserts: "DELETE is 204 without body; afterwards the user is neither read nor found",
			run: func(t *talk) {
				p := t.user("")
				t.delete(p.path).status(http.StatusNoContent)
				t.get(p.path).refused(http.StatusNotFound, "")
				t.find("Users", `userName eq "`+p.userName+`"`).none()
			},
		},
		{
			Name: "user/delete-twice", Severity: Entra, Source: "Entra SCIM Validator: delete the same user twice", Writes: true,
			Asserts: "DELETE of what is gone, or never was, is 404",
			run: func(t *talk) {
				p := t.user("")
				t.delete(p.path).status(http.StatusNoContent)
				t.delete(p.path).refused(http.StatusNotFound, "")
				t.delete("/Users/"+unknownID).refused(http.StatusNotFound, "")
			},
		},
		{
			Name: "user/create-again", Severity: Must, Source: "RFC 7644 §3.6", Writes: true,
			Asserts: "a deleted user's name is free again",
			run: func(t *talk) {
				p := t.user("")
				t.delete(p.path).status(http.StatusNoContent)
				t.post("/Users", object{"schemas": list{urnUser}, "userName": p.userName}).status(http.StatusCreated)
			},
		},
	}
}
