package directory

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"usher/model"
)

func document(t testing.TB, text string) map[string]any {
	t.Helper()
	d, err := model.ParseDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Attributes()
}

const richUser = `{
  "userName": "ada@contoso.com", "title": "Analyst", "active": true, "nickName": "  ", "TimeZone": "Europe/London",
  "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada, Countess of Lovelace"},
  "emails": [{"type": "home", "value": "ada@home.example"}, {"type": "Work", "value": "ada@contoso.com", "primary": "True"}],
  "phoneNumbers": [{"type": "work", "value": "1"}, {"type": "mobile", "value": "2"}],
  "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
    "department": "Sales", "employeeNumber": 1815, "manager": {"value": "m1", "displayName": "Charles"}},
  "urn:ietf:params:scim:schemas:extension:usher:2.0:User": {"extensionAttribute3": "blue", "extension_0a1b_costCenter": "c9", "tags": ["x", "", "y"]},
  "urn:example:z": {"shoeSize": 38, "department": "never"}
}`

func TestPath(t *testing.T) {
	attrs := document(t, richUser)
	for _, tt := range []struct {
		path   string
		text   string
		values []string
	}{
		{"title", "Analyst", []string{"Analyst"}},
		{"TITLE", "Analyst", []string{"Analyst"}},
		{"timezone", "Europe/London", []string{"Europe/London"}},
		{"active", "true", []string{"true"}},
		{"nickName", "", nil},
		{"absent", "", nil},
		{"name.givenName", "Ada", []string{"Ada"}},
		{"name", "Ada", []string{"Ada", "Lovelace"}},
		{"emails", "ada@contoso.com", []string{"ada@home.example", "ada@contoso.com"}},
		{"emails.type", "Work", []string{"home", "Work"}},
		{`emails[type eq "work"].value`, "ada@contoso.com", []string{"ada@contoso.com"}},
		{`emails[type eq "work"]`, "ada@contoso.com", []string{"ada@contoso.com"}},
		{`emails[primary eq true].value`, "ada@contoso.com", []string{"ada@contoso.com"}},
		{`emails[not (type eq "work")].value`, "ada@home.example", []string{"ada@home.example"}},
		{`emails[type eq "other"].value`, "", nil},
		{`phoneNumbers[type eq "mobile" or type eq "fax"].value`, "2", []string{"2"}},
		{`phoneNumbers[type sw "w" and value pr].value`, "1", []string{"1"}},
		{`phoneNumbers[type co "obi"].value`, "2", []string{"2"}},
		{`phoneNumbers[type ew "le"].value`, "2", []string{"2"}},
		{`phoneNumbers[type ne "work"].value`, "2", []string{"2"}},
		{`phoneNumbers[value gt "1"].value`, "2", []string{"2"}},
		{`phoneNumbers[value le "1"].value`, "1", []string{"1"}},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "Sales", []string{"Sales"}},
		{"URN:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User:Department", "Sales", []string{"Sales"}},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName", "Charles", []string{"Charles"}},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "m1", []string{"m1"}},
		{"urn:ietf:params:scim:schemas:core:2.0:User:title", "Analyst", []string{"Analyst"}},
		{"urn:ietf:params:scim:schemas:extension:usher:2.0:User:extensionAttribute3", "blue", []string{"blue"}},
		{"extensionAttribute3", "blue", []string{"blue"}},
		{"extension_0a1b_costCenter", "c9", []string{"c9"}},
		{"tags", "x", []string{"x", "y"}},
		{"shoeSize", "38", []string{"38"}},
		{"department", "Sales", []string{"Sales"}},
		{"employeeId", "1815", []string{"1815"}},
		{"mail", "ada@contoso.com", []string{"ada@home.example", "ada@contoso.com"}},
		{"jobTitle", "Analyst", []string{"Analyst"}},
		{"userPrincipalName", "ada@contoso.com", []string{"ada@contoso.com"}},
		{"surname", "Lovelace", []string{"Lovelace"}},
		{"title.value", "Analyst", []string{"Analyst"}},
		{"title.other", "", nil},
	} {
		t.Run(tt.path, func(t *testing.T) {
			path, err := ParsePath(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			if got := path.Text(attrs); got != tt.text {
				t.Errorf("text %q, want %q", got, tt.text)
			}
			if got := path.Values(attrs); !slices.Equal(got, tt.values) {
				t.Errorf("values %q, want %q", got, tt.values)
			}
			if got := path.Values(nil); len(got) > 0 {
				t.Errorf("values of nothing %q", got)
			}
		})
	}
}

func TestParsePathRefuses(t *testing.T) {
	for _, path := range []string{"", "  ", "a b", "name.", "emails[type eq]", `emails[type eq "work"`, "1x", strings.Repeat("a", 600)} {
		if _, err := ParsePath(path); model.KindOf(err) != model.Invalid {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestIndex(t *testing.T) {
	for _, tt := range []struct {
		name     string
		document string
		want     model.DirectoryUser
	}{
		{
			"copies every column", `{"userName":"Ada@Contoso.com","externalId":"x1","displayName":"Ada","active":false,"emails":[{"type":"work","value":"Ada@Home.example"}]}`,
			model.DirectoryUser{UserName: "Ada@Contoso.com", UserNameKey: "ada@contoso.com", ExternalID: "x1", DisplayName: "Ada", Email: "Ada@Home.example", EmailKey: "ada@home.example"},
		},
		{"an absent active is true", `{"userName":"a"}`, model.DirectoryUser{UserName: "a", UserNameKey: "a", Active: true}},
		{"a null active is true", `{"userName":"a","active":null}`, model.DirectoryUser{UserName: "a", UserNameKey: "a", Active: true}},
		{"a text active counts", `{"userName":"a","active":"False"}`, model.DirectoryUser{UserName: "a", UserNameKey: "a"}},
		{
			"the work address goes first", `{"userName":"a","emails":[{"value":"1"},{"value":"2","primary":true},{"value":"3","type":"Work"}]}`,
			model.DirectoryUser{UserName: "a", UserNameKey: "a", Active: true, Email: "3", EmailKey: "3"},
		},
		{
			"then the primary one", `{"userName":"a","emails":[{"value":"1"},{"value":"2","primary":true},{"value":" ","type":"work"}]}`,
			model.DirectoryUser{UserName: "a", UserNameKey: "a", Active: true, Email: "2", EmailKey: "2"},
		},
		{
			"then the first", `{"userName":"a","emails":[{"value":"1","type":"home"},{"value":"2","type":"other"}]}`,
			model.DirectoryUser{UserName: "a", UserNameKey: "a", Active: true, Email: "1", EmailKey: "1"},
		},
		{"names are found without case", `{"USERNAME":"a","DisplayName":"A"}`, model.DirectoryUser{UserName: "a", UserNameKey: "a", DisplayName: "A", Active: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := model.DirectoryUser{Email: "stale", EmailKey: "stale", DisplayName: "stale", ExternalID: "stale"}
			u.Document = model.NewDocument(document(t, tt.document))
			if err := Index(&u); err != nil {
				t.Fatal(err)
			}
			u.Document = model.Document{}
			got, _ := json.Marshal(u)
			want, _ := json.Marshal(tt.want)
			if string(got) != string(want) || u.UserNameKey != tt.want.UserNameKey || u.EmailKey != tt.want.EmailKey {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestIndexRefuses(t *testing.T) {
	long := strings.Repeat("å", maxNameLength+1)
	for _, tt := range []struct{ name, document, field string }{
		{"no userName", `{}`, "userName"},
		{"a blank userName", `{"userName":" "}`, "userName"},
		{"a userName that is no text", `{"userName":7}`, "userName"},
		{"a userName that is too long", `{"userName":"` + long + `"}`, "userName"},
		{"a displayName that is too long", `{"userName":"a","displayName":"` + long + `"}`, "displayName"},
		{"an externalId that is no text", `{"userName":"a","externalId":{}}`, "externalId"},
		{"an e-mail that is too long", `{"userName":"a","emails":[{"value":"` + long + `"}]}`, "emails"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := model.DirectoryUser{Document: model.NewDocument(document(t, tt.document))}
			wantField(t, Index(&u), model.Invalid, tt.field)
		})
	}
	g := model.DirectoryGroup{Document: model.NewDocument(document(t, `{"externalId":"x"}`))}
	wantField(t, IndexGroup(&g), model.Invalid, "displayName")
}

func TestIndexGroup(t *testing.T) {
	g := model.DirectoryGroup{Document: model.NewDocument(document(t, `{"displayName":"Human Resources","externalId":"x"}`))}
	if err := IndexGroup(&g); err != nil || g.DisplayName != "Human Resources" || g.DisplayNameKey != "human resources" || g.ExternalID != "x" {
		t.Errorf("%v %+v", err, g)
	}
}

// wantField checks the kind and the field of an error.
func wantField(t testing.TB, err error, kind model.Kind, field string) {
	t.Helper()
	e, ok := err.(*model.Error) //nolint:errorlint // the validation promises the type itself
	if !ok || e.Kind != kind || e.Field != field || e.Detail == "" {
		t.Errorf("error %v, want kind %d at %q", err, kind, field)
	}
}
