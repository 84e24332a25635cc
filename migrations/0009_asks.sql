-- What D1 knows of a room's asks, beside the log: a room that has lost its own storage goes on with it, and a page of older
-- messages shows what has closed the asks on it. It follows from the messages, and is written with them.
CREATE TABLE open_asks (
  room_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  sender TEXT NOT NULL,                      -- who asks
  until INTEGER NOT NULL,                    -- ms since 1970
  terms TEXT NOT NULL,                       -- JSON, with its version in `v`: the options, and who may answer
  PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;

CREATE TABLE closed_asks (
  room_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  closed INTEGER NOT NULL,                   -- the seq of what has closed it: an answer, or its expiry
  option TEXT,                               -- NULL: it has expired
  sender TEXT NOT NULL,                      -- who has answered; empty where nobody has, or they were erased
  PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;
