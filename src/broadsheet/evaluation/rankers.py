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

import csv
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.errors import InputError, MissingExtra
from broadsheet.evaluation import ranking
from broadsheet.evaluation.report import Report, Row
from broadsheet.stages import Line, train_rank
from broadsheet.stages.rank import ALONE, TOGETHER, Linear, Trees, clicked_of
from broadsheet.stages.signals import CONTENT, FAMILIES, FAMILY, Floats, Forms, Request, Signals, read_request

OTHERS: Final = frozenset({"popularity", "strength", "age", "reads", "together"})  # families that count other readers
COHORTS: Final = (
    ("no past clicks", 0, 0),
    ("1-4", 1, 4),
    ("5-19", 5, 19),
    ("20 and more", 20, 10**9),
    ("under 30", 0, 29),
)
BASELINES: Final = {
    "clicks, 12 hours": ("clicks 12 hours", 1.0),
    "newest": ("age", -1.0),
    "likest words": ("likest", 1.0),
    "section": ("category", 1.0),
}
PART: Final = 6  # of how many readers one is taken where not all are


@dataclass(frozen=True, slots=True)
class Clicks:
    """A set: its articles, its lines in order of time, and which are measured. `period` names what is learned from at once."""

    name: str
    articles: Sequence[Line]
    lines: Sequence[Line]
    measured: Callable[[Line], bool]
    period: Callable[[Line], Any] | None = None  # None: each line by itself


@dataclass(frozen=True, slots=True)
class Asked:
    """A measured request."""

    together: Floats  # each signal, with what others did
    alone: Floats  # without
    clicked: NDArray[np.bool_]
    past: int


def evaluate(path: Path, *, whole: bool = False, ablate: bool = False) -> Report:
    """The measures of baselines, of the shipped weights and of trained rankers, with their 95 % intervals."""
    if not train_rank.has_lightgbm():
        raise MissingExtra("train", "Measuring rankers of trees")
    clicks = read(path, whole=whole)
    learned, asked, signals = walk(clicks)
    rows = list(report_rows(learned, asked, signals, whole=whole, ablate=ablate))
    part = "" if whole else " (a part)"
    return Report(
        task="rankers",
        dataset=f"{clicks.name}{part}",
        rows=tuple(rows),
        notes=(
            f"Fitted on {len(learned.sizes)} requests, measured on {len(asked)}, each from what came before it;"
            " ± is the 95 % bootstrap of AUC, (±) that of nDCG@10.",
        ),
    )


def report_rows(
    learned: train_rank.Choices, asked: Sequence[Asked], signals: Signals, *, whole: bool, ablate: bool = False
) -> Iterator[Row]:
    """One row a ranker."""
    forms = Forms(signals.signals)
    chance = np.random.default_rng(0)
    yield Row("chance", figures([(a.clicked, chance.random(len(a.clicked))) for a in asked]))
    for name, (signal, sign) in BASELINES.items():
        k = signals.names.index(signal)
        yield Row(name, figures([(a.clicked, sign * np.nan_to_num(a.together[:, k])) for a in asked]))
    linear = Linear(ALONE, CONTENT), Linear(TOGETHER, signals.signals)
    yield Row("shipped: history alone", figures([(a.clicked, linear[0](a.alone).sum(axis=1)) for a in asked]))
    yield Row("shipped: with what others did", figures([(a.clicked, linear[1](a.together).sum(axis=1)) for a in asked]))
    content = {signal.name for signal in CONTENT}
    trained = fitted(learned, forms, content)
    of_alone = Trees(trained, CONTENT)
    yield Row("trained: history alone", figures([(a.clicked, of_alone(a.alone).sum(axis=1)) for a in asked]))
    of_all = Trees(fitted(learned, forms, set(signals.names)), signals.signals)
    scored = [(a.clicked, of_all(a.together).sum(axis=1)) for a in asked]
    yield Row("trained: with what others did", figures(scored))
    for name, least, most in COHORTS:
        cohort = [pair for pair, a in zip(scored, asked, strict=True) if least <= a.past <= most]
        if any(0 < clicked.sum() < len(clicked) for clicked, _ in cohort):
            yield Row(f"trained, {name}", figures(cohort))
    one = Trees(fitted(learned, forms, {s for s in signals.names if FAMILY[s] not in OTHERS}), signals.signals)
    yield Row("trained: what this reader did", figures([(a.clicked, one(a.together).sum(axis=1)) for a in asked]))
    if whole:
        free, _ = train_rank.boost(learned, None)
        mixed = [(a.clicked, free.predict(forms(a.together).astype(np.float32), raw_score=True)) for a in asked]
        yield Row("trained, families mixed", figures(mixed))
    for family in FAMILIES if ablate else ():
        kept = {signal for signal in signals.names if FAMILY[signal] != family}
        without = Trees(fitted(learned, forms, kept), signals.signals)
        yield Row(f"without {family}", figures([(a.clicked, without(a.together).sum(axis=1)) for a in asked]))


def fitted(learned: train_rank.Choices, forms: Forms, names: set[str]) -> dict[str, Any]:
    """A forest over some of the signals."""
    used = [k for k, (signal, _) in enumerate(forms.columns) if signal in names]
    columns = [forms.columns[k] for k in used]
    booster, _ = train_rank.boost(learned.only(used), train_rank.constraints(columns))
    return train_rank.stored(booster, columns)


def walk(clicks: Clicks) -> tuple[train_rank.Choices, list[Asked], Signals]:
    """One pass: the choices to fit on as they looked, then the measured ones as they looked, each before it is learned from."""
    signals = Signals(clicks.articles, prequential=True)
    alone = Signals(clicks.articles)
    forms = Forms(signals.signals)
    rows, labels, asked = [], [], []
    number = iter(range(len(clicks.lines)))
    for _, group in groupby(clicks.lines, clicks.period or (lambda line: next(number))):
        requests: list[tuple[Request, Line]] = [(read_request(line), line) for line in group]
        for request, line in requests:
            chosen = set(clicked_of(line))
            clicked = np.array([id in chosen for id in request.candidates])  # noqa: A001
            if not 0 < clicked.sum() < len(clicked):
                continue
            table = signals.table(request)
            if clicks.measured(line):
                asked.append(Asked(table, alone.table(request), clicked, len(request.history)))
            else:
                rows.append(forms(table).astype(np.float32))
                labels.append(clicked.astype(float))
        for request, line in requests:
            signals.learn(request, clicked_of(line))
    if not rows or not asked:
        raise InputError("The set has no choices to learn from, or none to measure.")
    most = bisect_right(np.cumsum([len(x) for x in labels[::-1]]).tolist(), train_rank.MOST_ROWS)
    rows, labels = rows[-max(most, 1) :], labels[-max(most, 1) :]
    sizes = np.array([len(x) for x in labels])
    return train_rank.Choices(np.concatenate(rows), np.concatenate(labels), sizes), asked, signals


# --- measures ----------------------------------------------------------------------------------------------------


def figures(pairs: Sequence[tuple[NDArray[np.bool_], Floats]], seed: int = 0) -> dict[str, float]:
    """The measures of `ranking`, and hits among ten with their reciprocal rank (as next-click protocols ask)."""
    rng = np.random.default_rng(seed)
    kept = [(clicked, scores) for clicked, scores in pairs if 0 < clicked.sum() < len(clicked)]
    table = np.array([(*ranking.measure(c.tolist(), s.tolist(), rng), *hit(c, s, rng)) for c, s in kept])
    drawn = rng.integers(0, len(table), (300, len(table)))
    spread = [float(np.diff(np.quantile(table[:, k][drawn].mean(axis=1), (0.025, 0.975)))[0] / 2) for k in (0, 3)]
    names = (*ranking.METRICS, "hr10", "mrr10")
    return dict(zip(names, table.mean(axis=0).tolist(), strict=True)) | {
        "±": spread[0],
        "(±)": spread[1],
        "requests": len(table),
    }


def hit(clicked: NDArray[np.bool_], scores: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Whether one of the clicked is among the first ten, and one over its rank there; ties by lot."""
    order = np.lexsort((rng.random(len(scores)), -scores))
    rank = int(np.argmax(clicked[order])) + 1
    return (1.0, 1.0 / rank) if rank <= 10 else (0.0, 0.0)


# --- sets --------------------------------------------------------------------------------------------------------


def read(path: Path, *, whole: bool) -> Clicks:
    """Raises `InputError` for what is no set of clicks."""
    if (path / "clicks-first-10-days.parquet").is_file():
        return read_globo(path, sessions=1 if whole else 8, asked=200 if whole else 40)
    articles, lines, measured = ranking.read(path)
    if not whole and len(lines) > 10_000:
        lines = [line for line in lines if zlib.crc32(str(line.get("reader")).encode()) % PART == 0]
    return Clicks(path.name, articles, lines, measured)


NEGATIVES: Final = 50
WINDOW: Final = 20_000  # clicks that negatives are drawn from
HOURS: Final = 60  # measured; as many before them are fitted on


def read_globo(path: Path, *, sessions: int = 1, asked: int = 200, seed: int = 0) -> Clicks:
    """Next clicks in sessions. `sessions`: one in so many is taken; `asked`: choices an hour, all clicks being learned from."""
    try:
        from pyarrow import parquet
    except ImportError as e:
        raise MissingExtra("evaluation", "Reading Globo (parquet)") from e
    table = parquet.read_table(
        path / "clicks-first-10-days.parquet", columns=["session_id", "click_article_id", "click_timestamp"]
    )
    session, article, at = (table[name].to_numpy() for name in table.column_names)
    kept = (session // 1000 * 2654435761 % 2**32) % sessions == 0 if sessions > 1 else np.ones(len(session), bool)
    order = np.lexsort((session, at))
    every_article, every_at = article[order], at[order]  # what negatives are drawn from
    hour_of = (every_at - every_at[0]) // 3_600_000
    first = int(hour_of[-1]) + 1 - 2 * HOURS
    starts = np.searchsorted(hour_of, np.arange(first, first + 2 * HOURS + 1))
    rng = np.random.default_rng(seed)
    lines: list[Line] = []
    so_far: dict[int, list[str]] = {}
    chosen = kept[order]
    for hour in range(-24, 2 * HOURS):
        begin, end = (
            (int(starts[hour]), int(starts[hour + 1]))
            if hour >= 0
            else np.searchsorted(hour_of, (first + hour, first + hour + 1)).tolist()
        )
        window = every_article[max(begin - WINDOW, 0) : begin]
        here = [k for k in range(begin, end) if chosen[k]]
        follows: list[int] = []
        seen_here: dict[int, int] = {}
        for k in here:
            s = int(session[order[k]])
            seen_here[s] = seen_here.get(s, 0) + 1
            if seen_here[s] > 1 or s in so_far:
                follows.append(k)
        take = set(rng.permutation(follows)[:asked].tolist()) if hour >= 0 else set()
        for k in here:
            s, clicked = int(session[order[k]]), str(every_article[k])
            history = so_far.setdefault(s, [])
            candidates = [clicked]
            if k in take and clicked not in history:
                drawn = dict.fromkeys(str(a) for a in rng.choice(window, 40 * NEGATIVES))
                others = [a for a in drawn if a != clicked and a not in history][:NEGATIVES]
                candidates = [clicked, *others]
                rng.shuffle(candidates)
            lines.append({
                "id": k, "reader": str(s), "history": list(history), "candidates": candidates, "clicked": [clicked],
                "at": datetime.fromtimestamp(every_at[k] / 1000, UTC).isoformat(), "hour": hour,
            })  # fmt: skip
            history.append(clicked)
    with (path / "articles_metadata_partial.csv").open(encoding="utf-8", newline="") as file:
        articles: list[Line] = [
            {
                "id": row["article_id"],
                "category": row["category_id"],
                "published": datetime.fromtimestamp(int(row["created_at_ts"]) / 1000, UTC).isoformat(),
            }
            for row in csv.DictReader(file)
        ]
    return Clicks("globo", articles, lines, lambda line: line["hour"] >= HOURS, lambda line: line["hour"])
