"""How clean the extracted articles are, on two labelled sets, next to trafilatura alone in the same run.

`scrapinghub` is measured as its own benchmark does: shingles of four words, precision and recall averaged over pages.
The WCXB pages are measured in words (F1 of the bags of words, averaged over pages) and by their snippets: how many that
must be there are, how many that must not be there leaked. Title, author and date are compared with its gold.

A date is right where `published` falls on the gold day, by the clock that the page writes. Three figures: `date` counts
every page whose gold has a day; `date_stated` those of them whose HTML holds that day in any form (`states_day`), for what a
page does not say can't be read from it; `date_or_change` counts those too where the gold day is the one of the last change,
which Broadsheet keeps apart as `updated` and the gold often gives.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import trafilatura

from broadsheet.articles.dates import MONTHS
from broadsheet.articles.extract import Extraction, extract
from broadsheet.articles.furniture import key_of
from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import Article, Page

__all__ = ["evaluate", "half_of", "shingle_figures", "states_day", "word_scores"]

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Case:
    id: str
    url: str
    html: str
    text: str
    gold: dict[str, Any]


# --- the measures ------------------------------------------------------------------------------------------------


def word_scores(gold: str, found: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of the words found, as bags, whatever their order and case."""
    wanted, got = Counter(_WORD.findall(gold.lower())), Counter(_WORD.findall(found.lower()))
    if not wanted or not got:
        return (1.0, 1.0, 1.0) if wanted == got else (0.0, 0.0, 0.0)
    shared = sum((wanted & got).values())
    precision, recall = shared / sum(got.values()), shared / sum(wanted.values())
    return precision, recall, 2 * precision * recall / (precision + recall) if shared else 0.0


def _shingles(text: str, length: int = 4) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    return Counter(tuple(words[n : n + length]) for n in range(max(1, len(words) - length + 1)) if words)


def shingle_figures(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Precision, recall and F1 over (gold, found) pairs of texts, by shingles of four words.

    Pages count the same whatever their length; a page where nothing was found has no precision.
    """
    precisions, recalls = [], []
    for gold, found in pairs:
        wanted, got = _shingles(gold), _shingles(found)
        shared = sum((wanted & got).values())
        if got:
            precisions.append(shared / got.total())
        if wanted:
            recalls.append(shared / wanted.total())
    precision = statistics.fmean(precisions) if precisions else 0.0
    recall = statistics.fmean(recalls) if recalls else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"f1": f1, "precision": precision, "recall": recall}


def half_of(id: str) -> str:  # noqa: A002
    """Which half of the set a page is in: rules were tuned on "dev"; "test" is what may be reported."""
    return "dev" if int(hashlib.sha256(id.encode()).hexdigest(), 16) % 2 == 0 else "test"


@lru_cache(maxsize=1024)
def _forms(day: date) -> re.Pattern[str]:
    year, month, number = day.year, day.month, day.day
    names = "|".join(sorted((re.escape(name) for name, n in MONTHS.items() if n == month), key=len, reverse=True))
    ordinal, short = rf"0?{number}(?:st|nd|rd|th|er|\.|º)?", rf"(?:{year}|{year % 100:02})"
    return re.compile(
        rf"(?<!\d)(?:{year}[-/.]0?{month}[-/.]0?{number}|{year}{month:02}{number:02}|0?{month}[-/.]0?{number}[-/.]{short}|0?{number}[-/.]0?{month}[-/.]{short})(?!\d)"
        rf"|{year}\s?[年년]\s?0?{month}\s?[月월]\s?0?{number}(?!\d)"
        rf"|\b(?:{names})\.?,?\s+{ordinal},?\s+{year}|\b{ordinal}\s+(?:of\s+|de\s+)?(?:{names})\.?,?\s+(?:de\s+|del\s+)?{year}|\b{year},?\s+(?:{names})\.?\s+{ordinal}(?!\d)",
        re.IGNORECASE,
    )


def states_day(page: str, day: date) -> bool:
    """Whether a page's HTML, scripts and addresses included, holds a day in any form.

    The forms: numbers in the orders year-month-day, day-month-year and month-day-year with -, / or ., or run together; the
    month's name or short name in any language that `when` reads, with day and year; years, months and days in East Asian
    signs. A time of another zone that falls on that day does not count.
    """
    return _forms(day).search(page) is not None


# --- the sets ----------------------------------------------------------------------------------------------------


def _scrapinghub(folder: Path) -> Iterator[_Case]:
    truth = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    for id, gold in truth.items():  # noqa: A001
        page = gzip.decompress((folder / "html" / f"{id}.html.gz").read_bytes()).decode("utf-8", "replace")
        yield _Case(id, gold.get("url") or "", page, gold.get("articleBody") or "", gold)


def _wcxb(path: Path, half: str) -> Iterator[_Case]:
    with lzma.open(path) as lines:
        for line in lines:
            case = orjson.loads(line)
            gold = case["gold"]["ground_truth"]
            # one page of the set has no text to compare with
            if "main_content" in gold and half in ("all", half_of(case["id"])):
                yield _Case(case["id"], case["gold"].get("url") or "", case["html"], gold["main_content"], gold)


def _ours(case: _Case) -> Article | None:
    made = extract([Page(id=case.id, url=case.url, html=case.html)], Extraction(reading_html=False))[0]
    return made if isinstance(made, Article) else None


def _plain(case: _Case) -> str:
    return trafilatura.extract(case.html, favor_precision=True, include_comments=False) or ""


def _plain_default(case: _Case) -> str:
    return trafilatura.extract(case.html, include_comments=False) or ""


def _timed(
    cases: Iterator[_Case], with_peers: bool
) -> Iterator[tuple[_Case, Article | None, tuple[str, ...], tuple[float, ...]]]:
    peers: tuple[Callable[[_Case], str], ...] = (_plain, _plain_default) if with_peers else ()
    for case in cases:
        start = time.process_time()
        article = _ours(case)
        spent = [time.process_time() - start]
        texts = []
        for peer in peers:
            start = time.process_time()
            texts.append(peer(case))
            spent.append(time.process_time() - start)
        yield case, article, tuple(texts), tuple(spent)


_PEERS = ("trafilatura favor_precision", "trafilatura default")


def evaluate(path: Path, *, half: str = "test", peers: bool = True) -> Report:
    """The figures on the set at `path`: the scrapinghub folder or the WCXB file.

    Of WCXB the half that no rule was tuned on is measured, unless `half` is "dev" or "all".
    """
    if half not in ("dev", "test", "all"):
        raise InputError(f"There is no half {half!r}: choose dev, test or all.")
    if (path / "ground-truth.json").is_file():
        return _evaluate_shingles(path, peers)
    if path.is_file() and path.name.endswith(".jsonl.xz"):
        return _evaluate_words(path, half, peers)
    raise InputError(
        f"{path} is neither the scrapinghub folder (with ground-truth.json) nor a .jsonl.xz file of pages."
    )


def _evaluate_shingles(path: Path, with_peers: bool) -> Report:
    pairs: dict[str, list[tuple[str, str]]] = {}
    spent: dict[str, float] = {}
    lost = 0
    for case, article, texts, seconds in _timed(_scrapinghub(path), with_peers):
        lost += article is None
        found = (article.text if article else "", *texts)
        for name, text, took in zip(("broadsheet", *_PEERS), found, seconds, strict=False):
            pairs.setdefault(name, []).append((case.text, text))
            spent[name] = spent.get(name, 0.0) + took
    rows = tuple(
        Row(name, shingle_figures(given) | {"ms": 1000 * spent[name] / len(given)}) for name, given in pairs.items()
    )
    pages = len(pairs["broadsheet"])
    return Report(
        task="extraction",
        dataset=path.name,
        rows=rows,
        notes=(
            f"{pages} pages, {lost} of them rejected (counted as empty); shingles of four words; ms is CPU time a page.",
        ),
    )


def _day_of(gold: str) -> date | None:
    """The day of the gold; None where it gives a month only."""
    try:
        return date.fromisoformat(gold[:10])
    except ValueError:
        return None


def _names(written: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{2,}", written.lower()))


def _evaluate_words(path: Path, half: str, with_peers: bool) -> Report:
    scores: dict[str, list[tuple[float, float, float]]] = {}
    present: dict[str, list[bool]] = {}
    leaked: dict[str, list[bool]] = {}
    spent: dict[str, float] = {}
    right: dict[str, list[bool]] = {"title": [], "author": [], "date": [], "date_stated": [], "date_or_change": []}
    gaps: list[float] = []
    lost = 0
    for case, article, texts, seconds in _timed(_wcxb(path, half), with_peers):
        lost += article is None
        found = (article.text if article else "", *texts)
        for name, text, took in zip(("broadsheet", *_PEERS), found, seconds, strict=False):
            scores.setdefault(name, []).append(word_scores(case.text, text))
            plain = " ".join(text.lower().split())
            present.setdefault(name, []).extend(" ".join(s.lower().split()) in plain for s in case.gold["with"] or ())
            leaked.setdefault(name, []).extend(" ".join(s.lower().split()) in plain for s in case.gold["without"] or ())
            spent[name] = spent.get(name, 0.0) + took
        gaps.append(abs((article.confidence if article else 0.0) - scores["broadsheet"][-1][2]))
        if gold := case.gold.get("title"):
            right["title"].append(article is not None and key_of(article.title) == key_of(gold))
        if gold := case.gold.get("author"):
            mine = _names(" ".join(article.authors)) if article else set()
            right["author"].append(bool(mine) and bool(mine & _names(gold)))
        if day := _day_of(case.gold.get("publish_date") or ""):
            found_day = article.published.date() if article and article.published else None
            changed = article.updated.date() if article and article.updated else None
            right["date"].append(found_day == day)
            right["date_or_change"].append(day in (found_day, changed))
            if states_day(case.html, day):
                right["date_stated"].append(found_day == day)
    rows = []
    for name, given in scores.items():
        precision, recall, f1 = (statistics.fmean(column) for column in zip(*given, strict=True))
        figures = {"f1": f1, "precision": precision, "recall": recall}
        figures |= {"with": statistics.fmean(present[name]), "leaked": statistics.fmean(leaked[name])}
        figures["ms"] = 1000 * spent[name] / len(given)
        if name == "broadsheet":
            figures |= {what: statistics.fmean(given) for what, given in right.items() if given}
            figures["confidence_error"] = statistics.fmean(gaps)
        rows.append(Row(name, figures))
    return Report(
        task="extraction",
        dataset=f"{path.name} ({half})",
        rows=tuple(rows),
        notes=(
            f"{len(scores['broadsheet'])} pages, {lost} of them rejected (counted as empty); f1 of words; ms is CPU time a page.",
            "with: snippets that must be there and are; leaked: snippets that must not be there and are.",
            f"date: of the {len(right['date'])} pages whose gold has a day; date_stated: of the {len(right['date_stated'])} whose HTML "
            "holds that day in any form; date_or_change: published or last changed on it.",
        ),
    )
