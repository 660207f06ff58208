ALTER TABLE stories ADD COLUMN thread TEXT;
CREATE INDEX stories_thread ON stories (thread, last_seen) WHERE thread IS NOT NULL AND survivor IS NULL;
CREATE INDEX stories_unthreaded ON stories (last_seen, id) WHERE thread IS NULL AND survivor IS NULL;

CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    until BIGINT NOT NULL,
    memory {blob} NOT NULL
);
CREATE INDEX threads_until ON threads (until);
