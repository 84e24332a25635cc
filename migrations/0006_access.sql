-- Who may read a room: 'open' is anybody, 'members' those that stand in `members`, and the room's owner. Code from before
-- this column takes every room for open, so a deployment does not go back once it has rooms of members.
ALTER TABLE rooms ADD COLUMN access TEXT NOT NULL DEFAULT 'open';

-- Only what the list shows is in its index.
DROP INDEX rooms_by_activity;
CREATE INDEX rooms_by_activity ON rooms (COALESCE(last_message_at, created_at) DESC, id)
  WHERE listed = 1 AND access = 'open';

-- A copy of what each room knows of its members and invites, for backups and for a room that has lost its own storage.
-- `change` numbers the changes of one room: a copy that arrives late changes nothing.
CREATE TABLE members (
  room_id TEXT NOT NULL REFERENCES rooms (id),
  sender TEXT NOT NULL,                      -- a person or a guest; agents have their person's role
  role TEXT,                                 -- NULL: not a member any more
  since TEXT NOT NULL,
  invite TEXT,                               -- the invite by which they came; a guest is a member as long as it lives
  uses TEXT NOT NULL,                        -- JSON: the ids of the invites that they have used
  removed INTEGER NOT NULL,                  -- 1: somebody else has removed them
  change INTEGER NOT NULL,
  PRIMARY KEY (room_id, sender)
) WITHOUT ROWID;

CREATE TABLE invites (
  room_id TEXT NOT NULL REFERENCES rooms (id),
  id TEXT NOT NULL,
  secret_hash TEXT NOT NULL,                 -- SHA-256, hex; the secret itself is never stored
  role TEXT NOT NULL,
  uses INTEGER NOT NULL,                     -- how many people may use it
  used INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT,                           -- NULL: never
  revoked INTEGER NOT NULL,
  change INTEGER NOT NULL,
  PRIMARY KEY (room_id, id)
) WITHOUT ROWID;
