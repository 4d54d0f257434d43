package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/directory"
	"usher/internal/secret"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/web/api"
)

func TestWhatIsOursIsLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.SQLiteURL(t)})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	detail := f.do("GET", "/accounts", nil).wantProblem(http.StatusInternalServerError, "")
	if strings.Contains(detail, "sql") || strings.Contains(detail, "database") {
		t.Errorf("the caller is told %q", detail)
	}
	if !strings.Contains(f.log.String(), "database is closed") {
		t.Errorf("the cause is not logged: %q", f.log)
	}
}

func TestAPanicIsAFailureLikeAnyOther(t *testing.T) {
	t.Parallel()
	ring, err := secret.Parse(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, log: &bytes.Buffer{}, key: ring.NewToken(secret.PrefixAPI, store.NewID())}
	e := echo.New()
	api.New(api.Options{ // a service without a store
		Service: directory.New(directory.Options{Keys: ring}), Logger: slog.New(slog.NewTextHandler(f.log, nil)),
	}).Mount(e)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	f.url = server.URL
	f.do("GET", "/accounts", nil).wantProblem(http.StatusInternalServerError, "")
	if !strings.Contains(f.log.String(), "request panicked") || !strings.Contains(f.log.String(), "stack=") {
		t.Errorf("the log has %q", f.log)
	}
}

func TestWithoutAnInstallationKeyNobodyHasIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.OpenSQLite(t))
	e := echo.New()
	api.New(api.Options{Service: f.svc}).Mount(e)
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer  ", "Basic Og==", "bearer x"} {
		req := httptest.NewRequestWithContext(t.Context(), "GET", api.Base+"/organizations", nil)
		req.Header.Set("Authorization", header)
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, req)
		if rec.Code != http.StatusUnauthorized {
			t.Errorf("Authorization %q: %d", header, rec.Code)
		}
	}
}

func TestABodyThatBreaksOffIsTheClientsFailure(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.OpenSQLite(t))
	for path, kind := range map[string]string{"/integrations": "application/json", "/employees/import": "text/csv"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			t.Fatalf("%T", conn)
		}
		_, err = fmt.Fprintf(tcp, "POST %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nname,\r\nzz\r\n",
			api.Base, path, f.key, kind)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(tcp), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", path, res.StatusCode)
		}
		_, _ = res.Body.Close(), tcp.Close()
	}
	if n := len(f.do("GET", "/employees", nil).list()); n != 0 {
		t.Errorf("%d employees of a broken file", n)
	}
}

// blank is a CSV file of nothing but empty lines.
type blank struct{}

func (blank) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

func TestAnImportHasALimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.OpenSQLite(t))
	file := io.MultiReader(strings.NewReader("external_id\n1\n"), io.LimitReader(blank{}, 64<<20))
	f.do("POST", "/employees/import", file, "Content-Type", "text/csv").wantProblem(http.StatusRequestEntityTooLarge, "")
	if n := len(f.do("GET", "/employees", nil).list()); n != 0 {
		t.Errorf("%d employees of a file that is too large", n)
	}
}
