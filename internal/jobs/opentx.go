package jobs

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// connection gives the embedded field of openTx a name that does not hide the method Conn.
type connection = pgx.Conn

// openTx is a connection on which the store has begun a transaction, in the form that River takes. The store alone ends
// the transaction.
type openTx struct{ *connection }

var errNotOurs = errors.New("the transaction is the store's")

// Begin refuses: River inserts a job without a transaction within the transaction.
func (openTx) Begin(context.Context) (pgx.Tx, error) { return nil, errNotOurs }

// Commit refuses.
func (openTx) Commit(context.Context) error { return errNotOurs }

// Rollback refuses.
func (openTx) Rollback(context.Context) error { return errNotOurs }

// LargeObjects gives none: River has no use for them.
func (openTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Conn gives the connection.
func (t openTx) Conn() *pgx.Conn { return t.connection }
