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
	Feature string   `json:"feature"` // one of the features that Features names
	Purpose string   `json:"purpose"` // what is not possible without it
}

// PermissionCheck is a Need, and whether the tenant's administrator has granted it.
type PermissionCheck struct {
	Need
	Granted bool `json:"granted"`
}

// Feature is something that takes permissions of Microsoft Graph, whether or not the integration has it switched on.
type Feature struct {
	Name  string `json:"name"`
	On    bool   `json:"on"`
	Needs []Need `json:"needs"`
}

// The features that take permissions.
const (
	featureCalendars     = "calendars"
	featureCalendarWrite = "calendar write-back"
	featureRooms         = "rooms"
	featureImport        = "import"
	featureWriteBack     = "write-back"
	featureLicences      = "licences"
	featureSessions      = "sessions"
	featureDeletion      = "deletion"
	featureSetup         = "set-up"
	featureRemoval       = "removal"
)

// The permissions that include others (Graph permissions reference, per method).
func overUsers() []string {
	return []string{"Directory.Read.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}
}

func overMembers() []string {
	return []string{"Group.Read.All", "Directory.Read.All", "Group.ReadWrite.All", "GroupMember.ReadWrite.All", "Directory.ReadWrite.All"}
}

func readUsers(feature, purpose string) Need {
	return Need{"User.Read.All", overUsers(), feature, purpose}
}

func readMembers(feature, purpose string) Need {
	return Need{"GroupMember.Read.All", overMembers(), feature, purpose}
}

// Features gives every feature and what it takes (Graph permissions reference; subscriptions take the reading permission even where
// the writing one is there).
func Features(entry model.IntegrationSettings) []Feature {
	i := entry.Integration
	pulled := i.Ingress == model.IngressGraph
	writes := !i.ReadOnly && (i.WriteBack.Create || i.WriteBack.Update || i.WriteBack.Delete)
	return []Feature{
		{featureCalendars, i.CalendarSync, []Need{
			{"Calendars.Read", nil, featureCalendars, "read events and subscribe to their changes"},
			readUsers(featureCalendars, "find the mailbox of an account"),
		}},
		{featureRooms, i.CalendarSync, roomNeeds(len(entry.RoomGroups) > 0)},
		{featureCalendarWrite, i.CalendarSync && !i.ReadOnly, []Need{
			{"Calendars.ReadWrite", nil, featureCalendarWrite, "create, change and cancel the events of the application"},
		}},
		{featureImport, pulled, []Need{
			readUsers(featureImport, "read people"), readMembers(featureImport, "read groups and who is in them"),
		}},
		{featureWriteBack, writes, []Need{
			{"User.ReadWrite.All", []string{"Directory.ReadWrite.All"}, featureWriteBack, "create and change people"},
			{"GroupMember.ReadWrite.All", []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"}, featureWriteBack, "put people into groups and take them out"},
		}},
		{featureLicences, writes, []Need{
			{"LicenseAssignment.ReadWrite.All", []string{"User.ReadWrite.All", "Directory.ReadWrite.All"}, featureLicences, "see the products of the tenant, give and take licences"},
		}},
		{featureSessions, writes, []Need{
			{"User.RevokeSessions.All", []string{"User.ReadWrite.All", "Directory.ReadWrite.All"}, featureSessions, "sign somebody out everywhere when off-boarding"},
		}},
		{featureDeletion, writes && i.WriteBack.Delete, []Need{
			{"User.DeleteRestore.All", []string{"User.ReadWrite.All", "Directory.ReadWrite.All"}, featureDeletion, "delete people, and restore them within 30 days"},
		}},
		{featureSetup, false, setupNeeds(true)},
		{featureRemoval, false, []Need{
			{"Application.ReadWrite.All", []string{"Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"}, featureRemoval, "take the consent back when the integration is removed; an application may do so with OwnedBy where it owns itself"},
		}},
	}
}

func roomNeeds(groups bool) []Need {
	list := []Need{{"Place.Read.All", nil, featureRooms, "list the meeting rooms; without it there are none"}}
	if groups {
		list = append(list, readMembers(featureRooms, "read the chosen groups whose members are meeting rooms"))
	}
	return list
}

// setupNeeds are what an application takes to set up provisioning by itself; an administrator who signs in once needs none of it.
func setupNeeds(groups bool) []Need {
	list := []Need{{
		"Application.ReadWrite.OwnedBy",
		[]string{"Application.ReadWrite.All", "Directory.ReadWrite.All"},
		featureSetup,
		"make the enterprise application with its provisioning job, and look after it",
	}}
	if groups {
		list = append(list, Need{"AppRoleAssignment.ReadWrite.All", nil, featureSetup, "assign groups to the application"})
	}
	return list
}

// NeedsOf gives the permissions that the features take which the integration has switched on, and what its lists take besides.
func NeedsOf(entry model.IntegrationSettings) []Need {
	var list []Need
	for _, f := range Features(entry) {
		if f.On {
			list = append(list, f.Needs...)
		}
	}
	return list
}

// FeatureCheck says whether a feature has what it takes.
type FeatureCheck struct {
	Name    string   `json:"name"`
	On      bool     `json:"on"`
	Missing []string `json:"missing"` // permissions
}

// CheckFeatures compares every feature, also those that are off, with the roles that a token of the integration has.
func CheckFeatures(entry model.IntegrationSettings, roles []string) []FeatureCheck {
	var list []FeatureCheck
	for _, f := range Features(entry) {
		c := FeatureCheck{Name: f.Name, On: f.On, Missing: []string{}}
		for _, p := range Preflight(f.Needs, roles) {
			if !p.Granted {
				c.Missing = append(c.Missing, p.Permission)
			}
		}
		list = append(list, c)
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
