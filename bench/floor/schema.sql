-- The least that answers what the benchmark sends: the same rows and unique keys
-- as a SCIM server needs, an index for each filter, and one audit row in the
-- transaction of each change. No settings, no accounts, no rules.
CREATE TABLE users (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_name    text NOT NULL,
  external_id  text,
  mail         text,
  department   text,
  display_name text,
  active       boolean NOT NULL,
  document     jsonb NOT NULL,
  version      bigint NOT NULL DEFAULT 1,
  created      timestamptz NOT NULL DEFAULT now(),
  modified     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_name ON users (lower(user_name));
CREATE UNIQUE INDEX users_external_id ON users (external_id);
CREATE INDEX users_mail ON users (lower(mail));
CREATE INDEX users_department ON users (lower(department));
CREATE INDEX users_order ON users (created, id);

CREATE TABLE groups (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  display_name text NOT NULL,
  external_id  text,
  version      bigint NOT NULL DEFAULT 1,
  created      timestamptz NOT NULL DEFAULT now(),
  modified     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX groups_name ON groups (lower(display_name));

CREATE TABLE members (
  group_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
  user_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  PRIMARY KEY (group_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE audit (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT now(),
  action   text NOT NULL,
  subject  uuid NOT NULL,
  detail   jsonb
);
