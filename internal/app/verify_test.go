package app_test

import (
	"path/filepath"
	"testing"

	"usher/internal/pgtest"
	"usher/internal/verify"
)

// endpoint starts an Usher and gives the Tenant URL of its integration with a token.
func endpoint(t *testing.T, databaseURL string) (url, token string) {
	t.Helper()
	w := newWorld(t, databaseURL, "")
	_, token, err := w.app.Service.CreateSCIMToken(t.Context(), w.ref, "verify", nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.app.URL() + "/scim/v2/" + w.ref.IntegrationID, token
}

// TestUsherVerifiesItself asks the whole program everything, on both databases, and wants no failure of any severity.
func TestUsherVerifiesItself(t *testing.T) {
	t.Parallel()
	for _, db := range []string{"sqlite", "postgres"} {
		t.Run(db, func(t *testing.T) {
			t.Parallel()
			databaseURL := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
			if db == "postgres" {
				databaseURL = pgtest.Database(t)
			}
			url, token := endpoint(t, databaseURL)
			report, err := verify.Run(t.Context(), verify.Options{URL: url, Token: token, Timeout: hang})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Results {
				if r.Outcome != verify.Passed {
					t.Error(r.Line())
				}
			}
			if err := report.Err(); err != nil {
				t.Error(err)
			}
			t.Log(report.Summary())
		})
	}
}
