"""The bubble meter, and a budget that is previewed with its cost before it is taken."""

from __future__ import annotations

import re

import pytest

from tests.web.newsroom import Browser, plain
from tests.web.test_pages import stand


def reader(browser: Browser):
    return stand(browser).readers()[0]


def test_what_is_shown_stands_beside_what_was_published(ada: Browser) -> None:
    page = plain(ada.get("/bubble"))
    assert "what you are shown (4 stories)" in page
    assert re.search(r"Sport 25 % 25 %|sport 25 % 25 %", page)
    assert "0 % apart" in page
    assert "Closed letter" not in page
    assert "Nothing was shown yet" in plain(ada.get("/bubble?of=week"))
    ada.get("/")
    assert "what you are shown (4 stories)" in plain(ada.get("/bubble?of=week"))


def test_a_budget_is_previewed_with_its_cost_taken_and_undone(ada: Browser) -> None:
    before = reader(ada)
    preview = plain(ada.get("/bubble?topic=&country=&publisher=10&outside=50"))
    assert "It costs" in preview
    assert "Take it" in preview
    assert reader(ada) == before
    answer = ada.post("/bubble", {"publisher": "10", "outside": "50", "topic": "", "next": "/bubble"})
    assert reader(ada).budget == {"publisher": 0.1, "outside": 0.5}
    assert 'value="50"' in ada.follow(answer).text
    ada.act(kind="undo", target=int(re.search(r"event=(\d+)", answer.header("location"))[1]))
    assert reader(ada) == before


def test_a_rule_that_cannot_be_kept_is_said(ada: Browser) -> None:
    page = plain(ada.get("/bubble?outside=100"))
    assert "Not kept for want of stories: at least 100% from outside what I follow and read." in page


@pytest.mark.parametrize(
    "query", ["outside=101", "outside=-5", "outside=1e1", "colour=3", "topic=1&topic=2", "x=" + "y" * 2000]
)
def test_a_budget_that_is_none_is_refused_with_a_sentence(ada: Browser, query: str) -> None:
    assert ada.get(f"/bubble?{query}").status == 422


def test_programs_read_the_meter(ada: Browser) -> None:
    found = ada.get(f"/api/readers/{reader(ada).id}/bubble").json()
    assert found["stories"] == 4
    assert [meter["dimension"] for meter in found["meters"]] == ["topic", "place", "country", "kind", "publisher"]
