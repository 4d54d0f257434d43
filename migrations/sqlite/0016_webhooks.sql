-- +goose Up
-- Who is told of changes over HTTP. What has been told stands in position: everything up to there is delivered, given up, or
-- waits in webhook_deliveries.
CREATE TABLE webhook_endpoints (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  types TEXT NOT NULL,
  integration_id TEXT,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  position INTEGER NOT NULL,
  replay_position INTEGER,
  replay_until INTEGER,
  lease TEXT NOT NULL,
  leased_until TIMESTAMP,
  next_at TIMESTAMP,
  failing_since TIMESTAMP,
  last_success_at TIMESTAMP,
  last_error TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX webhook_endpoints_organization ON webhook_endpoints (organization_id, id);

CREATE TABLE webhook_secrets (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  ends_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, endpoint_id) REFERENCES webhook_endpoints (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_secrets_endpoint ON webhook_secrets (endpoint_id, id);

CREATE TABLE webhook_deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  position INTEGER,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  next_at TIMESTAMP,
  attempts TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, endpoint_id) REFERENCES webhook_endpoints (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (endpoint_id, subject, id) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (endpoint_id, id) WHERE state = 'failed';
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);

-- Readers that are behind what was deleted of the feed are told so.
ALTER TABLE feed_state ADD COLUMN pruned_position INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE feed_state DROP COLUMN pruned_position;
DROP TABLE webhook_deliveries;
DROP TABLE webhook_secrets;
DROP TABLE webhook_endpoints;
