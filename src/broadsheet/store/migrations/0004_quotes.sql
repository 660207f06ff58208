-- What the articles say that somebody said: beside the articles, since only a story's page asks for it.
CREATE TABLE quotes (
    article TEXT PRIMARY KEY,
    said TEXT NOT NULL
);
