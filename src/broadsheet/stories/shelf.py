"""Many sketches in little memory: whole thousands of them lie packed in a few arrays, and come back as they were."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import ArticleId
from broadsheet.stories.features import Floats, Ints, Sketch

PACK = 1024


@dataclass(frozen=True, slots=True)
class _Runs:
    """Arrays of several lengths, one after another."""

    values: NDArray[Any]
    starts: Ints

    @classmethod
    def of(cls, parts: Sequence[NDArray[Any]]) -> _Runs:
        return cls(np.concatenate(parts), np.cumsum([0, *(len(part) for part in parts)], dtype=np.int32))

    def __getitem__(self, number: int) -> NDArray[Any]:
        found: NDArray[Any] = self.values[self.starts[number] : self.starts[number + 1]]
        return found


@dataclass(frozen=True, slots=True)
class _Pack:
    """The sketches of `PACK` articles. Those of stories are never packed: `articles` and `unity` are as a single one's."""

    ids: tuple[ArticleId, ...]
    publishers: tuple[str, ...]
    slots: _Runs  # the lower two bytes
    upper: NDArray[np.uint8]  # of each slot
    weights: NDArray[Any]
    vectors: _Runs
    fingerprints: _Runs
    cuts: Ints
    ends: Floats
    lengths: Ints
    full: NDArray[np.bool_]
    when: NDArray[np.float64]
    first: NDArray[np.float64]

    @classmethod
    def of(cls, sketches: Sequence[Sketch]) -> _Pack:
        return cls(
            ids=tuple(one.id for one in sketches),
            publishers=tuple(intern(one.publisher) for one in sketches),
            slots=_Runs.of([one.slots.astype(np.uint16) for one in sketches]),
            upper=np.concatenate([(one.slots >> 16).astype(np.uint8) for one in sketches]),
            weights=np.concatenate([one.weights for one in sketches]),
            vectors=_Runs.of([one.vector for one in sketches]),
            fingerprints=_Runs.of([one.fingerprint for one in sketches]),
            cuts=np.array([one.cuts for one in sketches], np.int32),
            ends=np.array([one.ends for one in sketches], np.float32),
            lengths=np.array([one.length for one in sketches], np.int32),
            full=np.array([one.full for one in sketches], np.bool_),
            when=np.array([one.when for one in sketches]),
            first=np.array([one.first for one in sketches]),
        )

    def __getitem__(self, number: int) -> Sketch:
        title, names, numbers = self.cuts[number].tolist()
        body_size, title_size, names_size, numbers_size = self.ends[number].tolist()
        terms = slice(self.slots.starts[number], self.slots.starts[number + 1])
        return Sketch(
            id=self.ids[number],
            slots=self.slots.values[terms] | (self.upper[terms].astype(np.int32) << 16),
            weights=self.weights[terms],
            cuts=(title, names, numbers),
            ends=(body_size, title_size, names_size, numbers_size),
            length=int(self.lengths[number]),
            full=bool(self.full[number]),
            when=float(self.when[number]),
            first=float(self.first[number]),
            publisher=self.publishers[number],
            vector=self.vectors[number],
            fingerprint=self.fingerprints[number],
        )


class Shelf:
    """A list of articles' sketches that grows at one end and is cut at the other. A packed one takes about a kilobyte where an object takes four."""

    def __init__(self) -> None:
        self.when = array("d")  # of each row: seconds since 1970; nan where unknown
        self._packs: list[_Pack] = []
        self._loose: list[Sketch] = []

    def __len__(self) -> int:
        return len(self._packs) * PACK + len(self._loose)

    def __iter__(self) -> Iterator[Sketch]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, row: int) -> Sketch:
        pack, number = divmod(row, PACK)
        return self._packs[pack][number] if pack < len(self._packs) else self._loose[number]

    def append(self, one: Sketch) -> None:
        self.when.append(one.when)
        self._loose.append(one)
        if len(self._loose) == PACK:
            self._packs.append(_Pack.of(self._loose))
            self._loose = []

    def forget(self, packs: int) -> None:
        """The first packs are no more: the row after them is nought from now on."""
        del self._packs[:packs], self.when[: packs * PACK]

    def fingerprint(self, row: int) -> NDArray[np.uint32]:
        """The fingerprint of the article in that row; empty where it has none."""
        pack, number = divmod(row, PACK)
        return self._packs[pack].fingerprints[number] if pack < len(self._packs) else self._loose[number].fingerprint

    def vector(self, row: int) -> NDArray[np.float16]:
        """The vector of the article in that row; empty where it has none."""
        pack, number = divmod(row, PACK)
        return self._packs[pack].vectors[number] if pack < len(self._packs) else self._loose[number].vector

    def id(self, row: int) -> ArticleId:
        """The article in that row."""
        pack, number = divmod(row, PACK)
        return self._packs[pack].ids[number] if pack < len(self._packs) else self._loose[number].id
