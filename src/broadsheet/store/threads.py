"""What is remembered of threads that are open, and the stories of any thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from broadsheet.model import OpenThread, Story, StoryId, ThreadId
from broadsheet.store import stories as whole
from broadsheet.store.rows import batches, upsert
from broadsheet.store.schema import stories, threads


def save(db: Connection, changed: Iterable[OpenThread]) -> None:
    """Keep what is remembered of these threads."""
    rows = [{"id": t.id, "until": t.until, "memory": t.memory} for t in changed]
    upsert(db, threads, rows, key=("id",), update=("until", "memory"))


def remove(db: Connection, ids: Iterable[ThreadId]) -> None:
    """Forget these threads. Their stories keep the thread's id, so its page stays."""
    for batch in batches(ids):
        db.execute(delete(threads).where(threads.c.id.in_(batch)))


def remove_until(db: Connection, when: datetime) -> int:
    """Forget the threads that were to be kept until then or less; gives how many."""
    return db.execute(delete(threads).where(threads.c.until < when)).rowcount


def all_open(db: Connection, now: datetime, most: int | None = None) -> Iterator[OpenThread]:
    """The threads that a new story may still join, those that are open longest first; read a few hundred at a time."""
    query = select(threads).where(threads.c.until >= now).order_by(threads.c.until.desc(), threads.c.id).limit(most)
    for row in db.execute(query.execution_options(yield_per=500)):
        yield OpenThread(id=ThreadId(row.id), until=row.until, memory=bytes(row.memory))


def of(db: Connection, ids: Iterable[StoryId]) -> dict[StoryId, ThreadId]:
    """The thread of each of these stories that has one."""
    found: dict[StoryId, ThreadId] = {}
    for batch in batches(ids):
        query = select(stories.c.id, stories.c.thread).where(stories.c.id.in_(batch), stories.c.thread.is_not(None))
        found |= {StoryId(row.id): ThreadId(row.thread) for row in db.execute(query)}
    return found


_LATEST = (
    select(stories.c.id)
    .where(stories.c.thread == bindparam("thread"), stories.c.survivor.is_(None))
    .order_by(stories.c.last_seen.desc(), stories.c.id)
    .limit(bindparam("most"))
)


def latest(db: Connection, id: ThreadId, most: int) -> list[StoryId]:  # noqa: A002
    """The latest stories of a thread, the latest first; absorbed ones are left out."""
    return [StoryId(story) for story in db.execute(_LATEST, {"thread": id, "most": most}).scalars()]


def stories_of(db: Connection, id: ThreadId, most: int) -> list[Story]:  # noqa: A002
    """The latest stories of a thread, the latest first; absorbed ones are left out."""
    return whole.many(db, latest(db, id, most))


def without(db: Connection, since: datetime, most: int) -> list[Story]:
    """Stories since then that have no thread yet, the oldest first: those of an earlier version's database."""
    return whole.select_stories(
        db,
        (stories.c.thread.is_(None), stories.c.survivor.is_(None), stories.c.last_seen >= since),
        order=(stories.c.last_seen, stories.c.id),
        most=most,
    )
