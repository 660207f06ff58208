-- External content: the index holds no second copy of the texts. Rows are found by `number`, which VACUUM keeps.
CREATE VIRTUAL TABLE articles_fts USING fts5 (
    title, key_points, text,
    content = 'articles', content_rowid = 'number',
    tokenize = "porter unicode61 remove_diacritics 2"
);

CREATE TRIGGER articles_fts_insert AFTER INSERT ON articles BEGIN
    INSERT INTO articles_fts (rowid, title, key_points, text)
    VALUES (new.number, new.title, new.key_points, new.text);
END;

CREATE TRIGGER articles_fts_delete AFTER DELETE ON articles BEGIN
    INSERT INTO articles_fts (articles_fts, rowid, title, key_points, text)
    VALUES ('delete', old.number, old.title, old.key_points, old.text);
END;

-- Saving an article again with the same words, which every re-run does, leaves the index alone.
CREATE TRIGGER articles_fts_update AFTER UPDATE OF title, key_points, text ON articles
WHEN old.title <> new.title OR old.key_points <> new.key_points OR old.text <> new.text BEGIN
    INSERT INTO articles_fts (articles_fts, rowid, title, key_points, text)
    VALUES ('delete', old.number, old.title, old.key_points, old.text);
    INSERT INTO articles_fts (rowid, title, key_points, text)
    VALUES (new.number, new.title, new.key_points, new.text);
END;
