-- Of entries that were seen at one time the newest is read first: whoever adds many sources sees today's news at once.
DROP INDEX entries_waiting;
CREATE INDEX entries_waiting ON entries (seen, published DESC, id) WHERE NOT done;
