package storetest

import (
	"testing"

	"usher/model"
	"usher/model/store"
)

func textCases() []testCase {
	return []testCase{
		{"any text comes back as it was written", hostileText},
		{"text with NUL is refused as Invalid, or kept", nulText},
		{"searches take wildcards and quotes for themselves", hostileSearch},
	}
}

func hostileTexts() []string {
	return []string{
		`'`, `"`, `\`, `%`, `_`, `!`, `?`, `$1`, "'; DROP TABLE accounts; --", "Ünïcödé 日本 🙂", "line\nbreak\ttab", "\u2028", `{"a":[1]}`, " ",
	}
}

func hostileText(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	for _, text := range hostileTexts() {
		u := NewUser(ref, text)
		u.Document = model.NewDocument(map[string]any{"userName": text, text: map[string]any{"x": []any{text}}})
		u.Explanation.Scope = text
		a := NewAccount(ref.OrganizationID, "")
		a.DisplayName, a.Roles, a.CustomFields = text, []string{text}, map[string]any{text: text}
		InTx(t, s.Store, func(tx *store.Tx) error {
			if err := tx.InsertDirectoryUser(u); err != nil {
				return err
			}
			return tx.InsertAccount(a)
		})
		got, err := s.Read(t.Context()).DirectoryUser(ref, u.ID)
		if err != nil || got.UserName != text || !got.Document.Equal(&u.Document) || got.Explanation.Scope != text {
			t.Errorf("%q: directory user %+v, %v", text, got, err)
		}
		back, err := s.Read(t.Context()).Account(ref.OrganizationID, a.ID)
		if err != nil || back.DisplayName != text || len(back.Roles) != 1 || back.Roles[0] != text || back.CustomFields[text] != text {
			t.Errorf("%q: account %+v, %v", text, back, err)
		}
	}
}

// nulText: PostgreSQL cannot hold NUL in text or in jsonb; SQLite can.
func nulText(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	for name, write := range map[string]func(*store.Tx) error{
		"userName": func(tx *store.Tx) error { return tx.InsertDirectoryUser(NewUser(ref, "a\x00b@contoso.com")) },
		"document": func(tx *store.Tx) error {
			u := NewUser(ref, "ada@contoso.com")
			u.Document = model.NewDocument(map[string]any{"title": "a\x00b"})
			return tx.InsertDirectoryUser(u)
		},
		"name of an organization": func(tx *store.Tx) error {
			return tx.InsertOrganization(&model.Organization{Slug: "nul", Name: "a\x00b"})
		},
		"custom field": func(tx *store.Tx) error {
			a := NewAccount(ref.OrganizationID, "nul@contoso.com")
			a.CustomFields = map[string]any{"x": "\x00"}
			return tx.InsertAccount(a)
		},
		"filter": func(tx *store.Tx) error {
			_, _, err := tx.Users(ref, model.ResourceQuery{Count: 1, Filter: model.Compare{
				Path: model.AttributePath{Name: "userName"}, Op: model.OpEqual, Value: "\x00",
			}})
			return err
		},
	} {
		err := s.InTx(t.Context(), write)
		if s.postgres() && model.KindOf(err) != model.Invalid {
			t.Errorf("%s with NUL: %v, want Invalid", name, err)
		}
		if !s.postgres() && err != nil {
			t.Errorf("%s with NUL: %v, want it kept", name, err)
		}
	}
}

func hostileSearch(t *testing.T, s suite) {
	org := Org(t, s.Store)
	for _, name := range []string{"100% Ada", "under_score", "bang!", "O'Hara", `back\slash`, "Plain"} {
		InTx(t, s.Store, func(tx *store.Tx) error {
			a := NewAccount(org, "")
			a.DisplayName = name
			if err := tx.Log(model.Activity{OrganizationID: org, Subject: name, Summary: "made"}, nil); err != nil {
				return err
			}
			return tx.InsertAccount(a)
		})
	}
	for search, want := range map[string]int{"%": 1, "_": 1, "!": 1, "'": 1, `\`: 1, "ADA": 1, "a": 5, "?": 0, "$1": 0} {
		list, err := s.Read(t.Context()).AccountsAfter(org, store.AccountFilter{Search: search}, "", 10)
		if err != nil || len(list) != want {
			t.Errorf("accounts with %q: %d, %v, want %d", search, len(list), err, want)
		}
	}
	for search, want := range map[string]int{"%": 1, "_": 1, "!": 1, "made": 6, "zzz": 0} {
		list, err := s.Read(t.Context()).ActivitiesBefore(org, store.ActivityFilter{Search: search}, "", 10)
		if err != nil || len(list) != want {
			t.Errorf("activities with %q: %d, %v, want %d", search, len(list), err, want)
		}
	}
}
