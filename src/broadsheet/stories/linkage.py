"""From pairs to stories: average link begins the groups, a learned probability of two groups joins them further.

The mean probability of all pairs between two groups decides too little where groups are large: articles of one story in
hundreds have little in common two by two, while their means are near. So a forest reads of two groups what their pairs
say, how near their means are beside how near each group's own articles are, their sizes and their times, and how large
the stories of the set seem to be.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from broadsheet.stories.features import SPACE, Floats
from broadsheet.stories.whole import (
    DAY,
    LEADS,
    NAMES,
    PACE,
    REACH,
    STEMS,
    WHOLE,
    Compared,
    Doubles,
    Numbers,
    View,
)

# The probability that two groups are one story: of rows of `FEATURES`, the lower group of each, and the group of each article.
Judge = Callable[[Floats, Numbers, Numbers], Doubles]

FEATURES = (
    "mean",  # over all pairs of articles: one that is not near counts as nought
    "mean_near",  # over the pairs that are near
    "most",
    "near_share",
    "best_least",  # the mean over one group's articles of the best pair each has with the other group; the lesser way
    "best_most",
    "whole",  # mean cosine over all pairs
    "lead",
    "names",
    "stems",
    "vector",
    "aligned",
    "whole_of_means",  # cosine of the two means
    "lead_of_means",
    "names_of_means",
    "stems_of_means",
    "vector_of_means",
    "aligned_of_means",
    "whole_within_least",  # mean cosine over a group's own pairs; missing for a group of one
    "whole_within_most",
    "aligned_within_least",
    "aligned_within_most",
    "whole_beside_within",
    "aligned_beside_within",
    "smaller",
    "larger",
    "pairs",
    "gap",  # days between the two groups' times
    "span",  # days from the first article of both to the last
    "mean_of_best_most",  # the mean beside the best mean that each group has with any other
    "mean_of_best_least",
    "reach",
    "pace",
    "fellows",  # the set's mean of how many others of its story each article has, by the pairs' probabilities
    "alone",  # the share of the set's articles that have none, by their best pair's
    "fellows_of_least",  # the same mean over a group's articles
    "fellows_of_most",
)
_AT = {name: number for number, name in enumerate(FEATURES)}
PLAIN = 0.05  # groups without a pair of this probability are not asked about
ROUNDS = 100
TABLE = 1 << 16  # numbers in a table, and pairs at once: they stay in the processor's cache
AT_ONCE = 256
FELLOWS = 8.0  # and more are many: only so many neighbours of an article are looked at, however large its story is


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


def numbered(groups: Numbers) -> Numbers:
    """The groups numbered from nought in the order of their first articles."""
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    found: Numbers = place[number]
    return found


# --- two groups --------------------------------------------------------------------------------------------------


class _Sums:
    """One view of each group that is asked about: the sum of its articles'."""

    def __init__(self, view: View, group: Numbers, asked: NDArray[np.bool_]) -> None:
        groups = len(asked)
        owner = group.repeat(np.diff(view.edges))
        some = np.flatnonzero(asked[owner])
        owner, weights = owner[some], view.weights[some]
        key, where = np.unique(owner * np.int64(SPACE) + view.slots[some], return_inverse=True)
        self._weights = np.bincount(where, weights=weights, minlength=len(key)).astype(np.float32)
        self._slots, holder = key % SPACE, key // SPACE
        self._edges = np.searchsorted(holder, np.arange(groups + 1))
        self.square = np.bincount(holder, weights=self._weights * self._weights, minlength=groups)
        self.own = np.bincount(owner, weights=weights * weights, minlength=groups)  # of each with itself

    def products(self, a: Numbers, b: Numbers) -> Doubles:
        """The product of group `a`'s sum with `b`'s, for each of many pairs.

        Some groups at a time stand in a dense table, in which the terms of the others are looked up. What only one group
        has is left out."""
        found = np.zeros(len(a))
        terms, column, held = np.unique(self._slots, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(held[column] > 1)
        columns, weights = column[shared], self._weights[shared]
        edges = shared.searchsorted(self._edges)
        sizes = np.diff(edges)
        order = np.argsort(a, kind="stable")
        groups, begin = np.unique(a[order], return_index=True)
        begin = np.append(begin, len(order))
        step = max(1, TABLE // max(1, len(terms)))
        for first in range(0, len(groups), step):
            some = groups[first : first + step]
            others = order[begin[first] : begin[min(first + step, len(groups))]]
            table = np.zeros(len(some) * len(terms), dtype=np.float32)
            mine = _spans(edges[some], sizes[some])
            table[columns[mine] + (np.arange(len(some)) * len(terms)).repeat(sizes[some])] = weights[mine]
            many = sizes[b[others]]
            theirs = _spans(edges[b[others]], many)
            line = some.searchsorted(a[others]) * len(terms)
            product = table[columns[theirs] + line.repeat(many)] * weights[theirs]
            found[others] = np.bincount(np.arange(len(others)).repeat(many), weights=product, minlength=len(others))
        return found


def _spans(begin: Numbers, sizes: Numbers) -> Numbers:
    """The places from each beginning on, so many of each, one after another."""
    found: Numbers = (begin - (np.cumsum(sizes, dtype=np.int64) - sizes)).repeat(sizes)
    found += np.arange(len(found))
    return found


class Remembered:
    """What was found out about the pairs of groups when they were asked about last: a row of `FEATURES` and a probability.

    Of a dozen rounds most change few groups, and what is said of two groups that have not grown since stays the same, but for
    how they stand beside the others. Asking about all pairs each time took three times as long.
    """

    def __init__(self) -> None:
        self._pair = np.zeros(0, dtype=np.int64)  # in order
        self._order = np.zeros(0, dtype=np.int64)  # and where each of them stands below
        self.rows: Floats = np.zeros((0, len(FEATURES)), dtype=np.float32)
        self.likely = np.zeros(0)  # nan where nothing was judged
        self.fellows: tuple[Doubles, float] | None = None  # of each article, and the share of those that have none

    def places(self, pair: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """Where each pair, whose number says which groups they are and how large, stands, and whether it does."""
        if not len(self._pair):
            return np.zeros(len(pair), dtype=np.int64), np.zeros(len(pair), dtype=bool)
        at = np.minimum(self._pair.searchsorted(pair), len(self._pair) - 1)
        return self._order[at], self._pair[at] == pair

    def keep(self, pair: Numbers, rows: Floats, likely: Doubles) -> None:
        """These pairs instead of those before."""
        self._order = np.argsort(pair)
        self._pair, self.rows, self.likely = pair[self._order], rows, likely


def _extremes(rows: Floats, name: str, one: Doubles, other: Doubles) -> None:
    rows[:, _AT[f"{name}_least"]], rows[:, _AT[f"{name}_most"]] = np.fmin(one, other), np.fmax(one, other)


def between(
    compared: Compared, probability: Doubles, group: Numbers, before: Remembered | None = None
) -> tuple[Numbers, Numbers, Floats]:
    """Pairs of groups that may be one story, the lower number first, and one row of `FEATURES` for each.

    `group` numbers the group of each article from nought on. `before` remembers what was asked of the same articles when
    the groups were smaller, and afterwards these rows.
    """
    before = before or Remembered()
    pairs, groups = compared.pairs, int(group.max(initial=-1)) + 1
    size = np.bincount(group, minlength=groups).astype(np.float64)
    crossing = group[pairs.one] != group[pairs.other]
    one, other, p = pairs.one[crossing], pairs.other[crossing], probability[crossing]
    turned = group[one] > group[other]
    one, other = np.where(turned, other, one), np.where(turned, one, other)
    key, where = np.unique(group[one] * np.int64(groups) + group[other], return_inverse=True)
    most = np.zeros(len(key))
    np.maximum.at(most, where, p)
    kept = most >= PLAIN
    a, b = (key // groups)[kept], (key % groups)[kept]
    total = np.bincount(where, weights=p, minlength=len(key))[kept]
    rows = np.full((len(a), len(FEATURES)), np.nan, dtype=np.float32)
    if not len(a):
        before.keep(np.zeros(0, dtype=np.int64), rows, np.zeros(0))
        return a, b, rows
    mean = total / (size[a] * size[b])

    # groups only grow, so the first article and the size say which one it is
    mark = np.full(groups, len(group), dtype=np.int64)
    np.minimum.at(mark, group, np.arange(len(group)))
    mark = mark * (len(group) + 1) + size.astype(np.int64)
    pair = mark[a] * (len(group) + 1) ** 2 + mark[b]
    place, known = before.places(pair)
    rows[known] = before.rows[place[known]]
    new = np.flatnonzero(~known)
    if len(new):
        number = np.full(len(key), -1)
        number[np.flatnonzero(kept)[new]] = np.arange(len(new))
        where = number[where]
        some = np.flatnonzero(where >= 0)
        told = np.full((len(new), len(FEATURES)), np.nan, dtype=np.float32)
        _by_pairs(told, where[some], one[some], other[some], p[some], most[kept][new], size[a[new]], size[b[new]])
        _by_articles(told, compared, group, size, a[new], b[new])
        _by_fellows(told, _fellows(compared, probability, before), group, size, a[new], b[new])
        rows[new] = told

    best = np.zeros(groups)
    np.maximum.at(best, a, mean)
    np.maximum.at(best, b, mean)
    _extremes(rows, "mean_of_best", mean / np.maximum(best[a], 1e-6), mean / np.maximum(best[b], 1e-6))
    beside = [_AT["mean_of_best_least"], _AT["mean_of_best_most"]]
    known[known] = (rows[known][:, beside] == before.rows[place[known]][:, beside]).all(axis=1)
    likely = np.full(len(a), np.nan)
    likely[known] = before.likely[place[known]]
    before.keep(pair, rows, likely)
    return a, b, rows


def _by_pairs(
    rows: Floats, where: Numbers, one: Numbers, other: Numbers, p: Doubles, most: Doubles, a: Doubles, b: Doubles
) -> None:
    """What the pairs of articles between two groups say: `where` is the pair of groups that each belongs to, and `a` and `b` are
    the groups' sizes."""
    many = len(rows)

    def of_best(article: Numbers) -> Doubles:
        """For each pair of groups the sum over one side's articles of the best pair each has with the other side."""
        width = int(article.max(initial=0)) + 1
        cell, number = np.unique(where * np.int64(width) + article, return_inverse=True)
        best = np.zeros(len(cell))
        np.maximum.at(best, number, p)
        return np.bincount(cell // width, weights=best, minlength=many).astype(np.float64)

    count, total, every = np.bincount(where, minlength=many), np.bincount(where, weights=p, minlength=many), a * b
    rows[:, _AT["mean"]], rows[:, _AT["mean_near"]] = total / every, total / count
    rows[:, _AT["most"]], rows[:, _AT["near_share"]] = most, count / every
    _extremes(rows, "best", of_best(one) / a, of_best(other) / b)
    rows[:, _AT["smaller"]], rows[:, _AT["larger"]] = np.log(np.minimum(a, b)), np.log(np.maximum(a, b))
    rows[:, _AT["pairs"]] = np.log(every)


def _by_articles(rows: Floats, compared: Compared, group: Numbers, size: Doubles, a: Numbers, b: Numbers) -> None:
    """What two groups' words, vectors and times say."""
    groups, every = len(size), size[a] * size[b]
    asked = np.zeros(groups, dtype=bool)
    asked[a] = asked[b] = True
    for name, number in (("whole", WHOLE), ("lead", LEADS), ("names", NAMES), ("stems", STEMS)):
        sums = _Sums(compared.views[number], group, asked)
        product = sums.products(a, b)
        known = (sums.square[a] > 0) & (sums.square[b] > 0)
        rows[:, _AT[name]] = np.where(known, product / every, np.nan)
        length = np.sqrt(np.maximum(sums.square[a] * sums.square[b], 1e-9))
        rows[:, _AT[f"{name}_of_means"]] = np.where(known, product / length, np.nan)
        if number == WHOLE:
            _within(rows, name, (sums.square - sums.own) / np.maximum(size * (size - 1), 1), size, a, b)
    third = np.zeros(groups, dtype=np.int64)
    third[group[::-1]] = compared.third[::-1]  # that of the first article
    _by_vector(rows, "vector", (compared.vectors,), np.zeros_like(third), group, asked, size, a, b)
    _by_vector(rows, "aligned", compared.aligned, third, group, asked, size, a, b)
    _by_time(rows, compared.when, group, groups, a, b)
    told = compared.pairs.rows[0]
    rows[:, _AT["reach"]], rows[:, _AT["pace"]] = told[REACH], told[PACE]


def _fellows(compared: Compared, probability: Doubles, before: Remembered) -> tuple[Doubles, float]:
    """How many others of its story each article has, and the share of those that have none: as long as the pairs are the same."""
    if before.fellows is None:
        n, pairs = len(compared), compared.pairs
        fellows, best = np.zeros(n), np.zeros(n)
        for end in (pairs.one, pairs.other):
            fellows += np.bincount(end, weights=probability, minlength=n)
            np.maximum.at(best, end, probability)
        before.fellows = np.minimum(fellows, FELLOWS), float(1.0 - best.mean())
    return before.fellows


def _by_fellows(
    rows: Floats, known: tuple[Doubles, float], group: Numbers, size: Doubles, a: Numbers, b: Numbers
) -> None:
    """How large stories are here, before any group is made: sets of long ones, of short ones and of articles alone differ."""
    fellows, alone = known
    rows[:, _AT["fellows"]], rows[:, _AT["alone"]] = np.log1p(fellows.mean()), alone
    of = np.log1p(np.bincount(group, weights=fellows, minlength=len(size)) / size)
    _extremes(rows, "fellows_of", of[a], of[b])


def _within(rows: Floats, name: str, cosine: Doubles, size: Doubles, a: Numbers, b: Numbers) -> None:
    cosine = np.where(size > 1, cosine, np.nan)
    _extremes(rows, f"{name}_within", cosine[a], cosine[b])
    rows[:, _AT[f"{name}_beside_within"]] = rows[:, _AT[name]] / np.maximum(np.fmin(cosine[a], cosine[b]), 0.01)


def _by_vector(
    rows: Floats,
    name: str,
    kinds: tuple[Floats, ...],
    kind: Numbers,
    group: Numbers,
    asked: NDArray[np.bool_],
    size: Doubles,
    a: Numbers,
    b: Numbers,
) -> None:
    square, product = np.zeros(len(size)), np.zeros(len(a))
    some = np.flatnonzero(asked[group])
    order = some[np.argsort(group[some], kind="stable")]
    held, begin = np.unique(group[order], return_index=True)
    for number, vectors in enumerate(kinds):
        total = np.zeros((len(size), vectors.shape[1]))
        total[held] = np.add.reduceat(vectors[order].astype(np.float64), begin, axis=0)
        # a group's own length by its own kind; so nearly by any
        square = np.where(kind == number, (total * total).sum(axis=1), square)
        mine = np.flatnonzero(kind[a] == number)
        for some in np.split(mine, range(AT_ONCE, len(mine), AT_ONCE)):
            product[some] = (total[a[some]] * total[b[some]]).sum(axis=1)
    rows[:, _AT[name]] = product / (size[a] * size[b])
    rows[:, _AT[f"{name}_of_means"]] = product / np.sqrt(np.maximum(square[a] * square[b], 1e-9))
    if name == "aligned":
        _within(rows, name, (square - size) / np.maximum(size * (size - 1), 1), size, a, b)


def _by_time(rows: Floats, when: Doubles, group: Numbers, groups: int, a: Numbers, b: Numbers) -> None:
    first, last = np.full(groups, np.inf), np.full(groups, -np.inf)
    dated = ~np.isnan(when)
    np.minimum.at(first, group[dated], when[dated])
    np.maximum.at(last, group[dated], when[dated])
    known = np.isfinite(first[a]) & np.isfinite(first[b])
    a, b = a[known], b[known]
    rows[known, _AT["gap"]] = np.maximum(np.maximum(first[a] - last[b], first[b] - last[a]), 0.0) / DAY
    rows[known, _AT["span"]] = (np.maximum(last[a], last[b]) - np.minimum(first[a], first[b])) / DAY


# --- joining -----------------------------------------------------------------------------------------------------


def joined(
    compared: Compared,
    probability: Doubles,
    seed: float,
    join: float,
    judge: Judge,
    begun: Numbers | None = None,
    before: Remembered | None = None,
) -> Numbers:
    """The group of each article, named by its first.

    Round by round, each group is joined with the one likeliest to be its own story where that is mutual, until no
    probability is `join` or more. Groups that were joined before, from a higher probability up, are gone on with where
    they are given as `begun`; `before` then remembers what was asked of the same articles.
    """
    if begun is None:
        pairs = compared.pairs
        begun = average_link(len(compared), pairs.one, pairs.other, probability, seed)
    group, before = numbered(begun), before or Remembered()
    for _ in range(ROUNDS):
        a, b, rows = between(compared, probability, group, before)
        likely = before.likely
        new = np.flatnonzero(np.isnan(likely))
        likely[new] = judge(rows[new], a[new], group)
        a, b, likely = a[likely >= join], b[likely >= join], likely[likely >= join]
        if not len(a):
            break
        group = numbered(_mutual(int(group.max()) + 1, a, b, likely)[group])
    first = np.full(len(group) + 1, len(group), dtype=np.int64)
    np.minimum.at(first, group, np.arange(len(group)))
    found: Numbers = first[group]
    return found


def _mutual(groups: int, a: Numbers, b: Numbers, likely: Doubles) -> Numbers:
    """Into which group each goes: pairs that are the likeliest of both their groups become one."""
    best = np.zeros(groups)
    np.maximum.at(best, a, likely)
    np.maximum.at(best, b, likely)
    mutual = np.flatnonzero((likely >= best[a]) & (likely >= best[b]))
    into = np.arange(groups)
    taken: NDArray[np.bool_] = np.zeros(groups, dtype=bool)
    for number in mutual[np.lexsort((b[mutual], a[mutual], -likely[mutual]))].tolist():
        one, other = int(a[number]), int(b[number])
        if not (taken[one] or taken[other]):
            taken[one] = taken[other] = True
            into[other] = one
    return into
