package storetest

import (
	"errors"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func settingsCases() []testCase {
	return []testCase{
		{"while settings are held they do not change, and while they change nobody holds them", settingsLock},
		{"two transactions hold the settings at once", settingsShared},
		{"cached settings follow every committed change, and no other", cachedSettings},
		{"settings are read as they were put", settingsRoundTrip},
	}
}

// entered runs fn in another transaction and says, on the channel, when it has committed.
func entered(t *testing.T, s suite, fn func(tx *store.Tx) error) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.InTx(t.Context(), fn) }()
	return done
}

// waits says that the transaction behind done stands in the queue for an advisory lock.
func waits(t *testing.T, s suite, done <-chan error) {
	t.Helper()
	for t.Context().Err() == nil {
		select {
		case err := <-done:
			t.Fatalf("the other transaction did not wait: %v", err)
		default:
		}
		if count(t, s, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`) > 0 {
			return
		}
	}
}

func settingsLock(t *testing.T, s suite) {
	org := Org(t, s.Store)
	hold := func(tx *store.Tx) error { _, err := tx.HoldSettings(org); return err }
	change := func(tx *store.Tx) error { return tx.ChangeSettings(org) }
	for name, pair := range map[string][2]func(*store.Tx) error{"hold then change": {hold, change}, "change then hold": {change, hold}} {
		var done <-chan error
		InTx(t, s.Store, func(tx *store.Tx) error {
			err := pair[0](tx)
			if done = entered(t, s, pair[1]); s.postgres() {
				waits(t, s, done)
			}
			return err
		})
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var version int64
	InTx(t, s.Store, func(tx *store.Tx) (err error) { version, err = tx.HoldSettings(org); return err })
	if version != 3 {
		t.Errorf("version %d after two changes, want 3", version)
	}
}

func settingsShared(t *testing.T, s suite) {
	org := Org(t, s.Store)
	hold := func(tx *store.Tx) error { _, err := tx.HoldSettings(org); return err }
	if !s.postgres() { // one writer: they follow each other
		InTx(t, s.Store, hold)
		InTx(t, s.Store, hold)
		return
	}
	InTx(t, s.Store, func(tx *store.Tx) error {
		err := hold(tx)
		return errors.Join(err, <-entered(t, s, hold))
	})
}

// roles reads the settings through the cache and gives the names of roles.
func roles(tx *store.Tx, org string, built *int) (map[string]string, error) {
	version, err := tx.HoldSettings(org)
	if err != nil {
		return nil, err
	}
	return store.CachedSettings(tx, org, version, func(all *model.Settings) (map[string]string, error) {
		*built++
		names := map[string]string{}
		for key, role := range all.Roles {
			names[key] = role.Name
		}
		return names, nil
	})
}

func cachedSettings(t *testing.T, s suite) {
	org := Org(t, s.Store)
	elsewhere := OpenURL(t, s.url) // another replica
	built := 0
	see := func(want string) {
		t.Helper()
		InTx(t, s.Store, func(tx *store.Tx) error {
			got, err := roles(tx, org, &built)
			if got["hr"] != want {
				t.Errorf("role %q, want %q", got["hr"], want)
			}
			return err
		})
	}
	put := func(at *store.Store, name string, end error) {
		t.Helper()
		err := at.InTx(t.Context(), func(tx *store.Tx) error {
			if err := tx.ChangeSettings(org); err != nil {
				return err
			}
			if err := store.PutEntry(tx, &model.Role{OrganizationID: org, Key: "hr", Name: name, UpdatedAt: tx.Now()}); err != nil {
				return err
			}
			if got, err := roles(tx, org, &built); err != nil || got["hr"] != name {
				t.Errorf("the changing transaction sees %v, %v, want its own %q", got, err, name)
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Error(err)
		}
	}
	see("")
	put(s.Store, "one", nil)
	see("one")
	put(s.Store, "never", errors.New("rolled back"))
	see("one")
	put(s.Store, "never", errors.New("rolled back"))
	put(elsewhere, "two", nil) // under the version that "never" had
	see("two")
	before := built
	see("two")
	if built != before {
		t.Error("settings that did not change were built again")
	}
}

func settingsRoundTrip(t *testing.T, s suite) {
	org := Org(t, s.Store)
	i := Integration(t, s.Store, org, func(i *model.Integration) { i.WriteBack.Update, i.Graph.ClientID = true, "client" })
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	site := model.Site{OrganizationID: org, Key: "berlin", Name: "Berlin", Parent: "de", Override: true, UpdatedAt: at}
	InTx(t, s.Store, func(tx *store.Tx) error {
		return errors.Join(
			tx.ChangeSettings(org),
			store.PutEntry(tx, &site),
			store.PutEntry(tx, &model.Role{OrganizationID: org, Key: "root", Name: "Root", Administrator: true, UpdatedAt: at}),
			store.PutEntry(tx, &model.CustomField{OrganizationID: org, Key: "floor", Name: "Floor", Type: model.FieldNumber, UpdatedAt: at}),
			tx.PutList(i.Ref(), store.ListGroupMappings, []model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "root"}}),
			tx.PutList(i.Ref(), store.ListExclusions, []model.Exclusion{{Pattern: "*bot*"}}),
			tx.PutList(i.Ref(), store.ListExclusions, []model.Exclusion{{Pattern: "*svc*"}}))
	})
	got, err := s.CurrentSettings(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	lists := got.Integrations[i.ID]
	if got.Version != 3 || got.Sites["berlin"].Parent != "de" || !got.Sites["berlin"].Override || !got.Roles["root"].Administrator ||
		got.CustomFields["floor"].Type != model.FieldNumber || !got.Roles["root"].UpdatedAt.Equal(at) {
		t.Errorf("settings %+v", got)
	}
	if !lists.Integration.WriteBack.Update || lists.Integration.Graph.ClientID != "client" || len(lists.GroupMappings) != 1 ||
		lists.GroupMappings[0].Group.DisplayName != "HR" || len(lists.Exclusions) != 1 || lists.Exclusions[0].Pattern != "*svc*" ||
		lists.FieldMappings != nil || lists.ChosenGroups != nil {
		t.Errorf("integration %+v", lists)
	}
	site.Override, site.Parent = false, ""
	InTx(t, s.Store, func(tx *store.Tx) error { return errors.Join(tx.ChangeSettings(org), store.PutEntry(tx, &site)) })
	if entry, err := store.EntryByKey[model.Site](s.Read(t.Context()), org, "berlin", "site"); err != nil || entry.Override || entry.Parent != "" {
		t.Errorf("site after it was cleared: %+v, %v", entry, err)
	}
	if _, err := s.CurrentSettings(t.Context(), store.NewID()); model.KindOf(err) != model.NotFound {
		t.Errorf("settings of no organization: %v, want NotFound", err)
	}
}
