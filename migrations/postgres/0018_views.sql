-- +goose Up
-- Whose master is an Active Directory, asked for by people. It is a column, because an index that looks into the document
-- would have every change of a document write all indexes anew.
ALTER TABLE directory_users ADD COLUMN hybrid boolean GENERATED ALWAYS AS
  (lower(document -> 'urn:ietf:params:scim:schemas:extension:usher:2.0:User' ->> 'onPremisesSyncEnabled') = 'true') STORED;
CREATE INDEX directory_users_hybrid ON directory_users (integration_id, id) WHERE hybrid;

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
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  alarm text COLLATE "C" NOT NULL,
  occurrence text NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL,
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
ALTER TABLE directory_users DROP COLUMN hybrid;
