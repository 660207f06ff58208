"""Fits what grouping ships: the table of rare words, and the probability that two articles report one story.

    python scripts/train_stories.py rarity CORPORA
    python scripts/train_stories.py pairs STORIES/allsides-train.jsonl.xz
    python scripts/train_stories.py refine STORIES/allsides-train.jsonl.xz
    python scripts/train_stories.py online STORIES/allsides-train.jsonl.xz

Only `allsides-train` is learned from; the three other labelled sets are left untouched for the report. `pairs` and
`refine` print the figures of the cross-validation by year: each story is grouped by a forest that saw no story of its third of
the years. `online` fits all three kinds of forest so and prints what the server has when the last article has come; it writes
nothing.
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import typer
from numpy.typing import NDArray

from broadsheet.articles.embed import embed
from broadsheet.evaluation import stories as labelled
from broadsheet.model import Article, ArticleId, StoryId, vector_of
from broadsheet.stories import features, linkage
from broadsheet.stories import refine as refinement
from broadsheet.stories import whole as whole_set
from broadsheet.stories.cluster import Assignment, Grouping, OpenStories
from broadsheet.stories.pairs import Forest
from broadsheet.stories.refine import Refinement

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


Variant = tuple[str, list[Article], list[str]]  # name, articles, stories


def variants(path: Path) -> Iterator[Variant]:
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
    weight: NDArray[np.float64] | None = None,
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
    return lightgbm.train(settings, lightgbm.Dataset(rows, same.astype(float), weight=weight), trees)


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


class Held(OpenStories):
    """Decides about each article with the forest that saw no story of its year, nor of that third of the years."""

    def __init__(self, forests: dict[int, Forest], thirds: Sequence[int]) -> None:
        super().__init__(Grouping(), forest=forests[thirds[0]])
        self._forests, self._thirds = forests, iter(thirds)

    def assign(self, article: Article) -> Assignment:
        self._forest = self._forests[next(self._thirds)]
        return super().assign(article)


def cross_validated(name: str, articles: list[Article], stories: list[str], forests: dict[int, Forest]) -> None:
    found = Held(forests, folds(articles, stories).tolist())
    for article in articles:
        found.assign(article)
    figures = labelled.figures([found.story_of(a.id) for a in articles], stories)
    typer.echo(f"{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))


def crossed_pairs(read: list[Variant], trees: int) -> tuple[dict[int, Forest], NDArray[np.float32], NDArray[np.bool_]]:
    """A forest of pairs for each third of the years that saw nothing of it, and the rows that one of all is fitted on."""
    rng = np.random.default_rng(0)
    rows: list[NDArray[np.float32]] = []
    same: list[NDArray[np.bool_]] = []
    held: list[NDArray[np.int64]] = []
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
    return forests, all_rows, all_same


@app.command()
def pairs(path: Path, trees: int = 120) -> None:
    """The forest of pairs, cross-validated by year and then fitted on all years."""
    read = list(variants(path))
    forests, all_rows, all_same = crossed_pairs(read, trees)
    np.savez_compressed(DATA / "pairs.npz", **as_arrays(fit(all_rows, all_same, trees)))
    typer.echo(f"pairs.npz: {(DATA / 'pairs.npz').stat().st_size} bytes")
    for name, articles, stories in read:
        cross_validated(name, articles, stories, forests)


# --- a set that is known whole -----------------------------------------------------------------------------------

MONOTONE_WHOLE = dict.fromkeys(
    ("whole", "lead", "title", "names", "vector", "title_in_text_most", "stems", "aligned"), 1
) | {"days": -1}
MONOTONE_GROUPS = dict.fromkeys(("mean", "mean_near", "most", "best_least", "best_most"), 1)
SHARE = 0.3  # of the pairs of two stories that are learned from, each then counting so much more
SEEDS = (0.85, 0.7, 0.5, 0.35)  # groups of two to groups of which some are wrong
# The spread of a story's articles is a seventh of all there is in some directions: without this share of evenness the
# few stories decide too much. .1, .3 and .5 differ by .004 in average precision.
EVEN = 0.3
LONG = 10  # sets of long stories
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’]?\s+(?=[A-Z\"“])")


@dataclass(frozen=True, slots=True)
class Seen:
    """A set as it may come to `refine`, with the third of the years and the story of each article."""

    name: str
    compared: whole_set.Compared
    third: NDArray[np.int64]
    story: NDArray[np.int64]


def alignment(vectors: NDArray[np.float32], story: NDArray[np.int64]) -> NDArray[np.float32]:
    """The inverse root of the covariance of articles around the means of their stories."""
    story = np.unique(story, return_inverse=True)[1]
    mean = np.zeros((story.max() + 1, vectors.shape[1]))
    np.add.at(mean, story, vectors)
    apart = vectors - (mean / np.bincount(story)[:, None])[story]
    spread = apart.T @ apart / len(vectors)
    width = len(spread)
    spread = (1 - EVEN) * spread + EVEN * np.trace(spread) / width * np.eye(width)
    values, directions = np.linalg.eigh(spread)
    return np.asarray((directions * values**-0.5) @ directions.T, dtype=np.float32)


def sayings(path: Path) -> Iterator[tuple[str, int, str]]:
    """A story's headlines, ledes, summaries and first sentences, cut as short as a headline: story, how far from one, text.

    Also those of publishers whose texts the set does not have. In a dense stream a story has dozens of headlines where
    the set has three.
    """
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            story = json.loads(line)
            said = [(0, a["title"]) for a in story["articles"]] + [(0, story["neutral_title"] or "")]
            said += [(1, s) for s in _SENTENCE.split(story["neutral_summary"] or "")[:4]]
            for other in story.get("unmatched") or []:
                said.append((0, other["title"]))
                said += [(1, s) for s in _SENTENCE.split(other.get("lede") or "")[:2]]
            for a in story["articles"]:
                sentences = [s for p in a["text"].split("\n") for s in _SENTENCE.split(p) if 7 <= len(s.split()) <= 40]
                said += [(2 + (n >= 4), s) for n, s in enumerate(sentences[:8])]
            told: set[str] = set()
            for kind, text in said:
                text = " ".join(text.split()[:14]) if kind else text
                if len(text.split()) >= 4 and text not in told:
                    told.add(text)
                    yield story["story_id"], kind, text


def pooled(path: Path) -> tuple[list[Article], list[str], list[int]]:
    """Every saying as an article without a text, its story, and how far it is from a headline."""
    said = list(sayings(path))
    articles = [
        Article(id=ArticleId(f"said-{n}"), url="", title=text, text="", publisher="")
        for n, (_, _, text) in enumerate(said)
    ]
    return embed(articles), [story for story, _, _ in said], [kind for _, kind, _ in said]


Given = tuple[str, list[whole_set.Whole], NDArray[np.int64], NDArray[np.int64]]  # name, articles, thirds, stories


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


def some_parts(path: Path) -> tuple[list[Article], list[str]]:
    """A third of the stories in parts."""
    _, articles, stories = next(variants(path))
    number = np.unique(np.array(stories), return_inverse=True)[1]
    kept = np.flatnonzero((np.random.default_rng(5).random(number.max() + 1) < 0.35)[number])
    return in_parts([articles[i] for i in kept], [stories[i] for i in kept])


def long_stories(path: Path, rng: np.random.Generator) -> Iterator[Given]:
    """Stories of days to months, two to seven articles each in the mean of a set: what the labelled set has not.

    Each article is cut into up to five, one after another in its text and in time: they tell of one affair in other
    words, as what is written a week later does. One of the later ones may bear the story's neutral title, the others
    bear their own first words. Publishers whose texts the set does not have give a headline and a lede. Every other
    set has stories that followed each other, and sets differ in how many articles of a story are left.
    """
    read = labelled.read(path)
    thirds = folds(list(read.articles), list(read.stories))
    order = list(dict.fromkeys(read.stories))
    third = dict(zip(read.stories, thirds.tolist(), strict=True))
    mine: defaultdict[str, list[Article]] = defaultdict(list)
    for article, story in zip(read.articles, read.stories, strict=True):
        mine[story].append(article)
    more: dict[str, tuple[str, list[dict[str, str]]]] = {}
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            more[one["story_id"]] = (one["neutral_title"] or "", one.get("unmatched") or [])
    for number in range(LONG):
        many = int(rng.integers(60, 180))
        begin = int(rng.integers(0, len(order) - many))
        chosen = order[begin : begin + many] if number % 2 else [order[i] for i in rng.permutation(len(order))[:many]]
        days, left, most = np.exp(rng.uniform(0, np.log(90))), rng.choice([0.5, 0.75, 1.0]), int(rng.integers(2, 6))
        told: list[tuple[Article, str]] = []
        for story in chosen:
            title, others = more[story]
            lasts, waves = 86400 * days * rng.exponential(), rng.random() < 0.5
            parts = [(n, part) for a in mine[story] for n, part in enumerate(consecutive(a, most, title, rng))]
            begun = min((a.published for a in mine[story] if a.published), default=None)
            parts += [
                (
                    0,
                    Article(
                        id=ArticleId(f"{story}-{n}"), url="", title=o["title"], text=o.get("lede") or "", publisher=""
                    ),
                )
                for n, o in enumerate(others)
            ]
            kept = [x for x in parts if rng.random() < left] or parts[:1]
            for n, part in kept:
                # in waves, what stands first in the texts comes first; else at any time
                late = lasts * ((n + rng.random()) / most if waves else rng.exponential())
                when = begun + timedelta(seconds=min(late, 1e8)) if begun and rng.random() < 0.95 else None
                told.append((replace(part, id=ArticleId(f"{part.id}-{len(told)}"), published=when), story))
        told.sort(key=lambda x: (x[0].published is None, str(x[0].published)))
        yield (
            f"long stories, {many}",
            [whole_set.whole(a) for a in embed([a for a, _ in told])],
            np.array([third[s] for _, s in told]),
            np.array([order.index(s) for _, s in told]),
        )


def consecutive(article: Article, most: int, title: str, rng: np.random.Generator) -> list[Article]:
    """An article cut between paragraphs into at most so many, each of three paragraphs at least."""
    paragraphs = [x for x in article.text.split("\n") if x.strip()]
    many = max(1, min(int(rng.integers(1, most + 1)), len(paragraphs) // 3))
    edges = [round(len(paragraphs) * n / many) for n in range(many + 1)]
    named = int(rng.integers(1, 4))
    parts = [replace(article, text="\n".join(paragraphs[: edges[1]]))]
    for n in range(1, many):
        held = paragraphs[edges[n] : edges[n + 1]]
        head = title if n == named and title else " ".join(held[0].split()[:12])
        parts.append(replace(article, title=head, text="\n".join(held), publisher=""))
    return parts


def crowds(
    wholes: list[whole_set.Whole],
    third: NDArray[np.int64],
    story: NDArray[np.int64],
    kind: NDArray[np.int64],
    order: NDArray[np.int64],
    rng: np.random.Generator,
) -> Iterator[Given]:
    """Dense streams of headlines: 30 to 350 stories of two, eight or forty headlines within half a day to eight days.

    Every other one has stories that followed each other, so that many are about one affair. One headline in eight is
    repeated. `order` has the stories by date.
    """
    for number in range(14):
        many = int(np.exp(rng.uniform(np.log(30), np.log(350))))
        if number % 2:
            begin = int(rng.integers(0, len(order) - many))
            stories = order[begin : begin + many]
        else:
            stories = rng.choice(order, many, replace=False)
        days = np.exp(rng.uniform(np.log(0.5), np.log(8)))
        large = rng.choice([2, 8, 40])
        drawn: list[tuple[float, int]] = []
        for one in stories:
            mine = np.flatnonzero((story == one) & (kind <= rng.choice([1, 2, 3])))
            begun, lasting = rng.uniform(0, days), rng.choice([0.1, 0.5, 1.0])
            for row in rng.choice(mine, min(len(mine), 1 + int(rng.exponential(large))), replace=False):
                when = begun + rng.exponential(lasting)
                times = 1 + (rng.random() < 0.12) * int(rng.integers(1, 4))
                drawn += [(when + rng.exponential(0.08), int(row)) for _ in range(times)]
        drawn.sort()
        rows = np.array([row for _, row in drawn])
        given = [replace(wholes[row], when=1.5e9 + 86400 * when) for when, row in drawn]
        yield f"crowd of {many} stories", given, third[rows], story[rows]


def handfuls(
    wholes: list[whole_set.Whole], third: NDArray[np.int64], story: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[Given]:
    """Sixty sets of two to thirty articles, half of them with no two of one story."""
    for number in range(60):
        many = int(rng.integers(2, 31))
        if number % 2:
            kept = rng.choice(np.unique(story, return_index=True)[1], many, replace=False)
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
        yield "handful", given, third[kept], story[kept]


def states(
    name: str,
    wholes: list[whole_set.Whole],
    third: NDArray[np.int64],
    story: NDArray[np.int64],
    rng: np.random.Generator,
) -> Iterator[Given]:
    """A set as it is, with half of the dates left out, a quarter of its stories alone, and thinned out.

    Thinned out, many articles stand alone: each is then nearest to one that has nothing to do with it.
    """
    for how, missing, share, left in (
        ("", 0.0, 1.0, 1.0),
        (", half undated", 0.5, 1.0, 1.0),
        (", a quarter", 0.2, 0.25, 1.0),
        (", thinned out", 0.2, 1.0, 0.4),
    ):
        kept = np.flatnonzero((rng.random(story.max() + 1) < share)[story] & (rng.random(len(story)) < left))
        given = [replace(wholes[i], when=float("nan")) if rng.random() < missing else wholes[i] for i in kept]
        yield name + how, given, third[kept], story[kept]


def seen(path: Path, rng: np.random.Generator) -> tuple[list[Seen], list[NDArray[np.float32]], NDArray[np.float32]]:
    """Every set that is learned from, the alignment of the other stories for each third, and that of all."""
    read = labelled.read(path)
    thirds = folds(list(read.articles), list(read.stories))
    of_story = dict(zip(read.stories, thirds.tolist(), strict=True))
    number = {story: n for n, story in enumerate(dict.fromkeys(read.stories))}
    said, said_stories, said_kinds = pooled(path)
    story, kind = np.array([number[s] for s in said_stories]), np.array(said_kinds)
    third = np.array([of_story[s] for s in said_stories])
    vectors = np.stack([vector_of(a.vector) for a in said])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    crossed = [alignment(vectors[third != n], story[third != n]) for n in range(3)]
    given: list[Given] = []
    for name, articles, stories in [*variants(path), ("in parts", *some_parts(path))]:
        wholes = [whole_set.whole(a) for a in articles]
        of = np.array([number[s] for s in stories])
        at = np.array([of_story[s] for s in stories])
        if name == "in parts":
            given.append((name, wholes, at, of))
        else:
            given += states(name, wholes, at, of, rng)
            given += handfuls(wholes, at, of, rng)
    order = np.array(list(number.values()))  # the set is read in order of publication
    given += crowds([whole_set.whole(a) for a in said], third, story, kind, order, rng)
    given += long_stories(path, np.random.default_rng(7))
    nearest = Refinement().nearest
    sets = [Seen(name, whole_set.near(w, nearest, crossed, t), t, s) for name, w, t, s in given]
    return [s for s in sets if len(s.compared.pairs.one)], crossed, alignment(vectors, story)


def lasting(given: Seen, rng: np.random.Generator, *, stretched: bool) -> Seen:
    """The set with other times: at hours of the day where it has dates alone, and, `stretched`, over weeks and years.

    Editors chose two or three articles of one or two days for each story, where news goes on for weeks. `reach` and
    `pace` are those of the new times.
    """
    when = given.compared.when.copy()
    if rng.random() < 0.5 or stretched:
        when += rng.uniform(0, 0.9, len(when)) * 86400
    if stretched:
        late = (rng.random(given.story.max() + 1) < rng.uniform(0.2, 0.7))[given.story] & (rng.random(len(when)) < 0.6)
        # some of weeks, a few of years
        years = np.exp(rng.uniform(2, 7, len(when)))
        when += 86400 * late * np.where(rng.random(len(when)) < 0.8, rng.exponential(8.0, len(when)), years)
    pairs = given.compared.pairs
    rows = pairs.rows.copy()
    rows[:, whole_set.DAYS] = np.abs(when[pairs.one] - when[pairs.other]) / 86400
    rows[:, whole_set.REACH] = whole_set.reach(rows)
    rows[:, whole_set.PACE] = np.log1p(whole_set.pace(when))
    name = given.name + (", stretched" if stretched else "")
    return replace(given, name=name, compared=replace(given.compared, when=when, pairs=replace(pairs, rows=rows)))


def shaken(given: Seen, rng: np.random.Generator) -> NDArray[np.float32]:
    """The pairs with some publishers unknown and, where the set is stretched, some less than the best of each.

    In a larger story one has nearer relatives than the other of a pair is; `reach` tells the two kinds of set apart.
    """
    rows = given.compared.pairs.rows.copy()
    rows[rng.random(len(rows)) < 0.3, whole_set.PUBLISHER] = np.nan
    if given.name.endswith("stretched"):
        surpassed = rng.random(len(rows)) < 0.5
        for view in ("whole", "vector", "lead", "aligned"):
            most, least = (whole_set.FEATURES.index(f"{view}_of_best_{n}") for n in ("most", "least"))
            one, other = (rows[:, n] * rng.uniform(0.4, 1.0, len(rows)) for n in (most, least))
            rows[:, most] = np.where(surpassed, np.maximum(one, other), rows[:, most])
            rows[:, least] = np.where(surpassed, np.minimum(one, other), rows[:, least])
    return rows


def crossed_fit(
    rows: NDArray[np.float32],
    same: NDArray[np.bool_],
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    rng: np.random.Generator,
    monotone: dict[str, int],
    names: tuple[str, ...],
    trees: int,
) -> tuple[list[Forest], dict[str, Any]]:
    """A forest for each third that saw nothing of it, and the arrays of one of all."""
    kept = same | (rng.random(len(same)) < SHARE)
    rows, same, one, other = rows[kept], same[kept], ends[0][kept], ends[1][kept]
    weight = np.where(same, 1.0, 1 / SHARE)
    larger = {"num_leaves": 31, "max_depth": 8, "max_bin": 63}
    crossed: list[Forest] = []
    for third in range(3):
        some = (one != third) & (other != third)
        crossed.append(Forest(as_arrays(fit(rows[some], same[some], trees, monotone, names, weight[some], **larger))))
    return crossed, as_arrays(fit(rows, same, trees, monotone, names, weight, **larger))


def by_third(forests: list[Forest], rows: NDArray[np.float32], third: NDArray[np.int64]) -> NDArray[np.float64]:
    found = np.zeros(len(rows))
    for number, forest in enumerate(forests):
        found[third == number] = forest.probability(rows[third == number])
    return found


def firsts(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first article of each group."""
    return np.unique(group, return_index=True)[1]


def alike(group: NDArray[np.int64], story: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]) -> Any:
    """Whether most pairs of articles between two groups are of one story."""
    held: list[Counter[int]] = [Counter() for _ in range(group.max() + 1)]
    for number, one in zip(group.tolist(), story.tolist(), strict=True):
        held[number][one] += 1
    size = np.bincount(group)
    shared = [sum(n * held[y][s] for s, n in held[x].items()) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    return np.array(shared) * 2 >= size[a] * size[b]


def fragments(story: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """The stories, each in some number of pieces, one article in twenty in a wrong one: groups on their way to be large.

    Without these, groups of thirty were hardly ever seen beside others of their own story, and never joined.
    """
    groups = np.zeros(len(story), dtype=np.int64)
    for number in np.unique(story):
        mine = np.flatnonzero(story == number)
        pieces = int(np.exp(rng.uniform(0, np.log(len(mine) + 1))))
        groups[mine] = number * 1000 + rng.integers(0, pieces, len(mine))
    wrong = rng.random(len(story)) < 0.05
    groups[wrong] = rng.permutation(groups)[wrong]
    return linkage.numbered(groups)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What compares the articles of a whole set: for each third of the years without it, and, in arrays, of all."""

    alignments: list[NDArray[np.float32]]
    pairs: list[Forest]
    groups: list[Forest]
    of_all: dict[str, dict[str, Any]]  # by the name of the file
    sets: list[Seen]
    told: list[NDArray[np.float64]]  # of each set, the probabilities of its pairs by the forests that did not see them


def fitted(path: Path, trees: int) -> Fitted:
    """Three things: the alignment of vectors, the forest of pairs, and, over the probabilities that the forests give to
    thirds that they did not see, the forest of groups."""
    rng = np.random.default_rng(0)
    sets, alignments, aligned = seen(path, rng)
    sets = [
        lasting(s, rng, stretched=stretched)
        for s in sets
        for stretched in ((False,) if s.name.startswith(("crowd", "long")) else (False, True))
    ]
    rng = np.random.default_rng(1)
    near = [s.compared.pairs for s in sets]
    same = [s.story[p.one] == s.story[p.other] for s, p in zip(sets, near, strict=True)]
    ends = tuple(
        np.concatenate([s.third[getattr(p, end)] for s, p in zip(sets, near, strict=True)]) for end in ("one", "other")
    )
    rows = np.concatenate([shaken(s, rng) for s in sets])
    crossed, whole = crossed_fit(
        rows, np.concatenate(same), (ends[0], ends[1]), rng, MONOTONE_WHOLE, whole_set.FEATURES, trees
    )
    typer.echo(f"{len(rows)} pairs")

    told: list[NDArray[np.float64]] = []
    group_rows, group_same, group_ends = [], [], []
    for s, p in zip(sets, near, strict=True):
        found = by_third(crossed, p.rows, s.third[p.one])
        told.append(found)
        begun = [linkage.numbered(linkage.average_link(len(s.story), p.one, p.other, found, seed)) for seed in SEEDS]
        pieces = [fragments(s.story, rng) for _ in range(3 if s.name.startswith("crowd") else 1)]
        for group in [np.arange(len(s.story)), *begun, *pieces]:
            a, b, between = linkage.between(s.compared, found, group)
            if len(a):
                of = s.third[firsts(group)]
                group_rows.append(between)
                group_same.append(alike(group, s.story, a, b))
                group_ends.append((of[a], of[b]))
    one, other = (np.concatenate([e[n] for e in group_ends]) for n in (0, 1))
    crossed_groups, whole_groups = crossed_fit(
        np.concatenate(group_rows),
        np.concatenate(group_same),
        (one, other),
        rng,
        MONOTONE_GROUPS,
        linkage.FEATURES,
        trees,
    )
    typer.echo(f"{len(one)} pairs of groups")
    of_all = {"aligned": {"matrix": aligned.astype(np.float16)}, "refine": whole, "linkage": whole_groups}
    return Fitted(alignments, crossed, crossed_groups, of_all, sets, told)


@app.command()
def refine(path: Path, trees: int = 120) -> None:
    """What compares the articles of a whole set, cross-validated by year and then fitted on all years."""
    found = fitted(path, trees)
    for name, arrays in found.of_all.items():
        np.savez_compressed(DATA / f"{name}.npz", **arrays)
        typer.echo(f"{name}.npz: {(DATA / f'{name}.npz').stat().st_size} bytes")
    rules = Refinement()
    for s, told in zip(found.sets, found.told, strict=True):
        if "handful" not in s.name and "undated" not in s.name and "quarter" not in s.name:
            join = refinement.join_of(s.compared.pairs, told, len(s.story), rules)
            joined = linkage.joined(s.compared, told, rules.seed, join, crossed_judge(found.groups, s.third))
            figures = labelled.figures(joined.tolist(), s.story.tolist())
            typer.echo(f"{s.name}, cross-validated: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))


def crossed_judge(forests: list[Forest], third: NDArray[np.int64]) -> linkage.Judge:
    """Two groups are judged by the forest that saw no story of the first one's third."""

    def judge(rows: NDArray[np.float32], a: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.float64]:
        return by_third(forests, rows, third[firsts(group)][a])

    return judge


# --- decided again as the stream goes on -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OtherThirds:
    """A forest of pairs as `refinement.probable` asks it, that saw nothing of the third of each pair's first article."""

    forests: list[Forest]
    third: NDArray[np.int64]

    def probability(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        return by_third(self.forests, rows, self.third)


def run_online(articles: list[Article], stories: list[str], passing: dict[int, Forest], found: Fitted) -> list[StoryId]:
    """The stories of a stream after its last article, where nothing that decides about an article saw its third."""
    thirds, rules = folds(articles, stories), Refinement()
    row = {article.id: n for n, article in enumerate(articles)}
    wholes = [whole_set.whole(a) for a in articles]

    def regroup(given: Sequence[Article], online: Sequence[StoryId], again: Sequence[bool]) -> list[int]:
        rows = np.array([row[a.id] for a in given])
        third = thirds[rows]
        compared = whole_set.near([wholes[n] for n in rows], rules.nearest, found.alignments, third)
        likely = refinement.probable(compared.pairs, rules, OtherThirds(found.pairs, third[compared.pairs.one]))
        judge = crossed_judge(found.groups, third)
        return refinement.settled(
            online,
            lambda join, begun: linkage.joined(compared, likely, rules.seed, join, judge, begun),
            refinement.join_of(compared.pairs, likely, len(given), rules),
            again if refinement.dense(compared.pairs, rules) >= 0.5 else (),
        )

    by_third = Held(passing, thirds.tolist())
    for article in articles:
        by_third.assign(article)
        if ids := by_third.unsettled():
            by_third.settle([articles[row[id_]] for id_ in ids], regroup)
    return [by_third.story_of(a.id) or StoryId("") for a in articles]


@app.command()
def online(path: Path, trees: int = 120) -> None:
    """What the server has when the last article has come, cross-validated by year: one pass, decided again on the way."""
    read = list(variants(path))
    passing, _, _ = crossed_pairs(read, trees)
    found = fitted(path, trees)
    for name, articles, stories in read:
        cross_validated(f"{name}, one pass", articles, stories, passing)
        figures = labelled.figures(run_online(articles, stories, passing, found), stories)
        typer.echo(f"{name}, online: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))


if __name__ == "__main__":
    app()
