// Package graph is the one door to Microsoft Graph: it carries what the calendar bridge wants of a tenant of Microsoft 365 over
// HTTP, and brings back what Graph says in the words of model/outlook. It satisfies calendarbridge.Calendars.
//
// It owns the authentication (a secret, a certificate, a federated assertion or a managed identity), the clouds, the headers
// that every request needs, the pace (a gate per mailbox, a rate per client, Retry-After), the repetition of what may be
// repeated, and the translation of every failure into an *outlook.Error. Requests are written and answers are read with the
// models of Microsoft's SDK for Go, and no type of the SDK leaves the package. The pipeline below the SDK is our own, because the
// SDK's compresses and repeats requests in a random order of layers, loses the status of answers that are not JSON, and panics
// on some error bodies.
//
// It keeps nothing but tokens in memory and knows no database. It imports model, model/outlook, the SDK and azidentity.
//
//	client, err := graph.New(graph.Options{
//		TenantID: "84bd8158-6d4d-4958-8b9f-9d6445542f95", ClientID: clientID,
//		Credential: graph.Credential{ClientSecret: secret},
//	})
//	page, err := client.Delta(ctx, outlook.CalendarRef{Mailbox: userID}, window, "")
//	if outlook.KindOf(err) == outlook.Throttled { … }
package graph
