package simulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// minimumPeople is the smallest tenant that holds one of every kind.
const minimumPeople = 20

// ErrNotFound says that the tenant has no object of that id.
var ErrNotFound = errors.New("no such object in the tenant")

// Options size and seed a tenant. The zero value is a tenant of 20 in contoso.example.
type Options struct {
	Seed   uint64           // the same seed gives the same object ids and random choices
	People int              // user objects of all kinds, at least 20
	Domain string           // domain of user names and mail; default "contoso.example"
	Now    func() time.Time // stamps deletions and changes; default time.Now
}

// Tenant is a pretend Entra tenant: people, groups, and the sequence of their changes. Safe for concurrent use.
type Tenant struct {
	seed   uint64
	domain string
	now    func() time.Time

	offices []site            // shared by the people who work there
	plain   *strings.Replacer // accents to ASCII, for aliases

	mu         sync.RWMutex
	people     map[string]*person // by object id
	order      []string           // object ids of people, in order of creation
	byUPN      map[string]*person // by lower-case user principal name
	groups     map[string]*groupRecord
	groupOrder []string
	changes    []Change
	sequence   uint64
	namesakes  map[string]int // numbers given out, by the lower-case user name without one
	minted     uint64         // objects created after the first filling, for their ids
}

// ChangeKind tells what changed.
type ChangeKind string

// The kinds of change.
const (
	UserChanged   ChangeKind = "user"   // an attribute, the manager, the state, or the existence of ID
	GroupChanged  ChangeKind = "group"  // an attribute or the existence of ID
	MemberChanged ChangeKind = "member" // Member joined or left group ID
)

// Change is one step of the tenant's history, as a delta query would report it.
type Change struct {
	Sequence uint64 // grows by one with every change
	Kind     ChangeKind
	ID       string // object id of the user or group
	Member   string // object id, with MemberChanged
	At       time.Time
}

// NewTenant builds the tenant that the options describe.
func NewTenant(o Options) *Tenant {
	t := &Tenant{
		seed: o.Seed, domain: o.Domain, now: o.Now, offices: offices(), plain: unaccented(),
		people: map[string]*person{}, byUPN: map[string]*person{}, groups: map[string]*groupRecord{}, namesakes: map[string]int{},
	}
	if t.domain == "" {
		t.domain = "contoso.example"
	}
	if t.now == nil {
		t.now = time.Now
	}
	staff := t.hirePeople(max(o.People, minimumPeople))
	t.formGroups(staff)
	t.changes, t.sequence = nil, 0 // history begins when the tenant is handed out
	return t
}

// Domain is the domain of user names and mail.
func (t *Tenant) Domain() string { return t.domain }

// InitialDomain is the domain that Entra gives every tenant, e.g. contoso.onmicrosoft.com. Guests have their user names in it.
func (t *Tenant) InitialDomain() string {
	name, _, _ := strings.Cut(t.domain, ".")
	return name + ".onmicrosoft.com"
}

// User gives the user of that object id, also a soft-deleted one.
func (t *Tenant) User(id string) (User, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, ok := t.people[id]
	if !ok {
		return User{}, false
	}
	return p.User, true
}

// UserNamed gives the user of that user principal name (any case) or, failing that, the first of that display name.
func (t *Tenant) UserNamed(name string) (User, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if p, ok := t.byUPN[strings.ToLower(name)]; ok {
		return p.User, true
	}
	for _, id := range t.order {
		if p := t.people[id]; p.DisplayName == name {
			return p.User, true
		}
	}
	return User{}, false
}

// UserIDs lists the object ids of all users in order of creation, soft-deleted ones included.
func (t *Tenant) UserIDs() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.order)
}

// Sequence is the number of the latest change.
func (t *Tenant) Sequence() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.sequence
}

// Changes lists what happened after the given sequence number, oldest first, and the number to ask with next time.
func (t *Tenant) Changes(after uint64) ([]Change, uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	start, _ := slices.BinarySearchFunc(t.changes, after+1, func(c Change, n uint64) int {
		switch {
		case c.Sequence < n:
			return -1
		case c.Sequence > n:
			return 1
		}
		return 0
	})
	return slices.Clone(t.changes[start:]), t.sequence
}

// touch records a change. The caller holds the lock.
func (t *Tenant) touch(kind ChangeKind, id, member string) {
	t.sequence++
	t.changes = append(t.changes, Change{Sequence: t.sequence, Kind: kind, ID: id, Member: member, At: t.now()})
}

// person finds a user for a mutation. The caller holds the lock.
func (t *Tenant) person(id string) (*person, error) {
	p, ok := t.people[id]
	if !ok {
		return nil, fmt.Errorf("user %s: %w", id, ErrNotFound)
	}
	return p, nil
}

// The streams of random numbers, one per kind of object, so that a larger tenant contains the smaller one.
const (
	employeeStream uint64 = iota + 1
	guestStream
	serviceStream
	groupStream
	mintedStream
	probeStream
)

// random gives the source of random numbers of one object.
func (t *Tenant) random(stream, index uint64) *rand.Rand {
	return rand.New(rand.NewPCG(t.seed, stream<<48|index)) // #nosec G404 -- reproducible on purpose
}

// objectID draws a version 4 UUID.
func objectID(r *rand.Rand) string {
	high, low := r.Uint64(), r.Uint64()
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 1<<63
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}

// mint gives an object id to something created after the first filling. The caller holds the lock.
func (t *Tenant) mint() string {
	t.minted++
	return objectID(t.random(mintedStream, t.minted))
}
