"""Writes docs/screenshots: the pages that README.md shows, photographed in Chromium as the demo serves them.

    make demo                          in one terminal
    python scripts/take_screenshots.py [--address http://127.0.0.1:8000]

Take them of a demo that nobody has read yet: what was read is grey. WebP keeps each near 100 KB; the pictures are taken at twice the size that they are shown.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

OUT = Path(__file__).resolve().parent.parent / "docs/screenshots"
CHROMIUM = os.environ.get("BROADSHEET_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUALITY = 30


def best_story(page: Any, address: str) -> str:
    """Of the page's stories the one that most publishers tell: its page shows the most of what a story's page can."""
    found: str = page.evaluate(
        """() => [...document.querySelectorAll('.card')].map(card => [parseInt((card.querySelector('.count') || {}).textContent || '1'),
        card.dataset.story]).sort((a, b) => b[0] - a[0])[0][1]"""
    )
    return f"{address}/story/{found}"


def photograph(page: Any, name: str) -> None:
    path = OUT / f"{name}.webp"
    page.screenshot(path=path, type="webp", quality=QUALITY)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


def a_reader(browser: Browser, address: str, who: str, width: int, height: int, scheme: str) -> Any:
    """A window of that size, reading as the reader of that name; without one, as the first there is."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=2, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{address}/welcome")
    page.locator(".people button", has_text=who).first.click()
    page.wait_for_load_state("load")
    page.goto(f"{address}/")
    return page


def take(address: str, who: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        desk = a_reader(browser, address, who, 1200, 860, "light")
        story = best_story(desk, address)
        for name, path in (("front", f"{address}/"), ("tune", f"{address}/tune?importance=2&freshness=0.4")):
            desk.goto(path)
            desk.wait_for_timeout(300)
            photograph(desk, name)
        dark = a_reader(browser, address, who, 1200, 860, "dark")
        dark.goto(story)
        dark.wait_for_timeout(300)
        photograph(dark, "story-dark")
        phone = a_reader(browser, address, who, 390, 780, "light")
        phone.wait_for_timeout(300)
        photograph(phone, "phone")
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    parser.add_argument("--reader", default="", help="the name of the reader to read as; the first if none is given")
    given = parser.parse_args()
    take(given.address.rstrip("/"), given.reader)
