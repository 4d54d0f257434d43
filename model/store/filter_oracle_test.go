package store_test

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"usher/model"
)

// oracle says what a filter means, slowly and in Go, over one user as it was stored: RFC 7644 §3.4.2.2 with the decisions
// that the compiler's comments state.
type oracle struct {
	user   *model.DirectoryUser
	attrs  map[string]any
	groups []any // as elements of a multi-valued attribute
}

func newOracle(u *model.DirectoryUser, groups ...any) oracle {
	return oracle{u, u.Document.Attributes(), groups}
}

func (o oracle) holds(f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return o.holds(f.Left) && o.holds(f.Right)
	case model.Or:
		return o.holds(f.Left) || o.holds(f.Right)
	case model.Not:
		return !o.holds(f.Inner)
	case model.ValuePath:
		for _, element := range elements(o.attribute(f.Path)) {
			if elementHolds(element, f.Inner) {
				return true
			}
		}
		return false
	case model.Compare:
		return anyHolds(o.values(f.Path), f)
	}
	panic("unknown filter")
}

func elementHolds(element any, f model.Filter) bool {
	switch f := f.(type) {
	case model.And:
		return elementHolds(element, f.Left) && elementHolds(element, f.Right)
	case model.Or:
		return elementHolds(element, f.Left) || elementHolds(element, f.Right)
	case model.Not:
		return !elementHolds(element, f.Inner)
	case model.Compare:
		return anyHolds([]any{part(element, f.Path.Name)}, f)
	}
	panic("unknown filter")
}

func (o oracle) base(p model.AttributePath) map[string]any {
	if p.Schema == "" {
		return o.attrs
	}
	extension, _ := o.attrs[p.Schema].(map[string]any)
	return extension
}

func (o oracle) attribute(p model.AttributePath) any {
	if p.Schema == "" && p.Name == "groups" {
		return o.groups
	}
	return o.base(p)[p.Name]
}

// values gives the attribute's values; nil is an absent one.
func (o oracle) values(p model.AttributePath) []any {
	if p.Schema == "" {
		switch strings.TrimSuffix(p.Name+"."+p.Sub, ".") {
		case "id":
			return []any{o.user.ID}
		case "meta.created":
			return []any{o.user.CreatedAt.Format(time.RFC3339Nano)}
		case "active":
			return []any{o.user.Active} // true where Entra left it out
		}
	}
	value := o.attribute(p)
	if p.MultiValued {
		list := []any{}
		for _, element := range elements(value) {
			list = append(list, part(element, p.Sub))
		}
		return list
	}
	if p.Sub != "" {
		object, _ := value.(map[string]any)
		value = object[p.Sub]
	}
	return []any{value}
}

func elements(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{value}
}

func part(element any, sub string) any {
	if sub == "" {
		sub = "value"
	}
	if object, ok := element.(map[string]any); ok {
		return object[sub]
	}
	if sub == "value" {
		return element
	}
	return nil
}

func anyHolds(values []any, f model.Compare) bool {
	if f.Op == model.OpPresent || f.Value == nil {
		present := false
		for _, v := range values {
			present = present || isPresent(v)
		}
		switch f.Op {
		case model.OpEqual:
			return !present
		case model.OpNotEqual, model.OpPresent:
			return present
		default: // nothing else holds of nothing
			return false
		}
	}
	if f.Op == model.OpNotEqual && len(values) == 0 {
		return true
	}
	for _, v := range values {
		if one(v, f) {
			return true
		}
	}
	return false
}

func isPresent(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return text(v) != ""
}

// isScalar says whether a value can be compared at all.
func isScalar(v any) bool {
	switch v.(type) {
	case nil, []any, map[string]any:
		return false
	}
	return true
}

func one(v any, f model.Compare) bool {
	order, comparable := 0, isScalar(v)
	if comparable {
		order, comparable = compare(text(v), f)
	}
	if !comparable {
		return f.Op == model.OpNotEqual
	}
	has, want := fold(text(v), f), fold(text(f.Value), f)
	switch f.Op {
	case model.OpEqual:
		return order == 0
	case model.OpNotEqual:
		return order != 0
	case model.OpGreater:
		return order > 0
	case model.OpGreaterOrEqual:
		return order >= 0
	case model.OpLess:
		return order < 0
	case model.OpLessOrEqual:
		return order <= 0
	case model.OpContains:
		return strings.Contains(has, want)
	case model.OpStartsWith:
		return strings.HasPrefix(has, want)
	case model.OpEndsWith:
		return strings.HasSuffix(has, want)
	default: // presence was answered before
		panic("unknown operator")
	}
}

var plainNumber = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d+)?$`)

// compare gives the order of the stored text and the filter's value, or false where the text is of another type.
func compare(has string, f model.Compare) (int, bool) {
	switch want := f.Value.(type) {
	case json.Number:
		if !plainNumber.MatchString(has) {
			return 0, false
		}
		a, _ := new(big.Rat).SetString(has)
		b, _ := new(big.Rat).SetString(want.String())
		return a.Cmp(b), true
	case time.Time:
		at, ok := instant(has)
		return at.Compare(want.Truncate(time.Microsecond)), ok
	}
	return strings.Compare(fold(has, f), fold(text(f.Value), f)), true
}

// instant reads a time in any of the forms of XML Schema, to the microsecond.
func instant(has string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02Z07:00", "2006-01-02",
	} {
		if at, err := time.Parse(layout, has); err == nil {
			return at.Truncate(time.Microsecond), at.Year() > 0 // there is no year 0
		}
	}
	return time.Time{}, false
}

func fold(s string, f model.Compare) string {
	if f.Path.CaseExact {
		return s
	}
	return model.Fold(s)
}

// text gives the text of a value; a number is spelt without exponent, with all its digits behind the point.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		r, _ := new(big.Rat).SetString(v.String())
		mantissa, power, _ := strings.Cut(strings.ToLower(v.String()), "e")
		_, fraction, _ := strings.Cut(mantissa, ".")
		exponent, _ := strconv.Atoi(power)
		return r.FloatString(max(0, len(fraction)-exponent))
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
