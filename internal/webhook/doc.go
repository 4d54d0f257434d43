// Package webhook tells applications of changes over HTTP: it signs messages as Standard Webhooks asks for, sends them, and tries
// again what was not taken. Every change that an endpoint wants is told at least once, and those of one subject in their order.
// A slow endpoint keeps no other waiting, and none can make Usher call an address of its own network. What an administrator
// sets of endpoints is directory's; here they are read. It may import model, model/store and internal/secret.
package webhook
