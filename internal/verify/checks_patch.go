package verify

import (
	"net/http"
	"strings"
)

// patchForm is one form of PATCH that Entra sends: a user as it is before, the operations, and what a GET shows
// afterwards; null means unassigned. {{boss}} is the id of another user.
type patchForm struct {
	name, asserts, source string
	before, ops, after    string
}

func patchChecks() []Check {
	var checks []Check
	for _, forms := range [][]patchForm{attributeForms(), elementForms(), pathlessForms(), roleForms(), managerForms()} {
		for _, f := range forms {
			c := Check{
				Name: "patch/" + f.name, Asserts: f.asserts, Source: f.source, Severity: Entra, Writes: true,
				run: func(t *talk) { f.run(t) },
			}
			if strings.HasPrefix(f.name, "manager") || strings.HasPrefix(f.name, "extension") {
				c.Needs = []Feature{Enterprise}
			}
			checks = append(checks, c)
		}
	}
	return checks
}

func (f patchForm) run(t *talk) {
	ops, before, after := f.ops, f.before, f.after
	if strings.Contains(before+ops, "{{boss}}") {
		boss := t.user("")
		fill := strings.NewReplacer("{{boss}}", boss.id).Replace
		ops, before, after = fill(ops), fill(before), fill(after)
	}
	p := t.user(before)
	t.patch(p.path, ops).status(http.StatusOK, http.StatusNoContent)
	t.get(p.path).status(http.StatusOK).has("userName", p.userName).holds(after)
}

func attributeForms() []patchForm {
	return []patchForm{
		{
			"add-single", "add on a single value sets it, with a capital in op", "Entra: understand the SCIM dialect; RFC 7644 §3.5.2.1",
			``, `[{"op":"Add","path":"nickName","value":"Babs"}]`, `{"nickName":"Babs"}`,
		},
		{
			"replace-absent", "replace sets what was not there", "RFC 7644 §3.5.2.3",
			``, `[{"op":"replace","path":"title","value":"Countess"}]`, `{"title":"Countess"}`,
		},
		{
			"sub-attribute", "a sub-attribute is set although its parent is not there", "Entra: name.familyName",
			``, `[{"op":"Replace","path":"name.familyName","value":"King"}]`, `{"name.familyName":"King"}`,
		},
		{
			"extension", "an attribute of an extension is set although the user has nothing of it", "Entra: enterprise attributes",
			``, `[{"op":"Replace","path":"` + urnEnterprise + `:department","value":"Analysis"}]`, `{"` + urnEnterprise + `:department":"Analysis"}`,
		},
		{
			"remove", "remove takes an attribute away", "RFC 7644 §3.5.2.2",
			`{"title":"Countess","nickName":"Babs"}`, `[{"op":"Remove","path":"title"}]`, `{"title":null,"nickName":"Babs"}`,
		},
		{
			"remove-with-value", "remove with a value takes the value away and does not set it", "Entra's reference code, issue 87",
			`{"emails":[{"type":"work","value":"ada@example.com","primary":true},{"type":"home","value":"home@example.com"}]}`,
			`[{"op":"Remove","path":"emails[type eq \"work\"].value","value":"updated@example.com"}]`,
			`{"emails[type eq \"work\"].value":null,"emails[type eq \"home\"].value":"home@example.com"}`,
		},
		{
			"several-operations", "operations on different attributes are all applied", "Entra SCIM Validator, preview",
			`{"title":"Countess"}`,
			`[{"op":"Replace","path":"displayName","value":"Augusta"},{"op":"Add","path":"nickName","value":"Ada"},{"op":"Remove","path":"title"}]`,
			`{"displayName":"Augusta","nickName":"Ada","title":null}`,
		},
		{
			"in-order", "operations on one attribute apply in their order", "Entra SCIM Validator, preview",
			``, `[{"op":"remove","path":"externalId"},{"op":"add","path":"externalId","value":"one"},{"op":"replace","path":"externalId","value":"two"}]`,
			`{"externalId":"two"}`,
		},
		{
			"no-operations", "no operations at all are a success", "Entra SCIM Validator without mapped attributes",
			`{"title":"Countess"}`, `[]`, `{"title":"Countess"}`,
		},
		{
			"id-among-values", "id in the value of an operation without path is passed over", "Okta",
			``, `[{"op":"replace","value":{"id":"something-else","displayName":"Augusta"}}]`, `{"displayName":"Augusta"}`,
		},
	}
}

func elementForms() []patchForm {
	const source = "Entra: update of multi-valued attributes"
	return []patchForm{
		{
			"element-replace", "the element that a filter selects is changed, and no other", source,
			`{"emails":[{"type":"work","value":"ada@example.com"},{"type":"home","value":"home@example.com"}]}`,
			`[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"new@example.com"}]`,
			`{"emails[type eq \"work\"].value":"new@example.com","emails[type eq \"home\"].value":"home@example.com"}`,
		},
		{
			"element-created", "replace makes the element that the filter describes where there is none", source,
			``, `[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ada@example.com"}]`,
			`{"emails[type eq \"work\"].value":"ada@example.com"}`,
		},
		{
			"element-added", "add makes the element that the filter describes where there is none", source,
			`{"phoneNumbers":[{"type":"work","value":"1"}]}`, `[{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"2"}]`,
			`{"phoneNumbers[type eq \"mobile\"].value":"2","phoneNumbers[type eq \"work\"].value":"1"}`,
		},
		{
			"element-built", "several operations build one element", source,
			``, `[{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"London"},
				{"op":"Add","path":"addresses[type eq \"work\"].postalCode","value":"SW1Y 4JH"},
				{"op":"Add","path":"addresses[type eq \"work\"].country","value":"GB"}]`,
			`{"addresses[type eq \"work\"].locality":"London","addresses[type eq \"work\"].postalCode":"SW1Y 4JH",
				"addresses[type eq \"work\"].country":"GB"}`,
		},
	}
}

func pathlessForms() []patchForm {
	return []patchForm{
		{
			"extension-flattened", "an operation without path may name sub-attributes and extensions as flat keys", "Entra: aadOptscim062020",
			``, `[{"op":"replace","value":{"displayName":"Augusta","name.givenName":"Ada","name.familyName":"King",
				"` + urnEnterprise + `:employeeNumber":"1815"}}]`,
			`{"displayName":"Augusta","name.givenName":"Ada","name.familyName":"King","` + urnEnterprise + `:employeeNumber":"1815"}`,
		},
		{
			"extension-nested", "an operation without path may nest, and what it does not name stays", "RFC 7644 §3.5.2.3",
			`{"name":{"givenName":"Ada","familyName":"Lovelace"}}`,
			`[{"op":"Replace","value":{"name":{"familyName":"King"},"` + urnEnterprise + `":{"department":"Analysis"}}}]`,
			`{"name.givenName":"Ada","name.familyName":"King","` + urnEnterprise + `:department":"Analysis"}`,
		},
		{
			"pathless-add", "add without path sets what is named", "RFC 7644 §3.5.2.1",
			`{"title":"Countess"}`, `[{"op":"add","value":{"nickName":"Babs"}}]`, `{"nickName":"Babs","title":"Countess"}`,
		},
	}
}

func roleForms() []patchForm {
	return []patchForm{
		{
			"role-primary", "roles[primary eq \"True\"] compares with the boolean, and makes the role", "Entra: provision a role; SCIM Validator",
			``, `[{"op":"add","path":"roles[primary eq \"True\"].display","value":"Reader"},{"op":"add","path":"roles[primary eq \"True\"].value","value":"r"}]`,
			`{"roles[value eq \"r\"].display":"Reader","roles[value eq \"r\"].primary":true}`,
		},
		{
			"role-in-json", "a role whose value is JSON in a string is kept", "Entra: SingleAppRoleAssignment",
			``, `[{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"06b07648\",\"value\":\"25\",\"displayName\":\"Role1234\"}"}]}]`,
			`{"roles":[{"value":"{\"id\":\"06b07648\",\"value\":\"25\",\"displayName\":\"Role1234\"}"}]}`,
		},
		{
			"role-replace", "replace makes the list of roles exactly that", "Entra: AssertiveAppRoleAssignmentsComplex",
			`{"roles":[{"value":"old"}]}`, `[{"op":"replace","path":"roles","value":[{"value":"a","type":"app"},{"value":"b","type":"app2"}]}]`,
			`{"roles[value eq \"a\"].type":"app","roles[value eq \"b\"].type":"app2","roles[value eq \"old\"]":null}`,
		},
	}
}

func managerForms() []patchForm {
	const (
		source  = "Entra gallery validation: SCIM_Update_Manager_Test; RFC 7643 §4.3"
		manager = urnEnterprise + ":manager"
		has     = `{"` + manager + `.value":"{{boss}}"}`
		none    = `{"` + manager + `.value":null}`
		with    = `{"` + urnEnterprise + `":{"manager":{"value":"{{boss}}"}}}`
	)
	return []patchForm{
		{"manager-string", "a manager is set by the bare id and comes back as an object", source, ``, `[{"op":"Add","path":"` + manager + `","value":"{{boss}}"}]`, has},
		{"manager-list", "a manager is set by a list of one, without URN", source, ``, `[{"op":"Add","path":"manager","value":[{"value":"{{boss}}"}]}]`, has},
		{"manager-object", "a manager is set by an object", source, ``, `[{"op":"Replace","path":"` + manager + `","value":{"value":"{{boss}}"}}]`, has},
		{"manager-value", "a manager is set through the path of its value", source, ``, `[{"op":"add","path":"` + manager + `.value","value":"{{boss}}"}]`, has},
		{"manager-empty", "an empty string takes the manager away", source, with, `[{"op":"replace","path":"` + manager + `","value":""}]`, none},
		{"manager-empty-object", "an empty value in an object takes the manager away", source, with, `[{"op":"replace","path":"` + manager + `","value":{"value":""}}]`, none},
		{"manager-remove", "remove takes the manager away", source, with, `[{"op":"Remove","path":"` + manager + `"}]`, none},
		{"manager-remove-selected", "remove with a filter takes the manager away", source, with, `[{"op":"remove","path":"` + manager + `[value eq \"{{boss}}\"]"}]`, none},
	}
}
