"""Why two articles are one story, or are not: the pair's probability taken apart, with the facts behind each part."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from broadsheet.model import Article
from broadsheet.stories import features
from broadsheet.stories.features import FEATURES, Comparer, Rarity, sketch
from broadsheet.stories.pairs import Judge, packaged

SHOWN = 6  # words and names of a fact

# Features that speak of one thing, and what that thing is called.
SUBJECTS = {
    "words": ("body", "shared_body", "rarest_shared"),
    "titles": ("title", "shared_title", "rarest_shared_title", "title_in_body_most", "title_in_body_least"),
    "names": ("names", "shared_names"),
    "numbers": ("numbers",),
    "meaning": ("vector",),
    "time": ("days", "span", "density"),
    "publisher": ("same_publisher",),
    "length": ("shorter", "longer"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """What one subject adds to the log odds, and the fact."""

    subject: str
    points: float
    fact: str


@dataclass(frozen=True, slots=True)
class Togetherness:
    """`begun` and the points of the parts are together the log odds of `probability`. The largest part comes first."""

    probability: float
    begun: float
    parts: tuple[Part, ...]


def why_together(
    one: Article, other: Article, *, a_day: float = 100.0, rarity: Rarity | None = None, forest: Judge | None = None
) -> Togetherness:
    """The probability that two articles are one story, and what it is made of.

    `a_day` is how many articles a day the stream brings. Words are as rare as `rarity` says, by itself the packaged
    table, so the probability is near but not equal to what grouping found in the midst of its stream.
    """
    rarity, forest = rarity or Rarity.packaged(), forest or packaged()
    mine, theirs = (sketch(a, rarity, learn=False) for a in (one, other))
    row = Comparer().compare(mine, [theirs], a_day)[0]
    begun, added = forest.contributions(row)
    told = dict(zip(FEATURES, row.tolist(), strict=True))
    points = dict(zip(FEATURES, added.tolist(), strict=True))
    as_written = features.written(f"{one.title}\n{one.text}")

    def both(read: Callable[[Article], list[str]]) -> str:
        return _rare(read(one), read(other), rarity, as_written)

    facts = {
        "words": f"text alike by {_amount(told['body'])}; rare words of both: {both(_words)}",
        "titles": f"titles alike by {_amount(told['title'])}; words of both: {both(_title)}",
        "names": f"names of both: {both(_names)}",
        "numbers": f"numbers of both: {both(_numbers)}",
        "meaning": f"meaning alike by {_amount(told['vector'])}",
        "time": "without a date" if math.isnan(told["days"]) else f"{told['days']:.1f} days apart",
        "publisher": {1.0: "the same publisher", 0.0: "two publishers"}.get(
            told["same_publisher"], "publisher unknown"
        ),
        "length": f"{mine.length} and {theirs.length} words",
    }
    parts = [Part(name, sum(points[f] for f in SUBJECTS[name]), fact) for name, fact in facts.items()]
    odds = begun + sum(part.points for part in parts)
    return Togetherness(
        1.0 / (1.0 + math.exp(-odds)), begun, tuple(sorted(parts, key=lambda part: (-abs(part.points), part.subject)))
    )


def likeliest(
    ones: Sequence[Article], others: Sequence[Article], *, a_day: float = 100.0, forest: Judge | None = None
) -> tuple[Article, Article]:
    """Of the articles of two stories, the two that are most likely one story: they speak for both. Of equals the first.
    Raises `ValueError` where there are no two."""
    rarity, judge, comparer = Rarity.packaged(), forest or packaged(), Comparer()
    sketches = [sketch(a, rarity, learn=False) for a in others]
    best: tuple[float, Article, Article] | None = None
    for one in ones:
        places = [n for n, other in enumerate(others) if other.id != one.id]
        rows = comparer.compare(sketch(one, rarity, learn=False), [sketches[n] for n in places], a_day)
        for n, odds in zip(places, judge.log_odds(rows).tolist(), strict=True):
            if best is None or odds > best[0]:
                best = (odds, one, others[n])
    if best is None:
        raise ValueError("there are no two articles to compare")
    return best[1:]


def _words(article: Article) -> list[str]:
    return features.words(f"{article.title}\n{article.text[: features.BODY_WORDS * 8]}")


def _title(article: Article) -> list[str]:
    return features.words(article.title)


def _names(article: Article) -> list[str]:
    return [n for n in features.names(article.title, article.text[: features.BODY_WORDS * 8]) if " " not in n]


def _numbers(article: Article) -> list[str]:
    return [w for w in _words(article) if w[0].isdigit()]


def _amount(cosine: float) -> str:
    return "nothing known" if math.isnan(cosine) else f"{cosine:.2f}"


def _rare(one: Iterable[str], other: Iterable[str], rarity: Rarity, as_written: Mapping[str, str]) -> str:
    """The rarest words of both, as they are written."""
    both = sorted(set(one) & set(other))
    if not both:
        return "none"
    weights = [rarity.weight(features.counted([word])[0])[0] for word in both]
    order = np.argsort(-np.array(weights), kind="stable")[:SHOWN]
    return ", ".join(as_written.get(both[n], both[n]) for n in order.tolist())
