package directory

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// User reads one directory user.
func (s *Service) User(ctx context.Context, ref model.Ref, id string) (model.DirectoryUser, error) {
	return s.Store.Read(ctx).DirectoryUser(ref, id)
}

// Users reads a page of the directory users that a filter matches, and how many match in all.
func (s *Service) Users(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryUser, int, error) {
	return s.Store.Read(ctx).Users(ref, q)
}

// CreateUser stores a new directory user, of which Document alone is read, and gives it what the rules say. A taken
// userName is a Conflict.
func (s *Service) CreateUser(ctx context.Context, ref model.Ref, in model.DirectoryUser) (model.DirectoryUser, error) {
	var out model.DirectoryUser
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		u := model.DirectoryUser{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Document: in.Document}
		if err := Index(&u); err != nil {
			return err
		}
		u.ID = store.NewID()
		keys := LinkKeys(u)
		facts, err := tx.ArrivalFacts(ref, newcomer(&u), keys)
		if err != nil {
			return err
		}
		w, err := s.settlement(ctx, tx, ref, facts)
		if err != nil {
			return err
		}
		if err := w.lookedUp(keys); err != nil {
			return err
		}
		var awaiting []store.Awaiting
		if facts.Awaited {
			if awaiting, err = w.expected(&u); err != nil {
				return err
			}
		}
		d, err := w.settle(&u, "")
		if err != nil {
			return err
		}
		if err := tx.InsertDirectoryUser(&u); err != nil {
			return err
		}
		if err := w.tellUser(model.DirectoryUserCreated, &u, nil); err != nil {
			return err
		}
		if err := w.logUser("directory_user.created", &u, "user "+u.UserName+" arrived", &d); err != nil {
			return err
		}
		out = u
		return w.admitUser(&u, awaiting)
	})
	return out, err
}

// ChangeUser runs edit on the user inside the transaction, with its row locked; edit may replace Document. An error of
// edit changes nothing and is given back as it is. Without an effective change nothing is written.
func (s *Service) ChangeUser(ctx context.Context, ref model.Ref, id string, edit func(*model.DirectoryUser) error) (model.DirectoryUser, error) {
	var out model.DirectoryUser
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, err := s.lockFacts(ctx, tx, ref, []string{id})
		if err != nil {
			return err
		}
		if len(w.facts.Users) == 0 {
			return model.Errorf(model.NotFound, "user %s not found", id)
		}
		before := w.facts.Users[0]
		u := before
		if err := edit(&u); err != nil {
			return err
		}
		if u.Document.Equal(&before.Document) {
			out = before
			return nil
		}
		if err := Index(&u); err != nil {
			return err
		}
		out = u
		awaiting, err := w.renamed(&before, &out)
		if err != nil {
			return err
		}
		if err := w.storeChanged(&before, &out); err != nil {
			return err
		}
		return w.admitUser(&out, awaiting)
	})
	return out, err
}

// storeChanged stores an edited user with everything that follows from the edit.
func (w *settlement) storeChanged(before, u *model.DirectoryUser) error {
	d, err := w.settle(u, "")
	if err != nil {
		return err
	}
	if err := w.tx.UpdateDirectoryUser(u); err != nil {
		return err
	}
	changed := changedAttributes(before.Document.Attributes(), u.Document.Attributes())
	if err := w.tellUser(model.DirectoryUserUpdated, u, changed); err != nil {
		return err
	}
	if err := w.logUser("directory_user.updated", u, "changed "+strings.Join(changed, ", "), &d); err != nil {
		return err
	}
	return w.alarm()
}

// DeleteUser removes a directory user for good; its account is deactivated unless another integration keeps it. check, where
// it is given, is asked about the user with its row locked; its error changes nothing and is given back as it is.
func (s *Service) DeleteUser(ctx context.Context, ref model.Ref, id string, check func(*model.DirectoryUser) error) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		tx.LockGroupsOf(ref, id)
		w, err := s.lockFacts(ctx, tx, ref, []string{id})
		if err != nil {
			return err
		}
		if len(w.facts.Users) == 0 {
			return model.Errorf(model.NotFound, "user %s not found", id)
		}
		u := w.facts.Users[0]
		if check != nil {
			if err := check(&u); err != nil {
				return err
			}
		}
		d, err := w.settle(&u, "deleted in Entra")
		if err != nil {
			return err
		}
		if err := tx.DeleteDirectoryUser(&u); err != nil {
			return err
		}
		if err := w.tellUser(model.DirectoryUserDeleted, &u, nil); err != nil {
			return err
		}
		if err := w.logUser("directory_user.deleted", &u, "user "+u.UserName+" was deleted", &d); err != nil {
			return err
		}
		return w.alarm()
	})
}

// userData is what a change of a directory user carries.
type userData struct {
	User    userView `json:"directory_user"`
	Changed []string `json:"changed,omitempty"`
}

type userView struct {
	ID          string  `json:"id"`
	UserName    string  `json:"user_name"`
	ExternalID  string  `json:"external_id"`
	Email       string  `json:"email"`
	DisplayName string  `json:"display_name"`
	Active      bool    `json:"active"`
	AccountID   *string `json:"account_id"`
	Version     int64   `json:"version"`
}

func (w *settlement) tellUser(kind model.ChangeType, u *model.DirectoryUser, changed []string) error {
	return w.tx.Tell(model.Change{
		OrganizationID: w.ref.OrganizationID, Type: kind, IntegrationID: &w.ref.IntegrationID, SubjectType: "directory_user",
		SubjectID: u.ID, Actor: ActorOf(w.ctx),
	}, userData{userView{u.ID, u.UserName, u.ExternalID, u.Email, u.DisplayName, u.Active, u.AccountID, u.Version}, changed})
}

// logUser writes the one line of the administrator's log that a push gets: what came, and what it did to the account.
func (w *settlement) logUser(action string, u *model.DirectoryUser, because string, d *Decision) error {
	a := model.Activity{
		OrganizationID: w.ref.OrganizationID, IntegrationID: &w.ref.IntegrationID, Actor: ActorOf(w.ctx), Action: action,
		SubjectType: "directory_user", SubjectID: u.ID, Subject: u.Name(), Summary: sentence(because, d),
	}
	if d.Account == nil || len(d.Changes) == 0 {
		return w.tx.Log(a, nil)
	}
	a.Action = "account." + pastTense(d.Action)
	a.SubjectType, a.SubjectID, a.Subject = "account", d.Account.ID, d.Account.Name()
	return w.tx.Log(a, map[string]any{"directory_user_id": u.ID, "changes": d.Changes})
}

// changedAttributes names the attributes that differ, those of extensions by their URN and name, in order.
func changedAttributes(before, after map[string]any) []string {
	var names []string
	seen := map[string]bool{}
	for _, side := range []map[string]any{before, after} {
		for name := range side {
			if seen[name] || name == "schemas" {
				continue
			}
			seen[name] = true
			b, _ := before[name].(map[string]any)
			a, _ := after[name].(map[string]any)
			switch {
			case reflect.DeepEqual(before[name], after[name]):
			case strings.HasPrefix(strings.ToLower(name), "urn:") && (b != nil || a != nil):
				for _, sub := range changedAttributes(b, a) {
					names = append(names, name+":"+sub)
				}
			default:
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
