package directory

import (
	"slices"
	"strings"

	"github.com/gobwas/glob"

	"usher/model"
)

// exclusion is one compiled rule whose matches get no account.
type exclusion struct {
	pattern  *glob.Pattern // over the folded e-mail and userName; nil for a filter
	path     Path
	operator string
	value    string
	reason   string
}

// Limits of patterns: matching backtracks, so that its cost must be bounded where the pattern is accepted.
const (
	maxPatternLength    = 200
	maxPatternWildcards = 12
)

// compileExclusion reads a pattern or a filter. Its errors have fields relative to the exclusion: pattern, attribute,
// operator, value.
func compileExclusion(e model.Exclusion) (exclusion, error) {
	switch {
	case e.Pattern != "" && (e.Attribute != "" || e.Operator != "" || e.Value != ""):
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern",
			"an exclusion is either a pattern or an attribute with an operator, not both")
	case e.Pattern != "":
		return compilePattern(e.Pattern)
	case e.Attribute == "":
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern",
			"an exclusion needs a pattern, or an attribute with an operator")
	}
	return compileFilter(e)
}

func compilePattern(pattern string) (exclusion, error) {
	if len(pattern) > maxPatternLength {
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern", "a pattern has at most %d characters", maxPatternLength)
	}
	if strings.Count(pattern, "*") > maxPatternWildcards {
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern", "a pattern has at most %d asterisks", maxPatternWildcards)
	}
	compiledPattern, err := glob.Compile(model.Fold(strings.TrimSpace(pattern)))
	if err != nil {
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern", "pattern %q cannot be read: %s", pattern,
			strings.TrimPrefix(err.Error(), "glob: "))
	}
	return exclusion{pattern: compiledPattern, reason: "excluded by pattern " + pattern}, nil
}

func compileFilter(e model.Exclusion) (exclusion, error) {
	path, err := ParsePath(e.Attribute)
	if err != nil {
		return exclusion{}, model.FieldErrorf(model.Invalid, "attribute", "%s", err.Error())
	}
	words := ""
	switch e.Operator {
	case model.ExcludeEquals:
		words = "equals"
	case model.ExcludeNotEquals:
		words = "does not equal"
	case model.ExcludeContains:
		words = "contains"
	case model.ExcludeStartsWith:
		words = "starts with"
	case model.ExcludeEmpty:
		if e.Value != "" {
			return exclusion{}, model.FieldErrorf(model.Invalid, "value", "the operator empty takes no value")
		}
		return exclusion{path: path, operator: e.Operator, reason: "excluded because attribute " + e.Attribute + " is empty"}, nil
	default:
		return exclusion{}, model.FieldErrorf(model.Invalid, "operator",
			"operator %q is not one of equals, not_equals, contains, starts_with, empty", e.Operator)
	}
	if e.Value == "" {
		return exclusion{}, model.FieldErrorf(model.Invalid, "value", "the operator %s needs a value", e.Operator)
	}
	return exclusion{
		path: path, operator: e.Operator, value: e.Value,
		reason: "excluded because attribute " + e.Attribute + " " + words + " " + e.Value,
	}, nil
}

// matches says whether the exclusion concerns the directory user. attrs is asked for only by filters.
func (e *exclusion) matches(u *model.DirectoryUser, attrs func() map[string]any) bool {
	if e.pattern != nil {
		return e.matchesName(u.Email) || e.matchesName(u.UserName)
	}
	values := e.path.Values(attrs())
	switch e.operator {
	case model.ExcludeEquals:
		return slices.Contains(values, e.value)
	case model.ExcludeNotEquals:
		return !slices.Contains(values, e.value)
	case model.ExcludeContains:
		return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, e.value) })
	case model.ExcludeStartsWith:
		return slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, e.value) })
	case model.ExcludeEmpty:
		return len(values) == 0
	}
	return false
}

// matchesName compares the pattern with a name without case, and with the real address where the name is a guest's.
func (e *exclusion) matchesName(name string) bool {
	if name == "" {
		return false
	}
	if e.pattern.Match(model.Fold(name)) {
		return true
	}
	real := realAddress(name)
	return real != name && e.pattern.Match(model.Fold(real))
}
