"""What the server does for pages that stay open and devices that lose their connection."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from broadsheet import store
from broadsheet.model import Event
from broadsheet.reading import Newsstand
from broadsheet.web.live import _told
from tests.builders import NOON
from tests.web.newsroom import CEASEFIRE, Browser, told


def saved(stand: Newsstand, reader: str) -> int:
    with stand.engine.connect() as db:
        return [event.kind for event in store.readers.events(db, stand.reader(reader).id)].count("saved")


def test_what_is_sent_twice_under_one_name_counts_once_and_is_undone_as_one(ada: Browser) -> None:
    stand: Newsstand = ada.app.state.newsstand
    (reader,) = stand.readers()
    event = orjson.dumps({"kind": "saved", "story": CEASEFIRE.id}).decode()
    first = ada.post("/act", {"event": event, "once": "a"}, accept="application/json").json()
    again = ada.post("/act", {"event": event, "once": "a"}, accept="application/json").json()
    assert first == again
    assert saved(stand, reader.id) == 1
    ada.post("/act", {"event": event, "once": "b"}, accept="application/json")
    ada.post("/act", {"event": event}, accept="application/json")
    assert saved(stand, reader.id) == 3


def test_a_name_is_one_readers_own_and_is_forgotten_after_two_months(app: Starlette) -> None:
    stand: Newsstand = app.state.newsstand
    ada, bea = stand.add_reader("Ada"), stand.add_reader("Bea")
    for reader in (ada, bea):
        stand.act(reader.id, Event(reader=reader.id, kind="saved", at=NOON, story=CEASEFIRE.id), "a")
    assert saved(stand, ada.id) == saved(stand, bea.id) == 1
    with stand.engine.begin() as db:
        store.receipts.save(db, ada.id, "b", store.receipts.of(db, ada.id, "a"), NOON + 2 * store.receipts.KEPT)  # type: ignore[arg-type]
        assert store.receipts.of(db, ada.id, "a") is None
        assert store.receipts.of(db, ada.id, "b") is not None
    stand.erase(ada.id)
    with stand.engine.connect() as db:
        assert db.execute(select(func.count()).select_from(store.schema.receipts)).scalar_one() == 0


def test_a_page_learns_of_stories_that_came_after_it_and_of_no_others(app: Starlette) -> None:
    stand: Newsstand = app.state.newsstand
    ada = stand.add_reader("Ada")
    version = stand.edition().version

    async def lines() -> list[str]:
        stream = _told(stand, ada.id, version)
        heard = [await anext(stream)]
        story, articles = told("A dam breaks", "Open Times")
        with stand.engine.begin() as db:
            store.articles.save(db, articles)
            store.stories.save(db, [story])
        heard.append(await asyncio.wait_for(anext(stream), 20))
        await stream.aclose()
        return heard

    assert asyncio.run(lines()) == ["retry: 10000\n\n", "event: stories\ndata: 1\n\n"]
    assert stand.came_since(ada.id, stand.edition().version) == 0
    with stand.engine.begin() as db:
        store.stories.save(db, [CEASEFIRE])  # it changed; it did not come
    stand.refresh(at_once=True)
    assert stand.came_since(ada.id, version) == 1


@pytest.mark.parametrize("since", ["", "x", "-1", "%C2%B2", "9" * 30])
def test_a_stream_that_makes_no_sense_is_ended_for_good(ada: Browser, since: str) -> None:
    assert ada.get(f"/live?since={since}").status == 204


def test_a_device_can_install_the_app(ada: Browser) -> None:
    manifest = ada.get("/manifest.webmanifest")
    assert manifest.json()["start_url"] == "/"
    for icon in manifest.json()["icons"]:
        assert ada.get(icon["src"]).status == 200
    worker = ada.get("/sw.js")
    assert worker.header("content-type").startswith("text/javascript")
    assert "no-cache" in worker.header("cache-control")


def test_the_page_for_no_connection_names_no_reader(ada: Browser) -> None:
    page = ada.get("/offline")
    assert not page.header("x-reader")
    assert "Ada" not in page.text
    assert ada.get("/").header("x-reader")
