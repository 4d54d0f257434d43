package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Part numbers of the products of every tenant.
const (
	SKUOffice  = "SPE_E3"               // with a mailbox; every employee with mail has one
	SKUPowerBI = "POWER_BI_PRO"         // two seats
	SKUFlow    = "FLOW_FREE"            // nobody has it
	SKUOld     = "STANDARDPACK"         // suspended: nobody can be given one
	SKUCompany = "WINDOWS_STORE_TENANT" // of the company: nobody can be given one
	SKURival   = "ENTERPRISEPACK"       // excludes SKUOffice, whose services it has too
)

// The failures of licences.
var (
	ErrNoSKU      = errors.New("the tenant has not subscribed to it")
	ErrNoSeat     = errors.New("there are no available licences")
	ErrNoLocation = errors.New("the usage location is invalid")
	ErrNoLicence  = errors.New("the user does not have it")
	ErrInherited  = errors.New("the licence is inherited from a group")
	ErrExclusive  = errors.New("the licence excludes one that the user has")
	ErrNoPlan     = errors.New("the product has no such service plan")
)

// SKU is a product that the tenant has subscribed to (Graph: subscribedSku).
type SKU struct {
	ID         string
	PartNumber string
	AppliesTo  string // User or Company
	Status     string // Enabled, Warning, Suspended, Deleted or LockedOut
	Enabled    int    // seats
	Warning    int
	Suspended  int
	Plans      []Plan
}

// Plan is a service within a product.
type Plan struct{ ID, Name string }

// Mailbox says whether a product has a mailbox within it.
func (s SKU) Mailbox() bool {
	return slices.ContainsFunc(s.Plans, func(p Plan) bool { return strings.HasPrefix(p.Name, "EXCHANGE_S_") })
}

// Licence is a product that a user or group has been given.
type Licence struct {
	SKUID         string
	DisabledPlans []string
	At            time.Time
}

// Holding is a licence as a user has it: directly, or through a group.
type Holding struct {
	Licence
	Group string // object id of the group; "" for one that is assigned to the user
	Error string // CountViolation or MutuallyExclusiveViolation; "" where it works
}

// subscribe gives a fresh tenant its products, and employees who have mail an office licence.
func (t *Tenant) subscribe(staff []string) {
	exchange, office := Plan{"efb87545-963c-4e0d-99df-69c6916d9eb0", "EXCHANGE_S_ENTERPRISE"}, Plan{"43de0ff5-c92c-492b-9116-175376d08c38", "OFFICESUBSCRIPTION"}
	t.skus = []SKU{
		{ID: "05e9a617-0261-4cee-bb44-138d3ef5d965", PartNumber: SKUOffice, AppliesTo: "User", Status: "Enabled", Enabled: len(staff) + 50, Plans: []Plan{exchange, office}},
		{ID: "f8a1db68-be16-40ed-86d5-cb42ce701560", PartNumber: SKUPowerBI, AppliesTo: "User", Status: "Enabled", Enabled: 2, Plans: []Plan{{"70d33638-9c74-4d01-bfd3-562de28bd4ba", "BI_AZURE_P2"}}},
		{ID: "f30db892-07e9-47e9-837c-80727f46fd3d", PartNumber: SKUFlow, AppliesTo: "User", Status: "Enabled", Enabled: 10_000, Plans: []Plan{{"50e68c76-46c6-4674-81f9-75456511b170", "FLOW_P2_VIRAL"}}},
		{ID: "18181a46-0d4e-45cd-891e-60aabd171b4e", PartNumber: SKUOld, AppliesTo: "User", Status: "Suspended", Suspended: 25, Plans: []Plan{{"9aaf7827-d63c-4b61-89c3-182f06f82e5c", "EXCHANGE_S_STANDARD"}}},
		{ID: "6470687e-a428-4b7a-bef2-8a291ad947c9", PartNumber: SKUCompany, AppliesTo: "Company", Status: "Enabled", Enabled: 1, Plans: []Plan{{"a420f25f-a7b3-4ff5-a9d0-5d58f73b537d", "WINDOWS_STORE"}}},
		{ID: "6fd2c87f-b296-42f0-b197-1e91e994b900", PartNumber: SKURival, AppliesTo: "User", Status: "Enabled", Enabled: 10, Plans: []Plan{exchange, office}},
	}
	shared := []Licence{{SKUID: t.skus[0].ID, At: epoch()}}
	for _, id := range staff {
		if p := t.people[id]; p.Mail != "" {
			p.licences = shared
		}
	}
}

// SKUs lists the products.
func (t *Tenant) SKUs() []SKU {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.skus)
}

// SetSKU adds a product, or replaces the one of its id.
func (t *Tenant) SetSKU(s SKU) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at := slices.IndexFunc(t.skus, func(other SKU) bool { return other.ID == s.ID }); at >= 0 {
		t.skus[at] = s
		return
	}
	t.skus = append(t.skus, s)
}

// Consumed counts the users who hold each product, by its id. Soft-deleted users hold nothing.
func (t *Tenant) Consumed() map[string]int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.consumed()
}

// consumed counts. The caller holds the lock.
func (t *Tenant) consumed() map[string]int {
	count := map[string]int{}
	var licensed []*groupRecord
	for _, id := range t.groupOrder {
		if g := t.groups[id]; len(g.licences) > 0 {
			licensed = append(licensed, g)
		}
	}
	for _, p := range t.order {
		if !p.DeletedAt.IsZero() {
			continue
		}
		if len(licensed) == 0 {
			for _, l := range p.licences {
				count[l.SKUID]++
			}
			continue
		}
		for id := range t.skusOf(p) {
			count[id]++
		}
	}
	return count
}

// skusOf gives the products that somebody has in any way. The caller holds the lock.
func (t *Tenant) skusOf(p *person) map[string]bool {
	has := map[string]bool{}
	for _, l := range p.licences {
		has[l.SKUID] = true
	}
	for _, g := range p.groups {
		for _, l := range g.licences {
			has[l.SKUID] = true
		}
	}
	return has
}

// Holdings lists what a user has, first what is assigned to the user.
func (t *Tenant) Holdings(userID string) []Holding {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, ok := t.people[userID]
	if !ok {
		return nil
	}
	var out []Holding
	for _, l := range p.licences {
		out = append(out, Holding{Licence: l})
	}
	for _, g := range p.groups {
		for _, l := range g.licences {
			h := Holding{Licence: l, Group: g.ID}
			if rival := t.rival(l.SKUID); slices.ContainsFunc(p.licences, func(own Licence) bool { return own.SKUID == rival }) {
				h.Error = "MutuallyExclusiveViolation"
			}
			out = append(out, h)
		}
	}
	return out
}

// GroupLicences lists what the members of a group inherit.
func (t *Tenant) GroupLicences(groupID string) []Licence {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if g, ok := t.groups[groupID]; ok {
		return g.licences
	}
	return nil
}

// SetGroupLicences decides what the members of a group inherit.
func (t *Tenant) SetGroupLicences(groupID string, skuIDs ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, err := t.group(groupID)
	if err != nil {
		return err
	}
	g.licences = nil
	for _, id := range skuIDs {
		if _, err := t.sku(id); err != nil {
			return err
		}
		g.licences = append(g.licences, Licence{SKUID: id, At: t.now().UTC()})
	}
	t.touch(GroupChanged, groupID, "")
	for _, id := range g.ids() {
		if _, isUser := t.people[id]; isUser {
			t.note(UserChanged, id, "", propertyOf("assignedLicenses"))
		}
	}
	return nil
}

// AssignLicences gives a user products and takes others away, all or nothing. One that is there is replaced.
func (t *Tenant) AssignLicences(userID string, add []Licence, remove []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.person(userID)
	if err != nil {
		return err
	}
	next := slices.Clone(p.licences)
	for _, id := range remove {
		at := slices.IndexFunc(next, func(l Licence) bool { return l.SKUID == id })
		switch {
		case at >= 0:
			next = slices.Delete(next, at, at+1)
		case t.skusOf(p)[id]:
			return fmt.Errorf("%s: %w", id, ErrInherited)
		default:
			return fmt.Errorf("%s: %w", id, ErrNoLicence)
		}
	}
	for _, l := range add {
		if err := t.mayAssign(p, next, l); err != nil {
			return err
		}
		l.At = t.now().UTC()
		next = append(slices.DeleteFunc(next, func(other Licence) bool { return other.SKUID == l.SKUID }), l)
	}
	p.licences = next
	t.note(UserChanged, userID, "", propertyOf("assignedLicenses"))
	return nil
}

// mayAssign checks location, product, seats and what excludes what. The caller holds the lock.
func (t *Tenant) mayAssign(p *person, has []Licence, l Licence) error {
	if len(p.UsageLocation) != 2 {
		return ErrNoLocation
	}
	s, err := t.sku(l.SKUID)
	switch {
	case err != nil:
		return err
	case s.AppliesTo != "User", s.Status != "Enabled" && s.Status != "Warning":
		return fmt.Errorf("%s: %w", l.SKUID, ErrNoSeat)
	}
	for _, id := range l.DisabledPlans {
		if !slices.ContainsFunc(s.Plans, func(plan Plan) bool { return plan.ID == id }) {
			return fmt.Errorf("%s: %w", id, ErrNoPlan)
		}
	}
	if rival := t.rival(l.SKUID); slices.ContainsFunc(has, func(other Licence) bool { return other.SKUID == rival }) {
		return fmt.Errorf("%s: %w", l.SKUID, ErrExclusive)
	}
	if !t.skusOf(p)[l.SKUID] && t.consumed()[l.SKUID] >= s.Enabled+s.Warning {
		return fmt.Errorf("%s: %w", l.SKUID, ErrNoSeat)
	}
	return nil
}

// rival is the product that excludes another one, or "".
func (t *Tenant) rival(id string) string {
	parts := map[string]string{SKUOffice: SKURival, SKURival: SKUOffice}
	for _, s := range t.skus {
		if s.ID != id {
			continue
		}
		for _, other := range t.skus {
			if other.PartNumber == parts[s.PartNumber] && other.PartNumber != "" {
				return other.ID
			}
		}
	}
	return "none"
}

func (t *Tenant) sku(id string) (SKU, error) {
	for _, s := range t.skus {
		if strings.EqualFold(s.ID, id) {
			return s, nil
		}
	}
	return SKU{}, fmt.Errorf("%s: %w", id, ErrNoSKU)
}
