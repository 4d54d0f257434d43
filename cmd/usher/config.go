package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"usher/internal/app"
)

// settings are the flags that every command has. What a flag leaves out comes from the environment, then from the file,
// then from the defaults; all under one name.
type settings struct {
	Config        string  `help:"Read settings from this YAML file." placeholder:"usher.yaml"`
	Listen        *string `help:"Address to listen on (USHER_LISTEN)." placeholder:"127.0.0.1:8080"`
	PublicURL     *string `help:"Base of every absolute URL that is handed out (USHER_PUBLIC_URL)."`
	DatabaseURL   *string `help:"sqlite:PATH or postgres://… (USHER_DATABASE_URL)." placeholder:"sqlite:usher.db"`
	DatabaseConns *string `help:"Connections to PostgreSQL (USHER_DATABASE_CONNS)." placeholder:"16"`
	SecretKey     *string `help:"32 bytes in base64; several, comma separated, the first one seals (USHER_SECRET_KEY)."`
	AdminAPIKey   *string `name:"admin-api-key" help:"An API key with all rights while it is set (USHER_ADMIN_API_KEY)."`
	MetricsListen *string `help:"Address of Prometheus' /metrics; off by default (USHER_METRICS_LISTEN)."`
	SCIMLog       *string `name:"scim-log" help:"Which SCIM requests the request log keeps: full, errors or off (USHER_SCIM_LOG)." placeholder:"full"`
	SCIMLogDays   *string `name:"scim-log-days" help:"How many days it keeps them (USHER_SCIM_LOG_DAYS)." placeholder:"30"`
	FeedDays      *string `help:"How many days the change feed and the deliveries of webhooks are kept (USHER_FEED_DAYS)." placeholder:"30"`
	ActivityDays  *string `help:"How many days the activity log is kept (USHER_ACTIVITY_DAYS)." placeholder:"730"`
	WebhookAllow  *string `help:"Networks beside the public internet that webhooks may be sent to, comma separated (USHER_WEBHOOK_ALLOW)." placeholder:"10.0.0.0/8"`
	SCIMRate      *string `name:"scim-rate" help:"SCIM requests per second that each integration may send on and on; 0 is any number (USHER_SCIM_RATE)." placeholder:"20000"`
	MaxConns      *string `name:"max-connections" help:"Clients that may be connected at once (USHER_MAX_CONNECTIONS)." placeholder:"512"`
	RequestMemory *string `name:"request-memory" help:"MiB that large requests and answers may hold together (USHER_REQUEST_MEMORY)." placeholder:"32"`
	LoginURL      *string `name:"login-url" help:"Stands in for Entra's sign-in service (USHER_LOGIN_URL)."`
	GraphURL      *string `name:"graph-url" help:"Stands in for Microsoft Graph (USHER_GRAPH_URL)." placeholder:"https://graph.microsoft.com/v1.0"`
	ImportEvery   *string `help:"How often integrations that read Entra through Microsoft Graph import by themselves (USHER_IMPORT_EVERY)." placeholder:"30m"`
	SignInTenant  *string `help:"Id of the Entra tenant that operators sign in with (USHER_SIGN_IN_TENANT)."`
	SignInClient  *string `name:"sign-in-client-id" help:"Client id of the application that operators sign in to (USHER_SIGN_IN_CLIENT_ID)."`
	SignInSecret  *string `name:"sign-in-client-secret" help:"Its secret (USHER_SIGN_IN_CLIENT_SECRET)."`
	CalendarSweep *string `help:"How often every enabled calendar is read although nothing was notified (USHER_CALENDAR_SWEEP)." placeholder:"6h"`
	SubsCheck     *string `name:"subscription-check" help:"How often subscriptions are compared with those that Graph has (USHER_SUBSCRIPTION_CHECK)." placeholder:"15m"`
	LogFormat     *string `help:"text or json (USHER_LOG_FORMAT)."`
	LogLevel      *string `help:"debug, info, warn or error (USHER_LOG_LEVEL)." placeholder:"info"`
}

// flags gives what was said on the command line, by key.
func (s *settings) flags() map[string]*string {
	return map[string]*string{
		"listen": s.Listen, "public_url": s.PublicURL, "database_url": s.DatabaseURL, "database_conns": s.DatabaseConns,
		"secret_key": s.SecretKey, "admin_api_key": s.AdminAPIKey, "metrics_listen": s.MetricsListen,
		"sign_in_tenant": s.SignInTenant, "sign_in_client_id": s.SignInClient, "sign_in_client_secret": s.SignInSecret,
		"scim_log": s.SCIMLog, "scim_log_days": s.SCIMLogDays, "feed_days": s.FeedDays, "activity_days": s.ActivityDays, "webhook_allow": s.WebhookAllow, "scim_rate": s.SCIMRate, "max_connections": s.MaxConns, "request_memory": s.RequestMemory, "login_url": s.LoginURL,
		"graph_url": s.GraphURL, "import_every": s.ImportEvery, "calendar_sweep": s.CalendarSweep, "subscription_check": s.SubsCheck,
		"log_format": s.LogFormat, "log_level": s.LogLevel,
	}
}

// secretKeys are the settings that may stand in a file of their own, named by KEY_FILE in the environment or the file.
func secretKeys() []string {
	return []string{"secret_key", "admin_api_key", "database_url", "sign_in_client_secret"}
}

// values merges all sources: file, environment, flags, each over the one before.
func (s *settings) values() (*koanf.Koanf, error) {
	k := koanf.New("\x00") // keys have no hierarchy
	if s.Config != "" {
		if err := k.Load(file.Provider(s.Config), yaml.Parser()); err != nil {
			return nil, fmt.Errorf("configuration file %s: %w", s.Config, err)
		}
		for _, key := range k.Keys() {
			if !known(key, s.flags()) {
				return nil, fmt.Errorf("configuration file %s: unknown key %q", s.Config, key)
			}
		}
	}
	over := map[string]any{}
	for key, flag := range s.flags() {
		if value, ok := os.LookupEnv("USHER_" + strings.ToUpper(key)); ok {
			over[key] = value
		}
		if value, ok := os.LookupEnv("USHER_" + strings.ToUpper(key) + "_FILE"); ok {
			over[key+"_file"] = value
		}
		if flag != nil {
			over[key] = *flag
			delete(over, key+"_file")
		}
	}
	if err := k.Load(confmap.Provider(over, ""), nil); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return k, readSecrets(k)
}

func known(key string, flags map[string]*string) bool {
	if base, ok := strings.CutSuffix(key, "_file"); ok {
		return slices.Contains(secretKeys(), base)
	}
	_, ok := flags[key]
	return ok
}

// readSecrets replaces KEY_FILE by what stands in the file.
func readSecrets(k *koanf.Koanf) error {
	for _, key := range secretKeys() {
		path := k.String(key + "_file")
		if path == "" {
			continue
		}
		if k.String(key) != "" {
			return fmt.Errorf("configuration: both %s and %s_file are set", key, key)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("configuration: %s_file: %w", key, err)
		}
		if err := k.Set(key, strings.TrimSpace(string(text))); err != nil {
			return err
		}
	}
	return nil
}

// config gives the program's configuration.
func (s *settings) config() (app.Config, error) {
	cfg := app.Defaults()
	cfg.Version = version
	k, err := s.values()
	if err != nil {
		return cfg, err
	}
	for key, into := range map[string]*string{
		"listen": &cfg.Listen, "public_url": &cfg.PublicURL, "database_url": &cfg.DatabaseURL, "secret_key": &cfg.SecretKey,
		"admin_api_key": &cfg.AdminAPIKey, "metrics_listen": &cfg.MetricsListen,
		"scim_log": &cfg.SCIMLog, "login_url": &cfg.LoginURL, "graph_url": &cfg.GraphURL,
		"sign_in_tenant": &cfg.SignInTenant, "sign_in_client_id": &cfg.SignInClientID, "sign_in_client_secret": &cfg.SignInClientSecret,
	} {
		if value := k.String(key); value != "" {
			*into = value
		}
	}
	if value := k.String("database_conns"); value != "" {
		if cfg.DatabaseConns, err = strconv.Atoi(value); err != nil || cfg.DatabaseConns < 2 {
			return cfg, fmt.Errorf("configuration: database_conns: %q is not a number of at least 2", value)
		}
	}
	for key, into := range map[string]*int{
		"scim_log_days": &cfg.SCIMLogDays, "feed_days": &cfg.FeedDays, "activity_days": &cfg.ActivityDays,
	} {
		if value := k.String(key); value != "" {
			if *into, err = strconv.Atoi(value); err != nil {
				return cfg, fmt.Errorf("configuration: %s: %q is not a number of days", key, value)
			}
		}
	}
	for text := range strings.SplitSeq(k.String("webhook_allow"), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return cfg, fmt.Errorf("configuration: webhook_allow: %q is not a network such as 10.0.0.0/8", text)
		}
		cfg.WebhookAllow = append(cfg.WebhookAllow, network)
	}
	if value := k.String("scim_rate"); value != "" {
		if cfg.SCIMRate, err = strconv.Atoi(value); err != nil {
			return cfg, fmt.Errorf("configuration: scim_rate: %q is not a number of requests per second", value)
		}
	}
	return cfg, errors.Join(readBounds(k, &cfg), readPeriods(k, &cfg))
}

// readPeriods reads how often things happen by themselves.
func readPeriods(k *koanf.Koanf, cfg *app.Config) error {
	for key, into := range map[string]*time.Duration{
		"import_every": &cfg.ImportEvery, "calendar_sweep": &cfg.CalendarSweep, "subscription_check": &cfg.SubscriptionCheck,
	} {
		value := k.String(key)
		if value == "" {
			continue
		}
		period, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("configuration: %s: %q is not a duration such as 15m", key, value)
		}
		*into = period
	}
	return nil
}

// readBounds reads what bounds the memory of the process.
func readBounds(k *koanf.Koanf, cfg *app.Config) error {
	for key, into := range map[string]*int{"max_connections": &cfg.MaxConnections, "request_memory": &cfg.RequestMemory} {
		value := k.String(key)
		if value == "" {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("configuration: %s: %q is not a number", key, value)
		}
		*into = n
	}
	return nil
}

// logger gives the program's log: text on a terminal, else JSON, unless the settings say otherwise.
func (s *settings) logger(con console) (*slog.Logger, error) {
	k, err := s.values()
	if err != nil {
		return nil, err
	}
	var level slog.Level
	if value := k.String("log_level"); value != "" {
		if err := level.UnmarshalText([]byte(value)); err != nil {
			return nil, fmt.Errorf("configuration: log_level: %q is not debug, info, warn or error", value)
		}
	}
	format := k.String("log_format")
	if format == "" {
		format = "json"
		if f, ok := con.err.(*os.File); ok && isTerminal(f) {
			format = "text"
		}
	}
	opt := &slog.HandlerOptions{Level: level}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(con.err, opt)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(con.err, opt)), nil
	}
	return nil, fmt.Errorf("configuration: log_format: %q is not text or json", format)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
