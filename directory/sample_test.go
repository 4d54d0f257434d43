package directory

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the tests decide about time zones on any machine

	"usher/model"
)

// today is the day of every test.
func today() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

// catalogue is an organization with one SCIM integration named i1, without any list.
func catalogue() *model.Settings {
	s := &model.Settings{
		Roles: map[string]model.Role{}, Departments: map[string]model.Department{}, Sites: map[string]model.Site{},
		Modules: map[string]model.Module{}, CustomFields: map[string]model.CustomField{},
		Integrations: map[string]model.IntegrationSettings{},
	}
	for _, key := range []string{"employee", "hr", "manager", "new-employee", "guest", "it"} {
		s.Roles[key] = model.Role{Key: key, Name: key}
	}
	s.Roles["administrator"] = model.Role{Key: "administrator", Administrator: true}
	for key, name := range map[string]string{"sales": "Sales", "research": "Research & Development"} {
		s.Departments[key] = model.Department{Key: key, Name: name}
	}
	for _, key := range []string{"payroll", "wiki"} {
		s.Modules[key] = model.Module{Key: key}
	}
	for _, site := range []model.Site{
		{Key: "denmark"},
		{Key: "copenhagen", Parent: "denmark"},
		{Key: "harbour", Parent: "copenhagen"},
		{Key: "aarhus", Parent: "denmark", Override: true},
		{Key: "norway"},
	} {
		s.Sites[site.Key] = site
	}
	for key, kind := range map[string]model.FieldType{"badge": model.FieldText, "floor": model.FieldNumber, "start": model.FieldDate} {
		s.CustomFields[key] = model.CustomField{Key: key, Type: kind}
	}
	s.Integrations["i1"] = model.IntegrationSettings{Integration: scimIntegration("i1")}
	return s
}

func scimIntegration(id string) model.Integration {
	return model.Integration{
		ID: id, OrganizationID: "o1", Name: id, Ingress: model.IngressSCIM, RoleSync: model.RoleSyncReconcile,
		Scope: model.ScopeGroups, Guard: model.Guard{Minimum: 10, Percent: 5},
	}
}

// edit changes one integration of the settings.
func edit(s *model.Settings, id string, change func(*model.IntegrationSettings)) {
	is := s.Integrations[id]
	change(&is)
	s.Integrations[id] = is
}

func compileRules(t testing.TB, s *model.Settings) *Rules {
	t.Helper()
	rules, err := Compile(s, today)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// userOf is a directory user of the integration with these attributes, indexed.
func userOf(t testing.TB, integration string, attrs map[string]any) model.DirectoryUser {
	t.Helper()
	u := model.DirectoryUser{
		ID: "du-" + integration, OrganizationID: "o1", IntegrationID: integration, Document: model.NewDocument(attrs),
	}
	if err := Index(&u); err != nil {
		t.Fatal(err)
	}
	return u
}

// adaAttributes is Ada as Entra's default mapping sends her.
func adaAttributes() map[string]any {
	return map[string]any{
		"userName": "ada@contoso.com", "externalId": "ada", "displayName": "Ada Lovelace", "active": true, "title": "Analyst",
		"name":              map[string]any{"givenName": "Ada", "familyName": "Lovelace"},
		"emails":            []any{map[string]any{"type": "work", "primary": true, "value": "Ada@contoso.com"}},
		"preferredLanguage": "en-GB",
		enterpriseUserSchema: map[string]any{
			"department": "Sales", "employeeNumber": "1815",
		},
		usherUserSchema: map[string]any{"extensionAttribute3": "blue"},
	}
}

// with gives a copy of the attributes with some changed; nil removes.
func with(attrs map[string]any, changes map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range attrs {
		out[key] = value
	}
	for key, value := range changes {
		if value == nil {
			delete(out, key)
			continue
		}
		out[key] = value
	}
	return out
}

func groups(names ...string) []model.GroupRef {
	refs := make([]model.GroupRef, len(names))
	for i, name := range names {
		refs[i] = model.GroupRef{ID: "g-" + name, ExternalID: "x-" + name, DisplayName: name}
	}
	return refs
}

// ada is Ada in integration i1, without an account, in these groups.
func ada(t testing.TB, groupNames ...string) Person {
	t.Helper()
	return Person{Sources: []Source{{User: userOf(t, "i1", adaAttributes()), Groups: groups(groupNames...)}}}
}

// applied is what is stored of a decision: the account, the links and the explanations.
func applied(p Person, d Decision) Person {
	p.Sources = slices.Clone(p.Sources)
	for i := range p.Sources {
		p.Sources[i].User.Explanation = d.Explanations[i]
	}
	if d.Action == model.ActionSkip {
		return p
	}
	account := *d.Account
	if account.ID == "" {
		account.ID = "a1"
	}
	p.Account = &account
	if d.Link {
		id := account.ID
		p.Sources[0].User.AccountID = &id
	}
	return p
}

// settle decides, checks that deciding again changes nothing, and gives what is stored.
func settle(t testing.TB, r *Rules, p Person) (Decision, Person) {
	t.Helper()
	d := r.Decide(p)
	after := applied(p, d)
	if again := r.Decide(after); d.Action != model.ActionSkip && again.Action != model.ActionNone {
		t.Errorf("deciding again gives %s: %s %+v", again.Action, again.Reason, again.Changes)
	}
	return d, after
}

// change gives the change of a field.
func changeOf(t testing.TB, d Decision, field string) model.FieldChange {
	t.Helper()
	for _, c := range d.Changes {
		if c.Field == field {
			return c
		}
	}
	t.Fatalf("no change of %s in %+v", field, d.Changes)
	return model.FieldChange{}
}

func hasChange(d Decision, field string) bool {
	return slices.ContainsFunc(d.Changes, func(c model.FieldChange) bool { return c.Field == field })
}

// ptr gives the address of a value.
func ptr[T any](v T) *T { return &v }
