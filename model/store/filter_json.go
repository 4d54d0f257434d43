package store

import (
	"encoding/json"
	"strings"
	"time"

	"usher/model"
)

// What follows is how each database opens the document. Attribute names are written into the text as literals, because an
// expression may be mentioned twice; filterName has refused what is no attribute name. Values are always bound.

// filterName refuses a name that is none by the grammar of RFC 7644 figure 1, whoever let it pass.
func filterName(names ...string) error {
	for _, name := range names {
		for i := range len(name) {
			c := name[i]
			plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_$:.", c) >= 0
			if !plain {
				return model.Errorf(model.Invalid, "%q is not the name of an attribute", name)
			}
		}
	}
	return nil
}

func literal(name string) string { return "'" + name + "'" }

// value gives the text of a single-valued attribute of the document, NULL where it is absent; booleans are true, false.
func (c *compiler) value(p model.AttributePath) string {
	if c.dialect == sqliteLite {
		return "usher_text(document, " + literal(p.Schema) + ", " + literal(p.Name) + ", " + literal(p.Sub) + ")"
	}
	base := c.base(p)
	if p.Sub != "" {
		return "(" + base + " -> " + literal(p.Name) + " ->> " + literal(p.Sub) + ")"
	}
	return "(" + base + " ->> " + literal(p.Name) + ")"
}

func (c *compiler) base(p model.AttributePath) string {
	if p.Schema == "" {
		return "document"
	}
	return "(document -> " + literal(p.Schema) + ")"
}

// anyElement holds where one element of the multi-valued attribute satisfies the condition, which step speaks in. A single
// value that stands where the schema says many counts as one element.
func (c *compiler) anyElement(p model.AttributePath, condition func() string) string {
	if c.dialect == sqliteLite {
		return "EXISTS (SELECT 1 FROM json_each(usher_list(document, " + literal(p.Schema) + ", " + literal(p.Name) + ")) AS e" +
			" WHERE coalesce(" + condition() + ", false))"
	}
	list := "(" + c.base(p) + " -> " + literal(p.Name) + ")"
	return "EXISTS (SELECT 1 FROM jsonb_array_elements(CASE coalesce(jsonb_typeof(" + list + "), 'null') WHEN 'array' THEN " + list +
		" WHEN 'null' THEN '[]'::jsonb ELSE jsonb_build_array(" + list + ") END) AS e(value)" +
		" WHERE coalesce(" + condition() + ", false))"
}

// step gives the text of a sub-attribute of the element; without one, its value, or the element itself where it is simple.
func (c *compiler) step(sub string) string {
	if sub == "" {
		sub = "value"
	}
	if c.dialect == sqliteLite {
		return "usher_element(e.type, e.value, " + literal(sub) + ")"
	}
	simple := "NULL"
	if sub == "value" {
		simple = "e.value #>> '{}'"
	}
	return "(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ->> " + literal(sub) + " ELSE " + simple + " END)"
}

// folded gives a text expression, or a placeholder, without case.
func (c *compiler) folded(expression string) string {
	if c.dialect == sqliteLite {
		return "usher_fold(" + expression + ")"
	}
	if expression == "?" {
		expression = "?::text"
	}
	return "lower(" + expression + ")"
}

// number reads a number; what does not look like one compares with nothing. The bounds keep PostgreSQL from overflowing.
func (c *compiler) number(expression string) string {
	if c.dialect == sqliteLite {
		return "usher_number(" + expression + ")"
	}
	return "(CASE WHEN " + expression + " ~ '" + numberForm + "' THEN " + expression + "::numeric END)"
}

// numberForm and timeForm are regular expressions of both Go and PostgreSQL, without the sign that marks a placeholder.
const numberForm = `^-{0,1}[0-9]{1,250}(\.[0-9]{1,250}){0,1}([eE][+-]{0,1}[0-9]{1,3}){0,1}$`

func (c *compiler) boundNumber(n json.Number) string {
	if c.dialect == sqliteLite {
		return "usher_number(" + c.bind(n.String()) + ")"
	}
	return c.bind(n.String()) + "::text::numeric"
}

// timestamp reads a dateTime attribute; what does not look like one compares with nothing. The form admits no day that the
// calendar lacks, because PostgreSQL would fail to read it.
func (c *compiler) timestamp(expression string) string {
	if c.dialect == sqliteLite {
		return "usher_time(" + expression + ")"
	}
	return "(CASE WHEN " + expression + " ~ '" + timeForm + "' THEN " + expression + "::timestamptz END)"
}

const timeForm = `^(([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-` +
	`((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))` +
	`|([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29)` +
	`T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9}){0,1}(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$`

func (c *compiler) boundTime(t time.Time) string {
	if c.dialect == sqliteLite {
		return c.bind(t.UTC().Format(sortableTime))
	}
	return c.bind(t.UTC()) + "::timestamptz"
}

// sortableTime writes a time as text whose order is that of time.
const sortableTime = "2006-01-02T15:04:05.000000000Z"
