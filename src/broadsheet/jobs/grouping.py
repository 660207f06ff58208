"""Group: every article goes into its story, by one worker at a time.

What goes where is decided in `moving.py`; here it is described, threaded, and written.
"""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.articles.passages import sentences
from broadsheet.config import Settings
from broadsheet.jobs.moving import Moves, arrived, obeyed
from broadsheet.jobs.weaving import Tell, Woven, assign, leave, weave
from broadsheet.jobs.worker import LEASE, Done, Progress, clock, quiet, worker_name
from broadsheet.model import Article, ArticleId, OpenThread, Passage, Ruling, Story, StoryId, ThreadId
from broadsheet.stories.cluster import Grouping, OpenStories
from broadsheet.stories.correction import judge
from broadsheet.stories.describe import READ, SENTENCES, describe, described_by, in_order, reading
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

    @classmethod
    def of(cls, woven: Woven, threads: OpenThreads) -> _Threads:
        return cls(kept=woven.kept(threads), gone=woven.closed(threads))

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
        described, threads = self._woven(moves, rewritten)
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
        came_from = [id_ for absorbed in moves.came_from().values() for id_ in absorbed]
        with self._db.connect() as c:
            before = store.articles.outlines(c, [*moves.changed, *came_from])
        described, threads = self._threaded(list(self._described(moves, before)), moves)
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

    def _woven(self, moves: Moves, rewritten: Collection[StoryId]) -> tuple[list[Story], _Threads]:
        """The stories that a batch changed, each with the thread that it is part of, and what is to be remembered of those
        threads. Threads are decided step by step, as the articles came; a story that was rewritten, by what it says now."""
        named = dict.fromkeys((*moves.changed, *(story for step in moves.steps for story in step.stories())))
        with self._db.connect() as c:
            before = store.articles.outlines(c, named)
            for story_id in rewritten:
                self._reading.forget(a.id for a in before.get(story_id, ()))
            known = store.threads.of(c, named)
            woven = weave(self._threads, moves.steps, before, known, self._teller(c, moves))
        told = {id_: story for id_, story in woven.told.items() if id_ not in rewritten}
        stories: list[Story] = []
        for story in self._described(moves, before, told):
            if story.id in rewritten or story.id not in woven.threads:
                assign(self._threads, woven, story)
            stories.append(replace(story, thread=woven.threads[story.id]))
        return stories, _Threads.of(woven, self._threads)

    def _threaded(self, described: Sequence[Story], moves: Moves) -> tuple[list[Story], _Threads]:
        """As `_woven`, of what a ruling changed: it is one step. Stories that have `begun` just now are decided by what they
        say, whatever an earlier story of that id was part of."""
        decided = [s.id for s in described if s.id not in moves.begun]
        with self._db.connect() as c:
            woven = Woven(threads=store.threads.of(c, [*decided, *(absorbed for absorbed, _ in moves.merged)]))
        for absorbed, _ in moves.merged:
            leave(self._threads, woven, absorbed)
        for story in described:
            assign(self._threads, woven, story)
        return [replace(s, thread=woven.threads[s.id]) for s in described], _Threads.of(woven, self._threads)

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

    def _described(
        self, moves: Moves, before: Mapping[StoryId, Sequence[Article]], told: Mapping[StoryId, Story] | None = None
    ) -> Iterator[Story]:
        """The changed stories over all their articles, also those that are too old to be compared with. `before` has the
        outlines of the articles that they, and those that they took in, had; what was `told` of the same articles is not
        told again."""
        came_from = moves.came_from()
        joined: dict[StoryId, list[Article]] = {}
        for id_, story, copy_of in moves.placed():
            joined.setdefault(story, []).append(_as_copy(moves.articles[id_], copy_of))
        members: dict[StoryId, list[Article]] = {}
        for story in moves.changed:
            had = [a for id_ in (story, *came_from.get(story, ())) for a in before.get(id_, ())]
            stays = [a for a in had if moves.into.get(a.id, story) == story]  # the others were moved away
            every = {a.id: a for a in (*stays, *joined.get(story, ()))}
            known = told.get(story) if told else None
            if known is not None and set(known.articles) == set(every):
                yield known
            else:
                members[story] = in_order(list(every.values()))
        with self._db.connect() as c:
            for story, said, articles in self._whole(c, members, moves.articles):
                yield describe(story, articles, self._reading, said)

    def _teller(self, c: Connection, moves: Moves) -> Tell:
        """Describes stories one by one; some hundreds of articles that were read of the store are kept between two."""
        read: dict[ArticleId, Article] = {}
        said: dict[ArticleId, tuple[str, ...]] = {}

        def tell(story: StoryId, members: Sequence[Article]) -> Story:
            telling = [a.id for a in described_by(members) if a.id not in moves.articles]
            kept = {id_: article for id_ in telling if (article := self._reading.article(id_)) is not None}
            if len(read) > AT_ONCE:
                read.clear()
            if len(said) > 4 * AT_ONCE:
                said.clear()
            new = [a.id for a in members[:READ] if a.id not in said]
            said.update(dict.fromkeys(new, ()) | store.quotes.speakers(c, new))
            read.update((a.id, a) for a in store.articles.many(c, set(telling) - set(kept) - set(read), html=False))
            at_hand = ChainMap(moves.articles, kept, read)
            return describe(story, [_as_copy(at_hand.get(a.id, a), a.copy_of) for a in members], self._reading, said)

        return tell

    def _whole(
        self, c: Connection, members: Mapping[StoryId, Sequence[Article]], at_hand: Mapping[ArticleId, Article]
    ) -> Iterator[tuple[StoryId, Mapping[ArticleId, Sequence[str]], list[Article]]]:
        """Each story, whom its first articles quote, and all of them with the words of those that describe it, read of the store some hundreds at a time."""
        stories = iter(members.items())
        while some := list(_some(stories, AT_ONCE)):
            telling = [a.id for _, articles in some for a in described_by(articles) if a.id not in at_hand]
            kept = {id_: article for id_ in telling if (article := self._reading.article(id_)) is not None}
            kept |= {a.id: a for a in store.articles.many(c, (i for i in telling if i not in kept), html=False)}
            said = store.quotes.speakers(c, (a.id for _, articles in some for a in articles[:READ]))
            for story, articles in some:
                yield story, said, [_as_copy(kept.get(a.id, a), a.copy_of) for a in articles]

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
