"""A month of real feed items (71,000 of 500 feeds) through the whole product, and what it weighs to serve.

    python benchmarks/speed/month.py [ITEMS] [--light]

The items are served as feeds on loopback and read in by `refresh`, as any source is. Then `serve` is started on what
came of it, a reader's page is asked for, and the memory of the server and its workers is added up. Prints JSON; takes
a quarter of an hour. With ITEMS, only that many are read in; with --light, names
are found by their capitals, which is faster, and the server weighs the same.
"""

from __future__ import annotations

import asyncio
import json
import lzma
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from broadsheet import config, jobs, store
from broadsheet.articles.enrich import Enrichment
from broadsheet.articles.entities import Recognition
from broadsheet.demo.corpus import Channel, Item
from broadsheet.demo.run import add_sources, published
from broadsheet.demo.server import FeedServer
from broadsheet.model import Follow
from broadsheet.opening import Instance, describe_instance
from broadsheet.reading import Newsstand

DATA = Path(os.environ.get("BROADSHEET_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
END = datetime(2023, 7, 1, tzinfo=UTC)


def month(limit: int | None) -> list[Channel]:
    items: dict[str, list[Item]] = defaultdict(list)
    languages: dict[str, str] = {}
    with lzma.open(DATA / "streams" / "rss-2023-06.jsonl.xz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if limit is not None and number >= limit:
                break
            d = json.loads(line)
            if not d["link"] or not d["title"]:
                continue
            at = datetime.fromisoformat(d["published"]) if d["published"] else END
            item = Item(url=d["link"], title=d["title"], html=d["description"] or "", published=at)
            items[d["feed"]].append(item)
            languages[d["feed"]] = d["lang"] or ""
    return [
        Channel(title=feed, homepage=f"https://{urlsplit(feed).netloc}/", items=tuple(found), language=languages[feed])
        for feed, found in items.items()
    ]


def resident(pid: int) -> float:
    """MB of memory that the process and its children hold, each page shared by several counted once (PSS)."""
    total = 0
    for process in [pid, *children(pid)]:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000


def children(pid: int) -> list[int]:
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(grandchild for child in found for grandchild in children(child))]


def served(settings: config.Settings, reader: str) -> dict[str, float]:
    """Start `serve`, ask for the reader's feed until it answers, and weigh it."""
    environment = os.environ | {"BROADSHEET_DATABASE": settings.database, "BROADSHEET_PORT": str(settings.port)}
    server = subprocess.Popen(
        [sys.executable, "-m", "broadsheet.cli", "serve"], env=environment, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{settings.port}/api/feed?reader={reader}"
    try:
        started = time.monotonic()
        while True:
            try:
                with urllib.request.urlopen(address, timeout=60) as answer:
                    answer.read()
                break
            except OSError:
                if time.monotonic() - started > 120 or server.poll() is not None:
                    raise
                time.sleep(0.2)
        ready = time.monotonic() - started
        time.sleep(10)  # the first round of work is done by then
        return {"serve_ready_s": ready, "serve_memory_mb": resident(server.pid)}
    finally:
        server.terminate()
        server.wait(30)


def main(limit: int | None, light: bool) -> None:
    channels = month(limit)
    with tempfile.TemporaryDirectory() as folder:
        settings = config.load(
            None, {}, database=f"sqlite:///{folder}/month.sqlite", as_of=END.isoformat(), live=timedelta(days=31),
            allow_addresses=("127.0.0.1/32",), fetch_per_host=32, port=8765,
        )  # fmt: skip
        engine = store.open(settings.database)
        describe_instance(engine, Instance(as_of=settings.as_of, live=settings.live))
        seconds: dict[str, float] = defaultdict(float)
        last = [time.monotonic()]

        def progress(kind: str, done: int, total: int) -> None:
            now = time.monotonic()
            seconds[kind] += now - last[0]
            last[0] = now

        with published(FeedServer(channels)) as server:
            add_sources(engine, server.addresses, settings)
            enrichment = Enrichment(entities=Recognition(recogniser="capitals")) if light else Enrichment()
            asyncio.run(jobs.refresh(engine, settings, progress=progress, enrichment=enrichment))
        with engine.connect() as db:
            entries = store.entries.counts(db)
        stand = Newsstand(engine, settings)
        reader = stand.add_reader("Month", [Follow(kind="topic", value="11000000", label="Politics")])
        edition = stand.edition()
        engine.dispose()
        found: dict[str, float] = {
            "items": sum(len(channel.items) for channel in channels),
            "feeds": len(channels),
            "stories_live": len(edition.stories),
            "entries": entries.total,
            **{f"{kind}_s": took for kind, took in seconds.items()},
            **served(settings, reader.id),
        }
    print(json.dumps({name: round(value, 2) for name, value in found.items()}))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(numbers[0] if numbers else None, light="--light" in sys.argv)
