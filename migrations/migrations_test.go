package migrations_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"usher/internal/pgtest"
	"usher/migrations"
)

// each runs the test on an empty database of either kind.
func each(t *testing.T, test func(t *testing.T, db *sql.DB, dialect string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "usher.db")+"?_pragma=foreign_keys(1)"), "sqlite")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, "pgx", pgtest.Database(t)), "postgres")
	})
}

func open(t *testing.T, driver, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	if driver == "sqlite" {
		db.SetMaxOpenConns(1)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// relations lists tables and indexes, apart from goose's own.
func relations(t *testing.T, db *sql.DB, dialect string) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' ORDER BY name"
	if dialect == "postgres" {
		query = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 'S')
			AND relname NOT LIKE 'goose%' ORDER BY relname`
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names := []string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestUpDownUp(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, dialect string) {
		step := func(what string, do func() error) {
			t.Helper()
			if err := do(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		up := func() error { return migrations.Up(t.Context(), db, dialect) }
		step("up", up)
		first := relations(t, db, dialect)
		if !slices.Contains(first, "directory_users") {
			t.Fatalf("relations after up: %v", first)
		}
		step("up again", up)
		step("down", func() error { return migrations.Down(t.Context(), db, dialect) })
		if left := relations(t, db, dialect); len(left) != 0 {
			t.Errorf("down leaves %v", left)
		}
		step("up after down", up)
		if second := relations(t, db, dialect); !slices.Equal(first, second) {
			t.Errorf("relations after up, down, up: %v, want %v", second, first)
		}
	})
}

func TestStatusAndCheckWriteNothing(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, dialect string) {
		status := func(want bool) {
			t.Helper()
			list, err := migrations.Status(t.Context(), db, dialect)
			if err != nil || len(list) == 0 {
				t.Fatalf("status: %v, %v", list, err)
			}
			for _, m := range list {
				if m.Applied != want || m.Version == 0 || m.Name == "" {
					t.Errorf("migration %+v, want it named and applied: %v", m, want)
				}
			}
		}
		status(false)
		if err := migrations.Check(t.Context(), db, dialect); !errors.Is(err, migrations.ErrBehind) {
			t.Errorf("check of an empty database: %v, want ErrBehind", err)
		}
		var tables int
		query := "SELECT count(*) FROM sqlite_master"
		if dialect == "postgres" {
			query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
		}
		if err := db.QueryRowContext(t.Context(), query).Scan(&tables); err != nil || tables != 0 {
			t.Errorf("status and check left %d relations in an empty database (%v)", tables, err)
		}
		if err := migrations.Up(t.Context(), db, dialect); err != nil {
			t.Fatal(err)
		}
		status(true)
		if err := migrations.Check(t.Context(), db, dialect); err != nil {
			t.Errorf("check after up: %v", err)
		}
	})
}

func TestReplicasThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	var wg sync.WaitGroup
	for range 4 {
		db := open(t, "pgx", url)
		wg.Go(func() {
			if err := migrations.Up(t.Context(), db, "postgres"); err != nil {
				t.Errorf("up: %v", err)
			}
		})
	}
	wg.Wait()
}

// TestMembersThatAreThereGetTheirNames brings memberships up that were made when these had no names.
func TestMembersThatAreThereGetTheirNames(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, dialect string) {
		id := func(n int) string { return fmt.Sprintf("'00000000-0000-7000-8000-%012d'", n) }
		of := id(1) + ", " + id(2) // organization and integration
		now := "'2026-01-02 03:04:05+00'"
		exec := func(text string) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		up := func() {
			t.Helper()
			if err := migrations.Up(t.Context(), db, dialect); err != nil {
				t.Fatal(err)
			}
		}
		up()
		if err := migrations.DownTo(t.Context(), db, dialect, 19); err != nil {
			t.Fatal(err)
		}
		exec(`INSERT INTO directory_users (id, organization_id, integration_id, user_name, user_name_key, external_id, email, email_key, display_name,
 active, document, version, explanation, created_at, updated_at) VALUES (` + id(3) + ", " + of + `, 'ada@contoso.com', 'ada@contoso.com', '', '', '',
 'Ada Lovelace', true, '{}', 1, '{}', ` + now + ", " + now + ")")
		for n, name := range map[int]string{4: "Sales", 5: "Everybody"} {
			exec(`INSERT INTO directory_groups (id, organization_id, integration_id, display_name, display_name_key, external_id, document, version,
 created_at, updated_at) VALUES (` + id(n) + ", " + of + ", '" + name + "', '" + name + "', '', '{}', 1, " + now + ", " + now + ")")
		}
		for member, kind := range map[int]string{3: "User", 4: "Group", 6: "User"} { // the last one is not there any more
			exec("INSERT INTO memberships (group_id, member_id, organization_id, integration_id, member_type) VALUES (" + id(5) + ", " + id(member) + ", " +
				of + ", '" + kind + "')")
		}
		up()
		for member, want := range map[int]string{3: "Ada Lovelace", 4: "Sales", 6: ""} {
			var got string
			if err := db.QueryRowContext(t.Context(), "SELECT display FROM memberships WHERE member_id = "+id(member)).Scan(&got); err != nil || got != want {
				t.Errorf("member %d is called %q, want %q, %v", member, got, want, err)
			}
		}
	})
}
