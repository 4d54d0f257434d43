package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/graphapi"
	"usher/model"
)

// TestSecretsAreNowhere plants every kind of secret that there is and uses it rightly and wrongly. None of them may be found in the
// database, the log, the journal of operations, the log of activities, the change feed or any answer but the one that hands it out.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newGuarded(t, url)
		w.graphAccess()
		w.pushes()
		w.operators()
		w.hooks()
		w.people()
		w.nowhere(url)
	})
}

// guarded is a server that is told secrets.
type guarded struct {
	t       *testing.T
	app     *app.App
	stop    func()
	log     lockedBuffer
	said    strings.Builder   // every answer but those that hand a secret out
	planted map[string]string // by what it is
	admin   string
	tenant  *entraid.Directory
	path    string // of the integration that reads Entra
}

func newGuarded(t *testing.T, databaseURL string) *guarded {
	t.Helper()
	w := &guarded{t: t, admin: "planted-admin-key-0123456789abcdef", planted: map[string]string{}}
	w.plant("the administrator's key", w.admin)
	w.plant("a client secret of Graph", "pLanted~graph.secret-Qx8Q~")
	w.tenant = entraid.New(entraid.Options{Tenant: simulator.NewTenant(simulator.Options{Seed: 4, People: 8, Domain: "contoso.example"}), Seed: 4})
	server, err := graphapi.Start(t.Context(), graphapi.Options{
		Directory: w.tenant, TenantID: w.tenant.ID(),
		Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: w.planted["a client secret of Graph"]}}}},
	})
	w.must(err)
	t.Cleanup(func() { _ = server.Close() })
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.Listen, cfg.Migrate = databaseURL, secret.NewKey(), "127.0.0.1:0", true
	cfg.AdminAPIKey, cfg.WebhookAllow = w.admin, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cfg.GraphURL, cfg.LoginURL, cfg.LoginCA = server.GraphURL+"/v1.0", server.LoginURL, server.RootCAs
	w.plant("the installation's key", cfg.SecretKey)
	w.app, err = app.New(t.Context(), cfg, slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	w.must(err)
	run, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.app.Run(run) }()
	w.stop = func() {
		if cancel(); done != nil {
			w.must(<-done)
			_ = w.app.Close()
		}
		done = nil
	}
	t.Cleanup(w.stop)
	return w
}

func (w *guarded) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *guarded) plant(what, text string) {
	w.t.Helper()
	if len(text) < 16 {
		w.t.Fatalf("%s is not there to be found: %q", what, text)
	}
	w.planted[what] = text
}

// send sends a request and gives the answer, which nobody has noted yet.
func (w *guarded) send(method, path, token, kind string, body io.Reader) (int, []byte) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.app.URL()+path, body)
	w.must(err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("Content-Type", kind)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	w.must(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	w.must(err)
	return res.StatusCode, raw
}

// hand calls the management API, which hands a secret out.
func (w *guarded) hand(method, path string, body any) map[string]any {
	w.t.Helper()
	raw, err := json.Marshal(body)
	w.must(err)
	status, answer := w.send(method, "/api/v1"+path, w.admin, "application/json", bytes.NewReader(raw))
	if status < 200 || status > 299 {
		w.t.Fatalf("%s %s answered %d: %s", method, path, status, answer)
	}
	out := map[string]any{}
	if len(answer) > 0 && answer[0] == '{' {
		w.must(json.Unmarshal(answer, &out))
	}
	return out
}

// call calls it where it must not give any secret away, and wants the status.
func (w *guarded) call(want int, method, path string, body any) map[string]any {
	w.t.Helper()
	raw, err := json.Marshal(body)
	w.must(err)
	return w.noted(want, method, "/api/v1"+path, w.admin, "application/json", string(raw))
}

func (w *guarded) noted(want int, method, path, token, kind, body string) map[string]any {
	w.t.Helper()
	status, answer := w.send(method, path, token, kind, strings.NewReader(body))
	w.said.Write(answer)
	if status != want {
		w.t.Fatalf("%s %s answered %d, want %d: %s", method, path, status, want, answer)
	}
	out := map[string]any{}
	_ = json.Unmarshal(answer, &out) // a page is none
	return out
}

func text(from map[string]any, name string) string { s, _ := from[name].(string); return s }

// graphAccess gives integrations secrets and certificates, of which some are wrong.
func (w *guarded) graphAccess() {
	w.t.Helper()
	integration := func(want int, name string, access map[string]any) string {
		access["client_id"] = wireClientID
		made := w.call(want, http.MethodPost, "/integrations", map[string]any{
			"name": name, "ingress": "graph", "scope": "everyone", "tenant_id": w.tenant.ID(), "graph": access,
			"write_back": map[string]any{"create": true, "update": true, "delete": true},
		})
		return "/integrations/" + text(made, "id")
	}
	w.path = integration(http.StatusCreated, "Contoso", map[string]any{"client_secret": w.planted["a client secret of Graph"]})
	w.ends(w.call(http.StatusAccepted, http.MethodPost, w.path+"/imports", nil), "succeeded")
	w.plant("a wrong client secret of Graph", "pLanted~wrong.secret-Zz7Q~")
	wrong := integration(http.StatusCreated, "Wrong", map[string]any{"client_secret": w.planted["a wrong client secret of Graph"]})
	w.ends(w.call(http.StatusAccepted, http.MethodPost, wrong+"/imports", nil), "failed")
	key := w.certificate()
	certified := integration(http.StatusCreated, "Certified", map[string]any{"certificate_pem": key})
	w.ends(w.call(http.StatusAccepted, http.MethodPost, certified+"/imports", nil), "failed")
	broken := integration(http.StatusCreated, "Broken", map[string]any{"certificate_pem": strings.ReplaceAll(key, "\nMII", "\nAAA")})
	w.ends(w.call(http.StatusAccepted, http.MethodPost, broken+"/imports", nil), "failed")
	integration(http.StatusUnprocessableEntity, "Nowhere", map[string]any{"client_secret": w.planted["a client secret of Graph"], "cloud": "none"})
	w.call(http.StatusOK, http.MethodPatch, certified, map[string]any{"graph": map[string]any{"client_secret": w.planted["a wrong client secret of Graph"]}})
}

// certificate gives a certificate with its key, of which a line is planted.
func (w *guarded) certificate() string {
	w.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "usher"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	w.must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	w.must(err)
	block := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	w.plant("a certificate's key", strings.Split(block, "\n")[5])
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + block
}

// ends waits for a run or an operation.
func (w *guarded) ends(begun map[string]any, want string) {
	w.t.Helper()
	path := "/runs/"
	if _, is := begun["steps"]; is {
		path = "/operations/"
	}
	var is map[string]any
	eventually(w.t, path+" ends", func() bool {
		is = w.call(http.StatusOK, http.MethodGet, path+text(begun, "id"), nil)
		return text(is, "state") == "succeeded" || text(is, "state") == "failed" || text(is, "state") == "held"
	})
	if text(is, "state") != want {
		w.t.Fatalf("%s ended %s, want %s: %v", path, text(is, "state"), want, is)
	}
}

// pushes has Entra push with tokens and OAuth clients, right and wrong ones.
func (w *guarded) pushes() {
	w.t.Helper()
	id := text(w.call(http.StatusCreated, http.MethodPost, "/integrations", map[string]any{"name": "Pushed", "ingress": "scim"}), "id")
	base := "/scim/v2/" + id
	token := text(w.hand(http.MethodPost, "/integrations/"+id+"/scim-tokens", map[string]any{"name": "Entra"}), "token")
	w.plant("a SCIM token", token)
	w.noted(http.StatusOK, http.MethodGet, base+"/Users", token, "application/scim+json", "")
	w.noted(http.StatusUnauthorized, http.MethodGet, base+"/Users", token+"x", "application/scim+json", "")
	w.noted(http.StatusUnauthorized, http.MethodGet, "/scim/v2/"+id+"0/Users", token, "application/scim+json", "")
	w.plant("the password of a pushed user", "pLanted-pushed-Passw0rd")
	user := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@contoso.example","active":true,"password":"` +
		w.planted["the password of a pushed user"] + `"}`
	w.noted(http.StatusCreated, http.MethodPost, base+"/Users", token, "application/scim+json", user)
	w.noted(http.StatusBadRequest, http.MethodPost, base+"/Users", token, "application/scim+json", user+"}")

	client := w.hand(http.MethodPost, "/integrations/"+id+"/scim-clients", map[string]any{"name": "Entra"})
	w.plant("a client secret of OAuth", text(client, "client_secret"))
	form := func(secret string) string {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {text(client, "client_id")}, "client_secret": {secret}}.Encode()
	}
	const kind = "application/x-www-form-urlencoded"
	status, raw := w.send(http.MethodPost, "/oauth2/token", "", kind, strings.NewReader(form(text(client, "client_secret"))))
	var grant map[string]any
	if w.must(json.Unmarshal(raw, &grant)); status != http.StatusOK {
		w.t.Fatalf("the token endpoint answered %d %s", status, raw)
	}
	w.plant("an access token", text(grant, "access_token"))
	w.noted(http.StatusOK, http.MethodGet, base+"/Users", text(grant, "access_token"), "application/scim+json", "")
	w.noted(http.StatusUnauthorized, http.MethodPost, "/oauth2/token", "", kind, form(text(client, "client_secret")+"x"))

	key := text(w.hand(http.MethodPost, "/api-keys", map[string]any{"name": "script", "rights": []string{"read"}}), "key")
	w.plant("an API key", key)
	w.noted(http.StatusOK, http.MethodGet, "/api/v1/accounts", key, "application/json", "")
	w.noted(http.StatusForbidden, http.MethodPost, "/api/v1/api-keys", key, "application/json", `{"name":"more","rights":["read"]}`)
	w.noted(http.StatusUnauthorized, http.MethodGet, "/api/v1/accounts", key+"x", "application/json", "")
	w.noted(http.StatusUnauthorized, http.MethodGet, "/api/v1/accounts", w.admin+"x", "application/json", "")
}

// operators become operators by links, sign in, and mistake their passwords.
func (w *guarded) operators() {
	w.t.Helper()
	ctx, s, from := w.t.Context(), w.app.Service, directory.Visitor{RemoteAddress: "192.0.2.1", UserAgent: "test"}
	org, err := w.app.Store.Read(ctx).Organization(model.DefaultOrganization)
	w.must(err)
	link, err := s.FirstOperatorLink(ctx, org.ID)
	w.must(err)
	w.plant("a link to become an operator", link)
	w.plant("an operator's password", "pLanted operator passphrase")
	// The page that the link leads to sends it back.
	if status, page := w.send(http.MethodGet, "/console/welcome?token="+url.QueryEscape(link), "", "", http.NoBody); status != http.StatusOK {
		w.t.Fatalf("the link leads to %d %s", status, page)
	}
	first, err := s.UseOperatorLink(ctx, link, directory.NewOperator{Email: "ada@contoso.com", Name: "Ada Lovelace", Password: w.planted["an operator's password"]}, from)
	w.must(err)
	w.plant("a session", first.Token)
	if _, err := s.OperatorSession(ctx, first.Token); err != nil {
		w.t.Fatal(err)
	}
	w.plant("a wrong password of an operator", "pLanted wrong passphrase")
	_, err = s.SignIn(ctx, model.DefaultOrganization, "ada@contoso.com", w.planted["a wrong password of an operator"], from)
	if err == nil {
		w.t.Fatal("a wrong password lets somebody in")
	}
	w.said.WriteString(err.Error())
	again, err := s.SignIn(ctx, model.DefaultOrganization, "ada@contoso.com", w.planted["an operator's password"], from)
	w.must(err)
	w.plant("another session", again.Token)
	invited, invitation, err := s.InviteOperator(ctx, first.Operator, "grace@contoso.com", "Grace", []model.Right{model.RightRead})
	w.must(err)
	w.plant("an invitation", invitation)
	renewed, err := s.RenewOperatorLink(ctx, first.Operator, invited.ID, model.LinkPassword)
	w.must(err)
	w.plant("a link to a password", renewed)
	if _, err = s.UseOperatorLink(ctx, invitation, directory.NewOperator{Password: "another passphrase, long enough"}, from); err == nil {
		w.t.Fatal("a link that was replaced lets somebody in")
	}
	w.said.WriteString(err.Error())
	w.must(s.ChangeOwnPassword(ctx, again, w.planted["an operator's password"], "pLanted operator passphrase, the second"))
	w.plant("an operator's next password", "pLanted operator passphrase, the second")
}

// hooks has messages signed that nobody takes.
func (w *guarded) hooks() {
	w.t.Helper()
	var came atomic.Int64
	taker := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		came.Add(1)
		http.Error(rw, "not now", http.StatusInternalServerError)
	}))
	w.t.Cleanup(taker.Close)
	made := w.hand(http.MethodPost, "/webhook-endpoints", map[string]any{"url": taker.URL, "types": []string{"integration.*"}})
	w.plant("a webhook's secret", strings.TrimPrefix(text(made, "secret"), "whsec_"))
	path := "/webhook-endpoints/" + text(made, "id")
	w.call(http.StatusAccepted, http.MethodPost, path+"/test", nil)
	eventually(w.t, "a message comes", func() bool { return came.Load() > 0 })
	w.plant("a webhook's next secret", strings.TrimPrefix(text(w.hand(http.MethodPost, path+"/rotate-secret", nil), "secret"), "whsec_"))
	w.call(http.StatusOK, http.MethodGet, path, nil)
	w.call(http.StatusOK, http.MethodGet, path+"/deliveries", nil)
}

// people has users made in Entra, of whom one may not be.
func (w *guarded) people() {
	w.t.Helper()
	w.plant("the password of a new user", "pLanted-new-Passw0rd]6NMw")
	user := func(name string) map[string]any {
		return map[string]any{"user_principal_name": name, "display_name": "Ada King", "password": w.planted["the password of a new user"]}
	}
	w.ends(w.call(http.StatusAccepted, http.MethodPost, w.path+"/entra/users", user("ada.king@contoso.example")), "succeeded")
	w.ends(w.call(http.StatusAccepted, http.MethodPost, w.path+"/entra/users", user("ada.king@elsewhere.example")), "failed")
	w.call(http.StatusUnprocessableEntity, http.MethodPost, w.path+"/entra/users", user("no name"))
}

// nowhere looks for what was planted.
func (w *guarded) nowhere(databaseURL string) {
	w.t.Helper()
	for _, path := range []string{"/changes?limit=500", "/activity?limit=500", "/operations", "/runs", "/integrations", "/api-keys", "/webhook-endpoints"} {
		w.call(http.StatusOK, http.MethodGet, path, nil)
	}
	w.stop()
	places := map[string]string{"an answer": w.said.String(), "the log": w.log.String(), "the database": stored(w.t, databaseURL)}
	for where, known := range map[string]string{"an answer": "Contoso", "the log": "Graph answered", "the database": "ada.king@contoso.example"} {
		if !strings.Contains(places[where], known) {
			w.t.Errorf("%s does not even have %q: %.2000s", where, known, places[where])
		}
	}
	for what, planted := range w.planted {
		quoted, err := json.Marshal(planted)
		w.must(err)
		for where, content := range places {
			for _, form := range []string{planted, strings.Trim(string(quoted), `"`), url.QueryEscape(planted)} {
				if at := strings.Index(content, form); at >= 0 {
					w.t.Errorf("%s is in %s: %q", what, where, content[max(0, at-80):at])
					break
				}
			}
		}
	}
}
