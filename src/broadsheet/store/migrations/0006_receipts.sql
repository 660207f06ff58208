-- What a reader's device sent under a name of its own, so that sending it again does nothing.
CREATE TABLE receipts (
    reader TEXT NOT NULL REFERENCES readers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    event BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (reader, name)
);
CREATE INDEX receipts_at ON receipts (at);
