package store_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

const extension = "urn:ietf:params:scim:schemas:extension:test:2.0:User"

// hostile are texts that mean something to SQL, to LIKE, to JSON or to our own placeholders, beside plain ones that match
// each other in part or without case.
func hostile() []string {
	return []string{
		"ada", "Ada", "ADA", "ad", "da", "a", "é", "É", "ß", "日本", "🙂", "%", "_", "a%a", "a_a", "axa", "!", "!%", "?", "$1", `\`, `\_`,
		"'", "''", `"`, "'; DROP TABLE directory_users; --", "*", "[a]", "{}", `{"value":"ada"}`, "null", "true", "5", "1e2", "-0.50",
		"2026-02-29T00:00:00Z", "2026-03-01T01:00:00+01:00", "work", "0000-01-01T00:00:00Z",
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
	case "level":
		return json.Number(rapid.SampledFrom([]string{"5", "-1", "0", "100", "5.5", "9007199254740993", "1e2"}).Draw(t, "number"))
	case "hired":
		return time.Date(2026, 3, 1, 0, 0, rapid.IntRange(0, 1).Draw(t, "second"), 0, time.UTC)
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
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 {
		kind = 5
	}
	switch kind {
	case 0:
		return model.And{Left: drawFilter(t, depth-1), Right: drawFilter(t, depth-1)}
	case 1:
		return model.Or{Left: drawFilter(t, depth-1), Right: drawFilter(t, depth-1)}
	case 2:
		return model.Not{Inner: drawFilter(t, depth-1)}
	case 3:
		return model.ValuePath{Path: model.AttributePath{Name: "emails", MultiValued: true}, Inner: drawInner(t, 2)}
	case 4: // as Entra asks
		return model.ValuePath{Path: model.AttributePath{Name: "emails", MultiValued: true}, Inner: model.And{
			Left:  model.Compare{Path: model.AttributePath{Name: "type"}, Op: model.OpEqual, Value: "work"},
			Right: model.Compare{Path: model.AttributePath{Name: "value"}, Op: model.OpEqual, Value: rapid.SampledFrom(hostile()).Draw(t, "e-mail")},
		}}
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
	maybe(doc, extension, func() any {
		e := map[string]any{}
		maybe(e, "level", func() any {
			return rapid.SampledFrom([]any{
				json.Number("5"), json.Number("100"), json.Number("5.5"), json.Number("-1"), json.Number("9007199254740993"), "5", "x", true,
			}).Draw(t, "level")
		})
		maybe(e, "hired", func() any { return anyText("hired") })
		maybe(e, "text", func() any { return anyText("text") })
		maybe(e, "tags", func() any { return []any{anyText("tag"), anyText("tag"), nil} })
		return e
	})
	return doc
}

// drawEmails gives at most one work address, and that one first, because the column holds one (see workEmail).
func drawEmails(t *rapid.T) any {
	list := []any{}
	for i, kind := range []string{"work", "home", "", "other"} {
		if rapid.Bool().Draw(t, "skip") {
			continue
		}
		e := map[string]any{"value": rapid.SampledFrom(hostile()).Draw(t, "address")}
		if kind != "" {
			e["type"] = kind
		}
		if i == 1 {
			e["primary"] = rapid.Bool().Draw(t, "primary")
		}
		list = append(list, e)
	}
	if len(list) == 1 && rapid.Bool().Draw(t, "single") {
		return list[0]
	}
	return list
}

// drawUser fills the columns as directory.Index does.
func drawUser(t *rapid.T, ref model.Ref, n int) *model.DirectoryUser {
	doc := drawDocument(t, n)
	u := storetest.NewUser(ref, doc["userName"].(string))
	u.Document = model.NewDocument(doc)
	u.ExternalID, _ = doc["externalId"].(string)
	u.DisplayName, _ = doc["displayName"].(string)
	active, said := doc["active"].(bool)
	u.Active, u.Email = active || !said, ""
	if all := elements(doc["emails"]); len(all) > 0 {
		u.Email = text(part(all[0], "value"))
	}
	u.EmailKey = model.Fold(u.Email)
	return u
}

// TestFiltersAgree: for any filter over any documents, both databases answer as the oracle does.
func TestFiltersAgree(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	type database struct {
		name string
		s    *store.Store
		ref  model.Ref
	}
	stores := []database{
		{name: "sqlite", s: storetest.OpenWith(t, store.Options{URL: storetest.SQLiteURL(t), Now: now})},
		{name: "postgres", s: storetest.OpenWith(t, store.Options{URL: storetest.PostgresURL(t), Now: now})},
	}
	rapid.Check(t, func(rt *rapid.T) {
		for i := range stores {
			stores[i].ref = storetest.Ref(t, stores[i].s)
		}
		var users []*model.DirectoryUser
		for n := range rapid.IntRange(1, 8).Draw(rt, "users") {
			u := drawUser(rt, model.Ref{}, n)
			u.ID = store.NewID()
			users = append(users, u)
		}
		for _, db := range stores {
			storetest.InTx(t, db.s, func(tx *store.Tx) error {
				for _, u := range users {
					u.OrganizationID, u.IntegrationID = db.ref.OrganizationID, db.ref.IntegrationID
					if err := tx.InsertDirectoryUser(u); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for range 12 {
			f := drawFilter(rt, 2)
			want := []string{}
			for _, u := range users {
				if newOracle(u).holds(f) {
					want = append(want, u.UserName)
				}
			}
			for _, db := range stores {
				found, total, err := db.s.Read(t.Context()).Users(db.ref, model.ResourceQuery{Filter: f, Count: 100})
				if err != nil {
					rt.Fatalf("%s: %#v: %v", db.name, f, err)
				}
				got := []string{}
				for _, u := range found {
					got = append(got, u.UserName)
				}
				if !slices.Equal(got, want) || total != len(want) {
					rt.Fatalf("%s: %#v\n gives %q of %d, want %q", db.name, f, got, total, want)
				}
			}
		}
	})
}
