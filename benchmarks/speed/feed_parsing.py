"""Reading 200 real feeds, next to feedparser and fastfeedparser in the same run. Prints one JSON object."""

from __future__ import annotations

import json
import os
import sys
import tarfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import fastfeedparser
import feedparser

from broadsheet.model import SourceId
from broadsheet.sources.formats import parse

DATA = Path(os.environ.get("BROADSHEET_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ROUNDS = 3  # the best of three: what is left is the work itself, not the neighbours'


def bodies() -> list[bytes]:
    with tarfile.open(DATA / "feeds" / "real-feeds.tar.xz") as packed:
        members = [m for m in packed if m.isfile() and "/benchmark_data/" in m.name]
        return [opened.read() for m in members if (opened := packed.extractfile(m))]


def by_broadsheet(body: bytes) -> int:
    return len(parse(body, url="https://example.org/feed", source=SourceId("benchmark")).entries)


def by_feedparser(body: bytes) -> int:
    return len(feedparser.parse(body, sanitize_html=False).entries)


def by_fastfeedparser(body: bytes) -> int:
    try:
        return len(fastfeedparser.parse(body).entries)
    except Exception:  # what it can't read counts as nothing
        return 0


def cpu_seconds(read: Callable[[bytes], int], feeds: list[bytes], rounds: int) -> tuple[float, int]:
    best, entries = float("inf"), 0
    for _ in range(rounds):
        start = time.process_time()
        entries = sum(map(read, feeds))
        best = min(best, time.process_time() - start)
    return best, entries


def main() -> None:
    if not DATA.is_dir():
        sys.exit("the real feeds are not here: set BROADSHEET_DATA to the folder of the data")
    warnings.simplefilter("ignore")
    feeds = bodies()
    ours, entries = cpu_seconds(by_broadsheet, feeds, ROUNDS)
    fast, fast_entries = cpu_seconds(by_fastfeedparser, feeds, ROUNDS)
    slow, slow_entries = cpu_seconds(by_feedparser, feeds, 1)
    figures = {
        "feeds": len(feeds),
        "entries": entries,
        "entries_feedparser": slow_entries,
        "entries_fastfeedparser": fast_entries,
        "cpu_seconds": round(ours, 3),
        "feedparser_cpu_seconds": round(slow, 3),
        "fastfeedparser_cpu_seconds": round(fast, 3),
        "times_faster_than_feedparser": round(slow / ours, 2),
        "times_slower_than_fastfeedparser": round(ours / fast, 2),
        "entries_per_cpu_second": round(entries / ours),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
