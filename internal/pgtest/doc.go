// Package pgtest gives tests a real PostgreSQL.
//
// It owns finding the server's programs, starting a throw-away cluster, and a
// fresh database for every test. Tests and the benchmark program import it; the
// product never does. It imports pgx and the standard library alone, so that
// every room can use it without a cycle.
//
// Where the server comes from: USHER_TEST_POSTGRES_URL if it is set (a role that
// may create databases), else a cluster of this process in a temporary folder.
// Nothing has to be stopped by hand: a watchdog that outlives the process, crash
// or kill included, stops the cluster and removes its folder, and databases
// that a killed process left on a shared server are dropped by the next one.
package pgtest
