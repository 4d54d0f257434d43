package main

import (
	"errors"
	"strings"
	"testing"

	"usher/model"
)

func TestJudgeAccess(t *testing.T) {
	t.Parallel()
	calendars := model.Integration{Name: "Contoso", Ingress: model.IngressSCIM, CalendarSync: true}
	for name, test := range map[string]struct {
		roles []string
		err   error
		says  string
		bad   bool
	}{
		"everything":         {roles: []string{"Calendars.Read", "Calendars.ReadWrite", "User.Read.All", "Place.Read.All"}, says: "every permission"},
		"no rooms":           {roles: []string{"Calendars.Read", "Calendars.ReadWrite", "User.Read.All"}, says: "Place.Read.All (rooms"},
		"no subscriptions":   {roles: []string{"Calendars.ReadWrite", "User.Read.All", "Place.Read.All"}, says: "Calendars.Read (calendars", bad: true},
		"no token":           {err: errors.New("AADSTS7000215: invalid client secret"), says: "AADSTS7000215", bad: true},
		"a permission above": {roles: []string{"Calendars.Read", "Calendars.ReadWrite", "Directory.Read.All", "Place.Read.All"}, says: "every permission"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judgeAccess(calendars, test.roles, test.err); got.bad != test.bad || !strings.Contains(got.state, test.says) || got.bad && got.advice == "" {
				t.Errorf("found %+v", got)
			}
		})
	}
}
