-- +goose Up
-- How operators sign in: what is wrong with their password so far, whom Entra knows them by, where they are signed in, and
-- the links that work once. Sessions and links go with their operator.
ALTER TABLE operators
  ADD COLUMN entra_object_id text NOT NULL DEFAULT '',
  ADD COLUMN failures integer NOT NULL DEFAULT 0,
  ADD COLUMN locked_until timestamptz,
  ADD COLUMN signed_in_at timestamptz;
CREATE UNIQUE INDEX operators_entra ON operators (organization_id, entra_object_id) WHERE entra_object_id <> '';
CREATE UNIQUE INDEX operators_organization ON operators (organization_id, id);

CREATE TABLE operator_sessions (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  operator_id uuid NOT NULL,
  hash text NOT NULL,
  method text NOT NULL CHECK (method IN ('password', 'link', 'entra')),
  user_agent text NOT NULL,
  remote_address text NOT NULL,
  created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, operator_id) REFERENCES operators (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX operator_sessions_operator ON operator_sessions (organization_id, operator_id, id);
CREATE INDEX operator_sessions_expiry ON operator_sessions (expires_at);

CREATE TABLE operator_links (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  operator_id uuid,
  purpose text NOT NULL CHECK (purpose IN ('first', 'password', 'sign_in')),
  hash text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CHECK ((operator_id IS NULL) = (purpose = 'first')),
  FOREIGN KEY (organization_id, operator_id) REFERENCES operators (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX operator_links_operator ON operator_links (organization_id, operator_id);

-- Whom no account belongs to, who is a guest, who was put away and who was made by hand is asked for by people. These indexes hold
-- few rows, and say something of columns that have an index already or change seldom: a push costs nothing more.
CREATE INDEX accounts_put_away ON accounts (organization_id, id) WHERE status <> 'active';
CREATE INDEX accounts_manual ON accounts (organization_id, id) WHERE origin = 'manual';
CREATE INDEX directory_users_unlinked ON directory_users (integration_id, id) WHERE account_id IS NULL;
CREATE INDEX directory_users_guests ON directory_users (integration_id, id) WHERE user_name_key LIKE '%#ext#%';

-- +goose Down
DROP INDEX accounts_manual;
DROP INDEX accounts_put_away;
DROP INDEX directory_users_guests;
DROP INDEX directory_users_unlinked;
DROP TABLE operator_links;
DROP TABLE operator_sessions;
DROP INDEX operators_organization;
DROP INDEX operators_entra;
ALTER TABLE operators
  DROP COLUMN entra_object_id,
  DROP COLUMN failures,
  DROP COLUMN locked_until,
  DROP COLUMN signed_in_at;
