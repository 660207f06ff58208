"""Many sketches in little memory: whole thousands of them lie packed in a few arrays, and come back as they were."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from sys import intern
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import ArticleId
from broadsheet.stories.features import Sketch

PACK = 1024


# What a sketch has besides its arrays: where they begin and how long they are, and its few numbers.
_RECORD = np.dtype(
    [
        *(
            (f"{part}_{edge}", kind)
            for part in ("terms", "vector", "print")
            for edge, kind in (("at", "<i4"), ("size", "<u2"))
        ),
        *((f"cut_{n}", "<u2") for n in range(3)),
        *((f"end_{n}", "<f4") for n in range(4)),
        ("length", "<i4"),
        ("full", "?"),
        ("when", "<f8"),
    ]
)


@dataclass(frozen=True, slots=True)
class _Pack:
    """The sketches of `PACK` articles. Those of stories are never packed: they are of one time, and not of several articles."""

    ids: tuple[ArticleId, ...]
    publishers: tuple[str, ...]
    slots: NDArray[np.int32]
    weights: NDArray[Any]
    vectors: NDArray[np.float16]
    fingerprints: NDArray[np.uint32]
    records: NDArray[np.void]

    @classmethod
    def of(cls, sketches: Sequence[Sketch]) -> _Pack:
        records = np.zeros(len(sketches), _RECORD)
        terms = vector = print_ = 0
        for number, one in enumerate(sketches):
            records[number] = (
                terms, len(one.slots), vector, one.vector.size, print_, one.fingerprint.size,
                *one.cuts, *one.ends, one.length, one.full, one.when,
            )  # fmt: skip
            terms, vector, print_ = terms + len(one.slots), vector + one.vector.size, print_ + one.fingerprint.size
        return cls(
            ids=tuple(one.id for one in sketches),
            publishers=tuple(intern(one.publisher) for one in sketches),
            slots=np.concatenate([one.slots for one in sketches]),
            weights=np.concatenate([one.weights for one in sketches]),
            vectors=np.concatenate([one.vector for one in sketches]),
            fingerprints=np.concatenate([one.fingerprint for one in sketches]),
            records=records,
        )

    def __getitem__(self, number: int) -> Sketch:
        (
            at, terms, vector, dimensions, print_, prints,
            title, names, numbers, body_size, title_size, names_size, numbers_size, length, full, when,
        ) = self.records[number].item()  # fmt: skip
        return Sketch(
            self.ids[number],
            self.slots[at : at + terms],
            self.weights[at : at + terms],
            (title, names, numbers),
            (body_size, title_size, names_size, numbers_size),
            length,
            full,
            when,
            when,
            self.publishers[number],
            self.vectors[vector : vector + dimensions],
            self.fingerprints[print_ : print_ + prints],
        )

    def fingerprint(self, number: int) -> NDArray[np.uint32]:
        begin = self.records["print_at"][number]
        return self.fingerprints[begin : begin + self.records["print_size"][number]]

    def vectors_of(self, numbers: Sequence[int], size: int) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """The vectors of that size, one a line, and which of these articles have one."""
        has = self.records["vector_size"][numbers] == size
        begin = self.records["vector_at"][numbers][has]
        if len(begin) and (begin % size == 0).all() and len(self.vectors) % size == 0:
            return self.vectors.reshape(-1, size).take(begin // size, axis=0), has
        return self.vectors[begin[:, None] + np.arange(size)], has


class Shelf:
    """A list of articles' sketches that grows at one end and is cut at the other. A packed one takes about a kilobyte where an object takes four."""

    def __init__(self) -> None:
        self.when = array("d")  # of each row: seconds since 1970; nan where unknown
        self.copied = bytearray()  # of each row: whether it has a fingerprint
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
        self.copied.append(one.fingerprint.size > 0)
        self._loose.append(one)
        if len(self._loose) == PACK:
            self._packs.append(_Pack.of(self._loose))
            self._loose = []

    def forget(self, packs: int) -> None:
        """The first packs are no more: the row after them is nought from now on."""
        del self._packs[:packs], self.when[: packs * PACK], self.copied[: packs * PACK]

    def fingerprint(self, row: int) -> NDArray[np.uint32]:
        """The fingerprint of the article in that row; empty where it has none."""
        pack, number = divmod(row, PACK)
        return self._packs[pack].fingerprint(number) if pack < len(self._packs) else self._loose[number].fingerprint

    def vectors(self, rows: Iterable[int], size: int) -> tuple[NDArray[np.float16], list[int]]:
        """The vectors of that size, one a line, and the rows of the articles that have them."""
        by_pack: defaultdict[int, list[int]] = defaultdict(list)
        for row in rows:
            by_pack[row // PACK].append(row)
        found: list[int] = []
        vectors: list[NDArray[np.float16]] = []
        for pack, some in by_pack.items():
            if pack < len(self._packs):
                held, has = self._packs[pack].vectors_of([row % PACK for row in some], size)
                found.extend(compress(some, has.tolist()))
                vectors.append(held.ravel())
            else:
                loose = [(row, self._loose[row % PACK].vector) for row in some]
                found.extend(row for row, vector in loose if vector.size == size)
                vectors.extend(vector for _, vector in loose if vector.size == size)
        return np.concatenate(vectors or [np.zeros(0, np.float16)]).reshape(-1, size), found

    def id(self, row: int) -> ArticleId:
        """The article in that row."""
        pack, number = divmod(row, PACK)
        return self._packs[pack].ids[number] if pack < len(self._packs) else self._loose[number].id
