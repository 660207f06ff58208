"""Stories: the live ones, what changed since, and where merged ones went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from broadsheet.model import ArticleId, SourceId, Story, StoryId, ThreadId
from broadsheet.store import codec
from broadsheet.store.rows import Row, among, batches, upsert
from broadsheet.store.schema import articles, counters, stale, stories

_COLUMNS = tuple(c.name for c in stories.c if c.name not in ("version", "survivor"))
_SELECT = [stories.c[name] for name in _COLUMNS]
_MANY = select(*_SELECT, stories.c.survivor).where(among(stories.c.id))


def _out(story: Story, version: int) -> Row:
    row: Row = {name: getattr(story, name) for name in _COLUMNS}
    row["articles"], row["publishers"], row["sources"] = (
        list(story.articles),
        list(story.publishers),
        list(story.sources),
    )
    row["key_points"], row["timeline"] = codec.passages_out(story.key_points), codec.timeline_out(story.timeline)
    row["entities"], row["topics"] = codec.entities_out(story.entities), codec.topics_out(story.topics)
    row["velocity"] = float(story.velocity)
    row["authors"], row["words"], row["voices"] = list(story.authors), story.words, story.voices
    return row | {"version": version, "survivor": None}


def _in(row: Any) -> Story:
    return Story(
        id=StoryId(row.id),
        headline=row.headline,
        articles=tuple([ArticleId(a) for a in row.articles]),
        publishers=tuple(map(intern, row.publishers)),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        independent=row.independent,
        velocity=row.velocity,
        authors=tuple(map(intern, row.authors)),
        words=row.words,
        voices=row.voices,
        sources=tuple([SourceId(intern(s)) for s in row.sources]),
        key_points=codec.passages_in(row.key_points),
        timeline=codec.timeline_in(row.timeline),
        entities=codec.entities_in(row.entities),
        topics=codec.topics_in(row.topics),
        language=row.language,
        image=row.image,
        lead=None if row.lead is None else ArticleId(row.lead),
        vector=bytes(row.vector),
        vector_model=row.vector_model,
        thread=None if row.thread is None else ThreadId(row.thread),
    )


def version(db: Connection) -> int:
    """A number that grows with every change to any story."""
    return int(db.execute(select(counters.c.value).where(counters.c.name == "stories")).scalar_one())


def _next_version(db: Connection) -> int:
    # The row stays locked until the commit, so versions become visible in their order and a reader that asks
    # `changed_since` never passes over a late one.
    changed = db.execute(
        update(counters)
        .where(counters.c.name == "stories")
        .values(value=counters.c.value + 1)
        .returning(counters.c.value)
    )
    return int(changed.scalar_one())


def save(db: Connection, changed: Iterable[Story]) -> int:
    """Keep the stories under one new version, which it gives."""
    new = _next_version(db)
    rows = {story.id: _out(story, new) for story in changed}
    # An absorbed story that is saved again is alive again: grouping decides, the store follows.
    upsert(db, stories, rows.values(), key=("id",), update=[*(n for n in _COLUMNS if n != "id"), "version", "survivor"])
    return new


def merge(db: Connection, absorbed: StoryId, survivor: StoryId) -> None:
    """One story turned out to be another: its articles move, and its id leads there from now on."""
    if absorbed == survivor:
        return
    new = _next_version(db)
    db.execute(update(articles).where(articles.c.story == absorbed).values(story=survivor))
    db.execute(
        update(stories)
        .where(or_(stories.c.id == absorbed, stories.c.survivor == absorbed))
        .values(survivor=survivor, version=new)
    )


def resolve(db: Connection, id: StoryId) -> StoryId | None:  # noqa: A002
    """The id under which the story lives now; None if there never was one."""
    seen: set[str] = set()
    at: str = id
    while at not in seen:
        seen.add(at)
        row = db.execute(select(stories.c.survivor).where(stories.c.id == at)).first()
        if row is None:
            return None
        if row.survivor is None:
            return StoryId(at)
        at = row.survivor
    return None


def get(db: Connection, id: StoryId) -> Story | None:  # noqa: A002
    """The story; an absorbed one's id leads to the story that took it in."""
    row = db.execute(select(*_SELECT, stories.c.survivor).where(stories.c.id == id)).first()
    if row is None:
        return None
    if row.survivor is None:
        return _in(row)
    if (alive := resolve(db, id)) is None:
        return None
    return _in(db.execute(select(*_SELECT).where(stories.c.id == alive)).one())


def many(db: Connection, ids: Iterable[StoryId]) -> list[Story]:
    """Those that exist, in the order asked for, merges followed, each once."""
    asked: list[StoryId] = list(dict.fromkeys(ids))
    found, absorbed = _found(db, asked)
    alive = {id_: target for id_ in absorbed if (target := resolve(db, id_)) is not None}
    wanted = list(dict.fromkeys(alive.get(id_, id_) for id_ in asked))
    found |= _found(db, [id_ for id_ in wanted if id_ not in found])[0] if alive else {}
    return [found[id_] for id_ in wanted if id_ in found]


def _found(db: Connection, ids: Iterable[StoryId]) -> tuple[dict[StoryId, Story], list[StoryId]]:
    """The stories of these ids, and those ids that are now another story's."""
    rows = [row for batch in batches(ids) for row in db.execute(_MANY, {"ids": batch})]
    there = {StoryId(row.id): _in(row) for row in rows if row.survivor is None}
    return there, [StoryId(row.id) for row in rows if row.survivor is not None]


def live(db: Connection, since: datetime) -> Iterator[Story]:
    """The stories that had an article since then, the longest quiet first; read a few hundred at a time."""
    query = (
        select(*_SELECT)
        .where(stories.c.last_seen >= since, stories.c.survivor.is_(None))
        .order_by(stories.c.last_seen, stories.c.id)
    )
    for row in db.execution_options(yield_per=500).execute(query):
        yield _in(row)


def select_stories(db: Connection, where: Sequence[Any], *, order: Sequence[Any], most: int) -> list[Story]:
    """Stories by a condition, in an order: for the rest of the store."""
    return [_in(row) for row in db.execute(select(*_SELECT).where(*where).order_by(*order).limit(most))]


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to the stories after a version. Unpacks as `stories, gone, version`."""

    stories: tuple[Story, ...]
    gone: dict[StoryId, StoryId]  # absorbed: which story each is now
    version: int

    def __iter__(self) -> Iterator[Any]:
        return iter((self.stories, self.gone, self.version))


def changed_since(db: Connection, after: int) -> Changes:
    """The stories that changed after that version, the ids that are no longer stories, and the version now."""
    now = version(db)
    if now == after:
        return Changes((), {}, now)
    changed: list[Story] = []
    gone: dict[StoryId, StoryId] = {}
    query = (
        select(*_SELECT, stories.c.survivor)
        .where(stories.c.version > after, stories.c.version <= now)
        .order_by(stories.c.version, stories.c.id)
    )
    for row in db.execute(query):
        if row.survivor is None:
            changed.append(_in(row))
        else:
            gone[StoryId(row.id)] = StoryId(row.survivor)
    return Changes(tuple(changed), gone, now)


def absorbed(db: Connection, since: datetime) -> dict[StoryId, StoryId]:
    """Stories that had an article since then and are another's now: which one each is."""
    query = select(stories.c.id, stories.c.survivor).where(
        stories.c.survivor.is_not(None), stories.c.last_seen >= since
    )
    return {StoryId(row.id): StoryId(row.survivor) for row in db.execute(query)}


def mark_stale(db: Connection, ids: Iterable[StoryId]) -> None:
    """Articles of these changed: they are to be described anew."""
    rows = ({"story": id_, "times": 1} for id_ in dict.fromkeys(ids))
    upsert(db, stale, rows, key=("story",), special={"times": lambda _: stale.c.times + 1})


def stale_ones(db: Connection, limit: int) -> dict[StoryId, int]:
    """Stories that are to be described anew, and how often they were marked so."""
    rows = db.execute(select(stale).order_by(stale.c.story).limit(limit))
    return {StoryId(row.story): row.times for row in rows}


def mark_fresh(db: Connection, described: Mapping[StoryId, int]) -> None:
    """These were described as they were when they had been marked so often; one marked again since waits on."""
    for id_, times in described.items():
        db.execute(delete(stale).where(stale.c.story == id_, stale.c.times == times))


def count(db: Connection) -> int:
    """How many stories there are, absorbed ones left out."""
    return db.execute(select(func.count()).select_from(stories).where(stories.c.survivor.is_(None))).scalar_one()
