package entra

import "time"

// SKU is a product that the tenant has subscribed to.
type SKU struct {
	ID         string // a GUID
	PartNumber string // Microsoft's name for it, such as SPE_E3
	AppliesTo  string // User or Company; only User can be assigned
	Status     string // Enabled, Warning, Suspended, Deleted or LockedOut
	Enabled    int    // seats
	Warning    int    // seats of a subscription that has ended and can still be used
	Suspended  int
	Consumed   int
	Plans      []Plan
}

// Free gives how many seats can still be assigned.
func (s SKU) Free() int { return max(0, s.Enabled+s.Warning-s.Consumed) }

// Plan is a service within a product.
type Plan struct{ ID, Name string }

// Licence is a product that a user has, or should have.
type Licence struct {
	SKUID         string
	DisabledPlans []string
	Group         string // object id of the group that it comes from; "" for one assigned to the user
	State         string // Active, ActiveWithError, Disabled, Error
	Error         string // CountViolation, MutuallyExclusiveViolation, DependencyViolation, ProhibitedInUsageLocationViolation, UniquenessViolation, Other; "" or None without
	UpdatedAt     time.Time
}
