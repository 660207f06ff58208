-- Earlier wordings of articles, which articles each reader read, and when read articles are looked at again.
CREATE TABLE versions (
    article TEXT NOT NULL,
    replaced BIGINT NOT NULL,
    title TEXT NOT NULL,
    facts TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (article, replaced)
);

CREATE TABLE readings (
    reader TEXT NOT NULL REFERENCES readers (id) ON DELETE CASCADE,
    article TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (reader, article)
);
CREATE INDEX readings_article ON readings (article);

CREATE TABLE rechecks (
    article TEXT PRIMARY KEY,
    due BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    claimed_by TEXT,
    claimed_until BIGINT
);
CREATE INDEX rechecks_due ON rechecks (due);

-- Stories whose articles changed: they are described anew by whoever groups.
CREATE TABLE stale (
    story TEXT PRIMARY KEY,
    times INTEGER NOT NULL
);

ALTER TABLE entries ADD COLUMN wording TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
