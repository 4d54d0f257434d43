-- +goose Up
-- What every push writes, made cheaper (docs/decisions/0008). Keys are folded text that nothing sorts for people: they are
-- compared byte by byte, as on SQLite, and not by the rules of a language.
ALTER TABLE accounts ALTER COLUMN email_key TYPE text COLLATE "C", ALTER COLUMN user_name_key TYPE text COLLATE "C";
ALTER TABLE employees ALTER COLUMN email_key TYPE text COLLATE "C";
ALTER TABLE directory_users ALTER COLUMN user_name_key TYPE text COLLATE "C", ALTER COLUMN email_key TYPE text COLLATE "C",
  ALTER COLUMN external_id TYPE text COLLATE "C";
ALTER TABLE directory_groups ALTER COLUMN display_name_key TYPE text COLLATE "C", ALTER COLUMN external_id TYPE text COLLATE "C";
ALTER TABLE activities ALTER COLUMN subject_id TYPE text COLLATE "C";

-- Most accounts have their e-mail as userName: the index of e-mails finds them.
DROP INDEX accounts_user_name;
CREATE INDEX accounts_user_name ON accounts (user_name_key, organization_id) WHERE user_name_key <> email_key;

-- PostgreSQL reads and compiles a CHECK for every statement. The one write path writes constants here.
ALTER TABLE accounts DROP CONSTRAINT accounts_status_check, DROP CONSTRAINT accounts_origin_check;
ALTER TABLE memberships DROP CONSTRAINT memberships_member_type_check;

-- +goose Down
ALTER TABLE memberships ADD CONSTRAINT memberships_member_type_check CHECK (member_type IN ('User', 'Group'));
ALTER TABLE accounts ADD CONSTRAINT accounts_status_check CHECK (status IN ('active', 'deactivated', 'archived')),
  ADD CONSTRAINT accounts_origin_check CHECK (origin IN ('directory', 'manual'));
DROP INDEX accounts_user_name;
CREATE INDEX accounts_user_name ON accounts (user_name_key, organization_id) WHERE user_name_key <> '';
ALTER TABLE activities ALTER COLUMN subject_id TYPE text COLLATE "default";
ALTER TABLE directory_groups ALTER COLUMN display_name_key TYPE text COLLATE "default", ALTER COLUMN external_id TYPE text COLLATE "default";
ALTER TABLE directory_users ALTER COLUMN user_name_key TYPE text COLLATE "default", ALTER COLUMN email_key TYPE text COLLATE "default",
  ALTER COLUMN external_id TYPE text COLLATE "default";
ALTER TABLE employees ALTER COLUMN email_key TYPE text COLLATE "default";
ALTER TABLE accounts ALTER COLUMN email_key TYPE text COLLATE "default", ALTER COLUMN user_name_key TYPE text COLLATE "default";
