"""A page that stays open, a device that loses its connection, and two tabs of one reader, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadsheet import store
from broadsheet.reading import Newsstand
from tests.browser.conftest import served
from tests.web.newsroom import CEASEFIRE, a_newsroom, told

pytestmark = pytest.mark.browser
CARD = f"#s-{CEASEFIRE.id}"


@pytest.fixture
def reading(chromium: Any, tmp_path: Path) -> Iterator[tuple[Any, str, Newsstand]]:
    """A browser in which Ada reads, the address, and the newsstand behind it."""
    app = a_newsroom(tmp_path)
    with served(app) as address:
        context = chromium.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(f"{address}/")
        page.fill("#name", "Ada")
        page.locator(".choice", has_text="conflict, war and peace").click()
        page.click("text=Show me the news")
        page.wait_for_url(f"{address}/")
        yield context, address, app.state.newsstand
        context.close()


def until(page: Any, question: str, given: Any = None) -> None:
    """Wait until an asynchronous question is answered with yes."""
    for _ in range(200):
        if page.evaluate(question, given):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never true: {question} of {given}")


def kept_by_the_worker(page: Any, path: str) -> None:
    until(page, "async path => !!(await (await caches.open('pages')).match(location.origin + path))", path)


def test_an_open_page_says_that_there_are_new_stories_and_stays_as_it_is(
    reading: tuple[Any, str, Newsstand],
) -> None:
    context, _, stand = reading
    page = context.pages[0]
    before = page.locator("#stories").inner_html()
    story, articles = told("A dam breaks", "Open Times")
    with stand.engine.begin() as db:
        store.articles.save(db, articles)
        store.stories.save(db, [story])
    page.wait_for_selector("#news-came:not([hidden])", timeout=15_000)
    assert page.locator("#news-came").inner_text() == "1 new story"
    assert page.locator("#stories").inner_html() == before
    page.click("#news-came a")
    page.wait_for_selector(f"#s-{story.id}")
    assert page.locator("#news-came").is_hidden()


def test_top_stories_and_what_was_saved_are_read_without_a_connection(reading: tuple[Any, str, Newsstand]) -> None:
    context, address, _ = reading
    page = context.pages[0]
    kept_by_the_worker(page, f"/story/{CEASEFIRE.id}")
    kept_by_the_worker(page, "/saved")
    context.set_offline(True)
    page.goto(f"{address}/story/{CEASEFIRE.id}")
    assert page.locator("h1").inner_text() == "Ceasefire holds"
    assert "No connection: this page is as it was" in page.locator("#offline").inner_text()
    page.goto(f"{address}/search?q=anything")
    assert "was not kept on this device" in page.locator("main").inner_text()
    context.set_offline(False)
    page.goto(f"{address}/")
    assert page.locator("#offline").is_hidden()


def test_what_is_kept_for_later_does_not_count_as_read(reading: tuple[Any, str, Newsstand]) -> None:
    context, _, stand = reading
    kept_by_the_worker(context.pages[0], f"/story/{CEASEFIRE.id}")
    (ada,) = stand.readers()
    assert not stand.reader(ada.id).opened


def test_what_was_done_without_a_connection_is_sent_once_there_is_one(reading: tuple[Any, str, Newsstand]) -> None:
    context, address, stand = reading
    page = context.pages[0]
    (ada,) = stand.readers()
    kept_by_the_worker(page, "/")
    context.set_offline(True)
    page.goto(f"{address}/")
    page.locator(CARD).get_by_role("button", name="Save").click()
    page.wait_for_selector("#toast:not([hidden])")
    assert "sent when there is a connection" in page.locator("#toast").inner_text()
    assert page.locator(CARD).get_by_role("button", name="Saved").count() == 1
    assert "One thing that you did waits to be sent" in page.locator("#offline").inner_text()
    other = context.new_page()
    other.goto(f"{address}/")
    context.set_offline(False)  # both tabs notice, and one sends
    page.wait_for_function("() => outbox.waiting() === 0", timeout=15_000)
    assert stand.reader(ada.id).saved == (CEASEFIRE.id,)
    with stand.engine.connect() as db:
        assert [e.kind for e in store.readers.events(db, ada.id)].count("saved") == 1


def test_what_is_done_in_one_tab_is_seen_in_another(reading: tuple[Any, str, Newsstand]) -> None:
    context, address, _ = reading
    one, other = context.pages[0], context.new_page()
    other.goto(f"{address}/")
    one.locator(CARD).get_by_role("button", name="Save").click()
    other.locator(CARD).get_by_role("button", name="Saved").wait_for(timeout=5000)
    one.locator(CARD).get_by_role("button", name="Hide").click()
    other.wait_for_selector(f"{CARD}.folded")


def test_another_reader_finds_nothing_of_the_first_readers_pages(reading: tuple[Any, str, Newsstand]) -> None:
    context, address, stand = reading
    page = context.pages[0]
    kept_by_the_worker(page, f"/story/{CEASEFIRE.id}")
    stand.add_reader("Bea")
    page.goto(f"{address}/welcome")
    page.get_by_role("button", name="Bea").click()
    page.wait_for_url(f"{address}/")
    until(
        page,
        "async () => (await (await caches.open('notes')).match('/reader').then(r => r.text())) === document.body.dataset.reader",
    )
    first = "async path => !!(await (await caches.open('pages')).match(location.origin + path))"
    assert not page.evaluate(first, "/corrections")
