"""When an article appeared is read from what its page says and shows, in many languages' forms."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.articles.dates import MONTHS, when
from broadsheet.articles.extract import extract
from broadsheet.model import Article, Page

PROSE = "The bridge over the river closed on Monday for repairs that the city says will take at least four weeks. " * 3


def published(body: str, head: str = "", url: str = "https://news.example/bridge") -> datetime | None:
    """When the article of a page with this head and this body, prose added, is said to have appeared."""
    page = f"<html lang='en'><head><title>A bridge closes</title>{head}</head><body>{body}<p>{PROSE}</p></body></html>"
    (made,) = extract([Page(id="1", url=url, html=page)])
    assert isinstance(made, Article)
    return made.published


def on(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "4 March 2026", "March 4th, 2026", "Mar. 4, 2026", "4. März 2026", "4 mars 2026", "4 de marzo de 2026", "4 marzo 2026",
        "4 maart 2026", "4 марта 2026 г.", "4 marca 2026", "4 března 2026", "4 Mart 2026", "4 Maret 2026", "4 березня 2026",
        "2026年3月4日", "2026년 3월 4일", "4 tháng 3, 2026", "2026, March 4", "04.03.2026", "20260304", "2026/03/04", "4 Μαρτίου 2026",
        "4 मार्च 2026", "4 مارس 2026",
    ],
)  # fmt: skip
def test_a_day_is_read_in_many_languages(written: str) -> None:
    assert when(written) == on(2026, 3, 4)


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)), st.sampled_from(sorted(MONTHS)))
def test_a_day_written_with_the_name_of_its_month_is_that_day(day: date, name: str) -> None:
    written = when(f"{day.day} {name} {day.year}")
    try:
        meant = datetime(day.year, MONTHS[name], day.day, tzinfo=UTC)
    except ValueError:
        meant = None  # 31 February
    assert written == meant


def test_two_numbers_are_a_day_only_where_it_is_known_which_is_which() -> None:
    assert when("3/4/2026") is None
    assert when("3/4/2026", day_first=False) == on(2026, 3, 4)
    assert when("3/4/2026", day_first=True) == on(2026, 4, 3)
    assert when("13/4/2026") == on(2026, 4, 13)


def test_a_time_keeps_the_clock_of_where_it_was_written() -> None:
    late = when("2026-03-04T23:30:00-05:00")
    assert late == datetime(2026, 3, 5, 4, 30, tzinfo=UTC)
    assert late.date() == date(2026, 3, 4)
    assert when("4 March 2026, 11:30 pm EST") == late


def test_the_day_at_the_title_is_the_article_s_and_not_that_of_another_article() -> None:
    other = "<aside class='related'><time datetime='2025-01-01'>1 January 2025</time> Another bridge</aside>"
    assert published(f"{other}<h1>A bridge closes</h1><p>By Ann Lee</p><p>March 4, 2026</p>") == on(2026, 3, 4)


def test_the_day_of_a_change_is_not_that_of_publication() -> None:
    body = "<h1>A bridge closes</h1><p>Updated: March 9, 2026</p><p>Published March 4, 2026</p>"
    assert published(body) == on(2026, 3, 4)
    data = "<meta property='article:published_time' content='2026-03-04T10:00:00Z'>"
    assert published("<h1>A bridge closes</h1><p>March 9, 2026</p>", data) == datetime(2026, 3, 4, 10, tzinfo=UTC)


def test_a_day_shown_as_that_of_publication_is_believed_before_data_that_was_overwritten() -> None:
    data = '<script type=\'application/ld+json\'>{"@type": "NewsArticle", "datePublished": "2026-06-01", "dateModified": "2026-06-01"}</script>'
    assert published("<h1>A bridge closes</h1><p>Published March 4, 2026</p>", data) == on(2026, 3, 4)


def test_where_a_page_shows_only_when_it_changed_that_is_what_is_known() -> None:
    assert published("<h1>A bridge closes</h1><p>Last updated: March 9, 2026</p>") == on(2026, 3, 9)


def test_a_day_that_a_sentence_speaks_of_is_not_that_of_the_article() -> None:
    assert (
        published("<h1>A bridge closes</h1><p>The bridge has to be open again by April 15, 2026, the mayor said.</p>")
        is None
    )


@pytest.mark.parametrize(("language", "host", "meant"), [("en-US", "com", on(2026, 3, 4)), ("en", "co.uk", on(2026, 4, 3)), ("fr", "fr", on(2026, 4, 3))])  # fmt: skip
def test_numbers_are_read_as_is_usual_where_the_page_is_from(language: str, host: str, meant: datetime) -> None:
    page = f"<html lang='{language}'><body><h1>A bridge closes</h1><span class='date'>3/4/2026</span><p>{PROSE}</p></body></html>"
    (made,) = extract([Page(id="1", url=f"https://news.example.{host}/bridge", html=page)])
    assert isinstance(made, Article)
    assert made.published == meant


def test_the_order_of_numbers_is_learnt_from_the_page_s_other_days() -> None:
    other = "<footer>Page made 25/12/2025</footer>"
    assert published(f"<h1>A bridge closes</h1><p>3/4/2026</p>{other}") == on(2026, 4, 3)


def test_a_page_that_says_nothing_is_dated_by_its_address_or_by_the_data_of_its_scripts() -> None:
    assert published("<h1>A bridge closes</h1>", url="https://news.example/2026/03/04/bridge") == on(2026, 3, 4)
    state = '<script>window.state = {"publishedAt": "2026-03-04T10:00:00Z"}</script>'
    assert published(f"<h1>A bridge closes</h1>{state}") == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert published("<h1>A bridge closes</h1>") is None


def test_the_same_moment_is_told_by_the_clock_of_the_page() -> None:
    data = "<meta property='article:published_time' content='2026-03-05T04:30:00Z'>"
    shown = published("<h1>A bridge closes</h1><time datetime='2026-03-04T23:30:00-05:00'>March 4, 2026</time>", data)
    assert shown is not None
    assert shown.utcoffset() == timedelta(hours=-5)
    assert shown == datetime(2026, 3, 4, 23, 30, tzinfo=timezone(timedelta(hours=-5)))


@given(st.text(max_size=80), st.sampled_from([True, False, None]))
def test_whatever_is_written_a_time_is_aware_or_is_none(written: str, day_first: bool | None) -> None:
    found = when(written, day_first=day_first)
    assert found is None or found.utcoffset() is not None
