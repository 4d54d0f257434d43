-- +goose Up
-- What imports over Microsoft Graph read. It is kept apart from the mirror until a run applies it. Object ids are Entra's.

-- How far the reading of an integration's tenant has come. Links are the whole addresses that Graph gave.
CREATE TABLE import_states (
  integration_id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  step INTEGER NOT NULL,      -- rises with everything that is stored of a round
  round INTEGER NOT NULL,
  stage TEXT NOT NULL,        -- what the round does next; '' between rounds
  mark INTEGER NOT NULL,      -- of the last reading that began anew
  cursor TEXT NOT NULL,       -- within the stage
  begun_at TIMESTAMP,
  moved_at TIMESTAMP,         -- when a page was last stored
  finished_at TIMESTAMP,      -- when the last round ended
  full_at TIMESTAMP,          -- when the last round ended that read everybody
  bin_at TIMESTAMP,           -- when deleted users were last looked at
  made_for TEXT NOT NULL,     -- what of the settings the users are read by
  reach TEXT NOT NULL,        -- the groups whose members are in scope, condensed
  absent INTEGER NOT NULL,    -- members that could not be read in the last round
  users_link TEXT NOT NULL,   -- of the last round that ended
  users_next TEXT NOT NULL,   -- of the round under way
  users_later TEXT NOT NULL,  -- taken before users are read by id; the link of the next round
  users_at TIMESTAMP,         -- when users_link was given
  users_mode TEXT NOT NULL,   -- of the round under way: delta, all or ids
  users_mark INTEGER NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);

-- At most 50 groups that are read together by one delta.
CREATE TABLE import_links (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  link TEXT NOT NULL,
  next TEXT NOT NULL,
  linked_at TIMESTAMP,
  mark INTEGER NOT NULL,      -- of a reading from the beginning that is under way; 0 where changes are read
  ended INTEGER NOT NULL,     -- the round that it was last read to the end in
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX import_links_integration ON import_links (integration_id);

-- The groups that are read. group_id is the id that the group has, or will have, in the mirror. What a round has read counts
-- when the round has ended; until then it stands in the columns that begin with new_.
CREATE TABLE import_groups (
  integration_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  organization_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  link_id TEXT NOT NULL,
  root BOOLEAN NOT NULL,      -- the settings name it; else it is nested in one that they name
  display_name TEXT NOT NULL, -- '' before it was found
  gone TEXT NOT NULL,         -- why it does not count, '' where it does
  members INTEGER NOT NULL,   -- direct ones, when the last round ended
  seen INTEGER NOT NULL,      -- the mark of the last reading that found it
  touched INTEGER NOT NULL,   -- the last round that read something of its members
  new_name TEXT NOT NULL,
  new_gone TEXT NOT NULL,
  PRIMARY KEY (integration_id, object_id),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);

-- Who is a direct member of the groups that are read. What a round has read counts when the round has ended: until then there are
-- members that joined in it, and members that are leaving. What deletes an integration deletes them: foreign keys would cost
-- every row.
CREATE TABLE import_members (
  group_id TEXT NOT NULL,
  member_id TEXT NOT NULL,    -- object id
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  nested BOOLEAN NOT NULL,    -- the member is a group
  round INTEGER NOT NULL,     -- that it joined in, as far as is known
  leaving BOOLEAN NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (group_id, member_id)
) WITHOUT ROWID;
CREATE INDEX import_members_member ON import_members (integration_id, member_id, group_id);
CREATE INDEX import_members_nested ON import_members (integration_id) WHERE nested;

-- Whom the next run has to look at. user_id is the id that the person has, or will have, in the mirror. incoming marks what a
-- round under way has read.
CREATE TABLE import_users (
  integration_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  incoming BOOLEAN NOT NULL,
  organization_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  user_name_key TEXT NOT NULL,
  document TEXT,              -- NULL where the attributes are as the mirror has them
  gone TEXT NOT NULL,         -- recycled or deleted, '' where the user is there
  doubt BOOLEAN NOT NULL,     -- the round has read both that the user is there and that it is not
  seen INTEGER NOT NULL,
  PRIMARY KEY (integration_id, object_id, incoming)
);
CREATE UNIQUE INDEX import_users_user ON import_users (integration_id, user_id) WHERE NOT incoming;

-- +goose Down
DROP TABLE import_users;
DROP TABLE import_members;
DROP TABLE import_groups;
DROP TABLE import_links;
DROP TABLE import_states;
