// Package load drives a SCIM server as Microsoft Entra's provisioning service does.
//
// It owns the client, the operations and mixes, and a ledger of every write that
// the server acknowledged, against which the server is read back at the end: a
// lost or doubled write is an error, however fast it was. It imports bench/entra,
// bench/stats and the standard library alone.
package load
