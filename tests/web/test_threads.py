"""The longer story: on a story's page, on its own, and in the API."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadsheet import store
from broadsheet.model import Entity, Story, ThreadId
from tests.builders import DAY, HOUR, NOON
from tests.web.newsroom import CLOSED, EVIL, OPEN, Browser, plain, told

TALKS = ThreadId("0123456789abcdef")
GENEVA, SECRET = Entity(text="Geneva", type="place", count=2), Entity(text="Operation Hush", type="other", count=9)


def keep(browser: Browser, count: int, **fields: object) -> list[Story]:
    """Put a thread of so many stories into the paper, a day apart, the first the oldest."""
    made = []
    with browser.app.state.newsstand.engine.begin() as db:
        for n in range(count):
            when = NOON - (count - n) * DAY
            given = {"thread": TALKS, "entities": (GENEVA,), "first_seen": when, "last_seen": when} | fields
            story, articles = told(f"Talks in Geneva, day {n}", "Open Times", **given)
            store.articles.save(db, articles)
            store.articles.place(db, [(a.id, story.id, None) for a in articles])
            made.append(story)
        store.stories.save(db, made)
    browser.app.state.newsstand.refresh(at_once=True)
    return made


def test_a_storys_page_names_its_thread_and_shows_the_latest_others_first(ada: Browser) -> None:
    stories = keep(ada, 15)
    page = ada.get(f"/story/{stories[7].id}")
    said = plain(page)
    assert "The longer story: Geneva" in said
    assert f'href="/thread/{TALKS}"' in page.text
    others = [n for n in range(15) if f'<a href="/story/{stories[n].id}">' in page.text]
    assert others == [n for n in range(2, 15) if n != 7]  # twelve of them, itself left out
    assert said.index("Talks in Geneva, day 14") < said.index("Talks in Geneva, day 2")
    assert "The whole thread, day by day" in said


def test_a_story_that_is_the_only_one_of_its_thread_says_nothing_of_it(ada: Browser) -> None:
    (alone,) = keep(ada, 1)
    assert "longer story" not in plain(ada.get(f"/story/{alone.id}"))


def test_a_threads_page_has_all_its_stories_by_day(ada: Browser) -> None:
    stories = keep(ada, 4)
    page = ada.get(f"/thread/{TALKS}")
    assert page.status == 200
    said = plain(page)
    assert "Geneva" in said
    assert "4 stories" in said
    places = [page.text.index(f"/story/{story.id}") for story in stories]
    assert places == sorted(places, reverse=True)
    assert (
        said.index("Friday 31 July 2026") < said.index("Talks in Geneva, day 3") < said.index("Thursday 30 July 2026")
    )
    assert "Follow Geneva" in page.text
    assert "style=" not in page.text


def test_a_thread_that_nobody_knows_is_not_found(ada: Browser) -> None:
    assert ada.get("/thread/none").status == 404
    assert ada.get("/thread/%3Cscript%3E").status == 404


def test_names_and_headlines_of_a_thread_are_shown_as_words_whatever_they_hold(ada: Browser) -> None:
    keep(ada, 2, entities=(Entity(text=EVIL, type="person"),))
    page = ada.get(f"/thread/{TALKS}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("path", ["/story/{}", "/thread/" + TALKS])
def test_what_is_private_to_others_is_in_no_thread_and_names_none(ada: Browser, path: str) -> None:
    seen = keep(ada, 2)
    with ada.app.state.newsstand.engine.begin() as db:
        for n in range(3):
            hidden, articles = told(
                f"Hush {n}", "Closed letter", source=CLOSED.id, thread=TALKS, entities=(SECRET,), last_seen=NOON - HOUR
            )
            mixed = replace(
                seen[0], id=hidden.id, articles=hidden.articles, sources=(CLOSED.id, *((OPEN.id,) if n else ()))
            )
            mixed = replace(
                mixed, headline=hidden.headline, entities=(SECRET,), lead=hidden.lead, key_points=(), timeline=()
            )
            store.articles.save(db, articles)
            store.articles.place(db, [(a.id, hidden.id, None) for a in articles])
            store.stories.save(db, [mixed])
    ada.app.state.newsstand.refresh(at_once=True)
    said = plain(ada.get(path.format(seen[0].id)))
    assert "Geneva" in said
    assert "Hush" not in said


def test_the_api_says_a_thread_as_the_pages_do(ada: Browser) -> None:
    stories = keep(ada, 3)
    me = f"/api/readers/{ada.get('/api/readers').json()['readers'][0]['id']}"
    whole = ada.get(f"{me}/threads/{TALKS}").json()
    assert (whole["id"], whole["name"], whole["more"]) == (TALKS, "Geneva", False)
    assert [s["id"] for s in whole["stories"]] == [s.id for s in reversed(stories)]
    assert whole["entities"] == [{"text": "Geneva", "type": "place", "stories": 3}]
    part = ada.get(f"{me}/stories/{stories[1].id}").json()["thread"]
    assert [s["id"] for s in part["stories"]] == [stories[2].id, stories[0].id]
    assert ada.get(f"{me}/threads/none").status == 404
