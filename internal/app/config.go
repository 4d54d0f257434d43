package app

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"usher/directory"
	"usher/directory/assertion"
	"usher/internal/secret"
	"usher/scim"
)

// Config is everything that can be set. Keys of the file, names of the flags and, behind USHER_, of the environment are
// the same words (docs/reference/configuration.md).
type Config struct {
	Listen             string         // address of the HTTP server
	PublicURL          string         // base of every absolute URL handed out; http://<listen> where empty
	DatabaseURL        string         // sqlite:PATH or postgres://…
	DatabaseConns      int            // connections to PostgreSQL
	SecretKey          string         // base64, comma separated; a file beside the SQLite database where empty
	AdminAPIKey        string         // an API key with all rights, while it is set
	MetricsListen      string         // address of /metrics; off where empty
	NoHTTP             bool           // work jobs alone
	NoWorkers          bool           // answer HTTP alone
	Migrate            bool           // bring the schema up to date at the start
	SCIMLog            string         // which SCIM requests the request log keeps: full, errors or off
	SCIMLogDays        int            // how long it keeps them
	FeedDays           int            // how many days changes and the deliveries of webhooks are kept
	ActivityDays       int            // how many days the activity log is kept
	WebhookAllow       []netip.Prefix // networks beside the public internet that webhooks may be sent to
	SCIMRate           int            // SCIM requests per second that each integration may send on and on; 0 is any number
	MaxConnections     int            // of clients at once
	RequestMemory      int            // MiB that large requests and answers may hold together
	LoginURL           string         // stands in for Entra's sign-in service
	GraphURL           string         // stands in for Microsoft Graph, such as http://127.0.0.1:9000/v1.0
	SignInTenant       string         // of the Entra tenant that operators sign in with; its id
	SignInClientID     string         // of the application that they sign in to
	SignInClientSecret string
	LoginCA            *x509.CertPool // trusted for LoginURL, beside the system's; the demo's has one of its own
	ImportEvery        time.Duration  // how often integrations of ingress graph import by themselves
	CalendarSweep      time.Duration  // how often every enabled calendar is looked at although nothing was notified
	SubscriptionCheck  time.Duration  // how often subscriptions are compared with Graph's
	ResumeEvery        time.Duration
	EmployeesEvery     time.Duration
	hurry              time.Duration // the longest that clients are waited for, in tests
	Version            string
}

// Defaults gives the configuration of an installation that sets nothing.
func Defaults() Config {
	return Config{
		Listen: "127.0.0.1:8080", DatabaseURL: "sqlite:usher.db", DatabaseConns: 16, ResumeEvery: time.Minute,
		EmployeesEvery: 15 * time.Minute, SCIMLog: string(directory.SCIMLogFull), SCIMLogDays: 30, FeedDays: 30, ActivityDays: 730, SCIMRate: scim.DefaultRate,
		MaxConnections: 512, RequestMemory: 32, ImportEvery: 30 * time.Minute, CalendarSweep: 6 * time.Hour, SubscriptionCheck: 15 * time.Minute,
		Version: "dev",
	}
}

// minAdminKey is the shortest admin key that is taken: a guessable one would be worse than none.
const minAdminKey = 16

// maxSCIMLogDays is the longest that the request log can be kept: ten years.
const maxSCIMLogDays = 3660

// maxSCIMRate is the largest limit; more than that is none.
const maxSCIMRate = 1_000_000

// The range of MaxConnections, and that of RequestMemory, below which no bulk request would fit.
const (
	minConnections, maxConnections     = 16, 1_000_000
	minRequestMemory, maxRequestMemory = 32, 1 << 20
)

// check refuses what cannot work, naming the setting.
func (c *Config) check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: %q is not host:port", c.Listen)
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" {
			return fmt.Errorf("public-url: %q is not an http or https URL without a query", c.PublicURL)
		}
		if strings.Trim(u.Path, "/") != "" && !c.NoHTTP {
			return fmt.Errorf("public-url: %q has a path, below which the console does not work: give Usher a host name or a port of its own", c.PublicURL)
		}
		c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	}
	if c.AdminAPIKey != "" && len(c.AdminAPIKey) < minAdminKey {
		return fmt.Errorf("admin-api-key: must have at least %d characters", minAdminKey)
	}
	if c.NoHTTP && c.NoWorkers {
		return errors.New("no-http and no-workers together leave nothing to do")
	}
	switch directory.SCIMLogMode(c.SCIMLog) {
	case directory.SCIMLogFull, directory.SCIMLogErrors, directory.SCIMLogOff:
	default:
		return fmt.Errorf("scim-log: %q is not full, errors or off", c.SCIMLog)
	}
	if c.SCIMLogDays < 1 || c.SCIMLogDays > maxSCIMLogDays {
		return fmt.Errorf("scim-log-days: %d is not between 1 and %d", c.SCIMLogDays, maxSCIMLogDays)
	}
	if c.FeedDays < 1 || c.FeedDays > maxSCIMLogDays {
		return fmt.Errorf("feed-days: %d is not between 1 and %d", c.FeedDays, maxSCIMLogDays)
	}
	if c.ActivityDays < 1 || c.ActivityDays > maxSCIMLogDays {
		return fmt.Errorf("activity-days: %d is not between 1 and %d", c.ActivityDays, maxSCIMLogDays)
	}
	if c.SCIMRate < 0 || c.SCIMRate > maxSCIMRate {
		return fmt.Errorf("scim-rate: %d is not between 0 and %d", c.SCIMRate, maxSCIMRate)
	}
	if c.MaxConnections < minConnections || c.MaxConnections > maxConnections {
		return fmt.Errorf("max-connections: %d is not between %d and %d", c.MaxConnections, minConnections, maxConnections)
	}
	if c.RequestMemory < minRequestMemory || c.RequestMemory > maxRequestMemory {
		return fmt.Errorf("request-memory: %d is not between %d and %d MiB", c.RequestMemory, minRequestMemory, maxRequestMemory)
	}
	if c.LoginURL != "" {
		if err := assertion.CheckURL(c.LoginURL); err != nil {
			return fmt.Errorf("login-url: %q %w", c.LoginURL, err)
		}
	}
	if err := checkGraphURL(c.GraphURL); err != nil {
		return err
	}
	if c.ImportEvery < minPeriod {
		return fmt.Errorf("import-every: at least %s", minPeriod)
	}
	if err := c.checkSignIn(); err != nil {
		return err
	}
	if c.CalendarSweep < minPeriod || c.SubscriptionCheck < minPeriod {
		return fmt.Errorf("calendar-sweep and subscription-check: at least %s", minPeriod)
	}
	if c.ResumeEvery <= 0 || c.EmployeesEvery <= 0 {
		return errors.New("periods must be positive")
	}
	return nil
}

// minPeriod is the shortest period of what asks Microsoft Graph by itself.
const minPeriod = time.Second

// checkGraphURL refuses what a token must not be sent to: anything but https, save on this machine.
func checkGraphURL(text string) error {
	if text == "" {
		return nil
	}
	if err := assertion.CheckURL(text); err != nil {
		return fmt.Errorf("graph-url: %q %w", text, err)
	}
	return nil
}

// keyring gives the installation's keys: those configured, else those of a file beside the SQLite database, which is made
// where it is missing. With PostgreSQL the key must be configured, because replicas must have the same one.
func (c *Config) keyring() (*secret.Keyring, error) {
	text := c.SecretKey
	if text == "" {
		path, ok := strings.CutPrefix(c.DatabaseURL, "sqlite:")
		if !ok {
			return nil, errors.New("secret-key: required with PostgreSQL; `openssl rand -base64 32` makes one")
		}
		var err error
		if text, err = keyFile(path + ".key"); err != nil {
			return nil, fmt.Errorf("secret-key: %w", err)
		}
	}
	ring, err := secret.Parse(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("secret-key: %w", err)
	}
	return ring, nil
}

// keyFile reads the key of the file, or makes it, readable by its owner alone. Two processes that start together agree on
// the one that was linked first.
func keyFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return string(text), err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".usher-key-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if _, err := f.WriteString(secret.NewKey() + "\n"); err != nil {
		return "", err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	text, err = os.ReadFile(path)
	return string(text), err
}
