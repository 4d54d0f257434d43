package store

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"usher/model"
)

// The kinds of lists that an integration has.
const (
	ListGroupMappings = "group_mappings"
	ListFieldMappings = "field_mappings"
	ListExclusions    = "exclusions"
	ListChosenGroups  = "chosen_groups"
	ListRoomGroups    = "room_groups"
)

// settingsCache keeps what was built from the settings of each organization, by their version.
type settingsCache struct {
	mu    sync.Mutex
	byOrg map[string]cached
}

type cached struct {
	version  int64
	value    any
	doubtful time.Time // until when nothing is guessed
}

// CachedSettings gives what build made of the settings at that version, which the caller has read in its transaction
// (Facts.SettingsVersion); it is loaded and built once per version. Whatever build gives must be immutable. A transaction
// that changes the settings itself loads its own, which others must not see: its version is given again after a rollback.
func CachedSettings[T any](tx *Tx, organizationID string, version int64, build func(*model.Settings) (T, error)) (T, error) {
	c := &tx.s.settings
	c.mu.Lock()
	hit, ok := c.byOrg[organizationID]
	c.mu.Unlock()
	if ok && hit.version == version && !tx.altered {
		if value, ok := hit.value.(T); ok {
			return value, nil
		}
	}
	var none T
	loaded, err := tx.Settings(organizationID)
	if err != nil {
		return none, err
	}
	value, err := build(loaded)
	if err != nil || tx.altered {
		return value, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byOrg == nil || len(c.byOrg) >= maxCachedSettings {
		c.byOrg = map[string]cached{}
	}
	c.byOrg[organizationID] = cached{version: loaded.Version, value: value, doubtful: hit.doubtful}
	return value, nil
}

// guessable gives the version that the cache holds of an organization's settings, unless guesses were wrong lately.
func (c *settingsCache) guessable(organizationID string, now time.Time) (int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.byOrg[organizationID]
	return hit.version, ok && !now.Before(hit.doubtful)
}

// doubt keeps an organization from being guessed about for a while: where one guess is wrong, as when everybody who comes
// is an employee already, most are.
func (c *settingsCache) doubt(organizationID string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if hit, ok := c.byOrg[organizationID]; ok {
		hit.doubtful = now.Add(time.Minute)
		c.byOrg[organizationID] = hit
	}
}

// maxCachedSettings bounds the memory of an installation with thousands of organizations: past it the cache starts anew.
const maxCachedSettings = 1000

// Settings reads everything that the rules read.
func (r *Reader) Settings(organizationID string) (*model.Settings, error) {
	s := &model.Settings{
		Roles: map[string]model.Role{}, Departments: map[string]model.Department{}, Sites: map[string]model.Site{},
		Modules: map[string]model.Module{}, CustomFields: map[string]model.CustomField{},
		Integrations: map[string]model.IntegrationSettings{},
	}
	org := []any{organizationID}
	err := r.query(
		statement{
			sql: "SELECT settings_version FROM organizations WHERE id = ?", args: org,
			scan: func(row scanner) error { return row.Scan(&s.Version) },
		},
		statement{
			sql: "SELECT key, name, administrator, updated_at FROM roles WHERE organization_id = ?", args: org,
			scan: func(row scanner) error {
				v := model.Role{OrganizationID: organizationID}
				err := row.Scan(&v.Key, &v.Name, &v.Administrator, &v.UpdatedAt)
				s.Roles[v.Key] = v
				return err
			},
		},
		statement{
			sql: "SELECT key, name, updated_at FROM departments WHERE organization_id = ?", args: org,
			scan: func(row scanner) error {
				v := model.Department{OrganizationID: organizationID}
				err := row.Scan(&v.Key, &v.Name, &v.UpdatedAt)
				s.Departments[v.Key] = v
				return err
			},
		},
		statement{
			sql: "SELECT key, name, parent, override, updated_at FROM sites WHERE organization_id = ?", args: org,
			scan: func(row scanner) error {
				v := model.Site{OrganizationID: organizationID}
				err := row.Scan(&v.Key, &v.Name, &v.Parent, &v.Override, &v.UpdatedAt)
				s.Sites[v.Key] = v
				return err
			},
		},
		statement{
			sql: "SELECT key, name, updated_at FROM modules WHERE organization_id = ?", args: org,
			scan: func(row scanner) error {
				v := model.Module{OrganizationID: organizationID}
				err := row.Scan(&v.Key, &v.Name, &v.UpdatedAt)
				s.Modules[v.Key] = v
				return err
			},
		},
		statement{
			sql: "SELECT key, name, type, updated_at FROM custom_fields WHERE organization_id = ?", args: org,
			scan: func(row scanner) error {
				v := model.CustomField{OrganizationID: organizationID}
				err := row.Scan(&v.Key, &v.Name, &v.Type, &v.UpdatedAt)
				s.CustomFields[v.Key] = v
				return err
			},
		},
	)
	if err == nil && s.Version == 0 {
		err = notFound("organization", organizationID)
	}
	if err != nil {
		return nil, translate(err)
	}
	return s, r.integrationSettings(organizationID, s)
}

func (r *Reader) integrationSettings(organizationID string, s *model.Settings) error {
	integrations, err := r.Integrations(organizationID)
	if err != nil {
		return err
	}
	for _, i := range integrations {
		s.Integrations[i.ID] = model.IntegrationSettings{Integration: i}
	}
	return translate(r.query(statement{
		sql:  "SELECT integration_id, kind, items FROM integration_lists WHERE organization_id = ?",
		args: []any{organizationID},
		scan: func(row scanner) error {
			var id, kind string
			var items []byte
			if err := row.Scan(&id, &kind, &items); err != nil {
				return err
			}
			entry := s.Integrations[id]
			into := map[string]any{
				ListGroupMappings: &entry.GroupMappings, ListFieldMappings: &entry.FieldMappings,
				ListExclusions: &entry.Exclusions, ListChosenGroups: &entry.ChosenGroups,
				ListRoomGroups: &entry.RoomGroups,
			}[kind]
			err := json.Unmarshal(items, into)
			s.Integrations[id] = entry
			return err
		},
	}))
}

// ChangeSettings keeps every writer of people in the organization out until the transaction ends, and raises the version
// of its settings. Whatever changes something that Settings reads calls it first.
func (tx *Tx) ChangeSettings(organizationID string) error {
	tx.altered = true
	list := []statement{}
	if tx.s.dialect == postgres {
		list = append(list, statement{
			sql:  "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))",
			args: []any{"settings:" + organizationID},
		})
	}
	return translate(tx.query(append(list, statement{
		sql:      "UPDATE organizations SET settings_version = settings_version + 1, updated_at = ? WHERE id = ?",
		args:     []any{tx.now, organizationID},
		affected: exactlyOne("organization", organizationID),
	})...))
}

// PutList stores one of an integration's lists as a whole.
func (tx *Tx) PutList(ref model.Ref, kind string, items any) error {
	raw, err := json.Marshal(items)
	if err != nil {
		return err
	}
	tx.buffer(statement{
		sql: `INSERT INTO integration_lists (organization_id, integration_id, kind, items, updated_at) VALUES (?,?,?,?,?)
 ON CONFLICT (organization_id, integration_id, kind) DO UPDATE SET items = excluded.items, updated_at = excluded.updated_at`,
		args: []any{ref.OrganizationID, ref.IntegrationID, kind, string(raw), tx.now},
	})
	return nil
}

// CurrentSettings reads the settings outside a transaction, for showing.
func (s *Store) CurrentSettings(ctx context.Context, organizationID string) (*model.Settings, error) {
	return s.Read(ctx).Settings(organizationID)
}
