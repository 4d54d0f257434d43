package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// The kinds of rows that multiply makes; they are part of the ids, so that rows can name each other.
const (
	seedPerson = iota + 1
	seedAccount
	seedGroup
	seedRun
	seedDecision
	seedMailbox
	seedCalendar
	seedActivity
	seedDelivery
	seedOperation
	seedList
	seedRequest
	seedEvent
	seedEndpoint
)

// seeded is how many people and what belongs to them there are beside the fixture's own.
type seeded struct {
	*fixture
	things         map[string]string
	people, groups int
}

// seed fills the organization with one of everything, that multiply makes many of.
func (f *fixture) seed() *seeded {
	f.Helper()
	s := &seeded{fixture: f, things: f.things()}
	i, err := f.store.Read(f.Context()).Integration(model.Ref{OrganizationID: f.org.ID, IntegrationID: s.things["integration"]})
	f.ok(err)
	guest := f.push(i, "seed@contoso.example", "Seed Person")
	f.within(func(tx *store.Tx) error {
		run := model.Run{OrganizationID: f.org.ID, IntegrationID: i.ID, Kind: model.RunImport, State: model.RunHeld, Phase: model.PhasePlan}
		if err := tx.InsertRun(&run); err != nil {
			return err
		}
		s.things["run"] = run.ID
		return tx.PutRunDecisions([]model.RunDecision{{
			RunID: run.ID, SubjectID: guest.ID, OrganizationID: f.org.ID, Email: "seed@contoso.example", Name: "Seed Person",
			Action: model.ActionDeactivate, Reason: "left every chosen group",
		}})
	})
	return s
}

// within works in a transaction of the store.
func (f *fixture) within(fn func(*store.Tx) error) {
	f.Helper()
	f.ok(f.store.InTx(f.Context(), fn))
}

// postgres says which database this is.
func (s *seeded) postgres() bool { return s.store.Dialect() == "postgres" }

// id is SQL for the id of the n-th row of a kind; n is an expression.
func (s *seeded) id(kind int, n string) string {
	if s.postgres() {
		return fmt.Sprintf("('00000000-%04x-7000-8000-' || lpad(to_hex(%s), 12, '0'))::uuid", kind, n)
	}
	return fmt.Sprintf("printf('00000000-%04x-7000-8000-%%012x', %s)", kind, n)
}

// recent is SQL for an id that was made n seconds ago.
func (s *seeded) recent(kind int) string {
	ms := s.svc.Now().UnixMilli()
	if s.postgres() {
		return fmt.Sprintf("(lpad(to_hex((%d - n * 800::bigint) >> 16), 8, '0') || '-' || lpad(to_hex((%d - n * 800::bigint) & 65535), 4, '0') || '-7%03x-8000-' || lpad(to_hex(n), 12, '0'))::uuid", ms, ms, kind)
	}
	return fmt.Sprintf("printf('%%08x-%%04x-7%03x-8000-%%012x', (%d - n * 800) >> 16, (%d - n * 800) & 65535, n)", kind, ms, ms)
}

func (s *seeded) exec(sql string, args ...any) {
	s.Helper()
	if _, err := s.store.DB().ExecContext(s.Context(), sql, args...); err != nil {
		s.Fatalf("%s: %v", sql, err)
	}
}

// numbers is SQL for a table of the numbers n behind from, up to to.
func (s *seeded) numbers(from, to int) string {
	if s.postgres() {
		return fmt.Sprintf("(SELECT generate_series(%d, %d) AS n) numbers", from+1, to)
	}
	return fmt.Sprintf("(WITH RECURSIVE many (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM many WHERE n < %d) SELECT n FROM many) numbers", from+1, to)
}

// copies repeats the one row of a table that the condition finds, with other values in some columns; they are SQL in n.
func (s *seeded) copies(table, where string, from, to int, change map[string]string) {
	s.Helper()
	if to <= from {
		return
	}
	rows, err := s.store.DB().QueryContext(s.Context(), "SELECT * FROM "+table+" WHERE "+where+" LIMIT 1")
	s.ok(err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	s.ok(err)
	found := rows.Next()
	s.ok(errors.Join(rows.Close(), rows.Err()))
	if !found {
		s.Fatalf("no row of %s is where %s", table, where)
	}
	columns = slices.DeleteFunc(columns, func(name string) bool { return name == "hybrid" || table == "changes" && name == "seq" })
	values := slices.Clone(columns)
	for i, name := range columns {
		if sql, ok := change[name]; ok {
			values[i] = sql
		}
	}
	s.exec(fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM (SELECT * FROM %s WHERE %s LIMIT 1) row CROSS JOIN %s",
		table, strings.Join(columns, ", "), strings.Join(values, ", "), table, where, s.numbers(from, to)))
}

// json is SQL for a document in which a text stands instead of another.
func (s *seeded) json(kind, column, old, with string) string {
	if s.postgres() {
		return "replace(" + column + "::text, '" + old + "', " + with + ")::" + kind
	}
	return "replace(" + column + ", '" + old + "', " + with + ")"
}

// multiply makes more people, and of what belongs to them, until there are as many as said: each with an account in ten groups, and
// a mailbox with a calendar. Every twentieth is deactivated, every tenth is hybrid, some are guests, excluded, or in conflict.
func (s *seeded) multiply(people, groups int) {
	s.Helper()
	from, fromGroups := s.people, s.groups
	s.people, s.groups = people, groups
	name := "'p' || n || '@contoso.example'"
	seed := fmt.Sprintf("organization_id = '%s' AND email_key = 'seed@contoso.example'", s.org.ID)
	s.copies("accounts", seed, from, people, map[string]string{
		"id": s.id(seedAccount, "n"), "email": name, "email_key": name, "user_name": name, "user_name_key": name, "display_name": "'Person ' || n",
		"status": "CASE WHEN n % 20 = 0 THEN 'deactivated' WHEN n % 501 = 0 THEN 'archived' ELSE 'active' END",
		"origin": "CASE WHEN n % 97 = 0 THEN 'manual' ELSE 'directory' END",
	})
	guest := "CASE WHEN n % 25 = 1 THEN 'p' || n || '_fabrikam.example#ext#@contoso.example' ELSE " + name + " END"
	out := "n % 50 = 0 OR n % 97 = 0"
	s.copies("directory_users", seed, from, people, map[string]string{
		"id": s.id(seedPerson, "n"), "user_name": guest, "user_name_key": guest, "external_id": "'ext-' || n", "email": name, "email_key": name,
		"display_name": "'Person ' || n", "account_id": "CASE WHEN " + out + " THEN NULL ELSE " + s.id(seedAccount, "n") + " END",
		"match_keys": "NULL", "document": s.documents(),
		"explanation": "CASE WHEN n % 500 = 0 THEN explanation WHEN n % 50 = 0 THEN " + s.json("json", "explanation", `"in_scope":true`, `'"in_scope":false'`) + " ELSE explanation END",
	})
	s.multiplyGroups(fromGroups, groups)
	s.multiplyMembers(from, people, groups)
	s.multiplyCalendars(from, people)
	s.multiplyHistory(from, people)
	if s.postgres() {
		s.exec("VACUUM ANALYZE")
	}
}

// documents is SQL for what Entra sent of the n-th person.
func (s *seeded) documents() string {
	named := s.json("jsonb", "document", "seed@", "'p' || n || '@'")
	const hybrid = `'{"urn:ietf:params:scim:schemas:extension:usher:2.0:User":{"onPremisesSyncEnabled":true},'`
	if s.postgres() {
		return "CASE WHEN n % 10 = 0 THEN (" + hybrid + " || substr((" + named + ")::text, 2))::jsonb ELSE " + named + " END"
	}
	return "CASE WHEN n % 10 = 0 THEN " + hybrid + " || substr(" + named + ", 2) ELSE " + named + " END"
}

func (s *seeded) multiplyGroups(from, to int) {
	s.Helper()
	group := "id = '" + s.things["group"] + "'"
	s.copies("directory_groups", group, from, to, map[string]string{
		"id": s.id(seedGroup, "n"), "display_name": "'Group ' || n", "display_name_key": "'group ' || n", "external_id": "'group-' || n",
	})
	s.copies("lists", "id = '"+s.things["list"]+"'", from, to, map[string]string{
		"id": s.id(seedList, "n"), "display_name": "'List ' || n", "external_id": "'group-' || n", "email": "'list' || n || '@contoso.example'",
	})
}

// multiplyMembers puts everybody new into ten groups and into the fixture's own.
func (s *seeded) multiplyMembers(from, to, groups int) {
	s.Helper()
	i := s.things["integration"]
	each := min(10, groups)
	columns := "INSERT INTO memberships (group_id, member_id, organization_id, integration_id, member_type, display) SELECT "
	row := fmt.Sprintf(", '%s', '%s', 'User', 'Person ' || n FROM %s", s.org.ID, i, s.numbers(from, to))
	s.exec(columns + "'" + s.things["group"] + "', " + s.id(seedPerson, "n") + row)
	for k := range each {
		s.exec(columns + s.id(seedGroup, fmt.Sprintf("(n * 7 + %d) %% %d + 1", k*max(1, groups/each), groups)) + ", " + s.id(seedPerson, "n") + row)
	}
}

func (s *seeded) multiplyCalendars(from, to int) {
	s.Helper()
	s.copies("mailboxes", "id = '"+s.things["mailbox"]+"'", from, to, map[string]string{
		"id": s.id(seedMailbox, "n"), "account_id": s.id(seedAccount, "n"), "address": "'p' || n || '@contoso.example'", "graph_user_id": "'graph-' || n",
	})
	s.copies("calendars", "id = '"+s.things["calendar"]+"'", from, to, map[string]string{
		"id": s.id(seedCalendar, "n"), "mailbox_id": s.id(seedMailbox, "n"), "account_id": s.id(seedAccount, "n"), "graph_id": "'calendar-' || n",
	})
}

// multiplyHistory makes what happened: a request, a line of the log, a change, a delivery and a decision for each person, and fewer
// runs, operations and endpoints.
func (s *seeded) multiplyHistory(from, to int) {
	s.Helper()
	mine := "organization_id = '" + s.org.ID + "'"
	s.copies("scim_requests", mine, from, to, map[string]string{"id": s.recent(seedRequest), "subject_id": s.text(s.id(seedPerson, "n")), "subject_key": "'p' || n"})
	s.copies("activities", mine+" AND action LIKE 'account.%'", from, to, map[string]string{"id": s.recent(seedActivity), "subject_id": s.text(s.id(seedAccount, "n"))})
	s.copies("changes", mine, from, to, map[string]string{"position": "n + 1000000", "subject_id": s.text(s.id(seedAccount, "n"))})
	s.copies("run_decisions", "run_id = '"+s.things["run"]+"'", from, to, map[string]string{"subject_id": s.id(seedPerson, "n"), "rank": "n % 5", "name": "'Person ' || n"})
	s.copies("webhook_deliveries", "id = '"+s.things["delivery"]+"'", from, to, map[string]string{"id": s.recent(seedDelivery), "state": "CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'delivered' END"})
	s.copies("runs", mine+" AND state = 'queued'", from/100, to/100, map[string]string{"id": s.id(seedRun, "n"), "state": "'succeeded'", "undo_of": "NULL"})
	s.copies("operations", "id = '"+s.things["operation"]+"'", from/100, to/100, map[string]string{"id": s.id(seedOperation, "n"), "open": s.no(), "state": "'succeeded'"})
}

// text is SQL for an id as a text.
func (s *seeded) text(id string) string {
	if s.postgres() {
		return "(" + id + ")::text"
	}
	return id
}

func (s *seeded) no() string {
	if s.postgres() {
		return "false"
	}
	return "0"
}

// pages gives the address of every page of the console, and of those that filter, search and go on in lists of people.
func (s *seeded) pages() []string {
	s.Helper()
	var list []string
	for _, r := range tableOf(s.fixture) {
		if r.Method == http.MethodGet && r.Path != "/integrations/{integration}/setup/sign-in" && !strings.HasSuffix(r.Path, "/events") && !strings.Contains(r.Path, "export") {
			list = append(list, s.filled(r.Path, s.things))
		}
	}
	for _, view := range []string{"active", "deactivated", "archived", "external", "guests", "hybrid", "excluded", "conflicts", "held"} {
		list = append(list, "/people?view="+view)
	}
	one := "integration=" + s.things["integration"]
	return append(list, "/people?q=p1", "/people?q=nobody&after=everywhere", "/people?view=guests&q=nobody", "/people?view=hybrid&q=nobody", "/people?view=held&q=nobody",
		"/people?"+one, "/people?role=hr", "/people?view=active&role=hr", "/groups?"+one+"&q=nothing", "/logs?result=error", "/logs/activity?q=nothing", "/runs?state=failed",
		"/people/00000000-0002-7000-8000-000000000007")
}
