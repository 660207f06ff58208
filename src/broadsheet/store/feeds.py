"""Every feed that was shown: who saw what, where, why, and by which recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import orjson
from sqlalchemy import Connection, delete, select

from broadsheet.model import Feed, FeedId, ReaderId
from broadsheet.store import codec, notes
from broadsheet.store.rows import upsert
from broadsheet.store.schema import feeds

WEIGHTS = "weights of signals"  # the note that learned weights are kept under


def log(db: Connection, feed: Feed, positions: Sequence[int] | None = None) -> None:
    """Keep the feed. `positions` says where each item stood, from 0; without it they stood in their order. A feed that
    is known stays as it was shown first."""
    stood = tuple(range(len(feed.items)) if positions is None else positions)
    row = {
        "id": feed.id, "reader": feed.reader, "at": feed.at, "recipe": feed.recipe, "recipe_hash": feed.recipe_hash,
        "left_out": dict(feed.left_out), "items": codec.items_out(feed.items, stood),
    }  # fmt: skip
    upsert(db, feeds, [row], key=("id",))


def _in(row: Any) -> Feed:
    return Feed(
        id=FeedId(row.id),
        reader=ReaderId(row.reader),
        at=row.at,
        recipe=row.recipe,
        recipe_hash=row.recipe_hash,
        left_out=row.left_out,
        items=codec.items_in(row.items),
    )


def get(db: Connection, id: FeedId) -> Feed | None:  # noqa: A002
    row = db.execute(select(feeds).where(feeds.c.id == id)).first()
    return None if row is None else _in(row)


def positions(db: Connection, id: FeedId) -> dict[str, int]:  # noqa: A002
    """Where each story stood in the feed."""
    kept = db.execute(select(feeds.c["items"]).where(feeds.c.id == id)).scalar()
    return {story: position for position, story, *_ in kept or []}


def latest(db: Connection, reader: ReaderId, limit: int = 1) -> list[Feed]:
    """The reader's newest feeds first."""
    query = select(feeds).where(feeds.c.reader == reader).order_by(feeds.c.at.desc(), feeds.c.id).limit(limit)
    return [_in(row) for row in db.execute(query)]


def forget(db: Connection, reader: ReaderId) -> int:
    """Drop all that one reader was shown; gives how many."""
    return db.execute(delete(feeds).where(feeds.c.reader == reader)).rowcount


def latest_recipe(db: Connection) -> str | None:
    """The hash of the recipe that the newest feed was made by."""
    return db.execute(select(feeds.c.recipe_hash).order_by(feeds.c.at.desc(), feeds.c.id).limit(1)).scalar()


def logged(db: Connection, recipe_hash: str) -> Iterator[tuple[Feed, list[int]]]:
    """Every feed of a recipe that is kept, in order of time, with where its items stood."""
    query = select(feeds).where(feeds.c.recipe_hash == recipe_hash).order_by(feeds.c.at, feeds.c.id)
    for row in db.execute(query):
        yield _in(row), [position for position, *_ in row.items]


def weights(db: Connection) -> list[dict[str, Any]]:
    """The weights of signals that were learned here, the latest last: those hold. Empty: as it is shipped."""
    kept = notes.get(db, WEIGHTS)
    return cast(list[dict[str, Any]], orjson.loads(kept)) if kept else []


def forget_before(db: Connection, when: datetime) -> int:
    """Drop old ones; gives how many."""
    return db.execute(delete(feeds).where(feeds.c.at < when)).rowcount
