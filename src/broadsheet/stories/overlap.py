"""What sentences share: words, by their weight, of many sentences with many others at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from broadsheet.model import Article, Passage
from broadsheet.stories.features import words
from broadsheet.stories.sentences import Sentences
from broadsheet.stories.told import LIGHT, STEM, Floats, Ints, Said, term


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


def _weighed(text: str) -> dict[int, float]:
    """The words of a text that weigh, each once: all that `Said` holds of them, at a tenth of its cost."""
    found: dict[int, float] = {}
    for word in set(words(text)):
        slot, weight = term(word)
        if weight >= LIGHT:
            found[slot] = max(weight, found.get(slot, 0.0))
    return found


class _Asked(NamedTuple):
    """A sentence that others may say, too."""

    weights: dict[int, float]
    least: float  # weight that another sentence must have of it
    begins: list[tuple[str, float]]  # how each of its words begins, in whatever form a text writes it

    @classmethod
    def of(cls, text: str) -> _Asked:
        weights = _weighed(text)
        forms = {term(word)[0]: word for word in words(text)}
        begins = [
            # "parties" is folded to "party"
            ((word[:STEM] if word.isalpha() and word.isascii() else word).removesuffix("y"), weights[slot])
            for slot, word in forms.items()
            if slot in weights
        ]
        return cls(weights, VOICE * max(sum(weights.values()), 1e-9), begins)

    def may_be_in(self, lowered: str) -> bool:
        """Whether a text may say it at all: in a twentieth of the time that reading its words takes."""
        return sum(weight for begin, weight in self.begins if begin in lowered) >= self.least

    def is_in(self, slots: AbstractSet[int]) -> bool:
        return sum(weight for slot, weight in self.weights.items() if slot in slots) >= self.least


def voices(points: Sequence[Passage], articles: Sequence[Article], split: Sentences) -> list[frozenset[str]]:
    """For each of these sentences, the publishers whose articles say it, in whatever words weigh.

    A point that does not stand in these articles is said by nobody that is known. `split` cuts an article into sentences:
    only paragraphs that have the words at all are cut.
    """
    texts = {a.id: a.text for a in articles}
    asked = {
        i: _Asked.of(p.text) for i, p in enumerate(points) if texts.get(p.article, "")[p.start :].startswith(p.text)
    }
    found: list[set[str]] = [set() for _ in points]

    def left(among: Iterable[int], text: str, publisher: str) -> list[int]:
        lowered = text.lower()
        return [i for i in among if publisher not in found[i] and asked[i].may_be_in(lowered)]

    for article in articles:
        publisher = (article.publisher or article.id).casefold()
        for i in asked:  # whoever has it word for word says it, its own article first of all: nothing is cut for that
            if points[i].text in article.text:
                found[i].add(publisher)
        some = left(asked, article.text, publisher)
        for paragraph in article.text.split("\n") if some else ():
            here = left(some, paragraph, publisher)
            for sentence in split(replace(article, text=paragraph)) if here else ():
                slots = _weighed(sentence.text).keys()
                for i in here:
                    if asked[i].is_in(slots):
                        found[i].add(publisher)
    return [frozenset(by) for by in found]
