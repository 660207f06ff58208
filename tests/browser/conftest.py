"""A real browser on the real app, served on loopback with a small paper in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from aiohttp import web
from starlette.applications import Starlette

from tests.web.newsroom import a_newsroom

CHROMIUM = os.environ.get("BROADSHEET_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Village News</title><link>{site}</link>
<item><title>The fair is on Sunday</title><link>{site}/fair</link><guid>1</guid></item>
<item><title>The bridge is mended</title><link>{site}/bridge</link><guid>2</guid></item></channel></rss>"""
FRONT = '<!doctype html><title>Village</title><link rel="alternate" type="application/rss+xml" href="/feed.xml"><p>Hello</p>'


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """Chromium, until the module ends: while it lives an event loop runs in this thread, where other tests start theirs."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("the browser tests need playwright: pip install playwright")
    if not CHROMIUM:
        pytest.skip("the browser tests need Chromium: apt-get install chromium, or set BROADSHEET_CHROMIUM")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextlib.contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The app on loopback; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running app; it may fetch from loopback."""
    with served(a_newsroom(tmp_path_factory.mktemp("paper"), allow_addresses=("127.0.0.1/32",))) as address:
        yield address


@pytest.fixture(scope="module")
def village() -> Iterator[str]:
    """The address of a small site that announces its feed."""
    loop = asyncio.new_event_loop()
    site: list[str] = []

    async def front(request: web.Request) -> web.Response:
        return web.Response(text=FRONT, content_type="text/html")

    async def feed(request: web.Request) -> web.Response:
        return web.Response(text=FEED.format(site=site[0]), content_type="application/rss+xml")

    async def start() -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.get("/", front), web.get("/feed.xml", feed)])
        runner = web.AppRunner(app)
        await runner.setup()
        tcp = web.TCPSite(runner, "127.0.0.1", 0)
        await tcp.start()
        site.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        return runner

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=10)
    yield site[0]
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
    loop.close()


@dataclass
class Window:
    """A page, its address, and what its console complained of."""

    page: object
    paper: str
    complaints: list[str] = field(default_factory=list)


SIZES = {"desk": (1280, 900), "phone": (390, 844)}


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path
