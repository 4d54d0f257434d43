package verify

import (
	"net/http"
	"slices"
	"strings"
)

// question is a filter over two users, and who of them it finds. Every filter names a user, so that on an endpoint with
// millions of people it finds these alone.
type question struct {
	name, asserts, source string
	severity              Severity
	filter, finds         string // finds is any of "ada", "bob", "ada bob", ""
	needs                 []Feature
}

func filterChecks() []Check {
	var checks []Check
	for _, q := range slices.Concat(entraQuestions(), logicQuestions(), operatorQuestions()) {
		checks = append(checks, Check{
			Name: "filter/" + q.name, Asserts: q.asserts, Source: q.source, Severity: q.severity, Needs: q.needs, Writes: true,
			run: func(t *talk) { q.run(t) },
		})
	}
	return checks
}

func (q question) run(t *talk) {
	ada := t.user(`{"title":"Countess","name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"type":"work","value":"` +
		strings.Replace(t.s.prefix, "usher", "mail", 1) + `@example.com","primary":true},{"type":"home","value":"home@example.com"}],
		"` + urnEnterprise + `":{"employeeNumber":"1815"}}`)
	bob := t.user(`{"title":"Engineer","active":false,"emails":[{"type":"home","value":"` + strings.Replace(t.s.prefix, "usher", "mail", 1) + `@example.com"}]}`)
	filter := strings.NewReplacer(
		"{{ada}}", ada.userName, "{{bob}}", bob.userName, "{{ADA}}", shout(ada.userName), "{{id}}", ada.id,
		"{{mail}}", strings.Replace(t.s.prefix, "usher", "mail", 1)+"@example.com", "{{run}}", t.s.prefix,
	).Replace(q.filter)
	r := t.find("Users", filter)
	var found []string
	for _, resource := range r.listed() {
		switch resource["id"] {
		case ada.id:
			found = append(found, "ada")
		case bob.id:
			found = append(found, "bob")
		default:
			found = append(found, "a stranger")
		}
	}
	slices.Sort(found)
	if got := strings.Join(found, " "); got != q.finds {
		r.blame("the filter %s finds %s, expected %s", filter, orNobody(got), orNobody(q.finds))
	}
}

func orNobody(names string) string {
	if names == "" {
		return "nobody"
	}
	return names
}

func entraQuestions() []question {
	const matching = "Entra: matching attributes"
	return []question{
		{"user-name", "userName eq finds the one user", matching, Entra, `userName eq "{{ada}}"`, "ada", nil},
		{"user-name-in-other-case", "userName is compared without case", "Entra SCIM Validator: filter with a different case; RFC 7643 §4.1.1", Entra, `userName eq "{{ADA}}"`, "ada", nil},
		{"names-in-other-case", "names and operators are compared without case", "RFC 7644 §3.4.2.2", Must, `USERNAME EQ "{{ada}}"`, "ada", nil},
		{"external-id", "externalId eq finds the one user", matching, Entra, `externalId eq "{{ada}}"`, "ada", nil},
		{"external-id-unquoted", "a value without quotes is tolerated", "Entra's documentation, example 1", Should, `externalId eq {{ada}}`, "ada", nil},
		{"external-id-exact", "externalId is compared with case", "RFC 7643 §3.1", Must, `externalId eq "{{ADA}}"`, "", nil},
		{"work-mail", "emails[type eq \"work\"].value eq is understood, although the standard's grammar lacks it", matching, Entra, `emails[type eq "work"].value eq "{{mail}}"`, "ada", nil},
		{"employee-number", "an attribute of an extension is named by its URN", matching, Entra, `userName eq "{{ada}}" and ` + urnEnterprise + `:employeeNumber eq "1815"`, "ada", []Feature{Enterprise}},
		{"id-and-other", "id joined by and with another attribute finds the one user", "Entra: reference queries", Entra, `id eq "{{id}}" and userName eq "{{ada}}"`, "ada", nil},
		{"boolean", "booleans are compared", "RFC 7644 §3.4.2.2", Must, `userName sw "{{run}}" and active eq false`, "bob", nil},
		{"string-boolean", "\"True\" stands for true", "Entra: string booleans", Should, `userName eq "{{ada}}" and active eq "True"`, "ada", nil},
	}
}

func logicQuestions() []question {
	const source = "RFC 7644 §3.4.2.2"
	both := `(userName eq "{{ada}}" or userName eq "{{bob}}")`
	return []question{
		{"and", "and asks for both", source, Entra, `userName eq "{{ada}}" and title eq "Countess"`, "ada", nil},
		{"and-neither", "and finds nobody where one part does not hold", source, Entra, `userName eq "{{ada}}" and title eq "Engineer"`, "", nil},
		{"or", "or asks for either", source, Must, `userName eq "{{ada}}" or userName eq "{{bob}}"`, "ada bob", nil},
		{"not", "not turns around", source, Must, both + ` and not (title eq "Countess")`, "bob", nil},
		{"precedence", "and binds closer than or", source, Must, `userName eq "{{ada}}" or userName eq "{{bob}}" and title eq "nobody"`, "ada", nil},
		{"brackets", "brackets bind closer than and", source, Must, both + ` and title eq "Engineer"`, "bob", nil},
		{"one-element", "brackets behind an attribute ask one element for all", source, Must, both + ` and emails[type eq "work" and value eq "{{mail}}"]`, "ada", nil},
	}
}

func operatorQuestions() []question {
	const source = "RFC 7644 §3.4.2.2"
	both := `(userName eq "{{ada}}" or userName eq "{{bob}}") and `
	return []question{
		{"present", "pr holds where there is a value", source, Must, both + `name.familyName pr`, "ada", nil},
		{"not-equal", "ne holds for another value", source, Must, both + `title ne "Countess"`, "bob", nil},
		{"starts-with", "sw looks at the beginning", source, Must, both + `title sw "Count"`, "ada", nil},
		{"ends-with", "ew looks at the end", source, Must, both + `title ew "neer"`, "bob", nil},
		{"contains", "co looks anywhere, without case", source, Must, both + `title co "UNT"`, "ada", nil},
		{"any-element", "a multi-valued attribute holds where any element does", source, Must, both + `emails.value eq "home@example.com"`, "ada", nil},
		{"greater", "gt compares dates", source, Must, both + `meta.created gt "2011-05-13T04:42:34Z"`, "ada bob", nil},
		{"less", "lt compares dates", source, Must, both + `meta.created lt "2011-05-13T04:42:34Z"`, "", nil},
	}
}

func filterFormChecks() []Check {
	return []Check{
		{
			Name: "filter/probe", Severity: Entra, Source: "Entra: Test Connection",
			Asserts: "a filter that finds nobody is 200 with an empty list, not 404 and not 400",
			run: func(t *talk) {
				t.find("Users", `userName eq "`+t.s.prefix+`"`).none()
			},
		},
		{
			Name: "filter/probe-group", Severity: Entra, Source: "Entra: Test Connection", Needs: []Feature{Groups},
			Asserts: "a filter that finds no group is 200 with an empty list",
			run: func(t *talk) {
				t.find("Groups", `displayName eq "`+t.s.prefix+`"`).none()
			},
		},
		{
			Name: "filter/invalid", Severity: Must, Source: "RFC 7644 §3.12; Okta specification test 15",
			Asserts: "what is no filter is 400 with scimType invalidFilter",
			run: func(t *talk) {
				t.find("Users", t.s.prefix).refused(http.StatusBadRequest, "invalidFilter")
			},
		},
		{
			Name: "filter/special-characters", Severity: Entra, Source: "Entra: guests have #EXT# in their names", Writes: true,
			Asserts: "a value with ', +, #, & and letters beyond ASCII is found",
			run: func(t *talk) {
				name := "o'neil+Łukasz#EXT#&" + t.userName()
				r := t.post("/Users", object{"schemas": list{urnUser}, "userName": name}).status(http.StatusCreated).has("userName", name)
				t.find("Users", `userName eq "`+name+`"`).one(r.id())
			},
		},
		{
			Name: "filter/manager", Severity: Entra, Source: "Entra: reference queries, example 4", Writes: true, Needs: []Feature{Enterprise},
			Asserts: "whether somebody has a manager is asked by id and manager together, in either order",
			run:     filterManager,
		},
	}
}

func filterManager(t *talk) {
	boss := t.user("")
	p := t.user(`{"` + urnEnterprise + `":{"manager":{"value":"` + boss.id + `"}}}`)
	for _, filter := range []string{
		`id eq "` + p.id + `" and manager eq "` + boss.id + `"`,
		`manager eq "` + boss.id + `" and id eq "` + p.id + `"`,
	} {
		t.find("Users", filter).one(p.id)
	}
	t.find("Users", `id eq "`+p.id+`" and manager eq "`+p.id+`"`).none()
}
