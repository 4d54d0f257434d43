// Package entraid is the directory of a pretend Microsoft Entra tenant, as Microsoft Graph v1.0 shows it to an application:
// users, groups, their deltas, deleted items, licences, photos, the organization, directory extensions, and applications with
// the synchronization API. It is written from Microsoft's documentation. The people and groups themselves are those of a
// simulator.Tenant, so that Entra's provisioning and Graph tell of the same ones; the wire is internal/simulator/graphapi's. It
// imports the standard library, model/entra, model/outlook and its own room.
//
//	tenant := simulator.NewTenant(simulator.Options{People: 40})
//	directory := entraid.New(entraid.Options{Tenant: tenant, Mailboxes: mailboxes})
//	client := directory.Client("usher")       // what an application may do: directory.Tenant and directory.Provisioning
//	_, err := tenant.Hire(simulator.User{GivenName: "Ada", Surname: "Byron"}) // what happens in the tenant
//	directory.SetFaults(entraid.Faults{Repeat: 0.2, EmptyPage: 0.2})
//	directory.Step(ctx)                       // provisioning jobs that are due run
//
// Nothing happens by itself: [Directory.Step] carries out what is due, and [Directory.Run] calls it in real time. The same
// seed and the same calls in the same order give the same pages and faults.
//
// What it imitates, with its limits:
//   - A delta goes by the tenant's history, not by copies: a user who changed twice comes twice, always as the user is now. An
//     unselected property that changes tells nothing. What is written while a round is under way comes in that round or the
//     next one, or both.
//   - A user who was restored is not told by a delta that was begun with a selection (every typed one is), unless
//     [Faults.TellRestores].
//   - A soft-deleted user keeps the memberships. Nothing tells that they end with the user.
//   - The members of a large group are told over several pages; with [Faults.SplitGroups] small groups too, and others come in
//     between.
//   - Links of a delta end after seven days ([Options.LinkLifetime]), and with [Directory.ExpireLinks].
//   - Groups are deleted for good.
//   - Licences of groups come to their members at once.
package entraid
