-- What a room has let go of because of its age.
ALTER TABLE rooms ADD COLUMN first_seq INTEGER NOT NULL DEFAULT 1;        -- messages with a lower seq are gone
ALTER TABLE rooms ADD COLUMN gone_before TEXT;                            -- and so are those from before this time
ALTER TABLE rooms ADD COLUMN known_keep_days INTEGER NOT NULL DEFAULT 0;  -- the KEEP_DAYS that the room goes by; -1: look again

-- Rooms that do not go by the deployment's KEEP_DAYS yet are found here. Most rooms have the same number in it for years.
CREATE INDEX rooms_by_known_keep ON rooms (known_keep_days);
