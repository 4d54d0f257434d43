-- +goose Up
-- What a look-up in Entra found of groups that the settings name by their display name alone.
CREATE TABLE group_names (
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  name_key TEXT NOT NULL,
  external_id TEXT NOT NULL, -- '' where there is not exactly one such group
  found INTEGER NOT NULL,
  looked_at TIMESTAMP NOT NULL,
  PRIMARY KEY (integration_id, name_key),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);

-- Distribution lists. Their members are those of the mirror's group with the same object id.
CREATE TABLE lists (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  display_name TEXT NOT NULL,
  email TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('microsoft365', 'mail_enabled_security', 'distribution')),
  state TEXT NOT NULL CHECK (state IN ('pending', 'ready')),
  members INTEGER NOT NULL,
  without_account INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX lists_organization ON lists (organization_id, id);
CREATE UNIQUE INDEX lists_external_id ON lists (integration_id, external_id);

-- Pictures of accounts as Entra has them. A row without a picture says when it was looked for. Accounts have no foreign key,
-- for the sake of every push; what deletes one deletes its picture. An integration that goes leaves the pictures, as it does the rest
-- of the accounts.
CREATE TABLE account_photos (
  account_id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
  integration_id TEXT NOT NULL,
  etag TEXT NOT NULL,
  content_type TEXT NOT NULL, -- '' where there is none
  bytes BLOB,
  looked_at TIMESTAMP NOT NULL,
  changed_at TIMESTAMP NOT NULL
);
CREATE INDEX account_photos_organization ON account_photos (organization_id);

-- +goose Down
DROP TABLE account_photos;
DROP TABLE lists;
DROP TABLE group_names;
