-- +goose Up
-- What a thing belongs to is part of its foreign key together with the organization, so that nothing ever hangs below
-- something of another one, and goes with it. Ids that Microsoft 365 gave tell capital letters from small ones.
CREATE TABLE rooms (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  email text NOT NULL,
  email_key text COLLATE "C" NOT NULL,
  display_name text NOT NULL,
  capacity integer NOT NULL,
  building text NOT NULL,
  floor text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX rooms_organization ON rooms (organization_id, id);
CREATE UNIQUE INDEX rooms_integration ON rooms (organization_id, integration_id, id);
CREATE UNIQUE INDEX rooms_email ON rooms (integration_id, email_key);

-- Accounts have no foreign key, for the sake of every push; what deletes one deletes its mailboxes.
CREATE TABLE mailboxes (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  account_id uuid,
  room_id uuid,
  graph_user_id text COLLATE "C" NOT NULL,
  address text NOT NULL,
  state text NOT NULL,
  detail text NOT NULL,
  enabled boolean NOT NULL,
  tried_at timestamptz,
  retry_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((account_id IS NULL) <> (room_id IS NULL)),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE,
  FOREIGN KEY (organization_id, integration_id, room_id) REFERENCES rooms (organization_id, integration_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX mailboxes_integration ON mailboxes (organization_id, integration_id, id);
CREATE UNIQUE INDEX mailboxes_account ON mailboxes (account_id, integration_id) WHERE account_id IS NOT NULL;
CREATE UNIQUE INDEX mailboxes_room ON mailboxes (room_id, integration_id) WHERE room_id IS NOT NULL;
CREATE INDEX mailboxes_pending ON mailboxes (integration_id) WHERE state = 'pending';
CREATE INDEX mailboxes_retry ON mailboxes (integration_id, retry_at) WHERE retry_at IS NOT NULL;

-- A notification changes sync_dirty and, where it is the first, sync_queued and sync_changed_at: of these only the last one is
-- in an index, so that most notifications write no index.
CREATE TABLE calendars (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  mailbox_id uuid NOT NULL,
  account_id uuid,
  room_id uuid,
  graph_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  is_default boolean NOT NULL,
  can_edit boolean NOT NULL,
  enabled boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  sync_link text NOT NULL,
  sync_in_round boolean NOT NULL,
  sync_full boolean NOT NULL,
  sync_round bigint NOT NULL,
  sync_from timestamptz NOT NULL,
  sync_to timestamptz NOT NULL,
  sync_dirty bigint NOT NULL,
  sync_clean bigint NOT NULL,
  sync_queued boolean NOT NULL,
  sync_leased timestamptz,
  sync_lease text NOT NULL,
  sync_synced_at timestamptz,
  sync_changed_at timestamptz,
  sync_failures integer NOT NULL,
  sync_error text NOT NULL,
  sync_next_at timestamptz,
  sync_swept_at timestamptz,
  sync_pages integer NOT NULL,
  sync_last_page text NOT NULL,
  sync_again_after timestamptz,
  sub_state text COLLATE "C" NOT NULL,
  sub_graph_id text COLLATE "C" NOT NULL,
  sub_secret_hash text NOT NULL,
  sub_expires_at timestamptz,
  sub_renew_at timestamptz,
  sub_touched_at timestamptz,
  sub_notified_at timestamptz,
  sub_failures integer NOT NULL,
  sub_detail text NOT NULL,
  sub_unsupported boolean NOT NULL,
  FOREIGN KEY (organization_id, integration_id, mailbox_id) REFERENCES mailboxes (organization_id, integration_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX calendars_organization ON calendars (organization_id, id);
CREATE UNIQUE INDEX calendars_integration ON calendars (organization_id, integration_id, id);
CREATE UNIQUE INDEX calendars_mailbox ON calendars (mailbox_id, graph_id);
CREATE INDEX calendars_account ON calendars (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX calendars_room ON calendars (room_id, id) WHERE room_id IS NOT NULL;
CREATE INDEX calendars_changed ON calendars (sync_changed_at) WHERE enabled AND sync_changed_at IS NOT NULL;
CREATE INDEX calendars_next ON calendars (sync_next_at) WHERE enabled AND sync_next_at IS NOT NULL;
CREATE INDEX calendars_subscribing ON calendars (sub_state, sub_renew_at) WHERE enabled AND sub_state <> 'none';
CREATE INDEX calendars_subscription ON calendars (sub_graph_id) WHERE sub_graph_id <> '';
ALTER TABLE calendars ALTER name SET STATISTICS 0, ALTER sync_link SET STATISTICS 0, ALTER sync_error SET STATISTICS 0,
  ALTER sync_last_page SET STATISTICS 0, ALTER sub_secret_hash SET STATISTICS 0, ALTER sub_detail SET STATISTICS 0;

CREATE TABLE events (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  calendar_id uuid NOT NULL,
  graph_id text COLLATE "C" NOT NULL,
  ical_uid text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  series_id uuid,
  series_graph_id text COLLATE "C" NOT NULL,
  original_start timestamptz,
  subject text NOT NULL,
  body text NOT NULL,
  location text NOT NULL,
  location_email text NOT NULL,
  start_date_time text NOT NULL,
  start_time_zone text NOT NULL,
  start_utc timestamptz NOT NULL,
  end_date_time text NOT NULL,
  end_time_zone text NOT NULL,
  end_utc timestamptz NOT NULL,
  all_day boolean NOT NULL,
  show_as text COLLATE "C" NOT NULL,
  sensitivity text NOT NULL,
  status text COLLATE "C" NOT NULL,
  response text NOT NULL,
  is_organizer boolean NOT NULL,
  organizer json NOT NULL,
  attendees json NOT NULL,
  recurrence json,
  meeting_url text NOT NULL,
  origin text NOT NULL,
  sync_state text NOT NULL,
  sync_error text NOT NULL,
  change_key text NOT NULL,
  hash text NOT NULL,
  transaction_id text NOT NULL,
  round bigint NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, integration_id, calendar_id) REFERENCES calendars (organization_id, integration_id, id) ON DELETE CASCADE
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX events_graph ON events (calendar_id, graph_id) WHERE graph_id <> '';
CREATE INDEX events_window ON events (calendar_id, start_utc, end_utc);
CREATE INDEX events_series ON events (calendar_id, series_graph_id) WHERE series_graph_id <> '';
CREATE INDEX events_ical_uid ON events (ical_uid, organization_id) WHERE ical_uid <> '';
ALTER TABLE events ALTER subject SET STATISTICS 0, ALTER body SET STATISTICS 0, ALTER location SET STATISTICS 0,
  ALTER organizer SET STATISTICS 0, ALTER attendees SET STATISTICS 0, ALTER recurrence SET STATISTICS 0,
  ALTER meeting_url SET STATISTICS 0, ALTER sync_error SET STATISTICS 0, ALTER change_key SET STATISTICS 0,
  ALTER hash SET STATISTICS 0, ALTER transaction_id SET STATISTICS 0;

-- A write outlives its event, so that the echo of a deletion is recognized.
CREATE TABLE event_writes (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  calendar_id uuid NOT NULL,
  event_id uuid NOT NULL,
  op text NOT NULL,
  draft json,
  base json,
  change_key text NOT NULL,
  comment text NOT NULL,
  sent boolean NOT NULL,
  attempts integer NOT NULL,
  next_at timestamptz NOT NULL,
  error text NOT NULL,
  done boolean NOT NULL,
  result_key text NOT NULL,
  result_hash text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (organization_id, integration_id, calendar_id) REFERENCES calendars (organization_id, integration_id, id) ON DELETE CASCADE
);
-- The first one is for all of a calendar that is deleted, too.
CREATE INDEX event_writes_calendar ON event_writes (calendar_id, done, id);
CREATE INDEX event_writes_event ON event_writes (event_id, id);
CREATE INDEX event_writes_done ON event_writes (updated_at) WHERE done;
ALTER TABLE event_writes ALTER draft SET STATISTICS 0, ALTER base SET STATISTICS 0, ALTER comment SET STATISTICS 0,
  ALTER error SET STATISTICS 0;

-- What was asked with an Idempotency-Key, and what was answered.
CREATE TABLE idempotent_requests (
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  key text COLLATE "C" NOT NULL,
  fingerprint text NOT NULL,
  done boolean NOT NULL,
  answer json,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, key)
);
CREATE INDEX idempotent_requests_age ON idempotent_requests (organization_id, created_at);

-- +goose Down
DROP TABLE idempotent_requests;
DROP TABLE event_writes;
DROP TABLE events;
DROP TABLE calendars;
DROP TABLE mailboxes;
DROP TABLE rooms;
