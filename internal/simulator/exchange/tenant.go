package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"usher/model/outlook"
)

// Deliver carries one call of Graph to an application's URL. With a validation token the body is empty and the answer is what
// the URL said; the token is not yet encoded into the URL.
type Deliver func(ctx context.Context, url string, body []byte, validationToken string) (status int, answer string, err error)

// Options are what a tenant is made of; each has a default.
type Options struct {
	ID     string // of the tenant; made from Seed where empty
	Domain string // of addresses; contoso.example where empty
	Seed   uint64
	Now    func() time.Time // time.Now where nil
	// Deliver reaches the application; without it no subscription can be made.
	Deliver Deliver
	// Zone is the one that mailboxes live in, a Windows name; W. Europe Standard Time where empty.
	Zone              string
	PageSize          int           // of every list; 100 where 0
	RoomDelay         time.Duration // until a room answers; 3 s where 0
	NotificationDelay time.Duration // until a notification goes out; at the next Step where 0
	MaxLifetime       time.Duration // of a subscription; 10,080 minutes where 0
	SubscriptionQuota int           // of one mailbox; 1,000 where 0
	// TokenLifetime is how long a subscription is authorized for; 0 means for ever. After it notifications wait, and
	// reauthorizationRequired goes out every 15 minutes.
	TokenLifetime time.Duration
	JournalLimit  int // of requests and of mails kept; 100,000 where 0
}

// Tenant is a pretend tenant of Microsoft 365. It is safe for concurrent use.
type Tenant struct {
	options Options

	mu            sync.Mutex
	random        *rand.Rand
	faults        Faults
	serial        int
	lastID        string
	users         []*user // in the order they came
	groups        map[string]*group
	rooms         []*room
	uids          map[string][]*item // by iCalUId
	changes       []time.Time        // when the last changes happened
	before        int64              // how many there were before those
	permissions   []string
	revoked       bool
	subscriptions []*subscription
	deliveries    []*delivery
	answers       []answer
	endpoints     map[string]*endpoint
	requests      ring[Request]
	mails         ring[Mail]
	trouble       map[string]*trouble // by mailbox
}

// AllPermissions are the application permissions that everything here needs.
func AllPermissions() []string {
	return []string{"Calendars.Read", "Calendars.ReadWrite", "GroupMember.Read.All", "Place.Read.All", "User.Read.All"}
}

// New makes an empty tenant, whose administrator has granted [AllPermissions].
func New(options Options) *Tenant {
	t := &Tenant{
		options: options, random: rand.New(rand.NewPCG(options.Seed, 0)), groups: map[string]*group{}, uids: map[string][]*item{},
		permissions: AllPermissions(), endpoints: map[string]*endpoint{}, trouble: map[string]*trouble{},
	}
	o := &t.options
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Domain == "" {
		o.Domain = "contoso.example"
	}
	if o.Zone == "" {
		o.Zone = "W. Europe Standard Time"
	}
	o.PageSize = orDefault(o.PageSize, 100)
	o.RoomDelay = orDefault(o.RoomDelay, 3*time.Second)
	o.MaxLifetime = orDefault(o.MaxLifetime, 10_080*time.Minute)
	o.SubscriptionQuota = orDefault(o.SubscriptionQuota, 1_000)
	o.JournalLimit = orDefault(o.JournalLimit, 100_000)
	if o.ID == "" {
		o.ID = t.guid()
	}
	return t
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// ID gives the tenant's id.
func (t *Tenant) ID() string { return t.options.ID }

// Domain gives what follows the @ in the addresses of the tenant's people.
func (t *Tenant) Domain() string { return t.options.Domain }

func (t *Tenant) now() time.Time { return t.options.Now().UTC() }

// digest gives bytes that nobody had before.
func (t *Tenant) digest() [sha256.Size]byte {
	t.serial++
	return sha256.Sum256(fmt.Appendf(nil, "%d/%d", t.options.Seed, t.serial))
}

func (t *Tenant) guid() string {
	sum := t.digest()
	id, _ := uuid.FromBytes(sum[:16]) // 16 bytes always are one
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// itemID gives an immutable id. Now and then one differs from the one before by the case of its letters alone.
func (t *Tenant) itemID() string {
	sum := t.digest()
	id := "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A" + base64.URLEncoding.EncodeToString(sum[:25])
	if t.serial%8 == 0 && t.lastID != "" {
		id, t.lastID = swapCase(t.lastID), "" // whose own twin is there already
		return id
	}
	t.lastID = id
	return id
}

func swapCase(text string) string {
	swapped := []byte(text)
	for i, c := range swapped {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			swapped[i] = c ^ 0x20
		}
	}
	return string(swapped)
}

func (t *Tenant) changeKey() string {
	sum := t.digest()
	return base64.StdEncoding.EncodeToString(append([]byte("\x09\x00\x00\x00\x16\x00\x00\x00"), sum[:16]...))
}

func (t *Tenant) icalUID() string {
	sum := t.digest()
	return "040000008200E00074C5B7101A82E00800000000" + hex.EncodeToString(sum[:20])
}

// maxChanges bounds how far back the time of a change is known; a delta lags behind by less.
const maxChanges = 100_000

// tick numbers a change.
func (t *Tenant) tick() int64 {
	if len(t.changes) == maxChanges {
		t.changes = slices.Clone(t.changes[maxChanges/2:])
		t.before += maxChanges / 2
	}
	t.changes = append(t.changes, t.now())
	return t.tickedUpTo()
}

// tickedUpTo gives the number of the last change.
func (t *Tenant) tickedUpTo() int64 { return t.before + int64(len(t.changes)) }

// seen gives the number of the last change that a delta may tell, which lags behind by a while.
func (t *Tenant) seen() int64 {
	limit := t.now().Add(-t.faults.DeltaLag)
	n := len(t.changes)
	for n > 0 && t.changes[n-1].After(limit) {
		n--
	}
	return t.before + int64(n)
}

// chance tells whether something that happens with the given probability happens now.
func (t *Tenant) chance(probability float64) bool {
	return probability > 0 && t.random.Float64() < probability
}

// Grant sets the application permissions that Client.Permissions tells and every request is measured by.
func (t *Tenant) Grant(permissions ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.permissions = slices.Clone(permissions)
}

// RevokeConsent makes every request fail with 401 until consent is given again.
func (t *Tenant) RevokeConsent(revoked bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revoked = revoked
}

// Client gives what Graph offers an application, under the application's id.
func (t *Tenant) Client(app string) *Client { return &Client{tenant: t, app: app} }

// address gives the address of a user.
func (u *user) address() outlook.Address {
	return outlook.Address{Email: u.mail, Name: u.name}
}
