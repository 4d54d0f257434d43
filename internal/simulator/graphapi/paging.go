package graphapi

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"usher/model/outlook"
)

// page is a part of a list, and the links of the tenant that lead on from its end: one of both, or none.
type page struct {
	events      []outlook.Event
	next, delta string
}

// remainders keeps what did not fit into a page that the client wanted smaller than the tenant's. The oldest are forgotten.
type remainders struct {
	mu    sync.Mutex
	kept  map[string]page
	order []string
}

const maxRemainders = 1000

func (r *remainders) keep(p page) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[string]page{}
	}
	if len(r.order) >= maxRemainders {
		delete(r.kept, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
	id := newID()
	r.kept[id], r.order = p, append(r.order, id)
	return id
}

func (r *remainders) find(id string) (page, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.kept[id]
	return p, ok
}

// A token carries a link of the tenant, or the name of a remainder.
func linkToken(link string) string    { return "L" + base64.RawURLEncoding.EncodeToString([]byte(link)) }
func remainderToken(id string) string { return "R" + id }

// open reads a token: link is for the tenant, rest what was kept of a page.
func (s *Server) open(token string) (link string, rest *page, ok bool) {
	switch {
	case strings.HasPrefix(token, "L"):
		raw, err := base64.RawURLEncoding.DecodeString(token[1:])
		return string(raw), nil, err == nil && len(raw) > 0
	case strings.HasPrefix(token, "R"):
		p, found := s.rest.find(token[1:])
		return "", &p, found
	}
	return "", nil, false
}

// shorten cuts a page to the size that is wanted; skip is the token that leads on, "" on the last page.
func (s *Server) shorten(p page, size int) (events []outlook.Event, skip string) {
	if size > 0 && len(p.events) > size {
		rest := page{events: p.events[size:], next: p.next, delta: p.delta}
		return p.events[:size], remainderToken(s.rest.keep(rest))
	}
	if p.next != "" {
		skip = linkToken(p.next)
	}
	return p.events, skip
}

// collection is a page of anything, with the address of its type.
func (s *Server) collection(c *call, context string, values any, next string) object {
	o := object{"@odata.context": s.GraphURL + "/" + c.version + "/$metadata#" + context, "value": values}
	if next != "" {
		o["@odata.nextLink"] = next
	}
	return o
}

// slice gives the part of a whole list that $top and $skip ask for, ten where they say nothing.
func (s *Server) slice(c *call, context string, all []object) (answer, error) {
	top, err := c.number("$top", defaultPage, 1)
	if err != nil {
		return answer{}, err
	}
	skip, err := c.number("$skip", 0, 0)
	if err != nil {
		return answer{}, err
	}
	from := min(skip, len(all))
	to := min(from+top, len(all))
	next := ""
	if to < len(all) {
		keep := url.Values(maps.Clone(c.query))
		next = s.link(c, keep, "$skip", strconv.Itoa(to))
	}
	values := all[from:to]
	if values == nil {
		values = []object{}
	}
	return jsonAnswer(http.StatusOK, s.collection(c, context, values, next))
}

// defaultPage is how many items Graph gives of a calendar where nobody says how many.
const defaultPage = 10
