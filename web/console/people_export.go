package console

import (
	"encoding/csv"
	"net/http"
	"strings"

	"usher/model"
)

// exportBatch is how many people are read at a time for an export.
const exportBatch = 500

// exportPeople gives everyone whom the view shows on all its pages, as a table for a spreadsheet, row by row and in little memory.
func (v *visit) exportPeople() error {
	if err := knownView(v.query("view")); err != nil {
		return err
	}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	head, read, err := v.exporter(settings)
	if err != nil {
		return err
	}
	lines, next, err := read("")
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="people.csv"`)
	out := csv.NewWriter(v.w)
	_ = out.Write(head)
	for {
		_ = out.WriteAll(lines)
		if out.Error() != nil || v.ctx.Err() != nil || next == "" {
			return nil // the browser is gone, or this was the last page
		}
		if lines, next, err = read(next); err != nil {
			v.log.ErrorContext(v.ctx, "export broken off", "err", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
	}
}

func accountHead() []string {
	return []string{"id", "name", "email", "user_name", "status", "roles", "department", "job_title", "from", "created_at", "updated_at"}
}

func accountLine(a *model.Account, settings *model.Settings) []string {
	return plain(
		a.ID, a.Name(), a.Email, a.UserName, string(a.Status), strings.Join(a.Roles, " "), a.Department, a.JobTitle,
		accountRow(a, settings).Where, a.CreatedAt.Format(timeCSV), a.UpdatedAt.Format(timeCSV))
}

// timeCSV is how a table for a spreadsheet tells times.
const timeCSV = "2006-01-02T15:04:05Z"

// plain keeps a spreadsheet from taking what somebody chose as a name for a formula.
func plain(cells ...string) []string {
	for i, c := range cells {
		if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
			cells[i] = "'" + c
		}
	}
	return cells
}
