package directory

import (
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
)

func TestStatus(t *testing.T) {
	disabled := map[string]any{"active": false}
	leaver := &model.Employee{ExternalID: "7", Email: "ada@contoso.com", ResignationDate: ptr("2026-11-20")}
	pending := &model.Employee{ExternalID: "7", Email: "ada@contoso.com", ResignationDate: ptr("2026-11-22")}
	for _, tt := range []struct {
		name     string
		attrs    map[string]any
		status   model.AccountStatus
		cause    model.StatusCause
		wasOut   bool
		gone     string
		employee *model.Employee
		action   model.Action
		want     model.AccountStatus
		reason   string
	}{
		{"disabled in Entra: deactivated", disabled, "active", "", false, "", nil, model.ActionDeactivate, "deactivated", "disabled in Entra"},
		{"deleted in Entra: deactivated", nil, "active", "", false, "deleted in Entra", nil, model.ActionDeactivate, "deactivated", "deleted in Entra"},
		{"active again: reactivated what the sync deactivated", nil, "deactivated", "sync", true, "", nil, model.ActionReactivate, "active", "in scope again"},
		{"active again: an operator's deactivation stays", nil, "deactivated", "operator", true, "", nil, model.ActionNone, "deactivated", "an operator deactivated"},
		{"a deactivation without a cause stays", nil, "deactivated", "", true, "", nil, model.ActionNone, "deactivated", "an operator deactivated"},
		{"still disabled: still deactivated", disabled, "deactivated", "sync", true, "", nil, model.ActionNone, "deactivated", "disabled in Entra"},
		{"reactivated by an operator while out of scope: stays", disabled, "active", "operator", true, "", nil, model.ActionNone, "active", "an operator reactivated"},
		{"reactivated by an operator, back, and disabled later: deactivated", disabled, "active", "operator", false, "", nil, model.ActionDeactivate, "deactivated", "disabled in Entra"},
		{"archived: untouched", disabled, "archived", "operator", false, "", nil, model.ActionNone, "archived", "archived"},
		{"resignation in the future: active", nil, "active", "", false, "", pending, model.ActionUpdate, "active", "employee"},
		{"resignation date reached: deactivated", nil, "active", "", false, "", leaver, model.ActionDeactivate, "deactivated", "employee 7 left on 2026-11-20"},
		{"a still active Entra user does not bring a leaver back", nil, "deactivated", "sync", true, "", leaver, model.ActionUpdate, "deactivated", ""},
		{"resignation withdrawn: reactivated", nil, "deactivated", "employee", false, "", pending, model.ActionReactivate, "active", "in scope again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := adaWithRoles(t, []string{"hr"}, nil)
			p.Sources[0].User.Document = model.NewDocument(with(adaAttributes(), tt.attrs))
			if err := Index(&p.Sources[0].User); err != nil {
				t.Fatal(err)
			}
			p.Sources[0].Gone, p.Sources[0].User.Explanation.InScope = tt.gone, !tt.wasOut
			p.Account.Status, p.Account.StatusCause, p.Employee = tt.status, tt.cause, tt.employee
			d, _ := settle(t, compileRules(t, catalogue()), p)
			if d.Action != tt.action || d.Account.Status != tt.want || !strings.Contains(d.Reason, tt.reason) {
				t.Errorf("%s to %s because %q, want %s to %s because %q", d.Action, d.Account.Status, d.Reason, tt.action, tt.want, tt.reason)
			}
			if tt.want != tt.status {
				if c := changeOf(t, d, "status"); c.Before != string(tt.status) || c.After != string(tt.want) || c.Reason == "" {
					t.Errorf("%+v", c)
				}
			}
			if !slices.Equal(d.Account.Roles, []string{"hr"}) {
				t.Errorf("roles %v", d.Account.Roles)
			}
		})
	}
}

func TestLostReasonsNameTheEvent(t *testing.T) {
	s := rolesSettings(model.RoleSyncMirror, mapping("HR", "hr"))
	edit(s, "i1", func(is *model.IntegrationSettings) { is.Integration.RequireGroup = true })
	d, _ := settle(t, compileRules(t, s), adaWithRoles(t, []string{"hr"}, []model.Grant{grant("HR", "hr")}))
	if d.Action != model.ActionDeactivate || d.Reason != "no longer a member of a mapped group" {
		t.Errorf("%s because %q", d.Action, d.Reason)
	}
	if !slices.Equal(d.Account.Roles, []string{"hr"}) || len(d.Explanations[0].Grants) != 1 {
		t.Errorf("a deactivated account keeps its roles and what gave them: %v %v", d.Account.Roles, d.Explanations[0].Grants)
	}
}

func TestAnotherIntegrationKeepsTheAccountActive(t *testing.T) {
	s := catalogue()
	s.Integrations["i2"] = model.IntegrationSettings{Integration: scimIntegration("i2")}
	rules := compileRules(t, s)
	p := adaWithRoles(t, nil, nil)
	p.Sources[0].User.Active = false
	other := userOf(t, "i2", adaAttributes())
	other.AccountID = ptr("a1")
	p.Sources = append(p.Sources, Source{User: other})
	d, _ := settle(t, rules, p)
	if d.Account.Status != model.AccountActive || d.Explanations[0].InScope || !d.Explanations[1].InScope {
		t.Errorf("%s %+v", d.Account.Status, d.Explanations)
	}
	p.Sources[1].User.Active = false
	if d, _ := settle(t, rules, p); d.Action != model.ActionDeactivate {
		t.Errorf("both gone: %s", d.Action)
	}
}

func TestReturnKeepsIdAndRoles(t *testing.T) {
	rules := compileRules(t, rolesSettings(model.RoleSyncReconcile, mapping("HR", "hr")))
	_, p := settle(t, rules, ada(t, "HR"))
	p.Sources[0].User.Active = false
	_, p = settle(t, rules, p)
	p.Sources[0].User.Active = true
	d, _ := settle(t, rules, p)
	if d.Action != model.ActionReactivate || d.Account.ID != "a1" || !slices.Equal(d.Account.Roles, []string{"hr"}) {
		t.Errorf("%s %s %v", d.Action, d.Account.ID, d.Account.Roles)
	}
}

func TestLinkToExistingAccount(t *testing.T) {
	rules := compileRules(t, rolesSettings(model.RoleSyncReconcile, mapping("HR", "hr")))
	for _, tt := range []struct {
		name   string
		status model.AccountStatus
		cause  model.StatusCause
		want   model.Action
	}{
		{"an account made by hand is linked", model.AccountActive, "", model.ActionLink},
		{"one that a sync deactivated comes back", model.AccountDeactivated, model.CauseSync, model.ActionReactivate},
		{"one that an operator deactivated is linked and stays so", model.AccountDeactivated, model.CauseOperator, model.ActionLink},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := ada(t, "HR")
			p.Account = &model.Account{ID: "a7", Email: "ada@contoso.com", Origin: model.OriginManual, Status: tt.status, StatusCause: tt.cause}
			p.LinkRule = "the login e-mail equals the directory user's e-mail"
			d, _ := settle(t, rules, p)
			if d.Action != tt.want || !d.Link || d.Account.ID != "a7" || d.Account.Origin != model.OriginManual {
				t.Errorf("%s, link %t, %+v", d.Action, d.Link, d.Account)
			}
			if d.Explanations[0].Link != p.LinkRule {
				t.Errorf("explained as %q", d.Explanations[0].Link)
			}
		})
	}
}

func TestAccountsThatNoDirectoryKnows(t *testing.T) {
	rules := compileRules(t, catalogue())
	account := func() *model.Account {
		return &model.Account{ID: "a1", Email: "ada@contoso.com", Status: model.AccountActive, Roles: []string{"hr"}}
	}
	t.Run("are left alone", func(t *testing.T) {
		if d := rules.Decide(Person{Account: account()}); d.Action != model.ActionNone || len(d.Changes) > 0 || d.Link {
			t.Errorf("%s %+v", d.Action, d.Changes)
		}
	})
	t.Run("follow their employee, both ways", func(t *testing.T) {
		p := Person{Account: account(), Employee: &model.Employee{ExternalID: "7", Email: "ada@contoso.com", GivenName: "Ada", ResignationDate: ptr("2026-11-21")}}
		d, after := settle(t, rules, p)
		if d.Action != model.ActionDeactivate || d.Account.StatusCause != model.CauseEmployee || d.Account.GivenName != "Ada" {
			t.Errorf("%s %+v", d.Action, d.Account)
		}
		after.Employee = &model.Employee{ExternalID: "7", Email: "ada@contoso.com", GivenName: "Ada"}
		if d, _ := settle(t, rules, after); d.Action != model.ActionReactivate {
			t.Errorf("withdrawn: %s because %s", d.Action, d.Reason)
		}
	})
	t.Run("nobody at all is skipped", func(t *testing.T) {
		if d := rules.Decide(Person{}); d.Action != model.ActionSkip {
			t.Errorf("%s", d.Action)
		}
	})
}

func TestEmployeeState(t *testing.T) {
	for _, tt := range []struct {
		name string
		date *string
		now  time.Time
		want model.EmployeeState
	}{
		{"no resignation date is active", nil, today(), model.EmployeeActive},
		{"an empty date is active", ptr(""), today(), model.EmployeeActive},
		{"a date that cannot be read is active", ptr("soon"), today(), model.EmployeeActive},
		{"tomorrow is pending", ptr("2026-11-22"), today(), model.EmployeePending},
		{"the last moment before the date is pending", ptr("2026-11-22"), time.Date(2026, 11, 21, 23, 59, 59, 0, time.UTC), model.EmployeePending},
		{"the date itself is archived", ptr("2026-11-21"), time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), model.EmployeeArchived},
		{"a past date is archived", ptr("2020-01-01"), today(), model.EmployeeArchived},
		{"the stored state is not looked at", ptr("2026-11-22"), today(), model.EmployeePending},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := EmployeeState(model.Employee{ResignationDate: tt.date, State: model.EmployeeArchived}, tt.now); got != tt.want {
				t.Errorf("state %s", got)
			}
		})
	}
}
