package graphapi

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model/outlook"
)

// as gives the directory as the actor of a request sees it.
func (s *Server) as(c *call) *entraid.Session {
	return s.opts.Directory.As(entraid.Actor{App: c.claims.AppID, Roles: c.claims.permissions(), User: c.claims.userID()})
}

// onward is the link to the next page of a list, or "".
func (s *Server) onward(c *call, next string) string {
	if next == "" {
		return ""
	}
	return s.link(c, url.Values(maps.Clone(c.query)), "$skiptoken", linkToken(next))
}

// resume reads what leads to the page that is asked for.
func (s *Server) resume(c *call) (string, error) {
	text := c.query.Get("$skiptoken")
	if text == "" {
		return "", nil
	}
	next, _, ok := s.open(text)
	if !ok {
		return "", refuse(400, "Directory_ExpiredPageToken", "The specified page token value has expired or is not valid.")
	}
	return next, nil
}

// listPeople answers GET /users, and GET /directory/deletedItems/microsoft.graph.user.
func (s *Server) listPeople(ctx context.Context, c *call) (answer, error) {
	deleted := len(c.segments) > 1
	q, err := c.readQuery("user", personProperties(), []string{"displayName", "givenName", "surname", "mail", "userPrincipalName", "mailNickname"})
	if err != nil {
		return answer{}, err
	}
	var wanted func(simulator.User) bool
	if q.match != nil {
		wanted = func(u simulator.User) bool { return q.match(s.getPerson(u)) }
	}
	next, err := s.resume(c)
	if err != nil {
		return answer{}, err
	}
	var users []simulator.User
	if q.orderBy != "" {
		users, next, err = s.sortedPeople(ctx, c, q, deleted, wanted, next)
	} else {
		users, next, err = s.as(c).Users(ctx, deleted, entraid.List[simulator.User]{Wanted: wanted, Next: next, Size: q.top})
	}
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(users))
	for _, u := range users {
		o := s.renderPerson(u, q.names)
		if q.manager {
			s.expandManager(o, u)
		}
		values = append(values, o)
	}
	page := s.collection(c, "users", values, s.onward(c, next))
	if q.count {
		if page["@odata.count"], err = s.as(c).CountUsers(ctx, deleted, wanted); err != nil {
			return answer{}, err
		}
	}
	return jsonAnswer(http.StatusOK, page)
}

// sortedPeople gives a page in the order that is asked for; next is how many came before.
func (s *Server) sortedPeople(ctx context.Context, c *call, q dirQuery, deleted bool, wanted func(simulator.User) bool, next string) ([]simulator.User, string, error) {
	var all []simulator.User
	for from := ""; ; {
		part, following, err := s.as(c).Users(ctx, deleted, entraid.List[simulator.User]{Wanted: wanted, Next: from, Size: maxTop})
		if err != nil {
			return nil, "", err
		}
		all = append(all, part...)
		if from = following; from == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b simulator.User) int {
		order := less(s.person(a, q.orderBy), s.person(b, q.orderBy))
		if q.falling {
			return -order
		}
		return order
	})
	return slice(all, next, q.top)
}

const defaultDirectoryPage = 100

// slice cuts a page off a whole list; next is how many came before.
func slice[T any](all []T, next string, top int) ([]T, string, error) {
	from := 0
	if next != "" {
		n, err := strconv.Atoi(next)
		if err != nil || n < 0 {
			return nil, "", refuse(400, "Directory_ExpiredPageToken", "The specified page token value has expired or is not valid.")
		}
		from = min(n, len(all))
	}
	to := min(from+orSize(top, defaultDirectoryPage), len(all))
	if to < len(all) {
		return all[from:to], strconv.Itoa(to), nil
	}
	return all[from:to], "", nil
}

// countPeople answers GET /users/$count.
func (s *Server) countPeople(ctx context.Context, c *call) (answer, error) {
	c.query.Set("$count", "true")
	q, err := c.readQuery("user", personProperties(), []string{"displayName", "mail"})
	if err != nil {
		return answer{}, err
	}
	var wanted func(simulator.User) bool
	if q.match != nil {
		wanted = func(u simulator.User) bool { return q.match(s.getPerson(u)) }
	}
	n, err := s.as(c).CountUsers(ctx, false, wanted)
	return textAnswer(strconv.Itoa(n)), err
}

func textAnswer(text string) answer {
	a := newAnswer(http.StatusOK)
	a.body = []byte(text)
	a.header.Set("Content-Type", "text/plain")
	return a
}

// aPerson answers GET /users/{id}. Who is known to the mailboxes alone is told by them.
func (s *Server) aPerson(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("user", personProperties(), nil)
	if err != nil {
		return answer{}, err
	}
	u, err := s.as(c).User(ctx, c.vars["user"])
	if err != nil {
		if s.world != nil && outlook.KindOf(err) == outlook.NoUser {
			return s.user(ctx, c)
		}
		return answer{}, err
	}
	o := s.renderPerson(u, q.names)
	if q.manager {
		s.expandManager(o, u)
	}
	o["@odata.context"] = s.GraphURL + "/" + c.version + "/$metadata#users/$entity"
	return jsonAnswer(http.StatusOK, o)
}

// byID answers POST /directoryObjects/getByIds and /users/getByIds.
func (s *Server) byID(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("getByIds", "ids", "types")
	if err != nil {
		return answer{}, err
	}
	names, err := c.selectedOpen("user", append(personProperties(), groupProperties()...))
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	var ids, types []string
	r.read("ids", "Collection(Edm.String)", &ids)
	r.read("types", "Collection(Edm.String)", &types)
	if r.err != nil {
		return answer{}, r.err
	}
	users, groups, err := s.as(c).ByID(ctx, ids)
	if err != nil {
		return answer{}, err
	}
	values := []object{}
	if len(types) == 0 || slices.Contains(types, "user") {
		for _, u := range users {
			values = append(values, typed(s.renderPerson(u, names), "user"))
		}
	}
	if len(types) == 0 || slices.Contains(types, "group") {
		for _, g := range groups {
			values = append(values, typed(s.renderGroup(g, names), "group"))
		}
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "directoryObjects", values, ""))
}

// memberOf answers GET /users/{id}/memberOf, with and without a cast.
func (s *Server) memberOf(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("group", groupProperties(), []string{"displayName"})
	if err != nil {
		return answer{}, err
	}
	if err := c.castAllowed(q, 3); err != nil {
		return answer{}, err
	}
	groups, err := s.as(c).GroupsOf(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	if q.match != nil {
		groups = slices.DeleteFunc(groups, func(g simulator.Group) bool { return !q.match(s.getGroup(g)) })
	}
	next, err := s.resume(c)
	if err != nil {
		return answer{}, err
	}
	total := len(groups)
	groups, next, err = slice(groups, next, q.top)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(groups))
	for _, g := range groups {
		values = append(values, typed(s.renderGroup(g, q.names), "group"))
	}
	page := s.collection(c, "directoryObjects", values, s.onward(c, next))
	if q.count {
		page["@odata.count"] = total
	}
	return jsonAnswer(http.StatusOK, page)
}

// castAllowed refuses a cast, which reads the index, where that has not been asked for. A path without one has so many segments.
func (c *call) castAllowed(q dirQuery, without int) error {
	if len(c.segments) > without && (!q.eventual || !q.count) {
		return unsupported("The request uses an OData cast. Set the ConsistencyLevel header to eventual and $count to true.")
	}
	return nil
}

// memberGroups answers POST /users/{id}/getMemberGroups.
func (s *Server) memberGroups(ctx context.Context, c *call) (answer, error) {
	ids, err := s.as(c).TransitiveGroupsOf(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, object{
		"@odata.context": s.GraphURL + "/" + c.version + "/$metadata#Collection(Edm.String)", "value": listOf(ids),
	})
}
