package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/model/outlook"
)

// refusal is why a step can never succeed as things are, and what to do about it.
type refusal struct{ model.OperationError }

// Error gives the detail.
func (r *refusal) Error() string { return r.Detail }

func refuse(code, format string, args ...any) error {
	return &refusal{model.OperationError{Code: code, Detail: fmt.Sprintf(format, args...)}}
}

// The codes of operations that failed; docs/reference/write-back.md lists them with what to do.
const (
	codeReadOnly       = "read_only"
	codeSwitchedOff    = "write_back_off"
	codeNoAccess       = "no_access"
	codeHybridTenant   = "hybrid_tenant"
	codeHybridUser     = "hybrid_user"
	codeUserNotFound   = "user_not_found"
	codeUserExists     = "user_exists"
	codeAmbiguous      = "ambiguous_user"
	codeDomain         = "domain_not_verified"
	codeFederated      = "domain_federated"
	codeAddressTaken   = "address_taken"
	codePassword       = "password_refused"
	codePasswordGone   = "password_expired"
	codeGroupNotFound  = "group_not_found"
	codeGroupDynamic   = "group_dynamic"
	codeGroupMail      = "group_mail_enabled"
	codeGroupList      = "group_distribution_list"
	codeGroupOnPrem    = "group_on_premises"
	codeGroupRole      = "group_role_assignable"
	codeGroupManaged   = "group_restricted"
	codeNoLicence      = "licence_not_found"
	codeNotAssignable  = "licence_not_assignable"
	codeNoSeats        = "no_seats"
	codeNoLocation     = "usage_location_missing"
	codeInherited      = "licence_inherited"
	codeLicenceCount   = "licence_count_violation"
	codeLicenceOther   = "licence_other"
	codeExclusive      = "licence_mutually_exclusive"
	codeDependency     = "licence_dependency"
	codeProhibited     = "licence_prohibited_in_location"
	codeUniqueness     = "licence_uniqueness"
	codeAdministrator  = "administrator_target"
	codePermission     = "permission_missing"
	codeNameInUse      = "user_name_in_use"
	codeUnreachable    = "unreachable"
	codeInvalid        = "refused_by_entra"
	codeExternalMaster = "mastered_elsewhere"
	codeGuard          = "guard"
	codeOvertaken      = "offboarded"
)

// waits says whether a failure may go away by itself, and for how long to wait then.
func waits(err error, failures int) (time.Duration, bool) {
	e, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		return 0, false
	}
	switch e.Kind {
	case outlook.Throttled, outlook.Unavailable, outlook.BadCredentials:
		return waitFor(err, failures), true
	case outlook.Other:
		return waitFor(err, failures), e.Status == 0 || e.Status >= 500
	default:
		return 0, false
	}
}

// The times between attempts.
const (
	firstWait       = 5 * time.Second
	longestWait     = 15 * time.Minute
	credentialsWait = 5 * time.Minute
)

// waitFor gives the time until the next attempt: what Graph asked for, else longer with every failure.
func waitFor(err error, failures int) time.Duration {
	wait := firstWait << min(failures, 8)
	if e, ok := errors.AsType[*outlook.Error](err); ok {
		if e.Kind == outlook.BadCredentials {
			wait = max(wait, credentialsWait)
		}
		wait = max(wait, e.After)
	}
	return min(wait, longestWait)
}

// explained turns what Graph refused into a refusal that says what to do. permissions are those of the token; nil where they could
// not be read.
func explained(action model.StepAction, err error, permissions []string) error {
	if _, ok := errors.AsType[*refusal](err); ok {
		return err
	}
	e, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		return err
	}
	if e.Kind == outlook.Forbidden {
		return forbidden(action, e, permissions)
	}
	said := strings.ToLower(e.Code + " " + e.Message)
	for _, known := range knownAnswers(action) {
		if strings.Contains(said, known.words) {
			return refuse(known.code, "%s", known.detail)
		}
	}
	if r := byKind(e); r != nil {
		return r
	}
	switch e.Kind {
	case outlook.NoUser, outlook.NotFound:
		return refuse(codeUserNotFound, "Entra does not have it any more: the user, or what the user was to get, was deleted. Look at it in the Entra admin centre")
	case outlook.Duplicate, outlook.Conflict:
		return refuse(codeAddressTaken, "an object with the same name or address exists in Entra: %s", answered(e))
	default:
		return refuse(codeInvalid, "Entra refused the request: %s", answered(e))
	}
}

// byKind explains what Graph's door has told apart.
func byKind(e *outlook.Error) error {
	switch e.Kind {
	case outlook.AddressTaken:
		return refuse(codeAddressTaken, "another object of the tenant has this e-mail address: choose another one, or take it from that object")
	case outlook.Hybrid:
		return refuse(codeHybridUser, "another directory is the master of the user or of this property: change it there (%s)", answered(e))
	case outlook.PasswordPolicy:
		return refuse(codePassword, "Entra refused the password: it breaks the tenant's rules, or is on the list of banned ones. Ask again with another password, or with none")
	case outlook.BadDomain:
		return refuse(codeDomain, "the domain of the name or address is not one of the tenant's verified domains (%s)", answered(e))
	case outlook.BadLocation:
		return refuse(codeNoLocation, "the user has no usage location, or one that Microsoft does not know: set usage_location first, such as DK")
	case outlook.InheritedLicence:
		return refuse(codeInherited, "the licence comes from a group: take the user out of that group")
	case outlook.NoSeats:
		return refuse(codeNoSeats, "no seat of the product is free: buy more, or take one from somebody else")
	case outlook.PlanConflict:
		return refuse(codeExclusive, "a service of the product clashes with one of another licence, or needs one that is missing (%s)", answered(e))
	case outlook.Unwritable:
		return refuse(codeGroupMail, "Microsoft Graph cannot change the members of this group: use the Exchange admin centre, or its rule (%s)", answered(e))
	default:
		return nil
	}
}

func answered(e *outlook.Error) string {
	text := strings.TrimSpace(e.Message)
	if text == "" {
		text = e.Code
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// forbidden tells the two reasons of a 403 apart: a permission that is missing, or a user who holds an administrator role.
func forbidden(action model.StepAction, e *outlook.Error, permissions []string) error {
	need := neededFor(action)
	if permissions != nil && !slices.ContainsFunc(need, func(p string) bool { return slices.Contains(permissions, p) }) {
		return refuse(codePermission, "Usher's application lacks the permission %s: add it to the application's registration in Entra and give administrator consent", need[0])
	}
	return refuse(codeAdministrator, "Entra does not let Usher's application do this to the user: a user who holds an administrator role, or is in a role-assignable group,"+
		" can be changed only by a Privileged Authentication Administrator or a Global Administrator. Have one of them do it in the Entra admin centre,"+
		" or give the application's service principal such a role (%s)", answered(e))
}

// neededFor gives the application permissions of which a step takes one; the first is the least (Graph permissions reference).
func neededFor(action model.StepAction) []string {
	const all = "Directory.ReadWrite.All"
	switch action {
	case model.StepAddMember, model.StepRemoveMember:
		return []string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", all}
	case model.StepAddLicence, model.StepRemoveLicence:
		return []string{"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", all}
	case model.StepDelete, model.StepRestore:
		return []string{"User.DeleteRestore.All", "User.ReadWrite.All", all}
	case model.StepRevokeSessions:
		return []string{"User.RevokeSessions.All", "User.ReadWrite.All", all}
	case model.StepEnable, model.StepDisable:
		return []string{"User.EnableDisableAccount.All", "User.ReadWrite.All", all}
	default:
		return []string{"User.ReadWrite.All", all}
	}
}

type knownAnswer struct{ words, code, detail string }

// knownAnswers are Graph's answers that are known by their words: of most there is no code of their own (Graph error responses,
// Entra's licence assignment errors). Words are in lower case.
func knownAnswers(action model.StepAction) []knownAnswer {
	list := licenceAnswers()
	if action == model.StepCreate {
		list = append(list, knownAnswer{
			"password", codePassword, "Entra refused the password: it breaks the tenant's rules, or is on the list of banned ones. Ask again with another password, or with none",
		})
	}
	return append(list, []knownAnswer{
		{"on-premises mastered", codeHybridUser, "the user is synchronised from Active Directory, which is its master: change it there"},
		{"originated within an external service", codeExternalMaster, "Exchange is the master of this property: change it in the Exchange admin centre"},
		{"domain portion of the userprincipalname", codeDomain, "the domain of the user principal name is not one of the tenant's verified domains"},
		{"property proxyaddresses already exists", codeAddressTaken, "another object of the tenant has this e-mail address: choose another one, or take it from that object"},
		{"property userprincipalname already exists", codeNameInUse, "another user has this user principal name: choose another one"},
	}...)
}

func licenceAnswers() []knownAnswer {
	return []knownAnswer{
		{"does not have any available licenses", codeNoSeats, "no seat of the product is free: buy more, or take one from somebody else"},
		{"invalid usage location", codeNoLocation, "the user has no usage location: set usage_location first, such as DK"},
		{"countviolation", codeLicenceCount, "no seat of the product is free: buy more, or take one from somebody else"},
		{"mutuallyexclusiveviolation", codeExclusive, "the product holds a service that another licence of the user excludes: take that licence away, or switch the service off in one of them"},
		{"dependencyviolation", codeDependency, "the product needs a service that the user does not have, or another licence needs one of this product: give or remove the other one first"},
		{"prohibitedinusagelocationviolation", codeProhibited, "the product is not offered in the user's usage location: correct usage_location, or choose another product"},
		{"uniquenessviolation", codeUniqueness, "the user's licence clashes with another object that has the same proxy address: free the address in Exchange first"},
		{"inherited from a group", codeInherited, "the licence comes from a group: take the user out of that group"},
	}
}

// licenceError explains the error of a licence's state (Graph: licenseAssignmentState).
func licenceError(code string) error {
	for _, known := range licenceAnswers() {
		if known.words == strings.ToLower(code) {
			return refuse(known.code, "%s", known.detail)
		}
	}
	return refuse(codeLicenceOther, "Entra could not assign the licence (%s): see the user's licences in the Entra admin centre", code)
}
