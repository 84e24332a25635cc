-- What D1 has of a room beside its messages: one row a part, so that a change is one row written. The room is the truth, and
-- D1 has a copy for backups and for a room that has lost its own storage. No way leads back from here: earlier code looks for
-- the tables that these rows replace.
CREATE TABLE room_state (
  room_id TEXT NOT NULL REFERENCES rooms (id),
  part TEXT NOT NULL,                        -- members, invites, deeds, held, asks, pairs
  body TEXT NOT NULL,                        -- JSON
  revision INTEGER NOT NULL,                 -- ms since 1970 of the copy; a later one takes the place of an earlier one
  PRIMARY KEY (room_id, part)
) WITHOUT ROWID;

-- The revision of the newest copy of anything of the room. 0: nothing was copied since these columns are there. Below 0: the
-- room has to write all of its packs and parts again, because what D1 has of them may not be all, or too much.
ALTER TABLE rooms ADD COLUMN copied_at INTEGER NOT NULL DEFAULT 0;

-- Of rooms with erasures under way D1 still has words; of others it does not know all who wrote there.
UPDATE rooms SET copied_at = -1 WHERE (unindexed_from IS NOT NULL AND last_seq > 0)
  OR id IN (SELECT room_id FROM erasures);

-- A value in D1 has at most 2 MB, and a compound SELECT five terms. What is beyond that comes with the room's next
-- copy. Revision 0: any copy is newer.
INSERT INTO room_state (room_id, part, body, revision)
WITH items (room_id, part, place, item) AS (
  SELECT room_id, 'members', sender, json_object('sender', sender, 'role', role,
    'since', CAST(round(unixepoch(since, 'subsec') * 1000) AS INTEGER), 'invite', invite, 'uses', json(uses),
    'removed', json(iif(removed, 'true', 'false'))) FROM members
  UNION ALL SELECT room_id, 'invites', id, json_object('id', id, 'secretHash', secret_hash, 'role', role, 'uses', uses,
    'used', used, 'createdBy', created_by,
    'createdAt', CAST(round(unixepoch(created_at, 'subsec') * 1000) AS INTEGER),
    'expiresAt', CAST(round(unixepoch(expires_at, 'subsec') * 1000) AS INTEGER),
    'revoked', json(iif(revoked, 'true', 'false'))) FROM invites
  UNION ALL SELECT room_id, 'deeds', CAST(id AS INTEGER), json_object('n', CAST(id AS INTEGER), 'at', body ->> 'at',
    'who', body ->> 'who', 'deed', body ->> 'deed', 'target', body ->> 'target', 'detail', json(body ->> 'detail'))
    FROM moderation WHERE kind = 'deed'
  UNION ALL SELECT room_id, 'held', body ->> 'at', json_object('id', id, 'sender', body ->> 'sender',
    'message', body ->> 'message', 'kind', COALESCE(body ->> 'kind', 'text'), 'content', body ->> 'content',
    'ref', body ->> 'ref', 'at', body ->> 'at', 'tag', body ->> 'tag', 'why', body ->> 'why',
    'state', body ->> 'state', 'seq', body ->> 'seq') FROM moderation WHERE kind = 'held'
  UNION ALL SELECT room_id, 'asks', seq, json_object('seq', seq, 'sender', sender, 'until', until, 'terms', json(terms))
    FROM open_asks
), measured AS (
  SELECT *, sum(length(CAST(item AS BLOB)) + 1) OVER (PARTITION BY room_id, part ORDER BY place, item) AS size FROM items
)
SELECT room_id, part, json_group_array(json(item)), 0
  FROM (SELECT * FROM measured WHERE size < 1900000 ORDER BY room_id, part, place, item)
  WHERE room_id IN (SELECT id FROM rooms) GROUP BY room_id, part;

INSERT INTO room_state (room_id, part, body, revision)
SELECT room_id, 'pairs', json_quote(lower(hex(pairs))), 0 FROM erased_pairs WHERE room_id IN (SELECT id FROM rooms);

DROP TABLE members;
DROP TABLE invites;
DROP TABLE moderation;
DROP TABLE open_asks;
DROP TABLE closed_asks;
DROP TABLE erased_pairs;
DROP TABLE erasures;
ALTER TABLE rooms DROP COLUMN unindexed_from;

-- Who is erased, until that is carried out in all rooms; NULL from then on, so that no name is left.
ALTER TABLE erasure_orders ADD COLUMN sender TEXT;
