-- +goose Up
CREATE TABLE setups (
  integration_id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  task text NOT NULL,
  state text NOT NULL,
  options jsonb NOT NULL,
  steps jsonb NOT NULL,
  error text NOT NULL,
  actor text NOT NULL,
  entra jsonb NOT NULL,
  token_id text NOT NULL,
  job jsonb,
  job_at timestamptz,
  job_error text NOT NULL,
  sign_in jsonb NOT NULL,
  stored text NOT NULL,
  sign_in_id text NOT NULL,
  quarantine_told text NOT NULL,
  attempts integer NOT NULL,
  lease text NOT NULL,
  leased timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX setups_organization ON setups (organization_id, integration_id);

-- It outlives the integration, whose id it has, and goes when it is old.
CREATE TABLE removals (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name text NOT NULL,
  tenant_id text NOT NULL,
  state text NOT NULL,
  actor text NOT NULL,
  removed jsonb NOT NULL,
  steps jsonb NOT NULL,
  leftovers jsonb NOT NULL,
  plan jsonb NOT NULL,
  key_id text NOT NULL,
  access bytea NOT NULL,
  attempts integer NOT NULL,
  lease text NOT NULL,
  leased timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX removals_organization ON removals (organization_id, id);
CREATE INDEX removals_open ON removals (id) WHERE ended_at IS NULL;

-- +goose Down
DROP TABLE removals;
DROP TABLE setups;
