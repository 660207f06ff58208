"""How well the sentences that say something new are told from the rest, and put in order.

The labels (`data/novelty.tsv`) were given by hand to 626 sentences of 41 articles, beside one or two articles of the
same event that stand for what was read: 0 says nothing new, 1 says something new, 2 is news of the event itself. They
hold ids and offsets alone; the texts are those of the labelled stories and timelines. Half of the events are for fitting
and tuning (`dev`), half for the figures that count (`test`); they were divided before anything was tried.
"""

from __future__ import annotations

import csv
import json
import lzma
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import log, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broadsheet.errors import InputError
from broadsheet.evaluation import stories
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import Article, ArticleId

Span = tuple[int, int]
Floats = NDArray[np.float64]

T17 = "timelines/t17-articles.jsonl.xz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was read, what was not, and the labels of some of its sentences by their offsets."""

    half: str
    set: str
    read: tuple[Article, ...]
    unread: Article
    labels: Mapping[Span, int]


@cache
def _articles(data: Path, name: str) -> Mapping[str, Article]:
    if name != T17:
        return {a.id: a for a in stories.read(data / name).articles}
    with lzma.open(data / name, "rt", encoding="utf-8") as lines:
        return {
            str(n): Article(id=ArticleId(str(n)), url="", title="", text=json.loads(line)["text"])
            for n, line in enumerate(lines)
        }


def cases(data: Path) -> list[Case]:
    """The labelled cases, with their texts from the folder that holds `stories` and `timelines`."""
    if not (data / "stories").is_dir() or not (data / T17).is_file():
        raise InputError(f"{data} does not hold the labelled stories and timelines: see docs/design/0013-novelty.md.")
    found: list[Case] = []
    file = resources.files("broadsheet.evaluation") / "data" / "novelty.tsv"
    for row in csv.DictReader(file.read_text("utf-8").splitlines(), delimiter="\t"):
        known = _articles(data, row["set"])
        labels = {}
        for label in row["labels"].split():
            span, _, grade = label.partition(":")
            start, _, end = span.partition("-")
            labels[int(start), int(end)] = int(grade)
        found.append(
            Case(
                half=row["half"],
                set=row["set"],
                read=tuple(known[id_] for id_ in row["read"].split(",")),
                unread=known[row["unread"]],
                labels=labels,
            )
        )
    return found


# --- measures ----------------------------------------------------------------------------------------------------

GAIN = (0.0, 1.0, 3.0)  # of a label, in nDCG


def scores(given: NDArray[np.bool_], new: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Precision, recall and F of the sentences given as new."""
    right = float((given & new).sum())
    precision, recall = right / max(1, int(given.sum())), right / max(1, int(new.sum()))
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def ndcg(order: Floats, labels: NDArray[np.int64]) -> float:
    """Normalised discounted gain of the labels in descending `order`, all of them; 1 where nothing is new."""
    gain = np.array(GAIN)[labels]
    discount = 1.0 / np.log2(np.arange(2, len(gain) + 2))
    best = float((np.sort(gain)[::-1] * discount).sum())
    return float((gain[np.argsort(-order, kind="stable")] * discount).sum()) / best if best else 1.0


def average_precision(order: Floats, new: NDArray[np.bool_]) -> float:
    """The mean precision at each new sentence, in descending `order`; 1 where nothing is new."""
    hits = new[np.argsort(-order, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()) if hits.any() else 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a way of doing it says of the labelled sentences of one case: which are new, and how high each stands."""

    given: NDArray[np.bool_]
    order: Floats


def figures(found: Sequence[Case], answers: Sequence[Answer]) -> dict[str, float]:
    """Set-based figures over all sentences together and by event, and how well the order is."""
    labels = [np.array(list(c.labels.values())) for c in found]
    given, gold = np.concatenate([a.given for a in answers]), np.concatenate(labels) > 0
    precision, recall, f = scores(given, gold)
    # where nothing is new, giving nothing is all that is right
    each = [
        scores(a.given, y > 0)[2] if (y > 0).any() else float(not a.given.any())
        for a, y in zip(answers, labels, strict=True)
    ]
    return {
        "precision": precision,
        "recall": recall,
        "f1": f,
        "f1_by_event": float(np.mean(each)),
        "ap": float(np.mean([average_precision(a.order, y > 0) for a, y in zip(answers, labels, strict=True)])),
        "ndcg": float(np.mean([ndcg(a.order, y) for a, y in zip(answers, labels, strict=True)])),
        "sentences": float(len(gold)),
        "events": float(len(found)),
    }


Score = Callable[[Case], Floats]


def _sentences(case: Case) -> list[str]:
    return [case.unread.text[start:end] for start, end in case.labels]


def far_from_read(case: Case) -> Floats:
    """One less the highest TF-IDF cosine with a read sentence (log tf, smoothed idf of both sides' sentences)."""
    from broadsheet.articles.passages import passages
    from broadsheet.stories.features import words

    read = [p.text for a in case.read for p in passages(a)] + [a.title for a in case.read]
    counts = [Counter(words(text)) for text in read + _sentences(case)]
    held = Counter(word for count in counts for word in count)
    rows: list[dict[str, float]] = []
    for count in counts:
        row = {w: (1 + log(n)) * (1 + log((1 + len(counts)) / (1 + held[w]))) for w, n in count.items()}
        size = sqrt(sum(v * v for v in row.values())) or 1.0
        rows.append({w: v / size for w, v in row.items()})
    near = [
        max(sum(v * r[w] for w, v in row.items() if w in r) for r in rows[: len(read)]) for row in rows[len(read) :]
    ]
    return 1.0 - np.array(near)


def new_words(case: Case) -> Floats:
    """How many different words of each sentence were not read."""
    from broadsheet.stories.features import words

    read = {w for a in case.read for w in words(f"{a.title}\n{a.text}")}
    return np.array([float(len(set(words(s)) - read)) for s in _sentences(case)])


def in_place(case: Case) -> Floats:
    """All of a later article is new, in its own order."""
    return -np.arange(len(case.labels), dtype=np.float64)


def broadsheet(case: Case) -> Answer:
    """What `whats_new` gives; what it leaves out stands behind, in the article's order."""
    from broadsheet.articles.passages import passages
    from broadsheet.stories.novelty import whats_new

    news = whats_new(case.read, [case.unread], passages)
    place = {(n.passage.start, n.passage.end): float(len(news) - i) for i, n in enumerate(news)}
    spans = list(case.labels)
    order = np.array([place.get(span, -n - 1.0) for n, span in enumerate(spans)])
    return Answer(np.array([span in place for span in spans]), order)


def _best_threshold(found: Sequence[Case], score: Score) -> float:
    values = np.concatenate([score(c) for c in found])
    gold = np.concatenate([np.array(list(c.labels.values())) for c in found]) > 0
    thresholds: list[float] = np.unique(values).tolist()
    return max(thresholds, key=lambda t: scores(values >= t, gold)[2])


def evaluate(path: Path) -> Report:
    """Both halves of the labelled set at a data folder: the product, and the simple ways beside it."""
    every = cases(path)
    halves = {half: [c for c in every if c.half == half] for half in ("test", "dev")}
    rows: list[Row] = []
    for half, some in halves.items():
        rows.append(Row(f"{half}: broadsheet", figures(some, [broadsheet(c) for c in some])))
        for name, score in BASELINES.items():
            least = -np.inf if score is in_place else _best_threshold(halves["dev"], score)
            answers = [Answer(score(c) >= least, score(c)) for c in some]
            rows.append(Row(f"{half}: {name}", figures(some, answers)))
    return Report(
        task="novelty",
        dataset="novelty.tsv",
        rows=tuple(rows),
        notes=(
            "The model and the thresholds of the baselines were fitted on dev: the figures that count are those of test. "
            "f1 is over all sentences together; ap and ndcg (gains 0, 1, 3) are means over events.",
        ),
    )


BASELINES: Mapping[str, Score] = {
    "all of it": in_place,
    "TF-IDF distance": far_from_read,
    "new words": new_words,
}
