-- What the deployment believes to have used, a row a day (UTC). Estimates: each isolate draws by chance what it adds
-- (party/usage/usage-sampler.ts), so that counting costs next to nothing. Code from before this table neither reads nor
-- writes it.
CREATE TABLE usage (
  day TEXT PRIMARY KEY,
  worker_requests INTEGER NOT NULL DEFAULT 0,
  object_requests INTEGER NOT NULL DEFAULT 0,
  object_ms INTEGER NOT NULL DEFAULT 0,
  object_rows_written INTEGER NOT NULL DEFAULT 0,
  database_rows_read INTEGER NOT NULL DEFAULT 0,
  database_rows_written INTEGER NOT NULL DEFAULT 0,
  -- 1: the log has been told on this day that the database is nearly full, or that the day's limit is near.
  warned_of_size INTEGER NOT NULL DEFAULT 0,
  warned_of_day INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
