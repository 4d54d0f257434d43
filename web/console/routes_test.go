package console_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/web/console"
)

// things gives, for each parameter of a path, the id of a thing of the fixture's organization. A new parameter must be added.
func (f *fixture) things() map[string]string {
	f.Helper()
	i := f.contoso()
	requests, _, err := f.store.Read(f.Context()).SCIMRequestsBefore(i.Ref(), store.SCIMRequestFilter{}, "", 1)
	f.ok(err)
	users, err := f.store.Read(f.Context()).DirectoryUsersAfter(i.Ref(), "", 1)
	f.ok(err)
	token, _, err := f.svc.CreateSCIMToken(f.Context(), i.Ref(), "Entra", nil)
	f.ok(err)
	key, _, err := f.svc.CreateAPIKey(f.Context(), f.org.ID, "script", []model.Right{model.RightRead}, nil)
	f.ok(err)
	endpoint, _, err := f.svc.CreateWebhookEndpoint(f.Context(), model.WebhookEndpoint{OrganizationID: f.org.ID, URL: "https://app.contoso.example/hooks"})
	f.ok(err)
	delivery, err := f.svc.TestWebhookEndpoint(f.Context(), f.org.ID, endpoint.ID)
	f.ok(err)
	calendar := storetest.Calendar(f.T, f.store, i.Ref(), "ada@contoso.example")
	client, _, err := f.svc.CreateSCIMClient(f.Context(), i.Ref(), "Entra", 60, nil)
	f.ok(err)
	issuer, err := f.svc.CreateSCIMFederation(f.Context(), i.Ref(), client.ID, model.SCIMClientFederation{TenantID: "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f", Subject: "app", Audience: "usher"})
	f.ok(err)
	run, err := f.svc.StartRun(f.Context(), i.Ref(), model.RunPreview)
	f.ok(err)
	groups, err := f.store.Read(f.Context()).DirectoryGroupsAfter(i.Ref(), "", 1)
	f.ok(err)
	list := f.list(i.Ref(), "sales@contoso.example", groups[0].ExternalID)
	_, err = f.svc.ChangeIntegration(f.Context(), i.Ref(), func(i *model.Integration) error { i.WriteBack.Update = true; return nil }, nil)
	f.ok(err)
	_, err = f.svc.ChangeFieldMappings(f.Context(), i.Ref(), []model.FieldMapping{{Source: "title", Target: "job_title", Mode: model.FieldAlways}}, directory.Replacing[model.FieldMapping]())
	f.ok(err)
	const person, group = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	done, err := f.svc.AddEntraMember(f.Context(), i.Ref(), group, person)
	f.ok(err)
	return map[string]string{
		"group": groups[0].ID, "list": list.ID, "person": person, "operation": done.ID,
		"endpoint": endpoint.ID, "delivery": delivery.ID, "calendar": calendar.ID, "mailbox": calendar.MailboxID, "run": run.ID,
		"client": client.ID, "secret": client.Secrets[0].ID, "issuer": issuer.ID, "integration": i.ID, "account": f.account("person0@contoso.example").ID, "user": users[0].ID, "request": requests[0].ID, "token": token.ID,
		"key": key.ID, "operator": f.operator("other@contoso.example", model.RightRead).ID, "action": "deactivate", "version": "1", "entry": "0",
	}
}

var parameter = regexp.MustCompile(`\{(\w+)\}`)

// filled puts the things into a path.
func (f *fixture) filled(path string, things map[string]string) string {
	return parameter.ReplaceAllStringFunc(path, func(p string) string {
		id, ok := things[strings.Trim(p, "{}")]
		if !ok {
			f.Fatalf("%s: say in things() what %s stands for", path, p)
		}
		return id
	})
}

func tableOf(f *fixture) []console.Route {
	return console.New(console.Options{Service: f.svc, PublicURL: f.url}).Routes()
}

// TestEveryRouteNeedsItsRight tries every route as nobody, and as somebody who has every right but the one that it needs.
func TestEveryRouteNeedsItsRight(t *testing.T) {
	each(t, func(f *fixture) {
		things := f.things()
		visitors := map[model.Right]*fixture{}
		for _, r := range tableOf(f) {
			path := f.filled(r.Path, things)
			stranger := *f
			stranger.browser = newBrowser(f.T)
			if r.Method == http.MethodGet {
				if a := stranger.get(path).want(http.StatusSeeOther); !strings.HasPrefix(a.Header.Get("Location"), "/console/sign-in") {
					t.Errorf("%s %s as nobody leads to %s", r.Method, r.Path, a.Header.Get("Location"))
				}
			} else {
				stranger.post(path).want(http.StatusUnauthorized)
			}
			if r.Right == "" {
				continue
			}
			if visitors[r.Right] == nil {
				rights := slices.DeleteFunc(model.Rights(), func(x model.Right) bool { return x == r.Right || x == model.RightAll })
				visitors[r.Right] = f.as(f.operator("lacks-"+string(r.Right)+"@contoso.example", rights...))
			}
			a := visitors[r.Right].do(r.Method, path, strings.NewReader(""), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
			if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "needs the right") {
				t.Errorf("%s %s without the right %q: %d", r.Method, r.Path, r.Right, a.StatusCode)
			}
		}
	})
}

// TestEveryRouteKeepsOrganizationsApart tries every route that names something with the things of another organization. Nothing may
// be shown of them, and nothing may change.
func TestEveryRouteKeepsOrganizationsApart(t *testing.T) {
	each(t, func(f *fixture) {
		things := f.things()
		org, err := f.svc.CreateOrganization(f.Context(), "intruder", "")
		f.ok(err)
		intruder := *f
		intruder.org = org
		other := intruder.as(intruder.operator("eve@intruder.example", model.RightAll))
		before := f.activities()
		for _, r := range tableOf(f) {
			if !parameter.MatchString(r.Path) {
				continue
			}
			path := f.filled(r.Path, things)
			var a answer
			if r.Method == http.MethodGet {
				a = other.get(path)
			} else {
				a = other.post(path, "name", "Contoso", "roles", "hr", "rights", "all", "expires_at", "365", "action", "pause", "confirm", "yes")
			}
			if a.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s of another organization: %d: %s", r.Method, r.Path, a.StatusCode, a.said())
			}
			for _, secret := range []string{"Ada Lovelace", "person0@contoso.example", "Contoso<"} {
				if strings.Contains(a.body, secret) {
					t.Errorf("%s %s shows %q to another organization", r.Method, r.Path, secret)
				}
			}
		}
		if after := f.activities(); after != before {
			t.Errorf("%d lines of the log became %d", before, after)
		}
	})
}

func (f *fixture) activities() int {
	f.Helper()
	list, err := f.store.Read(f.Context()).ActivitiesBefore(f.org.ID, store.ActivityFilter{}, "", 500)
	f.ok(err)
	return len(list)
}

// TestEveryPage opens every page as somebody who may do everything, and those of lists with filters that do not fit.
func TestEveryPage(t *testing.T) {
	each(t, func(f *fixture) {
		things := f.things()
		f = f.as(f.master)
		for _, r := range tableOf(f) {
			if r.Method != http.MethodGet || r.Path == "/integrations/{integration}/setup/sign-in" || strings.HasSuffix(r.Path, "/events") {
				continue
			}
			path := f.filled(r.Path, things)
			a := f.get(path)
			if a.StatusCode != http.StatusOK && a.StatusCode != http.StatusConflict && a.StatusCode != http.StatusSeeOther && a.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d: %s", path, a.StatusCode, a.said())
			}
			for _, query := range []string{"after=nonsense", "q=" + url.QueryEscape(`"><script>alert(1)</script>`), "view=none&result=none&hours=-1&days=x&integration=nothing", "user=nobody&join=nothing"} {
				a := f.get(path + "?" + query)
				if a.StatusCode >= 500 || strings.Contains(a.body, "<script>alert") {
					t.Errorf("%s?%s: %d", path, query, a.StatusCode)
				}
			}
		}
		if strings.Contains(f.log.String(), "level=ERROR") {
			t.Error(f.log)
		}
	})
}

func TestNowhere(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/nowhere").want(http.StatusNotFound, "no page at this address")
		f.get("/people/00000000-0000-7000-8000-000000000000").want(http.StatusNotFound)
		f.get("/people/%27%3B--").want(http.StatusNotFound)
		if a := f.post("/people").want(http.StatusMethodNotAllowed); a.Header.Get("Allow") != "GET" {
			t.Error(a.Header)
		}
	})
}

// plainAsset reads a file as it is, and compares it with its packed form and with the hash that its address has.
func (f *fixture) plainAsset(address, packed string) {
	f.Helper()
	file := f.get(address, "Accept-Encoding", "identity").want(http.StatusOK)
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	if kind := file.Header.Get("Content-Type"); kind == "" || kind != kinds[path.Ext(address)] || file.Header.Get("Content-Encoding") != "" {
		f.Errorf("%s: %v", address, file.Header)
	}
	if size := file.Header.Get("Content-Length"); size != strconv.Itoa(len(file.body)) {
		f.Errorf("%s has %d bytes and says %s", address, len(file.body), size)
	}
	sum := sha256.Sum256([]byte(file.body))
	if !strings.HasSuffix(address, "-"+hex.EncodeToString(sum[:6])+path.Ext(address)) {
		f.Errorf("%s has the hash %x", address, sum[:6])
	}
	r, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		f.Fatal(err)
	}
	if unpacked, err := io.ReadAll(r); err != nil || string(unpacked) != file.body {
		f.Errorf("%s: packed it is another file: %v", address, err)
	}
}

// TestAssets reads what a first page loads: all of it is there, is kept for good, and is small together.
func TestAssets(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		a := f.get("/")
		total := len(a.body)
		found := regexp.MustCompile(`(?:src|href)="(/console/assets/[^"#]+)`).FindAllStringSubmatch(a.body, -1)
		seen := map[string]bool{}
		for _, m := range found {
			if seen[m[1]] {
				continue
			}
			seen[m[1]] = true
			file := f.get(m[1], "Accept-Encoding", "gzip").want(http.StatusOK)
			if file.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(file.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %v", m[1], file.Header)
			}
			total += len(file.body)
			f.plainAsset(m[1], file.body)
		}
		if len(seen) < 6 || total > 500_000 {
			t.Errorf("a first page loads %d files of %d bytes", len(seen), total)
		}
		t.Logf("a first page loads %d files of %d bytes", len(seen), total)
	})
}
