package api

import "usher/model"

func (a *API) chosenGroups() {
	registerList(a, settingsList[model.GroupSelector, GroupSelectorInput]{
		path: "chosen-groups", name: "chosen groups",
		doc:   "The groups whose members an import over Microsoft Graph takes. A mapped group is not chosen by that alone.",
		of:    func(s model.IntegrationSettings) []model.GroupSelector { return s.ChosenGroups },
		entry: GroupSelectorInput.model, put: a.svc.PutChosenGroups,
	})
}
