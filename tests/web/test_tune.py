"""The page on which a reader turns what their feed is made of."""

from __future__ import annotations

import re

import pytest

from broadsheet.feed import tune
from tests.web.newsroom import Browser, plain
from tests.web.test_pages import stand

ALL = dict.fromkeys(tune.NAMES, "1")


def reader(browser: Browser):
    return stand(browser).readers()[0]


def test_a_preview_says_what_would_change_and_changes_nothing(ada: Browser) -> None:
    before = reader(ada)
    page = plain(ada.get("/tune?follows=0&importance=0&quiet=0"))
    assert "Your page as it would be" in page
    assert "0 stories come in , 0 leave, 4 move, 0 stay." in page
    assert reader(ada) == before
    assert "Your page as it is" in plain(ada.get("/tune"))


def test_what_was_previewed_is_taken_with_one_button_and_undone_with_another(ada: Browser) -> None:
    before = reader(ada)
    answer = ada.post("/tune", {**ALL, "interest": "0.5", "next": "/tune"})
    assert reader(ada).tuning == {"interest": 0.5, "likeness": 0.5}
    assert "Taken: For you is tuned." in plain(ada.follow(answer))
    target = int(re.search(r"event=(\d+)", answer.header("location"))[1])
    ada.act(kind="undo", target=target)
    assert reader(ada) == before


def test_a_preset_is_kept_offered_as_a_link_and_removed(ada: Browser) -> None:
    ada.post("/tune/preset", {**ALL, "freshness": "0.2", "name": "  Slow   mornings "})
    page = ada.get("/tune").text
    found = re.search(r'href="(/tune\?name=Slow\+mornings[^"]+)"', page)
    assert found is not None
    eve = Browser(ada.app).begin("Eve")
    preview = plain(eve.get(found[1].replace("&amp;", "&")))
    assert "0.20" in preview
    assert reader(eve).tuning == {}
    ada.post("/tune/preset", {"name": "Slow mornings", "remove": "1"})
    assert "Slow mornings" not in plain(ada.get("/tune"))


@pytest.mark.parametrize("query", ["freshness=9", "colour=red", "freshness=1&freshness=1", "name=" + "x" * 2000])
def test_a_link_that_says_anything_but_settings_is_refused(ada: Browser, query: str) -> None:
    answer = ada.get(f"/tune?{query}")
    assert answer.status == 422
    assert "Traceback" not in answer.text


def test_places_near_are_named_and_kept(ada: Browser) -> None:
    ada.post("/tune/near", {"home": "Beijing,  ,Old Town "})
    assert reader(ada).home == ("Beijing", "Old Town")
    assert ada.post("/tune/near", {"home": ",".join("abcdef")}).status == 422
    assert 'value="Beijing, Old Town"' in ada.get("/tune").text
