"""Fits what timelines ship: what makes a day matter, and what makes a sentence tell it.

    python scripts/train_timelines.py TIMELINES

Both are linear and fitted on Timeline17: a logistic regression over days, a ridge regression of each sentence's ROUGE-1
F with what was written of its day. A fit for each topic that leaves the topic out is kept beside the one on all of them,
so that `broadsheet evaluate timelines` measures each topic with weights that have not seen it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from broadsheet.articles.passages import passages
from broadsheet.evaluation import timelines as labelled
from broadsheet.evaluation.rouge import grams, overlap
from broadsheet.stories.narrative import Narrative, narrate
from broadsheet.stories.timeline import SENTENCE_FEATURES, Days, Reader, Weights, days_of

DATA = Path(__file__).resolve().parent.parent / "src/broadsheet/stories/data"
C, ALPHA = 0.03, 300.0  # how freely the two may fit: both were flat over a decade around these
# What each word of a sentence costs. The regression knows nothing of the whole: without it timelines had 1.65 times the words
# of the written ones. AR1-F is .122 at 0, .126 at .0015, .129 at .003 and .0045, .121 at .006; .127 chosen without the topic.
BREVITY = 0.003

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A written timeline as a lesson: its days with what was chosen, its days' sentences with what they are worth."""

    topic: str
    days: Days
    chosen: NDArray[np.bool_]
    sentences: tuple[tuple[Floats, Floats], ...]


def example(topic: str, written: labelled.Written, told: Narrative) -> Example:
    days = days_of(told, (min(written.days), max(written.days)))
    chosen = np.isin(days.ordinals, [d.toordinal() for d in written.days])
    reader = Reader(told)
    lessons = []
    for day, said in written.days.items():
        named, opens = reader.candidates(day.toordinal())
        if len(named) + len(opens) < 3:
            continue
        rows, features = reader.features(day.toordinal(), named, opens)
        person = grams(said, 1)
        worth = []
        for row in rows:
            counts = overlap(grams([told.passage(int(row)).text], 1), person)
            # a sentence stands for its share of the day, or the longest would always be best
            worth.append(2 * counts.shared / (counts.system + counts.person / len(said) + 1e-9))
        lessons.append((features, np.array(worth)))
    return Example(topic, days, chosen, tuple(lessons))


def scaled(rows: Floats) -> tuple[Floats, Floats]:
    spread = rows.std(0)
    return rows.mean(0), np.where(spread > 0, spread, 1.0)


def fit(examples: list[Example]) -> Weights:
    """One set of weights; a topic with many timelines counts as the root of their number, a timeline as one."""
    of_topic = Counter(e.topic for e in examples)
    rows = np.concatenate([e.days.features for e in examples])
    chosen = np.concatenate([e.chosen for e in examples])
    counts = np.concatenate([np.full(len(e.chosen), 1 / len(e.chosen) / of_topic[e.topic] ** 0.5) for e in examples])
    mean, spread = scaled(rows)
    days = LogisticRegression(C=C, max_iter=3000).fit((rows - mean) / spread, chosen, counts / counts.mean())
    of_day = days.coef_[0] / spread
    bias = float(days.intercept_[0] - of_day @ mean)

    rows = np.concatenate([features for e in examples for features, _ in e.sentences])
    worth = np.concatenate([w - w.mean() for e in examples for _, w in e.sentences])
    counts = np.concatenate(
        [
            np.full(len(w), 1 / len(w) / len(e.sentences) / of_topic[e.topic] ** 0.5 * 30)
            for e in examples
            for _, w in e.sentences
        ]
    )
    mean, spread = scaled(rows)
    sentences = Ridge(alpha=ALPHA).fit((rows - mean) / spread, worth, counts / counts.mean())
    of_sentence = sentences.coef_ / spread
    of_sentence[SENTENCE_FEATURES.index("words")] -= BREVITY
    found = Weights(of_day, bias, of_sentence)
    return replace(found, likely=likely(examples, found))


def likely(examples: list[Example], weights: Weights) -> float:
    """The score from which days are told where nobody says how many: the best mean F1 over the examples."""
    tries = np.linspace(-3, 3, 61)
    means = []
    for bound in tries:
        scores = []
        for e in examples:
            taken = e.days.features @ weights.days + weights.bias >= bound
            scores.append(2 * (taken & e.chosen).sum() / max(1, taken.sum() + e.chosen.sum()))
        means.append(float(np.mean(scores)))
    return float(tries[int(np.argmax(means))])


def main(path: Path) -> None:
    topics = labelled.read(path)
    examples = []
    for topic in topics:
        for written in topic.written:
            articles = labelled.within(topic.articles, min(written.days), max(written.days))
            examples.append(example(topic.name, written, narrate(articles, passages)))
            typer.echo(f"{written.name}: {len(examples[-1].chosen)} days, {len(examples[-1].sentences)} with sentences")
    names = [topic.name for topic in topics]
    every = [fit(examples), *(fit([e for e in examples if e.topic != name]) for name in names)]
    np.savez_compressed(
        DATA / "timelines.npz",
        topics=np.array(names),
        days=np.array([[*w.days, w.bias] for w in every]),
        sentences=np.array([w.sentences for w in every]),
        likely=np.array([w.likely for w in every]),
    )
    typer.echo(f"timelines.npz: {(DATA / 'timelines.npz').stat().st_size} bytes")


if __name__ == "__main__":
    typer.run(main)
