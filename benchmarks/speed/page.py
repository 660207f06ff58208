"""What the server spends on a page for a warm reader, next to an empty answer of the same web framework.

    python benchmarks/speed/page.py [--stories 5000]

Both go through ASGI in this process, so neither the network nor a load generator is in the figures; they are CPU time of
all threads, so what else the machine does is not in them either. Prints one JSON object: medians in milliseconds, and
how many pages one core makes a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.model import (
    Article,
    ArticleId,
    Entity,
    Event,
    Follow,
    Passage,
    Story,
    StoryId,
    Topic,
    bytes_of,
    identify,
)  # fmt: skip
from broadsheet.reading import Newsstand
from broadsheet.web import security
from broadsheet.web.app import create_app

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def told(number: int, rng: np.random.Generator) -> tuple[Story, list[Article]]:
    """A story of one to six publishers, with names, topics, key points and a vector."""
    seen = NOW - timedelta(hours=float(rng.exponential(72)))
    names = tuple(Entity(text=f"Name {n}", type="person", count=2) for n in set(rng.integers(0, 3000, 5).tolist()))
    topics = (Topic(id=f"{rng.integers(1, 18):02d}000000", label="a topic"),)
    articles = [
        Article(
            id=ArticleId(identify(str(number), str(n))), url=f"https://p{n}.example/{number}/{n}",
            title=f"Headline number {number} of a story that is told in some words", text="A sentence of some length. " * 60,
            publisher=f"Publisher {(number * 7 + n) % 800}", published=seen, first_seen=seen, language="en",
        )
        for n in range(int(rng.integers(1, 7)))
    ]  # fmt: skip
    first = articles[0]
    points = tuple(
        Passage(article=a.id, text="A sentence of some length that says what happened.", start=0, end=50)
        for a in articles[:3]
    )
    return Story(
        id=StoryId(identify("story", str(number))), headline=first.title, articles=tuple(a.id for a in articles),
        publishers=tuple(a.publisher for a in articles), independent=len(articles), first_seen=seen, last_seen=seen,
        key_points=points, entities=names, topics=topics, language="en", lead=first.id,
        vector=bytes_of(rng.normal(size=512) / 22.6), vector_model="random",
    ), articles  # fmt: skip


async def call(app: Starlette, path: str, cookie: str = "") -> tuple[int, int]:
    headers = [(b"host", b"localhost"), (b"sec-fetch-site", b"none"), (b"cookie", cookie.encode())]
    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    told: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    await app(scope, receive, send)
    return told[0]["status"], sum(len(m.get("body", b"")) for m in told)


async def timed(app: Starlette, path: str, cookie: str, times: int) -> tuple[float, float, int]:
    """The median and the 95th percentile in milliseconds, and the size of the answer."""
    size = 0
    for _ in range(5):
        status, size = await call(app, path, cookie)
        assert status == 200, (path, status)
    took = []
    for _ in range(times):
        start = time.process_time()
        await call(app, path, cookie)
        took.append(1000 * (time.process_time() - start))
    return statistics.median(took), float(np.percentile(took, 95)), size


def empty() -> Starlette:
    def nothing(request: Request) -> Response:
        return Response("")

    return Starlette(routes=[Route("/", nothing)])


def reading(stand: Newsstand, stories: list[Story]) -> str:
    """A reader with ten follows who has opened forty stories."""
    reader = stand.add_reader("Ada", [Follow(kind="person", value=f"Name {n}", label=f"Name {n}") for n in range(10)])
    for story in stories[:40]:
        stand.act(reader.id, Event(reader=reader.id, kind="opened", at=NOW, story=story.id))
    return reader.id


async def measure(stories: int, times: int) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=f"sqlite:///{Path(folder) / 'news.sqlite'}", as_of=NOW.isoformat())
        engine = store.open(settings.database)
        made = [told(n, rng) for n in range(stories)]
        with engine.begin() as db:
            store.articles.save(db, [a for _, articles in made for a in articles])
            store.articles.place(db, [(a.id, s.id, None) for s, articles in made for a in articles])
            store.stories.save(db, [s for s, _ in made])
        app = create_app(engine, settings)
        stand: Newsstand = app.state.newsstand
        reader = reading(stand, [s for s, _ in made])
        with engine.connect() as db:
            secret = store.notes.get(db, "session key") or ""
        cookie = (
            f"{security.COOKIE}={security.Session('bench', reader).written(security.instance_key(secret, settings))}"
        )
        floor, _, _ = await timed(empty(), "/", "", times)
        page, late, size = await timed(app, "/", cookie, times)
        latest, _, _ = await timed(app, "/latest", cookie, times)
        story, _, _ = await timed(app, f"/story/{made[0][0].id}", cookie, times)
        tune, tune_late, _ = await timed(app, "/tune?freshness=0.4&importance=2&diversity=1.5", cookie, times)
        top = stand.feed(reader).items[0].story
        why, _, _ = await timed(app, f"/why/{top}", cookie, max(times // 4, 1))
        build = []
        one = stand.reader(reader)
        for _ in range(times):
            stand._forget(one.id)
            start = time.process_time()
            stand.feed_of(one)
            build.append(1000 * (time.process_time() - start))
        engine.dispose()
    return {
        "stories": stories,
        "page_ms": round(page, 2),
        "page_p95_ms": round(late, 2),
        "page_bytes": size,
        "latest_ms": round(latest, 2),
        "story_ms": round(story, 2),
        "tune_ms": round(tune, 2),
        "tune_p95_ms": round(tune_late, 2),
        "why_ms": round(why, 2),
        "build_feed_ms": round(statistics.median(build), 2),
        "empty_starlette_ms": round(floor, 3),
        "page_times_empty": round(page / floor, 1),
        "pages_per_second_and_core": round(1000 / page),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stories", type=int, default=5000)
    parser.add_argument("--times", type=int, default=200)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(measure(given.stories, given.times))))
