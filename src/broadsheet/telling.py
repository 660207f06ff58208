"""What a story's page tells: what is new, what each side said, who reports it and since when, what only one says.

Nothing here is written by us: every sentence is an article's own, with its place in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from broadsheet.articles.passages import passages
from broadsheet.model import Article, ArticleId, Passage, Quote
from broadsheet.sources.outlets import outlet_of
from broadsheet.stories.novelty import Novelty, count_new, news
from broadsheet.stories.overlap import voices
from broadsheet.stories.quotes.gazetteer import is_party
from broadsheet.stories.quotes.transcripts import government
from broadsheet.stories.told import Told, tell


@dataclass(frozen=True, slots=True)
class Point:
    """A key point: quoted, with who wrote it."""

    text: str
    article: ArticleId
    publisher: str
    url: str


@dataclass(frozen=True, slots=True)
class NewPoint(Point):
    """A sentence that says what the articles read before did not, and what in it is new."""

    start: int
    end: int
    why: str


# --- what is new --------------------------------------------------------------------------------------------------

NEWS = 6  # sentences of what is new that a story's page quotes
# Of the articles read and of those that came, the latest so many are compared: 5 ms each the first time, then kept.
COMPARED = 20


@lru_cache(maxsize=256)  # some 100 KB each
def _told(article: Article) -> Told:
    return tell(article, passages)


def _read_and_come(articles: Sequence[Article], new: Set[ArticleId]) -> tuple[list[Article], list[Article]]:
    """The latest articles of both kinds, copies left out: they say nothing of their own."""
    own = [a for a in articles if a.copy_of is None]
    read, came = [a for a in own if a.id not in new], [a for a in own if a.id in new]
    return read[-COMPARED:], came[-COMPARED:]


def news_of(articles: Sequence[Article], new: Set[ArticleId]) -> tuple[NewPoint, ...]:
    """What the new ones of a story's articles, in order of time, say that its others do not."""
    if not new:
        return ()
    read, came = _read_and_come(articles, new)
    known = {a.id: a for a in came}
    return tuple(
        NewPoint(
            text=n.passage.text,
            article=n.passage.article,
            publisher=known[n.passage.article].publisher,
            url=known[n.passage.article].url,
            start=n.passage.start,
            end=n.passage.end,
            why=n.why,
        )
        for n in news([_told(a) for a in read], [_told(a) for a in came], Novelty(most=NEWS))
    )


def facts_new(articles: Sequence[Article], new: Set[ArticleId]) -> int:
    """How many new facts the new ones of a story's articles tell."""
    read, came = _read_and_come(articles, new)
    return count_new([_told(a) for a in read], [_told(a) for a in came])


class Dated(Protocol):
    """An article, or as much of one as says when it came."""

    @property
    def id(self) -> ArticleId: ...
    @property
    def first_seen(self) -> datetime | None: ...
    @property
    def published(self) -> datetime | None: ...


def unread(
    articles: Iterable[Dated], last_read: datetime | None, read: Mapping[ArticleId, datetime]
) -> frozenset[ArticleId]:
    """The articles that came since a reader last opened the story and that they have not read; none on the first time."""
    if last_read is None:
        return frozenset()
    return frozenset(
        a.id
        for a in articles
        if a.id not in read and (seen := a.first_seen or a.published) is not None and seen > last_read
    )


# --- what only one publisher says ---------------------------------------------------------------------------------


def said_alone(points: Sequence[Passage], articles: Sequence[Article]) -> frozenset[Passage]:
    """The points that no other publisher's own text says too. None where only one publisher reports at all."""
    own = [a for a in articles if a.copy_of is None][:COMPARED]
    publisher = {a.id: a.publisher.casefold().strip() for a in articles}
    if len({a.publisher for a in own}) < 2:
        return frozenset()
    heard = voices(points, own, passages)
    return frozenset(p for p, by in zip(points, heard, strict=True) if not by - {publisher.get(p.article, "")})


# --- what each side said ------------------------------------------------------------------------------------------

SIDES, SPOKEN = 4, 6  # sides on a page, and quotes of each
FEWEST_WORDS = 4  # “clear” is somebody's word, and tells nobody anything
ANALYSTS = "analysts"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A quote with who printed it."""

    quote: Quote
    publisher: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Side:
    """What was said for a country, an organisation, a party, or by analysts, in order of time."""

    name: str
    spoken: tuple[Spoken, ...]
    count: int  # how many there are in all


def sides(articles: Sequence[Article], quotes: Mapping[ArticleId, Sequence[Quote]]) -> tuple[Side, ...]:
    """The sides of a story that are quoted most, analysts last. What several print is told once, by the first of them.

    A side is told in its speakers' own words where any are printed; else, beside one that is, as the articles report
    what a country or a party said. What is only reported of others is as often a clause of a law as a voice.
    """
    spoken: defaultdict[str, list[Spoken]] = defaultdict(list)
    heard: list[tuple[str, str]] = []
    for article in articles:
        for quote in quotes.get(article.id, ()) if article.copy_of is None else ():
            words = " ".join(_WORD.findall(quote.content.casefold()))
            name = _side_of(quote, article)
            told = any(side == name and (words in before or before in words) for side, before in heard)
            if name and quote.speaker and words.count(" ") + 1 >= FEWEST_WORDS and not told:
                heard.append((name, words))
                spoken[name].append(Spoken(quote, article.publisher, article.time))
    own = {name for name, said in spoken.items() if any(s.quote.direct for s in said)}
    told_of = {name for name in spoken.keys() - own if own and is_party(name)}
    ranked = sorted(own | told_of, key=lambda name: (-_weight(spoken[name]), name))[:SIDES]
    return tuple(_side(name, spoken[name]) for name in sorted(ranked, key=lambda name: name == ANALYSTS))


_MINISTER = re.compile(r"\b(?:Secretary|Attorney General|Ambassador|Administrator|Minister|President)\b")


def _side_of(quote: Quote, article: Article) -> str:
    """The side under which a quote is shown. A name that is its own side is a dateline or a paper, not a voice; a minister
    on the site of a government speaks for the government, not for a department."""
    if is_party(quote.side) or quote.side == ANALYSTS:
        return quote.side
    if _MINISTER.search(quote.role) and (own := government(article.url)):
        return own
    return "" if quote.speaker == quote.side or len(quote.side) < 3 else quote.side


def _weight(spoken: Sequence[Spoken]) -> float:
    return sum(1.0 if s.quote.direct else 0.3 for s in spoken)


def _side(name: str, spoken: Sequence[Spoken]) -> Side:
    """The fullest of its quotes in order of time, each speaker under the fullest of their names."""
    direct = [s for s in spoken if s.quote.direct]
    pool = direct or list(spoken)
    fullest = sorted(pool, key=lambda s: -len(s.quote.content))[:SPOKEN]
    kept = [s for s in pool if s in fullest]
    called = {s.quote.speaker for s in pool}
    role = {s.quote.speaker: s.quote.role for s in reversed(pool) if s.quote.role}

    def named(speaker: str) -> str:
        return max((c for c in called if c == speaker or c.endswith(f" {speaker}")), key=len)

    return Side(
        name,
        tuple(
            replace(
                s,
                quote=replace(
                    s.quote,
                    speaker=named(s.quote.speaker),
                    role=s.quote.role or role.get(named(s.quote.speaker), ""),
                ),
            )
            for s in kept
        ),
        len(pool),
    )


# --- who reports it -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Teller:
    """A publisher of a story: when it first reported, and whether in words of its own."""

    publisher: str
    country: str
    owner: str
    first: datetime | None
    articles: int
    own: bool
    began: bool  # the first to report the story in words of its own


def tellers(articles: Sequence[Article]) -> dict[str, list[Teller]]:
    """The publishers of a story by country, in order of their first article; those of unknown countries last."""
    by_publisher: defaultdict[str, list[Article]] = defaultdict(list)
    for article in articles:
        by_publisher[article.publisher or "Unknown publisher"].append(article)
    began = next((a.publisher for a in articles if a.copy_of is None and a.time is not None), None)
    found: defaultdict[str, list[Teller]] = defaultdict(list)
    for publisher, written in by_publisher.items():
        outlet = next((o for a in written if (o := outlet_of(a.url)) is not None), None)
        teller = Teller(
            publisher=publisher,
            country=outlet.country if outlet else "",
            owner=outlet.owner if outlet and outlet.owner != publisher else "",
            first=written[0].time,
            articles=len(written),
            own=any(a.copy_of is None for a in written),
            began=publisher == began and len(by_publisher) > 1,
        )
        found[teller.country].append(teller)
    return dict(sorted(found.items(), key=lambda pair: (not pair[0], -len(pair[1]), pair[0])))


def coverage(articles: Sequence[Article]) -> tuple[tuple[datetime, int], ...]:
    """How coverage grew: each time at which one more publisher had reported, and how many had then."""
    seen: set[str] = set()
    steps: list[tuple[datetime, int]] = []
    for article in articles:
        if article.time is not None and article.publisher not in seen:
            seen.add(article.publisher)
            steps.append((article.time, len(seen)))
    return tuple(steps)
