"""How many articles a day the stream brings."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

DAY = 86400.0
LATEST = 30


class Pace:
    """How many articles a day the stream brings, about the time of one of them. Times are seconds; nan where unknown."""

    def __init__(self) -> None:
        self._times = array("d")  # sorted
        self._latest: deque[float] = deque(maxlen=LATEST)

    def add(self, when: float) -> None:
        """An article of that time has come."""
        if when == when:
            insort(self._times, when)
            self._latest.append(when)

    def forget_before(self, when: float, stay: NDArray[np.float64]) -> None:
        """The articles before then are no more; of the others these are the times, in the order in which they came."""
        del self._times[: bisect_left(self._times, when)]
        self._latest = deque(stay[~np.isnan(stay)][-LATEST:].tolist(), LATEST)

    def around(self, when: float) -> float:
        """Articles within a day; where the stream has only begun, what the latest would come to in a day."""
        return _around(when, (self._times,), self._latest)

    def ahead(self, times: Iterable[float]) -> list[float]:
        """What `around` will say when each of these comes, before it is added, if they are what comes next."""
        found: list[float] = []
        coming: list[float] = []
        latest = self._latest.copy()
        for when in times:
            found.append(_around(when, (self._times, coming), latest))
            if when == when:
                insort(coming, when)
                latest.append(when)
        return found


def _around(when: float, known: Iterable[Sequence[float]], latest: deque[float]) -> float:
    begun = len(latest) / ((max(latest) - min(latest)) / DAY + 0.1) if len(latest) == LATEST else 0.0
    if when != when:
        return begun
    within = sum(bisect_right(times, when + DAY) - bisect_left(times, when - DAY) for times in known)
    return max(float(within), begun)
