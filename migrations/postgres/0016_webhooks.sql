-- +goose Up
-- Who is told of changes over HTTP. What has been told stands in position: everything up to there is delivered, given up, or
-- waits in webhook_deliveries.
CREATE TABLE webhook_endpoints (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  url text NOT NULL,
  description text NOT NULL,
  types json NOT NULL,
  integration_id uuid,
  state text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  position bigint NOT NULL,
  replay_position bigint,
  replay_until bigint,
  lease text NOT NULL,
  leased_until timestamptz,
  next_at timestamptz,
  failing_since timestamptz,
  last_success_at timestamptz,
  last_error text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX webhook_endpoints_organization ON webhook_endpoints (organization_id, id);

CREATE TABLE webhook_secrets (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  key_id text NOT NULL,
  sealed bytea NOT NULL,
  ends_at timestamptz,
  created_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, endpoint_id) REFERENCES webhook_endpoints (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_secrets_endpoint ON webhook_secrets (endpoint_id, id);

CREATE TABLE webhook_deliveries (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  message_id text NOT NULL,
  position bigint,
  type text NOT NULL,
  subject text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  state text COLLATE "C" NOT NULL,
  next_at timestamptz,
  attempts json NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, endpoint_id) REFERENCES webhook_endpoints (organization_id, id) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (endpoint_id, subject, id) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (endpoint_id, id) WHERE state = 'failed';
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);
ALTER TABLE webhook_deliveries ALTER attempts SET STATISTICS 0;

-- Readers that are behind what was deleted of the feed are told so.
ALTER TABLE feed_state ADD pruned_position bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE feed_state DROP pruned_position;
DROP TABLE webhook_deliveries;
DROP TABLE webhook_secrets;
DROP TABLE webhook_endpoints;
