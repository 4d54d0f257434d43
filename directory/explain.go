package directory

import (
	"slices"
	"strings"

	"usher/model"
)

// roleNote stores one sentence about the roles for every source.
func (s *settling) roleNote(note string) {
	for _, v := range s.views {
		v.roles = note
	}
}

// explainRoles says of every role the account now has why it has it, and of every mapped role it lacks why not.
func (s *settling) explainRoles(roles, mapped roleSet) {
	var parts []string
	for _, key := range roles.sorted() {
		switch {
		case mapped[key]:
			parts = append(parts, s.givenBy(key))
		case s.isDefaultRole(key):
			parts = append(parts, "role "+key+" is the default role")
		default:
			parts = append(parts, "role "+key+" is kept: "+s.whyKept())
		}
	}
	for _, key := range mapped.sorted() {
		if !roles[key] {
			parts = append(parts, s.givenBy(key)+", but initial sets roles only when the account is created")
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no group gives a role")
	}
	s.roleNote(strings.Join(parts, "; "))
}

// isDefaultRole says whether the role is the one that an integration in scope gives to accounts without any.
func (s *settling) isDefaultRole(role string) bool {
	return slices.ContainsFunc(s.inScope, func(v *view) bool { return v.compiled.defaultRole == role })
}

// whyKept says why a role that no group gives stays.
func (s *settling) whyKept() string {
	var modes []string
	for _, v := range s.inScope {
		reason := ""
		switch v.mode() {
		case model.RoleSyncMirror:
			reason = "no mapping gives it, and mirror keeps what the mappings cannot give"
		case model.RoleSyncInitial:
			reason = "initial changes no roles after the account is created"
		default:
			reason = "no group gives it, and reconcile keeps it as long as every mapped role is held"
		}
		if !slices.Contains(modes, reason) {
			modes = append(modes, reason)
		}
	}
	return strings.Join(modes, "; ")
}

// explanations says, per source, what to store. For a source of an account that nothing keeps in scope, what was
// given when the account was last in use is kept, because that is what it still has.
func (s *settling) explanations() []model.Explanation {
	list := make([]model.Explanation, len(s.views))
	for i, v := range s.views {
		old := &v.source.User.Explanation
		e := model.Explanation{
			InScope: v.verdict.in, Scope: v.verdict.why, Link: s.linkNote(v, old),
			Roles: v.roles, Problems: v.problems, Fields: v.fields,
		}
		switch {
		case v.verdict.in:
			e.Grants, e.Permissions = v.grants, v.permissions
		case len(s.inScope) == 0 && v.linked:
			e.Grants, e.Permissions = old.Grants, old.Permissions
			e.Fields = keptFields(v.fields, old.Fields)
		}
		slices.SortStableFunc(e.Fields, func(a, b model.FieldOrigin) int { return strings.Compare(a.Field, b.Field) })
		list[i] = e
	}
	return list
}

// keptFields adds to the fields settled now those of the stored explanation that were not.
func keptFields(fields, old []model.FieldOrigin) []model.FieldOrigin {
	kept := slices.Clone(fields)
	for _, f := range old {
		if !slices.ContainsFunc(fields, func(g model.FieldOrigin) bool { return g.Field == f.Field }) {
			kept = append(kept, f)
		}
	}
	return kept
}

// linkNote says which rule linked the account to the source.
func (s *settling) linkNote(v *view, old *model.Explanation) string {
	switch {
	case v.linked:
		return old.Link
	case v != s.views[0] || !s.decision.Link:
		return ""
	case s.creating:
		return "the account was created for this directory user"
	case s.person.LinkRule == "":
		return "linked"
	}
	return s.person.LinkRule
}
