// Package directory is the core of Usher: it turns what Entra says (the mirror) into what the application has
// (accounts), by rules that an administrator can read.
//
// Its heart is pure: Compile prepares the settings of one organization, and Rules.Decide looks at one person and
// says what the account should be, with a reason for every change. A preview and a real sync are the same call; only
// the service, which opens the transactions, differs in what it does with the answer. Link, Index, the validation of
// settings and the suggestions are pure as well.
//
// The order of things in a decision: scope and exclusions (scope.go, exclude.go), link or create (link.go, decide.go),
// profile (profile.go), roles (roles.go), sites and permissions (sites.go), status (lifecycle.go).
//
// The sub-package assertion checks what outside issuers vouch for SCIM clients with.
//
// The package imports model and, in the service alone, model/store. The pure files import no database and do no I/O.
package directory
