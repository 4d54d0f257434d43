package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// columns gives the columns of every table of the schema, by table, as the database itself lists them.
func columns(t *testing.T, s suite) map[string][]string {
	t.Helper()
	query := `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'`
	if s.postgres() {
		query = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'`
	}
	rows, err := s.DB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	tables := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if table != jobsTable && table != "goose_db_version" {
			tables[table] = append(tables[table], column)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(tables) == 0 {
		t.Fatal("the database has no tables")
	}
	for _, list := range tables {
		slices.Sort(list)
	}
	return tables
}

// dump gives every row in every table that mentions id in one of its columns called column, as text, in order. What tells
// only when something was last used is left out.
func dump(t *testing.T, s suite, column, id string) []string {
	t.Helper()
	var lines []string
	for table, all := range columns(t, s) {
		where := column
		if table == "organizations" && column == "organization_id" {
			where = "id"
		}
		if table == "integrations" && column == "integration_id" {
			where = "id"
		}
		if !slices.Contains(all, where) {
			continue
		}
		var parts []string
		for _, c := range all {
			if c != "last_used_at" {
				parts = append(parts, "coalesce(CAST("+c+" AS text), 'NULL')")
			}
		}
		for _, line := range texts(t, s, fmt.Sprintf("SELECT %s FROM %s WHERE CAST(%s AS text) = '%s'",
			strings.Join(parts, " || '|' || "), table, where, id)) {
			lines = append(lines, table+": "+line)
		}
	}
	slices.Sort(lines)
	return lines
}

// texts gives the only column that a query selects.
func texts(t *testing.T, s suite, query string) []string {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
