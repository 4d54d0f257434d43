package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/model"
)

// scimColumns are the columns of a line of the request log but its exchange, in the order of scanSCIMRequest.
const scimColumns = `id, organization_id, integration_id, occurred_at, duration_us, status, method, path, summary, subject_type,
 subject_id, subject, subject_key, result, scim_type, detail, rule, deviations, credential_id, credential_name, user_agent, remote_address`

// SCIMRequestFilter narrows the request log of an integration; the zero value is all of it.
type SCIMRequestFilter struct {
	From, To time.Time
	Status   int // exactly
	Result   model.SCIMResult
	Method   string
	Subject  string // id of a user or group, or its whole name at the time, without case
	Search   string // part of the summary, the subject's name or the detail, without case
	Errors   bool   // status 400 and more alone
}

// scimScan is how many lines are looked at for one page where no index leads to those that are wanted.
const scimScan = 20_000

// SCIMRequestsBefore gives a page of the request log, newest first, of lines before the one with the id before, without their
// exchanges. next is the id behind which the next page begins, "" where there is none. A page may hold fewer lines than limit
// although there are more, because a page looks at a bounded number of lines.
func (r *Reader) SCIMRequestsBefore(ref model.Ref, f SCIMRequestFilter, before string, limit int) (list []model.SCIMRequest, next string, err error) {
	if before != "" && !ValidID(before) {
		return nil, "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	list = []model.SCIMRequest{}
	if !ValidID(ref.IntegrationID) {
		return list, "", nil
	}
	q := r.scimQuery(ref, f, before)
	floor := ""
	if !q.indexed {
		if floor, err = r.scimFloor(q); err != nil {
			return nil, "", err
		}
		if floor != "" {
			q.add("id >= ?", floor)
		}
	}
	q.narrow(r, f)
	err = r.query(statement{
		sql: "SELECT " + scimColumns + " FROM scim_requests" + q.index + " WHERE " + strings.Join(q.where, " AND ") +
			" ORDER BY id DESC LIMIT ?",
		args: append(q.args, limit+1),
		scan: func(row scanner) error { return scanAppend(row, &list, scanSCIMRequest) },
	})
	switch {
	case err != nil:
		return nil, "", translate(err)
	case len(list) > limit:
		return list[:limit], list[limit-1].ID, nil
	}
	return list, floor, nil
}

// scimQuery is a question to the request log in the making.
type scimQuery struct {
	where   []string
	args    []any
	index   string // for SQLite, which is told
	indexed bool   // an index leads to what is wanted, however much there is
}

func (q *scimQuery) add(condition string, values ...any) {
	q.where = append(q.where, condition)
	q.args = append(q.args, values...)
}

// scimQuery begins with what bounds the lines by their place: integration, time, subject, failure. Where another index than
// the primary key is wanted, the organization is asked for in a form that the key does not serve.
func (r *Reader) scimQuery(ref model.Ref, f SCIMRequestFilter, before string) *scimQuery {
	q := &scimQuery{}
	organization := r.beside("organization_id")
	switch {
	case ValidID(f.Subject):
		q.indexed, q.index = true, r.indexedBy("scim_requests_subject_id")
		q.add("subject_id = ? AND subject_id <> ''", f.Subject)
	case f.Subject != "":
		q.indexed, q.index = true, r.indexedBy("scim_requests_subject")
		q.add("subject_key = ? AND subject_key <> ''", model.Fold(f.Subject))
	case f.failuresOnly():
		q.indexed, q.index = f.Search == "" && f.Method == "", r.indexedBy("scim_requests_errors")
		q.add("status >= 400")
	default:
		organization = "organization_id = ?"
	}
	q.add(organization, ref.OrganizationID)
	q.add("integration_id = ?", ref.IntegrationID)
	if before != "" {
		q.add("id < ?", before)
	}
	if !f.From.IsZero() {
		q.add("id >= ?", earliestID(f.From))
	}
	if !f.To.IsZero() {
		q.add("id < ?", earliestID(f.To.Add(time.Millisecond)))
	}
	return q
}

// failuresOnly says whether only lines are wanted that the index of failures has.
func (f SCIMRequestFilter) failuresOnly() bool {
	return f.Errors || f.Status >= 400 || f.Result != "" && f.Result != model.SCIMSuccess
}

// narrow adds what no index serves.
func (q *scimQuery) narrow(r *Reader, f SCIMRequestFilter) {
	if !f.From.IsZero() {
		q.add("occurred_at >= ?", f.From.UTC())
	}
	if !f.To.IsZero() {
		q.add("occurred_at < ?", f.To.UTC())
	}
	if f.Status != 0 {
		q.add("status = ?", f.Status)
	}
	if f.Errors {
		q.add("status >= 400")
	}
	if f.Result != "" {
		q.add("result = ?", string(f.Result))
	}
	if f.Method != "" {
		q.add("method = ?", f.Method)
	}
	if f.Search != "" {
		like := "%" + escapeLike(model.Fold(f.Search)) + "%"
		q.add("("+r.fold("summary")+" LIKE ? ESCAPE '!' OR subject_key LIKE ? ESCAPE '!' OR "+r.fold("detail")+" LIKE ? ESCAPE '!')", like, like, like)
	}
}

// scimFloor gives the id of the last line that a page looks at, "" where there are not that many.
func (r *Reader) scimFloor(q *scimQuery) (string, error) {
	floor := ""
	err := r.query(statement{
		sql:  "SELECT id FROM scim_requests" + q.index + " WHERE " + strings.Join(q.where, " AND ") + " ORDER BY id DESC LIMIT 1 OFFSET ?",
		args: append(slices.Clone(q.args), scimScan),
		scan: func(row scanner) error { return row.Scan(&floor) },
	})
	return floor, translate(err)
}

// earliestID gives the least id that a line of that millisecond can have (RFC 9562 §5.7).
func earliestID(at time.Time) string {
	ms := max(0, at.UnixMilli()) & (1<<48 - 1)
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000000", ms>>16, ms&0xffff)
}

// SCIMRequest reads one line of the request log with its exchange.
func (r *Reader) SCIMRequest(ref model.Ref, id string) (model.SCIMRequest, error) {
	if !ValidID(id) || !ValidID(ref.IntegrationID) {
		return model.SCIMRequest{}, notFound("request", id)
	}
	var out *model.SCIMRequest
	err := r.query(statement{
		sql:  "SELECT " + scimColumns + ", exchange FROM scim_requests WHERE organization_id = ? AND integration_id = ? AND id = ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, id},
		scan: func(row scanner) error {
			out = &model.SCIMRequest{}
			return scanSCIMRequest(withLast{row, &out.Exchange}, out)
		},
	})
	if err == nil && out == nil {
		err = notFound("request", id)
	}
	if err != nil {
		return model.SCIMRequest{}, translate(err)
	}
	return *out, nil
}

// withLast is a row with one more column behind those that are asked for.
type withLast struct {
	row  scanner
	last any
}

// Scan reads the row.
func (w withLast) Scan(dest ...any) error { return w.row.Scan(append(dest, w.last)...) }

func scanSCIMRequest(row scanner, q *model.SCIMRequest) error {
	var deviations []byte
	err := row.Scan(&q.ID, &q.OrganizationID, &q.IntegrationID, &q.OccurredAt, &q.DurationUS, &q.Status, &q.Method, &q.Path, &q.Summary,
		&q.SubjectType, &q.SubjectID, &q.Subject, &q.SubjectKey, &q.Result, &q.SCIMType, &q.Detail, &q.Rule, &deviations, &q.CredentialID,
		&q.CredentialName, &q.UserAgent, &q.RemoteAddress)
	if err != nil {
		return err
	}
	q.OccurredAt = q.OccurredAt.UTC()
	return json.Unmarshal(deviations, &q.Deviations)
}
