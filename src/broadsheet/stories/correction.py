"""What people's words on pairs of articles teach: a small correction on top of the forest that is shipped.

The corrected log odds are `scale` times the forest's, plus `shift`, plus a weight for each of a few things of the pair. A
ridge holds it to the shipped judgement (scale 1, the rest 0), so that few words move it little. It is fitted by Newton's
method, and kept only where it judges pairs that it has not seen better than the forest alone.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from broadsheet.errors import ConfigError, InputError
from broadsheet.model import Article
from broadsheet.stories import pairs
from broadsheet.stories.features import FEATURES, Comparer, Floats, Rarity, sketch

Doubles = NDArray[np.float64]
log = logging.getLogger("broadsheet")

# What is learned of, where each lies in the middle, and how far apart it commonly lies: so that one ridge suits all.
# A thing that is unknown counts as lying in the middle. The figures are round ones near the means and standard deviations
# over the pairs that grouping asks about.
LEARNED: Mapping[str, tuple[float, float]] = {
    "same_publisher": (0.0, 0.5),
    "days": (2.0, 3.0),
    "body": (0.2, 0.15),
    "title": (0.2, 0.2),
    "names": (0.25, 0.2),
    "vector": (0.6, 0.15),
    "shorter": (5.5, 1.0),
}
_COLUMNS = [FEATURES.index(name) for name in LEARNED]
_MIDDLE = np.array([middle for middle, _ in LEARNED.values()])
_WIDTH = np.array([width for _, width in LEARNED.values()])
FURTHEST = 3.0  # widths from the middle, at most: one odd pair says no more

RIDGE = 4.0  # pairs' worth of doubt about each weight
LEAST = 20  # pairs below which nothing is fitted
EACH = 5  # of either kind: with words of one kind alone, nothing says where they end
FOLDS = 10


def _things(rows: Floats) -> Doubles:
    found = (rows[:, _COLUMNS].astype(np.float64) - _MIDDLE) / _WIDTH
    known: Doubles = np.clip(np.nan_to_num(found, nan=0.0), -FURTHEST, FURTHEST)
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """How people's judgement differs from the forest's. By itself it changes nothing."""

    scale: float = 1.0
    shift: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)  # of the things in `LEARNED`
    forest: str = ""  # the forest that it corrects (`pairs.digest`)
    learned: str = ""  # from how many pairs, and what was measured, in a sentence

    def as_json(self) -> dict[str, Any]:
        return {
            "format": "broadsheet stories 1",
            "forest": self.forest,
            "scale": self.scale,
            "shift": self.shift,
            "weights": dict(self.weights),
            "learned": self.learned,
        }


def read(path: Path) -> Correction:
    """The correction in a file that `broadsheet train stories` wrote. Raises `ConfigError`."""
    try:
        kept = orjson.loads(path.read_bytes())
    except OSError as e:
        raise ConfigError(f"The stories_model {path} can't be read: {e.strerror}.") from e
    except orjson.JSONDecodeError as e:
        raise ConfigError(f"The stories_model {path} is not JSON: {e}.") from e
    try:
        if kept["format"] != "broadsheet stories 1" or not set(kept["weights"]) <= set(LEARNED):
            raise ValueError
        numbers = [float(x) for x in (kept["scale"], kept["shift"], *kept["weights"].values())]
        if not np.isfinite(numbers).all():
            raise ValueError
        return Correction(
            scale=numbers[0],
            shift=numbers[1],
            weights=dict(zip(kept["weights"], numbers[2:], strict=True)),
            forest=str(kept["forest"]),
            learned=str(kept.get("learned", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise ConfigError(f"{path} is no file of `broadsheet train stories`: train again.") from e


class Corrected:
    """A forest with a correction on top: asked as the forest is."""

    __slots__ = ("_correction", "_forest", "_weights")

    def __init__(self, forest: pairs.Judge, correction: Correction) -> None:
        self._forest, self._correction = forest, correction
        self._weights = np.array([correction.weights.get(name, 0.0) for name in LEARNED])

    def log_odds(self, rows: Floats) -> Doubles:
        if not len(rows):
            return np.zeros(0)
        found: Doubles = (
            self._correction.scale * self._forest.log_odds(rows)
            + self._correction.shift
            + _things(rows) @ self._weights
        )
        return found

    def contributions(self, row: Floats) -> tuple[float, Doubles]:
        """What each feature adds, as `pairs.Forest.contributions`: what was learned of a thing is part of its feature's."""
        begun, added = self._forest.contributions(row)
        added = self._correction.scale * added
        added[_COLUMNS] += _things(row[None, :])[0] * self._weights
        return self._correction.scale * begun + self._correction.shift, added

    def probability(self, rows: Floats) -> Doubles:
        return _logistic(self.log_odds(rows))


def judge(path: str) -> pairs.Judge:
    """The shipped forest, with the correction of the file if one is named. Raises `ConfigError`.

    A correction of another forest is left out, and a warning says so: an upgrade must not stop anything.
    """
    shipped = pairs.packaged()
    if not path:
        return shipped
    correction = read(Path(path))
    if correction.forest != pairs.digest():
        log.warning("%s corrects the grouping of another version and is left out: run `broadsheet train stories`", path)
        return shipped
    return Corrected(shipped, correction)


# --- learning it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two articles, and whether somebody said that they are one story; not `said`: nobody spoke of them."""

    one: Article
    other: Article
    same: bool
    a_day: float = 100.0  # articles a day that the stream brought
    said: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Log loss a pair, over pairs that the judge did not see, and the share of them that it judged rightly."""

    loss: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A correction, and what the shipped forest and corrections like it make of pairs they did not see."""

    correction: Correction
    before: Measured
    after: Measured
    together: int
    apart: int
    left_alone: int = 0
    changed: int = 0  # of those left alone, how many are judged otherwise now

    def sentence(self) -> str:
        """For a person."""
        alone = (
            f" Of {self.left_alone} pairs of which nobody spoke, {self.changed} "
            f"{'is' if self.changed == 1 else 'are'} judged otherwise."
            if self.left_alone
            else ""
        )
        return (
            f"Learned from {self.together + self.apart} pairs, {self.together} together and {self.apart} apart. On pairs "
            f"that it had not seen, the log loss went from {self.before.loss:.3f} to {self.after.loss:.3f} and the share "
            f"judged rightly from {self.before.right:.2f} to {self.after.right:.2f}.{alone}"
        )


def rows_of(found: Sequence[Pair]) -> Floats:
    """The features of each pair, the later article compared with the earlier as grouping does."""
    rarity, comparer = Rarity.packaged(), Comparer()
    rows = np.zeros((len(found), len(FEATURES)), dtype=np.float32)
    for place, pair in enumerate(found):
        one, other = (sketch(a, rarity, learn=False) for a in (pair.one, pair.other))
        first, second = (other, one) if one.when > other.when else (one, other)
        rows[place] = comparer.compare(second, [first], pair.a_day)[0]
    return rows


def train(found: Sequence[Pair], *, forest: pairs.Judge | None = None) -> Learned:
    """The correction that these pairs teach. Raises `InputError`, as `learn` does."""
    articles = [(p.one.id, p.other.id) for p in found]
    return learn(rows_of(found), [p.same for p in found], articles, [p.said for p in found], forest=forest)


def learn(
    rows: Floats,
    same: Sequence[bool],
    articles: Sequence[tuple[Hashable, Hashable]],
    said: Sequence[bool] | None = None,
    *,
    forest: pairs.Judge | None = None,
) -> Learned:
    """The correction that these pairs teach; `articles` are the two of each.

    People speak where grouping errs, so that by their words alone it always does. If they speak of an error so many times
    as often as of what is right, that adds a constant to the log odds of a word, against what the forest says; it is
    fitted along and then left away, as in a study of chosen cases. Pairs that were not `said` each ask to be judged
    as they are judged now, and all of them together weigh at most as much as the words.

    Raises `InputError` where there are too few words, or where what was learned judges words on articles that it has not
    seen not clearly better than the forest as shipped, with the same constant, does.
    """
    shipped = forest or pairs.packaged()
    odds = shipped.log_odds(rows)
    spoken = np.ones(len(odds), dtype=bool) if said is None else np.array(said, dtype=bool)
    y = np.where(spoken, np.array(same, dtype=np.float64), _logistic(odds))
    counts = np.where(spoken, 1.0, min(1.0, spoken.sum() / max(1, (~spoken).sum())))
    together, apart = int(y[spoken].sum()), int((1 - y[spoken]).sum())
    if together + apart < LEAST or min(together, apart) < EACH:
        raise InputError(
            f"There are words on {together + apart} pairs, {together} together and {apart} apart: "
            f"at least {LEAST} are needed, {EACH} of each kind. Nothing was written."
        )
    design = np.column_stack((odds, np.ones(len(odds)), _things(rows), -np.sign(odds) * spoken))
    unseen = {name: np.zeros(len(y)) for name in _FITTED}
    for out, rest in _folds(articles, spoken):
        if (spoken & rest).sum() < LEAST / 2:
            raise InputError(
                "The words are on articles that hang together, so that none is left to measure on. Nothing was written."
            )
        for name in _FITTED:
            unseen[name][out] = design[out] @ _newton(name, design[rest], y[rest], counts[rest])
    before, after, blind = (_measured(unseen[name][spoken], y[spoken]) for name in _FITTED)
    gain = (_loss(unseen["shipped"], y) - _loss(unseen["learned"], y))[spoken]
    # To say the same of every pair is no judgement, though it has a lower log loss than a sure one on words that are
    # tossed like a coin; and a gain within its own standard error may be luck.
    if gain.mean() <= gain.std() / math.sqrt(len(gain)) or after.loss >= blind.loss:
        raise InputError(
            f"What {together + apart} pairs teach does not help: on pairs that it had not seen, its log loss is "
            f"{after.loss:.3f}, that of the model as shipped {before.loss:.3f}, and that of not looking at them "
            f"{blind.loss:.3f}. Nothing was written."
        )
    a, b, *w, _ = fitted = _newton("learned", design, y, counts)
    now = design[~spoken] @ fitted
    correction = Correction(
        scale=float(a), shift=float(b), weights=dict(zip(LEARNED, map(float, w), strict=True)), forest=pairs.digest()
    )
    learned = Learned(
        correction=correction,
        before=before,
        after=after,
        together=together,
        apart=apart,
        left_alone=int((~spoken).sum()),
        changed=int(((odds[~spoken] > 0) != (now > 0)).sum()),
    )
    return replace(learned, correction=replace(correction, learned=learned.sentence()))


def _folds(
    articles: Sequence[tuple[Hashable, Hashable]], spoken: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """A tenth of the words, and the pairs that share no article with any of these; ten times, the same each time."""
    words = np.flatnonzero(spoken)
    for number in range(FOLDS):
        out = np.zeros(len(articles), dtype=bool)
        out[words[number::FOLDS]] = True
        held = {id_ for n in np.flatnonzero(out).tolist() for id_ in articles[n]}
        yield out, np.array([held.isdisjoint(pair) for pair in articles], dtype=bool)


def _logistic(odds: Doubles) -> Doubles:
    found: Doubles = 1.0 / (1.0 + np.exp(-np.clip(odds, -500, 500)))
    return found


def _loss(odds: Doubles, y: Doubles) -> Doubles:
    found: Doubles = np.logaddexp(0.0, odds) - y * odds
    return found


def _measured(odds: Doubles, y: Doubles) -> Measured:
    return Measured(loss=float(_loss(odds, y).mean()), right=float(((odds > 0) == (y > 0.5)).mean()))


# What is fitted, over the columns scale, shift, things, and the constant of words: each with its doubt, as a ridge. A
# change of scale by 1 is more than a change of a weight by 1, for log odds commonly lie 3 from nought. To measure against:
# the forest as shipped, and one who sees only on which side it is; both know the constant too.
_FIXED = 1e9
_FITTED: Mapping[str, tuple[float, list[float]]] = {
    "shipped": (1.0, [_FIXED, _FIXED, *[_FIXED] * len(LEARNED), 0.5]),
    "learned": (1.0, [9 * RIDGE, RIDGE, *[RIDGE] * len(LEARNED), 0.5]),
    "blind": (0.0, [_FIXED, 0.5, *[_FIXED] * len(LEARNED), 0.5]),
}


def _newton(name: str, design: Doubles, y: Doubles, counts: Doubles) -> Doubles:
    """The weights of the columns with the least log loss, plus half the ridge times their squared way from the shipped ones.

    Newton's steps, halved while they do not help; the sum is convex, so where they end is the least.
    """
    scale, doubts = _FITTED[name]
    held = np.array(doubts)
    start = np.zeros(len(held))
    start[0] = scale

    def cost(at: Doubles) -> float:
        return float((counts * _loss(design @ at, y)).sum() + 0.5 * (held * (at - start) ** 2).sum())

    at, least = start, cost(start)
    for _ in range(50):
        p = _logistic(design @ at)
        slope = design.T @ (counts * (p - y)) + held * (at - start)
        curve = (design * (counts * p * (1 - p))[:, None]).T @ design + np.diag(held)
        step = np.linalg.solve(curve, slope)
        while cost(at - step) > least and np.abs(step).max() > 1e-9:
            step = step / 2
        at = at - step
        least = min(least, cost(at))
        if np.abs(step).max() < 1e-8:
            break
    return at
