"""To which stories an article belongs, and how surely: asked about one article, or about many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress
from math import fsum

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import StoryId
from broadsheet.stories import pairs
from broadsheet.stories.features import FEATURES, Comparer, Floats, Sketch, cosines
from broadsheet.stories.index import Near, Rarest
from broadsheet.stories.rows import Rows
from broadsheet.stories.rules import Grouping

_BODY, _TITLE, _DAYS, _PUBLISHER = map(FEATURES.index, ("body", "title", "days", "same_publisher"))

Key = int | tuple[StoryId, int]  # what an article is compared with: a row, or a story as it is with so many articles


@dataclass(frozen=True, slots=True)
class Asked:
    """An article about which is asked, and the answers that are known: none of them hangs on what is decided."""

    sketch: Sketch
    row: int
    near: Near
    density: float  # articles a day when it came
    cosines: dict[int, float] = field(default_factory=dict)  # of its vector and that of each of these rows
    pairs: dict[Key, tuple[float, Floats]] = field(default_factory=dict)  # each one's probability and features


@dataclass(frozen=True, slots=True)
class Ranked:
    """Stories by how surely an article belongs to them, best first. It hangs on whether the stories that it `found` are still
    there, and on what those of them are that were `compared`: on nothing else."""

    stories: tuple[tuple[StoryId, float], ...]
    found: frozenset[StoryId]
    compared: frozenset[StoryId]


class Ranking(Rows):
    """Compares articles with the stories that are open."""

    def __init__(self, rules: Grouping, forest: pairs.Judge | None) -> None:
        super().__init__(rules)
        self._forest: pairs.Judge = forest or pairs.packaged()
        self._comparer = Comparer()

    def _ranked(self, asked: Sequence[Asked]) -> list[Ranked]:
        """For each article the stories by how surely it belongs to them, best first.

        What is found out on the way stays known, so that asking again about one of them is quick: only what changed
        meanwhile is found out anew.
        """
        firsts = [self._first(one.near) for one in asked]
        self._find_cosines(asked, firsts)
        compared = [self._worth_comparing(one, first) for one, first in zip(asked, firsts, strict=True)]
        keys = [[self._key(story) for story in stories] for stories in compared]
        self._find_pairs(zip(asked, keys, strict=True))
        found: list[dict[StoryId, float]] = []
        samples: list[dict[StoryId, Sequence[int]]] = []
        for one, stories, some in zip(asked, compared, keys, strict=True):
            scores = {story: one.pairs[key][0] for story, key in zip(stories, some, strict=True)}
            found.append(scores)
            samples.append(self._to_ask(one, scores))
        self._find_pairs((one, chain.from_iterable(some.values())) for one, some in zip(asked, samples, strict=True))
        return [
            Ranked(self._scores(one, scores, some), frozenset(first), frozenset(scores))
            for one, first, scores, some in zip(asked, firsts, found, samples, strict=True)
        ]

    def _scores(
        self, one: Asked, wholes: Mapping[StoryId, float], samples: Mapping[StoryId, Sequence[int]]
    ) -> tuple[tuple[StoryId, float], ...]:
        """What the stories as wholes and their members say together."""
        rules, scores = self.rules, dict(wholes)
        likely = _likeliest(wholes, rules.asked)
        for story, sample in samples.items():
            members = fsum([one.pairs[row][0] for row in sample]) / len(sample)
            scores[story] = (scores[story] + members) / 2
        if one.sketch.length <= rules.headline_words:
            for story in wholes:
                if len(self._members[story]) >= rules.headline_story:
                    row = one.pairs[self._key(story)][1]
                    if row[_BODY] >= rules.headline_cosine:  # asked first, for few are
                        cosine = self._headlines(one.sketch, self._whole(story), row)
                        if cosine >= rules.headline_cosine:
                            scores[story] = max(scores[story], rules.join + cosine * (1 - rules.join))
                            likely = [*likely, *(() if story in likely else (story,))]
        return tuple([(story, -score) for score, story in sorted([(-scores[story], story) for story in likely])])

    # --- which are asked

    def _first(self, near: Near) -> dict[StoryId, tuple[int, float]]:
        """The stories of the nearest rows, each with its nearest row and how near that is."""
        first: dict[StoryId, tuple[int, float]] = {}
        for row, score in zip(near.rows, near.scores, strict=True):
            if (story := self._stories[row]) not in first:
                first[story] = (row, score)
                if len(first) == self.rules.stories:
                    break
        return first

    def _worth_comparing(self, one: Asked, first: Mapping[StoryId, tuple[int, float]]) -> list[StoryId]:
        """The nearest of these stories, without those whose nearest member is plainly about something else."""
        rules = self.rules
        if not first or not one.sketch.vector.size:
            return list(first)[: rules.wholes]
        nearest = max(score for _, score in first.values())
        found: list[tuple[float, StoryId]] = []
        for story, (row, score) in first.items():
            cosine = one.cosines.get(row, rules.far)  # what has no vector is judged by its words
            if cosine >= rules.unlike and 2 * score + cosine >= rules.far:
                found.append((-score / nearest - cosine, story))
        found.sort(key=lambda pair: pair[0])
        return [story for _, story in found[: rules.wholes]]

    def _to_ask(self, one: Asked, scores: Mapping[StoryId, float]) -> dict[StoryId, Sequence[int]]:
        """Of the likeliest stories the members that are asked too."""
        return {
            story: self._sample(story, one.near.rows)
            for story in _likeliest(scores, self.rules.asked)
            if scores[story] >= self.rules.faint and len(self._members[story]) > 1
        }

    # --- what is found out

    def _key(self, story: StoryId) -> Key:
        members = self._members[story]
        return members[0] if len(members) == 1 else (story, len(members))

    def _find_cosines(self, asked: Sequence[Asked], firsts: Sequence[Mapping[StoryId, tuple[int, float]]]) -> None:
        """The cosines of an article's vector with those of these rows, but those that have none of that size."""
        new = [
            (one, [row for row, _ in first.values() if row not in one.cosines])
            for one, first in zip(asked, firsts, strict=True)
            if one.sketch.vector.size
        ]
        for size in {one.sketch.vector.size for one, rows in new if rows}:
            alike = [(one, rows) for one, rows in new if one.sketch.vector.size == size]
            vectors, held = self._sketches.vectors({row for _, rows in alike for row in rows}, size)
            place = {row: number for number, row in enumerate(held)}
            known = [[row for row in rows if row in place] for _, rows in alike]
            mine = np.stack([one.sketch.vector for one, _ in alike]).astype(np.float32)
            found = iter(
                cosines(
                    mine.repeat([len(rows) for rows in known], axis=0),
                    vectors.astype(np.float32).take([place[row] for rows in known for row in rows], axis=0),
                ).tolist()
            )
            for (one, _), rows in zip(alike, known, strict=True):
                one.cosines.update(zip(rows, found, strict=False))

    def _find_pairs(self, asked: Iterable[tuple[Asked, Iterable[Key]]]) -> None:
        """The probabilities of pairs that are not known yet."""
        new = [(one, [key for key in keys if key not in one.pairs]) for one, keys in asked]
        new = [(one, keys) for one, keys in new if keys]
        if not new:
            return
        keys_ = dict.fromkeys(chain.from_iterable(keys for _, keys in new))
        wholes = self._wholes([key[0] for key in keys_ if not isinstance(key, int)])
        seen = {key: self._sketches[key] if isinstance(key, int) else wholes[key[0]] for key in keys_}
        rows = self._comparer.compare_all([(one.sketch, [seen[key] for key in keys], one.density) for one, keys in new])
        found = zip(self._probabilities(rows).tolist(), rows, strict=True)
        for one, keys in new:
            one.pairs.update(zip(keys, found, strict=False))

    def _probabilities(self, rows: Floats) -> NDArray[np.float64]:
        found = self._forest.probability(rows)
        found[self._series(rows)] = 0.0
        return found

    def _series(self, rows: Floats) -> NDArray[np.bool_]:
        """Which pairs are instalments: one publisher's title comes again on another day, as horoscopes do.

        News that goes on under one headline has other publishers too, and their story is open to the next instalment.
        """
        found: NDArray[np.bool_] = (
            (rows[:, _PUBLISHER] == 1.0)
            & (rows[:, _DAYS] >= self.rules.instalment_days)
            & (rows[:, _TITLE] >= self.rules.instalment_title)
        )
        return found

    def _headlines(self, one: Sketch, story: Sketch, row: Floats) -> float:
        """The cosine of headlines with a story of headlines of the same days; nought where either is more."""
        short = max(one.length, story.length) <= self.rules.headline_words
        if not short or not row[_DAYS] <= self.rules.headline_days or self._series(row[None])[0]:
            return 0.0
        return 0.0 if np.isnan(row[_BODY]) else float(row[_BODY])

    # --- besides

    def _around(self, rows: Sequence[int]) -> list[list[StoryId]]:
        """For each row its own story and then those near it, the nearest first."""
        made = [self._sketches[row] for row in rows]
        near = self._near(made, Rarest.of(made))
        asked = [Asked(one, row, some, 0.0) for one, row, some in zip(made, rows, near, strict=True)]
        firsts = [self._first(some) for some in near]
        self._find_cosines(asked, firsts)
        return [
            [self._stories[one.row], *self._worth_comparing(one, first)]
            for one, first in zip(asked, firsts, strict=True)
        ]

    def _agree(self, one: StoryId, other: StoryId) -> bool:
        """Whether two stories belong together on their own account: as wholes and member by member."""
        first, second = self._whole(one), self._whole(other)
        members, others = ([self._sketches[row] for row in self._sample(story)] for story in (one, other))
        many = len(members) * len(others)
        few = members[: max(1, len(members) // 3)]  # as a rule they say already that all together say no
        rows = self._comparer.compare_all(
            [
                (first, [second], self._pace.around(first.when)),
                *((member, others, self._pace.around(member.when)) for member in few),
            ]
        )
        enough = min(len(self._members[one]), len(self._members[other])) >= self.rules.headline_story
        if enough and self._headlines(first, second, rows[0]) >= self.rules.headline_merge:
            return True
        whole, *each = self._probabilities(rows).tolist()
        if (whole + (fsum(each) + many - len(each)) / many) / 2 < self.rules.merge:
            return False
        if rest := members[len(few) :]:
            rows = self._comparer.compare_all([(m, others, self._pace.around(m.when)) for m in rest])
            each += self._probabilities(rows).tolist()
        together: float = (whole + fsum(each) / many) / 2
        return together >= self.rules.merge

    def _copied(self, new: Sketch, near: Near, barred: Collection[StoryId]) -> int | None:
        """The earliest row whose text this one repeats."""
        if not new.fingerprint.size:
            return None
        known = [(row, self._sketches.fingerprint(row)) for row in sorted(near.rows) if self._sketches.copied[row]]
        known = [(row, old) for row, old in known if old.size == new.fingerprint.size]
        if not known:
            return None
        alike = (np.stack([old for _, old in known]) == new.fingerprint).mean(axis=1) >= self.rules.copy
        copied = compress((row for row, _ in known), alike.tolist())
        return next((row for row in copied if self._stories[row] not in barred), None)


def _likeliest(scores: Mapping[StoryId, float], most: int) -> list[StoryId]:
    """So many stories of the highest scores, the highest first."""
    return [story for _, story in sorted([(-score, story) for story, score in scores.items()])[:most]]
