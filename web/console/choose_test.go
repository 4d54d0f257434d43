package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"usher/directory"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model"
)

// city is a pretend tenant with many groups, and an integration that imports from it.
type city struct {
	people *simulator.Tenant
	graph  *entraid.Directory
	i      model.Integration
	path   string // of the integration's pages
}

// importing gives a tenant in which Usher reads: two groups are called Sales, one has a list's address.
func (f *fixture) importing(groups int) *city {
	f.Helper()
	c := &city{people: simulator.NewTenant(simulator.Options{Seed: 2, People: 24, Domain: "contoso.example"})}
	for n := range groups {
		f.group(c, simulator.Group{DisplayName: fmt.Sprintf("Project %04d", n), SecurityEnabled: true})
	}
	f.group(c, simulator.Group{DisplayName: "Sales Nordic", Description: "Those of Oslo", SecurityEnabled: true})
	f.group(c, simulator.Group{DisplayName: "Twins", SecurityEnabled: true})
	f.group(c, simulator.Group{DisplayName: "Twins", Description: "The other, object id ", SecurityEnabled: true})
	f.group(c, simulator.Group{DisplayName: "News of the company", Mail: "news@contoso.example", MailEnabled: true, GroupTypes: []string{"Unified"}})
	c.graph = entraid.New(entraid.Options{Tenant: c.people, Seed: 2})
	c.graph.Grant(graphApp, "User.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All", "Organization.Read.All")
	f.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) { return c.graph.Client(graphApp), nil }
	var err error
	c.i, err = f.svc.CreateIntegration(f.Context(), f.org.ID, directory.DefaultIntegration("Contoso", model.IngressGraph), nil)
	f.ok(err)
	c.path = "/integrations/" + c.i.ID
	return c
}

func (f *fixture) group(c *city, g simulator.Group) {
	f.Helper()
	_, err := c.people.AddGroup(g)
	f.ok(err)
}

// id gives the object id of a group.
func (c *city) id(f *fixture, name string) string {
	f.Helper()
	g, ok := c.people.GroupNamed(name)
	if !ok {
		f.Fatalf("there is no group %q", name)
	}
	return g.ID
}

func (f *fixture) chosen(c *city) string {
	f.Helper()
	entry, err := f.svc.Lists(f.Context(), c.i.Ref())
	f.ok(err)
	var names []string
	for _, g := range entry.ChosenGroups {
		names = append(names, g.DisplayName)
	}
	return strings.Join(names, ", ")
}

func TestChooseGroups(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.importing(300)
		f = f.as(f.master)
		page := c.path + "/groups"
		f.get(c.path+"/setup").want(http.StatusOK, "Choose groups", `href="/console`+page+`"`)
		f.get(c.path).want(http.StatusOK, "Groups to import", "Groups that are lists", "Groups of rooms")
		f.get(page).want(http.StatusOK, "No group is chosen, and an import is refused", "Next page")
		next := regexp.MustCompile(`href="(/console/integrations/[^"]+after=[^"]+)"`).FindStringSubmatch(f.get(page + "?q=project").body)
		f.get(strings.ReplaceAll(next[1], "&amp;", "&")).want(http.StatusOK, "Project 0", "First page")
		f.get(page+"?q=nord", "HX-Request", "true").want(http.StatusOK, "Sales Nordic", "Those of Oslo", "Security group").lacks("<html", "Project")
		f.get(page+"?q=project+0299").want(http.StatusOK, "Project 0299")
		f.get(page+"?q=nothing").want(http.StatusOK, `data-empty="filtered"`)

		nordic := c.id(f, "Sales Nordic")
		f.post(page, "gid", nordic, "name", "Sales Nordic", "q", "nord").to("/console" + page + "?q=nord")
		f.get(page+"?q=nord").want(http.StatusOK, "“Sales Nordic” is chosen", "Remove…", "Not imported yet", "bg-green-lt")
		f.post(page, "gid", nordic).want(http.StatusOK, "Nothing was changed", "Is the same group")
		f.post(page, "gid", "00000000-0000-4000-8000-000000000009").want(http.StatusOK, "Entra has no group with the object id")
		f.post(page, "gid", "").want(http.StatusOK, "No group is named")
		if got := f.chosen(c); got != "Sales Nordic" {
			t.Errorf("chosen are %s", got)
		}
		f.get(page+"?chosen=oslo").want(http.StatusOK, "None of the chosen ones has a name with “oslo”")

		ask := f.post(page, "gid", nordic, "name", "Sales Nordic", "do", "remove").want(http.StatusOK, "Take “Sales Nordic” out of the choice?", "is deactivated", "It is the last one", "See the whole plan", `data-over="stay"`)
		if got := f.chosen(c); got != "Sales Nordic" {
			t.Errorf("asking has left %q", got)
		}
		f.planned(regexp.MustCompile(`/console(/runs/[\w-]+)/events`).FindStringSubmatch(ask.body)[1])
		f.post(page, "gid", nordic, "name", "Sales Nordic", "do", "remove", "confirm", "yes").to("/console" + page)
		f.get(page).want(http.StatusOK, "“Sales Nordic” is no longer chosen")
		f.post(page, "gid", nordic, "do", "remove").want(http.StatusOK, "It is not chosen any more")
		if got := f.chosen(c); got != "" {
			t.Errorf("chosen are %s", got)
		}
	})
}

func TestChooseByNames(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.importing(3)
		f = f.as(f.master)
		page := c.path + "/groups"
		f.post(page+"/file", "names", " ").want(http.StatusOK, `id="f-names-error"`, "Write one name a line")
		f.post(page+"/file", "names", `"half`).want(http.StatusOK, `id="f-names-error"`, "Line 1 is not CSV", "half</textarea>")
		names := "Project 0001\r\nTwins\r\nNobody's, at all\r\nNowhere\r\nsales nordic\r\n"
		f.post(page+"/file", "names", names, "do", "look").want(http.StatusOK, "2 groups would be added, 3 lines to look at", "Line 2, “Twins”: Entra has several groups of this name", "The other, object id ",
			"Line 4, “Nowhere”: Entra has no group named", "Line 3, “Nobody&#39;s, at all”: Has 2 fields", "Project 0001", "Nowhere")
		if got := f.chosen(c); got != "" {
			t.Errorf("looking has chosen %s", got)
		}
		f.post(page+"/file", "names", names, "do", "add").want(http.StatusOK, "2 groups added, 3 lines to look at", "Add those that are clear")
		if got := f.chosen(c); got != "Project 0001, Sales Nordic" {
			t.Errorf("chosen are %s", got)
		}
		f.post(page+"/file", "names", "Project 0001\nProject 0002", "do", "add").to("/console" + page)
		f.get(page).want(http.StatusOK, "1 group added, 1 chosen already.")
	})
}

func TestChooseLists(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.importing(3)
		f = f.as(f.master)
		page := c.path + "/lists"
		f.get("/groups/lists").want(http.StatusOK, "Choose lists of Contoso", `href="/console`+page+`"`)
		f.get(page).want(http.StatusOK, "News of the company", "news@contoso.example", "Microsoft 365 group", "No group is a list").lacks("Project 0001")
		news := c.id(f, "News of the company")
		f.post(page, "gid", news, "name", "News of the company").to("/console" + page)
		f.get(page).want(http.StatusOK, "is chosen", "Not imported yet", "Nobody loses an account by that")
		f.post(page, "gid", c.id(f, "Project 0001")).want(http.StatusOK, "Nothing was changed", "has no mailbox or address")
		f.post(page+"/file", "names", "Project 0002\nNews of the company", "do", "look").want(http.StatusOK, "0 lists would be added, 1 chosen already, 1 line to look at", "has no mailbox or address")
		f.post(page, "gid", news, "name", "News of the company", "do", "remove").to("/console" + page)
		lists, err := f.svc.DistributionLists(f.Context(), c.i.Ref())
		f.ok(err)
		if len(lists) != 0 {
			t.Errorf("left are %v", lists)
		}
	})
}

func TestChooseRooms(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.importing(3)
		f = f.as(f.master)
		page := c.path + "/room-groups"
		f.get(page).want(http.StatusOK, "No group of rooms is named").lacks("Many at once")
		id := c.id(f, "Project 0002")
		f.post(page, "gid", id, "name", "Project 0002").to("/console" + page)
		f.get(page).want(http.StatusOK, "Project 0002</strong>", "Remove…")
		f.post(page, "gid", "no id").want(http.StatusOK, "is not the object id")
		f.post(page, "gid", id, "do", "remove").to("/console" + page)
		f.get(page).want(http.StatusOK, "No group of rooms is named")
	})
}

// TestChooseWithoutTenant: groups can be named before the tenant is reached, and not where Entra pushes.
func TestChooseWithoutTenant(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.importing(0)
		f.svc.Tenants = nil
		pushed := f.contoso()
		f = f.as(f.master)
		page := c.path + "/groups"
		f.get(page).want(http.StatusOK, "Graph is not connected", "Name of a group")
		f.post(page, "gid", "HR").to("/console" + page)
		f.get(page).want(http.StatusOK, "By name: the next import looks for it")
		f.post(page+"/file", "names", "IT", "do", "look").want(http.StatusOK, `id="f-names-error"`, "no access to Microsoft Graph", "IT</textarea>")
		f.post(page, "gid", "HR", "do", "remove", "confirm", "yes").to("/console" + page)
		f.get("/integrations/"+pushed.ID+"/groups").want(http.StatusOK, "Entra decides whom it pushes").lacks("Groups of the tenant")
		f.get("/integrations/"+pushed.ID+"/room-groups").want(http.StatusOK, "Graph is not connected")
	})
}

func TestPickGroups(t *testing.T) {
	each(t, func(f *fixture) {
		town := f.tenant()
		for n := range 60 {
			_, err := town.people.AddGroup(simulator.Group{DisplayName: fmt.Sprintf("Project %02d", n), SecurityEnabled: true})
			f.ok(err)
		}
		last, _ := town.people.GroupNamed("Project 59")
		f = f.as(f.master)
		page := "/entra/people/" + town.ref.IntegrationID + "/" + town.ada.ID
		f.get(page).want(http.StatusOK, "There are more; search for one by name").lacks("Project 59")
		f.post(page+"/groups", "do", "find", "group_q", "59").want(http.StatusOK, "Project 59", `value="59"`, `type="radio" name="gid" value="`+last.ID+`"`)
		choices := "/integrations/" + town.ref.IntegrationID + "/groups/choices?"
		f.get(choices+"as=groups&group_q=59", "HX-Request", "true").want(http.StatusOK, `type="checkbox" name="groups" value="`+last.ID+`"`).lacks("<html", "checked")
		kept := url.Values{"group_q": {"nothing"}, "groups": {last.ID}, "named": {last.ID + " Project 59"}}
		f.get(choices+kept.Encode(), "HX-Request", "true").want(http.StatusOK, `value="`+last.ID+`" checked`, "Project 59", "No group has words that begin so")
		f.get(choices+"as=gid&group_q=59", "HX-Request", "true").want(http.StatusOK, `type="radio"`).lacks(`name="named"`)
		f.get("/entra/new").want(http.StatusOK, "There are more").lacks("Project 59")
		f.post("/entra/new", "do", "find", "integration", town.ref.IntegrationID, "group_q", "59", "display_name", "Katherine", "groups", last.ID).
			want(http.StatusOK, `value="`+last.ID+`" checked`, "Project 59", `value="Katherine"`)
		town.graph.Grant(graphApp, "Calendars.Read")
		f.get(choices+"group_q=59", "HX-Request", "true").want(http.StatusOK, "A permission is missing")
	})
}
