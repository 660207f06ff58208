"""What a recipe shows besides what is clicked: how unlike the stories are, how many subjects, how true to the reader.

    broadsheet evaluate beyond SET [--plot FILE.svg]
    broadsheet evaluate beyond SET --ablate           and the feed without each of its scorers

The feed that is shipped, with every preset of its sliders, picks five of the candidates of measured requests of ten and
more: each candidate a story of one article, each reader a fold over what they read. Beside it stand baselines and the
ranking filter. Accuracy and the rest come from the same five.

Measures: ILD, the mean distance (1 - cosine of what titles say) of two of the five; topics, how many of those on offer
are among them; calibration and fragmentation, the Jensen-Shannon divergence, weighted by rank, between subjects shown and
read, and between stories shown to two readers one after the other (RADio: Vrijenhoek et al., RecSys 2022); novelty, bits
that clicks up to then would need to tell them; Gini, how unevenly articles are shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.articles.embed import encode
from broadsheet.errors import InputError
from broadsheet.evaluation import clicks, ranking
from broadsheet.evaluation.clicks import Asked
from broadsheet.evaluation.plots import Point, scatter
from broadsheet.evaluation.report import Report, Row
from broadsheet.feed import build
from broadsheet.feed.build import STANDARD, build_feed, name_of
from broadsheet.feed.edition import Edition
from broadsheet.feed.others import Others
from broadsheet.feed.tune import PRESETS, as_tuned
from broadsheet.model import ArticleId, Event, Mute, Reader, ReaderId, Story, StoryId, Topic, bytes_of
from broadsheet.readers.profile import learn
from broadsheet.stages import Line
from broadsheet.stages.rank import TOGETHER, Linear
from broadsheet.stages.signals import Floats, Signals, seconds

SHOWN: Final = 5
OFFERED: Final = 10  # fewer candidates leave little to choose
MOST: Final = 800  # requests, evenly over time
READ: Final = 40  # articles of the history that a reader is folded from
LATELY: Final = 6 * 3600.0  # seconds for which what was read is still live
STEPS: Final = (0.0, 0.5, 2.0, 4.0)  # of the slider of diversity alone
LIKENESS: Final = (0.5, 3.0)  # of the slider of interest alone
Order = Sequence[int]  # candidates by place


@dataclass(frozen=True, slots=True)
class Five:
    """What was shown of a request, and what its measures need."""

    shown: Order
    asked: Asked
    near: Floats  # cosine of each two candidates
    topics: Sequence[int]  # of each candidate; -1: not known
    read: Sequence[int]  # topics of the history
    bits: Floats  # of each candidate: what clicks up to then would need to tell it


# --- the measures ------------------------------------------------------------------------------------------------


def unlike(near: Floats, shown: Order) -> float:
    """The mean distance of two that are shown (intra-list diversity)."""
    part = 1.0 - near[np.ix_(shown, shown)]
    n = len(shown)
    return float((part.sum() - np.trace(part)) / (n * (n - 1))) if n > 1 else 0.0


def ranked(names: Sequence[Any]) -> dict[Any, float]:
    """How much of a list each name is, a place being worth 1 / log2(1 + place)."""
    total: dict[Any, float] = {}
    for place, name in enumerate(names, 1):
        total[name] = total.get(name, 0.0) + 1 / math.log2(1 + place)
    mass = sum(total.values())
    return {name: x / mass for name, x in total.items()}


def divergence(one: Mapping[Any, float], other: Mapping[Any, float]) -> float:
    """The Jensen-Shannon divergence of two distributions, in bits: 0 where they are the same, 1 where they share nothing."""
    total = 0.0
    for name in {*one, *other}:
        p, q = one.get(name, 0.0), other.get(name, 0.0)
        mean = (p + q) / 2
        total += (p * math.log2(p / mean) if p else 0.0) / 2 + (q * math.log2(q / mean) if q else 0.0) / 2
    return max(total, 0.0)


def gini(counts: Sequence[float]) -> float:
    """How unevenly something is shared out: 0 evenly, towards 1 all to one."""
    held = np.sort(np.array(counts, float))
    n, total = len(held), held.sum()
    return float((2 * np.arange(1, n + 1) - n - 1) @ held / (n * total)) if n and total else 0.0


def beyond(fives: Sequence[Five]) -> dict[str, float]:
    """All measures of what one recipe shows."""
    offered = {id for five in fives for id in five.asked.request.candidates}  # noqa: A001
    exposure = Counter(five.asked.request.candidates[k] for five in fives for k in five.shown)
    split = [
        divergence(ranked([a.asked.request.candidates[k] for k in a.shown]), ranked([b.asked.request.candidates[k] for k in b.shown]))
        for a, b in pairwise(fives)
        if a.asked.request.reader != b.asked.request.reader
    ]  # fmt: skip
    read = [five for five in fives if five.read]
    worded = any(five.near.any() for five in fives)  # Globo has no words: how unlike its articles are can't be told
    return {
        "ILD": float(np.mean([unlike(five.near, five.shown) for five in fives])) if worded else math.nan,
        "topics": float(np.mean([_covered(five) for five in fives])),
        "calibration": float(np.mean([divergence(ranked([f.topics[k] for k in f.shown]), _even(f.read)) for f in read]))
        if read
        else math.nan,
        "fragmentation": float(np.mean(split)) if split else math.nan,
        "novelty": float(np.mean([five.bits[list(five.shown)].mean() for five in fives])),
        "gini": gini([exposure[id] for id in offered]),  # noqa: A001
    }


def _covered(five: Five) -> float:
    here = {five.topics[k] for k in five.shown if five.topics[k] >= 0}
    possible = {topic for topic in five.topics if topic >= 0}
    return len(here) / max(min(len(possible), SHOWN), 1)


def _even(names: Sequence[int]) -> dict[int, float]:
    return {name: n / len(names) for name, n in Counter(names).items()}


# --- the recipes -------------------------------------------------------------------------------------------------


class Newsroom:
    """The articles of a set as stories of one article each, and its readers as folds over what they read."""

    def __init__(self, articles: Sequence[Line], signals: Signals) -> None:
        self._articles = {str(a["id"]): a for a in articles}
        self._signals = signals
        self._made: dict[str, tuple[Topic, ...]] = {}
        self._vectors: dict[str, bytes] = {}
        self._wanted: dict[str, None] = {}

    def want(self, articles: Iterable[str]) -> None:
        """These are to be read."""
        self._wanted.update(dict.fromkeys(articles))

    def read_titles(self) -> None:
        """Vectors of what is wanted, a few hundred titles at a time."""
        known = (name for name in self._wanted if self._articles.get(name, {}).get("title"))
        new = [name for name in known if name not in self._vectors]
        for first in range(0, len(new), 240):
            part = new[first : first + 240]
            told = [self._articles[name] for name in part]
            said = encode([f"{article.get('title')}. {article.get('subtitle') or ''}" for article in told])
            self._vectors |= {id: bytes_of(v) for id, v in zip(part, said, strict=True)}  # noqa: A001

    def story(self, id: str, at: datetime) -> Story:  # noqa: A002
        """The article as a story that came up then."""
        article = self._articles.get(id, {})
        topics = self._made.get(id)
        if topics is None:
            named = [str(article.get("category") or ""), *map(str, article.get("topics") or ())]
            topics = tuple(Topic(id=t, label=t, weight=1.0 if k == 0 else 0.6) for k, t in enumerate(named) if t)
            self._made[id] = topics
        return Story(
            id=StoryId(id), headline=str(article.get("title") or ""), articles=(ArticleId(id),), publishers=("-",),
            first_seen=at, last_seen=at, topics=topics, vector=self._vectors.get(id, b""),
            language=str(article.get("language") or ""),
        )  # fmt: skip

    def reader(self, asked: Asked, now: datetime) -> Reader:
        """Folded from what was read, when it was read; where that is not known, as if it had been over the week before."""
        request = asked.request
        reader = Reader(id=ReaderId(request.reader or "-"))
        history = request.history[-READ:]
        week = [now - timedelta(hours=168 * (len(history) - k) / READ) for k in range(len(history))]
        times = [datetime.fromtimestamp(at, UTC) for at in request.read[-READ:]] or week
        for id, at in zip(history, times, strict=True):  # noqa: A001
            event = Event(reader=reader.id, kind="opened", at=at, story=StoryId(id))
            reader = learn(reader, event, self.story(id, at))
        seen = [s.name for s in self._signals.signals].index("seen")
        times_seen = np.rint(np.expm1(asked.together[:, seen])).astype(int).tolist()
        shown = {StoryId(id): n for id, n in zip(request.candidates, times_seen, strict=True) if n}  # noqa: A001
        only_read = tuple(Mute(kind="story", value=id) for id in self.just_read(asked))  # noqa: A001
        return replace(reader, shown=shown, mutes=only_read)

    def just_read(self, asked: Asked) -> list[str]:
        """What was read lately and is not offered: live, but not to be chosen."""
        request, offered = asked.request, set(asked.request.candidates)
        lately = zip(request.history[-len(request.read) :], request.read, strict=True) if request.read else ()
        return list(dict.fromkeys(id for id, at in lately if at > request.at - LATELY and id not in offered))  # noqa: A001

    def edition(self, asked: Asked, now: datetime) -> Edition:
        """The candidates, each as old as it is known to be, and what was just read."""
        age = [s.name for s in self._signals.signals].index("age")
        hours = np.expm1(asked.together[:, age])
        stories = []
        for id, old in zip(asked.request.candidates, hours.tolist(), strict=True):  # noqa: A001
            written = seconds(self._articles.get(id, {}).get("published"))
            first = min(written, asked.request.at) if written is not None else asked.request.at - old * 3600
            stories.append(self.story(id, datetime.fromtimestamp(first, UTC)))
        edition = Edition.of([*stories, *(self.story(id, now) for id in self.just_read(asked))], now)  # noqa: A001
        offered = np.isin(np.array(edition.ids), asked.request.candidates)
        return replace(edition, others=_among(asked.others, offered) if asked.others else None)


def _among(others: Others, offered: NDArray[np.bool_]) -> Others:
    """What is told of those that are offered, in an edition that has more."""
    opened, usual, readers = np.zeros(len(offered)), np.zeros(len(offered)), np.zeros(len(offered), np.int64)
    opened[offered], usual[offered], readers[offered] = others.opened, others.usual, others.readers
    return Others(others.at, opened, usual, readers)


@dataclass(frozen=True)
class Choice:
    """A measured request, ready to be made a feed of."""

    asked: Asked
    newsroom: Newsroom

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.asked.request.at, UTC)

    @cached_property
    def reader(self) -> Reader:
        return self.newsroom.reader(self.asked, self.now)

    @cached_property
    def edition(self) -> Edition:
        return self.newsroom.edition(self.asked, self.now)

    def feed(self, values: Mapping[str, float], recipe: build.Recipe = STANDARD) -> Order:
        """The candidates as the recipe puts them with these sliders."""
        reader = as_tuned(self.reader, values) if values else self.reader
        feed = build_feed(reader, self.edition, recipe, self.now, np.random.default_rng(0))
        place = {StoryId(id): k for k, id in enumerate(self.asked.request.candidates)}  # noqa: A001
        first = [place[item.story] for item in feed.items]
        return [*first, *(k for k in range(len(place)) if k not in set(first))]


Recipe = Callable[[Choice], Order]


def recipes(signals: Signals) -> dict[str, tuple[str, Recipe]]:
    """What is compared: its kind in the figure, and how it puts the candidates in order."""
    lot = np.random.default_rng(0)
    clicked = signals.names.index("clicks 12 hours")
    linear = Linear(TOGETHER, signals.signals)
    found: dict[str, tuple[str, Recipe]] = {
        "chance": ("baseline", lambda c: lot.permutation(len(c.asked.clicked)).tolist()),
        "clicks, 12 hours": ("baseline", lambda c: _down(c.asked.together[:, clicked])),
        "ranking filter": ("baseline", lambda c: _down(linear(c.asked.together).sum(axis=1))),
    }

    def tuned(values: Mapping[str, float]) -> Recipe:
        return lambda c: c.feed(values)

    found |= {preset.name: ("ours", tuned(preset.values)) for preset in PRESETS}
    found |= {f"diversity {x:g}": ("step", tuned({"diversity": x})) for x in STEPS}
    return found | {f"interest {x:g}": ("ours", tuned({"interest": x})) for x in LIKENESS}


def ablated() -> dict[str, Recipe]:
    """The shipped feed without each of its scorers."""

    def without(left_out: str) -> Recipe:
        scorers = tuple(scorer for scorer in STANDARD.scorers if name_of(scorer) != left_out)
        return lambda c: c.feed({}, replace(STANDARD, scorers=scorers))

    return {f"without {name}": without(name) for name in map(name_of, STANDARD.scorers)}


def _down(points: Floats) -> Order:
    order: list[int] = np.argsort(-np.nan_to_num(points), kind="stable").tolist()
    return order


def evaluate(path: Path, *, whole: bool = False, plot: Path | None = None, ablate: bool = False) -> Report:
    """What each recipe shows, by all measures. `plot` writes accuracy against diversity as SVG."""
    found = clicks.load(path, whole=whole)
    asked, signals = clicks.walk(found)
    asked = [a for a in asked if len(set(a.request.candidates)) >= OFFERED]
    asked = asked[:: -(-len(asked) // MOST)] if asked else []
    if not asked:
        raise InputError(f"No request of the set has {OFFERED} candidates.")
    newsroom = Newsroom(found.articles, signals)
    for a in asked:
        newsroom.want((*a.request.candidates, *a.request.history[-READ:]))
    newsroom.read_titles()
    choices = [Choice(a, newsroom) for a in asked]
    rows, points = [], []
    left_out = {name: ("", order) for name, order in ablated().items()} if ablate else {}
    for name, (kind, order) in (recipes(signals) | left_out).items():
        orders = [order(choice) for choice in choices]
        scores = [_scores(o) for o in orders]
        figures = ranking.summary(ranking.measured(asked, scores), asked)
        hits = float(np.mean([a.clicked[list(o[:SHOWN])].any() for a, o in zip(asked, orders, strict=True)]))
        shown = list(_fives(asked, orders, signals))
        kept = {x: figures[x] for x in ("ndcg10", "ndcg10 ±")}
        rows.append(Row(name, {"hit5": hits, **kept, **beyond(shown)}))
        if kind and not math.isnan(rows[-1].figures["ILD"]):
            points.append(Point(name, rows[-1].figures["ILD"], figures["ndcg10"], kind))  # type: ignore[arg-type]
    if plot is not None:
        plot.write_text(
            scatter(points, x="diversity: ILD of the first five", y="accuracy: nDCG@10", title=f"Accuracy and diversity, {found.name}"),
            "utf-8",
        )  # fmt: skip
    part = "" if whole else " (a part)"
    how = f"The first {SHOWN} of requests with {OFFERED} candidates and more."
    return Report(
        task="beyond", dataset=f"{found.name}{part}", rows=tuple(rows), notes=ranking.notes(found, asked, how)
    )


def _scores(order: Order) -> Floats:
    scores = np.empty(len(order))
    scores[list(order)] = -np.arange(len(order), dtype=float)
    return scores


def _fives(asked: Sequence[Asked], orders: Sequence[Order], signals: Signals) -> Iterator[Five]:
    shelf, clicked = signals.shelf, signals.names.index("clicks 2 days")
    for a, order in zip(asked, orders, strict=True):
        listed = [shelf.of(id) for id in a.request.candidates]  # noqa: A001
        said = shelf.meanings.of(listed)
        counts = np.expm1(a.together[:, clicked]) + 1.0
        yield Five(
            shown=list(order[:SHOWN]),
            asked=a,
            near=(said @ said.T).astype(float),
            topics=[shelf.category[i] for i in listed],
            read=[x for x in (shelf.category[shelf.of(id)] for id in a.request.history) if x >= 0],  # noqa: A001
            bits=-np.log2(counts / counts.sum()),
        )
