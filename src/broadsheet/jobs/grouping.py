"""Group: every article goes into its story, by one worker at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.articles.passages import passages
from broadsheet.config import Settings
from broadsheet.jobs.ingesting import EARLIEST
from broadsheet.jobs.worker import LEASE, Done, Progress, clock, quiet, worker_name
from broadsheet.model import Article, ArticleId, OpenThread, Story, StoryId, ThreadId
from broadsheet.stories.cluster import Assignment, Grouping, OpenStories
from broadsheet.stories.describe import describe
from broadsheet.stories.threads import OpenThreads

ARTICLES = 200  # articles grouped in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Threads:
    """What changed of the threads, to be saved with the stories that changed them."""

    kept: tuple[OpenThread, ...]
    gone: tuple[ThreadId, ...]

    def save(self, c: Connection, now: datetime) -> None:
        store.threads.remove(c, self.gone)
        store.threads.remove_until(c, now)
        store.threads.save(c, self.kept)


class Grouper:
    """The one who groups. What it keeps in memory between calls is bounded by the window, and is rebuilt from the
    store whenever another has grouped in between."""

    def __init__(self, db: Engine, settings: Settings, worker: str, rules: Grouping | None = None) -> None:
        self._db, self._settings, self._worker = db, settings, worker
        self._rules = rules or Grouping()
        self._open: OpenStories | None = None
        self._threads = OpenThreads()
        self._version = -1

    def _leads(self, c: Connection) -> bool:
        return store.leases.take(c, "group", self._worker, clock(), LEASE)

    def _ready(self, now: datetime) -> OpenStories:
        """The open stories as the store has them."""
        since = now - self._settings.live - self._rules.window
        with self._db.connect() as c:
            version = store.stories.version(c)
            if self._open is None or version != self._version:
                self._open = OpenStories(self._rules)
                for article, story in store.articles.live(c, since):
                    self._open.restore(article, story)
                self._threads = OpenThreads.restored(store.threads.all_open(c, now))
                self._version = version
        self._open.forget_before(since)
        self._threads.forget(now)
        return self._open

    def _batch(self, now: datetime) -> tuple[int, int] | None:
        """Group one batch; gives how many articles were placed and stories changed, None when another leads."""
        with self._db.begin() as c:
            if not self._leads(c):
                self._open = None
                return None
        with self._db.connect() as c:
            waiting = store.articles.ungrouped(c, ARTICLES)
            stale = store.stories.stale_ones(c, ARTICLES)
        if not waiting and not stale:
            return self._threaded_late(now)
        stories = self._ready(now)
        merged: list[tuple[StoryId, StoryId]] = []
        changed: dict[StoryId, None] = {}
        assigned: dict[ArticleId, Assignment] = {}
        for article in waiting:
            assignment = assigned[article.id] = stories.assign(article)
            for absorbed in assignment.merged:
                merged.append((absorbed, assignment.story))
                changed.pop(absorbed, None)
            changed[assignment.story] = None
        placed = [(a.id, stories.story_of(a.id) or assigned[a.id].story, assigned[a.id].copy_of) for a in waiting]
        with self._db.connect() as c:
            rewritten = [alive for id_ in stale if (alive := store.stories.resolve(c, id_)) is not None]
        absorbed_now = {absorbed for absorbed, _ in merged}
        changed |= dict.fromkeys(id_ for id_ in rewritten if id_ not in absorbed_now)
        described, threads = self._threaded(self._described(waiting, placed, merged, changed), merged)
        with self._db.begin() as c:
            # Describing took its time: whoever leads now decides, and two never write.
            if not self._leads(c) or store.stories.version(c) != self._version:
                self._open = None
                return None
            store.articles.place(c, placed)
            for absorbed, survivor in merged:
                store.stories.merge(c, absorbed, survivor)
            store.stories.mark_fresh(c, stale)
            threads.save(c, now)
            self._version = store.stories.save(c, described)
        return len(placed), len(described)

    def _threaded(
        self, described: Sequence[Story], merged: Sequence[tuple[StoryId, StoryId]] = ()
    ) -> tuple[list[Story], _Threads]:
        """The stories, each with the thread that it is part of, and what is to be remembered of those threads."""
        with self._db.connect() as c:
            known = store.threads.of(c, [*(s.id for s in described), *(absorbed for absorbed, _ in merged)])
        changed: dict[ThreadId, None] = {}
        gone: dict[ThreadId, None] = {}
        for absorbed, _ in merged:
            own = known.get(absorbed)
            if own is not None and self._threads.leave(own, absorbed):
                gone[own] = None
        stories: list[Story] = []
        for story in described:
            placed = self._threads.assign(story, known.get(story.id))
            changed[placed.thread] = None
            if placed.left is not None:
                gone[placed.left] = None
            stories.append(replace(story, thread=placed.thread))
        kept = [self._threads.memory(thread) for thread in changed if thread in self._threads]
        return stories, _Threads(kept=tuple(kept), gone=tuple(t for t in gone if t not in self._threads))

    def _threaded_late(self, now: datetime) -> tuple[int, int]:
        """Give a thread to stories that have none, which an earlier version wrote. Nothing, once all have one."""
        with self._db.connect() as c:
            waiting = store.threads.without(c, now - self._settings.live, ARTICLES)
        if not waiting:
            return 0, 0
        self._ready(now)
        stories, threads = self._threaded(waiting)
        with self._db.begin() as c:
            if not self._leads(c) or store.stories.version(c) != self._version:
                self._open = None
                return 0, 0
            threads.save(c, now)
            self._version = store.stories.save(c, stories)
        return 0, len(stories)

    def _described(
        self,
        waiting: Sequence[Article],
        placed: Sequence[tuple[ArticleId, StoryId, ArticleId | None]],
        merged: Sequence[tuple[StoryId, StoryId]],
        changed: Iterable[StoryId],
    ) -> list[Story]:
        """The changed stories over all their articles, also those that are too old to be compared with."""
        joined: dict[StoryId, list[Article]] = {}
        by_id = {article.id: article for article in waiting}
        for id_, story, copy_of in placed:
            joined.setdefault(story, []).append(replace(by_id[id_], copy_of=copy_of))
        came_from: dict[StoryId, list[StoryId]] = {}
        for absorbed, survivor in merged:
            came_from.setdefault(survivor, []).extend([absorbed, *came_from.pop(absorbed, [])])
        described = []
        with self._db.connect() as c:
            for story in changed:
                before = [a for id_ in (story, *came_from.get(story, [])) for a in store.articles.of_story(c, id_)]
                every = {article.id: article for article in (*before, *joined.get(story, []))}
                in_time = sorted(every.values(), key=lambda a: (a.time or EARLIEST, a.id))
                described.append(describe(story, in_time, passages))
        return described

    def run(self, now: datetime, progress: Progress = quiet, stop: asyncio.Event | None = None) -> Done:
        """Group everything that waits. Nothing is done where another worker leads."""
        done = Done()
        with self._db.connect() as c:
            _, total = store.articles.counts(c)
        while not (stop and stop.is_set()):
            try:
                result = self._batch(now)
            except BaseException:
                self._open = None  # what is in memory may be ahead of what was saved
                raise
            if result is None or not any(result):
                break
            done.grouped += result[0]
            done.stories += result[1]
            progress("stories", done.grouped, max(total, done.grouped))
        return done

    def close(self) -> None:
        """Let another lead at once."""
        with self._db.begin() as c:
            store.leases.give_back(c, "group", self._worker)


async def group(
    db: Engine,
    settings: Settings,
    now: datetime,
    *,
    worker: str | None = None,
    rules: Grouping | None = None,
    progress: Progress = quiet,
) -> Done:
    """Put every article that waits into its story, in order of time."""
    grouper = Grouper(db, settings, worker or worker_name(), rules)
    try:
        return await asyncio.to_thread(grouper.run, now, progress)
    finally:
        await asyncio.to_thread(grouper.close)
