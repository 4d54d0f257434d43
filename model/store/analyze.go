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
	return s.analyze(ctx, "import_groups", "import_members", "import_users")
}

// AnalyzePeople is AnalyzeImport for the mirror and accounts.
func (s *Store) AnalyzePeople(ctx context.Context) error {
	return s.analyze(ctx, "directory_users", "directory_groups", "memberships", "accounts", "run_decisions")
}

func (s *Store) analyze(ctx context.Context, tables ...string) error {
	if s.dialect != postgres {
		return nil
	}
	r := s.Read(ctx)
	var grown []string
	err := r.query(statement{
		sql:  "SELECT relname::text FROM pg_class WHERE oid = ANY(?::regclass[]) AND pg_relation_size(oid) > relpages * 12288::bigint", // a page has 8,192 bytes
		args: []any{"{" + strings.Join(tables, ",") + "}"},
		scan: scanTexts(&grown),
	})
	if err != nil || len(grown) == 0 {
		return translate(err)
	}
	return translate(r.query(statement{sql: "ANALYZE (SKIP_LOCKED) " + strings.Join(grown, ", ")}))
}
