"""Articles that somebody read, and when their pages are looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from broadsheet.model import ArticleId
from broadsheet.store.rows import upsert
from broadsheet.store.schema import rechecks


@dataclass(frozen=True, slots=True)
class Recheck:
    article: ArticleId
    tries: int


def want(db: Connection, article: ArticleId, due: datetime) -> None:
    """Look at the article again then. One that is waited for already keeps its time."""
    upsert(db, rechecks, [{"article": article, "due": due, "tries": 0}], key=("article",))


def claim(
    db: Connection, now: datetime, worker: str, lease: timedelta, limit: int, *, clock: datetime
) -> list[Recheck]:
    """Up to `limit` that are due and that nobody holds, the longest waiting first; the worker's until the lease ends.

    What is due is a question of `now`, who holds it one of the real `clock`.
    """
    picked = (
        select(rechecks.c.article)
        .where(rechecks.c.due <= now, or_(rechecks.c.claimed_until.is_(None), rechecks.c.claimed_until <= clock))
        .order_by(rechecks.c.due, rechecks.c.article)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    rows = db.execute(
        update(rechecks)
        .where(rechecks.c.article.in_(select(picked.c.article)))
        .values(claimed_by=worker, claimed_until=clock + lease)
        .returning(rechecks.c.article, rechecks.c.tries)
    )
    return [Recheck(ArticleId(row.article), row.tries) for row in rows]


def put_off(db: Connection, article: ArticleId, due: datetime, tries: int) -> None:
    """It was looked at; look again then."""
    db.execute(
        update(rechecks)
        .where(rechecks.c.article == article)
        .values(due=due, tries=tries, claimed_by=None, claimed_until=None)
    )


def done(db: Connection, ids: Iterable[ArticleId]) -> None:
    """These are not looked at any more."""
    db.execute(delete(rechecks).where(rechecks.c.article.in_(list(ids))))
