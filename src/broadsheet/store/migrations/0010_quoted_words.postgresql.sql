-- A server whose locale is C takes every sign beyond ASCII for a letter: “heron” in such quotation marks was one word with them, and
-- who looked for heron did not find it. There these signs are read as spaces. Texts that are in the index already are not indexed anew
-- here, which would keep an archive shut for minutes: `broadsheet doctor` says that it is to be done, and `--mend` does it.
DO $do$ BEGIN
IF to_tsvector('simple', E'\u201cx\u201d') = to_tsvector('simple', 'x') THEN EXECUTE
$x$ CREATE FUNCTION broadsheet_plain(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$ SELECT $1 $f$ $x$; ELSE EXECUTE
$x$ CREATE FUNCTION broadsheet_plain(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$ SELECT translate($1, E'\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\u00ab\u00bb\u2026\u2013\u2014\u2015\u2012\u2010\u2011\u2022\u00b7\u00a1\u00bf\u00a0\u202f\u2009\u200a\u2002\u2003\u200b\u060c\u061b\u061f\u0964\u3001\u3002\u300c\u300d\u300e\u300f\uff08\uff09\uff01\uff1f\uff0c\uff1a\uff1b\u20ac\u00a3\u00a9\u00ae\u2122\u00b0\u00d7', repeat(' ', 54)) $f$ $x$; END IF; END
$do$;

CREATE PROCEDURE broadsheet_index_anew() LANGUAGE plpgsql AS $do$ BEGIN EXECUTE
$x$ ALTER TABLE articles DROP COLUMN document $x$; EXECUTE
$x$ ALTER TABLE articles ADD COLUMN document tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('broadsheet'::regconfig, broadsheet_plain(left(title, 10000))), 'A')
    || setweight(to_tsvector('broadsheet'::regconfig, broadsheet_plain(left(key_points, 50000))), 'B')
    || setweight(to_tsvector('broadsheet'::regconfig, broadsheet_plain(left(text, 200000))), 'D')
) STORED $x$; EXECUTE
$x$ CREATE INDEX articles_document ON articles USING gin (document) $x$; END
$do$;

DO $do$ BEGIN
IF broadsheet_plain(E'\u201c') = ' ' AND NOT EXISTS (SELECT FROM articles) THEN CALL broadsheet_index_anew(); END IF; END
$do$;
