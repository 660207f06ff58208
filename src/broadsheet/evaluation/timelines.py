"""How well timelines match those that journalists wrote: the dates chosen, and what is said on each.

The protocol of published work (Ghalandari and Ifrim, 2020; Martschat and Markert, 2017): for each written timeline, the
system reads the topic's articles of that timeline's span, and gives as many dates as it has, with its mean number of
sentences a date. Dates are compared by F1. Sentences are compared by alignment-based ROUGE ("align+ m:1"): each date is
held against the date of the other side that is cheapest by distance in days and by words, and what they share counts less
the more days lie between.
"""

from __future__ import annotations

import json
import lzma
import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.evaluation.rouge import grams, overlap
from broadsheet.model import Article, ArticleId

if TYPE_CHECKING:
    from broadsheet.stories.narrative import Narrative

Days = Mapping[date, Sequence[str]]
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Written:
    """A timeline that a person wrote: for each date what happened, in sentences."""

    name: str
    days: Days

    @property
    def length(self) -> int:
        return len(self.days)

    @property
    def sentences(self) -> int:
        """The mean number of sentences a date, as a whole number."""
        return max(1, round(sum(map(len, self.days.values())) / len(self.days)))


@dataclass(frozen=True, slots=True)
class Topic:
    """The articles of one long story and the timelines that people wrote of it."""

    name: str
    articles: tuple[Article, ...]
    written: tuple[Written, ...]


Make = Callable[[Topic, Sequence[Article], Written], Days]
"""What is measured: makes the days of a timeline from some articles of a topic, as long as the written one is."""


# --- reading -----------------------------------------------------------------------------------------------------


def read_written(text: str, name: str) -> Written:
    """A timeline as it is kept: a date, its sentences a line each, a rule of hyphens. A date that comes twice is one."""
    days: dict[date, list[str]] = {}
    when: date | None = None
    for line in map(str.strip, text.splitlines()):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", line):
            when = date.fromisoformat(line)
            days.setdefault(when, [])
        elif line and not re.fullmatch(r"-{5,}", line) and when is not None:
            days[when].append(line)
    return Written(name, {when: tuple(said) for when, said in sorted(days.items()) if said})


def read(path: Path) -> list[Topic]:
    """The topics of Timeline17 that have both articles and written timelines. Raises `InputError` where there are none."""
    articles, gold = path / "t17-articles.jsonl.xz", path / "gold"
    if not articles.is_file() or not gold.is_dir():
        raise InputError(f"{path} holds no timelines that are known: t17-articles.jsonl.xz and a folder gold.")
    found: dict[str, list[Article]] = {}
    with lzma.open(articles, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            a = json.loads(line)
            found.setdefault(a["topic"], []).append(
                Article(
                    id=ArticleId(f"{a['topic']}-{number}"),
                    url="",
                    title=a.get("title") or "",
                    text=a["text"],
                    published=datetime.fromisoformat(a["date"]).replace(tzinfo=UTC),
                )
            )
    topics = []
    for name, of_topic in sorted(found.items()):
        files = sorted(gold.glob(f"**/tl17-{name}/*.txt"))
        written = tuple(read_written(f.read_text("utf-8", errors="replace"), f"{name} {f.stem}") for f in files)
        if written:
            topics.append(Topic(name, tuple(of_topic), written))
    return topics


def within(articles: Sequence[Article], first: date, last: date) -> list[Article]:
    return [a for a in articles if a.published is not None and first <= a.published.date() <= last]


# --- measures ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    precision: float
    recall: float

    @property
    def f(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def date_score(found: Days, person: Days) -> Score:
    """The share of the dates found that the person has, and of the person's that were found."""
    both = len(found.keys() & person.keys())
    return Score(both / len(found) if found else 0.0, both / len(person) if person else 0.0)


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    shared = sum(min(count, b[word]) for word, count in a.items())
    total = a.total() + b.total()
    return 2 * shared / total if total else 0.0


Pairs = list[tuple[date, date]]


def _near(one: date, other: date) -> float:
    return 1 / (abs((one - other).days) + 1)


def alignment(found: Days, person: Days) -> tuple[Pairs, Pairs]:
    """Each date found with the cheapest of the person's, and the other way about (both with the one found first).

    A pair costs (1 - 1 / (1 + days apart)) * (1 - likeness of words): the earlier of two that cost the same.
    """
    words = [{when: Counter(_WORD.findall(" ".join(days[when]))) for when in sorted(days)} for days in (found, person)]
    cost = {
        (mine, theirs): (1 - _near(mine, theirs)) * (1 - _likeness(a, b))
        for mine, a in words[0].items()
        for theirs, b in words[1].items()
    }
    return (
        [(mine, min(words[1], key=lambda theirs: cost[mine, theirs])) for mine in words[0]],
        [(min(words[0], key=lambda mine: cost[mine, theirs]), theirs) for theirs in words[1]],
    )


def aligned(found: Days, person: Days, *sizes: int) -> list[Score]:
    """Alignment-based ROUGE-n with many dates to one ("align+ m:1"; Martschat and Markert, 2017), for each n.

    What two aligned dates share counts 1 / (1 + days apart).
    """
    if not found or not person:
        return [Score(0.0, 0.0) for _ in sizes]
    ours, theirs = alignment(found, person)
    scores = []
    for n in sizes:
        mine = {when: grams(said, n) for when, said in found.items()}
        other = {when: grams(said, n) for when, said in person.items()}

        def share(pairs: Pairs, of: Mapping[date, Counter[Hashable]], side: int) -> float:
            size = sum(of[pair[side]].total() for pair in pairs)
            got = sum(_near(a, b) * overlap(mine[a], other[b]).shared for a, b in pairs)  # noqa: B023
            return got / size if size else 0.0

        scores.append(Score(share(ours, mine, 0), share(theirs, other, 1)))
    return scores


@dataclass(frozen=True, slots=True)
class Figures:
    """The scores of one timeline."""

    name: str
    dates: Score
    ar1: Score
    ar2: Score


def compare(found: Days, written: Written) -> Figures:
    return Figures(written.name, date_score(found, written.days), *aligned(found, written.days, 1, 2))


def together(figures: Sequence[Figures]) -> dict[str, float]:
    """Over timelines, as published: precision and recall are means, and F is theirs. `mean_*` are means of F."""
    found: dict[str, float] = {}
    for name in ("dates", "ar1", "ar2"):
        scores: list[Score] = [getattr(f, name) for f in figures]
        mean = Score(sum(s.precision for s in scores) / len(scores), sum(s.recall for s in scores) / len(scores))
        found |= {f"{name}_f": mean.f, f"{name}_precision": mean.precision, f"{name}_recall": mean.recall}
        found[f"{name}_mean_f"] = sum(s.f for s in scores) / len(scores)
    return found | {"timelines": float(len(figures))}


def measured(topics: Sequence[Topic], make: Make, *, span: bool = True) -> list[Figures]:
    """Every written timeline against the one made for it; `span`: of the articles and the dates of its span alone."""
    figures = []
    for topic in topics:
        for written in topic.written:
            first, last = min(written.days), max(written.days)
            articles = within(topic.articles, first, last) if span else topic.articles
            figures.append(compare(make(topic, articles, written), written))
    return figures


# --- what is measured --------------------------------------------------------------------------------------------


def held_out(*, span: bool, length: bool = True) -> Make:
    """The product's timelines, each topic by weights that were fitted without it."""
    from broadsheet.stories.timeline import read_weights, tell

    every, without = read_weights()

    def make(topic: Topic, articles: Sequence[Article], written: Written) -> Days:
        found: dict[date, list[str]] = {}
        for moment in tell(
            _narrated(tuple(articles)),
            length=written.length if length else None,
            sentences=written.sentences if length else None,
            span=(min(written.days), max(written.days)) if span else None,
            weights=without.get(topic.name, every),
        ):
            found.setdefault(moment.date.date(), []).append(moment.sentence)
        return found

    return make


@lru_cache(maxsize=2)
def _narrated(articles: tuple[Article, ...]) -> Narrative:
    from broadsheet.articles.passages import passages
    from broadsheet.stories.narrative import narrate

    return narrate(articles, passages)


def evaluate(path: Path) -> Report:
    """Timeline17 by the published protocol, and with the length alone given."""
    topics = read(path)
    protocol: list[Figures] = []
    rows = []
    alone: list[Figures] = []
    for topic in topics:
        of_topic = measured([topic], held_out(span=True))
        rows.append(Row(topic.name, together(of_topic)))
        protocol += of_topic
        alone += measured([topic], held_out(span=False), span=False)
    rows = [Row("all", together(protocol)), *rows, Row("no span", together(alone))]
    return Report(
        task="timelines",
        dataset=path.name,
        rows=tuple(rows),
        notes=(
            "Each topic by weights fitted without it. F is that of the mean precision and the mean recall over all "
            "written timelines, as published; mean_f is the mean of their F.",
            f"{len(protocol)} timelines of {len(topics)} topics: those whose articles are here.",
        ),
    )
