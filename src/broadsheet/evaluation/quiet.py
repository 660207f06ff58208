"""Whether a source that seldom posts is seen by those who follow it, in a month of real feed items.

    broadsheet evaluate quiet STREAM.jsonl.xz

A publisher is a feed. Readers are made up: each follows one of at most two items a week and thirty drawn by how much they
publish, and looks at the first page once a day for ten days. What was shown and not opened makes room, as it does for any
reader. Each item is a story of one article: it has no names, topics or vectors here, so nothing but follows, age, pace,
lots and what was seen decides. One row has a crowd
beside them, all of which opened the latest items of publishers that never stop, as is told to everybody (`feed.others`).
Seen: the share of the quiet publisher's items that stood on a page within two days of being
published. Beside it, what all pages show: the share of quiet publishers, how many publishers, and how unevenly; how many
items can be read whole (what their feeds carry has `WHOLE` words and more), and how many headlines tease (`feed.headlines`).
"""

from __future__ import annotations

import lzma
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import orjson

from broadsheet.errors import InputError
from broadsheet.evaluation.beyond import gini
from broadsheet.evaluation.report import Report, Row
from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.headlines import teases
from broadsheet.feed.others import Crowd
from broadsheet.feed.tune import PRESETS, as_tuned
from broadsheet.model import ArticleId, Follow, Reader, ReaderId, SourceId, Story, StoryId, identify
from broadsheet.readers import follows

LIVE: Final = timedelta(days=7)
WITHIN: Final = timedelta(days=2)
LOOKS: Final = (8,)  # o'clock, UTC
DAYS: Final = 10
READERS: Final = 60
BUSY: Final = 30  # other publishers that a reader follows
READING: Final = 40  # readers of the crowd
OPENED: Final = 60  # items that each of them opens a day: two pages of nothing else
CROWDED: Final = "As shipped, in a crowd"
WHOLE: Final = 150  # words of an item that is more than a summary
WEEKLY: Final = 2.0  # items a week of a quiet publisher, at most


@dataclass(frozen=True, slots=True)
class Stream:
    """Items as stories, in order of time, and how many items a week each publisher brings."""

    stories: Sequence[Story]
    weekly: Mapping[str, float]


def read(path: Path) -> Stream:
    """Raises `InputError` for what is no stream of items."""
    try:
        raw = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        items = [orjson.loads(line) for line in raw.splitlines() if line.strip()]
        found = {}
        for item in items:
            if not item.get("published") or not item.get("title"):
                continue
            at = datetime.fromisoformat(item["published"]).astimezone(UTC)
            words = len(re.sub(r"<[^>]+>", " ", item.get("description") or "").split())
            id, publisher = StoryId(identify(item["link"])), str(item["feed"])  # noqa: A001
            found[id] = Story(
                id=id, headline=item["title"], articles=(ArticleId(identify(item["link"], "a")),), publishers=(publisher,),
                sources=(SourceId(item["feed"]),), first_seen=at, last_seen=at, language=(item.get("lang") or "")[:2],
                words=words if words >= WHOLE else 0,
            )  # fmt: skip
    except (OSError, lzma.LZMAError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as e:
        raise InputError(f"{path} is no stream of feed items as JSON lines.") from e
    stories = sorted(found.values(), key=lambda story: (story.last_seen, story.id))
    if not stories:
        raise InputError(f"{path} has no items that say when they were published.")
    weeks = max((stories[-1].last_seen - stories[0].last_seen) / timedelta(days=7), 1.0)
    counts = Counter(story.publishers[0] for story in stories)
    return Stream(stories, {publisher: n / weeks for publisher, n in counts.items()})


def evaluate(path: Path, *, readers: int = READERS, days: int = DAYS) -> Report:
    """What is seen of quiet publishers, as shipped, with each preset, without the follow, and newest first."""
    stream = read(path)
    end = stream.stories[-1].last_seen.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=days)
    asked = [begin + timedelta(days=day, hours=hour) for day in range(days) for hour in LOOKS]
    made = who_reads(stream, begin, end - WITHIN, readers)
    if not made:
        raise InputError("No publisher of the stream posts seldom and within the days that are looked at.")
    recipes: dict[str, Mapping[str, float] | None] = {preset.name: preset.values for preset in PRESETS}
    recipes |= {
        CROWDED: {},
        "quiet 0": {"quiet": 0.0},
        "quality 0": {"quality": 0.0},
        "follows 0": {"follows": 0.0},
        "newest first": None,
    }
    shown: dict[str, dict[ReaderId, dict[StoryId, datetime]]] = {name: {r.id: {} for r, _ in made} for name in recipes}
    pages: dict[str, list[Story]] = {name: [] for name in recipes}
    crowd = Crowd()
    for now in asked:
        live = [story for story in stream.stories if now - LIVE <= story.last_seen <= now]
        edition = Edition.of(live, now)
        of = {story.id: story for story in live}
        _count(crowd, [story for story in live if stream.weekly[story.publishers[0]] > WEEKLY], now)
        told = replace(edition, others=crowd.tell(edition.index, now.timestamp()))
        for name, values in recipes.items():
            for reader, _ in made:
                seen = shown[name][reader.id]
                page = _page(reader, seen, told if name == CROWDED else edition, live, values, now)
                for id in page:  # noqa: A001
                    seen.setdefault(id, now)
                    pages[name].append(of[id])
    offered = {story.publishers[0] for story in stream.stories if begin - LIVE <= story.last_seen <= end}
    rows = [Row(name, _figures(stream, made, shown[name], pages[name], begin, end, offered)) for name in recipes]
    notes = (
        f"{len(made)} made-up readers, {len(asked)} looks at a page of {STANDARD.length} among some {len(live):,} live items;"
        f" a quiet publisher brings at most {WEEKLY:g} items a week.",
        "follows 0: as if the reader followed nothing; newest first: what was followed, by time alone.",
    )
    return Report(task="quiet", dataset=path.name, rows=tuple(rows), notes=notes)


def who_reads(stream: Stream, begin: datetime, end: datetime, many: int, seed: int = 0) -> list[tuple[Reader, str]]:
    """Readers, each with the quiet publisher that they follow beside busy ones: one that posts in these days."""
    rng = np.random.default_rng(seed)
    posts = {story.publishers[0] for story in stream.stories if begin <= story.last_seen <= end}
    quiet = sorted(p for p, weekly in stream.weekly.items() if weekly <= WEEKLY and p in posts)
    loud = sorted(p for p, weekly in stream.weekly.items() if weekly > WEEKLY)
    if not quiet:
        return []
    volume = np.array([stream.weekly[p] for p in loud])
    made = []
    for n in range(many):
        own = quiet[n % len(quiet)]
        reader = Reader(id=ReaderId(f"reader {n}"))
        busy = (
            rng.choice(np.array(loud), min(BUSY, len(loud)), replace=False, p=volume / volume.sum()).tolist()
            if loud
            else []
        )
        for publisher in [own, *busy]:
            reader = follows.follow(reader, Follow(kind="publisher", value=publisher, label=publisher), begin)
        made.append((reader, own))
    return made


def _page(
    reader: Reader, seen: Mapping[StoryId, datetime], edition: Edition, live: Sequence[Story],
    values: Mapping[str, float] | None, now: datetime,
) -> list[StoryId]:  # fmt: skip
    if values is None:
        own = {follow.value for follow in reader.follows}
        return [story.id for story in reversed(live) if story.publishers[0] in own][: STANDARD.length]
    looked = replace(reader, shown=dict.fromkeys(seen, 1))
    tuned = as_tuned(looked, values) if values else looked
    seed = int(identify(reader.id, now.isoformat()), 16) % 2**32
    return [item.story for item in build_feed(tuned, edition, STANDARD, now, np.random.default_rng(seed)).items]


def _count(crowd: Crowd, busy: Sequence[Story], now: datetime) -> None:
    """A crowd that an hour ago was shown what busy publishers brought in a day, and opened what was latest, all the same."""
    then = now - timedelta(hours=1)
    shown = [story.id for story in busy if then - timedelta(days=1) <= story.last_seen <= then]
    for who in range(READING):
        for story in shown:
            crowd.shown(story, then.timestamp())
        for story in shown[-OPENED:]:
            crowd.opened(ReaderId(f"one of the crowd, {who}"), story, then.timestamp())


def _figures(
    stream: Stream, made: Sequence[tuple[Reader, str]], shown: Mapping[ReaderId, Mapping[StoryId, datetime]],
    pages: Sequence[Story], begin: datetime, end: datetime, offered: set[str],
) -> dict[str, float]:  # fmt: skip
    due, seen = 0, 0
    for reader, own in made:
        for story in stream.stories:
            if story.publishers[0] == own and begin <= story.last_seen <= end - WITHIN:
                due += 1
                at = shown[reader.id].get(story.id)
                seen += at is not None and at - story.last_seen <= WITHIN
    counts = Counter(story.publishers[0] for story in pages)
    quiet = sum(n for publisher, n in counts.items() if stream.weekly[publisher] <= WEEKLY)
    return {
        "seen": seen / due if due else 0.0,
        "items": float(due),
        "quiet share": quiet / len(pages) if pages else 0.0,
        "publishers": float(len(counts)),
        "gini": gini([counts[publisher] for publisher in offered]),
        "whole": sum(story.words > 0 for story in pages) / len(pages) if pages else 0.0,
        "teasing": sum(teases(story.headline, story.language) for story in pages) / len(pages) if pages else 0.0,
    }
