"""Fits the probability that a story belongs to a thread (src/broadsheet/stories/data/threads.npz).

    python scripts/train_threads.py CORPORA/current-events.jsonl.gz

Only the events of 2025 are learned from, each put where its editors put it; those of 2026 are left for the report
(`broadsheet evaluate threads`). Prints the figures of each half of 2025 by a forest fitted on the other, for the choice of
`Threading.join`, and the thresholds of the baselines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import typer
from numpy.typing import NDArray
from train_stories import as_arrays

from broadsheet.evaluation import threads as labelled
from broadsheet.model import Story, ThreadId
from broadsheet.stories.pairs import Forest
from broadsheet.stories.threads import FEATURES, OpenThreads, Threading

DATA = Path(__file__).resolve().parent.parent / "src/broadsheet/stories/data"

# What may only make a thread more (1) or less (-1) likely, whatever else is known.
MORE = (
    "body", "title", "names", "roots", "title_in_body", "vector", "member_body", "member_names", "member_roots",
    "member_vector", "member_second", "vote", "nearest", "beside",
)  # fmt: skip
LESS = ("days", "rank")
# An event under no ongoing story may belong to one that its editor did not name: it weighs less.
UNNAMED = 0.3
JOINS = (0.25, 0.3, 0.35, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was offered to each story: rows of features, and which of them is the thread that it belongs to."""

    rows: NDArray[np.float32]
    right: NDArray[np.bool_]
    weight: NDArray[np.float64]


def taught(told: Sequence[labelled.Told], stories: Sequence[Story]) -> Choices:
    """The choices of a stream in which each story went where its editors put it, at the top of their tree."""
    threads = OpenThreads()
    rows: list[NDArray[np.float32]] = []
    right: list[bool] = []
    weight: list[float] = []
    for event, story in zip(told, stories, strict=True):
        threads.forget(story.first_seen)
        new, offered, found = threads.look(story)
        thread = ThreadId(f"under {event.under[0]}" if event.under else f"alone {story.id}")
        rows.append(found)
        right += [one == thread for one in offered]
        weight += [1.0 if event.under else UNNAMED] * len(offered)
        threads.place(new, thread)
    return Choices(np.concatenate(rows), np.array(right), np.array(weight))


def fit(choices: Choices, trees: int = 200) -> Any:
    """Fifteen free leaves had .721 / .438 and .740 / .427 on the halves at .4, and parted reports of one affair in the tests."""
    model = lightgbm.LGBMClassifier(
        n_estimators=trees, num_leaves=7, learning_rate=0.05, min_child_samples=30, reg_lambda=5.0, subsample=0.8,
        subsample_freq=1, colsample_bytree=0.7, random_state=1, n_jobs=1, verbose=-1,
        monotone_constraints=[1 if f in MORE else -1 if f in LESS else 0 for f in FEATURES],
    )  # fmt: skip
    model.fit(choices.rows, choices.right, sample_weight=choices.weight)
    return model.booster_


def said(way: str, told: Sequence[labelled.Told], stories: Sequence[Story], assign: labelled.Assign) -> None:
    for row in labelled.compared(told, stories, {way: assign}):
        typer.echo(f"{row.name}: " + ", ".join(f"{k} {v:.3f}" for k, v in row.figures.items()))


def main(path: Path, trees: int = 200) -> None:
    told = [t for t in labelled.read(path) if t.article.published and t.article.published.year == 2025]
    train(told, labelled.stories(told), trees)


def train(told: Sequence[labelled.Told], stories: Sequence[Story], trees: int = 200) -> None:
    middle = sum(t.article.published is not None and t.article.published.month < 7 for t in told)
    halves = ((told[:middle], stories[:middle]), (told[middle:], stories[middle:]))
    choices = [taught(*half) for half in halves]
    whole = taught(told, stories)
    np.savez_compressed(DATA / "threads.npz", **as_arrays(fit(whole, trees)))
    typer.echo(f"{len(whole.right)} choices; threads.npz: {(DATA / 'threads.npz').stat().st_size} bytes")
    for number, (events, given) in enumerate(halves):
        forest = Forest(as_arrays(fit(choices[1 - number], trees)))
        for join in JOINS:
            rules = replace(Threading(), join=join)

            def by_forest(given: Sequence[Story], rules: Threading = rules, forest: Forest = forest) -> list[Any]:
                threads = OpenThreads(rules, forest=forest)
                found = []
                for story in given:
                    threads.forget(story.first_seen)
                    found.append(threads.assign(story).thread)
                return found

            said(f"half {number + 1}, join {join}", events, given, by_forest)
        for shared in (1, 2):
            said(f"half {number + 1}, {shared} shared", events, given, lambda s, n=shared: labelled.by_entities(s, n))
        for join in (0.15, 0.2, 0.25, 0.3, 0.35):
            said(f"half {number + 1}, TF-IDF {join}", events, given, lambda s, j=join: labelled.by_words(s, j))
        for join in (0.4, 0.5, 0.55, 0.6, 0.65, 0.7):
            said(f"half {number + 1}, vectors {join}", events, given, lambda s, j=join: labelled.by_vectors(s, j))


if __name__ == "__main__":
    typer.run(main)
