"""Group: every article goes into its story, by one worker at a time.

What goes where is decided in `moving.py`; here it is described, threaded, and written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.articles.passages import sentences
from broadsheet.config import Settings
from broadsheet.jobs.moving import Moves, arrived, obeyed
from broadsheet.jobs.worker import LEASE, Done, Progress, clock, quiet, worker_name
from broadsheet.model import Article, ArticleId, OpenThread, Passage, Ruling, Story, StoryId, ThreadId
from broadsheet.stories.cluster import Grouping, OpenStories
from broadsheet.stories.correction import judge
from broadsheet.stories.describe import SENTENCES, describe, described_by, in_order, reading
from broadsheet.stories.threads import OpenThreads

ARTICLES = 200  # articles grouped in one transaction
AT_ONCE = 500  # articles whose texts are in memory beside the batch's own
REMEMBERED = 1_000  # articles of large stories that are kept as they were read: some 20 KB each


def opening(article: Article) -> tuple[Passage, ...]:
    """The sentences with which an article opens: as many as describing a story asks for."""
    text = article.text
    return tuple(
        Passage(article=article.id, text=text[start:end], start=start, end=end)
        for start, end in islice(sentences(text), SENTENCES)
    )


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
        self._judge = judge(settings.stories_model)
        self._open: OpenStories | None = None
        self._threads = OpenThreads()
        self._reading = reading(opening, most=REMEMBERED)
        self._version = -1

    def _leads(self, c: Connection) -> bool:
        return store.leases.take(c, "group", self._worker, clock(), LEASE)

    def _ready(self, now: datetime) -> OpenStories:
        """The open stories as the store has them."""
        since = now - self._settings.live - self._rules.window
        with self._db.connect() as c:
            version = store.stories.version(c)
            if self._open is None or version != self._version:
                self._open = OpenStories(self._rules, forest=self._judge)
                self._open.restore_all(store.articles.live(c, since))
                self._threads = OpenThreads.restored(store.threads.all_open(c, now, self._threads.rules.most))
                self._reading = reading(opening, most=REMEMBERED)
                self._version = version
            words = [ruling.word for ruling in store.regroupings.standing(c)]
            named = [id_ for word in words for id_ in (word.one, word.other)]
            self._open.obey(words, store.articles.stories_of(c, named))
        self._open.forget_before(since)
        self._threads.forget(now)
        return self._open

    # --- the two ways in

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
        with self._db.connect() as c:
            moves = arrived(c, stories, waiting)
            rewritten = [alive for id_ in stale if (alive := store.stories.resolve(c, id_)) is not None]
        absorbed_now = {absorbed for absorbed, _ in moves.merged}
        moves.changed |= dict.fromkeys(id_ for id_ in rewritten if id_ not in absorbed_now)
        described, threads = self._threaded(list(self._described(moves, rewritten)), moves)
        with self._db.begin() as c:
            if not self._still_leads(c):
                return None
            self._write(c, moves, threads, now)
            store.stories.mark_fresh(c, stale)
            self._version = store.stories.save(c, described)
        return len(waiting), len(described)

    def _obey(self, ruling: Ruling, now: datetime) -> tuple[int, int] | None:
        """Do what a ruling says, or take it back; gives as `_batch` does. Everything is saved with the mark that it
        was done, so a run that is killed has done all of it or nothing."""
        with self._db.begin() as c:
            if not self._leads(c):
                self._open = None
                return None
        stories = self._ready(now)
        with self._db.connect() as c:
            moves = obeyed(c, stories, ruling)
        described, threads = self._threaded(list(self._described(moves)), moves)
        with self._db.begin() as c:
            if not self._still_leads(c):
                return None
            if not store.regroupings.done(c, ruling, moves.said):  # taken back just now: look again
                self._open = None
                return 0, 0
            self._write(c, moves, threads, now)
            if described:
                self._version = store.stories.save(c, described)
        return 0, len(described)

    def _ruling(self) -> Ruling | None:
        with self._db.connect() as c:
            return store.regroupings.waiting(c)

    def _still_leads(self, c: Connection) -> bool:
        """Describing took its time: whoever leads now decides, and two never write."""
        if self._leads(c) and store.stories.version(c) == self._version:
            return True
        self._open = None
        return False

    @staticmethod
    def _write(c: Connection, moves: Moves, threads: _Threads, now: datetime) -> None:
        store.articles.place(c, moves.placed())
        for absorbed, survivor in moves.merged:
            store.stories.merge(c, absorbed, survivor)
        threads.save(c, now)

    # --- how

    def _threaded(self, described: Sequence[Story], moves: Moves) -> tuple[list[Story], _Threads]:
        """The stories, each with the thread that it is part of, and what is to be remembered of those threads. Those
        that have `begun` just now are decided by what they say, whatever an earlier story of that id was part of."""
        decided = [s.id for s in described if s.id not in moves.begun]
        with self._db.connect() as c:
            known = store.threads.of(c, [*decided, *(absorbed for absorbed, _ in moves.merged)])
        changed: dict[ThreadId, None] = {}
        gone: dict[ThreadId, None] = {}
        for absorbed, _ in moves.merged:
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
        stories, threads = self._threaded(waiting, Moves())
        with self._db.begin() as c:
            if not self._still_leads(c):
                return 0, 0
            threads.save(c, now)
            self._version = store.stories.save(c, stories)
        return 0, len(stories)

    def _described(self, moves: Moves, anew: Collection[StoryId] = ()) -> Iterator[Story]:
        """The changed stories over all their articles, also those that are too old to be compared with. The articles of
        those that are told `anew` were rewritten."""
        came_from = moves.came_from()
        joined: dict[StoryId, list[Article]] = {}
        for id_, story, copy_of in moves.placed():
            joined.setdefault(story, []).append(_as_copy(moves.articles[id_], copy_of))
        with self._db.connect() as c:
            known = store.articles.outlines(c, [id_ for s in moves.changed for id_ in (s, *came_from.get(s, ()))])
            members: dict[StoryId, list[Article]] = {}
            for story in moves.changed:
                before = [a for id_ in (story, *came_from.get(story, ())) for a in known.get(id_, ())]
                stays = [a for a in before if moves.into.get(a.id, story) == story]  # the others were moved away
                every = {a.id: a for a in (*stays, *joined.get(story, ()))}
                members[story] = in_order(list(every.values()))
                if story in anew:
                    self._reading.forget(every)
            for story, articles in self._whole(c, members, moves.articles):
                yield describe(story, articles, self._reading)

    def _whole(
        self, c: Connection, members: Mapping[StoryId, Sequence[Article]], at_hand: Mapping[ArticleId, Article]
    ) -> Iterator[tuple[StoryId, list[Article]]]:
        """Each story's articles with the words of those that describe it, read of the store some hundreds at a time."""
        stories = iter(members.items())
        while some := list(_some(stories, AT_ONCE)):
            telling = [a.id for _, articles in some for a in described_by(articles) if a.id not in at_hand]
            kept = {id_: article for id_ in telling if (article := self._reading.article(id_)) is not None}
            kept |= {a.id: a for a in store.articles.many(c, (i for i in telling if i not in kept), html=False)}
            for story, articles in some:
                yield story, [_as_copy(kept.get(a.id, a), a.copy_of) for a in articles]

    def run(self, now: datetime, progress: Progress = quiet, stop: asyncio.Event | None = None) -> Done:
        """Group everything that waits. Nothing is done where another worker leads."""
        done = Done()
        with self._db.connect() as c:
            total = store.articles.count_ungrouped(c)
        while not (stop and stop.is_set()):
            try:
                ruling = self._ruling()
                result = self._batch(now) if ruling is None else self._obey(ruling, now)
            except BaseException:
                self._open = None  # what is in memory may be ahead of what was saved
                raise
            if result is None or (ruling is None and not any(result)):
                break
            done.grouped += result[0]
            done.stories += result[1]
            progress("stories", done.grouped, max(total, done.grouped))
        return done

    def close(self) -> None:
        """Let another lead at once."""
        with self._db.begin() as c:
            store.leases.give_back(c, "group", self._worker)


def _as_copy(article: Article, of: ArticleId | None) -> Article:
    return article if article.copy_of == of else replace(article, copy_of=of)


def _some(
    stories: Iterator[tuple[StoryId, Sequence[Article]]], most: int
) -> Iterator[tuple[StoryId, Sequence[Article]]]:
    """Stories of so many articles together, and one at least."""
    total = 0
    while total < most and (story := next(stories, None)) is not None:
        total += len(story[1])
        yield story


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
