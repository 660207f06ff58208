"""How well grouping finds the stories that people made: BCubed and pairwise F over a labelled set.

Every set is read as one stream in order of publication and grouped by the same code with the same settings: in one
pass, as the product does, and then as a whole, as `broadsheet stage group` writes it at the end. Nothing is fitted to
the set that is measured.
"""

from __future__ import annotations

import csv
import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import Article, ArticleId, StoryId

Group = Callable[[Sequence[Article]], Sequence[Hashable]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A set of articles with the story that people gave to each."""

    name: str
    articles: tuple[Article, ...]
    stories: tuple[str, ...]


def _time(written: str | None) -> datetime | None:
    if not written:
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _in_order(name: str, pairs: Iterator[tuple[Article, str]]) -> Labelled:
    """In order of publication; what has no date keeps its place behind what was read before it."""
    placed: list[tuple[datetime, int, Article, str]] = []
    last = datetime(1970, 1, 1, tzinfo=UTC)
    for number, (article, story) in enumerate(pairs):
        last = article.published or last
        placed.append((last, number, article, story))
    placed.sort(key=lambda p: p[:2])
    return Labelled(name, tuple(p[2] for p in placed), tuple(p[3] for p in placed))


def _allsides(path: Path) -> Iterator[tuple[Article, str]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            story = json.loads(line)
            for a in story["articles"]:
                article = Article(
                    id=ArticleId(a["id"]),
                    url=a["url"],
                    title=a["title"],
                    text=a["text"],
                    publisher=a["publisher"],
                    published=_time(a["date"]),
                )
                yield article, story["story_id"]


def _newscluster(folder: Path) -> Iterator[tuple[Article, str]]:
    for path in sorted((folder / "Giveme5W1H/examples/datasets/news_cluster/data").glob("*.json")):
        a = json.loads(path.read_text("utf-8"))
        article = Article(
            id=ArticleId(a["dId"]),
            url=a["url"],
            title=a["title"] or "",
            text=a["text"] or "",
            publisher=a["source_domain"] or "",
            published=_time(a["date_publish"]),
        )
        yield article, str(a["newsCluster"]["EventId"])


def _basil(folder: Path) -> Iterator[tuple[Article, str]]:
    for path in sorted((folder / "articles").rglob("*.json")):
        a = json.loads(path.read_text("utf-8"))
        article = Article(
            id=ArticleId(a["uuid"]),
            url=a["url"],
            title=a["title"],
            text="\n\n".join(" ".join(paragraph) for paragraph in a["body-paragraphs"]),
            publisher=a["source"],
            published=_time(a["date"]),
        )
        yield article, a["triplet-uuid"]


def _uci(folder: Path) -> Iterator[tuple[Article, str]]:
    with (folder / "uci-news-aggregator.csv").open(encoding="utf-8", newline="") as lines:
        for a in csv.DictReader(lines):
            if not (a["TIMESTAMP"] or "").isdigit():
                continue  # the copy ends in the middle of a line
            article = Article(
                id=ArticleId(a["ID"]),
                url=a["URL"],
                title=a["TITLE"],
                text="",
                publisher=a["PUBLISHER"],
                published=datetime.fromtimestamp(int(a["TIMESTAMP"]) / 1000, tz=UTC),
            )
            yield article, a["STORY"]


def read(path: Path) -> Labelled:
    """The labelled set at a path, by what it holds. Raises `InputError` where it is none that is known."""
    if path.is_file() and path.name.endswith(".jsonl.xz"):
        return _in_order(path.name.removesuffix(".jsonl.xz"), _allsides(path))
    if (path / "uci-news-aggregator.csv").is_file():
        return _in_order(path.name, _uci(path))
    if (path / "Giveme5W1H").is_dir():
        return _in_order(path.name, _newscluster(path))
    if (path / "articles").is_dir():
        return _in_order(path.name, _basil(path))
    raise InputError(f"{path} holds no labelled stories that are known: see docs/design/0006-grouping.md.")


def headlines_only(labelled: Labelled) -> Labelled:
    return replace(
        labelled, name=f"{labelled.name}, headlines", articles=tuple(replace(a, text="") for a in labelled.articles)
    )


def half(labelled: Labelled, name: Literal["dev", "test"]) -> Labelled:
    """The articles of the stories that a hash puts into that half, grouped on their own: one to choose by, one to report."""
    wanted = name == "test"
    kept = [
        (a, s)
        for a, s in zip(labelled.articles, labelled.stories, strict=True)
        if hashlib.blake2b(s.encode(), digest_size=1).digest()[0] % 2 == wanted
    ]
    return Labelled(f"{labelled.name}, {name} half", tuple(a for a, _ in kept), tuple(s for _, s in kept))


# --- measures ----------------------------------------------------------------------------------------------------


def _f(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def bcubed(found: Sequence[Hashable], gold: Sequence[Hashable]) -> tuple[float, float, float]:
    """Precision, recall and F, each the mean over items of how pure and how whole the item's group is."""
    if not gold:
        return 0.0, 0.0, 0.0
    both = Counter(zip(found, gold, strict=True))
    groups, stories = Counter(found), Counter(gold)
    precision = sum(n * n / groups[f] for (f, _), n in both.items()) / len(gold)
    recall = sum(n * n / stories[g] for (_, g), n in both.items()) / len(gold)
    return precision, recall, _f(precision, recall)


def pairwise(found: Sequence[Hashable], gold: Sequence[Hashable]) -> tuple[float, float, float]:
    """Precision, recall and F over pairs of items that are together."""

    def pairs(counts: Counter[Hashable]) -> int:
        return sum(n * (n - 1) // 2 for n in counts.values())

    both = sum(n * (n - 1) // 2 for n in Counter(zip(found, gold, strict=True)).values())
    together, same = pairs(Counter(found)), pairs(Counter(gold))
    precision = both / together if together else 0.0
    recall = both / same if same else 0.0
    return precision, recall, _f(precision, recall)


def agreement(found: Sequence[Hashable], gold: Sequence[Hashable]) -> dict[str, float]:
    """BCubed and pairwise precision, recall and F, each under its name."""
    b, p = bcubed(found, gold), pairwise(found, gold)
    said = (("precision", 0), ("recall", 1), ("f", 2))
    return {f"{measure}_{name}": of[n] for measure, of in (("bcubed", b), ("pairwise", p)) for name, n in said}


def figures(found: Sequence[Hashable], gold: Sequence[Hashable]) -> dict[str, float]:
    sizes = Counter(found)
    return agreement(found, gold) | {
        "articles": float(len(gold)),
        "stories": float(len(set(gold))),
        "found": float(len(sizes)),
        "largest": float(max(sizes.values(), default=0)),
    }


def evaluate(path: Path, *, group: Group | None = None, final_only: bool = False) -> Report:
    """Group the set at `path` as the product does: whole, and, where it has texts, by headlines alone. With
    `final_only` what the server would have meanwhile is left out, which takes most of the time of a large set."""
    given = read(path)
    if given.name.startswith("allsides-train"):
        given = replace(given, name=f"{given.name}, in sample")
    kinds = [given]
    if any(a.text for a in given.articles):
        kinds.append(headlines_only(given))
    if given.name.startswith("uci"):
        kinds += [half(given, "dev"), half(given, "test")]
    rows: list[Row] = []
    for kind in kinds:
        if group:
            rows.append(Row(kind.name, figures(group(kind.articles), kind.stories)))
            continue
        known = prepared(kind.articles)
        rows.append(Row(kind.name, figures(finally_(known), kind.stories)))
        if not final_only:
            rows.append(Row(f"{kind.name}, online", figures(meanwhile(known), kind.stories)))
    notes = [
        "Final assignments, as the stage writes them; `online` is what the server has once all have come, in order of publication. "
        "The settings are the product's own and know no set."
    ]
    if given.name.startswith("allsides-train"):
        notes.append(
            "The shipped forests were fitted on this set: the figures that count are the cross-validated ones, "
            "which scripts/train_stories.py prints (docs/design/0006-grouping.md)."
        )
    if given.name.startswith("uci"):
        notes.append("The join of the final step was chosen on the dev half: the test half is the figure that counts.")
    return Report(task="stories", dataset=given.name, rows=tuple(rows), notes=tuple(notes))


def prepared(articles: Sequence[Article]) -> list[Article]:
    """The articles with what grouping asks of them."""
    from broadsheet.articles.embed import embed
    from broadsheet.articles.identity import fingerprint

    return embed([replace(a, fingerprint=fingerprint(a.text)) for a in articles])


def meanwhile(known: Sequence[Article]) -> list[StoryId]:
    """The stories that the server has once all of these articles have come."""
    from broadsheet.stories.cluster import group
    from broadsheet.stories.refine import grouped

    return group(known, regroup=grouped)


def finally_(known: Sequence[Article]) -> list[StoryId]:
    """The stories of a set that is known whole, as the stage writes them."""
    from broadsheet.stories.cluster import group
    from broadsheet.stories.refine import refined

    return refined(known, group(known))
