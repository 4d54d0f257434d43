package store

import (
	"time"

	"usher/model"
)

// column is a copy of an attribute beside the document.
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
	users := c.table == usersTable
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
			return col.name + " " + sqlOperator(f.Op) + " " + c.bind(v.UTC().Truncate(time.Microsecond))
		}
	case bool:
		if col.kind == boolColumn {
			return col.name + " " + sqlOperator(f.Op) + " " + c.bind(v)
		}
	}
	return "false"
}

// columnText says of every condition that the column is not empty: an index that leaves out what is empty is used only
// where the query says so.
func (c *compiler) columnText(name string, op model.CompareOp, value string) string {
	condition := c.textOperator(name, op, value)
	if op == model.OpNotEqual {
		return "(" + name + " = '' OR " + condition + ")"
	}
	return "(" + name + " <> '' AND " + condition + ")"
}

// idCompare keeps what is no identifier away from the column, whose type might refuse it. Identifiers sort as their texts
// do.
func (c *compiler) idCompare(name string, op model.CompareOp, id string) string {
	switch op {
	case model.OpContains, model.OpStartsWith, model.OpEndsWith:
	case model.OpEqual:
		if !ValidID(id) {
			return "false"
		}
		return name + " = " + c.bind(id)
	case model.OpNotEqual:
		if !ValidID(id) {
			return "true"
		}
		return name + " <> " + c.bind(id)
	default:
		if ValidID(id) {
			return name + " " + sqlOperator(op) + " " + c.bind(id)
		}
	}
	return c.textOperator("CAST("+name+" AS text)", op, id)
}

// byDisplayName says whether a comparison of a user's displayName may look at the column instead of the document. The column
// is empty where the attribute is absent, which what is less than a text would not tell from an empty text.
func (c *compiler) byDisplayName(f model.Compare) bool {
	if c.table != usersTable || f.Path.Schema != "" || f.Path.Name != "displayName" || f.Path.Sub != "" {
		return false
	}
	text, isText := f.Value.(string)
	return isText && text != "" && f.Op != model.OpLess && f.Op != model.OpLessOrEqual
}

// selective says whether the filter holds for a few rows that an index finds.
func (c *compiler) selective(f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return c.selective(f.Left) || c.selective(f.Right)
	case model.Or:
		return c.selective(f.Left) && c.selective(f.Right)
	case model.ValuePath:
		_, ok := (&compiler{dialect: c.dialect, table: c.table}).elementKey(f.Path, f.Inner)
		return ok
	case model.Compare:
		return f.Op == model.OpEqual && f.Value != nil && (c.byMember(f) || c.bySelf(f))
	default:
		return false
	}
}

// byMember says whether an equality is about a group's member, or a user's group.
func (c *compiler) byMember(f model.Compare) bool {
	_, ok := c.relation(f.Path)
	return ok && c.table == groupsTable && (f.Path.Sub == "" || f.Path.Sub == "value")
}

// bySelf says whether an equality is answered by an index on the table itself.
func (c *compiler) bySelf(f model.Compare) bool {
	if col, ok := c.column(f.Path); ok {
		return col.kind == textColumn || col.kind == idColumn
	}
	_, keyed := (&compiler{dialect: c.dialect, table: c.table}).keyCondition(f.Path, f.Value)
	return keyed
}

// ownIndex says whether the filter holds for a few rows that an index on the table itself finds.
func (c *compiler) ownIndex(f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return c.ownIndex(f.Left) || c.ownIndex(f.Right)
	case model.Or:
		return c.ownIndex(f.Left) && c.ownIndex(f.Right)
	case model.Compare:
		return c.selective(f) && c.bySelf(f)
	}
	return c.selective(f)
}

// singular says whether the filter holds for one row or so because of a column, so that no other index is worth asking.
func (c *compiler) singular(f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return c.singular(f.Left) || c.singular(f.Right)
	case model.Compare:
		col, ok := c.column(f.Path)
		return ok && f.Op == model.OpEqual && f.Value != nil && (col.kind == idColumn || col.kind == textColumn)
	}
	return false
}

// plain says whether the filter is about columns alone, so that asking it is cheaper than keeping its answer.
func (c *compiler) plain(f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return c.plain(f.Left) && c.plain(f.Right)
	case model.Or:
		return c.plain(f.Left) && c.plain(f.Right)
	case model.Not:
		return c.plain(f.Inner)
	case model.Compare:
		_, ok := c.column(f.Path)
		return ok
	}
	return false
}

// unique says whether the filter is one that a provisioning service sends for each person or group: it names one of them, or
// two conditions of which one does. There are few texts of such statements, so that they are kept prepared.
func (c *compiler) unique(f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return (c.unique(f.Left) || c.unique(f.Right)) && c.familiar(f.Left) && c.familiar(f.Right)
	case model.ValuePath:
		and, ok := f.Inner.(model.And)
		if !ok || f.Path.Schema != "" {
			return false
		}
		left, okLeft := and.Left.(model.Compare)
		right, okRight := and.Right.(model.Compare)
		return okLeft && okRight && left.Op == model.OpEqual && right.Op == model.OpEqual && c.selective(f)
	case model.Compare:
		common := f.Path.Schema == "" || f.Path.Schema == enterpriseUser && f.Path.Name == "employeeNumber"
		return common && c.familiar(f) && c.ownIndex(f)
	}
	return false
}

// familiar says whether the filter is one equality with an attribute that has an index.
func (c *compiler) familiar(f model.Filter) bool {
	compare, ok := f.(model.Compare)
	if !ok {
		_, ok = f.(model.ValuePath)
		return ok && c.unique(f)
	}
	return (compare.Path.Schema == "" || compare.Path.Schema == enterpriseUser) && c.selective(f)
}
