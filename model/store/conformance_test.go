package store_test

import (
	"testing"

	"usher/model/store/storetest"
)

func TestSQLite(t *testing.T)   { storetest.Run(t, storetest.SQLiteURL) }
func TestPostgres(t *testing.T) { storetest.Run(t, storetest.PostgresURL) }
