package directory

import (
	"maps"
	"slices"
	"strings"

	"usher/model"
)

// settleProfile fills the account's fields. Per field the first that has a value wins: the employee, the field
// mappings that write always (by the integrations' priority), the defaults of group mappings, the field mappings that
// write the first time; the last two only while the field is empty. With a linked employee nothing else writes.
func (s *settling) settleProfile() {
	// The e-mail goes first, because it is what an employee is found by.
	if s.linkEmployee(); !s.employeeOwns() {
		s.settleField(0)
		s.linkEmployee()
	}
	owner := ""
	if s.employeeLinked {
		owner = "employee " + s.person.Employee.ExternalID + " owns the profile"
	}
	fields := s.employeeFields()
	for i, target := range s.rules.targets {
		switch {
		case fields[target] != "":
			s.set(target, fields[target], owner)
			s.origin(nil, target, owner)
		case i > 0 && !s.employeeOwns():
			s.settleField(i)
		}
	}
	if s.creating && s.account.UserName == "" {
		s.set(targetUserName, s.account.Email, "the login e-mail, as there is no other name")
	}
}

// settleField lets the directory write one field.
func (s *settling) settleField(i int) {
	target := s.rules.targets[i]
	if s.settleAlways(i, target) {
		return
	}
	filled := !isEmpty(s.current(target))
	faded := filled && s.fades(i, target)
	if !s.settleFirstTime(i, target, filled && !faded) && faded {
		s.set(target, nil, "the attribute that gave "+target+" is empty now")
	}
}

// linkEmployee links the employee with the identical e-mail to an account that has none, and notes whether the account
// has the employee of this person.
func (s *settling) linkEmployee() {
	e := s.person.Employee
	if e == nil || s.employeeLinked {
		return
	}
	if s.account.EmployeeID != nil {
		s.employeeLinked = *s.account.EmployeeID == e.ExternalID
		return
	}
	if email := model.Fold(e.Email); email == "" || email != model.Fold(s.account.Email) {
		return
	}
	id := e.ExternalID
	s.account.EmployeeID, s.employeeLinked, s.decision.LinkEmployee = &id, true, true
	s.change("employee_id", nil, id, "employee "+id+" has the identical e-mail")
}

// employeeOwns says whether the profile and the roles of an existing account are out of the sync's hands.
func (s *settling) employeeOwns() bool { return s.employeeLinked && !s.creating }

// employeeFields gives the fields that the employee of this person owns, by target.
func (s *settling) employeeFields() map[string]string {
	if !s.employeeLinked {
		return nil
	}
	e := s.person.Employee
	fields := map[string]string{
		targetGivenName: e.GivenName, targetFamilyName: e.FamilyName, targetJobTitle: e.JobTitle,
		targetDepartment: s.rules.department(e.Department),
	}
	// A display name that was made of the names follows them; one that somebody chose stays.
	full := strings.TrimSpace(e.GivenName + " " + e.FamilyName)
	made := strings.TrimSpace(s.before.GivenName + " " + s.before.FamilyName)
	if s.before.DisplayName == made && full != "" {
		fields[targetDisplayName] = full
	}
	return fields
}

// settleAlways lets the first integration with a value write it.
func (s *settling) settleAlways(i int, target string) bool {
	for _, v := range s.inScope {
		rule := v.rule(i, model.FieldAlways)
		if rule == nil {
			continue
		}
		value, ok := s.value(v, rule)
		if !ok {
			continue
		}
		s.set(target, value, rule.reason)
		s.origin(v, target, rule.reason)
		return true
	}
	return false
}

// fades says whether the field's last value came from an attribute that is gone now; then the field is cleared. A
// value that somebody else gave stays: the absence of an attribute says nothing about it. The names by which a person
// signs in are never cleared.
func (s *settling) fades(i int, target string) bool {
	if target == targetEmail || target == targetUserName {
		return false
	}
	for _, v := range s.inScope {
		rule := v.rule(i, model.FieldAlways)
		if rule != nil && !v.hasProblem(target) && v.gaveBefore(target, rule.reason) {
			return true
		}
	}
	return false
}

// settleFirstTime fills an empty field from the groups, else from the mappings that write once. Of a field that was
// filled so before, the reason is kept as long as the rule stands.
func (s *settling) settleFirstTime(i int, target string, filled bool) bool {
	for _, v := range s.inScope {
		for _, m := range v.matches {
			for _, d := range m.rule.defaults {
				if d.target != target {
					continue
				}
				reason := "group " + m.group.Name() + " gives " + target + " " + d.value + " (the first time only)"
				if s.firstTime(v, target, d.value, reason, filled) {
					return true
				}
			}
		}
	}
	for _, v := range s.inScope {
		rule := v.rule(i, model.FieldFirstTime)
		if rule == nil {
			continue
		}
		var value any
		if !filled {
			var ok bool
			if value, ok = s.value(v, rule); !ok {
				continue
			}
		}
		if s.firstTime(v, target, value, rule.reason, filled) {
			return true
		}
	}
	return false
}

// firstTime writes an empty field, or recognizes the rule as the one that filled it.
func (s *settling) firstTime(v *view, target string, value any, reason string, filled bool) bool {
	switch {
	case !filled:
		s.set(target, value, reason)
	case !v.gaveBefore(target, reason):
		return false
	}
	s.origin(v, target, reason)
	return true
}

// value reads and converts what a rule gives; ok is false where it gives nothing. What cannot be used is reported and
// skipped. A directory user that is being deleted gives no names to sign in by.
func (s *settling) value(v *view, rule *fieldRule) (value any, ok bool) {
	signIn := rule.target == targetEmail || rule.target == targetUserName
	if signIn && isTombstone(v.source.User.UserName) {
		return nil, false
	}
	if rule.problem != nil {
		v.problem(rule.problem.Field, rule.problem.Detail)
		return nil, false
	}
	text, trouble := rule.read(v)
	if trouble == "" && text == "" && rule.target == targetEmail {
		text = LoginEmail(v.source.User)
	}
	if trouble == "" && text != "" {
		if s.checkedBefore(rule.target, text) {
			return text, true
		}
		value, trouble = s.rules.convert(rule, text)
	}
	if trouble == "" && rule.target == targetEmail && text != "" {
		trouble = s.takenEmail(value.(string))
	}
	if trouble != "" {
		v.problem(rule.target, trouble)
		return nil, false
	}
	return value, text != ""
}

// checkedBefore says whether the account has this text already where converting is checking alone: it spares the look-up
// of languages and time zones. Other targets are converted again, because the catalogue may know a department by now.
func (s *settling) checkedBefore(target, text string) bool {
	return (target == targetLanguage && text == s.before.Language) || (target == targetTimeZone && text == s.before.TimeZone)
}

// takenEmail says who holds an e-mail that the account does not have yet.
func (s *settling) takenEmail(email string) string {
	key := model.Fold(email)
	if key == model.Fold(s.before.Email) {
		return ""
	}
	if holder, taken := s.person.TakenEmails[key]; taken {
		return "e-mail " + email + " belongs to account " + holder + " already"
	}
	return ""
}

// current gives the account's value of a target as the decision found it.
func (s *settling) current(target string) any {
	if field := builtIn(&s.before, target); field != nil {
		return *field
	}
	return s.before.CustomFields[strings.TrimPrefix(target, customPrefix)]
}

// set writes a field of the account and tells the change, if it is one. A nil value clears.
func (s *settling) set(target string, value any, reason string) {
	current := s.current(target)
	if sameValue(current, value) || isEmpty(value) && isEmpty(current) {
		return
	}
	if field := builtIn(&s.account, target); field != nil {
		text, _ := value.(string)
		*field = text
		s.change(target, current, text, reason)
		return
	}
	fields := maps.Clone(s.account.CustomFields)
	if fields == nil {
		fields = map[string]any{}
	}
	key := strings.TrimPrefix(target, customPrefix)
	if value == nil {
		delete(fields, key)
	} else {
		fields[key] = value
	}
	s.account.CustomFields = fields
	s.change(target, current, value, reason)
}

func isEmpty(value any) bool { return value == nil || value == "" }

// rule gives the field rule of the target with this index, where the integration has one of this mode.
func (v *view) rule(i int, mode model.FieldMode) *fieldRule {
	if rule := v.compiled.fields[i]; rule != nil && rule.mode == mode {
		return rule
	}
	return nil
}

// gaveBefore says whether the stored explanation names this origin of the field.
func (v *view) gaveBefore(target, reason string) bool {
	return slices.Contains(v.source.User.Explanation.Fields, model.FieldOrigin{Field: target, Reason: reason})
}

// origin notes where the value of a field comes from, in one source's explanation or in all of them.
func (s *settling) origin(from *view, target, reason string) {
	for _, v := range s.views {
		if v == from || from == nil {
			v.fields = append(v.fields, model.FieldOrigin{Field: target, Reason: reason})
		}
	}
}
