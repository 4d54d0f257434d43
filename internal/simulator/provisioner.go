package simulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Scope says who is provisioned.
type Scope string

// The scopes of the portal.
const (
	// ScopeAssigned provisions assigned users, assigned groups, and the direct user members of assigned groups.
	ScopeAssigned Scope = "assigned"
	// ScopeAll provisions every user and every group of the tenant.
	ScopeAll Scope = "all"
)

// ProvisionerOptions configure a provisioning job. Tenant, TenantURL and Token are required.
type ProvisionerOptions struct {
	Tenant    *Tenant
	TenantURL string   // as typed in the portal: may end with a slash and carry ?aadOptscim062020, which selects the dialect
	Token     string   // "Secret Token"
	Scope     Scope    // default ScopeAssigned
	Assigned  []string // object ids of assigned users and groups

	UserMatching  []string  // target attributes in order of precedence; default userName
	GroupMatching []string  // displayName (default) or externalId
	Mappings      []Mapping // default DefaultUserMappings("objectId")
	// SkipOutOfScopeDeletions sends nothing when someone leaves the scope.
	SkipOutOfScopeDeletions bool

	HTTPClient      *http.Client     // default: a client of its own
	RequestTimeout  time.Duration    // default 60 s, Entra's
	Concurrency     int              // requests in flight; default 1, which makes the order of requests deterministic
	MembersPerPatch int              // default 100; Entra publishes none
	Thresholds      Thresholds       // of the quarantine
	JournalLimit    int              // exchanges and log entries kept; default 10,000 each
	Now             func() time.Time // clock of back-off, quarantine and journal; default time.Now
}

// Provisioner is a provisioning job of Entra's provisioning service. One call runs at a time; others wait.
type Provisioner struct {
	tenant   *Tenant
	options  ProvisionerOptions
	dialect  Dialect
	mappings attributeMap
	client   *client
	journal  *Journal
	now      func() time.Time

	running    sync.Mutex // held by the call in progress, guards the next four
	cycles     int
	probes     uint64
	started    bool   // an initial cycle has finished
	watermark  uint64 // change of the tenant up to which cycles have seen everything
	quarantine Quarantine

	state      sync.Mutex // guards the rest, short
	assigned   map[string]bool
	reassigned []string // ids whose assignment changed since the last finished cycle
	links      map[string]*link
	owners     map[ownerKey]string // object ids by resource of the target, the reverse of links
	groupLinks []string            // object ids of groups that were ever linked
	escrows    map[string]*escrow
	failedNow  map[string]struct{} // object ids that failed in the call in progress
}

// NewProvisioner sets up a job. Nothing is sent before the first call.
func NewProvisioner(o ProvisionerOptions) (*Provisioner, error) {
	if o.Tenant == nil || o.TenantURL == "" {
		return nil, errors.New("a provisioner needs a tenant and a tenant URL")
	}
	target, err := url.Parse(o.TenantURL)
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("tenant URL %q is not an absolute URL", o.TenantURL)
	}
	o.setDefaults()
	p := &Provisioner{
		tenant: o.Tenant, options: o, dialect: DialectOf(target), journal: newJournal(o.JournalLimit), now: o.Now,
		assigned: map[string]bool{}, links: map[string]*link{}, owners: map[ownerKey]string{}, escrows: map[string]*escrow{}, failedNow: map[string]struct{}{},
	}
	if p.mappings, err = parseMappings(o.Mappings); err != nil {
		return nil, err
	}
	if err := p.checkMatching(); err != nil {
		return nil, err
	}
	flags := target.RawQuery
	target.RawQuery, target.Fragment = "", ""
	p.client = &client{
		base: strings.TrimRight(target.String(), "/"), flags: flags, token: o.Token,
		http: o.HTTPClient, timeout: o.RequestTimeout, now: o.Now, journal: p.journal,
	}
	for _, id := range o.Assigned {
		p.assigned[id] = true
	}
	return p, nil
}

func (o *ProvisionerOptions) setDefaults() {
	if o.Scope == "" {
		o.Scope = ScopeAssigned
	}
	if len(o.UserMatching) == 0 {
		o.UserMatching = []string{"userName"}
	}
	if len(o.GroupMatching) == 0 {
		o.GroupMatching = []string{"displayName"}
	}
	if o.Mappings == nil {
		o.Mappings = DefaultUserMappings("objectId")
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = time.Minute
	}
	o.Concurrency = max(o.Concurrency, 1)
	if o.MembersPerPatch <= 0 {
		o.MembersPerPatch = 100
	}
	if o.JournalLimit <= 0 {
		o.JournalLimit = 10_000
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: o.Concurrency, IdleConnTimeout: time.Minute,
		}}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Thresholds = o.Thresholds.withDefaults()
}

// checkMatching refuses matching attributes that the mapping does not fill.
func (p *Provisioner) checkMatching() error {
	for _, name := range p.options.UserMatching {
		if !slices.ContainsFunc(p.options.Mappings, func(m Mapping) bool { return m.Target == name }) {
			return fmt.Errorf("matching attribute %q is not mapped", name)
		}
	}
	for _, name := range p.options.GroupMatching {
		if name != "displayName" && name != "externalId" {
			return fmt.Errorf("matching attribute %q of groups is not mapped", name)
		}
	}
	return nil
}

// Journal gives the journal of the job. It grows while cycles run.
func (p *Provisioner) Journal() *Journal { return p.journal }

// Dialect is the dialect of the cycles. On-demand calls use the legacy one whatever it is.
func (p *Provisioner) Dialect() Dialect { return p.dialect }

// Assign puts users and groups into the scope. The next cycle sees them.
func (p *Provisioner) Assign(ids ...string) { p.reassign(true, ids) }

// Unassign takes users and groups out of the scope. The next cycle sees it.
func (p *Provisioner) Unassign(ids ...string) { p.reassign(false, ids) }

func (p *Provisioner) reassign(assigned bool, ids []string) {
	p.state.Lock()
	defer p.state.Unlock()
	for _, id := range ids {
		if p.assigned[id] == assigned {
			continue
		}
		if assigned {
			p.assigned[id] = true
		} else {
			delete(p.assigned, id)
		}
		p.reassigned = append(p.reassigned, id)
	}
}

// TargetID is the SCIM id of a provisioned user or group, "" when the job has no link to one.
func (p *Provisioner) TargetID(objectID string) string {
	l, _ := p.link(objectID)
	return l.targetID
}

// TestConnection asks for a user and a group that cannot exist, as the portal does. The error says what is wrong with
// the target; the job's state does not change.
func (p *Provisioner) TestConnection(ctx context.Context) (*Report, error) {
	p.running.Lock()
	defer p.running.Unlock()
	r, ctx, cancel := p.begin(ctx, "test connection", p.dialect)
	defer cancel(nil)
	failure := p.probe(ctx, r, kindUser)
	if failure == nil {
		failure = p.probe(ctx, r, kindGroup)
	}
	report := p.end(r)
	if failure != nil {
		return report, failure
	}
	return report, nil
}

// probe filters by a random id.
func (p *Provisioner) probe(ctx context.Context, r *run, kind objectKind) *Failure {
	p.probes++
	attribute, query := p.options.UserMatching[0], ""
	if kind == kindGroup {
		attribute, query = p.options.GroupMatching[0], "excludedAttributes=members&"
	}
	query += filterQuery(equals(attribute, objectID(p.tenant.random(probeStream, p.probes))))
	hits, failure := p.client.find(ctx, r.cycle, request{path: kind.collection(), query: query, words: "Test connection"})
	if failure == nil && len(hits) > 0 {
		failure = incompatible(http.StatusOK, "a filter on a random id found %d objects", len(hits))
	}
	return failure
}

// InitialCycle evaluates everything in scope, and everything that was.
func (p *Provisioner) InitialCycle(ctx context.Context) (*Report, error) {
	p.running.Lock()
	defer p.running.Unlock()
	return p.cycle(ctx, "initial cycle", true)
}

// IncrementalCycle evaluates what changed since the last finished cycle, and what is due for a retry. Without an
// initial cycle before it, it is one.
func (p *Provisioner) IncrementalCycle(ctx context.Context) (*Report, error) {
	p.running.Lock()
	defer p.running.Unlock()
	if !p.started {
		return p.cycle(ctx, "initial cycle", true)
	}
	return p.cycle(ctx, "incremental cycle", false)
}

// Restart forgets the watermark, the escrows and the quarantine and, when full, also the links to the target (Graph's
// resetScope Full), and runs an initial cycle.
func (p *Provisioner) Restart(ctx context.Context, full bool) (*Report, error) {
	p.running.Lock()
	defer p.running.Unlock()
	p.started, p.watermark, p.quarantine = false, 0, Quarantine{}
	p.state.Lock()
	p.escrows = map[string]*escrow{}
	if full {
		p.links, p.owners, p.groupLinks = map[string]*link{}, map[ownerKey]string{}, nil
	}
	p.state.Unlock()
	return p.cycle(ctx, "restart", true)
}

// begin opens a call.
func (p *Provisioner) begin(ctx context.Context, kind string, dialect Dialect) (*run, context.Context, context.CancelCauseFunc) {
	p.cycles++
	p.state.Lock()
	p.failedNow = map[string]struct{}{}
	p.state.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	report := &Report{Kind: kind, Cycle: p.cycles, Began: p.now()}
	report.Counts.Requests = -p.journal.Requests()
	return &run{cycle: p.cycles, dialect: dialect, stop: cancel, report: report}, ctx, cancel
}

// end completes the report of a call.
func (p *Provisioner) end(r *run) *Report {
	r.report.Ended = p.now()
	r.report.Counts.Requests += p.journal.Requests()
	r.report.State, r.report.Quarantine = p.quarantine.state(p.now()), p.quarantine
	r.report.Escrows, _, r.report.NextRetry = p.escrowCounts()
	return r.report
}
