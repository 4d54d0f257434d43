package directory

import (
	"usher/model"
)

// verdict says whether a directory user is in scope.
type verdict struct {
	in   bool
	why  string // the state in words: "not a member of a mapped group"
	lost string // the same as an event that ends an account: "no longer a member of a mapped group"
}

func out(why string) verdict { return verdict{why: why, lost: why} }

// scope decides whether the directory user takes part at all (the first part of "in scope, and linked to what"). The
// first reason to be out is the one given; exclusions come last, because they are about people who would be in.
func (v *view) scope() verdict {
	c := v.compiled
	switch {
	case v.source.Gone != "":
		return out(v.source.Gone)
	case c == nil:
		return out("its integration does not exist any more")
	case !v.source.User.Active && c.integration.Ingress == model.IngressGraph && isTombstone(v.source.User.UserName): // an import knows
		return out("deleted in Entra")
	case !v.source.User.Active:
		return out("disabled in Entra")
	}
	in := c.membership(v.source.Groups)
	if in.in && c.integration.RequireGroup {
		if len(v.matches) == 0 {
			in = verdict{why: "not a member of a mapped group", lost: "no longer a member of a mapped group"}
		} else {
			in.why += ", and a member of mapped group " + v.matches[0].group.Name()
		}
	}
	if !in.in {
		return in
	}
	for i := range c.exclusions {
		if e := &c.exclusions[i]; e.matches(&v.source.User, v.attributes) {
			return out(e.reason)
		}
	}
	return in
}

// membership decides by ingress: what Entra pushes is in; what Usher pulls must be in a chosen group, unless the
// integration takes everyone by explicit choice.
func (c *compiled) membership(groups []model.GroupRef) verdict {
	switch {
	case c.integration.Ingress == model.IngressSCIM:
		return verdict{in: true, why: "provisioned by Entra and active"}
	case c.integration.Scope == model.ScopeEveryone:
		return verdict{in: true, why: "the integration takes everyone"}
	case len(c.selectors) == 0:
		return out("no group is chosen for the integration")
	}
	for i := range groups {
		if c.chosen.holds(groups[i]) {
			return verdict{in: true, why: "a member of chosen group " + groups[i].Name()}
		}
	}
	return verdict{why: "not a member of a chosen group", lost: "no longer a member of a chosen group"}
}
