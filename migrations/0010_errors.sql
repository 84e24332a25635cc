-- What went wrong lately, for the operator. Code from before these tables neither reads nor writes them.

-- How often each error code was answered, by day (UTC), as far as the isolates that counted lived to write it down.
CREATE TABLE error_counts (
  day TEXT NOT NULL,
  code TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (day, code)
) WITHOUT ROWID;

-- The latest failures of the server's own, each under the id that its client was told and that the log has too. Some
-- hundred rows, whatever happens (party/errors/error-table.ts).
CREATE TABLE incidents (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  at TEXT NOT NULL,
  code TEXT NOT NULL,
  what TEXT NOT NULL,                        -- the words of the log line
  place TEXT NOT NULL                        -- a method and the beginning of a path, or a room
);

-- Sockets that were opened on the day.
ALTER TABLE usage ADD COLUMN sockets_opened INTEGER NOT NULL DEFAULT 0;
