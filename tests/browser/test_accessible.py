"""Every page as axe-core judges it: WCAG 2.2 A and AA hold in both themes, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import SIZES
from tests.web.newsroom import CEASEFIRE, ODD, OPEN

pytestmark = pytest.mark.browser
# the last is advice beyond WCAG (one main heading, no heading level skipped, everything in a landmark): kept, since it is met
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOUR = ["color-contrast", "link-in-text-block"]  # all that another theme can change
STORY, ARTICLE = CEASEFIRE.id, ODD.articles[0]
PAGES = (
    "/", "/?did=saved&event=1", "/away", "/away?minutes=5", "/latest", "/following", "/saved", "/search", "/search?q=first", "/search?q=first+-topic:sport+site:x",
    "/search?q=nothing+at+all", f"/story/{STORY}", f"/story/{ODD.id}", f"/article/{CEASEFIRE.articles[0]}", f"/article/{ARTICLE}",
    f"/article/{ARTICLE}/versions", "/corrections", f"/why/{STORY}", f"/why/{ODD.id}", "/welcome", "/tune",
    "/tune?freshness=0.5&quiet=3", "/you", "/you/ledger", "/bubble", "/bubble?outside=30", "/sources", "/sources?q=none", f"/source/{OPEN.id}", "/admin", "/search?q=topic:sport", "/about",
    "/offline", "/login", "/nothing",
)  # fmt: skip


@lru_cache(maxsize=1)
def axe() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="needs axe: pip install axe-playwright-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text()


def judged(page: Any, rules: list[str] = RULES) -> list[dict[str, Any]]:
    """What axe finds wrong with the page as it stands: the rule, and the first elements that break it."""
    found: list[dict[str, Any]] = page.evaluate(
        """async tags => (await axe.run(document, {runOnly: tags, resultTypes: ['violations']})).violations
        .map(v => ({rule: v.id, why: v.help, where: v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' | ' + (n.any[0] || n.all[0] || n.none[0] || {}).message)}))""",
        rules,
    )
    return found


@pytest.fixture(scope="module")
def opened(chromium: Any, paper: str) -> Iterator[Any]:
    """A reader's window in which axe may run: the pages' own policy, which lets no foreign script in, is off in it."""
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce")
    context.add_init_script(axe())
    page = context.new_page()
    page.goto(f"{paper}/")
    page.fill("#name", "Axe")
    page.locator(".choice", has_text="conflict, war and peace").click()
    page.click("text=Show me the news")
    page.wait_for_url(f"{paper}/")
    page.goto(f"{paper}/story/{ODD.id}")  # so that the ledger and the saved page hold something
    page.click("button[title='Keep it under Saved']")
    page.wait_for_selector("button[aria-pressed=true]")
    yield page
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_wcag_2_2_aa(opened: Any, paper: str, path: str) -> None:
    answered = opened.goto(paper + path)
    assert answered.status in (200, 404)
    for size in SIZES:
        opened.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
        for scheme, rules in (("light", RULES), ("dark", COLOUR)):
            opened.emulate_media(color_scheme=scheme)
            assert judged(opened, rules) == [], (size, scheme)


def test_axe_would_see_what_is_wrong(opened: Any, paper: str) -> None:
    opened.goto(f"{paper}/about")
    opened.emulate_media(color_scheme="light")
    opened.evaluate(
        "document.querySelector('h1').innerHTML = '<img src=/static/icon.svg><a href=/ style=color:#ddd>pale</a>'"
    )
    assert {found["rule"] for found in judged(opened)} >= {"image-alt", "color-contrast"}
