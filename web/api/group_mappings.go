package api

import "usher/model"

// GroupSelectorInput names a group by Entra's object id, which survives renames, or by its display name.
type GroupSelectorInput struct {
	ExternalID  string `json:"external_id,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
}

func (g GroupSelectorInput) model() model.GroupSelector {
	return model.GroupSelector{ExternalID: g.ExternalID, DisplayName: g.DisplayName}
}

// GroupMappingInput is what membership of a group gives.
type GroupMappingInput struct {
	Group              GroupSelectorInput      `json:"group"`
	Role               string                  `json:"role,omitempty" doc:"Key of a role."`
	Department         string                  `json:"department,omitempty" doc:"Key of a department; set only where the account has none."`
	Language           string                  `json:"language,omitempty" example:"da"`
	TimeZone           string                  `json:"time_zone,omitempty" example:"Europe/Copenhagen"`
	Currency           string                  `json:"currency,omitempty" example:"DKK"`
	Site               string                  `json:"site,omitempty" doc:"Key of the site that the permissions hold at."`
	Permissions        []ModulePermissionInput `json:"permissions,omitempty"`
	AllowAdministrator bool                    `json:"allow_administrator,omitempty" doc:"Lets the mapping give an administrator role."`
}

// ModulePermissionInput is a level in a module.
type ModulePermissionInput struct {
	Module string      `json:"module"`
	Level  model.Level `json:"level" enum:"member,manager,admin"`
}

func (m GroupMappingInput) model() model.GroupMapping {
	out := model.GroupMapping{
		Group: m.Group.model(), Role: m.Role, Department: m.Department, Language: m.Language, TimeZone: m.TimeZone,
		Currency: m.Currency, Site: m.Site, AllowAdministrator: m.AllowAdministrator,
	}
	for _, p := range m.Permissions {
		out.Permissions = append(out.Permissions, model.ModulePermission{Module: p.Module, Level: p.Level})
	}
	return out
}

func (a *API) groupMappings() {
	registerList(a, settingsList[model.GroupMapping, GroupMappingInput]{
		path: "group-mappings", name: "group mappings",
		doc:   "What membership of directory groups gives: roles, defaults of the profile, permissions at sites.",
		of:    func(s model.IntegrationSettings) []model.GroupMapping { return s.GroupMappings },
		entry: GroupMappingInput.model, change: a.svc.ChangeGroupMappings,
	})
}
