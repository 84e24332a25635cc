-- Who wrote in which room, so that everything by one sender can be found. One row for a sender in a room, whatever they say
-- there. The tables here refer to no room, so that earlier code can delete one. A room's first messages from `unindexed_from` on may be missing here: those that earlier code has archived.
CREATE TABLE senders (
  room_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  PRIMARY KEY (room_id, sender)
) WITHOUT ROWID;

-- NULL: `senders` has everybody who wrote in the room. Earlier code does not say so of the rooms that it makes.
ALTER TABLE rooms ADD COLUMN unindexed_from INTEGER DEFAULT 1;

-- Erasures that are not carried out yet in what D1 has of a room: it is read through them.
CREATE TABLE erasures (
  room_id TEXT NOT NULL,
  seq INTEGER NOT NULL,                      -- of its entry in the room's log
  up_to INTEGER NOT NULL,                    -- the last message that it may take
  sender TEXT NOT NULL,                      -- whose messages, and those of their agents
  PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;

-- By which a rebuilt room recognises the retry of a message that was erased: numbers, no names (party/log/recent-ids.ts).
CREATE TABLE erased_pairs (
  room_id TEXT PRIMARY KEY,
  pairs BLOB NOT NULL
) WITHOUT ROWID;

-- The operator has erased a sender everywhere. A room that brings older messages of theirs later erases them then.
CREATE TABLE erasure_orders (
  sender_hash TEXT PRIMARY KEY,              -- SHA-256 of the name, hex
  at TEXT NOT NULL                           -- what was said up to then
) WITHOUT ROWID;
