package verify

import (
	"net/http"
)

func clearingChecks() []Check {
	const source = "Entra gallery validation: SCIM_Null_Update_Test; RFC 7643 §2.5"
	return []Check{
		{
			Name: "clear/empty-string", Severity: Entra, Source: source, Writes: true,
			Asserts: "replace with an empty string leaves an attribute empty or absent",
			run:     func(t *talk) { clearOneByOne(t, `""`, true) },
		},
		{
			Name: "clear/null", Severity: Entra, Source: source, Writes: true,
			Asserts: "replace with null leaves an attribute absent, not even an empty string",
			run:     func(t *talk) { clearOneByOne(t, `null`, false) },
		},
		{
			Name: "clear/null-at-once", Severity: Entra, Source: source, Writes: true,
			Asserts: "nulls of one operation without path leave all its attributes absent",
			run: func(t *talk) {
				p := t.user(clearable)
				t.patch(p.path, `[{"op":"replace","value":{"title":null,"nickName":null,"name.familyName":null}}]`).status(http.StatusOK, http.StatusNoContent)
				t.get(p.path).status(http.StatusOK).holds(`{"title":null,"nickName":null,"name.familyName":null,"preferredLanguage":"en-GB"}`)
			},
		},
	}
}

const clearable = `{"title":"Countess","nickName":"Ada","preferredLanguage":"en-GB","name":{"familyName":"Lovelace","givenName":"Ada"},
	"phoneNumbers":[{"type":"work","value":"1"}]}`

// clearOneByOne sends one operation for each path, as Entra's validation does.
func clearOneByOne(t *talk, value string, mayStayEmpty bool) {
	p := t.user(clearable)
	paths := []string{"title", "nickName", "preferredLanguage", "name.familyName", `phoneNumbers[type eq "work"].value`}
	for _, path := range paths {
		t.patch(p.path, `[{"op":"replace","path":`+quote(path)+`,"value":`+value+`}]`).status(http.StatusOK, http.StatusNoContent)
	}
	r := t.get(p.path).status(http.StatusOK).has("name.givenName", "Ada")
	for _, path := range paths {
		if !mayStayEmpty || lookup(r.object(), path) != "" {
			r.lacks(path)
		}
	}
}

func quote(s string) string {
	text, _ := encode(object{"": s})
	return string(text[4 : len(text)-1])
}

func patchRuleChecks() []Check {
	return []Check{
		{
			Name: "patch-rules/answer", Severity: Entra, Source: "RFC 7644 §3.5.2; Entra SCIM Validator", Writes: true,
			Asserts: "PATCH of a user is 200 with the user as it is now, or 204 without a body",
			run: func(t *talk) {
				p := t.user("")
				r := t.patch(p.path, `[{"op":"replace","path":"title","value":"Countess"}]`).status(http.StatusOK, http.StatusNoContent)
				if r.answer.status == http.StatusOK {
					r.has("id", p.id).has("title", "Countess")
				} else if len(r.answer.body) > 0 {
					r.blame("204 with a body")
				}
			},
		},
		{
			Name: "patch-rules/no-target", Severity: Must, Source: "RFC 7644 §3.5.2.2", Writes: true,
			Asserts: "remove without a path is 400 with scimType noTarget",
			run: func(t *talk) {
				p := t.user("")
				t.patch(p.path, `[{"op":"remove"}]`).refused(http.StatusBadRequest, "noTarget")
			},
		},
		{
			Name: "patch-rules/unknown-op", Severity: Must, Source: "RFC 7644 §3.5.2", Writes: true,
			Asserts: "an operation that does not exist is 400",
			run: func(t *talk) {
				p := t.user("")
				t.patch(p.path, `[{"op":"increment","path":"title","value":"x"}]`).refused(http.StatusBadRequest, "")
			},
		},
		{
			Name: "patch-rules/read-only", Severity: Must, Source: "RFC 7644 §3.5.2", Writes: true,
			Asserts: "a path that names id is 400 with scimType mutability",
			run: func(t *talk) {
				p := t.user("")
				t.patch(p.path, `[{"op":"replace","path":"id","value":"`+unknownID+`"}]`).refused(http.StatusBadRequest, "mutability")
			},
		},
	}
}

func patchEffectChecks() []Check {
	return []Check{
		{
			Name: "patch-rules/atomic", Severity: Must, Source: "RFC 7644 §3.5.2", Writes: true,
			Asserts: "where one operation fails, none is applied",
			run: func(t *talk) {
				p := t.user(`{"title":"Countess"}`)
				t.patch(p.path, `[{"op":"replace","path":"title","value":"Lady"},{"op":"remove"}]`).refused(http.StatusBadRequest, "")
				t.get(p.path).status(http.StatusOK).has("title", "Countess")
			},
		},
		{
			Name: "patch-rules/one-primary", Severity: Must, Source: "RFC 7644 §3.5.2", Writes: true,
			Asserts: "a new primary value takes primary from the old one",
			run: func(t *talk) {
				p := t.user(`{"emails":[{"type":"work","value":"a@example.com","primary":true}]}`)
				t.patch(p.path, `[{"op":"add","path":"emails","value":[{"type":"home","value":"b@example.com","primary":true}]}]`).status(http.StatusOK, http.StatusNoContent)
				r := t.get(p.path).status(http.StatusOK).has(`emails[type eq "home"].primary`, true)
				if lookup(r.object(), `emails[type eq "work"].primary`) == true {
					r.blame("two values are primary")
				}
			},
		},
		{
			Name: "patch-rules/nothing-new", Severity: Should, Source: "RFC 7644 §3.5.2.1", Writes: true,
			Asserts: "what changes nothing leaves meta.lastModified as it was",
			run: func(t *talk) {
				p := t.user(`{"title":"Countess"}`)
				before := lookup(t.get(p.path).status(http.StatusOK).object(), "meta.lastModified")
				t.patch(p.path, `[{"op":"replace","path":"title","value":"Countess"}]`).status(http.StatusOK, http.StatusNoContent)
				r := t.get(p.path).status(http.StatusOK)
				if before == nil {
					r.blame("meta.lastModified is missing")
				}
				r.has("meta.lastModified", before)
			},
		},
		{
			Name: "patch-rules/unknown-user", Severity: Must, Source: "RFC 7644 §3.5.2, §3.12", Writes: true,
			Asserts: "PATCH of an unknown id is 404",
			run: func(t *talk) {
				t.patch("/Users/"+unknownID, `[{"op":"replace","path":"title","value":"x"}]`).refused(http.StatusNotFound, "")
			},
		},
		{
			Name: "patch-rules/rename", Severity: Entra, Source: "Entra SCIM Validator: Update User userName", Writes: true,
			Asserts: "userName and externalId can be changed; the user is found by the new name and not by the old one",
			run:     rename,
		},
	}
}

func rename(t *talk) {
	p := t.user("")
	name := t.userName()
	t.patch(p.path, `[{"op":"Replace","path":"userName","value":"`+name+`"},{"op":"Replace","path":"externalId","value":"`+name+`"}]`).
		status(http.StatusOK, http.StatusNoContent)
	t.get(p.path).status(http.StatusOK).has("id", p.id).has("userName", name).has("externalId", name)
	t.find("Users", `userName eq "`+name+`"`).one(p.id)
	t.find("Users", `userName eq "`+p.userName+`"`).none()
}
