"""Which rows hold a term, and with what weight: millions of entries in a few packed arrays.

The latest rows lie loose in a dictionary; every few hundred of them are packed into a run, sorted by term, and runs of
like size are merged (a log-structured merge tree: O'Neil et al., Acta Informatica 1996). A packed entry takes four
bytes, where one in a dictionary of arrays took nine, and each term some two hundred more.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from broadsheet.stories.features import Floats, Ints

Numbers = NDArray[np.int64]

LOOSE = 512  # rows that are not packed yet
MOST = 1 << 15  # rows of a run: their numbers take two bytes, and merging two takes little memory
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


class Postings:
    """Rows by term. Rows are numbered from nought in the order in which they are added."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._first = 0  # of the loose rows
        self._size = 0
        # loose entries one after another, and of each term the places of its own
        self._terms = np.zeros(LOOSE, dtype=np.int32)
        self._held = np.zeros(LOOSE, dtype=np.uint16)
        self._weights = np.zeros(LOOSE, dtype=np.float16)
        self._entries = 0
        self._places: defaultdict[int, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return self._size

    def add(self, terms: Ints, weights: Floats) -> None:
        """The next row holds these terms with these weights."""
        begin, end = self._entries, self._entries + len(terms)
        if end > len(self._terms):
            self._terms, self._held, self._weights = (
                np.concatenate([x, np.zeros(end, dtype=x.dtype)]) for x in (self._terms, self._held, self._weights)
            )
        self._terms[begin:end] = terms
        self._held[begin:end] = self._size - self._first
        self._weights[begin:end] = weights
        for place, term in enumerate(terms.tolist(), begin):
            self._places[term].append(place)
        self._entries = end
        self._size += 1
        if self._size - self._first == LOOSE:
            self._pack()

    def _pack(self) -> None:
        all_of = slice(self._entries)
        run = _Run.of(self._first, LOOSE, self._terms[all_of], self._held[all_of], self._weights[all_of])
        self._first, self._entries, self._places = self._size, 0, defaultdict(list)
        while self._runs and self._runs[-1].rows < GROWTH * run.rows and self._runs[-1].rows + run.rows <= MOST:
            run = self._runs.pop().followed_by(run)
        self._runs.append(run)

    def forget(self, rows: int) -> None:
        """The first `rows` rows are no more: the next one is nought from now on. None of them may be loose."""
        kept = [replace(run, first=run.first - rows) for run in self._runs]
        self._runs = [run for run in kept if run.first + run.rows > 0]
        self._first -= rows
        self._size -= rows

    def read(self, terms: Ints, weights: Floats, longest: int, most: int) -> tuple[Numbers, Floats]:
        """The rows that hold each of these terms and the product of both weights, a row once for each of its terms.

        Of each term the `longest` latest rows only; and once `most` entries were read, no further term is looked at.
        """
        many = len(terms)
        places = [self._places.get(term, ()) for term in terms.tolist()]
        count = np.minimum(np.fromiter(map(len, places), dtype=np.int64, count=many), longest)
        loose = count.copy()
        runs = [run for run in reversed(self._runs) if len(run.terms)]
        ends: list[Ints] = []
        taken: list[Numbers] = []
        for run in runs:
            where = run.terms.searchsorted(terms)
            where[where == len(run.terms)] = 0
            end = run.starts[where + 1]
            take = np.minimum(np.where(run.terms[where] == terms, end - run.starts[where], 0), longest - count)
            ends.append(end)
            taken.append(take)
            count += take
        asked = min(many, int(count.cumsum().searchsorted(most)) + 1)
        rows: list[Numbers] = []
        scores: list[Floats] = []
        for run, end, take in zip(runs, ends, taken, strict=True):
            take = take[:asked]
            total = int(take.sum())
            if total:
                at = np.arange(total) + (end[:asked] - take.cumsum()).repeat(take)
                rows.append(run.held[at] + np.int64(run.first))
                scores.append(run.weights[at] * weights[:asked].repeat(take))
        if loose[:asked].any():
            at = np.array([place for found in places[:asked] for place in found[-longest:]])
            rows.append(self._held[at] + np.int64(self._first))
            scores.append(self._weights[at] * weights[:asked].repeat(loose[:asked]))
        if not rows:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        found, products = np.concatenate(rows), np.concatenate(scores)
        if runs and runs[-1].first < 0:  # a run of which the first rows were forgotten
            stays = found >= 0
            found, products = found[stays], products[stays]
        return found, products
