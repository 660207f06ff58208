"""What readers opened of the pages that they were shown: how far down they look, which weights of the signals would have
put what they opened further up, and whether a change of weights is worth it. All of it from the log, none of it live.

A page that was logged holds the points of every reason, so it can be put in another order without being made again. What
stands low is opened less because it is looked at less: an opening at a place that one in five looks at counts five times
(inverse propensity; Joachims, Swaminathan and Schnabel, WSDM 2017), and no more than `MOST` times, for a few of them
would else decide all. What was not on the page can't be judged: exploration sees to it that pages hold some of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.edition import Floats
from broadsheet.feed.score import SCORERS
from broadsheet.model import Event, Feed, FeedId, ReaderId

KEPT: Final = (
    "follows",
    "exploration",
    "diversity",
    "budget",
)  # a reader's own words, lots, and what the page itself takes
LEARNED: Final = tuple(name for name in SCORERS if name not in KEPT)
OF: Final = {"update": "fatigue"}  # signals of reasons that another scorer gives
MOST: Final = 10.0  # what an opening counts at most
LEAST, LARGEST = 0.2, 5.0  # no signal is turned down or up further
LATER: Final = timedelta(hours=12)  # a story opened longer after a page was shown was not opened from it
USUAL: Final = 0.7  # how fast looking falls with the place where nothing is known: 1 / (1 + place) ** 0.7
SURE: Final = 0.3  # the spread of that
DRAWS: Final = 400


@dataclass(frozen=True, slots=True)
class Page:
    """A feed that was shown: points of each story by signal, what is never weighed, where it stood, whether it was opened."""

    reader: ReaderId
    at: datetime
    stories: tuple[str, ...]
    points: Floats  # a row a story, a column each of LEARNED
    kept: Floats
    place: Floats  # from 0
    opened: NDArray[np.bool_]
    chance: float | None = None  # the share of stories that were drawn by lot


def pages(feeds: Iterable[tuple[Feed, Sequence[int]]], opened: Iterable[Event]) -> list[Page]:
    """The logged feeds, in order of time, with what was opened from each: from the latest one that showed the story."""
    shown = sorted(feeds, key=lambda one: (one[0].at, one[0].id))
    column = {name: k for k, name in enumerate(LEARNED)}
    last: dict[ReaderId, list[Feed]] = {}
    for feed, _ in shown:
        last.setdefault(feed.reader, []).append(feed)
    chosen: dict[FeedId, set[str]] = {}
    for event in opened:
        for feed in reversed(last.get(event.reader, ())):
            if event.at - LATER <= feed.at <= event.at and any(item.story == event.story for item in feed.items):
                chosen.setdefault(feed.id, set()).add(str(event.story))
                break
    found = []
    for feed, places in shown:
        if not feed.items:
            continue
        points, kept = np.zeros((len(feed.items), len(LEARNED))), np.zeros(len(feed.items))
        for row, item in enumerate(feed.items):
            for reason in item.reasons:
                k = column.get(OF.get(reason.signal, reason.signal))
                if k is None:
                    kept[row] += reason.points
                else:
                    points[row, k] += reason.points
        stories = tuple(str(item.story) for item in feed.items)
        mine = chosen.get(feed.id, set())
        stood, was_opened = np.array(places, float), np.array([story in mine for story in stories])
        found.append(Page(feed.reader, feed.at, stories, points, kept, stood, was_opened, feed.items[0].chance))
    return found


# --- how far down is looked --------------------------------------------------------------------------------------


def steepness(log: Sequence[Page]) -> float:
    """How fast looking falls with the place: a story is looked at with the chance 1 / (1 + place) ** steepness.

    From stories that stood at several places: which of those places they were opened at (a conditional logit within
    each story, so how good a story is plays no part), with a prior at the usual. What is put higher for those who like
    it looks like more of it: the estimate is rather too steep than too flat.
    """
    held: dict[str, list[tuple[float, bool]]] = {}
    for page in log:
        for story, place, opened in zip(page.stories, page.place.tolist(), page.opened.tolist(), strict=True):
            held.setdefault(story, []).append((float(np.log1p(place)), opened))
    groups = [
        (np.array([x for x, _ in seen]), np.array([o for _, o in seen], float))
        for seen in held.values()
        if any(o for _, o in seen) and len({x for x, _ in seen}) > 1
    ]
    eta = USUAL
    for _ in range(30):
        slope, curve = (eta - USUAL) / SURE**2, 1 / SURE**2
        for x, opened in groups:
            chances = np.exp(-eta * (x - x.min()))
            chances /= chances.sum()
            mean, n = float(chances @ x), float(opened.sum())
            slope += float(opened @ x) - n * mean
            curve += n * float(chances @ (x - mean) ** 2)
        step = slope / curve
        eta = float(np.clip(eta - step, 0.0, 3.0))
        if abs(step) < 1e-6:
            break
    return eta


def looked(place: Floats, eta: float) -> Floats:
    """The chance that a place (from 0) is looked at, against the first."""
    return np.asarray((1.0 + place) ** -eta)


# --- weights -----------------------------------------------------------------------------------------------------


def fit(log: Sequence[Page], eta: float, ridge: float = 20.0) -> dict[str, float]:
    """For each signal how many times what it counts now it should count: 1 where the log says nothing.

    The softmax over each page is given the openings, each weighing one over the chance that its place is looked at;
    held to what is now with the strength of `ridge` openings.
    """
    useful = [page for page in log if 0 < page.opened.sum() < len(page.opened)]
    if not useful:
        return dict.fromkeys(LEARNED, 1.0)
    sizes = np.array([len(page.opened) for page in useful])
    start = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    of = np.repeat(np.arange(len(sizes)), sizes)
    design = np.column_stack((np.concatenate([p.points for p in useful]), np.concatenate([p.kept for p in useful])))
    weight = np.concatenate([p.opened / np.maximum(looked(p.place, eta), 1 / MOST) for p in useful])
    weight *= sum(p.opened.sum() for p in useful) / weight.sum()
    spread = np.maximum(design.std(axis=0), 1e-6)

    def newton(x: Floats, beta: Floats, towards: Floats, hold: Floats) -> Floats:
        for _ in range(40):
            score = x @ beta
            raised = np.exp(score - np.maximum.reduceat(score, start)[of])
            chance = raised / np.add.reduceat(raised, start)[of]
            mass = np.add.reduceat(weight, start)[of] * chance
            mean = np.add.reduceat(x * chance[:, None], start, axis=0)[of]
            off = x - mean
            slope = x.T @ (weight - mass) - hold * (beta - towards)
            curve = (off * mass[:, None]).T @ off + np.diag(hold)
            step = np.linalg.solve(curve, slope)
            beta = beta + np.clip(step, -2, 2)
            if float(np.abs(step).max()) < 1e-6:
                break
        return beta

    one = np.ones(1)
    scale = float(newton(design.sum(axis=1)[:, None], one, one, one)[0])
    scale = max(scale, 0.05)
    now = np.full(design.shape[1], scale)
    beta = newton(design, now.copy(), now, ridge * spread**2 + 1e-6)
    against = max(float(beta[-1]), 0.25 * scale)  # what is not weighed says what a point is worth
    said = design.std(axis=0) > 1e-6  # what was on no page, or alike on all, stays as it is
    return {
        name: float(np.clip(x / against, LEAST, LARGEST)) if known else 1.0
        for name, x, known in zip(LEARNED, beta[:-1].tolist(), said[:-1].tolist(), strict=True)
    }


# --- replay ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What other weights would have brought on the same pages, against those of now; ± is half of a 95 % interval."""

    pages: int
    opened: int
    now: float  # openings a page, as it was shown (less what `MOST` cuts off)
    ips: float  # openings a page, by inverse propensity
    snips: float  # the chance that what would be opened is looked at: normalised (Swaminathan and Joachims, NIPS 2015)
    gain: float  # ips / now - 1
    half: float  # ± of the gain, drawn over readers' days

    @property
    def is_better(self) -> bool:
        return self.gain > 0


def replay(log: Sequence[Page], weights: Mapping[str, float], eta: float, seed: int = 0) -> Replayed:
    """Every page put in the order of the weights; what was opened counts by how much its new place is looked at."""
    by = np.array([weights.get(name, 1.0) for name in LEARNED])
    rows, names = [], []
    for page in log:
        order = np.argsort(-(page.points @ by + page.kept), kind="stable")
        place = np.empty(len(order))
        place[order] = np.sort(page.place)
        old, new = looked(page.place, eta), looked(place, eta)
        wish = np.minimum(1 / old, MOST) * page.opened
        rows.append((float(wish @ old), float(wish @ new), float(wish.sum())))
        names.append((page.reader, page.at.date()))
    if not rows:
        return Replayed(pages=0, opened=0, now=0.0, ips=0.0, snips=0.0, gain=0.0, half=0.0)
    number: dict[object, int] = {}
    of = np.array([number.setdefault(name, len(number)) for name in names])
    sums = np.zeros((len(number), 3))
    np.add.at(sums, of, np.array(rows))

    def gain(total: Floats) -> float:
        return float(total[1] / total[0] - 1) if total[0] else 0.0

    rng = np.random.default_rng(seed)
    drawn = [gain(sums[rng.integers(0, len(sums), len(sums))].sum(axis=0)) for _ in range(DRAWS)]
    half = float(np.quantile(drawn, 0.975) - np.quantile(drawn, 0.025)) / 2
    now, ips, wished = sums.sum(axis=0).tolist()
    opened = int(sum(page.opened.sum() for page in log))
    return Replayed(
        pages=len(rows), opened=opened, now=now / len(rows), ips=ips / len(rows),
        snips=ips / wished if wished else 0.0, gain=gain(sums.sum(axis=0)), half=half,
    )  # fmt: skip
