"""The stories of a set that is known whole: what a stream cannot weigh, since each of its articles is placed as it comes.

Every article is compared with its nearest by whole texts, titles and vectors, weighted by what is common in this very
set. A learned probability is given to each pair, and groups are joined by the mean probability over all pairs between
them (average link), likeliest first, until none is likely enough.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, StoryId, identify, vector_of
from broadsheet.stories import features
from broadsheet.stories.features import Floats, Ints, Rarity, timestamp
from broadsheet.stories.pairs import Forest, packaged

Numbers = NDArray[np.int64]
Doubles = NDArray[np.float64]

WORDS = 3000  # of a text; what comes later is as a rule no longer the report
LEAD = 100  # words that an article opens with, where news says what happened
DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """When the groups of a whole set are one story."""

    join: float = 0.35  # the mean probability over all pairs between two groups
    # Stories that go on for weeks are larger, and more of their pairs have little in common: the less is asked for.
    yielding: float = 0.05  # for each time that `reach` is e times as long as a day
    least: float = 0.25  # but no less: where hardly any article has a fellow, `reach` tells of chance
    nearest: int = 20  # neighbours of each article by each of whole text, lead, title and vector
    # The pairs were learned from sets of a few articles a day. In a stream as dense as a news aggregator's, stories
    # have more articles than neighbours are looked at, and "published the same day" says nothing.
    most_a_day: float = 100.0
    most: int = 10_000  # articles; the time taken grows with their square: 20 s for 2,700, five minutes for these
    instalment_days: float = 0.4  # one publisher's items this far apart ...
    instalment_title: float = 0.4  # ... with titles this alike are a series, as in one pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All the words of one article, counted: whole text, lead, title, names and numbers."""

    slots: tuple[Ints, ...]
    counts: tuple[Floats, ...]
    length: int
    when: float  # seconds since 1970; nan where unknown
    publisher: str
    vector: Floats


def whole(article: Article) -> Whole:
    head = features.words(article.title)
    body = features.words(article.text[: WORDS * 8])[:WORDS]
    named = features.names(article.title, article.text[: WORDS * 8])
    views = [
        features.counted(head + head + body),
        features.counted(head + body[:LEAD]),
        features.counted(head),
        features.counted(named),
        features.counted(w for w in head + body if w[0].isdigit()),
    ]
    vector = vector_of(article.vector)
    size = float(np.linalg.norm(vector)) if vector.size else 0.0
    return Whole(
        slots=tuple(v[0] for v in views),
        counts=tuple(v[1] for v in views),
        length=len(head) + len(body),
        when=timestamp(article.time),
        publisher=article.publisher.casefold().strip(),
        vector=vector / size if size > 0 else np.zeros(0, dtype=np.float32),
    )


# --- nearest -----------------------------------------------------------------------------------------------------


class _View:
    """One view of every article as a sparse matrix, by article and by term."""

    def __init__(self, articles: Sequence[Whole], number: int, rarity: Rarity) -> None:
        sizes = [len(a.slots[number]) for a in articles]
        self._edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._slots = np.concatenate([a.slots[number] for a in articles])
        counts = np.concatenate([a.counts[number] for a in articles])
        weights = (1.0 + np.log(counts)) * rarity.weight(self._slots)
        owner = np.repeat(np.arange(len(articles)), sizes)
        size = np.sqrt(np.bincount(owner, weights=weights * weights, minlength=len(articles)))
        self.size = size.astype(np.float32)
        self._weights = (weights / np.where(size > 0, size, 1.0)[owner]).astype(np.float32)
        order = np.argsort(self._slots, kind="stable")
        self._terms, begin = np.unique(self._slots[order], return_index=True)
        self._begin = np.concatenate([begin, [len(order)]]).astype(np.int64)
        self._rows, self._held = owner[order], self._weights[order]
        self._articles = len(articles)

    def row(self, number: int) -> tuple[Ints, Floats]:
        span = slice(self._edges[number], self._edges[number + 1])
        return self._slots[span], self._weights[span]

    def cosines(self, slots: Ints, weights: Floats) -> Doubles:
        """The cosine of these unit terms with every article."""
        at = np.searchsorted(self._terms, slots)
        at = np.minimum(at, max(0, len(self._terms) - 1))
        held = self._terms[at] == slots if len(self._terms) else np.zeros(len(slots), dtype=bool)
        at, weights = at[held], weights[held]
        begin, sizes = self._begin[at], self._begin[at + 1] - self._begin[at]
        total = int(sizes.sum())
        if not total:
            return np.zeros(self._articles)
        where = np.arange(total) + np.repeat(begin - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        amounts = self._held[where] * np.repeat(weights, sizes)
        found: Doubles = np.bincount(self._rows[where], weights=amounts, minlength=self._articles).astype(np.float64)
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
)

# What the ranks of a pair among both articles' neighbours would add was under .005 on the labelled set, whose stories
# have two or three articles; in a story of thirty they would be wrong. How near the best neighbour is stays.


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of articles that are near, the earlier row first, and one row of `FEATURES` for each."""

    one: Numbers
    other: Numbers
    rows: Floats


def _top(values: Doubles, most: int) -> Numbers:
    """Where the largest values above nought are, largest first, the first of equals first."""
    best = np.argpartition(-values, most)[:most] if len(values) > most else np.arange(len(values))
    best = best[values[best] > 0]
    found: Numbers = best[np.lexsort((best, -values[best]))]
    return found


def near(articles: Sequence[Whole], rules: Refinement) -> Pairs:
    """Each article with those nearest to it."""
    n = len(articles)
    rarity = Rarity.packaged()
    for a in articles:
        rarity.see(a.slots[0])
    views = [_View(articles, number, rarity) for number in range(5)]
    width = max((a.vector.size for a in articles), default=0)
    vectors = np.zeros((n, width), dtype=np.float32)
    for i, a in enumerate(articles):
        if a.vector.size == width:
            vectors[i] = a.vector
    best = np.zeros((3, n), dtype=np.float32)  # of each row, by whole text, vector and lead
    one: list[Numbers] = []
    other: list[Numbers] = []
    found: list[Floats] = []
    for i in range(n):
        rows = np.empty((n, 8), dtype=np.float32)
        for number, view in enumerate(views):
            rows[:, number] = view.cosines(*view.row(i))
        mine = views[0].cosines(*views[2].row(i))  # my title in each text
        theirs = views[2].cosines(*views[0].row(i))
        rows[:, 5], rows[:, 6] = np.maximum(mine, theirs), np.minimum(mine, theirs)
        rows[:, 7] = vectors @ vectors[i]
        rival = np.arange(n) != i  # whatever its date: a trial comes back after a year
        chosen: set[int] = set()
        for number, kind in ((0, 0), (7, 1), (1, 2), (2, -1)):
            values = np.where(rival, rows[:, number], 0.0)
            chosen.update(_top(values, rules.nearest).tolist())
            if kind >= 0:
                best[kind, i] = values.max()
        picked = np.array(sorted(chosen), dtype=np.int64)
        one.append(np.minimum(picked, i))
        other.append(np.maximum(picked, i))
        found.append(rows[picked])
    if not sum(map(len, one)):
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, np.zeros((0, len(FEATURES)), dtype=np.float32))
    first_rows, other_rows = np.concatenate(one), np.concatenate(other)
    _, kept = np.unique(first_rows * n + other_rows, return_index=True)  # a pair is near from both sides as a rule
    first_rows, other_rows = first_rows[kept], other_rows[kept]
    rows = _features(articles, first_rows, other_rows, np.concatenate(found)[kept], views, best)
    return Pairs(first_rows, other_rows, rows)


def _features(
    articles: Sequence[Whole], a: Numbers, b: Numbers, cosines: Floats, views: Sequence[_View], best: Floats
) -> Floats:
    rows = np.full((len(a), len(FEATURES)), np.nan, dtype=np.float32)
    rows[:, 0:8] = cosines
    for number in range(5):
        size = views[number].size
        rows[~((size[a] > 0) & (size[b] > 0)), number] = np.nan
    when = np.array([x.when for x in articles])
    rows[:, 8] = np.abs(when[a] - when[b]) / DAY
    rows[:, 9] = (~np.isnan(when))[a].astype(np.float32) + (~np.isnan(when))[b]
    publishers, code = np.unique(np.array([x.publisher for x in articles]), return_inverse=True)
    known = publishers[code] != ""
    rows[:, 10] = np.where(known[a] & known[b], code[a] == code[b], np.nan)
    length = np.log1p(np.array([x.length for x in articles], dtype=np.float32))
    rows[:, 11], rows[:, 12] = np.minimum(length[a], length[b]), np.maximum(length[a], length[b])
    rows[:, 13] = cosines[:, 0] * views[0].size[a] * views[0].size[b]
    rows[:, 14] = cosines[:, 2] * views[2].size[a] * views[2].size[b]
    for kind, column in enumerate((0, 7, 1)):
        of_a, of_b = (cosines[:, column] / np.maximum(best[kind, x], 1e-6) for x in (a, b))
        rows[:, 15 + 2 * kind], rows[:, 16 + 2 * kind] = np.maximum(of_a, of_b), np.minimum(of_a, of_b)
    rows[:, 21] = reach(rows)
    return rows


MUTUAL = 0.999  # float32


def reach(rows: Floats) -> float:
    """The logarithm of the days within which four in five of the surest pairs lie: how long this set's stories go on.

    The surest are those that are nearest to each other both by whole text and by vector; no dates choose them.
    """
    texts, vectors, days = (rows[:, FEATURES.index(n)] for n in ("whole_of_best_least", "vector_of_best_least", "days"))
    days = days[(texts >= MUTUAL) & ((vectors >= MUTUAL) | (vectors == 0.0)) & ~np.isnan(days)]
    return float(np.log1p(np.percentile(days, 80))) if len(days) else 0.0


def enough(rows: Floats, rules: Refinement) -> float:
    """The mean probability from which on two groups of this set are joined."""
    return max(rules.least, rules.join - rules.yielding * max(0.0, reach(rows) - float(np.log(2.0))))


# --- joining -----------------------------------------------------------------------------------------------------


def average_link(n: int, one: Numbers, other: Numbers, probability: Doubles, join: float) -> Numbers:
    """The group of each of `n` articles, named by its first: pairs that are not given count as nought."""
    links: list[dict[int, float]] = [{} for _ in range(n)]  # of each group: the sum of probabilities to another
    size = [1] * n
    heap: list[tuple[float, int, int]] = []
    for a, b, p in zip(one.tolist(), other.tolist(), probability.tolist(), strict=True):
        links[a][b] = links[b][a] = p
        if p >= join:
            heap.append((-p, a, b))
    heapq.heapify(heap)
    into = list(range(n))
    while heap:
        score, a, b = heapq.heappop(heap)
        if into[a] != a or into[b] != b or -score != links[a][b] / (size[a] * size[b]):
            continue  # a group that has grown since
        keep, gone = min(a, b), max(a, b)
        into[gone] = keep
        size[keep] += size[gone]
        for c, total in links[gone].items():
            del links[c][gone]
            if c != keep:
                links[keep][c] = links[c][keep] = links[keep].get(c, 0.0) + total
        links[gone] = {}
        for c, total in links[keep].items():
            mean = total / (size[keep] * size[c])
            if mean >= join:
                heapq.heappush(heap, (-mean, min(keep, c), max(keep, c)))
    for row in range(n):  # a group is joined into an earlier one only, so that one is settled already
        into[row] = into[into[row]]
    return np.array(into, dtype=np.int64)


CHUNK = 4096


def probabilities(rows: Floats, forest: Forest) -> Doubles:
    """In pieces, since a forest takes a kilobyte or more for each row."""
    if not len(rows):
        return np.zeros(0)
    edges = [*range(0, len(rows), CHUNK), len(rows)]
    return np.concatenate([forest.probability(rows[a:b]) for a, b in pairwise(edges)])


def probable(pairs: Pairs, rules: Refinement, forest: Forest) -> Doubles:
    """The probability of each pair; nought for instalments, which come again on another day under alike titles."""
    found = probabilities(pairs.rows, forest)
    title, days, publisher = (pairs.rows[:, FEATURES.index(n)] for n in ("title", "days", "same_publisher"))
    series = (publisher == 1.0) & (days >= rules.instalment_days) & (title >= rules.instalment_title)
    found[series] = 0.0
    return found


def pace(times: Sequence[float]) -> float:
    """Articles within half a day of the median article; nought where none is dated."""
    when = np.sort([x for x in times if x == x])
    if not len(when):
        return 0.0
    around = np.searchsorted(when, when + DAY / 2, side="right") - np.searchsorted(when, when - DAY / 2)
    return float(np.median(around))


def refined(articles: Sequence[Article], online: Sequence[StoryId], rules: Refinement | None = None) -> list[StoryId]:
    """The final story of each article, given in order with the story that one pass found for it.

    A story bears the id that its first article would have begun it with. What is too large or too dense to be compared
    as a whole keeps the stories that it has.
    """
    rules = rules or Refinement()
    if not articles or len(articles) > rules.most or pace([timestamp(a.time) for a in articles]) > rules.most_a_day:
        return list(online)
    pairs = near([whole(a) for a in articles], rules)
    groups = average_link(
        len(articles), pairs.one, pairs.other, probable(pairs, rules, packaged("refine")), enough(pairs.rows, rules)
    )
    return [StoryId(identify("story", articles[row].id)) for row in groups.tolist()]
