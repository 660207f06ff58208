"""Rank candidates for a reader from what was read before, as a filter: each score is the sum of its reasons.

A request is scored from its own history and from requests before it, never from a later one. Every signal is taken as
its difference from the mean of the request's candidates, so points say what sets one apart from what else could be
shown. `--prequential` adds what other readers did, known only after the line in which they did it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from broadsheet.errors import InputError
from broadsheet.stages import Line, rejected

HALF_LIVES = {"30 minutes": 0.5, "3 hours": 3.0, "12 hours": 12.0, "2 days": 48.0}
DELAY = 120.0  # seconds until a click is known to others

CONTENT = ("likest", "like", "like_recent", "category", "category_recent", "topic", "fresh")
CROWD = (
    *(f"clicks {name}" for name in HALF_LIVES),
    *(f"rate {name}" for name in HALF_LIVES),
    "clicks rank",
    "age",
    "seen",
    "seen_recently",
    "clicked",
)
FACTS = {
    "likest": "its words are those of an article in the history",
    "like": "its words are those of the history as a whole",
    "like_recent": "its words are those of the last articles read",
    "category": "its section is often read",
    "category_recent": "its section was read lately",
    "topic": "its topics are often read",
    "fresh": "how new it is",
    "clicks rank": "its place among the candidates by clicks",
    "age": "how long ago it first came up",
    "seen": "how often this reader was shown it before",
    "seen_recently": "how lately this reader was shown it",
    "clicked": "this reader opened it before",
} | {f"clicks {n}": f"clicks of others, fading by half in {n}" for n in HALF_LIVES} | {
    f"rate {n}": f"clicks for each time shown, fading by half in {n}" for n in HALF_LIVES
}  # fmt: skip

# Rounded by hand to one or two digits after a fit on the train weeks; see docs/design/0007-ranking.md.
ALONE: Mapping[str, float] = {
    "likest": -0.4, "like": 20.0, "like_recent": -0.9, "category": 0.2, "category_recent": 0.1, "topic": 1.6, "fresh": 0.1,
}  # fmt: skip
TOGETHER: Mapping[str, float] = {
    "like": 15.0, "topic": 1.5, "category": 0.1, "category_recent": 0.2, "fresh": 0.1,
    "clicks 30 minutes": -0.8, "clicks 3 hours": 0.8, "clicks 12 hours": -0.5, "clicks 2 days": 0.5, "clicks rank": 1.3,
    "rate 30 minutes": 1.2, "rate 3 hours": -0.6, "rate 12 hours": 0.3, "rate 2 days": -0.2,
    "age": -0.2, "seen": -0.4, "seen_recently": -0.8, "clicked": -1.2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Text:
    words: Mapping[str, float]  # TF-IDF, of length 1
    category: str
    topics: tuple[str, ...]
    published: float | None


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


def _texts(articles: Iterable[Line]) -> dict[str, _Text]:
    counted: dict[str, tuple[Counter[str], Line]] = {}
    documents: Counter[str] = Counter()
    for article in articles:
        said = " ".join(str(article.get(part) or "") for part in ("title", "subtitle", "summary"))
        body = " ".join(str(article.get("text") or "").split()[:150])
        words = Counter(re.findall(r"\w{3,}", f"{said} {said} {body}".casefold()))
        names = article.get("entities")
        for name in names if isinstance(names, list) else ():
            words[f"\0{str(name.get('text', '') if isinstance(name, dict) else name).casefold()}"] += 2
        counted[str(article["id"])] = words, article
        documents.update(words.keys())
    many = len(counted)
    texts = {}
    for id, (words, article) in counted.items():  # noqa: A001
        weights = {w: (1 + math.log(n)) * math.log((many + 1) / (documents[w] + 0.5)) for w, n in words.items()}
        length = math.sqrt(sum(x * x for x in weights.values())) or 1.0
        topics = article.get("topics")
        texts[id] = _Text(
            words={w: x / length for w, x in weights.items()},
            category=str(article.get("category") or article.get("section") or ""),
            topics=tuple(str(t.get("id", "") if isinstance(t, dict) else t) for t in topics)
            if isinstance(topics, list)
            else (),
            published=_seconds(article.get("published")),
        )
    return texts


def _seconds(written: Any) -> float | None:
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


@dataclass(slots=True)
class _Fading:
    """Counts that fade by half in each of the half-lives."""

    at: float = 0.0
    counts: list[float] = field(default_factory=lambda: [0.0] * len(HALF_LIVES))

    def add(self, at: float) -> None:
        self.counts = [x + 1.0 for x in self.now(at)]
        self.at = max(at, self.at)

    def now(self, at: float) -> list[float]:
        hours = max(at - self.at, 0.0) / 3600
        return [x * 0.5 ** (hours / half) for x, half in zip(self.counts, HALF_LIVES.values(), strict=True)]


@dataclass(slots=True)
class _Request:
    """A line that can be scored."""

    at: float
    reader: str
    history: list[str]
    candidates: list[str]


def read_request(line: Line) -> _Request:
    """Raises `ValueError` with what is wrong, in words."""
    at = _seconds(line.get("at"))
    if at is None:
        raise ValueError("`at` is not an ISO time")
    lists = []
    for name in ("history", "candidates"):
        value = line.get(name, [])
        if not isinstance(value, list) or not all(isinstance(x, str | int) for x in value):
            raise ValueError(f"`{name}` is not a list of article ids")
        lists.append([str(x) for x in value])
    if not lists[1]:
        raise ValueError("there are no candidates")
    return _Request(at, str(line["reader"]) if line.get("reader") is not None else "", *lists)


class Ranker:
    """Signals of candidates, and what was learned from the lines before."""

    def __init__(self, articles: Iterable[Line], *, prequential: bool = False) -> None:
        self.texts = _texts(articles)
        self.prequential = prequential
        self.names = (*CONTENT, *CROWD) if prequential else CONTENT
        self.clicks: dict[str, _Fading] = {}
        self.shown: dict[str, _Fading] = {}
        self.first: dict[str, float] = {}
        self.seen: dict[tuple[str, str], tuple[int, float]] = {}
        self.own: dict[str, list[str]] = {}
        self.late: deque[tuple[float, str]] = deque()  # clicks that others do not know of yet

    def signals(self, request: _Request) -> NDArray[np.float64]:
        """One row a candidate, one column a signal, each less its mean over the candidates."""
        columns = self._content(request)
        if self.prequential:
            columns += self._crowd(request)
        table = np.array(columns).T
        return np.asarray(table - table.mean(axis=0))

    def _content(self, request: _Request) -> list[list[float]]:
        read = [known for id in self._history(request)[-60:] if (known := self.texts.get(id)) is not None]  # noqa: A001
        newest = len(read) - 1
        where: dict[str, list[tuple[int, float]]] = {}
        categories: Counter[str] = Counter()
        lately: Counter[str] = Counter()
        topics: Counter[str] = Counter()
        for i, past in enumerate(read):
            for word, x in past.words.items():
                where.setdefault(word, []).append((i, x))
            categories[past.category] += 1
            lately[past.category] += 0.8 ** (newest - i)  # type: ignore[assignment]
            for topic in set(past.topics):
                topics[topic] += 1
        mass, recent = len(read), sum(lately.values())
        rows = []
        for id in request.candidates:  # noqa: A001
            text = self.texts.get(id)
            if text is None:
                rows.append([0.0, 0.0, 0.0, math.log(0.05), math.log(0.05), 0.0, 0.0])
                continue
            near = [0.0] * len(read)
            for word, x in text.words.items():
                for i, y in where.get(word, ()):
                    near[i] += x * y
            age = None if text.published is None else max(request.at - text.published, 0.0) / 3600
            rows.append([
                max(near, default=0.0),
                sum(near) / mass if mass else 0.0,
                max(near[-5:], default=0.0),
                math.log((categories[text.category] + 0.5) / (mass + 10.0)) if text.category else math.log(0.05),
                math.log((lately[text.category] + 0.25) / (recent + 5.0)) if text.category else math.log(0.05),
                max((topics[topic] / mass for topic in text.topics), default=0.0) if mass else 0.0,
                0.0 if age is None else -math.log2(1.0 + age / 12.0),
            ])  # fmt: skip
        return [list(column) for column in zip(*rows, strict=True)]

    def _history(self, request: _Request) -> list[str]:
        """What was read, with what this reader opened in the lines before."""
        own = self.own.get(request.reader, ()) if request.reader else ()
        if not own:
            return request.history
        known = set(request.history)
        return [*request.history, *(id for id in own if id not in known)]  # noqa: A001

    def _crowd(self, request: _Request) -> list[list[float]]:
        while self.late and self.late[0][0] <= request.at - DELAY:
            at, id = self.late.popleft()  # noqa: A001
            self.clicks.setdefault(id, _Fading()).add(at)
        none = _Fading()
        rows = []
        for id in request.candidates:  # noqa: A001
            clicks = self.clicks.get(id, none).now(request.at)
            shown = self.shown.get(id, none).now(request.at)
            times, last = self.seen.get((request.reader, id), (0, 0.0)) if request.reader else (0, 0.0)
            rows.append([
                *(math.log1p(x) for x in clicks),
                *(math.log((x + 1.0) / (y + 10.0)) for x, y in zip(clicks, shown, strict=True)),
                clicks[1],
                math.log1p(max(request.at - self.first.get(id, request.at), 0.0) / 3600),
                math.log1p(times),
                0.5 ** ((request.at - last) / 3600) if times else 0.0,
                float(id in self.own.get(request.reader, ())) if request.reader else 0.0,
            ])  # fmt: skip
        columns = [list(column) for column in zip(*rows, strict=True)]
        place = 2 * len(HALF_LIVES)
        columns[place] = _shares(columns[place])
        return columns

    def learn(self, request: _Request, clicked: Sequence[str]) -> None:
        """Take in what happened at a line, after it was scored."""
        for id in request.candidates:  # noqa: A001
            self.shown.setdefault(id, _Fading()).add(request.at)
            self.first.setdefault(id, request.at)
            if request.reader:
                times, _ = self.seen.get((request.reader, id), (0, 0.0))
                self.seen[request.reader, id] = times + 1, request.at
        for id in clicked:  # noqa: A001
            self.late.append((request.at, id))
            if request.reader:
                self.own.setdefault(request.reader, []).append(id)


def _shares(values: Sequence[float]) -> list[float]:
    """For each value the share of the others that are smaller, ties counting half."""
    ordered = sorted(values)
    if len(values) < 2:
        return [0.5] * len(values)
    low = {x: i for i, x in reversed(list(enumerate(ordered)))}
    high = {x: i for i, x in enumerate(ordered)}
    return [(low[x] + high[x]) / 2 / (len(values) - 1) for x in values]


def read_model(path: Path) -> dict[str, float]:
    """Weights of a trained ranker. Raises `InputError` for what is not one."""
    try:
        model = orjson.loads(path.read_bytes())
        weights = {str(name): float(x) for name, x in model["weights"].items()}
    except OSError as e:
        raise InputError(f"The model {path} can't be read: {e.strerror}.") from e
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as e:
        raise InputError(f"{path} is not a ranker made by `broadsheet train rank`.") from e
    if unknown := set(weights) - {*CONTENT, *CROWD}:
        raise InputError(f"{path} has signals that do not exist: {', '.join(sorted(unknown))}.")
    if not all(math.isfinite(x) for x in weights.values()):
        raise InputError(f"{path} has a weight that is not a number.")
    return weights


def clicked_of(line: Line) -> list[str]:
    clicked = line.get("clicked")
    return [str(id) for id in clicked] if isinstance(clicked, list) else []  # noqa: A001


def run(
    lines: Iterable[Line],
    *,
    articles: Path | None = None,
    model: Path | None = None,
    prequential: bool = False,
    **_: Any,
) -> Iterator[Line]:
    """Score each request. What was clicked in a line is looked at only after its result was given."""
    ranker = Ranker(read_articles(articles) if articles is not None else (), prequential=prequential)
    chosen = read_model(model) if model is not None else TOGETHER if prequential else ALONE
    weights = np.array([chosen.get(name, 0.0) for name in ranker.names])
    for line in lines:
        try:
            request = read_request(line)
        except ValueError as e:
            yield rejected("rank", line.get("id"), str(e))
            continue
        reasons = [
            [
                {"signal": name, "points": x, "fact": FACTS[name]}
                for name, x in zip(ranker.names, row, strict=True)
                if x != 0.0
            ]
            for row in (ranker.signals(request) * weights).tolist()
        ]
        shown_to_nobody = {"clicked", "dwell"}
        yield {
            **{name: value for name, value in line.items() if name not in shown_to_nobody},
            "scores": [sum(reason["points"] for reason in mine) for mine in reasons],
            "reasons": reasons,
        }
        if prequential:
            ranker.learn(request, clicked_of(line))
