"""The forests that quotes are decided by, read from the package once and run by numpy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_ROWS = 64  # asked together: what they touch then stays in the processor's own cache


class Forest:
    """Decision trees as `stories.pairs.Forest` reads them, for rows without missing values, which are quicker to ask."""

    __slots__ = ("_child", "_depth", "_feature", "_roots", "_threshold", "_value")

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._feature = arrays["feature"].astype(np.int32)
        self._threshold = arrays["threshold"].astype(np.float64)
        # Right and left child of each node side by side: the answer to the question is the place to look at.
        self._child = np.stack([arrays["right"], arrays["left"]], axis=1).astype(np.int32).ravel()
        self._value = arrays["value"].astype(np.float64)
        self._roots = arrays["roots"].astype(np.int32)
        self._depth = int(arrays["depth"])

    def probability(self, rows: Floats) -> NDArray[np.float64]:
        odds = np.empty(len(rows))
        for begin in range(0, len(rows), _ROWS):
            some = rows[begin : begin + _ROWS].astype(np.float64)
            values = some.ravel()
            offset = (np.arange(len(some), dtype=np.int32) * rows.shape[1])[:, None]
            at = np.broadcast_to(self._roots, (len(some), len(self._roots)))
            for _ in range(self._depth):
                left = values.take(self._feature.take(at) + offset) <= self._threshold.take(at)
                at = self._child.take((at << 1) + left)
            odds[begin : begin + _ROWS] = self._value.take(at).sum(axis=1)
        return 1.0 / (1.0 + np.exp(-odds))


@dataclass(frozen=True, slots=True)
class Forests:
    speaker: Forest  # this mention speaks this quotation
    owned: Forest  # a quotation is words of somebody
    cue: Forest  # a word is the cue of a report
    start: Forest  # its content begins here
    end: Forest  # and ends here
    source: Forest  # this mention is its source
    report: Forest  # all of it together is a report

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Forests:
        """Forests from arrays named `forest.part`."""
        parts: defaultdict[str, dict[str, NDArray[np.generic]]] = defaultdict(dict)
        for name, array in arrays.items():
            forest, _, part = name.partition(".")
            parts[forest][part] = array
        return cls(**{name: Forest(found) for name, found in parts.items()})


@cache
def packaged() -> Forests:
    """The forests that Broadsheet ships, fitted by `scripts/train_quotes.py`."""
    with (
        resources.as_file(resources.files("broadsheet.stories") / "data" / "quotes.npz") as path,
        np.load(path) as arrays,
    ):
        return Forests.of({name: arrays[name] for name in arrays.files})
