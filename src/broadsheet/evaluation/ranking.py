"""How well candidates are ranked for readers whose clicks are known: AUC, MRR, nDCG, one request after another in time.

Reads a folder of EB-NeRD (parquet) or MIND (tab-separated), or a file of request lines with `clicked` beside an
`articles.jsonl`. Requests before the reported part are learned from, not reported.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from broadsheet.errors import InputError, MissingExtra
from broadsheet.evaluation.report import Report, Row
from broadsheet.stages import Line, rank

METRICS = ("auc", "mrr", "ndcg5", "ndcg10")


def evaluate(path: Path, model: Path | None = None) -> Report:
    """The measures of the ranker alone with the reader's history, and with what other readers did before."""
    articles, lines, reported = read(path)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "articles.jsonl"
        file.write_bytes(b"\n".join(orjson.dumps(article) for article in articles))
        scored = {
            "history alone": score(lines, reported, articles=file, model=model),
            "with what others did": score(lines, reported, articles=file, model=model, prequential=True),
        }
    chance = np.random.default_rng(0)
    rows = [
        Row(
            "chance",
            measures((clicked, chance.random(len(clicked)).tolist()) for _, clicked, _ in _kept(lines, reported)),
        )
    ]
    rows += [Row(name, found) for name, found in scored.items()]
    return Report(
        task="ranking",
        dataset=path.name,
        rows=tuple(rows),
        notes=(
            "Each request is scored from what came before it; means over requests; ± is the 95 % bootstrap of AUC.",
        ),
    )


def score(lines: Sequence[Line], reported: Callable[[Line], bool], **options: Any) -> dict[str, float]:
    """The measures of `stage rank` over the reported lines, the others having come before."""
    asked = lines if options.get("prequential") else [line for line in lines if reported(line)]
    results = rank.run(iter(asked), **options)
    return measures(_pairs(asked, results, reported))


def _pairs(
    lines: Iterable[Line], results: Iterator[Line], reported: Callable[[Line], bool]
) -> Iterator[tuple[list[bool], list[float]]]:
    for line, result in zip(lines, results, strict=True):
        if reported(line) and "scores" in result:
            clicked = {str(id) for id in line["clicked"]}  # noqa: A001
            yield [str(id) in clicked for id in line["candidates"]], result["scores"]  # noqa: A001


def _kept(lines: Iterable[Line], reported: Callable[[Line], bool]) -> Iterator[tuple[Line, list[bool], None]]:
    for line in lines:
        if reported(line):
            clicked = {str(id) for id in line["clicked"]}  # noqa: A001
            yield line, [str(id) in clicked for id in line["candidates"]], None  # noqa: A001


# --- the measures ------------------------------------------------------------------------------------------------


def measures(pairs: Iterable[tuple[Sequence[bool], Sequence[float]]], seed: int = 0) -> dict[str, float]:
    """Means over requests that have both a clicked candidate and one that was not. Ties are broken by lot."""
    rng = np.random.default_rng(seed)
    found = [measure(clicked, scores, rng) for clicked, scores in pairs if 0 < sum(clicked) < len(clicked)]
    if not found:
        raise InputError("No request has both a candidate that was clicked and one that was not.")
    table = np.array(found)
    means = [table[rng.integers(0, len(table), len(table)), 0].mean() for _ in range(200)]
    spread = (np.quantile(means, 0.975) - np.quantile(means, 0.025)) / 2
    return {**dict(zip(METRICS, table.mean(axis=0).tolist(), strict=True)), "±": float(spread), "requests": len(table)}


def measure(clicked: Sequence[bool], scores: Sequence[float], rng: np.random.Generator) -> tuple[float, ...]:
    """AUC (a tie counts half), MRR as in MIND, nDCG at 5 and 10, of one request."""
    hit, points = np.array(clicked, bool), np.array(scores, float)
    yes, no = points[hit], points[~hit]
    auc = float((yes[:, None] > no).mean() + 0.5 * (yes[:, None] == no).mean())
    order = np.lexsort((rng.random(len(points)), -points))
    gains = hit[order].astype(float)
    places = np.arange(1, len(gains) + 1)
    mrr = float((gains / places).sum() / gains.sum())
    discount = 1 / np.log2(places + 1)
    ndcg = [float((gains[:k] * discount[:k]).sum() / discount[: min(k, int(gains.sum()))].sum()) for k in (5, 10)]
    return auc, mrr, ndcg[0], ndcg[1]


# --- the sets ----------------------------------------------------------------------------------------------------


def read(path: Path) -> tuple[list[Line], list[Line], Callable[[Line], bool]]:
    """Articles, requests in order of time, and which of the requests are reported. Raises `InputError`."""
    if (path / "articles_titles.parquet").is_file():
        return read_ebnerd(path)
    if (path / "behaviors.tsv").is_file():
        return read_mind(path)
    if path.is_file() and (beside := path.with_name("articles.jsonl")).is_file():
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
        return rank.read_articles(beside), lines, lambda line: True
    raise InputError(f"{path} is no set that can be measured: EB-NeRD, MIND, or request lines beside articles.jsonl.")


def read_ebnerd(path: Path) -> tuple[list[Line], list[Line], Callable[[Line], bool]]:
    """The train week and the validation days; those are reported. What a reader clicked before a request is history."""
    try:
        from pyarrow import parquet  # type: ignore[import-untyped, unused-ignore]
    except ImportError as e:
        raise MissingExtra("evaluation", "Reading EB-NeRD (parquet)") from e

    def table(name: str, columns: list[str]) -> list[dict[str, Any]]:
        return list(parquet.read_table(path / f"{name}.parquet", columns=columns).to_pylist())

    articles = [
        {
            "id": str(a["article_id"]),
            "title": a["title"],
            "subtitle": a["subtitle"],
            "category": str(a["category"]),
            "topics": (a["subcategory"] or "").strip("[]").split(),
        }
        for a in table("articles_titles", ["article_id", "title", "subtitle", "category", "subcategory"])
    ]
    lines: list[Line] = []
    for part in ("train", "validation"):
        read_before = {
            h["user_id"]: [str(id) for id in h["article_id_fixed"]]  # noqa: A001
            for h in table(f"{part}/history", ["user_id", "article_id_fixed"])
        }
        shown = table(
            f"{part}/behaviors",
            ["impression_id", "impression_time", "article_ids_inview", "article_ids_clicked", "user_id"],
        )
        since: dict[int, list[str]] = {}
        for b in sorted(shown, key=lambda b: (b["impression_time"], b["impression_id"])):
            clicked = [str(id) for id in b["article_ids_clicked"]]  # noqa: A001
            own = since.setdefault(b["user_id"], [])
            lines.append({
                "id": b["impression_id"],
                "reader": b["user_id"],
                "at": b["impression_time"].replace(tzinfo=UTC).isoformat(),
                "history": [*read_before.get(b["user_id"], ()), *own],
                "candidates": [str(id) for id in b["article_ids_inview"]],  # noqa: A001
                "clicked": clicked,
                "part": part,
            })  # fmt: skip
            own.extend(clicked)
    return articles, lines, lambda line: line["part"] == "validation"


def read_mind(path: Path) -> tuple[list[Line], list[Line], Callable[[Line], bool]]:
    """All requests in order of time; the last day is reported."""
    articles: list[Line] = []
    for row in (path / "news_titles.tsv").read_text("utf-8").splitlines()[1:]:
        id, category, title = row.split("\t", 2)  # noqa: A001
        articles.append({"id": id, "category": category, "title": title})
    lines: list[Line] = []
    for row in (path / "behaviors.tsv").read_text("utf-8").splitlines():
        id, reader, at, history, shown = row.split("\t")  # noqa: A001
        candidates = [part.rsplit("-", 1) for part in shown.split()]
        lines.append({
            "id": id,
            "reader": reader,
            "at": datetime.strptime(at, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC).isoformat(),
            "history": history.split(),
            "candidates": [name for name, _ in candidates],
            "clicked": [name for name, label in candidates if label == "1"],
        })  # fmt: skip
    lines.sort(key=lambda line: line["at"])
    last = lines[-1]["at"][:10] if lines else ""
    return articles, lines, lambda line: line["at"][:10] == last
