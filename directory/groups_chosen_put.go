package directory

import (
	"context"
	"io"
	"slices"

	"usher/model"
	"usher/model/store"
)

// ChangeChosenGroups edits whose members a Graph import takes, and gives the groups as they are then. Where the integration has
// access to its tenant, each group of sent that is not chosen already is looked for there before: edit is given it with its object
// id, so that it stays chosen under another name, and one that is not there, or is not the only one of its name, is Invalid
// (*AmbiguousGroup). Without access, groups are stored as they are named and looked for by the next import.
func (s *Service) ChangeChosenGroups(ctx context.Context, ref model.Ref, sent []model.GroupSelector, edit ListEdit[model.GroupSelector]) ([]model.GroupSelector, error) {
	if err := ValidateChosenGroups(sent); err != nil {
		return nil, err
	}
	found, err := s.lookUpChosen(ctx, ref, sent)
	if err != nil {
		return nil, err
	}
	return s.changeChosen(ctx, ref, found, edit)
}

// changeChosen is ChangeChosenGroups for groups that were looked for.
func (s *Service) changeChosen(ctx context.Context, ref model.Ref, found []model.GroupSelector, edit ListEdit[model.GroupSelector]) ([]model.GroupSelector, error) {
	return changeList(ctx, s, ref, found, edit, listKind[model.GroupSelector]{
		kind: store.ListChosenGroups, name: "chosen groups",
		of:    func(i model.IntegrationSettings) []model.GroupSelector { return i.ChosenGroups },
		check: func(_ *model.Settings, list []model.GroupSelector) error { return ValidateChosenGroups(list) },
	})
}

// lookUpChosen gives the groups with object ids and present names.
func (s *Service) lookUpChosen(ctx context.Context, ref model.Ref, list []model.GroupSelector) ([]model.GroupSelector, error) {
	entry, err := s.Lists(ctx, ref)
	if err != nil || entry.Integration.Ingress != model.IngressGraph || len(list) == 0 {
		return list, err
	}
	known := map[string]model.GroupSelector{}
	for _, g := range entry.ChosenGroups {
		known[g.ExternalID] = g
	}
	out, places := make([]model.GroupSelector, len(list)), []int{}
	var unknown []model.GroupSelector
	for i, g := range list {
		if k, ok := known[g.ExternalID]; ok && g.ExternalID != "" {
			out[i] = k
			continue
		}
		places, unknown = append(places, i), append(unknown, g)
	}
	if len(unknown) == 0 {
		return out, nil
	}
	tenant, err := s.reader(ctx, ref)
	if model.KindOf(err) == model.Refused {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	answers, err := groupSearch{tenant: tenant}.all(ctx, unknown)
	if err != nil {
		return nil, err
	}
	for n, i := range places {
		if err := answers[n].entry(i); err != nil {
			return nil, err
		}
		out[i] = model.GroupSelector{ExternalID: answers[n].group.ID, DisplayName: answers[n].group.DisplayName}
	}
	return out, nil
}

// ChooseGroups adds the groups that a file names to the chosen ones: one display name, or object id, a line. What it cannot
// tell is in Problems, and the rest is chosen all the same; dry changes nothing.
func (s *Service) ChooseGroups(ctx context.Context, ref model.Ref, file io.Reader, dry bool) (GroupFile, error) {
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return GroupFile{}, err
	}
	if entry.Integration.Ingress != model.IngressGraph {
		return GroupFile{}, notImported(entry.Integration, "choosing groups")
	}
	out, groups, err := s.readGroups(ctx, ref, file, false)
	if err != nil {
		return out, err
	}
	if len(groups) == 0 {
		return out, nil
	}
	found := make([]model.GroupSelector, len(groups))
	for i := range groups {
		found[i] = model.GroupSelector{ExternalID: groups[i].ID, DisplayName: groups[i].DisplayName}
	}
	add := func(list, found []model.GroupSelector) ([]model.GroupSelector, error) {
		out.Added, out.Unchanged = []GroupCandidate{}, 0
		chosen := map[string]bool{}
		for _, g := range list {
			chosen[g.ExternalID] = true
		}
		for i, g := range found { // each once
			if chosen[g.ExternalID] {
				out.Unchanged++
				continue
			}
			list, out.Added = append(list, g), append(out.Added, candidateOf(&groups[i]))
		}
		return list, nil
	}
	if dry {
		_, err = add(slices.Clone(entry.ChosenGroups), found)
	} else {
		_, err = s.changeChosen(ctx, ref, found, add)
	}
	return out, err
}

func notImported(i model.Integration, what string) error {
	return model.Errorf(model.Refused, "%s is for integrations that import over Microsoft Graph; Entra pushes the people of %s (ingress scim)", what, i.Name)
}
