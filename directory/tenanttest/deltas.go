package tenanttest

import (
	"maps"
	"slices"
	"testing"

	"usher/directory"
	"usher/model/entra"
	"usher/model/outlook"
)

func userDeltas() []promise {
	return []promise{
		{"a delta of users begins with everybody", firstUsers},
		{"a delta of users tells what changed since, with the values of now", changedUsers},
		{"a delta of users tells who was deleted, and how", removedUsers},
		{"a delta of users tells of the manager when it changes", managerInDelta},
		{"a delta of users keeps to its extensions", extensionsInDelta},
		{"a delta of users can begin now", usersFromNow},
		{"a link that is lost says so", lostUsers},
	}
}

// round reads a delta of users to its end, and gives each user as told last.
func (w World) round(t *testing.T, link string, extensions []string) (map[string]entra.User, string, int) {
	t.Helper()
	told, pages := map[string]entra.User{}, 0
	for range mostPages {
		page := must[entra.UserPage](t)(w.Tenant.UsersDelta(t.Context(), link, extensions))
		pages++
		for _, u := range page.Users {
			told[u.ID] = u
		}
		if (page.Next == "") == (page.Delta == "") {
			t.Fatalf("a page leads to %q and %q", page.Next, page.Delta)
		}
		if link = page.Next; link == "" {
			return told, page.Delta, pages
		}
	}
	t.Fatal("the round has no end")
	return nil, "", 0
}

// kept gives the ids of those who are there.
func kept(told map[string]entra.User) []string {
	maps.DeleteFunc(told, func(_ string, u entra.User) bool { return u.Removed != entra.Kept })
	return slices.Collect(maps.Keys(told))
}

func firstUsers(t *testing.T, w World) {
	told, link, pages := w.round(t, "", nil)
	if ada := told[w.Ada.ID]; ada.UserPrincipalName != w.Ada.UserPrincipalName || ada.Mail != w.Ada.Mail || ada.ManagerID != w.Grace.ID ||
		!ada.AccountEnabled || ada.UserType != "Member" || len(ada.ProxyAddresses) == 0 || ada.MailNickname == "" {
		t.Errorf("Ada: %+v", ada)
	}
	if !told[w.Hybrid].OnPremisesSync {
		t.Errorf("of Active Directory: %+v", told[w.Hybrid])
	}
	same(t, "users", kept(told), w.People)
	if pages < 2 {
		t.Errorf("they came on %d pages", pages)
	}
	if told, _, _ := w.round(t, link, nil); len(told) != 0 {
		t.Errorf("nothing has changed, and it tells %+v", told)
	}
}

func changedUsers(t *testing.T, w World) {
	_, link, _ := w.round(t, "", nil)
	hired := w.Admin.Hire("Mary", "Somerville")
	w.Admin.Edit(w.Ada.ID, "department", "Engines")
	w.Admin.Edit(w.Ada.ID, "jobTitle", "")
	w.Admin.Disable(w.Grace.ID)
	told, link, _ := w.round(t, link, nil)
	same(t, "changed", slices.Collect(maps.Keys(told)), []string{hired, w.Ada.ID, w.Grace.ID})
	if ada := told[w.Ada.ID]; ada.Department != "Engines" || ada.JobTitle != "" || ada.UserPrincipalName != w.Ada.UserPrincipalName || ada.Surname != w.Ada.Surname {
		t.Errorf("Ada: %+v", ada)
	}
	if told[w.Grace.ID].AccountEnabled || !told[hired].AccountEnabled || told[hired].GivenName != "Mary" {
		t.Errorf("Grace: %+v, Mary: %+v", told[w.Grace.ID], told[hired])
	}
	if told, _, _ := w.round(t, link, nil); len(told) != 0 {
		t.Errorf("and again: %+v", told)
	}
}

func removedUsers(t *testing.T, w World) {
	leaver, gone := w.Admin.Hire("Leaver", "Byron"), w.Admin.Hire("Gone", "Byron")
	_, link, _ := w.round(t, "", nil)
	w.Admin.Delete(leaver)
	w.Admin.Delete(gone)
	told, link, _ := w.round(t, link, nil)
	if told[leaver].Removed != entra.Changed || told[gone].Removed != entra.Changed || told[leaver].ID != leaver {
		t.Errorf("deleted: %+v and %+v", told[leaver], told[gone])
	}
	w.Admin.Purge(gone)
	told, _, _ = w.round(t, link, nil)
	if told[gone].Removed != entra.Deleted {
		t.Errorf("deleted for good: %+v", told[gone])
	}
	if _, again := told[leaver]; again {
		t.Errorf("told twice: %+v", told[leaver])
	}
}

func managerInDelta(t *testing.T, w World) {
	_, link, _ := w.round(t, "", nil)
	w.Admin.Edit(w.Ada.ID, "department", "Engines")
	told, link, _ := w.round(t, link, nil)
	if ada := told[w.Ada.ID]; !ada.ManagerUntold && ada.ManagerID != w.Grace.ID {
		t.Errorf("nothing happened to the manager: %+v", ada)
	}
	w.Admin.Manager(w.Ada.ID, w.Guest.ID)
	told, link, _ = w.round(t, link, nil)
	if ada := told[w.Ada.ID]; ada.ManagerUntold || ada.ManagerID != w.Guest.ID {
		t.Errorf("another manager: %+v", ada)
	}
	w.Admin.Manager(w.Ada.ID, "")
	told, _, _ = w.round(t, link, nil)
	if ada := told[w.Ada.ID]; ada.ManagerUntold || ada.ManagerID != "" {
		t.Errorf("no manager: %+v", ada)
	}
}

func extensionsInDelta(t *testing.T, w World) {
	w.Admin.Edit(w.Ada.ID, w.Extension, "4711")
	told, link, _ := w.round(t, "", []string{w.Extension})
	if got := told[w.Ada.ID].Extensions[w.Extension]; got != "4711" {
		t.Errorf("got %q", got)
	}
	w.Admin.Edit(w.Ada.ID, w.Extension, "0815")
	told, _, _ = w.round(t, link, nil) // the link knows what it was begun with
	if got := told[w.Ada.ID].Extensions[w.Extension]; got != "0815" {
		t.Errorf("got %q", got)
	}
}

func usersFromNow(t *testing.T, w World) {
	told, link, _ := w.round(t, directory.LinkLatest, nil)
	if len(told) != 0 {
		t.Errorf("it begins with %+v", told)
	}
	w.Admin.Edit(w.Ada.ID, "city", "London")
	told, _, _ = w.round(t, link, nil)
	if len(told) != 1 || told[w.Ada.ID].City != "London" {
		t.Errorf("got %+v", told)
	}
}

func lostUsers(t *testing.T, w World) {
	_, link, _ := w.round(t, "", nil)
	w.Admin.ExpireLinks()
	_, err := w.Tenant.UsersDelta(t.Context(), link, nil)
	wantKind(t, err, outlook.SyncLost)
	told, _, _ := w.round(t, "", nil)
	same(t, "users", kept(told), w.People)
}

func groupDeltas() []promise {
	return []promise{
		{"a delta of some groups is of them alone", someGroups},
		{"a delta of all groups is of all of them", everyGroup},
		{"a delta of groups tells who joined and left", joined},
		{"a delta of groups tells of names and ends", renamedGroups},
		{"a delta of groups can begin now, and be lost", groupsFromNow},
	}
}

// groupState is what the pages of a round come to.
type groupState struct {
	entra.Group
	joined, left map[string]entra.MemberType
}

// groupRound reads a delta of groups to its end. The same group may come again with more members.
func (w World) groupRound(t *testing.T, ids []string, link string) (map[string]*groupState, string) {
	t.Helper()
	told := map[string]*groupState{}
	for range mostPages {
		page := must[entra.GroupPage](t)(w.Tenant.GroupsDelta(t.Context(), ids, link))
		for _, g := range page.Groups {
			s := told[g.ID]
			if s == nil {
				s = &groupState{joined: map[string]entra.MemberType{}, left: map[string]entra.MemberType{}}
				told[g.ID] = s
			}
			if s.Group = g; g.Removed != entra.Kept {
				continue
			}
			for _, m := range g.Members {
				delete(s.joined, m.ID)
				delete(s.left, m.ID)
				if m.Removed {
					s.left[m.ID] = m.Type
				} else {
					s.joined[m.ID] = m.Type
				}
			}
		}
		if (page.Next == "") == (page.Delta == "") {
			t.Fatalf("a page leads to %q and %q", page.Next, page.Delta)
		}
		if link = page.Next; link == "" {
			return told, page.Delta
		}
	}
	t.Fatal("the round has no end")
	return nil, ""
}

func someGroups(t *testing.T, w World) {
	told, link := w.groupRound(t, []string{w.Team, w.Mail}, "")
	same(t, "groups", slices.Collect(maps.Keys(told)), []string{w.Team, w.Mail})
	same(t, "members", slices.Collect(maps.Keys(told[w.Team].joined)), w.Members)
	if told[w.Team].joined[w.Ada.ID] != entra.MemberUser || told[w.Team].joined[w.Nested] != entra.MemberGroup {
		t.Errorf("what the members are: %+v", told[w.Team].joined)
	}
	w.Admin.RenameGroup(w.List, "Another name")
	w.Admin.RenameGroup(w.Mail, "Also another name")
	told, _ = w.groupRound(t, []string{w.Team, w.Mail}, link)
	same(t, "changed groups", slices.Collect(maps.Keys(told)), []string{w.Mail})
}

func everyGroup(t *testing.T, w World) {
	told, _ := w.groupRound(t, nil, "")
	want := w.allGroups(t, entra.GroupSearch{})
	same(t, "groups", slices.Collect(maps.Keys(told)), want)
	same(t, "members", slices.Collect(maps.Keys(told[w.Team].joined)), w.Members)
	if list := told[w.List]; !list.MailEnabled || list.Mail == "" || slices.Contains(list.Types, "Unified") {
		t.Errorf("the distribution list: %+v", list.Group)
	}
}

func joined(t *testing.T, w World) {
	_, link := w.groupRound(t, []string{w.Team}, "")
	w.Admin.Join(w.Team, w.Grace.ID)
	w.Admin.Leave(w.Team, w.Ada.ID)
	told, link := w.groupRound(t, []string{w.Team}, link)
	team := told[w.Team]
	if team == nil || len(told) != 1 {
		t.Fatalf("got %+v", told)
	}
	same(t, "joined", slices.Collect(maps.Keys(team.joined)), []string{w.Grace.ID})
	same(t, "left", slices.Collect(maps.Keys(team.left)), []string{w.Ada.ID})
	if told, _ := w.groupRound(t, []string{w.Team}, link); len(told) != 0 {
		t.Errorf("and again: %+v", told)
	}
}

func renamedGroups(t *testing.T, w World) {
	_, link := w.groupRound(t, nil, "")
	w.Admin.RenameGroup(w.Mail, "Renamed")
	w.Admin.DeleteGroup(w.Nested)
	told, _ := w.groupRound(t, nil, link)
	if g := told[w.Mail]; g == nil || g.DisplayName != "Renamed" || len(g.joined)+len(g.left) != 0 {
		t.Errorf("renamed: %+v", g)
	}
	if g := told[w.Nested]; g == nil || g.Removed == entra.Kept {
		t.Errorf("deleted: %+v", g)
	}
}

func groupsFromNow(t *testing.T, w World) {
	told, link := w.groupRound(t, nil, directory.LinkLatest)
	if len(told) != 0 {
		t.Errorf("it begins with %+v", told)
	}
	w.Admin.Join(w.Team, w.Grace.ID)
	if told, _ := w.groupRound(t, nil, link); told[w.Team] == nil || len(told[w.Team].joined) != 1 {
		t.Errorf("got %+v", told)
	}
	w.Admin.ExpireLinks()
	_, err := w.Tenant.GroupsDelta(t.Context(), nil, link)
	wantKind(t, err, outlook.SyncLost)
}

// allGroups gives the ids of the groups that a search finds.
func (w World) allGroups(t *testing.T, search entra.GroupSearch) []string {
	t.Helper()
	var ids []string
	for _, g := range w.findGroups(t, search) {
		ids = append(ids, g.ID)
	}
	return ids
}

func (w World) findGroups(t *testing.T, search entra.GroupSearch) []entra.Group {
	t.Helper()
	var list []entra.Group
	next := ""
	for range mostPages {
		page := must[entra.GroupPage](t)(w.Tenant.FindGroups(t.Context(), search, next))
		list = append(list, page.Groups...)
		if next = page.Next; next == "" {
			return list
		}
	}
	t.Fatal("the pages have no end")
	return nil
}
