-- +goose Up
-- Most accounts have their e-mail as userName: the index of e-mails finds them.
DROP INDEX accounts_user_name;
CREATE INDEX accounts_user_name ON accounts (user_name_key, organization_id) WHERE user_name_key <> email_key;

-- +goose Down
DROP INDEX accounts_user_name;
CREATE INDEX accounts_user_name ON accounts (user_name_key, organization_id) WHERE user_name_key <> '';
