// Package entra says in Go what Microsoft Entra ID holds of people as far as Usher reads and writes it: Graph's resource types
// user, group, organization, subscribedSku and those of the synchronization API. It has no wire and, but for the priority that
// travels in a context, no behaviour, so that directory, internal/graph and internal/simulator can speak of the same things
// without knowing one another. Failures are *outlook.Error, whichever part of Graph they come from. It imports the standard
// library alone.
package entra
