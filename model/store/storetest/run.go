package storetest

import (
	"testing"

	"usher/model/store"
)

// URL is how a test gets the URL of a fresh, migrated database that ends with the test: SQLiteURL or PostgresURL.
type URL func(testing.TB) string

// suite is what a case has: a store on a database of its own, and the database's URL to open further stores on.
type suite struct {
	*store.Store
	url string
}

func (s suite) postgres() bool { return s.Dialect() == "postgres" }

// testCase is one promise of the store; its name says which.
type testCase struct {
	name string
	run  func(*testing.T, suite)
}

// Run proves the promises that every database must keep, each on a database of its own, in parallel.
func Run(t *testing.T, url URL) {
	t.Helper()
	for _, group := range [][]testCase{
		transactionCases(), conflictCases(), memberCases(), memberNameCases(), feedCases(), settingsCases(), isolationCases(), deletionCases(), setupCases(), versionCases(),
		pagingCases(), textCases(), schemaCases(), pendingCases(), scimLogCases(),
		calendarSyncCases(), calendarEventCases(), calendarWriteCases(), mailboxCases(), idempotencyCases(), webhookCases(), retentionCases(),
	} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				at := url(t)
				c.run(t, suite{OpenURL(t, at), at})
			})
		}
	}
}
