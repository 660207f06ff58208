"""How fast 2,000 feeds are polled, next to a bare client that only downloads and to the `reader` package.

A server in a process of its own answers after 50 ms with a small RSS feed and an ETag. Each feed has a host of its own
(127.x.y.z), as on the open internet: no connection is used twice. Bare is `aiohttp` with as many answers at once, no
checks, no caps, nothing read; `reader` updates fewer feeds and is scaled, since it takes a while. Rounds of bare and
fetch alternate and the median is taken. `bound_s` is what the latency alone allows at that concurrency.

`--rhythm STREAM` instead replays the publication times of real feeds and says what following their rhythm costs and
gives next to asking at fixed intervals. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import lzma
import multiprocessing
import random
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple, cast

import aiohttp

from broadsheet.model import Source, SourceId, identify
from broadsheet.sources.fetch import Fetched, Unchanged, fetch
from broadsheet.sources.formats import parse
from broadsheet.sources.net import AddressPolicy, Client
from broadsheet.sources.schedule import Rhythm, after_success

FEEDS, LATENCY, CONCURRENCY, ROUNDS = 2000, 0.05, 64, 3
READER_FEEDS, READER_WORKERS = 200, 16

ITEM = """<item><title>Headline number {n} of the day</title><link>https://example.org/{n}</link>
<guid>https://example.org/{n}</guid><pubDate>Sat, 01 Aug 2026 {n:02}:00:00 GMT</pubDate>
<description>What happened, told in a sentence or two that a feed would carry as its summary.</description></item>"""
FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title><link>https://example.org/</link>'
    f"{''.join(ITEM.format(n=n) for n in range(10))}</channel></rss>"
).encode()


class Answering(asyncio.Protocol):
    """As little of a web server as will do, so that it is not what is measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.got = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self.got += data
        while b"\r\n\r\n" in self.got:
            head, _, self.got = self.got.partition(b"\r\n\r\n")
            fresh = b'if-none-match: "1"' in head.lower()
            asyncio.get_running_loop().call_later(LATENCY, self.answer, fresh, b"connection: close" in head.lower())

    def answer(self, fresh: bool, last: bool) -> None:
        if self.transport.is_closing():
            return
        status, body = (b"304 Not Modified", b"") if fresh else (b"200 OK", FEED)
        self.transport.write(
            b'HTTP/1.1 %b\r\nETag: "1"\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n%b'
            % (status, len(body), body)
        )
        if last:
            self.transport.close()


def serve(told: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "0.0.0.0", 0, backlog=4096)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def addresses(port: int, many: int = FEEDS) -> list[str]:
    return [f"http://127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}:{port}/feed.xml" for n in range(many)]


class Took(NamedTuple):
    wall: float
    cpu: float  # of this process: what the wall time is made of when the machine is busy with other things


async def timed(ask: Callable[[str], Awaitable[object]], urls: Sequence[str]) -> Took:
    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(ask(url) for url in urls))
    return Took(time.perf_counter() - began, time.process_time() - worked)


async def bare(urls: Sequence[str], headers: dict[str, str]) -> Took:
    slots = asyncio.Semaphore(CONCURRENCY)
    # Connections closed after use, as ours are in a round over so many hosts.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def ask(url: str) -> None:
            async with slots, session.get(url) as answer:
                await answer.read()

        return await timed(ask, urls)


async def ours(urls: Sequence[str], *, etag: str = "", read: bool = False) -> Took:
    async with Client(AddressPolicy(("127.0.0.0/8",)), concurrency=CONCURRENCY) as client:

        async def ask(url: str) -> None:
            source = Source(id=SourceId(identify(url)), url=url, etag=etag)
            answer = await fetch(source, client)
            assert isinstance(answer, Unchanged if etag else Fetched)
            if read and isinstance(answer, Fetched):
                found = parse(answer.body, url=answer.url, content_type=answer.content_type, source=source.id)
                assert len(found.entries) == 10

        return await timed(ask, urls)


def peer(urls: Sequence[str]) -> float:
    """Seconds that `reader` takes to update these feeds for the first time, its database on disk as ours would be."""
    import feedparser_sgmllib

    # reader's own copy of feedparser wants `sgmllib` by the name it had before feedparser brought it along.
    sys.modules.setdefault("sgmllib", feedparser_sgmllib)
    from reader import make_reader

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = make_reader(str(Path(folder) / "reader.sqlite"))
        for url in urls:
            found.add_feed(url)
        began = time.perf_counter()
        found.update_feeds(workers=READER_WORKERS)
        took = time.perf_counter() - began
        assert found.get_entry_counts().total == 10 * len(urls)
        found.close()
    return took


def polling() -> dict[str, float]:
    hear, tell = multiprocessing.get_context("spawn").Pipe(False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(tell,), daemon=True)
    server.start()
    try:
        urls = addresses(hear.recv())
        asyncio.run(bare(urls[:200], {}))  # both warm
        asyncio.run(ours(urls[:200], read=True))
        taken: dict[str, list[Took]] = defaultdict(list)
        for _ in range(ROUNDS):
            taken["bare_s"].append(asyncio.run(bare(urls, {})))
            taken["fetch_s"].append(asyncio.run(ours(urls)))
            taken["fetch_parse_s"].append(asyncio.run(ours(urls, read=True)))
            taken["bare_unchanged_s"].append(asyncio.run(bare(urls, {"If-None-Match": '"1"'})))
            taken["unchanged_s"].append(asyncio.run(ours(urls, etag='"1"')))
        reader_s = peer(urls[:READER_FEEDS]) * FEEDS / READER_FEEDS
    finally:
        server.terminate()
        server.join()
    found = {name: median(took.wall for took in rounds) for name, rounds in taken.items()}
    cpu = {name: median(took.cpu for took in rounds) * 1000 / FEEDS for name, rounds in taken.items()}
    return {
        "feeds": FEEDS,
        "latency_ms": LATENCY * 1000,
        "concurrency": CONCURRENCY,
        "bound_s": round(FEEDS * LATENCY / CONCURRENCY, 3),
        **{name: round(seconds, 3) for name, seconds in found.items()},
        "over_bare": round(found["fetch_s"] / found["bare_s"], 3),
        "parse_over_bare": round(found["fetch_parse_s"] / found["bare_s"], 3),
        "unchanged_over_bare": round(found["unchanged_s"] / found["bare_unchanged_s"], 3),
        "bare_cpu_ms": round(cpu["bare_s"], 3),
        "fetch_cpu_ms": round(cpu["fetch_s"], 3),
        "fetch_parse_cpu_ms": round(cpu["fetch_parse_s"], 3),
        "feeds_per_second": round(FEEDS / found["fetch_parse_s"]),
        "reader_workers": READER_WORKERS,
        "reader_scaled_s": round(reader_s, 1),
        "times_reader": round(reader_s / found["fetch_parse_s"], 2),
    }


def publications(stream: Path) -> list[list[datetime]]:
    """The times at which each feed of a stream published, in order; feeds with fewer than five are left out."""
    times: dict[str, set[datetime]] = defaultdict(set)
    with (lzma if stream.suffix == ".xz" else gzip).open(stream, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row.get("published"):
                moment = datetime.fromisoformat(row["published"].replace("Z", "+00:00"))
                times[row["feed"]].add(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return [sorted(found) for found in times.values() if len(found) >= 5]


def follow(
    times: Sequence[datetime], start: datetime, end: datetime, rhythm: Rhythm | timedelta
) -> tuple[int, list[float]]:
    """How often a feed is asked between two moments, and how many minutes late each of its entries is seen."""
    rng = random.Random(identify(str(times[0])))
    source = Source(id=SourceId("s"), url="u", next_fetch=start)
    now, seen, polls, late = start, 0, 0, []
    while now < end:
        polls += 1
        known = seen
        while seen < len(times) and times[seen] <= now:
            seen += 1
        late += [(now - t).total_seconds() / 60 for t in times[known:seen] if t >= start]
        if isinstance(rhythm, timedelta):
            now += rhythm
            continue
        answer = Fetched(body=b"", url="u") if seen > known or polls == 1 else Unchanged(url="u")
        source = after_success(
            source, answer, times[max(0, seen - 20) : seen] if seen > known else (), now, rng, rhythm
        )
        assert source.next_fetch is not None
        now = source.next_fetch
    return polls, late


def rhythm_report(stream: Path) -> dict[str, object]:
    feeds = publications(stream)
    every = sorted(t for times in feeds for t in times)
    end = every[-1 - len(every) // 200]  # a few dates lie in the future
    start = end - timedelta(days=21)
    ways: dict[str, Rhythm | timedelta] = {
        "every 15 minutes": timedelta(minutes=15),
        "every 30 minutes": timedelta(minutes=30),
        "every hour": timedelta(hours=1),
        "every 2 hours": timedelta(hours=2),
        "rhythm": Rhythm(),
    }
    for share in (0.25, 1.0):
        ways[f"rhythm, share {share}"] = replace(Rhythm(), share=share)
    for quieter in (1.1, 1.5):
        ways[f"rhythm, quieter {quieter}"] = replace(Rhythm(), quieter=quieter)
    for recent in (5, 20):
        ways[f"rhythm, recent {recent}"] = replace(Rhythm(), recent=recent)
    report: dict[str, object] = {"feeds": len(feeds), "from": str(start), "to": str(end)}
    for name, way in ways.items():
        found = [follow(times, start, end, way) for times in feeds]
        late = sorted(minutes for _, delays in found for minutes in delays)
        report[name] = {
            "polls_per_feed_and_day": round(mean(polls for polls, _ in found) / 21, 1),
            "late_median_min": round(median(late), 1),
            "late_mean_min": round(mean(late), 1),
            "late_p90_min": round(late[len(late) * 9 // 10], 1),
        }
    return report


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rhythm", type=Path, metavar="STREAM")
    chosen = options.parse_args()
    json.dump(rhythm_report(chosen.rhythm) if chosen.rhythm else polling(), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
