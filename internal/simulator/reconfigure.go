package simulator

import (
	"fmt"
	"net/url"
	"strings"
)

// Retarget gives the job another endpoint and token, as new credentials do. What the job remembers of the target stays, and a
// quarantine ends.
func (p *Provisioner) Retarget(tenantURL, token string) error {
	target, err := url.Parse(tenantURL)
	if err != nil || target.Host == "" {
		return fmt.Errorf("tenant URL %q is not an absolute URL", tenantURL)
	}
	p.running.Lock()
	defer p.running.Unlock()
	p.dialect = DialectOf(target)
	flags := target.RawQuery
	target.RawQuery, target.Fragment = "", ""
	next := *p.client
	next.base, next.flags, next.token = strings.TrimRight(target.String(), "/"), flags, token
	p.client, p.quarantine = &next, Quarantine{}
	p.options.TenantURL, p.options.Token = tenantURL, token
	return nil
}

// Target gives the endpoint and token that the job was given last.
func (p *Provisioner) Target() (tenantURL, token string) {
	p.running.Lock()
	defer p.running.Unlock()
	return p.options.TenantURL, p.options.Token
}

// Remap gives the job other mappings and matching attributes. The next cycle is an initial one: everything is looked at again.
func (p *Provisioner) Remap(mappings []Mapping, userMatching, groupMatching []string) error {
	parsed, err := parseMappings(mappings)
	if err != nil {
		return err
	}
	p.running.Lock()
	defer p.running.Unlock()
	before := p.options
	p.options.Mappings, p.options.UserMatching, p.options.GroupMatching = mappings, userMatching, groupMatching
	p.options.setDefaults()
	if err := p.checkMatching(); err != nil {
		p.options = before
		return err
	}
	p.mappings, p.started, p.watermark = parsed, false, 0
	return nil
}

// Rescope says who is provisioned from the next cycle on, which is an initial one where that changes.
func (p *Provisioner) Rescope(scope Scope, skipOutOfScopeDeletions bool) {
	p.running.Lock()
	defer p.running.Unlock()
	if p.options.Scope != scope {
		p.started, p.watermark = false, 0
	}
	p.options.Scope, p.options.SkipOutOfScopeDeletions = scope, skipOutOfScopeDeletions
}

// Linked counts the users and groups that the job has a link to.
func (p *Provisioner) Linked() (users, groups int) {
	p.state.Lock()
	defer p.state.Unlock()
	for _, l := range p.links {
		if l.kind == kindUser {
			users++
		} else {
			groups++
		}
	}
	return users, groups
}
