"""Which rows hold a term, and with what weight: millions of entries in a few packed arrays.

The latest rows lie loose, one after another; every five hundred or so of them are packed into a run, sorted by term, and runs of
like size are merged (a log-structured merge tree: O'Neil et al., Acta Informatica 1996). A packed entry takes four
bytes, where one in a dictionary of arrays took nine, and each term some two hundred more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from broadsheet.stories.features import Floats, Ints

Numbers = NDArray[np.int64]

LOOSE = 512  # rows that are not packed yet
MOST = 1 << 15  # rows of a run: their numbers take two bytes, and merging two takes little memory
PLACE = 0xFFFFFFFF
GROWTH = 3  # a run is merged with the next unless it is that many times as large


@dataclass(frozen=True, slots=True)
class _Run:
    """The entries of rows `first` to `first + rows`, by term and within a term by row."""

    first: int
    rows: int
    terms: Ints
    starts: Ints  # of each term, and the end
    held: NDArray[np.uint16]  # rows, counted from `first`
    weights: NDArray[np.float16]

    @classmethod
    def of(cls, first: int, rows: int, terms: Ints, held: NDArray[np.uint16], weights: NDArray[np.float16]) -> _Run:
        order = np.argsort(terms, kind="stable")
        distinct, begin = np.unique(terms[order], return_index=True)
        starts = np.append(begin, len(terms)).astype(np.int32)
        return cls(first, rows, distinct.astype(np.int32), starts, held[order], weights[order])

    def followed_by(self, other: _Run) -> _Run:
        terms = np.union1d(self.terms, other.terms)
        sizes = np.zeros(len(terms), dtype=np.int32)
        places = [np.searchsorted(terms, run.terms) for run in (self, other)]
        for run, place in zip((self, other), places, strict=True):
            sizes[place] += np.diff(run.starts)
        starts = np.zeros(len(terms) + 1, dtype=np.int32)
        np.cumsum(sizes, out=starts[1:])
        held = np.empty(int(starts[-1]), dtype=np.uint16)
        weights = np.empty(len(held), dtype=np.float16)
        filled = starts[:-1].copy()
        for run, place in zip((self, other), places, strict=True):
            own = np.diff(run.starts)
            into = (filled[place] - run.starts[:-1]).repeat(own)
            into += np.arange(len(run.held), dtype=np.int32)
            held[into] = run.held + np.uint16(run.first - self.first)
            weights[into] = run.weights
            filled[place] += own
        return _Run(self.first, self.rows + other.rows, terms.astype(np.int32), starts, held, weights)

    def without(self, rows: int) -> _Run:
        """The same once the first `rows` rows of all are no more."""
        gone = rows - self.first
        if gone <= 0:
            return replace(self, first=-gone)
        stays = self.held >= gone
        before = np.zeros(len(stays) + 1, dtype=np.int32)
        np.cumsum(stays, out=before[1:])
        held, weights = self.held[stays] - np.uint16(gone), self.weights[stays]
        return _Run(0, self.rows - gone, self.terms, before[self.starts], held, weights)


class Postings:
    """Rows by term. Rows are numbered from nought in the order in which they are added."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._first = 0  # of the loose rows
        # loose entries one after another, and where those of each loose row begin
        self._terms = np.zeros(LOOSE, dtype=np.int32)
        self._held = np.zeros(LOOSE, dtype=np.uint16)
        self._weights = np.zeros(LOOSE, dtype=np.float16)
        self._begin = [0]
        self._sorted: Numbers | None = None  # their terms and places

    def __len__(self) -> int:
        return self._first + len(self._begin) - 1

    def add(self, terms: Ints, weights: Floats) -> None:
        """The next row holds these terms with these weights."""
        self.add_all(terms, weights, [len(terms)])

    def add_all(self, terms: Ints, weights: Floats, sizes: Sequence[int]) -> None:
        """The next rows hold so many of these terms each. Until more are added they are loose."""
        if len(self._begin) > LOOSE:
            self._pack()
        begin = self._begin[-1]
        end = begin + len(terms)
        if end > len(self._terms):
            self._terms, self._held, self._weights = (
                np.concatenate([x, np.zeros(end, dtype=x.dtype)]) for x in (self._terms, self._held, self._weights)
            )
        row = len(self._begin) - 1
        self._terms[begin:end] = terms
        self._held[begin:end] = np.arange(row, row + len(sizes)).repeat(sizes)
        self._weights[begin:end] = weights
        self._begin.extend(accumulate(sizes, initial=self._begin.pop()))
        self._sorted = None

    def _pack(self) -> None:
        """Pack what is loose."""
        all_of, rows = slice(self._begin[-1]), len(self._begin) - 1
        run = _Run.of(self._first, rows, self._terms[all_of], self._held[all_of], self._weights[all_of])
        self._first, self._begin, self._sorted = len(self), [0], None
        while self._runs and self._runs[-1].rows < GROWTH * run.rows and self._runs[-1].rows + run.rows <= MOST:
            run = self._runs.pop().followed_by(run)
        self._runs.append(run)

    def forget(self, rows: int) -> None:
        """The first `rows` rows are no more: the next one is nought from now on."""
        if rows > self._first:
            self._pack()
        self._runs = [run.without(rows) for run in self._runs if run.first + run.rows > rows]
        self._first -= rows

    def read(self, terms: Ints, weights: Floats, longest: int, most: int) -> tuple[Numbers, Floats]:
        """The rows that hold any of these terms, and the products of both weights; a row once for each term.

        Of each term the latest `longest` rows are read, and no further term once `most` rows were.
        """
        return next(self.each(terms, weights, [len(terms)], None, longest, most))

    def each(
        self,
        terms: Ints,
        weights: Floats,
        sizes: Sequence[int],
        before: Sequence[int] | None,
        longest: int,
        most: int,
    ) -> Iterator[tuple[Numbers, Floats]]:
        """As `read`, for each of many that ask for so many terms each: looked up all at once.

        For each only rows `before` one count, which is a loose one or the next: as if it had asked before that one came.
        What each finds for a row comes in the order of its terms.
        """
        of = np.arange(len(sizes)).repeat(sizes)
        first = np.cumsum([0, *sizes])
        # in order and each once they are found in half the time: a run's terms are too many for the processor's cache
        distinct, number = np.unique(terms, return_inverse=True)
        loose = self._loose()
        begin = loose.searchsorted(wide := distinct.astype(np.int64) << 32)[number]
        if before is None:
            end = loose.searchsorted(wide + self._begin[-1])[number]
        else:
            end = loose.searchsorted(
                (terms.astype(np.int64) << 32) + np.array([self._begin[row - self._first] for row in before])[of]
            )
        count = np.minimum(end - begin, longest)
        found: list[tuple[_Run | None, Numbers, Numbers]] = [(None, end, count)]
        for run in reversed(self._runs):
            if len(run.terms):
                where = run.terms.searchsorted(distinct)
                where[where == len(run.terms)] = 0
                end = run.starts[where + 1].astype(np.int64)
                held = np.where(run.terms[where] == distinct, end - run.starts[where], 0)[number]
                take = np.minimum(held, longest - count)
                found.append((run, end[number], take))
                count = count + take
        earlier = count.cumsum() - count
        asked = (earlier - np.append(earlier, 0)[first[:-1]][of]) < most
        parts: list[tuple[Numbers, Floats, list[int]]] = []  # of each run what was found, and where each asker's begins
        for place, end, take in found:
            some = np.flatnonzero(asked & (take > 0))
            if not len(some):
                continue
            take = take[some]
            total = take.cumsum()
            at = np.arange(total[-1]) + (end[some] - total).repeat(take)
            if place is None:
                at = loose[at] & PLACE
                rows, weight, start = self._held[at], self._weights[at], self._first
            else:
                rows, weight, start = place.held[at], place.weights[at], place.first
            score = weight.astype(np.float32)
            score *= weights[some].repeat(take)
            edges = np.append(0, total)[some.searchsorted(first)]
            parts.append((rows.astype(np.int64) + start, score, edges.tolist()))
        for asker in range(len(sizes)):
            mine = [
                (rows[cut], score[cut]) for rows, score, edges in parts if (cut := slice(*edges[asker : asker + 2]))
            ]
            if mine:
                yield np.concatenate([rows for rows, _ in mine]), np.concatenate([score for _, score in mine])
            else:
                yield np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)

    def _loose(self) -> Numbers:
        """The loose entries by term and within a term by row: each its term and its place."""
        if self._sorted is None:
            many = self._begin[-1]
            self._sorted = (self._terms[:many].astype(np.int64) << 32) + np.arange(many)
            self._sorted.sort()
        return self._sorted
