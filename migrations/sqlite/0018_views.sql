-- +goose Up
-- Whose master is an Active Directory, asked for by people. Queries repeat the expression as it stands here.
CREATE INDEX directory_users_hybrid ON directory_users (integration_id, id)
  WHERE json_extract(document, '$."urn:ietf:params:scim:schemas:extension:usher:2.0:User".onPremisesSyncEnabled') IN (1, 'true', 'True');

-- The archived are few among the deactivated, or the other way round.
DROP INDEX accounts_put_away;
CREATE INDEX accounts_put_away ON accounts (organization_id, status, id) WHERE status <> 'active';

-- Plans that wait for somebody.
CREATE INDEX runs_held ON runs (organization_id, id) WHERE state = 'held';

-- What of the calendars needs somebody's eye.
CREATE INDEX mailboxes_blocked ON mailboxes (organization_id, integration_id) WHERE enabled AND state = 'blocked';
CREATE INDEX calendars_unsubscribed ON calendars (organization_id, integration_id) WHERE enabled AND sub_state = 'failed';

-- What an operator has seen and does not want to be told of again until it happens anew. What happened is named by occurrence.
CREATE TABLE acknowledgements (
  organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
  alarm TEXT NOT NULL,
  occurrence TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TIMESTAMP NOT NULL,
  PRIMARY KEY (organization_id, alarm)
);

-- +goose Down
DROP TABLE acknowledgements;
DROP INDEX calendars_unsubscribed;
DROP INDEX mailboxes_blocked;
DROP INDEX runs_held;
DROP INDEX accounts_put_away;
CREATE INDEX accounts_put_away ON accounts (organization_id, id) WHERE status <> 'active';
DROP INDEX directory_users_hybrid;
