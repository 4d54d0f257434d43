package scim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// bulkAnswer is the answer to a bulk request.
type bulkAnswer struct {
	Operations []struct {
		Method, BulkID, Location, Status string
		Response                         struct{ ScimType, Detail, Status string }
	}
}

func (w world) bulk(tb testing.TB, h http.Handler, body string) (int, bulkAnswer) {
	tb.Helper()
	got := w.ask(h, http.MethodPost, "/Bulk", body)
	var a bulkAnswer
	if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil {
		tb.Fatalf("%v\n%s", err, got.Body)
	}
	return got.Code, a
}

// TestBulkLimits shows that the limits hold, that the answer names them, and that ServiceProviderConfig tells the same.
func TestBulkLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	h := w.handler(scim.Options{MaxBody: 20_000})
	var config struct {
		Bulk struct {
			Supported                     bool
			MaxOperations, MaxPayloadSize int
		}
		Etag struct{ Supported bool }
	}
	if err := json.Unmarshal(w.ask(h, "GET", "/ServiceProviderConfig", "").Body.Bytes(), &config); err != nil || !config.Bulk.Supported || !config.Etag.Supported {
		t.Fatalf("%+v, %v", config, err)
	}
	ops := func(n int, op string) string {
		return `{"Operations":[` + strings.TrimSuffix(strings.Repeat(op+",", n), ",") + `]}`
	}
	const gone = `{"method":"DELETE","path":"/Users/x"}`
	status, a := w.bulk(t, h, ops(config.Bulk.MaxOperations, gone))
	if status != 200 || len(a.Operations) != config.Bulk.MaxOperations || a.Operations[0].Status != "404" {
		t.Errorf("as many operations as possible: %d, %d results", status, len(a.Operations))
	}
	full := ops(1, gone)
	full += strings.Repeat(" ", config.Bulk.MaxPayloadSize-len(full))
	if status, _ := w.bulk(t, h, full); status != 200 {
		t.Errorf("as large as possible: %d", status)
	}
	for _, tt := range []struct{ body, names string }{
		{ops(config.Bulk.MaxOperations+1, gone), fmt.Sprint(config.Bulk.MaxOperations)},
		{full + " ", fmt.Sprint(config.Bulk.MaxPayloadSize)},
	} {
		got := w.ask(h, "POST", "/Bulk", tt.body)
		if got.Code != 413 || !strings.Contains(got.Body.String(), tt.names) {
			t.Errorf("%d %s; want 413 that names %s", got.Code, got.Body, tt.names)
		}
	}
	large := fmt.Sprintf(`{"method":"POST","path":"/Users","data":{"userName":"ada","x":%q}}`, strings.Repeat("x", 20_000))
	if _, a := w.bulk(t, h, ops(1, large)); a.Operations[0].Status != "413" || !strings.Contains(a.Operations[0].Response.Detail, "20000") {
		t.Errorf("a resource that is too large: %+v", a)
	}
}

// TestBulkTime shows that nothing is begun when the client is about to give up, and that each operation says so.
func TestBulkTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	start := time.Now()
	calls := 0
	h := w.handler(scim.Options{Now: func() time.Time { // each look at the clock takes a second
		calls++
		return start.Add(time.Duration(calls) * time.Second)
	}})
	var ops []string
	for i := range 60 {
		ops = append(ops, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":"u%d"}}`, i, i))
	}
	_, a := w.bulk(t, h, `{"Operations":[`+strings.Join(ops, ",")+`]}`)
	if len(a.Operations) != 60 || a.Operations[0].Status != "201" || a.Operations[59].Status != "503" {
		t.Fatalf("%+v", a)
	}
	if got := w.ask(h, "GET", "/Users?filter=userName+eq+%22u59%22", ""); !strings.Contains(got.Body.String(), `"totalResults":0`) {
		t.Errorf("what was not begun is there: %s", got.Body)
	}
}

// fragile is a core in which deleting panics, and reading is not possible.
type fragile struct{ scim.Directory }

func (fragile) DeleteUser(context.Context, model.Ref, string, func(*model.DirectoryUser) error) error {
	panic("secret")
}

func (fragile) ChangeUser(context.Context, model.Ref, string, func(*model.DirectoryUser) error) (model.DirectoryUser, error) {
	return model.DirectoryUser{}, errors.New("SELECT secret")
}

// TestBulkFailures shows that an operation that breaks the server is one that failed; its neighbours are done.
func TestBulkFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	var log bytes.Buffer
	e := echo.New()
	scim.New(scim.Options{
		Directory: fragile{w.service}, Tokens: w.service, PublicURL: publicURL, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}).Mount(e)
	status, a := w.bulk(t, e, `{"Operations":[{"method":"DELETE","path":"/Users/1"},{"method":"PATCH","path":"/Users/1","data":{"Operations":[]}},
		{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"ada"}}]}`)
	var statuses []string
	for _, op := range a.Operations {
		statuses = append(statuses, op.Status)
		if strings.Contains(op.Response.Detail, "secret") {
			t.Errorf("the client is told %s", op.Response.Detail)
		}
	}
	if status != 200 || !slices.Equal(statuses, []string{"500", "500", "201"}) {
		t.Errorf("%d %q", status, statuses)
	}
	if n := strings.Count(log.String(), "secret"); n < 2 {
		t.Errorf("the log holds %d of 2 failures:\n%s", n, log.String())
	}
}

// TestBulkLong resolves a chain in which every operation refers to the one after it, and a circle as long as a request.
func TestBulkLong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		h := w.handler(scim.Options{})
		const n = 200
		for name, last := range map[string]string{"chain": "x", "circle": "bulkId:0"} {
			var ops []string
			for i := range n {
				manager := fmt.Sprintf("bulkId:%d", i+1)
				if i == n-1 {
					manager = last
				}
				ops = append(ops, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":"%s%d","manager":%q}}`, i, name, i, manager))
			}
			_, a := w.bulk(t, h, `{"Operations":[`+strings.Join(ops, ",")+`]}`)
			for i, op := range a.Operations {
				if op.Status != "201" || op.BulkID != fmt.Sprint(i) {
					t.Fatalf("%s: %d is %+v", name, i, op)
				}
				if i == 0 || i == n-1 {
					continue
				}
				_, id, _ := strings.Cut(a.Operations[i+1].Location, "/Users/")
				path := strings.TrimPrefix(op.Location, publicURL+"/scim/v2/"+w.integration)
				if got := w.ask(h, "GET", path+"?attributes=manager.value", ""); id == "" || !strings.Contains(got.Body.String(), `{"value":"`+id+`"}`) {
					t.Fatalf("%s: %d: %s; want the manager %s", name, i, got.Body, id)
				}
			}
		}
	})
}

// agreeable is a core that does whatever it is asked, and keeps nothing.
type agreeable struct{ still }

func (agreeable) CreateUser(_ context.Context, _ model.Ref, u model.DirectoryUser) (model.DirectoryUser, error) {
	u.ID = "u"
	return u, nil
}

func (agreeable) CreateGroup(_ context.Context, _ model.Ref, g model.DirectoryGroup, _ []string) (model.DirectoryGroup, error) {
	g.ID = "g"
	return g, nil
}

func (agreeable) ChangeGroup(_ context.Context, _ model.Ref, _ string, edit func(*model.DirectoryGroup) ([]model.MemberOp, error)) (model.DirectoryGroup, error) {
	var g model.DirectoryGroup
	_, err := edit(&g)
	return g, err
}

func (agreeable) DeleteUser(_ context.Context, _ model.Ref, _ string, check func(*model.DirectoryUser) error) error {
	return check(&model.DirectoryUser{})
}

func (agreeable) DeleteGroup(_ context.Context, _ model.Ref, _ string, check func(*model.DirectoryGroup) error) error {
	return check(&model.DirectoryGroup{})
}

// FuzzBulk: whatever comes, the answer is one of the client's mistakes or a result for each operation that was begun, none
// of them a failure of the server.
func FuzzBulk(f *testing.F) {
	for _, seed := range []string{
		`{"Operations":[{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"A","members":[{"value":"bulkId:b"}]}},{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"bulkId:a","manager":"bulkId:b"}}]}`,
		`{"failOnErrors":1,"Operations":[{"method":"PATCH","path":"/Users/bulkId:a","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:a\"]"}]}},{}]}`,
		`{"failOnErrors":-1,"Operations":[]}`, `{"Operations":[{"method":"DELETE","path":"//Users//bulkId:/%2f"},7,{"bulkId":"","method":"PUT"}]}`,
		`{"Operations":[{"method":"POST","bulkId":"x","path":"https://usher.contoso.com/scim/v2/i/Users/","data":{"urn:a:b:User":{"c":["bulkId:x",{"d":"/bulkId:x"}]},"userName":"u"}}]}`,
	} {
		f.Add([]byte(seed))
	}
	e := echo.New()
	s := agreeable{}
	w := world{integration: "i", token: "t"}
	scim.New(scim.Options{Directory: s, Tokens: s, PublicURL: publicURL, Logger: slog.New(slog.DiscardHandler)}).Mount(e)
	f.Fuzz(func(t *testing.T, body []byte) {
		got := w.ask(e, http.MethodPost, "/Bulk", string(body))
		if got.Code != 200 {
			if got.Code < 400 || got.Code > 499 {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
			return
		}
		var a bulkAnswer
		if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil {
			t.Fatalf("%v\n%s", err, got.Body)
		}
		for _, op := range a.Operations {
			if len(op.Status) != 3 || op.Status[0] == '5' || op.Status[0] >= '4' && op.Response.Detail == "" {
				t.Fatalf("%+v", op)
			}
		}
	})
}
