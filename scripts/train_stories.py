"""Fits what grouping ships: the table of rare words, and the probability that two articles report one story.

    python scripts/train_stories.py rarity CORPORA
    python scripts/train_stories.py pairs STORIES/allsides-train.jsonl.xz
    python scripts/train_stories.py refine STORIES/allsides-train.jsonl.xz

Only `allsides-train` is learned from; the three other labelled sets are left untouched for the report. `pairs` and
`refine` print the figures of the cross-validation by year: each story is grouped by a forest that saw no story of its third of
the years.
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import typer
from numpy.typing import NDArray

from broadsheet.articles.embed import embed
from broadsheet.evaluation import stories as labelled
from broadsheet.model import Article, ArticleId
from broadsheet.stories import features
from broadsheet.stories import refine as whole_set
from broadsheet.stories.cluster import Grouping, OpenStories
from broadsheet.stories.pairs import Forest

DATA = Path(__file__).resolve().parent.parent / "src/broadsheet/stories/data"
LANGUAGES = [
    "ar",
    "ca",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "fi",
    "fr",
    "hu",
    "id",
    "it",
    "nb",
    "nl",
    "pl",
    "pt",
    "ro",
    "ru",
    "sv",
    "tr",
    "uk",
]

app = typer.Typer(add_completion=False)


# --- rare words --------------------------------------------------------------------------------------------------


def _texts(corpora: Path) -> Iterator[str]:
    for path in sorted(corpora.glob("*.jsonl.*")):
        opened = lzma.open if path.suffix == ".xz" else gzip.open
        with opened(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                document = json.loads(line)
                text = document.get("text") or document.get("markdown") or document.get("event") or ""
                text = re.sub(r"\]\([^)]*\)|https?://\S+|[*_#\[\]|]+", " ", text)
                yield f"{document.get('title') or ''} {text[:5000]}"


@app.command()
def rarity(corpora: Path) -> None:
    """The table of rare words, from the open corpora and the stop words of the languages that spaCy knows."""
    counts = np.zeros(features.SPACE, dtype=np.int64)
    documents = 0
    for text in _texts(corpora):
        documents += 1
        counts[features.terms("", text).slots[0]] += 1
    for language in LANGUAGES:
        stop = import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS
        slots = features.terms("", " ".join(sorted(stop))[: features.BODY_WORDS * 8]).slots[0]
        # a language that the corpora do not hold still has words that say nothing
        counts[slots] = np.maximum(counts[slots], documents // 4)
    kept = np.flatnonzero(counts >= 3)
    DATA.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        DATA / "rarity.npz",
        steps=np.diff(kept, prepend=0).astype(np.uint32),
        counts=np.minimum(counts[kept], 65535).astype(np.uint16),
        documents=np.array(documents),
    )
    typer.echo(f"{documents} documents, {len(kept)} terms, {(DATA / 'rarity.npz').stat().st_size} bytes")


# --- pairs -------------------------------------------------------------------------------------------------------

# What may only make a pair more (1) or less (-1) likely, whatever else is known.
MONOTONE = dict.fromkeys(("body", "title", "names", "numbers", "title_in_body_most", "vector"), 1) | {
    "days": -1,
    "span": -1,
    "density": -1,
}
SPEEDS = (1.0, 10.0, 100.0, 1000.0)  # the stream as it is, and as if it ran that many times faster
FOREVER = 1e9
DAYS, SPAN, PUBLISHER, VECTOR, DENSITY = (
    features.FEATURES.index(n) for n in ("days", "span", "same_publisher", "vector", "density")
)


@dataclass(frozen=True, slots=True)
class Pairs:
    rows: NDArray[np.float32]
    same: NDArray[np.bool_]
    newer: NDArray[np.int64]
    wide: NDArray[np.bool_]  # found near among all articles, whatever their dates


def variants(path: Path) -> Iterator[tuple[str, list[Article], list[str]]]:
    """The articles whole, as headlines alone, and as the headline and 40 words that most feeds carry."""
    read = labelled.read(path)
    for name, most in (("full", 10**9), ("headlines", 0), ("leads", 40)):
        cut = [
            a if len(a.text.split()) <= most else replace(a, text=" ".join(a.text.split()[:most]))
            for a in read.articles
        ]
        yield name, embed(cut if name != "full" else read.articles), list(read.stories)


def pairs_of(articles: list[Article], stories: list[str]) -> Pairs:
    """Each article with the earlier ones and their stories nearest to it, within ten days and within longer times."""
    table, comparer = features.Rarity.packaged(), features.Comparer()
    sketches = [features.sketch(a, table) for a in articles]
    when = np.array([s.when for s in sketches]) / 86400
    vectors = np.stack([s.vector for s in sketches]).astype(np.float32)
    holders: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    members: defaultdict[str, list[int]] = defaultdict(list)
    told: dict[str, features.Sketch] = {}  # each story as far as it has come
    rows, same, newer, wide = [], [], [], []
    for i, new in enumerate(sketches):
        slots, weights = new.slots[new.view(0)], new.weights[new.view(0)]
        rarest = np.argsort(-weights)[:40]
        near = np.zeros(i)
        for slot, weight in zip(slots[rarest].tolist(), weights[rarest].tolist(), strict=True):
            for row, other in holders[slot]:
                near[row] += weight * other
            holders[slot].append((i, weight))
        cosine = vectors[:i] @ vectors[i]
        chosen: dict[int, bool] = {}
        for span, most in ((10, 12), (100, 10), (1000, 10), (FOREVER, 12)):
            rivals = np.flatnonzero(~(np.abs(when[:i] - when[i]) > span))
            best = [*rivals[np.argsort(-near[rivals])[:most]], *rivals[np.argsort(-cosine[rivals])[:3]]]
            chosen |= {int(row): span == FOREVER for row in best if int(row) not in chosen or span == FOREVER}
        chosen |= dict.fromkeys(members[stories[i]], True)
        # the stories of those, and the articles themselves: a story in the making is often one article
        whole: dict[str, bool] = {}
        for row, far in chosen.items():
            if told[stories[row]].articles > 1:
                whole[stories[row]] = whole.get(stories[row], False) or far
        if chosen:
            density = float(np.sum(np.abs(when - when[i]) <= 1))
            singles = sorted(chosen)
            others = [sketches[row] for row in singles] + [told[story] for story in whole]
            rows.append(comparer.compare(new, others, max(1.0, density)))
            same += [stories[row] == stories[i] for row in singles] + [story == stories[i] for story in whole]
            newer += [i] * len(others)
            wide += [chosen[row] for row in singles] + list(whole.values())
        members[stories[i]].append(i)
        told[stories[i]] = features.blend(told[stories[i]], new) if stories[i] in told else new
    return Pairs(np.concatenate(rows), np.array(same), np.array(newer), np.array(wide))


def at_speed(given: Pairs, speed: float, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The pairs as a stream `speed` times as dense would show them, and which of them it would show.

    The set has two articles a day; the feeds of a newspaper's reader bring two thousand. There, that two articles are
    of one day says nothing, so different stories are drawn together in time as far as the stream is dense. The days
    of the set are whole; noise keeps a forest from telling true gaps from shrunken ones by their fractions. Editors
    chose articles of one or two days, while news goes on for weeks, so some gaps of one story are stretched.
    """
    rows = given.rows.copy()
    gap, span = rows[:, DAYS].astype(np.float64), rows[:, SPAN].astype(np.float64)
    long = given.same & (rng.random(len(gap)) < 0.12)
    # some of weeks, a few of years
    more = np.where(rng.random(len(gap)) < 0.7, rng.exponential(8.0, len(gap)), np.exp(rng.uniform(2, 7, len(gap))))
    gap, span = gap + long * more, span + long * more
    gap, span = (np.where(given.same, x, x / speed) for x in (gap, span))
    shown = given.same | (gap <= 30) | (np.isnan(gap) & given.wide)
    if speed == SPEEDS[-1]:
        shown = given.same | given.wide
    noise, still = rng.uniform(-0.7, 0.7, len(gap)), (speed == 1.0) & (rng.random(len(gap)) < 0.5)
    missing = rng.random(len(gap)) < 0.1
    for column, days in ((DAYS, gap), (SPAN, span)):
        rows[:, column] = np.where(missing, np.nan, np.where(still, days, np.abs(days + noise)))
    rows[:, DENSITY] = np.log1p(np.expm1(rows[:, DENSITY]) * speed * np.exp(rng.normal(0, 0.5, len(gap))))
    rows[rng.random(len(gap)) < 0.3, PUBLISHER] = np.nan
    rows[rng.random(len(gap)) < 0.1, VECTOR] = np.nan
    return rows, shown


def fit(
    rows: NDArray[np.float32],
    same: NDArray[np.bool_],
    trees: int = 120,
    monotone: dict[str, int] = MONOTONE,
    names: tuple[str, ...] = features.FEATURES,
    **more: Any,
) -> Any:
    settings: dict[str, Any] = {
        "objective": "binary",
        "learning_rate": 0.08,
        "num_leaves": 15,
        "max_depth": 6,
        "min_child_samples": 60,
        "lambda_l2": 5.0,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "monotone_constraints": [monotone.get(name, 0) for name in names],
        "verbose": -1,
        "num_threads": 1,
        "seed": 1,
        "deterministic": True,
    } | more
    return lightgbm.train(settings, lightgbm.Dataset(rows, same.astype(float)), trees)


def as_arrays(booster: Any) -> dict[str, Any]:
    """A fitted booster as the arrays that `stories.pairs.Forest` reads."""
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    default: list[bool] = []
    value: list[float] = []
    roots: list[int] = []
    deepest = 0

    def add(node: dict[str, Any], depth: int) -> int:
        nonlocal deepest
        deepest = max(deepest, depth)
        here = len(feature)
        leaf = "leaf_value" in node
        feature.append(0 if leaf else node["split_feature"])
        threshold.append(0.0 if leaf else node["threshold"])
        # a split that met no missing value while it was fitted reads one as nought
        goes_left = not leaf and (node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0)
        default.append(bool(goes_left))
        value.append(node["leaf_value"] if leaf else 0.0)
        left.append(here)
        right.append(here)
        if not leaf:
            left[here] = add(node["left_child"], depth + 1)
            right[here] = add(node["right_child"], depth + 1)
        return here

    for tree in booster.dump_model()["tree_info"]:
        roots.append(add(tree["tree_structure"], 0))
    return {
        "feature": np.array(feature, dtype=np.uint8),
        "threshold": np.array(threshold),
        "left": np.array(left, dtype=np.uint16),
        "right": np.array(right, dtype=np.uint16),
        "default": np.array(default),
        "value": np.array(value, dtype=np.float32),
        "roots": np.array(roots, dtype=np.uint16),
        "depth": np.array(deepest),
    }


def folds(articles: list[Article], stories: list[str]) -> NDArray[np.int64]:
    """A third of the years for each article: that of its story's; a story without any date goes with 2016."""
    year: dict[str, int] = {}
    for article, story in zip(articles, stories, strict=True):
        if article.published:
            year.setdefault(story, article.published.year)
    return np.array([year.get(story, 2016) % 3 for story in stories])


def cross_validated(
    name: str, articles: list[Article], stories: list[str], year: NDArray[np.int64], forests: dict[int, Forest]
) -> None:
    class Held(OpenStories):
        """Decides about each article with the forest that saw no story of its year, nor of that third of the years."""

        def read(self, article: Article, held: int) -> None:
            self._forest = forests[held]
            self.assign(article)

    found = Held(Grouping(), forest=forests[int(year[0])])
    for article, held in zip(articles, year, strict=True):
        found.read(article, int(held))
    figures = labelled.figures([found.story_of(a.id) for a in articles], stories)
    typer.echo(f"{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))


@app.command()
def pairs(path: Path, trees: int = 120) -> None:
    """The forest of pairs, cross-validated by year and then fitted on all years."""
    rng = np.random.default_rng(0)
    rows: list[NDArray[np.float32]] = []
    same: list[NDArray[np.bool_]] = []
    held: list[NDArray[np.int64]] = []
    read = list(variants(path))
    for _, articles, stories in read:
        given, year = pairs_of(articles, stories), folds(articles, stories)
        for speed in SPEEDS:
            changed, shown = at_speed(given, speed, rng)
            rows.append(changed[shown])
            same.append(given.same[shown])
            held.append(year[given.newer][shown])
    all_rows, all_same, all_held = np.concatenate(rows), np.concatenate(same), np.concatenate(held)
    typer.echo(f"{len(all_same)} pairs, {int(all_same.sum())} of one story")
    forests = {
        int(y): Forest(as_arrays(fit(all_rows[all_held != y], all_same[all_held != y], trees)))
        for y in np.unique(all_held)
    }
    np.savez_compressed(DATA / "pairs.npz", **as_arrays(fit(all_rows, all_same, trees)))
    typer.echo(f"pairs.npz: {(DATA / 'pairs.npz').stat().st_size} bytes")
    for name, articles, stories in read:
        cross_validated(name, articles, stories, folds(articles, stories), forests)


# --- a set that is known whole -----------------------------------------------------------------------------------

MONOTONE_WHOLE = dict.fromkeys(("whole", "lead", "title", "names", "vector", "title_in_text_most"), 1) | {"days": -1}


@dataclass(frozen=True, slots=True)
class Seen:
    """A set as it may come to `refine`: the pairs that are near, and the third of the years and the story of each article."""

    name: str
    pairs: whole_set.Pairs
    third: NDArray[np.int64]
    story: NDArray[np.int64]


def in_parts(articles: list[Article], stories: list[str]) -> tuple[list[Article], list[str]]:
    """Each article as two, of every other paragraph, the second under its own first words: stories twice as large.

    In a large story an article's nearest is much nearer to it than the others are, as copies of one report are.
    """
    parts: list[tuple[Article, str]] = []
    for article, story in zip(articles, stories, strict=True):
        paragraphs = [x for x in article.text.split("\n") if x.strip()]
        other = paragraphs[1::2]
        if len(paragraphs) < 6:
            parts.append((article, story))
            continue
        title = " ".join(other[0].split()[:12])
        second = replace(article, id=ArticleId(f"{article.id}-2"), title=title, text="\n".join(other), publisher="")
        parts += [(replace(article, text="\n".join(paragraphs[::2])), story), (second, story)]
    return embed([a for a, _ in parts]), [s for _, s in parts]


def handfuls(
    wholes: list[whole_set.Whole], third: NDArray[np.int64], story: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[Seen]:
    """Two hundred sets of two to thirty articles, half of them with no two of one story."""
    for number in range(200):
        many = int(rng.integers(2, 31))
        if number % 2:
            first = np.unique(story, return_index=True)[1]
            kept = rng.choice(first, many, replace=False)
        else:
            kept = np.flatnonzero(np.isin(story, rng.choice(story, many // 2 + 1)))[:many]
        kept = np.sort(kept)
        begun, drawn = np.nanmin([wholes[i].when for i in kept] + [4e9]), number % 4 < 2
        given = [
            # some from one week, as what is read together mostly is
            replace(wholes[i], when=begun + rng.uniform(0, 7) * 86400) if drawn and number % 2 else wholes[i]
            for i in kept
        ]
        given = [replace(one, when=float("nan")) if rng.random() < 0.15 else one for one in given]
        yield Seen("", whole_set.near(given, whole_set.Refinement()), third[kept], story[kept])


def together(name: str, sets: Iterable[Seen]) -> Seen:
    """Several sets as one in which no article of one is near to any of another."""
    parts = list(sets)
    before = np.cumsum([0, *(len(s.story) for s in parts)])
    pairs = whole_set.Pairs(
        np.concatenate([s.pairs.one + n for s, n in zip(parts, before, strict=False)]),
        np.concatenate([s.pairs.other + n for s, n in zip(parts, before, strict=False)]),
        np.concatenate([s.pairs.rows for s in parts]),
    )
    # a story is a story of its own in each set
    story = np.concatenate([s.story + 1_000_000 * n for n, s in enumerate(parts)])
    return Seen(name, pairs, np.concatenate([s.third for s in parts]), np.unique(story, return_inverse=True)[1])


def seen(path: Path, rng: np.random.Generator) -> Iterator[Seen]:
    """Each variant of the set in the states in which a set may come.

    As it is, with half of the dates left out, a quarter of its stories alone, thinned out so that many articles stand
    alone (each is then nearest to one that has nothing to do with it), in handfuls, and in parts.
    """
    for name, articles, stories in variants(path):
        third, story = folds(articles, stories), np.unique(np.array(stories), return_inverse=True)[1]
        wholes = [whole_set.whole(a) for a in articles]
        for how, missing, share, left in (
            ("", 0.0, 1.0, 1.0),
            (", half undated", 0.5, 1.0, 1.0),
            (", a quarter", 0.2, 0.25, 1.0),
            (", thinned out", 0.2, 1.0, 0.4),
        ):
            kept = np.flatnonzero((rng.random(story.max() + 1) < share)[story] & (rng.random(len(story)) < left))
            given = [replace(wholes[i], when=float("nan")) if rng.random() < missing else wholes[i] for i in kept]
            yield Seen(name + how, whole_set.near(given, whole_set.Refinement()), third[kept], story[kept])
        yield together(name + ", handfuls", handfuls(wholes, third, story, rng))
        if name == "full":
            kept = np.flatnonzero((rng.random(story.max() + 1) < 0.5)[story])
            articles, stories = in_parts([articles[i] for i in kept], [stories[i] for i in kept])
            third, story = folds(articles, stories), np.unique(np.array(stories), return_inverse=True)[1]
            pairs = whole_set.near([whole_set.whole(a) for a in articles], whole_set.Refinement())
            yield Seen(name + ", in parts", pairs, third, story)


def shaken(given: Seen, rng: np.random.Generator, *, stretched: bool) -> NDArray[np.float32]:
    """The pairs with half of the days no longer whole, as the set has them, and some publishers unknown.

    `stretched`: as a set of longer and larger stories would show them. Editors chose two or three articles of one or
    two days for each story, where news goes on for weeks: some gaps are stretched. In a larger story one has nearer
    relatives than the other of a pair is: so some pairs are shown as less than the best of each. `reach` tells the two
    kinds of set apart.
    """
    rows = given.pairs.rows.copy()
    same = given.story[given.pairs.one] == given.story[given.pairs.other]
    days, publisher = (whole_set.FEATURES.index(n) for n in ("days", "same_publisher"))
    gap = rows[:, days].astype(np.float64)
    if stretched:
        long = same & (rng.random(len(rows)) < rng.uniform(0.2, 0.6))
        # some of weeks, a few of years
        years = np.exp(rng.uniform(2, 7, len(rows)))
        gap += long * np.where(rng.random(len(rows)) < 0.8, rng.exponential(8.0, len(rows)), years)
    noise = rng.uniform(-0.7, 0.7, len(rows))
    rows[:, days] = np.where(rng.random(len(rows)) < 0.5, np.abs(gap + noise), gap)
    rows[rng.random(len(rows)) < 0.3, publisher] = np.nan
    if stretched:
        rows[:, whole_set.FEATURES.index("reach")] = whole_set.reach(rows)
        surpassed = rng.random(len(rows)) < 0.5
        for view in ("whole", "vector", "lead"):
            most, least = (whole_set.FEATURES.index(f"{view}_of_best_{n}") for n in ("most", "least"))
            one, other = (rows[:, n] * rng.uniform(0.4, 1.0, len(rows)) for n in (most, least))
            rows[:, most] = np.where(surpassed, np.maximum(one, other), rows[:, most])
            rows[:, least] = np.where(surpassed, np.minimum(one, other), rows[:, least])
    return rows


@app.command()
def refine(path: Path, trees: int = 200) -> None:
    """The forest that compares the articles of a whole set, cross-validated by year and then fitted on all years."""
    rng = np.random.default_rng(0)
    sets = list(seen(path, rng))
    rows = np.concatenate([shaken(s, rng, stretched=stretched) for stretched in (False, True) for s in sets])
    same = np.concatenate([s.story[s.pairs.one] == s.story[s.pairs.other] for s in sets] * 2)
    held = [np.concatenate([s.third[getattr(s.pairs, end)] for s in sets] * 2) for end in ("one", "other")]

    def fitted(kept: NDArray[np.bool_]) -> Any:
        larger = {"num_leaves": 31, "max_depth": 8, "learning_rate": 0.05}
        return fit(rows[kept], same[kept], trees, MONOTONE_WHOLE, whole_set.FEATURES, **larger)

    forests = {int(y): Forest(as_arrays(fitted((held[0] != y) & (held[1] != y)))) for y in np.unique(held[0])}
    np.savez_compressed(DATA / "refine.npz", **as_arrays(fitted(np.ones(len(same), dtype=bool))))
    typer.echo(f"{len(same)} pairs; refine.npz: {(DATA / 'refine.npz').stat().st_size} bytes")
    rules = whole_set.Refinement()
    for s in sets:
        probability = np.zeros(len(s.pairs.one))
        for third, forest in forests.items():
            asked = s.third[s.pairs.one] == third
            some = whole_set.Pairs(s.pairs.one[asked], s.pairs.other[asked], s.pairs.rows[asked])
            probability[asked] = whole_set.probable(some, rules, forest)
        join = whole_set.enough(s.pairs.rows, rules)
        groups = whole_set.average_link(len(s.story), s.pairs.one, s.pairs.other, probability, join)
        figures = labelled.figures(groups.tolist(), s.story.tolist())
        typer.echo(f"{s.name}, cross-validated: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))


if __name__ == "__main__":
    app()
