-- +goose Up
ALTER TABLE scim_tokens ADD COLUMN warned_days integer;
CREATE INDEX scim_tokens_expiring ON scim_tokens (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE scim_clients (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  name text NOT NULL,
  token_minutes integer NOT NULL CHECK (token_minutes BETWEEN 60 AND 360),
  last_used_at timestamptz,
  created_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX scim_clients_integration ON scim_clients (organization_id, integration_id, id);

CREATE TABLE scim_client_secrets (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  client_id uuid NOT NULL,
  hash text NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz NOT NULL,
  warned_days integer,
  FOREIGN KEY (organization_id, integration_id, client_id)
    REFERENCES scim_clients (organization_id, integration_id, id) ON DELETE CASCADE
);
CREATE INDEX scim_client_secrets_client ON scim_client_secrets (client_id, id);
CREATE INDEX scim_client_secrets_expiring ON scim_client_secrets (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE scim_client_federations (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  client_id uuid NOT NULL,
  tenant_id text NOT NULL,
  cloud text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  audience text NOT NULL,
  jwks_url text NOT NULL,
  last_used_at timestamptz,
  created_at timestamptz NOT NULL,
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
