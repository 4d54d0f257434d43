package filter_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/schemas"
)

func compare(p model.AttributePath, op model.CompareOp, v any) model.Filter {
	return model.Compare{Path: p, Op: op, Value: v}
}

func number(p *model.AttributePath) { p.Type = model.TypeDecimal }

// holds and fails are conditions that no resource has a say in.
func holds() model.Filter { return compare(path("id", exact), model.OpPresent, nil) }
func fails() model.Filter { return model.Not{Inner: holds()} }

// TestOperators shows every operator on every type of attribute: what it becomes, or that it is refused.
func TestOperators(t *testing.T) {
	t.Parallel()
	hired := path("employeeHireDate", urn(schemas.UsherURN), typed(model.TypeDateTime))
	certificate := path("x509Certificates", sub("value"), multi, exact)
	level := path("level", urn("urn:contoso:2.0:User"))
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	all := "eq ne co sw ew gt ge lt le"
	for _, tt := range []struct {
		attribute, literal string
		path               model.AttributePath
		value              any
		possible           string
	}{
		{"title", `"x"`, path("title"), "x", all},
		{"externalId", `"X"`, path("externalId", exact), "X", all},
		{"id", `"x"`, path("id", exact), "x", all},
		{"active", "true", path("active", typed(model.TypeBoolean)), true, "eq ne"},
		{"x509Certificates.value", `"MIIB"`, certificate, "MIIB", "eq ne co sw ew"},
		{"profileUrl", `"https://x"`, path("profileUrl", exact), "https://x", all},
		{"employeeHireDate", `"2026-01-02T12:00:00Z"`, hired, noon, "eq ne gt ge lt le"},
		{"emails", `"x"`, path("emails", sub("value"), multi), "x", all},
		{"emails.primary", "false", path("emails", sub("primary"), multi, typed(model.TypeBoolean)), false, "eq ne"},
		{"manager", `"x"`, path("manager", urn(schemas.EnterpriseURN), sub("value")), "x", all},
		{"groups", `"x"`, path("groups", multi, exact), "x", all},
		{"urn:contoso:2.0:User:level", `"x"`, level, "x", all},
		{"urn:contoso:2.0:User:level", "true", level, "true", "eq ne"},
	} {
		for op := range strings.FieldsSeq(all) {
			want := compare(tt.path, model.CompareOp(op), tt.value)
			if tt.attribute == "groups" && op == "ne" {
				want = model.Not{Inner: compare(tt.path, model.OpEqual, tt.value)}
			}
			text := tt.attribute + " " + strings.ToUpper(op) + " " + tt.literal
			got, err := resolve(text, schemas.New().User)
			if strings.Contains(tt.possible, op) {
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: got %+v, %v\nwant %+v", text, got, err, want)
				}
			} else if f, ok := errors.AsType[*fault.Error](err); !ok || f.Type != "invalidFilter" {
				t.Errorf("%s: got %+v, %v; want invalidFilter", text, got, err)
			}
		}
		if got, err := resolve(tt.attribute+" pr", schemas.New().User); err != nil || !reflect.DeepEqual(got, compare(tt.path, model.OpPresent, nil)) {
			t.Errorf("%s pr: got %+v, %v", tt.attribute, got, err)
		}
	}
}

// TestIdentifies tells the lookups of provisioning services from conditions that may hold for many.
func TestIdentifies(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`userName eq "a"`: true, `externalId eq "a"`: true, `id eq "a"`: true, `displayName eq "a"`: true,
		`emails[type eq "work"].value eq "a"`: true, `emails eq "a"`: true, `emails.value eq "a"`: true,
		`emails[type eq "work" and value eq "a"]`: true, `userName eq "a" and title pr`: true, `active eq true and id eq "a"`: true,
		`userName eq "a" or externalId eq "b"`: true,
		`userName eq "a" or title pr`:          false, `userName sw "a"`: false, `userName ne "a"`: false, `not (userName eq "a")`: false,
		`userName pr`: false, `externalId eq null`: false, `emails[type eq "work"]`: false, `emails.type eq "work"`: false,
		`emails[type eq "work" and value ew "a"]`: false, `title eq "a"`: false, `active eq true`: false, `groups eq "a"`: false,
		`urn:contoso:2.0:User:userName eq "a"`: false, `emails[value eq null]`: false, `addresses[type eq "work"].locality eq "a"`: false,
	} {
		f, err := resolve(text, schemas.New().User)
		if err != nil || filter.Identifies(f) != want {
			t.Errorf("%s: %t (%v), want %t", text, !want, err, want)
		}
	}
	if filter.Identifies(nil) {
		t.Error("no filter identifies somebody")
	}
}

// TestLiterals shows what the forms of a value become.
func TestLiterals(t *testing.T) {
	t.Parallel()
	created := path("meta.created", typed(model.TypeDateTime))
	level := path("level", urn("urn:contoso:2.0:User"), number)
	at := func(nanoseconds int) time.Time { return time.Date(2026, 1, 2, 3, 4, 5, nanoseconds, time.UTC) }
	for text, want := range map[string]model.Filter{
		`meta.created eq "2026-01-02T03:04:05Z"`:                  eq(created, at(0)),
		`meta.created eq "2026-01-02T03:04:05"`:                   eq(created, at(0)),
		`META.Created eq 2026-01-02T03:04:05Z`:                    eq(created, at(0)),
		`meta.created eq "2026-01-02T05:34:05.123456+02:30"`:      eq(created, at(123456000)),
		`meta.created eq "2026-01-02T05:04:05.5 02:00"`:           eq(created, at(500000000)),
		`meta.created eq "2026-01-01T22:04:05-05:00"`:             eq(created, at(0)),
		`meta.created ge "2026-01-02"`:                            compare(created, model.OpGreaterOrEqual, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)),
		`meta.created ne null`:                                    compare(created, model.OpNotEqual, nil),
		`urn:contoso:2.0:User:level gt -1.5e3`:                    compare(level, model.OpGreater, json.Number("-1.5e3")),
		`urn:contoso:2.0:User:level eq 10`:                        eq(level, json.Number("10")),
		`urn:contoso:2.0:User:level sw 10`:                        compare(path("level", urn("urn:contoso:2.0:User")), model.OpStartsWith, "10"),
		`urn:contoso:2.0:User:level eq "10"`:                      eq(path("level", urn("urn:contoso:2.0:User")), "10"),
		`employeeNumber eq 007`:                                   eq(path("employeeNumber", urn(schemas.EnterpriseURN)), "007"),
		`title eq NULL`:                                           eq(path("title"), nil),
		`active eq TRUE`:                                          eq(path("active", typed(model.TypeBoolean)), true),
		`title eq tRuE`:                                           eq(path("title"), "true"),
		`title eq "null"`:                                         eq(path("title"), "null"),
		`userName eq ada+it@contoso.com`:                          eq(path("userName"), "ada+it@contoso.com"),
		`userName eq "a_b@contoso.com#EXT#@x"`:                    eq(path("userName"), "a_b@contoso.com#EXT#@x"),
		`members eq null`:                                         nil,
		`groups eq null`:                                          eq(path("groups", multi, exact), nil),
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`: eq(path("schemas", multi), schemas.UserURN),
	} {
		got, err := resolve(text, schemas.New().User)
		if want == nil {
			if err == nil {
				t.Errorf("%s: got %+v, want an error", text, got)
			}
		} else if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

// TestPrecedence shows how conditions bind, with not and with brackets, as Microsoft's collection of requests has them.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	a, b, c := eq(path("title"), "a"), eq(path("title"), "b"), eq(path("title"), "c")
	email := func(v string) model.Filter { return compare(path("emails", sub("value"), multi), model.OpContains, v) }
	work := eq(path("type"), "work")
	for text, want := range map[string]model.Filter{
		`title eq a or title eq b and title eq c`:                  model.Or{Left: a, Right: model.And{Left: b, Right: c}},
		`title eq a and title eq b or title eq c`:                  model.Or{Left: model.And{Left: a, Right: b}, Right: c},
		`(title eq a or title eq b) and title eq c`:                model.And{Left: model.Or{Left: a, Right: b}, Right: c},
		`NOT (title eq a) AND ((title eq b) OR not(title eq "c"))`: model.And{Left: model.Not{Inner: a}, Right: model.Or{Left: b, Right: model.Not{Inner: c}}},
		`not (title eq a and title eq b)`:                          model.Not{Inner: model.And{Left: a, Right: b}},
		`name.FamilyName eq Employee and (emails.Value co example.com or emails.Value co example.org)`: model.And{
			Left: eq(path("name", sub("familyName")), "Employee"), Right: model.Or{Left: email("example.com"), Right: email("example.org")},
		},
		`emails[type eq "work" and not (value co "x" or primary eq true)]`: model.ValuePath{
			Path: model.AttributePath{Name: "emails", MultiValued: true},
			Inner: model.And{Left: work, Right: model.Not{Inner: model.Or{
				Left: compare(path("value"), model.OpContains, "x"), Right: eq(path("primary", typed(model.TypeBoolean)), true),
			}}},
		},
		`emails[type eq "work" or type eq "home"].value ew "x"`: model.ValuePath{
			Path:  model.AttributePath{Name: "emails", MultiValued: true},
			Inner: model.And{Left: model.Or{Left: work, Right: eq(path("type"), "home")}, Right: compare(path("value"), model.OpEndsWith, "x")},
		},
		`name[familyName eq "x"]`: eq(path("name", sub("familyName")), "x"),
		`name ne null`:            mustResolve(t, "name pr"),
		`name eq null`:            model.Not{Inner: mustResolve(t, "name pr")},
	} {
		if got, err := resolve(text, schemas.New().User); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

func mustResolve(t *testing.T, text string) model.Filter {
	t.Helper()
	f, err := resolve(text, schemas.New().User)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestComputed shows filters on what does not stand in the document.
func TestComputed(t *testing.T) {
	t.Parallel()
	member, group := path("members", multi, exact), path("groups", multi, exact)
	inner := model.ValuePath{Path: member, Inner: model.And{Left: eq(path("value", exact), "u"), Right: eq(path("type"), "User")}}
	for _, tt := range []struct {
		on, filter string
		want       model.Filter
	}{
		{"User", `meta.resourceType eq "User"`, holds()},
		{"User", `meta.resourceType ne User`, fails()},
		{"User", `meta.resourceType eq "user"`, fails()},
		{"Group", `meta.resourceType sw "Gr" and meta.resourceType co "ou" and meta.resourceType ew "p"`, holds()},
		{"User", `meta.resourceType gt "Group"`, holds()},
		{"User", `meta.resourceType le "Group"`, fails()},
		{"User", `meta.location eq "` + location + `7"`, eq(path("id", exact), "7")},
		{"User", `meta.location ne "` + location + `7"`, compare(path("id", exact), model.OpNotEqual, "7")},
		{"User", `meta.location eq "https://elsewhere/Users/7"`, fails()},
		{"User", `meta.location pr`, holds()},
		{"User", `meta.version pr and meta pr`, holds()},
		{"User", `meta.version eq null`, fails()},
		{"User", `meta[lastModified gt "2026-01-01" and resourceType eq "User"]`, compare(path("meta.lastModified", typed(model.TypeDateTime)), model.OpGreater, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))},
		{"Group", `members[value eq "u" and type eq "User"]`, inner},
		{"Group", `members.type eq "Group"`, eq(path("members", multi, sub("type")), "Group")},
		{"Group", `members sw "u"`, compare(member, model.OpStartsWith, "u")},
		{"Group", `members ne null`, compare(member, model.OpNotEqual, nil)},
		{"User", `groups eq "g"`, eq(group, "g")},
		{"User", `groups.value eq "g"`, eq(group, "g")},
		{"User", `groups[value eq "g"]`, eq(group, "g")},
		{"User", `GROUPS[Value eq g or value eq h]`, model.Or{Left: eq(group, "g"), Right: eq(group, "h")}},
		{"User", `groups[value eq "g" and type eq "Direct"]`, model.ValuePath{Path: group, Inner: model.And{Left: eq(path("value", exact), "g"), Right: eq(path("type"), "Direct")}}},
		{"User", `groups.type eq "direct"`, eq(path("groups", multi, sub("type")), "direct")},
		{"User", `groups.display ne "Engines"`, model.Not{Inner: eq(path("groups", multi, sub("display")), "Engines")}},
		{"User", `groups[display sw "E"]`, model.ValuePath{Path: group, Inner: compare(path("display"), model.OpStartsWith, "E")}},
		{"Group", `members.display co "Ada"`, compare(path("members", multi, sub("display")), model.OpContains, "Ada")},
	} {
		if got, err := resolve(tt.filter, resource(tt.on)); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %s: got %+v, %v\nwant %+v", tt.on, tt.filter, got, err, tt.want)
		}
	}
	expr, err := filter.Parse(`meta.location eq "7"`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := (filter.Scope{Resource: resource("User")}).Filter(expr); err != nil || !reflect.DeepEqual(got, fails()) {
		t.Errorf("without a location: got %+v, %v", got, err)
	}
	for text, names := range map[string]string{
		`meta.version eq "W/\"1\""`:         "meta.version",
		`meta.location co "x"`:              "meta.location",
		`meta eq "x"`:                       "meta",
		`meta.colour eq "x"`:                "meta.colour",
		`meta[version eq "x"]`:              "version",
		`meta.resourceType gt null`:         "null",
		`urn:contoso:2.0:User:flag gt true`: "boolean",
	} {
		_, err := resolve(text, resource("User"))
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Type != "invalidFilter" || !strings.Contains(f.Detail, names) {
			t.Errorf("%s: %v; want invalidFilter that names %s", text, err, names)
		}
	}
}

func resource(name string) *schemas.Resource {
	if name == "Group" {
		return schemas.New().Group
	}
	return schemas.New().User
}

// TestBothTypes shows a filter of a query that asks for users and groups: what another type alone has, has no value here.
func TestBothTypes(t *testing.T) {
	t.Parallel()
	tables := schemas.New()
	name := eq(path("displayName"), "x")
	for text, want := range map[string][2]model.Filter{ // of users, of groups
		`displayName eq "x"`:                                  {name, name},
		`title ne null`:                                       {compare(path("title"), model.OpNotEqual, nil), fails()},
		`userName eq "x"`:                                     {eq(path("userName"), "x"), fails()},
		`userName ne "x" and displayName eq "x"`:              {model.And{Left: compare(path("userName"), model.OpNotEqual, "x"), Right: name}, name},
		`userName pr or displayName eq "x"`:                   {model.Or{Left: compare(path("userName"), model.OpPresent, nil), Right: name}, name},
		`not (members pr)`:                                    {holds(), model.Not{Inner: compare(path("members", multi, exact), model.OpPresent, nil)}},
		`title eq null and members[value eq "u"]`:             {fails(), eq(path("members", multi, exact), "u")},
		`emails[type eq "work"].value eq "x"`:                 {mustResolve(t, `emails[type eq "work"].value eq "x"`), fails()},
		`urn:ietf:params:scim:schemas:core:2.0:User:title pr`: {compare(path("title"), model.OpPresent, nil), fails()},
		`meta.resourceType eq "Group"`:                        {fails(), holds()},
		`department eq "x"`:                                   {eq(path("department", urn(schemas.EnterpriseURN)), "x"), fails()},
	} {
		for i, pair := range [][2]*schemas.Resource{{tables.User, tables.Group}, {tables.Group, tables.User}} {
			if got, err := resolve(text, pair[0], pair[1]); err != nil || !reflect.DeepEqual(got, want[i]) {
				t.Errorf("%s on %s: got %+v, %v\nwant %+v", text, pair[0].Name, got, err, want[i])
			}
		}
	}
	for _, text := range []string{`colour eq "red"`, `name.colour eq "red"`, `members.colour eq "red"`, `title[value eq "x"]`} {
		_, errUser := resolve(text, tables.User, tables.Group)
		_, errGroup := resolve(text, tables.Group, tables.User)
		if errUser == nil && errGroup == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// TestSort shows what sortBy names.
func TestSort(t *testing.T) {
	t.Parallel()
	scope := filter.Scope{Resource: schemas.New().User, Others: []*schemas.Resource{schemas.New().Group}, Location: location}
	for text, want := range map[string]*model.Sort{
		"userName":                            {Path: path("userName")},
		"NAME.familyname":                     {Path: path("name", sub("familyName"))},
		"emails":                              {Path: path("emails", sub("value"), multi)},
		"emails.type":                         {Path: path("emails", sub("type"), multi)},
		"manager":                             {Path: path("manager", urn(schemas.EnterpriseURN), sub("value"))},
		schemas.EnterpriseURN + ":Department": {Path: path("department", urn(schemas.EnterpriseURN))},
		"urn:ietf:params:scim:schemas:core:2.0:user:TITLE": {Path: path("title")},
		"urn:contoso:2.0:User:badge":                       {Path: path("badge", urn("urn:contoso:2.0:User"))},
		"active":                                           {Path: path("active", typed(model.TypeBoolean))},
		"externalId":                                       {Path: path("externalId", exact)},
		"id":                                               {Path: path("id", exact)},
		"meta.lastModified":                                {Path: path("meta.lastModified", typed(model.TypeDateTime))},
		"meta.location":                                    {Path: path("id", exact)},
		"meta.resourceType":                                nil,
		"schemas":                                          {Path: path("schemas", multi)},
		"members":                                          nil, // groups alone have them
	} {
		for _, descending := range []bool{false, true} {
			if want != nil {
				want.Descending = descending
			}
			if got, err := scope.Sort(text, descending); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, %v\nwant %+v", text, got, err, want)
			}
		}
	}
	for text, names := range map[string]string{
		"colour": "colour", "name": "name", "name.colour": "name.colour", "groups": "groups", "x509Certificates": "binary",
		"meta": "meta", "meta.version": "meta.version", `emails[type eq "work"].value`: "the end", "a b": "the end", "": "attribute", `"x"`: "attribute",
		schemas.UserURN: "schema", strings.Repeat("x", filter.MaxBytes+1): "longer", "a\x00": "U+0000",
	} {
		_, err := scope.Sort(text, false)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Status != 400 || f.Type != "invalidValue" || !strings.HasPrefix(f.Detail, "sortBy: ") || !strings.Contains(f.Detail, names) {
			t.Errorf("%.40q: %v; want invalidValue that names sortBy and %s", text, err, names)
		}
	}
}

// TestNoted shows which deviations of filters are told.
func TestNoted(t *testing.T) {
	t.Parallel()
	var told []string
	scope := filter.Scope{Resource: schemas.New().User, Note: func(d string) { told = append(told, d) }}
	expr, err := filter.Parse(`meta.created gt "2026-01-02T03:04:05 01:00" and active eq "True" and title eq x`, scope.Note)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scope.Filter(expr); err != nil {
		t.Fatal(err)
	}
	want := []string{"unquoted value in a filter", "blank for the plus sign of a time zone", "string boolean in a filter"}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func BenchmarkFilter(b *testing.B) {
	user := schemas.New().User
	for name, text := range map[string]string{
		"userName":  `userName eq "ada@contoso.com"`,
		"workEmail": `emails[type eq "work"].value eq "ada@contoso.com"`,
		"long":      `name.familyName eq "Lovelace" and (emails.value co "example.com" or emails.value co "example.org") and not (meta.created lt "2026-01-02T03:04:05Z")`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := resolve(text, user); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
