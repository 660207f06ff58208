"""The stories of a set that is known whole: what a stream cannot weigh, since each of its articles is placed as it comes.

Every article is compared with its nearest (`whole.py`) and a learned probability is given to each pair; groups are begun
by the likeliest pairs and joined by a second learned probability, about two groups (`linkage.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadsheet.model import Article, StoryId
from broadsheet.stories.linkage import joined
from broadsheet.stories.pairs import Forest, packaged
from broadsheet.stories.regrouping import begun_by
from broadsheet.stories.whole import DAYS, FEATURES, PUBLISHER, Doubles, Pairs, near, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """When the groups of a whole set are one story."""

    seed: float = 0.85  # groups begin at this mean probability over all pairs between two of them
    join: float = 0.3  # and are joined from this probability of two groups up
    nearest: int = 20  # neighbours of each article by each of whole text, lead, title and both kinds of vector
    most: int = 10_000  # articles: the time taken grows with their square
    instalment_days: float = 0.4  # one publisher's items this far apart ...
    instalment_title: float = 0.4  # ... with titles this alike are a series, as in one pass


def probable(pairs: Pairs, rules: Refinement, forest: Forest) -> Doubles:
    """The probability of each pair; nought for instalments, which come again on another day under alike titles."""
    found = forest.probability(pairs.rows)
    title, days, publisher = (pairs.rows[:, n] for n in (FEATURES.index("title"), DAYS, PUBLISHER))
    series = (publisher == 1.0) & (days >= rules.instalment_days) & (title >= rules.instalment_title)
    found[series] = 0.0
    return found


def refined(articles: Sequence[Article], online: Sequence[StoryId], rules: Refinement | None = None) -> list[StoryId]:
    """The final story of each article, given in order with the story that one pass found for it.

    A story bears the id that its first article would have begun it with. A set that is too large to be compared as a
    whole keeps the stories that it has.
    """
    rules = rules or Refinement()
    if not articles or len(articles) > rules.most:
        return list(online)
    return [begun_by(articles[row].id) for row in grouped(articles, rules)]


# For the latest articles of a stream and what is near them, of which most stand alone as a rule: at .3 a morning of 500
# feeds was joined by subject (read by hand), while the labelled set's stories are the same at .3 and at .8.
SETTLING = Refinement(join=0.8)


def grouped(articles: Sequence[Article], rules: Refinement = SETTLING) -> list[int]:
    """The number of the first article of each one's story, where these articles are all there are."""
    compared = near([whole(a) for a in articles], rules.nearest)
    probability = probable(compared.pairs, rules, packaged("refine"))
    forest = packaged("linkage")
    groups: list[int] = joined(
        compared, probability, rules.seed, rules.join, lambda rows, *_: forest.probability(rows)
    ).tolist()
    return groups
