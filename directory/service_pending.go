package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"usher/model"
)

// Members that do not exist yet. A client may name a member before the user or group is there, or by its externalId or
// userName instead of its id. What means nobody is remembered with the group, and whoever arrives under that name becomes a
// member in the transaction of the arrival (service_arrival.go). Remembered members are no members: no answer has them.

// Bounds of what is remembered. What is beyond is passed over, and the log says so.
const (
	maxPendingOfGroup       = 10_000
	maxPendingOfIntegration = 100_000 // about: requests that run at once may each fill it
	maxMemberValue          = 256     // bytes
)

// add adds members to the group: those that values name, by id or otherwise. The rest is remembered.
func (e *groupEdit) add(values []string) ([]model.Member, error) {
	added, unknown, err := e.tx.AddMembers(e.ref, e.group.ID, values)
	if err != nil || len(unknown) == 0 {
		return added, err
	}
	sought, err := e.tx.SeekMembers(e.group, unknown)
	if err != nil {
		return nil, err
	}
	var ids, met, fresh []string
	for _, v := range unique(unknown) {
		m, named := sought.Named[v]
		switch {
		case named && m.ID == e.group.ID: // no group is a member of itself
		case named:
			ids = append(ids, m.ID)
			if sought.Remembered[v] {
				met = append(met, v)
			}
		case !sought.Remembered[v]:
			fresh = append(fresh, v)
		}
	}
	room := max(0, min(len(fresh), maxPendingOfGroup-e.group.PendingMembers, maxPendingOfIntegration-sought.Total))
	e.passedOver += len(fresh) - room
	e.remembered = append(e.remembered, fresh[:room]...)
	e.tx.RememberMembers(e.group, fresh[:room])
	if err := e.forget(met); err != nil || len(ids) == 0 {
		return added, err
	}
	more, _, err := e.tx.AddMembers(e.ref, e.group.ID, ids)
	return append(added, more...), err
}

func unique(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

// remove takes away the members that values name, and what is remembered of them.
func (e *groupEdit) remove(values []string) ([]model.Member, error) {
	removed, err := e.tx.RemoveMembers(e.group.ID, values)
	if err != nil || len(removed) == len(values) {
		return removed, err
	}
	gone := map[string]bool{}
	for _, m := range removed {
		gone[m.ID] = true
	}
	rest := slices.DeleteFunc(unique(values), func(v string) bool { return gone[v] })
	if err := e.forget(rest); err != nil {
		return nil, err
	}
	named, err := e.tx.MembersNamed(e.ref, rest)
	if err != nil || len(named) == 0 {
		return removed, err
	}
	var ids []string
	for _, m := range named {
		ids = append(ids, m.ID)
	}
	more, err := e.tx.RemoveMembers(e.group.ID, unique(ids))
	return append(removed, more...), err
}

// replace makes values the members, and the only ones remembered. Who is named otherwise than by id is taken away and added
// again, which in sum is no change.
func (e *groupEdit) replace(values []string) (added, removed []model.Member, err error) {
	if removed, err = e.tx.KeepMembers(e.group.ID, values); err != nil {
		return nil, nil, err
	}
	n, err := e.tx.ForgetOtherMembers(e.group, values)
	if err != nil {
		return nil, nil, err
	}
	e.forgotten += n
	if len(values) > 0 {
		added, err = e.add(values)
	}
	return added, removed, err
}

func (e *groupEdit) forget(values []string) error {
	n, err := e.tx.ForgetMembers(e.group, values)
	e.forgotten += n
	return err
}

// storePending writes what the group remembers, where that is all that changed: no change of the group, but a line of the log.
func (e *groupEdit) storePending() error {
	if len(e.remembered)+e.forgotten+e.passedOver == 0 {
		return nil
	}
	e.tx.StorePendingMembers(e.group)
	return e.log("directory_group.members_awaited", e.pendingSummary(""))
}

// pendingData is what the line of the log carries: the first of the values that were new.
func (e *groupEdit) pendingData() any {
	if len(e.remembered)+e.passedOver == 0 {
		return nil
	}
	return map[string]any{
		"awaited": e.remembered[:min(len(e.remembered), maxPendingListed)], "awaited_in_all": e.group.PendingMembers,
		"passed_over": e.passedOver,
	}
}

const maxPendingListed = 100

// pendingSummary adds to a sentence how many members are not known yet.
func (e *groupEdit) pendingSummary(text string) string {
	say := func(format string, args ...any) {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf(format, args...)
	}
	switch n := e.group.PendingMembers; {
	case len(e.remembered)+e.forgotten == 0:
	case n == 0:
		say("group %s awaits no member any more", e.group.DisplayName)
	default:
		say("%s of group %s %s not known yet", counted(n, "member"), e.group.DisplayName, isOrAre(n))
	}
	if n := e.passedOver; n > 0 {
		say("%s of group %s %s passed over: at most %d that are not known yet are remembered for a group and %d for an integration",
			counted(n, "member"), e.group.DisplayName, map[bool]string{true: "was", false: "were"}[n == 1], maxPendingOfGroup, maxPendingOfIntegration)
	}
	return text
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// checkMembers refuses values that nobody can have as a name and that could not be stored.
func checkMembers(values []string) error {
	for _, v := range values {
		if v == "" || len(v) > maxMemberValue || !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 {
			return model.FieldErrorf(model.Invalid, "members", "the id of a member is expected, a string of at most %d bytes without U+0000", maxMemberValue)
		}
	}
	return nil
}
