"""The probability that two articles report one story: a small learned forest, read from the package and run by numpy.

Fitted by `scripts/train_stories.py pairs`. It needs no library of its own this way; a test holds it to what the library that fitted it says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PIECE = 64  # rows that are asked together: their answers stay in the processor's cache
EVERY_LEAF = 0xFFFFFFFF


class Judge(Protocol):
    """What says how likely a pair, given as a row of features, is one story."""

    def log_odds(self, rows: Floats) -> NDArray[np.float64]: ...

    def contributions(self, row: Floats) -> tuple[float, NDArray[np.float64]]: ...

    def probability(self, rows: Floats) -> NDArray[np.float64]: ...


def _in_order(values: Floats) -> NDArray[np.int64]:
    """Whole numbers from nought that are in the order of these numbers, of which none is missing."""
    bits = (values + np.float32(0.0)).view(np.int32)  # there is one nought only
    return (bits ^ (bits >> 31 & 0x7FFFFFFF)).astype(np.int64) + (1 << 31)


class Forest:
    """Decision trees with 32 leaves at most, asked all their questions at once. Missing values go the way that was learned.

    Each question that is answered "right" rules out the leaves to its left; a tree's leaf is the first that is left over
    (QuickScorer: Lucchese et al., SIGIR 2015). All questions about one feature are answered by where its value lies among
    their thresholds, so what is ruled out between two of them is known before: a row of a table for each feature. Asking
    each of the 3,720 questions took four times as long.
    """

    __slots__ = (
        "_branches",
        "_edges",
        "_first",
        "_leaf",
        "_left_over",
        "_mean",
        "_missing",
        "_roots",
        "_rows",
        "_value",
    )

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        feature, threshold = arrays["feature"].astype(np.int64), arrays["threshold"].astype(np.float64)
        left, right = arrays["left"].tolist(), arrays["right"].tolist()  # a leaf leads to itself
        default, value = arrays["default"].astype(bool), arrays["value"].astype(np.float64)
        self._branches = (feature.tolist(), threshold.tolist(), left, right, default.tolist())
        self._roots = arrays["roots"].tolist()
        self._mean = value.tolist()  # of the leaves below each node, those of each side counting as one
        nodes: list[int] = []
        masks: list[int] = []
        trees: list[int] = []  # of each question
        values: list[float] = []
        first: list[int] = []  # where each tree's leaves begin
        ends: list[int] = []  # the node of each leaf

        def leaves(node: int) -> int:
            """Numbers the leaves below from left to right and notes which of them each question rules out."""
            if left[node] == node:
                values.append(float(value[node]))
                ends.append(node)
                return 1
            here, before = len(nodes), len(values) - first[-1]
            nodes.append(node)
            masks.append(0)
            trees.append(len(first) - 1)
            ruled_out = leaves(left[node])
            masks[here] = EVERY_LEAF ^ (((1 << ruled_out) - 1) << before)
            others = leaves(right[node])
            self._mean[node] = (self._mean[left[node]] + self._mean[right[node]]) / 2
            return ruled_out + others

        for root in self._roots:
            first.append(len(values))
            if leaves(root) > 32:
                raise ValueError("a tree has more than 32 leaves")
        self._first = np.array(first, dtype=np.int32)
        self._value = np.array(values)
        self._leaf = np.array(ends, dtype=np.int64)
        asked = np.array(nodes, dtype=np.int64)
        self._tabulate(
            feature[asked], threshold[asked], ~default[asked], np.array(masks, np.uint32), np.array(trees, np.int64)
        )

    def _tabulate(
        self,
        feature: NDArray[np.int64],
        threshold: NDArray[np.float64],
        missing_right: NDArray[np.bool_],
        masks: NDArray[np.uint32],
        trees: NDArray[np.int64],
    ) -> None:
        """What is left over of each tree's leaves after all questions about one feature: a row for a missing value, and
        then one for each interval between their thresholds."""
        # the next float32 below: a float32 is above the one exactly where it is above the other
        with np.errstate(over="ignore"):
            near = threshold.astype(np.float32)
        threshold_32 = np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
        self._edges = np.unique((feature << 32) | _in_order(threshold_32))
        features = np.arange(int(feature.max(initial=-1)) + 1)
        begin = (
            self._edges.searchsorted(features << 32) + 2 * features
        )  # two rows more than thresholds for each feature
        table = np.full((len(self._edges) + 2 * len(features), len(self._roots)), EVERY_LEAF, dtype=np.uint32)
        self._rows = begin + 1 - self._edges.searchsorted(features << 32)
        self._missing = begin
        above = self._rows[feature] + self._edges.searchsorted((feature << 32) | _in_order(threshold_32)) + 1
        np.bitwise_and.at(table, (above, trees), masks)
        for first, end in zip(begin + 1, [*begin[1:], len(table)], strict=True):
            np.bitwise_and.accumulate(table[first:end], axis=0, out=table[first:end])
        np.bitwise_and.at(table, (begin[feature[missing_right]], trees[missing_right]), masks[missing_right])
        self._left_over = table

    def _reached(self, rows: Floats) -> NDArray[np.int32]:
        """The leaf of each tree for each row, one line a row."""
        asked = np.ascontiguousarray(rows[:, : len(self._rows)], dtype=np.float32)
        where = self._edges.searchsorted((np.arange(len(self._rows)) << 32) | _in_order(asked)) + self._rows
        where = np.where(np.isnan(asked), self._missing, where)
        left_over = np.bitwise_and.reduce(self._left_over.take(where, axis=0), axis=1)
        left_over &= ~left_over + np.uint32(1)
        # a power of two as a float has it in its exponent
        number: NDArray[np.int32] = left_over.astype(np.float32).view(np.int32) >> 23
        return number + (self._first - 127)

    def log_odds(self, rows: Floats) -> NDArray[np.float64]:
        if not len(rows):
            return np.zeros(0)
        parts = [self._value.take(self._reached(rows[i : i + PIECE])).sum(axis=1) for i in range(0, len(rows), PIECE)]
        return np.concatenate(parts)

    def leaves(self, rows: Floats) -> NDArray[np.int64]:
        """The node in which each tree ends for each row, one line a tree."""
        parts = [self._reached(rows[i : i + PIECE]).T for i in range(0, len(rows), PIECE)]
        return self._leaf[np.concatenate(parts, axis=1)] if parts else np.zeros((len(self._first), 0), np.int64)

    def contributions(self, row: Floats) -> tuple[float, NDArray[np.float64]]:
        """What is said before anything is asked, and what each feature of one row adds: together its log odds.

        The answer to each question moves what is expected from the mean of what lies below the question to the mean of
        what lies below the answer (Palczewska et al., 2013; here both answers weigh alike).
        """
        feature, threshold, left, right, default = self._branches
        values = [float(x) for x in row]
        added = np.zeros(len(values))
        begun = 0.0
        for node in self._roots:
            begun += self._mean[node]
            while left[node] != node:
                asked = values[feature[node]]
                goes_left = default[node] if asked != asked else asked <= threshold[node]
                to = left[node] if goes_left else right[node]
                added[feature[node]] += self._mean[to] - self._mean[node]
                node = to
        return begun, added

    def probability(self, rows: Floats) -> NDArray[np.float64]:
        odds: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-self.log_odds(rows)))
        return odds


@cache
def digest(name: str = "pairs") -> str:
    """By what a forest that Broadsheet ships is told from another: eight bytes of its file's BLAKE2b, in hexadecimal."""
    kept = (resources.files("broadsheet.stories") / "data" / f"{name}.npz").read_bytes()
    return hashlib.blake2b(kept, digest_size=8).hexdigest()


@cache
def packaged(name: str = "pairs") -> Forest:
    """A forest that Broadsheet ships: `pairs` for one pass, `refine` for a set that is known whole."""
    with (
        resources.as_file(resources.files("broadsheet.stories") / "data" / f"{name}.npz") as path,
        np.load(path) as arrays,
    ):
        return Forest({name: arrays[name] for name in arrays.files})
