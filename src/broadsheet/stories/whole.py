"""A set of articles compared as a whole: each with its nearest by texts, titles and vectors, whatever their dates.

Words are weighted by what is common in this very set. What a pair has in common becomes one row of `FEATURES`, and what
groups of articles are compared by (`linkage.py`) is kept beside: views of their words, vectors and times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, vector_of
from broadsheet.stories import features
from broadsheet.stories.features import SPACE, SPACE_BITS, Floats, Ints, Rarity, timestamp

Numbers = NDArray[np.int64]
Doubles = NDArray[np.float64]

WORDS = 3000  # of a text; what comes later is as a rule no longer the report
LEAD = 100  # words that an article opens with, where news says what happened
DAY = 86400.0
BLOCK = 128  # articles that are compared with all others at once
COMMON = 20  # articles from which on a term is common
DENSE = 16_000_000  # numbers in the matrix of common terms: 64 MB

VIEWS = ("whole", "lead", "title", "names", "numbers", "stems")
WHOLE, LEADS, TITLE, NAMES, NUMBERS, STEMS = range(len(VIEWS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All the words of one article, counted: one pair of arrays for each of `VIEWS`."""

    slots: tuple[Ints, ...]
    counts: tuple[Floats, ...]
    length: int
    when: float  # seconds since 1970; nan where unknown
    publisher: str
    vector: Floats


def whole(article: Article) -> Whole:
    """What `wholes` makes of one article."""
    return wholes([article])[0]


def wholes(articles: Sequence[Article]) -> list[Whole]:
    """All the words of each article, counted at once."""
    texts = [article.text[: WORDS * 8] for article in articles]
    heads, bodies = (
        _codes([list(islice(chain.from_iterable(map(features.codes, text.split())), most)) for text in some])
        for some, most in (([article.title for article in articles], None), (texts, WORDS))
    )
    named = _codes([features.named(article.title, text) for article, text in zip(articles, texts, strict=True)])
    leads = bodies.first(LEAD)
    views = [
        _counted(len(articles), *some)
        for some in (
            (heads.slots, heads.slots, bodies.slots),
            (heads.slots, leads.slots),
            (heads.slots,),
            (named.slots,),
            (heads.numbers, bodies.numbers),
            (heads.stems, heads.stems, leads.stems),
        )
    ]
    lengths = (heads.sizes + bodies.sizes).tolist()
    made: list[Whole] = []
    for number, article in enumerate(articles):
        vector = vector_of(article.vector)
        size = float(np.linalg.norm(vector)) if vector.size else 0.0
        made.append(
            Whole(
                slots=tuple(view[0][number] for view in views),
                counts=tuple(view[1][number] for view in views),
                length=lengths[number],
                when=timestamp(article.time),
                publisher=article.publisher.casefold().strip(),
                vector=vector / size if size > 0 else np.zeros(0, dtype=np.float32),
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class _Coded:
    """The codes of some words of each of many articles, one article after another."""

    codes: Numbers
    of: Numbers  # the number of the article, from bit `SPACE_BITS` on
    sizes: Numbers

    @property
    def slots(self) -> Numbers:
        return (self.codes & (SPACE - 1)) + self.of

    @property
    def stems(self) -> Numbers:
        return (self.codes >> features.STEM_BITS) + self.of

    @property
    def numbers(self) -> Numbers:
        return self.slots[self.codes & features.NUMBER > 0]

    def first(self, most: int) -> _Coded:
        """The same with so many words of each article."""
        kept = np.arange(len(self.codes)) - (self.sizes.cumsum() - self.sizes).repeat(self.sizes) < most
        return _Coded(self.codes[kept], self.of[kept], np.minimum(self.sizes, most))


def _codes(found: Sequence[Sequence[int]]) -> _Coded:
    sizes = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    codes = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=int(sizes.sum()))
    return _Coded(codes, (np.arange(len(found)) << SPACE_BITS).repeat(sizes), sizes)


def _counted(articles: int, *terms: Numbers) -> tuple[list[Ints], list[Floats]]:
    """Of each article its slots in order, and how often each is there."""
    found, times = np.unique(np.concatenate(terms), return_counts=True)
    edges = found.searchsorted(np.arange(1, articles) << SPACE_BITS)
    slots = (found & (SPACE - 1)).astype(np.int32)
    return np.split(slots, edges), np.split(times.astype(np.float32), edges)


def in_order(slots: Ints | Numbers) -> Numbers:
    """What sorts these whole numbers below 2^31, equal ones as they come: in a quarter of the time that `argsort` takes."""
    order = slots.astype(np.int64) << 32
    order += np.arange(len(slots))
    order.sort()
    order &= 0xFFFFFFFF
    return order


class View:
    """One view of every article as a sparse matrix, by article and by term.

    Terms that many articles hold stand in a dense matrix besides: one product of matrices goes through them at once,
    where going through their lists took most of the time (6,366 headlines: 78 s by lists alone, 16 s so, on one busy
    machine).
    """

    def __init__(self, articles: Sequence[Whole], number: int, rarity: Rarity) -> None:
        sizes = [len(a.slots[number]) for a in articles]
        self.edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.slots = np.concatenate([a.slots[number] for a in articles])
        counts = np.concatenate([a.counts[number] for a in articles])
        weights = (1.0 + np.log(counts)) * rarity.weight(self.slots)
        owner = np.repeat(np.arange(len(articles)), sizes)
        size = np.sqrt(np.bincount(owner, weights=weights * weights, minlength=len(articles)))
        self.size = size.astype(np.float32)  # of each article, before it was made unit
        self.weights = (weights / np.where(size > 0, size, 1.0)[owner]).astype(np.float32)
        order = in_order(self.slots)
        self._terms, begin = np.unique(self.slots[order], return_index=True)
        self._begin = np.concatenate([begin, [len(order)]]).astype(np.int64)
        self._rows, self._held = owner[order], self.weights[order]
        self._articles = len(articles)
        held = np.diff(self._begin)
        most = DENSE // max(1, len(articles))
        common = np.flatnonzero(held > max(COMMON, len(articles) // 100))
        if len(common) > most:
            common = np.sort(common[np.argsort(-held[common], kind="stable")[:most]])
        self._column = np.full(len(self._terms), -1, dtype=np.int64)
        self._column[common] = np.arange(len(common))
        self._common = np.zeros((len(common), len(articles)), dtype=np.float32)
        column = np.repeat(self._column, held)
        within = column >= 0
        self._common[column[within], self._rows[within]] = self._held[within]

    def cosines(self, other: View, rows: range) -> Floats:
        """The cosine of this view of some articles with the other view of every article: one row for each of `rows`."""
        span = slice(self.edges[rows.start], self.edges[rows.stop])
        slots, weights = self.slots[span], self.weights[span]
        mine = np.repeat(np.arange(len(rows)), np.diff(self.edges[rows.start : rows.stop + 1]))
        found = np.zeros((len(rows), other._articles), dtype=np.float32)
        if not len(other._terms):
            return found
        at = np.minimum(np.searchsorted(other._terms, slots), len(other._terms) - 1)
        held = other._terms[at] == slots
        at, weights, mine = at[held], weights[held], mine[held]
        column = other._column[at]
        common = column >= 0
        if common.any():
            dense = np.zeros((len(rows), len(other._common)), dtype=np.float32)
            dense[mine[common], column[common]] = weights[common]
            found += dense @ other._common
        at, weights, mine = at[~common], weights[~common], mine[~common]
        begin, sizes = other._begin[at], other._begin[at + 1] - other._begin[at]
        total = int(sizes.sum())
        if total:
            where = np.arange(total) + np.repeat(begin - (np.cumsum(sizes) - sizes), sizes)
            amounts = other._held[where] * np.repeat(weights, sizes)
            cell = np.repeat(mine, sizes) * other._articles + other._rows[where]
            found += np.bincount(cell, weights=amounts, minlength=found.size).reshape(found.shape).astype(np.float32)
        return found


FEATURES = (
    "whole",
    "lead",
    "title",
    "names",
    "numbers",
    "title_in_text_most",
    "title_in_text_least",
    "vector",
    "days",
    "dated",
    "same_publisher",
    "shorter",
    "longer",
    "shared_whole",
    "shared_title",
    "whole_of_best_most",
    "whole_of_best_least",
    "vector_of_best_most",
    "vector_of_best_least",
    "lead_of_best_most",
    "lead_of_best_least",
    "reach",
    "stems",
    "aligned",
    "aligned_of_best_most",
    "aligned_of_best_least",
    "pace",
)
DAYS, PUBLISHER, REACH, PACE = (FEATURES.index(name) for name in ("days", "same_publisher", "reach", "pace"))

# What the ranks of a pair among both articles' neighbours would add was under .005 on the labelled set, whose stories
# have two or three articles; in a story of thirty they would be wrong. How near the best neighbour is stays.


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of articles that are near, the earlier row first, and one row of `FEATURES` for each."""

    one: Numbers
    other: Numbers
    rows: Floats


@dataclass(frozen=True, slots=True)
class Compared:
    """A set whose articles were compared: its near pairs, and what groups of its articles are compared by."""

    pairs: Pairs
    views: tuple[View, ...]
    vectors: Floats
    aligned: tuple[Floats, ...]
    third: Numbers  # which of `aligned` an article is compared by: one but in training
    when: Doubles

    def __len__(self) -> int:
        return len(self.when)


@cache
def alignment() -> Floats:
    """The matrix after which the articles of one story differ equally in every direction.

    Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006), fitted on labelled stories
    by `scripts/train_stories.py refine`.
    """
    path = resources.files("broadsheet.stories") / "data" / "aligned.npz"
    with resources.as_file(path) as file, np.load(file) as stored:
        return np.asarray(stored["matrix"], dtype=np.float32)


def _unit(rows: Floats) -> Floats:
    found: Floats = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return found


def near(
    articles: Sequence[Whole],
    nearest: int,
    alignments: Sequence[Floats] | None = None,
    third: Numbers | None = None,
) -> Compared:
    """Each article with the `nearest` to it by each of whole text, lead, title and both kinds of vector.

    Training gives an alignment for each third of its stories, fitted without them, and the third of each article.
    """
    n = len(articles)
    rarity, stems = Rarity.packaged(), Rarity()
    rarity.see_all([a.slots[WHOLE] for a in articles])
    stems.see_all([a.slots[STEMS] for a in articles])
    third = np.zeros(n, dtype=np.int64) if third is None else third
    width = max((a.vector.size for a in articles), default=0)
    vectors = np.zeros((n, width), dtype=np.float32)
    for i, a in enumerate(articles):
        if a.vector.size == width:
            vectors[i] = a.vector
    # vectors of another encoder stay as they are
    aligned = tuple(_unit(vectors @ m) if len(m) == width else vectors for m in alignments or (alignment(),))
    when = np.array([a.when for a in articles])
    none = np.zeros(0, dtype=np.int64)
    if n < 2:
        empty = Pairs(none, none, np.zeros((0, len(FEATURES)), dtype=np.float32))
        return Compared(empty, (), vectors, aligned, third, when)
    views = tuple(View(articles, number, stems if number == STEMS else rarity) for number in range(len(VIEWS)))
    best = np.zeros((4, n), dtype=np.float32)  # of each article, by whole text, vector, lead and aligned vector
    one: list[Numbers] = []
    other: list[Numbers] = []
    found: list[Floats] = []
    for begin in range(0, n, BLOCK):
        block = range(begin, min(n, begin + BLOCK))
        rows = np.empty((10, len(block), n), dtype=np.float32)
        for number in range(5):
            rows[number] = views[number].cosines(views[number], block)
        title_in = views[TITLE].cosines(views[WHOLE], block)  # my title in each text
        title_of = views[WHOLE].cosines(views[TITLE], block)
        rows[5], rows[6] = np.maximum(title_in, title_of), np.minimum(title_in, title_of)
        rows[7] = vectors[block.start : block.stop] @ vectors.T
        rows[8] = views[STEMS].cosines(views[STEMS], block)
        for number, turned in enumerate(aligned):
            some = np.flatnonzero(third[block.start : block.stop] == number)
            rows[9, some] = turned[some + begin] @ turned.T
        itself = (np.arange(len(block)), np.arange(block.start, block.stop))
        chosen = np.zeros((len(block), n), dtype=bool)
        # whatever its date: a trial comes back after a year
        for number, kind in ((0, 0), (7, 1), (1, 2), (2, -1), (9, 3)):
            values = rows[number].copy()
            values[itself] = 0.0
            _choose(chosen, values, nearest)
            if kind >= 0:
                best[kind, block.start : block.stop] = values.max(axis=1)
        mine, theirs = np.nonzero(chosen)
        one.append(np.minimum(mine + begin, theirs))
        other.append(np.maximum(mine + begin, theirs))
        found.append(rows[:, mine, theirs].T)
    first_rows, other_rows = np.concatenate(one), np.concatenate(other)
    _, kept = np.unique(first_rows * n + other_rows, return_index=True)  # a pair is near from both sides as a rule
    first_rows, other_rows = first_rows[kept], other_rows[kept]
    told = _features(articles, first_rows, other_rows, np.concatenate(found)[kept], views, best)
    return Compared(Pairs(first_rows, other_rows, told), views, vectors, aligned, third, when)


def _choose(chosen: NDArray[np.bool_], values: Floats, most: int) -> None:
    """Marks the largest values above nought of each row."""
    if values.shape[1] <= most:
        chosen |= values > 0
        return
    top = np.argpartition(-values, most, axis=1)[:, :most]
    row = np.broadcast_to(np.arange(len(values))[:, None], top.shape)
    good = values[row, top] > 0
    chosen[row[good], top[good]] = True


def _features(
    articles: Sequence[Whole], a: Numbers, b: Numbers, cosines: Floats, views: Sequence[View], best: Floats
) -> Floats:
    rows = np.full((len(a), len(FEATURES)), np.nan, dtype=np.float32)
    rows[:, 0:8] = cosines[:, 0:8]
    rows[:, 22:24] = cosines[:, 8:10]
    for number in range(5):
        size = views[number].size
        rows[~((size[a] > 0) & (size[b] > 0)), number] = np.nan
    when = np.array([x.when for x in articles])
    rows[:, DAYS] = np.abs(when[a] - when[b]) / DAY
    rows[:, 9] = (~np.isnan(when))[a].astype(np.float32) + (~np.isnan(when))[b]
    publishers, code = np.unique(np.array([x.publisher for x in articles]), return_inverse=True)
    known = publishers[code] != ""
    rows[:, PUBLISHER] = np.where(known[a] & known[b], code[a] == code[b], np.nan)
    length = np.log1p(np.array([x.length for x in articles], dtype=np.float32))
    rows[:, 11], rows[:, 12] = np.minimum(length[a], length[b]), np.maximum(length[a], length[b])
    rows[:, 13] = cosines[:, 0] * views[WHOLE].size[a] * views[WHOLE].size[b]
    rows[:, 14] = cosines[:, 2] * views[TITLE].size[a] * views[TITLE].size[b]
    for kind, (column, place) in enumerate(((0, 15), (7, 17), (1, 19), (9, 24))):
        of_a, of_b = (cosines[:, column] / np.maximum(best[kind, x], 1e-6) for x in (a, b))
        rows[:, place], rows[:, place + 1] = np.maximum(of_a, of_b), np.minimum(of_a, of_b)
    rows[:, REACH] = reach(rows)
    rows[:, PACE] = np.log1p(pace(when))
    return rows


MUTUAL = 0.999  # float32


def reach(rows: Floats) -> float:
    """The logarithm of the days within which four in five of the surest pairs lie: how long this set's stories go on.

    The surest are those that are nearest to each other both by whole text and by vector; no dates choose them.
    """
    texts, vectors, days = (rows[:, FEATURES.index(n)] for n in ("whole_of_best_least", "vector_of_best_least", "days"))
    days = days[(texts >= MUTUAL) & ((vectors >= MUTUAL) | (vectors == 0.0)) & ~np.isnan(days)]
    return float(np.log1p(np.percentile(days, 80))) if len(days) else 0.0


def pace(times: Sequence[float] | Doubles) -> float:
    """Articles within half a day of the median article; nought where none is dated."""
    when = np.sort([x for x in times if x == x])
    if not len(when):
        return 0.0
    around = np.searchsorted(when, when + DAY / 2, side="right") - np.searchsorted(when, when - DAY / 2)
    return float(np.median(around))
