package verify

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzAnswer reads any bytes as an answer, looks for things in it, and shows it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"schemas":["` + urnList + `"],"totalResults":1,"Resources":[{"id":"1","userName":"a","emails":[{"type":"work","primary":true}]}]}`,
		`{"schemas":["` + urnError + `"],"status":"404"}`, `[[[[`, `{"a":"\"}{"}`, `<html>`, "\x1b[2J", `{"urn:x:User":{"manager":null}}`, `{}{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &answer{body: body}
		a.parse()
		if a.problem == "" && depth(a.value) > maxDepth {
			t.Errorf("%d levels", depth(a.value))
		}
		talk := &talk{s: &session{client: &client{token: "secret"}}}
		r := &reply{talk, a}
		r.listed()
		r.lacks(`emails[type eq "work"].value`)
		r.refused(404, "x")
		_ = flatten(map[string]any{"attributes": a.value})
		_ = lookup(a.value, string(body))
		shown := talk.s.clean(string(body), maxShown)
		if len(shown) > maxShown+100 || strings.Contains(shown, "secret") || strings.ContainsFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("shown as %q", shown)
		}
	})
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case object:
		for _, inner := range v {
			deepest = max(deepest, depth(inner))
		}
	case list:
		for _, inner := range v {
			deepest = max(deepest, depth(inner))
		}
	default:
		return 0
	}
	return deepest + 1
}
