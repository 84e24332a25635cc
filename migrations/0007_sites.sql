-- Sites whose own users may come into the rooms of the site's owner, vouched for by tokens that the site signs.
CREATE TABLE sites (
  name TEXT PRIMARY KEY,                     -- stands behind its users' names: anna@acme
  owner TEXT NOT NULL REFERENCES api_keys (id),
  keys TEXT NOT NULL,                        -- JSON: the public keys that sign, at most two; [] once it was removed
  origins TEXT NOT NULL,                     -- JSON: whose pages may come with its tokens; []: any
  created_at TEXT NOT NULL,
  removed_at TEXT                            -- NULL: it stands. The name stays its owner's, also afterwards
) WITHOUT ROWID;

CREATE INDEX sites_by_owner ON sites (owner);
