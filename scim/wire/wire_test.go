package wire_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"usher/scim/fault"
	"usher/scim/wire"
)

func TestParse(t *testing.T) {
	t.Parallel()
	body, err := wire.Parse([]byte("\xef\xbb\xbf {\"b\":[1.50,-2e3,true,null],\"a\":\"\\u00e9\\ud83d\\ude00\\n\\/\"} \r\n"))
	want := &wire.Object{Members: []wire.Member{
		{Name: "b", Value: []any{json.Number("1.50"), json.Number("-2e3"), true, nil}},
		{Name: "a", Value: "é😀\n/"},
	}}
	if err != nil || body.Bad != nil || !reflect.DeepEqual(body.Value, want) {
		t.Errorf("got %+v, %v, %v", body.Value, body.Bad, err)
	}
}

// TestParseRefused shows what is no JSON, and that the place is named.
func TestParseRefused(t *testing.T) {
	t.Parallel()
	for text, names := range map[string]string{
		"":                        "empty",
		" \n":                     "empty",
		"{":                       "column 2",
		"{\n \"a\" 1}":            "line 2, column 6",
		`{"a":1,}`:                "column 8",
		`{"a":01}`:                "column 7",
		`[1 2]`:                   "column 4",
		`{"a":tru}`:               "column 6",
		`"a`:                      "does not end",
		`"a\`:                     "escape",
		`"\x"`:                    "escape",
		`"\u12"`:                  "hexadecimal",
		"\"a\nb\"":                "control character",
		`{"a":1}x`:                "nothing may follow",
		`{"a":1,"b":2,"a":3}`:     `"a" is given twice`,
		strings.Repeat("[", 1000): "32 levels",
		`[1.]`:                    "digit",
		`[1e]`:                    "digit",
		`[-]`:                     "digit",
		`{a:1}`:                   "member name",
	} {
		_, err := wire.Parse([]byte(text))
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Type != "invalidSyntax" || !strings.Contains(f.Detail, names) {
			t.Errorf("%.40q: %v; want invalidSyntax that names %s", text, err, names)
		}
	}
	_, err := wire.Parse([]byte("[" + strings.Repeat("0,", wire.MaxValues) + "0]"))
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Status != 413 {
		t.Errorf("too many values: %v; want 413", err)
	}
}

// TestBad shows which values cannot be stored, and how their place is named.
func TestBad(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":[{"b":"x"},{"b":"\u0000"}]}`:      "a[1].b",
		`{"a":"\ud800"}`:                        "a",
		`{"a":"\ud800\ud800"}`:                  "a",
		`{"a":"\udc00x"}`:                       "a",
		"{\"a\":{\"b\":\"\xff\"}}":              "a.b",
		`{"a":1e999}`:                           "a",
		`{"a":` + strings.Repeat("9", 99) + `}`: "a",
		`{"a\u0000":1}`:                         "(member name)",
		`"\u0000"`:                              "value",
	} {
		body, err := wire.Parse([]byte(text))
		if err != nil || body.Bad == nil || body.Bad.Path(0) != want {
			t.Errorf("%q: %+v, %v; want a bad value at %s", text, body.Bad, err, want)
		}
	}
}

// FuzzParse: what is accepted is JSON, with the same meaning as encoding/json gives it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e-3,"x\u00e9"]}`, `"\ud83d\ude00"`, `[[],{}]`, "\xff", `{"a":1,"a":2}`, `-0`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := wire.Parse(data)
		if err != nil {
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Status < 400 || f.Status > 499 {
				t.Fatalf("not an error of the client: %v", err)
			}
			return
		}
		if body.Bad != nil {
			return
		}
		dec := json.NewDecoder(strings.NewReader(strings.TrimPrefix(string(data), "\xef\xbb\xbf")))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(wire.Plain(body.Value), want) {
			t.Errorf("%q: got %v, encoding/json gives %v, %v", data, body.Value, want, err)
		}
	})
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", `quote " and \`, "é\n\u2028", "<&>"} {
		var back string
		if err := json.Unmarshal(wire.AppendString(nil, s), &back); err != nil || back != s {
			t.Errorf("%q comes back as %q, %v", s, back, err)
		}
	}
}
