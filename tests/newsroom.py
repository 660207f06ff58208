"""A small press on loopback: feeds and pages that tests can change while they are read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

from aiohttp import web

from tests.builders import NOON

PLACES = ("Lisbon", "Nairobi", "Osaka", "Tallinn", "Quito", "Perth", "Oslo", "Hanoi", "Lagos", "Turin", "Basel", "Cork")
EVENTS = (
    ("Floods close the {} railway", "Heavy rain has flooded the railway in {0}. Engineers said the line in {0} would stay shut until Friday while water is pumped from two tunnels. Passengers were moved to buses and the minister promised an inquiry into the drains."),
    ("{} elects its first woman mayor", "Voters in {0} have elected their first woman mayor after a close count. The candidate thanked her supporters in {0} and promised cheaper housing and cleaner streets. Her opponent conceded before midnight and wished her well."),
    ("Museum in {} returns stolen painting", "A museum in {0} has returned a painting stolen eighty years ago to the family of its owner. Curators in {0} traced the portrait through auction records. A lawyer for the heirs said that other works were still missing."),
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    title: str
    text: str
    published: datetime


def happenings(count: int) -> list[Item]:
    """Things that happened, all different, one an hour."""
    return [
        Item(
            EVENTS[n // len(PLACES) % 3][0].format(PLACES[n % len(PLACES)]),
            EVENTS[n // len(PLACES) % 3][1].format(PLACES[n % len(PLACES)]),
            NOON - timedelta(hours=count - n),
        )
        for n in range(count)
    ]


@dataclass
class Press:
    """What the servers say. `feeds` are by path; `odd` paths answer for themselves."""

    base: str = ""
    feeds: dict[str, list[Item]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    odd: dict[str, Callable[[web.Request], web.Response]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    summaries: bool = False

    def rss(self, name: str) -> str:
        items = "".join(
            f"<item><title>{escape(i.title)}</title><link>{self.base}/{name}/{n}</link>"
            f"<guid>{self.base}/{name}/{n}</guid><pubDate>{format_datetime(i.published)}</pubDate><description>"
            + escape(f"<p>{i.text[:90]}</p>" if self.summaries else f"<p>{i.text}</p>")
            + "</description></item>"
            for n, i in enumerate(self.feeds[name])
        )
        return (
            f'<?xml version="1.0"?><rss version="2.0"><channel><title>The {name.title()}</title>'
            f"<link>{self.base}/{name}/</link><description>news</description>{items}</channel></rss>"
        )

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path.strip("/")
        self.asked.append(path)
        if path in self.odd:
            return self.odd[path](request)
        if path in self.feeds:
            body = self.rss(path).encode()
            tag = f'"{hash(body)}"'
            if request.headers.get("If-None-Match") == tag:
                return web.Response(status=304, headers={"ETag": tag})
            return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": tag})
        name, _, number = path.partition("/")
        if path in self.pages:
            return web.Response(text=self.pages[path], content_type="text/html")
        if name in self.feeds and number.isdigit():
            item = self.feeds[name][int(number)]
            paragraphs = "".join(f"<p>{s}.</p>" for s in item.text.rstrip(".").split(". "))
            return web.Response(
                text=f"<html><head><title>{item.title}</title></head><body><article><h1>{item.title}</h1>"
                f"{paragraphs}<p>Only the page says this: the story was filed at night by our own reporter there.</p>"
                "</article></body></html>",
                content_type="text/html",
            )
        return web.Response(status=404)


@contextmanager
def press() -> Iterator[Press]:
    """A press that is running, in a thread of its own."""
    told = Press()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_get("/{path:.*}", told.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    told.base = f"http://127.0.0.1:{port}"
    try:
        yield told
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
