"""Group: every article goes into its story, by one worker at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.articles.passages import passages
from broadsheet.config import Settings
from broadsheet.jobs.ingesting import EARLIEST
from broadsheet.jobs.worker import LEASE, Done, Progress, clock, quiet, worker_name
from broadsheet.model import Article, ArticleId, OpenThread, Regrouping, Ruling, Story, StoryId, ThreadId
from broadsheet.stories.cluster import Assignment, Grouping, OpenStories
from broadsheet.stories.correction import judge
from broadsheet.stories.describe import describe
from broadsheet.stories.regrouping import begun_by, leaving, parted
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


@dataclass(slots=True, kw_only=True)
class _Moves:
    """What one ruling, or taking it back, changes. `said` are the articles that it is about."""

    said: tuple[ArticleId, ...] = ()
    articles: dict[ArticleId, Article] = field(default_factory=dict)
    into: dict[ArticleId, StoryId] = field(default_factory=dict)
    copies: dict[ArticleId, ArticleId | None] = field(default_factory=dict)
    merged: list[tuple[StoryId, StoryId]] = field(default_factory=list)
    changed: dict[StoryId, None] = field(default_factory=dict)
    begun: set[StoryId] = field(default_factory=set)  # stories that were none before

    def placed(self) -> list[tuple[ArticleId, StoryId, ArticleId | None]]:
        return [(id_, story, self.copies.get(id_, self.articles[id_].copy_of)) for id_, story in self.into.items()]


class Grouper:
    """The one who groups. What it keeps in memory between calls is bounded by the window, and is rebuilt from the
    store whenever another has grouped in between."""

    def __init__(self, db: Engine, settings: Settings, worker: str, rules: Grouping | None = None) -> None:
        self._db, self._settings, self._worker = db, settings, worker
        self._rules = rules or Grouping()
        self._judge = judge(settings.stories_model)
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
                self._open = OpenStories(self._rules, forest=self._judge)
                for article, story in store.articles.live(c, since):
                    self._open.restore(article, story)
                self._threads = OpenThreads.restored(store.threads.all_open(c, now, self._threads.rules.most))
                self._version = version
            words = [ruling.word for ruling in store.regroupings.standing(c)]
            named = [id_ for word in words for id_ in (word.one, word.other)]
            self._open.obey(words, store.articles.stories_of(c, named))
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

    # --- what operators say

    def _ruling(self) -> Ruling | None:
        with self._db.connect() as c:
            return store.regroupings.waiting(c)

    def _obey(self, ruling: Ruling, now: datetime) -> tuple[int, int] | None:
        """Do what a ruling says, or take it back; gives as `_batch` does. Everything is saved with the mark that it
        was done, so a run that is killed has done all of it or nothing."""
        with self._db.begin() as c:
            if not self._leads(c):
                self._open = None
                return None
        stories = self._ready(now)
        with self._db.connect() as c:
            if ruling.undone is not None:
                moves = self._taken_back(c, stories, ruling)
            elif ruling.word.same:
                moves = self._together(c, stories, ruling)
            else:
                moves = self._apart(c, stories, ruling)
        placed, articles = moves.placed(), list(moves.articles.values())
        described = self._described(articles, placed, moves.merged, moves.changed)
        described, threads = self._threaded(described, moves.merged, moves.begun)
        with self._db.begin() as c:
            if not self._leads(c) or store.stories.version(c) != self._version:
                self._open = None
                return None
            if not store.regroupings.done(c, ruling, moves.said):  # taken back just now: look again
                self._open = None
                return 0, 0
            store.articles.place(c, placed)
            for absorbed, survivor in moves.merged:
                store.stories.merge(c, absorbed, survivor)
            threads.save(c, now)
            if described:
                self._version = store.stories.save(c, described)
        return 0, len(described)

    def _together(self, c: Connection, stories: OpenStories, ruling: Ruling) -> _Moves:
        """Two stories become one: the older id survives. Nothing, where an earlier word keeps any of their articles
        apart: that word has to be undone first."""
        where = store.articles.stories_of(c, [ruling.word.one, ruling.word.other])
        pair = dict.fromkeys(where.values())
        if len(pair) < 2 or between(c, *pair, but=ruling.word):
            return _Moves()
        known = {story.id: story for story in store.stories.many(c, pair)}
        survivor, absorbed = sorted(pair, key=lambda id_: (known[id_].first_seen if id_ in known else EARLIEST, id_))
        moved = tuple(a.id for a in store.articles.of_story(c, absorbed))
        stories.move(moved, survivor)
        return _Moves(said=moved, merged=[(absorbed, survivor)], changed={survivor: None})

    def _apart(self, c: Connection, stories: OpenStories, ruling: Ruling) -> _Moves:
        """An article leaves its story, with its copies and what was put together with it."""
        where = store.articles.stories_of(c, [ruling.word.one, ruling.word.other])
        story = where.get(ruling.word.one)
        if story is None or where.get(ruling.word.other) != story:
            return _Moves()
        members = store.articles.of_story(c, story)
        out = leaving(ruling.word, members, (r.word for r in store.regroupings.standing(c)))
        into = parted(story, [a.id for a in members], out, self._taken(c, members) - {story})
        stories.move(into, next(iter(into.values())))
        return _Moves(
            said=tuple(a.id for a in members if a.id in out),
            articles={a.id: a for a in members if a.id in into},
            into=into,
            changed=dict.fromkeys((story, *into.values())),
            begun=set(into.values()),
        )

    def _taken_back(self, c: Connection, stories: OpenStories, ruling: Ruling) -> _Moves:
        """Grouping decides again about what a ruling moved, under the words that still stand."""
        moves = _Moves(said=ruling.moved)
        again = store.articles.many(c, ruling.moved, html=False)
        ids = {a.id for a in again}
        before = store.articles.stories_of(c, ids)
        left: dict[StoryId, StoryId] = {}  # what is left of each story, under the id that it has then
        for story in dict.fromkeys(before.values()):
            members = store.articles.of_story(c, story)
            into = parted(story, [a.id for a in members], ids, self._taken(c, members) - {story})
            rest = {a.id: a for a in members if a.id in into and a.id not in ids}
            moves.articles |= rest
            moves.into |= {id_: into[id_] for id_ in rest}
            if any(a.id not in ids for a in members):
                left[story] = next(iter(moves.into[id_] for id_ in rest), story)
                stories.move(rest, left[story])
                moves.begun |= {left[story]} - {story}
        stories.take_out(ids)
        moves.changed = dict.fromkeys(left.values())
        for article in sorted(again, key=lambda a: (a.time or EARLIEST, a.id)):
            assignment = stories.assign(article)
            moves.articles[article.id] = article
            moves.copies[article.id] = assignment.copy_of
            moves.merged += [(absorbed, assignment.story) for absorbed in assignment.merged]
            moves.changed[assignment.story] = None
            moves.begun |= (
                {assignment.story} if assignment.is_new and assignment.story not in before.values() else set()
            )
        joined = dict(moves.merged)

        def now_in(story: StoryId) -> StoryId:
            while story in joined:
                story = joined[story]
            return story

        moves.into = {id_: now_in(story) for id_, story in moves.into.items()}
        moves.into |= {id_: found for id_ in moves.copies if (found := stories.story_of(id_)) is not None}
        for id_ in [i for i in ruling.moved if i in before]:  # an id under which nothing is left leads to where it went
            story = before[id_]
            if left.get(story) != story and story not in moves.into.values() and story not in joined:
                joined[story] = moves.into[id_]
                moves.merged.append((story, moves.into[id_]))
        for absorbed in joined:
            moves.changed.pop(absorbed, None)
        return moves

    @staticmethod
    def _taken(c: Connection, articles: Iterable[Article]) -> set[StoryId]:
        """Of the ids that these articles' own stories would have, those of stories that there are."""
        own = {begun_by(a.id) for a in articles}
        return {story.id for story in store.stories.many(c, own)} & own

    # --- how

    def _threaded(
        self,
        described: Sequence[Story],
        merged: Sequence[tuple[StoryId, StoryId]] = (),
        begun: Collection[StoryId] = (),
    ) -> tuple[list[Story], _Threads]:
        """The stories, each with the thread that it is part of, and what is to be remembered of those threads. Those
        that have `begun` just now are decided by what they say, whatever an earlier story of that id was part of."""
        with self._db.connect() as c:
            known: Mapping[StoryId, ThreadId] = store.threads.of(
                c, [*(s.id for s in described if s.id not in begun), *(absorbed for absorbed, _ in merged)]
            )
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
        now_in = {id_: story for id_, story, _ in placed}
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
                stays = [a for a in before if now_in.get(a.id, story) == story]  # the others were moved away
                every = {article.id: article for article in (*stays, *joined.get(story, []))}
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


def between(c: Connection, one: StoryId, other: StoryId, *, but: Regrouping) -> list[Ruling]:
    """The rulings that keep two stories apart: each holds one of two articles that were put apart. One on the same two
    articles as `but` does not count: the last word on two articles holds."""
    same = {but.one, but.other}
    standing = [r for r in store.regroupings.standing(c) if not r.word.same and {r.word.one, r.word.other} != same]
    where = store.articles.stories_of(c, {id_ for r in standing for id_ in (r.word.one, r.word.other)})
    return [r for r in standing if {where.get(r.word.one), where.get(r.word.other)} == {one, other}]


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
