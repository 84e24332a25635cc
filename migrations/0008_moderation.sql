-- A copy of what each room knows of its moderation, for backups and for a room that has lost its own storage: who did what
-- ('deed'), and what waits for a moderator or was decided lately ('held'). The room is what is true.
CREATE TABLE moderation (
  room_id TEXT NOT NULL REFERENCES rooms (id),
  kind TEXT NOT NULL,                        -- 'deed' or 'held'
  id TEXT NOT NULL,
  body TEXT NOT NULL,                        -- JSON, with its version in `v`
  PRIMARY KEY (room_id, kind, id)
) WITHOUT ROWID;
