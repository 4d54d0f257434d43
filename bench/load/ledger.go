package load

import (
	"errors"
	"fmt"
	"sync"
)

// person is what the server acknowledged of one user. Only the worker that owns
// the user in a step writes it; the end of a step orders it before the next.
type person struct {
	displayName, title, department string
	active                         bool
	written                        bool // since the loading
	uncertain                      bool // a write got no clear answer, so any value may be right
}

// presence is what the server acknowledged of memberships.
type presence int

const (
	absent presence = iota
	present
	uncertain // a write got no clear answer
)

// block is a run of user numbers, low included and high not, that are always
// added and removed together.
type block struct{ low, high int }

// group is a group and its acknowledged members.
type group struct {
	name   string
	id     string
	loaded block // members from the loading, never touched after it

	mu     sync.Mutex
	blocks map[block]presence
}

func newGroup(name string, loaded block) *group {
	return &group{name: name, loaded: loaded, blocks: map[block]presence{}}
}

func (g *group) state(b block) presence {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.blocks[b]
}

func (g *group) set(b block, state presence) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blocks[b] = state
}

// compare judges the members that the server shows, given the ids by user number.
func (g *group) compare(shown []string, ids []string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	expected := map[string]presence{}
	for _, id := range ids[g.loaded.low:g.loaded.high] {
		expected[id] = present
	}
	for b, state := range g.blocks {
		for _, id := range ids[b.low:b.high] {
			if expected[id] != present {
				expected[id] = state
			}
		}
	}
	seen := map[string]bool{}
	var doubled, unwanted, lost int
	for _, id := range shown {
		if seen[id] {
			doubled++
		}
		seen[id] = true
		if expected[id] == absent {
			unwanted++
		}
	}
	for id, state := range expected {
		if state == present && !seen[id] {
			lost++
		}
	}
	if doubled+unwanted+lost == 0 {
		return nil
	}
	return fmt.Errorf("group %s shows %d members: %w", g.name, len(shown), errors.Join(
		count(lost, "acknowledged members lost"), count(doubled, "members doubled"), count(unwanted, "members that were removed or never added")))
}

func count(number int, what string) error {
	if number == 0 {
		return nil
	}
	return fmt.Errorf("%d %s", number, what)
}
