package api_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

func (r response) entries() []map[string]any {
	r.t.Helper()
	if r.StatusCode != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.raw)
	}
	var list []map[string]any
	if err := json.Unmarshal(r.raw, &list); err != nil {
		r.t.Fatalf("%v in %s", err, r.raw)
	}
	if list == nil {
		r.t.Fatalf("null for a list")
	}
	return list
}

func TestSettingsLists(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.do("PUT", "/roles/hr", map[string]any{"name": "HR"}).want(http.StatusOK)
		id := f.integration()
		for _, test := range []struct{ path, body, bad, field string }{
			{
				"group-mappings", `[{"group":{"display_name":"HR"},"role":"hr"},{"group":{"external_id":"1"},"language":"da"}]`,
				`[{"group":{"display_name":"HR"},"role":"nobody"}]`, "[0].role",
			},
			{
				"field-mappings", `[{"source":"title","target":"job_title","mode":"always"}]`,
				`[{"source":"title","target":"job_title"},{"source":"title","target":"shoe_size"}]`, "[1].target",
			},
			{"exclusions", `[{"pattern":"*service*"},{"attribute":"userType","operator":"equals","value":"Guest"}]`, `[{"pattern":"[a"}]`, "[0].pattern"},
			{"chosen-groups", `[{"external_id":"1"},{"display_name":"HR"}]`, `[{"display_name":""}]`, "[0]"},
			{
				"room-groups", `[{"external_id":"5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"}]`,
				`[{"external_id":"5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"},{"external_id":"rooms"}]`, "[1].external_id",
			},
		} {
			t.Run(test.path, func(t *testing.T) {
				f := *f
				f.t = t
				path := "/integrations/" + id + "/" + test.path
				if n := len(f.do("GET", path, nil).entries()); n != 0 {
					t.Errorf("%d entries before the first", n)
				}
				put := f.do("PUT", path, test.body)
				n := len(put.entries())
				if got := f.do("GET", path, nil); string(got.raw) != string(put.raw) || n == 0 {
					t.Errorf("read %s, put %s", got.raw, put.raw)
				}
				f.do("PUT", path, test.bad).wantProblem(http.StatusUnprocessableEntity, test.field)
				f.do("PUT", path, `[{"unknown":1}]`).want(http.StatusUnprocessableEntity)
				f.do("PUT", path, `null`).want(http.StatusUnprocessableEntity)
				f.do("PUT", path, `{}`).want(http.StatusUnprocessableEntity)
				if got := f.do("GET", path, nil); string(got.raw) != string(put.raw) {
					t.Errorf("bad input changed the list to %s", got.raw)
				}
				if n := len(f.do("PUT", path, `[]`).entries()); n != 0 {
					t.Errorf("%d entries in an emptied list", n)
				}
			})
		}
	})
}

func TestMappingAnInheritingSiteNamesTheParent(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		f.do("PUT", "/modules/payroll", map[string]any{"name": "Payroll"}).want(http.StatusOK)
		f.do("PUT", "/sites/north", map[string]any{"name": "North"}).want(http.StatusOK)
		f.do("PUT", "/sites/aarhus", map[string]any{"name": "Aarhus", "parent": "north"}).want(http.StatusOK)
		body := `[{"group":{"display_name":"HR"},"site":"aarhus","permissions":[{"module":"payroll","level":"admin"}]}]`
		f.do("PUT", "/integrations/"+id+"/group-mappings", body).wantProblem(http.StatusConflict, "[0].site")
		bad := `[{"group":{"display_name":"HR"},"site":"north","permissions":[{"module":"payroll","level":"king"}]}]`
		f.do("PUT", "/integrations/"+id+"/group-mappings", bad).wantProblem(http.StatusUnprocessableEntity, "[0].permissions[0].level")
	})
}

func TestSuggestions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		f.push(id, "ada@contoso.com")
		f.push(id, "backup-service@contoso.com")
		list := f.do("GET", "/integrations/"+id+"/exclusions/suggestions", nil).list()
		if len(list) == 0 || list[0]["count"] != 1.0 {
			t.Fatalf("suggestions: %v", list)
		}
		exclusion, _ := list[0]["exclusion"].(map[string]any)
		if exclusion["pattern"] != "*service*" {
			t.Errorf("suggestion %v", list[0])
		}
		f.do("PUT", "/integrations/"+id+"/exclusions", []any{exclusion}).entries()
	})
}
