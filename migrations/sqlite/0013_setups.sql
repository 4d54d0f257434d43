-- +goose Up
CREATE TABLE setups (
  integration_id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  task TEXT NOT NULL,
  state TEXT NOT NULL,
  options TEXT NOT NULL,
  steps TEXT NOT NULL,
  error TEXT NOT NULL,
  actor TEXT NOT NULL,
  entra TEXT NOT NULL,
  token_id TEXT NOT NULL,
  job TEXT,
  job_at TIMESTAMP,
  job_error TEXT NOT NULL,
  sign_in TEXT NOT NULL,
  stored TEXT NOT NULL,
  sign_in_id TEXT NOT NULL,
  quarantine_told TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  lease TEXT NOT NULL,
  leased TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX setups_organization ON setups (organization_id, integration_id);

-- It outlives the integration, whose id it has, and goes when it is old.
CREATE TABLE removals (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  state TEXT NOT NULL,
  actor TEXT NOT NULL,
  removed TEXT NOT NULL,
  steps TEXT NOT NULL,
  leftovers TEXT NOT NULL,
  plan TEXT NOT NULL,
  key_id TEXT NOT NULL,
  access BLOB NOT NULL,
  attempts INTEGER NOT NULL,
  lease TEXT NOT NULL,
  leased TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  ended_at TIMESTAMP
);
CREATE INDEX removals_organization ON removals (organization_id, id);
CREATE INDEX removals_open ON removals (id) WHERE ended_at IS NULL;

-- +goose Down
DROP TABLE removals;
DROP TABLE setups;
