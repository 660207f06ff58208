"""What sentences share: words, by their weight, of many sentences with many others at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from broadsheet.model import Passage
from broadsheet.stories.told import Floats, Ints, Said, Told


def sums(rows: Ints, values: Floats, count: int) -> Floats:
    """The sum of the values of each row."""
    return np.bincount(rows, weights=values, minlength=count).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Bag:
    """Sentences with their words end to end."""

    said: tuple[Said, ...]
    slots: Ints
    weights: Floats
    rows: Ints

    @property
    def totals(self) -> Floats:
        return sums(self.rows, self.weights, len(self.said))

    @property
    def norms(self) -> Floats:
        return np.sqrt(sums(self.rows, self.weights**2, len(self.said)))


def bagged(said: Sequence[Said]) -> Bag:
    if not said:
        return Bag((), np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64))
    return Bag(
        tuple(said),
        np.concatenate([s.slots for s in said]),
        np.concatenate([s.weights for s in said]),
        np.repeat(np.arange(len(said)), [len(s.slots) for s in said]),
    )


@dataclass(frozen=True, slots=True)
class Shared:
    """What each sentence of one bag shares with each of another."""

    cover: Floats  # weight of the words of the first that the second has
    dot: Floats
    token: Ints  # which word of the first bag, and ...
    row: Ints  # ... which sentence of the second has it


def overlap(ours: Bag, theirs: Bag) -> Shared:
    order = np.argsort(theirs.slots, kind="stable")
    slots, rows, weights = theirs.slots[order], theirs.rows[order], theirs.weights[order]
    begin, until = np.searchsorted(slots, ours.slots, "left"), np.searchsorted(slots, ours.slots, "right")
    counts = until - begin
    token = np.repeat(np.arange(len(ours.slots)), counts)
    at = np.arange(len(token)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(begin, counts)
    row = rows[at]
    shape = (len(ours.said), max(1, len(theirs.said)))
    cell = ours.rows[token] * shape[1] + row
    size = shape[0] * shape[1]
    own = ours.weights[token]
    return Shared(
        sums(cell, own, size).reshape(shape),
        sums(cell, own * weights[at], size).reshape(shape),
        token,
        row,
    )


VOICE = 0.6  # of a sentence's weight, the part that another sentence must have to say the same: as in novelty


def voices(points: Sequence[Passage], told: Sequence[Told]) -> list[frozenset[str]]:
    """For each of these sentences, the publishers whose articles say it, in whatever words weigh.

    A point that is no sentence of these articles is said by nobody that is known.
    """
    said = [(one.publisher, s) for one in told for s in one.said]
    at = {(s.passage.article, s.passage.start): s for _, s in said}
    known = {i: s for i, p in enumerate(points) if (s := at.get((p.article, p.start))) is not None}
    found = [frozenset[str]()] * len(points)
    if not known:
        return found
    cover = overlap(bagged(list(known.values())), bagged([s for _, s in said])).cover
    for row, (i, own) in enumerate(known.items()):
        heard = np.flatnonzero(cover[row] >= VOICE * max(own.weight, 1e-9))
        found[i] = frozenset(said[n][0] for n in heard.tolist())
    return found
