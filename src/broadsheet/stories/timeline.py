"""A story by its days: which days matter, and the sentences, quoted, that say what happened on each.

The order of Ghalandari and Ifrim, "Examining the State-of-the-Art in News Timeline Summarization" (ACL 2020): days are
ranked by a regression over how they are named, then sentences that name the day and leads published from that day on are
ranked beside the mean of both. Both rankings here are linear, fitted by `scripts/train_timelines.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, Moment
from broadsheet.stories.narrative import MOST_SENTENCES, Floats, Ints, Narrative, narrate
from broadsheet.stories.sentences import Sentences, usable

MOST_DAYS = 30  # where nobody says how many
EVERY_DAY = 12  # a story of no more days than this shows all that were reported, a longer one those that stand out
MANY = (
    50  # a story of so many articles has more than one thing to say of a day: two sentences where nobody says how many
)
BEFORE = 30  # days before the first article that a timeline may reach back to
LEADS, LATER = 5, 2  # sentences that open articles of the day itself and of so many days after it
ABOUT = 14  # a day named within so many days of publication is what the sentence reports; an older one is background
# The cosine from which two sentences say the same. On one day they share names, so little more is enough; a day of a story
# that shows all it has must not repeat an earlier one. Where so many days are asked for, only copies are kept from coming
# twice: keeping all repeats out cost .006 of AR1-F (.1253 to .1194), since those who write timelines repeat themselves too.
SAME_ON_A_DAY, SAME_IN_A_STORY, SAME_TWICE = 0.3, 0.6, 0.9
READ = 400  # sentences weighed for one day: those nearest to its mean come first anyway

DAY_FEATURES = ("articles", "articles_over_month", "days", "days_over_month", "later_over_month", "mass", "support")
SENTENCE_FEATURES = (
    "mean", "named_mean", "lead_mean", "story", "support", "named", "other", "gap", "words", "long", "opens", "place",
    "leans", "quoted",
)  # fmt: skip
# In a story of a few articles means say little, so it counts by rule that a sentence names the day and no other, leans on
# no sentence before it, quotes nobody, and opens its article.
BY_RULE = [SENTENCE_FEATURES.index(name) for name in ("named", "other", "leans", "quoted")]
RULED = np.array([0.15, -0.15, -0.1, -0.05])
FIRST = 0.05
_OPENING = re.compile(
    r"^(?:[\"“”'‘`(-]|\W*(?:he|she|they|it|this|that|these|those|his|her|their|its|but|and|so|or|however|also|there|we|i|you|"
    r"our|my|then|meanwhile|instead|still|yet|now)\b)",
    re.I,
)
_QUOTE = re.compile(r"[“”\"]|``|''")


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature of a day, and of a sentence, is worth. `likely` is from where a day counts as one that matters."""

    days: Floats
    bias: float
    sentences: Floats
    likely: float = 0.0


@dataclass(frozen=True, slots=True)
class Days:
    """The days that a timeline may have, as ordinals in order, with their features."""

    ordinals: Ints
    features: Floats
    reported: Ints  # articles that appeared on the day
    named: Ints  # articles of the day or later that name it
    leading: NDArray[np.bool_]  # a recent article opens with it


@cache
def packaged() -> Weights:
    """The weights fitted on all of Timeline17."""
    return read_weights()[0]


def read_weights() -> tuple[Weights, Mapping[str, Weights]]:
    """The packaged weights, and by topic of Timeline17 those of a fit that left the topic out, for evaluation alone."""
    with (
        resources.as_file(resources.files("broadsheet.stories") / "data" / "timelines.npz") as path,
        np.load(path) as kept,
    ):
        every = [
            Weights(kept["days"][n, :-1], float(kept["days"][n, -1]), kept["sentences"][n], float(kept["likely"][n]))
            for n in range(len(kept["days"]))
        ]
        return every[0], dict(zip(map(str, kept["topics"]), every[1:], strict=True))


def timeline(
    articles: Sequence[Article],
    passages: Sentences,
    *,
    length: int | None = None,
    sentences: int | None = None,
    span: tuple[date, date] | None = None,
    weights: Weights | None = None,
    read: int = MOST_SENTENCES,
) -> tuple[Moment, ...]:
    """The moments of a story, oldest first: sentences of its articles, each under the day on which it happened.

    `length` is how many days, `sentences` how many sentences a day at most; without them a story of few days shows all
    that were reported and a long one those that stand out, with a sentence or two each. `span` bounds the days. A day of which no
    sentence can be quoted quotes a title. Articles without a time are left out.
    """
    return tell(narrate(articles, passages, most=read), length=length, sentences=sentences, span=span, weights=weights)


def tell(
    told: Narrative,
    *,
    length: int | None = None,
    sentences: int | None = None,
    span: tuple[date, date] | None = None,
    weights: Weights | None = None,
) -> tuple[Moment, ...]:
    """The same of a story that has been read."""
    fitted = weights or packaged()
    most = sentences or (2 if len(told.articles) >= MANY else 1)
    days = days_of(told, span)
    score = days.features @ fitted.days + fitted.bias
    moments: list[Moment] = []
    said: list[int] = []
    reader = Reader(told)
    for day in chosen(days, score, length, fitted.likely):
        for row in reader.best(int(day), most, fitted, said, strict=length is None):
            said.append(row)
            moments.append(_moment(int(day), told, row))
    return tuple(moments)


def _moment(day: int, told: Narrative, row: int) -> Moment:
    passage, titled = told.passages[row], told.place[row] < 0
    return Moment(
        date=datetime.combine(date.fromordinal(day), datetime.min.time(), UTC),
        sentence=passage.text,
        article=passage.article,
        start=None if titled else passage.start,
        end=None if titled else passage.end,
    )


# --- days --------------------------------------------------------------------------------------------------------


def chosen(days: Days, score: Floats, length: int | None, likely: float) -> Ints:
    """The days to tell, in order: the `length` best, or as many as the story asks for."""
    order = np.lexsort((-days.ordinals, -score))  # of equals the newer
    if length is not None:
        return np.sort(days.ordinals[order[: max(0, length)]])
    worth = (days.reported > 0) | (days.named > 1) | days.leading
    if int(worth.sum()) > EVERY_DAY:
        least = float(np.sort(score[worth])[::-1][EVERY_DAY - 1])
        newest = int(np.flatnonzero(worth)[-1])
        worth &= score >= min(likely, least)
        worth[newest] = True
        order = np.concatenate([[newest], order[order != newest]])
    kept = [int(place) for place in order if worth[place]]
    return np.sort(days.ordinals[kept[:MOST_DAYS]])


def _level(values: Floats, reach: int) -> Floats:
    """For each day the mean of the days around it, `reach` on either side."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return np.asarray((sums[high] - sums[low]) / (high - low))


def days_of(told: Narrative, span: tuple[date, date] | None = None) -> Days:
    """The days on which articles appeared or that they name, within `span` or up to the last article."""
    if not len(told.passages):
        nothing = np.zeros(0, dtype=np.int64)
        return Days(nothing, np.zeros((0, len(DAY_FEATURES))), nothing, nothing, np.zeros(0, dtype=np.bool_))
    appeared = np.zeros(len(told.articles), dtype=np.int64)
    appeared[told.article] = told.published
    first, last = int(appeared.min()), int(appeared.max())
    low, high = (span[0].toordinal(), span[1].toordinal()) if span else (first - BEFORE, last)
    pairs = np.unique(np.stack([told.mention_day, told.mention_of]), axis=1)  # a sentence names a day once
    named, row = pairs[0], pairs[1]
    inside = (named >= low) & (named <= high)
    named, row = named[inside], row[inside]
    ordinals = np.unique(np.concatenate([named, appeared[(appeared >= low) & (appeared <= high)]]))
    if not len(ordinals):
        return Days(ordinals, np.zeros((0, len(DAY_FEATURES))), ordinals, ordinals, np.zeros(0, dtype=bool))
    base, size = int(ordinals[0]), int(ordinals[-1] - ordinals[0]) + 1
    at = ordinals - base

    def count(which: Ints, shares: Floats | None = None) -> Floats:
        return np.log1p(np.bincount(which - base, shares, minlength=size))

    by_article = np.unique(np.stack([named, told.article[row]]), axis=1)
    by_day = np.unique(np.stack([named, told.published[row]]), axis=1)
    articles, days = count(by_article[0]), count(by_day[0])
    later = count(by_day[0], np.log1p(np.maximum(by_day[1] - by_day[0], 0)))
    mass, support = _agreement(told, ordinals, named, row)

    def share(values: Floats) -> Floats:
        most = float(values.max(initial=0.0))
        return values / most if most else values

    features = np.stack(
        [
            share(articles[at]), (articles - _level(articles, 30))[at],
            share(days[at]), (days - _level(days, 30))[at],
            (later - _level(later, 30))[at], share(mass), share(support),
        ],
        axis=1,
    )  # fmt: skip
    gap = told.published[row] - named
    looked_back = np.unique(np.stack([named, told.article[row]])[:, gap >= 0], axis=1)[0]
    opens = named[(gap >= 0) & (gap <= ABOUT) & (told.place[row] < LEADS)]
    return Days(
        ordinals,
        features,
        np.bincount(appeared[(appeared >= base) & (appeared < base + size)] - base, minlength=size)[at],
        np.bincount(looked_back - base, minlength=size)[at],
        np.isin(ordinals, opens),
    )


def _agreement(told: Narrative, ordinals: Ints, named: Ints, row: Ints) -> tuple[Floats, Floats]:
    """For each day how much the sentences that name it say together, and how much of it the best of them says."""
    mass, support = np.zeros(len(ordinals)), np.zeros(len(ordinals))
    for n, day in enumerate(ordinals):
        rows = row[np.searchsorted(named, day) : np.searchsorted(named, day, "right")]
        if len(rows) > 1:
            if len(rows) > 150:
                rows = rows[np.linspace(0, len(rows) - 1, 150).astype(np.int64)]
            total = told.total(rows)
            mass[n] = np.log1p(total @ total)
            support[n] = np.log1p(max(0.0, float(told.against(total, rows).max()) - 1))
    return mass, support


# --- sentences ---------------------------------------------------------------------------------------------------


class Reader:
    """Reads a narrative day by day; what holds for all days is worked out once."""

    __slots__ = ("_day", "_fit", "_kind", "_named", "_of", "_old", "_story", "_told")

    def __init__(self, told: Narrative) -> None:
        self._told = told
        whole = np.arange(len(told.passages))
        self._story = told.against(_unit(told.total(whole)))
        self._fit = np.array(
            [place >= 0 and usable(p) for place, p in zip(told.place, told.passages, strict=True)], dtype=np.bool_
        )
        self._kind = np.array(
            [(_OPENING.match(p.text) is not None, _QUOTE.search(p.text) is not None) for p in told.passages],
            dtype=np.float64,
        ).reshape(-1, 2)
        pairs = np.unique(np.stack([told.mention_day, told.mention_of]), axis=1)
        self._day, self._of = pairs[0], pairs[1]
        self._named = np.bincount(self._of, minlength=len(told.passages))
        # what speaks of another month or year alone ("in March", "in 1998") is background
        self._old = np.array(
            [
                bool(spoken)
                and all(m.span != "day" and not m.first.toordinal() <= day <= m.last.toordinal() for m in spoken)
                for spoken, day in zip(told.spoken, told.published.tolist(), strict=True)
            ],
            dtype=np.bool_,
        )

    def candidates(self, day: int, *, strict: bool = False) -> tuple[Ints, Ints]:
        """The usable sentences that name a day, and those that open articles of it.

        Articles of the days just after count as of it where they name it. What reports another recent day is left out, unless
        nothing else is there. `strict`: then nothing is there; nor what was said ahead of the day, nor what speaks of another
        month or year alone.
        """
        told = self._told
        named = self._of[np.searchsorted(self._day, day) : np.searchsorted(self._day, day, "right")]
        naming = np.isin(told.article, told.article[named])
        named = named[self._fit[named]]
        opens = np.flatnonzero(
            ((told.published == day) | (naming & (told.published > day) & (told.published <= day + LATER)))
            & (told.place < LEADS)
            & self._fit
        )
        elsewhere = self._of[(self._day != day) & (np.abs(self._day - told.published[self._of]) <= ABOUT)]
        own = opens[~np.isin(opens, elsewhere) | np.isin(opens, named)]
        if strict:
            named = named[told.published[named] >= day]
            own = own[~self._old[own] & (told.published[own] == day)]
            return named, own
        since = named[told.published[named] >= day]  # what was announced is told only where nothing was reported
        if len(since) or len(own):
            return since, own
        return named, opens if not len(named) else own

    def features(self, day: int, named: Ints, opens: Ints) -> tuple[Ints, Floats]:
        """The sentences of both kinds and what each is like (`SENTENCE_FEATURES`)."""
        told = self._told
        rows = np.union1d(named, opens)
        of_named, of_opens = told.total(named), told.total(opens)
        mean = _unit(_unit(of_named) + _unit(of_opens))
        near = told.against(mean, rows)
        if len(rows) > READ:
            kept = np.sort(np.argsort(-near, kind="stable")[:READ])
            rows, near = rows[kept], near[kept]
        by_named, by_opens = told.against(of_named, rows), told.against(of_opens, rows)
        is_named, is_open = np.isin(rows, named), np.isin(rows, opens)
        length = told.length[rows]
        columns = [
            near,
            # means over the others, and two more that share nothing: one or two sentences are no crowd
            (by_named - is_named) / (len(named) - is_named + 2),
            (by_opens - is_open) / (len(opens) - is_open + 2),
            self._story[rows],
            np.log1p(np.maximum(by_named + by_opens, 0)),
            is_named,
            self._named[rows] > is_named,
            np.clip(told.published[rows] - day, -3, 10),
            np.minimum(length, 60),
            length > 35,
            told.place[rows] < 2,
            np.minimum(told.place[rows], 30),
            self._kind[rows, 0],
            self._kind[rows, 1],
        ]
        return rows, np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1)

    def best(self, day: int, most: int, weights: Weights, said: Sequence[int], *, strict: bool = False) -> list[int]:
        """At most `most` sentences for a day, no two alike and none like one that was said."""
        named, opens = self.candidates(day, strict=strict)
        if not len(named) and not len(opens):
            return self._title(day, said)
        rows, features = self.features(day, named, opens)
        score = features @ weights.sentences
        if strict:
            score = score + features[:, BY_RULE] @ RULED + FIRST * (self._told.place[rows] == 0)
        elsewhere = SAME_IN_A_STORY if strict else SAME_TWICE
        found: list[int] = []
        for row in rows[np.argsort(-score, kind="stable")]:
            if not self._repeats(int(row), found, SAME_ON_A_DAY) and not self._repeats(int(row), said, elsewhere):
                found.append(int(row))
                if len(found) == most:
                    break
        return found

    def _repeats(self, row: int, others: Sequence[int], bound: float) -> bool:
        if not others:
            return False
        return bool(self._told.against(self._told.total(np.array([row])), np.array(others)).max() >= bound)

    def _title(self, day: int, said: Sequence[int]) -> list[int]:
        """A title of the day, for a day whose articles have no sentence to quote at all."""
        told = self._told
        own = np.unique(told.article[told.published == day])
        wordy = np.unique(told.article[self._fit])
        titles = np.flatnonzero((told.place < 0) & np.isin(told.article, np.setdiff1d(own, wordy)))
        ranked = titles[np.argsort(-self._story[titles], kind="stable")]
        return [int(row) for row in ranked if not self._repeats(int(row), said, SAME_IN_A_STORY)][:1]


def _unit(vector: Floats) -> Floats:
    size = float(np.linalg.norm(vector))
    return vector / size if size else vector
