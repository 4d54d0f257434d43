package directory

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"usher/model"
)

// checkEmail wants an e-mail address of a storable length; "" is one only where it is not required.
func checkEmail(field, email string, required bool) error {
	switch {
	case email == "" && required:
		return model.FieldErrorf(model.Invalid, field, "an e-mail address is required")
	case email == "":
		return nil
	case utf8.RuneCountInString(email) > maxNameLength:
		return model.FieldErrorf(model.Invalid, field, "an e-mail address has at most %d characters", maxNameLength)
	case !isAddress(email) || hasControl(email):
		return model.FieldErrorf(model.Invalid, field, "%q is not an e-mail address", email)
	}
	return nil
}

// hasControl says whether the text has characters that nobody types: no name has them, and PostgreSQL cannot store NUL.
func hasControl(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// checkText wants text of a storable length without control characters.
func checkText(field, text string, most int) error {
	switch {
	case utf8.RuneCountInString(text) > most:
		return model.FieldErrorf(model.Invalid, field, "has at most %d characters", most)
	case hasControl(text):
		return model.FieldErrorf(model.Invalid, field, "contains a character that is not text")
	}
	return nil
}

// checkEdit checks what differs between two states of an account, and brings it into the form that is stored: a
// department by its name becomes its key, an absent custom field is nil.
func (r *Rules) checkEdit(before, a *model.Account) error {
	for _, target := range accountTargets() {
		value := builtIn(a, target)
		if *value == *builtIn(before, target) {
			continue
		}
		if err := r.checkField(target, value); err != nil {
			return err
		}
	}
	fields := map[string]any{}
	for key, value := range a.CustomFields {
		if value == nil {
			continue
		}
		if old, had := before.CustomFields[key]; had && sameValue(old, value) {
			fields[key] = old
			continue
		}
		checked, err := r.checkCustom(key, value)
		if err != nil {
			return err
		}
		fields[key] = checked
	}
	a.CustomFields = fields
	return r.checkPermissions(before.ByHand, a.ByHand)
}

func (r *Rules) checkField(target string, value *string) error {
	most := maxNameLength
	if target == targetJobTitle || target == targetDepartment {
		most = maxValueLength
	}
	if err := checkText(target, *value, most); err != nil {
		return err
	}
	switch target {
	case targetEmail:
		return checkEmail(target, *value, true)
	case targetUserName:
		if *value == "" {
			return model.FieldErrorf(model.Invalid, target, "a user name is required")
		}
	}
	if *value == "" {
		return nil
	}
	converted, problem := r.convertBuiltIn(target, *value)
	if problem != "" {
		return model.FieldErrorf(model.Invalid, target, "%s", problem)
	}
	*value, _ = converted.(string)
	return nil
}

func (r *Rules) checkCustom(key string, value any) (any, error) {
	name := customPrefix + key
	field, ok := r.settings.CustomFields[key]
	if !ok {
		return nil, model.FieldErrorf(model.Invalid, name, "custom field %s does not exist", key)
	}
	if field.Type == model.FieldNumber {
		number, ok := asNumber(value)
		if !ok || math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, model.FieldErrorf(model.Invalid, name, "must be a number")
		}
		return number, nil
	}
	text, ok := value.(string)
	if !ok {
		return nil, model.FieldErrorf(model.Invalid, name, "must be text")
	}
	if field.Type == model.FieldDate {
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return nil, model.FieldErrorf(model.Invalid, name, "%q is not a date such as 2026-11-21", text)
		}
	}
	return text, checkText(name, text, maxValueLength)
}

// checkPermissions checks the permissions that are new in the list.
func (r *Rules) checkPermissions(before, list []model.Permission) error {
	if err := tooMany(len(list)); err != nil {
		return err
	}
	for i, p := range list {
		if slices.Contains(before, p) {
			continue
		}
		entry := "permissions" + entryName(i)
		if _, ok := r.settings.Sites[p.Site]; !ok {
			return entryError(model.Invalid, entry, "site", "site %q does not exist", p.Site)
		}
		if !hasModule(r.settings, p.Module) {
			return entryError(model.Invalid, entry, "module", "module %q does not exist", p.Module)
		}
		if p.Level.Rank() == 0 {
			return entryError(model.Invalid, entry, "level", "level %q is not one of member, manager, admin", p.Level)
		}
	}
	return nil
}

// roleKeys gives the roles as they are stored, sorted and each once; all of them must exist.
func (r *Rules) roleKeys(roles []string) ([]string, error) {
	for i, key := range roles {
		if _, ok := r.settings.Roles[key]; !ok {
			return nil, model.FieldErrorf(model.Invalid, "roles["+strconv.Itoa(i)+"]", "role %q does not exist", key)
		}
	}
	return newRoleSet(roles).sorted(), nil
}
