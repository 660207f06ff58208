"""A story by its days: which days matter, and the sentences, quoted, that say what happened on each.

The order of Ghalandari and Ifrim, "Examining the State-of-the-Art in News Timeline Summarization" (ACL 2020): days are
ranked by a regression over how they are named, then sentences that name the day and leads published from that day on are
ranked beside the mean of both. Both rankings here are linear, fitted by `scripts/train_timelines.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, Moment
from broadsheet.stories.narrative import MOST_SENTENCES, Floats, Ints, Narrative, narrate
from broadsheet.stories.sentences import TITLE, Sentences

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
    moments: list[Moment] = []
    said: list[int] = []
    reader = Reader(told)
    for day in chosen(days_of(told, span), fitted, length):
        for row in reader.best(day, most, fitted, said, strict=length is None):
            said.append(row)
            moments.append(_moment(day, told, row))
    return tuple(moments)


def _moment(day: int, told: Narrative, row: int) -> Moment:
    passage, titled = told.passage(row), told.place[row] < 0
    return Moment(
        date=datetime.combine(date.fromordinal(day), datetime.min.time(), UTC),
        sentence=passage.text,
        article=passage.article,
        start=None if titled else passage.start,
        end=None if titled else passage.end,
    )


# --- days --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Days:
    """The days that a timeline may have, as ordinals in order. Their features are worked out when they are first asked: a
    story of few days tells them all."""

    told: Narrative
    span: tuple[int, int]
    ordinals: Ints
    worth: NDArray[np.bool_]  # an article appeared on it, or two name it, or a recent article opens with it

    @cached_property
    def features(self) -> Floats:
        """A row of `DAY_FEATURES` for each day."""
        return _features(self)


def chosen(days: Days, weights: Weights, length: int | None) -> list[int]:
    """The days to tell, in order: the `length` best, or as many as the story asks for."""
    worth = days.worth
    if length is None and int(worth.sum()) <= EVERY_DAY:
        return [int(day) for day in days.ordinals[worth]]
    score = days.features @ weights.days + weights.bias
    order = np.lexsort((-days.ordinals, -score))  # of equals the newer
    if length is not None:
        return sorted(days.ordinals[order[: max(0, length)]].tolist())
    least = float(np.sort(score[worth])[::-1][EVERY_DAY - 1])
    newest = int(np.flatnonzero(worth)[-1])
    worth = worth & (score >= min(weights.likely, least))
    worth[newest] = True
    order = np.concatenate([[newest], order[order != newest]])
    return sorted(days.ordinals[[place for place in order if worth[place]][:MOST_DAYS]].tolist())


def days_of(told: Narrative, span: tuple[date, date] | None = None) -> Days:
    """The days on which articles appeared or that they name, within `span` or up to the last article."""
    if not len(told):
        return Days(told, (0, 0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_))
    appeared = dict(zip(told.article, told.published, strict=True))
    reported = Counter(appeared.values())
    low, high = (span[0].toordinal(), span[1].toordinal()) if span else (min(reported) - BEFORE, max(reported))
    named: dict[int, set[int]] = {}
    opens: set[int] = set()
    for row, day in told.mentions:
        if low <= day <= high:
            by = named.setdefault(day, set())
            gap = told.published[row] - day
            if gap >= 0:
                by.add(told.article[row])
                if gap <= ABOUT and told.place[row] < LEADS:
                    opens.add(day)
    ordinals = sorted({*named, *(day for day in reported if low <= day <= high)})
    worth = [bool(reported[day]) or len(named.get(day, ())) > 1 or day in opens for day in ordinals]
    return Days(told, (low, high), np.array(ordinals, dtype=np.int64), np.array(worth, dtype=np.bool_))


def _level(values: Floats, reach: int) -> Floats:
    """For each day the mean of the days around it, `reach` on either side."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return np.asarray((sums[high] - sums[low]) / (high - low))


def _features(of: Days) -> Floats:
    told, ordinals = of.told, of.ordinals
    if not len(ordinals):
        return np.zeros((0, len(DAY_FEATURES)))
    low, high = of.span
    inside = sorted((day, row) for row, day in told.mentions if low <= day <= high)
    named, row = np.array(inside, dtype=np.int64).reshape(-1, 2).T
    article, published = np.array(told.article, dtype=np.int64), np.array(told.published, dtype=np.int64)
    base, size = int(ordinals[0]), int(ordinals[-1] - ordinals[0]) + 1
    at = ordinals - base

    def count(which: Ints, shares: Floats | None = None) -> Floats:
        return np.log1p(np.bincount(which - base, shares, minlength=size))

    by_article = np.unique(np.stack([named, article[row]]), axis=1)
    by_day = np.unique(np.stack([named, published[row]]), axis=1)
    articles, days = count(by_article[0]), count(by_day[0])
    later = count(by_day[0], np.log1p(np.maximum(by_day[1] - by_day[0], 0)))
    mass, support = _agreement(told, ordinals, named, row)

    def share(values: Floats) -> Floats:
        most = float(values.max(initial=0.0))
        return values / most if most else values

    return np.stack(
        [
            share(articles[at]), (articles - _level(articles, 30))[at],
            share(days[at]), (days - _level(days, 30))[at],
            (later - _level(later, 30))[at], share(mass), share(support),
        ],
        axis=1,
    )  # fmt: skip


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

    def __init__(self, told: Narrative) -> None:
        self._told = told
        self._naming: dict[int, list[int]] = {}  # the rows that name a day
        self._named: dict[int, list[int]] = {}  # the days that a row names
        self._opening: dict[int, list[int]] = {}  # the first sentences of the articles of a day
        for row, day in told.mentions:
            self._naming.setdefault(day, []).append(row)
            self._named.setdefault(row, []).append(day)
        for row, (day, place) in enumerate(zip(told.published, told.place, strict=True)):
            if place < LEADS:
                self._opening.setdefault(day, []).append(row)

    @cached_property
    def _story(self) -> Floats:
        """How near each row is to the mean of all."""
        return self._told.against(_unit(self._told.total(np.arange(len(self._told)))))

    def _is_old(self, row: int) -> bool:
        """Whether it speaks of another month or year alone ("in March", "in 1998"): that is background."""
        day, spoken = self._told.published[row], self._told.spoken(row)
        return bool(spoken) and all(
            m.span != "day" and not m.first.toordinal() <= day <= m.last.toordinal() for m in spoken
        )

    def _reports(self, row: int, other_than: int) -> bool:
        """Whether it names another recent day."""
        published = self._told.published[row]
        return any(day != other_than and abs(day - published) <= ABOUT for day in self._named.get(row, ()))

    def candidates(self, day: int, *, strict: bool = False) -> tuple[list[int], list[int]]:
        """The usable sentences that name a day, and those that open articles of it.

        Articles of the days just after count as of it where they name it. What reports another recent day is left out, unless
        nothing else is there. `strict`: then nothing is there; nor what was said ahead of the day, nor what speaks of another
        month or year alone.
        """
        told = self._told
        naming = {told.article[row] for row in self._naming.get(day, ())}
        named = [row for row in self._naming.get(day, ()) if told.is_usable(row)]
        opens = [
            row
            for when in range(day, day + 1 + (0 if strict else LATER))
            for row in self._opening.get(when, ())
            if (when == day or told.article[row] in naming) and told.is_usable(row)
        ]
        among = set(named)
        own = [row for row in opens if row in among or not self._reports(row, day)]
        since = [row for row in named if told.published[row] >= day]
        if strict:
            return since, [row for row in own if not self._is_old(row)]
        if since or own:  # what was announced is told only where nothing was reported
            return since, own
        return named, own if named else opens

    def features(self, day: int, named: Collection[int], opens: Collection[int]) -> tuple[Ints, Floats]:
        """The sentences of both kinds and what each is like (`SENTENCE_FEATURES`)."""
        told = self._told
        rows = _rows({*named, *opens})
        of_named, of_opens = told.total(_rows(named)), told.total(_rows(opens))
        mean = _unit(_unit(of_named) + _unit(of_opens))
        near = told.against(mean, rows)
        if len(rows) > READ:
            kept = np.sort(np.argsort(-near, kind="stable")[:READ])
            rows, near = rows[kept], near[kept]
        by_named, by_opens = told.against(of_named, rows), told.against(of_opens, rows)
        both = [set(named), set(opens)]
        every = rows.tolist()
        is_named, is_open = (np.array([row in kind for row in every], dtype=np.bool_) for kind in both)
        length = told.rows.length[rows]
        place = np.array([told.place[row] for row in every])
        published = np.array([told.published[row] for row in every])
        days = np.array([len(self._named.get(row, ())) for row in every])
        texts = [told.passage(row).text for row in every]
        columns = [
            near,
            # means over the others, and two more that share nothing: one or two sentences are no crowd
            (by_named - is_named) / (len(named) - is_named + 2),
            (by_opens - is_open) / (len(opens) - is_open + 2),
            self._story[rows],
            np.log1p(np.maximum(by_named + by_opens, 0)),
            is_named,
            days > is_named,
            np.clip(published - day, -3, 10),
            np.minimum(length, 60),
            length > 35,
            place < 2,
            np.minimum(place, 30),
            [_OPENING.match(text) is not None for text in texts],
            [_QUOTE.search(text) is not None for text in texts],
        ]
        return rows, np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1)

    def best(self, day: int, most: int, weights: Weights, said: Sequence[int], *, strict: bool = False) -> list[int]:
        """At most `most` sentences for a day, no two alike and none like one that was said."""
        named, opens = self.candidates(day, strict=strict)
        several = {*named, *opens}
        if not several:
            return self._title(day, said)
        elsewhere = SAME_IN_A_STORY if strict else SAME_TWICE
        if len(several) == 1:
            return [row for row in several if most > 0 and not self._repeats(row, said, elsewhere)]
        rows, features = self.features(day, named, opens)
        score = features @ weights.sentences
        if strict:
            first = np.array([self._told.place[row] == 0 for row in rows.tolist()])
            score = score + features[:, BY_RULE] @ RULED + FIRST * first
        found: list[int] = []
        for row in rows[np.argsort(-score, kind="stable")].tolist():
            if not self._repeats(row, found, SAME_ON_A_DAY) and not self._repeats(row, said, elsewhere):
                found.append(row)
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
        titles = [row for row in self._opening.get(day, ()) if told.place[row] == TITLE]
        if not titles:
            return []
        own = {told.article[row] for row in titles}
        wordy = {told.article[row] for row in range(len(told)) if told.article[row] in own and told.is_usable(row)}
        titles = [row for row in titles if told.article[row] not in wordy]
        if len(titles) > 1:
            titles.sort(key=lambda row: -self._story[row])
        return [row for row in titles if not self._repeats(row, said, SAME_IN_A_STORY)][:1]


def _rows(of: Iterable[int]) -> Ints:
    return np.array(sorted(of), dtype=np.int64)


def _unit(vector: Floats) -> Floats:
    size = float(np.linalg.norm(vector))
    return vector / size if size else vector
