"""A finger on a phone: a story drawn to the left is hidden, to the right saved, and both are undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.newsroom import CEASEFIRE

pytestmark = pytest.mark.browser
CARD = f"#s-{CEASEFIRE.id}"


@pytest.fixture
def phone(chromium: Any, paper: str) -> Iterator[Any]:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(paper)
    page.get_by_role("button", name="Choose nothing").click()
    page.wait_for_selector(CARD)
    yield page
    context.close()


def draw(page: Any, across: int, down: int = 0) -> None:
    """A finger that is put on the story's headline, drawn, and lifted."""
    page.locator(CARD).scroll_into_view_if_needed()
    box = page.locator(f"{CARD} .headline").bounding_box()
    x, y = 195, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 9):
        point = {"x": x + across * step / 8, "y": y + down * step / 8}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    touch.detach()


def test_a_story_drawn_to_the_left_is_hidden_and_comes_back_on_undo(phone: Any) -> None:
    draw(phone, -150)
    phone.wait_for_selector(f"{CARD}.folded")
    phone.locator("#toast button").click()
    phone.wait_for_selector(f"{CARD}:not(.folded)")


def test_a_story_drawn_to_the_right_is_saved_and_stays_on_the_page(phone: Any) -> None:
    draw(phone, 150)
    phone.wait_for_selector(f"{CARD} button.save[aria-pressed=true]")
    phone.locator("#toast button").click()
    phone.wait_for_selector(f"{CARD} button.save[aria-pressed=false]")
    assert phone.url.rstrip("/").endswith(
        str(phone.evaluate("location.host"))
    )  # the headline under the finger did not open


def test_a_finger_that_scrolls_or_hesitates_does_nothing(phone: Any) -> None:
    draw(phone, -60)
    draw(phone, -90, 300)
    phone.wait_for_timeout(300)
    assert phone.locator(f"{CARD}.folded").count() == 0
    assert phone.locator("#toast").is_hidden()
