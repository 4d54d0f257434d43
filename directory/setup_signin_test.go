package directory_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/outlook"
)

// plantedToken is the access token of the administrator, which must be nowhere in the clear.
const plantedToken = "eyJ0eXAi.the-administrator's-access.token"

// signInWorld is a setupWorld with a token endpoint; tokens are those that provisioning was opened with.
type signInWorld struct {
	*setupWorld
	answer  directory.SignedIn
	fails   error
	codes   []directory.SignInCode
	opened  []string
	page    url.Values
	address *url.URL
	log     *bytes.Buffer
}

func eachSignIn(t *testing.T, test func(w *signInWorld)) {
	t.Helper()
	eachSetup(t, func(s *setupWorld) {
		w := &signInWorld{setupWorld: s, log: &bytes.Buffer{}}
		opt := s.svc.Options
		opt.Log = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		opt.Redeem = func(_ context.Context, _ model.Ref, code directory.SignInCode) (directory.SignedIn, error) {
			w.codes = append(w.codes, code)
			return w.answer, w.fails
		}
		opt.Provisionings = func(_ context.Context, _ model.Ref, token string) (directory.Provisioning, error) {
			w.opened = append(w.opened, token)
			return s.entra, nil
		}
		w.svc = directory.New(opt)
		s.roles = nil
		w.change(w.ref, func(i *model.Integration) { i.TenantID, i.Graph.ClientID = tenantA, "app-1" })
		test(w)
	})
}

// asksToSignIn asks for a sign-in, and prepares the right answer to it.
func (w *signInWorld) asksToSignIn() {
	w.Helper()
	page, err := w.svc.SignInURL(w.ctx, w.ref, publicURL)
	w.ok(err)
	w.address, err = url.Parse(page)
	w.ok(err)
	w.page = w.address.Query()
	w.answer = directory.SignedIn{
		AccessToken: plantedToken, ExpiresAt: w.clock.Now().Add(75 * time.Minute), Nonce: w.page.Get("nonce"), Audience: "app-1",
		TenantID: strings.ToUpper(tenantA), UserName: "admin@contoso.com",
	}
}

// returns is Entra sending the administrator back.
func (w *signInWorld) returns(over url.Values) error {
	q := url.Values{"state": {w.page.Get("state")}, "code": {"planted-code"}}
	for k, v := range over {
		q[k] = v
	}
	_, err := w.svc.FinishConsent(w.ctx, q)
	return err
}

func TestSignIn(t *testing.T) {
	eachSignIn(t, func(w *signInWorld) {
		_, err := w.svc.StartSetup(w.ctx, w.ref, hr(), publicURL)
		w.refused(err, model.Refused, "", "have an administrator sign in once")
		w.asksToSignIn()
		if got := w.address.Scheme + "://" + w.address.Host + w.address.Path; got != "https://login.microsoftonline.com/"+tenantA+"/oauth2/v2.0/authorize" {
			t.Fatalf("the page is %s", got)
		}
		for name, want := range map[string]string{
			"client_id": "app-1", "response_type": "code", "redirect_uri": publicURL + "/graph/consent", "code_challenge_method": "S256",
		} {
			if got := w.page.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if !w.svc.AnswersSignIn(w.page) || w.svc.AnswersSignIn(url.Values{"state": {"x"}}) {
			t.Error("the answer is not told from a consent")
		}
		w.ok(w.returns(nil))
		sum := sha256.Sum256([]byte(w.codes[0].Verifier))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != w.page.Get("code_challenge") || len(w.codes[0].Verifier) < 43 || w.codes[0].RedirectURI != publicURL+"/graph/consent" {
			t.Errorf("%+v", w.codes[0])
		}
		until := w.setup(w.ref).SignIn.AccessUntil
		if until == nil || until.After(w.clock.Now().Add(time.Hour)) {
			t.Errorf("the access is kept until %v", until)
		}
		w.asks(w.ref, hr())
		w.setUp(w.ref)
		w.installed(w.ref, hrID, financeID) // which wants nothing sealed
		if row := w.setup(w.ref); row.SignIn.AccessUntil != nil || row.SignIn.By != "admin@contoso.com" {
			t.Errorf("%+v", row.SignIn)
		}
		if len(w.opened) == 0 || w.opened[0] != plantedToken {
			t.Errorf("provisioning was opened with %v", w.opened)
		}
		w.clean(plantedToken, "planted-code", w.codes[0].Verifier, secretOf(w.entra.apps[0].secrets, "SecretToken"))
	})
}

// TestSignInMisused tries answers that were not asked for, that come twice, or from elsewhere.
func TestSignInMisused(t *testing.T) {
	eachSignIn(t, func(w *signInWorld) {
		w.asksToSignIn()
		w.refused(w.returns(url.Values{"error": {"access_denied"}, "error_description": {"AADSTS65004: declined"}}), model.Refused, "", "access_denied")
		w.refused(w.returns(url.Values{"code": nil}), model.Invalid, "code", "no code")
		w.refused(w.returns(url.Values{"state": {"forged.AAAA"}}), model.Invalid, "state", "")
		if len(w.codes) != 0 {
			t.Fatalf("a code was traded: %v", w.codes)
		}
		for name, spoil := range map[string]func(){
			"another nonce": func() { w.answer.Nonce = "other" }, "another application": func() { w.answer.Audience = "app-2" },
			"no token": func() { w.answer.AccessToken = "" },
		} {
			w.asksToSignIn()
			spoil()
			w.refused(w.returns(nil), model.Refused, "code", "does not belong")
			w.refused(w.returns(nil), model.Invalid, "state", "used already")
			if w.setup(w.ref).SignIn.AccessUntil != nil || len(w.sealed(w.ref)) != 0 {
				t.Fatalf("%s: something was kept", name)
			}
		}
		w.asksToSignIn()
		w.answer.TenantID = tenantB
		w.refused(w.returns(nil), model.Refused, "tenant", "belongs to tenant "+tenantA)
		w.asksToSignIn()
		w.fails = provisioningError(outlook.BadCredentials, 400, "AADSTS54005", "code planted-code was redeemed with "+"x")
		err := w.returns(nil)
		w.fails = nil
		if err == nil || strings.Contains(err.Error(), "planted-code") {
			t.Errorf("%v", err)
		}

		w.asksToSignIn()
		first := w.page
		w.asksToSignIn() // takes its place
		w.refused(w.returns(url.Values{"state": {first.Get("state")}}), model.Invalid, "state", "another one was asked for")
		w.ok(w.returns(nil))
		w.refused(w.returns(nil), model.Invalid, "state", "used already")

		w.asksToSignIn()
		w.change(w.ref, func(i *model.Integration) { i.Graph.ClientID = "app-2" })
		w.refused(w.returns(nil), model.Refused, "", "changed meanwhile")
		w.change(w.ref, func(i *model.Integration) { i.Graph.ClientID = "app-1" })
		w.asksToSignIn()
		w.clock.move(61 * time.Minute)
		w.refused(w.returns(nil), model.Invalid, "state", "more than an hour ago")
		w.ok(w.svc.WatchSetups(w.ctx, directory.WatchSetups{}))
		if left := w.sealed(w.ref); len(left) != 0 {
			t.Errorf("still sealed: %v", left)
		}
	})
}

// TestSignInEndsInTheMiddle: the access ends while the set-up is under way; somebody signs in again, and it goes on.
func TestSignInEndsInTheMiddle(t *testing.T) {
	eachSignIn(t, func(w *signInWorld) {
		w.asksToSignIn()
		w.ok(w.returns(nil))
		w.asks(w.ref, hr())
		w.entra.refuse["CreateJob"] = provisioningError(outlook.BadCredentials, 401, "TokenEnded", "Lifetime validation failed: "+plantedToken)
		row := w.setUp(w.ref)
		if row.State != model.TaskFailed || !strings.Contains(row.Error, "sign in again") || strings.Contains(row.Error, plantedToken) {
			t.Fatalf("%s %q", row.State, row.Error)
		}
		delete(w.entra.refuse, "CreateJob")
		w.asksToSignIn()
		w.ok(w.returns(nil))
		w.asks(w.ref, hr())
		w.setUp(w.ref)
		w.installed(w.ref, hrID, financeID)
		w.clean(plantedToken)
	})
}

// clean greps everything that is stored or logged, but Entra, for secrets.
func (w *signInWorld) clean(secrets ...string) {
	w.Helper()
	text := w.log.String() + w.everything()
	for _, s := range secrets {
		if s == "" || strings.Contains(text, s) {
			w.Errorf("%q stands in the database or the log", s)
		}
	}
}

// everything gives every value of every table as text.
func (w *world) everything() string {
	w.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if w.store.Dialect() == "postgres" {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
	}
	var b strings.Builder
	for _, table := range w.column(query) {
		w.printTable(&b, table)
	}
	return b.String()
}

func (w *world) printTable(b *strings.Builder, table string) {
	w.Helper()
	rows, err := w.store.DB().QueryContext(w.ctx, "SELECT * FROM "+table)
	w.ok(err)
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	w.ok(err)
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		w.ok(rows.Scan(into...))
		for _, v := range values {
			if raw, ok := v.([]byte); ok {
				v = string(raw)
			}
			fmt.Fprintln(b, v)
		}
	}
	w.ok(rows.Err())
}

func (w *world) column(query string, args ...any) []string {
	w.Helper()
	rows, err := w.store.DB().QueryContext(w.ctx, query, args...)
	w.ok(err)
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var v sql.NullString
		w.ok(rows.Scan(&v))
		list = append(list, v.String)
	}
	w.ok(rows.Err())
	return list
}
