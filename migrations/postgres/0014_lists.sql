-- +goose Up
-- What a look-up in Entra found of groups that the settings name by their display name alone.
CREATE TABLE group_names (
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  name_key text NOT NULL,
  external_id text COLLATE "C" NOT NULL, -- '' where there is not exactly one such group
  found integer NOT NULL,
  looked_at timestamptz NOT NULL,
  PRIMARY KEY (integration_id, name_key),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);

-- Distribution lists. Their members are those of the mirror's group with the same object id.
CREATE TABLE lists (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  email text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('microsoft365', 'mail_enabled_security', 'distribution')),
  state text NOT NULL CHECK (state IN ('pending', 'ready')),
  members integer NOT NULL,
  without_account integer NOT NULL,
  fingerprint text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX lists_organization ON lists (organization_id, id);
CREATE UNIQUE INDEX lists_external_id ON lists (integration_id, external_id);

-- Pictures of accounts as Entra has them. A row without a picture says when it was looked for. Accounts have no foreign key,
-- for the sake of every push; what deletes one deletes its picture. An integration that goes leaves the pictures, as it does the rest
-- of the accounts.
CREATE TABLE account_photos (
  account_id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  integration_id uuid NOT NULL,
  etag text NOT NULL,
  content_type text NOT NULL, -- '' where there is none
  bytes bytea,
  looked_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE INDEX account_photos_organization ON account_photos (organization_id);
ALTER TABLE account_photos ALTER bytes SET STATISTICS 0;

-- +goose Down
DROP TABLE account_photos;
DROP TABLE lists;
DROP TABLE group_names;
