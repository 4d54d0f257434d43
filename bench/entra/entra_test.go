package entra

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestPatches(t *testing.T) {
	flagged, legacy := Dialect{}, Dialect{Legacy: true}
	for _, test := range []struct {
		name string
		body []byte
		want string // the operations
	}{
		{
			"attributes in one operation", flagged.Attributes("Ada", "Engineer", "Sales"),
			`[{"op":"replace","value":{"displayName":"Ada","title":"Engineer","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Sales"}}]`,
		},
		{
			"attributes one by one", legacy.Attributes("Ada", "Engineer", "Sales"),
			`[{"op":"Replace","path":"displayName","value":"Ada"},{"op":"Replace","path":"title","value":"Engineer"},` +
				`{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"}]`,
		},
		{"disable with a boolean", flagged.Active(false), `[{"op":"replace","path":"active","value":false}]`},
		{"disable with text", legacy.Active(false), `[{"op":"Replace","path":"active","value":"False"}]`},
		{"restore with text", legacy.Active(true), `[{"op":"Replace","path":"active","value":"True"}]`},
		{"add", flagged.Add("a", "b"), `[{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"}]}]`},
		{"add with a null reference", legacy.Add("a"), `[{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"}]}]`},
		{
			"remove each by a filter", flagged.Remove("a", "b"),
			`[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"remove","path":"members[value eq \"b\"]"}]`,
		},
		{
			"remove by a list", legacy.Remove("a", "b"),
			`[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"a"},{"$ref":null,"value":"b"}]}]`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got, want any
			if err := json.Unmarshal(test.body, &got); err != nil {
				t.Fatal(err)
			}
			message := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":` + test.want + `}`
			if err := json.Unmarshal([]byte(message), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %s\nwant %s", test.body, message)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, test := range []struct {
		address, path, filter string
		query                 map[string]string
	}{
		{ByUserName("ada@contoso.example"), "/Users", `userName eq "ada@contoso.example"`, nil},
		{ByUserNameInCapitals("ada@contoso.example"), "/Users", `userName eq "ADA@CONTOSO.EXAMPLE"`, nil},
		{ByExternalID("e1"), "/Users", `externalId eq "e1"`, nil},
		{ByWorkMail("ada@contoso.example"), "/Users", `emails[type eq "work"].value eq "ada@contoso.example"`, nil},
		{
			Engineers("Sales"), "/Users",
			EnterpriseSchema + `:department eq "Sales" and (title co "Engineer" or name.familyName eq "Hopper") and active eq true`,
			map[string]string{"count": "50"},
		},
		{Page(51, 100), "/Users", "", map[string]string{"startIndex": "51", "count": "100"}},
		{ByDisplayName("Group A"), "/Groups", `displayName eq "Group A"`, map[string]string{"excludedAttributes": "members"}},
		{Membership("g", "u"), "/Groups", `id eq "g" and members eq "u"`, map[string]string{"excludedAttributes": "members"}},
		{GroupAlone("g"), "/Groups/g", "", map[string]string{"excludedAttributes": "members"}},
	} {
		parsed, err := url.Parse(test.address)
		if err != nil {
			t.Fatalf("%s: %v", test.address, err)
		}
		if parsed.Path != test.path || parsed.Query().Get("filter") != test.filter {
			t.Errorf("%s: path %s, filter %s; want %s, %s", test.address, parsed.Path, parsed.Query().Get("filter"), test.path, test.filter)
		}
		for name, want := range test.query {
			if got := parsed.Query().Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", test.address, name, got, want)
			}
		}
	}
}

func TestUserIsWhatTheDefaultMappingProvisions(t *testing.T) {
	tenant := Tenant{Tag: "t"}
	body := tenant.User(42)
	if len(body) < 900 || len(body) > 1500 {
		t.Errorf("the body has %d bytes, want those of a usual user", len(body))
	}
	var user struct {
		Schemas                           []string
		UserName, ExternalID, DisplayName string
		Active                            bool
		Name                              struct{ GivenName, FamilyName string }
		Emails                            []struct{ Type, Value string }
		Addresses, PhoneNumbers           []any
		Enterprise                        struct{ Department string } `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	}
	if err := json.Unmarshal(body, &user); err != nil {
		t.Fatal(err)
	}
	person := tenant.Person(42)
	if user.UserName != person.UserName || user.ExternalID != person.ExternalID || user.DisplayName != person.DisplayName ||
		user.Enterprise.Department != person.Department || !user.Active || user.Emails[0].Value != person.UserName {
		t.Errorf("the body does not say what the person is: %s", body)
	}
	if len(user.Schemas) != 2 || len(user.Addresses) != 1 || len(user.PhoneNumbers) != 2 {
		t.Errorf("the body lacks attributes: %s", body)
	}
}

func TestPeopleRepeatAndDiffer(t *testing.T) {
	first, other := Tenant{Tag: "a"}, Tenant{Tag: "b"}
	if !bytes.Equal(first.User(7), first.User(7)) {
		t.Error("the same person differs")
	}
	names, objects := map[string]bool{}, map[string]bool{}
	for _, tenant := range []Tenant{first, other} {
		for number := range 500 {
			person := tenant.Person(number)
			names[strings.ToLower(person.UserName)], objects[person.ExternalID] = true, true
		}
		objects[tenant.GroupExternalID("1")] = true
	}
	if len(names) != 1000 || len(objects) != 1002 {
		t.Errorf("%d names and %d object ids, want 1000 and 1002", len(names), len(objects))
	}
}

func TestEveryDepartmentHasEngineers(t *testing.T) {
	with := map[string]bool{}
	for number := range 7 * departments {
		if Title(number) == "Engineer" {
			with[Department(number)] = true
		}
	}
	if len(with) != departments {
		t.Errorf("%d of %d departments have engineers", len(with), departments)
	}
}
