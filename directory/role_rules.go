package directory

import (
	"context"
	"errors"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// RuleEffect is whom a group mapping concerns now.
type RuleEffect struct {
	Groups  []model.GroupRef // of the mirror that the mapping means; none where Entra sent no such group
	People  int              // members, those of nested groups included where these count
	More    bool             // there are more than were looked at: the numbers are those of the first
	Given   []string         // names of those whom it gives something: in scope, with an active account
	Holding int              // of those who hold the mapping's role
}

// ruleBound is how many people of a group are looked at to say whom a mapping concerns.
const ruleBound = 500

// RuleEffects says whom each of the group mappings concerns now, in their order: mappings are some of the integration's.
func (s *Service) RuleEffects(ctx context.Context, ref model.Ref, mappings []model.GroupMapping) ([]RuleEffect, error) {
	read := s.Store.Read(ctx)
	i, err := read.Integration(ref)
	if err != nil {
		return nil, err
	}
	groups, err := s.groupsNamed(ctx, ref, mappings)
	if err != nil {
		return nil, err
	}
	var nested *nesting
	if nests(i) {
		if nested, err = mirrorNesting(read, ref); err != nil {
			return nil, err
		}
	}
	list := make([]RuleEffect, len(mappings))
	for n := range mappings {
		if list[n], err = ruleEffect(read, ref, &mappings[n], groups, nested); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func ruleEffect(read *store.Reader, ref model.Ref, m *model.GroupMapping, groups []model.GroupRef, nested *nesting) (RuleEffect, error) {
	var e RuleEffect
	var ids []string
	for _, g := range groups {
		if m.Group.Matches(g.ExternalID, g.DisplayName) {
			e.Groups, ids = append(e.Groups, g), append(ids, g.ID)
		}
	}
	if nested != nil {
		ids = nested.within(ids)
	}
	people, err := read.PeopleOfGroups(ref, ids, ruleBound+1)
	if e.More = len(people) > ruleBound; e.More {
		people = people[:ruleBound]
	}
	e.People = len(people)
	for _, p := range people {
		if !p.InScope || p.Status != model.AccountActive {
			continue
		}
		e.Given = append(e.Given, p.Name)
		if m.Role != "" && slices.Contains(p.Roles, m.Role) {
			e.Holding++
		}
	}
	return e, err
}

// groupNamesAtOnce is how many groups are looked for by name with one query.
const groupNamesAtOnce = 20

// groupsNamed finds the groups of the mirror that the mappings mean.
func (s *Service) groupsNamed(ctx context.Context, ref model.Ref, mappings []model.GroupMapping) ([]model.GroupRef, error) {
	var ids, names []string
	for n := range mappings {
		if g := mappings[n].Group; g.ExternalID != "" {
			ids = append(ids, g.ExternalID)
		} else {
			names = append(names, g.DisplayName)
		}
	}
	found, err := s.Store.Read(ctx).GroupsByExternalID(ref, ids)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for some := range slices.Chunk(slices.Compact(names), groupNamesAtOnce) {
		var filter model.Filter
		for _, name := range some {
			one := model.Compare{Path: model.AttributePath{Name: "displayName", Type: model.TypeString}, Op: model.OpEqual, Value: name}
			if filter == nil {
				filter = one
			} else {
				filter = model.Or{Left: filter, Right: one}
			}
		}
		list, _, err := s.Groups(ctx, ref, model.ResourceQuery{Filter: filter, StartIndex: 1, Count: 2 * groupNamesAtOnce})
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	refs := make([]model.GroupRef, 0, len(found))
	for _, g := range found {
		refs = append(refs, model.GroupRef{ID: g.ID, ExternalID: g.ExternalID, DisplayName: g.DisplayName})
	}
	slices.SortFunc(refs, func(a, b model.GroupRef) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(refs, func(a, b model.GroupRef) bool { return a.ID == b.ID }), nil
}

// Impact is what other settings would do to some people.
type Impact struct {
	Looked  int // people that were looked at
	More    bool
	Counts  map[model.Action]int // of those whom they would change
	Changes []ImpactOn           // the first of them
}

// ImpactOn is what other settings would do to one person.
type ImpactOn struct {
	Name    string
	Action  model.Action
	Changes []model.FieldChange
}

// Limits of what is tried while somebody types.
const (
	impactBound = 100 // people that are looked at
	impactNames = 5   // people that are named
)

// TryGroupMappings says what a re-evaluation would do to members of a group if the integration had these group mappings, and stores
// nothing. It looks at the first members only; a preview looks at everyone. What cannot be saved fails as saving it would.
func (s *Service) TryGroupMappings(ctx context.Context, ref model.Ref, groupID string, list []model.GroupMapping) (Impact, error) {
	out := Impact{Counts: map[model.Action]int{}}
	supposed := model.PreviewSettings{GroupMappings: &list}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		settings, err := tx.Settings(ref.OrganizationID)
		if err != nil {
			return err
		}
		if err := checkSupposed(settings, ref, supposed); err != nil {
			return err
		}
		ids := []string{groupID}
		if nests(settings.Integrations[ref.IntegrationID].Integration) {
			nested, err := mirrorNesting(&tx.Reader, ref)
			if err != nil {
				return err
			}
			ids = nested.within(ids)
		}
		people, err := tx.PeopleOfGroups(ref, ids, impactBound+1)
		if err != nil {
			return err
		}
		if out.More = len(people) > impactBound; out.More {
			people = people[:impactBound]
		}
		keys := make([]string, len(people))
		for i := range people {
			keys[i] = people[i].ID
		}
		if out.Looked = len(keys); len(keys) == 0 {
			return nil
		}
		return s.impactOn(ctx, tx, ref, supposed, keys, &out)
	})
	return out, err
}

// impactOn decides about people as if the settings were as supposed, and notes of whom that differs from what is decided as they are:
// what a run would do anyway is not the doing of these settings.
func (s *Service) impactOn(ctx context.Context, tx *store.Tx, ref model.Ref, supposed model.PreviewSettings, keys []string, out *Impact) error {
	anyway := map[string]string{}
	err := s.decideAll(ctx, tx, mirrorSource{svc: s, ref: ref}, keys, func(u *model.DirectoryUser, d *Decision) {
		anyway[u.ID] = digestOf(d.Action, d.Changes)
	})
	if err != nil {
		return err
	}
	return s.decideAll(ctx, tx, mirrorSource{svc: s, ref: ref, supposed: &supposed}, keys, func(u *model.DirectoryUser, d *Decision) {
		if d.Action == model.ActionNone || d.Action == model.ActionSkip || anyway[u.ID] == digestOf(d.Action, d.Changes) {
			return
		}
		out.Counts[d.Action]++
		if len(out.Changes) < impactNames {
			out.Changes = append(out.Changes, ImpactOn{u.Name(), d.Action, d.Changes})
		}
	})
}

// decideAll asks the rules about people, and stores nothing of what they say.
func (s *Service) decideAll(ctx context.Context, tx *store.Tx, source mirrorSource, keys []string, tell func(*model.DirectoryUser, *Decision)) error {
	w, err := source.work(ctx, tx, keys, false)
	if err != nil {
		return err
	}
	for i := range w.facts.Users {
		u := &w.facts.Users[i]
		p, err := w.person(u, "")
		if err != nil {
			return err
		}
		d, err := w.decide(p)
		if err != nil {
			return err
		}
		tell(u, &d)
		if d.Action != model.ActionNone {
			w.rememberPlanned(u, &d)
		}
	}
	return nil
}

// TriedExclusions is whom exclusions would concern.
type TriedExclusions struct {
	Looked int  // people that were looked at
	More   bool // there are more
	Lines  []TriedExclusion
	Kept   int // people whom no line concerns
}

// TriedExclusion is whom one exclusion concerns.
type TriedExclusion struct {
	Count    int
	Accounts int      // of those who have an account, which would be deactivated if nothing else keeps it
	Names    []string // the first of them
	Problem  string   // why it cannot be saved; then it concerns nobody
}

// exclusionBound is how many people exclusions are compared with while somebody types.
const exclusionBound = 10_000

// TryExclusions says whom exclusions concern among the people of the integration, and stores nothing.
func (s *Service) TryExclusions(ctx context.Context, ref model.Ref, list []model.Exclusion) (TriedExclusions, error) {
	out := TriedExclusions{Lines: make([]TriedExclusion, len(list))}
	if _, err := s.Store.Read(ctx).Integration(ref); err != nil {
		return out, err
	}
	if err := tooMany(len(list)); err != nil {
		return out, err
	}
	rules := make([]*exclusion, len(list))
	for i := range list {
		rule, err := compileExclusion(list[i])
		if err != nil {
			out.Lines[i].Problem = problemText(err)
			continue
		}
		rules[i] = &rule
	}
	var failed error
	for u := range s.everyone(ctx, ref, &failed) {
		if out.Looked == exclusionBound {
			out.More = true
			break
		}
		out.Looked++
		if !out.compare(&u, rules) {
			out.Kept++
		}
	}
	return out, failed
}

// compare notes which of the exclusions concern a person, and says whether any does.
func (t *TriedExclusions) compare(u *model.DirectoryUser, rules []*exclusion) bool {
	var attrs map[string]any
	read := func() map[string]any {
		if attrs == nil {
			attrs = u.Document.Attributes()
		}
		return attrs
	}
	concerned := false
	for i, rule := range rules {
		if rule == nil || !rule.matches(u, read) {
			continue
		}
		line := &t.Lines[i]
		concerned = true
		if line.Count++; len(line.Names) < maxExamples {
			line.Names = append(line.Names, u.Name())
		}
		if u.AccountID != nil {
			line.Accounts++
		}
	}
	return concerned
}

// problemText gives what is wrong in words, for somebody who is still typing.
func problemText(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Detail
	}
	return err.Error()
}
