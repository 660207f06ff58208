"""A map of what is being reported: topics as circles, those that share stories near each other.

The same edition gives the same map: no randomness, ties broken by code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.edition import Edition, Rows, private_to_others
from broadsheet.model import Reader, ReaderId

MOST = 24  # topics on a map: what one look takes in
FEWEST = 5  # with fewer there is nothing to see
LEAST = 3  # stories that make a narrower topic worth a circle
ALIKE = 0.6  # of the stories of either: two topics that share so many are one circle
THREADS = 18  # of the pairs that share most stories, drawn as lines

Square = tuple[int, int, int]  # column, row, and how many of both it takes


@dataclass(frozen=True, slots=True)
class Region:
    """A topic that is being reported, with its place on a map (0 to 1 from the left and from above)."""

    topic: str
    label: str
    stories: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Atlas:
    """Topics, that of most stories first, and which of them share most stories (places in `regions`)."""

    regions: tuple[Region, ...] = ()
    threads: tuple[tuple[int, int], ...] = ()


def atlas(edition: Edition, most: int = MOST) -> Atlas:
    """The map of the live stories that are open to all; empty where they are of fewer than five topics."""
    open_ = np.ones(len(edition), bool)
    open_[private_to_others(edition, Reader(id=ReaderId("")))] = False
    chosen = _chosen(edition, open_, most)
    if len(chosen) < FEWEST:
        return Atlas()
    shared = np.array([[len(np.intersect1d(a, b, assume_unique=True)) for _, b in chosen] for _, a in chosen], float)
    at = _spread(_laid_out(_distances(edition, chosen, shared)))
    regions = tuple(
        Region(topic, edition.topic_labels.get(topic, topic), len(rows), float(x), float(y))
        for (topic, rows), (x, y) in zip(chosen, at, strict=True)
    )
    sizes = np.diag(shared)
    likeness = np.triu(shared / np.sqrt(np.outer(sizes, sizes)), 1)
    order = np.argsort(-likeness, axis=None, kind="stable")[:THREADS]
    pairs = [divmod(int(place), len(chosen)) for place in order if likeness.flat[place] > 0]
    return Atlas(regions, tuple(pairs))


def _chosen(edition: Edition, open_: NDArray[np.bool_], most: int) -> list[tuple[str, Rows]]:
    """The topics that are shown, with their stories: that of most first, none that is nearly another."""
    table = edition.topics
    found = []
    for topic in table.most_common():
        rows = np.unique(table.postings(topic)[0])
        rows = rows[open_[rows]]
        if len(rows) and edition.topic_labels.get(topic):
            found.append((topic, rows))
    broad = [one for one in found if one[0].endswith("000000")]
    narrow = [one for one in found if not one[0].endswith("000000") and len(one[1]) >= LEAST]
    kept: list[tuple[str, Rows]] = []
    for topic, rows in [*broad, *sorted(narrow, key=lambda one: (-len(one[1]), one[0]))]:
        both = (len(np.intersect1d(rows, other, assume_unique=True)) for _, other in kept)
        wide = topic.endswith("000000")
        if wide or all(n < ALIKE * (len(rows) + len(o) - n) for n, (_, o) in zip(both, kept, strict=True)):
            kept.append((topic, rows))
        if len(kept) == most:
            break
    return sorted(kept, key=lambda one: (-len(one[1]), one[0]))


def _distances(
    edition: Edition, chosen: Sequence[tuple[str, Rows]], shared: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far the topics are apart: by what their stories say and by which stories they share, in equal parts."""
    sizes = np.diag(shared)
    likeness = shared / np.sqrt(np.outer(sizes, sizes))
    means = np.array([edition.vectors[rows].mean(axis=0) for _, rows in chosen], float)
    if means.shape[1]:
        means = means - means.mean(axis=0)  # what all news has in common tells nothing apart
        lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
        likeness = (likeness + (means / lengths) @ (means / lengths).T) / 2
    apart = np.sqrt(np.maximum(2.0 - 2.0 * likeness, 0.0))
    np.fill_diagonal(apart, 0.0)
    return apart


def _laid_out(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points in a plane about so far apart: classical scaling (Torgerson, Psychometrika 1952)."""
    n = len(apart)
    middle = np.eye(n) - 1.0 / n
    values, vectors = np.linalg.eigh(-0.5 * middle @ (apart**2) @ middle)
    places = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0.0))
    # an axis may point either way: the farthest of each lies to the right, and below
    far = np.abs(np.round(places, 9)).argmax(axis=0)
    turned: NDArray[np.float64] = places * np.where(places[far, [0, 1]] < 0, -1.0, 1.0)
    return turned


def _spread(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The places spread evenly from 0 to 1 on both axes, in the order that they have."""
    ranks = np.argsort(np.argsort(np.round(places, 9), axis=0, kind="stable"), axis=0, kind="stable")
    return ranks.astype(np.float64) / max(len(places) - 1, 1)


@lru_cache(maxsize=4)
def packed(regions: tuple[Region, ...], columns: int, largest: int = 3) -> tuple[Square, ...]:
    """A square of a grid for each region, none on another, as near as can be to where the map has it.

    They take 2 to `largest` columns, by the root of their stories: what is seen is an area.
    """
    most = max((r.stories for r in regions), default=1)
    spans = [2 + round((largest - 2) * math.sqrt(r.stories / most)) for r in regions]
    rows = max(math.ceil(1.15 * sum(span * span for span in spans) / columns), largest)
    taken = np.zeros((rows + largest * len(regions), columns), bool)
    found: dict[int, Square] = {}
    for at in sorted(range(len(regions)), key=lambda i: (-spans[i], i)):
        span, region = spans[at], regions[at]
        x, y = region.x * (columns - span), region.y * (rows - span)
        _, row, column = min(_free(taken[:rows], span, x, y) or _free(taken, span, x, y))
        taken[row : row + span, column : column + span] = True
        found[at] = column, row, span
    full = sorted({row + i for _, row, span in found.values() for i in range(span)})
    number = {row: n for n, row in enumerate(full)}  # rows that nothing is in are closed up
    return tuple((column, number[row], span) for _, (column, row, span) in sorted(found.items()))


def _free(taken: NDArray[np.bool_], span: int, x: float, y: float) -> list[tuple[float, int, int]]:
    """Where a square of that size may lie: how far from there, row, column."""
    windows = np.lib.stride_tricks.sliding_window_view(taken, (span, span))
    places = np.argwhere(~windows.any(axis=(2, 3))).tolist()
    return [((column - x) ** 2 + (row - y) ** 2, row, column) for row, column in places]
