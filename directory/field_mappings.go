package directory

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"usher/model"
	"usher/model/store"
)

// ChangeFieldMappings edits which attributes fill which fields, keeps a version of it, and gives it as it is then. The empty list
// maps the common fields by default.
func (s *Service) ChangeFieldMappings(ctx context.Context, ref model.Ref, sent []model.FieldMapping, edit ListEdit[model.FieldMapping]) ([]model.FieldMapping, error) {
	list, _, err := s.changeFieldMappings(ctx, ref, sent, edit, 0)
	return list, err
}

// changeFieldMappings is ChangeFieldMappings for a list that may come from a version; see saveFieldMappings for both numbers.
func (s *Service) changeFieldMappings(ctx context.Context, ref model.Ref, sent []model.FieldMapping, edit ListEdit[model.FieldMapping], restored int,
) (list []model.FieldMapping, made int, err error) {
	list, err = changeList(ctx, s, ref, sent, edit, listKind[model.FieldMapping]{
		of: func(i model.IntegrationSettings) []model.FieldMapping { return i.FieldMappings },
		check: func(settings *model.Settings, list []model.FieldMapping) error {
			return ValidateFieldMappings(settings, ref.IntegrationID, list)
		},
		save: func(tx *store.Tx, entry model.IntegrationSettings, list []model.FieldMapping) (err error) {
			made, err = s.saveFieldMappings(ctx, tx, entry, list, restored)
			return err
		},
	})
	return list, made, err
}

// saveFieldMappings is the one way in which field mappings are stored: with the version that the save makes, of which it gives the
// number; that of the version there is where nothing changes. restored is the version that the list comes from, 0 for a list that
// somebody wrote. The list is valid, and the settings are held.
func (s *Service) saveFieldMappings(ctx context.Context, tx *store.Tx, entry model.IntegrationSettings, list []model.FieldMapping, restored int) (int, error) {
	ref := entry.Integration.Ref()
	last, err := tx.LastFieldMappingVersion(ref)
	if err != nil {
		return 0, err
	}
	why, summary := "", fieldMappingsSummary(entry.FieldMappings, list)
	if restored > 0 {
		why = ": version " + strconv.Itoa(restored) + " is restored"
		summary = "version " + strconv.Itoa(restored) + " restored: " + summary
	}
	changed, err := saveList(ctx, s, tx, savedList[model.FieldMapping]{
		kind: store.ListFieldMappings, name: "field mappings", integration: entry.Integration, before: entry.FieldMappings, after: list, why: why,
	})
	if err != nil || !changed {
		return last, err
	}
	return last + 1, tx.InsertFieldMappingVersion(&model.FieldMappingVersion{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Number: last + 1, Actor: ActorOf(ctx), Summary: summary, Mappings: list,
	})
}

// FieldMappingVersions gives a page of the versions of an integration's field mappings, the newest first, without the mappings
// themselves; before is the number that it ends in front of, 0 for the newest.
func (s *Service) FieldMappingVersions(ctx context.Context, ref model.Ref, before, limit int) ([]model.FieldMappingVersion, error) {
	read := s.Store.Read(ctx)
	if _, err := read.Integration(ref); err != nil {
		return nil, err
	}
	return read.FieldMappingVersionsBefore(ref, before, limit)
}

// FieldMappingVersion reads one version with its mappings.
func (s *Service) FieldMappingVersion(ctx context.Context, ref model.Ref, number int) (model.FieldMappingVersion, error) {
	return s.Store.Read(ctx).FieldMappingVersion(ref, number)
}

// RestoreFieldMappings saves the mappings of a version anew, and gives the version that this save makes. What could not be saved any
// more fails as saving it would, and names the line: mappings[2].target. Mappings that are as they were change nothing; then the
// version is the newest there is. It replaces mappings of the versions given, as Replacing does: any, where none is.
func (s *Service) RestoreFieldMappings(ctx context.Context, ref model.Ref, number int, versions ...string) (model.FieldMappingVersion, error) {
	v, err := s.FieldMappingVersion(ctx, ref, number)
	if err != nil {
		return v, err
	}
	_, made, err := s.changeFieldMappings(ctx, ref, v.Mappings, Replacing[model.FieldMapping](versions...), number)
	if err != nil {
		return model.FieldMappingVersion{}, inVersion(err, &v)
	}
	return s.FieldMappingVersion(ctx, ref, made)
}

// PreviewFieldMappings asks for a plan of what restoring a version would change for everyone.
func (s *Service) PreviewFieldMappings(ctx context.Context, ref model.Ref, number int) (model.Run, error) {
	v, err := s.FieldMappingVersion(ctx, ref, number)
	if err != nil {
		return model.Run{}, err
	}
	run, err := s.StartPreview(ctx, ref, model.PreviewSettings{FieldMappings: &v.Mappings})
	if e, ok := errors.AsType[*model.Error](err); ok {
		if place, found := strings.CutPrefix(e.Field, store.ListFieldMappings); found {
			err = inVersion(model.FieldErrorf(e.Kind, place, "%s", e.Detail), &v)
		}
	}
	return run, err
}

// inVersion gives an error about an entry of a list as one about a line of a version, which it names in words as well.
func inVersion(err error, v *model.FieldMappingVersion) error {
	e, ok := errors.AsType[*model.Error](err)
	if !ok {
		return err
	}
	number, _, found := strings.Cut(strings.TrimPrefix(e.Field, "["), "]")
	n, bad := strconv.Atoi(number)
	if !found || bad != nil || n < 0 || n >= len(v.Mappings) {
		return err
	}
	return model.FieldErrorf(e.Kind, "mappings"+e.Field, "line %d of version %d, which fills %s: %s", n+1, v.Number, v.Mappings[n].Target, e.Detail)
}

// FieldMappingDifference is a field that two lists of mappings fill in different ways; nil where a list does not name it.
type FieldMappingDifference struct {
	Target        string
	Before, After *model.FieldMapping
}

// CompareFieldMappings gives the fields that differ: those of after in its order, then those that it does not name any more.
func CompareFieldMappings(before, after []model.FieldMapping) []FieldMappingDifference {
	var list []FieldMappingDifference
	for i := range after {
		d := FieldMappingDifference{Target: after[i].Target, Before: mappingOf(before, after[i].Target), After: &after[i]}
		if d.Before == nil || plainMapping(*d.Before) != plainMapping(*d.After) {
			list = append(list, d)
		}
	}
	for i := range before {
		if mappingOf(after, before[i].Target) == nil {
			list = append(list, FieldMappingDifference{Target: before[i].Target, Before: &before[i]})
		}
	}
	return list
}

func mappingOf(list []model.FieldMapping, target string) *model.FieldMapping {
	if i := slices.IndexFunc(list, func(m model.FieldMapping) bool { return m.Target == target }); i >= 0 {
		return &list[i]
	}
	return nil
}

// plainMapping says the mode that holds where none is said.
func plainMapping(m model.FieldMapping) model.FieldMapping {
	if m.Mode == "" {
		m.Mode = model.FieldAlways
	}
	return m
}

// maxSummary bounds the line that says what a save changed, in fields that it names of a kind.
const maxSummary = 4

// fieldMappingsSummary says in a line what a save changes.
func fieldMappingsSummary(before, after []model.FieldMapping) string {
	said := map[string][]string{}
	for _, d := range CompareFieldMappings(before, after) {
		switch {
		case d.Before == nil:
			said["added"] = append(said["added"], d.Target)
		case d.After == nil:
			said["removed"] = append(said["removed"], d.Target)
		default:
			said["changed"] = append(said["changed"], d.Target+" ("+differsIn(plainMapping(*d.Before), plainMapping(*d.After))+")")
		}
	}
	var parts []string
	for _, word := range []string{"added", "changed", "removed"} {
		list := said[word]
		if len(list) == 0 {
			continue
		}
		text := word + " " + strings.Join(list[:min(len(list), maxSummary)], ", ")
		if more := len(list) - maxSummary; more > 0 {
			text += " and " + strconv.Itoa(more) + " more"
		}
		parts = append(parts, text)
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, "; ")
	case len(after) == 0:
		return "no line of its own: the common fields are mapped by default"
	case len(before) == len(after) && !slices.EqualFunc(before, after, func(a, b model.FieldMapping) bool { return a.Target == b.Target }):
		return "the order of the lines changed"
	}
	return "nothing that the rules read"
}

// differsIn names what differs of two mappings of one field.
func differsIn(a, b model.FieldMapping) string {
	var list []string
	for _, x := range []struct {
		name string
		same bool
	}{{"source", a.Source == b.Source}, {"mode", a.Mode == b.Mode}, {"expression", a.Expression == b.Expression}} {
		if !x.same {
			list = append(list, x.name)
		}
	}
	return strings.Join(list, ", ")
}
