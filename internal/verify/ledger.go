package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// made is one resource that this run made, or may have made.
type made struct {
	kind string // Users or Groups
	mark string // the part of its name that only this run uses
	id   string // "" where the endpoint did not say, or said something that cannot be believed
	gone bool

	tries   int // to remove it
	failure error
}

// ledger remembers what has to be removed. Requests of one check may run at once.
type ledger struct {
	mu      sync.Mutex
	entries []*made
}

// Leftover is a resource that could not be removed.
type Leftover struct {
	Type   string `json:"type"`
	ID     string `json:"id,omitempty"`
	Name   string `json:"name"` // userName or displayName begins with it, or holds it
	Reason string `json:"reason"`
}

// intend notes, before a POST is sent, every name of this run that is in its body: if no answer comes, they may exist.
func (s *session) intend(r request) []*made {
	if r.method != http.MethodPost || strings.Contains(r.path, ".search") {
		return nil
	}
	var noted []*made
	for _, mark := range slices.Compact(slices.Sorted(slices.Values(s.marks.FindAllString(string(r.body), -1)))) {
		kind := "Users"
		if strings.HasPrefix(mark, s.prefix+"-g") {
			kind = "Groups"
		}
		noted = append(noted, &made{kind: kind, mark: mark})
	}
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.entries = append(s.ledger.entries, noted...)
	return noted
}

// settle notes what became of a POST or DELETE. An id is believed only if the answer carries the name that was sent:
// an endpoint that answers with a stranger's id must not make us remove the stranger.
func (s *session) settle(noted []*made, a *answer) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	refused := a.status >= 400 && a.status < 500 && a.status != http.StatusRequestTimeout
	resource, _ := a.value.(object)
	for _, m := range noted {
		id, _ := resource["id"].(string)
		switch {
		case refused:
			m.gone = true
		case len(noted) == 1 && usable(id) && strings.Contains(nameOf(resource), m.mark):
			m.id = id
		}
	}
	if a.request.method == http.MethodDelete && (a.status < 300 || a.status == http.StatusNotFound) {
		for _, m := range s.ledger.entries {
			if m.id != "" && strings.HasSuffix(a.request.path, "/"+m.kind+"/"+url.PathEscape(m.id)) {
				m.gone = true
			}
		}
	}
}

func nameOf(resource object) string {
	userName, _ := lookup(resource, "userName").(string)
	displayName, _ := lookup(resource, "displayName").(string)
	return userName + "\n" + displayName
}

// usable tells whether an id can stand in a path without meaning another one.
func usable(id string) bool {
	return id != "" && id != "." && id != ".." && len(id) <= 512
}

// sweep removes what was made and was tried to be removed so many times before, groups first. It stops where the endpoint
// does not answer any more.
func (s *session) sweep(ctx context.Context, tries int) {
	s.ledger.mu.Lock()
	entries := slices.Clone(s.ledger.entries)
	s.ledger.mu.Unlock()
	slices.SortStableFunc(entries, func(a, b *made) int { return strings.Compare(a.kind, b.kind) })
	silent := 0
	for _, m := range entries {
		if m.gone || m.tries != tries || silent >= patience {
			continue
		}
		m.tries++
		m.failure = s.remove(ctx, m)
		m.gone = m.failure == nil
		if _, ok := errors.AsType[*unreachable](m.failure); ok {
			silent++
		} else {
			silent = 0
		}
	}
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.entries = slices.DeleteFunc(s.ledger.entries, func(m *made) bool { return m.gone })
}

// left gives what could not be removed.
func (s *session) left() []Leftover {
	var left []Leftover
	for _, m := range s.ledger.entries {
		reason := "the endpoint does not answer any more"
		if m.failure != nil {
			reason = m.failure.Error()
		}
		left = append(left, Leftover{m.kind, printable(m.id, maxValue), m.mark, s.clean(reason, maxValue)})
	}
	return left
}

func (s *session) remove(ctx context.Context, m *made) error {
	if m.id != "" {
		return s.removeID(ctx, m.kind, m.id)
	}
	attribute, name := "userName", m.mark+domain
	if m.kind == "Groups" {
		attribute, name = "displayName", m.mark
	}
	a, err := s.client.do(ctx, request{method: http.MethodGet, path: "/" + m.kind + "?filter=" + url.QueryEscape(fmt.Sprintf("%s eq %q", attribute, name))})
	if err != nil {
		return fmt.Errorf("it may exist: %w", err)
	}
	page, _ := a.value.(object)
	found, ok := page["Resources"].(list)
	if a.status != http.StatusOK || (!ok && page["Resources"] != nil) {
		return fmt.Errorf("it may exist: looking for it gave status %d", a.status)
	}
	for _, entry := range found {
		resource, _ := entry.(object)
		if id, _ := resource["id"].(string); usable(id) && strings.Contains(nameOf(resource), m.mark) {
			err = errors.Join(err, s.removeID(ctx, m.kind, id))
		}
	}
	return err
}

func (s *session) removeID(ctx context.Context, kind, id string) error {
	a, err := s.client.do(ctx, request{method: http.MethodDelete, path: "/" + kind + "/" + url.PathEscape(id)})
	if err != nil {
		return err
	}
	if a.status >= 300 && a.status != http.StatusNotFound {
		return fmt.Errorf("removing it gave status %d", a.status)
	}
	return nil
}

// domain is reserved for examples, so that no mail reaches anybody.
const domain = "@example.com"

func marksOf(prefix string) *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(prefix) + `-[ug][0-9]+`)
}
