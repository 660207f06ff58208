"""What the store knows of itself and of the work on it: for the operator's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from broadsheet.model import ReaderId
from broadsheet.store import migrations
from broadsheet.store.schema import articles, entries, events, leases, rechecks, sources, stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What waits, and who is at it."""

    polled: datetime | None  # when a source was last asked
    read: datetime | None  # when an article was last read in
    held: int  # sources, entries and second looks that are in somebody's hands
    rechecks: int  # articles that somebody read and whose pages are looked at again
    stale: int  # stories that are to be described anew
    leases: tuple[tuple[str, str, datetime], ...]  # work of one process at a time: what, who, until when


def size(db: Connection) -> int:
    """Bytes that the database takes on disk, without its log."""
    if db.dialect.name == "sqlite":
        pages, of = (db.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size"))
        return int(pages) * int(of)
    return int(db.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def versions(db: Connection) -> tuple[str, int, int]:
    """The database program with its version, the version of the tables, and the one that this program knows."""
    own = "sqlite_version()" if db.dialect.name == "sqlite" else "current_setting('server_version')"
    program = "SQLite" if db.dialect.name == "sqlite" else "PostgreSQL"
    number = db.execute(text(f"SELECT {own}")).scalar_one()
    return f"{program} {number}", migrations.version(db), len(migrations.known(db.dialect.name))


def work(db: Connection, clock: datetime) -> Work:
    """`clock` is the real time: leases run by it."""
    held = sum(
        db.execute(select(func.count()).where(table.c.claimed_until > clock).select_from(table)).scalar_one()
        for table in (sources, entries, rechecks)
    )
    rows = db.execute(select(leases).where(leases.c.until > clock).order_by(leases.c.name))
    return Work(
        polled=db.execute(select(func.max(sources.c.last_fetch))).scalar(),
        read=db.execute(select(func.max(articles.c.first_seen))).scalar(),
        held=held,
        rechecks=db.execute(select(func.count()).select_from(rechecks)).scalar_one(),
        stale=db.execute(select(func.count()).select_from(stale)).scalar_one(),
        leases=tuple((row.name, row.held_by, row.until) for row in rows),
    )


def last_acts(db: Connection) -> dict[ReaderId, datetime]:
    """When each reader last did something, or was last shown something."""
    query = select(events.c.reader, func.max(events.c.at).label("at")).group_by(events.c.reader)
    return {ReaderId(row.reader): row.at for row in db.execute(query)}
