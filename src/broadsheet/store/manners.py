"""How politely each source is asked: what was asked of it, what it answered, and what it asked for in turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from broadsheet.model import SourceId
from broadsheet.store.rows import upsert
from broadsheet.store.schema import entries, manners, rejections

ROBOTS = "the site asks programs not to read this page"  # how that rejection begins
_SUMS = ("asked", "unchanged", "failed", "spared", "size")
_LAST = ("status", "max_age", "ttl", "retry_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request for a source's address and its answer; or the sum of many, with what the last one said."""

    asked: int = 1  # requests that were sent; pages of articles are not among them
    unchanged: int = 0  # of those, answered with 304: nothing new, nothing sent
    failed: int = 0
    spared: int = 0  # times that nothing was sent, since its host had asked to be left alone
    size: int = 0  # bytes of what came, unpacked
    status: int | None = None  # of the last answer; None: there was none
    max_age: timedelta | None = None  # how long it says that its answer stays good
    ttl: timedelta | None = None  # the same as the feed itself says
    retry_after: timedelta | None = None  # how long it asked to be left alone
    since: datetime | None = None  # of a sum: when counting began


def note(db: Connection, source: SourceId, one: Asked, now: datetime) -> None:
    """Add a request to what is known of the source, which must be here."""
    row = {name: getattr(one, name) for name in (*_SUMS, *_LAST)} | {"source": source, "since": now}
    special = {name: (lambda new, name=name: manners.c[name] + new[name]) for name in _SUMS}
    upsert(db, manners, [row], key=("source",), update=_LAST, special=special)


def of(db: Connection, source: SourceId) -> Asked | None:
    """What was asked of the source so far; None where it never was, as far as is known."""
    row = db.execute(select(manners).where(manners.c.source == source)).first()
    return None if row is None else Asked(**{name: getattr(row, name) for name in (*_SUMS, *_LAST, "since")})


def forbidden(db: Connection, source: SourceId) -> int:
    """How many pages that the source announced were left unread, since the site's robots.txt asks programs for that."""
    query = (
        select(func.count(rejections.c.id.distinct()))
        .select_from(rejections.join(entries, entries.c.url == rejections.c.subject))
        .where(entries.c.source == source, rejections.c.stage == "page", rejections.c.reason.startswith(ROBOTS))
    )
    return db.execute(query).scalar_one()
