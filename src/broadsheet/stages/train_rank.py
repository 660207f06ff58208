"""Fit the additive ranker: one weight a signal, by logistic regression over what was shown and what was clicked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broadsheet.errors import InputError
from broadsheet.stages import Line
from broadsheet.stages.rank import Ranker, clicked_of, read_articles, read_request


@dataclass(frozen=True, slots=True)
class Fitted:
    """An additive ranker: a weight for each signal."""

    weights: Mapping[str, float]

    def as_json(self) -> dict[str, dict[str, float]]:
        """As `broadsheet stage rank --model` reads it."""
        return {"weights": dict(self.weights)}


def train(lines: Iterable[Line], articles: Path, *, prequential: bool = True, ridge: float = 1.0) -> Fitted:
    """The ranker that fits the lines best.

    Lines come in order of time; each is seen as it would have been when it was to be scored. Raises `InputError`
    where there is nothing to learn from.
    """
    ranker = Ranker(read_articles(articles), prequential=prequential)
    tables, labels = [], []
    for line in lines:
        try:
            request = read_request(line)
        except ValueError:
            continue
        clicked = set(clicked_of(line))
        label = [float(id in clicked) for id in request.candidates]  # noqa: A001
        if 0 < sum(label) < len(label):  # a line with all or none clicked prefers nothing
            tables.append(ranker.signals(request))
            labels.append(np.array(label))
        if prequential:
            ranker.learn(request, clicked_of(line))
    if not tables:
        raise InputError("No line shows a choice: each needs `candidates` and, among them, some that were `clicked`.")
    weights = logistic(np.concatenate(tables), np.concatenate(labels), ridge)
    return Fitted(dict(zip(ranker.names, weights.tolist(), strict=True)))


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
