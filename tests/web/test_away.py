"""Since you were away, in as much time as there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.reading import away
from broadsheet.reading.away import Missed, fill, last_visit, reading_time
from tests.builders import DAY, HOUR, NOON
from tests.web.newsroom import CEASEFIRE, Browser, plain
from tests.web.test_pages import stand

MINUTE = timedelta(minutes=1)


@given(st.lists(st.integers(0, 1200), max_size=12), st.sampled_from(away.BUDGETS))
def test_what_fits_fits_and_nothing_that_would_have_fitted_is_left(seconds, minutes):
    missed = [Missed(None, None, str(n), False, timedelta(seconds=s)) for n, s in enumerate(seconds)]  # type: ignore[arg-type]
    taken, rest = fill(missed, minutes)
    assert sorted((*taken, *rest), key=missed.index) == missed
    assert list(taken) == sorted(taken, key=missed.index)
    left = minutes * MINUTE - sum((one.reading for one in taken), timedelta())
    assert left >= timedelta()
    assert all(one.reading > left for one in rest)


def test_a_visit_ends_with_a_pause_of_half_an_hour():
    here = [NOON - n * 10 * MINUTE for n in range(4)]
    assert last_visit(here, NOON) is None
    assert last_visit([*here, NOON - 2 * DAY, NOON - 9 * DAY], NOON) == NOON - 2 * DAY
    assert last_visit([NOON - 2 * DAY], NOON) == NOON - 2 * DAY
    assert last_visit([], NOON) is None


def test_reading_takes_as_long_as_there_are_words_in_any_script():
    assert reading_time(["word " * 230]) == MINUTE
    assert reading_time(["don't well-read " * 115]) == MINUTE
    assert reading_time(["新闻" * 230]) == pytest.approx(2 * 230 / 1.5 / 230 * MINUTE, abs=timedelta(seconds=1))
    assert reading_time([]) == timedelta()


def test_the_page_ends_and_says_so(ada: Browser) -> None:
    page = plain(ada.get("/away"))
    assert "Ceasefire holds" in page
    assert "You follow this" in page
    assert "That is all that mattered." in page
    assert "Cup final" not in page
    assert "A letter for few" not in page


def test_a_time_budget_is_kept_and_the_rest_is_counted(ada: Browser) -> None:
    found = ada.get(f"/api/readers/{stand(ada).readers()[0].id}/away?minutes=5").json()
    assert found["seconds"] <= 300
    assert [one["story"]["id"] for one in found["missed"]] == [CEASEFIRE.id]
    assert found["missed"][0]["followed"]
    assert "5 minutes" in plain(ada.get("/away?minutes=5"))


@pytest.mark.parametrize("query", ["since=yesterday", "minutes=0", "minutes=ten", "since=2999-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused_with_a_sentence(ada: Browser, query: str) -> None:
    assert ada.get(f"/away?{query}").status == 422


def test_who_comes_back_is_told_what_they_missed_since_they_were_last_here(ada: Browser) -> None:
    ada.get("/")
    assert "Since you were away : what mattered" not in plain(ada.get("/"))
    news = stand(ada)
    news.settings = replace(news.settings, as_of=(NOON + 2 * DAY + HOUR).isoformat())
    page = plain(ada.get("/"))
    assert "Since you were away : what mattered in the 2 days since you were last here." in page
    assert "You missed nothing" in plain(ada.get("/away"))
    assert "Ceasefire holds" in plain(ada.get(f"/away?since={(NOON - DAY).isoformat().replace('+', '%2B')}"))
