-- What operators said of two articles: their stories are one story, or the first is not part of the other's.
CREATE TABLE regroupings (
    number {serial},
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    same BOOLEAN NOT NULL,
    who TEXT NOT NULL,
    at BIGINT NOT NULL,
    undone BIGINT,
    applied BOOLEAN NOT NULL,
    moved TEXT NOT NULL
);
CREATE INDEX regroupings_waiting ON regroupings (number) WHERE NOT applied;
CREATE INDEX events_regroupings ON events (reader, id) WHERE kind IN ('merge', 'split', 'undo');
