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


class Judge(Protocol):
    """What says how likely a pair, given as a row of features, is one story."""

    def log_odds(self, rows: Floats) -> NDArray[np.float64]: ...

    def contributions(self, row: Floats) -> tuple[float, NDArray[np.float64]]: ...

    def probability(self, rows: Floats) -> NDArray[np.float64]: ...


class Forest:
    """Decision trees with 32 leaves at most, asked all their questions at once. Missing values go the way that was learned.

    Each question that is answered "right" rules out the leaves to its left; a tree's leaf is the first that is left over
    (QuickScorer: Lucchese et al., SIGIR 2015). No step waits for another, which in numpy is what counts.
    """

    __slots__ = (
        "_branches",
        "_feature",
        "_first",
        "_leaf",
        "_masks",
        "_mean",
        "_missing_right",
        "_roots",
        "_start",
        "_threshold",
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
        starts: list[int] = []
        values: list[float] = []
        first: list[int] = []  # where each tree's leaves begin
        ends: list[int] = []  # the node of each leaf
        every = 0xFFFFFFFF

        def leaves(node: int) -> int:
            """Numbers the leaves below from left to right and notes which of them each question rules out."""
            if left[node] == node:
                values.append(float(value[node]))
                ends.append(node)
                return 1
            here, before = len(nodes), len(values) - first[-1]
            nodes.append(node)
            masks.append(0)
            ruled_out = leaves(left[node])
            masks[here] = every ^ (((1 << ruled_out) - 1) << before)
            others = leaves(right[node])
            self._mean[node] = (self._mean[left[node]] + self._mean[right[node]]) / 2
            return ruled_out + others

        for root in arrays["roots"].tolist():
            first.append(len(values))
            starts.append(len(nodes))
            if left[root] == root:  # a tree of one leaf: a question whose answer does not matter
                nodes.append(root)
                masks.append(every)
            if leaves(root) > 32:
                raise ValueError("a tree has more than 32 leaves")
        asked = np.array(nodes, dtype=np.int64)
        self._feature = feature[asked]
        # the next float32 below: a float32 is above the one exactly where it is above the other
        with np.errstate(over="ignore"):
            near = threshold[asked].astype(np.float32)
        self._threshold = np.where(near > threshold[asked], np.nextafter(near, np.float32(-np.inf)), near)
        self._missing_right = ~default[asked]
        self._masks = np.array(masks, dtype=np.uint32)
        self._start = np.array(starts, dtype=np.int64)
        self._first = np.array(first, dtype=np.int64)
        self._value = np.array(values)
        self._leaf = np.array(ends, dtype=np.int64)

    def _reached(self, rows: Floats) -> NDArray[np.int64]:
        """The leaf of each tree for each row, one line a tree."""
        asked = np.ascontiguousarray(rows.T, dtype=np.float32).take(self._feature, axis=0)
        right = asked > self._threshold[:, None]
        if np.isnan(rows).any():
            right |= np.isnan(asked) & self._missing_right[:, None]
        ruled_out = np.where(right, self._masks[:, None], np.uint32(0xFFFFFFFF))
        left_over = np.bitwise_and.reduceat(ruled_out, self._start, axis=0)
        lowest = left_over & (~left_over + np.uint32(1))
        # a power of two as a float has it in its exponent
        number: NDArray[np.int64] = (lowest.astype(np.float32).view(np.int32) >> 23).astype(np.int64) - 127
        return number + self._first[:, None]

    def log_odds(self, rows: Floats) -> NDArray[np.float64]:
        if not len(rows):
            return np.zeros(0)
        parts = [self._value[self._reached(rows[i : i + PIECE])].sum(axis=0) for i in range(0, len(rows), PIECE)]
        return np.concatenate(parts)

    def leaves(self, rows: Floats) -> NDArray[np.int64]:
        """The node in which each tree ends for each row, one line a tree."""
        parts = [self._reached(rows[i : i + PIECE]) for i in range(0, len(rows), PIECE)]
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
