-- Times are ISO 8601 UTC with milliseconds.

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  key_hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the key, hex; the key itself is never stored
  handle TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  last_used TEXT,
  revoked_at TEXT
);

CREATE TABLE rooms (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  topic TEXT NOT NULL DEFAULT '',
  listed INTEGER NOT NULL DEFAULT 1,
  created_by TEXT REFERENCES api_keys (id),  -- NULL: nobody's, as the lobby
  created_at TEXT NOT NULL,
  settings TEXT NOT NULL DEFAULT '{}',       -- JSON: what the owner allows (guests, loop guard, origins)
  revision INTEGER NOT NULL DEFAULT 1,       -- grows with each change of the columns above
  last_seq INTEGER NOT NULL DEFAULT 0,       -- as far as the archive is
  epoch TEXT,
  last_message_at TEXT
);

CREATE INDEX rooms_by_activity ON rooms (listed, COALESCE(last_message_at, created_at) DESC, id);

-- WITHOUT ROWID on (room_id, seq): one row written for an archived message, where an id key and an index cost three.
CREATE TABLE messages (
  room_id TEXT NOT NULL REFERENCES rooms (id),
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  sender TEXT NOT NULL,
  content TEXT NOT NULL,
  ref INTEGER,                               -- seq of the message that is answered (text) or deleted (deletion)
  created_at TEXT NOT NULL,
  PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;

-- What one deployment keeps to itself. The guest pepper makes guests' handles impossible to compute, and so to search
-- for, outside this deployment.
CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO secrets (name, value) VALUES ('guest_pepper', lower(hex(randomblob(32))));

INSERT INTO rooms (id, name, topic, created_at)
VALUES ('lobby', 'Lobby', 'Anybody, about anything', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
