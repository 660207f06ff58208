"""The ledger as a reader meets it, and moving from one instance to another."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from broadsheet import store
from tests.builders import NOON
from tests.web.newsroom import CEASEFIRE, STORIES, Browser, a_newsroom, plain
from tests.web.test_pages import BLINKEN, stand

CUP = STORIES[1][0]


def reader(browser: Browser):
    return stand(browser).readers()[0]


def test_every_signal_is_listed_with_what_it_changed_and_can_be_undone_and_counted_again(ada: Browser) -> None:
    assert "Nothing yet" in plain(ada.get("/you/ledger"))
    blank = reader(ada)
    more = ada.act(kind="more", story=CEASEFIRE.id).json()["event"]
    ada.act(kind="less", story=CUP.id)
    page = plain(ada.get("/you/ledger"))
    assert "You asked for more like Ceasefire holds" in page
    assert re.search(r"conflict, war and peace \+1\.00", page)
    assert re.search(r"sport −1\.00", page)
    ada.act(kind="undo", target=more)
    page = plain(ada.get("/you/ledger"))
    assert "Taken back just now ." in page
    assert ("topic", "16000000") not in reader(ada).weights
    undo = max(e.id for e in events(ada) if e.kind == "undo")
    ada.act(kind="undo", target=undo)
    assert reader(ada).weights["topic", "16000000"].value == 1.0
    assert blank.weights == {}


def events(browser: Browser):
    with stand(browser).engine.connect() as db:
        return store.readers.events(db, reader(browser).id)


def test_a_time_is_taken_back_with_one_form_and_brought_back_with_one_tap(ada: Browser) -> None:
    blank = reader(ada)
    for story in (CEASEFIRE, CUP):
        ada.act(kind="more", story=story.id)
    learned = reader(ada)
    span = {"since": (NOON - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"), "until": NOON.strftime("%Y-%m-%dT%H:%M")}
    answer = ada.post("/you/ledger/undo", span)
    assert reader(ada) == blank
    assert "2 were taken back" in plain(ada.follow(answer))
    ada.act(kind="undo", target=int(re.search(r"event=(\d+)", answer.header("location"))[1]))
    assert reader(ada) == learned
    early = {"since": "2020-01-01T00:00", "until": "2020-01-02T00:00"}
    assert "Nothing was learned in that time." in plain(ada.post("/you/ledger/undo", early))
    for wrong in ({"since": "soon", "until": "2020-01-02T00:00"}, {"since": "2020-01-02", "until": "2020-01-01"}):
        assert ada.post("/you/ledger/undo", wrong).status == 422


def test_forgetting_removes_what_was_done_and_keeps_what_was_chosen(ada: Browser) -> None:
    ada.get("/")
    ada.get(f"/story/{CEASEFIRE.id}")
    ada.act(kind="more", story=CEASEFIRE.id)
    ada.act(kind="saved", story=CUP.id)
    ada.act(kind="mute", mute=BLINKEN)
    assert ada.post("/you/ledger/forget").status == 422
    assert ada.post("/you/ledger/forget", {"sure": "1"}).status == 303
    left = reader(ada)
    assert (left.weights, left.interest, left.opened, left.shown) == ({}, b"", {}, {})
    assert [f.value for f in left.follows] == ["16000000"]
    assert (left.saved, [m.value for m in left.mutes]) == ((CUP.id,), ["Antony Blinken"])
    assert {e.kind for e in events(ada)} == {"follow", "saved", "mute", "forget"}
    with stand(ada).engine.connect() as db:
        assert store.feeds.latest(db, left.id, 5) == []
    done = ada.act(kind="more", story=CEASEFIRE.id).json()["event"]  # what is learned after it is learned
    assert reader(ada).weights["topic", "16000000"].value == 1.0
    ada.act(kind="undo", target=done)
    assert reader(ada) == left


def test_a_reader_moves_to_another_instance_with_all_that_was_learned(ada: Browser, tmp_path: Path) -> None:
    ada.act(kind="more", story=CEASEFIRE.id)
    ada.act(kind="mute", mute=BLINKEN)
    ada.act(kind="settings", settings={"tuning": {"freshness": 0.5}})
    ada.post("/sources/add", {"url": "https://one.example/rss"})
    (tmp_path / "there").mkdir()
    bob = Browser(a_newsroom(tmp_path / "there")).begin("Bob", topic=["15000000"])
    before = reader(bob)
    answer = bob.upload("/you/import", "file", ada.get("/you/export").body)
    page = plain(answer)
    assert "Brought along: 1 follow, 1 mute," in page
    assert "1 subscription, 1 of them to sources that are new here." in page
    there, here = reader(bob), reader(ada)
    assert there.weights == here.weights
    assert {f.value for f in there.follows} == {"15000000", "16000000"}
    assert there.tuning == {"freshness": 0.5}
    change = re.search(r'name="change" value="(\w+)"', answer.text)
    bob.post("/undo", {"change": change[1]})
    assert reader(bob) == before  # subscriptions and all


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "it is not JSON"), (b"[]", "no file of a reader"), (b'{"format": "broadsheet reader 1"}', "no reader in it"),
        (orjson.dumps({"format": "broadsheet reader 1", "reader": {"weights": [{"kind": "topic", "of": "x", "value": 99}]}}),
         "weights[0].value must be a number from -3 to 3."),
    ],
)  # fmt: skip
def test_a_file_that_is_not_in_order_brings_nothing(ada: Browser, content: bytes, says: str) -> None:
    before = reader(ada)
    answer = ada.upload("/you/import", "file", content)
    assert answer.status == 422
    assert says in plain(answer)
    assert reader(ada) == before


def test_programs_read_the_ledger_bring_a_file_and_forget(ada: Browser) -> None:
    ada.act(kind="more", story=CEASEFIRE.id)
    me = f"/api/readers/{reader(ada).id}"
    (row,) = ada.get(f"{me}/signals").json()["signals"]
    assert (row["kind"], row["headline"]) == ("more", "Ceasefire holds")
    assert {tuple(c["key"]): c["moved"] for c in row["changes"]}["topic", "16000000"] == 1.0
    file = ada.get(f"{me}/export").json()
    assert ada.json("DELETE", f"{me}/ledger").status == 200
    assert reader(ada).weights == {}
    assert ada.json("POST", f"{me}/import", file).status == 201
    assert reader(ada).weights["topic", "16000000"].value == 1.0
    assert ada.json("POST", f"{me}/events", {"kind": "import", "settings": {}}).status == 422
    assert ada.json("POST", f"{me}/import", {"format": "x"}).json()["error"]["message"].startswith("This is no file")
