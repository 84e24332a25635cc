-- What the operator has done: the newest thousand entries of a year at most (api/admin/audit-log.ts). Code from before these
-- tables neither reads nor writes them.
CREATE TABLE operator_deeds (
  id TEXT PRIMARY KEY,                       -- begins with the time: later ones are greater
  at TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,                        -- without `target`
  target TEXT,                               -- whom it was done to; NULL: nobody, or they were erased
  detail TEXT,                               -- what was changed, in a few words
  status INTEGER NOT NULL                    -- what the operator was answered with
) WITHOUT ROWID;

-- What the operator says on every page. One row at most.
CREATE TABLE notice (
  name TEXT PRIMARY KEY CHECK (name = 'notice'),
  text TEXT NOT NULL,
  since TEXT NOT NULL
) WITHOUT ROWID;
