package resource_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/resource"
	"usher/scim/schemas"
	"usher/scim/wire"
)

const (
	ent   = schemas.EnterpriseURN
	usher = schemas.UsherURN
)

// patchCase is a document, operations on it, the document they make, and a deviation that is noted.
type patchCase struct{ name, doc, ops, want, note string }

// firstRows are rows 1 to 16.
func firstRows() []patchCase {
	return []patchCase{
		{"1 capitalized op", `{}`, `{"op":"Add","path":"nickName","value":"Babs"}`, `{"nickName":"Babs"}`, "capitalized op"},
		{"2 string boolean", `{"active":true}`, `{"op":"Replace","path":"active","value":"False"}`, `{"active":false}`, "string boolean"},
		{"3 boolean", `{"active":true}`, `{"op":"replace","path":"active","value":false}`, `{"active":false}`, ""},
		{"4 create on unmatched", `{}`, `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a@b"}`, `{"emails":[{"type":"work","value":"a@b"}]}`, "created on unmatched filter"},
		{"4 change the matched", `{"emails":[{"type":"WORK","value":"x"}]}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"y"}`, `{"emails":[{"type":"WORK","value":"y"}]}`, ""},
		{"5 several build one", `{}`, `{"op":"add","path":"emails[type eq \"work\"].value","value":"a"},{"op":"add","path":"emails[type eq \"work\"].primary","value":"True"}`, `{"emails":[{"type":"work","value":"a","primary":true}]}`, "string boolean"},
		{"5 conjunction", `{}`, `{"op":"add","path":"addresses[type eq \"work\" and primary eq true].locality","value":"L"}`, `{"addresses":[{"type":"work","primary":true,"locality":"L"}]}`, ""},
		{"6 roles by primary", `{"roles":[{"value":"a","primary":true}]}`, `{"op":"add","path":"roles[primary eq \"True\"].display","value":"A"}`, `{"roles":[{"value":"a","primary":true,"display":"A"}]}`, ""},
		{"6 roles by primary, none", `{}`, `{"op":"add","path":"roles[primary eq \"True\"].display","value":"A"}`, `{"roles":[{"primary":true,"display":"A"}]}`, ""},
		{"7 sub-attribute", `{}`, `{"op":"Replace","path":"NAME.familyname","value":"K"}`, `{"name":{"familyName":"K"}}`, ""},
		{"8 extension", `{}`, `{"op":"Replace","path":"` + ent + `:department","value":"D"}`, `{"` + ent + `":{"department":"D"}}`, ""},
		{"8 extension in another case", `{}`, `{"op":"Replace","path":"` + strings.ToUpper(ent) + `:DEPARTMENT","value":"D"}`, `{"` + ent + `":{"department":"D"}}`, ""},
		{"9 flattened", `{}`, `{"op":"replace","value":{"name.givenName":"A","` + ent + `:department":"D","emails[type eq \"work\"].value":"e"}}`, `{"name":{"givenName":"A"},"` + ent + `":{"department":"D"},"emails":[{"type":"work","value":"e"}]}`, "flattened name"},
		{"9 in order", `{}`, `{"op":"replace","value":{"name.givenName":"A","name":{"givenName":"B"}}}`, `{"name":{"givenName":"B"}}`, ""},
		{"10 nested", `{"name":{"givenName":"A","familyName":"K"}}`, `{"op":"Replace","value":{"name":{"familyName":null,"middleName":"M"}}}`, `{"name":{"givenName":"A","middleName":"M"}}`, ""},
		{"10 nested extension", `{"` + ent + `":{"costCenter":"7"}}`, `{"op":"Replace","value":{"` + ent + `":{"department":"D","costCenter":null}}}`, `{"` + ent + `":{"department":"D"}}`, ""},
		{"11 string manager", `{}`, `{"op":"Add","path":"` + ent + `:manager","value":"m"}`, `{"` + ent + `":{"manager":{"value":"m"}}}`, "string manager"},
		{"12 manager without URN in a list", `{}`, `{"op":"Add","path":"manager","value":[{"$ref":"http://x","value":"m"}]}`, `{"` + ent + `":{"manager":{"value":"m","$ref":"http://x"}}}`, "list for a single value"},
		{"13 manager object", `{"` + ent + `":{"manager":{"value":"m","$ref":"http://x"}}}`, `{"op":"Replace","path":"` + ent + `:manager","value":{"value":"n"}}`, `{"` + ent + `":{"manager":{"value":"n"}}}`, ""},
		{"14 manager empty", `{"` + ent + `":{"manager":{"value":"m"}}}`, `{"op":"replace","path":"` + ent + `:manager","value":""}`, `{}`, ""},
		{"14 manager value empty", `{"` + ent + `":{"manager":{"value":"m","$ref":"http://x"}}}`, `{"op":"replace","path":"` + ent + `:manager","value":{"value":""}}`, `{}`, ""},
		{"15 manager by filter", `{"` + ent + `":{"manager":{"value":"m"}}}`, `{"op":"remove","path":"manager[value eq \"m\"]"}`, `{}`, "value path on a single value"},
		{"15 another manager by filter", `{"` + ent + `":{"manager":{"value":"m"}}}`, `{"op":"remove","path":"manager[value eq \"n\"]"}`, `{"` + ent + `":{"manager":{"value":"m"}}}`, ""},
		{"15 manager with value", `{"` + ent + `":{"manager":{"value":"m"}}}`, `{"op":"Remove","path":"` + ent + `:manager","value":"m"}`, `{}`, ""},
		{"16 manager.value", `{}`, `{"op":"add","path":"` + ent + `:manager.value","value":"m"}`, `{"` + ent + `":{"manager":{"value":"m"}}}`, ""},
	}
}

// laterRows are rows 17 to 24, and what RFC 7644 asks besides.
func laterRows() []patchCase {
	return []patchCase{
		{"17 role as JSON", `{"roles":[{"value":"x"}]}`, `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"0\"}"},{"value":"x"}]}`, `{"roles":[{"value":"x"},{"value":"{\"id\":\"0\"}"}]}`, ""},
		{"18 roles replaced", `{"roles":[{"value":"x"}]}`, `{"op":"replace","path":"roles","value":[{"value":"y","primary":false}]}`, `{"roles":[{"value":"y","primary":false}]}`, ""},
		{"19 remove with value", `{"emails":[{"type":"work","value":"a","display":"A"}]}`, `{"op":"Remove","path":"emails[type eq \"work\"].value","value":"u"}`, `{"emails":[{"type":"work","display":"A"}]}`, ""},
		{"19 nothing but the label left", `{"emails":[{"type":"work","value":"a"}]}`, `{"op":"Remove","path":"emails[type eq \"work\"].value","value":"u"}`, `{}`, ""},
		{"19 remove listed elements", `{"emails":[{"type":"work","value":"a"},{"value":"b"}]}`, `{"op":"remove","path":"emails","value":[{"value":"a"}]}`, `{"emails":[{"value":"b"}]}`, "remove with a value"},
		{"20 empty string", `{"title":"t"}`, `{"op":"replace","path":"title","value":""}`, `{}`, ""},
		{"20 null", `{"title":"t"}`, `{"op":"replace","path":"title","value":null}`, `{}`, ""},
		{"20 no value", `{"title":"t"}`, `{"op":"replace","path":"title"}`, `{}`, ""},
		{"20 batched", `{"title":"t","phoneNumbers":[{"type":"work","value":"1"}]}`, `{"op":"replace","value":{"title":null,"phoneNumbers[type eq \"work\"].value":""}}`, `{}`, ""},
		{"20 clearing what is not there", `{}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":""}`, `{}`, ""},
		{"21 no operations", `{"title":"t"}`, ``, `{"title":"t"}`, "no operations"},
		{"22 in order", `{"externalId":"1"}`, `{"op":"remove","path":"externalId"},{"op":"add","path":"externalId","value":"2"},{"op":"replace","path":"externalId","value":"3"}`, `{"externalId":"3"}`, ""},
		{"23 rename", `{}`, `{"op":"Replace","path":"userName","value":"king"}`, `{"userName":"king"}`, ""},
		{"24 id in value", `{}`, `{"op":"replace","value":{"id":"x","meta":{},"schemas":[],"title":"t"}}`, `{"title":"t"}`, ""},
		{"new primary", `{"emails":[{"value":"a","primary":true},{"value":"b"}]}`, `{"op":"replace","path":"emails[value eq \"b\"].primary","value":true}`, `{"emails":[{"value":"a","primary":false},{"value":"b","primary":true}]}`, ""},
		{"element replaced", `{"emails":[{"type":"work","value":"a","display":"A"}]}`, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"b"}}`, `{"emails":[{"type":"work","value":"b"}]}`, ""},
		{"element extended", `{"emails":[{"type":"work","value":"a"}]}`, `{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"A"}}`, `{"emails":[{"type":"work","value":"a","display":"A"}]}`, ""},
		{"element removed", `{"emails":[{"type":"work","value":"a"},{"type":"home","value":"b"}]}`, `{"op":"remove","path":"emails[type eq \"work\"]"}`, `{"emails":[{"type":"home","value":"b"}]}`, ""},
		{"what is there is added", `{"emails":[{"type":"work","value":"a"}],"title":"t"}`, `{"op":"add","path":"emails","value":{"Value":"a","Type":"work"}},{"op":"add","value":{"title":"t"}}`, `{"emails":[{"type":"work","value":"a"}],"title":"t"}`, ""},
		{"what is not there is removed", `{"emails":[{"type":"work","value":"a"}]}`, `{"op":"remove","path":"emails[type eq \"home\"]"},{"op":"remove","path":"emails[type ne \"work\"].display"},{"op":"remove","path":"title"}`, `{"emails":[{"type":"work","value":"a"}]}`, ""},
		{"sub-attribute of all", `{"emails":[{"value":"a"},{"value":"b"}]}`, `{"op":"replace","path":"emails.type","value":"work"}`, `{"emails":[{"value":"a","type":"work"},{"value":"b","type":"work"}]}`, ""},
		{"extension attribute without URN", `{}`, `{"op":"add","path":"extensionAttribute3","value":"3"}`, `{"` + usher + `":{"extensionAttribute3":"3"}}`, "extension attribute without its URN"},
		{"unknown URN", `{}`, `{"op":"add","path":"urn:contoso:hr:2.0:User:badge","value":7}`, `{"urn:contoso:hr:2.0:User":{"badge":7}}`, "unknown attribute"},
		{"unknown URN removed", `{"urn:contoso:hr:2.0:User":{"badge":7}}`, `{"op":"remove","path":"urn:contoso:hr:2.0:User"}`, `{}`, ""},
		{"unknown attribute that is there", `{"shoeSize":37}`, `{"op":"replace","path":"SHOESIZE","value":38}`, `{"shoeSize":38}`, ""},
	}
}

// TestPatch has one line or more for every form of PATCH that Entra and others send; the numbers are those of the table
// in docs/reference/scim.md. Documents leave out userName and schemas where they are as they were.
func TestPatch(t *testing.T) {
	t.Parallel()
	for _, tt := range append(firstRows(), laterRows()...) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var notes []string
			got, err := apply(t, tt.doc, tt.ops, func(n string) { notes = append(notes, n) })
			if err != nil {
				t.Fatal(err)
			}
			want := parsed(t, schemas.New().User, withName(tt.want))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if tt.note != "" && !slices.Contains(notes, tt.note) {
				t.Errorf("deviations %q, want %q among them", notes, tt.note)
			}
		})
	}
}

// withName adds the required userName to a document that lacks it.
func withName(doc string) string {
	if strings.Contains(doc, `"userName"`) {
		return doc
	}
	if doc == "{}" {
		return `{"userName":"ada"}`
	}
	return `{"userName":"ada",` + doc[1:]
}

func apply(t *testing.T, doc, ops string, note resource.Note) (map[string]any, error) {
	t.Helper()
	res := schemas.New().User
	body, err := wire.Parse([]byte(`{"Operations":[` + ops + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	patch, err := resource.ParsePatch(res, body, note)
	if err != nil {
		return nil, err
	}
	before := parsed(t, res, withName(doc))
	after, differs, err := patch.Apply(before, note)
	if err == nil && differs == reflect.DeepEqual(before, after) {
		t.Errorf("differs is %v", differs)
	}
	return after, err
}

// TestPatchRefused shows what is refused, with which scimType, and that the sentence names the place.
func TestPatchRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ ops, scimType, names string }{
		{`{"op":"remove"}`, "noTarget", "Operations[0]"},
		{`{"op":"remove","path":""}`, "noTarget", "Operations[0]"},
		{`{"path":"title"}`, "invalidSyntax", "op"},
		{`{"op":"move","path":"title"}`, "invalidSyntax", "move"},
		{`7`, "invalidSyntax", "Operations[0]"},
		{`{"op":"add","path":7}`, "invalidPath", "number"},
		{`{"op":"add","path":"a b"}`, "invalidPath", "a b"},
		{`{"op":"add","path":"nosuch","value":"x"}`, "invalidPath", "nosuch"},
		{`{"op":"add","path":"` + ent + `:nosuch","value":"x"}`, "invalidPath", "nosuch"},
		{`{"op":"add","path":"title.x","value":"x"}`, "invalidPath", "title"},
		{`{"op":"add","path":"title[value eq \"x\"]","value":"x"}`, "invalidPath", "title"},
		{`{"op":"add","path":"emails[colour eq \"x\"]","value":"x"}`, "invalidPath", "colour"},
		{`{"op":"replace","path":"emails[type ne \"x\"].value","value":"x"}`, "noTarget", "emails"},
		{`{"op":"replace","path":"emails[type eq \"x\" or type eq \"y\"].value","value":"x"}`, "noTarget", "emails"},
		{`{"op":"replace","path":"id","value":"x"}`, "mutability", "id"},
		{`{"op":"remove","path":"schemas"}`, "mutability", "schemas"},
		{`{"op":"replace","path":"groups","value":[]}`, "mutability", "groups"},
		{`{"op":"replace","value":{"groups":[]}}`, "mutability", "groups"},
		{`{"op":"remove","path":"userName"}`, "mutability", "userName"},
		{`{"op":"replace","path":"userName","value":null}`, "invalidValue", "userName"},
		{`{"op":"replace","value":{"userName":""}}`, "invalidValue", "userName"},
		{`{"op":"add","path":"title"}`, "invalidValue", "title"},
		{`{"op":"add","path":"title","value":["a","b"]}`, "invalidValue", "title"},
		{`{"op":"add","path":"active","value":1}`, "invalidValue", "active"},
		{`{"op":"add","path":"name","value":"x"}`, "invalidValue", "name"},
		{`{"op":"add","path":"emails","value":[{"primary":"perhaps"}]}`, "invalidValue", "emails[0].primary"},
		{`{"op":"add","path":"` + usher + `:onPremisesSyncEnabled","value":"x"}`, "invalidValue", usher + ":onPremisesSyncEnabled"},
		{`{"op":"add","value":["a"]}`, "invalidValue", "Operations[0].value"},
		{`{"op":"add","path":"title","value":"` + strings.Repeat("x", schemas.MaxText+1) + `"}`, "invalidValue", "title"},
		{`{"op":"add","path":"title","value":"\u0000"}`, "invalidValue", "title"},
	} {
		_, err := apply(t, `{"title":"t"}`, tt.ops, ignore)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Status != 400 || string(f.Type) != tt.scimType || !strings.Contains(f.Detail, tt.names) {
			t.Errorf("%.80s: %v; want %s that names %s", tt.ops, err, tt.scimType, tt.names)
		}
	}
}

// TestMembers shows what operations on members become.
func TestMembers(t *testing.T) {
	t.Parallel()
	op := func(kind model.MemberOpKind, ids ...string) model.MemberOp {
		return model.MemberOp{Kind: kind, IDs: ids}
	}
	for ops, want := range map[string][]model.MemberOp{
		`{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"},{"value":"a"},"b"]}`:                     {op(model.MembersAdd, "a", "b")},
		`{"op":"add","path":"members","value":"a"},{"op":"add","value":{"Members":{"Value":"b"}}}`:                {op(model.MembersAdd, "a", "b")},
		`{"op":"Remove","path":"members","value":[{"value":"a"}]}`:                                                {op(model.MembersRemove, "a")},
		`{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]"}`:                                      {op(model.MembersRemove, "a", "b")},
		`{"op":"remove","path":"members[value eq \"a\"].value"},{"op":"remove","path":"members[value eq \"b\"]"}`: {op(model.MembersRemove, "a", "b")},
		`{"op":"remove","path":"members"}`:                                                                        {op(model.MembersReplace)},
		`{"op":"remove","path":"members","value":[]}`:                                                             nil,
		`{"op":"replace","path":"members","value":[]}`:                                                            {op(model.MembersReplace)},
		`{"op":"replace","path":"members","value":[{"value":"a"}]}`:                                               {op(model.MembersReplace, "a")},
		`{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}`:                                 {op(model.MembersRemove, "a"), op(model.MembersAdd, "b")},
		`{"op":"add","path":"members","value":["a"]},{"op":"remove","path":"members[value eq \"a\"]"}`:            {op(model.MembersAdd, "a"), op(model.MembersRemove, "a")},
	} {
		body, err := wire.Parse([]byte(`{"Operations":[` + ops + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		patch, err := resource.ParsePatch(schemas.New().Group, body, ignore)
		if err != nil {
			t.Errorf("%s: %v", ops, err)
			continue
		}
		got, _ := json.Marshal(patch.Members())
		expected, _ := json.Marshal(want)
		if string(bytesOrList(got)) != string(bytesOrList(expected)) || patch.TouchesDocument() {
			t.Errorf("%s: got %s, want %s", ops, got, expected)
		}
	}
}

// bytesOrList takes null and [] for the same.
func bytesOrList(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "null", "[]")) }
