package graphapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model/outlook"
)

// listGroups answers GET /groups.
func (s *Server) listGroups(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("group", groupProperties(), []string{"displayName", "mail", "mailNickname", "description"})
	if err != nil {
		return answer{}, err
	}
	var wanted func(simulator.Group) bool
	if q.match != nil {
		wanted = func(g simulator.Group) bool { return q.match(s.getGroup(g)) }
	}
	next, err := s.resume(c)
	if err != nil {
		return answer{}, err
	}
	var groups []simulator.Group
	if q.orderBy != "" {
		groups, next, err = s.sortedGroups(ctx, c, q, wanted, next)
	} else {
		groups, next, err = s.as(c).Groups(ctx, entraid.List[simulator.Group]{Wanted: wanted, Next: next, Size: q.top})
	}
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(groups))
	for _, g := range groups {
		values = append(values, s.renderGroup(g, q.names))
	}
	page := s.collection(c, "groups", values, s.onward(c, next))
	if q.count {
		if page["@odata.count"], err = s.as(c).CountGroups(ctx, wanted); err != nil {
			return answer{}, err
		}
	}
	return jsonAnswer(http.StatusOK, page)
}

func (s *Server) sortedGroups(ctx context.Context, c *call, q dirQuery, wanted func(simulator.Group) bool, next string) ([]simulator.Group, string, error) {
	var all []simulator.Group
	for from := ""; ; {
		part, following, err := s.as(c).Groups(ctx, entraid.List[simulator.Group]{Wanted: wanted, Next: from, Size: maxTop})
		if err != nil {
			return nil, "", err
		}
		all = append(all, part...)
		if from = following; from == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b simulator.Group) int {
		order := less(s.property(a, q.orderBy), s.property(b, q.orderBy))
		if q.falling {
			return -order
		}
		return order
	})
	return slice(all, next, q.top)
}

// aGroup answers GET /groups/{id}.
func (s *Server) aGroup(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("group", groupProperties(), nil)
	if err != nil {
		return answer{}, err
	}
	g, err := s.as(c).Group(ctx, c.vars["group"])
	if err != nil {
		return answer{}, err
	}
	o := s.renderGroup(g, q.names)
	o["@odata.context"] = s.GraphURL + "/" + c.version + "/$metadata#groups/$entity"
	return jsonAnswer(http.StatusOK, o)
}

// memberNames are what can be selected of members of any type.
func memberNames() []string { return append(personProperties(), groupProperties()...) }

// directMembers answers GET /groups/{id}/members, with and without a cast. A group that is known to the mailboxes alone is told
// by them.
func (s *Server) directMembers(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("user", memberNames(), []string{"displayName"})
	if err != nil {
		return answer{}, err
	}
	next, err := s.resume(c)
	if err != nil {
		return answer{}, err
	}
	rows, following, err := s.as(c).Members(ctx, c.vars["group"], next, q.top)
	if err != nil {
		if s.world != nil && outlook.KindOf(err) == outlook.NotFound {
			return s.members(ctx, c)
		}
		return answer{}, err
	}
	if err := c.castAllowed(q, 3); err != nil {
		return answer{}, err
	}
	if q.match != nil {
		return answer{}, unsupported("Filters on members are not supported by the simulator.")
	}
	values := s.renderMembers(c, rows, q.names)
	page := s.collection(c, "directoryObjects", values, s.onward(c, following))
	if q.count {
		page["@odata.count"] = len(s.opts.Directory.Tenant().Members(c.vars["group"]))
	}
	return jsonAnswer(http.StatusOK, page)
}

// renderMembers tells members of the type that the path casts to, of any where it does not. A user of whom only the id is known,
// or whom the application may not read, has null in everything else.
func (s *Server) renderMembers(c *call, rows []simulator.MemberRow, names []string) []object {
	cast := ""
	if len(c.segments) > 3 {
		cast = plain(c.segments[3])
	}
	limited := !s.as(c).MayReadUsers()
	values := make([]object, 0, len(rows))
	for _, row := range rows {
		kind := string(entraid.MemberType(row))
		if cast != "" && cast != kind {
			continue
		}
		switch {
		case kind == "group":
			values = append(values, typed(s.renderGroup(row.Group, names), kind))
		case limited || row.User.DisplayName == "":
			o := object{"id": row.ID}
			for _, name := range orNames(names, userDefaults()) {
				if name != "id" {
					o[name] = nil
				}
			}
			values = append(values, typed(o, kind))
		default:
			values = append(values, typed(s.renderPerson(row.User, names), kind))
		}
	}
	return values
}

func orNames(names, otherwise []string) []string {
	if names == nil {
		return otherwise
	}
	return names
}

// transitiveMembers answers GET /groups/{id}/transitiveMembers, with and without a cast.
func (s *Server) transitiveMembers(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("user", memberNames(), []string{"displayName"})
	if err != nil {
		return answer{}, err
	}
	if err := c.castAllowed(q, 3); err != nil {
		return answer{}, err
	}
	if q.match != nil {
		return answer{}, unsupported("Filters on transitive members are not supported.")
	}
	rows, err := s.transitiveRows(ctx, c)
	if err != nil {
		return answer{}, err
	}
	next, err := s.resume(c)
	if err != nil {
		return answer{}, err
	}
	total := len(rows)
	part, following, err := slice(rows, next, q.top)
	if err != nil {
		return answer{}, err
	}
	page := s.collection(c, "directoryObjects", s.renderMembers(c, part, q.names), s.onward(c, following))
	if q.count {
		page["@odata.count"] = total
	}
	return jsonAnswer(http.StatusOK, page)
}

// transitiveRows are the members of the type that the path casts to.
func (s *Server) transitiveRows(ctx context.Context, c *call) ([]simulator.MemberRow, error) {
	ids, err := s.as(c).Transitive(ctx, c.vars["group"])
	if err != nil {
		return nil, err
	}
	cast := ""
	if len(c.segments) > 3 {
		cast = plain(c.segments[3])
	}
	tenant := s.opts.Directory.Tenant()
	rows := make([]simulator.MemberRow, 0, len(ids))
	for _, id := range ids {
		row := simulator.MemberRow{ID: id}
		if u, ok := tenant.User(id); ok && cast != "group" {
			row.User = u
		} else if g, ok := tenant.Group(id); ok && cast != "user" {
			row.Group = g
		} else {
			continue
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// countTransitive answers GET /groups/{id}/transitiveMembers/$count, and that of members.
func (s *Server) countTransitive(ctx context.Context, c *call) (answer, error) {
	c.query.Set("$count", "true")
	if _, err := c.readQuery("user", memberNames(), nil); err != nil {
		return answer{}, err
	}
	if plain(c.segments[2]) == "members" {
		g, err := s.as(c).Group(ctx, c.vars["group"])
		return textAnswer(strconv.Itoa(len(s.opts.Directory.Tenant().Members(g.ID)))), err
	}
	ids, err := s.as(c).Transitive(ctx, c.vars["group"])
	return textAnswer(strconv.Itoa(len(ids))), err
}
