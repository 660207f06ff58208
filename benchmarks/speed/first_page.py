"""What a browser spends on the first page of a reader who never was here: bytes, time to the first paint, layout shift.

    python benchmarks/speed/first_page.py [--stories 2000] [--times 9]

Headless Chromium on loopback with its CPU slowed four times (DevTools protocol), the app in another process, every visit
in a new context: nothing is cached, and no service worker is there yet. `bytes` is what comes over the wire for the page
and everything that it loads but pictures, headers included. An empty page of the same server is opened in turn with it:
`paint_over_empty_ms` is what the page itself adds. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from starlette.responses import HTMLResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parent))
from page import NOW, reading, told

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.web import security
from broadsheet.web.app import create_app

CHROMIUM = os.environ.get("BROADSHEET_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SLOWED = 4
# asked before the page begins: what was painted when, and what moved without the reader's doing
WATCH = """
window.seen = {paint: 0, shift: 0};
new PerformanceObserver(l => { for (const e of l.getEntries()) if (e.name === 'first-contentful-paint') seen.paint = e.startTime })
  .observe({type: 'paint', buffered: true});
new PerformanceObserver(l => { for (const e of l.getEntries()) if (!e.hadRecentInput) seen.shift += e.value })
  .observe({type: 'layout-shift', buffered: true});
"""


def serve(database: str, port: int) -> None:
    settings = Settings(database=database, as_of=NOW.isoformat())
    app = create_app(store.open(database), settings)
    app.router.routes.insert(0, Route("/empty", lambda request: HTMLResponse("<!doctype html><title>x</title><p>x")))
    uvicorn.run(app, port=port, log_level="warning")


def filled(database: str, stories: int) -> str:
    """The store with so many stories and a reader in it; gives the cookie of that reader's browser."""
    rng = np.random.default_rng(7)
    settings = Settings(database=database, as_of=NOW.isoformat())
    engine = store.open(database)
    made = [told(n, rng) for n in range(stories)]
    with engine.begin() as db:
        store.articles.save(db, [a for _, articles in made for a in articles])
        store.articles.place(db, [(a.id, s.id, None) for s, articles in made for a in articles])
        store.stories.save(db, [s for s, _ in made])
    reader = reading(create_app(engine, settings).state.newsstand, [s for s, _ in made])
    with engine.connect() as db:
        key = security.instance_key(store.notes.get(db, "session key") or "", settings)
    engine.dispose()
    return security.Session("bench", reader).written(key)


def visit(browser: Browser, address: str, cookie: str) -> dict[str, float]:
    """One visit by a browser that has nothing of the site."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    context.add_cookies([{"name": security.COOKIE, "value": cookie, "url": address}])
    context.add_init_script(WATCH)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    kinds: dict[str, str] = {}
    got: dict[str, float] = {}
    wire.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))
    wire.on("Network.loadingFinished", lambda e: got.update({e["requestId"]: e["encodedDataLength"]}))
    page.goto(address, wait_until="load")
    while not page.evaluate("window.seen.paint"):  # wait_for_function needs an eval that the pages' policy forbids
        page.wait_for_timeout(20)
    page.wait_for_timeout(400)  # what a font or a script might still move
    seen: dict[str, float] = page.evaluate("window.seen")
    spent = {"first_paint_ms": seen["paint"], "layout_shift": seen["shift"]}
    for name, kind in (("html", "Document"), ("css", "Stylesheet"), ("script", "Script"), ("font", "Font")):
        spent[f"{name}_bytes"] = sum(size for one, size in got.items() if kinds.get(one) == kind)
    spent["bytes"] = sum(size for one, size in got.items() if kinds.get(one) not in ("Image", "EventSource"))
    context.close()
    return spent


def measure(stories: int, times: int) -> dict[str, Any]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        database = f"sqlite:///{Path(folder) / 'news.sqlite'}"
        cookie = filled(database, stories)
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(database, port), daemon=True)
        server.start()
        while True:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = p.chromium.launch(executable_path=CHROMIUM, args=flags)
        home = f"http://127.0.0.1:{port}"
        visit(browser, f"{home}/", cookie)  # the server builds the feed, the browser wakes
        pages, empty = [], []
        for _ in range(times):
            pages.append(visit(browser, f"{home}/", cookie))
            empty.append(visit(browser, f"{home}/empty", cookie)["first_paint_ms"])
        browser.close()
        server.terminate()
        server.join()
    middle = {name: statistics.median(one[name] for one in pages) for name in pages[0]}
    return {
        "cpu_slowed": SLOWED,
        **{name: round(value, 4) for name, value in middle.items()},
        "layout_shift": max(one["layout_shift"] for one in pages),
        "first_paint_best_ms": min(one["first_paint_ms"] for one in pages),
        "empty_page_paint_ms": statistics.median(empty),
        "paint_over_empty_ms": round(middle["first_paint_ms"] - statistics.median(empty), 1),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stories", type=int, default=2000)
    parser.add_argument("--times", type=int, default=9)
    given = parser.parse_args()
    print(json.dumps(measure(given.stories, given.times)))
