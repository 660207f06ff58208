"""The nouns of Broadsheet: frozen values that flow one way, from sources to a reader's feed.

Ids are strings made from what they name (`identify`), so the same thing read twice has the same id and work done
twice changes nothing. Times are aware: a page's own keep its offset, the store gives UTC. A vector is float16 little-endian bytes (`vector_of`, `bytes_of`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, NewType, TypeVar

import numpy as np
from numpy.typing import NDArray

SourceId = NewType("SourceId", str)
EntryId = NewType("EntryId", str)
ArticleId = NewType("ArticleId", str)
StoryId = NewType("StoryId", str)
ThreadId = NewType("ThreadId", str)
ReaderId = NewType("ReaderId", str)
EventId = NewType("EventId", int)
FeedId = NewType("FeedId", str)

A = TypeVar("A")
B = TypeVar("B")
Stage = Callable[[Sequence[A]], Sequence[B]]
"""A batch in, a batch out: pure, picklable, safe to run twice."""
Engine = Callable[[Stage[A, B], Iterable[Sequence[A]]], Iterator[Sequence[B]]]
"""Where a stage runs: in this process, in others, on a cluster."""


def identify(*parts: str) -> str:
    """The same 16 hexadecimal digits for the same parts, always and everywhere (63 bits, so a client's integer holds it)."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return f"{int.from_bytes(digest) & 0x7FFF_FFFF_FFFF_FFFF:016x}"


def named(text: str) -> str:
    """A name as it is compared: case and spacing do not tell two names apart."""
    return " ".join(text.casefold().split())


def bytes_of(vector: NDArray[np.floating]) -> bytes:
    """A vector as it is stored: float16, little-endian."""
    return np.asarray(vector, dtype="<f2").tobytes()


def vector_of(stored: bytes) -> NDArray[np.float32]:
    """The float32 vector that `bytes_of` stored; an empty array where there is none."""
    return np.frombuffer(stored, dtype="<f2").astype(np.float32)


# --- sources -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """Who publishes: what is known of a publisher, with no rating."""

    name: str
    domain: str
    country: str = ""
    owner: str = ""
    kind: str = ""


SourceKind = Literal["feed", "sitemap", "page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where entries come from, how often, and how it has been answering."""

    id: SourceId
    url: str
    kind: SourceKind = "feed"
    title: str = ""
    homepage: str = ""
    language: str = ""
    outlet: Outlet | None = None
    full_text: bool = True  # fetch the article's page when the feed carries only a summary
    private: bool = False  # only those who subscribe see its articles
    added: datetime | None = None
    # what the last answers taught: sent back exactly as given
    etag: str = ""
    last_modified: str = ""
    # rhythm and health
    next_fetch: datetime | None = None  # None: never; the source is stopped
    last_fetch: datetime | None = None
    last_success: datetime | None = None
    interval: timedelta = timedelta(hours=1)
    failures: int = 0
    problem: str = ""  # the last failure in words a person can act on; empty when healthy
    gone: bool = False  # answered 410: never asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    url: str
    type: str = ""
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item as the source announced it. `summary` and `content` are the source's own HTML: not yet trusted."""

    id: EntryId
    source: SourceId
    guid: str
    url: str
    title: str
    summary: str = ""
    content: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    image: str = ""
    language: str = ""
    publisher: str = ""  # where the item names its own origin (RSS <source>, Atom <source>)
    rights: str = ""  # the licence that the item states for itself
    wording: str = ""  # a digest of what it says: another one means that its source changed it
    revision: int = 0  # how often it was changed since it was first seen


# --- articles ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What `extract` reads: HTML, or pasted text, with what the entry that led here already knew."""

    id: str
    url: str
    html: str = ""
    text: str = ""
    entry: Entry | None = None


EntityType = Literal["person", "organisation", "place", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A name that an article mentions. `text` is its fullest form in the article."""

    text: str
    type: EntityType
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """An IPTC Media Topic: `id` is its eight-digit code; `weight` is in (0, 1]."""

    id: str
    label: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One clean text, the same for every reader."""

    id: ArticleId
    url: str  # canonical, without tracking parameters
    title: str
    text: str  # paragraphs separated by a blank line
    publisher: str = ""
    source: SourceId | None = None
    key_points: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    first_seen: datetime | None = None
    image: str = ""
    captions: tuple[str, ...] = ()
    section: str = ""
    language: str = ""
    html: str = ""  # sanitised, for the reading view
    confidence: float = 1.0  # how sure extraction is that `text` is the whole article and nothing else, 0 to 1
    tags: tuple[str, ...] = ()
    licence: str = ""
    # added by enrich
    entities: tuple[Entity, ...] = ()
    topics: tuple[Topic, ...] = ()
    vector: bytes = b""
    vector_model: str = ""
    fingerprint: bytes = b""  # MinHash signature, for near-duplicates
    # added by group
    copy_of: ArticleId | None = None  # the earlier article whose text this one repeats (wire copy, reprint)

    @property
    def time(self) -> datetime | None:
        """When it appeared: published, else first seen."""
        return self.published or self.first_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A sentence of an article with its offsets (Unicode characters of `text`)."""

    article: ArticleId
    text: str
    start: int
    end: int


FactKind = Literal["number", "name", "quote", "headline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """A fact that one version has and the other has not. `old` or `new` is empty where there is none in its place."""

    kind: FactKind
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What an article said before its publisher changed it, and which facts the change touched."""

    article: ArticleId
    replaced: datetime  # when the change was noticed
    title: str
    text: str
    facts: tuple[FactChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """What was dropped, where, and why, in words that a person can act on."""

    stage: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an article says that somebody said. `content` is `text[start:end]` (Unicode characters), word for word."""

    article: ArticleId
    speaker: str  # the fullest name the article has for them; a description where it names nobody; empty if not said
    role: str  # what the article calls them: "spokesman", "US Secretary of State"
    side: str  # the country, organisation or party they speak for, or "analysts"; empty if not said
    verb: str  # the word that says that they said it: "said", "according to"
    content: str
    start: int
    end: int
    direct: bool  # in the speaker's own words: between quotation marks, which are not part of it


# --- stories -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happened on one day of a story: a sentence quoted from an article, at `start` to `end` of its text.

    A title has no place in the text: both are None.
    """

    date: datetime
    sentence: str
    article: ArticleId
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Articles that report one event and what follows from it."""

    id: StoryId
    headline: str
    articles: tuple[ArticleId, ...]  # in order of time
    publishers: tuple[str, ...]  # distinct, in order of their first article
    first_seen: datetime
    last_seen: datetime
    independent: int = 1  # publishers that wrote their own text: copies do not count
    velocity: float = 0.0  # independent publishers an hour that were joining at `last_seen`
    sources: tuple[SourceId, ...] = ()
    authors: tuple[str, ...] = ()  # who wrote its articles, copies left out, in order of time
    words: int = 0  # of the longest of its articles, copies left out, that is known whole; 0 where none is
    voices: int = 0  # people whom its articles quote by name
    key_points: tuple[Passage, ...] = ()
    timeline: tuple[Moment, ...] = ()
    entities: tuple[Entity, ...] = ()
    topics: tuple[Topic, ...] = ()
    language: str = ""
    image: str = ""
    lead: ArticleId | None = None  # the article whose headline is shown
    vector: bytes = b""
    vector_model: str = ""
    thread: ThreadId | None = None  # the longer story that it belongs to; also where it is the only one so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The long story of which stories are parts: a war, a trial, two countries' quarrel, over months or years."""

    id: ThreadId  # made from its first story's id
    name: str  # names that its stories share, as they are written there; empty where they share none
    stories: tuple[StoryId, ...]  # in order of time
    first_seen: datetime
    last_seen: datetime
    entities: tuple[Entity, ...] = ()  # what holds it together; `count` is how many of its stories name it


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenThread:
    """What is remembered of a thread, so that new stories find it, until it has been silent for long."""

    id: ThreadId
    until: datetime
    memory: bytes  # its sketches, as `stories/threads.py` packs them


# --- what is searched for ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Doubt:
    """What of a search was not taken as it may have been meant, and what was done with it instead."""

    kind: Literal["unknown", "date", "language", "topic", "empty", "long", "many"]
    part: str  # as it was typed


@dataclass(frozen=True, slots=True)
class Query:
    """What a person asked for: all of `words`, `pieces`, `topics` and `places`, one of `publishers` and of `languages`,
    none of `without` and of what begins with `not_`."""

    words: tuple[str, ...] = ()  # a phrase is one of them, with its spaces
    without: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    # In a script without spaces there are no words to look up: the text is read for the very letters.
    pieces: tuple[str, ...] = ()
    without_pieces: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    not_publishers: tuple[str, ...] = ()
    not_topics: tuple[str, ...] = ()
    not_places: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    after: datetime | None = None  # not before the beginning of that day (UTC)
    before: datetime | None = None  # before the beginning of that day
    doubts: tuple[Doubt, ...] = field(default=(), compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing: what is only left out is no question."""
        asked = (self.words, self.pieces, self.publishers, self.topics, self.places, self.languages)
        return not any(asked) and self.after is None and self.before is None

    @property
    def leaves_out(self) -> bool:
        """Whether it leaves anything out."""
        return any((
            self.without, self.without_pieces, self.not_publishers, self.not_topics, self.not_places, self.not_languages
        ))  # fmt: skip

    def is_by(self, publisher: str) -> bool:
        """Whether the publisher is one of those asked for (any, where none was), and none of those left out. A part of a
        name is enough."""
        name = named(publisher)
        return (not self.publishers or _is_called(name, self.publishers)) and not _is_called(name, self.not_publishers)

    def is_by_one_of(self, publishers: Sequence[str]) -> bool:
        """Whether any of them is; so is what has no publisher, where none was asked for."""
        return any(map(self.is_by, publishers)) if publishers else not self.publishers

    def is_in(self, language: str) -> bool:
        code = language.lower().partition("-")[0]
        return (not self.languages or code in self.languages) and code not in self.not_languages


def _is_called(name: str, sought: Sequence[str]) -> bool:
    return any(re.search(".*?".join(map(re.escape, tokens(words.casefold()))), name) for words in sought)


def tokens(words: str) -> list[str]:
    """The runs of letters and digits."""
    return re.findall(r"\w+", words)


def names_topic(sought: str, code: str, label: str) -> bool:
    """Whether a topic is meant: by its code, or by how words of its label begin."""
    words = [code, *tokens(label.casefold())]
    return all(any(word.startswith(begun) for word in words) for begun in tokens(sought.casefold()))


_PART = re.compile(
    r'(?P<sign>-?)(?:(?P<field>[^\W\d_]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))',
    re.IGNORECASE,
)
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
)
_UNSAYABLE = re.compile(r"[\x00-\x1f\ud800-\udfff]")  # what no text holds and no database takes
MOST_PARTS = 32  # beyond this nobody is asking, and an index walk for each part would cost the others their time
MOST_LETTERS = 200  # of one part
_FIELDS = {"publisher": "publishers", "topic": "topics", "place": "places", "lang": "languages"}


def query_of(typed: str) -> Query:
    """The question in what was typed: words, "phrases", and publisher:, topic:, place:, lang:, after:, before:; each of
    them with - before it is left out.

    Any text is one: nothing in it is an error. What it was not taken for is in its `doubts`.
    """
    found: dict[str, list[str]] = {
        name: []
        for name in (*_FIELDS.values(), *(f"not_{n}" for n in _FIELDS.values()), "words", "without", "pieces", "without_pieces")
    }  # fmt: skip
    doubts: list[Doubt] = []
    after: list[datetime] = []
    before: list[datetime] = []
    for number, part in enumerate(_PART.finditer(typed)):
        if number == MOST_PARTS:
            doubts.append(Doubt("many", typed[part.start() :].strip()[:MOST_LETTERS]))
            break
        written = _UNSAYABLE.sub(" ", part[0])[:MOST_LETTERS]
        raw = (part["phrase"] if part["phrase"] is not None else part["word"]) or ""
        sign, field_ = part["sign"], (part["field"] or "").lower()
        if field_ in ("after", "before"):
            if (day := _day(raw)) is not None:
                (after if (field_ == "after") != bool(sign) else before).append(day)
                continue
            doubts.append(Doubt("date", written))
            raw, field_ = f"{field_} {raw}", ""  # a word that happens to stand before a colon
        elif field_ and field_ not in _FIELDS:
            if not raw.startswith("//"):  # an address is no operator
                doubts.append(Doubt("unknown", written))
            raw, field_ = f"{part['field']}:{raw}", ""
        elif not field_ and raw.lower().rstrip(":") in (*_FIELDS, "after", "before") and raw.endswith(":"):
            doubts.append(Doubt("empty", written))
        raw = _UNSAYABLE.sub(" ", raw)
        if len(raw) > MOST_LETTERS:
            doubts.append(Doubt("long", written))
        if not field_ and _UNSPACED.search(raw):
            found["without_pieces" if sign else "pieces"].append(raw.strip().lower()[:MOST_LETTERS])
            continue
        # as it is written, but for what stands around it
        said = re.sub(r"^\W+|\W+$", "", " ".join(raw.split()))[:MOST_LETTERS]
        if not said:
            if field_:
                doubts.append(Doubt("empty", written))
            continue
        if field_ == "lang":
            said = said.lower()
            if re.fullmatch(r"[a-z]{2,3}(-\w+)*", said) is None:
                doubts.append(Doubt("language", written))
                continue
            said = said.partition("-")[0]
        name = _FIELDS[field_] if field_ else ("without" if sign else "words")
        found[f"not_{name}" if sign and field_ else name].append(said)
    return replace(
        Query(**{name: tuple(some) for name, some in found.items()}),  # type: ignore[arg-type]
        after=max(after, default=None),
        before=min(before, default=None),
        doubts=tuple(dict.fromkeys(doubts)),
    )


def _day(written: str) -> datetime | None:
    """The beginning of a day, month or year: 2026-08-01, 2026-08, 2026."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", written)
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1), tzinfo=UTC)
    except ValueError:
        return None


# --- readers -----------------------------------------------------------------------------------------------------

FollowKind = Literal["topic", "person", "place", "organisation", "publisher", "keyword", "story", "search"]
FOLLOW_KINDS: tuple[FollowKind, ...] = (
    "topic", "person", "place", "organisation", "publisher", "keyword", "story", "search",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    kind: FollowKind
    value: str  # topic code, name, keyword, story id, or what was typed as a search
    label: str = ""  # what the reader sees
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    kind: FollowKind
    value: str
    label: str = ""
    until: datetime | None = None  # None: until unmuted

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


WeightKind = Literal["topic", "entity", "publisher", "author"]
WEIGHT_KINDS: tuple[WeightKind, ...] = ("topic", "entity", "publisher", "author")
WeightKey = tuple[WeightKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What was learned of one thing: positive draws it up, negative pushes it down. It fades from `at` on."""

    value: float
    at: datetime
    label: str = ""
    pinned: bool = False  # set by the reader's own hand: does not fade and is not learned over
    since: datetime | None = None  # when it was first learned
    came_from: Mapping[str, int] = field(default_factory=dict)  # kind of event -> how many taught it


EventKind = Literal[
    "shown", "opened", "dwelled", "saved", "unsaved", "shared", "hidden", "unhidden", "more", "less",
    "follow", "unfollow", "mute", "unmute", "set_weight", "erase_weight", "settings", "merge", "split", "undo",
    "import", "forget",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouping:
    """Somebody's word on two articles: their stories are one story, or `one` is not part of the story of `other`."""

    one: ArticleId
    other: ArticleId
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """An operator's regrouping. It holds for everybody until it is undone."""

    number: int
    word: Regrouping
    who: str
    at: datetime
    undone: datetime | None = None
    applied: bool = False  # whoever groups has done what it says; once it is undone: has taken that back
    moved: tuple[ArticleId, ...] = ()  # the articles to which that gave another story


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a reader did: of what, when, in which feed at which position."""

    reader: ReaderId
    kind: EventKind
    at: datetime
    story: StoryId | None = None
    article: ArticleId | None = None
    feed: FeedId | None = None
    position: int | None = None
    seconds: float | None = None  # dwelled: how long
    target: EventId | None = None  # undo: which event no longer counts
    through: EventId | None = None  # undo: and all that taught something from there up to this one
    follow: Follow | None = None
    mute: Mute | None = None
    weight: tuple[WeightKey, float] | None = None
    settings: Mapping[str, object] | None = None  # settings; import: what was brought along
    regrouping: Regrouping | None = None  # merge, split
    id: EventId | None = None  # given by the store


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A fold over events: reader = reduce(learn, events)."""

    id: ReaderId
    name: str = ""
    follows: tuple[Follow, ...] = ()
    mutes: tuple[Mute, ...] = ()
    weights: Mapping[WeightKey, Weight] = field(default_factory=dict)
    interest: bytes = b""  # a fading mean of the vectors of what was read
    interest_mass: float = 0.0
    interest_at: datetime | None = None
    disinterest: bytes = b""  # the same of what was sent away
    disinterest_mass: float = 0.0
    languages: tuple[str, ...] = ()  # empty: every language
    scope: Literal["all", "subscriptions"] = "all"
    subscriptions: frozenset[SourceId] = frozenset()
    images: Literal["off", "direct", "proxied"] = "proxied"
    page_language: str = ""  # what the pages speak; empty: what the browser asks for
    tuning: Mapping[str, float] = field(default_factory=dict)  # scorer name -> multiplier; 1 where absent
    presets: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict
    )  # the reader's own: name -> slider -> value
    home: tuple[str, ...] = ()  # places that are near the reader, as they wrote them
    budget: Mapping[str, float] = field(default_factory=dict)  # rule of the page -> share of it, 0 to 1
    saved: tuple[StoryId, ...] = ()  # newest last
    hidden: frozenset[StoryId] = frozenset()
    opened: Mapping[StoryId, datetime] = field(default_factory=dict)
    shown: Mapping[StoryId, int] = field(default_factory=dict)  # times shown and not opened
    regroupings: tuple[Regrouping, ...] = ()  # stories that they see as one, articles that they took out of a story
    created: datetime | None = None


# --- feed --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """The action that would change a reason, ready to be sent as an event."""

    label: str  # "Unfollow chess"
    kind: EventKind
    follow: Follow | None = None
    mute: Mute | None = None
    weight: tuple[WeightKey, float] | None = None
    settings: Mapping[str, object] | None = None


class Reason(NamedTuple):
    """Points that one signal gave, and the fact behind them. A tuple, since each feed makes hundreds of them."""

    signal: str
    points: float
    fact: str
    repair: Repair | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """A story and the reasons whose points are its score."""

    story: StoryId
    reasons: tuple[Reason, ...]
    chance: float | None = None  # that a story like this had of being drawn by lot; None: it was not written down

    @property
    def score(self) -> float:
        return sum(reason.points for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What one reader is shown, once: logged with the recipe that made it."""

    id: FeedId
    reader: ReaderId
    at: datetime
    recipe: str
    recipe_hash: str
    items: tuple[FeedItem, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)  # why -> how many live stories were not admitted
