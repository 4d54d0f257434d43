package directory

import (
	"usher/model"
)

// Person is everything the rules may look at when they decide about one human: the directory users that are, or would
// be, linked to one account, that account, and the employee. Decide changes nothing of it.
type Person struct {
	// Sources are the directory users of this person, one per integration, the one being settled first. All but the
	// first are linked to Account. There is none when an account is settled that no directory knows.
	Sources []Source
	// Account is the account that Sources are linked to, or the one that the link rule found; nil when there is none.
	Account *model.Account
	// LinkRule says in words how Account was found, when Sources[0] is not linked to it yet.
	LinkRule string
	// LinkProblem, when set, says why Sources[0] can have no account although it is in scope (its candidate is taken by
	// another directory user of the same integration); then Account is nil.
	LinkProblem string
	// Employee is the one linked to Account, or the one with the identical e-mail; nil when there is none.
	Employee *model.Employee
	// TakenEmails names the other accounts that hold an e-mail this person might come to have: folded e-mail to the
	// name of its holder. A decision never gives a taken e-mail; it reports a problem and leaves the e-mail as it is,
	// or skips the creation. It may be nil: then the caller looks whether Decision.Account.Email is free when the
	// e-mail is among the changes, and decides once more with the answer.
	TakenEmails map[string]string
}

// Source is one directory user with what its integration says about it.
type Source struct {
	User   model.DirectoryUser
	Groups []model.GroupRef // direct, or transitive where the integration nests
	// Gone marks a directory user that is being deleted: it is out of scope whatever the rules say.
	Gone string // the reason, "" when it is not gone
}

// Decision is what the rules say about one person now.
type Decision struct {
	Action model.Action
	Reason string // why this action, in a sentence
	// Account is the account as it should be; nil where the person gets none. Its ID is empty when it is to be created.
	// OrganizationID, ID, Version and the times are those of Person.Account.
	Account *model.Account
	// Changes lists every difference between Person.Account and Account, each with its reason, in a fixed order.
	Changes []model.FieldChange
	// Explanations says, per source in the order of Person.Sources, what to store as its explanation.
	Explanations []model.Explanation
	// Link says that Sources[0] is to be linked to Account, whatever the action is called.
	Link bool
	// LinkEmployee says that Employee is to be linked to the account; Account.EmployeeID is set already.
	LinkEmployee bool
}
