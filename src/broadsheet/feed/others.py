"""What others read here: how often each story was opened for how often it was looked at, and by how many readers.

Counted from what was shown and opened, each event once and at the same cost; what was counted fades. A story's count
leaves this module only where a crowd made it: `FEWEST` readers opened it within a day, and `CROWD` read here at all. So
on an instance of one reader or a family nothing is ever told, and nobody's reading is told anywhere. Who opened what is
held in memory alone, as numbers that mean nothing after the process ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import ReaderId, StoryId

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

FEWEST: Final = 5  # others who opened a story, for it to be told
CROWD: Final = 20  # readers who opened something, for anything to be told
DAY: Final = 86_400.0  # seconds in which a reader counts once, and in which so many opened it
HALF_LIFE: Final = 12 * 3600.0  # seconds
FORGOTTEN: Final = 3 * DAY  # after which nothing of a story is kept
TIDIED: Final = 600.0  # seconds between two looks at what is long past
PRIOR: Final = 3.0  # openings that are taken for granted, as often as usual, before a story's own say much
KNOWN: Final = 200  # readers of a story that are told apart, the latest
NEVER: Final = float("-inf")
STEPS: Final = (5, 10, 20, 50, 100)  # what is told is rounded down: one more reader is not seen


def faded(seconds: float) -> float:
    """What is left of one after that time; what comes late, all of it."""
    return float(0.5 ** (max(seconds, 0.0) / HALF_LIFE))


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """What others did with the stories of an edition at one time, a row a story."""

    at: float  # seconds since 1970
    opened: Floats  # by how many readers, fading
    usual: Floats  # how many would have opened any story that was looked at as often
    readers: Rows  # who opened it within a day

    def lift(self, rows: Rows | slice, own: Floats | float = NEVER) -> tuple[Floats, Rows]:
        """How many doublings a story is opened more often than is usual, and by how many readers within a day.

        Nothing of a story that fewer than `FEWEST` others opened. `own` is when this reader opened each, in seconds since
        1970, `NEVER` for those that they did not: it is not counted.
        """
        since = np.maximum(self.at - np.asarray(own), 0.0)  # opened again since then: it may have been counted before
        readers = self.readers[rows] - (since < DAY)
        opened = self.opened[rows] - 0.5 ** (since / HALF_LIFE)
        more = np.log2((np.maximum(opened, 0.0) + PRIOR) / (self.usual[rows] + PRIOR))
        return np.where(readers >= FEWEST, np.maximum(more, 0.0), 0.0), readers


@dataclass(slots=True)
class _Tally:
    """What was done with one story. `at`: when the counts were what they are."""

    at: float
    opened: float = 0.0
    looked: float = 0.0
    readers: dict[int, float] = field(default_factory=dict)  # when each opened it last, the latest last

    def fade(self, at: float) -> float:
        """Bring the counts to this time; gives what something that happened then counts: less, where it is past."""
        if at < self.at:
            return faded(self.at - at)
        left = faded(at - self.at)
        self.opened, self.looked, self.at = self.opened * left, self.looked * left, at
        return 1.0


class Crowd:
    """Counts what readers were shown and opened. Its memory grows with stories, and stops there."""

    def __init__(self) -> None:
        self._stories: dict[StoryId, _Tally] = {}
        self._all = _Tally(0.0)
        self._tidied = NEVER
        self._active: dict[int, float] = {}  # readers who opened something last, a few more than are asked for

    def shown(self, story: StoryId, at: float, looked: float = 1.0) -> None:
        """A story stood before a reader, who looked there with that chance."""
        for tally in (self._of(story, at), self._all):
            much = tally.fade(at)
            tally.looked += looked * much

    def opened(self, reader: ReaderId, story: StoryId, at: float) -> None:
        """A reader opened a story. More than once within a day counts once."""
        who = hash(reader)  # salted by the process
        self._active.pop(who, None)
        self._active[who] = at
        if len(self._active) > 2 * CROWD:
            del self._active[next(iter(self._active))]
        tally = self._of(story, at)
        last = tally.readers.pop(who, None)
        tally.readers[who] = at if last is None else max(at, last)
        if len(tally.readers) > KNOWN:
            del tally.readers[next(iter(tally.readers))]
        if last is None or at - last >= DAY:
            for one in (tally, self._all):
                much = one.fade(at)
                one.opened += much

    def _of(self, story: StoryId, at: float) -> _Tally:
        tally = self._stories.get(story)
        if tally is None:
            tally = self._stories[story] = _Tally(at)
        return tally

    def forget(self, reader: ReaderId) -> None:
        """As if the reader had opened nothing. What they were shown stays: it names nobody."""
        who = hash(reader)
        self._active.pop(who, None)
        for tally in self._stories.values():
            if (last := tally.readers.pop(who, None)) is not None:
                tally.opened = max(tally.opened - faded(tally.at - last), 0.0)

    def tell(
        self, index: Mapping[StoryId, int], at: float, into: Mapping[StoryId, StoryId] | None = None
    ) -> Others | None:
        """What may be told of these stories, each in its row; None where no crowd reads here.

        What happened to a story counts for the one `into` which it went.
        """
        if at - self._tidied >= TIDIED or into:
            self._tidied = at
            self._tidy(at, into or {})
        if sum(at - last < FORGOTTEN for last in self._active.values()) < CROWD:
            return None
        rate = self._all.opened / self._all.looked if self._all.looked else 0.0
        opened, usual, readers = np.zeros(len(index)), np.zeros(len(index)), np.zeros(len(index), np.int64)
        for story, row in index.items():
            tally = self._stories.get(story)
            if tally is not None and len(tally.readers) >= FEWEST:
                left = faded(at - tally.at)
                opened[row], usual[row] = tally.opened * left, tally.looked * left * rate
                readers[row] = sum(at - last < DAY for last in tally.readers.values())
        return Others(at, opened, usual, readers)

    def _tidy(self, at: float, into: Mapping[StoryId, StoryId]) -> None:
        """Let go of what is long past, and join what became one story."""
        for story, tally in list(self._stories.items()):
            if at - tally.at >= FORGOTTEN:
                del self._stories[story]
            elif story in into:
                del self._stories[story]
                whole = self._of(into[story], tally.at)
                much = whole.fade(tally.at)
                whole.opened += tally.opened * much
                whole.looked += tally.looked * much
                for who, last in tally.readers.items():
                    whole.readers[who] = max(last, whole.readers.get(who, last))


def at_least(readers: int) -> int:
    """How many readers are told of: the next lower step."""
    return max((step for step in STEPS if step <= readers), default=0)
