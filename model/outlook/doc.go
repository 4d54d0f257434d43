// Package outlook says in Go what Microsoft 365 holds of calendars: Graph's resource types event, calendar, subscription,
// room and scheduleInformation as far as Usher reads and writes them, and Graph's failures by what can be done about them. It
// has no wire and no behaviour, so that calendarbridge, internal/graph and internal/simulator can speak of the same things
// without knowing one another. It imports the standard library alone.
package outlook
