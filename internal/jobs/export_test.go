package jobs

import "github.com/jackc/pgx/v5"

// OpenTx shows the tests what River is given as the transaction.
func OpenTx(conn *pgx.Conn) pgx.Tx { return openTx{conn} }
