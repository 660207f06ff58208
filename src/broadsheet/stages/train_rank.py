"""Fit a ranker on lines of what was shown and what was clicked: boosted trees whose points are exact for each family
of signals, or one weight a signal where there are few lines or no LightGBM.

Trees are fitted to the softmax over each line's candidates, so only what sets candidates apart is learned. No way from
a root to a leaf asks about two families; besides its family it may ask how many candidates there are and how much the
reader has read, which are the same for all of them. The last part of the lines, by time, says how many trees; then all
lines are fitted with that many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import orjson
from numpy.typing import NDArray

from broadsheet.errors import InputError, MissingExtra
from broadsheet.stages import Line
from broadsheet.stages.rank import centred, clicked_of, read_articles
from broadsheet.stages.signals import CONTENT, CONTEXT, FAMILY, Floats, Forms, Memory, Signals, read_request

Kind = Literal["auto", "trees", "linear"]
KINDS: Final = get_args(Kind)
Say = Callable[[str], None]
Rows = NDArray[np.float32]

FEWEST: Final = 500  # lines that show a choice, below which trees learn noise
MOST_ROWS: Final = 500_000  # candidates that are fitted on, the latest
CHOOSING: Final = 7  # one part in so many, the last, says when to stop
PARAMETERS: Final[Mapping[str, Any]] = {
    "learning_rate": 0.07,
    "num_leaves": 24,
    "min_data_in_leaf": 100,
    "min_sum_hessian_in_leaf": 5.0,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "max_bin": 63,
    "num_threads": 1,
    "force_col_wise": True,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
}
# With few lists, smaller trees and steps: MIND, 13 Nov, fitted on 4 days and 3,000 lists: AUC .659 against .649.
CAREFUL: Final[Mapping[str, Any]] = {
    "learning_rate": 0.04,
    "num_leaves": 8,
    "min_data_in_leaf": 300,
    "lambda_l2": 20.0,
    "feature_fraction": 0.3,
}
FEW: Final = 10_000  # lists
PATIENCE: Final = 30  # rounds without a gain
MOST_ROUNDS: Final = 700


@dataclass(frozen=True, slots=True)
class Fitted:
    """A ranker: a weight for each signal, or forests; and what was learned on the way, to go on from."""

    weights: Mapping[str, float] | None = None
    trees: Mapping[str, Any] = field(default_factory=dict)
    memory: Memory | None = None

    def as_json(self) -> dict[str, Any]:
        """As `broadsheet stage rank --model` reads it."""
        said: dict[str, Any] = {"trees": dict(self.trees)} if self.weights is None else {"weights": dict(self.weights)}
        return said | ({"memory": self.memory} if self.memory is not None else {})


@dataclass(frozen=True, slots=True)
class Choices:
    """Lists of candidates of which some were clicked, one after another in time."""

    rows: Rows  # one a candidate
    clicked: Floats
    sizes: NDArray[np.int64]  # candidates of each list

    def part(self, begin: int, end: int) -> Choices:
        """Some of the lists."""
        first, last = int(self.sizes[:begin].sum()), int(self.sizes[:end].sum())
        return Choices(self.rows[first:last], self.clicked[first:last], self.sizes[begin:end])

    def only(self, columns: Sequence[int]) -> Choices:
        return Choices(self.rows[:, columns], self.clicked, self.sizes)


def train(
    lines: Iterable[Line],
    articles: Path,
    *,
    prequential: bool = True,
    ridge: float = 1.0,
    kind: Kind = "auto",
    without: frozenset[str] = frozenset(),
    say: Say = lambda said: None,
) -> Fitted:
    """The ranker that fits the lines best.

    Lines come in order of time; each is seen as it would have been when it was to be scored. `without` leaves out
    families of signals. Raises `InputError` where there is nothing to learn from, `MissingExtra` where trees are asked
    for and LightGBM is not there.
    """
    if kind == "trees" and not has_lightgbm():
        raise MissingExtra("train", "Fitting a ranker of trees")
    signals = Signals(read_articles(articles), prequential=prequential)
    forms = Forms(signals.signals)
    choices, bases = gather(lines, signals, forms, say)
    memory = signals.remember() if prequential else None
    if kind == "linear" or (kind == "auto" and (len(choices.sizes) < FEWEST or not has_lightgbm())):
        why = "few lines show a choice" if has_lightgbm() else "for trees install 'broadsheet[train]'"
        say(f"Fitting one weight a signal{'' if kind == 'linear' else f' ({why})'}.")
        weights = logistic(bases, choices.clicked, ridge)
        named = zip(signals.names, weights.tolist(), strict=True)
        return Fitted({name: x for name, x in named if FAMILY[name] not in without}, memory=memory)
    content = {signal.name for signal in CONTENT}
    trees: dict[str, Any] = {}
    for name, of in (("alone", content), ("together", set(signals.names))):
        if name == "together" and not prequential:
            trees[name] = trees["alone"]
            continue
        used = [k for k, (s, _) in enumerate(forms.columns) if s in of and FAMILY[s] not in without]
        columns = [forms.columns[k] for k in used]
        booster, rounds = boost(choices.only(used), constraints(columns), say=say)
        say(f"Fitted {rounds} trees {'without' if name == 'alone' else 'with'} what others did.")
        trees[name] = stored(booster, columns)
    return Fitted(trees=trees, memory=memory)


def readable(raw: Iterable[bytes]) -> Iterator[Line]:
    """The lines that are JSON objects; others teach nothing and are passed over."""
    for line in raw:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            yield value


def has_lightgbm() -> bool:
    try:
        import lightgbm  # noqa: F401
    except ImportError:
        return False
    return True


def gather(lines: Iterable[Line], signals: Signals, forms: Forms, say: Say) -> tuple[Choices, Floats]:
    """What the lines that show a choice looked like when they were to be scored; also each signal less its list's mean."""
    rows: list[Rows] = []
    bases: list[Floats] = []
    labels: list[Floats] = []
    held = 0
    for number, line in enumerate(lines, 1):
        if number % 5000 == 0:
            say(f"Read {number} lines.")
        try:
            request = read_request(line)
        except ValueError:
            continue
        clicked = set(clicked_of(line))
        label = np.array([float(id in clicked) for id in request.candidates])  # noqa: A001
        if 0 < label.sum() < len(label):  # a line with all or none clicked prefers nothing
            table = signals.table(request)
            rows.append(forms(table).astype(np.float32))
            bases.append(centred(table).astype(np.float32))
            labels.append(label)
            held += len(label)
        if signals.prequential:
            signals.learn(request, clicked_of(line))
    if not rows:
        raise InputError("No line shows a choice: each needs `candidates` and, among them, some that were `clicked`.")
    first = 0
    while held > MOST_ROWS and first < len(rows) - 1:
        held -= len(rows[first])
        first += 1
    sizes = np.array([len(label) for label in labels[first:]])
    return Choices(np.concatenate(rows[first:]), np.concatenate(labels[first:]), sizes), np.concatenate(bases[first:])


# --- trees -------------------------------------------------------------------------------------------------------


def constraints(columns: Sequence[tuple[str, str]]) -> list[list[int]]:
    """Which columns a way from a root to a leaf may ask about together: one family, and what is the same for all."""
    context = [k for k, (signal, _) in enumerate(columns) if signal in CONTEXT]
    families: dict[str, list[int]] = {}
    for k, (signal, _) in enumerate(columns):
        if signal not in CONTEXT:
            families.setdefault(FAMILY[signal], []).append(k)
    return [[*of, *context] for of in families.values()]


def boost(
    choices: Choices, allowed: list[list[int]] | None, *, say: Say = lambda said: None, refit: bool = True
) -> tuple[Any, int]:
    """The forest and its number of trees. The last lists say how many; then all lists are fitted with that many."""
    import lightgbm

    parameters: dict[str, Any] = dict(PARAMETERS) | ({"interaction_constraints": allowed} if allowed else {})
    lists = len(choices.sizes)
    parameters |= CAREFUL if lists < FEW else {}
    parameters |= {"metric": "none", "min_data_in_leaf": min(parameters["min_data_in_leaf"], len(choices.rows) // 200)}
    # Time stays bounded: small trees cost less, so there may be more of them (Globo, the hours before: MRR@10 .339 with
    # 428 trees of 8 leaves, .344 with 1,000).
    size = len(choices.rows) * parameters["num_leaves"] / PARAMETERS["num_leaves"]
    most = max(int(MOST_ROUNDS * min(2.0, 300_000 / size)), 50)
    early, late = choices.part(0, lists - lists // CHOOSING), choices.part(lists - lists // CHOOSING, lists)
    known = lightgbm.Dataset(early.rows, early.clicked, params=parameters)
    held_out = lightgbm.Dataset(late.rows, late.clicked, reference=known, params=parameters)
    loss = Softmax(late.sizes)

    def tell(state: Any) -> None:
        if (state.iteration + 1) % 50 == 0:
            say(f"{state.iteration + 1} trees; loss on the last lines {state.evaluation_result_list[0][2]:.4f}")

    chosen = lightgbm.train(
        parameters | {"objective": Softmax(early.sizes).slopes},
        known,
        most,
        valid_sets=[held_out],
        feval=loss.mean,
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False), tell],
    )
    rounds = max(chosen.best_iteration, 1)
    if not refit:
        return chosen, rounds
    every = lightgbm.Dataset(choices.rows, choices.clicked, params=parameters)
    return lightgbm.train(parameters | {"objective": Softmax(choices.sizes).slopes}, every, rounds), rounds


class Softmax:
    """The chance that a softmax over each list gives to what was clicked (ListNet with one choice: Cao et al., ICML 2007)."""

    def __init__(self, sizes: NDArray[np.int64]) -> None:
        self._start = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self._list = np.repeat(np.arange(len(sizes)), sizes)

    def _chances(self, scores: Floats) -> Floats:
        raised = np.exp(scores - np.maximum.reduceat(scores, self._start)[self._list])
        return np.asarray(raised / np.add.reduceat(raised, self._start)[self._list])

    def _wanted(self, data: Any) -> Floats:
        clicked = np.asarray(data.get_label(), float)
        return np.asarray(clicked / np.add.reduceat(clicked, self._start)[self._list])

    def slopes(self, scores: Floats, data: Any) -> tuple[Floats, Floats]:
        chances = self._chances(scores)
        return chances - self._wanted(data), np.maximum(chances * (1 - chances), 1e-4)

    def mean(self, scores: Floats, data: Any) -> tuple[str, float, bool]:
        loss = -(self._wanted(data) * np.log(np.maximum(self._chances(scores), 1e-12))).sum() / len(self._start)
        return "softmax", float(loss), False


def stored(booster: Any, columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The forest as plain lists; every leaf has the family that the way to it asks about."""
    families = list(dict.fromkeys(FAMILY[signal] for signal, _ in columns))
    nodes: dict[str, list[Any]] = {
        name: [] for name in ("feature", "threshold", "left", "right", "default", "value", "family")
    }

    def add(tree: Mapping[str, Any], asked: frozenset[str]) -> int:
        here = len(nodes["feature"])
        for kept in nodes.values():
            kept.append(0)
        nodes["left"][here] = nodes["right"][here] = here
        if "leaf_value" in tree:
            nodes["value"][here] = float(tree["leaf_value"])
            if len(asked) > 1:
                raise ValueError(f"a tree asks about several families: {', '.join(sorted(asked))}")
            # what was asked only about the list says the same of every candidate, so any family will do
            nodes["family"][here] = families.index(next(iter(asked), families[0]))
            return here
        signal = columns[tree["split_feature"]][0]
        asked = asked if signal in CONTEXT else asked | {FAMILY[signal]}
        nodes["feature"][here] = int(tree["split_feature"])
        nodes["threshold"][here] = float(tree["threshold"])
        # a column that was never missing takes what is missing as nought
        missing = tree["default_left"] if tree["missing_type"] == "NaN" else tree["threshold"] >= 0
        nodes["default"][here] = int(missing)
        nodes["left"][here] = add(tree["left_child"], asked)
        nodes["right"][here] = add(tree["right_child"], asked)
        return here

    roots = [add(tree["tree_structure"], frozenset()) for tree in booster.dump_model()["tree_info"]]
    return {"columns": [list(column) for column in columns], "families": families, "roots": roots, **nodes}


# --- weights -----------------------------------------------------------------------------------------------------


def logistic(x: NDArray[np.float64], y: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Weights that tell the ones from the zeros, by Newton's method on scaled signals; the offset is dropped."""
    scale = x.std(axis=0)
    used = scale > 1e-9
    design = np.column_stack((np.ones(len(x)), x[:, used] / scale[used]))
    held = np.diag([0.0] + [ridge] * int(used.sum()))
    beta = np.zeros(design.shape[1])
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (y - p) - held @ beta
        curve = (design * (p * (1 - p))[:, None]).T @ design + held
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(curve)), slope)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    weights = np.zeros(x.shape[1])
    weights[used] = beta[1:] / scale[used]
    return weights
