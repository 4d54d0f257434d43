package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"usher/directory"
	"usher/internal/app"
	"usher/internal/verify"
	"usher/model"
)

// serving starts a server on a SQLite database and gives the id and the Tenant URL of a new integration, with a token.
func serving(t *testing.T, db string) (id, url, token string) {
	t.Helper()
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.Listen, cfg.Migrate, cfg.NoWorkers = "sqlite:"+db, "127.0.0.1:0", true, true
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = a.Close()
	})
	org, err := a.Store.Read(t.Context()).Organization(model.DefaultOrganization)
	if err != nil {
		t.Fatal(err)
	}
	i, err := a.Service.CreateIntegration(t.Context(), org.ID, directory.DefaultIntegration("Contoso", model.IngressSCIM), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err = a.Service.CreateSCIMToken(t.Context(), i.Ref(), "verify", nil)
	if err != nil {
		t.Fatal(err)
	}
	return i.ID, a.URL() + "/scim/v2/" + i.ID, token
}

// shell runs the program and gives its status and all that it wrote.
func shell(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(t.Context(), args, console{&out, &out, strings.NewReader("")})
	return code, out.String()
}

func TestVerifyReports(t *testing.T) {
	_, url, token := serving(t, filepath.Join(t.TempDir(), "usher.db"))
	code, text := shell(t, "verify", url, "--token", token, "--only", "create,protocol/me")
	if code != 0 || !strings.Contains(text, "pass  create/duplicate") || !strings.Contains(text, "0 failed") {
		t.Fatalf("status %d\n%s", code, text)
	}
	t.Setenv("USHER_VERIFY_TOKEN", token)
	code, text = shell(t, "verify", url, "--only", "filter", "--format", "json", "--read-only")
	var report struct {
		Checks []verify.Result `json:"checks"`
		Left   []any           `json:"left_behind"`
		Only   bool            `json:"read_only"`
		Sum    map[string]int  `json:"summary"`
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil || code != 0 {
		t.Fatalf("status %d, %v\n%s", code, err, text)
	}
	if report.Sum["passed"] < 3 || report.Sum["failed"] != 0 || !report.Only || report.Left == nil || len(report.Checks) < 20 {
		t.Errorf("%+v", report)
	}
	code, text = shell(t, "verify", url, "--only", "discovery", "--format", "junit")
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name string `xml:"name,attr"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal([]byte(text), &suite); err != nil || code != 0 || suite.Tests != len(suite.Cases) || suite.Tests < 5 || suite.Failures != 0 {
		t.Errorf("status %d, %v, %+v\n%s", code, err, suite, text)
	}
	if strings.Contains(text, token) {
		t.Error("the token is shown")
	}
}

func TestVerifyTellsFailureFromWrongUse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	code, text := shell(t, "verify", server.URL, "--only", "filter/probe")
	if code != exitFailed || !strings.Contains(text, "fail  filter/probe") || !strings.Contains(text, "404 Not Found") {
		t.Errorf("a server that is none: status %d\n%s", code, text)
	}
	code, text = shell(t, "verify", server.URL, "--only", "filter/probe", "--format", "junit")
	if code != exitFailed || !strings.Contains(text, "<failure") {
		t.Errorf("a server that is none: status %d\n%s", code, text)
	}
	for _, args := range [][]string{
		{"verify"},
		{"verify", "http://scim.contoso.example"},
		{"verify", "scim"},
		{"verify", server.URL, "--only", "nothing"},
		{"verify", server.URL, "--format", "pdf"},
		{"verify", server.URL, "--timeout", "soon"},
	} {
		if code, text := shell(t, args...); code != exitUsage {
			t.Errorf("usher %v: status %d\n%s", args, code, text)
		}
	}
	if code, text := shell(t, "verify", "--list"); code != 0 || !strings.Contains(text, "member/at-once (required by Entra;") {
		t.Errorf("the list: status %d\n%s", code, text)
	}
}
