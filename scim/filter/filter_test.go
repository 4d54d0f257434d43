package filter_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/schemas"
)

// location is where the resources of the tests are.
const location = "https://usher.contoso.com/scim/v2/i/Users/"

func path(name string, change ...func(*model.AttributePath)) model.AttributePath {
	p := model.AttributePath{Name: name, Type: model.TypeString}
	for _, f := range change {
		f(&p)
	}
	return p
}

func exact(p *model.AttributePath) { p.CaseExact = true }
func multi(p *model.AttributePath) { p.MultiValued = true }

func sub(name string) func(*model.AttributePath) {
	return func(p *model.AttributePath) { p.Sub = name }
}

func urn(u string) func(*model.AttributePath) { return func(p *model.AttributePath) { p.Schema = u } }

func typed(t model.AttributeType) func(*model.AttributePath) {
	return func(p *model.AttributePath) { p.Type = t }
}

func eq(p model.AttributePath, v any) model.Filter {
	return model.Compare{Path: p, Op: model.OpEqual, Value: v}
}

// TestResolve shows what a filter of users becomes.
func TestResolve(t *testing.T) {
	t.Parallel()
	work := model.ValuePath{Path: model.AttributePath{Name: "emails", MultiValued: true}, Inner: model.And{
		Left: eq(path("type"), "work"), Right: eq(path("value"), "x"),
	}}
	id := path("id", exact)
	for _, tt := range []struct {
		filter string
		want   model.Filter
	}{
		{`userName eq "x"`, eq(path("userName"), "x")},
		{`USERNAME Eq "x"`, eq(path("userName"), "x")},
		{`urn:ietf:params:scim:schemas:core:2.0:user:username eq "x"`, eq(path("userName"), "x")},
		{`externalId eq jyoung`, eq(path("externalId", exact), "jyoung")},
		{`userName eq 12345`, eq(path("userName"), "12345")},
		{`userName eq "a \"b\" \u00e9"`, eq(path("userName"), `a "b" é`)},
		{`emails[type eq "work"].value eq "x"`, work},
		{`emails[type eq "work" and value eq "x"]`, work},
		{`emails eq "x"`, eq(path("emails", sub("value"), multi), "x")},
		{`emails.type eq "x"`, eq(path("emails", sub("type"), multi), "x")},
		{`name.FAMILYNAME eq "x"`, eq(path("name", sub("familyName")), "x")},
		{`active eq "True"`, eq(path("active", typed(model.TypeBoolean)), true)},
		{`active eq false`, eq(path("active", typed(model.TypeBoolean)), false)},
		{`title eq null`, eq(path("title"), nil)},
		{`title pr`, model.Compare{Path: path("title"), Op: model.OpPresent}},
		{`not (title pr)`, model.Not{Inner: model.Compare{Path: path("title"), Op: model.OpPresent}}},
		{`department eq "x"`, eq(path("department", urn(schemas.EnterpriseURN)), "x")},
		{
			`id eq "u" and manager eq "m"`,
			model.And{Left: eq(id, "u"), Right: eq(path("manager", urn(schemas.EnterpriseURN), sub("value")), "m")},
		},
		{`manager[value eq "m"]`, eq(path("manager", urn(schemas.EnterpriseURN), sub("value")), "m")},
		{`urn:contoso:2.0:User:Colour eq "x"`, eq(path("Colour", urn("urn:contoso:2.0:User")), "x")},
		{
			`meta.created gt "2026-01-02T03:04:05+01:00"`,
			model.Compare{
				Path: path("meta.created", typed(model.TypeDateTime)), Op: model.OpGreater,
				Value: time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC),
			},
		},
		{`meta.resourceType eq "User"`, model.Compare{Path: id, Op: model.OpPresent}},
		{`schemas eq "urn:x"`, eq(path("schemas", multi), "urn:x")},
		{
			`userName eq "a" or userName eq "b" and userName eq "c"`,
			model.Or{
				Left:  eq(path("userName"), "a"),
				Right: model.And{Left: eq(path("userName"), "b"), Right: eq(path("userName"), "c")},
			},
		},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			t.Parallel()
			got, err := resolve(tt.filter, schemas.New().User)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestResolveGroups(t *testing.T) {
	t.Parallel()
	member := path("members", multi, exact)
	for text, want := range map[string]model.Filter{
		`members eq "u"`:                                                 eq(member, "u"),
		`members.value eq "u"`:                                           eq(member, "u"),
		`members[value eq "u"]`:                                          eq(member, "u"),
		`members[value eq "u" or value eq "v"]`:                          model.Or{Left: eq(member, "u"), Right: eq(member, "v")},
		`members ne "u"`:                                                 model.Not{Inner: eq(member, "u")},
		`id eq "g" and members eq "u"`:                                   model.And{Left: eq(path("id", exact), "g"), Right: eq(member, "u")},
		`displayName eq "Engineering"`:                                   eq(path("displayName"), "Engineering"),
		`meta.resourceType eq "User"`:                                    model.Not{Inner: model.Compare{Path: path("id", exact), Op: model.OpPresent}},
		`urn:contoso:2.0:Group:owner.value eq "ada"`:                     eq(path("owner", urn("urn:contoso:2.0:Group"), sub("value")), "ada"),
		`externalId eq "8aa1" or (members pr)`:                           model.Or{Left: eq(path("externalId", exact), "8aa1"), Right: model.Compare{Path: member, Op: model.OpPresent}},
		`urn:ietf:params:scim:schemas:core:2.0:Group:displayName sw "E"`: model.Compare{Path: path("displayName"), Op: model.OpStartsWith, Value: "E"},
	} {
		if got, err := resolve(text, schemas.New().Group); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

// TestRefused shows that what cannot be understood is refused, and that the sentence names the culprit.
func TestRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("(", 40) + "title pr" + strings.Repeat(")", 40)
	for text, names := range map[string]string{
		"":                         "the end",
		"userName":                 "the end",
		`userName eq`:              "the end",
		`userName eq "x" userName`: `"userName"`,
		`userName xx "x"`:          `"xx"`,
		`title[value eq "x"]`:      "title",
		`emails[type[x eq "y"]]`:   "emails",
		`emails[display.x eq "y"]`: "display.x",
		`colour eq "red"`:          "colour",
		`name.colour eq "red"`:     "name.colour",
		`userName eq "\q"`:         "escape",
		`userName eq "\u0000"`:     "U+0000",
		"userName eq \"\xff\"":     "UTF-8",
		`active co "t"`:            "active",
		`title gt null`:            "null",
		`urn:ietf:params:scim:schemas:core:2.0:User eq "x"`: "schema",
		deep:                                   "nested",
		strings.Repeat("x", filter.MaxBytes+1): "longer",
		strings.Repeat("title pr or ", filter.MaxClauses) + "title pr": "comparisons",
	} {
		_, err := resolve(text, schemas.New().User)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Status != 400 || f.Type != "invalidFilter" || !strings.Contains(f.Detail, names) {
			t.Errorf("%.60q: %v; want invalidFilter that names %s", text, err, names)
		}
	}
}

func resolve(text string, res *schemas.Resource, others ...*schemas.Resource) (model.Filter, error) {
	expr, err := filter.Parse(text, nil)
	if err != nil {
		return nil, err
	}
	return filter.Scope{Resource: res, Others: others, Location: location}.Filter(expr)
}

// FuzzFilter: nothing panics, every error is the client's, and what the standard's own grammar accepts means the same.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "bjensen"`, `emails[type eq "work"].value eq "x@y"`, `externalId eq jyoung`, `not (a pr)`,
		`id eq "g" and members eq "u"`, `(title pr or x.y co "z") and meta.created gt "2026-01-01T00:00:00Z"`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "1"`, `active eq "True"`, `a eq -1.5e3`, `a eq 0E0`,
		`members[value eq "a" or value eq "b"]`, `userName eq "\ud800"`, `((((`, `a eq "`, "\x00", `name pr`, `meta.resourceType ne "x"`,
	} {
		f.Add(seed)
	}
	tables := schemas.New()
	f.Fuzz(func(t *testing.T, text string) {
		expr, err := filter.Parse(text, nil)
		if err != nil {
			mustBeFault(t, err)
			return
		}
		for _, res := range tables.Resources() {
			for _, others := range [][]*schemas.Resource{nil, tables.Resources()} {
				if _, err := (filter.Scope{Resource: res, Others: others, Location: location}).Filter(expr); err != nil {
					mustBeFault(t, err)
				}
			}
		}
		if strings.ContainsAny(text, `\[`) {
			return // the library leaves escapes as they are and reads less in brackets
		}
		if standard, err := ast.ParseFilterNumber([]byte(text)); err == nil {
			if got, want := spell(expr), spell(standard); got != want {
				t.Errorf("%q means %s here and %s by the standard's grammar", text, got, want)
			}
		}
	})
}

// FuzzPatchPath: nothing panics, every error is the client's, and a path reads the same when it is written again.
func FuzzPatchPath(f *testing.F) {
	for _, seed := range []string{
		`emails[type eq "work"].value`, `name.givenName`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager`,
		`roles[primary eq "True"].display`, `addresses[type eq "work" and primary eq true].locality`, `members[value eq "x"]`,
		`a[`, `a]`, `.`, `a.b.c`, `urn:`, `$ref`, `emails[not (type eq "x")].value`, "emails[type eq \"w\"]\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := filter.ParsePath(text, nil)
		if err != nil {
			mustBeFault(t, err)
			return
		}
		if parsed.ValueExpression != nil {
			return // the syntax tree does not write values as JSON
		}
		again, err := filter.ParsePath(parsed.String(), nil)
		if err != nil || !reflect.DeepEqual(parsed, again) {
			t.Errorf("%q reads as %v, and that as %v (%v)", text, parsed, again, err)
		}
	})
}

func mustBeFault(t *testing.T, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Status < 400 || f.Status > 499 || f.Detail == "" {
		t.Fatalf("not an error of the client: %v", err)
	}
}

// spell writes a syntax tree with all its brackets.
func spell(e ast.Expression) string {
	switch e := e.(type) {
	case *ast.LogicalExpression:
		return "(" + spell(e.Left) + " " + string(e.Operator) + " " + spell(e.Right) + ")"
	case *ast.NotExpression:
		return "not(" + spell(e.Expression) + ")"
	case *ast.ValuePath:
		return e.AttributePath.String() + "[" + spell(e.ValueFilter) + "]"
	case *ast.AttributeExpression:
		value, err := json.Marshal(e.CompareValue)
		if n, ok := e.CompareValue.(json.Number); ok { // 1E3 and 1e3 are one number; the library writes the latter
			value = []byte(strings.ToLower(n.String()))
		}
		if err != nil {
			return err.Error()
		}
		return e.AttributePath.String() + " " + string(e.Operator) + " " + string(value)
	}
	return "?"
}
