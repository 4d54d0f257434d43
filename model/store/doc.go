// Package store keeps everything in one of two databases, PostgreSQL or SQLite, behind one implementation.
//
// It owns gorm, the hand-written SQL of the hot path, transactions, the change feed's order, and the translation of
// database errors; no other room sees any of these. Reads and writes are methods of Reader and Tx that take and give
// model types. Every query names its organization, and on the mirror its integration. It may import model and
// migrations.
package store
