package app_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"usher/internal/pgtest"
	"usher/model/store"
)

// hostileBodies sends bodies that no client means, and wants each refused with its reason.
func (g *target) hostileBodies() {
	id := store.NewID()
	user := func(rest string) string {
		return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"h@contoso.com"` + rest + `}`
	}
	for name, c := range map[string]struct {
		method, path, body, encoding string
		status                       int
	}{
		"10 MB":                        {"POST", "/Users", user(`,"nickName":"` + strings.Repeat("a", 10<<20) + `"`), "", 413},
		"10 MB of blanks":              {"POST", "/Users", strings.Repeat(" ", 10<<20), "", 413},
		"32 MB in 32 kB":               {"POST", "/Users", bomb(g.t), "gzip", 413},
		"gzip that is none":            {"POST", "/Users", "{}", "gzip", 400},
		"half of a gzip":               {"POST", "/Users", zipped(g.t, user(""))[:30], "gzip", 400},
		"an unknown coding":            {"POST", "/Users", "{}", "br", 415},
		"a million brackets":           {"POST", "/Users", strings.Repeat("[", 1_000_000), "", 400},
		"a million objects":            {"POST", "/Users", strings.Repeat(`{"a":`, 200_000), "", 400},
		"a million values":             {"POST", "/Users", `{"a":[` + strings.Repeat("0,", 500_000) + `0]}`, "", 413},
		"a member twice":               {"POST", "/Users", user(`,"userName":"x"`), "", 400},
		"100,000 members":              {"POST", "/Users", "{" + manyMembers(40_000) + "}", "", 400},
		"a huge number":                {"POST", "/Users", user(`,"urn:x:y":{"n":1e999999999}`), "", 400},
		"a number of 1 MB":             {"POST", "/Users", user(`,"urn:x:y":{"n":` + strings.Repeat("9", 1_000_000) + `}`), "", 400},
		"NUL":                          {"POST", "/Users", user(`,"nickName":"\u0000"`), "", 400},
		"a raw NUL":                    {"POST", "/Users", user(",\"nickName\":\"\x00\""), "", 400},
		"half a pair":                  {"POST", "/Users", user(`,"nickName":"\ud800"`), "", 400},
		"no UTF-8":                     {"POST", "/Users", user(",\"nickName\":\"\xff\""), "", 400},
		"UTF-16":                       {"POST", "/Users", inUTF16(user("")), "", 400},
		"no object":                    {"POST", "/Users", `"userName"`, "", 400},
		"two objects":                  {"POST", "/Users", user("") + user(""), "", 400},
		"nothing":                      {"POST", "/Users", "", "", 400},
		"half":                         {"POST", "/Users", user("")[:40], "", 400},
		"2,000 addresses":              {"POST", "/Users", user(`,"emails":[` + strings.Repeat(`{"value":"a"},`, 2000) + `{"value":"b"}]`), "", 400},
		"6,000 operations":             {"PATCH", "/Users/" + id, `{"Operations":[` + strings.Repeat(`{"op":"add","path":"title","value":"a"},`, 6000) + `{"op":"remove","path":"title"}]}`, "", 413},
		"a path of thousands":          {"PATCH", "/Users/" + id, `{"Operations":[{"op":"replace","path":"emails[` + strings.Repeat("not (", 3000) + `type eq 1` + strings.Repeat(")", 3000) + `].value","value":"a"}]}`, "", 400},
		"a bulk of 1,001":              {"POST", "/Bulk", `{"Operations":[` + strings.Repeat(`{"method":"DELETE","path":"/Users/x"},`, 1000) + `{}]}`, "", 413},
		"a search of thousands":        {"POST", "/.search", `{"filter":"` + strings.Repeat(`title eq 1 or `, 2000) + `title pr"}`, "", 400},
		"a search for pages of it all": {"POST", "/Users/.search", `{"count":1e99}`, "", 400},
	} {
		header := http.Header{"Content-Type": {"application/scim+json"}}
		if c.encoding != "" {
			header.Set("Content-Encoding", c.encoding)
		}
		status, answered, body := g.post(c.method, c.path, c.body, header)
		if status != c.status {
			g.t.Errorf("%s: answered %d %.200s, want %d", name, status, body, c.status)
		}
		g.checkAnswer(name, status, answered, body)
	}
	// What only looks hostile is taken.
	for name, body := range map[string]string{
		"100,000 objects": `{"userName":"k@contoso.com","urn:x:y":{"a":[` + strings.Repeat("{},", 99_000) + `{}]}}`,
		"BOM":             "\xef\xbb\xbf" + user(""),
		"1,000 others":    `{"userName":"i@contoso.com","emails":[` + strings.Repeat(`{"value":"a"},`, 999) + `{"value":"b"}]}`,
		"zipped":          zipped(g.t, strings.ReplaceAll(user(""), "h@", "j@")),
	} {
		header := http.Header{}
		if name == "zipped" {
			header.Set("Content-Encoding", "gzip")
		}
		if status, _, answer := g.post("POST", "/Users", body, header); status != http.StatusCreated {
			g.t.Errorf("%s: answered %d %.200s, want 201", name, status, answer)
		}
	}
}

func bomb(t *testing.T) string { t.Helper(); return zipped(t, strings.Repeat("\x00", 32<<20)) }

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"a%d":0,`, i)
	}
	return b.String() + `"a7":0`
}

func inUTF16(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// post sends a body and gives the whole answer.
func (g *target) post(method, path, body string, header http.Header) (int, http.Header, []byte) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, "http://"+g.addr+g.base+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header = header
	req.Header.Set("Authorization", "Bearer "+g.token)
	req.Header.Set("Expect", "100-continue") // or a refusal may be lost behind what is still being sent
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Errorf("%s %s: %v", method, path, err)
		return 0, http.Header{}, nil
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Errorf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, res.Header, raw
}

// hostileQueries asks for lists as no client does.
func (g *target) hostileQueries() {
	for name, c := range map[string]struct {
		path, query string
		status      int
	}{
		"thousands of clauses":  {"/Users", "filter=" + url.QueryEscape(strings.TrimSuffix(strings.Repeat(`title pr or `, 1300), " or ")), 400},
		"thousands of brackets": {"/Users", "filter=" + strings.Repeat("(", 5000) + "title+pr" + strings.Repeat(")", 5000), 400},
		"a filter of 17 kB":     {"/Users", `filter=title+eq+"` + strings.Repeat("a", 17<<10) + `"`, 400},
		"no filter":             {"/Users", "filter=%00", 400},
		"no text":               {"/Users", `filter=userName+eq+"%ff"`, 400},
		"NUL":                   {"/Users", `filter=userName+eq+"\u0000"`, 400},
		"half a pair":           {"/Users", `filter=userName+eq+"\ud800"`, 400},
		"a huge number":         {"/Users", `filter=urn:a:b:c+gt+1e999999999`, 400},
		"SQL":                   {"/Users", `filter=userName+eq+"'%3B+DROP+TABLE+directory_users--"`, 200},
		"SQL as an order":       {"/Users", `sortBy=userName%3BDROP+TABLE+directory_users`, 400},
		"an order by brackets":  {"/Users", `sortBy=` + strings.Repeat("emails[", 500), 400},
		"an order without text": {"/Users", `sortBy=%ff%00`, 400},
		"a cursor":              {"/Users", `cursor=` + strings.Repeat("A", 5000), 400},
		"a cursor without text": {"/Users", `cursor=%ff%00`, 400},
		"an escape":             {"/Users", `cursor=%`, 400},
		"a count":               {"/Users", `count=99999999999999999999999`, 200},
		"a negative count":      {"/Users", `count=-99999999999999999999999`, 200},
		"a start":               {"/Users", `startIndex=99999999999999999999999`, 200},
		"no number":             {"/Users", `startIndex=1e3`, 400},
		"10,000 names":          {"/Users", "attributes=" + strings.Repeat("a,", 10_000), 400},
		"names of brackets":     {"/Users", "attributes=" + strings.Repeat("a[", 4000), 200},
		"names without text":    {"/Users", "excludedAttributes=%ff,%00", 200},
		"5,000 parameters":      {"/Users", strings.Repeat("a=1&", 5000), 200},
		"a schema":              {"/Schemas/" + strings.Repeat("urn:", 60), "", 404},
	} {
		res, _ := g.raw(g.with("GET {base}" + c.path + "?" + c.query + " HTTP/1.1\n{auth}\n\n"))
		if got := statuses(res); got != fmt.Sprint(c.status) {
			g.t.Errorf("%s: answered %s, want %d", name, got, c.status)
			continue
		}
		g.checkAnswer(name, res[0].status, res[0].header, res[0].body)
	}
}

// endlessBody sends a body that has no end, and wants to be cut off long before it was all taken.
func (g *target) endlessBody() {
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, g.with("POST {base}/Users HTTP/1.1\n{auth}\nTransfer-Encoding: chunked\n\n")); err != nil {
		g.t.Fatal(err)
	}
	chunk := []byte("10000\r\n" + strings.Repeat(" ", 64<<10) + "\r\n")
	const most = 64 << 20 // most of which the system keeps for a reader that does not come
	sent := 0
	for ; sent < most; sent += len(chunk) {
		if _, err := conn.Write(chunk); err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // as net gives it
				g.t.Errorf("the connection was not closed after %d bytes", sent)
			}
			return
		}
	}
	g.t.Errorf("a body of %d bytes was taken", sent)
}

// TestHostilePostgres repeats on PostgreSQL what meets the database.
func TestHostilePostgres(t *testing.T) {
	t.Parallel()
	attack(t, pgtest.Database(t), nil, func(g *target) {
		g.hostileBodies()
		g.hostileQueries()
	})
}
