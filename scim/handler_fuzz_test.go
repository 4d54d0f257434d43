package scim_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/model"
	"usher/model/store/storetest"
	"usher/scim"
)

// FuzzHandler sends any request, with the token, to the whole edge over a real database: the answer is never a failure of the
// server, and always SCIM. {user} and {group} in the path and the body stand for what is there.
func FuzzHandler(f *testing.F) {
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	for _, s := range [][6]string{
		{"GET", "/Users", `filter=userName+eq+"ada@contoso.com"`, "", "", ""},
		{"GET", "/Users", `filter=emails[type+eq+"work"].value+co+"a"+and+not+(active+eq+false)&sortBy=name.familyName&sortOrder=descending&count=2`, "", "", ""},
		{"GET", "/Groups", `filter=id+eq+"{group}"+and+members+eq+"{user}"&attributes=id,members.value&cursor`, "", "", ""},
		{"GET", "", `startIndex=2&count=1&excludedAttributes=members`, "", "", ""},
		{"GET", "/Users/{user}", "attributes=groups,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", `W/"1"`, "", ""},
		{"POST", "/Users", "", "", "application/scim+json", `{"userName":"x@contoso.com","emails":[{"type":"work","value":"x","primary":"True"}],"urn:a:b":{"c":[1e3]}}`},
		{"PUT", "/Users/{user}", "", "*", "", `{"userName":"ada@contoso.com","active":"False","manager":"{user}"}`},
		{"PATCH", "/Users/{user}", "", "", "", patch + `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"y@contoso.com"},{"op":"Add","value":{"name.givenName":"A"}}]}`},
		{"PATCH", "/Groups/{group}", "", `"7", W/"1"`, "", patch + `{"op":"Add","path":"members","value":[{"value":"{user}"},{"value":"nobody"}]},{"op":"Remove","path":"members[value eq \"{user}\"]"}]}`},
		{"DELETE", "/Groups/{group}", "", "", "", ""},
		{"POST", "/.search", "", "", "text/plain; charset=utf-8", `{"filter":"displayName sw \"a\"","attributes":["id"],"count":3}`},
		{"POST", "/Bulk", "", "", "", `{"failOnErrors":2,"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"bulk"}},{"method":"PATCH","path":"/Groups/{group}","data":` + patch + `{"op":"add","path":"members","value":[{"value":"bulkId:a"}]}]}}]}`},
		{"GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", "", "", ""},
		{"OPTIONS", "/Me", "", "", "", ""},
		{"BREW", "//Users/", "%", "\xff", "a/b;c=\x00", "\xff\xfe{"},
		{"HEAD", "/Users/%00/..", "aadOptscim062020", "\"", "gzip", "\x1f\x8b"},
	} {
		f.Add(s[0], s[1], s[2], s[3], s[4], []byte(s[5]))
	}
	s := storetest.OpenSQLite(f)
	w := newWorld(f, s)
	h := w.handler(scim.Options{})
	user := w.made(f, h, "/Users", `{"userName":"ada@contoso.com"}`)
	group := w.made(f, h, "/Groups", `{"displayName":"Analysts","members":[{"value":"`+user+`"}]}`)
	ids := strings.NewReplacer("{user}", user, "{group}", group)
	f.Fuzz(func(t *testing.T, method, path, query, match, kind string, body []byte) {
		r := &http.Request{
			Method: method, URL: &url.URL{Path: "/scim/v2/" + w.integration + ids.Replace(path), RawQuery: ids.Replace(query)},
			Header: http.Header{"Authorization": {"Bearer " + w.token}, "If-Match": {match}, "Content-Type": {kind}, "Accept": {kind, "*/*"}},
			Body:   io.NopCloser(strings.NewReader(ids.Replace(string(body)))), ContentLength: -1, RemoteAddr: "192.0.2.1:1",
		}
		if match == "" {
			r.Header.Del("If-Match")
		}
		if kind == "gzip" {
			r.Header.Set("Content-Encoding", kind)
		}
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r.WithContext(t.Context()))
		if got.Header().Get("X-Request-Id") == "" {
			return // the path left the edge
		}
		checkSCIM(t, got)
	})
}

// made creates a resource and gives its id.
func (w world) made(tb testing.TB, h http.Handler, path, body string) string {
	tb.Helper()
	var r struct{ ID string }
	got := w.ask(h, http.MethodPost, path, body)
	if err := json.Unmarshal(got.Body.Bytes(), &r); err != nil || r.ID == "" {
		tb.Fatalf("%d %s", got.Code, got.Body)
	}
	return r.ID
}

// checkSCIM wants an answer to be one of SCIM, and no failure of the server.
func checkSCIM(t *testing.T, got *httptest.ResponseRecorder) {
	t.Helper()
	if got.Code >= 500 && got.Code != http.StatusNotImplemented {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if !strings.HasPrefix(got.Header().Get("Content-Type"), "application/scim+json") {
		t.Fatalf("%d with Content-Type %q", got.Code, got.Header().Get("Content-Type"))
	}
	if got.Body.Len() > 0 && !json.Valid(got.Body.Bytes()) {
		t.Fatalf("%d with what is no JSON: %q", got.Code, got.Body)
	}
	if got.Code >= 400 && got.Body.Len() > 0 {
		var e struct {
			Schemas        []string
			Status, Detail string
		}
		if err := json.Unmarshal(got.Body.Bytes(), &e); err != nil || len(e.Schemas) != 1 || e.Status != strconv.Itoa(got.Code) || e.Detail == "" {
			t.Fatalf("%d with what is no error of SCIM: %s", got.Code, got.Body)
		}
	}
}

// generous gives a token to everybody whose secret is not empty.
type generous struct{}

func (generous) SecretGrant(_ context.Context, id, _ string) (model.SCIMGrant, error) {
	if id == "nobody" {
		return model.SCIMGrant{}, model.Errorf(model.Unauthorized, "unknown")
	}
	return model.SCIMGrant{Token: "t"}, nil
}

func (generous) AssertionGrant(context.Context, string, string) (model.SCIMGrant, error) {
	return model.SCIMGrant{Token: "t"}, nil
}

// FuzzToken: whatever is sent to the token endpoint, the answer is a token or an error of RFC 6749 that the client can act on.
func FuzzToken(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	f.Add("POST", "", "", form, "grant_type=client_credentials&client_id=a&client_secret=b&scope=x")
	f.Add("POST", "/a", "Basic YTpi", form+"; charset=utf-8", "grant_type=client_credentials")
	f.Add("POST", "/a", "", form, "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=a.b.c")
	f.Add("POST", "", "", form, "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=%00&client_id=nobody")
	f.Add("GET", "//", "Basic \xff", "text/plain", "%zz&;=\x00")
	e := echo.New()
	scim.NewTokenEndpoint(scim.TokenOptions{Grants: generous{}, Logger: slog.New(slog.DiscardHandler)}).Mount(e)
	f.Fuzz(func(t *testing.T, method, path, authorization, kind, body string) {
		r := &http.Request{
			Method: method, URL: &url.URL{Path: scim.TokenPath + path}, RemoteAddr: "192.0.2.1:1", ContentLength: -1,
			Header: http.Header{"Authorization": {authorization}, "Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)),
		}
		if authorization == "" {
			r.Header.Del("Authorization")
		}
		got := httptest.NewRecorder()
		e.ServeHTTP(got, r.WithContext(t.Context()))
		var a struct {
			Token       string `json:"access_token"`
			Error       string
			Description string `json:"error_description"`
		}
		switch err := json.Unmarshal(got.Body.Bytes(), &a); {
		case method == http.MethodHead || got.Header().Get("Cache-Control") == "": // no body, or not the endpoint
		case got.Code >= 500 || err != nil || (got.Code == http.StatusOK) != (a.Token != "") || a.Token == "" && (a.Error == "" || a.Description == ""):
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	})
}
