package graph_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model"
	"usher/model/outlook"
)

// certificate gives a certificate with its key in PEM.
func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "usher"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
}

func TestCredentials(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("token-of-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		credential graph.Credential
		want       map[string]string
	}{
		"secret": {graph.Credential{ClientSecret: secret}, map[string]string{"client_secret": secret}},
		"assertion": {
			graph.Credential{Assertion: func(context.Context) (string, error) { return "assertion", nil }},
			map[string]string{"client_assertion": "assertion", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		},
		"token file":  {graph.Credential{TokenFile: file}, map[string]string{"client_assertion": "token-of-the-file"}},
		"certificate": {graph.Credential{CertificatePEM: certificate(t)}, map[string]string{"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ok(`{"id":"e"}`), ok(`{"id":"e"}`))
			w.login.roles = []string{"User.Read.All", "Calendars.Read", "Calendars.Read"}
			options := w.options()
			options.Credential = test.credential
			c := w.clientOf(options)
			for range 2 {
				if err := reading(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			got, err := c.Permissions(t.Context())
			if err != nil || !reflect.DeepEqual(got, []string{"Calendars.Read", "User.Read.All"}) {
				t.Errorf("%v, %v", got, err)
			}
			if len(w.login.forms) != 1 {
				t.Fatalf("%d tokens were asked for, want 1", len(w.login.forms))
			}
			form := w.login.forms[0]
			test.want["client_id"], test.want["grant_type"] = client, "client_credentials"
			for name, want := range test.want {
				if got := form.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if !strings.HasPrefix(form.Get("scope"), "https://graph.microsoft.com/.default") {
				t.Errorf("scope %q", form.Get("scope"))
			}
		})
	}
}

func TestManagedIdentity(t *testing.T) {
	w := newWorld(t, ok(`{"id":"e"}`))
	identity := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-IDENTITY-HEADER") != "header" || r.URL.Query().Get("resource") != "https://graph.microsoft.com" || r.URL.Query().Get("client_id") != client {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		_, _ = rw.Write([]byte(`{"access_token":"` + w.login.token() + `","expires_on":"` + "4102444800" + `","resource":"https://graph.microsoft.com","token_type":"Bearer"}`)) // the client waits for it
	}))
	defer identity.Close()
	t.Setenv("IDENTITY_ENDPOINT", identity.URL)
	t.Setenv("IDENTITY_HEADER", "header")
	options := w.options()
	options.TenantID, options.Credential = "", graph.Credential{ManagedIdentity: true}
	if err := reading(t.Context(), w.clientOf(options)); err != nil {
		t.Fatal(err)
	}
	if got := w.asked(1)[0].Header.Get("Authorization"); got != "Bearer "+w.login.token() {
		t.Errorf("sent %s", got)
	}
}

func TestTokenFailures(t *testing.T) {
	entra := func(status int, kind, code string) answer {
		return answer{status: status, body: `{"error":"` + kind + `","error_description":"AADSTS` + code + `: No. Trace ID: x","error_codes":[` + code + `],"trace_id":"trace"}`}
	}
	for _, test := range []struct {
		name    string
		answers []answer
		want    outlook.Kind
		code    string
		message string
		sleeps  []time.Duration
	}{
		{"wrong secret", []answer{entra(401, "invalid_client", "7000215")}, outlook.BadCredentials, "AADSTS7000215", "the client secret is not right", nil},
		{"expired secret", []answer{entra(401, "invalid_client", "7000222")}, outlook.BadCredentials, "AADSTS7000222", "the client secret has expired", nil},
		{"unknown application", []answer{entra(400, "unauthorized_client", "700016")}, outlook.BadCredentials, "AADSTS700016", "the application is not known", nil},
		{"no consent", []answer{entra(400, "invalid_resource", "500011")}, outlook.BadCredentials, "AADSTS500011", "has not consented", nil},
		{"no number", []answer{{status: 400, body: `{"error":"invalid_request","error_description":"AADSTS900144: The request body must contain"}`}}, outlook.BadCredentials, "AADSTS900144", "not accepted", nil},
		{"a number of tomorrow", []answer{entra(400, "invalid_grant", "1234567")}, outlook.BadCredentials, "AADSTS1234567", "refused the application's credentials", nil},
		{"no reason", []answer{{status: 400, body: `<html>`}}, outlook.BadCredentials, "TokenRefused", "gave no reason", nil},
		{"throttled for long", []answer{{status: 429, body: `{}`, header: map[string]string{"Retry-After": "90"}}}, outlook.Throttled, "TokenRefused", "", nil},
		{
			"not available",
			[]answer{{status: 503, body: `x`}, {status: 503}, {status: 500, body: `{}`}, {status: 503, body: `{}`}},
			outlook.Unavailable, "TokenRefused", "",
			[]time.Duration{time.Second, 2 * time.Second, 4 * time.Second},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.login.answers = test.answers
			err := changing(t.Context(), w.client())
			failed, isOutlook := errors.AsType[*outlook.Error](err)
			if !isOutlook || failed.Kind != test.want || failed.Code != test.code || !strings.Contains(failed.Message, test.message) {
				t.Fatalf("%#v", err)
			}
			if test.want == outlook.Throttled && failed.After != 90*time.Second {
				t.Errorf("after %v", failed.After)
			}
			if !reflect.DeepEqual(w.sleeps, test.sleeps) {
				t.Errorf("slept %v, want %v", w.sleeps, test.sleeps)
			}
			if len(w.seen) != len(test.answers) || !strings.Contains(w.log.String(), `"code":"`+test.code+`"`) || strings.Contains(w.log.String(), secret) {
				t.Errorf("observed %+v, logged %s", w.seen, w.log)
			}
			w.asked(0)
		})
	}
	t.Run("a change waits for the token endpoint", func(t *testing.T) {
		w := newWorld(t, ok(`{"id":"e"}`))
		w.login.answers = []answer{{status: 503, body: `{}`}}
		if err := changing(t.Context(), w.client()); err != nil {
			t.Fatal(err)
		}
		w.asked(1)
	})
	t.Run("no way to it", func(t *testing.T) {
		w := newWorld(t)
		w.login.server.Close()
		checkKind(t, reading(t.Context(), w.client()), outlook.Unavailable)
	})
	t.Run("a certificate that nobody trusts", func(t *testing.T) {
		w := newWorld(t)
		options := w.options()
		options.RootCAs = x509.NewCertPool()
		checkKind(t, reading(t.Context(), w.clientOf(options)), outlook.Unavailable)
	})
	t.Run("permissions", func(t *testing.T) {
		w := newWorld(t)
		w.login.answers = []answer{entra(401, "invalid_client", "7000222")}
		_, err := w.client().Permissions(t.Context())
		checkKind(t, err, outlook.BadCredentials)
	})
	t.Run("no JWT", func(t *testing.T) {
		w := newWorld(t)
		w.login.answers = []answer{ok(`{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}`)}
		_, err := w.client().Permissions(t.Context())
		checkKind(t, err, outlook.Unavailable)
	})
}

// TestClaims: a challenge of Continuous Access Evaluation is answered once, with another token.
func TestClaims(t *testing.T) {
	const wanted = `{"access_token":{"nbf":{"essential":true,"value":"1702682181"}}}`
	challenge := func(text string) answer {
		return with(refusal(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge"), "WWW-Authenticate",
			`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="`+text+`"`)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(wanted))
	t.Run("answered", func(t *testing.T) {
		w := newWorld(t, challenge(encoded), ok(`{"id":"e"}`))
		if err := changing(t.Context(), w.client()); err != nil {
			t.Fatal(err)
		}
		requests := w.asked(2)
		if requests[0].Header.Get("Authorization") == requests[1].Header.Get("Authorization") || requests[0].Body != requests[1].Body {
			t.Error("the second request has the token or not the body of the first")
		}
		if got := w.login.forms[1].Get("claims"); !strings.Contains(got, `"1702682181"`) {
			t.Errorf("claims %s", got)
		}
	})
	t.Run("once", func(t *testing.T) {
		w := newWorld(t, challenge(encoded), challenge(encoded))
		checkKind(t, reading(t.Context(), w.client()), outlook.BadCredentials)
		w.asked(2)
	})
	for _, text := range []string{"", "%%%", base64.StdEncoding.EncodeToString([]byte("no JSON"))} {
		t.Run("not with "+text, func(t *testing.T) {
			w := newWorld(t, challenge(text))
			checkKind(t, reading(t.Context(), w.client()), outlook.BadCredentials)
			w.asked(1)
		})
	}
}

func TestOptions(t *testing.T) {
	pemOfNothing := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	for _, test := range []struct {
		name   string
		change func(*graph.Options)
		field  string
	}{
		{"tenant", func(o *graph.Options) { o.TenantID = "" }, "tenant_id"},
		{"tenant that is a path", func(o *graph.Options) { o.TenantID = "a/b" }, "tenant_id"},
		{"tenant of everybody", func(o *graph.Options) { o.TenantID = "common" }, "tenant_id"},
		{"application", func(o *graph.Options) { o.ClientID = "" }, "graph.client_id"},
		{"no credential", func(o *graph.Options) { o.Credential = graph.Credential{} }, "graph"},
		{"two credentials", func(o *graph.Options) { o.Credential.ManagedIdentity = true }, "graph"},
		{"certificate", func(o *graph.Options) { o.Credential = graph.Credential{CertificatePEM: pemOfNothing} }, "graph.certificate_pem"},
		{"password of a certificate", func(o *graph.Options) {
			o.Credential = graph.Credential{CertificatePEM: []byte("x"), CertificatePassword: "y"}
		}, "graph.certificate_pem"},
		{"cloud", func(o *graph.Options) { o.Cloud = "cumulus" }, "graph.cloud"},
		{"Graph's URL", func(o *graph.Options) { o.GraphURL = "graph.microsoft.com" }, "graph_url"},
		{"Graph over http", func(o *graph.Options) { o.GraphURL = "http://graph.contoso.com/v1.0" }, "graph_url"},
		{"Graph over http to a look-alike", func(o *graph.Options) { o.GraphURL = "http://127.0.0.1.contoso.com/v1.0" }, "graph_url"},
		{"Graph with a query", func(o *graph.Options) { o.GraphURL = "https://graph.contoso.com/v1.0?a=b" }, "graph_url"},
		{"Graph with a user", func(o *graph.Options) { o.GraphURL = "https://ada:lovelace@graph.contoso.com" }, "graph_url"},
		{"login over http", func(o *graph.Options) { o.LoginURL = "http://127.0.0.1:1" }, "login_url"},
		{"login with a path", func(o *graph.Options) { o.LoginURL = "https://127.0.0.1:1/tenant" }, "login_url"},
		{"login without a host", func(o *graph.Options) { o.LoginURL = "https://:1" }, "login_url"},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := graph.Options{TenantID: tenant, ClientID: client, Credential: graph.Credential{ClientSecret: secret}}
			test.change(&options)
			_, err := graph.New(options)
			failed, isModel := errors.AsType[*model.Error](err)
			if !isModel || failed.Kind != model.Invalid || failed.Field != test.field {
				t.Errorf("%#v, want field %s", err, test.field)
			}
		})
	}
	for _, cloud := range []graph.Cloud{"", graph.Global, graph.USGov, graph.DoD, graph.China} {
		if _, err := graph.New(graph.Options{TenantID: "contoso.com", ClientID: client, Cloud: cloud, Credential: graph.Credential{ClientSecret: secret}}); err != nil {
			t.Errorf("%s: %v", cloud, err)
		}
	}
}

// TestClouds: each cloud has its own root, authority and resource.
func TestClouds(t *testing.T) {
	for cloud, want := range map[graph.Cloud][3]string{
		graph.Global: {"https://graph.microsoft.com/v1.0", "https://login.microsoftonline.com", "https://graph.microsoft.com/.default"},
		graph.USGov:  {"https://graph.microsoft.us/v1.0", "https://login.microsoftonline.us", "https://graph.microsoft.us/.default"},
		graph.DoD:    {"https://dod-graph.microsoft.us/v1.0", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/.default"},
		graph.China:  {"https://microsoftgraph.chinacloudapi.cn/v1.0", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/.default"},
	} {
		root, login, scope, microsoft, err := graph.Addresses(graph.Options{Cloud: cloud})
		if err != nil || root != want[0] || login != want[1] || scope != want[2] || !microsoft {
			t.Errorf("%s: %s, %s, %s, %v, %v", cloud, root, login, scope, microsoft, err)
		}
	}
	root, login, scope, microsoft, err := graph.Addresses(graph.Options{GraphURL: "HTTP://LocalHost:8085/", LoginURL: "https://127.0.0.1:9443/"})
	if err != nil || root != "http://localhost:8085/v1.0" || login != "https://127.0.0.1:9443" || scope != "https://graph.microsoft.com/.default" || microsoft {
		t.Errorf("overrides: %s, %s, %s, %v, %v", root, login, scope, microsoft, err)
	}
	if _, login, _, microsoft, err := graph.Addresses(graph.Options{LoginURL: "https://login.microsoftonline.us"}); err != nil || !microsoft {
		t.Errorf("%s is Microsoft's: %v, %v", login, microsoft, err)
	}
}

// TestPrivateAuthority: a Graph at an address of its own may have a certificate that RootCAs alone trusts.
func TestPrivateAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"e"}`))
	}))
	defer server.Close()
	w := newWorld(t)
	options := w.options()
	options.GraphURL = server.URL + "/v1.0"
	options.RootCAs.AddCert(server.Certificate())
	if err := reading(t.Context(), w.clientOf(options)); err != nil {
		t.Error(err)
	}
}
