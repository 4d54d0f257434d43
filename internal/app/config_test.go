package app_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/internal/app"
	"usher/internal/secret"
)

// TestSettingsThatCannotWork are refused before anything is opened, by their names.
func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*app.Config){
		"listen":                                 func(c *app.Config) { c.Listen = "nowhere" },
		"public-url":                             func(c *app.Config) { c.PublicURL = "ftp://usher.contoso.example" },
		"has a path":                             func(c *app.Config) { c.PublicURL = "https://contoso.example/usher" },
		"admin-api-key":                          func(c *app.Config) { c.AdminAPIKey = "short" },
		"scim-log":                               func(c *app.Config) { c.SCIMLog = "some" },
		"login-url":                              func(c *app.Config) { c.LoginURL = "http://login.contoso.example" },
		"graph-url":                              func(c *app.Config) { c.GraphURL = "http://graph.contoso.example/v1.0" },
		"import-every":                           func(c *app.Config) { c.ImportEvery = 0 },
		"calendar-sweep and subscription-check":  func(c *app.Config) { c.CalendarSweep = 0 },
		"calendar-sweep and subscription-check:": func(c *app.Config) { c.SubscriptionCheck = time.Millisecond },
	} {
		cfg := app.Defaults()
		cfg.DatabaseURL, cfg.SecretKey = "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), secret.NewKey()
		edit(&cfg)
		if _, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
