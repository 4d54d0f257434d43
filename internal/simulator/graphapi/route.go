package graphapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"usher/model/outlook"
)

// route is one thing that can be asked. A segment of its pattern in braces is a variable; the others are compared as OData
// does: in any case, with and without namespace and parentheses.
type route struct {
	method  string
	pattern []string
	roles   []string // one of them is needed; none where there are none
	denied  outlook.Error
	serve   func(s *Server, ctx context.Context, c *call) (answer, error)
}

// routes are those of what there is. The first one that fits is taken.
func routes(o Options) []route {
	var list []route
	if o.Directory != nil {
		list = directoryRoutes()
	}
	if o.Calendars != nil {
		return append(list, calendarRoutes()...)
	}
	return append(list, route{"POST", split("$batch"), nil, outlook.Error{}, (*Server).batch})
}

// The permissions of an application, as Microsoft's pages of the calls list them.
func (r route) permit(who claims) error {
	if len(r.roles) == 0 || slices.ContainsFunc(r.roles, func(role string) bool { return slices.Contains(who.permissions(), role) }) {
		return nil
	}
	denied := r.denied
	return &denied
}

func calendarRoutes() []route {
	outlookDenied := outlook.Error{Kind: outlook.Forbidden}
	directoryDenied := outlook.Error{
		Kind: outlook.Forbidden, Code: "Authorization_RequestDenied", Message: "Insufficient privileges to complete the operation.",
	}
	subscriptionDenied := outlook.Error{
		Kind: outlook.Forbidden, Code: "ExtensionError", Message: "Operation: Create; Exception: [Status Code: Forbidden; Reason: Forbidden]",
	}
	users := []string{"User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	groups := []string{"GroupMember.Read.All", "Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	reads := []string{"Calendars.Read", "Calendars.ReadWrite"}
	basics := append([]string{"Calendars.ReadBasic", "Calendars.ReadBasic.All"}, reads...)
	writes := []string{"Calendars.ReadWrite"}

	list := []route{
		{"GET", split("users"), users, directoryDenied, (*Server).findUsers},
		{"GET", split("users/{user}"), users, directoryDenied, (*Server).user},
		{"GET", split("groups/{group}/members"), groups, directoryDenied, (*Server).members},
		{"GET", split("groups/{group}/members/user"), groups, directoryDenied, (*Server).members},

		{"GET", split("users/{user}/calendars"), basics, outlookDenied, (*Server).calendars},
		{"GET", split("users/{user}/calendar"), basics, outlookDenied, (*Server).calendar},
		{"GET", split("users/{user}/calendars/{calendar}"), basics, outlookDenied, (*Server).calendar},
		{"POST", split("users/{user}/calendar/getSchedule"), basics, outlookDenied, (*Server).schedules},

		{"POST", split("subscriptions"), []string{"Calendars.Read"}, subscriptionDenied, (*Server).subscribe},
		{"GET", split("subscriptions"), nil, outlookDenied, (*Server).subscriptions},
		{"GET", split("subscriptions/{subscription}"), nil, outlookDenied, (*Server).subscription},
		{"PATCH", split("subscriptions/{subscription}"), nil, outlookDenied, (*Server).renew},
		{"DELETE", split("subscriptions/{subscription}"), nil, outlookDenied, (*Server).unsubscribe},
		{"POST", split("subscriptions/{subscription}/reauthorize"), nil, outlookDenied, (*Server).reauthorize},

		{"GET", split("places/room"), []string{"Place.Read.All", "Place.ReadWrite.All"}, outlookDenied, (*Server).rooms},
		{"POST", split("$batch"), nil, outlookDenied, (*Server).batch},
	}
	for _, prefix := range []string{"users/{user}", "users/{user}/calendar", "users/{user}/calendars/{calendar}"} {
		list = append(list,
			route{"GET", split(prefix + "/calendarView"), reads, outlookDenied, (*Server).view},
			route{"GET", split(prefix + "/calendarView/delta"), basics, outlookDenied, (*Server).delta},
			route{"GET", split(prefix + "/events"), reads, outlookDenied, (*Server).findEvents},
			route{"POST", split(prefix + "/events"), writes, outlookDenied, (*Server).createEvent},
			route{"GET", split(prefix + "/events/{event}"), reads, outlookDenied, (*Server).event},
			route{"PATCH", split(prefix + "/events/{event}"), writes, outlookDenied, (*Server).updateEvent},
			route{"DELETE", split(prefix + "/events/{event}"), writes, outlookDenied, (*Server).deleteEvent},
			route{"GET", split(prefix + "/events/{event}/instances"), reads, outlookDenied, (*Server).instances},
			route{"POST", split(prefix + "/events/{event}/cancel"), writes, outlookDenied, (*Server).cancelEvent},
		)
	}
	return list
}

func split(pattern string) []string { return strings.Split(pattern, "/") }

// find looks up what is asked, and the variables of its path.
func (s *Server) find(c *call) (route, error) {
	if len(c.segments) > 0 && strings.EqualFold(c.segments[0], "me") {
		return route{}, badRequest("/me request is only valid with delegated authentication flow.")
	}
	known := false
	for _, r := range s.routes {
		vars, ok := match(r.pattern, c.segments)
		if !ok {
			continue
		}
		known = true
		if r.method == c.method {
			c.vars = vars
			return r, nil
		}
	}
	if known {
		return route{}, refuse(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	last := ""
	if len(c.segments) > 0 {
		last = c.segments[len(c.segments)-1]
	}
	return route{}, badRequest("Resource not found for the segment '" + last + "'.")
}

func match(pattern, segments []string) (map[string]string, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	vars := map[string]string{}
	for i, part := range pattern {
		switch name, variable := strings.CutPrefix(part, "{"); {
		case variable:
			vars[strings.TrimSuffix(name, "}")] = segments[i]
		case !strings.EqualFold(part, plain(segments[i])):
			return nil, false
		}
		if part == "delta" {
			vars["delta"] = "yes"
		}
	}
	return vars, true
}

// plain takes namespace and parentheses off the name of a function, an action or a type.
func plain(segment string) string {
	name := strings.TrimSuffix(segment, "()")
	for _, namespace := range []string{"microsoft.graph.", "graph."} {
		if len(name) > len(namespace) && strings.EqualFold(name[:len(namespace)], namespace) {
			return name[len(namespace):]
		}
	}
	return name
}
