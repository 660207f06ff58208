-- Who wrote a story's articles, how long the longest is, whom they quote. Stories told before have it as they are told anew.
ALTER TABLE stories ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
ALTER TABLE stories ADD COLUMN words INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stories ADD COLUMN voices INTEGER NOT NULL DEFAULT 0;
