package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store/storetest"
	"usher/web/api"
)

// FuzzAPI sends any request, with the installation's key, to the whole API over a real database: the answer is never a failure
// of the server, and one of the client says what is wrong. {i} in the path stands for an integration that is there.
func FuzzAPI(f *testing.F) {
	for _, s := range [][5]string{
		{"GET", "/accounts", "email=ada@contoso.com&status=active&limit=2", "", ""},
		{"POST", "/accounts", "", "application/json", `{"email":"ada@contoso.com","roles":["hr"]}`},
		{"PATCH", "/accounts/{i}", "", "application/json", `{"display_name":null,"custom_fields":{"a":1e999}}`},
		{"POST", "/accounts/bulk", "", "", `{"action":"deactivate","filter":{"email_not_in":["contoso.com"]},"dry_run":true}`},
		{"PUT", "/integrations/{i}/group-mappings", "", "", `[{"group":{"display_name":"HR"},"role":"hr","permissions":[{"module":"m","level":"admin"}]}]`},
		{"PUT", "/integrations/{i}/field-mappings", "", "", `[{"source":"emails[type eq \"work\"].value","target":"custom_fields.a","mode":"always","expression":"lower(value)"}]`},
		{"PUT", "/integrations/{i}/exclusions", "", "", `[{"pattern":"*service*"},{"attribute":"title","operator":"empty"}]`},
		{"PATCH", "/integrations/{i}", "", "", `{"guard":{"minimum":-1,"percent":101},"priority":99999999999}`},
		{"GET", "/integrations/{i}/directory-users", "filter=userName+eq+%22a%22&after=%00", "", ""},
		{"GET", "/integrations/{i}/scim-requests", "from=2026-01-01T00:00:00Z&q=ada&status=400", "", "text/csv"},
		{"GET", "/changes", "after=-1&wait=1h&types=account.*", "", ""},
		{"GET", "/changes", "after=1&wait=1ms", "", ""},
		{"GET", "/activity", "from=yesterday&after=AAAA", "", ""},
		{"POST", "/employees/import", "", "text/csv", "external_id,email\n\"a,b\n"},
		{"POST", "/employees/import", "", "text/csv", "\xef\xbb\xbfexternal_id;email\r\n1;a@b\x00"},
		{"PUT", "/employees/%00", "", "", `{"resignation_date":"2026-02-30"}`},
		{"PUT", "/sites/a", "", "", `{"name":"\ud800","parent":"a"}`},
		{"POST", "/integrations/{i}/scim-tokens", "", "", `{"name":"x","expires_at":"0001-01-01T00:00:00Z"}`},
		{"PUT", "/custom-fields/\xff", "", "application/xml", `[[[[[[`},
		{"BREW", "//..//%2e", "%zz", "", ""},
	} {
		f.Add(s[0], s[1], s[2], s[3], s[4])
	}
	h, integration := fuzzed(f)
	f.Fuzz(func(t *testing.T, method, path, query, kind, body string) {
		path = strings.ReplaceAll(path, "{i}", integration)
		if method == http.MethodDelete && strings.Contains(path, integration) || !strings.HasPrefix(path, "/") {
			return // the others need it; or it is not within the API
		}
		r := &http.Request{
			Method: method, URL: &url.URL{Path: api.Base + path, RawQuery: query}, RemoteAddr: "192.0.2.1:1", ContentLength: int64(len(body)),
			Header: http.Header{"Authorization": {"Bearer " + adminKey}, "Content-Type": {kind}, "Accept": {kind}}, Body: io.NopCloser(strings.NewReader(body)),
		}
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r.WithContext(t.Context()))
		if got.Code >= 500 {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		if got.Code < 400 || got.Body.Len() == 0 {
			return
		}
		var p struct {
			Status int
			Detail string
		}
		if err := json.Unmarshal(got.Body.Bytes(), &p); err != nil || p.Status != got.Code || p.Detail == "" {
			t.Fatalf("%d with what is no problem: %s", got.Code, got.Body)
		}
	})
}

// fuzzed gives the API over a database of its own, with an integration. Nobody waits there for news.
func fuzzed(f *testing.F) (h http.Handler, integration string) {
	f.Helper()
	ring, err := secret.Parse(secret.NewKey())
	if err != nil {
		f.Fatal(err)
	}
	s := storetest.OpenSQLite(f)
	svc := directory.New(directory.Options{Store: s, Keys: ring})
	if err := svc.EnsureDefault(f.Context()); err != nil {
		f.Fatal(err)
	}
	org, err := s.Read(f.Context()).Organization(model.DefaultOrganization)
	if err != nil {
		f.Fatal(err)
	}
	i, err := svc.CreateIntegration(f.Context(), org.ID, directory.DefaultIntegration("Contoso", model.IngressSCIM), nil)
	if err != nil {
		f.Fatal(err)
	}
	stopping, stop := context.WithCancel(f.Context())
	stop()
	e := echo.New()
	api.New(api.Options{Service: svc, PublicURL: publicURL, AdminKey: adminKey, Logger: slog.New(slog.DiscardHandler), Stopping: stopping}).Mount(e)
	return e, i.ID
}
