"""What grouping compares: a sketch of one article or of a story, and the features of a pair of them.

A sketch is small and is all that grouping keeps of an article, so a month of news fits in memory (`shelf.py`). Its
words are weighted by how rare they are: a table fitted on open text (`Rarity.packaged`) gives the first estimate, and
the stream itself corrects it as it runs.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from itertools import accumulate
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from broadsheet.model import Article, ArticleId, vector_of

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Weights = NDArray[np.floating[Any]]  # in half precision as a rule: single where stories were blended

SPACE = 1 << 21  # terms are hashed: no vocabulary to grow (2 million slots: 1 word in 20 shares its slot with another)
BODY_WORDS = 800  # news puts what happened first
BODY_TERMS, TITLE_TERMS, NAME_TERMS, NUMBER_TERMS = 300, 40, 60, 25
SPACE_BITS = SPACE.bit_length() - 1
MOST = (BODY_TERMS, TITLE_TERMS, NAME_TERMS, NUMBER_TERMS)
# The table counts as this many documents, so that the stream soon says itself what is common in it: over the pairs of
# the labelled set, body cosines had an average precision of .547 with all 17,613 documents and .590 with 1,000.
PRIOR = 1000.0
COPY_WORDS = 60  # a shorter text is never called a copy: two headlines may agree by chance

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_NAME = re.compile(r"(?<![.!?:\"“”'‘’>•-] )(?<!^)(?<!\n)\b[A-Z][\w'’&-]+(?: (?:of |de |al |van |bin )?[A-Z][\w'’&-]+)*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_POSSESSIVE = re.compile(r"['’]s?$")


@lru_cache(maxsize=1 << 14)
def _folded(token: str) -> tuple[str, ...]:
    if _CJK.match(token):
        return tuple(token[i : i + 2] for i in range(max(1, len(token) - 1)))
    word = _POSSESSIVE.sub("", token.lower())
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    return (word,) if word else ()


def words(text: str) -> list[str]:
    """The words of a text: lower case, plain plurals and possessives folded, Chinese and Japanese as character pairs."""
    return [word for token in _TOKEN.findall(text) for word in _folded(token)]


def written(text: str) -> dict[str, str]:
    """Each of `words(text)` as the text first writes it."""
    found: dict[str, str] = {}
    for token in _TOKEN.findall(text):
        for word in _folded(token):
            found.setdefault(word, word if _CJK.match(token) else token)
    return found


@lru_cache(maxsize=1 << 14)
def _slot(word: str) -> int:
    return xxhash.xxh32_intdigest(word.encode()) & (SPACE - 1)


def slots_of(found: Iterable[str]) -> Ints:
    """Where the table of rare words keeps each of these words."""
    return np.array([_slot(word) for word in found], dtype=np.int32)


@lru_cache(maxsize=1 << 13)
def _named(phrase: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a capitalised phrase that count, and the phrase itself where it has several."""
    return tuple(w for w in words(phrase) if len(w) > 2), (phrase.casefold(),) if " " in phrase else ()


def names(title: str, text: str) -> list[str]:
    """Words of capitalised phrases that do not merely open a sentence, and the phrases themselves."""
    found: list[str] = []
    for phrase, times in Counter(_NAME.findall(text)).items():
        parts, whole = _named(phrase)
        found.extend(parts * min(times, 3) + whole)
    written = title.split()
    in_title = [w for w in written if w[:1].isupper()]
    if 2 * len(in_title) <= len(written) or not text:  # a headline in title case says nothing by its capitals
        found.extend(part for w in in_title for part in _named(w)[0])
    return found


class Rarity:
    """How rare each term is: of `documents` documents, so many held it. Grows with the stream.

    Counts take one byte a slot but for common terms, and what was fitted is held once for all tables: with single floats
    in each, three tables weighed 24 MB.
    """

    __slots__ = ("_carried", "_fitted", "_seen", "_worth", "documents")

    def __init__(self, documents: float = 0.0, fitted: NDArray[np.uint16] | None = None, worth: float = 0.0) -> None:
        self.documents = documents
        self._fitted = fitted  # counts that were there before the stream, each of which counts as `worth`
        self._worth = np.float32(worth)
        self._seen = np.zeros(SPACE, dtype=np.uint8)
        self._carried: dict[int, int] = {}  # of common terms what a byte could not hold

    @classmethod
    def packaged(cls) -> Rarity:
        """The table fitted on the open corpora (scripts/train_stories.py)."""
        fitted, documents = _packaged()
        return cls(PRIOR, fitted, PRIOR / documents)

    def see(self, slots: Ints, times: int = 1) -> None:
        """One more document holds these terms, each named once; with `times` of -1, one fewer."""
        count = self._seen[slots].astype(np.int32) + times
        self._seen[slots] = count & 0xFF
        for place in np.flatnonzero(count >> 8).tolist():
            slot = int(slots[place])
            self._carried[slot] = self._carried.get(slot, 0) + int(count[place] >> 8 << 8)
        self.documents += times

    def counts(self, slots: Ints) -> Floats:
        """How many of the documents held each of these terms."""
        counts: Floats = self._seen[slots].astype(np.float32)
        if self._fitted is not None:
            counts += self._fitted[slots] * self._worth
        if self._carried:
            counts += np.array([self._carried.get(slot, 0) for slot in slots.tolist()], dtype=np.float32)
        return counts

    def weight(self, slots: Ints) -> Floats:
        rare: Floats = np.log((self.documents + 1.0) / (self.counts(slots) + 0.5)).astype(np.float32)
        return np.maximum(rare, 0.0)


@cache
def _packaged() -> tuple[NDArray[np.uint16], float]:
    with (
        resources.as_file(resources.files("broadsheet.stories") / "data" / "rarity.npz") as path,
        np.load(path) as table,
    ):
        counts = np.zeros(SPACE, dtype=np.uint16)
        counts[np.cumsum(table["steps"], dtype=np.int64)] = table["counts"]
        return counts, float(table["documents"])


VIEWS = ("body", "title", "names", "numbers")
_VIEW = np.arange(4, dtype=np.int32) * SPACE  # sorts terms by view, and within a view by slot
_INNER = np.arange(1, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Counts of one article's terms before they are weighted, one pair of arrays a view."""

    slots: tuple[Ints, ...]
    counts: tuple[Floats, ...]
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """All that grouping keeps of an article, or of a story: then it is the mean of its articles (`blend`)."""

    id: ArticleId  # of a story: its first article's
    slots: Ints  # sorted within each view
    weights: Weights  # unit length within each view
    cuts: tuple[int, int, int]  # where the title, the names and the numbers begin
    ends: tuple[float, float, float, float]  # length of each view before it was made unit
    length: int  # words read, title included
    full: bool  # has a text of its own, not just a headline
    when: float  # seconds since 1970; nan where unknown; of a story: its latest
    first: float  # the same; of a story: its earliest
    publisher: str  # of a story: `MIXED` where there are several
    vector: NDArray[np.float16]  # unit length, or empty
    fingerprint: NDArray[np.uint32]  # empty for short texts and for stories
    articles: int = 1
    unity: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0)  # length of each view's mean, and of the vector's

    def view(self, number: int) -> slice:
        edges = (0, *self.cuts, len(self.slots))
        return slice(edges[number], edges[number + 1])


def counted(found: Iterable[str]) -> tuple[Ints, Floats]:
    counts = Counter(map(_slot, found))
    slots = np.fromiter(counts.keys(), dtype=np.int32, count=len(counts))
    return slots, np.fromiter(counts.values(), dtype=np.float32, count=len(counts))


def terms(title: str, text: str) -> Terms:
    """The terms of a title and a text, counted."""
    head = words(title)
    read = text[: BODY_WORDS * 8]
    body = words(read)[:BODY_WORDS]
    named = names(title, read)
    both = head + head + body  # the title counts twice: it says what the article is about
    views = (
        counted(both),
        counted(head),
        counted(named),
        counted([w for w in head + body if w[0].isdigit()]),
    )
    return Terms(slots=tuple(v[0] for v in views), counts=tuple(v[1] for v in views), length=len(head) + len(body))


def _most(weights: Floats, cuts: Sequence[int]) -> NDArray[np.bool_]:
    """Which terms are kept: of each view those that weigh most."""
    kept = np.ones(len(weights), dtype=bool)
    for begin, end, most in zip(cuts[:-1], cuts[1:], MOST, strict=True):
        if end - begin > most:
            kept[begin:end] = False
            kept[begin + np.argpartition(-weights[begin:end], most)[:most]] = True
    return kept


def timestamp(when: datetime | None) -> float:
    return float("nan") if when is None else when.timestamp()


def sketch(article: Article, rarity: Rarity, *, learn: bool = True) -> Sketch:
    """The sketch of an article; `rarity` has seen it afterwards."""
    counted = terms(article.title, article.text)
    if learn:
        rarity.see(counted.slots[0])
    slots = np.concatenate(counted.slots)
    weights: Floats = (np.float32(1.0) + np.log(np.concatenate(counted.counts))) * rarity.weight(slots)
    sizes = [len(view) for view in counted.slots]
    view = _VIEW.repeat(sizes)
    if any(size > most for size, most in zip(sizes, MOST, strict=True)):
        kept = _most(weights, (0, *accumulate(sizes)))
        slots, weights, view = slots[kept], weights[kept], view[kept]
    order = np.argsort(view + slots)
    slots, weights, view = slots[order], weights[order], view >> SPACE_BITS
    ends = np.sqrt(np.bincount(view, weights=weights * weights, minlength=4)).astype(np.float32)
    edges = view.searchsorted(_INNER).tolist()
    weights /= np.where(ends > 0, ends, np.float32(1.0))[view]
    when = timestamp(article.time)
    vector = vector_of(article.vector)
    size = float(np.sqrt(vector @ vector)) if vector.size else 0.0
    enough = article.fingerprint and len(article.text.split()) >= COPY_WORDS and len(article.fingerprint) % 4 == 0
    return Sketch(
        id=article.id,
        slots=slots,
        weights=weights.astype(np.float16),
        cuts=(edges[0], edges[1], edges[2]),
        ends=(float(ends[0]), float(ends[1]), float(ends[2]), float(ends[3])),
        length=counted.length,
        full=bool(article.text.strip()),
        when=when,
        first=when,
        publisher=article.publisher.casefold().strip(),
        vector=(vector / np.float32(size) if size > 0 else vector[:0]).astype(np.float16),
        fingerprint=np.frombuffer(article.fingerprint if enough else b"", dtype="<u4"),
    )


MIXED = "\x00"


def blend(a: Sketch, b: Sketch) -> Sketch:
    """The story of the articles of both: the mean of their unit views, cut to as many terms as an article may have."""
    slots: list[Ints] = []
    weights: list[Floats] = []
    unity: list[float] = []
    n, m = a.articles, b.articles
    for number, most in enumerate(MOST):
        va, vb = a.view(number), b.view(number)
        both = np.concatenate([a.slots[va], b.slots[vb]])
        amounts = np.concatenate(
            [
                a.weights[va].astype(np.float32) * (n * a.unity[number]),
                b.weights[vb].astype(np.float32) * (m * b.unity[number]),
            ]
        )
        kept, where = np.unique(both, return_inverse=True)
        mean = (np.bincount(where, weights=amounts, minlength=len(kept)) / (n + m)).astype(np.float32)
        if len(kept) > most:
            best = np.sort(np.argpartition(-mean, most)[:most])
            kept, mean = kept[best], mean[best]
        size = float(np.sqrt((mean * mean).sum()))
        slots.append(kept.astype(np.int32))
        weights.append(mean / np.float32(size) if size > 0 else mean)
        unity.append(size)
    vector, along = a.vector, a.unity[4]
    if a.vector.size == 0:
        vector, along = b.vector, b.unity[4]
    elif b.vector.size == a.vector.size:
        both_ways = (a.vector.astype(np.float32) * (n * a.unity[4]), b.vector.astype(np.float32) * (m * b.unity[4]))
        mean_vector = (both_ways[0] + both_ways[1]) / (n + m)
        along = float(np.linalg.norm(mean_vector))
        vector = (mean_vector / along if along > 0 else mean_vector).astype(np.float16)
    edges = np.cumsum([len(s) for s in slots])
    ends = [(n * x + m * y) / (n + m) for x, y in zip(a.ends, b.ends, strict=True)]
    return Sketch(
        id=a.id,
        slots=np.concatenate(slots),
        weights=np.concatenate(weights),
        cuts=(int(edges[0]), int(edges[1]), int(edges[2])),
        ends=(ends[0], ends[1], ends[2], ends[3]),
        length=round((n * a.length + m * b.length) / (n + m)),
        full=a.full or b.full,
        when=float(np.fmax(a.when, b.when)),
        first=float(np.fmin(a.first, b.first)),
        publisher=a.publisher if a.publisher == b.publisher else MIXED,
        vector=vector,
        fingerprint=np.zeros(0, dtype=np.uint32),
        articles=n + m,
        unity=(*unity, along),
    )


def apart(one: Sketch, others: Sequence[Sketch]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Days from the time of one to that of each other, nought where they overlap, and days that both take together.

    Both are nan where one has no time. The second keeps a saga from growing link by link: by the first alone, seven
    stories of one Supreme Court nomination, each a day or two from the last, became one story of 25 articles.
    """
    first, last = np.array([o.first for o in others]), np.array([o.when for o in others])
    gap: NDArray[np.float64] = np.maximum(np.maximum(one.first - last, first - one.when), 0.0) / 86400.0
    span: NDArray[np.float64] = (np.maximum(last, one.when) - np.minimum(first, one.first)) / 86400.0
    return gap, span


# --- a pair ------------------------------------------------------------------------------------------------------

FEATURES = (
    "body",
    "title",
    "names",
    "numbers",
    "title_in_body_most",
    "title_in_body_least",
    "vector",
    "days",
    "same_publisher",
    "shorter",
    "longer",
    "shared_body",
    "shared_title",
    "shared_names",
    "rarest_shared",
    "rarest_shared_title",
    "density",
    "span",
)


_TABLES = threading.local()


def _places() -> NDArray[np.int16]:
    """A table of all slots, nought everywhere, that is this thread's own: 4 MB, where four dense rows took 32."""
    if not hasattr(_TABLES, "places"):
        _TABLES.places = np.zeros(SPACE, dtype=np.int16)
    found: NDArray[np.int16] = _TABLES.places
    return found


class Comparer:
    """Compares one sketch with many at once."""

    def compare(self, new: Sketch, others: Sequence[Sketch], density: float) -> Floats:
        """One row of `FEATURES` for each of `others`; `density` is how many articles a day the stream brings."""
        rows = np.full((len(others), len(FEATURES)), np.nan, dtype=np.float32)
        if not others:
            return rows
        many, places = len(new.slots), _places()
        places[new.slots] = np.arange(1, many + 1)  # of a slot in several views the last
        try:
            own = np.zeros((4, many + 1), dtype=np.float32)  # in each view what lies at each place, from one on
            own[np.repeat(np.arange(4), np.diff((0, *new.cuts, many))), places[new.slots]] = new.weights
            self._fill(rows, new, own, places, others, density)
        finally:
            places[new.slots] = 0
        return rows

    @staticmethod
    def _fill(
        rows: Floats, new: Sketch, own: Floats, places: NDArray[np.int16], others: Sequence[Sketch], density: float
    ) -> None:
        many = len(others)
        place = places[np.concatenate([o.slots for o in others])]
        weights = np.concatenate([o.weights for o in others]).astype(np.float32)
        edges = np.array([(0, *o.cuts, len(o.slots)) for o in others], dtype=np.int64)
        spans = (edges[:, 1:] - edges[:, :-1]).ravel()  # terms of each view of each
        begin = np.cumsum(spans) - spans
        held = np.flatnonzero(spans)
        view = np.repeat(np.arange(4 * many, dtype=np.int32) & 3, spans)
        ends_new = np.array(new.ends, dtype=np.float32)
        ends_old = np.array([o.ends for o in others], dtype=np.float32)

        def summed(values: Floats) -> Floats:
            total = np.zeros(4 * many, dtype=np.float32)
            if len(held):
                total[held] = np.add.reduceat(values, begin[held])
            return total.reshape(-1, 4)

        flat, width = own.ravel(), np.int32(own.shape[1])
        mine = flat[place + view * width]
        cosine = summed(mine * weights)
        known = (ends_old > 0) & (ends_new > 0)
        rows[:, 0:4] = np.where(known, cosine, np.nan)

        # the title of each in the body of the other: bodies are asked of my title's row and titles of my body's
        crossed = summed(flat[place + (view ^ 1) * width] * weights)
        rows[:, 4] = np.maximum(crossed[:, 0], crossed[:, 1])
        rows[:, 5] = np.minimum(crossed[:, 0], crossed[:, 1])

        if new.vector.size:
            some = [i for i, o in enumerate(others) if o.vector.size == new.vector.size]
            if some:
                vectors = np.concatenate([others[i].vector for i in some]).reshape(len(some), -1)
                rows[some, 6] = vectors.astype(np.float32) @ new.vector.astype(np.float32)
        rows[:, 7], rows[:, 17] = apart(new, others)
        if new.publisher:
            same = new.publisher if new.publisher != MIXED else None
            rows[:, 8] = [float(o.publisher == same) if o.publisher else np.nan for o in others]
        lengths = np.log1p(np.array([o.length for o in others], dtype=np.float32))
        length = np.float32(np.log1p(new.length))
        rows[:, 9] = np.minimum(lengths, length)
        rows[:, 10] = np.maximum(lengths, length)
        rows[:, 16] = np.log1p(density)

        # how much rare matter is shared, in bits of rarity rather than as a share of the whole
        shared = mine * ends_new[view]
        rows[:, 11:14] = summed(shared)[:, 0:3]
        most = np.zeros(4 * many, dtype=np.float32)
        if len(held):
            most[held] = np.maximum.reduceat(shared, begin[held])
        rows[:, 14:16] = most.reshape(-1, 4)[:, 0:2]
