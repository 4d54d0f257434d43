package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

func TestDirectory(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		ada := f.push(id, "ada@contoso.com")
		grace := f.push(id, "Grace.Hopper@contoso.com", map[string]any{
			"emails": []any{map[string]any{"type": "home", "value": "grace@contoso.example"}},
		})
		g := f.group(id, "HR", ada.ID, grace.ID)
		f.group(id, "Sales")
		users := "/integrations/" + id + "/directory-users"
		for query, want := range map[string][]string{
			"": {ada.ID, grace.ID}, "user_name=ADA@contoso.com": {ada.ID}, "external_id=ext-ada": {ada.ID}, "external_id=EXT-ADA": {},
			"email=grace@contoso.example": {grace.ID}, "q=hopper": {grace.ID}, "q=CONTOSO": {ada.ID, grace.ID}, "q=%25": {},
			"q=contoso&user_name=ada@contoso.com": {ada.ID}, "user_name=nobody": {},
		} {
			list := f.do("GET", users+"?"+query, nil).list()
			got := []string{}
			for _, u := range list {
				got = append(got, str(t, u, "id"))
			}
			if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
				t.Errorf("?%s gave %v, want %v", query, got, want)
			}
		}
		first := f.do("GET", users+"?q=contoso&limit=1", nil).want(http.StatusOK)
		second := f.do("GET", users+"?q=contoso&limit=1&after="+url.QueryEscape(str(t, first, "next")), nil).want(http.StatusOK)
		if data := objects(t, second["data"]); len(data) != 1 || data[0]["id"] != grace.ID || second["next"] != nil {
			t.Errorf("second page: %v", second)
		}
		got := f.do("GET", users+"/"+ada.ID, nil).want(http.StatusOK)
		document, _ := got["document"].(map[string]any)
		if document["userName"] != "ada@contoso.com" || got["account_id"] == nil {
			t.Errorf("directory user: %v", got)
		}
		groups := "/integrations/" + id + "/directory-groups"
		if list := f.do("GET", groups, nil).list(); len(list) != 2 {
			t.Errorf("%d groups, want 2", len(list))
		}
		if list := f.do("GET", groups+"?q=h", nil).list(); len(list) != 1 || list[0]["id"] != g.ID {
			t.Errorf("groups with h: %v", list)
		}
		f.do("GET", groups+"/"+g.ID, nil).want(http.StatusOK)
		page := f.do("GET", groups+"/"+g.ID+"/members?limit=1", nil).want(http.StatusOK)
		rest := f.do("GET", groups+"/"+g.ID+"/members?after="+str(t, page, "next"), nil).list()
		if data := objects(t, page["data"]); len(data) != 1 || len(rest) != 1 || data[0]["id"] != ada.ID || rest[0]["id"] != grace.ID || data[0]["type"] != "User" {
			t.Errorf("members: %v, then %v", page, rest)
		}
		other := f.integration()
		f.do("GET", "/integrations/"+other+"/directory-users/"+ada.ID, nil).wantProblem(http.StatusNotFound, "")
		f.do("GET", "/integrations/"+other+"/directory-groups/"+g.ID+"/members", nil).wantProblem(http.StatusNotFound, "")
	})
}

func TestPendingMembers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		ada := f.push(id, "ada@contoso.com")
		g := f.group(id, "HR", ada.ID, "ext-grace", "Zoe@contoso.com", "ünknown")
		path := "/integrations/" + id + "/directory-groups/" + g.ID
		page := f.do("GET", path+"/pending-members?limit=2", nil).want(http.StatusOK)
		rest := f.do("GET", path+"/pending-members?after="+url.QueryEscape(str(t, page, "next")), nil).want(http.StatusOK)
		first, last := objects(t, page["data"]), objects(t, rest["data"])
		if len(first) != 2 || len(last) != 1 || first[0]["value"] != "Zoe@contoso.com" || first[1]["value"] != "ext-grace" || last[0]["value"] != "ünknown" || rest["next"] != nil {
			t.Errorf("pending members: %v, then %v", page, rest)
		}
		if _, err := time.Parse(time.RFC3339, str(t, first[0], "created_at")); err != nil {
			t.Error(err)
		}
		if members := f.do("GET", path+"/members", nil).list(); len(members) != 1 {
			t.Errorf("members: %v", members)
		}
		if got := f.do("GET", path, nil).want(http.StatusOK); got["pending_members"] != 3.0 {
			t.Errorf("group: %v", got)
		}
		log := f.do("GET", "/activity?subject="+g.ID, nil).list()
		if len(log) != 1 || log[0]["summary"] != "group HR arrived; 1 member added to group HR; 3 members of group HR are not known yet" {
			t.Errorf("activity: %v", log)
		}
		grace := f.push(id, "grace@contoso.com")
		if members := f.do("GET", path+"/members", nil).list(); len(members) != 2 || members[1]["id"] != grace.ID {
			t.Errorf("members: %v", members)
		}
		if list := f.do("GET", path+"/pending-members", nil).list(); len(list) != 2 {
			t.Errorf("pending members: %v", list)
		}
		f.do("GET", path+"/pending-members?after=%25", nil).wantProblem(http.StatusUnprocessableEntity, "after")
		f.do("GET", "/integrations/"+f.integration()+"/directory-groups/"+g.ID+"/pending-members", nil).wantProblem(http.StatusNotFound, "")
		f.do("GET", "/integrations/"+id+"/directory-groups/none/pending-members", nil).wantProblem(http.StatusNotFound, "")
	})
}
