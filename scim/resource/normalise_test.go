package resource_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"usher/scim/fault"
	"usher/scim/resource"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// TestNormalise shows what a user as it was sent becomes.
func TestNormalise(t *testing.T) {
	t.Parallel()
	const core = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a"`
	const withEnt = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + ent + `"]`
	for _, tt := range []struct{ name, sent, want string }{
		{"names without case", `{"USERNAME":"a","Name":{"GIVENNAME":"A"}}`, `{"name":{"givenName":"A"},` + core + `}`},
		{"null and empty are unassigned", `{"userName":"a","title":null,"roles":[],"nickName":"","name":{},"emails":[null,{}]}`, `{` + core + `}`},
		{"string booleans", `{"userName":"a","active":"TRUE","emails":[{"value":"x","primary":"False"}]}`, `{"active":true,"emails":[{"primary":false,"value":"x"}],` + core + `}`},
		{"one object for a list", `{"userName":"a","emails":{"value":"x"}}`, `{"emails":[{"value":"x"}],` + core + `}`},
		{"a string for an element", `{"userName":"a","roles":["x"]}`, `{"roles":[{"value":"x"}],` + core + `}`},
		{"a list for one object", `{"userName":"a","name":[{"givenName":"A"}]}`, `{"name":{"givenName":"A"},` + core + `}`},
		{"dotted names", `{"userName":"a","name.givenName":"A","name":{"familyName":"K"}}`, `{"name":{"familyName":"K","givenName":"A"},` + core + `}`},
		{"flat extension names", `{"userName":"a","` + ent + `:department":"D"}`, `{` + withEnt + `,"` + ent + `":{"department":"D"},"userName":"a"}`},
		{"URN in another case", `{"userName":"a","` + strings.ToUpper(ent) + `":{"Department":"D"}}`, `{` + withEnt + `,"` + ent + `":{"department":"D"},"userName":"a"}`},
		{"core URN as an object", `{"urn:ietf:params:scim:schemas:core:2.0:User":{"userName":"a"}}`, `{` + core + `}`},
		{"string manager", `{"userName":"a","` + ent + `":{"manager":"m"}}`, `{` + withEnt + `,"` + ent + `":{"manager":{"value":"m"}},"userName":"a"}`},
		{"what the server decides is ignored", `{"userName":"a","id":"x","meta":{"version":"1"},"groups":[{"value":"g"}],"Password":"p"}`, `{` + core + `}`},
		{"read-only sub-attribute", `{"userName":"a","manager":{"value":"m","displayName":"M"}}`, `{` + withEnt + `,"` + ent + `":{"manager":{"value":"m"}},"userName":"a"}`},
		{"unknown attributes stay", `{"userName":"a","x":{"Y":[1.50,null]},"emails":[{"value":"v","colour":"red"}]}`, `{"emails":[{"colour":"red","value":"v"}],` + core + `,"x":{"Y":[1.50,null]}}`},
		{"unknown URNs stay", `{"schemas":["urn:a:b"],"userName":"a","urn:x:y:User":{"B":null}}`, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:a:b","urn:x:y:User"],"urn:x:y:User":{"B":null},"userName":"a"}`},
		{"flat names of an unknown URN", `{"userName":"a","urn:x:y:User:b":"c"}`, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:x:y:User"],"urn:x:y:User":{"b":"c"},"userName":"a"}`},
		{"date with zone", `{"userName":"a","employeeHireDate":"2026-01-02T03:04:05+01:00"}`, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + usher + `"],"` + usher + `":{"employeeHireDate":"2026-01-02T03:04:05+01:00"},"userName":"a"}`},
		{"values as they are", `{"userName":" A@B ","phoneNumbers":[{"value":"5555"},{"value":"5555"}]}`, `{"phoneNumbers":[{"value":"5555"},{"value":"5555"}],"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":" A@B "}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := parsed(t, schemas.New().User, tt.sent)
			got, err := json.Marshal(doc)
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, tt.want)
			}
			isCanonical(t, schemas.New().User, doc)
		})
	}
}

// TestNormaliseRefused shows that a wrong type is refused and named.
func TestNormaliseRefused(t *testing.T) {
	t.Parallel()
	tooMany := `[` + strings.TrimSuffix(strings.Repeat(`{"value":"x"},`, resource.MaxElements+1), ",") + `]`
	for sent, names := range map[string]string{
		`[]`:                             "a list",
		`{}`:                             "userName",
		`{"userName":{}}`:                "userName",
		`{"userName":["a","b"]}`:         "userName",
		`{"userName":"a","active":2}`:    "active",
		`{"userName":"a","emails":[[]]}`: "emails[0]",
		`{"userName":"a","emails":7}`:    "emails[0]",
		`{"userName":"a","emails":` + tooMany + `}`:                    "emails",
		`{"userName":"a","name":{"givenName":{}}}`:                     "name.givenName",
		`{"userName":"a","name":{"givenName":"A","GivenName":"B"}}`:    "name.givenName",
		`{"userName":"a","` + ent + `":7}`:                             ent,
		`{"userName":"a","schemas":{}}`:                                "schemas",
		`{"userName":"` + strings.Repeat("x", schemas.MaxKey+1) + `"}`: "userName",
		`{"userName":"a","x":{"y":["\u0000"]}}`:                        "x.y[0]",
	} {
		body, err := wire.Parse([]byte(sent))
		if err == nil {
			_, err = resource.Normalise(schemas.New().User, body, ignore)
		}
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Status != 400 || !strings.Contains(f.Detail, names) {
			t.Errorf("%.80s: %v; want 400 that names %s", sent, err, names)
		}
	}
}

// TestNames shows what a body speaks of: null is said, absence is not.
func TestNames(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]bool{
		`{"userName":"a"}`:                            false,
		`{"userName":"a","ACTIVE":null}`:              true,
		`{"userName":"a","active":false}`:             true,
		`{"userName":"a","x":{"active":1}}`:           false,
		`{"userName":"a","urn:x:y:User:active":true}`: false,
		`{"userName":"a","urn:ietf:params:scim:schemas:core:2.0:User":{"active":"True"}}`: true,
	} {
		body, err := wire.Parse([]byte(sent))
		if err != nil {
			t.Fatal(err)
		}
		n, err := resource.Normalise(schemas.New().User, body, ignore)
		if err != nil || n.Names("active") != want {
			t.Errorf("%s: %v, %v; want %v", sent, n.Names("active"), err, want)
		}
	}
}

func BenchmarkPatchThree(b *testing.B) {
	res := schemas.New().User
	doc := parsed(b, res, `{"userName":"ada@contoso.com","displayName":"Ada","active":true,"emails":[{"type":"work","value":"ada@contoso.com","primary":true}],
 "name":{"givenName":"Ada","familyName":"Lovelace"},"title":"Countess","addresses":[{"type":"work","country":"GB","locality":"London"}],
 "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Engines","employeeNumber":"1815"}}`)
	request := []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"title","value":"Lady"},
 {"op":"Replace","path":"emails[type eq \"work\"].value","value":"king@contoso.com"},
 {"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Looms"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		body, err := wire.Parse(request)
		if err != nil {
			b.Fatal(err)
		}
		patch, err := resource.ParsePatch(res, body, ignore)
		if err != nil {
			b.Fatal(err)
		}
		if _, differs, err := patch.Apply(doc, ignore); err != nil || !differs {
			b.Fatal(differs, err)
		}
	}
}
