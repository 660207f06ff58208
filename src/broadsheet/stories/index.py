"""Which of the open articles share rare words with a new one, and how near each is by these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadsheet.stories.features import Floats, Ints, Sketch
from broadsheet.stories.postings import Numbers, Postings

KEPT = 40  # terms by which an article is found: its rarest
ASKED = 30  # of which these ask for others
# What one question costs has a bound, however many rows there are: entries of the rarest terms and the latest rows first.
LONGEST, READ = 3000, 6000
AT_ONCE = 1 << 18  # sums that are held at once: 2 MB, which stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Rarest:
    """The terms by which some articles are found, and their weights: article by article, of each the rarest first."""

    slots: Ints
    weights: Floats
    sizes: tuple[int, ...]  # terms of each article

    @classmethod
    def of(cls, sketches: Sequence[Sketch], most: int = KEPT) -> Rarest:
        """Those of these articles. Of terms that weigh the same, the one of the lower slot is first."""
        sizes = np.array([one.cuts[0] for one in sketches], dtype=np.int64)
        slots = np.concatenate([one.slots[: one.cuts[0]] for one in sketches])
        weights = np.concatenate([one.weights[: one.cuts[0]] for one in sketches]).astype(np.float16)
        # positive numbers in half precision are in the order of their bits
        order = (np.arange(len(sizes)) << 48).repeat(sizes) + (
            (0xFFFF - weights.view(np.uint16).astype(np.int64)) << 32
        )
        order += np.arange(len(slots))
        order.sort()
        rank = np.arange(len(slots)) - (sizes.cumsum() - sizes).repeat(sizes)
        kept = order[rank < most] & 0xFFFFFFFF
        return cls(slots[kept], weights[kept].astype(np.float32), tuple(np.minimum(sizes, most).tolist()))

    def first(self, most: int) -> Rarest:
        """The same with so many terms an article."""
        sizes = np.array(self.sizes, dtype=np.int64)
        rank = np.arange(len(self.slots)) - (sizes.cumsum() - sizes).repeat(sizes)
        return Rarest(self.slots[rank < most], self.weights[rank < most], tuple(np.minimum(sizes, most).tolist()))

    def some(self, begin: int, end: int) -> Rarest:
        """Those of the articles from one place to another."""
        first = sum(self.sizes[:begin])
        part = slice(first, first + sum(self.sizes[begin:end]))
        return Rarest(self.slots[part], self.weights[part], self.sizes[begin:end])


class Near(NamedTuple):
    """Rows that are near, the nearest first, and how near each is: the cosine over rare terms."""

    rows: list[int]
    scores: list[float]


@dataclass(frozen=True, slots=True)
class Found:
    """What several questions found: of each question its rows in order, and how near each is."""

    of: Numbers  # the number of the question
    rows: Numbers
    scores: NDArray[np.float64]

    def only(self, these: NDArray[np.bool_] | Numbers) -> Found:
        return Found(self.of[these], self.rows[these], self.scores[these])

    def nearest(self, questions: int, most: int) -> list[Near]:
        """The nearest of each question; of equally near rows the earlier first."""
        edges = self.of.searchsorted(np.arange(questions + 1)).tolist()
        kept: list[Numbers] = []
        for begin, end in pairwise(edges):
            scores = self.scores[begin:end]
            if len(scores) > most:
                # all that are as near as the last one kept
                least = np.partition(scores, len(scores) - most)[len(scores) - most]
                kept.append(np.flatnonzero(scores >= least) + begin)
            else:
                kept.append(np.arange(begin, end))
        some = self.only(np.concatenate(kept)) if kept else self
        # positive numbers are in the order of their bits; what is as near is in the order of its row
        order = some.of << 52
        order += (0xFFFFFFFF - some.scores.astype(np.float32).view(np.uint32).astype(np.int64)) << 20
        order += np.arange(len(order))
        order.sort()
        some = some.only(order & 0xFFFFF)
        edges = some.of.searchsorted(np.arange(questions + 1)).tolist()
        rows, scores_ = some.rows.tolist(), some.scores.tolist()
        return [
            Near(rows[begin : min(end, begin + most)], scores_[begin : min(end, begin + most)])
            for begin, end in pairwise(edges)
        ]


class Index:
    """Which rows hold a term: the rarest terms of each article only."""

    def __init__(self) -> None:
        self._postings = Postings()

    def add(self, rarest: Rarest) -> None:
        """The next rows hold these terms."""
        self._postings.add_all(rarest.slots, rarest.weights, rarest.sizes)

    def forget(self, rows: int) -> None:
        """The first `rows` rows are no more: the next one is nought from now on."""
        self._postings.forget(rows)

    def near(self, rarest: Rarest, before: Sequence[int] | None = None) -> Found:
        """The rows that share rare terms with each article: all of them, or those before one that was just added."""
        asked = rarest.first(ASKED)
        many = len(self._postings)
        step = max(1, AT_ONCE // max(1, many))
        parts = [
            self._near(asked.some(begin, begin + step), before and before[begin : begin + step], begin)
            for begin in range(0, len(asked.sizes), step)
        ]
        return Found(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _near(
        self, asked: Rarest, before: Sequence[int] | None, first: int
    ) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
        # the latest only: a word in thousands of articles finds nothing that others do not
        rows, scores = self._postings.read_all(asked.slots, asked.weights, asked.sizes, before, LONGEST, READ)
        many = max(1, len(self._postings))
        near = np.bincount(rows, weights=scores).astype(np.float64, copy=False)
        found: Numbers = np.flatnonzero(near > 0)
        question: Numbers = found // many
        return question + first, found - question * many, near[found]
