package entraid

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/exchange"
	"usher/model/entra"
)

// Options are what a directory is made of. Tenant is needed.
type Options struct {
	Tenant *simulator.Tenant
	// Mailboxes get a mailbox for everyone who has a licence that one belongs to, and lose it with the licence.
	Mailboxes *exchange.Tenant

	ID             string // of the tenant; that of Mailboxes where empty, else made from Seed
	Name           string // display name of the organization; Contoso where empty
	Seed           uint64
	Now            func() time.Time
	PageSize       int           // of every list; 100 where 0
	MembersPerPage int           // of a page of a groups delta; 1,000 where 0
	LinkLifetime   time.Duration // of the links of a delta; 7 days where 0
	JournalLimit   int           // of requests kept; 100,000 where 0
	HTTPClient     *http.Client  // what provisioning calls endpoints with
}

// Directory is a pretend directory. It is safe for concurrent use.
type Directory struct {
	options Options
	tenant  *simulator.Tenant

	syncing sync.Mutex // held while mailboxes follow the tenant
	synced  uint64     // change of the tenant up to which they have
	seeded  bool

	mu         sync.Mutex // of what is below
	random     *rand.Rand
	faults     Faults
	generation int // of the links of deltas
	lost       int // how many links were lost by chance, which decides on the status
	granted    map[string][]string
	revoked    bool
	requests   ring
	domains    []entra.Domain
	hybrid     bool // people are synchronised from Active Directory
	extensions []entra.Extension
	admins     map[string]bool      // users who hold an administrator's role
	born       map[string]time.Time // when what Graph made was made
	photos     map[string]photo
	apps       apps
}

// AllPermissions are the application permissions that everything here needs.
func AllPermissions() []string {
	return []string{
		"User.Read.All", "User.ReadWrite.All", "User.DeleteRestore.All", "User.EnableDisableAccount.All", "User.RevokeSessions.All",
		"User-PasswordProfile.ReadWrite.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All", "LicenseAssignment.Read.All",
		"LicenseAssignment.ReadWrite.All", "Domain.Read.All", "Directory.Read.All", "ProfilePhoto.Read.All", "Application.ReadWrite.All",
		"AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "Synchronization.ReadWrite.All",
	}
}

// New makes a directory whose administrator has granted [AllPermissions] to every application.
func New(o Options) *Directory {
	d := &Directory{
		options: o, tenant: o.Tenant, random: rand.New(rand.NewPCG(o.Seed, 1)), // #nosec G404 -- reproducible on purpose
		granted: map[string][]string{}, admins: map[string]bool{}, born: map[string]time.Time{}, photos: map[string]photo{},
	}
	p := &d.options
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.ID == "" && o.Mailboxes != nil {
		p.ID = o.Mailboxes.ID()
	}
	if p.ID == "" {
		p.ID = d.guid()
	}
	p.Name = orDefault(p.Name, "Contoso")
	p.PageSize = orDefault(p.PageSize, 100)
	p.MembersPerPage = orDefault(p.MembersPerPage, 1000)
	p.LinkLifetime = orDefault(p.LinkLifetime, 7*24*time.Hour)
	p.JournalLimit = orDefault(p.JournalLimit, 100_000)
	d.domains = []entra.Domain{{Name: o.Tenant.Domain(), IsDefault: true}, {Name: o.Tenant.InitialDomain(), Initial: true}}
	d.apps = d.newApps()
	return d
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// ID gives the tenant's id.
func (d *Directory) ID() string { return d.options.ID }

// Tenant gives the people and groups, for whatever happens to them other than through Graph.
func (d *Directory) Tenant() *simulator.Tenant { return d.tenant }

func (d *Directory) now() time.Time { return d.options.Now().UTC() }

// guid makes an id. The caller holds the lock or owns the directory.
func (d *Directory) guid() string {
	high, low := d.random.Uint64()&^0xf000|0x4000, d.random.Uint64()&^(3<<62)|1<<63
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}

// Grant sets what the administrator has granted to an application; "" means every application of which nothing is said.
func (d *Directory) Grant(app string, permissions ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.granted[strings.ToLower(app)] = slices.Clone(permissions)
}

// Permissions gives what an application was granted; false says that the administrator has taken consent back.
func (d *Directory) Permissions(app string) ([]string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.revoked || d.apps.uninstalled(app) {
		return nil, false
	}
	if list, said := d.granted[strings.ToLower(app)]; said {
		return slices.Clone(list), true
	}
	if list, said := d.granted[""]; said {
		return slices.Clone(list), true
	}
	return AllPermissions(), true
}

// RevokeConsent makes every request of an application fail with 401 until consent is given again.
func (d *Directory) RevokeConsent(revoked bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.revoked = revoked
}

// AddDomain adds a verified domain.
func (d *Directory) AddDomain(one entra.Domain) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.domains = append(d.domains, one)
}

// SetHybrid says whether people are synchronised from Active Directory at all. Who is, says the tenant.
func (d *Directory) SetHybrid(hybrid bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hybrid = hybrid
}

// SetAdministrator says whether a user holds an administrator's role: applications may not change what is sensitive of such.
func (d *Directory) SetAdministrator(userID string, administrator bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.admins[userID] = administrator
}

// DefineExtension adds a directory extension. A blank name is made of the application's id.
func (d *Directory) DefineExtension(appID, name, dataType, application string) entra.Extension {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := entra.Extension{
		Name:     "extension_" + strings.ReplaceAll(appID, "-", "") + "_" + name,
		DataType: orDefault(dataType, "String"), Application: application,
	}
	d.extensions = append(d.extensions, e)
	return e
}

// ExpireLinks ends every link of a delta that there is.
func (d *Directory) ExpireLinks() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.generation++
}
