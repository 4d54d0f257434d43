package store

import (
	"strings"
	"time"

	"usher/model"
)

// column is an indexed copy of an attribute.
type column struct {
	name   string
	folded bool // holds model.Fold of the value
	kind   columnKind
}

type columnKind int

const (
	idColumn columnKind = iota
	timeColumn
	textColumn // empty where the attribute is absent
	boolColumn
)

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
		return column{"id", false, idColumn}, true
	case name == "meta.created":
		return column{"created_at", false, timeColumn}, true
	case name == "meta.lastModified":
		return column{"updated_at", false, timeColumn}, true
	case name == "externalId":
		return column{"external_id", false, textColumn}, true
	case name == "userName" && users:
		return column{"user_name_key", true, textColumn}, true
	case name == "active" && users:
		return column{"active", false, boolColumn}, true
	case name == "displayName" && !users:
		return column{"display_name_key", true, textColumn}, true
	}
	return column{}, false
}

func (c *compiler) columnCompare(col column, f model.Compare) string {
	if f.Op == model.OpPresent || f.Value == nil {
		if col.kind == textColumn {
			return nullCompare(col.name+" <> ''", f.Op)
		}
		return nullCompare("true", f.Op)
	}
	switch v := f.Value.(type) {
	case string:
		switch col.kind {
		case idColumn:
			return c.idCompare(col.name, f.Op, v)
		case textColumn:
			if col.folded {
				v = model.Fold(v)
			}
			return c.columnText(col.name, f.Op, v)
		default:
		}
	case time.Time:
		if col.kind == timeColumn {
			return col.name + " " + sqlOperator(f.Op) + " " + c.bind(v.UTC())
		}
	case bool:
		if col.kind == boolColumn {
			return col.name + " " + sqlOperator(f.Op) + " " + c.bind(v)
		}
	}
	return "false"
}

// byColumn says whether the filter holds for a few rows that the index of a column finds.
func (c *compiler) byColumn(f model.Filter) bool {
	if and, ok := f.(model.And); ok {
		return c.byColumn(and.Left) || c.byColumn(and.Right)
	}
	compare, ok := f.(model.Compare)
	return c.selective(f) && (!ok || !c.isMembers(compare.Path))
}

// selective says whether the filter holds for a few rows that an index finds.
func (c *compiler) selective(f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return c.selective(f.Left) || c.selective(f.Right)
	case model.ValuePath:
		_, ok := (&compiler{dialect: c.dialect, table: c.table}).workEmail(f.Inner)
		return ok && f.Path.Schema == "" && f.Path.Name == "emails" && c.table == "directory_users"
	case model.Compare:
		col, ok := c.column(f.Path)
		indexed := ok && (col.kind == textColumn || col.kind == idColumn) || c.isMembers(f.Path)
		return indexed && f.Op == model.OpEqual && f.Value != nil
	default:
		return false
	}
}

// columnText says of every condition that the column is not empty: an index that leaves out what is empty is used only
// where the query says so.
func (c *compiler) columnText(name string, op model.CompareOp, value string) string {
	condition := c.textOperator(name, op, value, asItIs)
	if op == model.OpNotEqual {
		return "(" + name + " = '' OR " + condition + ")"
	}
	return "(" + name + " <> '' AND " + condition + ")"
}

// idCompare keeps what is no identifier away from the column, whose type might refuse it.
func (c *compiler) idCompare(name string, op model.CompareOp, id string) string {
	switch {
	case op == model.OpEqual && ValidID(id):
		return name + " = " + c.bind(id)
	case op == model.OpNotEqual && ValidID(id):
		return name + " <> " + c.bind(id)
	case op == model.OpEqual:
		return "false"
	case op == model.OpNotEqual:
		return "true"
	}
	return c.textOperator("CAST("+name+" AS text)", op, id, asItIs)
}

// workEmail lets `emails[type eq "work" and value eq "x"]`, by which Entra matches people, use the index on the e-mail
// column, which holds the first work address where there is one (directory.Index): it narrows to the few rows with that
// address before any document is opened. A second work address of a person is not found by this condition.
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
	byColumn := c.columnText("email_key", model.OpEqual, model.Fold(address))
	isWork := c.anyElement(model.AttributePath{Name: "emails", MultiValued: true}, func() string {
		return c.folded(c.step("type")) + " = " + c.bind("work")
	})
	return "(" + byColumn + " AND " + isWork + ")", true
}

// memberRows are the members of the group that the filter is about; they are rows and no part of the document.
const memberRows = "SELECT 1 FROM memberships m WHERE m.group_id = directory_groups.id"

func (c *compiler) isMembers(p model.AttributePath) bool {
	return c.table == "directory_groups" && p.Schema == "" && p.Name == "members"
}

// memberCompare asks the membership rows: "members eq id", "members.value eq id", "members pr".
func (c *compiler) memberCompare(f model.Compare) (string, error) {
	switch {
	case f.Op == model.OpPresent, f.Value == nil:
		return nullCompare("EXISTS ("+memberRows+")", f.Op), nil
	case f.Path.Sub == "":
		f.Path.Sub = "value"
	}
	f.Path.Name = f.Path.Sub
	condition, err := c.memberInner(f)
	if c.dialect == sqliteLite && f.Op == model.OpEqual { // SQLite would ask every group for the member
		return "id IN (SELECT m.group_id FROM memberships m WHERE " + condition + ")", err
	}
	matches := "EXISTS (" + memberRows + " AND " + condition + ")"
	if f.Op == model.OpNotEqual {
		matches = "(NOT EXISTS (" + memberRows + ") OR " + matches + ")"
	}
	return matches, err
}

// memberInner compiles a condition on one member.
func (c *compiler) memberInner(f model.Filter) (string, error) {
	switch f := f.(type) {
	case model.And:
		return both(c.memberInner, f.Left, "AND", f.Right)
	case model.Or:
		return both(c.memberInner, f.Left, "OR", f.Right)
	case model.Not:
		return negated(c.memberInner, f.Inner)
	case model.Compare:
		text, isText := f.Value.(string)
		switch {
		case f.Path.Name != "value" && f.Path.Name != "type":
		case f.Op == model.OpPresent || f.Value == nil:
			return nullCompare("true", f.Op), nil
		case !isText:
			return "false", nil
		case f.Path.Name == "value":
			return c.idCompare("m.member_id", f.Op, text), nil
		default:
			return c.textOperator(c.folded("m.member_type"), f.Op, strings.ToLower(text), asItIs), nil
		}
	default:
	}
	return "", model.Errorf(model.Invalid, "members can be filtered by value and type alone")
}
