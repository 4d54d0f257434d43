package directory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"usher/model"
)

// settling is one decision in the making.
type settling struct {
	rules   *Rules
	person  *Person
	views   []*view // in the order of Person.Sources
	inScope []*view // those in scope, in the order of their integrations' priority

	before, account model.Account
	creating        bool
	employeeLinked  bool
	note            string // why the status is as it is, where that needs saying
	decision        Decision
}

// view is one source with what the rules find about it.
type view struct {
	source      *Source
	compiled    *compiled // nil when the integration is gone
	linked      bool
	matches     []match
	verdict     verdict
	grants      []model.Grant
	permissions []model.PermissionGrant
	fields      []model.FieldOrigin
	problems    []model.Problem
	roles       string
	attrs       map[string]any
}

// attributes gives the document's attributes, parsed when they are first needed. It works on a copy of the document,
// so that people may be decided about concurrently.
func (v *view) attributes() map[string]any {
	if v.attrs == nil {
		document := v.source.User.Document
		v.attrs = document.Attributes()
	}
	return v.attrs
}

// problem notes something that could not be applied, once.
func (v *view) problem(field, detail string) {
	p := model.Problem{Field: field, Detail: detail}
	if !slices.Contains(v.problems, p) {
		v.problems = append(v.problems, p)
	}
}

func (v *view) hasProblem(field string) bool {
	return slices.ContainsFunc(v.problems, func(p model.Problem) bool { return p.Field == field })
}

// Decide says what the account of one person should be now, and why. It is pure: equal input gives equal output, and
// deciding again after the decision is applied (account, links and explanations stored) gives ActionNone.
func (r *Rules) Decide(p Person) Decision {
	s := &settling{rules: r, person: &p}
	s.look()
	if reason := s.whySkip(); reason != "" {
		return s.skip(reason)
	}
	if s.creating {
		s.newAccount()
	} else {
		s.before = *p.Account
		s.account = copyAccount(s.before)
		if s.before.Status == model.AccountArchived {
			return s.archived()
		}
	}
	s.decision.Link = len(s.views) > 0 && !s.views[0].linked
	s.settleProfile()
	if s.creating {
		if reason := s.whyNoNewAccount(); reason != "" {
			return s.skip(reason)
		}
	}
	if len(s.inScope) > 0 {
		s.settleRoles()
		s.settlePermissions()
	} else {
		s.roleNote("nothing keeps the account in scope: its roles and permissions stay as they are")
	}
	if !s.creating {
		s.settleStatus()
	}
	return s.finish()
}

// look finds out about every source: its mappings, whether it is in scope, what its groups give.
func (s *settling) look() {
	views := make([]view, len(s.person.Sources))
	s.views = make([]*view, len(views))
	for i := range views {
		v := &views[i]
		v.source = &s.person.Sources[i]
		v.compiled = s.rules.byID[v.source.User.IntegrationID]
		v.linked = s.person.Account != nil && v.source.User.AccountID != nil && *v.source.User.AccountID == s.person.Account.ID
		if v.compiled != nil {
			v.matches = v.compiled.match(v.source.Groups)
		}
		if v.verdict = v.scope(); v.verdict.in {
			v.grants, v.permissions = roleGrants(v.matches), permissionGrants(v.matches)
			for _, m := range v.matches {
				for _, p := range m.rule.problems {
					v.problem(p.Field, p.Detail)
				}
			}
			s.inScope = append(s.inScope, v)
		}
		s.views[i] = v
	}
	slices.SortStableFunc(s.inScope, func(a, b *view) int { return cmp.Compare(a.compiled.rank, b.compiled.rank) })
	s.creating = s.person.Account == nil
}

// whySkip says why the first source gets no account, "" if it has or may get one.
func (s *settling) whySkip() string {
	if len(s.views) == 0 {
		if s.creating {
			return "there is no directory user and no account"
		}
		return ""
	}
	first := s.views[0]
	switch {
	case first.linked:
		return ""
	case !first.verdict.in:
		return first.verdict.why
	case isTombstone(first.source.User.UserName):
		return "its userName is one that Entra gives while deleting a user"
	case s.person.LinkProblem != "":
		first.problem("", s.person.LinkProblem)
		return s.person.LinkProblem
	case s.person.Account != nil && s.person.Account.Status == model.AccountArchived:
		return "account " + s.person.Account.Name() + " is archived"
	}
	return ""
}

// whyNoNewAccount says why an account that was about to be created is not.
func (s *settling) whyNoNewAccount() string {
	first := s.views[0]
	switch {
	case s.account.Email == "" && first.hasProblem(targetEmail):
		i := slices.IndexFunc(first.problems, func(p model.Problem) bool { return p.Field == targetEmail })
		return first.problems[i].Detail
	case s.account.Email == "":
		return "it has no e-mail address"
	case s.employeeLinked && EmployeeState(*s.person.Employee, s.rules.now()) == model.EmployeeArchived:
		return s.employeeLeft()
	}
	return ""
}

// skip ends a decision that gives the first source no account; what is stored of the others stays.
func (s *settling) skip(reason string) Decision {
	d := Decision{Action: model.ActionSkip, Reason: reason, Explanations: make([]model.Explanation, len(s.views))}
	for i, v := range s.views {
		d.Explanations[i] = v.source.User.Explanation
		if i == 0 {
			d.Explanations[i] = model.Explanation{InScope: v.verdict.in, Scope: v.verdict.why, Problems: v.problems}
			if v.verdict.in {
				d.Explanations[i].Roles = "no account: " + reason
			}
		}
	}
	return d
}

// archived ends a decision about an archived account, which no sync touches.
func (s *settling) archived() Decision {
	const reason = "the account is archived"
	s.roleNote(reason + ": no sync changes it")
	list := s.explanations()
	for i, v := range s.views {
		old := v.source.User.Explanation
		list[i].Grants, list[i].Permissions, list[i].Fields = old.Grants, old.Permissions, old.Fields
	}
	return Decision{Action: model.ActionNone, Reason: reason, Account: &s.account, Explanations: list}
}

// newAccount starts the account of a person who has none.
func (s *settling) newAccount() {
	s.account = model.Account{
		OrganizationID: s.views[0].source.User.OrganizationID, Origin: model.OriginDirectory,
		Status: model.AccountActive, StatusCause: model.CauseSync,
		Roles: []string{}, Permissions: []model.Permission{}, CustomFields: map[string]any{},
	}
	s.change("status", nil, string(model.AccountActive), s.views[0].verdict.why)
}

func copyAccount(a model.Account) model.Account {
	a.Roles, a.Permissions, a.ByHand = slices.Clone(a.Roles), slices.Clone(a.Permissions), slices.Clone(a.ByHand)
	a.Links, a.CustomFields = slices.Clone(a.Links), maps.Clone(a.CustomFields)
	return a
}

// change notes one difference.
func (s *settling) change(field string, before, after any, reason string) {
	s.decision.Changes = append(s.decision.Changes, model.FieldChange{Field: field, Before: before, After: after, Reason: reason})
}

// finish names what the decision does as a whole.
func (s *settling) finish() Decision {
	d := &s.decision
	s.account.EmailKey, s.account.UserNameKey = model.Fold(s.account.Email), model.Fold(s.account.UserName)
	d.Account, d.Explanations = &s.account, s.explanations()
	switch {
	case s.creating:
		d.Action, d.Reason = model.ActionCreate, "no account yet, and in scope: "+s.views[0].verdict.why
	case s.account.Status != s.before.Status && s.account.Status == model.AccountDeactivated:
		d.Action, d.Reason = model.ActionDeactivate, s.note
	case s.account.Status != s.before.Status:
		d.Action, d.Reason = model.ActionReactivate, s.note
	case d.Link:
		d.Action, d.Reason = model.ActionLink, "an account exists: "+s.linkNote(s.views[0], &model.Explanation{})
	case len(d.Changes) > 0:
		d.Action, d.Reason = model.ActionUpdate, changeReasons(d.Changes)
	case s.note != "":
		d.Action, d.Reason = model.ActionNone, s.note
	default:
		d.Action, d.Reason = model.ActionNone, "nothing to change"
	}
	return s.decision
}

// changeReasons sums up an update by the reasons of its changes.
func changeReasons(changes []model.FieldChange) string {
	var reasons []string
	for i := range changes {
		if !slices.Contains(reasons, changes[i].Reason) {
			reasons = append(reasons, changes[i].Reason)
		}
	}
	const most = 3
	if len(reasons) > most {
		reasons = append(reasons[:most:most], "and more")
	}
	return strings.Join(reasons, "; ")
}
