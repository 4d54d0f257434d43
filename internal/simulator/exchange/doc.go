// Package exchange is the other half of the outside world of the demonstration and of the end-to-end tests: the mailboxes of a
// pretend Microsoft 365 tenant, as Microsoft Graph v1.0 shows them to an application. It is written from Microsoft's
// documentation. It owns people, calendars, events, meetings, rooms, change notifications and their faults; the wire is
// internal/simulator/graphapi's. It imports the standard library, model/outlook, internal/recurrence and internal/timezone.
//
//	tenant := exchange.New(exchange.Options{Seed: 1, Now: clock.Now, Deliver: exchange.OverHTTP(client)})
//	ada := tenant.AddUser(exchange.NewUser{Name: "Ada Lovelace"})
//	tenant.AddRoom(exchange.NewRoom{Name: "Analytical Engine", Capacity: 8})
//	client := tenant.Client("usher")           // what an application may do: calendarbridge.Calendars
//	event, err := tenant.As(ada.ID).Create("", draft) // what Ada does in Outlook
//	tenant.Step(ctx)                           // rooms answer, notifications go out: whatever is due by Options.Now
//	tenant.SetFaults(exchange.Faults{Duplicate: 0.3, EmptyPage: 0.2})
//
// Nothing happens by itself: [Tenant.Step] carries out what is due, and [Tenant.Run] calls it in real time. The same seed and
// the same calls in the same order give the same ids, links and faults.
//
// What it imitates, with its limits:
//   - Every id is an immutable one; ids differ by case alone now and then, as Exchange's may.
//   - A meeting is one item of the organizer's mailbox and one copy in each attendee's, joined by iCalUId. Copies are there as
//     soon as the call returns. Changing the subject, body, time, place, pattern or attendees sends a mail, also where the
//     value is the old one; a change of the attendees alone is told to those who were added or removed. See [Tenant.Mails].
//   - Changing the pattern or the time of a series gives its occurrences new ids and forgets its exceptions. A range that ends
//     earlier keeps both.
//   - cancelledOccurrences holds occurrence ids in Graph's form, OID.{master}.{date}, which are not ids of events.
//   - A shared calendar that is mounted in another mailbox shows the owner's events under the owner's ids.
//   - A deleted event cannot be read any more; nobody looks into the deleted items.
package exchange
