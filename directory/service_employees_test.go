package directory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

func day(text string) *string { return &text }

func (w *world) employee(e model.Employee) model.Employee {
	w.Helper()
	out, _, err := w.svc.PutEmployee(w.ctx, w.org, e)
	w.ok(err)
	return out
}

func TestServiceEmployeeOwnsTheProfile(t *testing.T) {
	each(t, func(w *world) {
		u := w.user(ada, map[string]any{"title": "Analyst", "displayName": "A. Lovelace"})
		e := w.during(func() {
			w.employee(model.Employee{ExternalID: "1", Email: "Ada@Contoso.com", GivenName: "Ada", FamilyName: "Lovelace", JobTitle: "Countess", Department: "Board"})
		})
		w.wrote(e, "employee.created account.updated", "employee.created account.updated")
		a := w.account(ada)
		if a.EmployeeID == nil || *a.EmployeeID != "1" || a.GivenName != "Ada" || a.JobTitle != "Countess" || a.Department != "Board" || a.DisplayName != "A. Lovelace" {
			w.Fatalf("%+v", a)
		}
		if e.changes[1].IntegrationID != nil {
			w.Fatal("the change is told in the integration's name")
		}
		w.patch(u, map[string]any{"title": "Poet", "displayName": "Ada"})
		if a := w.account(ada); a.JobTitle != "Countess" || a.DisplayName != "A. Lovelace" {
			w.Fatalf("%+v", a)
		}
		same := model.Employee{ExternalID: "1", Email: "Ada@Contoso.com", GivenName: "Ada", FamilyName: "Lovelace", JobTitle: "Countess", Department: "Board"}
		w.wrote(w.during(func() { w.employee(same) }), "", "")
		same.JobTitle = "Baroness"
		w.wrote(w.during(func() { w.employee(same) }), "employee.updated account.updated", "employee.updated account.updated")
		if a := w.account(ada); a.JobTitle != "Baroness" {
			w.Fatalf("%+v", a)
		}
	})
}

func TestServiceEmployeeBeforeTheAccount(t *testing.T) {
	each(t, func(w *world) {
		w.employee(model.Employee{ExternalID: "1", Email: ada, JobTitle: "Countess"})
		w.user(ada, map[string]any{"title": "Analyst"})
		if a := w.account(ada); a.EmployeeID == nil || a.JobTitle != "Countess" {
			w.Fatalf("%+v", a)
		}
		w.employee(model.Employee{ExternalID: "2", Email: "grace@contoso.com", JobTitle: "Admiral"})
		a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "grace@contoso.com"})
		w.ok(err)
		if a.EmployeeID == nil || a.JobTitle != "Admiral" {
			w.Fatalf("%+v", a)
		}
	})
}

// TestServiceEmployeeOfAnotherAccount: an employee whose e-mail changed stays with the account that it is linked to.
func TestServiceEmployeeOfAnotherAccount(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		w.employee(model.Employee{ExternalID: "1", Email: ada})
		w.employee(model.Employee{ExternalID: "1", Email: "countess@contoso.com"})
		w.user("countess@contoso.com")
		if a := w.account("countess@contoso.com"); a.EmployeeID != nil {
			w.Fatalf("%+v", a)
		}
		if a := w.account(ada); a.EmployeeID == nil {
			w.Fatalf("%+v", a)
		}
	})
}

func TestServiceResignation(t *testing.T) {
	each(t, func(w *world) {
		u := w.user(ada)
		leaving := model.Employee{ExternalID: "1", Email: ada, GivenName: "Ada"}
		w.employee(leaving)
		leaving.ResignationDate = day("2026-11-23")
		e := w.during(func() {
			if out := w.employee(leaving); out.State != model.EmployeePending {
				w.Fatalf("%+v", out)
			}
		})
		w.wrote(e, "employee.pending", "employee.pending")
		w.ok(w.svc.Retire(w.ctx, directory.RetireEmployees{}))
		w.hasStatus(ada, model.AccountActive)
		w.clock.move(36 * time.Hour) // 23 November has begun
		e = w.during(func() { w.ok(w.svc.Retire(w.ctx, directory.RetireEmployees{})) })
		w.wrote(e, "employee.archived account.deactivated", "employee.archived account.deactivated")
		if e.changes[1].Actor != "resignation date" || !strings.Contains(e.activity[1].Summary, "left on 2026-11-23") {
			w.Fatalf("%+v", e)
		}
		w.wrote(w.during(func() { w.ok(w.svc.Retire(w.ctx, directory.RetireEmployees{})) }), "", "")
		w.patch(u, map[string]any{"active": false})
		w.patch(u, map[string]any{"active": true})
		w.hasStatus(ada, model.AccountDeactivated)
		_, err := w.svc.ReactivateAccount(w.ctx, w.org, w.account(ada).ID)
		w.refused(err, model.Refused, "", "left on 2026-11-23")
		leaving.ResignationDate = nil
		e = w.during(func() { w.employee(leaving) })
		w.wrote(e, "employee.updated account.reactivated", "employee.updated account.reactivated")
	})
}

func TestServiceDateThatHasPassed(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		e := w.during(func() { w.employee(model.Employee{ExternalID: "1", Email: ada, ResignationDate: day("2026-11-21")}) })
		w.wrote(e, "employee.created employee.archived account.updated account.deactivated", "employee.created account.deactivated")
		w.user("grace@contoso.com")
		w.employee(model.Employee{ExternalID: "2", Email: "linus@contoso.com", ResignationDate: day("2026-11-21")})
		w.user("linus@contoso.com")
		w.noAccount("linus@contoso.com") // who has left gets no account
	})
}

func TestServiceDeleteEmployee(t *testing.T) {
	each(t, func(w *world) {
		u := w.user(ada, map[string]any{"title": "Analyst"})
		w.employee(model.Employee{ExternalID: "1", Email: ada, JobTitle: "Countess"})
		e := w.during(func() { w.ok(w.svc.DeleteEmployee(w.ctx, w.org, "1")) })
		w.wrote(e, "employee.deleted account.updated", "employee.deleted account.updated")
		if a := w.account(ada); a.EmployeeID != nil || a.JobTitle != "Analyst" {
			w.Fatalf("%+v", a)
		}
		w.refused(w.svc.DeleteEmployee(w.ctx, w.org, "1"), model.NotFound, "", "employee 1")
		w.employee(model.Employee{ExternalID: "1", Email: ada, ResignationDate: day("2026-11-01")})
		w.hasStatus(ada, model.AccountDeactivated)
		w.ok(w.svc.DeleteEmployee(w.ctx, w.org, "1"))
		w.patch(u, map[string]any{"title": "Poet"})
		w.hasStatus(ada, model.AccountDeactivated) // forgetting who left brings nobody back
	})
}

func TestServicePutEmployeeChecksWhatIsSent(t *testing.T) {
	each(t, func(w *world) {
		for field, e := range map[string]model.Employee{
			"external_id":      {ExternalID: " "},
			"email":            {ExternalID: "1", Email: "ada"},
			"resignation_date": {ExternalID: "1", ResignationDate: day("21.11.2026")},
			"given_name":       {ExternalID: "1", GivenName: strings.Repeat("x", 501)},
			"job_title":        {ExternalID: "1", JobTitle: "\x00"},
		} {
			_, _, err := w.svc.PutEmployee(w.ctx, w.org, e)
			w.refused(err, model.Invalid, field, "")
		}
	})
}

func TestServiceImportEmployees(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		read := func(text string) (directory.EmployeeImport, error) {
			return w.svc.ImportEmployees(w.ctx, w.org, strings.NewReader(text))
		}
		r, err := read("\xef\xbb\xbfexternal_id;email;job_title\r\n1;ada@contoso.com;\"Countess; poet\"\r\n2;grace@contoso.com;Admiral\r\n")
		w.ok(err)
		if r.Lines != 2 || r.Created != 2 || w.account(ada).JobTitle != "Countess; poet" {
			w.Fatalf("%+v %+v", r, w.account(ada))
		}
		r, err = read("external_id,email,given_name,family_name,department,job_title,resignation_date\n" +
			"1,ada@contoso.com,,,,Poet,\n2,grace@contoso.com,,,,Admiral,\n3,linus@contoso.com,Linus,,,,2026-11-30\n")
		w.ok(err)
		if r.Created != 1 || r.Updated != 1 || r.Unchanged != 1 || w.account(ada).JobTitle != "Poet" {
			w.Fatalf("%+v", r)
		}
		e := w.during(func() {
			r, err = read("external_id,email,resignation_date\n7,bad,\n1,ada@contoso.com,\n1,ada@contoso.com,\n,x@contoso.com,\n9,y@contoso.com\n8,z@contoso.com,soon\n")
		})
		w.refused(err, model.Invalid, "", "nothing was imported: line 2: email")
		w.wrote(e, "", "")
		want := []directory.LineError{
			{Line: 2, Field: "email"}, {Line: 4, Field: "external_id"}, {Line: 5, Field: "external_id"}, {Line: 6}, {Line: 7, Field: "resignation_date"},
		}
		if len(r.Errors) != len(want) {
			w.Fatalf("%+v", r.Errors)
		}
		for i, e := range r.Errors {
			if e.Line != want[i].Line || e.Field != want[i].Field || e.Detail == "" {
				w.Fatalf("%+v, want %+v", e, want[i])
			}
		}
	})
}

func TestServiceImportRefusesAFileItCannotRead(t *testing.T) {
	each(t, func(w *world) {
		for words, text := range map[string]string{
			"no header":          "",
			"salary":             "external_id,salary\n",
			"is there twice":     "external_id,email,email\n",
			"external_id is mis": "email\nada@contoso.com\n",
			"line 3":             "external_id,email\n1,ada@contoso.com\n2,\"gra\"ce@contoso.com\n",
		} {
			_, err := w.svc.ImportEmployees(w.ctx, w.org, strings.NewReader(text))
			w.refused(err, model.Invalid, "", words)
		}
		if r, err := w.svc.ImportEmployees(w.ctx, w.org, strings.NewReader("external_id\n")); err != nil || r.Lines != 0 {
			w.Fatal(r, err)
		}
	})
}

func TestServiceImportOfManyPages(t *testing.T) {
	each(t, func(w *world) {
		text := strings.Builder{}
		text.WriteString("external_id,email,job_title\n")
		for i := range 450 {
			fmt.Fprintf(&text, "e%d,person%d@contoso.com,Analyst\n", i, i)
		}
		r, err := w.svc.ImportEmployees(w.ctx, w.org, strings.NewReader(text.String()))
		w.ok(err)
		again, err := w.svc.ImportEmployees(w.ctx, w.org, strings.NewReader(text.String()))
		w.ok(err)
		if r.Created != 450 || again.Unchanged != 450 {
			w.Fatalf("%+v, then %+v", r, again)
		}
	})
}
