"""Which of the open articles share rare words with a new one, and how near each is by these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadsheet.stories.features import Floats, Ints, Sketch
from broadsheet.stories.postings import Numbers, Postings

KEPT = 40  # terms by which an article is found: its rarest
ASKED = 30  # of which these ask for others
# What one question costs has a bound, however many rows there are: entries of the rarest terms and the latest rows first.
LONGEST, READ = 3000, 6000
# Few rows are this near, and they are found in half the time; all are looked through where there are too few of them. Of a
# month of feeds 7 in 100 articles have fewer than a hundred.
NEAR = 0.04


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


class Near(NamedTuple):
    """Rows that are near, the nearest first, and how near each is: the cosine over rare terms."""

    rows: list[int]
    scores: list[float]


def _ordered(found: Sequence[tuple[Numbers, NDArray[np.float64]]], most: int) -> list[Near]:
    """Of each question the nearest rows; of equally near rows the earlier first."""
    sizes = [len(rows) for rows, _ in found]
    rows, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    # positive numbers are in the order of their bits; what is as near is in the order of its row
    order = np.arange(len(sizes)).repeat(sizes) << 52
    order += (0xFFFFFFFF - scores.astype(np.float32).view(np.uint32).astype(np.int64)) << 20
    order += np.arange(len(order))
    order.sort()
    order &= 0xFFFFF
    rows_, scores_ = rows[order].tolist(), scores[order].tolist()
    return [
        Near(rows_[end - size : end - size + most], scores_[end - size : end - size + most])
        if size > most
        else Near(rows_[end - size : end], scores_[end - size : end])
        for size, end in zip(sizes, accumulate(sizes), strict=True)
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

    def near(
        self,
        rarest: Rarest,
        most: int,
        before: Sequence[int] | None = None,
        hidden: Callable[[int], NDArray[np.bool_] | None] = lambda _: None,
    ) -> list[Near]:
        """The rows that share most of the rare terms of each article, so many at most: of all rows, or of those before one
        that was just added; but those that are `hidden` from this one of the articles."""
        asked = rarest.first(ASKED)
        # the latest only: a word in thousands of articles finds nothing that others do not
        found = self._postings.each(asked.slots, asked.weights, asked.sizes, before, LONGEST, READ)
        return _ordered([_nearest(*each, most, hidden(number)) for number, each in enumerate(found)], most)


def _nearest(
    rows: Numbers, scores: Floats, most: int, hidden: NDArray[np.bool_] | None
) -> tuple[Numbers, NDArray[np.float64]]:
    """The rows whose scores sum up to most, in order, and the sums; with those that are as near as the last of them."""
    sums = np.bincount(rows, weights=scores).astype(np.float64, copy=False)
    for least in (NEAR, 0.0):
        found: Numbers = np.flatnonzero(sums > least)
        if hidden is not None:
            found = found[~hidden[found]]
        if len(found) >= most:
            break
    near = sums[found]
    if len(near) > most:
        kept = near >= np.partition(near, len(near) - most)[len(near) - most]
        found, near = found[kept], near[kept]
    return found, near
