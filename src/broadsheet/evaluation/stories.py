"""How well grouping finds the stories that people made: BCubed and pairwise F over a labelled set.

Every set is read as one stream in order of publication and grouped by the same code with the same settings: in one
pass, as the product does, and then as a whole, as `broadsheet stage group` writes it at the end. Nothing is fitted to
the set that is measured.
"""

from __future__ import annotations

import csv
import hashlib
import html
import json
import lzma
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import Article, ArticleId, StoryId, identify

Group = Callable[[Sequence[Article]], Sequence[Hashable]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A set of articles with the story that people gave to each."""

    name: str
    articles: tuple[Article, ...]
    stories: tuple[str, ...]
    unsure: frozenset[frozenset[str]] = frozenset()  # two stories that could be called one: neither right nor wrong


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


# --- a day of feeds ------------------------------------------------------------------------------------------------

STREAM = "rss-2023-06.jsonl.xz"


def feed_items(path: Path) -> Iterator[Article]:
    """The items of a stream of feeds, each address once, as they were first announced."""
    seen: set[str] = set()
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            id_ = identify(item["link"] or item["title"] or "")
            if id_ in seen or not item["title"]:
                continue
            seen.add(id_)
            yield Article(
                id=ArticleId(id_),
                url=item["link"] or "",
                title=html.unescape(item["title"]),
                text=html.unescape(re.sub(r"<[^>]+>", " ", item.get("description") or "")).strip(),
                publisher=urlsplit(item["feed"]).hostname or "",
                published=_time(item["published"]) or _time(item["day"]),
            )


def days(path: Path) -> Iterator[Labelled]:
    """The items of some hours of the stream, most of which stand alone, with the events that we read in them
    (`data/june.tsv`): a part to choose by and one to report."""
    table = (resources.files("broadsheet.evaluation") / "data" / "june.tsv").read_text("utf-8")
    said = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    items = list(feed_items(path))
    for part in ("dev", "test"):
        mine = [(kind, written.split()) for name, kind, written in said if name == part]
        begin, end = next(written for kind, written in mine if kind == "times")
        story = {id_: ids[0] for kind, ids in mine if kind == "same" for id_ in ids}
        unsure = {
            frozenset((story.get(a, a), story.get(b, b)))
            for kind, ids in mine
            if kind == "unsure"
            for a in ids
            for b in ids
        }
        kept = [
            (a, story.get(a.id, str(a.id)))
            for a in sorted(items, key=lambda a: a.id)
            if a.published and _time(begin) <= a.published < _time(end)  # type: ignore[operator]
        ]
        ordered = _in_order(f"June, {part} part", iter(kept))
        yield replace(ordered, unsure=frozenset(pair for pair in unsure if len(pair) == 2))


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

Unsure = Collection[frozenset[str]]


def _f(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _undecided(both: Counter[tuple[Hashable, Hashable]], unsure: Unsure) -> Counter[tuple[Hashable, Hashable]]:
    """For each group and story, how many of the group's items are of stories which could be called that one."""
    if not unsure:
        return Counter()
    beside: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
    for one, other in map(tuple, unsure):
        beside[one].add(other)
        beside[other].add(one)
    return Counter({(f, g): sum(both.get((f, o), 0) for o in beside[g]) for f, g in both if g in beside})


def bcubed(found: Sequence[Hashable], gold: Sequence[Hashable], unsure: Unsure = ()) -> tuple[float, float, float]:
    """Precision, recall and F, each the mean over items of how pure and how whole the item's group is."""
    if not gold:
        return 0.0, 0.0, 0.0
    both = Counter(zip(found, gold, strict=True))
    groups, stories = Counter(found), Counter(gold)
    either = _undecided(both, unsure)
    precision = sum(n * n / (groups[f] - either[f, g]) for (f, g), n in both.items()) / len(gold)
    recall = sum(n * n / stories[g] for (_, g), n in both.items()) / len(gold)
    return precision, recall, _f(precision, recall)


def pairwise(found: Sequence[Hashable], gold: Sequence[Hashable], unsure: Unsure = ()) -> tuple[float, float, float]:
    """Precision, recall and F over pairs of items that are together."""

    def pairs(counts: Counter[Hashable]) -> int:
        return sum(n * (n - 1) // 2 for n in counts.values())

    each = Counter(zip(found, gold, strict=True))
    both = sum(n * (n - 1) // 2 for n in each.values())
    either = sum(n * each[key] for key, n in _undecided(each, unsure).items()) // 2
    together, same = pairs(Counter(found)) - either, pairs(Counter(gold))
    precision = both / together if together else 0.0
    recall = both / same if same else 0.0
    return precision, recall, _f(precision, recall)


def agreement(found: Sequence[Hashable], gold: Sequence[Hashable], unsure: Unsure = ()) -> dict[str, float]:
    """BCubed and pairwise precision, recall and F, each under its name."""
    b, p = bcubed(found, gold, unsure), pairwise(found, gold, unsure)
    said = (("precision", 0), ("recall", 1), ("f", 2))
    return {f"{measure}_{name}": of[n] for measure, of in (("bcubed", b), ("pairwise", p)) for name, n in said}


def figures(found: Sequence[Hashable], gold: Sequence[Hashable], unsure: Unsure = ()) -> dict[str, float]:
    sizes = Counter(found)
    return agreement(found, gold, unsure) | {
        "articles": float(len(gold)),
        "stories": float(len(set(gold))),
        "found": float(len(sizes)),
        "largest": float(max(sizes.values(), default=0)),
    }


def evaluate(path: Path, *, group: Group | None = None, final_only: bool = False) -> Report:
    """Group the set at `path` as the product does: whole, and, where it has texts, by headlines alone. With
    `final_only` what the server would have meanwhile is left out, which takes most of the time of a large set."""
    if path.name == STREAM:
        return _of_days(path, group=group, final_only=final_only)
    given = read(path)
    if given.name.startswith("allsides-train"):
        given = replace(given, name=f"{given.name}, in sample")
    kinds = [given]
    if any(a.text for a in given.articles):
        kinds.append(headlines_only(given))
    if given.name.startswith("uci"):
        kinds += [half(given, "dev"), half(given, "test")]
    rows = [row for kind in kinds for row in _rows(kind, group, final_only)]
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


def _rows(given: Labelled, group: Group | None, final_only: bool) -> Iterator[Row]:
    if group:
        yield Row(given.name, figures(group(given.articles), given.stories, given.unsure))
        return
    known = prepared(given.articles)
    yield Row(given.name, figures(finally_(known), given.stories, given.unsure))
    if not final_only:
        yield Row(f"{given.name}, online", figures(meanwhile(known), given.stories, given.unsure))


def _of_days(path: Path, *, group: Group | None, final_only: bool) -> Report:
    rows = [row for part in days(path) for row in _rows(part, group, final_only)]
    notes = (
        "Some hours of real feeds, in which most items stand alone; the events are our own reading of titles and summaries. "
        "`online` is what the server has when the last one has come. Settings were chosen on the dev part: the test part is the "
        "figure that counts.",
    )
    return Report(task="stories", dataset="June", rows=tuple(rows), notes=notes)


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
