"""The live stories, kept as the store has them, and what of them a reader may see."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.errors import NotFound
from broadsheet.feed.build import STANDARD, Recipe
from broadsheet.feed.edition import Edition
from broadsheet.feed.others import Crowd, Others
from broadsheet.feed.replay import USUAL
from broadsheet.model import (
    Article,
    ArticleId,
    EventId,
    Feed,
    FeedId,
    Outlet,
    Passage,
    Reader,
    ReaderId,
    Source,
    Story,
    StoryId,
    named,
)
from broadsheet.readers.ledger import Signal
from broadsheet.readers.regrouping import View
from broadsheet.reading.searches import Searches
from broadsheet.reading.shown import Card, Live
from broadsheet.sources.outlets import outlets_by_name
from broadsheet.store.articles import Appeared
from broadsheet.wording import phrase as _

LOOK = 2.0  # seconds between two looks at the store's version: one primary-key read
BUCKET = timedelta(minutes=10)  # a reload within it shows the same page: lots are seeded by it, others counted by it
SETTLED = timedelta(minutes=1)  # after which no transaction that began before is open any more
MOST_LOOKS = 100_000  # things shown and opened that a process reads when it begins: a second or two
FEEDS_KEPT = 512
COMERS_KEPT = 5_000  # of the latest stories it is remembered with which version they came
STORIES_KEPT = 2_000  # as nouns, with their cards, some 8 KB each: what the pages of a day show, not the month


@dataclass(frozen=True, slots=True)
class Kept:
    """A reader as made from what was written, under the story ids of that time; and what of them decides a feed."""

    written: str
    into: Mapping[StoryId, StoryId]
    reader: Reader
    view: View
    key: object


def countries(outlets: Mapping[str, Outlet]) -> dict[str, str]:
    return {name: outlet.country for name, outlet in outlets.items() if outlet.country}


@dataclass(frozen=True, slots=True)
class Made:
    """A feed that was built, and of what: the same again gives the same."""

    key: object
    feed: Feed
    reader: Reader
    seed: int


@dataclass(frozen=True, slots=True)
class Page:
    """What one page is made from: one connection, the edition as it was when it began, and who reads it."""

    of: object  # the newsstand that makes it
    db: Connection
    live: Live
    readers: dict[ReaderId, Reader] = field(default_factory=dict)


PAGE: ContextVar[Page | None] = ContextVar("PAGE", default=None)
"""The page that is being made in this thread, if one is."""


class Paper:
    """The live stories of one store, for any number of threads. It holds no truth: the store does."""

    def __init__(self, engine: Engine, settings: Settings, recipe: Recipe | None = None) -> None:
        self.engine = engine
        self.settings = settings
        self._zone = settings.zone()
        self._given = self.recipe = recipe or STANDARD  # as it is given, and with what was learned here
        self._paper: Live | None = None
        self._looked = float("-inf")
        self._refreshing = threading.Lock()
        self._acting: dict[ReaderId, threading.RLock] = {}
        self._acting_guard = threading.Lock()
        self._feeds: OrderedDict[ReaderId, Made] = OrderedDict()
        self._shown: OrderedDict[FeedId, Feed] = OrderedDict()
        self._books = threading.Lock()  # over the small caches
        self._held: OrderedDict[StoryId, Story] = OrderedDict()  # as the store has them, the last asked for last
        self._came: OrderedDict[StoryId, int] = OrderedDict()  # with which version, since this process began
        self._cards: OrderedDict[StoryId, tuple[Story, Card]] = OrderedDict()
        self._readers: OrderedDict[ReaderId, Kept] = OrderedDict()
        self._written: OrderedDict[ReaderId, tuple[str, Reader]] = OrderedDict()  # as this process last saved them
        self._facts: OrderedDict[object, tuple[Story, int]] = OrderedDict()  # new facts, by story and what is new
        self._lone: OrderedDict[object, tuple[Story, frozenset[Passage]]] = OrderedDict()
        self._regrouped: OrderedDict[object, Story] = OrderedDict()
        self.outlets: Mapping[str, Outlet] = {}
        self._signals: OrderedDict[ReaderId, tuple[object, list[Signal]]] = OrderedDict()
        self._told: OrderedDict[FeedId, dict[StoryId, str]] = OrderedDict()
        self._searches = Searches(self.looking)
        self._crowd = Crowd()
        self._counting = threading.Lock()  # over the crowd
        self._counted, self._counted_at = EventId(0), datetime.min.replace(tzinfo=UTC)  # the last event, and until when

    def now(self) -> datetime:
        return self.settings.now()

    def local(self, when: datetime) -> datetime:
        """The same moment as the clocks of this instance's readers show it."""
        return when.astimezone(self._zone)

    def refresh(self, *, at_once: bool = False) -> None:
        """Take in what changed in the store. Looks at most every two seconds unless `at_once`."""
        if not at_once and time.monotonic() - self._looked < LOOK and self._paper is not None:
            return
        if self._paper is not None and not at_once:
            if not self._refreshing.acquire(blocking=False):
                return  # another thread is at it: this one reads the edition as it is
        else:
            self._refreshing.acquire()
        try:
            self._look()
            self._looked = time.monotonic()
        finally:
            self._refreshing.release()

    def _look(self) -> None:
        now, paper = self.now(), self._paper
        hour = now.replace(minute=0, second=0, microsecond=0)  # stories that grew too old leave with the hour
        horizon = now - self.settings.live
        with self.engine.connect() as db:
            private = store.sources.private(db)
            learned = store.feeds.weights(db)
            self.recipe = self._given.weighed(learned[-1]["weights"]) if learned else self._given
            anew = self._count(db, now, learned[-1].get("steepness", USUAL) if learned else USUAL)
            if paper is None:
                version = store.stories.version(db)
                edition = replace(
                    Edition.of(store.stories.live(db, horizon), now, private=private),
                    countries=countries(self._outlets(store.sources.all(db))),
                )
                self._paper = self._with_others(
                    Live(edition, version, private, hour, store.stories.absorbed(db, horizon))
                )
                return
            changed, gone, version = store.stories.changed_since(db, paper.version)
            if (version, hour, private) == (paper.version, paper.hour, paper.private):
                if anew:
                    with self._books:
                        self._paper = self._with_others(paper)
                return
            sources = store.sources.all(db)  # only then: 600 of them take 10 ms, and this looks every two seconds
        alive = [story for story in changed if story.id not in gone and story.last_seen >= horizon]
        old = paper.edition.ids_before(horizon)
        edition = paper.edition.updated(alive, {*gone, *old, *(story.id for story in changed)}, now=now)
        back = [story.id for story in changed if story.id in paper.absorbed]  # grouping took it apart again
        absorbed = paper.absorbed
        if gone or back:
            absorbed = {old: new for old, new in {**absorbed, **gone}.items() if old not in back}
        edition = replace(edition, private=private, countries=countries(self._outlets(sources)))
        fresh = [story.id for story in alive if story.id not in paper.edition.index]
        with self._books:  # at one moment: nobody keeps what they read before this as if it were read after
            for id_ in (*gone, *(story.id for story in changed)):
                self._held.pop(id_, None)
            self._came.update(dict.fromkeys(fresh, version))
            while len(self._came) > COMERS_KEPT:
                self._came.popitem(last=False)
            self._paper = self._with_others(Live(edition, version, private, hour, absorbed))

    def _count(self, db: Connection, now: datetime, steepness: float) -> bool:
        """Count what was shown and opened until the beginning of these ten minutes; whether that had not been done yet.

        Every process counts the same at the same time, so that a page does not depend on who makes it. Each event is
        read once, and no sooner than all that was recorded before it can be seen.
        """
        began = datetime.fromtimestamp(now.timestamp() // BUCKET.total_seconds() * BUCKET.total_seconds(), UTC)
        if began == self._counted_at:
            return False
        with self._counting:
            for event_id, event in store.readers.looks(db, self._counted, MOST_LOOKS):
                at = event.at or began
                if began - SETTLED < at <= now + SETTLED:
                    break
                self._counted, when = event_id, min(at, began).timestamp()
                if event.kind == "opened":
                    self._crowd.opened(event.reader, StoryId(str(event.story)), when)
                else:
                    self._crowd.shown(StoryId(str(event.story)), when, (1.0 + (event.position or 0)) ** -steepness)
            self._counted_at = began
        return True

    def _with_others(self, live: Live) -> Live:
        """The edition with what may be told of other readers, and with what knows the articles' texts."""
        others = self._others(live.edition.index, live.absorbed)
        if others is None and live.edition.others is None and live is self._paper:
            return live
        texts = self._searches.of(live, live.hour - self.settings.live)
        return replace(live, edition=replace(live.edition, others=others, texts=texts))

    def _others(self, index: Mapping[StoryId, int], absorbed: Mapping[StoryId, StoryId]) -> Others | None:
        with self._counting:
            return self._crowd.tell(index, self._counted_at.timestamp(), absorbed)

    def _outlets(self, sources: Iterable[Source]) -> Mapping[str, Outlet]:
        """What is known of publishers, by their names as they are compared: the lists, and what sources say of themselves."""
        own = {named(s.outlet.name): s.outlet for s in sources if s.outlet and (s.outlet.country or s.outlet.kind)}
        self.outlets = {**outlets_by_name(), **own}
        return self.outlets

    def edition(self) -> Live:
        """The live stories as they are now; while a page is made, as they were when it began."""
        if (page := self._page()) is not None:
            return page.live
        self.refresh()
        assert self._paper is not None
        return self._paper

    @contextmanager
    def page(self) -> Iterator[None]:
        """Whatever is asked inside is read over one connection and from one edition, and each reader is read once.

        A page asks six to ten times: a connection of its own for each took a tenth of a story's page. Nothing may be
        written inside, or what was written might not be seen there.
        """
        live = self.edition()
        with self.engine.connect() as db:
            token = PAGE.set(Page(self, db, live))
            try:
                yield
            finally:
                PAGE.reset(token)

    def _page(self) -> Page | None:
        page = PAGE.get()
        return page if page is not None and page.of is self else None

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """A connection to read with: the page's, while one is made."""
        if (page := self._page()) is not None:
            yield page.db
            return
        with self.engine.connect() as db:
            yield db

    def _articles(self, db: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, Article]:
        wanted = list(dict.fromkeys(ids))
        return {article.id: article for article in store.articles.many(db, wanted, html=False)} if wanted else {}

    def _stories(self, db: Connection, ids: Iterable[StoryId]) -> dict[StoryId, Story]:
        """Those that there are; an absorbed one's under the id of the story that took it in."""
        wanted = dict.fromkeys(ids)
        with self._books:
            found = {story_id: self._held[story_id] for story_id in wanted if story_id in self._held}
            for story_id in found:
                self._held.move_to_end(story_id)
            paper = self._paper
        page = self._page()
        if (
            page is not None and page.live is not paper
        ):  # the edition went on since the page began, which reads as of then
            paper = None
        if missing := [story_id for story_id in wanted if story_id not in found]:
            read = {story.id: story for story in store.stories.many(db, missing)}
            found |= read
            with self._books:
                if paper is not None and self._paper is paper:  # nothing changed meanwhile that this may not know of
                    self._held |= read
                    while len(self._held) > STORIES_KEPT:
                        self._held.popitem(last=False)
        return found

    def _story(self, story_id: str) -> Story:
        self.edition()
        with self.looking() as db:
            found = self._stories(db, [StoryId(story_id)])
        for story in found.values():
            return story
        raise NotFound(_("There is no such story here. It may have been too old to keep."))

    def _may_read(self, paper: Live, reader: Reader | None, article: Article | Appeared) -> bool:
        return article.source not in paper.private or (reader is not None and article.source in reader.subscriptions)

    def _may_see(self, paper: Live, reader: Reader, story_id: StoryId, story: Story | None = None) -> bool:
        if not paper.private:
            return True
        sources = paper.edition.sources_of(story_id) if story is None else story.sources
        return not sources or any(s not in paper.private or s in reader.subscriptions for s in sources)

    def _mixed(self, paper: Live, story: Story) -> bool:
        return bool(paper.private) and not paper.private.isdisjoint(story.sources)
