"""Long words: pages in German fit a phone, keep WCAG, and their scripts speak German, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import SIZES
from tests.browser.test_accessible import ARTICLE, PAGES, RULES, STORY, axe, judged
from tests.web.newsroom import ODD

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def german(chromium: Any, paper: str) -> Iterator[Any]:
    """The window of a reader whose browser asks for German; axe may run in it."""
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce", locale="de-DE")
    context.add_init_script(axe())
    page = context.new_page()
    page.goto(f"{paper}/")
    page.fill("#name", "Gerda")
    page.locator(".choice", has_text="Konflikte, Krieg und Frieden").click()
    page.click("text=Zeigen Sie mir die Nachrichten")
    page.wait_for_url(f"{paper}/")
    page.goto(f"{paper}/story/{ODD.id}")
    page.click("button[title='Unter „Gespeichert“ aufheben']")
    page.wait_for_selector("button[aria-pressed=true]")
    yield page
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_a_german_page_is_wider_than_the_screen(german: Any, paper: str, path: str) -> None:
    german.goto(paper + path)
    assert german.evaluate("document.documentElement.lang") == "de"
    for width, height in SIZES.values():
        german.set_viewport_size({"width": width, "height": height})
        wide = german.evaluate(
            """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.sr, .skip, dialog:not([open])')
            && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 120))"""
        )
        assert german.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, wide[:5])


@pytest.mark.parametrize(
    "path", ["/", "/tune", "/you", "/sources", f"/story/{STORY}", f"/why/{STORY}", f"/article/{ARTICLE}"]
)
def test_a_german_page_keeps_wcag_2_2_aa(german: Any, paper: str, path: str) -> None:
    german.goto(paper + path)
    german.set_viewport_size(dict(zip(("width", "height"), SIZES["phone"], strict=True)))
    assert judged(german, RULES) == []


def test_a_script_says_what_was_done_in_german(german: Any, paper: str) -> None:
    german.goto(f"{paper}/")
    card = german.locator(".card").first
    card.locator("button.save").click()
    german.wait_for_function("document.querySelector('#toast').textContent.includes('Rückgängig')")
    assert card.locator("button.save").text_content() in ("Gespeichert", "Speichern")
    german.click("#toast button")
    german.wait_for_function("document.querySelector('#toast').textContent.includes('Rückgängig gemacht.')")
