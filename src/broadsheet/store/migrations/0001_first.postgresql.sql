-- English stems and no stop words, so that a phrase such as "to be or not to be" is found as it is on SQLite.
CREATE TEXT SEARCH DICTIONARY broadsheet_stem (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION broadsheet (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION broadsheet
    ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, word, hword, hword_part WITH broadsheet_stem;

-- A tsvector holds at most 1 MB: of a text beyond 200,000 characters the rest is not searched.
ALTER TABLE articles ADD COLUMN document tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('broadsheet'::regconfig, left(title, 10000)), 'A')
    || setweight(to_tsvector('broadsheet'::regconfig, left(key_points, 50000)), 'B')
    || setweight(to_tsvector('broadsheet'::regconfig, left(text, 200000)), 'D')
) STORED;
CREATE INDEX articles_document ON articles USING gin (document);
