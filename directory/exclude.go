package directory

import (
	"slices"
	"strings"

	"github.com/gobwas/glob"

	"usher/model"
)

// exclusion is one compiled rule whose matches get no account.
type exclusion struct {
	patterns []*glob.Pattern // over the folded e-mail and userName, any of them; nil for a filter
	path     Path
	operator string
	value    string
	reason   string
}

// Limits of patterns.
const (
	maxPatternLength       = 200
	maxPatternAlternatives = 64 // texts that the braces of a pattern stand for
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

// compilePattern compiles each text that the braces of a pattern stand for by itself: an asterisk within braces would
// make matching exponential in the length of the name, without braces it is linear.
func compilePattern(pattern string) (exclusion, error) {
	if len(pattern) > maxPatternLength {
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern", "a pattern has at most %d characters", maxPatternLength)
	}
	folded := model.Fold(strings.TrimSpace(pattern))
	if _, err := glob.Compile(folded); err != nil {
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern", "pattern %q cannot be read: %s", pattern,
			strings.TrimPrefix(err.Error(), "glob: "))
	}
	alternatives := expandBraces(folded)
	if len(alternatives) > maxPatternAlternatives {
		return exclusion{}, model.FieldErrorf(model.Invalid, "pattern", "the braces of a pattern stand for at most %d texts", maxPatternAlternatives)
	}
	e := exclusion{reason: "excluded by pattern " + pattern}
	for _, alternative := range alternatives {
		compiledPattern, err := glob.Compile(alternative)
		if err != nil {
			return exclusion{}, model.FieldErrorf(model.Invalid, "pattern", "pattern %q cannot be read", pattern)
		}
		e.patterns = append(e.patterns, compiledPattern)
	}
	return e, nil
}

// expandBraces writes a{b,c}d out as abd and acd. The pattern is well-formed. It stops soon after
// maxPatternAlternatives.
func expandBraces(pattern string) []string {
	open, shut, commas := firstBraces(pattern)
	if open < 0 {
		return []string{pattern}
	}
	var out []string
	start := open + 1
	for _, end := range append(commas, shut) {
		out = append(out, expandBraces(pattern[:open]+pattern[start:end]+pattern[shut+1:])...)
		if len(out) > maxPatternAlternatives {
			return out
		}
		start = end + 1
	}
	return out
}

// firstBraces finds the first pair of braces and the commas between them; open is negative where there is none.
// Escaped characters and classes in brackets are no syntax.
func firstBraces(pattern string) (open, shut int, commas []int) {
	open = -1
	depth, inClass := 0, false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case inClass:
			inClass = c != ']'
		case c == '[':
			inClass = true
		case c == '{':
			if depth++; depth == 1 {
				open = i
			}
		case c == '}' && depth > 0:
			if depth--; depth == 0 {
				return open, i, commas
			}
		case c == ',' && depth == 1:
			commas = append(commas, i)
		}
	}
	return -1, 0, nil
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
	if e.patterns != nil {
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
	key, real := model.Fold(name), realAddress(name)
	for _, p := range e.patterns {
		if p.Match(key) || real != name && p.Match(model.Fold(real)) {
			return true
		}
	}
	return false
}
