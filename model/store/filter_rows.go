package store

import (
	"usher/model"
)

// relation is an attribute whose values are rows of memberships and no part of the document: the members of a group, the
// groups of a user.
type relation struct {
	rows    string // those of the resource at hand
	owners  string // the ids of the resources that have rows which satisfy what follows
	id      string // column of the value
	kind    string // of the type, without case
	display string // of the display, without case; NULL where it is absent
}

func (c *compiler) relation(p model.AttributePath) (relation, bool) {
	switch {
	case p.Schema != "":
	case c.table == groupsTable && p.Name == "members":
		return relation{
			rows:   "SELECT 1 FROM memberships m WHERE m.group_id = directory_groups.id",
			owners: "SELECT m.group_id FROM memberships m WHERE ",
			id:     "m.member_id", kind: c.folded("m.member_type"), display: c.folded("nullif(m.display, '')"),
		}, true
	case c.table == usersTable && p.Name == "groups":
		return relation{
			rows:   "SELECT 1 FROM memberships m WHERE m.member_id = directory_users.id",
			owners: "SELECT m.member_id FROM memberships m WHERE ",
			id:     "m.group_id", kind: "CAST('direct' AS text)",
			display: "(SELECT g.display_name_key FROM directory_groups g WHERE g.id = m.group_id)",
		}, true
	}
	return relation{}, false
}

// relationCompare asks the rows: "members eq id", "groups.value eq id", "members pr".
func (c *compiler) relationCompare(rel relation, f model.Compare) (string, error) {
	if f.Path.Sub == "" {
		f.Path.Sub = "value"
	}
	if f.Op == model.OpPresent || f.Value == nil {
		condition, err := c.relationInner(rel, model.Compare{Path: model.AttributePath{Name: f.Path.Sub}, Op: model.OpPresent})
		return nullCompare("EXISTS ("+rel.rows+" AND "+condition+")", f.Op), err
	}
	f.Path.Name = f.Path.Sub
	condition, err := c.relationInner(rel, f)
	if c.dialect == sqliteLite && f.Op == model.OpEqual && f.Path.Name == "value" && !c.few {
		return "id IN (" + rel.owners + condition + ")", err // or SQLite would ask every resource
	}
	matches := "EXISTS (" + rel.rows + " AND " + condition + ")"
	if f.Op == model.OpNotEqual {
		matches = "(NOT EXISTS (" + rel.rows + ") OR " + matches + ")"
	}
	return matches, err
}

// relationPath holds where one row satisfies the whole condition.
func (c *compiler) relationPath(rel relation, inner model.Filter) (string, error) {
	condition, err := c.relationInner(rel, inner)
	return "EXISTS (" + rel.rows + " AND " + condition + ")", err
}

// relationInner compiles a condition on one row.
func (c *compiler) relationInner(rel relation, f model.Filter) (string, error) {
	inner := func(f model.Filter) (string, error) { return c.relationInner(rel, f) }
	switch f := f.(type) {
	case model.And:
		return both(inner, f.Left, "AND", f.Right)
	case model.Or:
		return both(inner, f.Left, "OR", f.Right)
	case model.Not:
		return negated(inner, f.Inner)
	case model.Compare:
		return c.rowCompare(rel, f)
	}
	return "", model.Errorf(model.Invalid, "a value path cannot stand within another")
}

func (c *compiler) rowCompare(rel relation, f model.Compare) (string, error) {
	text, isText := f.Value.(string)
	expression := map[string]string{"value": rel.id, "type": rel.kind, "display": rel.display}[f.Path.Name]
	switch {
	case expression == "":
		return "", model.Errorf(model.Invalid, "members and groups can be filtered by value, type and display alone")
	case f.Op == model.OpPresent || f.Value == nil:
		if f.Path.Name == "display" {
			return nullCompare(expression+" IS NOT NULL", f.Op), nil
		}
		return nullCompare("true", f.Op), nil
	case !isText:
		return "false", nil
	case f.Path.Name == "value":
		return c.idCompare(expression, f.Op, text), nil
	}
	return orAbsent(c.textOperator(expression, f.Op, model.Fold(text)), expression, f.Op), nil
}
