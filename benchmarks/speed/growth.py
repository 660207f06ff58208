"""What grows with stories and with readers: time of a feed, of a batch and of learning, memory and disk a reader.

    python benchmarks/speed/growth.py [--whole | --learning]

Stories: 1,000 to 20,000 (with --whole to 200,000), one core; beside the feed the bare product of all vectors with the reader's. All readers of an
instance in a batch, as morning digests are made, beside what BLAS gives for their products alone. Learning: events a
second, a fold over what a reader of some months did. Readers: what one holds in memory and on disk, counted on 2,000 and
laid out to 1,000,000. With --learning that alone; `learned_times_bare` is the time an event takes over that of noting when its story was
met. Prints one JSON object; times are of this thread's processor.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import gc
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median

import numpy as np
from feed_building import DIMENSIONS, NOW, stories, warm_reader

from broadsheet import store
from broadsheet.feed.batch import TOGETHER, build_feeds
from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.model import Event, EventKind, Reader, ReaderId, Story
from broadsheet.readers.profile import fold

MIX: dict[EventKind, float] = {
    "shown": 30,
    "opened": 2,
    "dwelled": 2,
    "saved": 0.1,
    "less": 0.1,
}  # of a page and what is done with it


def seconds(act: Callable[[], object]) -> float:
    start = time.thread_time()
    act()
    return time.thread_time() - start


def acts(live: Sequence[Story], many: int, seed: int) -> list[tuple[Event, Story]]:
    """What a reader did: pages shown, some of it opened and read."""
    rng = np.random.default_rng(seed)
    chances = np.array(list(MIX.values()))
    kinds = rng.choice(np.array(list(MIX)), many, p=chances / chances.sum())
    told = []
    for n, (kind, at) in enumerate(zip(kinds.tolist(), rng.integers(0, len(live), many).tolist(), strict=True)):
        look = 30.0 if kind == "dwelled" else None
        when = NOW - timedelta(days=60) + timedelta(days=60) * (n / many)
        told.append((Event(reader=ReaderId("r"), kind=kind, at=when, story=live[at].id, seconds=look), live[at]))
    return told


def by_stories(live: list[Story], sizes: Sequence[int]) -> dict[str, float]:
    found: dict[str, float] = {}
    for size in sizes:
        part = live[:size]
        reader = warm_reader(np.random.default_rng(7), part)
        tracemalloc.start()
        edition = Edition.of(part, NOW)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        mean = np.ones(DIMENSIONS, np.float32)
        build_feed(reader, edition, STANDARD, NOW, np.random.default_rng(1))
        gc.collect()
        feeds, bare = [], []
        for _ in range(15):
            feeds.append(seconds(lambda: build_feed(reader, edition, STANDARD, NOW, np.random.default_rng(1))))  # noqa: B023
            bare.append(seconds(lambda: edition.vectors @ mean))  # noqa: B023
        found |= {
            f"feed_ms of {size}": 1000 * median(feeds),
            f"product_ms of {size}": 1000 * median(bare),
            f"edition_mb of {size}": held / 1e6,
        }
    return found


def in_batches(live: list[Story], many: int) -> dict[str, float]:
    edition = Edition.of(live, NOW)
    rng = np.random.default_rng(3)
    model = warm_reader(rng, live)
    readers = [
        replace(model, id=ReaderId(f"r{n}"), interest=live[n].vector, disinterest=live[-n - 1].vector)
        for n in range(many)
    ]
    gc.freeze()

    def together() -> None:
        for _ in build_feeds(readers, edition, STANDARD, NOW, lambda reader: 1):
            pass

    def alone() -> None:
        for reader in readers:
            build_feed(reader, edition, STANDARD, NOW, np.random.default_rng(1))

    block = rng.standard_normal((2 * TOGETHER, DIMENSIONS)).astype(np.float32)
    together()
    batch, single = seconds(together), seconds(alone)
    blas = median(seconds(lambda: block @ edition.vectors.T) for _ in range(5)) / TOGETHER
    return {
        "batch_readers_a_second": many / batch,
        "one_by_one_readers_a_second": many / single,
        "blas_readers_a_second": 1 / blas,
    }


def learning(live: list[Story], many: int) -> dict[str, float]:
    """Events a second: of a new reader, of one who has read for long, and where every event teaches a dozen weights."""
    told = acts(live, many, 1)
    new = Reader(id=ReaderId("r"))
    old = fold(new, acts(live, 20_000, 2))
    some = dict(list(old.weights.items())[:1])
    old = replace(
        old, weights={("entity", f"name {n}"): w for w in some.values() for n in range(5_000)} | dict(old.weights)
    )
    opened = [(replace(event, kind="opened"), story) for event, story in told[: many // 10]]

    def rate(reader: Reader, events: Sequence[tuple[Event, Story]]) -> float:
        return len(events) / min(seconds(lambda: fold(reader, events)) for _ in range(3))

    def bare() -> None:
        """As little as can be done with an event: when each story was met last."""
        met = {}
        for event, story in told:
            met[story.id] = event.at, event.kind, event.seconds

    light, heavy = rate(new, told), rate(old, told)
    return {
        "learned_times_bare": len(told) / light / min(seconds(bare) for _ in range(5)),
        "learned_events_a_second": light,
        "learned_events_a_second of a reader with 5000 weights": heavy,
        "learned_of_many_weights_over_few": heavy / light,
        "learned_openings_a_second": rate(old, opened),
    }


def by_readers(live: list[Story], many: int) -> dict[str, float]:
    histories = [acts(live, 1_000, n) for n in range(20)]
    tracemalloc.start()
    held = [fold(Reader(id=ReaderId(f"r{n}"), name=f"r{n}", created=NOW), histories[n % 20]) for n in range(60)]
    memory = tracemalloc.get_traced_memory()[0] / len(held)
    tracemalloc.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "readers.sqlite"
        engine = store.open(f"sqlite:///{path}")

        def size() -> int:
            with engine.connect() as db:
                db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return path.stat().st_size

        empty = size()
        with engine.begin() as db:
            for n in range(many):
                store.readers.add(db, replace(held[n % 60], id=ReaderId(f"r{n}"), name=f"r{n}"))
        full = size()
        with engine.begin() as db:
            for n, history in enumerate(histories):
                store.readers.record(db, [replace(event, reader=ReaderId(f"r{n}")) for event, _ in history])
        disk, an_event = (full - empty) / many, (size() - full) / sum(map(len, histories))
        with engine.connect() as db:
            start = time.perf_counter()
            for n in range(min(many, 200)):
                store.readers.get(db, ReaderId(f"r{n}"))
            read = (time.perf_counter() - start) / min(many, 200)
        engine.dispose()
    return {
        "memory_kb_a_reader": memory / 1e3,
        "disk_kb_a_reader": disk / 1e3,
        "disk_bytes_an_event": an_event,
        "read_reader_ms": read * 1e3,
        **{f"disk_gb of {n} readers": (disk + 1_000 * an_event) * n / 1e9 for n in (1_000, 100_000, 1_000_000)},
    }


def main(whole: bool, learning_alone: bool) -> None:
    sizes = (1_000, 5_000, 20_000, 50_000, 100_000, 200_000) if whole else (1_000, 5_000, 20_000)
    live = stories(np.random.default_rng(7), 5_000 if learning_alone else max(sizes))
    figures = learning(live[:5_000], 50_000 if whole else 20_000)
    if not learning_alone:
        figures |= by_readers(live[:5_000], 2_000 if whole else 500)
        figures |= in_batches(live[:20_000], 256 if whole else 96) | by_stories(live, sizes)
    print(json.dumps({name: round(x, 3) for name, x in figures.items()}))


if __name__ == "__main__":
    main("--whole" in sys.argv, "--learning" in sys.argv)
