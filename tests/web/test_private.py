"""What a private source says is on none of the pages about somebody else's feed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.applications import Starlette

from broadsheet import store
from broadsheet.model import ReaderId
from tests.web.newsroom import CLOSED, OPEN, PRIVATE, Browser, told
from tests.web.test_pages import stand

SECRET = "Secret words of the letter"


@pytest.fixture
def mixed(app: Starlette) -> str:
    """A story that an open and a private source report; the private one's article leads it."""
    story, (open_, closed) = told("Flood in the valley", "Open Times", "Quiet Letter")
    closed = replace(closed, title=SECRET, source=CLOSED.id)
    whole = replace(story, headline=SECRET, lead=closed.id, sources=(OPEN.id, CLOSED.id), key_points=(), timeline=())
    news = app.state.newsstand
    with news.engine.begin() as db:
        store.articles.save(db, [open_, closed])
        store.articles.place(db, [(a.id, whole.id, None) for a in (open_, closed)])
        store.stories.save(db, [whole])
    news.refresh(at_once=True)
    return whole.id


PAGES = (
    "/bubble",
    "/bubble?of=week",
    "/bubble?outside=50",
    "/tune",
    "/tune?freshness=0",
    "/away",
    "/you/ledger",
    "/welcome",
)


def test_no_page_about_a_feed_tells_what_only_a_private_source_says(ada: Browser, mixed: str) -> None:
    ada.get("/")
    ada.act(kind="more", story=mixed)
    for path in PAGES:
        text = ada.get(path).text
        assert SECRET not in text, path
        assert PRIVATE.headline not in text, path
    me = f"/api/readers/{stand(ada).readers()[0].id}"
    for path in ("bubble", "tune", "away", "signals"):
        assert SECRET not in ada.get(f"{me}/{path}").text
    assert "Quiet Letter" not in ada.get("/bubble").text
    for path in ("/", f"/why/{mixed}", f"/story/{mixed}"):
        assert "Quiet Letter" not in ada.get(path).text, path


def test_its_subscriber_sees_it_there(ada: Browser, mixed: str) -> None:
    news = stand(ada)
    reader = news.readers()[0]
    with news.engine.begin() as db:
        store.sources.subscribe(db, reader.id, CLOSED.id)
        kept = store.readers.get(db, ReaderId(reader.id))
        assert kept is not None
        store.readers.save(db, replace(kept, subscriptions=frozenset({CLOSED.id})))
    ada.get("/")
    ada.act(kind="more", story=mixed)
    assert SECRET in ada.get("/you/ledger").text
    assert "Quiet Letter" in ada.get("/bubble").text
