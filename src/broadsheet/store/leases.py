"""Who leads: work that only one process may do at a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from broadsheet.store.rows import upsert
from broadsheet.store.schema import entries, leases, rechecks, sources

_CLAIMED = (sources, entries, rechecks)
_HELD = ((leases, "held_by"), *((table, "claimed_by") for table in _CLAIMED))


def take(db: Connection, name: str, worker: str, now: datetime, lease: timedelta) -> bool:
    """Whether the worker holds the lease from now on: it was free, had run out, or was its own already."""
    upsert(db, leases, [{"name": name, "held_by": worker, "until": now}], key=("name",))
    changed = db.execute(
        leases.update()
        .where(leases.c.name == name, or_(leases.c.held_by == worker, leases.c.until <= now))
        .values(held_by=worker, until=now + lease)
    )
    return changed.rowcount == 1


def give_back(db: Connection, name: str, worker: str) -> None:
    """Let the next one have it at once. Another's lease stays."""
    db.execute(delete(leases).where(leases.c.name == name, leases.c.held_by == worker))


def workers(db: Connection) -> set[str]:
    """Everybody who holds anything: a lease, a source, an entry, a second look."""
    held = (select(table.c[name]).where(table.c[name].is_not(None)).distinct() for table, name in _HELD)
    return {worker for query in held for worker in db.execute(query).scalars()}


def bury(db: Connection, dead: Collection[str]) -> None:
    """What these workers held is free at once: they will not come back."""
    names = list(dead)
    db.execute(delete(leases).where(leases.c.held_by.in_(names)))
    for table in _CLAIMED:
        db.execute(update(table).where(table.c.claimed_by.in_(names)).values(claimed_by=None, claimed_until=None))


def holder(db: Connection, name: str, now: datetime) -> str | None:
    """The worker that holds the lease now."""
    return db.execute(select(leases.c.held_by).where(leases.c.name == name, leases.c.until > now)).scalar()
