package scim_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// TestUnauthorizedSoundsTheSame: whatever is wrong with a token, a stranger hears the same; no token at all is no error.
func TestUnauthorizedSoundsTheSame(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTokens(t, s, nil)
		past := time.Now().Add(time.Hour)
		_, expired, err := x.service.CreateSCIMToken(t.Context(), x.ref, "expired", &past)
		if err != nil {
			t.Fatal(err)
		}
		row, revoked, err := x.service.CreateSCIMToken(t.Context(), x.ref, "revoked", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.service.DeleteSCIMToken(t.Context(), x.ref, row.ID); err != nil {
			t.Fatal(err)
		}
		elsewhere := newWorld(t, s).token
		x.clock.set(past)
		var said string
		for name, header := range map[string]string{
			"made up": "Bearer x", "expired": "Bearer " + expired, "revoked": "Bearer " + revoked, "elsewhere": "Bearer " + elsewhere,
			"another scheme": "Basic eA==", "half": "Bearer", "access token": "Bearer usher_oauth_AAAA", "NUL": "Bearer \x00",
		} {
			got := x.users(header)
			want := `Bearer realm="Usher SCIM", error="invalid_token", error_description="The access token is not valid for this integration"`
			if got.Code != 401 || got.Header().Get("WWW-Authenticate") != want {
				t.Errorf("%s: %d %v", name, got.Code, got.Header())
			}
			if said != "" && got.Body.String() != said {
				t.Errorf("%s: %s, others: %s", name, got.Body, said)
			}
			said = got.Body.String()
		}
		if got := x.users(""); got.Code != 401 || got.Header().Get("WWW-Authenticate") != `Bearer realm="Usher SCIM"` || got.Body.String() != said {
			t.Errorf("no token: %d %v %s", got.Code, got.Header(), got.Body)
		}
		if got := x.users("bearer   " + x.token + " "); got.Code != 200 {
			t.Errorf("a right token with odd blanks: %d", got.Code)
		}
	})
}

// TestLimits: an integration that sends too much hears 429 with Retry-After; others, and it itself a moment later, go on.
func TestLimits(t *testing.T) {
	t.Parallel()
	now := &clock{}
	now.set(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	var limited []string
	limits := scim.NewLimits(scim.LimitOptions{Rate: 5, Now: now.Now, Observe: func(limit string) { limited = append(limited, limit) }})
	db := storetest.OpenSQLite(t)
	x := newTokens(t, db, limits)
	statuses := func(n int, token string) map[int]int {
		seen := map[int]int{}
		for range n {
			got := x.users("Bearer " + token)
			seen[got.Code]++
			if got.Code == 429 && got.Header().Get("Retry-After") != "1" {
				t.Errorf("429 with Retry-After %q", got.Header().Get("Retry-After"))
			}
		}
		return seen
	}
	if got := fmt.Sprint(statuses(25, x.token)); got != "map[200:20 429:5]" {
		t.Errorf("a burst: %s", got)
	}
	if got := x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", x.client.ID, "client_secret", x.secret)); got.Code != 429 ||
		got.Header().Get("Retry-After") != "1" || read(t, got).Error != "temporarily_unavailable" {
		t.Errorf("a token for it: %d %s", got.Code, got.Body)
	}
	other := x.enter(t, "Fabrikam")
	mine := x.world
	x.integration = other.integration
	if got := fmt.Sprint(statuses(10, other.token)); got != "map[200:10]" {
		t.Errorf("another integration: %s", got)
	}
	x.integration = mine.integration
	now.set(now.Now().Add(time.Second))
	if got := fmt.Sprint(statuses(6, x.token)); got != "map[200:5 429:1]" {
		t.Errorf("a second later: %s", got)
	}

	// Strangers hear 401, then 429, and take nothing from those who are known, though they come from the same address.
	limited = nil
	seen := statuses(300, "usher_scim_nonsense")
	if seen[401] != 200 || seen[429] != 100 || len(limited) != 100 || limited[0] != scim.LimitStranger {
		t.Errorf("strangers: %v, %d", seen, len(limited))
	}
	if got := x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", x.client.ID, "client_secret", "x")); got.Code != 429 {
		t.Errorf("a stranger at the token endpoint: %d", got.Code)
	}
	now.set(now.Now().Add(400 * time.Millisecond))
	if got := fmt.Sprint(statuses(2, x.token)); got != "map[200:2]" {
		t.Errorf("a client that is known, in the middle of it: %s", got)
	}
}

// TestLimitsOff: 0 means any number.
func TestLimitsOff(t *testing.T) {
	t.Parallel()
	x := newTokens(t, storetest.OpenSQLite(t), scim.NewLimits(scim.LimitOptions{}))
	for range 100 {
		if got := x.users("Bearer " + x.token); got.Code != 200 {
			t.Fatal(got.Code)
		}
	}
}

// nobody lets nobody in.
type nobody struct{}

func (nobody) SecretGrant(context.Context, string, string) (model.SCIMGrant, error) {
	return model.SCIMGrant{}, model.Denied(model.DeniedUnknown)
}

func (nobody) AssertionGrant(context.Context, string, string) (model.SCIMGrant, error) {
	return model.SCIMGrant{}, model.Denied(model.DeniedUnknown)
}

// FuzzTokenRequest: whatever is sent to the token endpoint, the answer is an error of the client's and an answer of RFC 6749.
func FuzzTokenRequest(f *testing.F) {
	e := echo.New()
	scim.NewTokenEndpoint(scim.TokenOptions{Grants: nobody{}, Logger: discard()}).Mount(e)
	f.Add("grant_type=client_credentials&client_id=x&client_secret=y", "", "application/x-www-form-urlencoded")
	f.Add("grant_type="+jwtGrant+"&assertion=a.b.c&scope=x", "Basic eDp5", "application/x-www-form-urlencoded; charset=utf-8")
	f.Add("grant_type=client_credentials&client_assertion_type="+jwtType+"&client_assertion=%ff", "Bearer x", "application/json")
	f.Fuzz(func(t *testing.T, body, authorization, media string) {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		r.Header.Set("Authorization", authorization)
		got := httptest.NewRecorder()
		e.ServeHTTP(got, r)
		g := read(t, got)
		if got.Code < 400 || got.Code >= 500 || g.Error == "" || g.Description == "" {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	})
}
