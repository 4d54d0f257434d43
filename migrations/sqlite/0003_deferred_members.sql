-- +goose Up
-- Members that a client named before they were there. The number of a group's stands in its row, which whoever changes a
-- group has locked: so a group without any, which is nearly every group, costs nobody a look.
CREATE TABLE pending_members (
  group_id TEXT NOT NULL,
  value TEXT NOT NULL,
  value_key TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  PRIMARY KEY (group_id, value)
);
CREATE INDEX pending_members_value ON pending_members (value_key, integration_id);

ALTER TABLE directory_groups ADD COLUMN pending_members INTEGER NOT NULL DEFAULT 0;
CREATE INDEX directory_groups_pending ON directory_groups (integration_id, pending_members) WHERE pending_members > 0;

-- +goose Down
DROP INDEX directory_groups_pending;
ALTER TABLE directory_groups DROP COLUMN pending_members;
DROP TABLE pending_members;
