package store_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"usher/model"
)

const (
	extension  = "urn:ietf:params:scim:schemas:extension:test:2.0:User"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// hostile are texts that mean something to SQL, to LIKE, to JSON or to our own placeholders, beside plain ones that match
// each other in part or without case.
func hostile() []string {
	return []string{
		"ada", "Ada", "ADA", "ad", "da", "a", "é", "É", "ß", "日本", "🙂", "%", "_", "a%a", "a_a", "axa", "!", "!%", "?", "$1", `\`, `\_`,
		"'", "''", `"`, "'; DROP TABLE directory_users; --", "*", "[a]", "{}", `{"value":"ada"}`, "null", "true", "5", "1e2", "-0.50",
		"2026-02-29T00:00:00Z", "2026-03-01T01:00:00+01:00", "work", "0000-01-01T00:00:00Z", "2026-03-01", "2026-03-01T00:00", "2026-03-01Z",
		"2026-02-28-14:00", "2026-03-01T00:00:00.0000019", "ς", "Σ", "\u212A", "k", "İ", "i", "100",
	}
}

func attributes() map[string]model.AttributePath {
	multi := func(name, sub string) model.AttributePath {
		return model.AttributePath{Name: name, Sub: sub, MultiValued: true}
	}
	list := []model.AttributePath{
		{Name: "id", CaseExact: true},
		{Name: "userName"},
		{Name: "externalId", CaseExact: true},
		{Name: "displayName"},
		{Name: "nickName", CaseExact: true},
		{Name: "name", Sub: "givenName"},
		{Name: "name", Sub: "familyName", CaseExact: true},
		multi("emails", ""), multi("emails", "value"), multi("emails", "type"), multi("emails", "primary"),
		multi("phoneNumbers", "value"),
		multi("groups", "value"), multi("groups", "display"), multi("groups", "type"),
		{Schema: enterprise, Name: "department"},
		{Schema: enterprise, Name: "employeeNumber", CaseExact: true},
		{Schema: enterprise, Name: "manager", Sub: "value"},
		{Schema: extension, Name: "owner", Sub: "name"},
		{Schema: extension, Name: "level"},
		{Schema: extension, Name: "hired"},
		{Schema: extension, Name: "text"},
		{Schema: extension, Name: "tags", MultiValued: true},
		{Name: "active"},
		{Name: "meta", Sub: "created"},
	}
	byName := map[string]model.AttributePath{}
	for _, p := range list {
		byName[p.Schema+p.Name+"."+p.Sub] = p
	}
	return byName
}

func numbers() []string {
	return []string{
		"5", "-1", "0", "-0", "100", "1e2", "5.5", "5.50", "-5.5", "-5.49", "9007199254740993", "9007199254740992", "0.1e-20", "-1e300", "12345678901234567890.5",
	}
}

// groupIDs are the ids of the groups of every test.
func groupIDs() []string {
	return []string{"01980000-0000-7000-8000-00000000000a", "01980000-0000-7000-8000-00000000000b", "01980000-0000-7000-8000-00000000000c"}
}

func drawPath(t *rapid.T) model.AttributePath {
	paths := attributes()
	return paths[rapid.SampledFrom(slices.Sorted(maps.Keys(paths))).Draw(t, "path")]
}

func drawValue(t *rapid.T, p model.AttributePath) any {
	switch p.Name {
	case "active":
		return rapid.Bool().Draw(t, "bool")
	case "meta":
		return time.Date(2026, 1, 1, 0, 0, rapid.IntRange(-1, 1).Draw(t, "second"), 0, time.UTC)
	case "groups":
		if p.Sub == "value" {
			return rapid.SampledFrom(append(groupIDs(), "x")).Draw(t, "group")
		}
	case "level":
		return json.Number(rapid.SampledFrom(numbers()).Draw(t, "number"))
	case "hired":
		return time.Date(2026, 3, 1, 0, 0, rapid.IntRange(0, 1).Draw(t, "second"), rapid.SampledFrom([]int{0, 1000, 1999}).Draw(t, "nano"), time.UTC)
	}
	if p.Sub == "primary" {
		return rapid.Bool().Draw(t, "bool")
	}
	return rapid.SampledFrom(hostile()).Draw(t, "text")
}

func drawCompare(t *rapid.T, p model.AttributePath) model.Compare {
	ops := []model.CompareOp{model.OpEqual, model.OpNotEqual, model.OpPresent}
	value := drawValue(t, p)
	if _, isBool := value.(bool); !isBool {
		ops = append(ops, model.OpGreater, model.OpGreaterOrEqual, model.OpLess, model.OpLessOrEqual)
	}
	if _, isText := value.(string); isText {
		ops = append(ops, model.OpContains, model.OpStartsWith, model.OpEndsWith)
	}
	f := model.Compare{Path: p, Op: rapid.SampledFrom(ops).Draw(t, "op"), Value: value}
	if f.Op == model.OpPresent || rapid.IntRange(0, 9).Draw(t, "null") == 0 {
		f.Value = nil
	}
	return f
}

func drawFilter(t *rapid.T, depth int) model.Filter {
	kind := rapid.IntRange(0, 8).Draw(t, "kind")
	if depth == 0 {
		kind = 8
	}
	switch kind {
	case 0:
		return model.And{Left: drawFilter(t, depth-1), Right: drawFilter(t, depth-1)}
	case 1:
		return model.Or{Left: drawFilter(t, depth-1), Right: drawFilter(t, depth-1)}
	case 2:
		return model.Not{Inner: drawFilter(t, depth-1)}
	case 3:
		name := rapid.SampledFrom([]string{"emails", "phoneNumbers"}).Draw(t, "list")
		return model.ValuePath{Path: model.AttributePath{Name: name, MultiValued: true}, Inner: drawInner(t, 2)}
	case 4: // as Entra asks
		return model.ValuePath{Path: model.AttributePath{Name: "emails", MultiValued: true}, Inner: model.And{
			Left:  model.Compare{Path: model.AttributePath{Name: "type"}, Op: model.OpEqual, Value: "work"},
			Right: model.Compare{Path: model.AttributePath{Name: "value"}, Op: model.OpEqual, Value: rapid.SampledFrom(hostile()).Draw(t, "e-mail")},
		}}
	case 5:
		inner := model.Filter(model.Compare{
			Path: model.AttributePath{Name: "value"}, Op: rapid.SampledFrom([]model.CompareOp{model.OpEqual, model.OpNotEqual}).Draw(t, "op"),
			Value: rapid.SampledFrom(groupIDs()).Draw(t, "group"),
		})
		if rapid.Bool().Draw(t, "display too") {
			inner = model.And{Left: inner, Right: drawCompare(t, model.AttributePath{Name: "display"})}
		}
		return model.ValuePath{Path: model.AttributePath{Name: "groups", MultiValued: true}, Inner: inner}
	}
	return drawCompare(t, drawPath(t))
}

func drawInner(t *rapid.T, depth int) model.Filter {
	kind := rapid.IntRange(0, 3).Draw(t, "inner")
	if depth == 0 {
		kind = 3
	}
	switch kind {
	case 0:
		return model.And{Left: drawInner(t, depth-1), Right: drawInner(t, depth-1)}
	case 1:
		return model.Or{Left: drawInner(t, depth-1), Right: drawInner(t, depth-1)}
	case 2:
		return model.Not{Inner: drawInner(t, depth-1)}
	}
	return drawCompare(t, rapid.SampledFrom([]model.AttributePath{{Name: "value"}, {Name: "type", CaseExact: true}, {Name: "display"}}).Draw(t, "sub"))
}

// drawDocument gives a document with any of the attributes absent, null, of an unexpected type, or hostile.
func drawDocument(t *rapid.T, n int) map[string]any {
	anyText := func(label string) any { return rapid.SampledFrom(hostile()).Draw(t, label) }
	doc := map[string]any{"userName": fmt.Sprintf("%s%d", anyText("userName"), n)}
	maybe := func(into map[string]any, name string, value func() any) {
		switch rapid.IntRange(0, 3).Draw(t, name+"?") {
		case 0:
		case 1:
			into[name] = nil
		default:
			into[name] = value()
		}
	}
	for _, name := range []string{"externalId", "displayName", "nickName"} {
		maybe(doc, name, func() any { return anyText(name) })
	}
	maybe(doc, "active", func() any { return rapid.Bool().Draw(t, "active") })
	maybe(doc, "name", func() any {
		name := map[string]any{}
		maybe(name, "givenName", func() any { return anyText("givenName") })
		maybe(name, "familyName", func() any { return anyText("familyName") })
		return name
	})
	maybe(doc, "emails", func() any { return drawEmails(t) })
	maybe(doc, "phoneNumbers", func() any {
		return []any{map[string]any{"type": "mobile", "value": anyText("phone")}, map[string]any{"value": nil}, anyText("plain phone")}
	})
	maybe(doc, enterprise, func() any {
		e := map[string]any{}
		maybe(e, "department", func() any { return anyText("department") })
		maybe(e, "employeeNumber", func() any { return anyText("employeeNumber") })
		maybe(e, "manager", func() any { return map[string]any{"value": anyText("manager")} })
		return e
	})
	maybe(doc, extension, func() any {
		e := map[string]any{}
		maybe(e, "level", func() any {
			if rapid.IntRange(0, 4).Draw(t, "no number") == 0 {
				return rapid.SampledFrom([]any{"5", "x", true, []any{json.Number("5")}}).Draw(t, "level")
			}
			return json.Number(rapid.SampledFrom(numbers()).Draw(t, "level"))
		})
		maybe(e, "hired", func() any { return anyText("hired") })
		maybe(e, "text", func() any {
			if rapid.IntRange(0, 3).Draw(t, "no text") == 0 {
				return rapid.SampledFrom([]any{
					json.Number("1e2"), json.Number("-0.50"), json.Number("0e7"), true, []any{}, []any{"ada"}, map[string]any{}, map[string]any{"value": "ada"}, "",
				}).Draw(t, "text")
			}
			return anyText("text")
		})
		maybe(e, "owner", func() any { return map[string]any{"name": anyText("owner"), "value": anyText("owner's value")} })
		maybe(e, "tags", func() any { return []any{anyText("tag"), anyText("tag"), nil} })
		return e
	})
	return doc
}

// drawEmails gives several addresses, of which any number may be of type work.
func drawEmails(t *rapid.T) any {
	list := []any{}
	for range rapid.IntRange(0, 4).Draw(t, "addresses") {
		e := map[string]any{"value": rapid.SampledFrom(hostile()).Draw(t, "address")}
		if kind := rapid.SampledFrom([]string{"work", "work", "home", ""}).Draw(t, "type"); kind != "" {
			e["type"] = kind
		}
		if rapid.Bool().Draw(t, "says primary") {
			e["primary"] = rapid.Bool().Draw(t, "primary")
		}
		list = append(list, e)
	}
	if len(list) == 1 && rapid.Bool().Draw(t, "single") {
		return list[0]
	}
	return list
}
