-- Who wrote a story's articles. Stories told before are signed as they are told anew.
ALTER TABLE stories ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
