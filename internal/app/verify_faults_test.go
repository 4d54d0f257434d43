package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"usher/internal/verify"
)

// exchange is a request to a good endpoint, and its answer, both of which a fault may spoil.
type exchange struct {
	t            *testing.T
	request      *http.Request
	method, path string // the path behind the integration
	query        url.Values
	sent         string
	status       int // 0 until there is an answer
	header       http.Header
	got          string
	peek         func(path string) string // what a GET would give
}

// fault is a way in which an endpoint can be wrong.
type fault struct {
	name   string
	before func(x *exchange) // spoils the request, or answers it
	after  func(x *exchange) // spoils the answer
	// breaks names the checks that must notice, alone among all checks of their families: a pattern like family/*, or one behind - for an exception.
	breaks string
}

// broken is a transport to a good endpoint with one fault.
type broken struct {
	t    *testing.T
	base string
	fault
}

func (b *broken) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{t: b.t, request: req, method: req.Method, path: strings.TrimPrefix(req.URL.Path, b.base), query: req.URL.Query()}
	if req.Body != nil {
		text, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		x.sent = string(text)
	}
	x.peek = func(p string) string {
		look := &exchange{t: b.t, request: req.Clone(req.Context()), method: http.MethodGet, path: p}
		if err := b.forward(look); err != nil {
			b.t.Error(err)
		}
		return look.got
	}
	if b.before != nil {
		b.before(x)
	}
	if x.status == 0 {
		if err := b.forward(x); err != nil {
			return nil, err
		}
		if b.after != nil {
			b.after(x)
		}
	}
	return &http.Response{
		StatusCode: x.status, Header: x.header, Body: io.NopCloser(strings.NewReader(x.got)), Request: req, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func (b *broken) forward(x *exchange) error {
	target := *x.request.URL
	target.Path, target.RawQuery = b.base+x.path, x.query.Encode()
	out, err := http.NewRequestWithContext(x.request.Context(), x.method, target.String(), bytes.NewReader([]byte(x.sent)))
	if err != nil {
		return err
	}
	out.Header = x.request.Header
	res, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	x.status, x.header, x.got = res.StatusCode, res.Header, string(text)
	return err
}

// answer ends the exchange without the good endpoint.
func (x *exchange) answer(status int, body string) {
	x.status, x.got = status, body
	x.header = http.Header{"Content-Type": {"application/scim+json"}}
}

// refuse answers with an error in the right form.
func (x *exchange) refuse(status int) {
	body, _ := json.Marshal(map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": http.StatusText(status), "detail": "no",
	})
	x.answer(status, strings.Replace(string(body), http.StatusText(status), strings.Fields(statusCode(status))[0], 1))
}

func statusCode(status int) string {
	text, _ := json.Marshal(status)
	return string(text)
}

// edit changes the answer's JSON object, if it has one.
func (x *exchange) edit(change func(o map[string]any)) {
	var o map[string]any
	if json.Unmarshal([]byte(x.got), &o) != nil {
		return
	}
	change(o)
	text, err := json.Marshal(o)
	if err != nil {
		x.t.Error(err)
	}
	x.got = string(text)
}

// is tells whether the request is of this method, to this path; a star stands for an id.
func (x *exchange) is(method, pattern string) bool {
	matched, err := path.Match(pattern, x.path)
	if err != nil {
		x.t.Error(err)
	}
	return x.method == method && matched
}

// expected gives the checks that a fault breaks, and their families.
func (f *fault) expected(all []verify.Check) (breaks, families []string) {
	var except []string
	for pattern := range strings.FieldsSeq(f.breaks) {
		if name, not := strings.CutPrefix(pattern, "-"); not {
			except = append(except, name)
			continue
		}
		if family, _, _ := strings.Cut(pattern, "/"); !slices.Contains(families, family) {
			families = append(families, family)
		}
		for _, c := range all {
			if matched, _ := path.Match(pattern, c.Name); matched {
				breaks = append(breaks, c.Name)
			}
		}
	}
	breaks = slices.DeleteFunc(breaks, func(name string) bool {
		return slices.ContainsFunc(except, func(pattern string) bool {
			matched, _ := path.Match(pattern, name)
			return matched
		})
	})
	slices.Sort(breaks)
	return slices.Compact(breaks), families
}

// TestVerifyNoticesEveryFault spoils a good endpoint in one way at a time. The checks that are about it must fail, and no
// other check of their families; and there must be a fault for every check.
func TestVerifyNoticesEveryFault(t *testing.T) {
	t.Parallel()
	target, token := endpoint(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"))
	base, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	strangers(t, target, token)
	noticed, tried := map[string]bool{}, 0
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			tried++
			breaks, families := f.expected(verify.Checks())
			report, err := verify.Run(t.Context(), verify.Options{
				URL: target, Token: token, Only: families, Transport: &broken{t, base.Path, f}, Timeout: hang,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Results {
				failed := r.Outcome == verify.Failed
				if failed {
					noticed[r.Name] = true
				}
				if wanted := slices.Contains(breaks, r.Name); wanted != failed {
					t.Errorf("%s must fail: %v; it did: %s", r.Name, wanted, r.Line())
				}
			}
		})
	}
	for _, c := range verify.Checks() {
		if !noticed[c.Name] && tried == len(faults()) { // not where -run chose some
			t.Errorf("no fault makes %s fail", c.Name)
		}
	}
	if n := strangersLeft(t, target, token); n != 3 {
		t.Errorf("%d of three strangers are left: verify removed what is not its own", n)
	}
}

// strangers are resources that are there already; no fault may lead to their removal.
func strangers(t *testing.T, target, token string) {
	t.Helper()
	for _, body := range []string{`{"userName":"grace@contoso.example","title":"Countess"}`, `{"userName":"alan@contoso.example"}`} {
		send(t, http.MethodPost, target+"/Users", token, body)
	}
	send(t, http.MethodPost, target+"/Groups", token, `{"displayName":"Strangers"}`)
}

func strangersLeft(t *testing.T, target, token string) int {
	t.Helper()
	n := strings.Count(send(t, http.MethodGet, target+`/Users?filter=userName+ew+"@contoso.example"`, token, ""), `"userName":`)
	return n + strings.Count(send(t, http.MethodGet, target+`/Groups?filter=displayName+eq+"Strangers"`, token, ""), `"displayName":`)
}

func send(t *testing.T, method, target, token, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, strings.ReplaceAll(target, `"`, "%22"), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %v", method, target, res.Status, err)
	}
	return string(text)
}

// overlapping drops requests that come while another is under way.
func overlapping(wanted func(*exchange) bool) (before, after func(*exchange)) {
	var under atomic.Int32
	before = func(x *exchange) {
		if !wanted(x) {
			return
		}
		if under.Add(1) > 1 {
			under.Add(-1)
			x.answer(http.StatusNoContent, "")
		}
	}
	after = func(x *exchange) {
		if wanted(x) {
			under.Add(-1)
		}
	}
	return before, after
}
