"""Rank candidates for a reader from what was read before, as a filter: each score is the sum of its reasons.

A request is scored from its own history and from requests before it, never from a later one. All points are less their
mean over the request's candidates, so they say what sets one apart from what else could be shown. `--prequential` adds
what other readers did, known only after the line in which they did it.

Without a model the score is linear in a few signals. A trained model is a forest in which every way from a root to a
leaf asks about one family of signals alone, so the points of each family are exact and add up to the score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from broadsheet.errors import InputError
from broadsheet.stages import Line, rejected
from broadsheet.stages.signals import (
    CONTENT,
    CROWD,
    FACTS,
    FAMILIES,
    Floats,
    Forms,
    Memory,
    Request,
    Signal,
    Signals,
    read_request,
)
from broadsheet.stories.pairs import Forest

# Rounded by hand to one or two digits after a fit on the train weeks; see docs/design/0007-ranking.md.
ALONE: Mapping[str, float] = {
    "likest": -0.4, "like": 20.0, "like_recent": -0.9, "means": 4.0, "category": 0.2, "category_recent": 0.1, "topic": 1.6, "fresh": 0.1,
}  # fmt: skip
TOGETHER: Mapping[str, float] = {
    "like": 15.0, "means": 3.0, "topic": 1.5, "category": 0.1, "category_recent": 0.2, "fresh": 0.1,
    "clicks 30 minutes": -0.8, "clicks 3 hours": 0.8, "clicks 12 hours": -0.5, "clicks 2 days": 0.5, "clicks rank": 1.3,
    "rate 30 minutes": 1.2, "rate 3 hours": -0.6, "rate 12 hours": 0.3, "rate 2 days": -0.2,
    "age": -0.2, "seen": -0.4, "seen_recently": -0.8, "clicked": -1.2,
}  # fmt: skip


def read_articles(path: Path) -> list[Line]:
    """The articles of a file of JSON lines. Raises `InputError` where it can't be read; bad lines are passed over."""
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise InputError(f"The articles {path} can't be read: {e.strerror}.") from e
    found = []
    for line in raw.splitlines():
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict) and "id" in value:
            found.append(value)
    return found


# --- scorers -----------------------------------------------------------------------------------------------------


class Linear:
    """Points are a weight for each signal; what is not known counts as nothing."""

    def __init__(self, weights: Mapping[str, float], signals: Sequence[Signal]) -> None:
        self.told = tuple((s.name, s.fact) for s in signals)
        self._weights = np.array([weights.get(s.name, 0.0) for s in signals])

    def __call__(self, table: Floats) -> Floats:
        return np.asarray(centred(table) * self._weights)


def centred(table: Floats) -> Floats:
    """Each signal less its mean over the candidates; what is not known counts as nothing."""
    held = np.nan_to_num(table)
    return np.asarray(held - held.mean(axis=0))


class Trees:
    """Points of a forest, each family of signals by itself."""

    def __init__(self, stored: Mapping[str, Any], signals: Sequence[Signal]) -> None:
        """Raises `KeyError`, `TypeError` or `ValueError` where it is no forest over these signals."""
        self._forms = Forms(signals)
        place = {column: k for k, column in enumerate(self._forms.columns)}
        columns = [place[str(name), str(form)] for name, form in stored["columns"]]
        families = [str(name) for name in stored["families"]]
        self.told = tuple((name, FAMILIES[name]) for name in families)
        nodes = len(stored["feature"])
        arrays = {
            name: np.array(stored[name]) for name in ("feature", "threshold", "left", "right", "default", "value")
        }
        asked = arrays["feature"].astype(np.int64)
        for name in ("left", "right"):
            to = arrays[name].astype(np.int64)
            if ((to < np.arange(nodes)) | (to >= nodes)).any():  # a node leads to itself or further on: no circles
                raise ValueError("a node leads nowhere")
        if (asked < 0).any() or (asked >= len(columns)).any() or not np.isfinite(arrays["value"]).all():
            raise ValueError("a node asks about nothing")
        arrays["feature"] = np.array(columns, np.int64)[asked]
        self._forest = Forest(arrays | {"roots": np.array(stored["roots"], np.int64)})
        self._value = arrays["value"].astype(np.float64)
        self._family = np.array(stored["family"], np.int64)
        if len(self._family) != nodes or (self._family < 0).any() or (self._family >= len(families)).any():
            raise ValueError("a leaf is of no family")

    def __call__(self, table: Floats) -> Floats:
        n, families = len(table), len(self.told)
        leaves = self._forest.leaves(self._forms(table).astype(np.float32))
        where = self._family[leaves] * n + np.arange(n)
        points = np.bincount(where.ravel(), self._value[leaves].ravel(), minlength=families * n).reshape(families, n).T
        return np.asarray(points - points.mean(axis=0))


@dataclass(frozen=True, slots=True)
class Model:
    """A ranker that was trained: weights, or forests without and with what others did; and what it learned on the way."""

    weights: Mapping[str, float] | None
    trees: Mapping[str, Any]
    memory: Memory | None

    def scorer(self, signals: Signals) -> Linear | Trees:
        if self.weights is not None:
            return Linear(self.weights, signals.signals)
        return Trees(self.trees["together" if signals.prequential else "alone"], signals.signals)


def read_model(path: Path) -> Model:
    """A trained ranker. Raises `InputError` for what is not one."""
    try:
        model = orjson.loads(path.read_bytes())
        weights = {str(name): float(x) for name, x in model["weights"].items()} if "weights" in model else None
        trees = dict(model["trees"]) if weights is None else {}
        for name, signals in (("alone", CONTENT), ("together", (*CONTENT, *CROWD))):
            if weights is None:
                Trees(trees[name], signals)
        memory = model.get("memory")
        if memory is not None and not isinstance(memory, dict):
            raise TypeError("the memory is no object")
    except OSError as e:
        raise InputError(f"The model {path} can't be read: {e.strerror}.") from e
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError, IndexError) as e:
        raise InputError(f"{path} is not a ranker made by `broadsheet train rank`.") from e
    if weights is not None:
        if unknown := set(weights) - set(FACTS):
            raise InputError(f"{path} has signals that do not exist: {', '.join(sorted(unknown))}.")
        if not all(math.isfinite(x) for x in weights.values()):
            raise InputError(f"{path} has a weight that is not a number.")
    return Model(weights, trees, memory)


def clicked_of(line: Line) -> list[str]:
    clicked = line.get("clicked")
    return [str(id) for id in clicked] if isinstance(clicked, list) else []  # noqa: A001


class Ranker:
    """Scores requests one after another, and learns from each after it was scored."""

    def __init__(self, articles: Iterable[Line], *, model: Model | None = None, prequential: bool = False) -> None:
        self.signals = Signals(articles, prequential=prequential)
        if model is None:
            self._score: Linear | Trees = Linear(TOGETHER if prequential else ALONE, self.signals.signals)
        else:
            self._score = model.scorer(self.signals)
            if prequential and model.memory is not None:
                try:
                    self.signals.recall(model.memory)
                except (KeyError, TypeError, ValueError, IndexError, AttributeError) as e:
                    raise InputError("The model's memory can't be read: train it again.") from e

    def reasons(self, request: Request) -> list[list[dict[str, Any]]]:
        """For each candidate its reasons; their points are its score."""
        points = self._score(self.signals.table(request)).tolist()
        told = self._score.told
        return [
            [
                {"signal": name, "points": x, "fact": fact}
                for (name, fact), x in zip(told, row, strict=True)
                if x != 0.0
            ]
            for row in points
        ]  # fmt: skip

    def scores(self, request: Request) -> Floats:
        return np.asarray(self._score(self.signals.table(request)).sum(axis=1))

    def learn(self, request: Request, clicked: Sequence[str]) -> None:
        self.signals.learn(request, clicked)


def run(
    lines: Iterable[Line],
    *,
    articles: Path | None = None,
    model: Path | None = None,
    prequential: bool = False,
    **_: Any,
) -> Iterator[Line]:
    """Score each request. What was clicked in a line is looked at only after its result was given."""
    ranker = Ranker(
        read_articles(articles) if articles is not None else (),
        model=read_model(model) if model is not None else None,
        prequential=prequential,
    )
    for line in lines:
        try:
            request = read_request(line)
        except ValueError as e:
            yield rejected("rank", line.get("id"), str(e))
            continue
        reasons = ranker.reasons(request)
        shown_to_nobody = {"clicked", "dwell"}
        yield {
            **{name: value for name, value in line.items() if name not in shown_to_nobody},
            "scores": [sum(reason["points"] for reason in mine) for mine in reasons],
            "reasons": reasons,
        }
        if prequential:
            ranker.learn(request, clicked_of(line))
