// Package calendarbridge keeps the calendars of Microsoft 365 and those of the application equal: subscriptions,
// notifications, delta rounds, the merge of both sides, writing events back, rooms, free and busy times. Microsoft 365 is the
// Calendars interface, which internal/graph and internal/simulator satisfy; what is kept is in model/store. No transaction is
// open while Graph is asked. It imports model, model/outlook, model/store, internal/secret, internal/timezone and internal/recurrence.
package calendarbridge
