package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

func TestSignIn(t *testing.T) {
	each(t, func(f *fixture) {
		f.get("/people?view=active").to("/console/sign-in?next=%2Fconsole%2Fpeople%3Fview%3Dactive")
		f.get("/sign-in").want(http.StatusOK, "Sign in", `autocomplete="current-password"`)
		f.post("/sign-in", "email", masterEmail, "password", "wrong password here", "next", "/console/people").
			want(http.StatusUnauthorized, "do not fit", `value="`+masterEmail+`"`).lacks("wrong password here")
		f.post("/sign-in", "email", "Grace@Contoso.example", "password", password, "next", "/console/people?view=active").to("/console/people?view=active")
		f.get("/").want(http.StatusOK, "Home", "Grace Hopper")
		f.get("/sign-in").to("/console")
		f.post("/sign-out").to("/console/sign-in?signed-out=1")
		f.get("/").to("/console/sign-in")
	})
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	each(t, func(f *fixture) {
		for _, next := range []string{"https://evil.example", "//evil.example/console", `/\evil.example`, "/console/../api", "/api/v1/docs", "javascript:alert(1)", "/consoles", "/console/sign-out"} {
			f.post("/sign-in", "email", masterEmail, "password", password, "next", next).to("/console")
		}
	})
}

func TestLockOut(t *testing.T) {
	each(t, func(f *fixture) {
		for range 5 {
			f.post("/sign-in", "email", masterEmail, "password", "wrong password here").want(http.StatusUnauthorized)
		}
		f.post("/sign-in", "email", masterEmail, "password", password).want(http.StatusUnauthorized, "too many wrong ones")
		unknown := f.post("/sign-in", "email", "nobody@contoso.example", "password", password).want(http.StatusUnauthorized)
		if !strings.Contains(unknown.body, "do not fit") {
			t.Error("who is nobody is told something else than who is locked out")
		}
	})
}

func TestSessionEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(f *fixture)
	}{
		{"unused for two hours", func(f *fixture) { f.lapse.Store(int64(directory.SessionIdle)) }},
		{"with the operator", func(f *fixture) {
			f.operator("second@contoso.example", model.RightAll)
			f.ok(f.svc.RemoveOperator(f.Context(), f.master, f.master.ID))
		}},
		{"with another password", func(f *fixture) {
			f.ok(f.svc.SetOperatorPassword(f.Context(), f.org.ID, masterEmail, "another long password"))
		}},
		{"when somebody signs the operator out", func(f *fixture) { f.ok(f.svc.SignOutOperator(f.Context(), f.org.ID, f.master.ID)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(f *fixture) {
				f = f.as(f.master)
				f.get("/").want(http.StatusOK)
				tt.do(f)
				f.get("/").to("/console/sign-in")
				f.post("/me/sessions/end").want(http.StatusUnauthorized, "Your session has ended")
				if got := f.get("/people", "HX-Request", "true").want(http.StatusUnauthorized).Header.Get("HX-Redirect"); got != "/console/sign-in?next=%2Fconsole%2Fpeople" {
					t.Errorf("htmx is led to %q", got)
				}
			})
		})
	}
}

// TestSessionEndsAfterTwelveHours keeps a session in use.
func TestSessionEndsAfterTwelveHours(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.lapse.Store(int64(11 * time.Hour))
		f.get("/").to("/console/sign-in") // not used for long
		f = f.as(f.master)
		f.lapse.Add(int64(directory.SessionLife - time.Minute))
		f.get("/").to("/console/sign-in")
	})
}

func TestFirstOperator(t *testing.T) {
	each(t, func(f *fixture) {
		org, err := f.svc.CreateOrganization(f.Context(), "fabrikam", "")
		f.ok(err)
		one, err := f.svc.FirstOperatorLink(f.Context(), org.ID)
		f.ok(err)
		two, err := f.svc.FirstOperatorLink(f.Context(), org.ID)
		f.ok(err)
		f.get("/welcome?token="+one).want(http.StatusOK, "Make the first operator")
		f.post("/welcome", "token", one, "email", "not an address", "password", password, "name", "Ada").
			want(http.StatusUnprocessableEntity, `value="not an address"`, `value="Ada"`, `aria-invalid="true"`)
		f.post("/welcome", "token", one, "email", "ada@fabrikam.example", "password", "short").want(http.StatusUnprocessableEntity, "at least 12 characters", `value="ada@fabrikam.example"`)
		f.post("/welcome", "token", one, "email", "ada@fabrikam.example", "password", password).to("/console")
		f.get("/").want(http.StatusOK, "ada@fabrikam.example")
		for _, used := range []string{one, two, "usher_link_made_up", strings.ToUpper(one)} {
			f.get("/welcome?token="+used).want(http.StatusGone, "has been used or has expired")
			f.post("/welcome", "token", used, "email", "eve@fabrikam.example", "password", password).want(http.StatusGone)
		}
		if again, err := f.svc.FirstOperatorLink(f.Context(), org.ID); err != nil || again != "" {
			t.Errorf("another first operator could be made: %q, %v", again, err)
		}
	})
}

func TestLinkExpires(t *testing.T) {
	each(t, func(f *fixture) {
		_, token, err := f.svc.InviteOperator(f.Context(), f.master, "new@contoso.example", "", []model.Right{model.RightRead})
		f.ok(err)
		f.get("/welcome?token="+token).want(http.StatusOK, "new@contoso.example")
		f.lapse.Store(int64(3 * 24 * time.Hour))
		f.get("/welcome?token=" + token).want(http.StatusGone)
	})
}

// TestOtherSites sends what a page of another site could have a browser send.
func TestOtherSites(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.do(http.MethodPost, "/me/sessions/end", nil, "Sec-Fetch-Site", "cross-site").want(http.StatusForbidden, "another site")
		f.do(http.MethodPost, "/sign-out", nil, "Origin", "https://evil.example").want(http.StatusForbidden)
		f.get("/").want(http.StatusOK)
	})
}

func TestHeaders(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		for _, path := range []string{"/", "/sign-in", "/nowhere", "/assets/nothing.css"} {
			a := f.get(path)
			if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q", path, policy)
			}
			if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s: %v", path, a.Header)
			}
			a.lacks("<style", " style=", "<script>", " onclick=")
		}
	})
}
