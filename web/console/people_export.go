package console

import (
	"encoding/csv"
	"net/http"
	"strings"
)

// exportBatch is how many accounts are read at a time for an export.
const exportBatch = 500

// exportPeople gives everyone whom the filters leave, as a table for a spreadsheet, row by row and in little memory.
func (v *visit) exportPeople() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	list, err := v.read.AccountsAfter(v.org, v.accountFilter(), "", exportBatch)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="people.csv"`)
	out := csv.NewWriter(v.w)
	_ = out.Write([]string{"id", "name", "email", "user_name", "status", "roles", "department", "job_title", "from", "created_at", "updated_at"})
	for len(list) > 0 {
		for i := range list {
			a := &list[i]
			_ = out.Write(plain(
				a.ID, a.Name(), a.Email, a.UserName, string(a.Status), strings.Join(a.Roles, " "), a.Department, a.JobTitle,
				accountRow(a, settings).Where, a.CreatedAt.Format(timeCSV), a.UpdatedAt.Format(timeCSV)))
		}
		if out.Flush(); out.Error() != nil || v.ctx.Err() != nil {
			return nil // the browser is gone
		}
		if list, err = v.read.AccountsAfter(v.org, v.accountFilter(), list[len(list)-1].ID, exportBatch); err != nil {
			v.log.ErrorContext(v.ctx, "export broken off", "err", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
	}
	out.Flush()
	return nil
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
