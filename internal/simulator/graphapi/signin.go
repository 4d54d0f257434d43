package graphapi

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Administrator is who sits at the browser: signed in, and asked whether an application may act in his name.
type Administrator struct {
	ID       string // object id
	UserName string
	Approves bool // otherwise the consent is refused
}

// SignIn says who sits at the browser from now on; nil is nobody. The pretend person decides at once.
func (s *Server) SignIn(who *Administrator) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.administrator = who
}

// codeLife is how long an authorization code is good for.
const codeLife = 10 * time.Minute

// code is an authorization code that has been given out (RFC 6749 §4.1.2).
type code struct {
	app, redirect, challenge, method, nonce string
	scopes                                  []string
	who                                     Administrator
	until                                   time.Time
	used                                    bool
}

// authorize lets whoever sits at the browser sign in to an application (RFC 6749 §4.1.1, RFC 7636 §4.3).
func (s *Server) authorize(query url.Values) answer {
	if query.Get("prompt") == "admin_consent" {
		return s.adminConsent(query, false)
	}
	s.mu.Lock()
	app, known := s.apps[query.Get("client_id")]
	who := s.administrator
	s.mu.Unlock()
	refused := func(code, description string) answer {
		return back(query, url.Values{"error": {code}, "error_description": {description}})
	}
	switch {
	case !known:
		why := noApplication(query.Get("client_id"))
		return page400(why.Error())
	case len(app.RedirectURIs) > 0 && !slices.Contains(app.RedirectURIs, query.Get("redirect_uri")):
		return page400("AADSTS50011: The redirect URI '" + query.Get("redirect_uri") + "' specified in the request does not match the redirect URIs configured for the application '" + app.ID + "'.")
	case who == nil:
		return refused("login_required", "AADSTS50058: A silent sign-in request was sent but no user is signed in.")
	case query.Get("response_type") != "code":
		return refused("unsupported_response_type", "AADSTS700051: The response_type '"+query.Get("response_type")+"' is not enabled for the application.")
	case query.Get("response_mode") != "" && query.Get("response_mode") != "query":
		return refused("invalid_request", "AADSTS70007: The response_mode '"+query.Get("response_mode")+"' is not supported by the simulator.")
	case query.Get("scope") == "":
		return refused("invalid_request", "AADSTS900144: The request body must contain the following parameter: 'scope'.")
	case !who.Approves:
		return refused("access_denied", "AADSTS65004: User declined to consent to access the app.")
	}
	method := orDefault(query.Get("code_challenge_method"), "plain")
	if method != "S256" && method != "plain" {
		return refused("invalid_request", "AADSTS501491: Invalid size or method of Code_Challenge parameter.")
	}
	text := "0.A" + encode([]byte(newID())) + encode([]byte(newID()))
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.codes, func(_ string, c *code) bool { return !s.now().Before(c.until) })
	s.codes[text] = &code{
		app: app.ID, redirect: query.Get("redirect_uri"), challenge: query.Get("code_challenge"), method: method, nonce: query.Get("nonce"),
		scopes: strings.Fields(query.Get("scope")), who: *who, until: s.now().Add(codeLife),
	}
	return back(query, url.Values{"code": {text}, "session_state": {newID()}})
}

// redeem trades a code for a token (RFC 6749 §4.1.3, RFC 7636 §4.6).
func (s *Server) redeem(app string, form url.Values, id string) answer {
	bad := func(number int, message string) answer {
		return s.refused(id, &refusal{400, "invalid_grant", number, message})
	}
	s.mu.Lock()
	c := s.codes[form.Get("code")]
	used := c != nil && c.used
	if c != nil {
		c.used = true
	}
	s.mu.Unlock()
	switch {
	case c == nil:
		return bad(9002313, "Invalid request. Request is malformed or invalid.")
	case used:
		return bad(54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
	case !s.now().Before(c.until):
		return bad(70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.")
	case c.app != app:
		return bad(700005, "Provided Authorization Code is intended to use against other tenant or application, thus rejected.")
	case c.redirect != form.Get("redirect_uri"):
		return bad(500112, "The reply address '"+form.Get("redirect_uri")+"' does not match the reply address '"+c.redirect+"' provided when requesting Authorization code.")
	case !c.proven(form.Get("code_verifier")):
		return bad(501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	return s.delegated(app, c)
}

// proven says whether the verifier is the one of the challenge.
func (c *code) proven(verifier string) bool {
	switch {
	case c.challenge == "":
		return true
	case c.method == "plain":
		return verifier == c.challenge
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == c.challenge
}

// delegated answers with a token in the name of who signed in, and with one about that person where OpenID Connect is asked for.
func (s *Server) delegated(app string, c *code) answer {
	var scopes []string
	openID := false
	for _, scope := range c.scopes {
		switch name := lastSegment(scope); name {
		case "openid":
			openID = true
		case "profile", "email", "offline_access":
		default:
			scopes = append(scopes, name)
		}
	}
	s.mu.Lock()
	lives := s.lifetime
	s.mu.Unlock()
	now := s.now()
	content := claims{
		Audience: "https://graph.microsoft.com", Issuer: "https://sts.windows.net/" + s.opts.TenantID + "/", IssuedAt: now.Unix(),
		NotBefore: now.Unix(), ExpiresAt: now.Add(lives).Unix(), AppID: app, AppIDACR: "1", Kind: "user", ObjectID: c.who.ID, Subject: c.who.ID,
		Scopes: strings.Join(scopes, " "), TenantID: s.opts.TenantID, TokenID: newID(), Version: "1.0", Minted: now.UnixNano(),
	}
	seconds := int(lives / time.Second)
	o := object{
		"token_type": "Bearer", "scope": strings.Join(c.scopes, " "), "expires_in": seconds, "ext_expires_in": seconds,
		"access_token": s.sealed(content),
	}
	if openID {
		o["id_token"] = s.idToken(app, c, now, lives)
	}
	a, _ := jsonAnswer(http.StatusOK, o)
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	return a
}

// identity signs tokens that clients look into. The key is made when it is first needed.
type identity struct {
	once sync.Once
	key  *rsa.PrivateKey
}

func (i *identity) private() *rsa.PrivateKey {
	i.once.Do(func() { i.key, _ = rsa.GenerateKey(rand.Reader, 2048) }) // never fails
	return i.key
}

const identityKey = "the-only-key"

// idToken is about who signed in (OpenID Connect Core §2; Microsoft: ID token claims).
func (s *Server) idToken(app string, c *code, now time.Time, lives time.Duration) string {
	content, _ := json.Marshal(object{
		"aud": app, "iss": s.LoginURL + "/" + s.opts.TenantID + "/v2.0", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(lives).Unix(),
		"nonce": c.nonce, "oid": c.who.ID, "sub": c.who.ID, "tid": s.opts.TenantID, "ver": "2.0", "preferred_username": c.who.UserName,
		"name": c.who.UserName,
	})
	text := encode([]byte(`{"typ":"JWT","alg":"RS256","kid":"`+identityKey+`"}`)) + "." + encode(content)
	sum := sha256.Sum256([]byte(text))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, s.identity.private(), crypto.SHA256, sum[:]) // the key is large enough
	return text + "." + encode(signature)
}

// keys answers what ID tokens are proven with (RFC 7517).
func (s *Server) keys() answer {
	public := s.identity.private().PublicKey
	a, _ := jsonAnswer(http.StatusOK, object{"keys": []object{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": identityKey, "n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
	}}})
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	return a
}
