// Package storetest gives tests real, throw-away databases, and holds the one conformance suite that both of them pass.
//
// It owns the migrated templates that every test's database is copied from, a queue that records jobs inside the
// store's transactions, sample rows, and Run, whose case names are the promises of the store. Only tests import it. It may
// import model, model/store, migrations and internal/pgtest.
package storetest
