"""The sentences of a story's articles: their places, the days that they speak of, and their words as sparse rows.

What `timeline.py` decides with. Everything here is counted, nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, Passage
from broadsheet.stories.dates import Mention
from broadsheet.stories.features import Rarity
from broadsheet.stories.sentences import TITLE, Read, Reading, Sentences, slot_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SENTENCES = 80  # of one article: what is told first matters, and what comes later is mostly background


class Rows(NamedTuple):
    """Sparse rows of unit length, one a sentence: `terms` and `weights` from `begins` to `ends` are its words."""

    terms: Ints
    weights: Floats
    begins: Ints
    ends: Ints
    length: Ints  # words
    vocabulary: int


class Narrative:
    """The sentences of those articles that have a time, titles among them, in order of article and place.

    A row is a sentence. What asks for words is worked out when it is first asked: a story of one article and one
    sentence tells itself without.
    """

    def __init__(self, reads: Sequence[Read], most: int = MOST_SENTENCES) -> None:
        timed = [read for read in reads if read.day is not None]
        self._most = most
        self.articles: tuple[Article, ...] = tuple(read.article for read in timed)
        self._reads = timed
        self.article: list[int] = []  # which article a sentence is of
        self.place: list[int] = []  # its number in the article; TITLE for the title
        self.published: list[int] = []  # the day of publication, as an ordinal
        self.mentions: list[tuple[int, int]] = []  # each row that names a day, with that day: each pair once, in order
        for number, read in enumerate(timed):
            day = read.day.toordinal() if read.day else 0
            first = 0 if not read.article.title.strip() else TITLE
            for place in range(first, min(most, len(read.passages))):
                row = len(self.place)
                self.article.append(number)
                self.place.append(place)
                self.published.append(day)
                if spoken := read.spoken(place):
                    days = {m.first.toordinal() for m in spoken if m.span == "day"}
                    self.mentions.extend((row, day) for day in sorted(days))

    def __len__(self) -> int:
        return len(self.place)

    def passage(self, row: int) -> Passage:
        return self._reads[self.article[row]].passage(self.place[row])

    def is_usable(self, row: int) -> bool:
        return self._reads[self.article[row]].is_usable(self.place[row])

    def spoken(self, row: int) -> tuple[Mention, ...]:
        return self._reads[self.article[row]].spoken(self.place[row])

    @cached_property
    def rows(self) -> Rows:
        parts = [read.terms(self._most) for read in self._reads]
        if not len(self):
            nothing = np.zeros(0, dtype=np.int64)
            return Rows(nothing, np.zeros(0), nothing, nothing, nothing, 0)
        known, terms = np.unique(np.concatenate([part.keys for part in parts]), return_inverse=True)
        sizes = np.concatenate([part.sizes for part in parts])
        ends = np.cumsum(sizes)
        # in how many articles of this story a word stands
        held = np.bincount(np.searchsorted(known, np.concatenate([part.held for part in parts])), minlength=len(known))
        table = _rarity()
        slots = slot_of(known).astype(np.int32)
        rare = np.log((table.documents + len(self.articles) + 1.0) / (table.counts(slots) + held + 0.5))
        weights = np.concatenate([part.times for part in parts]) * np.maximum(rare, 0.0)[terms]
        row = np.repeat(np.arange(len(sizes)), sizes)
        size = np.sqrt(np.bincount(row, weights * weights, minlength=len(sizes)))
        size[size == 0] = 1.0
        length = np.concatenate([part.length for part in parts])
        return Rows(terms, weights / size[row], ends - sizes, ends, length, len(known))

    def against(self, vector: Floats, rows: Ints | None = None) -> Floats:
        """The product of each sentence, or of these, with a vector over the vocabulary."""
        if rows is None:
            rows = np.arange(len(self))
        at, owner = self._terms_of(rows)
        kept = self.rows
        return np.asarray(
            np.bincount(owner, kept.weights[at] * vector[kept.terms[at]], minlength=len(rows)), dtype=np.float64
        )

    def total(self, rows: Ints) -> Floats:
        """The sum of these sentences as a vector over the vocabulary."""
        at, _ = self._terms_of(rows)
        kept = self.rows
        return np.asarray(np.bincount(kept.terms[at], kept.weights[at], minlength=kept.vocabulary), dtype=np.float64)

    def _terms_of(self, rows: Ints) -> tuple[Ints, Ints]:
        """Where the words of these sentences stand, and for each which of the sentences it is of."""
        begins = self.rows.begins[rows]
        sizes = self.rows.ends[rows] - begins
        owner = np.repeat(np.arange(len(rows)), sizes)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return begins[owner] + within, owner


@lru_cache(maxsize=1)
def _rarity() -> Rarity:
    return Rarity.packaged()


def narrate(articles: Sequence[Article], split: Sentences, *, most: int = MOST_SENTENCES) -> Narrative:
    """The sentences of those articles that have a time, at most `most` of each after its title."""
    reading = Reading(split, most)
    return Narrative([reading(article) for article in articles if article.time is not None], most)
