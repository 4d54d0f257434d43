package resource_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"usher/scim/fault"
	"usher/scim/resource"
	"usher/scim/schemas"
	"usher/scim/wire"
)

func ignore(string) {}

func mustBeFault(t *testing.T, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Status < 400 || f.Status > 499 || f.Detail == "" {
		t.Fatalf("not an error of the client: %v", err)
	}
}

// isCanonical fails unless normalising the document changes nothing.
func isCanonical(t *testing.T, res *schemas.Resource, doc map[string]any) {
	t.Helper()
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	body, err := wire.Parse(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	again, err := resource.Normalise(res, body, ignore)
	if err != nil {
		t.Fatalf("a canonical document is refused: %v\n%s", err, raw)
	}
	if !reflect.DeepEqual(again.Attributes, doc) {
		t.Fatalf("not canonical: %s\nbecomes %v", raw, again.Attributes)
	}
}

// FuzzNormalise: nothing panics, every error is the client's, and what comes out is canonical for good.
func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{
		`{"userName":"ada","active":"True","emails":{"Value":"x"},"manager":"m","name.givenName":"A","title":null,"roles":[]}`,
		`{"userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"D","urn:x:y:User":{"a":[null,{}]}}`,
		`{"userName":"ada","urn:x:y:z":1,"URN:X:y:Q":2,"schemas":["urn:a","URN:A"],"emails[type eq \"work\"].value":"x"}`,
		`{"displayName":"g","members":[{"value":"a"},"b"],"externalId":""}`,
		`{"userName":"ada","urn:ietf:params:scim:schemas:core:2.0:User":{"title":"x","id":"1"},"name":{"Foo":1,"foo":2}}`,
		`[[[`, `{"a":"\ud800"}`, `{"userName":"a","x":1e999}`, `{"userName":"a","foo.bar":{"x":null},"":1}`,
	} {
		f.Add([]byte(seed))
	}
	tables := schemas.New()
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := wire.Parse(data)
		if err != nil {
			mustBeFault(t, err)
			return
		}
		for _, res := range tables.Resources() {
			n, err := resource.Normalise(res, body, ignore)
			if err != nil {
				mustBeFault(t, err)
				continue
			}
			isCanonical(t, res, n.Attributes)
		}
	})
}

// FuzzPatch: nothing panics, every error is the client's, the document given stays as it is, and what comes out is
// canonical.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{"op":"Replace","path":"active","value":"False"}`,
		`{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"x"}`,
		`{"op":"replace","value":{"name":{"givenName":null},"name.familyName":"x","urn:x:y:User":{"a":1},"urn:x:y:User:b":2}}`,
		`{"op":"remove","path":"emails","value":[{"value":"ada@contoso.com"}]}`,
		`{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"x","primary":"True"}}`,
		`{"op":"remove","path":"manager[value eq \"m\"].value"}`, `{"op":"add","path":"roles","value":["a",{"value":"b"}]}`,
		`{"op":"replace","path":"emails.primary","value":true}`, `{"op":"add","path":"schemas","value":["urn:q"]}`,
		`{"op":"remove","path":"urn:x:y:User"}`, `{"op":"replace","path":"shoeSize.left","value":[1]}`,
		`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"department":""}}`,
	} {
		f.Add([]byte(seed))
	}
	res := schemas.New().User
	start := `{"userName":"ada","emails":[{"type":"work","value":"ada@contoso.com","primary":true},{"type":"home","value":"h"}],
 "manager":"m","shoeSize":{"left":37},"urn:x:y:User":{"a":0},"tags":["x"]}`
	f.Fuzz(func(t *testing.T, op []byte) {
		body, err := wire.Parse(append(append([]byte(`{"Operations":[`), op...), "]}"...))
		if err != nil {
			mustBeFault(t, err)
			return
		}
		patch, err := resource.ParsePatch(res, body, ignore)
		if err != nil {
			mustBeFault(t, err)
			return
		}
		doc, pristine := parsed(t, res, start), parsed(t, res, start)
		after, differs, err := patch.Apply(doc, ignore)
		if !reflect.DeepEqual(doc, pristine) {
			t.Fatalf("the document was changed in place: %v", doc)
		}
		if err != nil {
			mustBeFault(t, err)
			return
		}
		if !differs && !reflect.DeepEqual(after, pristine) {
			t.Fatalf("a change was not reported: %v", after)
		}
		isCanonical(t, res, after)
	})
}

// parsed makes a canonical document of JSON.
func parsed(t testing.TB, res *schemas.Resource, text string) map[string]any {
	t.Helper()
	body, err := wire.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	n, err := resource.Normalise(res, body, ignore)
	if err != nil {
		t.Fatal(err)
	}
	return n.Attributes
}
