package api_test

import (
	"fmt"
	"net/http"
	"testing"
)

func TestFieldMappingVersions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		path := "/integrations/" + id + "/field-mappings"
		if list := f.do("GET", path+"/versions", nil).list(); len(list) != 0 {
			t.Errorf("versions before the first save: %v", list)
		}
		f.do("PUT", "/custom-fields/badge", map[string]any{"name": "Badge", "type": "text"}).want(http.StatusOK)
		for _, body := range []string{
			`[{"source":"title","target":"job_title"},{"source":"nickName","target":"custom_fields.badge"}]`,
			`[{"source":"title","target":"job_title","expression":"ToUpper(value)"}]`, `[]`,
		} {
			f.do("PUT", path, body).entries()
		}
		first := f.do("GET", path+"/versions?limit=2", nil)
		next, newest := str(t, first.want(http.StatusOK), "next"), first.list()[0]
		if newest["number"] != 3.0 || newest["summary"] != "removed job_title" || newest["entries"] != 0.0 || newest["actor"] == "" || newest["mappings"] != nil {
			t.Errorf("the newest version is %v", newest)
		}
		rest := f.do("GET", path+"/versions?limit=2&after="+next, nil)
		if list := rest.list(); len(list) != 1 || list[0]["number"] != 1.0 {
			t.Errorf("the second page is %s", rest.raw)
		}
		for _, bad := range []string{"nonsense", "LTE", "MA"} { // the last two say -1 and 0
			f.do("GET", path+"/versions?after="+bad, nil).wantProblem(http.StatusUnprocessableEntity, "after")
		}
		second := f.do("GET", path+"/versions/2", nil).want(http.StatusOK)
		if fmt.Sprint(second["mappings"]) != "[map[expression:ToUpper(value) mode:always source:title target:job_title]]" {
			t.Errorf("version 2 is %v", second)
		}
		restored := f.do("POST", path+"/versions/2/restore", nil).want(http.StatusOK)
		if restored["number"] != 4.0 || restored["summary"] != "version 2 restored: added job_title" {
			t.Errorf("restored: %v", restored)
		}
		if got := f.do("GET", path, nil).entries(); len(got) != 1 || got[0]["expression"] != "ToUpper(value)" {
			t.Errorf("after the restore the mappings are %v", got)
		}
		f.do("DELETE", "/custom-fields/badge", nil).want(http.StatusNoContent)
		f.do("POST", path+"/versions/1/restore", nil).wantProblem(http.StatusUnprocessableEntity, "mappings[1].target")
		f.do("GET", path+"/versions/9", nil).want(http.StatusNotFound)
		f.do("POST", path+"/versions/9/restore", nil).want(http.StatusNotFound)
		f.do("GET", path+"/versions/0", nil).want(http.StatusUnprocessableEntity)
	})
}
