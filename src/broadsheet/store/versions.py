"""Earlier wordings of articles, and who read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from broadsheet.model import ArticleId, FactChange, ReaderId, Version
from broadsheet.store.rows import among, batches, upsert
from broadsheet.store.schema import readings, versions


def _in(row: Any) -> Version:
    return Version(
        article=ArticleId(row.article),
        replaced=row.replaced,
        title=row.title,
        text=row.text,
        facts=tuple(FactChange(kind=kind, old=old, new=new) for kind, old, new in row.facts),
    )


def save(db: Connection, kept: Iterable[Version]) -> None:
    """Keep what articles said before; one that is kept already stays as it is."""
    rows = [
        {
            "article": v.article,
            "replaced": v.replaced,
            "title": v.title,
            "text": v.text,
            "facts": [[f.kind, f.old, f.new] for f in v.facts],
        }
        for v in kept
    ]
    upsert(db, versions, rows, key=("article", "replaced"))


def of(db: Connection, article: ArticleId) -> list[Version]:
    """The earlier wordings of an article, oldest first."""
    query = select(versions).where(versions.c.article == article).order_by(versions.c.replaced)
    return [_in(row) for row in db.execute(query)]


def since_read(db: Connection, reader: ReaderId, limit: int = 50) -> list[tuple[Version, datetime]]:
    """Wordings that the reader knows and that were replaced since they last read the article, the latest first; each
    with when they read it."""
    query = (
        select(versions, readings.c.at)
        .join(readings, readings.c.article == versions.c.article)
        .where(readings.c.reader == reader, readings.c.at < versions.c.replaced)
        .order_by(versions.c.replaced.desc(), versions.c.article)
        .limit(limit)
    )
    return [(_in(row), row.at) for row in db.execute(query)]


_CORRECTED = (
    select(versions.c.article, versions.c.facts)
    .join(readings, readings.c.article == versions.c.article)
    .where(readings.c.reader == bindparam("reader"), readings.c.at < versions.c.replaced)
    .order_by(versions.c.replaced.desc(), versions.c.article)
    .limit(bindparam("limit"))
)


def corrected(db: Connection, reader: ReaderId, limit: int = 50) -> int:
    """How many articles had a fact changed since the reader read them, among the wordings that `since_read` gives."""
    return len({article for article, facts in db.execute(_CORRECTED, {"reader": reader, "limit": limit}) if facts})


def read(db: Connection, reader: ReaderId, article: ArticleId, at: datetime) -> None:
    """The reader read the article then; the latest time is kept."""
    upsert(
        db,
        readings,
        [{"reader": reader, "article": article, "at": at}],
        key=("reader", "article"),
        special={"at": lambda new: func.coalesce(new.at, readings.c.at)},
    )


_READ_BY = select(readings.c.article, readings.c.at).where(
    readings.c.reader == bindparam("reader"), among(readings.c.article)
)


def read_by(db: Connection, reader: ReaderId, ids: Iterable[ArticleId]) -> dict[ArticleId, datetime]:
    """When the reader last read each of these articles; those never read are left away."""
    return {
        ArticleId(row.article): row.at
        for batch in batches(ids)
        for row in db.execute(_READ_BY, {"reader": reader, "ids": batch})
    }


def all_read_by(db: Connection, reader: ReaderId) -> list[tuple[ArticleId, datetime]]:
    """Everything that the reader read, in order of time: for exports."""
    query = select(readings).where(readings.c.reader == reader).order_by(readings.c.at, readings.c.article)
    return [(ArticleId(row.article), row.at) for row in db.execute(query)]


def was_read(db: Connection, ids: Iterable[ArticleId]) -> set[ArticleId]:
    """Those of the articles that anybody read."""
    return {
        ArticleId(id_)
        for batch in batches(ids)
        for id_ in db.execute(select(readings.c.article).where(readings.c.article.in_(batch)).distinct()).scalars()
    }
