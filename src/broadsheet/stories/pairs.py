"""The probability that two articles report one story: a small learned forest, read from the package and run by numpy.

Fitted by `scripts/train_stories.py pairs`. A forest of 150 trees over 50 pairs takes a third of a millisecond this way
and needs no library of its own; a test holds it to what the library that fitted it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Forest:
    """Decision trees of one depth at most, laid side by side. Missing values go the way that was learned."""

    __slots__ = ("_default", "_depth", "_feature", "_left", "_right", "_roots", "_threshold", "_value")

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._feature = arrays["feature"].astype(np.int64)  # a leaf asks feature 0 and leads to itself
        self._threshold = arrays["threshold"].astype(np.float64)
        self._left = arrays["left"].astype(np.int64)
        self._right = arrays["right"].astype(np.int64)
        self._default = arrays["default"].astype(bool)  # a missing value goes left
        self._value = arrays["value"].astype(np.float64)
        self._roots = arrays["roots"].astype(np.int64)
        self._depth = int(arrays["depth"])

    def log_odds(self, rows: Floats) -> NDArray[np.float64]:
        if not len(rows):
            return np.zeros(0)
        at = np.broadcast_to(self._roots, (len(rows), len(self._roots)))
        values = rows.astype(np.float64)
        missing = np.isnan(values)
        line = np.arange(len(rows))[:, None]
        for _ in range(self._depth):
            asked = self._feature[at]
            left = np.where(missing[line, asked], self._default[at], values[line, asked] <= self._threshold[at])
            at = np.where(left, self._left[at], self._right[at])
        total: NDArray[np.float64] = self._value[at].sum(axis=1)
        return total

    def probability(self, rows: Floats) -> NDArray[np.float64]:
        odds: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-self.log_odds(rows)))
        return odds


@cache
def packaged(name: str = "pairs") -> Forest:
    """A forest that Broadsheet ships: `pairs` for one pass, `refine` for a set that is known whole."""
    with (
        resources.as_file(resources.files("broadsheet.stories") / "data" / f"{name}.npz") as path,
        np.load(path) as arrays,
    ):
        return Forest({name: arrays[name] for name in arrays.files})
