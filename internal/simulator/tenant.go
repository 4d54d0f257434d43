package simulator

import (
	"cmp"
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
	Seed   uint64 // the same seed gives the same object ids and random choices
	People int    // user objects of all kinds, at least 20
	Domain string // domain of user names and mail; default "contoso.example"
	// Groups adds groups until there are so many, and Memberships members to those until there are so many in all.
	Groups, Memberships int
	Now                 func() time.Time // stamps deletions and changes; default time.Now
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
	order      []*person          // in order of creation, which is that of their serials
	byUPN      map[string]*person // by lower-case user principal name
	groups     map[string]*groupRecord
	groupOrder []string
	history    []record
	sequence   uint64
	filling    bool   // nothing that happens is history yet
	serial     uint64 // of people, groups and memberships, in the order in which they came
	skus       []SKU
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

// record is a change with what it changed of a user.
type record struct {
	Change
	what   Properties
	former string // object id of the manager before
}

// NewTenant builds the tenant that the options describe.
func NewTenant(o Options) *Tenant {
	t := &Tenant{
		seed: o.Seed, domain: o.Domain, now: o.Now, offices: offices(), plain: unaccented(),
		people: map[string]*person{}, byUPN: map[string]*person{}, groups: map[string]*groupRecord{}, namesakes: map[string]int{},
		filling: true,
	}
	if t.domain == "" {
		t.domain = "contoso.example"
	}
	if t.now == nil {
		t.now = time.Now
	}
	staff := t.hirePeople(max(o.People, minimumPeople))
	t.formGroups(staff)
	t.formTeams(staff, o.Groups, o.Memberships)
	t.subscribe(staff)
	t.filling = false // history begins when the tenant is handed out
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
	for _, p := range t.order {
		if p.DisplayName == name {
			return p.User, true
		}
	}
	return User{}, false
}

// UserCalled gives the user of that user principal name, in any case.
func (t *Tenant) UserCalled(upn string) (User, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, ok := t.byUPN[strings.ToLower(upn)]
	if !ok {
		return User{}, false
	}
	return p.User, true
}

// UserIDs lists the object ids of all users in order of creation, soft-deleted ones included.
func (t *Tenant) UserIDs() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	ids := make([]string, len(t.order))
	for i, p := range t.order {
		ids[i] = p.ID
	}
	return ids
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
	rest := t.since(after)
	if len(rest) == 0 {
		return nil, t.sequence
	}
	changes := make([]Change, len(rest))
	for i, r := range rest {
		changes[i] = r.Change
	}
	return changes, t.sequence
}

// since gives the history after a sequence number. The caller holds the lock.
func (t *Tenant) since(after uint64) []record {
	start, _ := slices.BinarySearchFunc(t.history, after+1, func(r record, n uint64) int { return cmp.Compare(r.Sequence, n) })
	return t.history[start:]
}

// touch records a change of something that is no user. The caller holds the lock.
func (t *Tenant) touch(kind ChangeKind, id, member string) { t.note(kind, id, member, 0) }

// note records a change. The caller holds the lock.
func (t *Tenant) note(kind ChangeKind, id, member string, what Properties) {
	if t.filling {
		return
	}
	t.sequence++
	t.history = append(t.history, record{Change{Sequence: t.sequence, Kind: kind, ID: id, Member: member, At: t.now()}, what, ""})
}

// noteUser records a change of a user whose manager was another one before. The caller holds the lock.
func (t *Tenant) noteUser(id, former string, what Properties) {
	t.note(UserChanged, id, "", what)
	if what&propertyOf("manager") != 0 && len(t.history) > 0 {
		t.history[len(t.history)-1].former = former
	}
}

// next numbers something new. The caller holds the lock or owns the tenant.
func (t *Tenant) next() uint64 {
	t.serial++
	return t.serial
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
	teamStream
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
