"""The sandbox's tables. Rows of a list are ordered by ``id``, which is never used twice: pages rely on it.

Triggers keep each Service's counts, since counting a full pool for each add would cost more than the add, and which
participants are active. That no two active ones of a Service share identifier and number, an index sees to.
"""

from __future__ import annotations

APPLICATION_ID = 0x5058_5343  # "PXSC": distinguishes our files from other people's databases
SCHEMA_VERSION = 3

# Statements are separated by an empty line.
_ACCOUNT = """
CREATE TABLE services (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  unique_name TEXT NOT NULL UNIQUE,
  chat_instance_sid TEXT,
  callback_url TEXT,
  default_ttl INTEGER NOT NULL,
  number_selection_behavior TEXT NOT NULL,
  geo_match_level TEXT NOT NULL,
  intercept_callback_url TEXT,
  out_of_session_callback_url TEXT,
  reserved INTEGER NOT NULL DEFAULT 0,
  unreserved INTEGER NOT NULL DEFAULT 0,
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE TABLE numbers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  phone_number TEXT NOT NULL UNIQUE,
  friendly_name TEXT NOT NULL,
  iso_country TEXT NOT NULL,
  type TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  voice_url TEXT NOT NULL,
  voice_method TEXT NOT NULL DEFAULT 'POST',
  voice_fallback_url TEXT NOT NULL DEFAULT '',
  voice_fallback_method TEXT NOT NULL DEFAULT 'POST',
  voice_application_sid TEXT NOT NULL DEFAULT '',
  sms_url TEXT NOT NULL,
  sms_method TEXT NOT NULL DEFAULT 'POST',
  sms_fallback_url TEXT NOT NULL DEFAULT '',
  sms_fallback_method TEXT NOT NULL DEFAULT 'POST',
  sms_application_sid TEXT NOT NULL DEFAULT '',
  status_callback TEXT NOT NULL DEFAULT '',
  status_callback_method TEXT NOT NULL DEFAULT 'POST',
  trunk_sid TEXT,
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE TABLE pool (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service_id INTEGER NOT NULL REFERENCES services (id),
  number_id INTEGER NOT NULL UNIQUE REFERENCES numbers (id),
  is_reserved INTEGER NOT NULL,
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE INDEX pool_order ON pool (service_id);

CREATE TRIGGER pool_join AFTER INSERT ON pool BEGIN
  UPDATE services SET reserved = reserved + new.is_reserved, unreserved = unreserved + 1 - new.is_reserved
  WHERE id = new.service_id; END;

CREATE TRIGGER pool_leave AFTER DELETE ON pool BEGIN
  UPDATE services SET reserved = reserved - old.is_reserved, unreserved = unreserved - 1 + old.is_reserved
  WHERE id = old.service_id; END;

CREATE TRIGGER pool_change AFTER UPDATE OF is_reserved ON pool WHEN old.is_reserved <> new.is_reserved BEGIN
  UPDATE services SET reserved = reserved - old.is_reserved + new.is_reserved,
    unreserved = unreserved + old.is_reserved - new.is_reserved
  WHERE id = new.service_id; END;

CREATE TABLE messaging_services (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  friendly_name TEXT NOT NULL,
  settings TEXT NOT NULL,
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE TABLE messaging_numbers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  messaging_service_id INTEGER NOT NULL REFERENCES messaging_services (id),
  number_id INTEGER NOT NULL UNIQUE REFERENCES numbers (id),
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE INDEX messaging_order ON messaging_numbers (messaging_service_id);
"""
# What version 2 did not have. ``due`` is when an active Session expires, or a closed one is forgotten.
SESSIONS = """
CREATE INDEX pool_unreserved ON pool (service_id) WHERE is_reserved = 0;

ALTER TABLE numbers ADD COLUMN api_version TEXT NOT NULL DEFAULT '2010-04-01';

ALTER TABLE numbers ADD COLUMN voice_caller_id_lookup INTEGER NOT NULL DEFAULT 0;

ALTER TABLE numbers ADD COLUMN voice_receive_mode TEXT NOT NULL DEFAULT 'voice';

ALTER TABLE numbers ADD COLUMN address_sid TEXT;

ALTER TABLE numbers ADD COLUMN identity_sid TEXT;

ALTER TABLE numbers ADD COLUMN bundle_sid TEXT;

ALTER TABLE numbers ADD COLUMN emergency_status TEXT NOT NULL DEFAULT 'Active';

ALTER TABLE numbers ADD COLUMN emergency_address_sid TEXT;

CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  service_id INTEGER NOT NULL REFERENCES services (id),
  unique_name TEXT,
  status TEXT NOT NULL DEFAULT 'open',
  closed_reason TEXT,
  ttl INTEGER NOT NULL,
  mode TEXT NOT NULL DEFAULT 'voice-and-message',
  mode_given INTEGER NOT NULL DEFAULT 0,
  date_started INTEGER,
  date_ended INTEGER,
  date_last_interaction INTEGER,
  date_expiry INTEGER,
  counts_from INTEGER NOT NULL,
  due INTEGER,
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE INDEX sessions_order ON sessions (service_id);

CREATE UNIQUE INDEX sessions_named ON sessions (service_id, unique_name) WHERE unique_name IS NOT NULL;

CREATE INDEX sessions_due ON sessions (due) WHERE due IS NOT NULL;

CREATE TABLE participants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  session_id INTEGER NOT NULL REFERENCES sessions (id),
  service_id INTEGER NOT NULL REFERENCES services (id),
  identifier TEXT NOT NULL,
  friendly_name TEXT,
  proxy_identifier TEXT,
  proxy_identifier_sid TEXT,
  is_active INTEGER NOT NULL DEFAULT 1,
  date_deleted INTEGER,
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE INDEX participants_order ON participants (session_id);

CREATE UNIQUE INDEX participants_pair ON participants (service_id, identifier, proxy_identifier)
  WHERE is_active = 1;

CREATE INDEX participants_past ON participants (service_id, identifier, proxy_identifier) WHERE is_active = 0;

CREATE INDEX participants_load ON participants (service_id, proxy_identifier_sid, session_id, is_active)
  WHERE is_active = 1;

CREATE TABLE interactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sid TEXT NOT NULL UNIQUE,
  session_id INTEGER NOT NULL REFERENCES sessions (id),
  service_id INTEGER NOT NULL REFERENCES services (id),
  participant_id INTEGER REFERENCES participants (id),
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  inbound_participant_sid TEXT,
  inbound_resource_sid TEXT,
  inbound_resource_status TEXT,
  inbound_resource_type TEXT,
  inbound_resource_url TEXT,
  outbound_participant_sid TEXT,
  outbound_resource_sid TEXT,
  outbound_resource_status TEXT,
  outbound_resource_type TEXT,
  outbound_resource_url TEXT,
  date_created INTEGER NOT NULL,
  date_updated INTEGER NOT NULL
);

CREATE INDEX interactions_order ON interactions (session_id);

CREATE INDEX interactions_of_participant ON interactions (participant_id) WHERE participant_id IS NOT NULL;

CREATE TRIGGER session_change AFTER UPDATE OF status ON sessions
  WHEN (old.status = 'closed') <> (new.status = 'closed') BEGIN
  UPDATE participants SET is_active = new.status <> 'closed' WHERE session_id = new.id AND date_deleted IS NULL; END;

CREATE TRIGGER participant_leave AFTER UPDATE OF date_deleted ON participants WHEN new.date_deleted IS NOT NULL BEGIN
  UPDATE participants SET is_active = 0 WHERE id = new.id; END;

CREATE TRIGGER session_leave AFTER DELETE ON sessions BEGIN
  DELETE FROM interactions WHERE session_id = old.id;
  DELETE FROM participants WHERE session_id = old.id; END;

CREATE TABLE callbacks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service_sid TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  parameters TEXT NOT NULL,
  status INTEGER,
  answer TEXT,
  error TEXT,
  milliseconds INTEGER,
  date_created INTEGER NOT NULL
);

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value
);
"""
SCHEMA = _ACCOUNT + SESSIONS
# In an order that leaves no reference to a row that is gone.
TABLES = (
    "settings",
    "callbacks",
    "interactions",
    "participants",
    "sessions",
    "messaging_numbers",
    "messaging_services",
    "pool",
    "numbers",
    "services",
)
# How many active Sessions hold a number of a pool; the query has both tables.
IN_USE = (
    "(SELECT count(DISTINCT session_id) FROM participants WHERE participants.service_id = pool.service_id"
    " AND proxy_identifier_sid = numbers.sid AND is_active = 1)"
)
