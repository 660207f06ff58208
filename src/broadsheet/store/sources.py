"""Sources, who subscribes to them, and whose turn it is to be asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, or_, select, update

from broadsheet.model import ReaderId, Source, SourceId
from broadsheet.store import codec
from broadsheet.store.rows import Row, batches, upsert
from broadsheet.store.schema import articles, entries, source_moves, sources
from broadsheet.store.schema import subscriptions as subscribed_to

_COLUMNS = tuple(c.name for c in sources.c if c.name not in ("claimed_by", "claimed_until"))
_SELECT = [sources.c[name] for name in _COLUMNS]


def _out(source: Source) -> Row:
    row = {name: getattr(source, name) for name in _COLUMNS}
    row["outlet"] = codec.outlet_out(source.outlet)
    return row


def _in(row: Any) -> Source:
    values = dict(zip(_COLUMNS, row, strict=False))  # a row may go on with columns of its query
    values["outlet"] = codec.outlet_in(values["outlet"])
    return Source(**values)


def add(db: Connection, source: Source) -> SourceId:
    """Keep the source unless its address, or an address that it moved from, is known. Gives the id that it has here."""
    if (known := by_url(db, source.url)) is not None:
        return known.id
    upsert(db, sources, [_out(source)], key=("id",))
    return source.id


def get(db: Connection, id: SourceId) -> Source | None:  # noqa: A002
    row = db.execute(select(*_SELECT).where(sources.c.id == id)).first()
    return None if row is None else _in(row)


def many(db: Connection, ids: Iterable[SourceId]) -> list[Source]:
    """Those that exist, in the order asked for."""
    asked = list(dict.fromkeys(ids))
    found = {
        row.id: _in(row)
        for batch in batches(asked)
        for row in db.execute(select(*_SELECT).where(sources.c.id.in_(batch)))
    }
    return [found[id_] for id_ in asked if id_ in found]


def all(db: Connection) -> list[Source]:  # noqa: A001
    """By title, then address."""
    return [_in(row) for row in db.execute(select(*_SELECT).order_by(func.lower(sources.c.title), sources.c.url))]


class Listed(NamedTuple):
    """What a list of sources is sorted and searched by."""

    id: SourceId
    title: str
    url: str
    private: bool
    problem: str
    gone: bool


_LISTED = select(*(sources.c[name] for name in Listed._fields))


def listed(db: Connection) -> list[Listed]:
    """All of them, without what only the page of one tells: a tenth of what `all` takes."""
    return [Listed(*row) for row in db.execute(_LISTED)]


def private(db: Connection) -> frozenset[SourceId]:
    """Those that only their subscribers see."""
    return frozenset(SourceId(id_) for id_ in db.execute(select(sources.c.id).where(sources.c.private)).scalars())


def by_url(db: Connection, url: str) -> Source | None:
    """The source at that address, or the one that moved away from it."""
    row = db.execute(select(*_SELECT).where(sources.c.url == url)).first()
    if row is None:
        moved_to = select(source_moves.c.source).where(source_moves.c.url == url).scalar_subquery()
        row = db.execute(select(*_SELECT).where(sources.c.id == moved_to)).first()
    return None if row is None else _in(row)


def due(db: Connection, now: datetime) -> int:
    """How many wait to be asked, claimed or not."""
    return db.execute(select(func.count()).where(sources.c.next_fetch <= now).select_from(sources)).scalar_one()


def next_due(db: Connection) -> datetime | None:
    """When the next source wants to be asked."""
    return db.execute(select(func.min(sources.c.next_fetch))).scalar()


def claim_due(
    db: Connection, now: datetime, worker: str, lease: timedelta, limit: int, *, clock: datetime | None = None
) -> list[Source]:
    """Up to `limit` sources whose time has come and that nobody holds, the longest waiting first. They are the
    worker's until the lease runs out or they are saved.

    `clock` is the real time where `now` is not: an instance that reads as of a fixed day still has leases that end.
    """
    clock = clock or now
    picked = (
        select(sources.c.id)
        .where(
            sources.c.next_fetch.is_not(None),
            sources.c.next_fetch <= now,
            or_(sources.c.claimed_until.is_(None), sources.c.claimed_until <= clock),
        )
        .order_by(sources.c.next_fetch, sources.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    rows = db.execute(
        update(sources)
        .where(sources.c.id.in_(select(picked.c.id)))
        .values(claimed_by=worker, claimed_until=clock + lease)
        .returning(*_SELECT)
    )
    return sorted(map(_in, rows), key=lambda s: (s.next_fetch or now, s.id))


def save(db: Connection, source: Source) -> None:
    """Keep what was learned of the source, and let go of it. One that was removed meanwhile stays removed.

    Its address is not changed here: that is `moved`.
    """
    values = {name: value for name, value in _out(source).items() if name not in ("id", "url")}
    db.execute(update(sources).where(sources.c.id == source.id).values(**values, claimed_by=None, claimed_until=None))


def release(db: Connection, ids: Iterable[SourceId], worker: str) -> None:
    """Let go of what the worker holds without a change."""
    for batch in batches(ids):
        db.execute(
            update(sources)
            .where(sources.c.id.in_(batch), sources.c.claimed_by == worker)
            .values(claimed_by=None, claimed_until=None)
        )


def moved(db: Connection, id: SourceId, new_url: str) -> SourceId:  # noqa: A002
    """The source lives at another address for good; gives the id to go on with.

    Where that address is a source already, its readers move over to it and the old one goes.
    """
    old = db.execute(select(sources.c.url).where(sources.c.id == id)).scalar()
    if old is None or old == new_url:
        return id
    at_new = db.execute(select(sources.c.id).where(sources.c.url == new_url)).scalar()
    db.execute(delete(source_moves).where(source_moves.c.url == new_url))
    if at_new is None:
        db.execute(update(sources).where(sources.c.id == id).values(url=new_url))
        upsert(db, source_moves, [{"url": old, "source": id}], key=("url",), update=("source",))
        return id
    other = SourceId(at_new)
    held = db.execute(select(subscribed_to).where(subscribed_to.c.source == id)).all()
    upsert(
        db,
        subscribed_to,
        [{"reader": row.reader, "source": other, "folder": row.folder} for row in held],
        key=("reader", "source"),
    )
    db.execute(update(source_moves).where(source_moves.c.source == id).values(source=other))
    db.execute(update(entries).where(entries.c.source == id).values(source=other))
    db.execute(update(articles).where(articles.c.source == id).values(source=other))
    db.execute(delete(sources).where(sources.c.id == id))
    upsert(db, source_moves, [{"url": old, "source": other}], key=("url",), update=("source",))
    return other


def unread(db: Connection, ids: Iterable[SourceId]) -> list[SourceId]:
    """Those of these that nobody subscribes to."""
    return [
        SourceId(id_)
        for batch in batches(ids)
        for id_ in db.execute(
            select(sources.c.id).where(sources.c.id.in_(batch), sources.c.id.not_in(select(subscribed_to.c.source)))
        ).scalars()
    ]


def remove(db: Connection, id: SourceId) -> None:  # noqa: A002
    """Forget the source, its subscriptions and what of it still waits. Its articles stay: readers may have saved them."""
    db.execute(delete(entries).where(entries.c.source == id, ~entries.c.done))
    db.execute(delete(sources).where(sources.c.id == id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source is doing."""

    source: Source
    articles: int
    latest: datetime | None  # the time of its newest article
    subscribers: int


def health(db: Connection) -> list[Health]:
    """Every source with what came of it; those with a problem first, then by title."""
    told = {
        row.source: (row.n, row.latest)
        for row in db.execute(
            select(articles.c.source, func.count().label("n"), func.max(articles.c.time).label("latest"))
            .where(articles.c.source.is_not(None))
            .group_by(articles.c.source)
        )
    }
    subscribed: dict[str, int] = {
        row.source: row[1]
        for row in db.execute(select(subscribed_to.c.source, func.count()).group_by(subscribed_to.c.source))
    }
    rows = [
        Health(
            source=source,
            articles=told.get(source.id, (0, None))[0],
            latest=told.get(source.id, (0, None))[1],
            subscribers=subscribed.get(source.id, 0),
        )
        for source in all(db)
    ]
    return sorted(rows, key=lambda h: not h.source.problem)


def subscribe(db: Connection, reader: ReaderId, source: SourceId, folder: str = "") -> None:
    """The reader follows the source, in that folder. Again with another folder moves it."""
    upsert(
        db,
        subscribed_to,
        [{"reader": reader, "source": source, "folder": folder}],
        key=("reader", "source"),
        update=("folder",),
    )


def unsubscribe(db: Connection, reader: ReaderId, source: SourceId) -> None:
    db.execute(delete(subscribed_to).where(subscribed_to.c.reader == reader, subscribed_to.c.source == source))


def folders(db: Connection, reader: ReaderId) -> dict[SourceId, str]:
    """The folder of each source that the reader subscribes to."""
    query = select(subscribed_to.c.source, subscribed_to.c.folder).where(subscribed_to.c.reader == reader)
    return {SourceId(source): folder for source, folder in db.execute(query)}


def subscriptions(db: Connection, reader: ReaderId) -> list[tuple[Source, str]]:
    """What the reader subscribes to, with the folder, by folder and title."""
    query = (
        select(*_SELECT, subscribed_to.c.folder)
        .join(subscribed_to, subscribed_to.c.source == sources.c.id)
        .where(subscribed_to.c.reader == reader)
        .order_by(subscribed_to.c.folder, func.lower(sources.c.title), sources.c.url)
    )
    return [(_in(row), row.folder) for row in db.execute(query)]
