"""The sandbox's tables. Rows of a list are ordered by ``id``, which is never used twice: pages rely on it.

Triggers keep each Service's counts, since counting a full pool for each add would cost more than the add.
"""

from __future__ import annotations

APPLICATION_ID = 0x5058_5343  # "PXSC": distinguishes our files from other people's databases
SCHEMA_VERSION = 2

# Statements are separated by an empty line.
SCHEMA = """
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
  in_use INTEGER NOT NULL DEFAULT 0,
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
# In an order that leaves no reference to a row that is gone.
TABLES = ("messaging_numbers", "messaging_services", "pool", "numbers", "services")
