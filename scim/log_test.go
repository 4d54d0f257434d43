package scim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// logging is a world whose requests are logged.
type logging struct {
	world
	t   *testing.T
	log *directory.RequestLog
	h   http.Handler
	out *bytes.Buffer // of slog
}

func newLogging(t *testing.T, s *store.Store, opt directory.RequestLogOptions) *logging {
	t.Helper()
	opt.Store = s
	l := &logging{world: newWorld(t, s), t: t, log: directory.NewRequestLog(opt), out: &bytes.Buffer{}}
	t.Cleanup(func() { l.log.Close(t.Context()) })
	l.h = l.handler(scim.Options{Log: l.log, MaxBody: 200_000, Logger: slog.New(slog.NewTextHandler(l.out, nil))})
	return l
}

// rows writes what waits and reads the log, oldest first.
func (l *logging) rows() []model.SCIMRequest {
	l.t.Helper()
	l.log.Flush(l.t.Context())
	rows, _, err := l.service.Store.Read(l.t.Context()).SCIMRequestsBefore(l.ref, store.SCIMRequestFilter{}, "", 500)
	if err != nil {
		l.t.Fatal(err)
	}
	slices.SortStableFunc(rows, func(a, b model.SCIMRequest) int { return a.OccurredAt.Compare(b.OccurredAt) })
	return rows
}

func idIn(t *testing.T, got *httptest.ResponseRecorder) string {
	t.Helper()
	var made struct{ ID string }
	if err := json.Unmarshal(got.Body.Bytes(), &made); err != nil || made.ID == "" {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	return made.ID
}

func patch(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

// TestRequestLog follows a day of Entra through the server into the log.
func TestRequestLog(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLogging(t, s, directory.RequestLogOptions{})
		l.ask(l.h, "GET", "/Users?filter=userName+eq+%22"+store.NewID()+"%22", "")
		l.ask(l.h, "GET", "/Users?filter=userName+eq+%22ada@contoso.com%22", "")
		ada := idIn(t, l.ask(l.h, "POST", "/Users", `{"userName":"ada@contoso.com","active":"True","password":"hunter2"}`))
		l.ask(l.h, "POST", "/Users", `{"userName":"ADA@contoso.com"}`)
		l.ask(l.h, "GET", "/Users?filter=userName+eq+%22ada@contoso.com%22", "")
		l.ask(l.h, "PATCH", "/Users/"+ada, patch(`{"op":"Replace","path":"title","value":"Countess"},{"op":"Replace","path":"nosuch","value":"x"}`))
		l.ask(l.h, "PATCH", "/Users/"+ada, patch(`{"op":"Replace","path":"userName","value":"ada@fabrikam.com"}`))
		sales := idIn(t, l.ask(l.h, "POST", "/Groups", `{"displayName":"Sales"}`))
		l.ask(l.h, "PATCH", "/Groups/"+sales, patch(`{"op":"Add","path":"members","value":[{"value":"`+ada+`"}]}`))
		l.ask(l.h, "PATCH", "/Groups/"+sales, patch(`{"op":"Replace","path":"displayName","value":"Sales EMEA"}`))
		l.ask(l.h, "PATCH", "/Groups/"+sales, patch(`{"op":"remove","path":"members[value eq \"`+ada+`\"]"}`))
		l.ask(l.h, "DELETE", "/Users/"+ada, "")
		l.ask(l.h, "DELETE", "/Users/"+ada, "")
		l.ask(l.h, "DELETE", "/Groups/"+sales, "")
		l.ask(l.h, "PUT", "/Users", "{}")
		l.ask(l.h, "POST", "/Users", strings.Repeat(" ", 200_001))
		want := []string{
			`200 success test the connection [] ""`,
			`200 success look for a user by userName ada@contoso.com (found none) [] "User ada@contoso.com"`,
			`201 success create user ada@contoso.com [] "User ada@contoso.com"`,
			`409 rejected create user ADA@contoso.com [uniqueness of userName] "User ADA@contoso.com"`,
			`200 success look for a user by userName ada@contoso.com (found ada@contoso.com) [] "User ada@contoso.com"`,
			`400 rejected change title and nosuch of ada@contoso.com [paths of PATCH] "User ada@contoso.com"`,
			`200 success rename user ada@contoso.com to ada@fabrikam.com [] "User ada@contoso.com"`,
			`201 success create group Sales [] "Group Sales"`,
			`204 success add ada@fabrikam.com to Sales [] "Group Sales"`,
			`204 success rename group Sales to Sales EMEA [] "Group Sales"`,
			`204 success remove ada@fabrikam.com from Sales EMEA [] "Group Sales EMEA"`,
			`204 success delete user ada@fabrikam.com [] "User ada@fabrikam.com"`,
			`404 not_found delete user ada@fabrikam.com [existence] "User ada@fabrikam.com"`,
			`204 success delete group Sales EMEA [] "Group Sales EMEA"`,
			`405 rejected use PUT on /Users [methods of the endpoint] ""`,
			`413 rejected create user [limit of size] "User "`,
		}
		rows := l.rows()
		for i, r := range rows {
			got := fmt.Sprintf("%d %s %s [%s] %q", r.Status, r.Result, r.Summary, r.Rule, strings.TrimPrefix(r.SubjectType+" "+r.Subject, " "))
			if i >= len(want) || got != want[i] {
				t.Errorf("line %d says\n%s\nwant\n%s", i, got, want[min(i, len(want)-1)])
			}
			if r.CredentialName != "Entra" || r.RemoteAddress != "192.0.2.1" || r.DurationUS < 0 || (r.Status < 400) != (r.Detail == "") {
				t.Errorf("line %d: %+v", i, r)
			}
		}
		if len(rows) != len(want) {
			t.Fatalf("%d lines, want %d", len(rows), len(want))
		}
		if r := rows[2]; !slices.Contains(r.Deviations, "string boolean") || r.SubjectID != ada || r.Path != "/Users" || r.Method != "POST" {
			t.Errorf("the creation: %+v", r)
		}
		l.exchange(rows[2])
	})
}

// exchange reads what was sent and answered when Ada was created.
func (l *logging) exchange(r model.SCIMRequest) {
	l.t.Helper()
	_, x, err := l.service.SCIMRequest(l.t.Context(), l.ref, r.ID)
	if err != nil {
		l.t.Fatal(err)
	}
	if x.Request.Body != `{"userName":"ada@contoso.com","active":"True","password":"[redacted]"}` || x.Request.Cut ||
		!slices.Contains(x.Request.Headers, model.SCIMHeader{Name: "Authorization", Value: "Bearer [redacted]"}) {
		l.t.Errorf("sent %+v", x.Request)
	}
	location := publicURL + "/scim/v2/" + l.integration + "/Users/" + r.SubjectID
	if !strings.Contains(x.Answer.Body, `"userName":"ada@contoso.com"`) || !slices.Contains(x.Answer.Headers, model.SCIMHeader{Name: "Location", Value: location}) {
		l.t.Errorf("answered %+v", x.Answer)
	}
}

// TestRequestID shows that the answer, the log and slog name a request in one way.
func TestRequestID(t *testing.T) {
	t.Parallel()
	l := newLogging(t, storetest.OpenSQLite(t), directory.RequestLogOptions{})
	id := l.ask(l.h, "GET", "/Users", "").Header().Get("X-Request-Id")
	rows := l.rows()
	if len(rows) != 1 || rows[0].ID != id || !store.ValidID(id) || !strings.Contains(l.out.String(), "request_id="+id) {
		t.Errorf("answered %q, logged %+v\n%s", id, rows, l.out)
	}
	l.token = "wrong"
	if id := l.ask(l.h, "GET", "/Users", "").Header().Get("X-Request-Id"); !store.ValidID(id) {
		t.Errorf("a refused request has the id %q", id)
	}
}

// TestRequestLogOfErrors shows what is kept where only errors are, and nothing where nothing is.
func TestRequestLogOfErrors(t *testing.T) {
	t.Parallel()
	for mode, want := range map[directory.SCIMLogMode]int{directory.SCIMLogErrors: 1, directory.SCIMLogOff: 0} {
		l := newLogging(t, storetest.OpenSQLite(t), directory.RequestLogOptions{Mode: mode})
		l.ask(l.h, "GET", "/Users", "")
		l.ask(l.h, "GET", "/Users/x", "")
		if rows := l.rows(); len(rows) != want || want == 1 && rows[0].Status != 404 {
			t.Errorf("%s keeps %+v", mode, rows)
		}
	}
}

// TestRejectedAttempts shows that who is not let in is counted by the reason, and nothing else is kept of it.
func TestRejectedAttempts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLogging(t, s, directory.RequestLogOptions{})
		good := l.token
		for _, token := range []string{"", "nonsense", good[:len(good)-1] + "x", good[:len(good)-1] + "x"} {
			l.token = token
			if got := l.ask(l.h, "GET", "/Users?filter=userName+eq+%22ada%22", ""); got.Code != 401 {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
		}
		l.integration, l.token = store.NewID(), good
		l.ask(l.h, "GET", "/Users", "")
		if rows := l.rows(); len(rows) != 0 {
			t.Errorf("attempts stand among the requests: %+v", rows)
		}
		list, err := s.Read(t.Context()).SCIMRejectionsBefore(l.ref, "", 500)
		if err != nil {
			t.Fatal(err)
		}
		total := int64(0)
		for _, r := range list {
			total += r.Count
			if r.Cause == "" || r.RemoteAddress != "192.0.2.1" || strings.Contains(fmt.Sprint(r), good[len(good)-20:len(good)-9]) {
				t.Errorf("counted %+v", r)
			}
		}
		if total != 4 {
			t.Errorf("%d attempts of 4 were counted: %+v", total, list)
		}
	})
}

// TestNoSecretInTheLog sends bodies, headers and queries with secrets in all places, and looks for them in the database.
func TestNoSecretInTheLog(t *testing.T) {
	t.Parallel()
	l := newLogging(t, storetest.OpenSQLite(t), directory.RequestLogOptions{})
	ada := idIn(t, l.ask(l.h, "POST", "/Users", `{"userName":"ada@contoso.com"}`))
	const marker = "hunter2-XyZ"
	secrets := []string{"password", "PassWord", "client_secret", "urn:x:2.0:User:apiKey", "accessToken", "client_assertion"}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(secrets).Draw(rt, "name")
		body := rapid.SampledFrom([]string{
			`{"userName":"u","N":"M"}`, `{"userName":"u","x":{"y":[{"N":{"z":"M"}}]}}`, `{"Operations":[{"op":"replace","path":"N","value":"M"}]}`,
			`{"Operations":[{"value":["M"],"path":"N","op":"add"}]}`, `{"Operations":[{"op":"add","value":{"title":"x","N":"M"}}]}`,
			`{"N":"M"`, `N=M&x=y`, `{"N":M}`, `<N>M</N>`, `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"u","N":"M"}}]}`,
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"N eq \"M\""}`, `{"userName":"u","x":"{\"N\":\"M\"}"}`,
		}).Draw(rt, "body")
		path := rapid.SampledFrom([]string{"/Users", "/Users/" + ada, "/Groups", "/Bulk", "/.search", "/Users?N=M", "/Users?filter=N+eq+%22M%22"}).Draw(rt, "path")
		method := rapid.SampledFrom([]string{"POST", "PATCH", "PUT", "GET"}).Draw(rt, "method")
		fill := strings.NewReplacer("N", name, "M", marker)
		r := httptest.NewRequest(method, "/scim/v2/"+l.integration+fill.Replace(path), strings.NewReader(fill.Replace(body)))
		r.Header.Set("Authorization", "Bearer "+l.token)
		r.Header.Set("Cookie", marker)
		r.Header.Set("X-Api-Key", marker)
		l.h.ServeHTTP(httptest.NewRecorder(), r)
	})
	l.token = "usher_scim_" + marker
	l.ask(l.h, "GET", "/Users", "")
	for _, r := range l.rows() {
		_, x, err := l.service.SCIMRequest(t.Context(), l.ref, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		all := fmt.Sprintf("%+v %+v", r, x)
		if i := strings.Index(all, marker); i >= 0 {
			t.Fatalf("a secret stands in the log: %s\n%s", all[max(0, i-300):i], all)
		}
		if strings.Contains(all, l.token) {
			t.Fatalf("the token stands in the log: %s", all)
		}
	}
}

// still requests cost nothing in the core, so that the benchmark sees what the log costs the request itself.
func BenchmarkRequestLogged(b *testing.B) {
	s := storetest.OpenSQLite(b)
	w := newWorld(b, s)
	for _, mode := range []directory.SCIMLogMode{directory.SCIMLogOff, directory.SCIMLogFull} {
		b.Run(string(mode), func(b *testing.B) {
			l := directory.NewRequestLog(directory.RequestLogOptions{Store: s, Mode: mode})
			h := w.handler(scim.Options{Log: l})
			b.ReportAllocs()
			for b.Loop() {
				if got := w.ask(h, "GET", "/ServiceProviderConfig", ""); got.Code != 200 {
					b.Fatal(got.Code)
				}
			}
			l.Close(b.Context())
		})
	}
}
