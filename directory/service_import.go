package directory

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// EmployeeImport is what an import of employees did. With Errors, nothing was changed.
type EmployeeImport struct {
	Lines     int         `json:"lines"` // of employees, without the header
	Created   int         `json:"created"`
	Updated   int         `json:"updated"`
	Unchanged int         `json:"unchanged"`
	Errors    []LineError `json:"errors"`
}

// LineError is what is wrong with a line of a file; lines count from 1, the header included.
type LineError struct {
	Line   int    `json:"line"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// Limits of an import.
const (
	maxImportLines  = 100_000
	maxImportErrors = 1_000
	importPage      = 200 // employees that one transaction stores
)

// employeeColumns lists the columns of the file; those behind the first may be absent.
func employeeColumns() []string {
	return []string{"external_id", "email", "given_name", "family_name", "department", "job_title", "resignation_date"}
}

// ImportEmployees reads employees from CSV (RFC 4180, UTF-8, comma or semicolon) whose first line names the columns:
// external_id, and any of email, given_name, family_name, department, job_title and resignation_date. Each line is stored as
// PutEmployee does; a column that is absent is empty. The whole file is checked first: with any bad line nothing is changed,
// every bad line is in Errors, and the error is Invalid. A good file is stored in pages, so that an import that is cut off
// can be sent again.
func (s *Service) ImportEmployees(ctx context.Context, organizationID string, file io.Reader) (EmployeeImport, error) {
	list, out, err := s.readEmployees(file)
	if err != nil {
		return out, err
	}
	if len(out.Errors) > 0 {
		return out, model.Errorf(model.Invalid, "nothing was imported: line %d: %s", out.Errors[0].Line, out.Errors[0].text())
	}
	for page := range slices.Chunk(list, importPage) {
		var created, updated, unchanged int
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			created, updated, unchanged = 0, 0, 0
			w, err := s.employeeEdit(ctx, tx, organizationID)
			if err != nil {
				return err
			}
			for _, e := range page {
				p, err := w.put(e)
				switch {
				case err != nil:
					return fmt.Errorf("employee %s: %w", e.ExternalID, err)
				case p.created:
					created++
				case p.changed:
					updated++
				default:
					unchanged++
				}
			}
			return nil
		})
		if err != nil {
			return out, err
		}
		out.Created, out.Updated, out.Unchanged = out.Created+created, out.Updated+updated, out.Unchanged+unchanged
	}
	return out, nil
}

func (e LineError) text() string {
	if e.Field == "" {
		return e.Detail
	}
	return e.Field + ": " + e.Detail
}

// readEmployees reads and checks the whole file.
func (s *Service) readEmployees(file io.Reader) ([]model.Employee, EmployeeImport, error) {
	out := EmployeeImport{Errors: []LineError{}}
	r, columns, err := openCSV(file)
	if err != nil {
		return nil, out, err
	}
	var list []model.Employee
	seen := map[string]int{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, out, nil
		}
		line, bad := lineOf(r, record, err)
		if out.Lines++; out.Lines > maxImportLines {
			return nil, out, model.Errorf(model.TooLarge, "a file has at most %d employees", maxImportLines)
		}
		var e model.Employee
		if bad == nil {
			e, bad = s.employeeOf(columns, record, seen, line)
		}
		if bad == nil {
			list = append(list, e)
			continue
		}
		if out.Errors = append(out.Errors, *bad); len(out.Errors) >= maxImportErrors {
			return nil, out, nil
		}
		if err != nil && !isFieldCount(err) {
			return nil, out, nil // the reader cannot tell where the next line begins
		}
	}
}

func isFieldCount(err error) bool { return errors.Is(err, csv.ErrFieldCount) }

// lineOf gives the number of the line that was read, and what is wrong with its form.
func lineOf(r *csv.Reader, record []string, err error) (int, *LineError) {
	if pe, ok := errors.AsType[*csv.ParseError](err); ok {
		detail := pe.Err.Error()
		if isFieldCount(err) {
			detail = fmt.Sprintf("has %d fields, the header has another number", len(record))
		}
		return pe.Line, &LineError{Line: pe.StartLine, Detail: detail}
	}
	if err != nil {
		return 0, &LineError{Detail: "the file cannot be read: " + err.Error()}
	}
	line, _ := r.FieldPos(0)
	return line, nil
}

// openCSV reads the header.
func openCSV(file io.Reader) (*csv.Reader, []string, error) {
	text := newPeeker(file)
	r := csv.NewReader(text)
	if text.semicolons() {
		r.Comma = ';'
	}
	header, err := r.Read()
	if err != nil {
		return nil, nil, model.Errorf(model.Invalid, "the file has no header line that names the columns %s", strings.Join(employeeColumns(), ","))
	}
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(employeeColumns(), header[i]) {
			return nil, nil, model.Errorf(model.Invalid, "line 1: column %q is not one of %s", name, strings.Join(employeeColumns(), ", "))
		}
		if slices.Contains(header[:i], header[i]) {
			return nil, nil, model.Errorf(model.Invalid, "line 1: column %s is there twice", header[i])
		}
	}
	if !slices.Contains(header, "external_id") {
		return nil, nil, model.Errorf(model.Invalid, "line 1: column external_id is missing")
	}
	return r, header, nil
}

func (s *Service) employeeOf(columns, record []string, seen map[string]int, line int) (model.Employee, *LineError) {
	var e model.Employee
	for i, name := range columns {
		switch name {
		case "external_id":
			e.ExternalID = record[i]
		case "email":
			e.Email = record[i]
		case "given_name":
			e.GivenName = record[i]
		case "family_name":
			e.FamilyName = record[i]
		case "department":
			e.Department = record[i]
		case "job_title":
			e.JobTitle = record[i]
		case "resignation_date":
			e.ResignationDate = &record[i]
		}
	}
	if err := s.checkEmployee(&e); err != nil {
		bad := &LineError{Line: line, Detail: err.Error()}
		if told, ok := errors.AsType[*model.Error](err); ok {
			bad.Field, bad.Detail = told.Field, told.Detail
		}
		return e, bad
	}
	if first, twice := seen[e.ExternalID]; twice {
		return e, &LineError{Line: line, Field: "external_id", Detail: fmt.Sprintf("%s is on line %d already", e.ExternalID, first)}
	}
	seen[e.ExternalID] = line
	return e, nil
}
