"""What was dropped and why, for the person who looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from broadsheet.model import Rejected, identify
from broadsheet.store.rows import upsert
from broadsheet.store.schema import rejections


@dataclass(frozen=True, slots=True)
class Dropped:
    """A rejection and when it last happened."""

    rejected: Rejected
    at: datetime


def save(db: Connection, rejected: Iterable[Rejected], now: datetime) -> None:
    """Keep them. The same rejection again only renews its time."""
    rows = {
        (id_ := identify(r.stage, r.subject, r.reason)): {
            "id": id_, "stage": r.stage, "subject": r.subject, "reason": r.reason, "at": now,
        }
        for r in rejected
    }  # fmt: skip
    upsert(db, rejections, rows.values(), key=("id",), update=("at",))


def latest(db: Connection, limit: int = 100, stage: str | None = None) -> list[Dropped]:
    """The newest first."""
    query = select(rejections).order_by(rejections.c.at.desc(), rejections.c.id).limit(limit)
    if stage is not None:
        query = query.where(rejections.c.stage == stage)
    return [
        Dropped(Rejected(stage=row.stage, subject=row.subject, reason=row.reason), row.at) for row in db.execute(query)
    ]


def counts(db: Connection) -> dict[str, int]:
    """How many of each stage."""
    query = select(rejections.c.stage, func.count()).group_by(rejections.c.stage).order_by(rejections.c.stage)
    return {row.stage: row[1] for row in db.execute(query)}


def forget_before(db: Connection, when: datetime) -> int:
    """Drop old ones; gives how many."""
    return db.execute(delete(rejections).where(rejections.c.at < when)).rowcount


def reasons(db: Connection, since: datetime) -> list[tuple[str, str, int, datetime]]:
    """Stage, reason, how many subjects and when last, of what was dropped since then; in order of stage and reason."""
    columns = rejections.c.stage, rejections.c.reason
    query = (
        select(*columns, func.count().label("n"), func.max(rejections.c.at).label("last"))
        .where(rejections.c.at >= since)
        .group_by(*columns)
        .order_by(*columns)
    )
    return [(row.stage, row.reason, row.n, row.last) for row in db.execute(query)]


def forget(db: Connection, stage: str, subject: str) -> int:
    """Drop what was said of one subject at a stage, since it is tried again; gives how much."""
    return db.execute(delete(rejections).where(rejections.c.stage == stage, rejections.c.subject == subject)).rowcount
