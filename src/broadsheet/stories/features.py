"""What grouping compares: a sketch of one article or of a story, and the features of a pair of them.

A sketch is small and is all that grouping keeps of an article, so a month of news fits in memory (`shelf.py`). Its
words are weighted by how rare they are: a table fitted on open text (`Rarity.packaged`) gives the first estimate, and
the stream itself corrects it as it runs.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from itertools import chain, islice, pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh32_intdigest as _hashed

from broadsheet.model import Article, ArticleId

T = TypeVar("T")
Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Weights = NDArray[np.floating[Any]]  # in half precision as a rule: single where stories were blended

SPACE = 1 << 21  # terms are hashed: no vocabulary to grow (2 million slots: 1 word in 20 shares its slot with another)
BODY_WORDS = 800  # news puts what happened first
BODY_TERMS, TITLE_TERMS, NAME_TERMS, NUMBER_TERMS = 300, 40, 60, 25
SPACE_BITS = SPACE.bit_length() - 1
NUMBER, LONG = SPACE, SPACE << 1  # bits above those of a slot: begins with a digit; has more than two letters
STEM_BITS = SPACE_BITS + 2
STEM = 5  # letters: taper, tapers and tapering are one
MOST = (BODY_TERMS, TITLE_TERMS, NAME_TERMS, NUMBER_TERMS)
# The table counts as this many documents, so that the stream soon says itself what is common in it: over the pairs of
# the labelled set, body cosines had an average precision of .547 with all 17,613 documents and .590 with 1,000.
PRIOR = 1000.0
COPY_WORDS = 60  # a shorter text is never called a copy: two headlines may agree by chance

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
# The capital stands first, then what must not be before it: looking back from every place took three times as long.
_NAME = re.compile(
    r"[A-Z](?<![.!?:\"“”'‘’>•-] [A-Z])(?<!^[A-Z])(?<![\w\n][A-Z])[\w'’&-]+(?: (?:of |de |al |van |bin )?[A-Z][\w'’&-]+)*"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_FIRST_CJK = "\u3040"
_POSSESSIVE = re.compile(r"['’]s?$")


@lru_cache(maxsize=1 << 14)
def _folded(token: str) -> tuple[str, ...]:
    if token[0] >= _FIRST_CJK and _CJK.match(token):
        return tuple(token[i : i + 2] for i in range(max(1, len(token) - 1)))
    word = token.lower()
    if not word.isalnum():
        word = _POSSESSIVE.sub("", word)
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
    return _hashed(word.encode()) & (SPACE - 1)


@lru_cache(maxsize=1 << 15)
def codes(written: str) -> tuple[int, ...]:
    """Of what stands between two spaces the slot of each word and, `STEM_BITS` above it, that of its stem, with `NUMBER` where
    it begins with a digit, and `LONG`.

    No word goes beyond a space, so what stands there is looked up: 73 µs a feed item, where finding the words first took 108."""
    found: list[int] = []
    for token in (written,) if written.isascii() and written.isalpha() else _TOKEN.findall(written):
        number = NUMBER if token[0].isdigit() else 0
        for word in _folded.__wrapped__(token):  # what is rare is quicker folded than looked for
            slot = _slot.__wrapped__(word)
            stem = slot if len(word) <= STEM else _slot.__wrapped__(word[:STEM])
            found.append(slot | number | (LONG if len(word) > 2 else 0) | stem << STEM_BITS)
    return tuple(found)


def slots_of(found: Iterable[str]) -> Ints:
    """Where the table of rare words keeps each of these words."""
    return np.array([_slot(word) for word in found], dtype=np.int32)


@lru_cache(maxsize=1 << 13)
def _named(phrase: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a capitalised phrase that count, and the phrase itself where it has several."""
    if phrase.isascii() and phrase.isalpha():
        return tuple([w for w in _folded(phrase) if len(w) > 2]), ()
    return tuple([w for w in words(phrase) if len(w) > 2]), (phrase.casefold(),) if " " in phrase else ()


def named(title: str, text: str) -> list[int]:
    """The slots of `names`."""
    return _names(title, text, _named_slots)


def names(title: str, text: str) -> list[str]:
    """Words of capitalised phrases that do not merely open a sentence, and the phrases themselves."""
    return _names(title, text, _named)


@lru_cache(maxsize=1 << 14)
def _named_slots(phrase: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The slots of what `_named` finds."""
    parts = [code & (SPACE - 1) for written in phrase.split() for code in codes(written) if code & LONG]
    return tuple(parts), (_slot.__wrapped__(phrase.casefold()),) if " " in phrase else ()


def _names(title: str, text: str, named: Callable[[str], tuple[tuple[T, ...], tuple[T, ...]]]) -> list[T]:
    found: list[T] = []
    times: dict[str, int] = {}
    for phrase in _NAME.findall(text):
        times[phrase] = times.get(phrase, 0) + 1
    for phrase, count in times.items():
        parts, whole = named(phrase)
        found.extend(parts * min(count, 3) + whole)
    written = title.split()
    in_title = [w for w in written if w[:1].isupper()]
    if 2 * len(in_title) <= len(written) or not text:  # a headline in title case says nothing by its capitals
        for word in in_title:
            found.extend(named(word)[0])
    return found


class Rarity:
    """How rare each term is: of `documents` documents, so many held it. Grows with the stream.

    Counts take one byte a slot but for common terms, and what was fitted is held once for all tables: with single floats
    in each, three tables weighed 24 MB.
    """

    __slots__ = ("_common", "_fitted", "_more", "_seen", "_worth", "documents")

    def __init__(self, documents: float = 0.0, fitted: NDArray[np.uint16] | None = None, worth: float = 0.0) -> None:
        self.documents = documents
        self._fitted = fitted  # counts that were there before the stream, each of which counts as `worth`
        self._worth = np.float32(worth)
        self._seen = np.zeros(SPACE, dtype=np.uint8)
        # common terms in order, and of each what a byte could not hold
        self._common = np.zeros(0, dtype=np.int32)
        self._more = np.zeros(0, dtype=np.int64)

    @classmethod
    def packaged(cls) -> Rarity:
        """The table fitted on the open corpora (scripts/train_stories.py)."""
        fitted, documents = _packaged()
        return cls(PRIOR, fitted, PRIOR / documents)

    def see(self, slots: Ints, times: int = 1) -> None:
        """One more document holds these terms, each named once; with `times` of -1, one fewer."""
        self._add(slots, times)
        self.documents += times

    def see_all(self, documents: Sequence[Ints]) -> None:
        """So many more documents hold these terms, of which each names its own once."""
        if documents:
            self._add(*np.unique(np.concatenate(documents), return_counts=True))
            self.documents += len(documents)

    def _add(self, slots: Ints, times: int | NDArray[np.int64]) -> None:
        count = self._seen[slots].astype(np.int64) + times
        self._seen[slots] = count & 0xFF
        over = np.flatnonzero(count >> 8)
        if len(over):
            common, place = np.unique(np.concatenate([self._common, slots[over]]), return_inverse=True)
            more = np.zeros(len(common), dtype=np.int64)
            np.add.at(more, place, np.concatenate([self._more, count[over] >> 8 << 8]))
            self._common, self._more = common, more

    def counts(self, slots: Ints) -> Floats:
        """How many of the documents held each of these terms."""
        return self._counted(slots, np.zeros(1, dtype=np.int64))

    def _counted(self, slots: Ints, besides: NDArray[np.int64]) -> Floats:
        counts = self._seen[slots] + besides
        if len(self._common):
            place = self._common.searchsorted(slots)
            place[place == len(self._common)] = 0
            counts += np.where(self._common[place] == slots, self._more[place], 0)
        # what was seen is whole, so that it does not matter in how many steps it was
        found: Floats = counts.astype(np.float32)
        if self._fitted is not None:
            found += self._fitted[slots] * self._worth
        return found

    def weight(self, slots: Ints) -> Floats:
        rare: Floats = np.log((self.documents + 1.0) / (self.counts(slots) + 0.5)).astype(np.float32)
        return np.maximum(rare, 0.0)

    def weigh(self, slots: Ints, of: Ints, named: NDArray[np.bool_], many: int) -> Floats:
        """The weights of the terms of `many` documents that come one after another, each weighed when it was just seen.

        The terms are sorted by document, and `named` are those that count: each once in a document, and in order.
        """
        seen = slots[named] * np.int64(many) + of[named]
        seen.sort()
        begin = slots * np.int64(many)
        besides = seen.searchsorted(begin + of, side="right") - seen.searchsorted(begin)
        documents = (self.documents + np.arange(2.0, many + 2.0)).astype(np.float32)
        rare: Floats = np.log(documents[of] / (self._counted(slots, besides) + np.float32(0.5)))
        distinct, times = np.unique(slots[named], return_counts=True)
        self._add(distinct, times)
        self.documents += many
        return np.maximum(rare, np.float32(0.0))


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
_FOUR, _PARTS = np.arange(4, dtype=np.int32), np.arange(5)
NO_FINGERPRINT = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Counts of one article's terms before they are weighted, one pair of arrays a view."""

    slots: tuple[Ints, ...]
    counts: tuple[Floats, ...]
    length: int


class Sketch(NamedTuple):
    """All that grouping keeps of an article, or of a story: then it is the mean of its articles (`blend`).

    A dozen are made for each article that comes: a tuple takes .4 µs where a frozen dataclass took 2.3.
    """

    id: ArticleId  # of a story: its first article's
    slots: Ints  # sorted within each view
    weights: Weights  # unit length within each view
    cuts: tuple[int, int, int]  # where the title, the names and the numbers begin
    ends: tuple[float, ...]  # length of each view before it was made unit
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

    def parts(self) -> Ints:
        """The number of each term's view."""
        title, names_, numbers = self.cuts
        return _FOUR.repeat((title, names_ - title, numbers - names_, len(self.slots) - numbers))


def counted(found: Iterable[str]) -> tuple[Ints, Floats]:
    """The slots of these words, each once in the order in which they come first, and how often each is there."""
    counts = Counter(map(_slot, found))
    slots = np.fromiter(counts.keys(), dtype=np.int32, count=len(counts))
    return slots, np.fromiter(counts.values(), dtype=np.float32, count=len(counts))


def _read(title: str, text: str) -> tuple[list[int], list[int], list[int]]:
    """The codes of a title's words, of a text's first words, and of the names in both."""
    read = text[: BODY_WORDS * 8]
    head = list(chain.from_iterable(map(codes, title.split())))
    body = list(islice(chain.from_iterable(map(codes, read.split())), BODY_WORDS))
    return head, body, named(title, read)


def _counted(read: Sequence[tuple[list[int], list[int], list[int]]]) -> tuple[NDArray[np.int64], Floats]:
    """The terms of some articles and how often each is named: sorted by article, within it by view, within that by slot.

    A term's number is four times the article's place and the view's, times `SPACE`, and its slot.
    """
    heads, bodies, named = zip(*read, strict=True)
    sizes = [np.fromiter(map(len, part), dtype=np.int64, count=len(read)) for part in (heads, bodies, named)]
    codes = [
        np.fromiter(chain.from_iterable(part), dtype=np.int64, count=int(size.sum()))
        for part, size in zip((heads, bodies, named), sizes, strict=True)
    ]
    first = [(np.arange(len(read)) * (4 * SPACE)).repeat(size) for size in sizes]
    head, body, names_ = ((code & (SPACE - 1)) + begin for code, begin in zip(codes, first, strict=True))
    numbers = [part[code & NUMBER > 0] + 3 * SPACE for part, code in zip((head, body), codes, strict=False)]
    # the title counts twice: it says what the article is about
    found, times = np.unique(
        np.concatenate([head, head, body, head + SPACE, names_ + 2 * SPACE, *numbers]), return_counts=True
    )
    return found, times.astype(np.float32)


def terms(title: str, text: str) -> Terms:
    """The terms of a title and a text, counted."""
    read = _read(title, text)
    found, times = _counted([read])
    edges = found.searchsorted(np.arange(5) * SPACE).tolist()
    views = [slice(begin, end) for begin, end in pairwise(edges)]
    slots = (found & (SPACE - 1)).astype(np.int32)
    return Terms(
        slots=tuple(slots[view] for view in views),
        counts=tuple(times[view] for view in views),
        length=len(read[0]) + len(read[1]),
    )


def _most(weights: Floats, edges: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Which terms are kept, where not all are: of each view those that weigh most."""
    sizes = np.diff(edges)
    over = np.flatnonzero(sizes > np.array(MOST * (len(sizes) // 4)))
    if not len(over):
        return None
    kept = np.ones(len(weights), dtype=bool)
    for number in over.tolist():
        begin, end, most = edges[number], edges[number + 1], MOST[number % 4]
        kept[begin:end] = False
        kept[begin + np.argpartition(-weights[begin:end], most)[:most]] = True
    return kept


def timestamp(when: datetime | None) -> float:
    return float("nan") if when is None else when.timestamp()


def _unit(vectors: Sequence[bytes]) -> list[NDArray[np.float16]]:
    """Vectors of unit length; an empty one for each that is empty or nought."""
    if len({len(vector) for vector in vectors}) > 1:
        return [_unit([vector])[0] for vector in vectors]
    many = np.frombuffer(b"".join(vectors), dtype="<f2").astype(np.float32).reshape(len(vectors), -1)
    sizes = np.sqrt((many * many).sum(axis=1))
    unit = (many / np.where(sizes > 0, sizes, np.float32(1.0))[:, None]).astype(np.float16)
    return [vector if size > 0 else vector[:0] for vector, size in zip(unit, sizes.tolist(), strict=True)]


def _fingerprint(article: Article) -> NDArray[np.uint32]:
    """What tells a copy; empty where the text is too short for that."""
    known = article.fingerprint
    if not known or len(known) % 4 or len(article.text) < 2 * COPY_WORDS - 1:
        return NO_FINGERPRINT
    return np.frombuffer(known, dtype="<u4") if len(article.text.split()) >= COPY_WORDS else NO_FINGERPRINT


def sketch(article: Article, rarity: Rarity, *, learn: bool = True) -> Sketch:
    """The sketch of an article; `rarity` has seen it afterwards."""
    return sketches([article], rarity, learn=learn)[0]


def sketches(articles: Sequence[Article], rarity: Rarity, *, learn: bool = True) -> list[Sketch]:
    """The sketches of articles as they come one after another: `rarity` has seen each when its words are weighed.

    They are made all at once: of some sixty calls into numpy an article, most of the time was the calls' own.
    """
    if not articles:
        return []
    read = [_read(article.title, article.text) for article in articles]
    found, times = _counted(read)
    slots, part = (found & (SPACE - 1)).astype(np.int32), (found >> SPACE_BITS).astype(np.int32)
    rare = rarity.weigh(slots, part >> 2, (part & 3) == 0, len(articles)) if learn else rarity.weight(slots)
    weights: Floats = (np.float32(1.0) + np.log(times)) * rare
    parts = np.arange(4 * len(articles) + 1)
    edges = part.searchsorted(parts)
    if (kept := _most(weights, edges)) is not None:
        slots, weights, part = slots[kept], weights[kept], part[kept]
        edges = part.searchsorted(parts)
    ends = np.sqrt(np.bincount(part, weights=weights * weights, minlength=len(parts) - 1)).astype(np.float32)
    weights /= np.where(ends > 0, ends, np.float32(1.0))[part]
    halves = weights.astype(np.float16)
    cuts, sizes = edges.tolist(), ends.tolist()
    vectors = _unit([article.vector for article in articles])
    made: list[Sketch] = []
    for number, (article, vector, (head, body, _)) in enumerate(zip(articles, vectors, read, strict=True)):
        begin, title, named, numbers, end = cuts[4 * number : 4 * number + 5]
        when = timestamp(article.time)
        made.append(
            Sketch(
                id=article.id,
                slots=slots[begin:end],
                weights=halves[begin:end],
                cuts=(title - begin, named - begin, numbers - begin),
                ends=tuple(sizes[4 * number : 4 * number + 4]),
                length=len(head) + len(body),
                full=bool(article.text.strip()),
                when=when,
                first=when,
                publisher=article.publisher.casefold().strip(),
                vector=vector,
                fingerprint=_fingerprint(article),
            )
        )
    return made


MIXED = "\x00"


def blend(a: Sketch, b: Sketch) -> Sketch:
    """The story of the articles of both: the mean of their unit views, cut to as many terms as an article may have."""
    return blends([(a, b)])[0]


def blends(pairs: Sequence[tuple[Sketch, Sketch]]) -> list[Sketch]:
    """The blend of each pair, all made at once."""
    if not pairs:
        return []
    both = [one for pair in pairs for one in pair]
    together = np.array([a.articles + b.articles for a, b in pairs])
    counts = np.diff(np.array([(0, *one.cuts, len(one.slots)) for one in both]), axis=1).ravel()  # of each one's views
    shares = np.array([[one.articles * along for along in one.unity[:4]] for one in both], dtype=np.float32).ravel()
    weights = np.concatenate([one.weights for one in both]).astype(np.float32)
    weights *= shares.repeat(counts)
    views = np.arange(4 * len(pairs)).reshape(-1, 4).repeat(2, axis=0).ravel()  # of the pair that each belongs to
    part = views.repeat(counts)
    terms_ = np.concatenate([one.slots for one in both]) + (part << SPACE_BITS)
    order = terms_.argsort(kind="stable")
    terms_ = terms_[order]
    is_first = np.append(True, terms_[1:] != terms_[:-1])[: len(terms_)]
    kept = terms_[is_first]
    slots, part = (kept & (SPACE - 1)).astype(np.int32), kept >> SPACE_BITS
    mean = (np.bincount(is_first.cumsum() - 1, weights=weights[order]) / together[part >> 2]).astype(np.float32)
    parts = np.arange(4 * len(pairs) + 1)
    edges = part.searchsorted(parts)
    if (most := _most(mean, edges)) is not None:
        slots, mean, part = slots[most], mean[most], part[most]
        edges = part.searchsorted(parts)
    ends = np.sqrt(np.bincount(part, weights=mean * mean, minlength=len(parts) - 1))
    mean /= np.where(ends > 0, ends, 1.0).astype(np.float32)[part]
    cuts, unity = edges.tolist(), ends.tolist()
    made: list[Sketch] = []
    for number, ((a, b), (vector, along)) in enumerate(zip(pairs, _mean_vectors(pairs), strict=True)):
        begin, title, named, numbers, end = cuts[4 * number : 4 * number + 5]
        n, m = a.articles, b.articles
        made.append(
            Sketch(
                id=a.id,
                slots=slots[begin:end].copy(),  # some outlive the others
                weights=mean[begin:end].copy(),
                cuts=(title - begin, named - begin, numbers - begin),
                ends=tuple([(n * x + m * y) / (n + m) for x, y in zip(a.ends, b.ends, strict=True)]),
                length=round((n * a.length + m * b.length) / (n + m)),
                full=a.full or b.full,
                when=_later(a.when, b.when),
                first=-_later(-a.first, -b.first),
                publisher=a.publisher if a.publisher == b.publisher else MIXED,
                vector=vector,
                fingerprint=NO_FINGERPRINT,
                articles=n + m,
                unity=(*unity[4 * number : 4 * number + 4], along),
            )
        )
    return made


def _mean_vectors(pairs: Sequence[tuple[Sketch, Sketch]]) -> list[tuple[NDArray[np.float16], float]]:
    """The unit vector of each pair's articles, and how long their mean is."""
    found = [(a.vector, a.unity[4]) if a.vector.size else (b.vector, b.unity[4]) for a, b in pairs]
    for size in {a.vector.size for a, b in pairs if a.vector.size and a.vector.size == b.vector.size}:
        some = [(n, a, b) for n, (a, b) in enumerate(pairs) if a.vector.size == b.vector.size == size]
        firsts = np.concatenate([a.vector for _, a, _ in some]).reshape(-1, size).astype(np.float32)
        others = np.concatenate([b.vector for _, _, b in some]).reshape(-1, size).astype(np.float32)
        shares = np.array(
            [(a.articles * a.unity[4], b.articles * b.unity[4], a.articles + b.articles) for _, a, b in some],
            dtype=np.float32,
        )
        mean = firsts * shares[:, :1] + others * shares[:, 1:2]
        mean /= shares[:, 2:]
        along = np.sqrt((mean * mean).sum(axis=1))
        unit = (mean / np.where(along > 0, along, np.float32(1.0))[:, None]).astype(np.float16)
        for (n, _, _), vector, length in zip(some, unit, along.tolist(), strict=True):
            found[n] = vector.copy(), length
    return found


def _later(one: float, other: float) -> float:
    """The later of two times; the other where one is unknown."""
    return one if one >= other or other != other else other


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


DAY = 86400.0
_COUNT = np.arange(1024, dtype=np.int16)
_TABLES = threading.local()


def _places() -> NDArray[np.int16]:
    """A table of all slots, nought everywhere, that is this thread's own: 4 MB, where four dense rows took 32."""
    if not hasattr(_TABLES, "places"):
        _TABLES.places = np.zeros(SPACE, dtype=np.int16)
    found: NDArray[np.int16] = _TABLES.places
    return found


def cosines(some: Floats, others: Floats) -> Floats:
    """How near each of some vectors of unit length, one a line, is to the other in its line.

    Each pair is multiplied on its own, so that it never matters which others it is asked with: a product of a matrix
    and a vector may differ in the last digit with the number of lines.
    """
    found: Floats = np.vecdot(some, others)
    return found


class Comparer:
    """Compares sketches with many others at once."""

    def compare(self, new: Sketch, others: Sequence[Sketch], density: float) -> Floats:
        """One row of `FEATURES` for each of `others`; `density` is how many articles a day the stream brings."""
        return self.compare_all([(new, others, density)])

    def compare_all(self, asked: Sequence[tuple[Sketch, Sequence[Sketch], float]]) -> Floats:
        """The rows of `compare` for each of those asked, one after another: each the same as if it were asked alone."""
        asked = [one for one in asked if one[1]]
        others = [other for _, some, _ in asked for other in some]
        rows = np.full((len(others), len(FEATURES)), np.nan, dtype=np.float32)
        if others:
            self._words(rows, asked, others)
            self._rest(rows, asked, others)
        return rows

    @staticmethod
    def _words(rows: Floats, asked: Sequence[tuple[Sketch, Sequence[Sketch], float]], others: Sequence[Sketch]) -> None:
        """What words say of each pair. One term in eight of the other is a term of the new one: no more of them are weighed."""
        many = len(others)
        slots = np.concatenate([o.slots for o in others])
        edges = np.array([(0, *o.cuts, len(o.slots)) for o in others], dtype=np.int64)

        # the place of each term in the new one: one and up, or nought where it is none of its; of a slot in several views
        # the last
        counts = [len(some) for _, some, _ in asked]
        widths = np.array([len(new.slots) + 1 for new, _, _ in asked], dtype=np.int32)
        own_slots = np.concatenate([new.slots for new, _, _ in asked])
        own_places, places = np.empty_like(own_slots), np.empty_like(slots)
        ends = edges[:, 4].cumsum()[np.cumsum(counts) - 1].tolist()
        table = _places()
        at = begin = 0
        for (new, _, _), end in zip(asked, ends, strict=True):
            to = at + len(new.slots)
            table[new.slots] = _COUNT[1 : to - at + 1] if to - at < len(_COUNT) else np.arange(1, to - at + 1)
            own_places[at:to], places[begin:end] = table[new.slots], table[slots[begin:end]]
            table[new.slots] = 0
            at, begin = to, end
        # what each new one has at each place in each view; nothing at nought
        own_begin = 4 * (widths.cumsum() - widths)
        own = np.zeros(4 * int(widths.sum()), dtype=np.float32)
        parts = np.concatenate([new.parts() for new, _, _ in asked])
        own[own_begin.repeat(widths - 1) + parts * widths.repeat(widths - 1) + own_places] = np.concatenate(
            [new.weights for new, _, _ in asked]
        )

        hit = np.flatnonzero(places != 0)
        part = np.arange(4 * many, dtype=np.int32).repeat((edges[:, 1:] - edges[:, :-1]).ravel())[hit]
        width_of, begin_of = widths.repeat(counts), own_begin.repeat(counts)
        pair, view = part >> 2, part & 3
        place, width = begin_of[pair] + places[hit], width_of[pair]
        weights = np.concatenate([o.weights for o in others])[hit].astype(np.float32)
        mine = own[place + view * width]
        ends_new = np.array([new.ends for new, _, _ in asked], dtype=np.float32).repeat(counts, axis=0)
        ends_old = np.array([o.ends for o in others], dtype=np.float32)

        def summed(values: Floats) -> NDArray[np.float64]:
            total: NDArray[np.float64] = np.bincount(part, weights=values, minlength=4 * many).astype(
                np.float64, copy=False
            )
            return total.reshape(-1, 4)

        rows[:, 0:4] = np.where((ends_old > 0) & (ends_new > 0), summed(mine * weights), np.nan)

        # the title of each in the body of the other: bodies are asked of my title's row and titles of my body's
        crossed = summed(own[place + (view ^ 1) * width] * weights)
        rows[:, 4] = np.maximum(crossed[:, 0], crossed[:, 1])
        rows[:, 5] = np.minimum(crossed[:, 0], crossed[:, 1])

        # how much rare matter is shared, in bits of rarity rather than as a share of the whole
        most = np.zeros(4 * many, dtype=np.float32)
        np.maximum.at(most, part, mine)
        rows[:, 11:14] = (summed(mine) * ends_new)[:, 0:3]
        rows[:, 14:16] = (most.reshape(-1, 4) * ends_new)[:, 0:2]

    @staticmethod
    def _rest(rows: Floats, asked: Sequence[tuple[Sketch, Sequence[Sketch], float]], others: Sequence[Sketch]) -> None:
        """What vectors, times, publishers and lengths say of each pair."""
        counts = [len(some) for _, some, _ in asked]
        mine, theirs = [new.vector.size for new, _, _ in asked], [o.vector.size for o in others]
        width = mine[0]
        if width and theirs.count(width) == len(theirs) and mine.count(width) == len(mine):  # as a rule
            news = np.concatenate([new.vector for new, _, _ in asked]).reshape(-1, width).astype(np.float32)
            olds = np.concatenate([o.vector for o in others]).reshape(-1, width).astype(np.float32)
            rows[:, 6] = cosines(news.repeat(counts, axis=0), olds)
        else:
            sizes = [size for size, count in zip(mine, counts, strict=True) for _ in range(count)]
            for size in set(sizes) - {0}:
                some = [i for i, held in enumerate(theirs) if held == size == sizes[i]]
                if some:
                    news = np.stack([new.vector if new.vector.size == size else _none(size) for new, _, _ in asked])
                    place = np.arange(len(asked)).repeat(counts)[some]
                    olds = np.stack([others[i].vector for i in some])
                    rows[some, 6] = cosines(news.astype(np.float32)[place], olds.astype(np.float32))
        # Days between the two, nought where they overlap, and days that both take together; nan where one has no time.
        # The second keeps a saga from growing link by link: by the first alone, seven stories of one Supreme Court
        # nomination, each a day or two from the last, became one story of 25 articles.
        facts = np.array([(new.first, new.when, new.length, density) for new, _, density in asked]).repeat(
            counts, axis=0
        )
        first_new, last_new, length_new, density = facts.T
        first, last, length = np.array([(o.first, o.when, o.length) for o in others]).T
        rows[:, 7] = np.maximum(np.maximum(first_new - last, first - last_new), 0.0) / DAY
        rows[:, 17] = (np.maximum(last, last_new) - np.minimum(first, first_new)) / DAY
        rows[:, 8] = [
            float(new.publisher == o.publisher != MIXED) if new.publisher and o.publisher else np.nan
            for new, some, _ in asked
            for o in some
        ]
        rows[:, 9] = np.log1p(np.minimum(length, length_new).astype(np.float32))
        rows[:, 10] = np.log1p(np.maximum(length, length_new).astype(np.float32))
        rows[:, 16] = np.log1p(density)


def _none(size: int) -> NDArray[np.float16]:
    return np.zeros(size, dtype=np.float16)
