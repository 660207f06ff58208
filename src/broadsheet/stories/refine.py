"""The stories of a set that is known whole: what a stream cannot weigh, since each of its articles is placed as it comes.

Every article is compared with its nearest (`whole.py`) and a learned probability is given to each pair; groups are begun
by the likeliest pairs and joined by a second learned probability, about two groups (`linkage.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from broadsheet.model import Article, StoryId
from broadsheet.stories.linkage import Remembered, joined
from broadsheet.stories.pairs import Judge, packaged
from broadsheet.stories.regrouping import begun_by
from broadsheet.stories.whole import DAYS, FEATURES, PACE, PUBLISHER, Doubles, Numbers, Pairs, near, wholes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """When the groups of a whole set are one story."""

    seed: float = 0.85  # groups begin at this mean probability over all pairs between two of them
    join: float = 0.3  # and are joined from this probability of two groups up
    crowded_join: float = 0.8  # but from this one where a set is dense and many of its articles stand alone
    dense: tuple[float, float] = (10.0, 100.0)  # articles a day from which on a set is that, and at which it is wholly
    alone: tuple[float, float] = (
        0.15,
        0.25,
    )  # the same of the share of its articles that stand alone, by their best pairs
    nearest: int = 20  # neighbours of each article by each of whole text, lead, title and both kinds of vector
    most: int = 10_000  # articles: the time taken grows with their square
    instalment_days: float = 0.4  # one publisher's items this far apart ...
    instalment_title: float = 0.4  # ... with titles this alike are a series, as in one pass


def probable(pairs: Pairs, rules: Refinement, forest: Judge) -> Doubles:
    """The probability of each pair; nought for instalments, which come again on another day under alike titles."""
    found = forest.probability(pairs.rows)
    title, days, publisher = (pairs.rows[:, n] for n in (FEATURES.index("title"), DAYS, PUBLISHER))
    series = (publisher == 1.0) & (days >= rules.instalment_days) & (title >= rules.instalment_title)
    found[series] = 0.0
    return found


def join_of(pairs: Pairs, probability: Doubles, articles: int, rules: Refinement) -> float:
    """From which probability on groups of this set are joined: where it is dense and many stand alone there is always another
    article of the same subject. Joined from .3 up, a day of 500 feeds had two wrong pairs for each right one."""
    if not len(pairs.one):
        return rules.join
    best = np.zeros(articles)
    for end in (pairs.one, pairs.other):
        np.maximum.at(best, end, probability)
    alone = float(np.interp(1.0 - best.mean(), rules.alone, (0.0, 1.0)))
    return rules.join + alone * dense(pairs, rules) * (rules.crowded_join - rules.join)


def refined(articles: Sequence[Article], online: Sequence[StoryId], rules: Refinement | None = None) -> list[StoryId]:
    """The final story of each article, given in order with the story that one pass found for it.

    A story bears the id that its first article would have begun it with. A set that is too large to be compared as a
    whole keeps the stories that it has.
    """
    rules = rules or Refinement()
    if not articles or len(articles) > rules.most:
        return list(online)
    known = _Set(articles, rules)
    groups = known.joined(known.join)
    return [begun_by(articles[row].id) for row in groups.tolist()]


# From where on two groups that are not one story yet are joined as a stream goes on: at .3 a morning of 500 feeds was joined by
# subject (read by hand). What is one story stays one down to `join_of`: at .8 the stories of weeks of one set were parted,
# .855 / .728 where one pass had .886 / .822.
JOIN_ANEW = 0.85


# The group of each article of a set, named by its first, joined from a probability up, from where another left off.
Joined = Callable[[float, Numbers | None], Numbers]


def grouped(
    articles: Sequence[Article],
    online: Sequence[StoryId],
    again: Sequence[bool] = (),
    rules: Refinement | None = None,
) -> list[int]:
    """The number of the first article of each one's story, where these articles are all there are and are in stories.

    `again`: whether each was decided again before."""
    rules = rules or Refinement()
    known = _Set(articles, rules)
    return settled(online, known.joined, known.join, again if known.dense >= 0.5 else ())


def dense(pairs: Pairs, rules: Refinement) -> float:
    """How dense a set is: nought where it is thin, one where it wholly is."""
    pace = float(np.expm1(pairs.rows[0, PACE])) if len(pairs.one) else 0.0
    return float(np.interp(np.log(max(pace, 1.0)), np.log(rules.dense), (0.0, 1.0)))


def settled(online: Sequence[StoryId], joined: Joined, join: float, stays: Sequence[bool] = ()) -> list[int]:
    """As `grouped`, of articles that are in these stories, with what joins them.

    What is one stays one from `join` up; and what is one and `stays`, in any case. In a dense set each article has other neighbours
    each time that it is decided again: 1,437 of 9,000 items were parted, some ten times, and a labelled day was none the better."""
    strict = joined(JOIN_ANEW, None)
    loose = joined(join, strict)
    into = list(range(len(online)))

    def root(row: int) -> int:
        while into[row] != row:
            row = into[row]
        return row

    first: dict[tuple[int, StoryId], int] = {}  # the first article of what is one story now, and may stay so
    whole: dict[StoryId, int] = {}  # and of what stays
    for row, (kept, story) in enumerate(zip(loose.tolist(), online, strict=True)):
        fixed = whole.setdefault(story, row) if stays and stays[row] else row
        for other in (int(strict[row]), first.setdefault((kept, story), row), fixed):
            one, two = sorted((root(row), root(other)))
            into[two] = one
    return [root(row) for row in range(len(online))]


class _Set:
    """A set of articles, compared once and joined from one probability up or from several, one after another."""

    def __init__(self, articles: Sequence[Article], rules: Refinement) -> None:
        self._compared = near(wholes(articles), rules.nearest)
        self._probability = probable(self._compared.pairs, rules, packaged("refine"))
        self._seed = rules.seed
        self._asked = Remembered()
        self.dense = dense(self._compared.pairs, rules)
        self.join = join_of(self._compared.pairs, self._probability, len(articles), rules)

    def joined(self, join: float, begun: Numbers | None = None) -> Numbers:
        """The group of each article, named by its first."""
        forest = packaged("linkage")
        return joined(
            self._compared,
            self._probability,
            self._seed,
            join,
            lambda rows, *_: forest.probability(rows),
            begun,
            self._asked,
        )
