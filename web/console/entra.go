package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"usher/directory"
	"usher/model"
)

// EntraSignIn is the application of Entra that operators sign in with (OpenID Connect, authorization code with PKCE).
type EntraSignIn struct {
	// Issuer is the tenant's: https://login.microsoftonline.com/<tenant id>/v2.0.
	Issuer       string
	TenantID     string // that the ID token must name
	ClientID     string // of the application; the audience of ID tokens
	ClientSecret string
	Client       *http.Client // the default one where nil
}

// entraDoor is signing in with Entra. What the issuer says of itself is read when somebody first comes, and again after a failure.
type entraDoor struct {
	EntraSignIn
	redirect string

	mutex    sync.Mutex
	provider *oidc.Provider
}

// entraReturn is where Entra sends somebody back to.
const entraReturn = Base + "/sign-in/entra/return"

func newEntraDoor(e EntraSignIn, publicURL string) *entraDoor {
	if e.Client == nil {
		e.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &entraDoor{EntraSignIn: e, redirect: publicURL + entraReturn}
}

func (e *entraDoor) open(ctx context.Context) (*oidc.Provider, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.provider != nil {
		return e.provider, nil
	}
	// Its keys are fetched later, too: not within this request alone.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), e.Client), e.Issuer)
	e.provider = p
	return p, err
}

func (e *entraDoor) config(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: e.ClientID, ClientSecret: e.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: e.redirect,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}
}

// attemptCookie holds a sign-in under way, sealed: what comes back must belong to what this browser began.
const (
	attemptCookie = "usher_sign_in"
	attemptUse    = "console sign-in"
	attemptLife   = 10 * time.Minute
)

type entraAttempt struct {
	State, Nonce, Verifier string
	Next, Organization     string
	Until                  time.Time
}

// errEntra is what somebody is told for whom Entra does not work.
func errEntra() error {
	return model.Errorf(model.Refused, "Entra does not answer as it should. Try again, or sign in with a password; the log of Usher says more.")
}

func (c *Console) toEntra(w http.ResponseWriter, r *http.Request) error {
	p, err := c.entra.open(r.Context())
	if err != nil {
		c.log.WarnContext(r.Context(), "sign-in with Entra failed", "step", "discovery", "err", err)
		return errEntra()
	}
	a := entraAttempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: ownPath(r.FormValue("next")),
		Organization: organizationOf(r), Until: c.now().Add(attemptLife),
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	keyID, sealed := c.svc.Keys.Seal(string(raw), attemptUse)
	c.attempt(w, keyID+"."+base64.RawURLEncoding.EncodeToString(sealed))
	http.Redirect(w, r, c.entra.config(p).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), http.StatusSeeOther)
	return nil
}

// attempt keeps a sign-in under way in the browser; "" lets it forget. Entra sends the browser back from another site, which
// Lax allows.
func (c *Console) attempt(w http.ResponseWriter, value string) {
	cookie := &http.Cookie{
		Name: attemptCookie, Value: value, Path: Base + "/sign-in", HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
		MaxAge: int(attemptLife.Seconds()),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

func (c *Console) attemptOf(r *http.Request) (entraAttempt, error) {
	var a entraAttempt
	cookie, err := r.Cookie(attemptCookie)
	if err == nil {
		keyID, text, _ := strings.Cut(cookie.Value, ".")
		var sealed []byte
		var plain string
		if sealed, err = base64.RawURLEncoding.DecodeString(text); err == nil {
			if plain, err = c.svc.Keys.Open(keyID, sealed, attemptUse); err == nil {
				err = json.Unmarshal([]byte(plain), &a)
			}
		}
	}
	if err != nil || !c.now().Before(a.Until) || subtle.ConstantTimeCompare([]byte(r.FormValue("state")), []byte(a.State)) != 1 {
		return a, model.Errorf(model.Invalid, "This sign-in was not begun here, or took longer than ten minutes. Begin again.")
	}
	return a, nil
}

func (c *Console) fromEntra(w http.ResponseWriter, r *http.Request) error {
	a, err := c.attemptOf(r)
	c.attempt(w, "")
	if err != nil {
		return err
	}
	if code := r.FormValue("error"); code != "" {
		c.log.InfoContext(r.Context(), "sign-in with Entra refused", "error", code)
		return model.Errorf(model.Forbidden, "Entra did not let you sign in.")
	}
	identity, err := c.entra.identity(r.Context(), r.FormValue("code"), a)
	if err != nil {
		c.log.WarnContext(r.Context(), "sign-in with Entra failed", "step", "token", "err", err)
		return errEntra()
	}
	who, err := c.svc.EntraSignIn(r.Context(), a.Organization, identity, visitor(r))
	if err != nil {
		return err
	}
	return c.enter(w, r, who, a.Next)
}

// entraClaims are the claims of an ID token that count (Microsoft identity platform: ID token claims reference).
type entraClaims struct {
	TenantID          string `json:"tid"`
	ObjectID          string `json:"oid"`
	Email             string `json:"email"`
	PreferredUserName string `json:"preferred_username"`
	// EmailDomainVerified says that the domain of the e-mail is one of the tenant's own (xms_edov).
	EmailDomainVerified any `json:"xms_edov"`
}

// identity trades the code for an ID token and says who it names. The issuer, the audience, the signature, the time, the nonce
// and the tenant must be right. An e-mail counts only where Entra says that its domain is the tenant's own; the user name always
// is of a verified domain.
func (e *entraDoor) identity(ctx context.Context, code string, a entraAttempt) (directory.EntraIdentity, error) {
	var none directory.EntraIdentity
	p, err := e.open(ctx)
	if err != nil {
		return none, err
	}
	ctx = oidc.ClientContext(ctx, e.Client)
	token, err := e.config(p).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return none, err
	}
	text, ok := token.Extra("id_token").(string)
	if !ok {
		return none, errors.New("the answer has no ID token")
	}
	id, err := p.Verifier(&oidc.Config{ClientID: e.ClientID}).Verify(ctx, text)
	if err != nil {
		return none, err
	}
	var claims entraClaims
	if err := id.Claims(&claims); err != nil {
		return none, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return none, errors.New("the nonce is another one")
	}
	if !strings.EqualFold(claims.TenantID, e.TenantID) || claims.ObjectID == "" {
		return none, errors.New("the ID token is of another tenant, or names nobody")
	}
	who := directory.EntraIdentity{ObjectID: strings.ToLower(claims.ObjectID)}
	if claims.verified() && claims.Email != "" {
		who.Emails = append(who.Emails, claims.Email)
	}
	if strings.Contains(claims.PreferredUserName, "@") && !strings.Contains(strings.ToLower(claims.PreferredUserName), "#ext#") {
		who.Emails = append(who.Emails, claims.PreferredUserName)
	}
	return who, nil
}

// verified reads xms_edov, which comes as true, "true", 1 or "1".
func (c entraClaims) verified() bool {
	switch v := c.EmailDomainVerified.(type) {
	case bool:
		return v
	case string:
		return v == "1" || strings.EqualFold(v, "true")
	case float64:
		return v == 1
	}
	return false
}
