package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"usher/model"
)

const (
	usersTable  = "directory_users"
	groupsTable = "directory_groups"
)

// compiler turns a model.Filter into a SQL condition. Everything of the caller's is bound, never written into the text.
//
// A condition on an attribute that is absent is NULL or false, which are the same here: only "not" could tell them apart,
// and it takes NULL for false. "ne" holds for what is absent, and so does "eq null".
type compiler struct {
	dialect     dialect
	table       string
	integration string
	// few says that the condition stands beside one that an index answers, so that it is asked of few rows; one that it is
	// asked of one row or none.
	few, one bool
	// kept says that the statement stays prepared.
	kept bool
	args []any
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
	if n, ok := f.Value.(json.Number); ok && !isNumber(n.String()) {
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
	if rel, ok := c.relation(f.Path); ok {
		return c.relationCompare(rel, f)
	}
	if col, ok := c.column(f.Path); ok {
		return c.columnCompare(col, f), nil
	}
	key, keyed := "", false
	if f.Op == model.OpEqual {
		key, keyed = c.keyCondition(f.Path, f.Value)
	}
	condition := ""
	switch {
	case f.Path.MultiValued:
		condition = c.multiCompare(f)
	case c.byDisplayName(f):
		condition = c.operator("display_name", f)
	case f.Op == model.OpPresent || f.Value == nil:
		condition = nullCompare(c.present(f.Path), f.Op)
	default:
		condition = c.operator(c.value(f.Path), f)
	}
	if keyed {
		condition = "(" + key + " AND " + condition + ")"
	}
	return condition, nil
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
	if rel, ok := c.relation(f.Path); ok {
		return c.relationPath(rel, f.Inner)
	}
	key, keyed := c.elementKey(f.Path, f.Inner)
	var failed error
	condition := c.anyElement(f.Path, func() string {
		inner, err := c.inner(f.Inner)
		failed = err
		return inner
	})
	if keyed {
		condition = "(" + key + " AND " + condition + ")"
	}
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
			return orAbsent(c.textOperator(expression, f.Op, v), expression, f.Op)
		}
		v = model.Fold(v)
		return orAbsent(c.textOperator(c.foldedFor(expression, f.Op, v), f.Op, v), expression, f.Op)
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

// textOperator compares text with a value that is folded where the expression is.
func (c *compiler) textOperator(expression string, op model.CompareOp, value string) string {
	switch op {
	case model.OpContains:
		return c.partly("usher_contains", expression, "%", value, "%")
	case model.OpStartsWith:
		return c.partly("usher_starts", expression, "", value, "%")
	case model.OpEndsWith:
		return c.partly("usher_ends", expression, "%", value, "")
	case model.OpGreater, model.OpGreaterOrEqual, model.OpLess, model.OpLessOrEqual:
		expression = c.byCodePoint(expression)
	default:
	}
	return expression + " " + sqlOperator(op) + " " + c.bind(value)
}

// byCodePoint has a text compared by code points as on SQLite, whatever the database's locale.
func (c *compiler) byCodePoint(expression string) string {
	if c.dialect == postgres {
		return "(" + expression + `) COLLATE "C"`
	}
	return expression
}

// partly looks for a part of a text. SQLite's LIKE knows no case, so that it has functions of ours.
func (c *compiler) partly(function, expression, before, value, after string) string {
	if c.dialect == sqliteLite {
		return function + "(" + expression + ", " + c.bind(value) + ")"
	}
	return expression + " LIKE " + c.bind(before+escapeLike(value)+after) + " ESCAPE '!'"
}

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
