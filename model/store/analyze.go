package store

import (
	"context"
	"strings"
)

// AnalyzeImport tells PostgreSQL how large the tables have become that an import is read into, and AnalyzePeople those of the mirror
// and of accounts. Tables that grow from nothing to a million rows within minutes outgrow the plans that were made for them while they
// were small; autovacuum would notice some minutes later. Tables that have not grown by half, and what somebody else is at already, are
// passed over. SQLite plans without statistics.
func (s *Store) AnalyzeImport(ctx context.Context) error {
	return s.analyze(ctx, grown, "import_groups", "import_members", "import_users")
}

// AnalyzePeople is AnalyzeImport for the mirror and accounts.
func (s *Store) AnalyzePeople(ctx context.Context) error {
	return s.analyze(ctx, grown, "directory_users", "directory_groups", "memberships", "accounts", "run_decisions")
}

// newcomersPerLook is after how many changes of this process the tables of people are looked at. Two of them are a person with an
// account.
const newcomersPerLook = 1000

// analyzeNew has tables analyzed that have never been, once some hundred people were pushed. Of such a table PostgreSQL believes
// that a key may stand in one of 200 rows, and finds a plan for all keys so dear that it makes one for each key instead: until
// autovacuum comes, up to a minute later, a search by userName costs it ten times what it should. Who happened to tell of the last
// of so many changes does this, with no connection held.
func (s *Store) analyzeNew(ctx context.Context) {
	told := s.newcomers.Load()
	if told < newcomersPerLook || !s.newcomers.CompareAndSwap(told, 0) {
		return
	}
	if err := s.analyze(ctx, unknown, "directory_users", "directory_groups", "memberships", "accounts"); err != nil {
		s.log.WarnContext(ctx, "tables could not be analyzed", "err", err)
	}
}

// Conditions on a table's size in bytes and what PostgreSQL knows of it; a page has 8,192.
const (
	grown   = "pg_relation_size(oid) > relpages * 12288::bigint"
	unknown = "relpages = 0 AND pg_relation_size(oid) >= 16 * 8192"
)

// analyze has those of the tables analyzed that a condition holds for.
func (s *Store) analyze(ctx context.Context, where string, tables ...string) error {
	if s.dialect != postgres {
		return nil
	}
	r := s.Read(ctx)
	var found []string
	err := r.query(statement{
		sql:  "SELECT relname::text FROM pg_class WHERE oid = ANY(?::regclass[]) AND " + where,
		args: []any{"{" + strings.Join(tables, ",") + "}"},
		scan: scanTexts(&found),
	})
	if err != nil || len(found) == 0 {
		return translate(err)
	}
	return translate(r.query(statement{sql: "ANALYZE (SKIP_LOCKED) " + strings.Join(found, ", ")}))
}
