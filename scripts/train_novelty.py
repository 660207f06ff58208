"""Fits what novelty ships: the probability that a sentence is new, and that it is news of the event itself.

    python scripts/train_novelty.py DATA

DATA is the folder that holds `stories` and `timelines`. Only the `dev` half of the hand-labelled events is learned from
(`broadsheet.evaluation.novelty`); it prints the figures of a cross-validation by event within that half.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import lightgbm
import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]
from train_stories import as_arrays

from broadsheet.articles.passages import passages
from broadsheet.evaluation import novelty as labelled
from broadsheet.evaluation import stories
from broadsheet.model import Article
from broadsheet.stories import novelty
from broadsheet.stories.novelty import DIRECTIONS
from broadsheet.stories.told import Told, tell

FILE = Path(__file__).resolve().parent.parent / "src/broadsheet/stories/data/novelty.npz"
FOLDS, SEEDS = 7, 3
MADE = 0.3  # what an example that was made up weighs beside one that was labelled
_COUNT = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?![\w.,]*\d)")


@dataclass(frozen=True, slots=True)
class Examples:
    rows: NDArray[np.float32]
    worth: NDArray[np.float64]
    labels: NDArray[np.int64]
    event: NDArray[np.int64]
    weight: NDArray[np.float64]

    @property
    def real(self) -> NDArray[np.bool_]:
        return self.weight == 1.0


def _tell(article: Article) -> Told:
    return tell(article, passages)


def _with_other_number(text: str, rng: random.Random) -> str:
    """The sentence with one of its counts changed; empty where it has none. Years stay."""
    counts = [m for m in _COUNT.finditer(text) if not 1900 <= int(m[0].replace(",", "")) <= 2100]
    if not counts:
        return ""
    count = rng.choice(counts)
    other = max(2, int(int(count[0].replace(",", "")) * rng.choice([0.5, 1.3, 1.5, 2, 3])) + 1)
    return f"{text[: count.start()]}{f'{other:,}' if ',' in count[0] else other}{text[count.end() :]}"


def _examples(data: Path) -> Examples:
    """The labelled sentences as they are, and four kinds that are made of them.

    Beside 3 or 9 articles of other events that were read too, the labels hold: nothing in those says what they say. Where a
    third of the article itself was read, that third is not new. A read sentence with another number in it is new, and so is what an article of another event opens with.
    """
    cases = labelled.cases(data)
    used = {a.id for c in cases for a in (*c.read, c.unread)}
    others = [
        a
        for name in ("stories/basil", "stories/newscluster5w1h")
        for a in stories.read(data / name).articles
        if 150 < len(a.text.split()) < 700 and a.id not in used
    ]
    rng = random.Random(3)
    rows, worth, labels, event, weight = [], [], [], [], []

    def add(read: list[Told], told: Told, known: Mapping[labelled.Span, int], number: int, of: float) -> None:
        found, value = novelty.rows(read, told)
        for said, row, worth_row in zip(told.said, found, value, strict=True):
            label = known.get((said.passage.start, said.passage.end))
            if label is not None and not said.furniture:
                rows.append(row)
                worth.append(worth_row)
                labels.append(label)
                event.append(number)
                weight.append(of)

    for number, case in enumerate(c for c in cases if c.half == "dev"):
        read, told = [_tell(a) for a in case.read], _tell(case.unread)
        add(read, told, case.labels, number, 1.0)
        for more in (3, 9):
            add([*read, *map(_tell, rng.sample(others, more))], told, case.labels, number, MADE)
        third = [p for n, p in enumerate(passages(case.unread)) if n % 3 == 0]
        partly = _tell(replace(case.unread, title="", text="\n".join(p.text for p in third)))
        add([*read, partly], told, dict(case.labels) | {(p.start, p.end): 0 for p in third}, number, MADE)
        for other in rng.sample(others, 2):
            elsewhere = _tell(replace(other, title=case.unread.title))
            add(read, elsewhere, {(s.passage.start, s.passage.end): 1 for s in elsewhere.said[:12]}, number, MADE)
        for text in _changed(case.read, rng):
            changed = _tell(replace(case.unread, title="", text=text))
            add(read, changed, {(s.passage.start, s.passage.end): 1 for s in changed.said[:1]}, number, MADE)
    return Examples(np.array(rows), np.array(worth), np.array(labels), np.array(event), np.array(weight))


def _changed(read: tuple[Article, ...], rng: random.Random) -> Iterator[str]:
    for article in read:
        for passage in passages(article):
            text = _with_other_number(passage.text, rng)
            if text and len(text) < 400:
                yield text


def _forest(e: Examples, chosen: NDArray[np.bool_]) -> lightgbm.LGBMClassifier:
    forest = lightgbm.LGBMClassifier(
        n_estimators=60,
        num_leaves=8,
        learning_rate=0.06,
        min_child_samples=10,
        reg_lambda=1.0,
        colsample_bytree=0.5,
        monotone_constraints=list(DIRECTIONS),
        random_state=1,
        num_threads=1,
        verbose=-1,
    )
    return forest.fit(e.rows[chosen], e.labels[chosen] > 0, sample_weight=e.weight[chosen])


def _worth(e: Examples, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    fitted.fit(e.worth[chosen], e.labels[chosen] == 2)
    scale, line = fitted[0], fitted[1]
    weights = line.coef_[0] / scale.scale_
    return np.append(weights, line.intercept_[0] - float(weights @ scale.mean_))


def main(data: Path) -> None:
    e = _examples(data)
    typer.echo(f"{int(e.real.sum())} labelled sentences, {int((~e.real).sum())} made of them")
    new, news = np.zeros(len(e.labels)), np.zeros(len(e.labels))
    for seed in range(SEEDS):
        events = np.unique(e.event)
        np.random.default_rng(seed).shuffle(events)
        for held in np.array_split(events, FOLDS):
            out = np.isin(e.event, held)
            new[out] += _forest(e, ~out).predict_proba(e.rows[out])[:, 1] / SEEDS
            weights = _worth(e, ~out & e.real)
            news[out] += 1 / (1 + np.exp(-(e.worth[out] @ weights[:-1] + weights[-1]))) / SEEDS
    for least in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55):
        parts = [
            f"{name} P {p:.3f} R {r:.3f} F {f:.3f}"
            for name, some in (("labelled", e.real), ("made", ~e.real))
            for p, r, f in [labelled.scores(new[some] >= least, e.labels[some] > 0)]
        ]
        typer.echo(f"from {least}: " + ", ".join(parts))
    real = e.real
    for name, order in (("new", new), ("new + 2 news", new + 2 * news)):
        by_event = [
            (order[real & (e.event == n)], e.labels[real & (e.event == n)])
            for n in np.unique(e.event[real])
            if e.labels[real & (e.event == n)].any()
        ]
        ndcg = np.mean([labelled.ndcg(o, y) for o, y in by_event])
        typer.echo(f"in order of {name}: nDCG {ndcg:.3f}")
    every = np.ones(len(e.labels), dtype=bool)
    arrays = as_arrays(_forest(e, every).booster_) | {"worth": _worth(e, real).astype(np.float32)}
    np.savez_compressed(FILE, **arrays)
    typer.echo(f"{FILE.name}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    typer.run(main)
