"""What sources announced, until it became articles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, literal_column, or_, select, update

from broadsheet.model import Entry, EntryId
from broadsheet.store import codec
from broadsheet.store.rows import Row, batches, upsert
from broadsheet.store.schema import entries
from broadsheet.store.types import EPOCH

_COLUMNS = tuple(c.name for c in entries.c if c.name not in ("seen", "done", "attempts", "claimed_by", "claimed_until"))
_SELECT = [entries.c[name] for name in _COLUMNS]
# Written so, and not as `done = 0`, SQLite sees that the index of waiting entries answers it.
_WAITING: Any = literal_column("NOT done")

# An entry that was taken this often and never finished takes its worker down with it, and is given up. Not fewer: a
# worker that someone kills again and again is no fault of the entries it held.
ATTEMPTS = 20


def _out(entry: Entry, now: datetime) -> Row:
    row: Row = {name: getattr(entry, name) for name in _COLUMNS}
    row["authors"], row["tags"] = list(entry.authors), list(entry.tags)
    row["enclosures"] = codec.enclosures_out(entry.enclosures)
    return row | {"seen": now, "done": False, "attempts": 0}


def _in(row: Any) -> Entry:
    values = {name: getattr(row, name) for name in _COLUMNS}
    values["authors"], values["tags"] = tuple(row.authors), tuple(row.tags)
    values["enclosures"] = codec.enclosures_in(row.enclosures)
    return Entry(**values)


REVISIONS = 8  # changes of one entry that are read: past it the feed counts visits, not corrections


def save_new(db: Connection, found: Iterable[Entry], now: datetime) -> int:
    """Keep those that were never seen, gives how many; and let those that say something else now be read again.

    A known one is otherwise left as it is, so nothing comes back to life.
    """
    given = {entry.id: entry for entry in found}
    for entry in _reworded(db, given):
        db.execute(
            update(entries)
            .where(entries.c.id == entry.id)
            .values(
                **{name: value for name, value in _out(entry, now).items() if name not in ("id", "seen", "revision")},
                revision=entries.c.revision + 1,
                claimed_by=None,
                claimed_until=None,
            )
        )
    return upsert(db, entries, (_out(entry, now) for entry in given.values()), key=("id",))


def _reworded(db: Connection, given: Mapping[EntryId, Entry]) -> list[Entry]:
    """Those that are known with other words, and are not in anybody's hands."""
    found: list[Entry] = []
    for batch in batches(id_ for id_, entry in given.items() if entry.wording):
        query = select(entries.c.id, entries.c.wording).where(
            entries.c.id.in_(batch), entries.c.wording != "", entries.c.done, entries.c.revision < REVISIONS
        )
        found += [given[EntryId(row.id)] for row in db.execute(query) if row.wording != given[EntryId(row.id)].wording]
    return found


def known(db: Connection, ids: Iterable[EntryId]) -> set[EntryId]:
    """Those of the ids that were seen before, done or not."""
    return {
        EntryId(id_)
        for batch in batches(ids)
        for id_ in db.execute(select(entries.c.id).where(entries.c.id.in_(batch))).scalars()
    }


def claim(db: Connection, now: datetime, worker: str, lease: timedelta, limit: int) -> list[Entry]:
    """Up to `limit` entries that nobody holds, in the order they were seen, of those seen at one time the newest first.
    They are the worker's until the lease runs out or they are done."""
    picked = (
        select(entries.c.id)
        .where(
            _WAITING,
            entries.c.attempts < ATTEMPTS,
            or_(entries.c.claimed_until.is_(None), entries.c.claimed_until <= now),
        )
        .order_by(entries.c.seen, entries.c.published.desc(), entries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    rows = db.execute(
        update(entries)
        .where(entries.c.id.in_(select(picked.c.id)))
        .values(claimed_by=worker, claimed_until=now + lease, attempts=entries.c.attempts + 1)
        .returning(*_SELECT, entries.c.seen)
    )
    return [_in(row) for row in sorted(rows, key=lambda row: (row.seen, -(row.published or EPOCH).timestamp(), row.id))]


def given_up(db: Connection, now: datetime, limit: int = 500) -> list[Entry]:
    """Entries that were taken `ATTEMPTS` times and never finished."""
    query = (
        select(*_SELECT)
        .where(_WAITING, entries.c.attempts >= ATTEMPTS, entries.c.claimed_until <= now)
        .order_by(entries.c.seen, entries.c.id)
        .limit(limit)
    )
    return [_in(row) for row in db.execute(query)]


def release(db: Connection, ids: Iterable[EntryId], worker: str) -> None:
    """Let go of what the worker holds, as if it had never taken it."""
    for batch in batches(ids):
        db.execute(
            update(entries)
            .where(entries.c.id.in_(batch), entries.c.claimed_by == worker)
            .values(claimed_by=None, claimed_until=None, attempts=entries.c.attempts - 1)
        )


def done(db: Connection, ids: Iterable[EntryId]) -> None:
    """They became articles or were rejected. What they carried is in the article now, and dropped here."""
    for batch in batches(ids):
        db.execute(
            update(entries)
            .where(entries.c.id.in_(batch))
            .values(done=True, summary="", content="", claimed_by=None, claimed_until=None)
        )


def at(db: Connection, urls: Iterable[str]) -> set[str]:
    """Those of the addresses at which an entry was announced."""
    query = select(entries.c.url)
    return {url for some in batches(urls) for url in db.execute(query.where(entries.c.url.in_(some))).scalars()}


def again(db: Connection, subject: str) -> int:
    """Let entries at this address, or of this id, that were done with be read again; gives how many. What they carried is
    gone, so their pages are asked for."""
    waiting = {"done": False, "attempts": 0, "claimed_by": None, "claimed_until": None}
    query = update(entries).where(or_(entries.c.url == subject, entries.c.id == subject)).values(**waiting)
    return db.execute(query).rowcount


@dataclass(frozen=True, slots=True)
class Counts:
    total: int
    waiting: int
    claimed: int  # of those waiting, in somebody's hands


def counts(db: Connection, now: datetime | None = None) -> Counts:
    """How many entries there are and how many wait."""
    held = entries.c.claimed_until.is_not(None) if now is None else entries.c.claimed_until > now
    row = db.execute(
        select(func.count(), func.sum(case((held, 1), else_=0))).select_from(entries).where(_WAITING)
    ).one()
    total = db.execute(select(func.count()).select_from(entries)).scalar_one()
    return Counts(total=total, waiting=row[0], claimed=int(row[1] or 0))
