"""Sets of clicks: what readers were shown, in order of time, and which of them they opened.

EB-NeRD (parquet), MIND (tab-separated), Globo (parquet and a table), or a file of request lines with `clicked` beside an
`articles.jsonl`. Each has a published protocol, named in what is reported, and is walked in one pass in order of time.
"""

from __future__ import annotations

import csv
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from broadsheet.errors import InputError, MissingExtra
from broadsheet.feed.others import Crowd, Others
from broadsheet.model import ReaderId, StoryId
from broadsheet.stages import Line, rank
from broadsheet.stages.rank import clicked_of
from broadsheet.stages.signals import DELAY, Floats, Request, Signals, read_request

PART: Final = 6  # of how many readers one is taken where not all are
PREQUENTIAL: Final = "each request is scored from what came before it, clicks of other readers two minutes late"


@dataclass(frozen=True, slots=True)
class Clicks:
    """A set: its articles, its lines in order of time, and which are measured. `period` names what is learned from at once."""

    name: str
    articles: Sequence[Line]
    lines: Sequence[Line]
    measured: Callable[[Line], bool]
    period: Callable[[Line], Any] | None = None  # None: each line by itself
    protocol: str = ""  # the published one, in words


@dataclass(frozen=True, slots=True)
class Asked:
    """A measured request."""

    together: Floats  # each signal, with what others did
    alone: Floats  # without
    clicked: NDArray[np.bool_]
    request: Request
    others: Others | None = None  # what the feed may tell of other readers, candidates in order of id

    @property
    def past(self) -> int:
        """How many clicks of the reader are known."""
        return len(self.request.history)


Fitting = Callable[[Floats, NDArray[np.bool_]], None]
Asking = Callable[[Signals, Signals, Request, NDArray[np.bool_], Others | None], None]


def walk(clicks: Clicks, fit: Fitting | None = None, ask: Asking | None = None) -> tuple[list[Asked], Signals]:
    """One pass: the measured choices as they looked, each before it is learned from.

    `fit` is given the others; `ask`, where it is given, is shown the measured ones instead, with what was known by then.
    """
    signals = Signals(clicks.articles, prequential=True)
    alone = Signals(clicks.articles)
    alone.shelf.meanings = signals.shelf.meanings  # the same articles say the same: read once
    asked = []
    crowd = Readership()
    number = iter(range(len(clicks.lines)))
    for _, group in groupby(clicks.lines, clicks.period or (lambda line: next(number))):
        requests = [(replace(read_request(line), read=line.get("read", ())), line) for line in group]
        for request, line in requests:
            chosen = set(clicked_of(line))
            clicked = np.array([id in chosen for id in request.candidates])  # noqa: A001
            if not 0 < clicked.sum() < len(clicked):
                continue
            if clicks.measured(line):
                others = crowd.of(request)
                if ask is not None:
                    ask(signals, alone, request, clicked, others)
                else:
                    asked.append(Asked(signals.table(request), alone.table(request), clicked, request, others))
            elif fit is not None:
                fit(signals.table(request), clicked)
        for request, line in requests:
            signals.learn(request, clicked_of(line))
            crowd.learn(request, clicked_of(line))
    if not asked and ask is None:
        raise InputError("The set has no choices to measure.")
    return asked, signals


class Readership:
    """The crowd of a set as the feed counts it: what was clicked is known `DELAY` later, and at no place is looked more
    than at another, for the sets do not say where a candidate stood."""

    def __init__(self) -> None:
        self._crowd = Crowd()
        self._late: deque[tuple[float, str, Sequence[str]]] = deque()

    def of(self, request: Request) -> Others | None:
        """What may be told of the candidates, in order of id."""
        while self._late and self._late[0][0] <= request.at - DELAY:
            at, reader, clicked = self._late.popleft()
            for story in clicked:
                self._crowd.opened(ReaderId(reader), StoryId(story), at)
        listed = sorted(set(request.candidates))
        return self._crowd.tell({StoryId(story): k for k, story in enumerate(listed)}, request.at)

    def learn(self, request: Request, clicked: Sequence[str]) -> None:
        """Take in what happened at a line, after it was asked about."""
        if len(request.candidates) > 1:
            for story in dict.fromkeys(request.candidates):
                self._crowd.shown(StoryId(story), request.at)
            self._late.append((request.at, request.reader, clicked))


# --- the sets ----------------------------------------------------------------------------------------------------


def load(path: Path, *, whole: bool) -> Clicks:
    """The set at a path: all of it, or a part of the readers that shows much the same. Raises `InputError`."""
    if is_globo(path):
        return read_globo(path, sessions=1 if whole else 8, asked=200 if whole else 40)
    articles, lines, measured = read(path)
    if not whole and len(lines) > 10_000:
        lines = [line for line in lines if zlib.crc32(str(line.get("reader")).encode()) % PART == 0]
    return Clicks(
        path.name, articles, lines, measured, protocol=PROTOCOLS.get(lines[0].get("set", ""), "") if lines else ""
    )


def is_globo(path: Path) -> bool:
    return (path / "clicks-first-10-days.parquet").is_file()


PROTOCOLS: Final = {
    "ebnerd": "EB-NeRD demo, causal: one pass in order of time; the train week is learned from, the validation days are measured",
    "mind": "MIND: the last day is measured, the days before are learned from",
}


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
            "language": "da",
        }
        for a in table("articles_titles", ["article_id", "title", "subtitle", "category", "subcategory"])
    ]
    lines: list[Line] = []
    for part in ("train", "validation"):
        histories = table(f"{part}/history", ["user_id", "article_id_fixed", "impression_time_fixed"])
        read_before = {h["user_id"]: [str(id) for id in h["article_id_fixed"]] for h in histories}  # noqa: A001
        read_at = {
            h["user_id"]: [at.replace(tzinfo=UTC).timestamp() for at in h["impression_time_fixed"]] for h in histories
        }
        shown = table(
            f"{part}/behaviors",
            ["impression_id", "impression_time", "article_ids_inview", "article_ids_clicked", "user_id"],
        )
        since: dict[int, list[str]] = {}
        since_at: dict[int, list[float]] = {}
        for b in sorted(shown, key=lambda b: (b["impression_time"], b["impression_id"])):
            clicked = [str(id) for id in b["article_ids_clicked"]]  # noqa: A001
            own, own_at = since.setdefault(b["user_id"], []), since_at.setdefault(b["user_id"], [])
            at = b["impression_time"].replace(tzinfo=UTC)
            lines.append({
                "id": b["impression_id"],
                "reader": b["user_id"],
                "at": at.isoformat(),
                "history": [*read_before.get(b["user_id"], ()), *own],
                "read": array("d", [*read_at.get(b["user_id"], ()), *own_at]),
                "candidates": [str(id) for id in b["article_ids_inview"]],  # noqa: A001
                "clicked": clicked,
                "part": part, "set": "ebnerd",
            })  # fmt: skip
            own.extend(clicked)
            own_at.extend([at.timestamp()] * len(clicked))
    return articles, lines, lambda line: line["part"] == "validation"


def read_mind(path: Path) -> tuple[list[Line], list[Line], Callable[[Line], bool]]:
    """All requests in order of time; the last day is reported."""
    articles: list[Line] = []
    for row in (path / "news_titles.tsv").read_text("utf-8").splitlines()[1:]:
        id, category, title = row.split("\t", 2)  # noqa: A001
        articles.append({"id": id, "category": category, "title": title, "language": "en"})
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
            "set": "mind",
        })  # fmt: skip
    lines.sort(key=lambda line: line["at"])
    last = lines[-1]["at"][:10] if lines else ""
    return articles, lines, lambda line: line["at"][:10] == last


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
    so_far_at: dict[int, list[float]] = {}
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
            history, read = so_far.setdefault(s, []), so_far_at.setdefault(s, [])
            candidates = [clicked]
            if k in take and clicked not in history:
                drawn = dict.fromkeys(str(a) for a in rng.choice(window, 40 * NEGATIVES))
                others = [a for a in drawn if a != clicked and a not in history][:NEGATIVES]
                candidates = [clicked, *others]
                rng.shuffle(candidates)
            lines.append({
                "id": k, "reader": str(s), "history": list(history), "candidates": candidates, "clicked": [clicked],
                "at": datetime.fromtimestamp(every_at[k] / 1000, UTC).isoformat(), "hour": hour, "read": list(read),
            })  # fmt: skip
            history.append(clicked)
            read.append(every_at[k] / 1000)
    with (path / "articles_metadata_partial.csv").open(encoding="utf-8", newline="") as file:
        articles: list[Line] = [
            {
                "id": row["article_id"],
                "category": row["category_id"],
                "published": datetime.fromtimestamp(int(row["created_at_ts"]) / 1000, UTC).isoformat(),
            }
            for row in csv.DictReader(file)
        ]
    return Clicks(
        "globo",
        articles,
        lines,
        lambda line: line["hour"] >= HOURS,
        lambda line: line["hour"],
        f"Globo: the next click of a session against {NEGATIVES} articles drawn by popularity from the {WINDOW:,} clicks"
        f" before the hour; {HOURS} hours measured; what happens in an hour is learned when it is over",
    )
