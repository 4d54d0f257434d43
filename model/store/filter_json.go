package store

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"usher/model"
)

// What follows is how each database opens the document. Attribute names are written into the text as literals, because an
// expression may be mentioned twice; filterName has refused what is no attribute name. Values are always bound. The functions
// usher_… are those of migration 2 on PostgreSQL, and of registerFunctions on SQLite.

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

// value gives the text of a single-valued attribute of the document, NULL where it is absent; booleans are true, false. An
// object or a list has no text.
func (c *compiler) value(p model.AttributePath) string {
	if c.dialect == sqliteLite {
		return "usher_text(document, " + literal(p.Schema) + ", " + literal(p.Name) + ", " + literal(p.Sub) + ")"
	}
	base, last := c.parent(p)
	if p.Schema == "" || p.Schema == enterpriseUser {
		return "(" + base + " ->> " + last + ")" // the edge sees to it that values are of their attributes' types
	}
	value := "(" + base + " -> " + last + ")"
	return "(CASE WHEN jsonb_typeof(" + value + ") IN ('object', 'array') THEN NULL ELSE " + value + " #>> '{}' END)"
}

// present holds where a single-valued attribute has a value: neither null nor an empty text, object or list.
func (c *compiler) present(p model.AttributePath) string {
	if c.dialect == sqliteLite {
		return "usher_present(document, " + literal(p.Schema) + ", " + literal(p.Name) + ", " + literal(p.Sub) + ")"
	}
	base, last := c.parent(p)
	return "coalesce(" + base + " -> " + last + `, 'null') NOT IN ('null', '""', '[]', '{}')`
}

// parent gives the object that holds the attribute, and its name in it.
func (c *compiler) parent(p model.AttributePath) (object, name string) {
	base := c.base(p)
	if p.Sub != "" {
		return base + " -> " + literal(p.Name), literal(p.Sub)
	}
	return base, literal(p.Name)
}

func (c *compiler) base(p model.AttributePath) string {
	if p.Schema == "" {
		return "document"
	}
	return "(document -> " + literal(p.Schema) + ")"
}

// list gives the elements of a multi-valued attribute as a list. A single value that stands where the schema says many counts
// as one element.
func (c *compiler) list(p model.AttributePath) string {
	if c.dialect == sqliteLite {
		return "usher_list(document, " + literal(p.Schema) + ", " + literal(p.Name) + ")"
	}
	list := "(" + c.base(p) + " -> " + literal(p.Name) + ")"
	return "CASE coalesce(jsonb_typeof(" + list + "), 'null') WHEN 'array' THEN " + list +
		" WHEN 'null' THEN '[]'::jsonb ELSE jsonb_build_array(" + list + ") END"
}

// anyElement holds where one element of the multi-valued attribute satisfies the condition, which step speaks in.
func (c *compiler) anyElement(p model.AttributePath, condition func() string) string {
	if c.dialect == sqliteLite {
		return "EXISTS (SELECT 1 FROM json_each(" + c.list(p) + ") AS e WHERE coalesce(" + condition() + ", false))"
	}
	return "EXISTS (SELECT 1 FROM jsonb_array_elements(" + c.list(p) + ") AS e(value) WHERE coalesce(" + condition() + ", false))"
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
	return "(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ->> " + literal(sub) + " WHEN 'array' THEN NULL ELSE " + simple + " END)"
}

// folded gives a text expression without case.
func (c *compiler) folded(expression string) string { return "usher_fold(" + expression + ")" }

// foldedFor is folded for a text that is looked for in whole or in part. Where that is ASCII, a third of the time suffices: the
// only other characters that fold to ASCII are the sign of the kelvin and the long s. Where few rows are asked, the slow way
// stays, because it tells PostgreSQL that reading every row would cost something.
func (c *compiler) foldedFor(expression string, op model.CompareOp, value string) string {
	switch op {
	case model.OpEqual, model.OpNotEqual, model.OpContains, model.OpStartsWith, model.OpEndsWith:
		if c.dialect == postgres && !c.few && isASCII(value) {
			return "lower(translate(" + expression + ", '\u212A\u017F', 'ks') COLLATE \"C\")"
		}
	default: // an order is one of all characters
	}
	return c.folded(expression)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// number reads a number; what does not look like one compares with nothing. The bounds keep PostgreSQL from overflowing.
func (c *compiler) number(expression string) string {
	if c.dialect == sqliteLite {
		return "usher_number(" + expression + ")"
	}
	return "(CASE WHEN length(" + expression + ") <= " + strconv.Itoa(maxNumber) + " AND " + expression + " ~ '" + numberForm + "' THEN " +
		expression + "::numeric END)"
}

// numberForm is a regular expression of both Go and PostgreSQL, without the sign that marks a placeholder. A number has at
// most maxNumber characters, so that what it stands for has an end.
const (
	numberForm = `^-{0,1}[0-9]+(\.[0-9]+){0,1}([eE][+-]{0,1}[0-9]{1,3}){0,1}$`
	maxNumber  = 2000
)

func isNumber(text string) bool { return len(text) <= maxNumber && numberPattern.MatchString(text) }

func (c *compiler) boundNumber(n json.Number) string {
	if c.dialect == sqliteLite {
		return "usher_number(" + c.bind(n.String()) + ")"
	}
	return c.bind(n.String()) + "::text::numeric"
}

// timestamp reads a dateTime attribute, to the microsecond; what does not look like one compares with nothing.
func (c *compiler) timestamp(expression string) string { return "usher_time(" + expression + ")" }

func (c *compiler) boundTime(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if c.dialect == sqliteLite {
		return c.bind(t.Format(sortableTime))
	}
	return c.bind(t) + "::timestamptz"
}

// sortableTime writes a time as text whose order is that of time.
const sortableTime = "2006-01-02T15:04:05.000000Z"
