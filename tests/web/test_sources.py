"""The page of one source: when it publishes, how it is asked, and what can be done with it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

from broadsheet import store
from broadsheet.model import Rejected
from broadsheet.reading.sourced import DAYS, rhythm
from broadsheet.store.manners import ROBOTS, Asked
from tests.builders import DAY, HOUR, NOON, a_source, an_article, an_entry
from tests.web.newsroom import CLOSED, OPEN, Browser, plain

PAGE = f"/source/{OPEN.id}"


def write(browser: Browser, *changes: object) -> None:
    with browser.app.state.newsstand.engine.begin() as db:
        for change in changes:
            change(db)  # type: ignore[operator]


def test_the_rhythm_counts_by_the_readers_clocks() -> None:
    found = rhythm([NOON, NOON - HOUR, NOON - 7 * DAY, NOON - 60 * DAY], NOON)
    assert [n for _, n in found.days][-8:] == [1, 0, 0, 0, 0, 0, 0, 2]
    assert len(found.days) == DAYS
    assert found.week[5][11:13] == (1, 2)  # 1 August 2026 is a Saturday
    assert found.total == 3


def test_a_source_says_when_it_publishes_and_how_loud_it_is(ada: Browser) -> None:
    text = plain(ada.get(PAGE))
    assert "Open Times" in text
    assert "in four weeks 6 articles" in text
    assert "how loud it is 85.7 %" in text  # six of seven
    assert "Ceasefire holds" in text
    svg = re.findall(r"<svg.*?</svg>", ada.get(PAGE).text, re.DOTALL)
    assert sum(s.count("<rect") for s in svg) == DAYS + 7 * 24
    assert " style=" not in ada.get(PAGE).text


def test_a_source_says_how_it_was_asked_and_what_was_obeyed(ada: Browser) -> None:
    assert "Nothing was counted yet" in plain(ada.get(PAGE))
    entry = an_entry("closed page", source=OPEN.id)
    troubled = replace(
        OPEN, last_success=NOON - DAY, failures=2, problem="it answered 503 (busy)", next_fetch=NOON + 2 * HOUR, etag='"x"'
    )  # fmt: skip
    write(
        ada,
        lambda db: store.sources.save(db, troubled),
        lambda db: store.manners.note(db, OPEN.id, Asked(size=3_400_000, status=200), NOON - DAY),
        lambda db: store.manners.note(db, OPEN.id, Asked(unchanged=1, status=304), NOON - DAY),
        lambda db: store.manners.note(db, OPEN.id, Asked(failed=1, status=503, retry_after=2 * HOUR), NOON),
        lambda db: store.entries.save_new(db, [entry], NOON),
        lambda db: store.rejections.save(db, [Rejected(stage="page", subject=entry.url, reason=ROBOTS)], NOON),
    )
    text = plain(ada.get(PAGE))
    for said in (
        "It answered 503 (busy). It last answered well yesterday.", "Next in 2 h.",
        "Its server asked to be left alone for 2 hours, and is.", "requests since Friday 31 July 3", "1 (33 %)", "3.2 MB",
        "asked for 2 hours of peace (Retry-After)", "ETag", "Its robots.txt asks programs not to read 1 page",
    ):  # fmt: skip
        assert said in text, said


def test_removing_a_source_can_be_undone_folder_and_all(ada: Browser) -> None:
    ada.post("/sources/add", {"url": OPEN.url, "folder": "World"})
    assert "In your folder World" in plain(ada.get(PAGE))
    removed = ada.post("/sources/remove", {"source": OPEN.id, "next": PAGE})
    assert removed.header("location").startswith(PAGE)
    page = ada.follow(removed)
    change = re.search(r'action="/undo".*?name="change" value="(\w+)".*?name="next" value="([^"]*)"', page.text)
    assert change is not None
    back = ada.post("/undo", {"change": change[1], "next": unescape(change[2])})
    assert back.header("location") == f"{PAGE}?did=undo"
    assert "In your folder World" in plain(ada.follow(back))


def test_a_source_is_paused_and_resumed_on_its_page(ada: Browser) -> None:
    paused = ada.follow(ada.post("/sources/polling", {"source": OPEN.id, "on": "", "next": PAGE}))
    assert "It is paused: nobody asks it until it is resumed." in plain(paused)
    assert "Pause it" in plain(ada.follow(ada.post("/sources/polling", {"source": OPEN.id, "on": "1", "next": PAGE})))


def test_a_private_source_has_no_page_for_others(ada: Browser) -> None:
    page = f"/source/{CLOSED.id}"
    assert ada.get(page).status == 404
    ada.post("/sources/add", {"url": CLOSED.url})
    assert "Closed letter" in plain(ada.get(page))
    gone = ada.post("/sources/remove", {"source": CLOSED.id, "next": page})
    assert gone.header("location").startswith("/sources?did=removed")
    assert CLOSED.url not in ada.follow(gone).text


def test_the_list_of_sources_leads_to_each_with_a_small_plot(ada: Browser) -> None:
    text = ada.get("/sources").text
    assert f'href="{PAGE}"' in text
    assert 'aria-label="6 articles in four weeks"' in text


def test_a_source_that_never_published_has_a_page(ada: Browser) -> None:
    silent = a_source("https://silent.example/feed.xml", title="", next_fetch=NOON)
    write(ada, lambda db: store.sources.add(db, silent))
    text = plain(ada.get(f"/source/{silent.id}"))
    assert "Nothing in the last four weeks." in text
    assert "It was not read yet." in text


def test_busy_hours_are_told_once_there_are_enough_articles(ada: Browser) -> None:
    monday = NOON - timedelta(days=5)
    articles = [an_article(f"early {n}", source=OPEN.id, published=monday.replace(hour=6 + n % 3)) for n in range(30)]
    write(ada, lambda db: store.articles.save(db, articles))
    assert "Its busiest day is Monday; by the clock most comes between 6:00 and 9:00." in plain(ada.get(PAGE))
