package store_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// The people of the filter table, by userName. Every attribute is absent from one of them.
func people() map[string]map[string]any {
	return map[string]map[string]any{
		"ada": {
			"externalId": "EXT-1", "displayName": "Ada Lovelace", "active": true, "name": map[string]any{"familyName": "Lovelace"},
			"emails": []any{
				map[string]any{"type": "work", "value": "Ada@contoso.com", "primary": true}, map[string]any{"type": "home", "value": "ada@home.example"},
			},
			extension: map[string]any{"level": json.Number("5"), "hired": "2024-02-29T12:00:00+02:00", "tags": []any{"x", "y"}},
		},
		"Bob_": {
			"displayName": `100% "Bob"`, "active": false, "title": "", "emails": []any{map[string]any{"type": "other", "value": "bob@contoso.com"}},
			extension: map[string]any{"level": json.Number("10"), "hired": "2025-02-29T00:00:00Z", "tags": "single"},
		},
		"ÉVA": {"externalId": "ext-1", "title": nil, "emails": []any{}, extension: map[string]any{"level": "five", "hired": "2026-01-01T00:00:00.5Z"}},
	}
}

func path(name string, sub ...string) model.AttributePath {
	p := model.AttributePath{Name: name, Sub: strings.Join(sub, "")}
	p.MultiValued = name == "emails" || name == "tags"
	p.CaseExact = name == "externalId" || name == "id"
	if name == "level" || name == "hired" || name == "tags" {
		p.Schema = extension
	}
	return p
}

func cmp(p model.AttributePath, op model.CompareOp, value any) model.Filter {
	return model.Compare{Path: p, Op: op, Value: value}
}

func email(inner model.Filter) model.Filter {
	return model.ValuePath{Path: model.AttributePath{Name: "emails", MultiValued: true}, Inner: inner}
}

func TestFilters(t *testing.T) {
	hired := time.Date(2024, 2, 29, 10, 0, 0, 0, time.UTC)
	table := []struct {
		name   string
		filter model.Filter
		want   string
	}{
		{"userName without case", cmp(path("userName"), "eq", "ADA"), "ada"},
		{"userName without case beyond ASCII", cmp(path("userName"), "eq", "éva"), "ÉVA"},
		{"externalId with case", cmp(path("externalId"), "eq", "ext-1"), "ÉVA"},
		{"externalId in part, with case", cmp(path("externalId"), "co", "XT-"), "ada"},
		{"ne holds for what is absent", cmp(path("externalId"), "ne", "ext-1"), "Bob_ ada"},
		{"pr", cmp(path("externalId"), "pr", nil), "ada ÉVA"},
		{"eq null", cmp(path("externalId"), "eq", nil), "Bob_"},
		{"ne null", cmp(path("externalId"), "ne", nil), "ada ÉVA"},
		{"nothing is greater than null", cmp(path("externalId"), "gt", nil), ""},
		{"an empty text is not present", cmp(path("title"), "pr", nil), ""},
		{"an empty text is equal to itself", cmp(path("title"), "eq", ""), "Bob_"},
		{"a part of nothing", cmp(path("title"), "co", ""), "Bob_"},
		{"not of what is absent", model.Not{Inner: cmp(path("displayName"), "co", "ada")}, "Bob_ ÉVA"},
		{"not of a comparison that cannot be made", model.Not{Inner: cmp(path("level"), "gt", json.Number("1"))}, "ÉVA"},
		{"wildcards are text", cmp(path("displayName"), "co", "0%"), "Bob_"},
		{"wildcards are text in keys", cmp(path("userName"), "ew", "_"), "Bob_"},
		{"quotes", cmp(path("displayName"), "ew", `"BOB"`), "Bob_"},
		{"a question mark is no placeholder", cmp(path("displayName"), "sw", "?"), ""},
		{"active", cmp(path("active"), "eq", true), "ada ÉVA"},
		{"active is absent and counts as true", cmp(path("active"), "ne", false), "ada ÉVA"},
		{"a sub-attribute", cmp(path("name", "familyName"), "sw", "love"), "ada"},
		{"a sub-attribute of what is absent", cmp(path("name", "familyName"), "ne", "x"), "Bob_ ada ÉVA"},
		{"any e-mail", cmp(path("emails", "value"), "ew", "@CONTOSO.com"), "Bob_ ada"},
		{"any e-mail differs", cmp(path("emails", "value"), "ne", "bob@contoso.com"), "ada ÉVA"},
		{"no e-mail at all", cmp(path("emails", "value"), "eq", nil), "ÉVA"},
		{"a boolean of an element", cmp(path("emails", "primary"), "eq", true), "ada"},
		{"work e-mail as Entra asks", email(model.And{
			Left: cmp(path("type"), "eq", "work"), Right: cmp(path("value"), "eq", "ADA@contoso.com"),
		}), "ada"},
		{"one element satisfies the whole", email(model.And{
			Left: cmp(path("type"), "eq", "home"), Right: cmp(path("value"), "ew", "contoso.com"),
		}), ""},
		{"an element of another type", email(model.Not{Inner: cmp(path("type"), "eq", "work")}), "Bob_ ada"},
		{"numbers compare as numbers", cmp(path("level"), "gt", json.Number("9")), "Bob_"},
		{"a number is equal however written", cmp(path("level"), "eq", json.Number("5.0")), "ada"},
		{"ne of a text and a number", cmp(path("level"), "ne", json.Number("5")), "Bob_ ÉVA"},
		{"times compare across zones", cmp(path("hired"), "eq", hired), "ada"},
		{"a day that the calendar lacks is no time", cmp(path("hired"), "gt", hired), "ÉVA"},
		{"simple values", cmp(path("tags"), "eq", "y"), "ada"},
		{"a single value where the schema says many", cmp(path("tags"), "eq", "single"), "Bob_"},
		{"meta.created", cmp(path("meta", "created"), "ge", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), "Bob_ ada ÉVA"},
		{"meta.lastModified", cmp(path("meta", "lastModified"), "lt", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), ""},
		{"an id that is none", cmp(path("id"), "eq", "' OR 1=1 --"), ""},
		{"any id but one that is none", cmp(path("id"), "ne", "7"), "Bob_ ada ÉVA"},
		{"and, or", model.Or{
			Left:  model.And{Left: cmp(path("active"), "eq", true), Right: cmp(path("externalId"), "pr", nil)},
			Right: cmp(path("userName"), "sw", "bob"),
		}, "Bob_ ada ÉVA"},
	}
	now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	for name, url := range map[string]storetest.URL{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.OpenWith(t, store.Options{URL: url(t), Now: now})
			ref := storetest.Ref(t, s)
			users := seed(t, s, ref)
			storetest.User(t, s, storetest.Ref(t, s), "stranger@contoso.com")
			for _, c := range table {
				found, total, err := s.Read(t.Context()).Users(ref, model.ResourceQuery{Filter: c.filter, Count: 10})
				got := []string{}
				for _, u := range found {
					got = append(got, u.UserName)
				}
				slices.Sort(got)
				if err != nil || strings.Join(got, " ") != c.want || total != len(got) {
					t.Errorf("%s: %q of %d, %v, want %q", c.name, got, total, err, c.want)
				}
				for _, u := range users {
					if c.name != "meta.lastModified" && newOracle(u).holds(c.filter) != slices.Contains(got, u.UserName) {
						t.Errorf("%s: the oracle disagrees about %s", c.name, u.UserName)
					}
				}
			}
		})
	}
}

func seed(t *testing.T, s *store.Store, ref model.Ref) []*model.DirectoryUser {
	t.Helper()
	var users []*model.DirectoryUser
	for name, doc := range people() {
		doc["userName"] = name
		u := storetest.NewUser(ref, name)
		u.Document = model.NewDocument(doc)
		u.ExternalID, _ = doc["externalId"].(string)
		u.DisplayName, _ = doc["displayName"].(string)
		u.Active, u.Email = doc["active"] != false, ""
		if all := elements(doc["emails"]); len(all) > 0 {
			u.Email = text(part(all[0], "value"))
		}
		u.EmailKey = model.Fold(u.Email)
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
		users = append(users, u)
	}
	return users
}

func TestGroupFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		ids := storetest.Users(t, s, ref, 2)
		storetest.Group(t, s, ref, "Empty")
		one := storetest.Group(t, s, ref, "One", ids[0])
		storetest.Group(t, s, ref, "Two", ids[0], ids[1], one.ID)
		member := func(p model.AttributePath, op model.CompareOp, value any) model.Filter { return cmp(p, op, value) }
		members := path("members")
		inner := func(f model.Filter) model.Filter { return model.ValuePath{Path: members, Inner: f} }
		for _, c := range []struct {
			name   string
			filter model.Filter
			want   string
		}{
			{"members eq", member(members, "eq", ids[1]), "Two"},
			{"members.value eq", member(path("members", "value"), "eq", ids[0]), "One Two"},
			{"members eq what is no id", member(members, "eq", "'"), ""},
			{"members pr", member(members, "pr", nil), "One Two"},
			{"members eq null", member(members, "eq", nil), "Empty"},
			{"members ne", member(members, "ne", ids[0]), "Empty Two"},
			{"members[value eq]", inner(cmp(path("value"), "eq", ids[1])), "Two"},
			{"members[type eq]", inner(cmp(path("type"), "eq", "group")), "Two"},
			{"members.display in part, without case", member(path("members", "display"), "co", "USER000001"), "Two"},
			{"members.display of a group", member(path("members", "display"), "eq", "one"), "Two"},
			{"members[display and value]", inner(model.And{Left: cmp(path("display"), "sw", "user"), Right: cmp(path("value"), "eq", one.ID)}), ""},
			{"members[type and value]", inner(model.And{Left: cmp(path("type"), "eq", "Group"), Right: cmp(path("value"), "eq", ids[0])}), ""},
			{"members[not]", inner(model.Not{Inner: cmp(path("value"), "eq", ids[0])}), "Two"},
			{"displayName without case", cmp(path("displayName"), "eq", "oNE"), "One"},
			{"id and members, as Entra asks", model.And{Left: cmp(path("id"), "eq", one.ID), Right: member(members, "eq", ids[0])}, "One"},
			{"id and no member", model.And{Left: cmp(path("id"), "eq", one.ID), Right: member(members, "eq", ids[1])}, ""},
		} {
			found, total, err := s.Read(t.Context()).Groups(ref, model.ResourceQuery{Filter: c.filter, Count: 10})
			got := []string{}
			for _, g := range found {
				got = append(got, g.DisplayName)
			}
			slices.Sort(got)
			if err != nil || strings.Join(got, " ") != c.want || total != len(got) {
				t.Errorf("%s: %q of %d, %v, want %q", c.name, got, total, err, c.want)
			}
		}
	})
}

// TestFiltersThatAreRefused: what does not compile is the caller's mistake, and nothing of it reaches the database.
func TestFiltersThatAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		storetest.User(t, s, ref, "ada@contoso.com")
		storetest.Group(t, s, ref, "Sales")
		r := s.Read(t.Context())
		for _, name := range []string{"a'b", `a"b`, "a b", "a;b", "a?b", "é", "a\x00b"} {
			for _, f := range []model.Filter{
				cmp(model.AttributePath{Name: name}, "pr", nil), cmp(model.AttributePath{Name: "a", Sub: name}, "pr", nil),
				cmp(model.AttributePath{Schema: name, Name: "a"}, "pr", nil), email(cmp(model.AttributePath{Name: name}, "pr", nil)),
				model.Not{Inner: model.ValuePath{Path: model.AttributePath{Name: name}, Inner: cmp(path("value"), "pr", nil)}},
			} {
				if _, _, err := r.Users(ref, model.ResourceQuery{Filter: f, Count: 1}); model.KindOf(err) != model.Invalid {
					t.Errorf("%#v: %v, want Invalid", f, err)
				}
			}
		}
		if _, _, err := r.Users(ref, model.ResourceQuery{Count: 1, Filter: email(email(cmp(path("value"), "pr", nil)))}); model.KindOf(err) != model.Invalid {
			t.Errorf("a value path within another: %v, want Invalid", err)
		}
		absurd := cmp(path("level"), "lt", json.Number("1e999999"))
		for _, f := range []model.Filter{absurd, email(absurd)} {
			if _, _, err := r.Users(ref, model.ResourceQuery{Filter: f, Count: 1}); model.KindOf(err) != model.Invalid {
				t.Errorf("an absurd number: %v, want Invalid", err)
			}
		}
		unknown := model.ValuePath{Path: path("members"), Inner: cmp(path("$ref"), "pr", nil)}
		if _, _, err := r.Groups(ref, model.ResourceQuery{Count: 1, Filter: unknown}); model.KindOf(err) != model.Invalid {
			t.Errorf("members by what they have not: %v, want Invalid", err)
		}
	})
}
