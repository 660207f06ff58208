"""Small facts about this instance under a name: a secret, a password's hash, the time of the last clean-up."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from broadsheet.store.rows import upsert
from broadsheet.store.schema import notes


def get(db: Connection, name: str) -> str | None:
    return db.execute(select(notes.c.value).where(notes.c.name == name)).scalar()


def put(db: Connection, name: str, value: str) -> None:
    upsert(db, notes, [{"name": name, "value": value}], key=("name",), update=("value",))


def put_first(db: Connection, name: str, value: str) -> str:
    """Keep the value unless there is one, and give the one that is kept: two processes end up with the same."""
    upsert(db, notes, [{"name": name, "value": value}], key=("name",))
    return get(db, name) or value


def remove(db: Connection, name: str) -> None:
    db.execute(delete(notes).where(notes.c.name == name))
