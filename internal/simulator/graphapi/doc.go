// Package graphapi is a pretend Microsoft over HTTP: the sign-in service of Entra ID, over TLS with a certificate authority of
// its own, and the parts of Microsoft Graph v1.0 that are about calendars, people, and the provisioning of applications. It is
// written from Microsoft's documentation, so that a client which satisfies it satisfies Graph.
//
// It owns the wire and its faults. What the mailboxes hold is behind [Calendars], which internal/simulator/exchange satisfies;
// people, groups and applications are those of an entraid.Directory. Either may be missing. It imports the standard library,
// model/entra, model/outlook, internal/timezone and its own room.
//
//	server, err := graphapi.Start(ctx, graphapi.Options{Calendars: mailboxes, Directory: directory, TenantID: tenantID,
//		Apps: []graphapi.App{{ID: clientID, Secrets: []graphapi.Secret{{Value: "s3cret"}}}}})
//	defer server.Close()
//	// Graph at server.GraphURL, the authority at server.LoginURL, trusted through server.RootCAs
//	remove := server.Fail(graphapi.Throttle("/users/*/events", time.Second).AtMost(2))
//	for _, r := range server.Journal() { … }
//
// # What it imitates
//
// Of mailboxes: users (by id or user principal name; $filter by mail, userPrincipalName or id), groups/{id}/members, calendars,
// calendarView with delta, events with instances, cancel, extended properties and iCalUId, subscriptions with reauthorize,
// places/microsoft.graph.room, calendar/getSchedule and $batch. Paths are taken as OData has them: any case, functions with
// and without parentheses and namespace.
//
//   - Ids are immutable ones only where the request asks by Prefer: IdType="ImmutableId". Otherwise they are others, and both
//     forms are understood in a path.
//   - Times are read in UTC, or in the zone of Prefer: outlook.timezone, save those of all-day events. Bodies are HTML unless
//     Prefer: outlook.body-content-type="text".
//   - Lists of calendars and events have pages of ten where $top says nothing. The last page alone has no @odata.nextLink.
//   - accountEnabled of a user, cancelledOccurrences and exceptionOccurrences of a series come only when selected.
//   - A property that Graph does not have is refused. One that Graph has and nobody here keeps (importance, categories,
//     reminders, responseRequested, onlineMeetingProvider, hideAttendees, allowNewTimeProposals, locations) is accepted and
//     forgotten; attachments and extensions answer 501.
//   - One extended property is kept per event. The first id that anybody names becomes the server's; others answer 501.
//   - Permissions are the roles of the token, as documented: a subscription needs Calendars.Read, writing Calendars.ReadWrite.
//   - The four requests that may be in flight per mailbox are enforced where [Options.MailboxConcurrency] says so.
//
// With a directory, users and groups are whole: lists with $filter, $search, $orderby, $count and ConsistencyLevel, deltas,
// members with and without casts, writes, photos, licences, deleted items, getByIds, organization, domains, subscribedSkus,
// directory extensions, applications, service principals and the synchronization API, of which a job's schema is replaced by PUT
// and answers PATCH with 404. Who is known to the mailboxes alone is still found by id.
//
//   - Advanced queries and casts are refused where ConsistencyLevel: eventual and $count=true do not ask for them. A filter takes
//     eq, ne, not, ge, le, in, and, or, startswith, endsWith and any. Deltas take a filter by at most 50 ids, and
//     Prefer: odata.maxpagesize.
//   - A first round of a delta leaves out what was never set; later ones have null. manager@delta comes where there is another
//     manager.
//   - Requests cost resource units and writes; [Options.Identity] says how many there are. Pictures cost none.
//   - GET …/authorize signs in whoever [Server.SignIn] has put at the browser, at once and without a page. Codes are good once, for
//     ten minutes, with the verifier of PKCE.
//
// Faults are in [Fault]; every request stands in the [Server.Journal].
package graphapi
