package graphapi

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"usher/internal/simulator/entraid"
	"usher/model/entra"
)

var (
	filterID  = regexp.MustCompile(`(?i)^\s*id\s+eq\s+'([^']*)'\s*$`)
	betweenOr = regexp.MustCompile(`(?i)\s+or\s+`)
)

// round reads what a page of a delta is asked for with.
func (s *Server) round(c *call, typeName string, known []string) (entraid.Round, error) {
	r := entraid.Round{Size: min(c.prefer.pageSize, maxTop)}
	for _, name := range []string{"$skiptoken", "$deltatoken"} {
		text := c.query.Get(name)
		switch {
		case text == "":
			continue
		case name == "$deltatoken" && strings.EqualFold(text, "latest"):
			r.Latest = true
			continue
		}
		link, _, ok := s.open(text)
		if !ok || link == "" {
			return r, refuse(http.StatusBadRequest, "Request_BadRequest", "Badly formed token.")
		}
		r.Link = link
		return r, nil
	}
	for _, name := range []string{"$expand", "$top", "$orderby", "$search"} {
		if c.query.Get(name) != "" {
			return r, unsupported("The query parameter '" + name + "' is not supported by this change tracking query.")
		}
	}
	var err error
	if r.Select, err = c.selectedOpen(typeName, known); err != nil {
		return r, err
	}
	if text := c.query.Get("$filter"); text != "" {
		for _, one := range betweenOr.Split(text, -1) {
			found := filterID.FindStringSubmatch(one)
			if found == nil {
				return r, unsupported("Change tracking supports filters by id alone.")
			}
			r.IDs = append(r.IDs, strings.ToLower(found[1]))
		}
	}
	return r, nil
}

// changesPage is a page of a delta with its link.
func (s *Server) changesPage(c *call, context string, values []object, next, delta string) (answer, error) {
	o := object{"@odata.context": s.GraphURL + "/" + c.version + "/$metadata#" + context, "value": values}
	if next != "" {
		o["@odata.nextLink"] = s.link(c, url.Values{}, "$skiptoken", linkToken(next))
	} else {
		o["@odata.deltaLink"] = s.link(c, url.Values{}, "$deltatoken", linkToken(delta))
	}
	return jsonAnswer(http.StatusOK, o)
}

// removedObject is what a delta tells of something that is gone.
func removedObject(id string, reason entra.Removal) object {
	return object{"id": id, "@removed": object{"reason": string(reason)}}
}

// peopleDelta answers GET /users/delta.
func (s *Server) peopleDelta(ctx context.Context, c *call) (answer, error) {
	r, err := s.round(c, "user", personProperties())
	if err != nil {
		return answer{}, err
	}
	page, err := s.as(c).UsersDelta(ctx, r)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(page.Entries))
	for _, entry := range page.Entries {
		values = append(values, s.deltaPerson(entry, page.Select))
	}
	return s.changesPage(c, "users(...)", values, page.Next, page.Delta)
}

// deltaPerson tells what was selected of a user. What was never set is not there, and what was cleared is null; a first round
// knows of nothing that was cleared.
func (s *Server) deltaPerson(entry entraid.UserEntry, names []string) object {
	u := entry.User
	if entry.Removed != entra.Kept {
		return removedObject(u.ID, entry.Removed)
	}
	o := s.renderPerson(u, names)
	for name, value := range o {
		if entry.First && value == nil {
			delete(o, name)
		}
	}
	for _, name := range names {
		if name == "manager" && entry.Manager {
			o["manager@delta"] = managers(entry)
		}
	}
	return o
}

func managers(entry entraid.UserEntry) []object {
	list := []object{}
	if entry.User.ManagerID != "" {
		list = append(list, typed(object{"id": entry.User.ManagerID}, "user"))
	}
	if entry.Former != "" && entry.Former != entry.User.ManagerID {
		list = append(list, typed(removedObject(entry.Former, entra.Deleted), "user"))
	}
	return list
}

// groupsDelta answers GET /groups/delta.
func (s *Server) groupsDelta(ctx context.Context, c *call) (answer, error) {
	r, err := s.round(c, "group", groupProperties())
	if err != nil {
		return answer{}, err
	}
	page, err := s.as(c).GroupsDelta(ctx, r)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(page.Entries))
	for _, entry := range page.Entries {
		values = append(values, s.deltaGroup(entry, page.Select))
	}
	return s.changesPage(c, "groups(...)", values, page.Next, page.Delta)
}

func (s *Server) deltaGroup(entry entraid.GroupEntry, names []string) object {
	if entry.Removed != entra.Kept {
		return removedObject(entry.Group.ID, entry.Removed)
	}
	o := s.renderGroup(entry.Group, names)
	if len(entry.Members) == 0 {
		return o
	}
	members := make([]object, 0, len(entry.Members))
	for _, m := range entry.Members {
		one := object{"id": m.ID}
		if m.Removed {
			one = removedObject(m.ID, entra.Deleted)
		}
		members = append(members, typed(one, string(m.Type)))
	}
	o["members@delta"] = members
	return o
}
