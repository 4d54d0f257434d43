package directory

import (
	"slices"

	"usher/model"
)

// Need is an application permission of Microsoft Graph that a feature takes.
type Need struct {
	Permission string `json:"permission"`
	// Instead lists permissions that include it.
	Instead []string `json:"instead,omitempty"`
	Feature string   `json:"feature"` // calendars, calendar write-back, rooms, import, write-back
	Purpose string   `json:"purpose"` // what is not possible without it
}

// PermissionCheck is a Need, and whether the tenant's administrator has granted it.
type PermissionCheck struct {
	Need
	Granted bool `json:"granted"`
}

// Needs gives the permissions that the features take which the integration has switched on (Graph permissions reference;
// subscriptions take the reading permission even where the writing one is there).
func Needs(i model.Integration) []Need {
	var list []Need
	if i.CalendarSync {
		list = append(list,
			Need{"Calendars.Read", nil, "calendars", "read events and subscribe to their changes"},
			Need{"User.Read.All", []string{"Directory.Read.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}, "calendars", "find the mailbox of an account"},
			Need{"Place.Read.All", nil, "rooms", "list the meeting rooms; without it there are none"})
		if !i.ReadOnly {
			list = append(list, Need{"Calendars.ReadWrite", nil, "calendar write-back", "create, change and cancel the events of the application"})
		}
	}
	if i.Ingress == model.IngressGraph {
		list = append(list,
			Need{"User.Read.All", []string{"Directory.Read.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}, "import", "read people"},
			Need{"GroupMember.Read.All", []string{"Group.Read.All", "Directory.Read.All", "Group.ReadWrite.All", "GroupMember.ReadWrite.All", "Directory.ReadWrite.All"}, "import", "read groups and who is in them"})
	}
	if !i.ReadOnly && (i.WriteBack.Create || i.WriteBack.Update || i.WriteBack.Delete) {
		list = append(list,
			Need{"User.ReadWrite.All", []string{"Directory.ReadWrite.All"}, "write-back", "create, change and delete people"},
			Need{"GroupMember.ReadWrite.All", []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"}, "write-back", "put people into groups"})
	}
	return list
}

// Preflight compares what is needed with the roles that a token of the integration has.
func Preflight(needs []Need, roles []string) []PermissionCheck {
	list := make([]PermissionCheck, 0, len(needs))
	for _, n := range needs {
		granted := slices.Contains(roles, n.Permission) ||
			slices.ContainsFunc(n.Instead, func(other string) bool { return slices.Contains(roles, other) })
		list = append(list, PermissionCheck{n, granted})
	}
	return list
}
