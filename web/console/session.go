package console

import (
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"usher/directory"
	"usher/model"
)

// The cookies of the console. Those of a server behind https are bound to it.
const (
	cookieSession = "usher_session"
	cookieNotice  = "usher_notice"
	cookieTheme   = "usher_theme"
)

// sessionCookie gives the name: with the prefix __Host- a browser takes it from nobody else.
func (c *Console) sessionCookie() string {
	if c.secure {
		return "__Host-" + cookieSession
	}
	return cookieSession
}

func (c *Console) sessionToken(r *http.Request) string {
	cookie, err := r.Cookie(c.sessionCookie())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setSession lets the browser keep who is signed in; "" lets it forget.
func (c *Console) setSession(w http.ResponseWriter, token string) {
	cookie := &http.Cookie{
		Name: c.sessionCookie(), Value: token, Path: "/", HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
		MaxAge: int(directory.SessionLife.Seconds()),
	}
	if token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// noticeUse binds what is sealed in the cookie to what it is for.
const noticeUse = "console notice"

// setNotice keeps a sentence for the next page. It is sealed, so that nobody else can put one into the console's mouth.
func (v *visit) setNotice(sentence string) {
	keyID, sealed := v.svc.Keys.Seal(sentence, noticeUse)
	http.SetCookie(v.w, &http.Cookie{
		Name: cookieNotice, Value: keyID + "." + base64.RawURLEncoding.EncodeToString(sealed), Path: Base, HttpOnly: true,
		Secure: v.secure, SameSite: http.SameSiteLaxMode, MaxAge: 60,
	})
}

// takeNotice gives the sentence that the page before left, once.
func (v *visit) takeNotice() string {
	cookie, err := v.r.Cookie(cookieNotice)
	if err != nil {
		return ""
	}
	http.SetCookie(v.w, &http.Cookie{Name: cookieNotice, Path: Base, MaxAge: -1, HttpOnly: true, Secure: v.secure, SameSite: http.SameSiteLaxMode})
	keyID, text, _ := strings.Cut(cookie.Value, ".")
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	sentence, err := v.svc.Keys.Open(keyID, sealed, noticeUse)
	if err != nil {
		return ""
	}
	return sentence
}

// theme gives what the operator chose: light, dark, or "" for what the system has.
func theme(r *http.Request) string {
	if cookie, err := r.Cookie(cookieTheme); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		return cookie.Value
	}
	return ""
}

// visitor says where somebody comes from. What a proxy says of that is not believed: the log shall not tell what a client made
// up.
func visitor(r *http.Request) directory.Visitor {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return directory.Visitor{RemoteAddress: host, UserAgent: r.UserAgent()}
}

// notSignedIn sends somebody to the door who asks for a page, to come back to it; who sends something is told.
func (c *Console) notSignedIn(w http.ResponseWriter, r *http.Request, err error) {
	if model.KindOf(err) != model.Unauthorized {
		p := c.problem(err)
		c.plainPage(w, r, p.Status, p.Title, p.Detail)
		return
	}
	door := Base + "/sign-in"
	if r.Method == http.MethodGet && r.URL.Path != Base && r.URL.Path != Base+"/" {
		door += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	switch {
	case r.Header.Get("HX-Request") == "true":
		w.Header().Set("HX-Redirect", door)
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		http.Redirect(w, r, door, http.StatusSeeOther)
	default:
		c.plainPage(w, r, http.StatusUnauthorized, "Your session has ended", "Nothing was changed. Sign in again and repeat what you did.")
	}
}

// ownPath takes a page of the console to come back to, and nothing else: an address from outside could lead anywhere.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.ContainsAny(next, "\\\r\n\t") {
		return Base
	}
	if u.Path != Base && !strings.HasPrefix(u.Path, Base+"/") || strings.HasPrefix(u.Path, Base+"/sign-") || strings.Contains(u.Path, "..") {
		return Base
	}
	return u.RequestURI()
}

// recovered turns a panic into a page that says so, and logs where it came from.
func (c *Console) recovered(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if e, ok := cause.(error); ok && errors.Is(e, http.ErrAbortHandler) {
		panic(cause)
	}
	c.log.ErrorContext(r.Context(), "page panicked", "cause", cause, "stack", string(debug.Stack()))
	c.plainPage(w, r, http.StatusInternalServerError, "Something went wrong", "Something went wrong inside Usher. Its log says what.")
}
