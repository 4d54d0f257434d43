package journal

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// marker stands for a secret; no row may hold it.
const marker = "hunter2-XyZ"

func TestRedact(t *testing.T) {
	t.Parallel()
	const whole = "[not kept: it is not JSON and may hold a secret]"
	for _, tt := range []struct{ name, body, want string }{
		{"harmless", `{"userName":"ada","title":"Countess"}`, `{"userName":"ada","title":"Countess"}`},
		{"password", `{"userName":"ada", "password" : "` + marker + `"}`, `{"userName":"ada", "password" : "[redacted]"}`},
		{"null", `{"password":null}`, `{"password":null}`},
		{"number", `{"password":12345}`, `{"password":"[redacted]"}`},
		{"object", `{"credentials":{"a":["` + marker + `"]},"b":1}`, `{"credentials":"[redacted]","b":1}`},
		{"separators", `{"client-Secret":"` + marker + `","API_KEY":"` + marker + `"}`, `{"client-Secret":"[redacted]","API_KEY":"[redacted]"}`},
		{"under a URN", `{"urn:a:2.0:User":{"accessToken":"` + marker + `"}}`, `{"urn:a:2.0:User":{"accessToken":"[redacted]"}}`},
		{"operation", `{"Operations":[{"op":"replace","path":"password","value":"` + marker + `"}]}`, `{"Operations":[{"op":"replace","path":"password","value":"[redacted]"}]}`},
		{"operation, value first", `{"Operations":[{"value":{"x":"` + marker + `"},"path":"urn:a:User:passWord","op":"add"}]}`, `{"Operations":[{"value":"[redacted]","path":"urn:a:User:passWord","op":"add"}]}`},
		{"operation without path", `{"Operations":[{"op":"add","value":{"passwd":"` + marker + `"}}]}`, `{"Operations":[{"op":"add","value":{"passwd":"[redacted]"}}]}`},
		{"typed value", `{"x":[{"type":"password","value":"` + marker + `"}]}`, `{"x":[{"type":"password","value":"[redacted]"}]}`},
		{"escaped name", `{"p\u0061ssword":"` + marker + `"}`, `{"p\u0061ssword":"[redacted]"}`},
		{"escaped kelvin", `{"to\u212aen":"` + marker + `"}`, `{"to\u212aen":"[redacted]"}`},
		{"dotted i", `{"credentİal":"` + marker + `"}`, `{"credentİal":"[redacted]"}`},
		{"escaped separator", `{"api\u002Dkey":"` + marker + `"}`, `{"api\u002Dkey":"[redacted]"}`},
		{"escapes within escapes", `{"a":"{\"p\\u0061ssword\":\"` + marker + `\"}"}`, `{"a":"{\"p\\u0061ssword\":\"[redacted]\"}"}`},
		{"api and key apart", `{"api.Key":"` + marker + `"}`, `{"api.Key":"[redacted]"}`},
		{"long s", `{"paſſword":"` + marker + `"}`, `{"paſſword":"[redacted]"}`},
		{"JSON in a string", `{"roles":[{"value":"{\"secret\":\"` + marker + `\"}"}]}`, `{"roles":[{"value":"{\"secret\":\"[redacted]\"}"}]}`},
		{"a title is no secret", `{"title":"Password Administrator","roles":[{"display":"Token Clerk","value":"Token Clerk"}]}`, `{"title":"Password Administrator","roles":[{"display":"Token Clerk","value":"Token Clerk"}]}`},
		{"search", `{"filter":"password eq \"` + marker + `\""}`, `{"filter":"[redacted]"}`},
		{"assertion", "client_assertion=" + marker + "&client_secret=" + marker, whole},
		{"no quotes", `{password:` + marker + `}`, whole},
		{"ends early", `{"password":"` + marker, whole},
		{"single quotes", `{'password':'` + marker + `'}`, whole},
		{"trailing", `{} {"password":"` + marker + `"}`, whole},
		{"no JSON, escaped name", `{"p\u0061ssword":` + marker + `}`, whole},
		{"no JSON and harmless", `Grüße`, `Grüße`},
		{"too deep", strings.Repeat("[", 100) + `{"password":"` + marker + `"}` + strings.Repeat("]", 100), whole},
		{"nothing", ``, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(Redact([]byte(tt.body), false)); got != tt.want {
				t.Errorf("%s\nbecame\n%s\nwant\n%s", tt.body, got, tt.want)
			}
		})
	}
}

// TestStandsForASCII looks at every letter there is.
func TestStandsForASCII(t *testing.T) {
	t.Parallel()
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		folds := unicode.ToLower(r) < 0x80 || unicode.SimpleFold(r) < 0x80 && unicode.SimpleFold(r) > 0
		if folds != standsForASCII(r) {
			t.Errorf("%q stands for a letter of ASCII: %v, want %v", r, standsForASCII(r), folds)
		}
	}
}

// TestGlance shows that what is common in bodies is told harmless without reading them.
func TestGlance(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]suspicion{
		`{"displayName":"Zoë Ærø Łukasz 王"}`:         harmless,
		`{"displayName":"Zo\u00eb R\u0026D \u002B"}`: harmless,
		`{"n":"a\\b\n"}`: harmless,
		`{"n":"\u0061"}`: unclear,
		`{"n":"\u006`:    unclear,
		`{"n":"\uzzzz"}`: unclear,
		`{"n":"ſ"}`:      unclear,
		`{"apiKey":1}`:   suspicious,
		`{"API-KEY":1}`:  suspicious,
		`{"passport":1}`: suspicious,
	} {
		if got := glance([]byte(body)); got != want {
			t.Errorf("%s looks %d, want %d", body, got, want)
		}
	}
}

// secretName draws a name of a secret, in any case and with any separators.
func secretName(t *rapid.T) string {
	word := rapid.SampledFrom([]string{
		"password", "new_password", "passPhrase", "pass-code", "clientSecret", "secret", "access_token", "refreshToken", "client_assertion",
		"Authorization", "credentials", "api_key", "apiKey", "privateKey", "pwd", "urn:x:2.0:User:password", "tokens",
	}).Draw(t, "word")
	mask := rapid.Uint64().Draw(t, "case")
	cased := []byte(word)
	for i := range cased {
		if mask>>(i%64)&1 == 1 {
			cased[i] = strings.ToUpper(string(cased[i]))[0]
		}
	}
	return string(cased)
}

// plainName draws a name that is none of a secret.
func plainName(t *rapid.T) string {
	return rapid.SampledFrom([]string{"userName", "title", "name", "emails", "x", "ö", "nested", "values", "Operations", "display"}).Draw(t, "name")
}

// secretive draws a JSON value in which the marker stands under the names of secrets alone.
func secretive(t *rapid.T, depth int) any {
	if depth == 0 {
		return rapid.SampledFrom([]any{"ada", 1, true, nil, "Grüße \"\\ \u2028", ""}).Draw(t, "leaf")
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, secretive(t, depth-1))
		}
		return list
	case 1:
		return map[string]any{"op": "add", "path": secretName(t), "value": hidden(t)}
	case 2:
		inner, err := json.Marshal(secretive(t, depth-1))
		if err != nil {
			t.Fatal(err)
		}
		return string(inner)
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		object[plainName(t)] = secretive(t, depth-1)
	}
	object[secretName(t)] = hidden(t)
	return object
}

// hidden draws a value with the marker in it.
func hidden(t *rapid.T) any {
	return rapid.SampledFrom([]any{
		marker, []any{1, marker}, map[string]any{"value": marker}, map[string]any{"a": []any{map[string]any{"b": marker}}}, " " + marker + " ",
	}).Draw(t, "hidden")
}

// seams are the places between the tokens of a JSON text, where something can be put without breaking up a name.
func seams(body []byte) []int {
	list := []int{0}
	for i, c := range body {
		if strings.IndexByte(":,{}[]", c) >= 0 {
			list = append(list, i+1)
		}
	}
	return list
}

// TestRedactNeverTells draws bodies with secrets, whole, cut anywhere, and broken anywhere.
func TestRedactNeverTells(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body, err := json.Marshal(secretive(t, 5))
		if err != nil {
			t.Fatal(err)
		}
		whole := Redact(body, false)
		if !json.Valid(whole) {
			t.Fatalf("%s is no JSON any more:\n%s", body, whole)
		}
		at := rapid.IntRange(0, len(body)).Draw(t, "at")
		seam := rapid.SampledFrom(seams(body)).Draw(t, "seam")
		broken := append(append(append([]byte{}, body[:seam]...), rapid.SampledFrom([]string{"", "}", ",", `"`, "\x00", "{{", `\`}).Draw(t, "junk")...), body[seam:]...)
		for what, got := range map[string][]byte{"whole": whole, "cut": Redact(body[:at], true), "ended early": Redact(body[:at], false)} {
			if strings.Contains(string(got), marker) {
				t.Fatalf("%s, %s at %d, tells\n%s", body, what, at, got)
			}
		}
		if got := Redact(broken, false); !json.Valid(broken) && strings.Contains(string(got), marker) {
			t.Fatalf("broken at %d, it tells\n%s\n%s", seam, broken, got)
		}
	})
}

// TestRedactLeavesTheRest shows that a body without secrets stays as it is.
func TestRedactLeavesTheRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		object := map[string]any{}
		for range rapid.IntRange(0, 6).Draw(t, "members") {
			object[plainName(t)] = rapid.SampledFrom([]any{"Password Administrator", "token", 1, nil, []any{"secret"}, map[string]any{"x": "api"}}).Draw(t, "value")
		}
		body, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(Redact(body, false)); got != string(body) {
			t.Fatalf("%s became %s", body, got)
		}
	})
}

func TestRedactURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ query, want string }{
		{"", "/Users"},
		{"aadOptscim062020", "/Users?aadOptscim062020"},
		{"filter=userName+eq+%22ada%22&count=1", "/Users?filter=userName+eq+%22ada%22&count=1"},
		{"access_token=" + marker + "&count=1", "/Users?access_token=[redacted]&count=1"},
		{"%70assword=" + marker, "/Users?%70assword=[redacted]"},
		{"filter=password+eq+%22" + marker + "%22", `/Users?filter=password eq "[redacted]"`},
		{"filter=p%61ssword+eq+" + marker, "/Users?filter=[redacted]"},
		{"filter=title+eq+%22x%22+and+secret+eq+%22" + marker, `/Users?filter=title eq "[redacted]"[redacted]" and secret eq "[redacted]"`},
		{"token=%zz" + marker, "/Users?[redacted]"},
	} {
		got := RedactURL("/Users", tt.query)
		if strings.Contains(got, marker) || got != tt.want && !strings.Contains(tt.query, "title") {
			t.Errorf("%s became\n%s, want\n%s", tt.query, got, tt.want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"password":"x","path":"secret","value":["{\"token\":1}"]}`), true)
	f.Add([]byte(`{"a`), false)
	f.Fuzz(func(t *testing.T, body []byte, cut bool) {
		got := Redact(body, cut)
		if json.Valid(body) && !json.Valid(got) && !strings.HasPrefix(string(got), "[not kept") {
			t.Errorf("%q became %q", body, got)
		}
	})
}

func BenchmarkRow(b *testing.B) {
	body := []byte(patchOf(`{"op":"Replace","path":"title","value":"Lady"},{"op":"Replace","path":"active","value":"False"}`))
	answer := []byte(`{"id":"` + adaID + `","active":false,"displayName":"Ada Lovelace","emails":[{"primary":true,"type":"work","value":"ada@contoso.com"}],
"externalId":"2a69c9a6-1708-45b7-acbe-a7b4c8fb102a","name":{"familyName":"Lovelace","givenName":"Ada"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"title":"Lady","userName":"ada@contoso.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
{"department":"Analytics","employeeNumber":"` + strings.Repeat("7", rand.N(3)+1) + `"},"meta":{"resourceType":"User","created":"2026-11-21T09:30:00.000Z","version":"W/\"3\""}}`)
	b.ReportAllocs()
	for b.Loop() {
		e := ofAda()
		e.Status = 200
		e.Request, e.Answer = body, answer
		e.Exchange()
		_ = e.Unnamed()
		if row := e.Row(names); row.Summary == "" {
			b.Fatal()
		}
	}
}
