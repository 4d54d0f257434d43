-- +goose Up
-- Rows outlive what they tell of, and go when they are old; so there is no foreign key. They are written behind the
-- answers, in batches.
CREATE TABLE scim_requests (
  id uuid NOT NULL,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  occurred_at timestamptz NOT NULL,
  duration_us bigint NOT NULL,
  status integer NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  summary text NOT NULL,
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  subject text NOT NULL,
  subject_key text NOT NULL,
  result text NOT NULL,
  scim_type text NOT NULL,
  detail text NOT NULL,
  rule text NOT NULL,
  deviations json NOT NULL,
  credential_id text NOT NULL,
  credential_name text NOT NULL,
  user_agent text NOT NULL,
  remote_address text NOT NULL,
  exchange bytea NOT NULL,
  PRIMARY KEY (organization_id, integration_id, id)
);
-- It is compressed already.
ALTER TABLE scim_requests ALTER COLUMN exchange SET STORAGE EXTERNAL;
CREATE INDEX scim_requests_subject_id ON scim_requests (integration_id, subject_id, id) WHERE subject_id <> '';
CREATE INDEX scim_requests_subject ON scim_requests (integration_id, subject_key, id) WHERE subject_key <> '';
CREATE INDEX scim_requests_errors ON scim_requests (integration_id, id) WHERE status >= 400;

CREATE TABLE scim_rejections (
  id uuid NOT NULL,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  hour timestamptz NOT NULL,
  cause text NOT NULL,
  remote_address text NOT NULL,
  token_id text NOT NULL,
  user_agent text NOT NULL,
  count bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, integration_id, id)
);

-- +goose Down
DROP TABLE scim_rejections;
DROP TABLE scim_requests;
