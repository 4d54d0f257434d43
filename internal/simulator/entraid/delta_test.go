package entraid_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model/entra"
	"usher/model/outlook"
)

func TestUsersDeltaTellsWhatChanged(t *testing.T) {
	w := newWorld(t, nil)
	grace := w.named("Grace Hopper")
	first, delta := w.users("")
	if len(first) != 40 {
		t.Fatalf("%d users", len(first))
	}
	for _, test := range []struct {
		name    string
		act     func() error
		want    entra.Removal
		told    bool
		manager bool
	}{
		{"nothing", func() error { return nil }, "", false, false},
		{"a property", func() error { return w.tenant.SetAttribute(grace.ID, "jobTitle", "Admiral") }, entra.Kept, true, false},
		{"disabled", func() error { return w.tenant.Disable(grace.ID) }, entra.Kept, true, false},
		{"the manager", func() error { return w.tenant.SetManager(grace.ID, w.named("Alan Turing").ID) }, entra.Kept, true, true},
		{"a licence, which nobody selected", func() error {
			return w.tenant.AssignLicences(grace.ID, nil, []string{w.tenant.SKUs()[0].ID})
		}, "", false, false},
		{"soft delete", func() error { return w.tenant.SoftDelete(grace.ID) }, entra.Changed, true, false},
		{"restore", func() error { return w.tenant.Restore(grace.ID) }, "", false, false},
		{"hard delete", func() error { return w.tenant.HardDelete(grace.ID) }, entra.Deleted, true, false},
	} {
		if err := test.act(); err != nil {
			t.Fatal(err)
		}
		var list []entra.User
		list, delta = w.users(delta)
		at := slices.IndexFunc(list, func(u entra.User) bool { return u.ID == grace.ID })
		switch {
		case (at >= 0) != test.told:
			t.Errorf("%s: told %v", test.name, list)
		case at >= 0 && (list[at].Removed != test.want || list[at].ManagerUntold == test.manager && test.want == entra.Kept):
			t.Errorf("%s: %+v", test.name, list[at])
		case at >= 0 && test.want != entra.Kept && list[at].DisplayName != "":
			t.Errorf("%s: of one who is removed there is the id alone: %+v", test.name, list[at])
		}
	}
	w.directory.SetFaults(entraid.Faults{TellRestores: true})
	alan := w.named("Alan Turing")
	w.ok(w.tenant.SoftDelete(alan.ID))
	w.ok(w.tenant.Restore(alan.ID))
	if list, _ := w.users(delta); !slices.Contains(idsOf(list), alan.ID) {
		t.Errorf("restore: %v", list)
	}
}

func TestDeltaFromNowOn(t *testing.T) {
	w := newWorld(t, nil)
	page, err := w.UsersDelta(t.Context(), "latest", nil)
	w.ok(err)
	if len(page.Users) != 0 || page.Next != "" || page.Delta == "" {
		t.Fatalf("%+v", page)
	}
	hired, err := w.tenant.Hire(simulator.User{GivenName: "Ada", Surname: "Byron"})
	w.ok(err)
	if list, _ := w.users(page.Delta); len(list) != 1 || list[0].ID != hired.ID {
		t.Errorf("%+v", list)
	}
}

func TestLinksEnd(t *testing.T) {
	w := newWorld(t, func(o *entraid.Options) { o.PageSize = 7 })
	page, err := w.UsersDelta(t.Context(), "", nil)
	w.ok(err)
	_, delta := w.users("")
	w.clock.pass(7*24*time.Hour - time.Second)
	w.users(delta)
	w.clock.pass(time.Second)
	for _, link := range []string{delta, page.Next} {
		_, err = w.UsersDelta(t.Context(), link, nil)
		w.fails(err, outlook.SyncLost, "SyncStateNotFound")
	}
	_, delta = w.users("")
	w.directory.SetFaults(entraid.Faults{SyncLost: 1})
	for _, status := range []int{410, 400, 404} {
		_, err = w.UsersDelta(t.Context(), delta, nil)
		w.fails(err, outlook.SyncLost, "SyncStateNotFound")
		if e, _ := err.(*outlook.Error); e.Status != status { //nolint:errorlint // the type is what is wanted
			t.Errorf("status %d, want %d", e.Status, status)
		}
	}
	w.directory.SetFaults(entraid.Faults{})
	_, err = w.UsersDelta(t.Context(), "made up", nil)
	w.fails(err, outlook.Invalid, "Request_BadRequest")
	_, err = w.GroupsDelta(t.Context(), nil, delta)
	w.fails(err, outlook.Invalid, "")
}

func TestGroupsDelta(t *testing.T) {
	w := newWorld(t, nil)
	hr, aurora, hq := w.group("HR"), w.group(simulator.GroupAurora), w.group(simulator.GroupHeadquarters)
	ada := w.named("Ada Lovelace")
	all, _ := w.groups(nil, "")
	if len(all) != len(w.tenant.GroupIDs()) {
		t.Errorf("%d groups", len(all))
	}
	first, delta := w.groups([]string{hr.ID, hq.ID}, "")
	if len(first) != 2 || len(first[0].Members)+len(first[1].Members) != len(w.tenant.Members(hr.ID))+3 {
		t.Fatalf("%+v", first)
	}
	if at := slices.IndexFunc(first, func(g entra.Group) bool { return g.ID == hq.ID }); first[at].Members[0] != (entra.Member{ID: hr.ID, Type: entra.MemberGroup}) {
		t.Errorf("nested: %+v", first[at])
	}
	w.ok(w.tenant.AddMember(aurora.ID, ada.ID)) // nobody asked for that group
	w.ok(w.tenant.AddMember(hr.ID, ada.ID))
	list, delta := w.groups(nil, delta)
	if len(list) != 1 || list[0].DisplayName != "HR" || len(list[0].Members) != 1 || list[0].Members[0] != (entra.Member{ID: ada.ID, Type: entra.MemberUser}) {
		t.Errorf("joined: %+v", list)
	}
	w.ok(w.tenant.RemoveMember(hr.ID, ada.ID))
	w.ok(w.tenant.RenameGroup(hr.ID, "People"))
	if list, delta = w.groups(nil, delta); len(list) != 1 || list[0].DisplayName != "People" || !list[0].Members[0].Removed {
		t.Errorf("left and renamed: %+v", list)
	}
	member := w.tenant.Members(hr.ID)[0]
	w.ok(w.tenant.SoftDelete(member))
	if list, delta = w.groups(nil, delta); len(list) != 0 || !w.tenant.IsMember(hr.ID, member) {
		t.Errorf("a soft-deleted user keeps the membership, and nothing is told: %+v", list)
	}
	w.ok(w.tenant.HardDelete(member))
	if list, delta = w.groups(nil, delta); len(list) != 0 {
		t.Errorf("nothing is told of one who is gone for good either: %+v", list)
	}
	w.ok(w.tenant.DeleteGroup(hr.ID))
	list, _ = w.groups(nil, delta)
	removed := slices.IndexFunc(list, func(g entra.Group) bool { return g.ID == hr.ID && g.Removed == entra.Deleted })
	left := slices.IndexFunc(list, func(g entra.Group) bool { return g.ID == hq.ID && len(g.Members) == 1 && g.Members[0].Removed })
	if removed < 0 || left < 0 {
		t.Errorf("deleted: %+v", list)
	}
	_, err := w.GroupsDelta(t.Context(), make([]string, 51), "")
	w.fails(err, outlook.Invalid, "Request_UnsupportedQuery")
}

func TestGroupsComeInParts(t *testing.T) {
	w := newWorld(t, func(o *entraid.Options) { o.MembersPerPage = 5 })
	all := w.group(simulator.GroupAllEmployees)
	pages := map[string]int{}
	link, members := "", 0
	for range 1000 {
		page, err := w.GroupsDelta(t.Context(), nil, link)
		w.ok(err)
		onPage := 0
		for _, g := range page.Groups {
			pages[g.ID]++
			onPage += len(g.Members)
			if g.ID == all.ID {
				members += len(g.Members)
			}
		}
		if onPage > 5 {
			t.Errorf("%d members on a page", onPage)
		}
		if link = page.Next; link == "" {
			break
		}
	}
	if pages[all.ID] < 2 || members != len(w.tenant.Members(all.ID)) {
		t.Errorf("%d pages, %d members", pages[all.ID], members)
	}

	w.directory.SetFaults(entraid.Faults{SplitGroups: true})
	list, _ := w.groups(nil, "")
	between := false
	for i, g := range list {
		for _, later := range list[min(i+2, len(list)):] {
			between = between || later.ID == g.ID && list[i+1].ID != g.ID
		}
	}
	if !between {
		t.Error("no group had another one between its parts")
	}
}

// reader keeps what deltas have told, as an importer must: by id, whatever comes twice or in any order.
type reader struct {
	*world
	people  map[string]entra.User
	members map[string]map[string]bool
	userLink,
	groupLink string
}

func (r *reader) take(page entra.UserPage) {
	for _, u := range page.Users {
		if u.Removed != entra.Kept {
			delete(r.people, u.ID)
			continue
		}
		if u.ManagerUntold {
			u.ManagerID = r.people[u.ID].ManagerID
		}
		u.ManagerUntold = false
		r.people[u.ID] = u
	}
}

func (r *reader) takeGroups(page entra.GroupPage) {
	for _, g := range page.Groups {
		if g.Removed != entra.Kept {
			delete(r.members, g.ID)
			continue
		}
		if r.members[g.ID] == nil {
			r.members[g.ID] = map[string]bool{}
		}
		for _, m := range g.Members {
			if m.Removed {
				delete(r.members[g.ID], m.ID)
			} else {
				r.members[g.ID][m.ID] = true
			}
		}
	}
}

// round reads both deltas to their end; between is called after every page.
func (r *reader) round(between func()) {
	r.Helper()
	for link := r.userLink; ; {
		page, err := r.UsersDelta(r.Context(), link, nil)
		r.ok(err)
		r.take(page)
		between()
		if link = page.Next; link == "" {
			r.userLink = page.Delta
			break
		}
	}
	for link := r.groupLink; ; {
		page, err := r.GroupsDelta(r.Context(), nil, link)
		r.ok(err)
		r.takeGroups(page)
		between()
		if link = page.Next; link == "" {
			r.groupLink = page.Delta
			return
		}
	}
}

// differs compares with the tenant. Members who are gone are left out on both sides, as nothing tells of them.
func (r *reader) differs() string {
	want := map[string]entra.User{}
	for _, id := range r.tenant.UserIDs() {
		if u, err := r.TenantUser(r.Context(), id, nil); err == nil {
			want[id] = u
		}
	}
	if got := slices.Sorted(maps.Keys(r.people)); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		return fmt.Sprintf("%d people, want %d", len(got), len(want))
	}
	for id, u := range want {
		if got := r.people[id]; fmt.Sprint(got) != fmt.Sprint(u) {
			return fmt.Sprintf("%+v\nwant %+v", got, u)
		}
	}
	for _, id := range r.tenant.GroupIDs() {
		for _, member := range r.tenant.Members(id) {
			if !r.members[id][member] {
				return "a member is missing"
			}
		}
		for member := range r.members[id] {
			if _, isUser := want[member]; isUser && !r.tenant.IsMember(id, member) {
				return "a member is too many"
			}
		}
	}
	if len(r.members) != len(r.tenant.GroupIDs()) {
		return fmt.Sprintf("%d groups, want %d", len(r.members), len(r.tenant.GroupIDs()))
	}
	return ""
}

func TestWhoeverMergesByIDArrivesAtTheTruth(t *testing.T) {
	odd := entraid.Faults{
		EmptyPage: 0.2, Repeat: 0.3, Phantom: 0.2, Replay: 0.4, RemovedAtFirst: 0.5, LateMembers: 0.2, Shuffle: true, SplitGroups: true,
		TellRestores: true, DeltaLag: time.Minute, LinkPadding: 100,
	}
	for seed := range uint64(15) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, func(o *entraid.Options) { o.Seed, o.PageSize, o.MembersPerPage = seed, 6, 9 })
			w.directory.SetFaults(odd)
			r := &reader{world: w, people: map[string]entra.User{}, members: map[string]map[string]bool{}}
			random := rand.New(rand.NewPCG(seed, 9)) // #nosec G404 -- reproducible on purpose
			for range 4 {
				r.round(func() {
					if random.IntN(3) == 0 {
						w.something(random)
					}
					w.clock.pass(time.Duration(random.IntN(20)) * time.Second)
				})
			}
			w.clock.pass(time.Hour)
			odd := odd
			odd.Replay, odd.LateMembers = 0, 0
			w.directory.SetFaults(odd)
			for range 2 {
				r.round(func() {})
			}
			if why := r.differs(); why != "" {
				t.Error(why)
			}
		})
	}
}

// something happens in the tenant.
func (w *world) something(r *rand.Rand) {
	people, groups := w.tenant.UserIDs(), w.tenant.GroupIDs()
	who, where := people[r.IntN(len(people))], groups[r.IntN(len(groups))]
	switch r.IntN(12) {
	case 0:
		_, _ = w.tenant.Hire(simulator.User{GivenName: "New", Surname: fmt.Sprint("Person", r.IntN(1000))}, where)
	case 1:
		_ = w.tenant.SoftDelete(who)
	case 2:
		_ = w.tenant.Restore(who)
	case 3:
		_ = w.tenant.HardDelete(who)
	case 4:
		_ = w.tenant.SetManager(who, people[r.IntN(len(people))])
	case 5:
		_ = w.tenant.SetAttribute(who, "city", []string{"Copenhagen", "London", ""}[r.IntN(3)])
	case 6, 7:
		_ = w.tenant.AddMember(where, who)
	case 8, 9:
		_ = w.tenant.RemoveMember(where, who)
	case 10:
		_ = w.tenant.RenameGroup(where, fmt.Sprint("Group ", r.IntN(1000)))
	case 11:
		if r.IntN(4) == 0 {
			_ = w.tenant.DeleteGroup(where)
		} else {
			_, _ = w.tenant.AddGroup(simulator.Group{DisplayName: fmt.Sprint("Group ", r.IntN(1000))})
		}
	}
}
