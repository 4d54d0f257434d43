-- +goose Up
-- What imports over Microsoft Graph read. It is kept apart from the mirror until a run applies it. Object ids are Entra's.

-- How far the reading of an integration's tenant has come. Links are the whole addresses that Graph gave.
CREATE TABLE import_states (
  integration_id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  step bigint NOT NULL,      -- rises with everything that is stored of a round
  round bigint NOT NULL,
  stage text NOT NULL,        -- what the round does next; '' between rounds
  mark bigint NOT NULL,      -- of the last reading that began anew
  cursor text NOT NULL,       -- within the stage
  begun_at timestamptz,
  moved_at timestamptz,         -- when a page was last stored
  finished_at timestamptz,      -- when the last round ended
  full_at timestamptz,          -- when the last round ended that read everybody
  bin_at timestamptz,           -- when deleted users were last looked at
  made_for text NOT NULL,     -- what of the settings the users are read by
  reach text NOT NULL,        -- the groups whose members are in scope, condensed
  absent bigint NOT NULL,    -- members that could not be read in the last round
  users_link text NOT NULL,   -- of the last round that ended
  users_next text NOT NULL,   -- of the round under way
  users_later text NOT NULL,  -- taken before users are read by id; the link of the next round
  users_at timestamptz,         -- when users_link was given
  users_mode text NOT NULL,   -- of the round under way: delta, all or ids
  users_mark bigint NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);

-- At most 50 groups that are read together by one delta.
CREATE TABLE import_links (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  link text NOT NULL,
  next text NOT NULL,
  linked_at timestamptz,
  mark bigint NOT NULL,      -- of a reading from the beginning that is under way; 0 where changes are read
  ended bigint NOT NULL,     -- the round that it was last read to the end in
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX import_links_integration ON import_links (integration_id);

-- The groups that are read. group_id is the id that the group has, or will have, in the mirror. What a round has read counts
-- when the round has ended; until then it stands in the columns that begin with new_.
CREATE TABLE import_groups (
  integration_id uuid NOT NULL,
  object_id text COLLATE "C" NOT NULL,
  organization_id uuid NOT NULL,
  group_id uuid NOT NULL,
  link_id uuid NOT NULL,
  root boolean NOT NULL,      -- the settings name it; else it is nested in one that they name
  display_name text NOT NULL, -- '' before it was found
  gone text NOT NULL,         -- why it does not count, '' where it does
  members bigint NOT NULL,   -- direct ones, when the last round ended
  seen bigint NOT NULL,      -- the mark of the last reading that found it
  touched bigint NOT NULL,   -- the last round that read something of its members
  new_name text NOT NULL,
  new_gone text NOT NULL,
  PRIMARY KEY (integration_id, object_id),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);

-- Who is a direct member of the groups that are read. What a round has read counts when the round has ended: until then there are
-- members that joined in it, and members that are leaving. What deletes an integration deletes them: foreign keys would cost
-- every row.
CREATE TABLE import_members (
  group_id uuid NOT NULL,
  member_id text COLLATE "C" NOT NULL,    -- object id
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  nested boolean NOT NULL,    -- the member is a group
  round bigint NOT NULL,     -- that it joined in, as far as is known
  leaving boolean NOT NULL,
  seen bigint NOT NULL,
  PRIMARY KEY (group_id, member_id)
) WITH (fillfactor = 80);
CREATE INDEX import_members_member ON import_members (integration_id, member_id, group_id);
CREATE INDEX import_members_nested ON import_members (integration_id) WHERE nested;

-- Whom the next run has to look at. user_id is the id that the person has, or will have, in the mirror. incoming marks what a
-- round under way has read.
CREATE TABLE import_users (
  integration_id uuid NOT NULL,
  object_id text COLLATE "C" NOT NULL,
  incoming boolean NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  user_name_key text COLLATE "C" NOT NULL,
  document jsonb,              -- NULL where the attributes are as the mirror has them
  gone text NOT NULL,         -- recycled or deleted, '' where the user is there
  doubt boolean NOT NULL,     -- the round has read both that the user is there and that it is not
  seen bigint NOT NULL,
  PRIMARY KEY (integration_id, object_id, incoming)
);
ALTER TABLE import_users ALTER document SET STATISTICS 0, ALTER document SET STORAGE MAIN;
CREATE UNIQUE INDEX import_users_user ON import_users (integration_id, user_id) WHERE NOT incoming;

-- +goose Down
DROP TABLE import_users;
DROP TABLE import_members;
DROP TABLE import_groups;
DROP TABLE import_links;
DROP TABLE import_states;
