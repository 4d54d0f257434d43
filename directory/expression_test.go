package directory

import (
	"strings"
	"sync"
	"testing"

	"usher/model"
)

func TestExpression(t *testing.T) {
	attrs := document(t, richUser)
	for _, tt := range []struct{ source, want string }{
		{`value`, "Ada Lovelace"},
		{`user.title`, "Analyst"},
		{`user["urn:example:z"].shoeSize + 1`, "39"},
		{`user.nowhere`, ""},
		{`Attribute("name.givenName")`, "Ada"},
		{`Attribute('emails[type eq "home"].value')`, "ada@home.example"},
		{`[department]`, "Sales"},
		{`Switch([department], "", "Sales", "Vente", "HR", "RH")`, "Vente"},
		{`Switch("x", "none", "Sales", "Vente")`, "none"},
		{`Join("-", "a", "", "b", values)`, "a-b-Ada Lovelace-Countess"},
		{`Join(", ", [surname], [givenName])`, "Lovelace, Ada"},
		{`Join("/", Split("a.b.c", "."))`, "a/b/c"},
		{`Split("", ",")`, ""},
		{`Split("a,b", ",")`, "a,b"},
		{`Split("ab", "")`, "ab"},
		{`Item(Split("a.b.c", "."), 2)`, "b"},
		{`Item(Split("a", "."), 9)`, ""},
		{`Replace(value, "Ada", "Augusta")`, "Augusta Lovelace"},
		{`Replace(value, "", "x")`, "Ada Lovelace"},
		{`Mid(value, 5, 4)`, "Love"},
		{`Mid(value, 5, 400)`, "Lovelace"},
		{`Mid(value, 50, 4)`, ""},
		{`Mid("åse", 2, "2")`, "se"},
		{`Left(value, 3)`, "Ada"},
		{`Left(value, 99)`, "Ada Lovelace"},
		{`Left(value, -1)`, ""},
		{`Right(value, 4)`, "lace"},
		{`Len("åse")`, "3"},
		{`ToUpper("åse")`, "ÅSE"},
		{`ToLower("ÅSE", "da-DK")`, "åse"},
		{`Trim("  a ")`, "a"},
		{`StripSpaces(" a b ")`, "ab"},
		{`Append(value, "!")`, "Ada Lovelace!"},
		{`Coalesce(user.nickname, "", "x", "y")`, "x"},
		{`Coalesce()`, ""},
		{`IIF(IsNullOrEmpty([nickName]), "none", "some")`, "none"},
		{`IIF(value == "Ada Lovelace", 1, 2)`, "1"},
		{`IIF(Not(IsPresent(value)), "a", "b")`, "b"},
		{`value contains "Love" ? "yes" : "no"`, "yes"},
		{`value matches "^Ada" ? "yes" : "no"`, "yes"},
		{`NormalizeDiacritics("Łódź, Århus, Straße, Crème brûlée, Ærø")`, "Lodz, Arhus, Strasse, Creme brulee, AEro"},
		{`InStr(value, "Love")`, "5"},
		{`InStr(value, "x")`, "0"},
		{`Word("a-b_c", 3, "-_")`, "c"},
		{`Word("a-b_c", 4, "-_")`, ""},
		{`FormatDateTime("2026-11-21T09:30:00Z", "", "dd.MM.yyyy HH:mm")`, "21.11.2026 09:30"},
		{`FormatDateTime("20261121", "", "yyyyMMdd", "yyyy-MM-dd")`, "2026-11-21"},
		{`FormatDateTime("11/21/2026 1:05 PM", "M/d/yyyy h:mm tt", "yyyy-MM-dd'T'HH:mm:ss")`, "2026-11-21T13:05:00"},
		{`FormatDateTime("", "yyyyMMdd", "yyyy")`, ""},
		{`DateFromNum(46347)`, "2026-11-21T00:00:00"},
		{`DateFromNum("46347.5")`, "2026-11-21T12:00:00"},
		{`FormatDateTime(DateFromNum("46347"), "", "yyyy-MM-dd")`, "2026-11-21"},
		{`DateFromNum("")`, ""},
		{`ToUpper(Left(value, 1)) + ToLower(Mid(value, 2, 2))`, "Ada"},
		{`["a", "b"]`, "a,b"},
		{`1.5`, "1.5"},
		{`Word([mail], 1, "@")`, "ada"},
		{`Coalesce(Attribute('phoneNumbers[type eq "fax"].value'), Attribute('phoneNumbers[type eq "work"].value'))`, "1"},
		{`ToUpper(Left(value, 2)) + "-" + [department]`, "AD-Sales"},
		{`user?.nowhere?.deep ?? "nothing"`, "nothing"},
		{`nil`, ""},
	} {
		t.Run(tt.source, func(t *testing.T) {
			e, err := CompileExpression(tt.source)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Run(Input{Value: "Ada Lovelace", Values: []string{"Ada Lovelace", "Countess"}, User: attrs})
			if err != nil || got != tt.want {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestExpressionRefuses(t *testing.T) {
	for _, tt := range []struct{ name, source, detail string }{
		{"nothing", "  ", "the expression is empty"},
		{"an open parenthesis, with the place", `ToUpper(value`, "1:13"},
		{"an unknown function, with the place", `value + Shout(value)`, "1:9: unknown name Shout"},
		{"an unknown name", `valeu`, "1:1: unknown name valeu"},
		{"too few arguments", `Mid(value, 1)`, "not enough arguments to call Mid"},
		{"too many arguments", `Trim(value, 1)`, "too many arguments to call Trim"},
		{"the second line", "value +\n  Shout(1)", "2:3"},
		{"loops", `map(values, #)`, "not available"},
		{"loops by all", `all(values, {# == "x"})`, "not available"},
		{"ranges", `1..1000000`, "1:2: ranges are not available"},
		{"variables", `let a = value; a + a`, "variables and sequences are not available"},
		{"built-in functions of the host language", `repeat("x", 10)`, "unknown name repeat"},
		{"the environment as a whole", `$env`, "$env is not available"},
		{"patterns that come from data", `"a" matches value`, "the pattern after matches must be a text in quotes"},
		{"a pattern that cannot be read", `value matches "("`, "missing closing )"},
		{"a path that comes from data", `Attribute(value)`, "the path of Attribute must be a text in quotes"},
		{"a path that cannot be read", `Attribute("a b")`, "is not a SCIM attribute path"},
		{"calls of data", `user.title()`, "only the functions of the language can be called"},
		{"too long a text", strings.Repeat(" ", 4000) + "value", "at most 4000 characters"},
		{"too many parts", strings.Repeat("value+", 400) + "value", "exceeds maximum allowed nodes"},
		{"bytes that are no text", "\"\xff\"", "not valid UTF-8"},
		{"operators on the wrong types", `value - 1`, "1:7: invalid operation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := CompileExpression(tt.source)
			if model.KindOf(err) != model.Invalid || !strings.Contains(err.Error(), tt.detail) {
				t.Errorf("error %v lacks %q", err, tt.detail)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
		})
	}
}

func TestExpressionFailsWithinBounds(t *testing.T) {
	for _, tt := range []struct{ name, source, detail string }{
		{"a text that grows by appending", strings.Repeat("Append(value,", 40) + "value" + strings.Repeat(")", 40), "too long"},
		{"a text that grows by replacement", `Replace(Replace(Replace(value, "a", value), "a", value), "a", value)`, "too long"},
		{"a list joined over and over", `Join(value, Split(Replace(value, "a", "b,"), ","))`, "too long"},
		{"a long result", `value + value + value + value + value + value + value + value + value + value + value + value + value + value + value + value + value`, "too long"},
		{"no number where one is needed", `Left(value, "x")`, `"x" is not a number`},
		{"half a position", `Left(value, 1.5)`, "a whole number is needed"},
		{"a key without a value", `Switch(value, "", "a")`, "the function Switch needs a value for every key"},
		{"a date that cannot be read", `FormatDateTime(value, "yyyy", "MM")`, "the date cannot be read"},
		{"a format that cannot be read", `FormatDateTime("2026-11-21", "", "QQQ")`, "the date format QQQ cannot be read"},
		{"a day out of range", `DateFromNum(99999999999)`, "out of range"},
		{"a member of nothing", `user.nowhere.deep`, "cannot fetch deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := CompileExpression(tt.source)
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Run(Input{Value: strings.Repeat("a", 1000)})
			if model.KindOf(err) != model.Invalid || !strings.Contains(err.Error(), tt.detail) {
				t.Errorf("error %v, want %q", err, tt.detail)
			}
		})
	}
}

func TestExpressionIsConcurrent(t *testing.T) {
	e, err := CompileExpression(`ToUpper(value) + [department] + user.title`)
	if err != nil {
		t.Fatal(err)
	}
	attrs := document(t, richUser)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got, err := e.Run(Input{Value: "a", User: attrs}); err != nil || got != "ASalesAnalyst" {
					t.Errorf("%q %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		`Switch([department], "", "Sales", "Vente")`, `Join("-", values, user.title)`, `Mid(value, 2, 3)`, `FormatDateTime(value, "yyyy", "MM")`,
		`user?.name?.givenName ?? "x"`, `value matches "a+"`, `IIF(IsNullOrEmpty(value), 1, [mail])`, `map(values, #)`, `let a = 1; a`, `{"a": 1}.a`,
		`Attribute("emails[type eq \"work\"].value")`, `values[0][1:2]`, `not (value in values)`, `-1 ** 2`, `Replace(value, "a", "b") | ToUpper()`,
	} {
		f.Add(seed, "Ada")
	}
	attrs := document(f, richUser)
	f.Fuzz(func(t *testing.T, source, value string) {
		e, err := CompileExpression(source)
		if err != nil {
			if model.KindOf(err) != model.Invalid {
				t.Fatalf("%v", err)
			}
			return
		}
		text, err := e.Run(Input{Value: value, Values: []string{value, "b"}, User: attrs})
		if err != nil && model.KindOf(err) != model.Invalid || len(text) > maxExpressionText {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
	})
}
