package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Severity says what it means when a check fails.
type Severity string

// The severities. The first two decide about the outcome of a run.
const (
	Entra  Severity = "required by Entra" // provisioning or its validation breaks
	Must   Severity = "RFC must"          // the standard demands it
	Should Severity = "should"            // the standard recommends it, or it is plain prudence
	Info   Severity = "informational"     // good to know
)

// Required tells whether a failure makes the whole run a failure.
func (s Severity) Required() bool { return s == Entra || s == Must }

// Feature is something that an endpoint may leave out; what it does not advertise is not checked.
type Feature string

// The features, as discovery names them.
const (
	Sort       Feature = "sort"
	Bulk       Feature = "bulk"
	ETag       Feature = "etag"
	Cursor     Feature = "cursor pagination"
	Groups     Feature = "groups"
	Enterprise Feature = "the enterprise extension"
)

// Check is one question to an endpoint.
type Check struct {
	Name     string // family/what, stable between releases
	Asserts  string // a sentence
	Source   string // section of an RFC, or where Entra's behaviour is documented
	Severity Severity
	Needs    []Feature
	Writes   bool // it makes, changes or removes resources, or might on a careless endpoint
	run      func(*talk)
}

// Family is the part of the name before the slash.
func (c *Check) Family() string {
	family, _, _ := strings.Cut(c.Name, "/")
	return family
}

// Checks lists all checks in the order in which they are run.
func Checks() []Check {
	return slices.Concat(
		discoveryChecks(), schemaChecks(), protocolChecks(), bodyChecks(), createChecks(), refusalChecks(), userChecks(), deleteChecks(), lifecycleChecks(), patchChecks(), clearingChecks(),
		patchRuleChecks(), patchEffectChecks(), filterChecks(), filterFormChecks(), pagingChecks(), pageChecks(), projectionChecks(), answerChecks(),
		groupChecks(), memberChecks(), searchChecks(), sortChecks(), etagChecks(), bulkChecks(), cursorChecks(),
	)
}

// choose gives the checks that a name asks for: the check of that name, or the family; all where there are no names.
func choose(all []Check, names []string) ([]Check, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []Check
	for _, name := range names {
		if !slices.ContainsFunc(all, func(c Check) bool { return c.Name == name || c.Family() == name }) {
			return nil, fmt.Errorf("%w: there is no check %q; a name is like %s, a family like %s", ErrUsage, name, all[0].Name, all[0].Family())
		}
	}
	for _, c := range all {
		if slices.Contains(names, c.Name) || slices.Contains(names, c.Family()) {
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

// ErrUsage is wrapped by errors about what the caller asked for, before anything was sent.
var ErrUsage = errors.New("not possible")
