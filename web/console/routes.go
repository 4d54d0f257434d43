package console

import (
	"net/http"
	"slices"
	"strings"

	"usher/model"
)

// route is one thing that an operator can ask for. Nothing is served that is not in the table, so that no page can forget to
// ask who calls.
type route struct {
	method, path string      // below Base, with net/http's parameters: /people/{account}
	right        model.Right // that the operator needs; "" for whatever every operator may do
	serve        func(*visit) error
}

func get(path string, right model.Right, serve func(*visit) error) route {
	return route{http.MethodGet, path, right, serve}
}

func post(path string, right model.Right, serve func(*visit) error) route {
	return route{http.MethodPost, path, right, serve}
}

// allRoutes is the table of every route: a screen adds one line here, and lists its own routes in its own file.
func (c *Console) allRoutes() []route {
	return slices.Concat(
		c.homeRoutes(),
		c.integrationRoutes(),
		c.wizardRoutes(),
		c.chooseRoutes(),
		c.clientRoutes(),
		c.peopleRoutes(),
		c.personRoutes(),
		c.groupRoutes(),
		c.tenantRoutes(),
		c.logRoutes(),
		c.webhookRoutes(),
		c.runRoutes(),
		c.mappingRoutes(),
		c.scopeRoutes(),
		c.roleRuleRoutes(),
		c.calendarRoutes(),
		c.settingsRoutes(),
		c.operatorRoutes(),
		c.meRoutes(),
	)
}

// navItem is one entry of the navigation. Key is the letter behind g; Path is below Base.
type navItem struct {
	Name, Path, Icon, Key string
	Current               bool
}

// navigation lists the screens in the order in which they are shown. An entry whose path no route has is left out.
func navigation() []navItem {
	return []navItem{
		{Name: "Home", Path: "/", Icon: "home", Key: "h"},
		{Name: "Integrations", Path: "/integrations", Icon: "plug-connected", Key: "i"},
		{Name: "People", Path: "/people", Icon: "users", Key: "p"},
		{Name: "Groups", Path: "/groups", Icon: "users-group", Key: "g"},
		{Name: "Mappings", Path: "/mappings", Icon: "arrows-right-left", Key: "m"},
		{Name: "Scope", Path: "/scope", Icon: "filter", Key: "s"},
		{Name: "Runs", Path: "/runs", Icon: "player-play", Key: "r"},
		{Name: "Entra", Path: "/entra", Icon: "cloud", Key: "e"},
		{Name: "Calendars", Path: "/calendars", Icon: "calendar", Key: "c"},
		{Name: "Webhooks", Path: "/webhooks", Icon: "webhook", Key: "w"},
		{Name: "Logs", Path: "/logs", Icon: "list", Key: "l"},
		{Name: "Settings", Path: "/settings", Icon: "settings", Key: "t"},
	}
}

// nav gives the navigation with the entry marked that the path belongs to.
func (c *Console) nav(path string) []navItem {
	var list []navItem
	for _, item := range navigation() {
		there := slices.ContainsFunc(c.routes, func(r route) bool { return r.method == http.MethodGet && r.path == item.Path })
		if !there {
			continue
		}
		own := Base + strings.TrimSuffix(item.Path, "/")
		item.Current = path == own || item.Path != "/" && strings.HasPrefix(path, own+"/") || item.Path == "/" && path == own+"/"
		item.Path = own
		list = append(list, item)
	}
	return list
}

// mount gives every route of the table to the mux, behind the question who calls.
func (c *Console) mount() {
	for _, r := range c.routes {
		pattern := r.method + " " + Base + r.path
		if r.path == "/" {
			pattern = r.method + " " + Base + "/{$}"
			c.mux.HandleFunc(r.method+" "+Base, c.behind(r))
		}
		c.mux.HandleFunc(pattern, c.behind(r))
	}
	c.mountSignIn()
	c.mux.HandleFunc("GET "+Base+"/assets/{file}", c.assets.serve)
	c.mux.HandleFunc(Base+"/", c.nowhere)
}

// nowhere answers what no route has.
func (c *Console) nowhere(w http.ResponseWriter, r *http.Request) {
	for _, known := range c.routes {
		other := *r
		other.Method = known.method
		if _, pattern := c.mux.Handler(&other); known.method != r.Method && strings.HasPrefix(pattern, known.method+" ") {
			w.Header().Set("Allow", known.method)
			c.plainPage(w, r, http.StatusMethodNotAllowed, "That does not work here", "This page does not take "+r.Method+".")
			return
		}
	}
	c.behind(route{serve: func(*visit) error {
		return model.Errorf(model.NotFound, "There is no page at this address.")
	}})(w, r)
}
