"""How well threads find the long stories that people follow, on two labelled sets.

`current-events` (Wikipedia's Portal:Current events): one sentence or two an event, each under the ongoing stories that its
editors keep as a tree. The forest and every threshold were chosen on 2025; what is measured here is 2026, read as a stream
that begins with the year. `t17` (topics of the T17 timelines): whole articles, each topic one long story; nothing was
chosen on it.

Each event is a story of its own, so that grouping has no part in the figures.
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.evaluation.stories import agreement, bcubed, pairwise
from broadsheet.model import Article, ArticleId, Story, StoryId, identify, named, vector_of
from broadsheet.stories.features import Rarity, counted, words
from broadsheet.stories.threads import OpenThreads, Threading, text_of

Assign = Callable[[Sequence[Story]], Sequence[Hashable]]

SURE = ("2025-01-01", "2026-12-31")  # other days of the corpus are wrong in its source
T17_EACH, T17_LENGTH = 75, 2500  # articles of a topic, evenly over its time; characters read of each
# Chosen on 2025 by scripts/train_threads.py, for the sum of both F at the top level.
ENTITIES_SHARED, TFIDF_FROM, VECTOR_FROM = 2, 0.2, 0.4


@dataclass(frozen=True, slots=True)
class Told:
    """An event as an article, with the ongoing stories it stands under, the widest first; none where nobody said."""

    article: Article
    under: tuple[str, ...]


def plain(event: str) -> str:
    """The words of an event without the markup of its page."""
    text = re.sub(r"\[([^\]]+)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^)]*\")?\)", r"\1", event)
    text = re.sub(r" \[[a-z]{2,3}\]", "", text)
    return re.sub(r"(?<!\\)(\*{1,3})(\S(?:.*?[^\s\\])?)\1", r"\2", text).strip()


def _title(text: str) -> str:
    return re.split(r"(?<=[a-z0-9)\"”]{2}\.)\s+(?=[A-Z\"“])", text, maxsplit=1)[0].removesuffix(".")


def _noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day[:10]}T12:00:00").replace(tzinfo=UTC)


def _events(path: Path) -> Iterator[Told]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            event = json.loads(line)
            if not SURE[0] <= event["day"] <= SURE[1]:
                continue
            text = plain(event["event"])
            source: dict[str, Any] = event["sources"][0] if event["sources"] else {}
            article = Article(
                id=ArticleId(identify("event", str(number))),
                url=source.get("url", ""),
                title=_title(text),
                text=text,
                publisher=source.get("publisher", ""),
                published=_noon(event["day"]),
            )
            yield Told(article, tuple(re.sub(r"[*_]", "", node).strip().casefold() for node in event["story"]))


def _t17(path: Path) -> Iterator[Told]:
    topics: defaultdict[str, list[Told]] = defaultdict(list)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            given = json.loads(line)
            text = "\n".join(part.strip() for part in given["text"].replace("\\/", "/").split("\n") if part.strip())
            text = re.sub(r" ([.,;:?!'’)])", r"\1", text).replace("`` ", "“").replace("''", "”")
            first, _, rest = text.partition("\n")
            article = Article(
                id=ArticleId(identify("t17", str(number))),
                url="",
                title=first[:200],
                text=rest[:T17_LENGTH],
                published=_noon(given["date"]),
            )
            topics[given["topic"]].append(Told(article, (given["topic"],)))
    for told in topics.values():
        told.sort(key=lambda t: t.article.published or datetime.min.replace(tzinfo=UTC))
        yield from told[:: max(1, len(told) // T17_EACH)]


def read(path: Path) -> list[Told]:
    """The labelled events at a path, in order of time. Raises `InputError` where there are none that are known."""
    if path.is_file() and path.name.endswith(".jsonl.gz"):
        found = list(_events(path))
    elif path.is_file() and path.name.endswith(".jsonl.xz"):
        found = list(_t17(path))
    else:
        raise InputError(f"{path} holds no labelled threads that are known: see docs/design/0014-threads.md.")
    return sorted(found, key=lambda told: told.article.published or datetime.min.replace(tzinfo=UTC))


def stories(told: Sequence[Told]) -> list[Story]:
    """Each event as the story that the product would make of it alone."""
    from broadsheet.articles.enrich import enrich
    from broadsheet.articles.passages import passages
    from broadsheet.stories.describe import describe

    made: list[Story] = []
    for start in range(0, len(told), 64):
        for article in enrich([t.article for t in told[start : start + 64]]):
            made.append(describe(StoryId(identify("story", article.id)), [article], passages))
    return made


# --- who assigns --------------------------------------------------------------------------------------------------


def by_threads(given: Sequence[Story], rules: Threading | None = None) -> list[Hashable]:
    """As the product does it."""
    threads = OpenThreads(rules)
    found: list[Hashable] = []
    for story in given:
        threads.forget(story.first_seen)
        found.append(threads.assign(story).thread)
    return found


def by_entities(given: Sequence[Story], shared: int = ENTITIES_SHARED) -> list[Hashable]:
    """Baseline: a story joins the latest story that shares that many names, and their threads become one."""
    into = list(range(len(given)))

    def root(at: int) -> int:
        while into[at] != at:
            into[at] = into[into[at]]
            at = into[at]
        return at

    latest: dict[tuple[str, ...], int] = {}
    for number, story in enumerate(given):
        held = sorted({named(entity.text) for entity in story.entities})
        keys = [(a,) for a in held] if shared == 1 else [(a, b) for a in held for b in held if a < b]
        for key in keys:
            if key in latest:
                into[root(number)] = root(latest[key])
            latest[key] = number
    return [root(number) for number in range(len(given))]


def by_words(given: Sequence[Story], join: float = TFIDF_FROM) -> list[Hashable]:
    """Baseline: one pass over TF-IDF; a story joins the thread whose mean has the highest cosine, from `join` up."""
    rarity = Rarity.packaged()
    means: list[dict[int, float]] = []
    holders: defaultdict[int, set[int]] = defaultdict(set)
    norms: list[float] = []
    found: list[Hashable] = []
    for story in given:
        slots, counts = counted(words(f"{story.headline} {text_of(story)}"))
        weights = (1.0 + np.log(counts)) * rarity.weight(slots) if len(slots) else counts
        size = float(np.sqrt((weights * weights).sum())) or 1.0
        one = dict(zip(slots.tolist(), (weights / size).tolist(), strict=True))
        score: Counter[int] = Counter()
        for slot, weight in one.items():
            for thread in holders[slot]:
                score[thread] += weight * means[thread][slot]
        best, cosine = max(((t, s / norms[t]) for t, s in score.items()), key=lambda p: (p[1], -p[0]), default=(0, 0.0))
        if cosine < join:
            best = len(means)
            means.append({})
            norms.append(0.0)
        for slot, weight in one.items():
            means[best][slot] = means[best].get(slot, 0.0) + weight
            holders[slot].add(best)
        norms[best] = float(np.sqrt(sum(v * v for v in means[best].values())))
        found.append(best)
    return found


def by_vectors(given: Sequence[Story], join: float = VECTOR_FROM) -> list[Hashable]:
    """Baseline: the same over the stories' vectors."""
    sums = np.zeros((len(given), max((len(s.vector) // 2 for s in given), default=0)), dtype=np.float32)
    norms = np.ones(len(given), dtype=np.float32)
    threads = 0
    found: list[Hashable] = []
    for story in given:
        vector = vector_of(story.vector)
        cosine = (sums[:threads] @ vector) / norms[:threads] if vector.size and threads else np.zeros(0)
        best = int(np.argmax(cosine)) if len(cosine) else -1
        if best < 0 or cosine[best] < join:
            best, threads = threads, threads + 1
        if vector.size:
            sums[best] += vector
            norms[best] = float(np.linalg.norm(sums[best])) or 1.0
        found.append(best)
    return found


WAYS: dict[str, Assign] = {
    "broadsheet": by_threads,
    "shared entities": by_entities,
    "TF-IDF, one pass": by_words,
    "vectors, one pass": by_vectors,
}


# --- measures -----------------------------------------------------------------------------------------------------


def figures(found: Sequence[Hashable], gold: Sequence[str], labelled: Sequence[bool]) -> dict[str, float]:
    """BCubed and pairwise over the labelled events; and what events of no ongoing story do to the threads.

    `noise_apart` is the share of those that are in no thread with a labelled event; `all_` counts each of them as a
    thread of its own.
    """
    own = [(f, g) for f, g, known in zip(found, gold, labelled, strict=True) if known]
    everyone = [g if known else ("alone", n) for n, (g, known) in enumerate(zip(gold, labelled, strict=True))]
    taken = {f for f, _ in own}
    noise = [f for f, known in zip(found, labelled, strict=True) if not known]
    sizes = Counter(found)
    return agreement([f for f, _ in own], [g for _, g in own]) | {
        "all_bcubed_f": bcubed(found, everyone)[2],
        "all_pairwise_f": pairwise(found, everyone)[2],
        "noise_apart": sum(f not in taken for f in noise) / len(noise) if noise else 1.0,
        "threads": float(len(sizes)),
        "largest": float(max(sizes.values(), default=0)),
    }


LEVELS = (("top", 0), ("leaf", -1))


def compared(told: Sequence[Told], given: Sequence[Story], ways: dict[str, Assign]) -> Iterator[Row]:
    """A row for each way and level of the tree."""
    labelled = [bool(t.under) for t in told]
    deep = any(len(t.under) > 1 for t in told)
    for way, assign in ways.items():
        found = assign(given)
        for level, place in LEVELS if deep else LEVELS[:1]:
            gold = [t.under[place] if t.under else "" for t in told]
            yield Row(f"{way}, {level}", figures(found, gold, labelled))


def evaluate(path: Path, *, given: Sequence[Story] | None = None) -> Report:
    """The threads of the set at `path` beside three plain ways; `given` are its stories where they are made already."""
    told = read(path)
    if path.name.endswith(".gz"):
        told = [t for t in told if t.article.published and t.article.published.year >= 2026]
    made = list(given) if given is not None else stories(told)
    made = [replace(story, thread=None) for story in made]
    notes = (
        "Each event is a story of its own. The forest and all thresholds, the baselines' too, were chosen on the events "
        "of 2025; only those of 2026 are measured.",
        f"Of {len(told)} events {sum(bool(t.under) for t in told)} stand under an ongoing story: the first figures are "
        "over these; `all_` takes each of the others for a thread of its own.",
    )
    return Report(task="threads", dataset=path.name.split(".")[0], rows=tuple(compared(told, made, WAYS)), notes=notes)
