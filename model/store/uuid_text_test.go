package store_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"usher/internal/pgtest"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestIDsAreSentInBinary has pgx encode what the store sends.
func TestIDsAreSentInBinary(t *testing.T) {
	t.Parallel()
	s := storetest.OpenWith(t, store.Options{URL: pgtest.Database(t)})
	id := store.NewID()
	store.Lend(t, s, func(conn *pgx.Conn) error {
		for _, list := range []any{[]string{id, id}, []*string{&id, nil}, []string{}} {
			if _, err := conn.TypeMap().Encode(pgtype.UUIDArrayOID, pgx.BinaryFormatCode, list, nil); err != nil {
				t.Errorf("%v: %v", list, err)
			}
		}
		if _, err := conn.TypeMap().Encode(pgtype.UUIDArrayOID, pgx.BinaryFormatCode, []string{id, "7"}, nil); err == nil {
			t.Error("what is no id is encoded as one")
		}
		var got []string
		err := conn.QueryRow(t.Context(), "SELECT $1::uuid[]::text[]", []string{id, id}).Scan(&got)
		if !slices.Equal(got, []string{id, id}) {
			t.Errorf("%v arrives as %v", id, got)
		}
		return err
	})
}
