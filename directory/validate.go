package directory

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"usher/model"
)

// maxEntries bounds every list of settings.
const maxEntries = 10_000

// prefixed puts the place of a list entry in front of the field of an error: "[3].pattern".
func prefixed(err error, list string, i int) error {
	e, ok := errors.AsType[*model.Error](err)
	if !ok {
		return fmt.Errorf("%s[%d]: %w", list, i, err)
	}
	return entryError(e.Kind, list+entryName(i), e.Field, "%s", e.Detail)
}

// within puts the name of an object in front of the field of an error: "group.external_id".
func within(err error, object string) error {
	e, ok := errors.AsType[*model.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", object, err)
	}
	return entryError(e.Kind, object, e.Field, "%s", e.Detail)
}

// entryError is an error about a field of a list entry, or about the entry itself where field is "".
func entryError(kind model.Kind, entry, field, format string, args ...any) error {
	if field != "" {
		entry += "." + field
	}
	return model.FieldErrorf(kind, entry, format, args...)
}

func tooMany(n int) error {
	if n > maxEntries {
		return model.Errorf(model.TooLarge, "a list has at most %d entries", maxEntries)
	}
	return nil
}

// ValidateExclusions checks the whole list of an integration's exclusions. Every error is a *model.Error of kind
// Invalid whose Field is a path into the list: [2].pattern.
func ValidateExclusions(list []model.Exclusion) error {
	if err := tooMany(len(list)); err != nil {
		return err
	}
	seen := map[model.Exclusion]int{}
	for i, e := range list {
		if _, err := compileExclusion(e); err != nil {
			return prefixed(err, "", i)
		}
		if first, ok := seen[e]; ok {
			return entryError(model.Invalid, entryName(i), "", "is the same as [%d]", first)
		}
		seen[e] = i
	}
	return nil
}

// ValidateChosenGroups checks the groups whose members a Graph import takes.
func ValidateChosenGroups(list []model.GroupSelector) error {
	if err := tooMany(len(list)); err != nil {
		return err
	}
	seen := map[model.GroupSelector]int{}
	for i, g := range list {
		if err := checkSelector(g); err != nil {
			return prefixed(err, "", i)
		}
		key := selectorKey(g)
		if first, ok := seen[key]; ok {
			return entryError(model.Invalid, entryName(i), "", "is the same group as [%d]", first)
		}
		seen[key] = i
	}
	return nil
}

// ValidateRoomGroups checks the groups whose members are meeting rooms. They are asked for by id, which has to be one of Entra's.
func ValidateRoomGroups(list []model.RoomGroup) error {
	if err := tooMany(len(list)); err != nil {
		return err
	}
	seen := map[string]int{}
	for i, g := range list {
		if !tenantID.MatchString(g.ExternalID) {
			return prefixed(model.FieldErrorf(model.Invalid, "external_id", "%q is not the object id of a group in Entra", cut(g.ExternalID, maxShown)), "", i)
		}
		key := strings.ToLower(g.ExternalID)
		if first, ok := seen[key]; ok {
			return entryError(model.Invalid, entryName(i), "", "is the same group as [%d]", first)
		}
		seen[key] = i
	}
	return nil
}

// maxShown is how much of a wrong value is repeated.
const maxShown = 100

// checkSelector wants a group named by its id, its display name, or both; then the id decides and the name is for
// people to read.
func checkSelector(g model.GroupSelector) error {
	switch {
	case strings.TrimSpace(g.ExternalID) == "" && strings.TrimSpace(g.DisplayName) == "":
		return model.FieldErrorf(model.Invalid, "", "a group is named by its external_id or its display_name")
	case utf8.RuneCountInString(g.ExternalID) > maxNameLength:
		return model.FieldErrorf(model.Invalid, "external_id", "external_id has at most %d characters", maxNameLength)
	case utf8.RuneCountInString(g.DisplayName) > maxNameLength:
		return model.FieldErrorf(model.Invalid, "display_name", "display_name has at most %d characters", maxNameLength)
	}
	return nil
}

// selectorKey gives what decides which group a selector means.
func selectorKey(g model.GroupSelector) model.GroupSelector {
	if g.ExternalID != "" {
		return model.GroupSelector{ExternalID: g.ExternalID}
	}
	return model.GroupSelector{DisplayName: model.Fold(g.DisplayName)}
}

func entryName(i int) string { return "[" + strconv.Itoa(i) + "]" }

// ValidateFieldMappings checks the whole list of an integration's field mappings: sources, targets, modes, expressions,
// no target twice. The e-mail is the unique contact id and cannot be skipped.
func ValidateFieldMappings(s *model.Settings, _ string, list []model.FieldMapping) error {
	if err := tooMany(len(list)); err != nil {
		return err
	}
	seen := map[string]int{}
	for i, m := range list {
		if err := checkFieldMapping(s, m); err != nil {
			return prefixed(err, "", i)
		}
		if first, ok := seen[m.Target]; ok {
			return entryError(model.Invalid, entryName(i), "target", "%s is filled by [%d] already", m.Target, first)
		}
		seen[m.Target] = i
	}
	return nil
}

func checkFieldMapping(s *model.Settings, m model.FieldMapping) error {
	key, isCustom := strings.CutPrefix(m.Target, customPrefix)
	_, exists := s.CustomFields[key]
	switch {
	case isCustom && !exists:
		return model.FieldErrorf(model.Invalid, "target", "custom field %s does not exist", key)
	case !isCustom && builtIn(&model.Account{}, m.Target) == nil:
		return model.FieldErrorf(model.Invalid, "target", "target %q is not one of %s or custom_fields.<key>", m.Target,
			strings.Join(accountTargets(), ", "))
	case m.Mode == model.FieldSkip && m.Target == targetEmail:
		return model.FieldErrorf(model.Invalid, "mode", "the e-mail is the unique contact id and cannot be skipped")
	}
	_, err := compileField(s, m)
	return err
}

// sameMapping says whether two group mappings are the same entry.
func sameMapping(a, b model.GroupMapping) bool {
	a.Group, b.Group = selectorKey(a.Group), selectorKey(b.Group)
	if len(a.Permissions) == 0 && len(b.Permissions) == 0 {
		a.Permissions, b.Permissions = nil, nil
	}
	return reflect.DeepEqual(a, b)
}
