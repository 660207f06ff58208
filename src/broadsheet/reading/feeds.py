"""Feeds for readers, the cards that show their stories, and why each is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from types import MappingProxyType

import numpy as np
from sqlalchemy import Connection

from broadsheet import store
from broadsheet.errors import NotFound
from broadsheet.feed.batch import build_feeds
from broadsheet.feed.bubble import Meter, Tally, meters, published, tally
from broadsheet.feed.build import build_feed, reasons_of
from broadsheet.feed.diversify import kept
from broadsheet.feed.edition import Edition
from broadsheet.feed.explain import explain
from broadsheet.feed.score import Desk
from broadsheet.feed.whatif import Asked, Inquiry
from broadsheet.model import (
    Article,
    ArticleId,
    Event,
    Feed,
    FeedId,
    FeedItem,
    Follow,
    FollowKind,
    Mute,
    Reader,
    Story,
    StoryId,
    Weight,
    WeightKey,
    identify,
)
from broadsheet.readers.ledger import Signal
from broadsheet.reading.paper import BUCKET, FEEDS_KEPT, STORIES_KEPT, Made
from broadsheet.reading.readers import Readers
from broadsheet.reading.shown import Card, LeftOut, Live, card_of, cited
from broadsheet.telling import (
    facts_new,
    unread,
)
from broadsheet.wording import phrase as _

_NOT_A_CHOICE = frozenset({"in a source that is private to others", "already on this page"})
_NONE: Mapping[ArticleId, Article] = MappingProxyType({})
COUNTED = 8  # stories of one page whose new facts are counted, ...
LATEST = 24  # ... over so many of the latest articles of each


def _touching(weights: Mapping[WeightKey, Weight], edition: Edition) -> dict[WeightKey, Weight]:
    """The weights of what these stories are about: no other counts for them, and a reader of some months has 500."""
    keys: Iterable[WeightKey] = chain(
        (("topic", name) for name in edition.topics.vocabulary),
        (("entity", name) for name in edition.entities.vocabulary),
        (("publisher", name) for name in edition.publishers.vocabulary),
    )
    return {key: weights[key] for key in keys if key in weights}


def subjects_of(story: Story) -> list[Follow]:
    """What a story is about most, as it could be followed: its first topic, its first names, who began it."""
    strongest = sorted((e for e in story.entities if e.type != "other"), key=lambda e: (-e.count, e.text))
    kinds: dict[str, FollowKind] = {"person": "person", "place": "place", "organisation": "organisation"}
    topics = [Follow(kind="topic", value=t.id, label=t.label) for t in story.topics[:1]]
    names = [Follow(kind=kinds[e.type], value=e.text, label=e.text) for e in strongest[:2]]
    return topics + names + [Follow(kind="publisher", value=p, label=p) for p in story.publishers[:1]]


class Feeds(Readers):
    """A page of stories for each reader, with reasons."""

    _tallied: tuple[Live, Tally] | None = None

    def feed(self, reader_id: str) -> Feed:
        """The feed of a reader now. The same within ten minutes unless the reader acts or the news changes."""
        return self.feed_of(self.reader(reader_id))

    def feed_of(self, reader: Reader, after: Sequence[StoryId] = ()) -> Feed:
        """The first page for the reader, or the one that comes after these stories."""
        live, now = self.edition(), self.now()
        bucket, seed = int(now.timestamp() // BUCKET.total_seconds()), self._seed(reader)
        if after:
            return self._built(reader, live, now, seed, after)
        others = live.edition.others
        key = (live.version, bucket, live.hour, others and others.at, self.recipe.hash, self._key_of(reader))
        with self._books:
            kept = self._feeds.get(reader.id)
        if kept is not None and kept.key == key:
            return kept.feed
        feed = self._built(reader, live, now, seed, ())
        with self._books:
            self._feeds[reader.id] = Made(key, feed, reader, seed)
            while len(self._feeds) > FEEDS_KEPT:
                self._feeds.popitem(last=False)
        return feed

    def first_pages(self, readers: Iterable[Reader]) -> Iterator[Feed]:
        """What `feed_of` gives each of the readers, in their order, built for a few dozen at a time. None of it is kept."""
        return build_feeds(readers, self.edition().edition, self.recipe, self.now(), self._seed)

    def _seed(self, reader: Reader) -> int:
        bucket = int(self.now().timestamp() // BUCKET.total_seconds())
        return int(identify(reader.id, str(bucket)), 16)

    def _built(self, reader: Reader, live: Live, now: datetime, seed: int, after: Sequence[StoryId]) -> Feed:
        rng = np.random.default_rng(seed)
        return build_feed(reader, live.edition, self.recipe, now, rng, before=after)

    def came_since(self, reader_id: str, version: int) -> int:
        """How many stories of the reader's page as it would be now came after that version of the edition.

        Whatever came before this process began counts as known: it never claims news that there is not.
        """
        feed = self.feed(reader_id)
        with self._books:
            return sum(self._came.get(item.story, -1) > version for item in feed.items)

    def shown_feed(self, reader_id: str, feed_id: str) -> Feed | None:
        """A feed that was shown to this reader; None when it is unknown or another's."""
        with self._books:
            feed = self._shown.get(FeedId(feed_id))
        if feed is None:
            with self.looking() as db:
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
            feeds = [current.feed] if current else []
            feeds += [feed for feed in reversed(self._shown.values()) if feed.reader == reader.id]
        for feed in feeds:
            for item in feed.items:
                if item.story == story_id:
                    return item
        with self.looking() as db:
            story = self._own_story(db, reader, story_id) or self._story(story_id)
        if not self._may_see(paper, reader, story.id, story):
            raise NotFound(_("There is no such story here."))
        plain = replace(reader, mutes=(), hidden=frozenset(), languages=(), scope="all")
        seed = int(np.random.default_rng(self._seed(reader)).integers(0, 2**63))
        # a story that is no longer live is weighed alone: there are no others beside it
        edition = paper.edition
        if story.id not in edition.index:
            alone = Edition.of((story,), self.now())
            edition = replace(alone, others=self._others({story.id: 0}, paper.absorbed))
            plain = replace(plain, weights=_touching(plain.weights, edition))
        desk = Desk(plain, edition, self.now(), seed)
        return FeedItem(story=story.id, reasons=tuple(reasons_of(desk, self.recipe, [edition.index[story.id]])[0]))

    def inquiry(self, reader: Reader) -> Inquiry:
        """The reader's feed as it is shown now, to be asked about."""
        feed = self.feed_of(reader)
        with self._books:
            made = self._feeds.get(reader.id)
        live = self.edition()
        if made is None or made.feed is not feed:  # another request acted for this reader meanwhile
            return Inquiry(
                reader=reader, edition=live.edition, recipe=self.recipe, now=feed.at, seed=self._seed(reader)
            )
        return Inquiry(
            reader=made.reader, edition=live.edition, recipe=self.recipe, now=feed.at, seed=made.seed, known={0: feed}
        )

    def as_if(self, reader: Reader, change: Callable[[Reader], Reader]) -> tuple[Feed, Feed]:
        """The reader's first page as it is, and as it would be if they were otherwise. Nothing is kept or recorded."""
        inquiry = self.inquiry(reader)
        return inquiry.known.get(0) or inquiry.feed(inquiry.reader), inquiry.feed(change(inquiry.reader))

    def ask(self, reader_id: str, story_id: str) -> Asked | None:
        """Why a story stands where it stands for a reader, or why it is not there, and what would change it.

        None for one that is not live: it can't enter any feed. Raises `NotFound`.
        """
        reader, live = self.reader(reader_id), self.edition()
        story = self._story(story_id)
        if not self._may_see(live, reader, story.id, story):
            raise NotFound(_("There is no such story here."))
        if story.id not in live.edition.index:
            return None
        (seen,) = self.as_read(reader, [story.id]) or [story]
        return self.inquiry(reader).ask(story.id, subjects_of(seen))

    def bubble(self, reader: Reader, days: int = 0) -> tuple[list[Meter], int]:
        """What the reader's first page shows, or all that was shown in so many days, against what was published; and of
        how many stories that is."""
        live, now = self.edition(), self.now()
        ids = [item.story for item in self.feed_of(reader).items]
        if days:
            with self.looking() as db:
                logged = store.feeds.latest(db, reader.id, 500)
            since = now - timedelta(days=days)
            ids = list(dict.fromkeys(item.story for feed in logged if feed.at >= since for item in feed.items))
        shown = self.as_read(reader, ids)
        return meters(tally(shown, self.outlets), self._published(live)), len(shown)

    def _published(self, live: Live) -> Tally:
        """The tally of the live stories that are open to all: worked out once an edition."""
        if self._tallied is None or self._tallied[0] is not live:
            self._tallied = live, published(live.edition, self.outlets)
        return self._tallied[1]

    def budgeted(self, reader: Reader, budget: Mapping[str, float]) -> tuple[Feed, Feed]:
        """The first page with no budget at all, and with this one."""
        inquiry = self.inquiry(reader)
        return (
            inquiry.feed(replace(inquiry.reader, budget={})),
            inquiry.feed(replace(inquiry.reader, budget=dict(budget))),
        )

    def kept(self, reader: Reader, feed: Feed) -> dict[str, bool]:
        """Which rules of the reader's budget a page of theirs keeps."""
        edition = self.edition().edition
        desk = Desk(reader, edition, feed.at, 0)
        rows = [row for item in feed.items if (row := edition.row_of(item.story)) is not None]
        return kept(desk, self.recipe.diversity, rows, self.recipe.length)

    def sentence(self, item: FeedItem) -> str:
        """Why a story is there, in one sentence."""
        return explain(item) if item.reasons else _("Nothing that you follow or read speaks for it.")

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
        mutes: dict[str, Mute] = {_("muted: {name}", name=mute.label or mute.value): mute for mute in reader.mutes}
        own = {why: n for why, n in feed.left_out.items() if why not in _NOT_A_CHOICE}
        return tuple(LeftOut(n, why, mutes.get(why)) for why, n in own.items())

    def as_read(self, reader: Reader, ids: Iterable[StoryId]) -> list[Story]:
        """The stories without a word of private sources that are not the reader's; those that are theirs alone are left away."""
        live = self.edition()
        with self.looking() as db:
            found = self._stories(db, ids)
        mixed = [story.id for story in found.values() if self._mixed(live, story)]
        cleaned = {card.story.id: card.story for card in self.cards(mixed, reader)} if mixed else {}
        return [
            cleaned.get(id_, story) for id_, story in found.items() if id_ in cleaned or not self._mixed(live, story)
        ]

    def readable(self, reader: Reader, rows: Sequence[Signal]) -> list[Signal]:
        """Lines of the ledger with their stories as the reader may see them now."""
        seen = {story.id: story for story in self.as_read(reader, {row.story.id for row in rows if row.story})}
        return [replace(row, story=seen.get(row.story.id) if row.story else None) for row in rows]

    def cards(self, ids: Iterable[StoryId], reader: Reader | None = None) -> list[Card]:
        """Cards in the order of the ids; a story that is gone is left away."""
        paper, ids = self.edition(), list(ids)
        with self.looking() as db:
            stories = self._stories(db, ids)
            for story_id in ids:  # absorbed by another since: its id leads to the survivor
                if story_id not in stories and (story := store.stories.get(db, story_id)) is not None:
                    stories[story_id] = story
            shown = [self._as_seen(db, paper, reader, stories[i]) for i in ids if i in stories]
            made = self._made_cards(db, paper, shown, reader)
        return [made[stories[i].id] for i in ids if i in stories and stories[i].id in made]

    def facts_since(
        self, reader: Reader, stories: Sequence[Story], within: timedelta | None = None
    ) -> tuple[dict[StoryId, int], list[Story]]:
        """Of the stories that the reader opened and that went on since: how many new facts what came tells them. And
        the stories that were not counted, since `within` was over.

        A story is counted once, until more comes of it: it takes some 3 ms an article. A page that does not wait asks
        again for the others after it was sent.
        """
        live, begun = self.edition(), time.perf_counter()
        moved = [s for s in stories if (at := reader.opened.get(s.id)) is not None and s.last_seen > at][:COUNTED]
        if not moved:
            return {}, []
        found: dict[StoryId, int] = {}
        left: list[Story] = []
        with self.looking() as db:
            ids = [a for s in moved for a in s.articles[-LATEST:]]
            came, read = store.articles.appeared(db, ids), store.versions.read_by(db, reader.id, ids)
            for story in moved:
                own = [came[a] for a in story.articles[-LATEST:] if a in came and self._may_read(live, reader, came[a])]
                new = unread(own, reader.opened[story.id], read)
                if not new:
                    continue
                key = (story.id, tuple(a.id for a in own), new)
                kept = self._facts.get(key)
                if kept is None or kept[0] is not story:
                    if within is not None and time.perf_counter() - begun > within.total_seconds():
                        left.append(story)
                        continue
                    texts = self._articles(db, [a.id for a in own])
                    kept = story, facts_new([texts[a.id] for a in own if a.id in texts], new)
                    with self._books:
                        self._facts[key] = kept
                        while len(self._facts) > STORIES_KEPT:
                            self._facts.popitem(last=False)
                found[story.id] = kept[1]
        return found, left

    def _made_cards(
        self,
        db: Connection,
        paper: Live,
        stories: Sequence[Story],
        reader: Reader | None,
        known: Mapping[ArticleId, Article] = _NONE,
    ) -> dict[StoryId, Card]:
        """The card of each story; `known` are articles that were read already."""
        made: dict[StoryId, Card] = {}
        needed: dict[StoryId, Story] = {}
        for story in stories:
            kept = self._cards.get(story.id)
            if not self._mixed(paper, story) and kept is not None and kept[0] is story:
                made[story.id] = kept[1]
            else:
                needed[story.id] = story
        wanted = {a for s in needed.values() for a in cited(s) if not self._mixed(paper, s)}
        articles = {**known, **store.articles.brief(db, wanted - known.keys())} if wanted else {}
        for story in needed.values():
            if self._mixed(paper, story):
                if (card := self._private_card(db, paper, story, reader)) is not None:
                    made[story.id] = card
                continue
            made[story.id] = card = card_of(story, articles)
            self._cards[story.id] = (story, card)
        while len(self._cards) > STORIES_KEPT:
            self._cards.popitem(last=False)
        return made

    def _private_card(self, db: Connection, paper: Live, story: Story, reader: Reader | None) -> Card | None:
        """The card of a story that private sources report too: without a word of theirs for who may not see them."""
        articles = store.articles.brief(db, story.articles)
        if reader is not None and not (paper.private & set(story.sources)) - reader.subscriptions:
            return card_of(story, articles)
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
        return card_of(shown, articles)
