package console

import (
	"strings"

	"usher/model"
)

// supposedView offers to save what a preview supposed the settings to be.
type supposedView struct {
	Action, Words string
	Stale, May    bool
}

// supposed gives what a finished preview of other settings supposed, nil for any other run. The page of the run shows it.
func (v *visit) supposed(r *model.Run) (*supposedView, error) {
	words := supposedInWords(r.Settings)
	if r.Kind != model.RunPreview || r.State != model.RunSucceeded || len(words) == 0 {
		return nil, nil
	}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return nil, err
	}
	view := supposedView{Action: Base + "/runs/" + r.ID + "/save", Words: strings.Join(words, ", "), Stale: settings.Version != r.SettingsVersion, May: true}
	for _, right := range rightsToSave(r.Settings) {
		view.May = view.May && v.can(right)
	}
	return &view, nil
}

// supposedInWords names the settings that a preview supposed to be others.
func supposedInWords(p *model.PreviewSettings) []string {
	if p == nil {
		return nil
	}
	var list []string
	for _, x := range []struct {
		name string
		set  bool
	}{
		{"field mappings", p.FieldMappings != nil},
		{"group mappings", p.GroupMappings != nil},
		{"exclusions", p.Exclusions != nil},
		{"how roles follow the groups", p.RoleSync != nil},
		{"the default role", p.DefaultRole != nil},
		{"who needs a mapped group", p.RequireGroup != nil},
		{"nested groups", p.NestedGroups != nil},
		{"scope", p.Scope != nil},
		{"priority", p.Priority != nil},
		{"guard", p.Guard != nil},
	} {
		if x.set {
			list = append(list, x.name)
		}
	}
	return list
}

// rightsToSave are the rights that saving takes: those of the pages where each of it is edited.
func rightsToSave(p *model.PreviewSettings) []model.Right {
	var list []model.Right
	if p.FieldMappings != nil || p.GroupMappings != nil || p.Exclusions != nil {
		list = append(list, model.RightManageSettings)
	}
	if p.RoleSync != nil || p.DefaultRole != nil || p.RequireGroup != nil || p.NestedGroups != nil || p.Scope != nil || p.Priority != nil || p.Guard != nil {
		list = append(list, model.RightManageIntegrations)
	}
	return list
}

func (v *visit) saveSupposed() error {
	r, err := v.read.Run(v.org, v.r.PathValue("run"))
	if err != nil {
		return err
	}
	if r.Settings != nil {
		for _, right := range rightsToSave(r.Settings) {
			if !v.can(right) {
				return model.Errorf(model.Forbidden, "Saving these settings needs the right “%s”, which you do not have.", rightName(right))
			}
		}
	}
	if r, err = v.svc.SavePreview(v.ctx, v.org, r.ID); err != nil {
		return err
	}
	path := "/integrations/" + r.IntegrationID + "/role-rules"
	switch {
	case r.Settings.FieldMappings != nil:
		path = "/mappings?integration=" + r.IntegrationID
	case r.Settings.Exclusions != nil:
		path = "/scope?integration=" + r.IntegrationID
	}
	return v.done(path, "What the preview supposed is saved; everyone is looked at anew.")
}
