"""How many of the people, organisations and places that articles name are found, on 30 articles labelled by hand.

The labels (`data/entities.tsv`) give ids, names and types only; the articles are read from the corpora and sets that they
are of. Labels were written from the articles alone, before anything was recognised in them. Half of the articles, every
other one, was used to make rules ("dev"); figures are of the other half ("test") unless asked otherwise.

**What counts.** An entity found is right where its name, without case, points, quotes and a leading "the", is one of the names
of a label, and its type is (one of) the label's. Each label is found once: a second entity of the same name is wrong, so a
surname beside its full name costs precision. A name that readers would type in several ways or leave out ("?": a ship, a
prize, a country meant by its people) counts neither way. Entities of type `other` are not counted. Precision of a type is
over the entities found of it, recall over the labels of it; a label of two types counts under its first.
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.entities import Recognition
from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import Article, ArticleId, Entity

__all__ = ["Label", "evaluate", "judge", "labels"]

Half = Literal["dev", "test", "all"]
TYPES = ("person", "organisation", "place")


@dataclass(frozen=True, slots=True)
class Label:
    """One name of an article; without types it counts neither way."""

    names: frozenset[str]
    types: tuple[str, ...]

    @property
    def counts(self) -> bool:
        return bool(self.types)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one article's entities and labels."""

    right: tuple[Entity, ...]
    wrong: tuple[Entity, ...]
    found: tuple[Label, ...]
    missed: tuple[Label, ...]


_QUOTES = re.compile(r"[.'’‘ʻʼ`\"“”]")


def key_of(name: str) -> str:
    """A name as it is compared."""
    return " ".join(_QUOTES.sub("", name).casefold().replace("-", " ").split()).removeprefix("the ")


def labels(half: Half = "test") -> dict[tuple[str, str], list[Label]]:
    """The labels of one half, by the set and id of the article."""
    written = (resources.files("broadsheet.evaluation") / "data" / "entities.tsv").read_text("utf-8")
    found: dict[tuple[str, str], list[Label]] = {}
    for line in written.splitlines():
        if line.startswith("#"):
            continue
        source, article, of, types, name, others = line.split("\t")
        if half in (of, "all"):
            names = frozenset(key_of(n) for n in (name, *others.split("|")) if n)
            label = Label(names, () if types == "?" else tuple(types.split("/")))
            found.setdefault((source, article), []).append(label)
    return found


def judge(entities: Sequence[Entity], expected: Sequence[Label]) -> Judged:
    """Which entities are right and wrong, and which labels were found and missed."""
    left = list(expected)
    right: list[Entity] = []
    wrong: list[Entity] = []
    found: list[Label] = []
    # right ones first, so that one of another type does not take their label
    for entity in entities:
        if entity.type not in TYPES:
            continue
        key = key_of(entity.text)
        of = [label for label in left if key in label.names]
        fitting = next((label for label in of if entity.type in label.types), None)
        if fitting is not None:
            right.append(entity)
            found.append(fitting)
            left.remove(fitting)
        elif not any(key in label.names and not label.counts for label in expected):
            wrong.append(entity)
    return Judged(tuple(right), tuple(wrong), tuple(found), tuple(label for label in left if label.counts))


# --- the articles ------------------------------------------------------------------------------------------------


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    read = gzip.decompress if file.suffix == ".gz" else lzma.decompress
    for line in read(file.read_bytes()).decode().split("\n"):
        if line:
            yield json.loads(line)


def _wikinews(folder: Path) -> Iterator[tuple[str, str, str]]:
    for row in _lines(folder / "corpora" / "wikinews.jsonl.gz"):
        yield row["url"], row["title"], row["text"]


def _whitehouse(folder: Path) -> Iterator[tuple[str, str, str]]:
    for row in _lines(folder / "corpora" / "whitehouse.jsonl.xz"):
        # Markdown with lines of 72 characters
        paragraphs = re.split(r"\n\s*\n", row["markdown"].replace("\\_", " "))
        yield row["url"], row["title"].replace("\\_", " "), "\n\n".join(" ".join(p.split()) for p in paragraphs)


def _newscluster(folder: Path) -> Iterator[tuple[str, str, str]]:
    for file in sorted((folder / "stories" / "newscluster5w1h").rglob("news_cluster/data/*.json")):
        item = json.loads(file.read_text("utf-8"))
        yield file.stem, item["title"] or "", item["text"] or ""


def _basil(folder: Path) -> Iterator[tuple[str, str, str]]:
    for file in sorted((folder / "stories" / "basil" / "articles").rglob("*.json")):
        item = json.loads(file.read_text("utf-8"))
        yield file.stem, item["title"], "\n\n".join(" ".join(p) for p in item["body-paragraphs"])


SETS: Mapping[str, Callable[[Path], Iterator[tuple[str, str, str]]]] = {
    "wikinews": _wikinews,
    "whitehouse": _whitehouse,
    "newscluster5w1h": _newscluster,
    "basil": _basil,
}


def articles(folder: Path, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Article]:
    """The articles of those sets and ids that are in the data folder."""
    found: dict[tuple[str, str], Article] = {}
    for source, read in SETS.items():
        ids = {article for of, article in wanted if of == source}
        try:
            for id_, title, text in read(folder) if ids else ():
                if id_ in ids:
                    found[source, id_] = Article(id=ArticleId(id_), url="", title=title, text=text)
        except FileNotFoundError:
            continue
    return found


def evaluate(path: Path, *, half: Half = "test", recognition: Recognition | None = None) -> Report:
    """Precision, recall and F1 by type; `path` is the data folder, with `corpora` and `stories` in it."""
    expected = labels(half)
    found = articles(path, list(expected))
    if not found:
        raise InputError(f"{path} holds none of the labelled articles: it needs corpora/ or stories/.")
    config = replace(Enrichment(), entities=recognition or Recognition(), topics=None, embedding=None)
    tally: dict[str, Counter[str]] = {name: Counter() for name in (*TYPES, "all")}
    for key, article in zip(found, enrich(list(found.values()), config), strict=True):
        judged = judge(article.entities, expected[key])
        for entity in judged.right:
            tally[entity.type]["right"] += 1
        for entity in judged.wrong:
            tally[entity.type]["wrong"] += 1
        for label in judged.found:
            tally[label.types[0]]["found"] += 1
        for label in judged.missed:
            tally[label.types[0]]["missed"] += 1
    for name in TYPES:
        tally["all"] += tally[name]
    rows = []
    for name, count in tally.items():
        precision = count["right"] / max(1, count["right"] + count["wrong"])
        recall = count["found"] / max(1, count["found"] + count["missed"])
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        given = count["found"] + count["missed"]
        rows.append(Row(name, {"labels": given, "precision": precision, "recall": recall, "f1": f1}))
    return Report(
        task="entities",
        dataset=f"{path.name} ({half})",
        rows=tuple(rows),
        notes=(
            f"{len(found)} of {len(expected)} labelled articles were there. Right: one of the label's names, and its type; a second entity of one label is wrong.",
        ),
    )
