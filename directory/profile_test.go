package directory

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"usher/model"
)

func TestProfileOfNewAccount(t *testing.T) {
	d, _ := settle(t, compileRules(t, catalogue()), ada(t))
	a := d.Account
	want := model.Account{
		OrganizationID: "o1", Email: "Ada@contoso.com", EmailKey: "ada@contoso.com", UserName: "ada@contoso.com", UserNameKey: "ada@contoso.com",
		DisplayName: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Status: model.AccountActive, StatusCause: model.CauseSync,
		Origin: model.OriginDirectory, Department: "sales", JobTitle: "Analyst", Language: "en-GB",
	}
	got, _ := json.Marshal(a)
	want.Roles, want.Permissions, want.CustomFields = []string{}, []model.Permission{}, map[string]any{}
	wanted, _ := json.Marshal(want)
	if string(got) != string(wanted) || a.EmailKey != want.EmailKey || a.UserNameKey != want.UserNameKey || a.StatusCause != want.StatusCause {
		t.Errorf("got  %s\nwant %s", got, wanted)
	}
	if d.Action != model.ActionCreate || !d.Link || d.Explanations[0].Link != "the account was created for this directory user" {
		t.Errorf("%s, link %t, %q", d.Action, d.Link, d.Explanations[0].Link)
	}
	if c := changeOf(t, d, "job_title"); c.Before != "" || c.After != "Analyst" || c.Reason != "attribute title gives job_title" {
		t.Errorf("%+v", c)
	}
}

// TestFields: what an existing account's field becomes.
func TestFields(t *testing.T) {
	fields := func(list ...model.FieldMapping) func(*model.IntegrationSettings) {
		return func(is *model.IntegrationSettings) { is.FieldMappings = list }
	}
	group := func(change func(*model.GroupMapping)) func(*model.IntegrationSettings) {
		return func(is *model.IntegrationSettings) {
			m := mapping("HR", "")
			change(&m)
			is.GroupMappings = []model.GroupMapping{m}
		}
	}
	for _, tt := range []struct {
		name     string
		settings func(*model.IntegrationSettings)
		attrs    map[string]any
		account  func(*model.Account)
		want     func(*model.Account)
		reason   string
	}{
		{"nothing changes where nothing differs", nil, nil, nil, func(*model.Account) {}, ""},
		{
			"an attribute that always writes overwrites", nil, nil, func(a *model.Account) { a.JobTitle = "Poet" },
			func(a *model.Account) { a.JobTitle = "Analyst" }, "attribute title gives job_title",
		},
		{
			"an absent attribute leaves what somebody else gave", nil,
			map[string]any{"title": nil},
			func(a *model.Account) { a.JobTitle = "Poet" },
			func(a *model.Account) { a.JobTitle = "Poet" }, "",
		},
		{
			"the language is set the first time only", nil, nil, func(a *model.Account) { a.Language = "da" },
			func(a *model.Account) { a.Language = "da" }, "",
		},
		{
			"an empty language is set", nil, nil, func(a *model.Account) { a.Language = "" },
			func(a *model.Account) { a.Language = "en-GB" }, "attribute preferredLanguage gives language (the first time only)",
		},
		{
			"a department is found by its name without case", nil,
			map[string]any{enterpriseUserSchema: map[string]any{"department": "research & DEVELOPMENT"}},
			nil, func(a *model.Account) { a.Department = "research" }, "attribute urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
		},
		{
			"a department that the catalogue lacks stays text", nil,
			map[string]any{enterpriseUserSchema: map[string]any{"department": "Logistics"}},
			nil, func(a *model.Account) { a.Department = "Logistics" }, "department",
		},
		{
			"a skipped field is left alone", fields(model.FieldMapping{Source: "title", Target: "job_title", Mode: model.FieldSkip}), nil,
			func(a *model.Account) { a.JobTitle = "Poet" }, func(a *model.Account) { a.JobTitle = "Poet" }, "",
		},
		{
			"a field of the list replaces the default, others stay mapped",
			fields(model.FieldMapping{Source: "extensionAttribute3", Target: "job_title", Mode: model.FieldAlways}), nil,
			func(a *model.Account) { a.DisplayName = "A" }, func(a *model.Account) { a.JobTitle, a.DisplayName = "blue", "Ada Lovelace" },
			"attribute extensionAttribute3 gives job_title",
		},
		{
			"an attribute beats the default of a group", group(func(m *model.GroupMapping) { m.Department = "research" }), nil,
			func(a *model.Account) { a.Department = "" }, func(a *model.Account) { a.Department = "sales" }, "department",
		},
		{
			"a group fills an empty field", group(func(m *model.GroupMapping) { m.Department = "research" }),
			map[string]any{enterpriseUserSchema: nil},
			func(a *model.Account) { a.Department = "" },
			func(a *model.Account) { a.Department = "research" }, "group HR gives department research (the first time only)",
		},
		{
			"a group leaves a filled field", group(func(m *model.GroupMapping) { m.Currency, m.TimeZone = "DKK", "Europe/Copenhagen" }), nil,
			func(a *model.Account) { a.Currency = "EUR" },
			func(a *model.Account) { a.Currency, a.TimeZone = "EUR", "Europe/Copenhagen" }, "group HR gives time_zone Europe/Copenhagen",
		},
		{
			"a group's language goes before one that is mapped the first time", group(func(m *model.GroupMapping) { m.Language = "da" }), nil,
			func(a *model.Account) { a.Language = "" }, func(a *model.Account) { a.Language = "da" }, "group HR gives language da",
		},
		{
			"a custom text, number and date are written as such", fields(
				model.FieldMapping{Source: "extensionAttribute1", Target: "custom_fields.badge", Mode: model.FieldAlways},
				model.FieldMapping{Source: "extensionAttribute2", Target: "custom_fields.floor", Mode: model.FieldAlways},
				model.FieldMapping{Source: "extension_0a1b_hireDate", Target: "custom_fields.start", Mode: model.FieldAlways},
			),
			map[string]any{usherUserSchema: map[string]any{
				"extensionAttribute1": "007", "extensionAttribute2": "4.5", "extension_0a1b_hireDate": "2026-01-31T00:00:00Z",
			}},
			nil,
			func(a *model.Account) {
				a.CustomFields = map[string]any{"badge": "007", "floor": 4.5, "start": "2026-01-31"}
			}, "attribute extensionAttribute1 gives custom_fields.badge",
		},
		{
			"an expression turns the value", fields(model.FieldMapping{
				Source: "title", Target: "job_title", Mode: model.FieldAlways, Expression: `ToUpper(value) + " / " + Attribute("name.familyName")`,
			}), nil, nil, func(a *model.Account) { a.JobTitle = "ANALYST / Lovelace" }, "an expression over attribute title gives job_title",
		},
		{
			"a new e-mail is followed", nil,
			map[string]any{"emails": []any{map[string]any{"value": "countess@contoso.com"}}},
			nil,
			func(a *model.Account) { a.Email = "countess@contoso.com" }, "the login e-mail of the directory user",
		},
		{
			"a tombstone changes neither e-mail nor userName", nil, map[string]any{
				"userName": strings.Repeat("0af3", 8) + "ada@contoso.com", "emails": nil, "title": "Countess",
			}, nil, func(a *model.Account) { a.JobTitle = "Countess" }, "attribute title",
		},
		{
			"a guest signs in by the real address", nil,
			map[string]any{"userName": "ada_fabrikam.com#EXT#@contoso.onmicrosoft.com", "emails": nil},
			nil,
			func(a *model.Account) { a.Email, a.UserName = "ada@fabrikam.com", "ada@fabrikam.com" }, "the login e-mail",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := catalogue()
			if tt.settings != nil {
				edit(s, "i1", tt.settings)
			}
			p := adaWithRoles(t, nil, nil, "HR")
			p.Sources[0].User.Document = model.NewDocument(with(adaAttributes(), tt.attrs))
			if err := Index(&p.Sources[0].User); err != nil {
				t.Fatal(err)
			}
			if tt.account != nil {
				tt.account(p.Account)
			}
			want := copyAccount(*p.Account)
			tt.want(&want)
			want.EmailKey, want.UserNameKey = model.Fold(want.Email), model.Fold(want.UserName)
			d, _ := settle(t, compileRules(t, s), p)
			got, _ := json.Marshal(d.Account)
			wanted, _ := json.Marshal(want)
			if string(got) != string(wanted) {
				t.Errorf("got  %s\nwant %s", got, wanted)
			}
			if !strings.Contains(changeReasons(d.Changes), tt.reason) {
				t.Errorf("reasons %+v lack %q", d.Changes, tt.reason)
			}
			if len(d.Explanations[0].Problems) > 0 {
				t.Errorf("problems %+v", d.Explanations[0].Problems)
			}
		})
	}
}

func TestValuesThatDoNotParseAreReportedAndSkipped(t *testing.T) {
	s := catalogue()
	edit(s, "i1", func(is *model.IntegrationSettings) {
		for _, target := range []string{
			"custom_fields.floor", "custom_fields.start", "custom_fields.gone", "language", "time_zone", "currency",
		} {
			is.FieldMappings = append(is.FieldMappings, model.FieldMapping{Source: "extensionAttribute3", Target: target, Mode: model.FieldAlways})
		}
		is.FieldMappings = append(is.FieldMappings,
			model.FieldMapping{Source: "title", Target: "job_title", Mode: model.FieldAlways, Expression: `Mid(value, 0, 1)`},
			model.FieldMapping{Source: "title", Target: "email", Mode: model.FieldAlways})
	})
	p := adaWithRoles(t, nil, nil)
	d, _ := settle(t, compileRules(t, s), p)
	if len(d.Changes) > 0 {
		t.Errorf("changes %+v", d.Changes)
	}
	want := map[string]string{
		"custom_fields.floor": `"blue" is not a number`,
		"custom_fields.start": `"blue" is not a date such as 2026-11-21`,
		"custom_fields.gone":  "custom field gone does not exist",
		"language":            `"blue" is not a language tag (BCP 47)`,
		"time_zone":           `"blue" is not a time zone of the IANA database`,
		"currency":            `"blue" is not a currency code (ISO 4217)`,
		"job_title":           "the expression failed: 1:1: the function Mid counts from 1 and takes no negative length",
		"email":               `"Analyst" is not an e-mail address`,
	}
	got := map[string]string{}
	for _, p := range d.Explanations[0].Problems {
		got[p.Field] = p.Detail
	}
	if !maps.Equal(got, want) {
		t.Errorf("problems %q", got)
	}
}

func TestFieldIsClearedWhenTheAttributeThatGaveItIsGone(t *testing.T) {
	rules := compileRules(t, catalogue())
	_, p := settle(t, rules, ada(t))
	p.Sources[0].User.Document = model.NewDocument(with(adaAttributes(), map[string]any{"title": nil}))
	d, _ := settle(t, rules, p)
	if c := changeOf(t, d, "job_title"); c.After != "" || c.Reason != "the attribute that gave job_title is empty now" {
		t.Errorf("%+v", c)
	}
}

func TestDepartmentThatIsAddedLaterReplacesItsText(t *testing.T) {
	s := catalogue()
	attrs := with(adaAttributes(), map[string]any{enterpriseUserSchema: map[string]any{"department": "Logistics"}})
	p := ada(t)
	p.Sources[0].User = userOf(t, "i1", attrs)
	d, p := settle(t, compileRules(t, s), p)
	if d.Account.Department != "Logistics" {
		t.Fatalf("department %q", d.Account.Department)
	}
	s.Departments["logistics"] = model.Department{Key: "logistics", Name: "Logistics"}
	if d, _ = settle(t, compileRules(t, s), p); d.Account.Department != "logistics" {
		t.Errorf("department %q, want the key of the one that was added", d.Account.Department)
	}
}

func TestFirstTimeReasonStays(t *testing.T) {
	rules := compileRules(t, catalogue())
	_, p := settle(t, rules, ada(t))
	d := rules.Decide(p)
	want := model.FieldOrigin{Field: "language", Reason: "attribute preferredLanguage gives language (the first time only)"}
	if !slices.Contains(d.Explanations[0].Fields, want) {
		t.Errorf("fields %+v", d.Explanations[0].Fields)
	}
}

// TestFieldsOfSeveralIntegrations: the smallest priority number goes first, whoever is being settled.
func TestFieldsOfSeveralIntegrations(t *testing.T) {
	s := catalogue()
	second := scimIntegration("i2")
	second.Priority = -1
	s.Integrations["i2"] = model.IntegrationSettings{Integration: second}
	rules := compileRules(t, s)
	p := adaWithRoles(t, nil, nil)
	other := userOf(t, "i2", with(adaAttributes(), map[string]any{"title": "Countess", "displayName": nil}))
	other.AccountID = ptr("a1")
	p.Sources = append(p.Sources, Source{User: other})
	d, after := settle(t, rules, p)
	if d.Account.JobTitle != "Countess" || d.Account.DisplayName != "Ada Lovelace" {
		t.Errorf("%q %q", d.Account.JobTitle, d.Account.DisplayName)
	}
	slices.Reverse(after.Sources)
	if again := rules.Decide(after); again.Action != model.ActionNone {
		t.Errorf("settled from the other side: %+v", again.Changes)
	}
}

func TestEmailThatIsTakenStays(t *testing.T) {
	p := adaWithRoles(t, nil, nil)
	p.Account.Email = "old@contoso.com"
	p.TakenEmails = map[string]string{"ada@contoso.com": "Ada King"}
	d, _ := settle(t, compileRules(t, catalogue()), p)
	if d.Action != model.ActionNone || d.Account.Email != "old@contoso.com" || len(d.Explanations[0].Problems) != 1 {
		t.Errorf("%s %q %+v", d.Action, d.Account.Email, d.Explanations[0].Problems)
	}
}

// TestEmployeeOwnsTheProfile: with an employee linked the sync changes nothing but the status.
func TestEmployeeOwnsTheProfile(t *testing.T) {
	s := rolesSettings(model.RoleSyncMirror, model.GroupMapping{
		Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr", Site: "norway",
		Permissions: []model.ModulePermission{{Module: "wiki", Level: model.LevelAdmin}},
	})
	rules := compileRules(t, s)
	employee := &model.Employee{ExternalID: "7", Email: "ADA@contoso.com", GivenName: "Augusta", FamilyName: "King", JobTitle: "Countess", Department: "Sales"}
	t.Run("an existing account links to the employee with the identical e-mail", func(t *testing.T) {
		p := adaWithRoles(t, []string{"manager"}, nil, "HR")
		p.Employee, p.Account.Language = employee, ""
		d, _ := settle(t, rules, p)
		if !d.LinkEmployee || *d.Account.EmployeeID != "7" {
			t.Errorf("link %t", d.LinkEmployee)
		}
		a := d.Account
		if a.GivenName != "Augusta" || a.FamilyName != "King" || a.JobTitle != "Countess" || a.Department != "sales" || a.DisplayName != "Augusta King" {
			t.Errorf("profile %+v", a)
		}
		if a.Language != "" || !slices.Equal(a.Roles, []string{"manager"}) || len(a.Permissions) > 0 {
			t.Errorf("the sync wrote %q %v %v", a.Language, a.Roles, a.Permissions)
		}
		if c := changeOf(t, d, "job_title"); c.Reason != "employee 7 owns the profile" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a display name that somebody chose stays", func(t *testing.T) {
		p := adaWithRoles(t, nil, nil)
		p.Employee, p.Account.DisplayName = employee, "The Countess"
		if d, _ := settle(t, rules, p); d.Account.DisplayName != "The Countess" {
			t.Errorf("display name %q", d.Account.DisplayName)
		}
	})
	t.Run("an employee with another e-mail does not link", func(t *testing.T) {
		p := adaWithRoles(t, nil, nil)
		p.Employee = &model.Employee{ExternalID: "8", Email: "someone@contoso.com", GivenName: "Some"}
		if d, _ := settle(t, rules, p); d.LinkEmployee || d.Account.GivenName != "Ada" {
			t.Errorf("%+v", d.Changes)
		}
	})
	t.Run("a new account takes the employee's fields, and the rest from the directory", func(t *testing.T) {
		p := ada(t, "HR")
		p.Employee = &model.Employee{ExternalID: "7", Email: "ada@contoso.com", GivenName: "Augusta", FamilyName: "King"}
		d, _ := settle(t, rules, p)
		a := d.Account
		if a.GivenName != "Augusta" || a.JobTitle != "Analyst" || a.Language != "en-GB" || !slices.Equal(a.Roles, []string{"hr"}) || !d.LinkEmployee {
			t.Errorf("%+v", a)
		}
	})
}
