-- A rotation without a hash of the client's gives a person a second key; the first one ends when the second is first
-- accepted. NULL: there is no such key. Code from before this column neither reads nor writes it.
ALTER TABLE api_keys ADD COLUMN next_key_hash TEXT;

-- Unique, and partial: a key that is not being rotated has no entry here, so it costs no row written.
CREATE UNIQUE INDEX api_keys_by_next_key ON api_keys (next_key_hash) WHERE next_key_hash IS NOT NULL;
