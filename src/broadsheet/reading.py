"""The reading side that the web app and the terminal share: keep the edition fresh, build feeds, record what readers do.

A `Newsstand` may be used from many threads. It holds no truth: the store does, and any number of newsstands may
serve the same one.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
from sqlalchemy import Connection, Engine

from broadsheet import following, store
from broadsheet.articles.passages import passages, sentences
from broadsheet.config import Settings
from broadsheet.errors import InputError, NotFound
from broadsheet.feed.build import STANDARD, Recipe, build_feed
from broadsheet.feed.edition import Edition, private_to_others
from broadsheet.feed.explain import explain
from broadsheet.model import (
    Article,
    ArticleId,
    Event,
    EventId,
    Feed,
    FeedId,
    FeedItem,
    Follow,
    Mute,
    Passage,
    Reader,
    ReaderId,
    Source,
    SourceId,
    Story,
    StoryId,
    Thread,
    ThreadId,
    Version,
    identify,
    named,
)
from broadsheet.readers.events import check
from broadsheet.readers.follows import ended
from broadsheet.readers.joined import joined
from broadsheet.readers.ledger import Learned, ledger
from broadsheet.readers.profile import fold, learn
from broadsheet.readers.regrouping import View, alone, view
from broadsheet.sources import opml
from broadsheet.stories import threads
from broadsheet.stories.describe import describe
from broadsheet.stories.versions import Revision, compare
from broadsheet.telling import (
    NewPoint,
    Point,
    Side,
    Teller,
    coverage,
    facts_new,
    news_of,
    said_alone,
    sides,
    tellers,
    unread,
)

_NOT_A_CHOICE = frozenset({"in a source that is private to others", "already on this page"})
BUCKET = timedelta(minutes=10)  # a reload within it shows the same page: exploration is seeded by it
LOOK = 2.0  # seconds between two looks at the store's version: one primary-key read
FEEDS_KEPT = 512
COUNTED = 8  # stories of one page whose new facts are counted, ...
LATEST = 24  # ... over so many of the latest articles of each
WATCHED = timedelta(days=7)  # older articles are not looked at again when they are read
FIRST_LOOK = timedelta(hours=1)  # after which a read article is looked at again
THREAD_SHOWN = 12  # other stories of the thread on a story's page
THREAD_NAMED = 60  # latest stories by which a thread is named
THREAD_READ = 500  # latest stories on a thread's page


@dataclass(frozen=True, slots=True)
class Card:
    """A story as a list shows it."""

    story: Story
    headline: str
    points: tuple[Point, ...]  # to be shown under the headline: without what it says already
    quotes: tuple[Point, ...]  # the same key points in full
    publishers: tuple[str, ...]
    lead: ArticleId
    lead_publisher: str
    image: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Stories that a feed did not show, and why."""

    count: int
    why: str
    mute: Mute | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of one follow: how many live stories are about it and the newest of them. A story ends by itself."""

    follow: Follow
    count: int
    newest: tuple[StoryId, ...]
    ended: datetime | None = None  # of a followed story: when it came to its end
    last_word: Point | None = None  # the closing note: what was reported last, quoted


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A thread as a reader may see it."""

    thread: Thread
    cards: tuple[Card, ...]  # the latest first
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class StoryPage:
    story: Story
    card: Card
    articles: tuple[Article, ...]  # in order of time
    new: frozenset[ArticleId]  # arrived since the reader last opened the story; empty on the first time
    last_read: datetime | None
    news: tuple[NewPoint, ...] = ()  # what those say that the others do not, most important first
    sides: tuple[Side, ...] = ()
    alone: frozenset[Passage] = frozenset()  # key points that only one publisher says
    tellers: Mapping[str, Sequence[Teller]] = field(default_factory=dict)  # publishers by country
    coverage: tuple[tuple[datetime, int], ...] = ()  # when each further publisher joined, and how many there were then
    taken_out: tuple[Article, ...] = ()  # by this reader
    thread: ThreadPage | None = None  # its cards are the others; none where the story is the only one


@dataclass(frozen=True, slots=True)
class Correction:
    """An article that its publisher changed after the reader had read it: what they read, and how it differs now."""

    article: Article
    before: Version
    read_at: datetime
    revision: Revision


@dataclass(frozen=True, slots=True)
class Found:
    """One search hit, ready to show."""

    article: Article
    story: Story | None
    snippet: str
    marks: tuple[tuple[int, int], ...]  # offsets into `snippet`


@dataclass(frozen=True, slots=True)
class Live:
    """The live stories as nouns and as arrays, swapped as one."""

    edition: Edition
    stories: Mapping[StoryId, Story]
    version: int
    private: frozenset[SourceId]
    hour: datetime
    absorbed: Mapping[StoryId, StoryId]  # what was told of these by readers holds for those


@dataclass(frozen=True, slots=True)
class _Kept:
    """A reader as made from what was written, under the story ids of that time; and what of them decides a feed."""

    written: str
    into: Mapping[StoryId, StoryId]
    reader: Reader
    view: View
    key: object


class Newsstand:
    """Feeds and pages for every reader of one store.

    >>> stand = Newsstand(store.open("sqlite:///news.sqlite"), Settings())  # doctest: +SKIP
    """

    def __init__(self, engine: Engine, settings: Settings, recipe: Recipe | None = None) -> None:
        self.engine = engine
        self.settings = settings
        self._zone = settings.zone()
        self.recipe = recipe or STANDARD
        self._paper: Live | None = None
        self._looked = float("-inf")
        self._refreshing = threading.Lock()
        self._acting: dict[ReaderId, threading.RLock] = {}
        self._acting_guard = threading.Lock()
        self._feeds: OrderedDict[ReaderId, tuple[object, Feed]] = OrderedDict()
        self._shown: OrderedDict[FeedId, Feed] = OrderedDict()
        self._books = threading.Lock()  # over the small caches
        self._cards: OrderedDict[StoryId, tuple[Story, Card]] = OrderedDict()
        self._readers: OrderedDict[ReaderId, _Kept] = OrderedDict()
        self._regrouped: OrderedDict[object, Story] = OrderedDict()
        self._told: OrderedDict[FeedId, dict[StoryId, str]] = OrderedDict()

    def now(self) -> datetime:
        return self.settings.now()

    def local(self, when: datetime) -> datetime:
        """The same moment as the clocks of this instance's readers show it."""
        return when.astimezone(self._zone)

    # --- the edition ----------------------------------------------------------------------------------------------

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
            private = frozenset(source.id for source in store.sources.all(db) if source.private)
            if paper is None:
                version = store.stories.version(db)
                stories = {story.id: story for story in store.stories.live(db, horizon)}
                edition = Edition.of(stories.values(), now, private=private)
                self._paper = Live(edition, stories, version, private, hour, store.stories.absorbed(db, horizon))
                return
            changed, gone, version = store.stories.changed_since(db, paper.version)
        if (version, hour, private) == (paper.version, paper.hour, paper.private):
            return
        known = {**paper.stories, **{story.id: story for story in changed}}
        stories = {id_: story for id_, story in known.items() if id_ not in gone and story.last_seen >= horizon}
        edition = paper.edition.updated(
            [story for story in changed if story.id in stories], paper.stories.keys() - stories.keys(), now=now
        )
        back = [story.id for story in changed if story.id in paper.absorbed]  # grouping took it apart again
        absorbed = paper.absorbed
        if gone or back:
            absorbed = {old: new for old, new in {**absorbed, **gone}.items() if old not in back}
        self._paper = Live(replace(edition, private=private), stories, version, private, hour, absorbed)

    def edition(self) -> Live:
        """The live stories as they are now."""
        self.refresh()
        assert self._paper is not None
        return self._paper

    # --- readers --------------------------------------------------------------------------------------------------

    def readers(self) -> list[Reader]:
        with self.engine.connect() as db:
            return store.readers.all(db)

    def reader(self, reader_id: str) -> Reader:
        """Raises `NotFound` for a reader that is not here."""
        self.edition()  # what became of the stories that they know
        with self.engine.connect() as db:
            return self._reader(db, ReaderId(reader_id))

    def _reader(self, db: Connection, reader_id: ReaderId) -> Reader:
        """The reader as the store has it now; what is written is made into a `Reader` only when it changed."""
        written = store.readers.written(db, reader_id)
        into = self._paper.absorbed if self._paper else {}
        kept = self._readers.get(reader_id)
        if written is not None and kept is not None and kept.written == written and kept.into is into:
            return kept.reader
        read = store.readers.get(db, reader_id) if written is not None else None
        if written is None or read is None:
            raise NotFound("There is no such reader here.")
        seen = self._seen(db, read)
        reader = joined(read, {**into, **{part: into.get(whole, whole) for part, whole in seen.into.items()}})
        # what a reader sees as a part of another story is not shown beside it
        reader = replace(reader, hidden=reader.hidden | seen.into.keys()) if seen.into else reader
        with self._books:
            self._readers[reader_id] = _Kept(written, into, reader, seen, _profile_key(reader))
            self._readers.move_to_end(reader_id)
            while len(self._readers) > FEEDS_KEPT:
                self._readers.popitem(last=False)
        return reader

    def _seen(self, db: Connection, reader: Reader) -> View:
        """The stories as this reader sees them, where they see them otherwise than others do."""
        if not reader.regroupings:
            return View()
        named_ = {id_ for word in reader.regroupings for id_ in (word.one, word.other)}
        return view(reader.regroupings, store.articles.stories_of(db, named_))

    def _view(self, reader: Reader | None) -> View:
        kept = self._readers.get(reader.id) if reader is not None and reader.regroupings else None
        return kept.view if kept is not None else View()

    def _as_seen(self, db: Connection, paper: Live, reader: Reader | None, story: Story) -> Story:
        """The story as this reader sees it: with what they joined to it, without what they took out."""
        seen = self._view(reader)
        if story.id not in seen.out and story.id not in seen.into.values():
            return story
        parts = [story, *(self._stories(db, seen.parts(story.id)[1:]).values())]
        out = frozenset().union(*(seen.out.get(part.id, frozenset()) for part in parts))
        ids = tuple(id_ for part in parts for id_ in part.articles if id_ not in out)
        key = (story.id, story.last_seen, ids)
        if key not in self._regrouped:
            articles = [a for a in self._articles(db, ids).values() if self._may_read(paper, reader, a)]
            if not articles:
                return story
            self._regrouped[key] = replace(describe(story.id, articles, passages), thread=story.thread)
            while len(self._regrouped) > FEEDS_KEPT:
                self._regrouped.popitem(last=False)
        return self._regrouped[key]

    def _key_of(self, reader: Reader) -> object:
        kept = self._readers.get(reader.id)
        return kept.key if kept is not None and kept.reader is reader else _profile_key(reader)

    def add_reader(self, name: str, follows: Sequence[Follow] = (), languages: Sequence[str] = ()) -> Reader:
        """A new reader who follows these. Raises `InputError` for a name that is empty, too long or taken."""
        name = " ".join(name.split())
        if not name:
            raise InputError("Give the reader a name.")
        if len(name) > 60:
            raise InputError("A name has at most 60 characters.")
        now = self.now()
        with self.engine.begin() as db:
            if any(other.name.casefold() == name.casefold() for other in store.readers.all(db)):
                raise InputError(f"There is a reader named {name} already: choose another name, or read as {name}.")
            reader = Reader(id=ReaderId(identify("reader", name, now.isoformat())), name=name, created=now)
            store.readers.add(db, reader)
        events = [Event(reader=reader.id, kind="follow", at=now, follow=replace(f, since=now)) for f in follows]
        if languages:
            events.append(Event(reader=reader.id, kind="settings", at=now, settings={"languages": list(languages)}))
        if events:
            self._record(reader.id, events)
        return self.reader(reader.id)

    def erase(self, reader_id: str) -> None:
        """Forget the reader and everything that was recorded of them."""
        with self._turn(ReaderId(reader_id)), self.engine.begin() as db:
            store.readers.erase(db, ReaderId(reader_id))
        self._forget(ReaderId(reader_id))
        with self._books:
            self._readers.pop(ReaderId(reader_id), None)

    def export(self, reader_id: str) -> dict[str, Any]:
        """Everything that is kept of a reader, as JSON can say it."""
        with self.engine.connect() as db:
            reader = self._reader(db, ReaderId(reader_id))
            events = store.readers.events(db, reader.id)
            subscriptions = store.sources.subscriptions(db, reader.id)
            read = store.versions.all_read_by(db, reader.id)
        kept = asdict(replace(reader, weights={}, interest=b"", disinterest=b"", hidden=frozenset()))
        kept["weights"] = [{"kind": k[0], "of": k[1], **asdict(w)} for k, w in reader.weights.items()]
        kept["interest"], kept["disinterest"] = reader.interest.hex(), reader.disinterest.hex()
        kept["hidden"] = sorted(reader.hidden)
        kept["subscriptions"] = [{"url": source.url, "title": source.title, "folder": f} for source, f in subscriptions]
        kept["read"] = [{"article": article, "at": at} for article, at in read]
        return {"format": "broadsheet reader 1", "reader": kept, "events": [_said(asdict(event)) for event in events]}

    def ledger(self, reader_id: str) -> list[Learned]:
        """Everything that was learned of a reader, the strongest first."""
        return ledger(self.reader(reader_id), self.now())

    # --- what readers do ------------------------------------------------------------------------------------------

    def act(self, reader_id: str, event: Event) -> EventId:
        """Record what a reader did, learn from it, and say which event it was, so that it can be undone."""
        return self._record(ReaderId(reader_id), [event])[-1]

    def undo(self, reader_id: str, event_id: int) -> EventId:
        """As if the event had never been. Raises `NotFound` when this reader has no such event."""
        undone = Event(reader=ReaderId(reader_id), kind="undo", at=self.now(), target=EventId(event_id))
        return self.act(reader_id, undone)

    def _record(self, reader_id: ReaderId, events: Sequence[Event]) -> list[EventId]:
        now = self.now()
        events = [check(replace(event, reader=reader_id, at=event.at or now, id=None)) for event in events]
        with self._turn(reader_id), self.engine.begin() as db:
            held = store.readers.locked(db, reader_id)
            if held is None:
                raise NotFound("There is no such reader here.")
            reader, folded = held
            for event in events:
                if event.kind == "undo":
                    self._check_undo(db, reader_id, event)
            ids = store.readers.record(db, events)
            # what another process recorded and did not fold is folded here too
            waiting = store.readers.events(db, reader_id, after=folded)
            if any(event.kind == "undo" for event in waiting):
                reader = self._refolded(db, reader)
            else:
                stories = self._stories(db, {event.story for event in waiting if event.story})
                for event in waiting:
                    reader = learn(reader, event, stories.get(event.story) if event.story else None)
            store.readers.save(db, reader, max((event.id for event in waiting if event.id), default=folded))
        if any(event.kind not in ("shown", "dwelled", "opened") for event in events):
            self._forget(reader_id)
        return ids

    def _check_undo(self, db: Connection, reader_id: ReaderId, undo: Event) -> None:
        known = {event.id for event in store.readers.events(db, reader_id)}
        if undo.target not in known:
            raise NotFound("There is nothing to undo: that was never done, or by another reader.")

    def _refolded(self, db: Connection, reader: Reader) -> Reader:
        """The reader as the events alone make them: how undo works, and how a damaged profile is mended."""
        events = store.readers.events(db, reader.id)
        stories = self._stories(db, {event.story for event in events if event.story})
        blank = Reader(id=reader.id, name=reader.name, created=reader.created, subscriptions=reader.subscriptions)
        return fold(blank, [(event, stories.get(event.story) if event.story else None) for event in events])

    def _stories(self, db: Connection, ids: Iterable[StoryId]) -> dict[StoryId, Story]:
        wanted = set(ids)
        live = self._paper.stories if self._paper else {}
        found = {story_id: live[story_id] for story_id in wanted if story_id in live}
        if missing := [story_id for story_id in wanted if story_id not in found]:
            found.update((story.id, story) for story in store.stories.many(db, missing))
        return found

    @contextmanager
    def _turn(self, reader_id: ReaderId) -> Iterator[None]:
        """One event at a time for a reader: two clicks at once must both count."""
        with self._acting_guard:
            lock = self._acting.setdefault(reader_id, threading.RLock())
        with lock:
            yield

    def _forget(self, reader_id: ReaderId) -> None:
        with self._books:
            self._feeds.pop(reader_id, None)

    # --- feeds ----------------------------------------------------------------------------------------------------

    def feed(self, reader_id: str) -> Feed:
        """The feed of a reader now. The same within ten minutes unless the reader acts or the news changes."""
        return self.feed_of(self.reader(reader_id))

    def feed_of(self, reader: Reader, after: Sequence[StoryId] = ()) -> Feed:
        """The first page for the reader, or the one that comes after these stories."""
        live, now = self.edition(), self.now()
        bucket = int(now.timestamp() // BUCKET.total_seconds())
        seed = int(identify(reader.id, str(bucket)), 16)
        if after:
            return self._built(reader, live, now, seed, after)
        key = (live.version, bucket, live.hour, self._key_of(reader))
        with self._books:
            kept = self._feeds.get(reader.id)
        if kept is not None and kept[0] == key:
            return kept[1]
        feed = self._built(reader, live, now, seed, ())
        with self._books:
            self._feeds[reader.id] = (key, feed)
            while len(self._feeds) > FEEDS_KEPT:
                self._feeds.popitem(last=False)
        return feed

    def _built(self, reader: Reader, live: Live, now: datetime, seed: int, after: Sequence[StoryId]) -> Feed:
        rng = np.random.default_rng(seed)
        return build_feed(reader, live.edition, self.recipe, now, rng, before=after)

    def shown_feed(self, reader_id: str, feed_id: str) -> Feed | None:
        """A feed that was shown to this reader; None when it is unknown or another's."""
        with self._books:
            feed = self._shown.get(FeedId(feed_id))
        if feed is None:
            with self.engine.connect() as db:
                feed = store.feeds.get(db, FeedId(feed_id))
        return feed if feed is not None and feed.reader == reader_id else None

    def shown(self, feed: Feed, start: int = 0) -> None:
        """Log that the feed was put before its reader, from that position on. Once a feed, however often it is loaded."""
        with self._books:
            if feed.id in self._shown or not feed.items:
                return
            self._shown[feed.id] = feed
            while len(self._shown) > FEEDS_KEPT:
                self._shown.popitem(last=False)
        now = self.now()
        with self.engine.begin() as db:
            if store.feeds.get(db, feed.id) is not None:
                return
            store.feeds.log(db, feed, tuple(range(start, start + len(feed.items))))
        events = [
            Event(reader=feed.reader, kind="shown", at=now, story=item.story, feed=feed.id, position=position)
            for position, item in enumerate(feed.items, start)
        ]
        self._record(feed.reader, events)

    def why(self, reader_id: str, story_id: str) -> FeedItem:
        """The reasons of a story for a reader: those it was shown with, else those it would have now."""
        reader, paper = self.reader(reader_id), self.edition()
        with self._books:
            current = self._feeds.get(reader.id)
            feeds = [current[1]] if current else []
            feeds += [feed for feed in reversed(self._shown.values()) if feed.reader == reader.id]
        for feed in feeds:
            for item in feed.items:
                if item.story == story_id:
                    return item
        with self.engine.connect() as db:
            story = self._own_story(db, reader, story_id) or self._story(story_id)
        if not self._may_see(paper, reader, story.id, story):
            raise NotFound("There is no such story here.")
        plain = replace(reader, mutes=(), hidden=frozenset(), languages=(), scope="all")
        feed = build_feed(plain, Edition.of((story,), self.now()), self.recipe, self.now(), np.random.default_rng(0))
        return feed.items[0] if feed.items else FeedItem(story=story.id, reasons=())

    def sentence(self, item: FeedItem) -> str:
        """Why a story is there, in one sentence."""
        return explain(item) if item.reasons else "Nothing that you follow or read speaks for it."

    def sentences(self, feed: Feed) -> Mapping[StoryId, str]:
        """Why each story of the feed is there, in a sentence; said once a feed, however often it is loaded."""
        told = self._told.get(feed.id)
        if told is None or len(told) != len(feed.items):
            told = {item.story: self.sentence(item) for item in feed.items}
            with self._books:
                self._told[feed.id] = told
                while len(self._told) > FEEDS_KEPT:
                    self._told.popitem(last=False)
        return told

    def left_out(self, reader: Reader, feed: Feed) -> tuple[LeftOut, ...]:
        """What the reader's own choices kept out of the feed, each with the mute that did it where one did."""
        mutes = {f"muted: {mute.label or mute.value}": mute for mute in reader.mutes}
        own = {why: n for why, n in feed.left_out.items() if why not in _NOT_A_CHOICE}
        return tuple(LeftOut(n, why, mutes.get(why)) for why, n in own.items())

    # --- pages ----------------------------------------------------------------------------------------------------

    def cards(self, ids: Iterable[StoryId], reader: Reader | None = None) -> list[Card]:
        """Cards in the order of the ids; a story that is gone is left away."""
        paper, ids = self.edition(), list(ids)
        with self.engine.connect() as db:
            lost = [i for i in ids if i not in paper.stories]
            stories = dict(self._stories(db, ids))
            for story_id in lost:  # absorbed by another since: its id leads to the survivor
                if story_id not in stories and (story := store.stories.get(db, story_id)) is not None:
                    stories[story_id] = story
            shown = [self._as_seen(db, paper, reader, stories[i]) for i in ids if i in stories]
            made = self._made_cards(db, paper, shown, reader)
        return [made[stories[i].id] for i in ids if i in stories and stories[i].id in made]

    def facts_since(self, reader: Reader, stories: Sequence[Story]) -> dict[StoryId, int]:
        """Of the stories that the reader opened and that went on since: how many new facts what came tells them."""
        live = self.edition()
        moved = [s for s in stories if (at := reader.opened.get(s.id)) is not None and s.last_seen > at][:COUNTED]
        if not moved:
            return {}
        with self.engine.connect() as db:
            ids = [a for s in moved for a in s.articles[-LATEST:]]
            articles, read = self._articles(db, ids), store.versions.read_by(db, reader.id, ids)
        found = {}
        for story in moved:
            own = [articles[a] for a in story.articles if a in articles and self._may_read(live, reader, articles[a])]
            if new := unread(own, reader.opened[story.id], read):
                found[story.id] = facts_new(own, new)
        return found

    def _made_cards(
        self, db: Connection, paper: Live, stories: Sequence[Story], reader: Reader | None
    ) -> dict[StoryId, Card]:
        made: dict[StoryId, Card] = {}
        needed: dict[StoryId, Story] = {}
        for story in stories:
            kept = self._cards.get(story.id)
            if not self._mixed(paper, story) and kept is not None and kept[0] is story:
                made[story.id] = kept[1]
            else:
                needed[story.id] = story
        articles = self._articles(db, {a for s in needed.values() for a in _cited(s)})
        for story in needed.values():
            if self._mixed(paper, story):
                if (card := self._private_card(db, paper, story, reader)) is not None:
                    made[story.id] = card
                continue
            made[story.id] = card = _card(story, articles)
            self._cards[story.id] = (story, card)
        while len(self._cards) > 20_000:
            self._cards.popitem(last=False)
        return made

    def _mixed(self, paper: Live, story: Story) -> bool:
        return bool(paper.private) and not paper.private.isdisjoint(story.sources)

    def _private_card(self, db: Connection, paper: Live, story: Story, reader: Reader | None) -> Card | None:
        """The card of a story that private sources report too: without a word of theirs for who may not see them."""
        articles = self._articles(db, story.articles)
        if reader is not None and not (paper.private & set(story.sources)) - reader.subscriptions:
            return _card(story, articles)
        seen = [articles[a] for a in story.articles if a in articles and self._may_read(paper, reader, articles[a])]
        if not seen:
            return None
        ids = {article.id for article in seen}
        lead = story.lead if story.lead in ids else seen[0].id
        publishers = tuple(dict.fromkeys(article.publisher for article in seen))
        shown = replace(
            story,
            headline=articles[lead].title,
            lead=lead,
            articles=tuple(a for a in story.articles if a in ids),
            publishers=publishers,
            key_points=tuple(p for p in story.key_points if p.article in ids),
            timeline=tuple(m for m in story.timeline if m.article in ids),
            image=articles[lead].image,
        )
        return _card(shown, articles)

    def _articles(self, db: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, Article]:
        wanted = list(dict.fromkeys(ids))
        return {article.id: article for article in store.articles.many(db, wanted, html=False)} if wanted else {}

    def _may_read(self, paper: Live, reader: Reader | None, article: Article) -> bool:
        return article.source not in paper.private or (reader is not None and article.source in reader.subscriptions)

    def _may_see(self, paper: Live, reader: Reader, story_id: StoryId, story: Story | None = None) -> bool:
        story = story or paper.stories.get(story_id)
        if story is None or not story.sources or not paper.private:
            return True
        return any(source not in paper.private or source in reader.subscriptions for source in story.sources)

    def _story(self, story_id: str) -> Story:
        paper = self.edition()
        if (story := paper.stories.get(StoryId(story_id))) is not None:
            return story
        with self.engine.connect() as db:
            found = store.stories.get(db, StoryId(story_id))
        if found is None:
            raise NotFound("There is no such story here. It may have been too old to keep.")
        return found

    def story(self, reader_id: str, story_id: str) -> StoryPage:
        """A story with all its articles that this reader may see. Raises `NotFound`."""
        paper = self.edition()
        with self.engine.connect() as db:
            reader = self._reader(db, ReaderId(reader_id))
            story = self._own_story(db, reader, story_id) or self._as_seen(
                db, paper, reader, self._story(self._view(reader).into.get(StoryId(story_id), story_id))
            )
            found = self._articles(db, story.articles)
            cards = self._made_cards(db, paper, [story], reader)
            thread = self._thread_of(db, paper, story, reader)
            read = store.versions.read_by(db, reader.id, story.articles)
            quotes = store.quotes.of(db, story.articles)
            out = self._view(reader).out.get(story.id, frozenset())
            taken_out = tuple(a for a in self._articles(db, sorted(out)).values() if self._may_read(paper, reader, a))
        articles = tuple(found[a] for a in story.articles if a in found and self._may_read(paper, reader, found[a]))
        if not articles or story.id not in cards:
            raise NotFound("There is no such story here.")
        last_read = reader.opened.get(story.id)
        new = unread(articles, last_read, read)
        card = cards[story.id]
        return StoryPage(
            story=card.story,
            card=card,
            articles=articles,
            new=new,
            last_read=last_read,
            news=news_of(articles, new),
            sides=sides(articles, quotes),
            alone=said_alone(card.story.key_points, articles),
            tellers=tellers(articles),
            coverage=coverage(articles),
            thread=thread,
            taken_out=taken_out,
        )

    def _own_story(self, db: Connection, reader: Reader, story_id: str) -> Story | None:
        """The story of an article that this reader took out of another; None for any other id."""
        for story, out in self._view(reader).out.items():
            for article in out:
                if alone(article) == story_id and story != story_id:
                    found = self._articles(db, [article])
                    return describe(StoryId(story_id), list(found.values()), passages) if found else None
        return None

    def _thread_of(self, db: Connection, paper: Live, story: Story, reader: Reader) -> ThreadPage | None:
        """The other stories of a story's thread; None where the reader may see no other."""
        if story.thread is None:
            return None
        seen = self._threaded(db, paper, story.thread, reader, THREAD_NAMED)
        others = [other for other in seen if other.id != story.id]
        if not others:
            return None
        cards = self._made_cards(db, paper, others[: THREAD_SHOWN + 1], reader)
        made = [cards[other.id] for other in others if other.id in cards]
        return ThreadPage(
            thread=self._named(db, paper, story.thread, seen, reader),
            cards=tuple(made[:THREAD_SHOWN]),
            has_more=len(made) > THREAD_SHOWN,
        )

    def _threaded(self, db: Connection, paper: Live, thread: ThreadId, reader: Reader, most: int) -> list[Story]:
        """The latest stories of a thread that a reader may see, the latest first."""
        found = store.threads.stories_of(db, thread, most)
        return [story for story in found if self._may_see(paper, reader, story.id, story)]

    def _named(self, db: Connection, paper: Live, thread: ThreadId, seen: Sequence[Story], reader: Reader) -> Thread:
        """The thread, named by what the reader may read: a story of private sources too gives it no name."""
        closed = paper.private - reader.subscriptions
        open_ = [s for s in seen[:THREAD_NAMED] if closed.isdisjoint(s.sources)]
        named_by = threads.thread(thread, open_ or seen)
        if not open_:
            named_by = replace(named_by, name="", entities=())
        whole = threads.thread(thread, seen)
        return replace(whole, name=named_by.name, entities=named_by.entities)

    def thread(self, reader_id: str, thread_id: str) -> ThreadPage:
        """A thread with the latest of its stories that this reader may see. Raises `NotFound`."""
        paper = self.edition()
        with self.engine.connect() as db:
            reader = self._reader(db, ReaderId(reader_id))
            seen = self._threaded(db, paper, ThreadId(thread_id), reader, THREAD_READ + 1)
            if not seen:
                raise NotFound("There is no such thread here.")
            cards = self._made_cards(db, paper, seen[:THREAD_READ], reader)
            thread = self._named(db, paper, ThreadId(thread_id), seen, reader)
        shown = tuple(cards[story.id] for story in seen if story.id in cards)
        return ThreadPage(thread=thread, cards=shown, has_more=len(seen) > THREAD_READ)

    def article(self, reader_id: str, article_id: str) -> Article:
        """Raises `NotFound` for an article that is not here or that this reader may not see."""
        paper = self.edition()
        with self.engine.connect() as db:
            reader = self._reader(db, ReaderId(reader_id))
            article = store.articles.get(db, ArticleId(article_id))
        if article is None or not self._may_read(paper, reader, article):
            raise NotFound("There is no such article here.")
        return article

    def read(self, reader: Reader, article: Article) -> None:
        """The reader read the article: if its publisher changes it, they are told. It is looked at again for that."""
        now = self.now()
        with self.engine.begin() as db:
            store.versions.read(db, reader.id, article.id, now)
            if article.time is not None and now - article.time < WATCHED and article.url.startswith("http"):
                store.rechecks.want(db, article.id, now + FIRST_LOOK)

    def corrections(self, reader: Reader, only: ArticleId | None = None) -> list[Correction]:
        """What publishers changed of the articles that the reader read, since they read them; the latest first."""
        live = self.edition()
        with self.engine.connect() as db:
            known: dict[ArticleId, tuple[Version, datetime]] = {}
            for version, at in store.versions.since_read(db, reader.id):  # the earliest change is against what was read
                known[version.article] = (version, at)
            ids = [id_ for id_ in known if only is None or id_ == only]
            articles = {article.id: article for article in store.articles.many(db, ids, html=False)}
        found = []
        for id_ in ids:
            article, (before, at) = articles.get(id_), known[id_]
            if article is None or not self._may_read(live, reader, article):
                continue
            revision = compare(before.title, before.text, article.title, article.text, sentences)
            if not revision.is_only_looks:
                found.append(Correction(article, before, at, revision))
        return found

    def corrected(self, reader: Reader) -> int:
        """How many articles that the reader read had a fact changed since."""
        with self.engine.connect() as db:
            return len({v.article for v, _ in store.versions.since_read(db, reader.id) if v.facts})

    def earlier(self, article_id: ArticleId) -> int:
        """How many earlier wordings of the article are kept."""
        with self.engine.connect() as db:
            return len(store.versions.of(db, article_id))

    def history(self, article: Article) -> list[tuple[Version, Revision, str, str]]:
        """What the article said before, the latest change first; each with how the wording that followed differs, and
        that wording's title and text."""
        with self.engine.connect() as db:
            kept = store.versions.of(db, article.id)
        after = [(v.title, v.text) for v in kept[1:]] + [(article.title, article.text)]
        steps = [
            (v, compare(v.title, v.text, title, text, sentences), title, text)
            for v, (title, text) in zip(kept, after, strict=True)
        ]
        return steps[::-1]

    def latest(
        self,
        reader: Reader,
        limit: int = 40,
        before: datetime | None = None,
        before_id: str = "",
        *,
        mine: bool = False,
    ) -> list[Article]:
        """Articles, the newest first, with nothing hidden; `mine`: of the reader's own sources only."""
        live = self.edition()
        sources = sorted(reader.subscriptions) if mine else None
        last = ArticleId(before_id) if before_id else None
        with self.engine.connect() as db:
            found = store.articles.latest(db, limit, before, sources, before_id=last)
        return [article for article in found if self._may_read(live, reader, article)]

    def following(self, reader: Reader, each: int = 4) -> list[Followed]:
        """What came of each follow, the latest first; stories that have ended come last, with their closing note."""
        live = self.edition()
        edition = live.edition
        closed = set(private_to_others(edition, reader).tolist())
        rows: list[Followed] = []
        for follow in reversed(reader.follows):
            if follow.kind == "story":
                rows += self._followed_story(reader, live, follow)
                continue
            about = [row for row in edition.about(follow.kind, follow.value)[0].tolist() if row not in closed]
            about.sort(key=lambda row: -edition.last_seen[row])
            rows.append(Followed(follow, len(about), tuple(edition.ids[row] for row in about[:each])))
        return sorted(rows, key=lambda followed: followed.ended is not None)

    def _followed_story(self, reader: Reader, live: Live, follow: Follow) -> list[Followed]:
        """The story, under whatever id it goes now; nothing where it is gone or not for this reader."""
        try:
            story = self._story(follow.value)
        except NotFound:
            return [Followed(follow, 0, ())]
        if not self._may_see(live, reader, story.id, story):
            return []
        end = ended(story, self.now())
        word = self._last_word(reader, live, story) if end is not None else None
        return [Followed(follow, int(end is None), (story.id,), end, word)]

    def _last_word(self, reader: Reader, live: Live, story: Story) -> Point | None:
        """The last thing that the story's timeline quotes, of what this reader may see."""
        with self.engine.connect() as db:
            articles = self._articles(db, {moment.article for moment in story.timeline})
        for moment in reversed(story.timeline):
            article = articles.get(moment.article)
            if article is not None and self._may_read(live, reader, article):
                return Point(moment.sentence, article.id, article.publisher, article.url)
        return None

    def saved(self, reader: Reader) -> list[StoryId]:
        return list(reversed(reader.saved))

    def search(self, reader: Reader, query: str, limit: int = 20, offset: int = 0) -> list[Found]:
        """Full-text hits that this reader may see, best first. Any query is fine."""
        paper = self.edition()
        if not query.strip():
            return []
        with self.engine.connect() as db:
            hits = list(store.search.search(db, query, limit, offset))
            stories = self._stories(db, {hit.story for hit in hits if hit.story})
        return [
            Found(hit.article, stories.get(hit.story) if hit.story else None, hit.snippet, hit.marks)
            for hit in hits
            if self._may_read(paper, reader, hit.article)
        ]

    def story_of(self, article_id: ArticleId) -> StoryId | None:
        """The story that holds the article, once it was grouped."""
        with self.engine.connect() as db:
            return store.articles.story_of(db, article_id)

    def common(self, kind: str, limit: int = 24) -> list[str]:
        """The names of that kind that most live stories mention: what a new reader may choose from."""
        counts: dict[str, int] = {}
        spelt: dict[str, str] = {}
        for story in self.edition().stories.values():
            for entity in story.entities:
                if entity.type == kind:
                    counts[named(entity.text)] = counts.get(named(entity.text), 0) + 1
                    spelt.setdefault(named(entity.text), entity.text)
        return [spelt[name] for name in sorted(counts, key=lambda name: (-counts[name], name))[:limit]]

    # --- sources --------------------------------------------------------------------------------------------------

    def subscribe(self, reader_id: str, wanted: opml.Subscription) -> tuple[Source, bool]:
        """Subscribe a reader to a feed, adding the source if it is new (then True); it is fetched at once."""
        with self.engine.begin() as db:
            (found,) = following.follow(db, [wanted], self.now(), reader=ReaderId(reader_id))
        self._forget(ReaderId(reader_id))
        return found

    def subscribe_all(self, reader_id: str, wanted: Sequence[opml.Subscription]) -> tuple[int, int]:
        """Subscribe a reader to many; gives how many sources were new, and how many were known."""
        counts = following.follow_all(self.engine, wanted, self.now(), reader=ReaderId(reader_id))
        self._forget(ReaderId(reader_id))
        return counts

    def unsubscribe(self, reader_id: str, source_id: str) -> None:
        with self.engine.begin() as db:
            following.unfollow(db, ReaderId(reader_id), SourceId(source_id))
        self._forget(ReaderId(reader_id))

    def subscriptions(self, reader_id: str) -> list[opml.Subscription]:
        with self.engine.connect() as db:
            return following.followed(db, ReaderId(reader_id))

    def source(self, source_id: str) -> Source:
        with self.engine.connect() as db:
            source = store.sources.get(db, SourceId(source_id))
        if source is None:
            raise NotFound("There is no such source here.")
        return source

    def set_polling(self, source_id: str, *, on: bool) -> Source:
        """Stop asking a source, or start again at once."""
        source = self.source(source_id)
        changed = replace(source, next_fetch=self.now() if on else None)
        if on:
            changed = replace(changed, gone=False, failures=0, problem="")
        with self.engine.begin() as db:
            store.sources.save(db, changed)
        return changed


def _profile_key(reader: Reader) -> object:
    """What of a reader decides the feed, cheaply: what was merely shown must not shuffle the page under them."""
    return (
        reader.follows, reader.mutes, reader.saved, len(reader.hidden), len(reader.opened), reader.scope,
        reader.languages, reader.interest, reader.disinterest, len(reader.weights), reader.subscriptions,
        tuple(reader.tuning.items()), tuple((k, w.value, w.pinned) for k, w in reader.weights.items()),
    )  # fmt: skip


def _cited(story: Story) -> Iterator[ArticleId]:
    """The articles that a card of the story quotes or links to."""
    yield from (point.article for point in story.key_points[:3])
    yield story.lead or story.articles[0]


def _card(story: Story, articles: Mapping[ArticleId, Article]) -> Card:
    lead = story.lead or story.articles[0]
    quotes = tuple(
        Point(point.text, point.article, articles[point.article].publisher, articles[point.article].url)
        for point in story.key_points[:3]
        if point.article in articles
    )
    return Card(
        story=story,
        headline=story.headline,
        points=beyond(story.headline, quotes),
        quotes=quotes,
        publishers=story.publishers,
        lead=lead,
        lead_publisher=articles[lead].publisher
        if lead in articles
        else story.publishers[0]
        if story.publishers
        else "",
        image=story.image,
    )


def beyond(headline: str, quotes: Iterable[Point]) -> tuple[Point, ...]:
    """What the quotes add to the headline: one that repeats it goes, one that continues it keeps only the rest.

    Headlines end with " …" where a publisher gave no title and the text's first words stand for it.
    """
    cut = re.fullmatch(r"(.+?)\s*(?:…|\.\.\.)", headline.strip(), re.DOTALL)
    begun = re.compile(r"\s+".join(map(re.escape, cut[1].split()))) if cut and cut[1].split() else None
    kept = []
    for quote in quotes:
        if _bare(quote.text) == _bare(headline):
            continue
        if begun is not None and (start := begun.match(quote.text)):
            rest = quote.text[start.end() :].lstrip(" \t\n\u3000,;:，、；：")
            if _bare(rest):
                kept.append(replace(quote, text=f"… {rest}"))
            continue
        kept.append(quote)
    return tuple(kept)


def _bare(text: str) -> str:
    """The words alone: for what differs only in case, spaces, quotes or final punctuation."""
    return " ".join(text.casefold().split()).strip(" .!?…。！？؟۔:;,\"'“”‘’«»„")


def _said(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in cast(dict[str, Any], value).items() if part is not None}
