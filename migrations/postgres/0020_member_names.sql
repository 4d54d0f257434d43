-- +goose Up
-- A membership has the name of its member, so that a group is read without a look at each of them.
ALTER TABLE memberships ADD COLUMN display text NOT NULL DEFAULT '';
UPDATE memberships m SET display = u.display_name FROM directory_users u WHERE u.id = m.member_id AND u.display_name <> '';
UPDATE memberships m SET display = g.display_name FROM directory_groups g WHERE g.id = m.member_id AND g.display_name <> '';
ALTER TABLE memberships ALTER COLUMN display DROP DEFAULT;

-- +goose Down
ALTER TABLE memberships DROP COLUMN display;
