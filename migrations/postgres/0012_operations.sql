-- +goose Up
-- What is to be done, or was done, in a tenant of Entra. One that is open has not ended. The sealed column holds the password of a
-- user who is to be made, until Entra has it.
CREATE TABLE operations (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  kind text NOT NULL,
  state text NOT NULL,
  open boolean NOT NULL,
  subject text COLLATE "C" NOT NULL,
  claim text COLLATE "C" NOT NULL,
  user_id text NOT NULL,
  user_name text NOT NULL,
  account_id uuid,
  automatic boolean NOT NULL,
  actor text NOT NULL,
  request json NOT NULL,
  error json,
  result json NOT NULL,
  key_id text NOT NULL,
  sealed bytea,
  sealed_until timestamptz,
  at timestamptz,
  next_at timestamptz NOT NULL,
  failures integer NOT NULL,
  lease text NOT NULL,
  leased_until timestamptz,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX operations_organization ON operations (organization_id, id);
CREATE INDEX operations_integration ON operations (integration_id, id);
-- The same thing is not asked for twice at once.
CREATE UNIQUE INDEX operations_claim ON operations (integration_id, subject, claim) WHERE open;
CREATE INDEX operations_due ON operations (next_at) WHERE open;
CREATE INDEX operations_sealed ON operations (sealed_until) WHERE sealed IS NOT NULL;
CREATE INDEX operations_account ON operations (account_id) WHERE account_id IS NOT NULL;

-- The steps of an operation, each with what is known of it.
CREATE TABLE operation_steps (
  operation_id uuid NOT NULL,
  position integer NOT NULL,
  organization_id uuid NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  sent boolean NOT NULL,
  attempts integer NOT NULL,
  code text NOT NULL,
  outcome text NOT NULL,
  request_id text NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (operation_id, position),
  FOREIGN KEY (organization_id, operation_id) REFERENCES operations (organization_id, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE operation_steps;
DROP TABLE operations;
