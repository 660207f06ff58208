"""How well rankers learn from clicks: fitted on the first part of a set, measured once on what came after.

    broadsheet evaluate rankers SET            a part of the readers or clicks
    broadsheet evaluate rankers SET --whole    all of them, and what it costs that families are kept apart
    broadsheet evaluate rankers SET --ablate   and each family left out

One pass in time order: every signal of a request is from before it, clicks of other readers two minutes late. How many
trees are fitted is chosen on the last part of the training lines. EB-NeRD: fitted on its train week, measured on the
validation days. MIND: all days but the last, then the last. Globo: the click that follows in a session against 50
articles drawn by popularity from the 20,000 clicks before the hour; what happens in an hour is learned from when it is
over; 60 hours, the last, are measured.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.errors import InputError, MissingExtra
from broadsheet.evaluation import clicks, ranking
from broadsheet.evaluation.clicks import Asked, Clicks
from broadsheet.evaluation.report import Report, Row
from broadsheet.stages import train_rank
from broadsheet.stages.rank import ALONE, TOGETHER, Linear, Trees
from broadsheet.stages.signals import CONTENT, FAMILIES, FAMILY, Floats, Forms, Signals

OTHERS: Final = frozenset({"popularity", "strength", "age", "reads", "together"})  # families that count other readers


def evaluate(path: Path, *, whole: bool = False, ablate: bool = False) -> Report:
    """The measures of baselines, of the shipped weights and of trained rankers, with their 95 % intervals."""
    if not train_rank.has_lightgbm():
        raise MissingExtra("train", "Measuring rankers of trees")
    found = clicks.load(path, whole=whole)
    learned, asked, signals = walk(found)
    rows = tuple(report_rows(learned, asked, signals, whole=whole, ablate=ablate))
    part = "" if whole else " (a part)"
    fit = f"Fitted on {len(learned.sizes)} requests."
    return Report(task="rankers", dataset=f"{found.name}{part}", rows=rows, notes=ranking.notes(found, asked, fit))


def report_rows(
    learned: train_rank.Choices, asked: Sequence[Asked], signals: Signals, *, whole: bool, ablate: bool = False
) -> Iterator[Row]:
    """One row a ranker."""
    forms = Forms(signals.signals)

    def row(name: str, points: Iterable[Floats]) -> Row:
        return Row(name, ranking.summary(ranking.measured(asked, points), asked))

    for name, table in ranking.baselines(asked, signals).items():
        yield Row(name, ranking.summary(table, asked))
    linear = Linear(ALONE, CONTENT), Linear(TOGETHER, signals.signals)
    yield row("shipped: history alone", (linear[0](a.alone).sum(axis=1) for a in asked))
    yield row("shipped: with what others did", (linear[1](a.together).sum(axis=1) for a in asked))
    content = {signal.name for signal in CONTENT}
    of_alone = Trees(fitted(learned, forms, content), CONTENT)
    yield row("trained: history alone", (of_alone(a.alone).sum(axis=1) for a in asked))
    of_all = Trees(fitted(learned, forms, set(signals.names)), signals.signals)
    table = ranking.measured(asked, (of_all(a.together).sum(axis=1) for a in asked))
    yield Row("trained: with what others did", ranking.summary(table, asked))
    yield from ranking.cohorts("trained", table, asked)
    one = Trees(fitted(learned, forms, {s for s in signals.names if FAMILY[s] not in OTHERS}), signals.signals)
    yield row("trained: what this reader did", (one(a.together).sum(axis=1) for a in asked))
    if whole:
        free, _ = train_rank.boost(learned, None)
        mixed = (free.predict(forms(a.together).astype(np.float32), raw_score=True) for a in asked)
        yield row("trained, families mixed", mixed)
    for family in FAMILIES if ablate else ():
        kept = {signal for signal in signals.names if FAMILY[signal] != family}
        without = Trees(fitted(learned, forms, kept), signals.signals)
        yield row(f"without {family}", (without(a.together).sum(axis=1) for a in asked))


def fitted(learned: train_rank.Choices, forms: Forms, names: set[str]) -> dict[str, Any]:
    """A forest over some of the signals."""
    used = [k for k, (signal, _) in enumerate(forms.columns) if signal in names]
    columns = [forms.columns[k] for k in used]
    booster, _ = train_rank.boost(learned.only(used), train_rank.constraints(columns))
    return train_rank.stored(booster, columns)


class Gathered:
    """The choices to fit on, as they looked when they were to be scored; the latest, where there are very many."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._rows: list[train_rank.Rows] = []
        self._labels: list[Floats] = []

    def __call__(self, table: Floats, clicked: NDArray[np.bool_]) -> None:
        self._rows.append(self._forms(table).astype(np.float32))
        self._labels.append(clicked.astype(float))

    def choices(self) -> train_rank.Choices:
        """Raises `InputError` where there are none."""
        if not self._rows:
            raise InputError("The set has no choices to learn from.")
        most = bisect_right(np.cumsum([len(x) for x in self._labels[::-1]]).tolist(), train_rank.MOST_ROWS)
        rows, labels = self._rows[-max(most, 1) :], self._labels[-max(most, 1) :]
        sizes = np.array([len(x) for x in labels])
        return train_rank.Choices(np.concatenate(rows), np.concatenate(labels), sizes)


def walk(found: Clicks) -> tuple[train_rank.Choices, list[Asked], Signals]:
    """One pass: the choices to fit on as they looked, then the measured ones as they looked, each before it is learned from."""
    gathered = Gathered(Forms(Signals((), prequential=True).signals))
    asked, signals = clicks.walk(found, gathered)
    return gathered.choices(), asked, signals
