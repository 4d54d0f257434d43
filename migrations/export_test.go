package migrations

import (
	"context"
	"database/sql"
)

// DownTo takes migrations back until the version is the last one.
func DownTo(ctx context.Context, db *sql.DB, dialect string, version int64) error {
	p, err := provider(db, dialect)
	if err == nil {
		_, err = p.DownTo(ctx, version)
	}
	return err
}
