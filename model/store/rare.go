package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// eachRun cuts a list where statements are rare: each of those is a part of its own.
func eachRun(list []statement, run func([]statement) error) error {
	for len(list) > 0 {
		n := 1
		for n < len(list) && !list[0].rare && !list[n].rare {
			n++
		}
		if err := run(list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// runRare runs a query whose text PostgreSQL shall forget: it takes a second round trip and a plan of its own, and leaves the
// statements that are kept prepared in their place.
func runRare(ctx context.Context, conn *pgx.Conn, st *statement) error {
	rows, err := conn.Query(ctx, rebind(st.sql), append([]any{pgx.QueryExecModeDescribeExec}, st.args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if st.scan == nil {
			continue
		}
		if err := st.scan(rows); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return rows.Err()
}
