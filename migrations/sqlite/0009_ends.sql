-- +goose Up
-- How far somebody within the installation has read an organization's change feed.
CREATE TABLE feed_readers (
  organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (organization_id, name)
);

-- The subscriptions of calendars that were deleted, whatever deleted them: Microsoft 365 has them until they are ended. An integration
-- leaves its own behind when it goes, an organization does not.
CREATE TABLE ended_subscriptions (
  organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
  integration_id TEXT NOT NULL,
  graph_id TEXT NOT NULL,
  ended_at INTEGER NOT NULL, -- in seconds
  PRIMARY KEY (integration_id, graph_id)
);
CREATE INDEX ended_subscriptions_organization ON ended_subscriptions (organization_id);
-- +goose StatementBegin
CREATE TRIGGER calendars_ended AFTER DELETE ON calendars WHEN OLD.sub_graph_id <> '' BEGIN
  INSERT INTO ended_subscriptions (organization_id, integration_id, graph_id, ended_at)
  SELECT o.id, OLD.integration_id, OLD.sub_graph_id, unixepoch() FROM organizations o WHERE o.id = OLD.organization_id
  ON CONFLICT DO NOTHING;
END;
-- +goose StatementEnd

-- For what metrics ask whenever they are read: the first to end.
CREATE INDEX calendars_expiring ON calendars (sub_expires_at) WHERE enabled AND sub_state = 'active';

CREATE TABLE integration_lists_new (
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('group_mappings', 'field_mappings', 'exclusions', 'chosen_groups', 'room_groups')),
  items TEXT NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  PRIMARY KEY (organization_id, integration_id, kind),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
INSERT INTO integration_lists_new SELECT organization_id, integration_id, kind, items, updated_at FROM integration_lists;
DROP TABLE integration_lists;
ALTER TABLE integration_lists_new RENAME TO integration_lists;

-- +goose Down
CREATE TABLE integration_lists_old (
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('group_mappings', 'field_mappings', 'exclusions', 'chosen_groups')),
  items TEXT NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  PRIMARY KEY (organization_id, integration_id, kind),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
INSERT INTO integration_lists_old SELECT organization_id, integration_id, kind, items, updated_at FROM integration_lists WHERE kind <> 'room_groups';
DROP TABLE integration_lists;
ALTER TABLE integration_lists_old RENAME TO integration_lists;
DROP INDEX calendars_expiring;
DROP TRIGGER calendars_ended;
DROP TABLE ended_subscriptions;
DROP TABLE feed_readers;
