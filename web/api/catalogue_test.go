package api_test

import (
	"net/http"
	"testing"
)

func TestCatalogue(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, test := range []struct {
			path  string
			body  map[string]any
			field string // one that is wrong when it is missing
		}{
			{"/roles", map[string]any{"name": "Human resources", "administrator": true}, "name"},
			{"/departments", map[string]any{"name": "Sales"}, "name"},
			{"/sites", map[string]any{"name": "Copenhagen"}, "name"},
			{"/modules", map[string]any{"name": "Payroll"}, "name"},
			{"/custom-fields", map[string]any{"name": "Shoe size", "type": "number"}, "type"},
		} {
			t.Run(test.path[1:], func(t *testing.T) {
				f := *f
				f.t = t
				one := test.path + "/first"
				f.do("GET", one, nil).wantProblem(http.StatusNotFound, "")
				put := f.do("PUT", one, test.body).want(http.StatusOK)
				test.body["key"] = "first"
				for name, value := range test.body {
					if put[name] != value {
						t.Errorf("%s is %v, want %v", name, put[name], value)
					}
				}
				delete(test.body, "key")
				test.body["name"] = "Another name"
				f.do("PUT", one, test.body).want(http.StatusOK)
				if got := f.do("GET", one, nil).want(http.StatusOK); got["name"] != "Another name" {
					t.Errorf("read %v", got)
				}
				if list := f.do("GET", test.path, nil).list(); len(list) != 1 || list[0]["key"] != "first" {
					t.Errorf("listed %v", list)
				}
				delete(test.body, test.field)
				f.do("PUT", one, test.body).wantProblem(http.StatusUnprocessableEntity, test.field)
				f.do("PUT", one, map[string]any{"name": "x", "colour": "red"}).wantProblem(http.StatusUnprocessableEntity, "colour")
				f.do("DELETE", one, nil).want(http.StatusNoContent)
				f.do("DELETE", one, nil).wantProblem(http.StatusNotFound, "")
			})
		}
	})
}

func TestCatalogueKeepsWhatIsUsed(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		f.do("PUT", "/roles/hr", map[string]any{"name": "HR"}).want(http.StatusOK)
		f.do("PUT", "/integrations/"+id+"/group-mappings", []any{
			map[string]any{"group": map[string]any{"display_name": "HR"}, "role": "hr"},
		})
		f.do("DELETE", "/roles/hr", nil).wantProblem(http.StatusConflict, "")
		f.do("PUT", "/sites/north", map[string]any{"name": "North"}).want(http.StatusOK)
		f.do("PUT", "/sites/aarhus", map[string]any{"name": "Aarhus", "parent": "north"}).want(http.StatusOK)
		f.do("PUT", "/sites/odense", map[string]any{"name": "Odense", "parent": "nowhere"}).wantProblem(http.StatusUnprocessableEntity, "parent")
		f.do("DELETE", "/sites/north", nil).wantProblem(http.StatusConflict, "")
	})
}
