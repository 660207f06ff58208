"""What sentences share: words, by their weight, of many sentences with many others at once."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np

from broadsheet.model import Article, Passage
from broadsheet.stories.features import words
from broadsheet.stories.sentences import Sentences
from broadsheet.stories.told import LIGHT, Floats, Ints, Said, term


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


def voices(points: Sequence[Passage], articles: Sequence[Article], split: Sentences) -> list[frozenset[str]]:
    """For each of these sentences, the publishers whose articles say it, in whatever words weigh.

    A point that does not stand in these articles is said by nobody that is known. `split` cuts an article into sentences:
    only paragraphs that have the words at all are cut.
    """
    texts = {a.id: a.text for a in articles}
    asked = {
        i: _weighed(p.text) for i, p in enumerate(points) if texts.get(p.article, "")[p.start :].startswith(p.text)
    }
    least = {i: VOICE * max(sum(own.values()), 1e-9) for i, own in asked.items()}
    every = {slot for own in asked.values() for slot in own}
    found: list[set[str]] = [set() for _ in points]

    def heard(i: int, slots: AbstractSet[int]) -> bool:
        return sum(weight for slot, weight in asked[i].items() if slot in slots) >= least[i]

    for article in articles if every else ():
        publisher = (article.publisher or article.id).casefold()
        for paragraph in article.text.split("\n"):
            has = every.intersection(_weighed(paragraph))
            left = [i for i in asked if publisher not in found[i] and heard(i, has)] if has else []
            for sentence in split(replace(article, text=paragraph)) if left else ():
                slots = has.intersection(_weighed(sentence.text))
                for i in left:
                    if heard(i, slots):
                        found[i].add(publisher)
    return [frozenset(by) for by in found]
