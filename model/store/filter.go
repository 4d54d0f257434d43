package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"usher/model"
)

// Users gives a page of the users that a filter matches, in the order of creation, and how many match in all.
func (r *Reader) Users(ref model.Ref, q model.ResourceQuery) ([]model.DirectoryUser, int, error) {
	var users []model.DirectoryUser
	total, err := r.resources(ref, q, "directory_users", userColumns, func(row scanner) error {
		return scanAppend(row, &users, scanUser)
	})
	return users, total, err
}

// Groups gives a page of the groups that a filter matches, in the order of creation, and how many match in all.
func (r *Reader) Groups(ref model.Ref, q model.ResourceQuery) ([]model.DirectoryGroup, int, error) {
	var groups []model.DirectoryGroup
	total, err := r.resources(ref, q, "directory_groups", groupColumns, func(row scanner) error {
		return scanAppend(row, &groups, scanGroup)
	})
	return groups, total, err
}

func (r *Reader) resources(ref model.Ref, q model.ResourceQuery, table, columns string, scan func(scanner) error) (int, error) {
	where, args := "organization_id = ? AND integration_id = ?", []any{ref.OrganizationID, ref.IntegrationID}
	if q.Filter != nil {
		c := compiler{dialect: r.s.dialect, table: table}
		condition, err := c.compile(q.Filter)
		if err != nil {
			return 0, err
		}
		where += " AND " + condition
		args = append(args, c.args...)
	}
	offset, rows := max(q.StartIndex, 1)-1, 0
	counted := func(row scanner) error { rows++; return scan(row) }
	if q.Count > 0 {
		err := r.query(statement{
			sql:  "SELECT " + columns + " FROM " + table + " WHERE " + where + " ORDER BY id LIMIT ? OFFSET ?",
			rare: q.Filter != nil,
			args: append(append([]any{}, args...), q.Count, offset),
			scan: counted,
		})
		if err != nil {
			return 0, translate(err)
		}
		if rows < q.Count && (rows > 0 || offset == 0) {
			return offset + rows, nil // the page is the last one, so that the total is known
		}
	}
	total := 0
	err := r.query(statement{
		sql:  "SELECT count(*) FROM " + table + " WHERE " + where,
		rare: q.Filter != nil,
		args: args,
		scan: func(row scanner) error { return row.Scan(&total) },
	})
	return total, translate(err)
}

// compiler turns a model.Filter into a SQL condition. Everything of the caller's is bound, never written into the text.
type compiler struct {
	dialect dialect
	table   string
	args    []any
}

func (c *compiler) bind(v any) string {
	c.args = append(c.args, v)
	return "?"
}

func (c *compiler) compile(f model.Filter) (string, error) {
	switch f := f.(type) {
	case model.And:
		return c.both(f.Left, "AND", f.Right)
	case model.Or:
		return c.both(f.Left, "OR", f.Right)
	case model.Not:
		inner, err := c.compile(f.Inner)
		return "NOT coalesce(" + inner + ", false)", err
	case model.ValuePath:
		if err := filterName(f.Path.Schema, f.Path.Name); err != nil {
			return "", err
		}
		return c.valuePath(f)
	case model.Compare:
		if err := filterName(f.Path.Schema, f.Path.Name, f.Path.Sub); err != nil {
			return "", err
		}
		return c.compare(f)
	}
	return "", fmt.Errorf("filter of unknown kind %T", f)
}

func (c *compiler) both(left model.Filter, op string, right model.Filter) (string, error) {
	l, err := c.compile(left)
	if err != nil {
		return "", err
	}
	r, err := c.compile(right)
	return "(" + l + " " + op + " " + r + ")", err
}

// column is an indexed copy of an attribute.
type column struct {
	name   string
	folded bool // holds model.Fold of the value
	kind   string
}

func (c *compiler) column(p model.AttributePath) (column, bool) {
	if p.Schema != "" {
		return column{}, false
	}
	name := p.Name
	if p.Sub != "" {
		name += "." + p.Sub
	}
	users := c.table == "directory_users"
	switch {
	case name == "id":
		return column{"id", false, "id"}, true
	case name == "meta.created":
		return column{"created_at", false, "time"}, true
	case name == "meta.lastModified":
		return column{"updated_at", false, "time"}, true
	case name == "externalId":
		return column{"external_id", false, "text"}, true
	case name == "userName" && users:
		return column{"user_name_key", true, "text"}, true
	case name == "active" && users:
		return column{"active", false, "bool"}, true
	case name == "displayName" && !users:
		return column{"display_name_key", true, "text"}, true
	}
	return column{}, false
}

func (c *compiler) compare(f model.Compare) (string, error) {
	if c.table == "directory_groups" && f.Path.Schema == "" && f.Path.Name == "members" {
		return c.memberCompare(f), nil
	}
	if col, ok := c.column(f.Path); ok {
		return c.columnCompare(col, f), nil
	}
	if f.Path.MultiValued {
		return c.anyElement(f.Path, func(element string) string {
			return c.operator(c.step(element, f.Path.Sub), f)
		}), nil
	}
	return c.operator(c.value(f.Path), f), nil
}

// memberCompare asks the membership rows: "members eq id", "members.value eq id", "members pr".
func (c *compiler) memberCompare(f model.Compare) string {
	exists := "EXISTS (SELECT 1 FROM memberships m WHERE m.group_id = directory_groups.id"
	id, _ := f.Value.(string)
	switch {
	case f.Op == model.OpPresent:
		return exists + ")"
	case f.Path.Sub != "" && f.Path.Sub != "value", f.Op != model.OpEqual && f.Op != model.OpNotEqual, !ValidID(id):
		return "false"
	case f.Op == model.OpNotEqual:
		return "NOT " + exists + " AND m.member_id = " + c.bind(id) + ")"
	}
	return exists + " AND m.member_id = " + c.bind(id) + ")"
}

func (c *compiler) columnCompare(col column, f model.Compare) string {
	if f.Op == model.OpPresent || f.Value == nil {
		present := map[string]string{"text": col.name + " <> ''"}[col.kind]
		if present == "" {
			present = "true"
		}
		return nullCompare(present, f.Op)
	}
	switch col.kind {
	case "id":
		return c.idCompare(col.name, f)
	case "time":
		at, _ := f.Value.(time.Time)
		return col.name + " " + sqlOperators(f.Op) + " " + c.bind(at.UTC())
	case "bool":
		return col.name + " " + sqlOperators(f.Op) + " " + c.bind(f.Value)
	}
	text, _ := f.Value.(string)
	if col.folded {
		text = model.Fold(text)
	}
	return c.textOperator(col.name, f.Op, text, asItIs)
}

// idCompare keeps what is no identifier away from the column, whose type might refuse it.
func (c *compiler) idCompare(name string, f model.Compare) string {
	id, _ := f.Value.(string)
	switch {
	case f.Op == model.OpEqual && ValidID(id):
		return name + " = " + c.bind(strings.ToLower(id))
	case f.Op == model.OpNotEqual && ValidID(id):
		return name + " <> " + c.bind(strings.ToLower(id))
	case f.Op == model.OpEqual:
		return "false"
	case f.Op == model.OpNotEqual:
		return "true"
	}
	return c.textOperator("CAST("+name+" AS text)", f.Op, id, asItIs)
}

func nullCompare(present string, op model.CompareOp) string {
	if op == model.OpEqual { // eq null
		return "NOT (" + present + ")"
	}
	return "(" + present + ")"
}

func (c *compiler) valuePath(f model.ValuePath) (string, error) {
	if c.table == "directory_groups" && f.Path.Schema == "" && f.Path.Name == "members" {
		return c.memberPath(f)
	}
	if f.Path.Schema == "" && f.Path.Name == "emails" && c.table == "directory_users" {
		if condition, ok := c.workEmail(f.Inner); ok {
			return condition, nil
		}
	}
	var failed error
	condition := c.anyElement(f.Path, func(element string) string {
		inner, err := c.inner(element, f.Inner)
		failed = err
		return inner
	})
	return condition, failed
}

// workEmail lets `emails[type eq "work" and value eq "x"]`, by which Entra matches people, use the index on the e-mail
// column: it narrows to the few rows with that address before any document is opened.
func (c *compiler) workEmail(inner model.Filter) (string, bool) {
	and, ok := inner.(model.And)
	if !ok {
		return "", false
	}
	left, okL := and.Left.(model.Compare)
	right, okR := and.Right.(model.Compare)
	if !okL || !okR || left.Op != model.OpEqual || right.Op != model.OpEqual {
		return "", false
	}
	if left.Path.Name == "value" {
		left, right = right, left
	}
	kind, _ := left.Value.(string)
	address, _ := right.Value.(string)
	if left.Path.Name != "type" || model.Fold(kind) != "work" || right.Path.Name != "value" || address == "" {
		return "", false
	}
	// The column holds the work address where there is one (directory.Index).
	return "(email_key = " + c.bind(model.Fold(address)) + " AND " + c.hasElement("emails", "type", "work") + ")", true
}

func (c *compiler) hasElement(attribute, sub, value string) string {
	return c.anyElement(model.AttributePath{Name: attribute, MultiValued: true}, func(element string) string {
		return c.folded(c.step(element, sub)) + " = " + c.bind(value)
	})
}

func (c *compiler) memberPath(f model.ValuePath) (string, error) {
	switch inner := f.Inner.(type) {
	case model.Compare:
		return c.memberCompare(model.Compare{
			Path: model.AttributePath{Name: "members", Sub: inner.Path.Name}, Op: inner.Op, Value: inner.Value,
		}), nil
	case model.Or:
		left, err := c.memberPath(model.ValuePath{Path: f.Path, Inner: inner.Left})
		if err != nil {
			return "", err
		}
		right, err := c.memberPath(model.ValuePath{Path: f.Path, Inner: inner.Right})
		return "(" + left + " OR " + right + ")", err
	}
	return "", model.Errorf(model.Invalid, "members can be filtered by value alone")
}

// inner compiles a condition on one element of a multi-valued attribute.
func (c *compiler) inner(element string, f model.Filter) (string, error) {
	switch f := f.(type) {
	case model.And:
		return c.innerBoth(element, f.Left, "AND", f.Right)
	case model.Or:
		return c.innerBoth(element, f.Left, "OR", f.Right)
	case model.Not:
		inner, err := c.inner(element, f.Inner)
		return "NOT coalesce(" + inner + ", false)", err
	case model.Compare:
		if err := filterName(f.Path.Name); err != nil {
			return "", err
		}
		return c.operator(c.step(element, f.Path.Name), f), nil
	}
	return "", model.Errorf(model.Invalid, "a value path cannot stand within another")
}

func (c *compiler) innerBoth(element string, left model.Filter, op string, right model.Filter) (string, error) {
	l, err := c.inner(element, left)
	if err != nil {
		return "", err
	}
	r, err := c.inner(element, right)
	return "(" + l + " " + op + " " + r + ")", err
}

// operator compares a text expression that holds an attribute's value, or NULL where it is absent.
func (c *compiler) operator(expression string, f model.Compare) string {
	if f.Op == model.OpPresent || f.Value == nil {
		return nullCompare("coalesce("+expression+", '') <> ''", f.Op)
	}
	switch v := f.Value.(type) {
	case bool:
		return c.orAbsent(expression+" "+sqlOperators(f.Op)+" "+c.bind(strconv.FormatBool(v)), expression, f.Op)
	case json.Number:
		return c.number(expression) + " " + sqlOperators(f.Op) + " " + c.boundNumber(v)
	case time.Time:
		return c.timestamp(expression) + " " + sqlOperators(f.Op) + " " + c.boundTime(v)
	case string:
		if !f.Path.CaseExact {
			return c.orAbsent(c.textOperator(c.folded(expression), f.Op, v, c.folded), expression, f.Op)
		}
		return c.orAbsent(c.textOperator(expression, f.Op, v, asItIs), expression, f.Op)
	}
	return "false"
}

// orAbsent makes "ne" hold for an absent attribute too (RFC 7644 §3.4.2.2: what is absent does not equal).
func (c *compiler) orAbsent(condition, expression string, op model.CompareOp) string {
	if op == model.OpNotEqual {
		return "(" + expression + " IS NULL OR " + condition + ")"
	}
	return condition
}

// textOperator compares text; bound wraps the placeholder of the value as the expression is wrapped.
func (c *compiler) textOperator(expression string, op model.CompareOp, value string, bound func(string) string) string {
	like := func(pattern string) string { return expression + " LIKE " + bound(c.bind(pattern)) + " ESCAPE '!'" }
	switch op {
	case model.OpContains:
		return like("%" + escapeLike(value) + "%")
	case model.OpStartsWith:
		return like(escapeLike(value) + "%")
	case model.OpEndsWith:
		return like("%" + escapeLike(value))
	}
	return expression + " " + sqlOperators(op) + " " + bound(c.bind(value))
}

func asItIs(placeholder string) string { return placeholder }

func sqlOperators(op model.CompareOp) string {
	switch op {
	case model.OpNotEqual:
		return "<>"
	case model.OpGreater:
		return ">"
	case model.OpGreaterOrEqual:
		return ">="
	case model.OpLess:
		return "<"
	case model.OpLessOrEqual:
		return "<="
	}
	return "="
}
