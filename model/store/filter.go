package store

import (
	"encoding/json"
	"fmt"
	"strconv"
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
	order := "id"
	if q.Filter != nil {
		c := compiler{dialect: r.s.dialect, table: table}
		if c.selective(q.Filter) {
			// Keeps both databases from reading the whole integration in this order to spare themselves the sorting of few
			// rows, as a plan does that was made while the table was small.
			order = map[dialect]string{sqliteLite: "+id", postgres: "id::text"}[c.dialect]
		}
		if c.byColumn(q.Filter) {
			where = r.beside("organization_id") + " AND " + r.beside("integration_id")
		}
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
		page, pageArgs := " LIMIT "+strconv.Itoa(q.Count), args
		if offset > 0 {
			// Bound, or every page would be a text of its own. The first page is not: PostgreSQL plans anew for every bound
			// LIMIT, and keeps the plan of one that it can read.
			page, pageArgs = " LIMIT ? OFFSET ?", append(append([]any{}, args...), q.Count, offset)
		}
		err := r.query(statement{
			sql:  "SELECT " + columns + " FROM " + table + " WHERE " + where + " ORDER BY " + order + page,
			rare: true,
			args: pageArgs,
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
//
// A condition on an attribute that is absent is NULL or false, which are the same here: only "not" could tell them apart,
// and it takes NULL for false. "ne" holds for what is absent, and so does "eq null".
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
		return both(c.compile, f.Left, "AND", f.Right)
	case model.Or:
		return both(c.compile, f.Left, "OR", f.Right)
	case model.Not:
		return negated(c.compile, f.Inner)
	case model.ValuePath:
		if err := filterName(f.Path.Schema, f.Path.Name); err != nil {
			return "", err
		}
		return c.valuePath(f)
	case model.Compare:
		if err := admissible(f); err != nil {
			return "", err
		}
		return c.compare(f)
	}
	return "", fmt.Errorf("filter of unknown kind %T", f)
}

// admissible refuses names that are none, and numbers that PostgreSQL could not read.
func admissible(f model.Compare) error {
	if n, ok := f.Value.(json.Number); ok && !numberPattern.MatchString(n.String()) {
		return model.Errorf(model.Invalid, "a number of this size cannot be compared with")
	}
	return filterName(f.Path.Schema, f.Path.Name, f.Path.Sub)
}

func both(compile func(model.Filter) (string, error), left model.Filter, op string, right model.Filter) (string, error) {
	l, err := compile(left)
	if err != nil {
		return "", err
	}
	r, err := compile(right)
	return "(" + l + " " + op + " " + r + ")", err
}

func negated(compile func(model.Filter) (string, error), f model.Filter) (string, error) {
	inner, err := compile(f)
	return "(NOT coalesce(" + inner + ", false))", err
}

func (c *compiler) compare(f model.Compare) (string, error) {
	if c.isMembers(f.Path) {
		return c.memberCompare(f)
	}
	if col, ok := c.column(f.Path); ok {
		return c.columnCompare(col, f), nil
	}
	if f.Path.MultiValued {
		return c.multiCompare(f), nil
	}
	return c.operator(c.value(f.Path), f), nil
}

// multiCompare holds where any element compares as asked. Where there is none, the attribute is absent.
func (c *compiler) multiCompare(f model.Compare) string {
	matches := func(f model.Compare) string {
		return c.anyElement(f.Path, func() string { return c.operator(c.step(f.Path.Sub), f) })
	}
	switch {
	case f.Value == nil && f.Op == model.OpEqual:
		f.Op = model.OpPresent
		return "(NOT " + matches(f) + ")"
	case f.Op == model.OpNotEqual && f.Value != nil:
		return "(NOT " + c.anyElement(f.Path, func() string { return "true" }) + " OR " + matches(f) + ")"
	}
	return matches(f)
}

func (c *compiler) valuePath(f model.ValuePath) (string, error) {
	if c.isMembers(f.Path) {
		condition, err := c.memberInner(f.Inner)
		return "EXISTS (" + memberRows + " AND " + condition + ")", err
	}
	if f.Path.Schema == "" && f.Path.Name == "emails" && c.table == "directory_users" {
		if condition, ok := c.workEmail(f.Inner); ok {
			return condition, nil
		}
	}
	var failed error
	condition := c.anyElement(f.Path, func() string {
		inner, err := c.inner(f.Inner)
		failed = err
		return inner
	})
	return condition, failed
}

// inner compiles a condition on one element of a multi-valued attribute.
func (c *compiler) inner(f model.Filter) (string, error) {
	switch f := f.(type) {
	case model.And:
		return both(c.inner, f.Left, "AND", f.Right)
	case model.Or:
		return both(c.inner, f.Left, "OR", f.Right)
	case model.Not:
		return negated(c.inner, f.Inner)
	case model.Compare:
		if err := admissible(f); err != nil {
			return "", err
		}
		return c.operator(c.step(f.Path.Name), f), nil
	}
	return "", model.Errorf(model.Invalid, "a value path cannot stand within another")
}

// operator compares a text expression that holds an attribute's value, or NULL where it is absent.
func (c *compiler) operator(expression string, f model.Compare) string {
	if f.Op == model.OpPresent || f.Value == nil {
		return nullCompare("coalesce("+expression+", '') <> ''", f.Op)
	}
	switch v := f.Value.(type) {
	case bool:
		return orAbsent(expression+" "+sqlOperator(f.Op)+" "+c.bind(strconv.FormatBool(v)), expression, f.Op)
	case json.Number:
		expression = c.number(expression)
		return orAbsent(expression+" "+sqlOperator(f.Op)+" "+c.boundNumber(v), expression, f.Op)
	case time.Time:
		expression = c.timestamp(expression)
		return orAbsent(expression+" "+sqlOperator(f.Op)+" "+c.boundTime(v), expression, f.Op)
	case string:
		if f.Path.CaseExact {
			return orAbsent(c.textOperator(expression, f.Op, v, asItIs), expression, f.Op)
		}
		return orAbsent(c.textOperator(c.folded(expression), f.Op, v, c.folded), expression, f.Op)
	}
	return "false"
}

// nullCompare makes "pr" and the comparisons with null of a condition that holds where the attribute is present. What is
// less or greater than null, nothing is.
func nullCompare(present string, op model.CompareOp) string {
	switch op {
	case model.OpEqual:
		return "(NOT (" + present + "))"
	case model.OpPresent, model.OpNotEqual:
		return "(" + present + ")"
	default:
		return "false"
	}
}

// orAbsent makes "ne" hold for an absent attribute too, because what is absent does not equal (RFC 7644 §3.4.2.2).
func orAbsent(condition, expression string, op model.CompareOp) string {
	if op == model.OpNotEqual {
		return "(" + expression + " IS NULL OR " + condition + ")"
	}
	return condition
}

// textOperator compares text; bound wraps the placeholder of the value as the expression is wrapped.
func (c *compiler) textOperator(expression string, op model.CompareOp, value string, bound func(string) string) string {
	switch op {
	case model.OpContains:
		return c.partly("usher_contains", expression, "%", value, "%", bound)
	case model.OpStartsWith:
		return c.partly("usher_starts", expression, "", value, "%", bound)
	case model.OpEndsWith:
		return c.partly("usher_ends", expression, "%", value, "", bound)
	case model.OpGreater, model.OpGreaterOrEqual, model.OpLess, model.OpLessOrEqual:
		if c.dialect == postgres {
			expression += ` COLLATE "C"` // by code points as on SQLite, whatever the database's locale
		}
	default:
	}
	return expression + " " + sqlOperator(op) + " " + bound(c.bind(value))
}

// partly looks for a part of a text. SQLite's LIKE knows no case, so that it has functions of ours.
func (c *compiler) partly(function, expression, before, value, after string, bound func(string) string) string {
	if c.dialect == sqliteLite {
		return function + "(" + expression + ", " + bound(c.bind(value)) + ")"
	}
	return expression + " LIKE " + bound(c.bind(before+escapeLike(value)+after)) + " ESCAPE '!'"
}

func asItIs(placeholder string) string { return placeholder }

func sqlOperator(op model.CompareOp) string {
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
	default:
		return "="
	}
}
