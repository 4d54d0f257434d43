package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"usher/directory"
	"usher/model"
)

// EmployeeInput is the HR record of a person. What is absent is empty.
type EmployeeInput struct {
	Email           string  `json:"email,omitempty" doc:"An account with the identical e-mail is linked."`
	GivenName       string  `json:"given_name,omitempty"`
	FamilyName      string  `json:"family_name,omitempty"`
	Department      string  `json:"department,omitempty"`
	JobTitle        string  `json:"job_title,omitempty"`
	ResignationDate *string `json:"resignation_date,omitempty" doc:"Day of leaving: from then on the account is deactivated." example:"2026-11-30"`
}

// EmployeePath names an employee.
type EmployeePath struct {
	ExternalID string `path:"external_id" maxLength:"1000" doc:"The id that the HR system has for the person."`
}

// EmployeeAnswer is an employee, with 201 where it is new.
type EmployeeAnswer struct {
	Status int
	Body   model.Employee
}

func (a *API) employees() {
	const path, one = "/employees", "/employees/{external_id}"
	o := operation{tag: tagEmployees, right: model.RightManageAccounts}
	register(a, o.with(http.MethodGet, path, "List employees").needing(model.RightRead), a.listEmployees)
	register(a, o.with(http.MethodGet, one, "Read an employee").needing(model.RightRead), a.readEmployee)
	put := o.with(http.MethodPut, one, "Store an employee").refusing().
		says("Answers 201 where the employee is new. An account with the identical e-mail is linked, and its profile follows the employee.")
	employee := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[model.Employee](), true, "")
	put.responses = map[string]*huma.Response{"201": {
		Description: http.StatusText(http.StatusCreated), Content: map[string]*huma.MediaType{"application/json": {Schema: employee}},
	}}
	register(a, put, a.putEmployee)
	register(a, o.with(http.MethodDelete, one, "Delete an employee").answering(http.StatusNoContent).
		says("The account that it was linked to stays."), a.deleteEmployee)
	upload := o.with(http.MethodPost, "/employees/import", "Import employees from CSV").refusing().
		says("The first line names the columns: external_id, and any of email, given_name, family_name, department, job_title, " +
			"resignation_date. With any bad line nothing is changed, and errors names every bad line.")
	upload.maxBody, upload.streams = maxCSVBody, true
	upload.request = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	register(a, upload, a.importEmployees)
}

func (a *API) listEmployees(ctx context.Context, in *struct{ PageInput }) (*answer[page[model.Employee]], error) {
	read := func(after string, limit int) ([]model.Employee, error) {
		return a.store.Read(ctx).EmployeesAfter(org(ctx), after, limit)
	}
	return paged(in.PageInput, read, func(e model.Employee) string { return e.ExternalID }, itself)
}

func (a *API) readEmployee(ctx context.Context, in *EmployeePath) (*answer[model.Employee], error) {
	return answered(a.store.Read(ctx).Employee(org(ctx), in.ExternalID))
}

func (a *API) putEmployee(ctx context.Context, in *struct {
	EmployeePath
	Body EmployeeInput
},
) (*EmployeeAnswer, error) {
	b := in.Body
	out, created, err := a.svc.PutEmployee(ctx, org(ctx), model.Employee{
		ExternalID: in.ExternalID, Email: b.Email, GivenName: b.GivenName, FamilyName: b.FamilyName, Department: b.Department,
		JobTitle: b.JobTitle, ResignationDate: b.ResignationDate,
	})
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return &EmployeeAnswer{status, out}, nil
}

func (a *API) deleteEmployee(ctx context.Context, in *EmployeePath) (*nothing, error) {
	return done(a.svc.DeleteEmployee(ctx, org(ctx), in.ExternalID))
}

func (a *API) importEmployees(ctx context.Context, in *CSVInput) (*answer[directory.EmployeeImport], error) {
	out, err := a.svc.ImportEmployees(ctx, org(ctx), in.file)
	_ = in.file.ctx.SetReadDeadline(time.Time{}) // a reader without deadlines has none to lift
	if in.file.failed != nil {
		return nil, in.file.failed
	}
	if err == nil || len(out.Errors) == 0 {
		return answered(out, err)
	}
	p := a.failure(ctx, err)
	p.Errors = nil
	for _, line := range out.Errors {
		field := fmt.Sprintf("lines[%d]", line.Line)
		if line.Field != "" {
			field += "." + line.Field
		}
		p.Errors = append(p.Errors, FieldError{field, line.Detail})
	}
	return nil, p
}

// CSVInput is a request whose body is CSV, read as it comes.
type CSVInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`

	file *upload
}

// Resolve takes the body, unless it says that it is something else.
func (in *CSVInput) Resolve(ctx huma.Context) []error {
	kind, _, err := mime.ParseMediaType(in.ContentType)
	if in.ContentType != "" && (err != nil || kind != "text/csv") {
		return []error{problem(http.StatusUnsupportedMediaType, "the body must be text/csv")}
	}
	in.file = &upload{ctx: ctx, body: ctx.BodyReader(), left: operationOf(ctx).maxBody}
	return nil
}

// upload reads a body that may be large: it must keep coming, and end in time. What goes wrong is kept in failed.
type upload struct {
	ctx    huma.Context
	body   io.Reader
	left   int64
	failed *Problem
}

// Read reads on.
func (u *upload) Read(p []byte) (int, error) {
	if u.failed != nil {
		return 0, u.failed
	}
	_ = u.ctx.SetReadDeadline(time.Now().Add(readWithin)) // a reader without deadlines has none to keep
	n, err := u.body.Read(p)
	u.left -= int64(n)
	switch {
	case u.left < 0:
		u.failed = problem(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", operationOf(u.ctx).maxBody)
	case isTimeout(err):
		u.failed = problem(http.StatusRequestTimeout, "nothing more of the body arrived for %s", readWithin)
	case err != nil && !errors.Is(err, io.EOF):
		u.failed = problem(http.StatusBadRequest, "the body cannot be read to its end")
	default:
		return n, err
	}
	return 0, u.failed
}
