-- +goose Up
-- A membership has the name of its member, so that a group is read without a look at each of them.
ALTER TABLE memberships ADD COLUMN display TEXT NOT NULL DEFAULT '';
UPDATE memberships SET display = coalesce((SELECT u.display_name FROM directory_users u WHERE u.id = memberships.member_id),
  (SELECT g.display_name FROM directory_groups g WHERE g.id = memberships.member_id), '');

-- +goose Down
ALTER TABLE memberships DROP COLUMN display;
