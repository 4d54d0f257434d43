package directory

import (
	"maps"
	"slices"
	"strings"

	"usher/model"
)

// The fields of an account that a rule may fill, as the management API names them.
const (
	targetEmail       = "email"
	targetUserName    = "user_name"
	targetDisplayName = "display_name"
	targetGivenName   = "given_name"
	targetFamilyName  = "family_name"
	targetDepartment  = "department"
	targetJobTitle    = "job_title"
	targetLanguage    = "language"
	targetTimeZone    = "time_zone"
	targetCurrency    = "currency"
	customPrefix      = "custom_fields."
)

// accountTargets lists the built-in targets in the order in which changes are told.
func accountTargets() []string {
	return []string{
		targetEmail, targetUserName, targetDisplayName, targetGivenName, targetFamilyName, targetDepartment,
		targetJobTitle, targetLanguage, targetTimeZone, targetCurrency,
	}
}

// allTargets lists the built-in targets, then the custom fields that any field mapping of the organization names.
func allTargets(s *model.Settings) []string {
	custom := map[string]bool{}
	for _, is := range s.Integrations {
		for _, m := range is.FieldMappings {
			if strings.HasPrefix(m.Target, customPrefix) {
				custom[m.Target] = true
			}
		}
	}
	return append(accountTargets(), slices.Sorted(maps.Keys(custom))...)
}

// builtIn gives the account's field of a built-in target, nil for any other.
func builtIn(a *model.Account, target string) *string {
	switch target {
	case targetEmail:
		return &a.Email
	case targetUserName:
		return &a.UserName
	case targetDisplayName:
		return &a.DisplayName
	case targetGivenName:
		return &a.GivenName
	case targetFamilyName:
		return &a.FamilyName
	case targetDepartment:
		return &a.Department
	case targetJobTitle:
		return &a.JobTitle
	case targetLanguage:
		return &a.Language
	case targetTimeZone:
		return &a.TimeZone
	case targetCurrency:
		return &a.Currency
	}
	return nil
}

// fieldRule is one field mapping, compiled.
type fieldRule struct {
	target     string
	mode       model.FieldMode // always or first_time; a skipped field has no rule
	path       *Path           // nil where the expression alone gives the value
	login      bool            // the value is the login e-mail, not an attribute
	expression *Expression     // nil without one
	custom     model.FieldType // of a custom field, "" for a built-in one
	reason     string
	problem    *model.Problem // set where the rule cannot work: the custom field is gone
}

// defaultMappings are the common fields that every integration maps unless its own list says otherwise (a field of
// the list replaces the default of the same target; skip turns it off).
func defaultMappings() []model.FieldMapping {
	return []model.FieldMapping{
		{Source: "userName", Target: targetUserName, Mode: model.FieldAlways},
		{Source: "displayName", Target: targetDisplayName, Mode: model.FieldAlways},
		{Source: "name.givenName", Target: targetGivenName, Mode: model.FieldAlways},
		{Source: "name.familyName", Target: targetFamilyName, Mode: model.FieldAlways},
		{Source: enterpriseUserSchema + ":department", Target: targetDepartment, Mode: model.FieldAlways},
		{Source: "title", Target: targetJobTitle, Mode: model.FieldAlways},
		{Source: "preferredLanguage", Target: targetLanguage, Mode: model.FieldFirstTime},
	}
}

// compileFields gives the rules by target: those of the list, and the defaults for what the list does not name. The
// e-mail always has a rule: it is the unique contact id.
func compileFields(s *model.Settings, list []model.FieldMapping) (map[string]*fieldRule, error) {
	rules := map[string]*fieldRule{
		targetEmail: {target: targetEmail, mode: model.FieldAlways, login: true, reason: "the login e-mail of the directory user"},
	}
	named := map[string]bool{}
	for i, m := range list {
		named[m.Target] = true
		rule, err := compileField(s, m)
		if err != nil {
			return nil, prefixed(err, "field_mappings", i)
		}
		if rule != nil {
			rules[m.Target] = rule
		}
	}
	for _, m := range defaultMappings() {
		if !named[m.Target] {
			rule, err := compileField(s, m)
			if err != nil {
				return nil, err
			}
			rules[m.Target] = rule
		}
	}
	return rules, nil
}

// compileField reads one mapping; a skipped one gives no rule. Its errors have fields relative to the mapping.
func compileField(s *model.Settings, m model.FieldMapping) (*fieldRule, error) {
	rule := &fieldRule{target: m.Target, mode: m.Mode}
	switch m.Mode {
	case model.FieldAlways, model.FieldFirstTime:
	case "":
		rule.mode = model.FieldAlways
	case model.FieldSkip:
		return nil, nil
	default:
		return nil, model.FieldErrorf(model.Invalid, "mode", "mode %q is not one of always, first_time, skip", m.Mode)
	}
	if key, isCustom := strings.CutPrefix(m.Target, customPrefix); isCustom {
		field, ok := s.CustomFields[key]
		if !ok {
			rule.problem = &model.Problem{Field: m.Target, Detail: "custom field " + key + " does not exist"}
		}
		rule.custom = field.Type
	}
	if m.Source != "" || m.Expression == "" {
		path, err := ParsePath(m.Source)
		if err != nil {
			return nil, model.FieldErrorf(model.Invalid, "source", "%s", err.Error())
		}
		rule.path = &path
	}
	if m.Expression != "" {
		expression, err := CompileExpression(m.Expression)
		if err != nil {
			return nil, model.FieldErrorf(model.Invalid, "expression", "%s", err.Error())
		}
		rule.expression = expression
	}
	rule.reason = fieldReason(m, rule.mode)
	return rule, nil
}

func fieldReason(m model.FieldMapping, mode model.FieldMode) string {
	reason := "attribute " + m.Source
	switch {
	case m.Expression != "" && m.Source == "":
		reason = "an expression"
	case m.Expression != "":
		reason = "an expression over attribute " + m.Source
	}
	reason += " gives " + m.Target
	if mode == model.FieldFirstTime {
		reason += " (the first time only)"
	}
	return reason
}

// read gives the value of the rule for a directory user: "" and no problem where the attribute is absent.
func (f *fieldRule) read(v *view) (text string, problem string) {
	switch {
	case f.login:
		return LoginEmail(v.source.User), ""
	case f.expression == nil:
		return f.path.Text(v.attributes()), ""
	}
	input := Input{User: v.attributes()}
	if f.path != nil {
		input.Value, input.Values = f.path.Text(input.User), f.path.Values(input.User)
	}
	text, err := f.expression.Run(input)
	if err != nil {
		return "", err.Error()
	}
	return strings.TrimSpace(text), ""
}
