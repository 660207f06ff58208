"""What is shown, as values: cards, pages, corrections, hits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from broadsheet.feed.edition import Edition
from broadsheet.model import (
    Article,
    ArticleId,
    Follow,
    Mute,
    Passage,
    SourceId,
    Story,
    StoryId,
    Thread,
    Version,
)
from broadsheet.reading.quoting import Quoted
from broadsheet.store.search import Marks
from broadsheet.stories.versions import Revision
from broadsheet.telling import (
    NewPoint,
    Point,
    Side,
    Teller,
)


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
    lead_url: str
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
    quotes: tuple[Quoted, ...]  # the sentences of the article that answer, in order
    titled: Marks  # where the words stand in its title


@dataclass(frozen=True, slots=True)
class Live:
    """The live stories as arrays, and what of the store they stand for, swapped as one."""

    edition: Edition
    version: int
    private: frozenset[SourceId]
    hour: datetime
    absorbed: Mapping[StoryId, StoryId]  # what was told of these by readers holds for those


def cited(story: Story) -> Iterator[ArticleId]:
    """The articles that a card of the story quotes or links to."""
    yield from (point.article for point in story.key_points[:3])
    yield story.lead or story.articles[0]


def card_of(story: Story, articles: Mapping[ArticleId, Article]) -> Card:
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
        lead_url=articles[lead].url if lead in articles else "",
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
