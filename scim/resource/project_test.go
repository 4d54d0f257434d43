package resource_test

import (
	"encoding/json"
	"testing"

	"usher/scim/resource"
	"usher/scim/schemas"
)

// TestProjection shows what attributes and excludedAttributes leave of a user.
func TestProjection(t *testing.T) {
	t.Parallel()
	const full = `{"id":"1","schemas":["s"],"userName":"a","name":{"givenName":"A","familyName":"K"},
 "emails":[{"type":"work","value":"x"},{"type":"home"}],"x":1,"meta":{"version":"1","created":"c"},
 "` + ent + `":{"department":"D","manager":{"value":"m"}},"urn:x:y:User":{"b":2}}`
	for _, tt := range []struct{ attributes, excluded, want string }{
		{"userName", "", `{"id":"1","schemas":["s"],"userName":"a"}`},
		{"USERNAME, name.GivenName", "", `{"id":"1","name":{"givenName":"A"},"schemas":["s"],"userName":"a"}`},
		{"emails.value", "", `{"emails":[{"value":"x"}],"id":"1","schemas":["s"]}`},
		{"emails.value,emails.type", "", `{"emails":[{"type":"work","value":"x"},{"type":"home"}],"id":"1","schemas":["s"]}`},
		{`emails[type eq "work"]`, "", `{"emails":[{"type":"work","value":"x"},{"type":"home"}],"id":"1","schemas":["s"]}`},
		{`emails[type eq "a,b"].value`, "", `{"emails":[{"value":"x"}],"id":"1","schemas":["s"]}`},
		{ent + ":department", "", `{"id":"1","schemas":["s"],"` + ent + `":{"department":"D"}}`},
		{"department", "", `{"id":"1","schemas":["s"],"` + ent + `":{"department":"D"}}`},
		{ent, "", `{"id":"1","schemas":["s"],"` + ent + `":{"department":"D","manager":{"value":"m"}}}`},
		{"urn:x:y:User", "", `{"id":"1","schemas":["s"],"urn:x:y:User":{"b":2}}`},
		{"urn:x:y:User:b", "", `{"id":"1","schemas":["s"],"urn:x:y:User":{"b":2}}`},
		{"name.middleName,nosuch,]bad[", "", `{"id":"1","schemas":["s"]}`},
		{"name,meta", "name.familyName,meta.created", `{"id":"1","meta":{"version":"1"},"name":{"givenName":"A"},"schemas":["s"]}`},
		{"urn:ietf:params:scim:schemas:core:2.0:user:NAME.givenname,URN:ietf:params:scim:schemas:core:2.0:User:userName", "", `{"id":"1","name":{"givenName":"A"},"schemas":["s"],"userName":"a"}`},
		{"manager.value, " + ent + ":manager.displayName", "", `{"id":"1","schemas":["s"],"` + ent + `":{"manager":{"value":"m"}}}`},
		{"meta.version,schemas,id,x", "", `{"id":"1","meta":{"version":"1"},"schemas":["s"],"x":1}`},
		{"userName,name", "userName", `{"id":"1","name":{"familyName":"K","givenName":"A"},"schemas":["s"]}`},
		{ent, "manager.value,userName", `{"id":"1","schemas":["s"],"` + ent + `":{"department":"D"}}`},
		{"urn:ietf:params:scim:schemas:core:2.0:User", "emails,meta,x", `{"id":"1","name":{"familyName":"K","givenName":"A"},"schemas":["s"],"userName":"a"}`},
		{"", ent + ":manager.value,department,urn:ietf:params:scim:schemas:core:2.0:User", `{"id":"1","schemas":["s"],"urn:x:y:User":{"b":2}}`},
		{" , ,", "", `{"id":"1","schemas":["s"]}`},
		{"", "emails.type,emails.VALUE,name.givenName,userName,x,meta,name.familyName,urn:x:y:User," + ent, `{"id":"1","schemas":["s"]}`},
		{"", "id,schemas,name,emails,x,meta,userName,urn:x:y:User," + ent + ":manager", `{"id":"1","schemas":["s"],"` + ent + `":{"department":"D"}}`},
		{"", "urn:ietf:params:scim:schemas:core:2.0:User," + ent, `{"id":"1","schemas":["s"],"urn:x:y:User":{"b":2}}`},
	} {
		p := resource.ParseProjection(schemas.New().User, tt.attributes, tt.excluded)
		var before map[string]any
		if err := json.Unmarshal([]byte(full), &before); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(p.Apply(before))
		if err != nil || string(got) != tt.want {
			t.Errorf("attributes=%s excludedAttributes=%s\ngot  %s (%v)\nwant %s", tt.attributes, tt.excluded, got, err, tt.want)
		}
		if p.IsWhole() {
			t.Errorf("attributes=%s excludedAttributes=%s is not the whole document", tt.attributes, tt.excluded)
		}
	}
	for _, excluded := range []string{"", "groups"} {
		if p := resource.ParseProjection(schemas.New().User, "", excluded); !p.IsWhole() {
			t.Errorf("excludedAttributes=%s need not open the document", excluded)
		}
	}
}
