package directory

import (
	"context"
	"iter"
	"maps"
	"slices"

	"usher/model"
)

// Tried is what a field mapping gives for one person.
type Tried struct {
	Name, Value, Problem string
}

// TryFieldMapping says what a field mapping would give for the first people of the integration, so that an expression can be written
// against what is there. Nothing is stored. What cannot be saved fails as saving it would.
func (s *Service) TryFieldMapping(ctx context.Context, ref model.Ref, m model.FieldMapping, most int) ([]Tried, error) {
	read := s.Store.Read(ctx)
	if _, err := read.Integration(ref); err != nil {
		return nil, err
	}
	settings, err := read.Settings(ref.OrganizationID)
	if err != nil {
		return nil, err
	}
	rule, err := compileField(settings, m)
	if err != nil || rule == nil {
		return nil, err
	}
	users, err := read.DirectoryUsersAfter(ref, "", most)
	if err != nil {
		return nil, err
	}
	list := make([]Tried, len(users))
	for i := range users {
		list[i].Name = users[i].Name()
		list[i].Value, list[i].Problem = rule.read(&view{source: &Source{User: users[i]}})
	}
	return list, nil
}

// FieldTargets lists the fields of accounts that mappings can fill, the organization's custom fields last.
func FieldTargets(settings *model.Settings) []string {
	list := accountTargets()
	for _, key := range slices.Sorted(maps.Keys(settings.CustomFields)) {
		list = append(list, customPrefix+key)
	}
	return list
}

// CommonMappings gives what is mapped of a field that no mapping names.
func CommonMappings() []model.FieldMapping { return defaultMappings() }

// suggestPage is how many directory users are read at once to find suggestions.
const suggestPage = 500

// Suggestions looks through the mirror of an integration for what is hardly a person. Nothing is applied.
func (s *Service) Suggestions(ctx context.Context, ref model.Ref) ([]Suggestion, error) {
	if _, err := s.Store.Read(ctx).Integration(ref); err != nil {
		return nil, err
	}
	var failed error
	list := SuggestExclusions(s.everyone(ctx, ref, &failed))
	return list, failed
}

// everyone goes through all directory users of an integration in pages; a failure ends it and is left in failed.
func (s *Service) everyone(ctx context.Context, ref model.Ref, failed *error) iter.Seq[model.DirectoryUser] {
	return func(yield func(model.DirectoryUser) bool) {
		after := ""
		for {
			users, err := s.Store.Read(ctx).DirectoryUsersAfter(ref, after, suggestPage)
			if err != nil {
				*failed = err
				return
			}
			for _, u := range users {
				if !yield(u) {
					return
				}
			}
			if len(users) < suggestPage {
				return
			}
			after = users[len(users)-1].ID
		}
	}
}
