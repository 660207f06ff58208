"""What the server spends on its pages when the store holds an archive: of 500,000 articles some 19,000 stories are live.

    python benchmarks/speed/archive.py [--articles 500000] [--database sqlite:////tmp/archive.sqlite] [--times 200]

The store is made from made-up words the first time and kept where `--database` says (a SQLite or PostgreSQL address; without
one it is made for this run and thrown away), to be measured again in seconds. The app is served by its own process over HTTP on loopback, and times its
answers itself, from the request to the last byte: `_wall_ms` by the clock, `_cpu_ms` by the process's processor time, in which
neither the client nor a wait for a busy machine is. The reader has follows, sources, learned
weights and 2,000 events. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.model import (
    Article,
    ArticleId,
    Entity,
    Event,
    Follow,
    Moment,
    Mute,
    Outlet,
    Passage,
    Reader,
    ReaderId,
    Source,
    SourceId,
    Story,
    StoryId,
    ThreadId,
    Topic,
    bytes_of,
    identify,
)
from broadsheet.readers.profile import fold
from broadsheet.web import security
from broadsheet.web.app import create_app

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
READER = ReaderId(identify("reader", "archive"))
DIMENSIONS, SOURCES, SENTENCES, WORDS = 192, 600, 20_000, 60_000
LIVE_DAYS, DAYS = 29, 730  # stories of the last month are live; the archive goes back two years
LIVE_SHARE = 0.12  # of the articles: at 500,000 some 20,000 live stories
PAUSE = (
    0.03  # seconds between two pages: what is recorded of one, after its answer, is done before the next is asked for
)
MADE = "archive made"  # the note that says that the store is whole, and of how many articles


class Newsroom:
    """Makes articles and stories of made-up words, as unevenly spread as real ones (Zipf)."""

    def __init__(self, seed: int = 7) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.random = random.Random(seed)
        letters = np.array(list("aeioubcdfghklmnprstvw"))
        self.words = ["".join(rng.choice(letters, int(n))) for n in rng.integers(3, 11, WORDS)]
        many = rng.integers(8, 34, SENTENCES)
        drawn = np.minimum(rng.zipf(1.25, int(many.sum())), WORDS) - 1
        self.sentences, at = [], 0
        for n in many.tolist():
            self.sentences.append(" ".join(self.words[i] for i in drawn[at : at + n].tolist()).capitalize() + ".")
            at += n
        self.clouds = rng.standard_normal((60, DIMENSIONS))
        self.sources = [
            Source(
                id=SourceId(identify("source", str(n))), url=f"https://p{n}.example/feed", title=f"Publisher {n}",
                homepage=f"https://p{n}.example/", language="en" if n % 4 else "de", added=NOW - timedelta(days=800),
                outlet=Outlet(name=f"Publisher {n}", domain=f"p{n}.example"), last_fetch=NOW, last_success=NOW,
                next_fetch=NOW + timedelta(hours=1), problem="it answered 500" if n % 40 == 0 else "",
                failures=3 if n % 40 == 0 else 0,
            )
            for n in range(SOURCES)
        ]  # fmt: skip
        self.drawn = 0

    def zipf(self, power: float, most: int) -> int:
        return min(int(self.rng.zipf(power)), most)

    def article(self, number: int, when: datetime, shared: Sequence[str], names: tuple[Entity, ...]) -> Article:
        """An article of some 450 words, the first sentences its story's."""
        draw = self.random
        source = self.sources[(self.zipf(1.15, 10**9) * 7919 + draw.randrange(40)) % SOURCES]
        many = max(4, min(int(draw.lognormvariate(3.0, 0.6)), 200))
        told = [*shared, *(self.sentences[draw.randrange(SENTENCES)] for _ in range(many))]
        paragraphs = [" ".join(told[i : i + 3]) for i in range(0, len(told), 3)]
        url = f"https://{source.outlet.domain if source.outlet else ''}/{number}"
        return Article(
            id=ArticleId(identify("article", str(number))), url=url,
            title=" ".join(self.sentences[draw.randrange(SENTENCES)].split()[:11]), text="\n\n".join(paragraphs),
            html="".join(f"<p>{p}</p>" for p in paragraphs), publisher=source.title, source=source.id,
            key_points=tuple(told[:3]), authors=(f"Writer {number % 900}",), published=when, first_seen=when,
            image=f"{url}.jpg" if number % 3 else "", language=source.language, entities=names,
            topics=(Topic(id=f"{1 + number % 17:02d}000000", label="a topic"),),
        )  # fmt: skip

    def story(self, number: int, first: int, many: int, begun: datetime, hours: float) -> tuple[Story, list[Article]]:
        draw = self.random
        shared = [self.sentences[draw.randrange(SENTENCES)] for _ in range(2)]
        names = tuple(
            Entity(text=f"Name {n}", type=("person", "place", "organisation")[n % 3], count=1 + n % 4)
            for n in sorted({self.zipf(1.2, 30_000) for _ in range(10)})
        )  # fmt: skip
        times = sorted(begun + timedelta(hours=draw.random() * hours) for _ in range(many))
        articles = [self.article(first + i, at, shared, names) for i, at in enumerate(times)]
        publishers = tuple(dict.fromkeys(a.publisher for a in articles))
        cloud = self.zipf(1.3, 60) - 1
        points = tuple(
            Passage(article=a.id, text=a.key_points[i % 3], start=0, end=len(a.key_points[i % 3]))
            for i, a in enumerate(articles[:3])
        )
        said = tuple(Moment(date=a.published or begun, sentence=a.key_points[2], article=a.id) for a in articles[:12])
        return Story(
            id=StoryId(identify("story", str(number))), headline=articles[0].title,
            articles=tuple(a.id for a in articles), publishers=publishers, independent=len(publishers),
            sources=tuple(dict.fromkeys(a.source for a in articles if a.source)), velocity=len(publishers) / 24,
            first_seen=times[0], last_seen=times[-1], key_points=points, timeline=said, entities=names,
            topics=(Topic(id=f"{1 + cloud % 17:02d}000000", label=f"Topic {cloud % 17}"),
                    Topic(id=f"20{100 + cloud:06d}", label=f"Topic {cloud}", weight=0.6)),
            language=articles[0].language, image=articles[0].image, lead=articles[0].id,
            vector=bytes_of(self.clouds[cloud] + self.rng.standard_normal(DIMENSIONS)), vector_model="random",
            thread=ThreadId(identify("thread", str(number // 3))) if number % 3 else None,
        ), articles  # fmt: skip

    def stories(self, articles: int) -> Iterator[tuple[Story, list[Article]]]:
        """Stories until there are so many articles, the oldest first; the live ones come last."""
        made, number = 0, 0
        while made < articles:
            live = made >= articles * (1 - LIVE_SHARE)
            many = min(self.zipf(2.1, 120), articles - made)
            place = made / articles
            back = (
                LIVE_DAYS * (1 - (place - 1 + LIVE_SHARE) / LIVE_SHARE)
                if live
                else LIVE_DAYS + 3 + DAYS * (1 - place / (1 - LIVE_SHARE))
            )
            begun = NOW - timedelta(days=max(back, 0.01))
            hours = min(4.0 * many, back * 24 * 0.9) if live else min(4.0 * many, 48.0)
            yield self.story(number, made, many, begun, hours)
            made += many
            number += 1


def fill(address: str, articles: int) -> None:
    """The store, with so many articles, their stories and a reader; nothing where it is made already."""
    engine = store.open(address)
    with engine.connect() as db:
        held = store.notes.get(db, MADE)
    if held == str(articles):
        engine.dispose()
        return
    if held is not None or articles < 1000:
        raise SystemExit(f"{address} holds an archive of {held} articles, not of {articles}: name another store.")
    room = Newsroom()
    with engine.begin() as db:
        for source in room.sources:
            store.sources.add(db, source)
    batch: list[tuple[Story, list[Article]]] = []
    live: list[Story] = []

    def keep() -> None:
        with engine.begin() as db:
            store.articles.save(db, [a for _, found in batch for a in found])
            store.articles.place(db, [(a.id, s.id, None) for s, found in batch for a in found])
            store.stories.save(db, [s for s, _ in batch])
        batch.clear()

    for story, found in room.stories(articles):
        batch.append((story, found))
        if story.last_seen > NOW - timedelta(days=LIVE_DAYS + 1):
            live.append(story)
        if len(batch) >= 2000:
            keep()
    keep()
    read(engine, room, live)
    with engine.begin() as db:
        store.notes.put(db, MADE, str(articles))
    engine.dispose()


def read(engine: Any, room: Newsroom, live: list[Story]) -> None:
    """A reader of some months: 20 follows, 100 sources, 2,000 events of the last month's stories."""
    rng = random.Random(3)
    some = [live[rng.randrange(len(live))] for _ in range(2000)]
    follows = [Follow(kind="person", value=f"Name {n}", label=f"Name {n}") for n in range(3, 39, 3)]
    follows += [Follow(kind="topic", value=s.topics[1].id, label=s.topics[1].label) for s in some[:6]]
    follows += [Follow(kind="story", value=s.id, label=s.headline) for s in some[6:8]]
    mine = frozenset(source.id for source in room.sources[:100])
    reader = Reader(
        id=READER, name="Ada", created=NOW - timedelta(days=90), follows=tuple(dict.fromkeys(follows)),
        mutes=(Mute(kind="person", value="Name 7"), Mute(kind="keyword", value=room.words[400])), subscriptions=mine,
    )  # fmt: skip
    kinds = ["shown"] * 84 + ["opened"] * 8 + ["dwelled"] * 6 + ["saved", "more"]
    events = []
    for n, story in enumerate(some):
        kind = kinds[n % 100]
        at = NOW - timedelta(days=20) + timedelta(days=19) * n / len(some)
        events.append((Event(reader=READER, kind=kind, at=at, story=story.id, seconds=40.0 if kind == "dwelled" else None), story))  # type: ignore[arg-type]  # fmt: skip
    with engine.begin() as db:
        store.readers.add(db, reader)
        for source in mine:
            store.sources.subscribe(db, READER, source)
        ids = store.readers.record(db, [event for event, _ in events])
        store.readers.save(db, fold(reader, events), ids[-1])
        for event, story in events:
            if event.kind == "opened":
                store.versions.read(db, READER, story.articles[0], event.at)


class Timed:
    """The app, and beside it what each of its answers took."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.took: list[tuple[float, float]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == "/took":
            told, self.took = json.dumps(self.took).encode(), []
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": told})
            return
        if scope["path"] == "/acted":  # the reader did something: their feed is out of date
            stand = self.app.state.newsstand
            top = stand.feed(READER).items[7].story
            stand.act(READER, Event(reader=READER, kind="more", at=NOW, story=top))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        wall, spent = time.perf_counter(), time.process_time()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.took.append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - spent)))
            await send(message)

        await self.app(scope, receive, sending)


def serve(address: str, port: int) -> None:
    settings = Settings(database=address, as_of=NOW.isoformat())
    uvicorn.run(Timed(create_app(store.open(address), settings)), port=port, log_level="warning")


@contextmanager
def served(address: str) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(address, port), daemon=True)
    server.start()
    try:
        while server.is_alive():
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        if not server.is_alive():
            raise SystemExit("the server did not start")
        yield port
    finally:
        server.terminate()
        server.join()


class Browser:
    """Asks for pages as a reader's browser does, over one kept connection."""

    def __init__(self, port: int, cookie: str) -> None:
        self.wire = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {
            "Cookie": f"{security.COOKIE}={cookie}", "Host": "localhost", "Sec-Fetch-Site": "same-origin",
            "Accept-Encoding": "gzip",
        }  # fmt: skip

    def get(self, path: str) -> bytes:
        self.wire.request("GET", path, headers=self.headers)
        answer = self.wire.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {told[:300]!r}")
        return told

    def took(self, paths: Sequence[str], before: str = "") -> tuple[list[float], list[float]]:
        """What the server says that each of these took, by the clock and of its processor, in milliseconds."""
        self.get("/took")
        for path in paths:
            if before:
                self.get(before)
            self.get(path)
            time.sleep(PAUSE)
        rows = json.loads(self.get("/took"))
        return [wall for wall, _ in rows], [spent for _, spent in rows]


def measure(address: str, times: int, only: str = "") -> dict[str, Any]:
    settings = Settings(database=address, as_of=NOW.isoformat())
    engine = store.open(address)
    create_app(engine, settings)
    rng = random.Random(5)
    with engine.begin() as db:
        key = security.instance_key(store.notes.get(db, "session key") or "", settings)
        counts = store.articles.counts(db)[0], store.stories.count(db)
        live = [s.id for s in store.stories.live(db, NOW - settings.live)]
        newest = store.articles.latest(db, 4000)
        old = [a.id for a in store.articles.latest(db, 4000, NOW - timedelta(days=LIVE_DAYS + 30))]
        # each story by its first article: drawn by articles, the largest would come up most
        found = store.stories.many(db, store.articles.stories_of(db, old).values())
        held = set(old)
        closed = [s.id for s in found if s.articles[0] in held]
    engine.dispose()
    room = Newsroom()
    words = room.words

    def some(ids: Sequence[str]) -> list[str]:
        return rng.sample(list(ids), min(times, len(ids)))

    pages: dict[str, tuple[list[str], str]] = {
        "for_you": (["/"] * times, ""),
        "for_you_after_an_event": (["/"] * times, "/acted"),
        "story": ([f"/story/{i}" for i in some(live)], ""),
        "closed_story": ([f"/story/{i}" for i in some(closed)], ""),
        "article": ([f"/article/{i}" for i in some(old)], ""),
        "latest": (["/latest"] * times, ""),
        "latest_further_down": ([
            "/latest?" + urlencode({"before": f"{a.time.isoformat()}~{a.id}"}) for a in rng.sample(newest, min(times, len(newest))) if a.time
        ], ""),
        "latest_of_mine": (["/latest?mine=1"] * times, ""),
        "search_rare_word": (["/search?" + urlencode({"q": words[rng.randrange(5_000, 50_000)]}) for _ in range(times)], ""),
        "search_two_words": (["/search?" + urlencode({"q": f"{words[rng.randrange(50, 2_000)]} {words[rng.randrange(50, 2_000)]}"}) for _ in range(times)], ""),
        "search_common_word": (["/search?" + urlencode({"q": words[rng.randrange(3, 20)]}) for _ in range(max(times // 10, 1))], ""),
        "search_publisher": (["/search?" + urlencode({"q": f'publisher:"Publisher {rng.randrange(SOURCES)}"'}) for _ in range(max(times // 4, 1))], ""),
        "sources": (["/sources"] * max(times // 4, 1), ""),
        "following": (["/following"] * max(times // 4, 1), ""),
        "you": (["/you"] * max(times // 4, 1), ""),
    }  # fmt: skip
    figures: dict[str, Any] = {
        "database": address.split(":", 1)[0],
        "articles": counts[0],
        "stories": counts[1],
        "live_stories": len(live),
    }
    with served(address) as port:
        browser = Browser(port, security.Session("bench", READER).written(key))
        why = [f"/why/{i}" for i in some(live)[: max(times // 8, 1)]]
        pages["why"] = why, ""
        for name, (paths, before) in pages.items():
            if only and only not in name:
                continue
            browser.get(paths[0])
            time.sleep(2.0)  # the first page counts what is new in every story that went on, after its answer
            wall, spent = browser.took(paths, before)
            figures |= {
                f"{name}_cpu_ms": round(statistics.median(spent), 2),
                f"{name}_cpu_p95_ms": round(float(np.percentile(spent, 95)), 2),
                f"{name}_wall_ms": round(statistics.median(wall), 2),
                f"{name}_wall_p95_ms": round(float(np.percentile(wall, 95)), 2),
            }
    figures["load"] = round(os.getloadavg()[0], 2)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument(
        "--database",
        "--store",
        default="",
        help="the address of a SQLite or PostgreSQL database that is kept between runs",
    )
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--only", default="", help="a word in the names of the pages to measure")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        address = given.database or f"sqlite:///{Path(folder) / 'archive.sqlite'}"
        start = time.perf_counter()
        fill(address, given.articles)
        print(f"store ready after {time.perf_counter() - start:.0f} s", file=sys.stderr)
        print(json.dumps(measure(address, given.times, given.only)))
