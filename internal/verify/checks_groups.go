package verify

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func groupChecks() []Check {
	checks := []Check{
		{
			Name: "group/create", Severity: Entra, Source: "Entra: create group",
			Asserts: "a group is created empty, and a schema that is no URN is tolerated",
			run:     createGroup,
		},
		{
			Name: "group/duplicate", Severity: Entra, Source: "Entra SCIM Validator: Create a duplicate Group",
			Asserts: "a displayName that is taken is 409",
			run: func(t *talk) {
				g := t.group()
				t.post("/Groups", object{"schemas": list{urnGroup}, "displayName": g.name}).refused(http.StatusConflict, "uniqueness")
			},
		},
		{
			Name: "group/without-name", Severity: Must, Source: "RFC 7643 §4.2",
			Asserts: "a group without displayName is 400",
			run: func(t *talk) {
				t.post("/Groups", object{"schemas": list{urnGroup}, "externalId": t.groupName()}).refused(http.StatusBadRequest, "")
			},
		},
		{
			Name: "group/find", Severity: Entra, Source: "Entra: get group by displayName; SCIM Validator 15 to 18",
			Asserts: "a group is found by displayName in any case, and by externalId",
			run: func(t *talk) {
				g := t.group()
				t.find("Groups", `displayName eq "`+g.name+`"`).one(g.id)
				t.find("Groups", `displayName eq "`+strings.ToUpper(g.name)+`"`).one(g.id)
				t.find("Groups", `externalId eq "`+g.name+`"`).one(g.id)
			},
		},
		{
			Name: "group/rename", Severity: Entra, Source: "Entra: update group [non-member attributes]; SCIM Validator 21, 22",
			Asserts: "displayName and externalId are replaced with a path and without one; the answer is 204, or 200",
			run:     renameGroup,
		},
	}
	return forGroups(append(checks, groupEndChecks()...))
}

func groupEndChecks() []Check {
	return []Check{
		{
			Name: "group/replace", Severity: Must, Source: "RFC 7644 §3.5.1; Okta",
			Asserts: "PUT replaces the name and the members",
			run: func(t *talk) {
				ada, bob := t.user(""), t.user("")
				g := t.group(ada)
				t.put(g.path, object{"schemas": list{urnGroup}, "displayName": g.name, "members": references([]person{bob})}).status(http.StatusOK)
				t.hasMembers(g, bob)
			},
		},
		{
			Name: "group/delete", Severity: Entra, Source: "Entra: delete group; SCIM Validator, preview",
			Asserts: "DELETE is 204; afterwards the group is 404 for GET and DELETE, and its members are still there",
			run: func(t *talk) {
				p := t.user("")
				g := t.group(p)
				t.delete(g.path).status(http.StatusNoContent)
				t.get(g.path).refused(http.StatusNotFound, "")
				t.delete(g.path).refused(http.StatusNotFound, "")
				t.get(p.path).status(http.StatusOK)
			},
		},
	}
}

func forGroups(checks []Check) []Check {
	for i := range checks {
		checks[i].Needs, checks[i].Writes = []Feature{Groups}, true
	}
	return checks
}

func createGroup(t *talk) {
	name := t.groupName()
	r := t.post("/Groups", object{
		"schemas": list{urnGroup, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"}, "displayName": name,
		"externalId": name, "meta": object{"resourceType": "Group"},
	})
	r.status(http.StatusCreated).has("displayName", name).has("externalId", name).has("meta.resourceType", "Group").lacks("members")
	t.get("/Groups/"+r.id()).status(http.StatusOK).has("displayName", name)
}

func renameGroup(t *talk) {
	g := t.group()
	for _, form := range []string{`[{"op":"Replace","path":"displayName","value":%q}]`, `[{"op":"replace","value":{"displayName":%q}}]`} {
		name := t.groupName()
		t.patch(g.path, fmt.Sprintf(form, name)).status(http.StatusNoContent, http.StatusOK)
		t.get(g.path).status(http.StatusOK).has("displayName", name)
	}
	t.patch(g.path, `[{"op":"replace","value":{"externalId":"renamed"}}]`).status(http.StatusNoContent, http.StatusOK)
	t.get(g.path).status(http.StatusOK).has("externalId", "renamed")
}

// hasMembers wants the group to have exactly these members.
func (t *talk) hasMembers(g group, wanted ...person) {
	r := t.get(g.path).status(http.StatusOK)
	var got, want []string
	entries, ok := r.object()["members"].(list)
	if !ok && r.object()["members"] != nil {
		r.blame("members is %s, expected a list", asText(r.object()["members"]))
	}
	for _, entry := range entries {
		got = append(got, text(lookup(entry, "value")))
	}
	for _, p := range wanted {
		want = append(want, p.id)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.blame("the members are %s, expected %s", asText(got), asText(want))
	}
}

// memberForm is one form of changing members: of the group of before, by the operations, to after. The words are any of
// ada, bob and cyd; {{ada}} is her id.
type memberForm struct {
	name, asserts, source string
	before, ops, after    string
}

func memberChecks() []Check {
	var checks []Check
	for _, f := range memberForms() {
		checks = append(checks, Check{Name: "member/" + f.name, Asserts: f.asserts, Source: f.source, Severity: Entra, run: func(t *talk) { f.run(t) }})
	}
	checks = append(
		checks,
		Check{
			Name: "member/at-once", Severity: Entra, Source: "Entra: hundreds of PATCHes of one group, several at once",
			Asserts: "of twenty members that are added at the same time by requests of their own, none is lost",
			run:     addAtOnce,
		},
		Check{
			Name: "member/many-in-one", Severity: Entra, Source: "Entra gallery requirements: several memberships in one PATCH",
			Asserts: "twenty members are added and removed in one operation each",
			run:     addMany,
		},
		Check{
			Name: "member/asked-for", Severity: Entra, Source: "Entra: reference queries",
			Asserts: "whether somebody is a member is asked by id and members together",
			run: func(t *talk) {
				ada, bob := t.user(""), t.user("")
				g := t.group(ada)
				t.find("Groups", `id eq "`+g.id+`" and members eq "`+ada.id+`"`).one(g.id)
				t.find("Groups", `members eq "`+ada.id+`" and id eq "`+g.id+`"`).one(g.id)
				t.find("Groups", `id eq "`+g.id+`" and members eq "`+bob.id+`"`).none()
			},
		},
		Check{
			Name: "member/unknown", Severity: Entra, Source: "Entra: one unknown member must not poison the group",
			Asserts: "an unknown member is taken or refused with 4xx, and the others of the group stay",
			run: func(t *talk) {
				ada := t.user("")
				g := t.group(ada)
				r := t.patch(g.path, `[{"op":"Add","path":"members","value":[{"value":"`+unknownID+`"}]}]`)
				if r.answer.status >= 500 {
					r.blame("status %s for a member that does not exist", statusText(r.answer.status))
				}
				t.patch(g.path, `[{"op":"Remove","path":"members","value":[{"value":"`+unknownID+`"}]}]`)
				t.hasMembers(g, ada)
			},
		},
	)
	return forGroups(checks)
}

func memberForms() []memberForm {
	const (
		rfc      = "RFC 7644 §3.5.2"
		legacy   = "Entra: add or remove members without the flag aadOptscim062020"
		flag     = "Entra: add or remove members with the flag aadOptscim062020"
		selected = `"path":"members[value eq \"{{ada}}\"]"`
	)
	return []memberForm{
		{"add", "a member is added by a list with $ref null", legacy, "ada", `[{"op":"Add","path":"members","value":[{"$ref":null,"value":"{{bob}}"}]}]`, "ada bob"},
		{"add-object", "a member is added by an object", flag, "", `[{"op":"add","path":"members","value":{"value":"{{ada}}"}}]`, "ada"},
		{"add-string", "a member is added by its bare id", "Microsoft's Postman collection", "", `[{"op":"add","path":"members","value":["{{ada}}"]}]`, "ada"},
		{"add-pathless", "members are added without a path", rfc, "ada", `[{"op":"add","value":{"members":[{"value":"{{bob}}"}]}}]`, "ada bob"},
		{"add-again", "who is a member already stays one, once", rfc, "ada bob", `[{"op":"Add","path":"members","value":[{"value":"{{ada}}"}]}]`, "ada bob"},
		{"remove-listed", "remove with a list removes those alone", legacy, "ada bob cyd", `[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"{{ada}}"}]}]`, "bob cyd"},
		{"remove-selected", "remove with a filter removes that member alone", flag, "ada bob", `[{"op":"remove",` + selected + `}]`, "bob"},
		{"remove-absent", "removing who is no member is a success", rfc, "bob", `[{"op":"remove",` + selected + `}]`, "bob"},
		{"remove-all", "remove without a filter or value removes all", rfc, "ada bob", `[{"op":"remove","path":"members"}]`, ""},
		{"replace", "replace makes the members exactly those", "Entra SCIM Validator: Add Member", "ada", `[{"op":"replace","path":"members","value":[{"value":"{{bob}}"},{"value":"{{cyd}}"}]}]`, "bob cyd"},
		{"replace-empty", "replace with an empty list removes all", "Okta", "ada bob", `[{"op":"replace","path":"members","value":[]}]`, ""},
		{"add-and-remove", "one request adds and removes", "Entra SCIM Validator, preview", "ada", `[{"op":"add","path":"members","value":[{"value":"{{bob}}"}]},{"op":"remove",` + selected + `}]`, "bob"},
	}
}

func (f memberForm) run(t *talk) {
	people := map[string]person{}
	for _, name := range []string{"ada", "bob", "cyd"} {
		if strings.Contains(f.before+f.ops, name) {
			people[name] = t.user("")
		}
	}
	named := func(names string) (list []person) {
		for name := range strings.FieldsSeq(names) {
			list = append(list, people[name])
		}
		return list
	}
	g := t.group(named(f.before)...)
	fill := strings.NewReplacer("{{ada}}", people["ada"].id, "{{bob}}", people["bob"].id, "{{cyd}}", people["cyd"].id)
	t.patch(g.path, fill.Replace(f.ops)).status(http.StatusNoContent, http.StatusOK)
	t.hasMembers(g, named(f.after)...)
}

// crowd makes people who only need to be there.
func (t *talk) crowd(n int) []person {
	var people []person
	for range n {
		people = append(people, t.user(""))
	}
	return people
}

func addAtOnce(t *talk) {
	people := t.crowd(parallel)
	g := t.group()
	var requests []request
	for _, p := range people {
		requests = append(requests, request{
			method: http.MethodPatch, path: g.path,
			body: patchBody(`[{"op":"Add","path":"members","value":[{"value":"` + p.id + `"}]}]`),
		})
	}
	t.together(requests, http.StatusNoContent, http.StatusOK)
	t.hasMembers(g, people...)
}

func addMany(t *talk) {
	people := t.crowd(parallel)
	g := t.group()
	for _, op := range []string{"Add", "Remove"} {
		body, err := encode(list{object{"op": op, "path": "members", "value": references(people)}})
		if err != nil {
			t.fail("the check is written wrongly: %w", err)
		}
		t.patch(g.path, string(body)).status(http.StatusNoContent, http.StatusOK)
		if op == "Add" {
			t.hasMembers(g, people...)
		}
	}
	t.hasMembers(g)
}
