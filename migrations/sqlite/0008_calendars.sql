-- +goose Up
-- What a thing belongs to is part of its foreign key together with the organization, so that nothing ever hangs below
-- something of another one, and goes with it. Ids that Microsoft 365 gave tell capital letters from small ones.
CREATE TABLE rooms (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  display_name TEXT NOT NULL,
  capacity INTEGER NOT NULL,
  building TEXT NOT NULL,
  floor TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX rooms_organization ON rooms (organization_id, id);
CREATE UNIQUE INDEX rooms_integration ON rooms (organization_id, integration_id, id);
CREATE UNIQUE INDEX rooms_email ON rooms (integration_id, email_key);

-- Accounts have no foreign key, for the sake of every push; what deletes one deletes its mailboxes.
CREATE TABLE mailboxes (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  account_id TEXT,
  room_id TEXT,
  graph_user_id TEXT NOT NULL,
  address TEXT NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  tried_at TIMESTAMP,
  retry_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
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
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  mailbox_id TEXT NOT NULL,
  account_id TEXT,
  room_id TEXT,
  graph_id TEXT NOT NULL,
  name TEXT NOT NULL,
  is_default BOOLEAN NOT NULL,
  can_edit BOOLEAN NOT NULL,
  enabled BOOLEAN NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  sync_link TEXT NOT NULL,
  sync_in_round BOOLEAN NOT NULL,
  sync_full BOOLEAN NOT NULL,
  sync_round INTEGER NOT NULL,
  sync_from TIMESTAMP NOT NULL,
  sync_to TIMESTAMP NOT NULL,
  sync_dirty INTEGER NOT NULL,
  sync_clean INTEGER NOT NULL,
  sync_queued BOOLEAN NOT NULL,
  sync_leased TIMESTAMP,
  sync_lease TEXT NOT NULL,
  sync_synced_at TIMESTAMP,
  sync_changed_at TIMESTAMP,
  sync_failures INTEGER NOT NULL,
  sync_error TEXT NOT NULL,
  sync_next_at TIMESTAMP,
  sync_swept_at TIMESTAMP,
  sync_pages INTEGER NOT NULL,
  sync_last_page TEXT NOT NULL,
  sync_again_after TIMESTAMP,
  sub_state TEXT NOT NULL,
  sub_graph_id TEXT NOT NULL,
  sub_secret_hash TEXT NOT NULL,
  sub_expires_at TIMESTAMP,
  sub_renew_at TIMESTAMP,
  sub_touched_at TIMESTAMP,
  sub_notified_at TIMESTAMP,
  sub_failures INTEGER NOT NULL,
  sub_detail TEXT NOT NULL,
  sub_unsupported BOOLEAN NOT NULL,
  FOREIGN KEY (organization_id, integration_id, mailbox_id) REFERENCES mailboxes (organization_id, integration_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX calendars_organization ON calendars (organization_id, id);
CREATE UNIQUE INDEX calendars_integration ON calendars (organization_id, integration_id, id);
CREATE UNIQUE INDEX calendars_mailbox ON calendars (mailbox_id, graph_id);
CREATE INDEX calendars_account ON calendars (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX calendars_room ON calendars (room_id, id) WHERE room_id IS NOT NULL;
CREATE INDEX calendars_changed ON calendars (sync_changed_at) WHERE enabled AND sync_changed_at IS NOT NULL;
CREATE INDEX calendars_next ON calendars (sync_next_at) WHERE enabled AND sync_next_at IS NOT NULL;
CREATE INDEX calendars_subscribing ON calendars (sub_state, sub_renew_at) WHERE enabled AND sub_state <> 'none';
CREATE INDEX calendars_subscription ON calendars (sub_graph_id) WHERE sub_graph_id <> '';

CREATE TABLE events (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  calendar_id TEXT NOT NULL,
  graph_id TEXT NOT NULL,
  ical_uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  series_id TEXT,
  series_graph_id TEXT NOT NULL,
  original_start TIMESTAMP,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  location TEXT NOT NULL,
  location_email TEXT NOT NULL,
  start_date_time TEXT NOT NULL,
  start_time_zone TEXT NOT NULL,
  start_utc TIMESTAMP NOT NULL,
  end_date_time TEXT NOT NULL,
  end_time_zone TEXT NOT NULL,
  end_utc TIMESTAMP NOT NULL,
  all_day BOOLEAN NOT NULL,
  show_as TEXT NOT NULL,
  sensitivity TEXT NOT NULL,
  status TEXT NOT NULL,
  response TEXT NOT NULL,
  is_organizer BOOLEAN NOT NULL,
  organizer TEXT NOT NULL,
  attendees TEXT NOT NULL,
  recurrence TEXT,
  meeting_url TEXT NOT NULL,
  origin TEXT NOT NULL,
  sync_state TEXT NOT NULL,
  sync_error TEXT NOT NULL,
  change_key TEXT NOT NULL,
  hash TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, integration_id, calendar_id) REFERENCES calendars (organization_id, integration_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX events_graph ON events (calendar_id, graph_id) WHERE graph_id <> '';
CREATE INDEX events_window ON events (calendar_id, start_utc, end_utc);
CREATE INDEX events_series ON events (calendar_id, series_graph_id) WHERE series_graph_id <> '';
CREATE INDEX events_ical_uid ON events (ical_uid, organization_id) WHERE ical_uid <> '';

-- A write outlives its event, so that the echo of a deletion is recognized.
CREATE TABLE event_writes (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  calendar_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  op TEXT NOT NULL,
  draft TEXT,
  base TEXT,
  change_key TEXT NOT NULL,
  comment TEXT NOT NULL,
  sent BOOLEAN NOT NULL,
  attempts INTEGER NOT NULL,
  next_at TIMESTAMP NOT NULL,
  error TEXT NOT NULL,
  done BOOLEAN NOT NULL,
  result_key TEXT NOT NULL,
  result_hash TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  FOREIGN KEY (organization_id, integration_id, calendar_id) REFERENCES calendars (organization_id, integration_id, id) ON DELETE CASCADE
);
-- The first one is for all of a calendar that is deleted, too.
CREATE INDEX event_writes_calendar ON event_writes (calendar_id, done, id);
CREATE INDEX event_writes_event ON event_writes (event_id, id);
CREATE INDEX event_writes_done ON event_writes (updated_at) WHERE done;

-- What was asked with an Idempotency-Key, and what was answered.
CREATE TABLE idempotent_requests (
  organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  done BOOLEAN NOT NULL,
  answer TEXT,
  created_at TIMESTAMP NOT NULL,
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
