-- The archive's packed form: a hundred consecutive messages of a room in one row (party/archive/pack.ts). `messages` keeps
-- what was archived before, until the room has packed it. Code from before this table neither reads nor writes it.
CREATE TABLE packs (
  room_id TEXT NOT NULL REFERENCES rooms (id),
  first INTEGER NOT NULL,                    -- its first seq: 1, 101, 201 …
  revision INTEGER NOT NULL,                 -- the seq up to which the room's log has taken effect in it
  form INTEGER NOT NULL,                     -- how `body` is to be read
  body BLOB NOT NULL,
  PRIMARY KEY (room_id, first)
) WITHOUT ROWID;
