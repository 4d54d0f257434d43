-- +goose Up
ALTER TABLE scim_tokens ADD COLUMN warned_days INTEGER;
CREATE INDEX scim_tokens_expiring ON scim_tokens (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE scim_clients (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  name TEXT NOT NULL,
  token_minutes INTEGER NOT NULL CHECK (token_minutes BETWEEN 60 AND 360),
  last_used_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX scim_clients_integration ON scim_clients (organization_id, integration_id, id);

CREATE TABLE scim_client_secrets (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  expires_at TIMESTAMP,
  last_used_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  warned_days INTEGER,
  FOREIGN KEY (organization_id, integration_id, client_id)
    REFERENCES scim_clients (organization_id, integration_id, id) ON DELETE CASCADE
);
CREATE INDEX scim_client_secrets_client ON scim_client_secrets (client_id, id);
CREATE INDEX scim_client_secrets_expiring ON scim_client_secrets (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE scim_client_federations (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  cloud TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  audience TEXT NOT NULL,
  jwks_url TEXT NOT NULL,
  last_used_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, integration_id, client_id)
    REFERENCES scim_clients (organization_id, integration_id, id) ON DELETE CASCADE
);
CREATE INDEX scim_client_federations_client ON scim_client_federations (client_id, id);
CREATE INDEX scim_client_federations_subject ON scim_client_federations (subject);

-- +goose Down
DROP TABLE scim_client_federations;
DROP TABLE scim_client_secrets;
DROP TABLE scim_clients;
DROP INDEX scim_tokens_expiring;
ALTER TABLE scim_tokens DROP COLUMN warned_days;
