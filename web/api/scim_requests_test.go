package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// logged writes requests to the log of an integration, and gives the id of the last.
func (f *fixture) logged(integrationID string, rows ...model.SCIMRequest) string {
	f.t.Helper()
	said := model.SCIMExchange{Request: model.SCIMMessage{
		Headers: []model.SCIMHeader{{Name: "Authorization", Value: "Bearer [redacted]"}}, Body: `{"userName":"ada"}`, Bytes: 18,
	}}
	l := directory.NewRequestLog(directory.RequestLogOptions{Store: f.svc.Store})
	ref := model.Ref{OrganizationID: f.org.ID, IntegrationID: integrationID}
	id := ""
	for _, r := range rows {
		row := storetest.NewRequest(ref, r.Summary)
		if r.Status != 0 {
			row.Status, row.Result, row.Detail, row.Rule = r.Status, r.Result, r.Detail, r.Rule
		}
		row.SubjectID, row.Subject, row.SubjectKey, row.Method = r.SubjectID, r.Subject, model.Fold(r.Subject), "PATCH"
		l.Keep(storetest.Entry{Of: ref, Line: row, Said: said})
		id = row.ID
	}
	l.Reject(model.SCIMRejection{IntegrationID: integrationID, Cause: "expired", RemoteAddress: "192.0.2.1"})
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	l.Close(ctx)
	return id
}

func TestSCIMRequests(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		path := "/integrations/" + id + "/scim-requests"
		if got := f.do("GET", path, nil).want(http.StatusOK); len(objects(t, got["data"])) != 0 || got["next"] != nil {
			t.Errorf("before anything: %v", got)
		}
		ada := store.NewID()
		last := f.logged(id,
			model.SCIMRequest{Summary: "create user eve", Status: 409, Result: model.SCIMRejected, Detail: "taken", Rule: "uniqueness of userName"},
			model.SCIMRequest{Summary: "disable ada@contoso.com", SubjectID: ada, Subject: "ada@contoso.com"})
		for query, want := range map[string]int{
			"": 2, "q=USER%20EVE": 1, "q=taken": 1, "status=409": 1, "status=200": 1, "result=rejected": 1, "result=success": 1, "errors=true": 1,
			"method=patch": 2, "method=GET": 0, "subject=ADA@contoso.com": 1, "subject=" + ada: 1, "subject=nobody": 0,
			"from=2000-01-01T00:00:00Z": 2, "to=2000-01-01T00:00:00Z": 0, "from=2000-01-01T00:00:00Z&errors=true&q=eve&result=rejected": 1,
		} {
			if n := len(f.do("GET", path+"?"+query, nil).list()); n != want {
				t.Errorf("?%s gave %d lines, want %d", query, n, want)
			}
		}
		for query, field := range map[string]string{
			"from=yesterday": "from", "status=9": "status", "result=odd": "result", "after=bm8": "after", "errors=maybe": "errors", "limit=0": "limit",
		} {
			f.do("GET", path+"?"+query, nil).wantProblem(http.StatusUnprocessableEntity, field)
		}
		f.pages(path)
		one := f.do("GET", path+"/"+last, nil).want(http.StatusOK)
		request, _ := one["request"].(map[string]any)
		if one["summary"] != "disable ada@contoso.com" || one["subject_id"] != ada || request["body"] != `{"userName":"ada"}` || one["answer"] == nil {
			t.Errorf("one request: %v", one)
		}
		f.do("GET", path+"/"+store.NewID(), nil).wantProblem(http.StatusNotFound, "")
		f.do("GET", "/integrations/"+f.integration()+"/scim-requests/"+last, nil).wantProblem(http.StatusNotFound, "")
		rejections := f.do("GET", "/integrations/"+id+"/scim-rejections", nil).list()
		if len(rejections) != 1 || rejections[0]["cause"] != "expired" || rejections[0]["count"] != float64(1) {
			t.Errorf("refused attempts: %v", rejections)
		}
	})
}

// pages reads the two lines by one.
func (f *fixture) pages(path string) {
	f.t.Helper()
	first := f.do("GET", path+"?limit=1", nil).want(http.StatusOK)
	next := str(f.t, first, "next")
	second := f.do("GET", path+"?limit=1&after="+next, nil).want(http.StatusOK)
	a, b := objects(f.t, first["data"]), objects(f.t, second["data"])
	if len(a) != 1 || len(b) != 1 || a[0]["summary"] != "disable ada@contoso.com" || b[0]["summary"] != "create user eve" || second["next"] != nil {
		f.t.Errorf("page by page: %v, then %v", first, second)
	}
}

// TestSCIMRequestsExport gives more lines than a page in both forms.
func TestSCIMRequestsExport(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		rows := []model.SCIMRequest{{Summary: "=HYPERLINK(1)", Subject: "+1\n,\"x\""}}
		for i := range 1200 {
			rows = append(rows, model.SCIMRequest{Summary: fmt.Sprint("line ", i)})
		}
		f.logged(id, rows...)
		path := "/integrations/" + id + "/scim-requests"
		res := f.do("GET", path, nil, "Accept", "text/csv")
		table, err := csv.NewReader(strings.NewReader(string(res.raw))).ReadAll()
		if err != nil || len(table) != len(rows)+1 || table[0][1] != "summary" || table[1][1] != "line 1199" || table[len(rows)][1] != "'=HYPERLINK(1)" ||
			table[len(rows)][9] != "'+1\n,\"x\"" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") {
			t.Errorf("CSV of %d rows: %v, first %q, last %q", len(table), err, table[1], table[len(table)-1])
		}
		res = f.do("GET", path+"?q=line%201", nil, "Accept", "application/x-ndjson")
		lines := strings.Split(strings.TrimSpace(string(res.raw)), "\n")
		for _, line := range lines {
			var r model.SCIMRequest
			if err := json.Unmarshal([]byte(line), &r); err != nil || !strings.HasPrefix(r.Summary, "line 1") {
				t.Fatalf("%v in %s", err, line)
			}
		}
		if want := 1 + 10 + 100 + 200; len(lines) != want || res.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%d lines of %s, want %d", len(lines), res.Header.Get("Content-Type"), want)
		}
		f.do("GET", path+"?from=x", nil, "Accept", "text/csv").wantProblem(http.StatusUnprocessableEntity, "from")
		f.do("GET", "/integrations/"+store.NewID()+"/scim-requests", nil, "Accept", "text/csv").wantProblem(http.StatusNotFound, "")
	})
}
