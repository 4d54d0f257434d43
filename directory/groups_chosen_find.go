package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
	"usher/model/store"
)

// Bounds of looking for groups in Entra.
const (
	maxGroupCandidates = 20    // groups of one name that are told apart
	maxLookUps         = 1_000 // groups that one request has looked for
	lookUpsAtOnce      = 8
	maxFoundPerName    = 500 // groups of one name that are counted
)

// AmbiguousGroup says that several groups of the tenant have the name that was sent. It wraps a *model.Error of kind Invalid.
type AmbiguousGroup struct {
	Refusal    *model.Error
	Candidates []GroupCandidate // the first maxGroupCandidates
}

// Error gives the sentence.
func (e *AmbiguousGroup) Error() string { return e.Refusal.Error() }

// Unwrap gives the error that every edge knows.
func (e *AmbiguousGroup) Unwrap() error { return e.Refusal }

// GroupCandidate is a group that a name may have meant.
type GroupCandidate struct {
	ExternalID  string    `json:"external_id" doc:"Object id in Entra."`
	DisplayName string    `json:"display_name"`
	Email       string    `json:"email"`
	Description string    `json:"description"`
	Kind        GroupKind `json:"kind"`
}

// GroupKind says what a group of Entra is.
type GroupKind string

// The kinds of groups of Entra.
const (
	KindMicrosoft365 GroupKind = "microsoft365"
	KindSecurity     GroupKind = "security"
	KindMailSecurity GroupKind = "mail_enabled_security"
	KindDistribution GroupKind = "distribution"
)

func groupKind(g *entra.Group) GroupKind {
	for _, t := range g.Types {
		if strings.EqualFold(t, "Unified") {
			return KindMicrosoft365
		}
	}
	switch {
	case !g.MailEnabled:
		return KindSecurity
	case g.SecurityEnabled:
		return KindMailSecurity
	}
	return KindDistribution
}

func candidateOf(g *entra.Group) GroupCandidate {
	return GroupCandidate{ExternalID: g.ID, DisplayName: g.DisplayName, Email: g.Mail, Description: g.Description, Kind: groupKind(g)}
}

// String tells the group apart from others of its name.
func (c GroupCandidate) String() string {
	text := c.ExternalID + " (" + string(c.Kind)
	if c.Email != "" {
		text += ", " + c.Email
	}
	return text + ")"
}

// groupSearch looks for groups of a tenant that an administrator named.
type groupSearch struct {
	tenant TenantReader
	lists  bool // only groups that have an address count
}

// find gives the one group that the selector means. A *model.Error has a field of the selector.
func (f groupSearch) find(ctx context.Context, selector model.GroupSelector) (entra.Group, error) {
	if selector.ExternalID != "" {
		return f.byID(ctx, selector.ExternalID)
	}
	found, n, err := f.named(ctx, selector.DisplayName)
	switch {
	case err != nil:
		return entra.Group{}, err
	case n == 0:
		return entra.Group{}, model.FieldErrorf(model.Invalid, "display_name", "Entra has no group named %q", selector.DisplayName)
	case n == 1:
		return found[0], f.check(&found[0], "display_name")
	}
	e := &AmbiguousGroup{}
	names := make([]string, len(found))
	for i := range found {
		e.Candidates = append(e.Candidates, candidateOf(&found[i]))
		names[i] = e.Candidates[i].String()
	}
	if n > len(found) {
		names = append(names, "…")
	}
	e.Refusal = model.FieldErrorf(model.Invalid, "display_name", "Entra has %d groups named %q; name the one that is meant by its external_id: %s",
		n, selector.DisplayName, strings.Join(names, ", "))
	return entra.Group{}, e
}

func (f groupSearch) byID(ctx context.Context, id string) (entra.Group, error) {
	if !tenantID.MatchString(id) {
		return entra.Group{}, model.FieldErrorf(model.Invalid, "external_id", "%q is not the object id of a group in Entra", cut(id, maxShown))
	}
	g, err := f.tenant.Group(ctx, strings.ToLower(id))
	if outlook.KindOf(err) == outlook.NotFound && err != nil {
		return g, model.FieldErrorf(model.Invalid, "external_id", "Entra has no group with the object id %s", id)
	}
	if err != nil {
		return g, err
	}
	return g, f.check(&g, "external_id")
}

// check refuses a group that cannot be a distribution list where one is wanted.
func (f groupSearch) check(g *entra.Group, field string) error {
	if f.lists && !g.MailEnabled {
		return model.FieldErrorf(model.Invalid, field,
			"group %q has no mailbox or address: a list is a Microsoft 365 group or a mail-enabled group", cut(g.DisplayName, maxShown))
	}
	return nil
}

// named gives the first groups of a name, without case, and how many there are. Where lists are wanted and some of the groups
// have an address, the others do not count.
func (f groupSearch) named(ctx context.Context, name string) (found []entra.Group, n int, err error) {
	var others []entra.Group
	for next, first := "", true; first || next != ""; first = false {
		page, err := f.tenant.FindGroups(ctx, entra.GroupSearch{Name: name}, next)
		if err != nil {
			return nil, 0, err
		}
		for _, g := range page.Groups {
			switch {
			case model.Fold(g.DisplayName) != model.Fold(name):
			case f.lists && !g.MailEnabled:
				others = append(others, g)
			default:
				if n++; len(found) < maxGroupCandidates {
					found = append(found, g)
				}
			}
		}
		if next = page.Next; n+len(others) >= maxFoundPerName {
			break
		}
	}
	if n == 0 {
		return others[:min(len(others), maxGroupCandidates)], len(others), nil
	}
	return found, n, nil
}

// lookedFor is a selector with what was found: a group, or an error about the selector.
type lookedFor struct {
	group entra.Group
	err   *model.Error
	among []GroupCandidate
}

// all looks for many groups, some at once. The error is about the tenant; what is wrong with a selector is in its answer.
func (f groupSearch) all(ctx context.Context, selectors []model.GroupSelector) ([]lookedFor, error) {
	if len(selectors) > maxLookUps {
		return nil, model.Errorf(model.TooLarge, "at most %d groups are looked for in Entra at once", maxLookUps)
	}
	answers := make([]lookedFor, len(selectors))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(lookUpsAtOnce)
	for i := range selectors {
		work.Go(func() error {
			g, err := f.find(ctx, selectors[i])
			answers[i].group = g
			if e, ok := errors.AsType[*AmbiguousGroup](err); ok {
				answers[i].among = e.Candidates
			}
			if e, ok := errors.AsType[*model.Error](err); ok {
				answers[i].err = e
				return nil
			}
			return err
		})
	}
	return answers, work.Wait()
}

// entry gives what is wrong with the selector as an error of the list that it stands in.
func (l *lookedFor) entry(i int) error {
	if l.err == nil {
		return nil
	}
	e := model.FieldErrorf(l.err.Kind, entryName(i)+"."+l.err.Field, "%s", l.err.Detail)
	if l.among != nil {
		return &AmbiguousGroup{e, l.among}
	}
	return e
}

// lookUpGroups looks for the groups that choices and mappings of the integration name by display name alone, and stores what
// it finds, for groupsToRead. A name that has led to a group stays with it while the mirror knows the group by that name: then
// another group that takes the same name gives nobody anything. An import calls it, outside any transaction, before it reads.
func (s *Service) lookUpGroups(ctx context.Context, ref model.Ref) error {
	read := s.Store.Read(ctx)
	names, gone, err := s.namesToLookUp(read, ref)
	if err != nil || len(names)+len(gone) == 0 {
		return err
	}
	found := make([]model.GroupName, len(names))
	if len(names) > 0 {
		tenant, err := s.reader(ctx, ref)
		if err != nil {
			return err
		}
		work, ctx := errgroup.WithContext(ctx)
		work.SetLimit(lookUpsAtOnce)
		for i, name := range names {
			work.Go(func() error {
				groups, n, err := groupSearch{tenant: tenant}.named(ctx, name)
				found[i] = model.GroupName{NameKey: model.Fold(name), Found: n, LookedAt: s.Now()}
				if n == 1 {
					found[i].ExternalID = groups[0].ID
				}
				return err
			})
		}
		if err := work.Wait(); err != nil {
			return fmt.Errorf("look for groups by name: %w", err)
		}
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Integration(ref); err != nil {
			return err
		}
		for _, n := range found {
			tx.PutGroupName(ref, n)
		}
		if len(gone) > 0 {
			tx.ForgetGroupNames(ref, gone)
		}
		return nil
	})
}

// namesToLookUp gives the names that a look-up is due for, and the keys of those that nothing asks for any more.
func (s *Service) namesToLookUp(read *store.Reader, ref model.Ref) (names, gone []string, err error) {
	settings, err := read.Settings(ref.OrganizationID)
	if err != nil {
		return nil, nil, err
	}
	entry, ok := settings.Integrations[ref.IntegrationID]
	if !ok {
		return nil, nil, model.Errorf(model.NotFound, "integration %s not found", ref.IntegrationID)
	}
	stored, err := read.GroupNames(ref)
	if err != nil {
		return nil, nil, err
	}
	asked := namesOnly(entry)
	var ids []string
	known := map[string]model.GroupName{}
	for _, n := range stored {
		known[n.NameKey] = n
		if _, ok := asked[n.NameKey]; !ok {
			gone = append(gone, n.NameKey)
		} else if n.ExternalID != "" {
			ids = append(ids, n.ExternalID)
		}
	}
	groups, err := read.GroupsByExternalID(ref, ids)
	if err != nil {
		return nil, nil, err
	}
	mirrored := map[string]string{}
	for i := range groups {
		mirrored[groups[i].ExternalID] = groups[i].DisplayNameKey
	}
	for key, name := range asked {
		if n := known[key]; n.ExternalID == "" || mirrored[n.ExternalID] != key {
			names = append(names, name)
		}
	}
	return names, gone, nil
}

// namesOnly gives the display names, by key, that stand for a group without its id.
func namesOnly(entry model.IntegrationSettings) map[string]string {
	names := map[string]string{}
	note := func(g model.GroupSelector) {
		if g.ExternalID == "" {
			names[model.Fold(g.DisplayName)] = g.DisplayName
		}
	}
	for _, g := range entry.ChosenGroups {
		note(g)
	}
	for i := range entry.GroupMappings {
		note(entry.GroupMappings[i].Group)
	}
	return names
}
