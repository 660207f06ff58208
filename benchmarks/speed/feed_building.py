"""How long a warm reader's feed takes from 20,000 live stories, on one core, next to what the memory allows.

The limit in the same run is one bare product of the stories' vectors with the reader's: a ranking by likeness alone,
with no facts, no mutes and no page. Prints one JSON object; times are medians in milliseconds of this thread's own
processor time, so that a busy machine does not count as a slow one.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median, quantiles

import numpy as np

from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.model import (
    ArticleId,
    Entity,
    Follow,
    Mute,
    Passage,
    Reader,
    ReaderId,
    SourceId,
    Story,
    StoryId,
    Topic,
    Weight,
    WeightKey,
    bytes_of,
    identify,
)

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
STORIES, DIMENSIONS, DAYS = 20_000, 192, 30  # 192: what the default encoder gives


def stories(rng: np.random.Generator, many: int = STORIES) -> list[Story]:
    """Stories whose names, topics and publishers are as unevenly spread as in real news (Zipf), vectors in 60 clouds."""
    words = np.array([f"word{n}" for n in range(4000)])  # drawing from a list makes an array of it each time
    clouds = rng.standard_normal((60, DIMENSIONS))
    made = []
    for n in range(many):
        cloud = int(min(rng.zipf(1.3), 60)) - 1
        names = {f"Name {min(int(rng.zipf(1.2)), 30_000)}" for _ in range(10)}
        publishers = tuple({f"Publisher {min(int(rng.zipf(1.4)), 2_000)}" for _ in range(min(int(rng.zipf(1.8)), 60))})
        seen = NOW - timedelta(hours=float(rng.random() * 24 * DAYS))
        headline = " ".join(rng.choice(words, 10))
        article = ArticleId(identify("article", str(n)))
        made.append(
            Story(
                id=StoryId(identify("story", str(n))),
                headline=headline,
                articles=(article,),
                publishers=publishers,
                sources=tuple(SourceId(p) for p in publishers),
                authors=(f"Author {min(int(rng.zipf(1.3)), 5_000)}",),
                independent=len(publishers),
                velocity=max(len(publishers) - 1, 0) * 0.1,
                first_seen=seen - timedelta(hours=3),
                last_seen=seen,
                key_points=tuple(
                    Passage(article=article, text=" ".join(rng.choice(words, 20)), start=0, end=1) for _ in range(2)
                ),
                entities=tuple(
                    Entity(text=name, type="person", count=1 + i % 3) for i, name in enumerate(sorted(names))
                ),
                topics=tuple(
                    Topic(id=f"{20_000_000 + code}", label=f"Topic {code}", weight=weight)
                    for code, weight in ((cloud, 1.0), (100 + cloud % 17, 0.6), (200 + int(rng.integers(300)), 0.4))
                ),
                language="en" if rng.random() < 0.7 else "de",
                vector=bytes_of(clouds[cloud] + rng.standard_normal(DIMENSIONS)),
            )
        )
    return made


def distinct(follows: Iterable[Follow], many: int) -> list[Follow]:
    return list(dict.fromkeys(follows))[:many]


def warm_reader(rng: np.random.Generator, live: list[Story]) -> Reader:
    """A reader of some months: 20 follows, 300 learned weights, 200 stories hidden or opened, five of them in the last
    quarter of an hour, some seen, a few mutes."""
    some = [live[i] for i in rng.choice(len(live), 900, replace=False)]
    # nobody follows the same thing twice
    follows = distinct((Follow(kind="topic", value=s.topics[0].id, label=s.topics[0].label) for s in some), 6)
    follows += distinct((Follow(kind="person", value=s.entities[0].text, label=s.entities[0].text) for s in some), 6)
    follows += distinct((Follow(kind="publisher", value=s.publishers[0], label=s.publishers[0]) for s in some), 3)
    follows += distinct((Follow(kind="keyword", value=s.headline.split()[0]) for s in some), 3)
    follows += distinct((Follow(kind="story", value=s.id) for s in some), 2)
    weights: dict[WeightKey, Weight] = {}
    for story in some[20:]:
        for entity in story.entities[:1]:
            at = NOW - timedelta(days=float(rng.random() * 40))
            weights["entity", entity.text.casefold()] = Weight(
                value=float(rng.normal(0.3, 0.5)), at=at, label=entity.text
            )
        for topic in story.topics:
            weights["topic", topic.id] = Weight(value=float(rng.normal(0.3, 0.5)), at=NOW, label=topic.label)
    return Reader(
        id=ReaderId("warm"),
        follows=tuple(follows),
        mutes=(
            Mute(kind="person", value="Name 3"),
            Mute(kind="keyword", value="word7"),
            Mute(kind="topic", value="20000203"),
        ),
        weights=dict(list(weights.items())[:300]),
        interest=some[0].vector,
        interest_mass=20.0,
        disinterest=some[1].vector,
        disinterest_mass=5.0,
        interest_at=NOW,
        languages=("en", "de"),
        hidden=frozenset(s.id for s in some[100:200]),
        opened={s.id: NOW - timedelta(days=2) for s in some[200:300]}
        | {s.id: NOW - timedelta(minutes=4 * n) for n, s in enumerate(some[300:305])},
        shown={s.id: 2 for s in some[305:600]},
    )


def milliseconds(act: Callable[[], object], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        start = time.thread_time()
        act()
        taken.append((time.thread_time() - start) * 1000)
    return taken


def main(times: int = 200) -> None:
    rng = np.random.default_rng(7)
    live = stories(rng)
    reader = warm_reader(rng, live)
    start = time.thread_time()
    edition = Edition.of(live, NOW)
    whole = (time.thread_time() - start) * 1000
    gc.freeze()  # as the web app does once its edition is there: what stays is not looked through again and again
    mean = np.frombuffer(reader.interest, "<f2").astype(np.float32)

    def page(reader: Reader, edition: Edition = edition) -> object:
        return build_feed(reader, edition, STANDARD, NOW, np.random.default_rng(1))

    first = milliseconds(lambda: page(reader), 1)  # every phrase is searched for the first time
    fresh = [replace(story, last_seen=NOW) for story in live[:50]]
    update = milliseconds(lambda: edition.updated(fresh, [live[-1].id]), 5)
    after = [milliseconds(partial(page, reader, edition.updated(fresh)), 1)[0] for _ in range(5)]
    newcomer = Reader(id=ReaderId("new"), follows=reader.follows[:3])
    feed, acted, wall, bare, new = [], [], [], [], []
    for _ in range(times):  # in turns, so that whatever else the machine does touches all of them
        start = time.perf_counter()
        feed += milliseconds(lambda: page(reader), 1)
        wall.append((time.perf_counter() - start) * 1000)
        # what was worked out of the weights and of what was opened is out of date
        later = replace(reader, weights=dict(reader.weights), opened=dict(reader.opened))
        acted += milliseconds(partial(page, later), 1)
        bare += milliseconds(lambda: edition.vectors @ mean, 1)
        new += milliseconds(lambda: page(newcomer), 1)
    figures = {
        "stories": len(edition),
        "feed_ms": median(feed),
        "feed_p95_ms": quantiles(feed, n=20)[-1],
        "feed_wall_ms": median(wall),
        "feed_after_an_event_ms": median(acted),
        "product_ms": median(bare),
        "feed_over_product": median(feed) / median(bare),
        "new_reader_ms": median(new),
        "first_feed_ms": first[0],
        "first_feed_after_update_ms": median(after),
        "update_ms": median(update),
        "edition_ms": whole,
    }
    print(json.dumps({name: round(x, 3) for name, x in figures.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
