package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"usher/model"
	"usher/model/store"
)

// GroupMappings, FieldMappings, Exclusions, ChosenGroups and RoomGroups of an integration are read and written as whole lists. A
// list that the rules read and that differs from the stored one re-evaluates everyone of the integration in a run.

// ListEdit gives a list of an integration as it shall be, from a copy of the list as it is and from what the caller sends. It runs
// in the transaction that stores the list, perhaps several times: nobody else changes the list meanwhile, and nobody outside the
// database may be asked.
type ListEdit[T any] func(current, sent []T) ([]T, error)

// Replacing puts what is sent in place of the list. Where versions are given, a list that has none of them is left as it is:
// Precondition.
func Replacing[T any](versions ...string) ListEdit[T] {
	return func(current, sent []T) ([]T, error) {
		if now := ListVersion(current); len(versions) > 0 && !slices.Contains(versions, now) {
			return nil, model.FieldErrorf(model.Precondition, "If-Match", "the version of the list is %s: somebody else has changed it meanwhile", now)
		}
		return sent, nil
	}
}

// Adding puts what is sent behind what the list has.
func Adding[T any](current, sent []T) ([]T, error) {
	return append(current, sent...), nil
}

// ListVersion gives the version of a list of an integration: a digest of its JSON. None at all is as the empty list.
func ListVersion[T any](list []T) string {
	if list == nil {
		list = []T{}
	}
	raw, _ := json.Marshal(list) // text and lists of it
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// Lists reads the settings of one integration.
func (s *Service) Lists(ctx context.Context, ref model.Ref) (model.IntegrationSettings, error) {
	settings, err := s.Store.CurrentSettings(ctx, ref.OrganizationID)
	if err != nil {
		return model.IntegrationSettings{}, err
	}
	entry, ok := settings.Integrations[ref.IntegrationID]
	if !ok {
		return entry, model.Errorf(model.NotFound, "integration %s not found", ref.IntegrationID)
	}
	return entry, nil
}

// ChangeGroupMappings edits what membership of groups gives, and gives it as it is then.
func (s *Service) ChangeGroupMappings(ctx context.Context, ref model.Ref, sent []model.GroupMapping, edit ListEdit[model.GroupMapping]) ([]model.GroupMapping, error) {
	return changeList(ctx, s, ref, sent, edit, listKind[model.GroupMapping]{
		kind: store.ListGroupMappings, name: "group mappings",
		of: func(i model.IntegrationSettings) []model.GroupMapping { return i.GroupMappings },
		check: func(settings *model.Settings, list []model.GroupMapping) error {
			return ValidateGroupMappings(settings, ref.IntegrationID, list)
		},
	})
}

// ChangeExclusions edits who gets no account, and gives it as it is then.
func (s *Service) ChangeExclusions(ctx context.Context, ref model.Ref, sent []model.Exclusion, edit ListEdit[model.Exclusion]) ([]model.Exclusion, error) {
	return changeList(ctx, s, ref, sent, edit, listKind[model.Exclusion]{
		kind: store.ListExclusions, name: "exclusions",
		of:    func(i model.IntegrationSettings) []model.Exclusion { return i.Exclusions },
		check: func(_ *model.Settings, list []model.Exclusion) error { return ValidateExclusions(list) },
	})
}

// ChangeRoomGroups edits the groups whose members are meeting rooms, has the rooms looked for, and gives the groups as they are
// then. The rules read nothing of it.
func (s *Service) ChangeRoomGroups(ctx context.Context, ref model.Ref, sent []model.RoomGroup, edit ListEdit[model.RoomGroup]) ([]model.RoomGroup, error) {
	return changeList(ctx, s, ref, sent, edit, listKind[model.RoomGroup]{
		kind: store.ListRoomGroups, name: "room groups",
		of: func(i model.IntegrationSettings) []model.RoomGroup {
			return append([]model.RoomGroup{}, i.RoomGroups...)
		},
		check: func(_ *model.Settings, list []model.RoomGroup) error { return ValidateRoomGroups(list) },
		then:  func(tx *store.Tx, i model.Integration) error { return s.IntegrationSaved(tx, i) },
	})
}

// listKind is one of the lists that an integration has.
type listKind[T any] struct {
	kind, name string
	of         func(model.IntegrationSettings) []T
	check      func(settings *model.Settings, list []T) error
	// save, where set, stores the list in place of saveList.
	save func(tx *store.Tx, entry model.IntegrationSettings, list []T) error
	// then, where set, follows a change in place of the re-evaluation of everyone.
	then func(tx *store.Tx, i model.Integration) error
}

// changeList is the one way in which somebody changes a list by itself: edit sees the list under the lock under which it is stored,
// so that of two changes at once neither is lost.
func changeList[T any](ctx context.Context, s *Service, ref model.Ref, sent []T, edit ListEdit[T], l listKind[T]) (list []T, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		settings, entry, err := s.lockSettings(tx, ref)
		if err != nil {
			return err
		}
		before := l.of(entry)
		if list, err = edit(slices.Clone(before), sent); err != nil {
			return err
		}
		if list == nil {
			list = []T{}
		}
		if err := l.check(settings, list); err != nil {
			return err
		}
		if l.save != nil {
			return l.save(tx, entry, list)
		}
		_, err = saveList(ctx, s, tx, savedList[T]{kind: l.kind, name: l.name, integration: entry.Integration, before: before, after: list, then: l.then})
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// savedList is one of an integration's lists as it was and as it shall be.
type savedList[T any] struct {
	kind, name    string
	integration   model.Integration
	before, after []T
	why           string // added to what the log says of it; mostly ""
	then          func(tx *store.Tx, i model.Integration) error
}

// saveList stores a list that is valid, logs it and has everyone re-evaluated. One that is as the stored one changes nothing: then
// changed is false. The caller holds the settings.
func saveList[T any](ctx context.Context, s *Service, tx *store.Tx, l savedList[T]) (changed bool, err error) {
	if l.before != nil && sameJSON(l.before, l.after) {
		return false, nil
	}
	i := l.integration
	if err := errors.Join(tx.ChangeSettings(i.OrganizationID), tx.PutList(i.Ref(), l.kind, l.after)); err != nil {
		return false, err
	}
	summary := fmt.Sprintf("%s of %s changed%s", l.name, i.Name, l.why)
	err = s.logSetting(ctx, tx, i.OrganizationID, &i.ID, l.kind+".changed", "integration", i.ID, i.Name, summary,
		map[string]any{"before": l.before, "after": l.after})
	if err != nil {
		return false, err
	}
	if l.then != nil {
		return true, l.then(tx, i)
	}
	return true, s.requestReevaluation(ctx, tx, i.Ref(), summary)
}
