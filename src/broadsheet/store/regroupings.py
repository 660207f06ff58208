"""What operators said of the grouping: one ruling a row, kept when it is undone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, not_, select, update

from broadsheet.model import ArticleId, Regrouping, Ruling
from broadsheet.store.schema import articles, regroupings


def _in(row: Any) -> Ruling:
    return Ruling(
        number=row.number,
        word=Regrouping(one=ArticleId(row.one), other=ArticleId(row.other), same=bool(row.same)),
        who=row.who,
        at=row.at,
        undone=row.undone,
        applied=bool(row.applied),
        moved=tuple(ArticleId(id_) for id_ in row.moved),
    )


def add(db: Connection, word: Regrouping, who: str, at: datetime) -> Ruling:
    """Keep what somebody said; whoever groups does it. Gives it with its number."""
    row = {
        "one": word.one, "other": word.other, "same": word.same, "who": who, "at": at, "undone": None,
        "applied": False, "moved": [],
    }  # fmt: skip
    number = db.execute(insert(regroupings).values(**row).returning(regroupings.c.number)).scalar_one()
    return Ruling(number=number, word=word, who=who, at=at)


def undo(db: Connection, number: int, at: datetime) -> Ruling | None:
    """Take a ruling back; None where none of that number stands. Whoever groups regroups what it moved."""
    # What was never done need not be taken back.
    changed = (
        update(regroupings)
        .where(regroupings.c.number == number, regroupings.c.undone.is_(None))
        .values(undone=at, applied=not_(regroupings.c.applied))
    )
    return get(db, number) if db.execute(changed).rowcount else None


def get(db: Connection, number: int) -> Ruling | None:
    row = db.execute(select(regroupings).where(regroupings.c.number == number)).first()
    return None if row is None else _in(row)


def all(db: Connection) -> list[Ruling]:  # noqa: A001
    """In the order in which they were made."""
    return [_in(row) for row in db.execute(select(regroupings).order_by(regroupings.c.number))]


def standing(db: Connection) -> list[Ruling]:
    """Those that hold: not undone, and the last one on their two articles. In order."""
    query = select(regroupings).where(regroupings.c.undone.is_(None)).order_by(regroupings.c.number)
    last: dict[frozenset[str], Ruling] = {}
    for row in db.execute(query):
        pair = frozenset((row.one, row.other))
        last.pop(pair, None)
        last[pair] = _in(row)
    return list(last.values())


def waiting(db: Connection) -> Ruling | None:
    """The first that is still to be done, or to be taken back. One on an article that has no story yet waits on."""
    one, other = articles.alias(), articles.alias()
    query = (
        select(regroupings)
        .join(one, one.c.id == regroupings.c.one)
        .join(other, other.c.id == regroupings.c.other)
        .where(~regroupings.c.applied, one.c.story.is_not(None), other.c.story.is_not(None))
        .order_by(regroupings.c.number)
        .limit(1)
    )
    row = db.execute(query).first()
    return None if row is None else _in(row)


def done(db: Connection, ruling: Ruling, moved: Iterable[ArticleId]) -> bool:
    """It was done as it stands here, and moved these. Says no where it was undone, or done, in the meantime."""
    changed = (
        update(regroupings)
        .where(
            regroupings.c.number == ruling.number,
            ~regroupings.c.applied,
            regroupings.c.undone.is_(None) if ruling.undone is None else regroupings.c.undone.is_not(None),
        )
        .values(applied=True, moved=list(moved))
    )
    return bool(db.execute(changed).rowcount)
