-- +goose Up
-- Rows outlive what they tell of, and go when they are old; so there is no foreign key. They are written behind the
-- answers, in batches.
CREATE TABLE scim_requests (
  id TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  occurred_at TIMESTAMP NOT NULL,
  duration_us INTEGER NOT NULL,
  status INTEGER NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  summary TEXT NOT NULL,
  subject_type TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  subject_key TEXT NOT NULL,
  result TEXT NOT NULL,
  scim_type TEXT NOT NULL,
  detail TEXT NOT NULL,
  rule TEXT NOT NULL,
  deviations TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  credential_name TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  remote_address TEXT NOT NULL,
  exchange BLOB NOT NULL,
  PRIMARY KEY (organization_id, integration_id, id)
);
CREATE INDEX scim_requests_subject_id ON scim_requests (integration_id, subject_id, id) WHERE subject_id <> '';
CREATE INDEX scim_requests_subject ON scim_requests (integration_id, subject_key, id) WHERE subject_key <> '';
CREATE INDEX scim_requests_errors ON scim_requests (integration_id, id) WHERE status >= 400;

CREATE TABLE scim_rejections (
  id TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  hour TIMESTAMP NOT NULL,
  cause TEXT NOT NULL,
  remote_address TEXT NOT NULL,
  token_id TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  count INTEGER NOT NULL,
  first_at TIMESTAMP NOT NULL,
  last_at TIMESTAMP NOT NULL,
  PRIMARY KEY (organization_id, integration_id, id)
);

-- +goose Down
DROP TABLE scim_rejections;
DROP TABLE scim_requests;
