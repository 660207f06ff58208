"""How well candidates are ranked for readers whose clicks are known: AUC, MRR, nDCG, hits; by how much of a reader is known.

    broadsheet evaluate ranking SET            as it is shipped, next to baselines
    broadsheet evaluate rankers SET            trained rankers (see `rankers`)

Requests before the measured part are learned from, not measured. "history alone" sees a request and nothing else, as
the published tables of these sets do; "with what others did" is prequential: it learns from each request after it was
scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.evaluation import clicks
from broadsheet.evaluation.clicks import Asked, Clicks
from broadsheet.evaluation.report import Report, Row
from broadsheet.stages.rank import ALONE, TOGETHER, Linear, clicked_of
from broadsheet.stages.signals import CONTENT, Floats, Signals

METRICS: Final = ("auc", "mrr", "ndcg5", "ndcg10", "hr10", "mrr10")
COHORTS: Final = (
    ("no past clicks", 0, 0),
    ("1-4", 1, 4),
    ("5-19", 5, 19),
    ("20 and more", 20, 10**9),
    ("under 30", 0, 29),
)
BASELINES: Final = {  # by one signal, up or down; some are asked about what was known before the request alone
    "clicks, 12 hours": ("clicks 12 hours", 1.0),
    "clicks, 2 days": ("clicks 2 days", 1.0),
    "newest": ("age", -1.0),
    "likest words": ("likest", 1.0),
    "section": ("category", 1.0),
    "section, read lately": ("category_recent", 1.0),
}
DRAWS: Final = 300  # of the bootstrap
Pairs = Sequence[tuple[NDArray[np.bool_], Floats]]


def evaluate(path: Path, *, whole: bool = False, part: bool = False) -> Report:
    """The measures of baselines and of what is shipped, with their 95 % intervals, and by how much of a reader is known.

    `part` asks a sixth of the readers of a large set, where `rankers` does so unasked.
    """
    whole = whole or not (part or clicks.is_globo(path))  # two million clicks take half an hour
    found = clicks.load(path, whole=whole)
    asked, signals = clicks.walk(found)
    rows = [Row(name, summary(table, asked)) for name, table in baselines(asked, signals).items()]
    peer, missing = implicit(found, asked)
    rows += [Row("implicit (ALS)", summary(peer, asked))] if peer is not None else []
    linear = Linear(ALONE, CONTENT), Linear(TOGETHER, signals.signals)
    for name, points in (
        ("history alone", [linear[0](a.alone).sum(axis=1) for a in asked]),
        ("with what others did", [linear[1](a.together).sum(axis=1) for a in asked]),
    ):
        table = measured(asked, points)
        rows += [Row(name, summary(table, asked)), *cohorts(name, table, asked)]
    name_of_part = "" if whole else " (a part)"
    return Report(
        task="ranking", dataset=f"{found.name}{name_of_part}", rows=tuple(rows), notes=notes(found, asked, missing)
    )


def notes(found: Clicks, asked: Sequence[Asked], *more: str) -> tuple[str, ...]:
    """The protocol in words, and what the figures are."""
    readers = len({a.request.reader for a in asked})
    return (
        f"Protocol: {found.protocol or 'one pass in order of time'}.",
        f"Prequential: {clicks.PREQUENTIAL}. ± is half of the 95 % interval, drawn over readers ({readers}; {len(asked)} requests).",
        *(sentence for sentence in more if sentence),
    )


def baselines(asked: Sequence[Asked], signals: Signals) -> dict[str, Floats]:
    """Chance, and one signal at a time."""
    chance = np.random.default_rng(0)
    tables = {"chance": measured(asked, [chance.random(len(a.clicked)) for a in asked])}
    for name, (signal, sign) in BASELINES.items():
        k = signals.names.index(signal)
        tables[name] = measured(asked, [sign * np.nan_to_num(a.together[:, k]) for a in asked])
    return tables


def cohorts(name: str, table: Floats, asked: Sequence[Asked]) -> Iterator[Row]:
    """One row for each cohort of readers that has requests, by how many clicks of theirs are known."""
    past = np.array([a.past for a in asked])
    for cohort, least, most in COHORTS:
        inside = (past >= least) & (past <= most)
        if inside.any() and not inside.all():
            yield Row(f"{name}, {cohort}", summary(table[inside], [a for a, x in zip(asked, inside, strict=True) if x]))


# --- the measures ------------------------------------------------------------------------------------------------


def measured(asked: Sequence[Asked], points: Iterable[Floats], seed: int = 0) -> Floats:
    """The measures of each request: one row a request, ties broken by lot."""
    rng = np.random.default_rng(seed)
    return np.array([measure(a.clicked.tolist(), p.tolist(), rng) for a, p in zip(asked, points, strict=True)])


def summary(table: Floats, asked: Sequence[Asked], seed: int = 0) -> dict[str, float]:
    """Means over requests, and half of their 95 % intervals: drawn over readers, for one reader's requests are alike."""
    return figures(table, [a.request.reader or f"\0{k}" for k, a in enumerate(asked)], seed)


def figures(table: Floats, readers: Sequence[str], seed: int = 0) -> dict[str, float]:
    """The same where readers are given by name."""
    number: dict[str, int] = {}
    of = np.array([number.setdefault(reader, len(number)) for reader in readers])
    sums = np.zeros((len(number), table.shape[1]))
    np.add.at(sums, of, table)
    counts = np.bincount(of)
    rng = np.random.default_rng(seed)
    means = np.empty((DRAWS, table.shape[1]))
    for draw in range(DRAWS):
        drawn = np.bincount(rng.integers(0, len(number), len(number)), minlength=len(number))
        means[draw] = drawn @ sums / (drawn @ counts)
    half = np.diff(np.quantile(means, (0.025, 0.975), axis=0), axis=0)[0] / 2
    told = dict(zip(METRICS, table.mean(axis=0).tolist(), strict=True))
    told |= {f"{name} ±": x for name, x in zip(METRICS, half.tolist(), strict=True)}
    return told | {"requests": len(table)}


def measure(clicked: Sequence[bool], scores: Sequence[float], rng: np.random.Generator) -> tuple[float, ...]:
    """AUC (a tie counts half), MRR as in MIND, nDCG at 5 and 10, of one request; and whether one of the clicked is among
    the first ten, and one over its rank there (as next-click protocols ask)."""
    hit, points = np.array(clicked, bool), np.array(scores, float)
    yes, no = points[hit], points[~hit]
    auc = float((yes[:, None] > no).mean() + 0.5 * (yes[:, None] == no).mean())
    order = np.lexsort((rng.random(len(points)), -points))
    gains = hit[order].astype(float)
    places = np.arange(1, len(gains) + 1)
    mrr = float((gains / places).sum() / gains.sum())
    discount = 1 / np.log2(places + 1)
    ndcg = [float((gains[:k] * discount[:k]).sum() / discount[: min(k, int(gains.sum()))].sum()) for k in (5, 10)]
    first = int(np.argmax(gains)) + 1
    return auc, mrr, ndcg[0], ndcg[1], float(first <= 10), 1 / first if first <= 10 else 0.0


# --- a peer ------------------------------------------------------------------------------------------------------


def implicit(found: Clicks, asked: Sequence[Asked]) -> tuple[Floats | None, str]:
    """What implicit's alternating least squares (Hu, Koren and Volinsky, ICDM 2008) makes of the same histories.

    It is fitted once, on what was read before the measured part; a reader's factors are worked out anew from the
    history of each request. Articles that nobody had read by then are nothing to it. Where implicit or SciPy is not
    installed it says so.
    """
    try:
        from implicit.als import AlternatingLeastSquares  # type: ignore[import-not-found, unused-ignore]
        from scipy.sparse import csr_matrix  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None, "implicit is not installed: its row is left out."
    read: dict[str, dict[str, None]] = {}
    for number, line in enumerate(found.lines):
        if not found.measured(line):
            known = read.setdefault(str(line.get("reader") or f"\0{number}"), {})
            known.update(dict.fromkeys(str(id) for id in line["history"]))  # noqa: A001
            known.update(dict.fromkeys(clicked_of(line)))
    articles: dict[str, int] = {}
    columns = [articles.setdefault(id, len(articles)) for known in read.values() for id in known]  # noqa: A001
    rows = np.repeat(np.arange(len(read)), [len(known) for known in read.values()])
    model = AlternatingLeastSquares(factors=64, iterations=15, regularization=0.05, random_state=1, num_threads=1)
    model.fit(
        csr_matrix((np.ones(len(columns), np.float32), (rows, columns)), (len(read), len(articles))),
        show_progress=False,
    )
    points = []
    for a in asked:
        history = list(dict.fromkeys(articles[id] for id in a.request.history if id in articles))  # noqa: A001
        one = csr_matrix((np.ones(len(history), np.float32), ([0] * len(history), history)), (1, len(articles)))
        taste = np.asarray(model.recalculate_user(0, one)).ravel() if history else np.zeros(64)
        listed = [articles.get(candidate, -1) for candidate in a.request.candidates]
        points.append(np.array([float(model.item_factors[k] @ taste) if k >= 0 else 0.0 for k in listed]))
    return measured(asked, points), ""
