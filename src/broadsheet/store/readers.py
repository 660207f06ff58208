"""Readers: the events they made, and the snapshot that was folded from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Text, bindparam, cast, delete, func, insert, select, type_coerce, update

from broadsheet.model import Event, EventId, Reader, ReaderId
from broadsheet.store import changes, codec
from broadsheet.store.rows import Row, batches, upsert
from broadsheet.store.schema import events as log
from broadsheet.store.schema import readers
from broadsheet.store.types import EPOCH, MICROSECOND, to_json

_WRITTEN = select(cast(readers.c.snapshot, Text)).where(readers.c.id == bindparam("reader"))
_LOCKED = (
    select(cast(readers.c.snapshot, Text), readers.c.name, readers.c.created, readers.c.last_event)
    .where(readers.c.id == bindparam("reader"))
    .with_for_update()
)


def _out(reader: Reader) -> Row:
    return {"name": reader.name, "created": reader.created, "snapshot": codec.reader_out(reader)}


def _in(row: Any) -> Reader:
    return codec.reader_in(row.id, row.name, row.created, row.snapshot)


def add(db: Connection, reader: Reader) -> None:
    """Keep a new reader. One with this id already stays as it is."""
    upsert(db, readers, [_out(reader) | {"id": reader.id, "last_event": 0}], key=("id",))


def get(db: Connection, id: ReaderId) -> Reader | None:  # noqa: A002
    row = db.execute(select(readers).where(readers.c.id == id)).first()
    return None if row is None else _in(row)


def written(db: Connection, id: ReaderId) -> str | None:  # noqa: A002
    """The snapshot as it is written, to see cheaply whether it changed: equal words are an equal reader."""
    row = db.execute(_WRITTEN, {"reader": id}).first()
    return None if row is None else str(row[0])


def locked(
    db: Connection,
    id: ReaderId,  # noqa: A002
    kept: tuple[str, Reader] | None = None,
) -> tuple[Reader, EventId] | None:
    """The reader and the last event that is folded into it, held until the transaction ends: nobody else folds.

    `kept` is a reader that was saved before and how it was written: where the store still has those words it is the
    reader, and nothing is made anew (3 ms for one of some months).
    """
    row = db.execute(_LOCKED, {"reader": id}).first()
    if row is None:
        return None
    if kept is not None and row[0] == kept[0] and row.name == kept[1].name:
        return kept[1], EventId(row.last_event)
    return codec.reader_in(id, row.name, row.created, orjson.loads(row[0])), EventId(row.last_event)


def all(db: Connection) -> list[Reader]:  # noqa: A001
    """By name."""
    return [_in(row) for row in db.execute(select(readers).order_by(func.lower(readers.c.name), readers.c.id))]


def ids(db: Connection, after: ReaderId, most: int) -> list[ReaderId]:
    """The next so many readers in order of id, behind this one ("" for the first)."""
    query = select(readers.c.id).where(readers.c.id > after).order_by(readers.c.id).limit(most)
    return [ReaderId(id_) for id_ in db.execute(query).scalars()]


def record(db: Connection, done: Sequence[Event]) -> list[EventId]:
    """Append events; gives their ids, in order. They are never changed."""
    rows = [
        {
            "reader": event.reader, "kind": event.kind, "at": event.at, "story": event.story,
            "article": event.article, "feed": event.feed, "payload": codec.event_out(event),
        }
        for event in done
    ]  # fmt: skip
    if db.dialect.name != "sqlite":
        statement = insert(log).returning(log.c.id, sort_by_parameter_order=True)
        return [EventId(id_) for batch in batches(rows) for id_ in db.execute(statement, batch).scalars()]
    # SQLite gives no order of what it returns, so SQLAlchemy would insert them one by one, at 60 microseconds each. But
    # each row of one statement gets the next id, and nobody else writes meanwhile.
    statement = insert(log).returning(log.c.id)
    return [EventId(id_) for batch in batches(rows) for id_ in sorted(db.execute(statement, batch).scalars())]


def events(db: Connection, reader: ReaderId, after: EventId | None = None) -> list[Event]:
    """What the reader did, in order; after that event, or all of it."""
    query = select(log).where(log.c.reader == reader).order_by(log.c.id)
    if after is not None:
        query = query.where(log.c.id > after)
    return [codec.event_in(row) for row in db.execute(query)]


def opened(db: Connection) -> Iterator[Event]:
    """Every opening of a story, by any reader, in order."""
    query = select(log).where(log.c.kind == "opened", log.c.story.is_not(None)).order_by(log.c.at, log.c.id)
    for row in db.execute(query):
        yield codec.event_in(row)


def looks(db: Connection, after: EventId, most: int) -> Iterator[tuple[EventId, Event]]:
    """What any reader was shown and opened after that event, in the order in which it was recorded; of very much the last.

    `most` is how many events are gone through; it costs the same however long the log is.
    """
    newest = db.execute(select(func.max(log.c.id))).scalar() or 0
    query = select(log).where(
        log.c.id > max(after, newest - most), log.c.kind.in_(("shown", "opened")), log.c.story.is_not(None)
    )
    for row in db.execute(query.order_by(log.c.id)):
        yield EventId(row.id), codec.event_in(row)


def regroupings(db: Connection) -> list[Event]:
    """What all readers said of the grouping, and what any took back: each reader's events in order, for `fold`."""
    query = select(log).where(log.c.kind.in_(("merge", "split", "undo"))).order_by(log.c.reader, log.c.id)
    return [codec.event_in(row) for row in db.execute(query)]


def behind(db: Connection) -> list[ReaderId]:
    """Readers with events that are not in their snapshot yet."""
    newest = select(func.max(log.c.id)).where(log.c.reader == readers.c.id).scalar_subquery()
    return [ReaderId(id_) for id_ in db.execute(select(readers.c.id).where(newest > readers.c.last_event)).scalars()]


def save(db: Connection, reader: Reader, last_event: EventId | None = None) -> str:
    """Keep the snapshot, and the last event that is folded into it (None: no event was); gives the snapshot as it is
    written. An unknown reader stays unknown: one that was erased does not come back."""
    snapshot = to_json(codec.reader_out(reader))
    values: Row = {"name": reader.name, "created": reader.created, "snapshot": type_coerce(snapshot, Text)}
    if last_event is not None:
        values["last_event"] = last_event
    db.execute(update(readers).where(readers.c.id == reader.id).values(**values))
    return snapshot


def forget(db: Connection, reader: ReaderId, done: Sequence[EventId]) -> None:
    """Remove these events of the reader for good. The last one must stay: its id may not be given again."""
    for batch in batches(done):
        db.execute(delete(log).where(log.c.reader == reader, log.c.id.in_(batch)))


_LAST = (
    select(type_coerce(log.c.at, BigInteger).label("at"))
    .where(log.c.reader == bindparam("reader"))
    .order_by(log.c.id.desc())
    .limit(bindparam("most"))
    .subquery()
)
_TIMES = select(_LAST.c.at).distinct()  # a page is shown at one moment: of 600 events some 20 rows come


def times(db: Connection, reader: ReaderId, most: int = 600) -> list[datetime]:
    """When the reader did or was shown their last `most` things: distinct times, the latest first."""
    found = db.execute(_TIMES, {"reader": reader, "most": most}).scalars()
    return [EPOCH + at * MICROSECOND for at in sorted(found, reverse=True)]


def erase(db: Connection, id: ReaderId) -> None:  # noqa: A002
    """Remove the reader and everything that they did, followed and were shown."""
    changes.forget(db, id)
    db.execute(delete(readers).where(readers.c.id == id))  # the rest goes with it: ON DELETE CASCADE
