-- How a source was asked and what it asked for in turn: sums since `since`, and what the last answer said.
CREATE TABLE manners (
    source TEXT PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    asked BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    spared BIGINT NOT NULL,
    size BIGINT NOT NULL,
    status INTEGER,
    max_age BIGINT,
    ttl BIGINT,
    retry_after BIGINT
);
