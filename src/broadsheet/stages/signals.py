"""What is known of the candidates of a request: from the articles, the reader's history, and the requests before.

One pass in order of time. A request's signals come from its own line and from lines before it, never from a later
one; what other readers clicked is known two minutes late. The work for a line does not grow with the lines before it,
and memory grows with articles and readers, not with events.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.articles.embed import centre, encoder
from broadsheet.stages import Line

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Memory = dict[str, Any]

HALF_LIVES = {"30 minutes": 0.5, "3 hours": 3.0, "12 hours": 12.0, "2 days": 48.0}
DELAY = 120.0  # seconds until a click is known to others
MOST_CENTRED = 256  # titles that say what titles are like
FEW_CENTRED = 8  # that what news is like in general weighs as much as
MEANT = 5  # articles of the history that are nearest in meaning
RECENT = 60  # articles of the history that are compared with each candidate
REMEMBERED = 400  # articles of the history that sections are counted over
TOGETHER = 10  # articles read before a click that count as read together with it
MOST_SEEN = 1000  # articles whose showings are remembered for a reader
MOST_READERS = 200_000
MOST_PAIRS = 2_000_000  # pairs of articles read together
KINDS_HALF_LIFE = 12.0  # hours
FLOW_HALF_LIFE = 6.0 * 3600  # seconds: what was read after what fades faster than what is read together
MOST_FLOWS = 1_000_000  # pairs of articles read one after the other
KEPT_PAIRS = 400_000  # of them in a memory, the strongest
KEPT_READERS = 50_000
EPOCH = -1e15  # of something that never happened: whatever faded since then is nothing


@dataclass(frozen=True, slots=True)
class Signal:
    """Something known of a candidate, in the forms a trained ranker sees it in."""

    name: str
    family: str
    fact: str
    forms: str = "v"  # v: its value, r: its rank in the list, m: less the list's mean, b: less the list's best


def _fading(name: str, family: str, fact: str, forms: str) -> list[Signal]:
    return [Signal(f"{name} {half}", family, f"{fact}, fading by half in {half}", forms) for half in HALF_LIVES]


CONTENT: Final = (
    Signal("likest", "text", "its words are those of an article in the history", "vrm"),
    Signal("like", "text", "its words are those of the history as a whole", "vrm"),
    Signal("like_recent", "text", "its words are those of the last articles read", "vrm"),
    Signal("like_last", "text", "its words are those of the last article read", "vr"),
    Signal("like_fading", "text", "its words are those of the history, what was read lately weighing more", "vrm"),
    Signal("means", "meaning", "what it says is near to what the articles of the history say", "vrm"),
    Signal("means_nearest", "meaning", "what it says is near to what one article of the history says", "vrm"),
    Signal("means_near", "meaning", "what it says is near to what a few articles of the history say", "vrm"),
    Signal("means_recent", "meaning", "what it says is near to what the last articles read say", "vrm"),
    Signal("means_list", "meaning", "what it says is near to what the other candidates say", "vrm"),
    Signal("category", "sections", "its section is often read", "vrm"),
    Signal("category_recent", "sections", "its section was read lately", "vrm"),
    Signal("category_long", "sections", "its section has long been read", "vr"),
    Signal("category_ten", "sections", "its section is among the last ten articles read", "v"),
    Signal("category_last", "sections", "its section is that of the last article read", "v"),
    Signal("topic", "sections", "its topics are often read", "vrm"),
    Signal("topic_recent", "sections", "its topics were read lately", "vrm"),
    Signal("read", "history", "this reader has read it", "v"),
    Signal("fresh", "newness", "how new it is", "vrm"),
    Signal("number", "numbers", "its number is below the newest", "vrm"),
    Signal("list", "list", "how many candidates there are"),
    Signal("list_category", "list", "how many candidates are of its section", "v"),
    Signal("list_like", "list", "its words are those of the other candidates", "vr"),
    Signal("words", "list", "how much it says of itself", "vr"),
    Signal("past", "history", "how much this reader has read"),
)
CROWD: Final = (
    *_fading("clicks", "popularity", "clicks of others", "vrm"),
    *_fading("rate", "popularity", "clicks for each time shown", "vrm"),
    *_fading("share", "popularity", "clicks for what chance would have given it", "vrm"),
    Signal("clicks rank", "popularity", "its place among the candidates by clicks"),
    Signal("share best", "popularity", "clicks for what chance would have given it, against the best candidate", "b"),
    *_fading("offered", "popularity", "how often it was shown", "vrm"),
    Signal("trend", "popularity", "its clicks of the last half hour against those of half a day", "vrm"),
    Signal("section_share", "popularity", "clicks of its section for what chance would have given it", "vrm"),
    Signal("topic_share", "popularity", "clicks of its topics for what chance would have given them", "vrm"),
    Signal("shown", "popularity", "how often it was shown", "vrm"),
    Signal("quiet", "popularity", "how long ago it was last opened", "vr"),
    Signal("strength", "strength", "how it does against what it is shown with", "vrmb"),
    Signal("appeal", "strength", "how its words and section do against others", "vrm"),
    Signal("standing", "strength", "how it and its like do against what they are shown with", "vrmb"),
    Signal("age", "age", "how long ago it first came up", "vrm"),
    Signal("reads 12 hours", "reads", "how often it is in the histories of others, fading by half in 12 hours", "vrm"),
    Signal("together", "together", "it is read by those who read what this reader read", "vrm"),
    Signal("together_last", "together", "it is read by those who read what this reader read last", "vrm"),
    Signal("together_most", "together", "it is read by those who read one of the articles of the history", "vr"),
    Signal("next", "together", "how often it was read right after what this reader read last", "vrm"),
    Signal("flow", "together", "how often it was lately read right after what this reader read last", "vrm"),
    Signal("flow_share", "together", "what share of those who read what this reader read last went on to it", "vrm"),
    Signal("flow_lift", "together", "the same against what its clicks alone would give", "vrm"),
    Signal("flow_chance", "together", "the chance that others gave it after what this reader read last", "vrm"),
    Signal("seen", "shown", "how often this reader was shown it before", "vrm"),
    Signal("seen_recently", "shown", "how lately this reader was shown it", "vrm"),
    Signal("seen_lately", "shown", "how often this reader was shown it in the last hours", "vrm"),
    Signal("seen_since", "shown", "how long ago this reader was last shown it", "vrm"),
    Signal("seen_first", "shown", "how long ago this reader was first shown it", "vrm"),
    Signal("seen_ago", "shown", "how many requests ago this reader was last shown it", "vr"),
    Signal("clicked", "shown", "this reader opened it before"),
    Signal("most clicked", "list", "how much the most clicked candidate was clicked"),
    Signal("seen share", "list", "how many of the candidates this reader was shown before"),
    Signal("pause", "list", "how long ago this reader last asked"),
    Signal("hour", "list", "the hour of the day"),
    Signal("crowd taste", "list", "how far this reader opens what others open"),
    Signal("new taste", "list", "how far this reader opens what is new"),
    Signal("leaning", "leaning", "how its section does with this reader against what it is shown with", "vrm"),
)
FACTS: Final = {signal.name: signal.fact for signal in (*CONTENT, *CROWD)}
FAMILY: Final = {signal.name: signal.family for signal in (*CONTENT, *CROWD)}
CONTEXT: Final = frozenset(
    {"list", "past"}
)  # the same for every candidate: what the other signals may be seen in the light of
FAMILIES: Final = {
    "text": "its words are those of what this reader reads",
    "meaning": "what it says is near to what this reader reads",
    "sections": "its section and topics are those that this reader reads",
    "history": "whether this reader has read it",
    "newness": "how new it is",
    "numbers": "how new its number is",
    "list": "how it is placed among the other candidates",
    "popularity": "how often others open it",
    "strength": "how it and its like do against what they are shown with",
    "age": "how long ago it first came up",
    "reads": "how often it is in the histories of others",
    "together": "others read it with what this reader read",
    "shown": "how often and how lately this reader was shown it",
    "leaning": "how its section does with this reader against what it is shown with",
}


def seconds(written: Any) -> float | None:
    """An ISO time as seconds since 1970 (UTC where it names no zone), or nothing where it is none."""
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


@dataclass(slots=True)
class Request:
    """A line that can be scored."""

    at: float
    reader: str
    history: list[str]
    candidates: list[str]
    read: Sequence[float] = ()  # when each of the history was read, where that is known; no signal asks for it


def read_request(line: Line) -> Request:
    """Raises `ValueError` with what is wrong, in words."""
    at = seconds(line.get("at"))
    if at is None:
        raise ValueError("`at` is not an ISO time")
    lists = []
    for name in ("history", "candidates"):
        value = line.get(name, [])
        if not isinstance(value, list) or not {type(x) for x in value} <= {str, int, bool}:
            raise ValueError(f"`{name}` is not a list of article ids")
        lists.append(list(map(str, value)))
    if not lists[1]:
        raise ValueError("there are no candidates")
    return Request(at, str(line["reader"]) if line.get("reader") is not None else "", lists[0], lists[1])


# --- articles ----------------------------------------------------------------------------------------------------


class Meanings:
    """What articles say, as vectors of unit length: of an article known by its title, when it is first asked for.

    All 512 numbers, not the 192 that articles keep, which said half as much (MIND, 12 and 13 Nov: .672 for .685); less
    the mean of titles like these. Less the mean of all news, Danish titles were all alike: .534 for .566 (EB-NeRD).
    """

    def __init__(self, titles: list[str]) -> None:
        self._titles = titles
        self._row = {i: 0 for i, title in enumerate(titles) if not title}  # noughts
        self._made = np.zeros((64, len(centre())), np.float16)  # a kilobyte each
        self._many = 1

    def of(self, which: Sequence[int]) -> NDArray[np.float32]:
        """One row an article; nothing but noughts for one without words."""
        row = self._row
        rows = [row[i] if i in row else self._read(i) for i in which]
        return self._made[rows].astype(np.float32)

    def _read(self, i: int) -> int:
        """The row of an article that is asked for the first time."""
        if i >= len(self._titles):
            return 0
        # one by one, though 24 at once take a third of the time: so no company changes a digit
        off = encoder()([self._titles[i]])[0] - self._centre
        if self._many == len(self._made):
            self._made = np.concatenate([self._made, np.zeros_like(self._made)])
        self._row[i] = self._many
        self._made[self._many] = off / max(float(np.linalg.norm(off)), 1e-9)
        self._many += 1
        return self._row[i]

    @cached_property
    def _centre(self) -> NDArray[np.float32]:
        """The mean of some of the titles, evenly from all; of a few, with some of what news is like."""
        some = [title for title in self._titles if title]
        some = some[:: -(-len(some) // MOST_CENTRED)]
        return np.asarray(
            (encoder()(some).sum(axis=0) + FEW_CENTRED * centre()) / (len(some) + FEW_CENTRED), np.float32
        )


class Shelf:
    """The articles by number: words (TF-IDF, of length 1), section, topics, time. Number 0 is an article not known."""

    def __init__(self, articles: Iterable[Line]) -> None:
        self.number: dict[str, int] = {}
        titles = [""]
        counted: list[tuple[Counter[int], Line]] = []
        vocabulary: dict[str, int] = {}
        documents: Counter[int] = Counter()
        for article in articles:
            if str(article["id"]) in self.number:
                continue
            self.number[str(article["id"])] = len(counted) + 1
            said = " ".join(str(article.get(part) or "") for part in ("title", "subtitle", "summary"))
            titles.append(". ".join(str(article[part])[:300] for part in ("title", "subtitle") if article.get(part)))
            body = " ".join(str(article.get("text") or "").split()[:150])
            names = article.get("entities")
            words = Counter(re.findall(r"\w{3,}", f"{said} {said} {body}".casefold()))
            for name in names if isinstance(names, list) else ():
                words[f"\0{str(name.get('text', '') if isinstance(name, dict) else name).casefold()}"] += 2
            spelled = Counter({vocabulary.setdefault(word, len(vocabulary)): n for word, n in words.items()})
            documents.update(spelled.keys())
            counted.append((spelled, article))
        self.meanings = Meanings(titles)
        many = len(counted)
        self.vocabulary = len(vocabulary)
        self.spelled = vocabulary
        self.words: list[Ints] = [np.zeros(0, np.int64)]
        self.weights: list[Floats] = [np.zeros(0)]
        self.category = [-1]
        self.topics: list[tuple[int, ...]] = [()]
        self.published = [math.nan]
        self.ordinal = [math.nan]
        self.sections: dict[str, int] = {}
        self.topic_numbers: dict[str, int] = {}
        for words_of, article in counted:
            spelled_words = np.fromiter(words_of.keys(), np.int64, len(words_of))
            weights = np.array(
                [(1 + math.log(n)) * math.log((many + 1) / (documents[w] + 0.5)) for w, n in words_of.items()]
            )
            self.words.append(spelled_words)
            self.weights.append(weights / (math.sqrt(float(weights @ weights)) or 1.0))
            section = str(article.get("category") or article.get("section") or "")
            self.category.append(self.sections.setdefault(section, len(self.sections)) if section else -1)
            topics = article.get("topics")
            named = (
                [str(t.get("id", "") if isinstance(t, dict) else t) for t in topics] if isinstance(topics, list) else []
            )
            self.topics.append(
                tuple(dict.fromkeys(self.topic_numbers.setdefault(t, len(self.topic_numbers)) for t in named))
            )
            at = seconds(article.get("published"))
            self.published.append(math.nan if at is None else at)
            self.ordinal.append(ordinal(str(article["id"])))

    def __len__(self) -> int:
        return len(self.words)

    def of(self, id: str) -> int:  # noqa: A002
        return self.number.get(id, 0)

    def known(self, ids: Iterable[str]) -> list[int]:
        """The articles' numbers, nought for those that are not known."""
        number = self.number
        return [number.get(id, 0) for id in ids]  # noqa: A001

    def places(self, ids: Iterable[str]) -> list[int]:
        """The articles' numbers; those that were not known are given one."""
        number = self.number
        return [number[id] if id in number else self.place(id) for id in ids]  # noqa: A001

    def place(self, id: str) -> int:  # noqa: A002
        """The article's number; one that was not known is given one."""
        found = self.number.get(id)
        if found is None:
            found = self.number[id] = len(self.words)
            self.words.append(self.words[0])
            self.weights.append(self.weights[0])
            self.category.append(-1)
            self.topics.append(())
            self.published.append(math.nan)
            self.ordinal.append(ordinal(id))
        return found


def ordinal(id: str) -> float:  # noqa: A002
    """The number that an id ends in: many systems number articles in the order in which they are made."""
    found = re.fullmatch(r"\D{0,8}(\d{1,15})", id)
    return float(found[1]) if found else math.nan


# --- what happened before ----------------------------------------------------------------------------------------


class Fading:
    """For each article a count that fades by half in each of the half-lives."""

    def __init__(self, half_lives: Sequence[float], size: int) -> None:
        self.rate = -math.log(2) / 3600 / np.array(half_lives)
        self.counts = np.zeros((size, len(half_lives)))
        self.at = np.zeros(size)

    def grow(self, size: int) -> None:
        more = size - len(self.at)
        if more > 0:
            self.counts = np.concatenate((self.counts, np.zeros((more, self.counts.shape[1]))))
            self.at = np.concatenate((self.at, np.zeros(more)))

    def now(self, which: Ints, at: float) -> Floats:
        gone = np.maximum(at - self.at[which], 0.0)
        return np.asarray(self.counts[which] * np.exp(gone[:, None] * self.rate))

    def add(self, which: Ints, at: float, much: float | Floats = 1.0) -> None:
        """No article may be named twice."""
        self.counts[which] = self.now(which, at) + (much if isinstance(much, float) else much[:, None])
        self.at[which] = np.maximum(self.at[which], at)


@dataclass(slots=True)
class Past:
    """What a reader was shown and opened in the lines before."""

    seen: dict[int, tuple[float, float, float, float, int]] = field(default_factory=dict)
    # times, first, last, times fading by half in 3 hours, number of the request
    own: list[str] = field(default_factory=list)
    known: set[int] = field(default_factory=set)  # articles of the history that others' counts have
    requests: int = 0
    last: float = 0.0
    crowd_taste: float = 0.5  # mean rank by clicks of what was opened, among what it was shown with
    new_taste: float = 0.5  # the same by when it first came up
    leaning: dict[int, float] = field(default_factory=dict)


class Signals:
    """Signals of candidates, and what was learned from the lines before."""

    def __init__(self, articles: Iterable[Line], *, prequential: bool = False) -> None:
        self.shelf = Shelf(articles)
        self.prequential = prequential
        self.signals: tuple[Signal, ...] = (*CONTENT, *CROWD) if prequential else CONTENT
        self.names = tuple(signal.name for signal in self.signals)
        self._column = np.full(self.shelf.vocabulary, -1)
        self._sizes = len(self.shelf)
        self.clicks = Fading(tuple(HALF_LIVES.values()), self._sizes)
        self.shown = Fading(tuple(HALF_LIVES.values()), self._sizes)
        self.chance = Fading(tuple(HALF_LIVES.values()), self._sizes)
        self.reads = Fading((12.0,), self._sizes)
        self.ever = np.zeros((self._sizes, 4))  # first shown, times shown, last opened, weight of pairs
        self.ever[:, (0, 2)] = math.nan
        self.strength = np.zeros(self._sizes)
        self.appeal = np.zeros(self.shelf.vocabulary + len(self.shelf.sections))
        self.kinds: dict[int, tuple[float, float, float]] = {}  # section or topic: clicks, what chance would give, when
        self.pairs: dict[int, float] = {}
        self.flows: dict[int, float] = {}  # from what was read to what was read next, in units that grow with time
        self.flow_from = 0.0  # when that unit was one
        self.readers: OrderedDict[str, Past] = OrderedDict()
        self.late: deque[tuple[float, list[int], list[int], Ints, Floats]] = deque()  # not yet known to others

    # --- one request

    def table(self, request: Request) -> Floats:
        """One row a candidate, one column a signal; NaN is what can't be known."""
        places = self.shelf.places if self.prequential else self.shelf.known
        candidates = np.array(places(request.candidates))
        history = places(self._history(request))
        columns = self._content(request, candidates, history)
        if self.prequential:
            self._grow()
            self._arrived(request.at)
            columns += self._crowd(request, candidates, history)
        return np.column_stack(columns)

    def _history(self, request: Request) -> list[str]:
        """What was read, with what this reader opened in the lines before."""
        past = self.readers.get(request.reader) if request.reader else None
        if past is None or not past.own:
            return request.history
        known = set(request.history)
        return [*request.history, *(id for id in past.own if id not in known)]  # noqa: A001

    def _content(self, request: Request, candidates: Ints, history: list[int]) -> list[Floats]:
        shelf = self.shelf
        n = len(candidates)
        listed = candidates.tolist()
        told = [i for i in history[-REMEMBERED:] if len(shelf.words[i]) or shelf.category[i] >= 0 or shelf.topics[i]]
        read = told[-RECENT:]
        near, among = self._likeness(listed, read)
        said = shelf.meanings.of(listed)
        meant = (said @ shelf.meanings.of(read).T).astype(np.float64)
        nearest = np.sort(meant, axis=1)[:, -MEANT:]
        fading = 0.8 ** np.arange(len(read) - 1, -1, -1.0)
        mass, recent = len(read), float(fading.sum())
        sections = np.array([shelf.category[i] for i in listed])
        have = sections >= 0
        long = sections[:, None] == np.array([shelf.category[i] for i in told], np.int64)
        same = long[:, -len(read) :] if read else long
        topics: dict[int, float] = {}
        lately: dict[int, float] = {}
        for i, weight in zip(read, fading.tolist(), strict=True):
            for topic in shelf.topics[i]:
                topics[topic] = topics.get(topic, 0.0) + 1.0
                lately[topic] = lately.get(topic, 0.0) + weight
        unknown = math.log(0.05)
        published = np.array([shelf.published[i] for i in listed])
        numbers = np.array([shelf.ordinal[i] for i in listed])
        if not all(listed):  # without memory an article that is not known has still its id
            numbers = np.array([ordinal(id) for id in request.candidates])  # noqa: A001
        newest = max(
            (x for x in (*numbers.tolist(), *(shelf.ordinal[i] for i in history[-5:])) if x == x), default=math.nan
        )
        known = set(history)
        nothing, unknown_yet = np.zeros(n), np.full(n, math.nan)
        with np.errstate(invalid="ignore"):
            fresh = -np.log2(1.0 + np.maximum(request.at - published, 0.0) / 3600 / 12.0)
            behind = -np.log1p(np.maximum(newest - numbers, 0.0))
        return [
            near.max(axis=1) if mass else nothing,
            near.sum(axis=1) / mass if mass else nothing,
            near[:, -5:].max(axis=1) if mass else nothing,
            near[:, -1] if mass else nothing,
            near @ fading / recent if mass else nothing,
            meant.mean(axis=1) if mass else unknown_yet,
            nearest[:, -1] if mass else unknown_yet,
            nearest.mean(axis=1) if mass else unknown_yet,
            meant @ fading / recent if mass else unknown_yet,
            (said @ said.sum(axis=0) - (said * said).sum(axis=1)) / max(n - 1, 1),
            np.where(have, np.log((same.sum(axis=1) + 0.5) / (mass + 10.0)), unknown),
            np.where(have, np.log((same @ fading + 0.25) / (recent + 5.0)), unknown),
            np.where(have, np.log((long.sum(axis=1) + 0.5) / (len(told) + 10.0)), unknown),
            same[:, -10:].sum(axis=1).astype(float) * have,
            same[:, -1].astype(float) * have if mass else nothing,
            np.array([max((topics.get(t, 0.0) / mass for t in shelf.topics[i]), default=0.0) if mass else 0.0 for i in listed]),
            np.array([sum(lately.get(t, 0.0) for t in shelf.topics[i]) / recent if mass else 0.0 for i in listed]),
            np.array([float(i in known) if i else 0.0 for i in listed]),
            fresh,
            behind,
            np.full(n, math.log(n)),
            (sections[:, None] == sections).sum(axis=1) / n,
            among,
            np.array([math.log1p(len(shelf.words[i])) for i in listed]),
            np.full(n, math.log1p(len(history))),
        ]  # fmt: skip

    def _likeness(self, listed: list[int], read: list[int]) -> tuple[Floats, Floats]:
        """The cosine of each candidate with each article read, and with the other candidates on average."""
        words, weights = self.shelf.words, self.shelf.weights
        n = len(listed)
        spelled = np.concatenate([words[i] for i in listed])
        found, where = np.unique(spelled, return_inverse=True)
        said = np.zeros((n, len(found)))
        said[np.repeat(np.arange(n), [len(words[i]) for i in listed]), where] = np.concatenate(
            [weights[i] for i in listed]
        )
        among = (said @ said.sum(axis=0) - (said * said).sum(axis=1)) / max(n - 1, 1)
        if not read or not len(found):
            return np.zeros((n, len(read))), among
        self._column[found] = np.arange(len(found))
        columns = self._column[np.concatenate([words[i] for i in read])]
        self._column[found] = -1
        common = columns >= 0
        rows = np.repeat(np.arange(len(read)), [len(words[i]) for i in read])[common]
        past = np.zeros((len(found), len(read)))
        past[columns[common], rows] = np.concatenate([weights[i] for i in read])[common]
        return said @ past, among

    def _crowd(self, request: Request, candidates: Ints, history: list[int]) -> list[Floats]:
        at = request.at
        listed = candidates.tolist()
        n = len(listed)
        clicks = self.clicks.now(candidates, at)
        shown = self.shown.now(candidates, at)
        chance = self.chance.now(candidates, at)
        ever = self.ever[candidates]
        strength = self.strength[candidates]
        appeal = self._appeal(listed)
        past = self.readers.get(request.reader) if request.reader else None
        own = set(past.own) if past else set()
        together = [*self._together(listed, history), *self._flow(listed, history, clicks[:, 1], at)]
        with np.errstate(invalid="ignore"):
            quiet = np.log1p(np.maximum(at - ever[:, 2], 0.0) / 3600)
            age = np.log1p(np.maximum(at - np.where(np.isnan(ever[:, 0]), at, ever[:, 0]), 0.0) / 3600)
        return [
            *np.log1p(clicks).T,
            *np.log((clicks + 1.0) / (shown + 10.0)).T,
            *np.log((clicks + 1.0) / (chance + 1.0)).T,
            shares(clicks[:, 1:2])[:, 0],
            np.log((clicks[:, 1] + 1.0) / (chance[:, 1] + 1.0)),
            *np.log1p(shown).T,
            np.log((clicks[:, 0] + 0.5) / (clicks[:, 2] / 8 + 0.5)),
            *self._kind_shares(listed, at),
            np.log1p(ever[:, 1]),
            quiet,
            strength,
            appeal,
            strength + appeal,
            age,
            np.log1p(self.reads.now(candidates, at)[:, 0]),
            *together,
            *self._seen(listed, past, at),
            np.array([float(id in own) for id in request.candidates]),  # noqa: A001
            *(
                np.full(n, x)
                for x in (
                    math.log1p(float(clicks[:, 1].max())),
                    sum(i in past.seen for i in listed) / n if past else 0.0,
                    math.log1p(max(at - past.last, 0.0) / 60) if past and past.requests else math.nan,
                    at / 3600 % 24,
                    past.crowd_taste if past else 0.5,
                    past.new_taste if past else 0.5,
                )
            ),
            self._leaning(listed, past),
        ]

    def _appeal(self, listed: list[int]) -> Floats:
        words, weights, section = self.shelf.words, self.shelf.weights, self.shelf.category
        said = [float(self.appeal[words[i]] @ weights[i]) if len(words[i]) else 0.0 for i in listed]
        start = self.shelf.vocabulary
        return np.array(
            [
                x + (self.appeal[start + section[i]] if section[i] >= 0 else 0.0)
                for x, i in zip(said, listed, strict=True)
            ]
        )

    def _kind_shares(self, listed: list[int], at: float) -> list[Floats]:
        """For the section and the topics of each candidate: clicks for what chance would have given them, lately."""
        count = {}
        for key in {key for i in listed for key in self._kinds(i)}:
            clicks, chance, last = self.kinds.get(key, (0.0, 0.0, at))
            faded = 0.5 ** (max(at - last, 0.0) / 3600 / KINDS_HALF_LIFE)
            count[key] = math.log((clicks * faded + 2.0) / (chance * faded + 2.0))
        found = []
        for i in listed:
            section, topics = self.shelf.category[i], self.shelf.topics[i]
            found.append(
                (count[-1 - section] if section >= 0 else 0.0, sum(count[t] for t in topics) / max(len(topics), 1))
            )
        return list(np.array(found).T)

    def _kind_counts(self, i: int, at: float, clicks: float, chance: float) -> None:
        for key in self._kinds(i):
            had = self.kinds.get(key, (0.0, 0.0, at))
            faded = 0.5 ** (max(at - had[2], 0.0) / 3600 / KINDS_HALF_LIFE)
            self.kinds[key] = had[0] * faded + clicks, had[1] * faded + chance, max(at, had[2])

    def _leaning(self, listed: list[int], past: Past | None) -> Floats:
        if past is None:
            return np.zeros(len(listed))
        return np.array([sum(past.leaning.get(key, 0.0) for key in self._kinds(i)) for i in listed])

    def _kinds(self, i: int) -> list[int]:
        section = self.shelf.category[i]
        return [*([-1 - section] if section >= 0 else ()), *self.shelf.topics[i]]

    def _together(self, listed: list[int], history: list[int]) -> list[Floats]:
        last = list(dict.fromkeys(reversed(history[-2 * TOGETHER :])))[:TOGETHER]
        n = len(listed)
        if not last or not self.pairs:
            return [np.zeros(n) for _ in range(4)]
        get = self.pairs.get
        counts = np.array([[get(i << 32 | j, 0.0) for j in listed] for i in last])
        weight = np.sqrt(self.ever[last, 3] + 3.0)[:, None] * np.sqrt(self.ever[listed, 3] + 3.0)
        likeness = counts / weight
        fading = 0.8 ** np.arange(len(last))
        return [
            fading @ likeness / fading.sum(),
            likeness[0],
            likeness.max(axis=0),
            np.log1p(counts[0]),
        ]

    def _unit(self, at: float) -> float:
        """How much what happens at this time counts against what happened at `flow_from`: so nothing need be faded."""
        return float(2.0 ** min(max((at - self.flow_from) / FLOW_HALF_LIFE, -1000.0), 1000.0))

    def _flow(self, listed: list[int], history: list[int], clicks: Floats, at: float) -> list[Floats]:
        """What others went on to from what this reader read last, of late. With few of them the chance leans on clicks."""
        if not history or not self.flows:
            return [np.full(len(listed), math.nan) for _ in range(4)]
        last, unit = history[-1], self._unit(at)
        went = np.array([self.flows.get(last << 32 | i, 0.0) for i in listed]) / unit
        out = self.flows.get(last << 32, 0.0) / unit
        expected = (clicks + 0.5) / (clicks + 0.5).sum()
        return [
            np.log1p(went),
            went / (out + 2.0),
            np.log((went + expected) / ((out + 1.0) * expected)),
            np.log((went + 3.0 * expected) / (out + 3.0)),
        ]

    def _flowed(self, i: int, last: int, at: float) -> None:
        """`i` was read after `last`: what leads from an article to number 0 counts all that was read after it."""
        if not self.flows:
            self.flow_from = at
        unit = self._unit(at)
        if unit > 1e100 or len(self.flows) > MOST_FLOWS:  # count in a new unit, without what has faded or was least
            least = max(0.01 * unit, float(np.median(list(self.flows.values()))) if unit <= 1e100 else 0.0)
            self.flows = {key: x / unit for key, x in self.flows.items() if x > least}
            self.flow_from, unit = at, 1.0
        for to in (i, 0):
            self.flows[last << 32 | to] = self.flows.get(last << 32 | to, 0.0) + unit

    def _seen(self, listed: list[int], past: Past | None, at: float) -> list[Floats]:
        rows = []
        for i in listed:
            found = past.seen.get(i) if past else None
            if past is None or found is None:
                rows.append((0.0, 0.0, 0.0, math.nan, math.nan, math.nan))
                continue
            times, first, last, lately, request = found
            hours = max(at - last, 0.0) / 3600
            rows.append((
                math.log1p(times), 0.5**hours, math.log1p(lately * 0.5 ** (hours / 3)), math.log1p(hours * 60),
                math.log1p(max(at - first, 0.0) / 60), math.log1p(past.requests - request),
            ))  # fmt: skip
        return list(np.array(rows).T)

    # --- learning

    def _grow(self) -> None:
        if len(self.shelf) <= self._sizes:
            return
        self._sizes = max(2 * self._sizes, len(self.shelf))
        for kept in (self.clicks, self.shown, self.chance, self.reads):
            kept.grow(self._sizes)
        more = self._sizes - len(self.strength)
        self.strength = np.concatenate((self.strength, np.zeros(more)))
        new = np.zeros((more, 4))
        new[:, (0, 2)] = math.nan
        self.ever = np.concatenate((self.ever, new))

    def _arrived(self, at: float) -> None:
        """Take in what others know by now."""
        while self.late and self.late[0][0] <= at - DELAY:
            then, clicked, before, candidates, surprise = self.late.popleft()
            for i in clicked:
                self.clicks.add(np.array([i]), then)
                self.ever[i, 2] = then
                self._kind_counts(i, then, 1.0, 0.0)
                self._pair(i, before)
                if before:
                    self._flowed(i, before[0], then)
            self._surprised(candidates, surprise)

    def _pair(self, i: int, before: Sequence[int]) -> None:
        """`before`: what was read before it, the latest first."""
        pairs, ever = self.pairs, self.ever
        weight = 1.0
        for j in before:
            if j != i:
                pairs[j << 32 | i] = pairs.get(j << 32 | i, 0.0) + weight
                pairs[i << 32 | j] = pairs.get(i << 32 | j, 0.0) + weight / 2
                ever[i, 3] += weight
                ever[j, 3] += weight
            weight *= 0.8
        if len(pairs) > MOST_PAIRS:  # what was read together once goes first
            least = float(np.quantile(np.fromiter(pairs.values(), float, len(pairs)), 0.5))
            self.pairs = {key: x for key, x in pairs.items() if x > least}

    def _surprised(self, candidates: Ints, surprise: Floats) -> None:
        """One step of a softmax over lists: what was opened against expectation gains, what was passed over loses."""
        if not len(candidates):
            return
        np.add.at(self.strength, candidates, 0.25 * surprise)
        words, weights, section = self.shelf.words, self.shelf.weights, self.shelf.category
        start = self.shelf.vocabulary
        for i, x in zip(candidates.tolist(), surprise.tolist(), strict=True):
            self.appeal[words[i]] += 0.05 * x * weights[i]  # no word is there twice
            if section[i] >= 0:
                self.appeal[start + section[i]] += 0.02 * x

    def learn(self, request: Request, clicked: Sequence[str]) -> None:
        """Take in what happened at a line, after it was scored."""
        shelf, at = self.shelf, request.at
        candidates = np.array(list(dict.fromkeys(shelf.places(request.candidates))))
        opened = shelf.places(clicked)
        history = shelf.places(self._history(request))
        self._grow()
        listed = candidates.tolist()
        hits = np.isin(candidates, opened)
        surprise = np.zeros(0)
        if 0 < hits.sum() < len(hits):
            expected = self.strength[candidates] + self._appeal(listed)
            chances = np.exp(expected - expected.max())
            surprise = hits / hits.sum() - chances / chances.sum()
        self.shown.add(candidates, at)
        if len(candidates) > 1:
            self.chance.add(candidates, at, 1.0 / len(candidates))
            for i in listed:
                self._kind_counts(i, at, 0.0, 1.0 / len(listed))
        first = np.isnan(self.ever[candidates, 0])
        self.ever[candidates[first], 0] = at
        self.ever[candidates, 1] += 1.0
        past = self._past(request.reader) if request.reader else None
        self._read_elsewhere(past, history, at)
        before = list(dict.fromkeys(reversed(history[-2 * TOGETHER :])))[:TOGETHER]
        self.late.append((at, opened, before, candidates if len(surprise) else candidates[:0], surprise))
        if past is not None:
            past.requests += 1
            past.last = at
            if len(surprise):
                ranks = shares(np.column_stack((self.clicks.now(candidates, at)[:, 1], self.ever[candidates, 0])))
                crowd, new = ranks[hits].mean(axis=0).tolist()
                past.crowd_taste += 0.1 * (crowd - past.crowd_taste)
                past.new_taste += 0.1 * (new - past.new_taste)
            for i in listed:
                times, first_at, last, lately, _ = past.seen.pop(i, (0.0, at, at, 0.0, 0))
                faded = lately * 0.5 ** (max(at - last, 0.0) / 3600 / 3)
                past.seen[i] = times + 1.0, first_at, at, faded + 1.0, past.requests
            while len(past.seen) > MOST_SEEN:
                del past.seen[next(iter(past.seen))]
            past.own.extend(clicked)
            del past.own[:-REMEMBERED]
            past.known.update(opened)
            if len(surprise):
                for i, x in zip(listed, surprise.tolist(), strict=True):
                    for key in self._kinds(i):
                        past.leaning[key] = past.leaning.get(key, 0.0) + 0.3 * x

    def _past(self, reader: str) -> Past:
        past = self.readers.pop(reader, None) or Past()
        self.readers[reader] = past
        if len(self.readers) > MOST_READERS:
            self.readers.popitem(last=False)
        return past

    # --- keeping what was learned

    def remember(self) -> Memory:
        """What was learned, to go on from later: plain lists and numbers. It names readers and what they were shown."""
        used = np.flatnonzero(
            self.ever[: len(self.shelf), 1] + self.ever[: len(self.shelf), 3] + self.reads.at[: len(self.shelf)]
        )
        names = {i: id for id, i in self.shelf.number.items()}  # noqa: A001
        strongest = heapq.nlargest(KEPT_PAIRS, self.pairs.items(), key=lambda pair: (pair[1], pair[0]))
        pairs = [(key >> 32, key & 0xFFFFFFFF, x) for key, x in sorted(strongest)]
        most = max(self.flows.values(), default=1.0)  # a unit in which all of them are small numbers
        flows = heapq.nlargest(KEPT_PAIRS, self.flows.items(), key=lambda pair: (pair[1], pair[0]))
        readers = list(self.readers.items())[-KEPT_READERS:]
        everyone = {*used.tolist(), *(i for _, past in readers for i in (*past.seen, *past.known))}
        everyone |= {i for _, before, _, listed, _ in self.late for i in (*before, *listed.tolist())}
        everyone |= {i for _, opened, *_ in self.late for i in opened}
        everyone |= {i for a, b, _ in pairs for i in (a, b)}
        everyone |= {i for key, _ in flows for i in (key >> 32, key & 0xFFFFFFFF)}
        numbers = sorted(everyone - {0})
        place = {i: k for k, i in enumerate(numbers)}
        which = np.array(numbers, np.int64)
        kinds = {-1 - k: ["section", name] for name, k in self.shelf.sections.items()}
        kinds |= {k: ["topic", name] for name, k in self.shelf.topic_numbers.items()}
        start = self.shelf.vocabulary
        return {
            "articles": [names[i] for i in numbers],
            **{
                name: {"at": _short(kept.at[which]), "counts": _short(kept.counts[which])}
                for name, kept in self._fadings().items()
            },
            "ever": _short(self.ever[which]),
            "strength": _short(self.strength[which]),
            "words": {w: _short(self.appeal[k]) for w, k in self.shelf.spelled.items() if self.appeal[k]},
            "sections": {w: _short(self.appeal[start + k]) for w, k in self.shelf.sections.items()},
            "kinds": [[*kinds[key], *_short(x)] for key, x in self.kinds.items() if key in kinds],
            "pairs": [[place[a], place[b], _short(x)] for a, b, x in pairs if a and b],
            "flow_from": self.flow_from + FLOW_HALF_LIFE * math.log2(most),
            "flows": [
                [place[key >> 32], place.get(key & 0xFFFFFFFF, -1), _short(x / most)] for key, x in sorted(flows)
            ],
            "readers": [
                {
                    "reader": reader,
                    "seen": [[place[i], *_short(x)] for i, x in past.seen.items() if i],
                    "own": past.own,
                    "known": [place[i] for i in sorted(past.known) if i],
                    "requests": past.requests,
                    "tastes": _short((past.last, past.crowd_taste, past.new_taste)),
                    "leaning": [[*kinds[key], _short(x)] for key, x in past.leaning.items() if key in kinds],
                }
                for reader, past in readers
            ],
            "late": [
                [at, [place[i] for i in opened], [place[i] for i in before], [place[i] for i in listed.tolist()], surprise.tolist()]
                for at, opened, before, listed, surprise in self.late
            ],
        }  # fmt: skip

    def recall(self, memory: Memory) -> None:
        """Go on from what was remembered, with these articles. Raises `ValueError`, `KeyError` or `TypeError` for no memory."""
        shelf = self.shelf
        place = [shelf.place(str(id)) for id in memory["articles"]]  # noqa: A001
        which = np.array(place, np.int64)
        self._grow()
        if len(which):
            for name, kept in self._fadings().items():
                kept.at[which] = _long(memory[name]["at"])
                kept.counts[which] = _long(memory[name]["counts"])
            self.ever[which] = _long(memory["ever"])
            self.strength[which] = _long(memory["strength"])
        for word, x in memory["words"].items():
            if (k := shelf.spelled.get(word)) is not None:
                self.appeal[k] = x
        for name, x in memory["sections"].items():
            if (k := shelf.sections.get(name)) is not None:
                self.appeal[shelf.vocabulary + k] = x
        for kind, name, clicks, chance, last in memory["kinds"]:
            if (k := self._kind(kind, name)) is not None:
                self.kinds[k] = float(clicks), float(chance), float(last)
        self.pairs = {place[a] << 32 | place[b]: float(x) for a, b, x in memory["pairs"]}
        self.flow_from = float(memory["flow_from"])
        self.flows = {place[a] << 32 | (place[b] if b >= 0 else 0): float(x) for a, b, x in memory["flows"]}
        for told in memory["readers"]:
            past = self._past(str(told["reader"]))
            past.seen = {place[i]: (n, first, last, lately, int(r)) for i, n, first, last, lately, r in told["seen"]}
            past.own = [str(id) for id in told["own"]]  # noqa: A001
            past.known = {place[i] for i in told["known"]}
            past.requests = int(told["requests"])
            past.last, past.crowd_taste, past.new_taste = map(float, told["tastes"])
            for kind, name, x in told["leaning"]:
                if (k := self._kind(kind, name)) is not None:
                    past.leaning[k] = float(x)
        for at, opened, before, listed, surprise in memory["late"]:
            self.late.append((
                float(at), [place[i] for i in opened], [place[i] for i in before],
                np.array([place[i] for i in listed], np.int64), np.array(surprise, float),
            ))  # fmt: skip

    def _kind(self, kind: str, name: str) -> int | None:
        k = (self.shelf.sections if kind == "section" else self.shelf.topic_numbers).get(name)
        return None if k is None else -1 - k if kind == "section" else k

    def _fadings(self) -> dict[str, Fading]:
        return {"clicks": self.clicks, "shown": self.shown, "chance": self.chance, "reads": self.reads}

    def _read_elsewhere(self, past: Past | None, history: list[int], at: float) -> None:
        """What is new in a history was read somewhere: it counts for others like a click whose time is not known."""
        if past is None:
            new = history[-3:]
        else:
            new = [i for i in history[-REMEMBERED:] if i not in past.known]
            past.known.update(new)
        if not new:
            return
        for i in dict.fromkeys(new[-10:]):
            self.reads.add(np.array([i]), at)
        if past is None:
            return
        for k, i in enumerate(new):
            self._pair(i, new[max(k - 5, 0) : k][::-1])


def _short(values: Any) -> Any:
    """Plain numbers of seven digits; what is not known is null."""
    if isinstance(values, np.ndarray | tuple | list):
        return [_short(x) for x in (values.tolist() if isinstance(values, np.ndarray) else values)]
    x = float(values)
    return None if x != x else round(x) if abs(x) > 1e7 else float(f"{x:.7g}")


def _long(values: Any) -> Floats:
    return np.array(values, float)


def shares(values: Floats) -> Floats:
    """For each value of each column the share of the others in it that are smaller, ties counting half; NaN stays."""
    n = len(values)
    if n < 2:
        return np.where(np.isnan(values), math.nan, 0.5)
    if n <= 40:
        below = (values[:, None, :] > values[None, :, :]).sum(axis=1)
        equal = (values[:, None, :] == values[None, :, :]).sum(axis=1) - 1
        return np.where(np.isnan(values), math.nan, (below + equal / 2) / (n - 1))
    found = np.empty_like(values)
    for k, column in enumerate(values.T):
        ordered = np.sort(column)
        low, high = np.searchsorted(ordered, column, "left"), np.searchsorted(ordered, column, "right")
        found[:, k] = (low + high - 1) / 2 / (n - 1)
    return np.where(np.isnan(values), math.nan, found)


class Forms:
    """The columns that a trained ranker sees: each signal's value, rank in the list, distance from mean and best."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self._rank = [k for k, s in enumerate(signals) if "r" in s.forms]
        self._mean = [k for k, s in enumerate(signals) if "m" in s.forms]
        self._best = [k for k, s in enumerate(signals) if "b" in s.forms]
        self.columns: tuple[tuple[str, str], ...] = (
            *((s.name, "") for s in signals),
            *((signals[k].name, "rank") for k in self._rank),
            *((signals[k].name, "mean") for k in self._mean),
            *((signals[k].name, "best") for k in self._best),
        )

    def __call__(self, table: Floats) -> Floats:
        held = np.where(np.isnan(table), 0.0, table)
        counted = np.maximum((~np.isnan(table)).sum(axis=0), 1)
        mean = held.sum(axis=0) / counted
        return np.concatenate(
            (
                table,
                shares(table[:, self._rank]),
                (table - mean)[:, self._mean],
                table[:, self._best] - table[:, self._best].max(axis=0),
            ),
            axis=1,
        )
