-- +goose Up
-- The numbers of the values that store.matchKeys chooses, as JSON; NULL where the row was written before there were any. They
-- take the place of the index on e-mail addresses, since every address has its number. SQLite has no index of lists: triggers
-- keep one row for each number, into which the integration is hashed.
ALTER TABLE directory_users ADD COLUMN match_keys TEXT;
CREATE INDEX directory_users_unmatched ON directory_users (integration_id) WHERE match_keys IS NULL;
DROP INDEX directory_users_email;

CREATE TABLE directory_user_keys (
  match_key INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (match_key, user_id)
) WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER directory_users_keyed AFTER INSERT ON directory_users WHEN NEW.match_keys IS NOT NULL BEGIN
  INSERT INTO directory_user_keys (match_key, user_id) SELECT k.value, NEW.id FROM json_each(NEW.match_keys) AS k;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER directory_users_rekeyed AFTER UPDATE OF match_keys ON directory_users
WHEN OLD.match_keys IS NOT NEW.match_keys BEGIN
  DELETE FROM directory_user_keys WHERE user_id = OLD.id AND match_key IN (SELECT k.value FROM json_each(OLD.match_keys) AS k);
  INSERT INTO directory_user_keys (match_key, user_id) SELECT k.value, NEW.id FROM json_each(NEW.match_keys) AS k;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER directory_users_unkeyed AFTER DELETE ON directory_users WHEN OLD.match_keys IS NOT NULL BEGIN
  DELETE FROM directory_user_keys WHERE user_id = OLD.id AND match_key IN (SELECT k.value FROM json_each(OLD.match_keys) AS k);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER directory_users_unkeyed;
DROP TRIGGER directory_users_rekeyed;
DROP TRIGGER directory_users_keyed;
DROP TABLE directory_user_keys;
CREATE INDEX directory_users_email ON directory_users (email_key, integration_id) WHERE email_key <> '';
DROP INDEX directory_users_unmatched;
ALTER TABLE directory_users DROP COLUMN match_keys;
