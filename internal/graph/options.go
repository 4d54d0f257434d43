package graph

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"usher/model"
)

// Cloud is one of Microsoft's clouds. The names are those of an integration's settings.
type Cloud string

// The clouds; an empty name is Global, which has GCC in it as well.
const (
	Global Cloud = "global"
	USGov  Cloud = "usgov" // GCC High
	DoD    Cloud = "dod"
	China  Cloud = "china" // run by 21Vianet
)

// Credential is how the application shows who it is. Exactly one of the six ways is set; CertificatePassword goes with
// CertificatePEM. An AccessToken is somebody else's, such as an administrator's who has just signed in: it is used as it is until
// it ends.
type Credential struct {
	ClientSecret        string
	CertificatePEM      []byte // certificate and private key; PKCS#12 is understood as well
	CertificatePassword string
	Assertion           func(context.Context) (string, error) // a token of a federated identity, each time anew
	TokenFile           string                                // path of a file that holds such a token, read each time
	ManagedIdentity     bool                                  // of the machine on Azure; ClientID names a user-assigned one
	AccessToken         string                                // for Graph; needs neither TenantID nor ClientID
}

// Options are what New needs. All that is not marked as needed may be left out.
type Options struct {
	TenantID   string // needed, save with a managed identity or an access token; the tenant's id or one of its domains
	ClientID   string // needed, save with a managed identity or an access token
	Credential Credential

	Cloud    Cloud
	GraphURL string         // instead of the cloud's root, with the version: https://graph.example/v1.0; http for this machine alone
	LoginURL string         // instead of the cloud's authority: https://login.example
	RootCAs  *x509.CertPool // who is trusted at LoginURL, and at GraphURL where that is given

	MailboxConcurrency int           // requests in flight per mailbox; 4, which is the most that Outlook allows
	Units              int           // resource units of the directory in ten seconds; 8,000, which is a large tenant's limit
	Writes             int           // writes to the directory in 150 seconds; 3,000, which is the limit
	Rate               float64       // requests a second of this client; 100
	Burst              int           // requests at once before Rate holds; 200
	Retries            int           // repetitions of one request after its first attempt; 3, and -1 for none
	LongestWait        time.Duration // the longest Retry-After that is waited for; 20 s
	AttemptTimeout     time.Duration // of one attempt, body included; 100 s
	PageSize           int           // events asked for per page; 50
	ListSize           int           // people, groups and members asked for per page; 999, which is the most
	MaxAnswer          int64         // bytes of an answer that are read; 16 MiB

	Logger  *slog.Logger
	Now     func() time.Time
	Observe func(Observation) // told of every attempt; it must not block
}

// Observation is what one attempt of a request came to. Its texts are from small sets, so that they can be labels of metrics.
type Observation struct {
	Operation string        // "events.update"
	Status    int           // of HTTP; 0 where no answer came
	Outcome   string        // "ok", or the kind of the failure: "throttled", "not_found"…
	Attempt   int           // 1 for the first
	Duration  time.Duration // until the answer was read
}

// endpoints are the addresses of a cloud.
type endpoints struct{ graph, login string }

// endpoints gives the root and the authority of a cloud, from Microsoft's page about national cloud deployments.
func (c Cloud) endpoints() (endpoints, bool) {
	switch c {
	case Global, "":
		return endpoints{"https://graph.microsoft.com", "https://login.microsoftonline.com"}, true
	case USGov:
		return endpoints{"https://graph.microsoft.us", "https://login.microsoftonline.us"}, true
	case DoD:
		return endpoints{"https://dod-graph.microsoft.us", "https://login.microsoftonline.us"}, true
	case China:
		return endpoints{"https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"}, true
	}
	return endpoints{}, false
}

// addresses are what the options come to: where requests go, and for which resource tokens are asked.
type addresses struct {
	graph     *url.URL // with the version, without a slash at the end
	login     string
	scope     string
	microsoft bool // login is one of Microsoft's authorities
}

func (o Options) addresses() (addresses, error) {
	cloud, ok := o.Cloud.endpoints()
	if !ok {
		return addresses{}, model.FieldErrorf(model.Invalid, "graph.cloud", "must be global, usgov, dod or china")
	}
	a := addresses{login: cloud.login, scope: cloud.graph + "/.default", microsoft: true}
	root := cloud.graph + "/v1.0"
	if o.GraphURL != "" {
		root = o.GraphURL
	}
	var err error
	if a.graph, err = address("graph_url", root, true); err != nil {
		return addresses{}, err
	}
	if a.graph.Path == "" {
		a.graph.Path = "/v1.0"
	}
	if o.LoginURL != "" {
		login, err := address("login_url", o.LoginURL, false)
		if err != nil {
			return addresses{}, err
		}
		if login.Path != "" {
			return addresses{}, model.FieldErrorf(model.Invalid, "login_url", "must have no path")
		}
		a.login, a.microsoft = login.String(), microsoftLogin(login.Host)
	}
	return a, nil
}

func microsoftLogin(host string) bool {
	for _, c := range []Cloud{Global, USGov, China} {
		e, _ := c.endpoints()
		if "https://"+strings.ToLower(host) == e.login {
			return true
		}
	}
	return false
}

// address reads an absolute URL. Plain http is for this machine alone, because tokens travel over it.
func address(field, text string, plain bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, model.FieldErrorf(model.Invalid, field, "must be an absolute URL")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, model.FieldErrorf(model.Invalid, field, "must have no user, query or fragment")
	case u.Scheme == "http" && plain && !loopback(u.Hostname()):
		return nil, model.FieldErrorf(model.Invalid, field, "must be https; http is for this machine alone")
	case u.Scheme != "https" && (u.Scheme != "http" || !plain):
		return nil, model.FieldErrorf(model.Invalid, field, "must be https")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// tenantName is what azidentity takes as a tenant, and what can stand in a path.
var tenantName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]*$`)

// check says what is missing. Fields have the names of an integration's settings.
func (o Options) check() error {
	ways := 0
	for _, set := range []bool{
		o.Credential.ClientSecret != "", len(o.Credential.CertificatePEM) > 0, o.Credential.Assertion != nil,
		o.Credential.TokenFile != "", o.Credential.ManagedIdentity, o.Credential.AccessToken != "",
	} {
		if set {
			ways++
		}
	}
	switch {
	case ways == 0:
		return model.FieldErrorf(model.Invalid, "graph", "needs a client secret, a certificate, a federated token or a managed identity")
	case ways > 1:
		return model.FieldErrorf(model.Invalid, "graph", "must have one credential alone")
	case o.Credential.ManagedIdentity, o.Credential.AccessToken != "":
		return nil
	case !tenantName.MatchString(o.TenantID):
		return model.FieldErrorf(model.Invalid, "tenant_id", "must be the id of the tenant or one of its domains")
	case o.TenantID == "common" || o.TenantID == "organizations" || o.TenantID == "consumers":
		return model.FieldErrorf(model.Invalid, "tenant_id", "must name one tenant, not %q", o.TenantID)
	case o.ClientID == "":
		return model.FieldErrorf(model.Invalid, "graph.client_id", "is needed")
	}
	return nil
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	orElse(&o.MailboxConcurrency, 4)
	orElse(&o.Units, 8000)
	orElse(&o.Writes, 3000)
	orElse(&o.Rate, 100)
	orElse(&o.Burst, 200)
	orElse(&o.Retries, 3)
	orElse(&o.LongestWait, 20*time.Second)
	orElse(&o.AttemptTimeout, 100*time.Second)
	orElse(&o.PageSize, 50)
	orElse(&o.ListSize, 999)
	orElse(&o.MaxAnswer, 16<<20)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observe == nil {
		o.Observe = func(Observation) {}
	}
	return o
}

func orElse[T int | int64 | float64 | time.Duration](value *T, fallback T) {
	if *value == 0 {
		*value = fallback
	}
}
