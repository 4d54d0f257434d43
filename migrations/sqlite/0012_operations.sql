-- +goose Up
-- What is to be done, or was done, in a tenant of Entra. One that is open has not ended. The sealed column holds the password of a
-- user who is to be made, until Entra has it.
CREATE TABLE operations (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  open BOOLEAN NOT NULL,
  subject TEXT NOT NULL,
  claim TEXT NOT NULL,
  user_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  account_id TEXT,
  automatic BOOLEAN NOT NULL,
  actor TEXT NOT NULL,
  request TEXT NOT NULL,
  error TEXT,
  result TEXT NOT NULL,
  key_id TEXT NOT NULL,
  sealed BLOB,
  sealed_until TIMESTAMP,
  at TIMESTAMP,
  next_at TIMESTAMP NOT NULL,
  failures INTEGER NOT NULL,
  lease TEXT NOT NULL,
  leased_until TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  started_at TIMESTAMP,
  finished_at TIMESTAMP,
  updated_at TIMESTAMP NOT NULL,
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
  operation_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  organization_id TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  sent BOOLEAN NOT NULL,
  attempts INTEGER NOT NULL,
  code TEXT NOT NULL,
  outcome TEXT NOT NULL,
  request_id TEXT NOT NULL,
  started_at TIMESTAMP,
  finished_at TIMESTAMP,
  PRIMARY KEY (operation_id, position),
  FOREIGN KEY (organization_id, operation_id) REFERENCES operations (organization_id, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE operation_steps;
DROP TABLE operations;
