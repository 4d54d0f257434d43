package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// SavePreview saves what a preview supposed the settings of its integration to be, by the same checks and with the same consequences
// as saving it at its own place. It is Refused where the settings have changed since the preview was made, or are of a kind that is
// looked up in Entra when it is saved.
func (s *Service) SavePreview(ctx context.Context, organizationID, runID string) (model.Run, error) {
	run, err := s.Store.Read(ctx).Run(organizationID, runID)
	if err != nil {
		return run, err
	}
	if err := savable(&run); err != nil {
		return run, err
	}
	return run, s.Store.InTx(ctx, func(tx *store.Tx) error {
		settings, entry, err := s.lockSettings(tx, run.Ref())
		if err != nil {
			return err
		}
		if settings.Version != run.SettingsVersion {
			return model.Errorf(model.Refused, "the settings have changed since this preview was made: preview them again")
		}
		if err := checkSupposed(settings, run.Ref(), *run.Settings); err != nil {
			return err
		}
		return s.saveSupposed(ctx, tx, settings, entry, run.Settings)
	})
}

// savable says why a run is not one whose settings can be saved.
func savable(run *model.Run) error {
	switch {
	case run.Kind != model.RunPreview || run.Settings == nil:
		return model.Errorf(model.Refused, "this run is not a preview of other settings")
	case run.State != model.RunSucceeded:
		return model.Errorf(model.Refused, "the preview is not complete")
	case run.Settings.ChosenGroups != nil:
		return model.Errorf(model.Refused, "chosen groups are looked up in Entra when they are saved: save them where they are chosen")
	}
	return nil
}

// saveSupposed stores each part that is supposed. They were checked together, as they will stand together.
func (s *Service) saveSupposed(ctx context.Context, tx *store.Tx, settings *model.Settings, entry model.IntegrationSettings, p *model.PreviewSettings) error {
	i := entry.Integration
	if p.FieldMappings != nil {
		if _, err := s.saveFieldMappings(ctx, tx, entry, *p.FieldMappings, 0); err != nil {
			return err
		}
	}
	if p.GroupMappings != nil {
		_, err := saveList(ctx, s, tx, savedList[model.GroupMapping]{
			kind: store.ListGroupMappings, name: "group mappings", integration: i, before: entry.GroupMappings, after: *p.GroupMappings,
		})
		if err != nil {
			return err
		}
	}
	if p.Exclusions != nil {
		_, err := saveList(ctx, s, tx, savedList[model.Exclusion]{
			kind: store.ListExclusions, name: "exclusions", integration: i, before: entry.Exclusions, after: *p.Exclusions,
		})
		if err != nil {
			return err
		}
	}
	_, err := s.changeIntegration(ctx, tx, settings, i, func(i *model.Integration) error { supposeIntegration(i, p); return nil }, nil)
	return err
}
