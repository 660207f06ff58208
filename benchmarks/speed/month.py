"""A month of real feed items (71,000 of 500 feeds) through the whole product, and what it weighs to serve.

    python benchmarks/speed/month.py [ITEMS] [--light]

The items are served as feeds on loopback and read in by `refresh`, as any source is; one feed is held back. Then `serve`
is started on what came of it, a reader's page is asked for, and that last feed becomes due, so that its workers load
their models and it groups. The most that the server and its workers hold together until then is told. Prints JSON; takes half an
hour. With ITEMS, only that many are read in; with --light, all but the last feed have their names found by their
capitals, which is faster, and the server weighs the same.
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
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from broadsheet import config, jobs, store
from broadsheet.articles.enrich import Enrichment
from broadsheet.articles.entities import Recognition
from broadsheet.demo.corpus import Channel, Item
from broadsheet.demo.run import add_sources, published
from broadsheet.demo.server import FeedServer
from broadsheet.model import Follow
from broadsheet.opening import Instance, describe_instance
from broadsheet.reading import Newsstand
from broadsheet.store.entries import Counts

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
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended meanwhile
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1000


def children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):  # a child belongs to the thread that started it
        try:
            found += [int(child) for child in thread.read_text().split()]
        except OSError:
            continue
    return [*found, *(grandchild for child in found for grandchild in children(child))]


def served(settings: config.Settings, reader: str, is_done: Callable[[], bool]) -> dict[str, float]:
    """Start `serve`, ask for the reader's feed until it answers, and weigh it until it has nothing left to do."""
    environment = os.environ | {
        "BROADSHEET_DATABASE": settings.database,
        "BROADSHEET_PORT": str(settings.port),
        "BROADSHEET_ALLOW_ADDRESSES": ",".join(settings.allow_addresses),
    }
    server = subprocess.Popen([sys.executable, "-m", "broadsheet", "serve"], env=environment, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{settings.port}/api/readers/{reader}/feed"
    try:
        started = time.monotonic()
        while True:
            try:
                with urllib.request.urlopen(address, timeout=60) as answer:
                    answer.read()
                break
            except urllib.error.HTTPError:
                raise  # it is there, and will not answer otherwise later
            except OSError:
                if time.monotonic() - started > 120 or server.poll() is not None:
                    raise
                time.sleep(0.2)
        ready = time.monotonic() - started
        idle = most = resident(server.pid)
        while not is_done():
            time.sleep(0.25)
            most = max(most, resident(server.pid))
            if time.monotonic() - started > 600:
                raise TimeoutError("the last feed is not done after ten minutes")
        with urllib.request.urlopen(address, timeout=60) as answer:
            answer.read()
        after = resident(server.pid)
        return {
            "serve_ready_s": ready,
            "serve_memory_at_first_mb": idle,
            "serve_memory_mb": after,
            "serve_memory_most_mb": max(most, after),
        }
    finally:
        server.terminate()
        server.wait(30)


def counts(engine: Engine) -> Counts:
    with engine.connect() as db:
        return store.entries.counts(db)


def main(limit: int | None, light: bool) -> None:
    channels = month(limit)
    last_feed = next(c for c in sorted(channels, key=lambda c: len(c.items)) if len(c.items) >= 10)
    rest = [c for c in channels if c is not last_feed]
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
            add_sources(engine, {a: c for a, c in server.addresses.items() if c is not last_feed}, settings)
            enrichment = Enrichment(entities=Recognition(recogniser="capitals")) if light else Enrichment()
            asyncio.run(jobs.refresh(engine, settings, progress=progress, enrichment=enrichment))
            stand = Newsstand(engine, settings)
            reader = stand.add_reader("Month", [Follow(kind="topic", value="11000000", label="Politics")])
            live = len(stand.edition().edition)
            found: dict[str, float] = {
                "items": sum(len(channel.items) for channel in rest),
                "feeds": len(rest),
                "stories_live": live,
                "entries": counts(engine).total,
                **{f"{kind}_s": took for kind, took in seconds.items()},
            }
            print(json.dumps(found), file=sys.stderr)  # half an hour's work: told even if what follows fails
            before = counts(engine).total
            add_sources(engine, {a: c for a, c in server.addresses.items() if c is last_feed}, settings)

            def is_done() -> bool:
                now = counts(engine)
                with engine.connect() as db:  # who groups holds the month's articles: it is weighed, too
                    _, ungrouped = store.articles.counts(db)
                return now.total > before and not now.waiting and not ungrouped

            found |= served(settings, reader.id, is_done)
            found["entries_after"] = counts(engine).total
            engine.dispose()
    print(json.dumps({name: round(value, 2) for name, value in found.items()}))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(numbers[0] if numbers else None, light="--light" in sys.argv)
