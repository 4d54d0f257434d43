package store

import (
	"context"
	"time"
)

// Clock asks the database what time it is.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var ms int64
	sql := "SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000"
	if s.dialect == postgres {
		sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
	}
	err := s.Read(ctx).query(statement{sql: sql, scan: func(row scanner) error { return row.Scan(&ms) }})
	return time.UnixMilli(ms), translate(err)
}
