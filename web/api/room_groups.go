package api

import "usher/model"

// RoomGroupInput names a group whose members are meeting rooms.
type RoomGroupInput struct {
	ExternalID string `json:"external_id" doc:"Object id of the group in Entra."`
}

func (a *API) roomGroups() {
	registerList(a, settingsList[model.RoomGroup, RoomGroupInput]{
		path: "room-groups", name: "room groups",
		doc: "The groups whose members are meeting rooms, in addition to the places that Microsoft 365 lists. " +
			"A tenant that does not grant Place.Read.All has rooms by them alone.",
		of:    func(s model.IntegrationSettings) []model.RoomGroup { return s.RoomGroups },
		entry: func(in RoomGroupInput) model.RoomGroup { return model.RoomGroup(in) }, change: a.svc.ChangeRoomGroups,
	})
}
