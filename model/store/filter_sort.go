package store

import (
	"usher/model"
)

// sortKey gives the expression that resources are sorted by, NULL where the attribute has no value. Text sorts by code
// points, folded unless the attribute is case exact; numbers, booleans and times sort as such; of a multi-valued attribute
// the primary element counts, else the first (RFC 7644 §3.4.2.3).
func (c *compiler) sortKey(p model.AttributePath) (string, error) {
	if err := filterName(p.Schema, p.Name, p.Sub); err != nil {
		return "", err
	}
	if _, ok := c.relation(p); ok {
		return "", model.FieldErrorf(model.Invalid, "sortBy", "nothing can be sorted by %s, which is a set without order", p.Name)
	}
	if col, ok := c.column(p); ok {
		if col.kind == textColumn {
			return c.byCodePoint("nullif(" + col.name + ", '')"), nil
		}
		return col.name, nil
	}
	value := ""
	switch {
	case p.MultiValued:
		value = c.first(p)
	case c.table == usersTable && p.Schema == "" && p.Name == "displayName" && p.Sub == "":
		value = "display_name"
	default:
		value = c.value(p)
	}
	switch p.Type {
	case model.TypeInteger, model.TypeDecimal:
		return c.number(value), nil
	case model.TypeDateTime:
		return c.timestamp(value), nil
	default:
	}
	value = "nullif(" + value + ", '')"
	if !p.CaseExact {
		value = c.folded(value)
	}
	return c.byCodePoint(value), nil
}

// first gives the text of the primary element, else of the first.
func (c *compiler) first(p model.AttributePath) string {
	if c.dialect == sqliteLite {
		return "usher_first(document, " + literal(p.Schema) + ", " + literal(p.Name) + ", " + literal(p.Sub) + ")"
	}
	return "(SELECT " + c.step(p.Sub) + " FROM jsonb_array_elements(" + c.list(p) + ") WITH ORDINALITY AS e(value, n)" +
		" ORDER BY CASE WHEN jsonb_typeof(e.value) = 'object' AND e.value -> 'primary' = 'true' THEN 0 ELSE 1 END, e.n LIMIT 1)"
}

// order is how hits are sorted: by id, or by their sort key v and then by id.
type order struct {
	key        string // expression of the sort key; "" for the order of ids
	descending bool
}

// by gives the terms of ORDER BY. What has no value stands last, first when descending (RFC 7644 §3.4.2.3).
func (o order) by() string {
	switch {
	case o.key == "":
		return "hit_id"
	case o.descending:
		return "hit_key DESC NULLS FIRST, hit_id"
	}
	return "hit_key ASC NULLS LAST, hit_id"
}

// behind holds for hits that stand behind the row of place.
func (o order) behind() string {
	further := "hit_key > place_key OR (hit_key IS NULL AND place_key IS NOT NULL)"
	if o.descending {
		further = "hit_key < place_key OR (hit_key IS NOT NULL AND place_key IS NULL)"
	}
	return "(" + further + " OR (hit_key IS NOT DISTINCT FROM place_key AND hit_id > place_id))"
}
