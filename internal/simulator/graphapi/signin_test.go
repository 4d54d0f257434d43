package graphapi

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	redirect = "https://usher.contoso.example/graph/consent"
	verifier = "a-verifier-that-is-long-enough-to-be-one-of-rfc-7636"
)

func challengeOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ask goes to the page of the sign-in and gives what the browser is sent back with.
func (w *town) ask(t *testing.T, change func(url.Values)) (status int, back url.Values) {
	t.Helper()
	query := url.Values{
		"client_id": {appID}, "response_type": {"code"}, "redirect_uri": {redirect}, "state": {"state-1"}, "nonce": {"nonce-1"},
		"scope":          {"openid profile https://graph.microsoft.com/Application.ReadWrite.All https://graph.microsoft.com/Group.Read.All"},
		"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	if change != nil {
		change(query)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", w.LoginURL+"/"+tenantID+"/oauth2/v2.0/authorize?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := *w.http
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	to, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, to.Query()
}

func (w *town) trade(t *testing.T, code string, change url.Values) reply {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "client_secret": {"s3cret"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
	for name, values := range change {
		form[name] = values
	}
	return w.askToken(t, form)
}

func TestAnAdministratorSignsIn(t *testing.T) {
	w := startTown(t, nil)
	w.SetApp(App{ID: appID, Secrets: []Secret{{Value: "s3cret"}}, RedirectURIs: []string{redirect}})
	if _, got := w.ask(t, nil); got.Get("error") != "login_required" || got.Get("state") != "state-1" {
		t.Errorf("nobody sits there: %v", got)
	}
	ada := w.named(t, "Ada Lovelace")
	w.SignIn(&Administrator{ID: ada.ID, UserName: ada.UserPrincipalName})
	if _, got := w.ask(t, nil); got.Get("error") != "access_denied" {
		t.Errorf("declined: %v", got)
	}
	w.SignIn(&Administrator{ID: ada.ID, UserName: ada.UserPrincipalName, Approves: true})
	if status, _ := w.ask(t, func(q url.Values) { q.Set("redirect_uri", "https://elsewhere.example") }); status != 400 {
		t.Errorf("another address: %d", status)
	}
	if _, got := w.ask(t, func(q url.Values) { q.Set("response_type", "token") }); got.Get("error") != "unsupported_response_type" {
		t.Errorf("implicit: %v", got)
	}
	_, got := w.ask(t, nil)
	if got.Get("state") != "state-1" || got.Get("code") == "" {
		t.Fatalf("approved: %v", got)
	}
	answer := w.trade(t, got.Get("code"), nil)
	access, _ := answer.json["access_token"].(string)
	if answer.status != 200 || access == "" {
		t.Fatalf("token: %s", answer.raw)
	}
	w.proveID(t, answer, ada.ID)
	if again := w.trade(t, got.Get("code"), nil); again.status != 400 || !strings.Contains(again.raw, "AADSTS54005") {
		t.Errorf("a code is good once: %s", again.raw)
	}

	w.directory.Grant("", "User.Read.All") // what the application may by itself is another matter
	w.token = access
	if made := w.do(t, "POST", "/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate", `{"displayName":"Usher"}`); made.status != 201 {
		t.Errorf("in her name: %s", made.raw)
	}
	w.do(t, "GET", "/users/delta", "").want(t, 403, "Authorization_RequestDenied")
}

// proveID checks the token about who signed in by the key that the authority publishes.
func (w *town) proveID(t *testing.T, answer reply, who string) {
	t.Helper()
	text, _ := answer.json["id_token"].(string)
	body, signature, _ := cutLast(text)
	var content map[string]any
	if !readPart(text, 1, &content) || content["nonce"] != "nonce-1" || content["aud"] != appID || content["tid"] != tenantID || content["oid"] != who {
		t.Fatalf("claims: %v", content)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", w.LoginURL+"/"+tenantID+"/discovery/v2.0/keys", nil)
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		Keys []struct{ N, E string }
	}
	if err := json.Unmarshal([]byte(w.send(t, request).raw), &published); err != nil || len(published.Keys) != 1 {
		t.Fatalf("keys: %v", err)
	}
	n, _ := base64.RawURLEncoding.DecodeString(published.Keys[0].N)
	e, _ := base64.RawURLEncoding.DecodeString(published.Keys[0].E)
	raw, _ := base64.RawURLEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(body))
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw); err != nil {
		t.Error(err)
	}
}

func TestCodesAreRefused(t *testing.T) {
	clock := time.Now()
	w := startTown(t, nil, func(o *Options) { o.Now = func() time.Time { return clock } })
	w.SetApp(App{ID: "another", Secrets: []Secret{{Value: "s3cret"}}})
	w.SignIn(&Administrator{ID: adaID, UserName: "ada@contoso.com", Approves: true})
	for _, test := range []struct {
		name   string
		change url.Values
		code   string
		after  time.Duration
	}{
		{"another verifier", url.Values{"code_verifier": {"another"}}, "AADSTS501481", 0},
		{"no verifier", url.Values{"code_verifier": {""}}, "AADSTS501481", 0},
		{"another address", url.Values{"redirect_uri": {"https://elsewhere.example"}}, "AADSTS500112", 0},
		{"another application", url.Values{"client_id": {"another"}}, "AADSTS700005", 0},
		{"no such code", url.Values{"code": {"made up"}}, "AADSTS9002313", 0},
		{"without proof", url.Values{"client_secret": {""}}, "AADSTS7000218", 0},
		{"too late", nil, "AADSTS70008", 10 * time.Minute},
	} {
		_, got := w.ask(t, nil)
		clock = clock.Add(test.after)
		if answer := w.trade(t, got.Get("code"), test.change); answer.status < 400 || !strings.Contains(answer.raw, test.code) {
			t.Errorf("%s: %d %s", test.name, answer.status, answer.raw)
		}
	}
}
