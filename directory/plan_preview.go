package directory

import (
	"cmp"
	"context"
	"errors"
	"maps"

	"usher/model"
	"usher/model/store"
)

// StartPreview asks for a plan of what a re-evaluation would do if the settings of the integration were as supposed; nothing of them
// is saved but with the run. Settings that could not be saved fail as saving them would.
func (s *Service) StartPreview(ctx context.Context, ref model.Ref, supposed model.PreviewSettings) (model.Run, error) {
	if supposed == (model.PreviewSettings{}) {
		return s.StartRun(ctx, ref, model.RunPreview)
	}
	var run model.Run
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		settings, err := tx.Settings(ref.OrganizationID)
		if err != nil {
			return err
		}
		if err := checkSupposed(settings, ref, supposed); err != nil {
			return err
		}
		run, err = s.queueRun(ctx, tx, model.Run{
			OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: model.RunPreview, Settings: &supposed,
			SettingsVersion: cmp.Or(supposed.Of, settings.Version),
			Reason:          "asked for by " + ActorOf(ctx) + ", with other settings",
		})
		return err
	})
	return run, err
}

// suppose gives the settings as they would be; settings itself stays.
func suppose(settings *model.Settings, ref model.Ref, p model.PreviewSettings) (*model.Settings, error) {
	entry, ok := settings.Integrations[ref.IntegrationID]
	if !ok {
		return nil, model.Errorf(model.NotFound, "integration %s not found", ref.IntegrationID)
	}
	set(&entry.GroupMappings, p.GroupMappings)
	set(&entry.FieldMappings, p.FieldMappings)
	set(&entry.Exclusions, p.Exclusions)
	set(&entry.ChosenGroups, p.ChosenGroups)
	supposeIntegration(&entry.Integration, &p)
	out := *settings
	out.Integrations = maps.Clone(settings.Integrations)
	out.Integrations[ref.IntegrationID] = entry
	return &out, nil
}

// supposeIntegration sets what is supposed of the integration itself.
func supposeIntegration(i *model.Integration, p *model.PreviewSettings) {
	set(&i.RoleSync, p.RoleSync)
	set(&i.DefaultRole, p.DefaultRole)
	set(&i.Scope, p.Scope)
	set(&i.NestedGroups, p.NestedGroups)
	set(&i.RequireGroup, p.RequireGroup)
	set(&i.Priority, p.Priority)
	set(&i.Guard, p.Guard)
}

func set[T any](target, value *T) {
	if value != nil {
		*target = *value
	}
}

// checkSupposed fails as saving the settings would; fields of lists are led by the name of the list.
func checkSupposed(settings *model.Settings, ref model.Ref, p model.PreviewSettings) error {
	would, err := suppose(settings, ref, p)
	if err != nil {
		return err
	}
	entry := would.Integrations[ref.IntegrationID]
	if err := ValidateIntegration(would, entry.Integration); err != nil {
		return err
	}
	for _, list := range []struct {
		name  string
		given bool
		check func() error
	}{
		{store.ListGroupMappings, p.GroupMappings != nil, func() error {
			return ValidateGroupMappings(would, ref.IntegrationID, entry.GroupMappings)
		}},
		{store.ListFieldMappings, p.FieldMappings != nil, func() error {
			return ValidateFieldMappings(would, ref.IntegrationID, entry.FieldMappings)
		}},
		{store.ListExclusions, p.Exclusions != nil, func() error { return ValidateExclusions(entry.Exclusions) }},
		{store.ListChosenGroups, p.ChosenGroups != nil, func() error { return ValidateChosenGroups(entry.ChosenGroups) }},
	} {
		if !list.given {
			continue
		}
		if err := list.check(); err != nil {
			return inList(err, list.name)
		}
	}
	return nil
}

// inList puts the name of a list in front of the field of an error: exclusions[3].pattern.
func inList(err error, list string) error {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return model.FieldErrorf(e.Kind, list+e.Field, "%s", e.Detail)
	}
	return err
}

// supposedRules compiles the rules as they would be.
func (s *Service) supposedRules(tx *store.Tx, ref model.Ref, p model.PreviewSettings) (*Rules, error) {
	settings, err := tx.Settings(ref.OrganizationID)
	if err != nil {
		return nil, err
	}
	would, err := suppose(settings, ref, p)
	if err != nil {
		return nil, err
	}
	return Compile(would, s.Now)
}
