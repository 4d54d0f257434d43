-- +goose Up
-- How far somebody within the installation has read an organization's change feed.
CREATE TABLE feed_readers (
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  PRIMARY KEY (organization_id, name)
);

-- The subscriptions of calendars that were deleted, whatever deleted them: Microsoft 365 has them until they are ended. An integration
-- leaves its own behind when it goes, an organization does not.
CREATE TABLE ended_subscriptions (
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  integration_id uuid NOT NULL,
  graph_id text COLLATE "C" NOT NULL,
  ended_at bigint NOT NULL, -- in seconds
  PRIMARY KEY (integration_id, graph_id)
);
CREATE INDEX ended_subscriptions_organization ON ended_subscriptions (organization_id);
-- +goose StatementBegin
CREATE FUNCTION usher_calendar_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ended_subscriptions (organization_id, integration_id, graph_id, ended_at)
  SELECT o.id, OLD.integration_id, OLD.sub_graph_id, extract(epoch FROM now())::bigint FROM organizations o WHERE o.id = OLD.organization_id
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER calendars_ended AFTER DELETE ON calendars FOR EACH ROW WHEN (OLD.sub_graph_id <> '') EXECUTE FUNCTION usher_calendar_ended();

-- For what metrics ask whenever they are read: the first to end.
CREATE INDEX calendars_expiring ON calendars (sub_expires_at) WHERE enabled AND sub_state = 'active';

ALTER TABLE integration_lists DROP CONSTRAINT integration_lists_kind_check;
ALTER TABLE integration_lists ADD CONSTRAINT integration_lists_kind_check
  CHECK (kind IN ('group_mappings', 'field_mappings', 'exclusions', 'chosen_groups', 'room_groups'));

-- +goose Down
DELETE FROM integration_lists WHERE kind = 'room_groups';
ALTER TABLE integration_lists DROP CONSTRAINT integration_lists_kind_check;
ALTER TABLE integration_lists ADD CONSTRAINT integration_lists_kind_check
  CHECK (kind IN ('group_mappings', 'field_mappings', 'exclusions', 'chosen_groups'));
DROP INDEX calendars_expiring;
DROP TRIGGER calendars_ended ON calendars;
DROP FUNCTION usher_calendar_ended;
DROP TABLE ended_subscriptions;
DROP TABLE feed_readers;
