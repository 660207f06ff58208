"""The sentences of a story's articles as arrays: their words, their places, the days that they speak of.

What `timeline.py` decides with. Everything here is counted, nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, Passage
from broadsheet.stories.dates import Mention, mentions
from broadsheet.stories.features import Rarity, slots_of, words
from broadsheet.stories.sentences import Sentences

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SENTENCES = 80  # of one article: what is told first matters, and what comes later is mostly background
TITLE = -1  # the place of a title among the sentences of its article


@dataclass(frozen=True, slots=True)
class Narrative:
    """Sentences of all articles that have a time, titles among them, in order of article and place.

    `terms` and `weights` from `begins` to `ends` are the sentences' words as sparse rows of unit length.
    """

    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    article: Ints  # which article a sentence is of
    place: Ints  # its number in the article; TITLE for the title
    published: Ints  # the day of publication, as an ordinal
    length: Ints  # words
    terms: Ints
    weights: Floats
    begins: Ints
    ends: Ints
    spoken: tuple[tuple[Mention, ...], ...]
    mention_of: Ints  # for each day that is named, the sentence that names it
    mention_day: Ints  # and that day, as an ordinal
    mention_absolute: NDArray[np.bool_]
    vocabulary: int

    def against(self, vector: Floats, rows: Ints | None = None) -> Floats:
        """The product of each sentence, or of these, with a vector over the vocabulary."""
        if rows is None:
            rows = np.arange(len(self.passages))
        at, owner = self._terms_of(rows)
        return np.asarray(
            np.bincount(owner, self.weights[at] * vector[self.terms[at]], minlength=len(rows)), dtype=np.float64
        )

    def total(self, rows: Ints) -> Floats:
        """The sum of these sentences as a vector over the vocabulary."""
        at, _ = self._terms_of(rows)
        return np.asarray(np.bincount(self.terms[at], self.weights[at], minlength=self.vocabulary), dtype=np.float64)

    def _terms_of(self, rows: Ints) -> tuple[Ints, Ints]:
        """Where the words of these sentences stand, and for each which of the sentences it is of."""
        begins = self.begins[rows]
        sizes = self.ends[rows] - begins
        owner = np.repeat(np.arange(len(rows)), sizes)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return begins[owner] + within, owner


@lru_cache(maxsize=1)
def _rarity() -> Rarity:
    return Rarity.packaged()


def narrate(articles: Sequence[Article], split: Sentences, *, most: int = MOST_SENTENCES) -> Narrative:
    """The sentences of those articles that have a time, at most `most` of each after its title."""
    timed = [a for a in articles if a.time is not None]
    passages: list[Passage] = []
    article: list[int] = []
    place: list[int] = []
    published: list[int] = []
    spoken: list[tuple[Mention, ...]] = []
    bags: list[list[str]] = []
    for number, one in enumerate(timed):
        day = one.time.astimezone(UTC).date()  # type: ignore[union-attr]
        titled = [Passage(article=one.id, text=one.title, start=0, end=0)] if one.title.strip() else []
        for at, passage in enumerate([*titled, *split(one)[:most]]):
            passages.append(passage)
            article.append(number)
            place.append(at - len(titled))
            published.append(day.toordinal())
            spoken.append(mentions(passage.text, day))
            bags.append(words(passage.text))
    known: dict[str, int] = {}
    every = np.array([known.setdefault(word, len(known)) for bag in bags for word in bag], dtype=np.int64)
    of_row = np.repeat(np.arange(len(bags)), [len(bag) for bag in bags])
    pairs, many = np.unique(of_row * max(1, len(known)) + every, return_counts=True)
    rows, terms = np.divmod(pairs, max(1, len(known)))
    edges = np.searchsorted(rows, np.arange(len(bags) + 1))
    weights = _weights(terms, many, rows, np.array(article, dtype=np.int64), known, len(timed))
    days = [(row, m) for row, found in enumerate(spoken) for m in found if m.span == "day"]
    return Narrative(
        articles=tuple(timed),
        passages=tuple(passages),
        article=np.array(article, dtype=np.int64),
        place=np.array(place, dtype=np.int64),
        published=np.array(published, dtype=np.int64),
        length=np.array([len(bag) for bag in bags], dtype=np.int64),
        terms=terms,
        weights=weights,
        begins=edges[:-1],
        ends=edges[1:],
        spoken=tuple(spoken),
        mention_of=np.array([row for row, _ in days], dtype=np.int64),
        mention_day=np.array([m.first.toordinal() for _, m in days], dtype=np.int64),
        mention_absolute=np.array([m.absolute for _, m in days], dtype=np.bool_),
        vocabulary=len(known),
    )


def _weights(terms: Ints, many: Ints, rows: Ints, article: Ints, known: dict[str, int], articles: int) -> Floats:
    """Rows of unit length: each word by how often it stands there and how rare it is, in the language and in this story."""
    if not len(terms):
        return np.zeros(0)
    table = _rarity()
    slots = slots_of(known)
    # in how many articles of this story a word stands
    pairs = np.unique(article[rows] * len(known) + terms)
    held = np.bincount(pairs % len(known), minlength=len(known))
    rare = np.log((table.documents + articles + 1.0) / (table.counts(slots) + held + 0.5))
    weights = (1 + np.log(many)) * np.maximum(rare, 0.0)[terms]
    size = np.sqrt(np.bincount(rows, weights * weights, minlength=int(rows[-1]) + 1))
    size[size == 0] = 1.0
    return np.asarray(weights / size[rows])
