package filter

import "usher/model"

// Identifies says whether the filter names a resource by what tells it from all others, as the lookups of a provisioning service
// do: it holds for few of them, and an index finds these.
func Identifies(f model.Filter) bool {
	switch f := f.(type) {
	case model.Compare:
		return f.Op == model.OpEqual && f.Value != nil && isIdentity(f.Path)
	case model.ValuePath:
		return isIdentity(f.Path) && equalsValue(f.Inner)
	case model.And:
		return Identifies(f.Left) || Identifies(f.Right)
	case model.Or:
		return Identifies(f.Left) && Identifies(f.Right)
	}
	return false
}

// isIdentity says whether few resources, one as a rule, have the same value there.
func isIdentity(p model.AttributePath) bool {
	switch p.Name {
	case "id", "externalId", "userName", "displayName":
		return p.Schema == ""
	case "emails":
		return p.Schema == "" && (p.Sub == "" || p.Sub == "value")
	}
	return false
}

// equalsValue says whether the condition on an element asks for its value.
func equalsValue(f model.Filter) bool {
	switch f := f.(type) {
	case model.Compare:
		return f.Op == model.OpEqual && f.Value != nil && f.Path.Name == "value"
	case model.And:
		return equalsValue(f.Left) || equalsValue(f.Right)
	}
	return false
}
