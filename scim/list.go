package scim

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"usher/model"
	"usher/scim/filter"
	"usher/scim/resource"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// collection is one resource type as lists see it.
type collection struct {
	res *schemas.Resource
	// page gives one page and the number of all matches.
	page func(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]rendered, int, error)
	// beside is what is no part of the documents.
	beside func(c *call) references
}

func (h *Handler) users() collection {
	return collection{h.tables.User, func(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]rendered, int, error) {
		users, total, err := h.opt.Directory.Users(ctx, ref, q)
		page := make([]rendered, len(users))
		for i := range users {
			page[i] = userOf(users[i])
		}
		return page, total, err
	}, h.groupsOf}
}

func (h *Handler) groups() collection {
	return collection{h.tables.Group, func(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]rendered, int, error) {
		groups, total, err := h.opt.Directory.Groups(ctx, ref, q)
		page := make([]rendered, len(groups))
		for i := range groups {
			page[i] = groupOf(groups[i])
		}
		return page, total, err
	}, h.membersOf}
}

func (h *Handler) listUsers(c *call) (answer, error)  { return h.find(c, h.users()) }
func (h *Handler) listGroups(c *call) (answer, error) { return h.find(c, h.groups()) }

// listAll is a query of the root (RFC 7644 §3.4.2.1): users first, then groups, each in the order that was asked for.
func (h *Handler) listAll(c *call) (answer, error) { return h.find(c, h.users(), h.groups()) }

// part is the share of one resource type in a list.
type part struct {
	collection
	query model.ResourceQuery
	none  bool // the filter holds for no resource of the type
	shown resource.Projection
	found []rendered
	size  int  // of their documents, in bytes
	cut   bool // the page ends here although more was asked for, and may be there
}

// find answers with one page of the resources of the types (RFC 7644 §3.4.2).
func (h *Handler) find(c *call, of ...collection) (answer, error) {
	s, err := h.search(c, of)
	if err != nil {
		return answer{}, err
	}
	parts, err := h.resolve(c, &s, of)
	if err != nil {
		return answer{}, err
	}
	if err = c.beginPage(&s, parts); err != nil {
		return answer{}, err
	}
	total, err := h.read(c, &s, parts)
	if err != nil {
		return answer{}, err
	}
	c.found(total, parts)
	for i := range parts {
		if err := h.fillPage(c, &parts[i]); err != nil {
			return answer{}, err
		}
		if parts[i].cut { // what follows is behind the end of the page
			for j := i + 1; j < len(parts); j++ {
				parts[j].found = nil
			}
		}
	}
	return h.list(c, &s, parts, total, h.next(&s, parts))
}

// read reads an ordinary page. One that turns out to be larger is read again when there is room for it.
func (h *Handler) read(c *call, s *search, parts []part) (int, error) {
	total, err := c.page(s, parts, ordinaryPage)
	if err != nil {
		return 0, err
	}
	size, cut := 0, false
	for i := range parts {
		size, cut = size+parts[i].size, cut || parts[i].cut
	}
	if !cut && c.spare(size, perPageByte) == nil {
		return total, nil
	}
	for i := range parts {
		parts[i].found = nil
	}
	if err := c.hold(perPageByte * maxPageBytes); err != nil {
		return 0, err
	}
	return c.page(s, parts, maxPageBytes)
}

// page reads a page of documents of at most so many bytes, and one more.
func (c *call) page(s *search, parts []part, most int) (int, error) {
	for i := range parts {
		parts[i].query.MaxBytes = most
	}
	if s.byCursor {
		return c.walk(s, parts)
	}
	return c.index(s, parts)
}

// ask reads the share of a part of the page, and gives the number of all that match. A part that has as many bytes as it may ends
// the page.
func (c *call) ask(p *part) (total int, err error) {
	p.cut, p.size = false, 0
	if p.none {
		return 0, nil
	}
	if p.found, total, err = p.page(c.ctx(), c.ref, p.query); err != nil {
		return 0, err
	}
	p.size = 0
	for i := range p.found {
		p.size += p.found[i].document.Size()
	}
	p.cut = p.size >= p.query.MaxBytes
	return total, nil
}

// resolve makes the query of each type.
func (h *Handler) resolve(c *call, s *search, of []collection) ([]part, error) {
	parts := make([]part, len(of))
	for i := range of {
		parts[i].collection = of[i]
		scope := filter.Scope{Resource: of[i].res, Location: h.location(c, of[i].res, ""), Note: c.note}
		for j := range of {
			if j != i {
				scope.Others = append(scope.Others, of[j].res)
			}
		}
		q := &parts[i].query
		var err error
		if s.expr != nil {
			if q.Filter, err = scope.Filter(s.expr); err != nil {
				return nil, err
			}
			if holds, known := filter.Constant(q.Filter); known {
				q.Filter, parts[i].none = nil, !holds
			}
		}
		if s.sortBy != "" {
			if q.Sort, err = scope.Sort(s.sortBy, s.descending); err != nil {
				return nil, err
			}
		}
	}
	return parts, nil
}

// index reads the page that begins at startIndex.
func (c *call) index(s *search, parts []part) (total int, err error) {
	wanted := s.count
	for i := range parts {
		p := &parts[i]
		p.query.StartIndex, p.query.Count = max(1, s.start-total), wanted
		n, err := c.ask(p)
		if err != nil {
			return 0, err
		}
		total, wanted = total+n, p.rest(wanted)
	}
	return total, nil
}

// rest is how many resources the parts behind this one may still have.
func (p *part) rest(wanted int) int {
	if p.cut {
		return 0
	}
	return wanted - len(p.found)
}

// walk reads the page behind the cursor, and one resource more: whether there is one decides whether there is a next page.
func (c *call) walk(s *search, parts []part) (total int, err error) {
	wanted, begun := 0, s.after.kind == ""
	if s.count > 0 {
		wanted = s.count + 1
	}
	for i := range parts {
		p := &parts[i]
		p.query.StartIndex, p.query.Count = 1, wanted
		switch {
		case p.res.Name == s.after.kind:
			p.query.After, begun = s.after.id, true
		case !begun: // seen before; the total counts it
			p.query.Count = 0
		}
		n, err := c.ask(p)
		if err != nil {
			return 0, lostPlace(err)
		}
		total, wanted = total+n, p.rest(wanted)
	}
	found := 0
	for i := range parts {
		found += len(parts[i].found)
	}
	if s.count > 0 && found > s.count {
		dropLast(parts)
	}
	return total, nil
}

// next gives the cursor of the page behind this one, "" where there is none.
func (h *Handler) next(s *search, parts []part) string {
	if !s.byCursor || !slices.ContainsFunc(parts, func(p part) bool { return p.cut }) {
		return ""
	}
	for i := len(parts) - 1; i >= 0; i-- {
		p := &parts[i]
		if n := len(p.found); n > 0 {
			return h.sealCursor(place{issued: h.opt.Now(), count: s.count, kind: p.res.Name, id: p.found[n-1].id}, s.purpose)
		}
	}
	return ""
}

// dropLast takes the last resource away.
func dropLast(parts []part) {
	for i := len(parts) - 1; i >= 0; i-- {
		p := &parts[i]
		if n := len(p.found); n > 0 {
			p.found, p.cut = p.found[:n-1], true
			return
		}
	}
}

// list renders a page (RFC 7644 §3.4.2, RFC 9865 §2).
func (h *Handler) list(c *call, s *search, parts []part, total int, next string) (answer, error) {
	size, bytes := 0, 256
	for i := range parts {
		size += len(parts[i].found)
		bytes += parts[i].size + 512*len(parts[i].found)
	}
	b := make([]byte, 0, bytes)
	b = append(b, `{"schemas":["`+messageList+`"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	if !s.byCursor {
		b = strconv.AppendInt(append(b, `,"startIndex":`...), int64(s.start), 10)
	}
	b = strconv.AppendInt(append(b, `,"itemsPerPage":`...), int64(size), 10)
	if next != "" {
		b = wire.AppendString(append(b, `,"nextCursor":`...), next)
	}
	b = append(b, `,"Resources":[`...)
	separate := false
	for i := range parts {
		p := &parts[i]
		for j := range p.found {
			if separate {
				b = append(b, ',')
			}
			var err error
			if b, err = h.append(b, c, p.res, &p.shown, &p.found[j]); err != nil {
				return answer{}, err
			}
			separate = true
		}
	}
	return answer{status: http.StatusOK, body: append(b, "]}"...)}, nil
}
