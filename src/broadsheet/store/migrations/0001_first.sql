CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('stories', 0);

CREATE TABLE notes (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    held_by TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE sources (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    homepage TEXT NOT NULL,
    language TEXT NOT NULL,
    outlet TEXT,
    full_text BOOLEAN NOT NULL,
    private BOOLEAN NOT NULL,
    added BIGINT,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    next_fetch BIGINT,
    last_fetch BIGINT,
    last_success BIGINT,
    "interval" BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    problem TEXT NOT NULL,
    gone BOOLEAN NOT NULL,
    claimed_by TEXT,
    claimed_until BIGINT
);
CREATE INDEX sources_due ON sources (next_fetch) WHERE next_fetch IS NOT NULL;

CREATE TABLE source_moves (
    url TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources (id) ON DELETE CASCADE
);
CREATE INDEX source_moves_source ON source_moves (source);

CREATE TABLE entries (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    guid TEXT NOT NULL,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    published BIGINT,
    updated BIGINT,
    authors TEXT NOT NULL,
    tags TEXT NOT NULL,
    enclosures TEXT NOT NULL,
    image TEXT NOT NULL,
    language TEXT NOT NULL,
    publisher TEXT NOT NULL,
    rights TEXT NOT NULL,
    seen BIGINT NOT NULL,
    done BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    claimed_by TEXT,
    claimed_until BIGINT,
    summary TEXT NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX entries_waiting ON entries (seen, id) WHERE NOT done;
CREATE INDEX entries_claimed ON entries (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX entries_source ON entries (source);

CREATE TABLE articles (
    number {serial},
    id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    publisher TEXT NOT NULL,
    source TEXT,
    key_points TEXT NOT NULL,
    authors TEXT NOT NULL,
    published BIGINT,
    updated BIGINT,
    first_seen BIGINT,
    time BIGINT NOT NULL,
    image TEXT NOT NULL,
    captions TEXT NOT NULL,
    section TEXT NOT NULL,
    language TEXT NOT NULL,
    confidence {float} NOT NULL,
    tags TEXT NOT NULL,
    licence TEXT NOT NULL,
    entities TEXT NOT NULL,
    topics TEXT NOT NULL,
    vector {blob} NOT NULL,
    vector_model TEXT NOT NULL,
    fingerprint {blob} NOT NULL,
    copy_of TEXT,
    story TEXT,
    text TEXT NOT NULL,
    html TEXT NOT NULL
);
CREATE INDEX articles_time ON articles (time, id);
CREATE INDEX articles_source ON articles (source, time, id);
CREATE INDEX articles_story ON articles (story) WHERE story IS NOT NULL;
CREATE INDEX articles_ungrouped ON articles (time, id) WHERE story IS NULL;

CREATE TABLE rejections (
    id TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX rejections_at ON rejections (at, id);

CREATE TABLE stories (
    id TEXT PRIMARY KEY,
    headline TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    independent INTEGER NOT NULL,
    velocity {float} NOT NULL,
    language TEXT NOT NULL,
    image TEXT NOT NULL,
    lead TEXT,
    vector_model TEXT NOT NULL,
    version BIGINT NOT NULL,
    survivor TEXT,
    articles TEXT NOT NULL,
    publishers TEXT NOT NULL,
    sources TEXT NOT NULL,
    key_points TEXT NOT NULL,
    timeline TEXT NOT NULL,
    entities TEXT NOT NULL,
    topics TEXT NOT NULL,
    vector {blob} NOT NULL
);
CREATE INDEX stories_live ON stories (last_seen) WHERE survivor IS NULL;
CREATE INDEX stories_version ON stories (version);
CREATE INDEX stories_survivor ON stories (survivor) WHERE survivor IS NOT NULL;

CREATE TABLE readers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created BIGINT,
    snapshot TEXT NOT NULL,
    last_event BIGINT NOT NULL
);

CREATE TABLE subscriptions (
    reader TEXT NOT NULL REFERENCES readers (id) ON DELETE CASCADE,
    source TEXT NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    folder TEXT NOT NULL,
    PRIMARY KEY (reader, source)
);
CREATE INDEX subscriptions_source ON subscriptions (source);

CREATE TABLE events (
    id {serial},
    reader TEXT NOT NULL REFERENCES readers (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    story TEXT,
    article TEXT,
    feed TEXT,
    payload TEXT NOT NULL
);
CREATE INDEX events_reader ON events (reader, id);

CREATE TABLE feeds (
    id TEXT PRIMARY KEY,
    reader TEXT NOT NULL REFERENCES readers (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    recipe TEXT NOT NULL,
    recipe_hash TEXT NOT NULL,
    left_out TEXT NOT NULL,
    items TEXT NOT NULL
);
CREATE INDEX feeds_reader ON feeds (reader, at);
