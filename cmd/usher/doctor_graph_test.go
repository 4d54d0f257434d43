package main

import (
	"errors"
	"strings"
	"testing"

	"usher/model"
)

func TestJudgeAccess(t *testing.T) {
	t.Parallel()
	calendars := model.IntegrationSettings{Integration: model.Integration{Name: "Contoso", Ingress: model.IngressSCIM, CalendarSync: true}}
	grouped := calendars
	grouped.RoomGroups = []model.RoomGroup{{}}
	for name, test := range map[string]struct {
		entry model.IntegrationSettings
		roles []string
		err   error
		says  string
		bad   bool
	}{
		"everything":         {entry: calendars, roles: []string{"Calendars.Read", "Calendars.ReadWrite", "User.Read.All", "Place.Read.All"}, says: "every permission"},
		"no rooms":           {entry: calendars, roles: []string{"Calendars.Read", "Calendars.ReadWrite", "User.Read.All"}, says: "Place.Read.All (rooms"},
		"no subscriptions":   {entry: calendars, roles: []string{"Calendars.ReadWrite", "User.Read.All", "Place.Read.All"}, says: "Calendars.Read (calendars", bad: true},
		"no token":           {entry: calendars, err: errors.New("AADSTS7000215: invalid client secret"), says: "AADSTS7000215", bad: true},
		"a permission above": {entry: calendars, roles: []string{"Calendars.Read", "Calendars.ReadWrite", "Directory.Read.All", "Place.Read.All"}, says: "every permission"},
		"no room groups":     {entry: grouped, roles: []string{"Calendars.Read", "Calendars.ReadWrite", "User.Read.All", "Place.Read.All"}, says: "GroupMember.Read.All (rooms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judgeAccess(test.entry, test.roles, test.err); got.bad != test.bad || !strings.Contains(got.state, test.says) || got.bad && got.advice == "" {
				t.Errorf("found %+v", got)
			}
		})
	}
}
