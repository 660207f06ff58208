"""A long page: outlines while more of it comes, an end on purpose, and the way back to where a reader was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from broadsheet.feed.build import STANDARD
from tests.browser.conftest import served
from tests.web.newsroom import a_newsroom

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def short_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A paper of which two stories make a page."""
    app = a_newsroom(tmp_path_factory.mktemp("short"))
    app.state.newsstand.recipe = app.state.newsstand._given = replace(STANDARD, length=2)
    with served(app) as address:
        yield address


@pytest.fixture
def page(chromium: Any, short_pages: str) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 390, "height": 500}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(short_pages)
    page.get_by_role("button", name="Choose nothing").click()
    page.wait_for_selector("#stories .card")
    yield page
    context.close()


def until(page: Any, expression: str) -> None:
    """Wait for it: the pages' own policy forbids Playwright's way, which makes code of a string."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


def slowly(page: Any) -> None:
    """From now on every answer takes a while to come."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 500, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", slow)


def shown(page: Any) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('#stories .card[id]')].map(c => c.id)")
    return found


def test_more_comes_where_its_outline_was_and_then_there_is_an_end(page: Any, short_pages: str) -> None:
    assert len(shown(page)) == 2
    slowly(page)
    page.locator("a[data-more]").click()
    page.wait_for_selector(".outline")
    assert page.locator("#stories").get_attribute("aria-busy") == "true"
    until(page, "document.querySelectorAll('#stories .card[id]').length === 4")
    assert page.locator(".outline").count() == 0
    for _ in range(4):
        if not page.locator("a[data-more]").count():
            break
        page.locator("a[data-more]").click()
        until(page, "!document.querySelector('.outline')")
        page.wait_for_timeout(50)
    assert "You are up to date." in page.locator("[data-tail]").inner_text()
    assert len(shown(page)) == len(set(shown(page)))


def test_the_back_button_leads_to_where_the_reader_was(page: Any, short_pages: str) -> None:
    page.locator("a[data-more]").click()
    until(page, "document.querySelectorAll('#stories .card[id]').length === 4")
    last = shown(page)[3]
    page.evaluate(f"document.querySelector('#{last} .headline a').scrollIntoView({{ block: 'center' }})")
    before = page.evaluate(f"document.getElementById('{last}').getBoundingClientRect().top")
    page.locator(f"#{last} .headline a").click()
    page.wait_for_url("**/story/*")
    page.go_back()
    until(page, f"document.getElementById('{last}')")
    until(page, f"Math.abs(document.getElementById('{last}').getBoundingClientRect().top - {before}) < 40")


def test_reasons_open_as_an_outline_first(page: Any) -> None:
    slowly(page)
    page.locator("a[data-panel]").first.click()
    page.wait_for_selector("#panel[open] .outline")
    page.wait_for_selector("#panel[open] #why")
    assert page.locator("#panel .outline").count() == 0
