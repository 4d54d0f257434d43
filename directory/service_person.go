package directory

import (
	"context"
	"slices"

	"usher/model"
	"usher/model/store"
)

// SyncPerson lets the rules decide about one directory user now, and stores what they say, as a re-evaluation does with everyone.
// What they say is stored already where nothing changed since: then the action is none.
func (s *Service) SyncPerson(ctx context.Context, ref model.Ref, userID string) (Decision, error) {
	var out Decision
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		out = Decision{Action: model.ActionNone, Reason: "everything is as the rules say"}
		w, err := s.onePerson(ctx, tx, ref, userID)
		if err != nil {
			return err
		}
		done, err := w.settleUnchanged(w.facts.Users)
		for _, one := range done {
			out = one.decision
		}
		return err
	})
	return out, err
}

// WhatIf says what the rules would decide about one directory user who joined some groups of the mirror and left others, and stores
// nothing. Groups are named by id.
func (s *Service) WhatIf(ctx context.Context, ref model.Ref, userID string, join, leave []string) (Decision, error) {
	var out Decision
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, err := s.onePerson(ctx, tx, ref, userID)
		if err != nil {
			return err
		}
		p, err := w.person(&w.facts.Users[0], "")
		if err != nil {
			return err
		}
		groups := slices.DeleteFunc(slices.Clone(p.Sources[0].Groups), func(g model.GroupRef) bool { return slices.Contains(leave, g.ID) })
		for _, id := range join {
			g, err := tx.DirectoryGroup(ref, id)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(groups, func(have model.GroupRef) bool { return have.ID == id }) {
				groups = append(groups, model.GroupRef{ID: g.ID, ExternalID: g.ExternalID, DisplayName: g.DisplayName})
			}
		}
		p.Sources[0].Groups = groups
		out, err = w.decide(p)
		return err
	})
	return out, err
}

// onePerson reads and locks one directory user for settling.
func (s *Service) onePerson(ctx context.Context, tx *store.Tx, ref model.Ref, userID string) (*settlement, error) {
	w, err := s.lockFacts(ctx, tx, ref, []string{userID})
	if err == nil && len(w.facts.Users) != 1 {
		err = model.Errorf(model.NotFound, "user %s not found", userID)
	}
	return w, err
}

// FieldValue is what one integration has for a field of the account: where it is read from, what is there, and when it counts.
type FieldValue struct {
	Target, Source, Value string
	Mode                  model.FieldMode
	Expression            string
}

// FieldValues gives what a directory user has for each field of the account, by the integration's field mappings and those that
// always hold, before any expression.
func FieldValues(entry model.IntegrationSettings, u *model.DirectoryUser) []FieldValue {
	document := u.Document
	attrs := document.Attributes()
	mappings := slices.Clone(entry.FieldMappings)
	for _, d := range defaultMappings() {
		if !slices.ContainsFunc(mappings, func(m model.FieldMapping) bool { return m.Target == d.Target }) {
			mappings = append(mappings, d)
		}
	}
	list := []FieldValue{{Target: targetEmail, Source: "the login e-mail", Value: LoginEmail(*u), Mode: model.FieldAlways}}
	for _, m := range mappings {
		path, err := ParsePath(m.Source)
		if err != nil {
			continue
		}
		list = append(list, FieldValue{Target: m.Target, Source: m.Source, Value: path.Text(attrs), Mode: m.Mode, Expression: m.Expression})
	}
	return list
}
