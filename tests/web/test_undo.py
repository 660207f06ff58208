"""Every action of the app can be taken back right after, from the page that answers it, or says here why it can't."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import orjson
import pytest
from starlette.routing import Route

from broadsheet import jobs, store
from broadsheet.model import Regrouping
from broadsheet.sources import packs
from broadsheet.web import actions
from broadsheet.web.app import routes
from tests.builders import DAY, NOON, an_entry
from tests.web.newsroom import CEASEFIRE, CLOSED, OPEN, Answer, Browser, plain

# A new action stands in `UNDONE` with how it is done, or here with the reason.
NOT_UNDONE = {
    "/undo": "it is how things are undone; what it took back is done again as it was done before",
    "/welcome": "nothing was there that could come back: a new reader, whom “Erase” under You removes",
    "/you/erase": "for good, and it asks first: the reader's name is to be written",
    "/you/ledger/forget": "for good, and it asks first: a box is to be ticked",
    "/sources/find": "it changes nothing: it looks what is behind an address",
    "/sources/read": "it changes nothing of the reader: an article more is here, like any that a source brings",
    "/admin/again": "it changes nothing that was kept: what came to nothing is tried once more",
    "/admin/login": "“Log out” ends it", "/login": "“Log out” ends it", "/logout": "logging in asks for the password",
}  # fmt: skip

# What a page or a program says was noticed, not what somebody did: the ledger takes it back.
NOTICED = {"opened", "dwelled", "shared"}

OPML = b"<opml><body><outline xmlUrl='https://new.example/feed'/><outline text='F'><outline xmlUrl='%s'/></outline></body></opml>"


def write(browser: Browser, *changes: Any) -> None:
    with browser.app.state.newsstand.engine.begin() as db:
        for change in changes:
            change(db)


def acted(**event: Any) -> Callable[[Browser], Answer]:
    return lambda b: b.post("/act", {"event": orjson.dumps(event).decode(), "next": "/you"})


@dataclass(frozen=True)
class Done:
    """How something is done, after what."""

    do: Callable[[Browser], Answer]
    first: tuple[Callable[[Browser], object], ...] = ()


def first(*changes: Callable[[Browser], object], then: Callable[[Browser], Answer]) -> Done:
    return Done(then, changes)


def posted(path: str, **form: Any) -> Callable[[Browser], Answer]:
    return lambda b: b.post(path, form)


def eve(browser: Browser) -> None:
    """Another reader: follows, a subscription, a mute."""
    other = Browser(browser.app).begin("Eve", topic=["15000000"])
    other.post("/sources/add", {"url": "https://eves.example/feed", "folder": "Eve"})
    other.act(kind="mute", mute={"kind": "keyword", "value": "cricket"}, until="forever")


def as_eve(browser: Browser, then: Callable[[Browser, str], Answer]) -> Answer:
    return then(browser, next(r.id for r in browser.app.state.newsstand.readers() if r.name == "Eve"))


def brought(browser: Browser, reader: str) -> Answer:
    return browser.upload("/you/import", "file", orjson.dumps(browser.app.state.newsstand.export(reader)))


def ruled(browser: Browser) -> None:
    one, other = CEASEFIRE.articles[:2]
    write(browser, lambda db: store.regroupings.add(db, Regrouping(one=one, other=other, same=False), "Eve", NOON))


def weighed(browser: Browser) -> None:
    runs = [{"weights": {"freshness": x}, "at": (NOON - x * DAY).isoformat(), "replay": {}} for x in (2, 1)]
    write(browser, lambda db: store.notes.put(db, store.feeds.WEIGHTS, orjson.dumps(runs).decode()))


KEYWORD = {"kind": "keyword", "value": "chess", "label": "chess"}
SUBSCRIBED = posted("/sources/add", url=OPEN.url, folder="World")
PRIVATE = posted("/sources/add", url=CLOSED.url, folder="Letters")
SEEN = {"story": CEASEFIRE.id}

UNDONE: dict[str, dict[str, Done | Callable[[Browser], Answer]]] = {
    "/act": {
        "follow": acted(kind="follow", follow=KEYWORD),
        "unfollow": first(acted(kind="follow", follow=KEYWORD), then=acted(kind="unfollow", follow=KEYWORD)),
        "mute": acted(kind="mute", mute=KEYWORD, until="week"),
        "unmute": first(acted(kind="mute", mute=KEYWORD), then=acted(kind="unmute", mute=KEYWORD)),
        "saved": acted(kind="saved", **SEEN),
        "unsaved": first(acted(kind="saved", **SEEN), then=acted(kind="unsaved", **SEEN)),
        "hidden": acted(kind="hidden", **SEEN),
        "unhidden": first(acted(kind="hidden", **SEEN), then=acted(kind="unhidden", **SEEN)),
        "more": acted(kind="more", **SEEN),
        "less": acted(kind="less", **SEEN),
        "set_weight": acted(kind="set_weight", weight=[["topic", "16000000"], 2.0]),
        "erase_weight": first(
            acted(kind="more", **SEEN), then=acted(kind="erase_weight", weight=[["topic", "16000000"], 0])
        ),
        "settings": acted(kind="settings", settings={"images": "off"}),
        "merge": acted(kind="merge", one=CEASEFIRE.articles[0], other=CEASEFIRE.articles[1]),
        "split": acted(kind="split", one=CEASEFIRE.articles[0], other=CEASEFIRE.articles[1]),
    },
    "/readers/choose": {
        "another": first(eve, then=lambda b: as_eve(b, lambda b, id_: b.post("/readers/choose", {"reader": id_}))),
    },
    "/you/settings": {"": posted("/you/settings", images="off", scope="subscriptions", languages=["de"])},
    "/you/likes": {"a name and a story": posted("/you/likes", likes="Antony Blinken\nCeasefire holds\nzither")},
    "/you/import": {
        "with sources": first(eve, then=lambda b: as_eve(b, brought)),
    },
    "/you/ledger/undo": {
        "": first(
            acted(kind="more", **SEEN),
            then=posted("/you/ledger/undo", since="2026-08-01T00:00", until="2026-08-01T23:59"),
        ),
    },
    "/tune": {"": posted("/tune", freshness="0.25")},
    "/tune/preset": {
        "kept": posted("/tune/preset", name="Calm", freshness="0.5"),
        "let go": first(posted("/tune/preset", name="Calm", freshness="0.5"), then=posted("/tune/preset", name="Calm", remove="1")),
    },
    "/tune/near": {"": posted("/tune/near", home="Nairobi")},
    "/bubble": {"": posted("/bubble", outside="30")},
    "/sources/add": {
        "a known one": SUBSCRIBED,
        "a new one": posted("/sources/add", url="https://new.example/feed"),
        "moved to another folder": first(SUBSCRIBED, then=posted("/sources/add", url=OPEN.url, folder="Home")),
        "a private one": PRIVATE,
    },
    "/sources/remove": {
        "": first(SUBSCRIBED, then=posted("/sources/remove", source=OPEN.id, next=f"/source/{OPEN.id}")),
        "a private one": first(PRIVATE, then=posted("/sources/remove", source=CLOSED.id, next=f"/source/{CLOSED.id}")),
    },
    "/sources/polling": {
        "stop": posted("/sources/polling", source=OPEN.id, on=""),
        "resume": first(posted("/sources/polling", source=OPEN.id, on=""), then=posted("/sources/polling", source=OPEN.id, on="1")),
    },
    "/sources/pack": {"": posted("/sources/pack", pack=packs.packs()[0].id)},
    "/sources/opml": {"new and known": first(SUBSCRIBED, then=lambda b: b.upload("/sources/opml", "file", OPML % OPEN.url.encode()))},
    "/admin/ruling": {"": first(ruled, then=posted("/admin/ruling", number="1"))},
    "/admin/weights": {
        "": first(weighed, then=posted("/admin/weights")),
        "again": first(weighed, posted("/admin/weights"), then=posted("/admin/weights", again="1")),
    },
    "/theme": {"from the system's": posted("/theme", theme="dark"), "from dark": first(posted("/theme", theme="dark"), then=posted("/theme", theme="light"))},
}  # fmt: skip


def state(browser: Browser) -> dict[str, Any]:
    """All that an action can change, but for what was noticed."""
    news = browser.app.state.newsstand
    page = browser.get("/about").text
    who = re.search(r'data-reader="([^"]+)"', page)
    theme = re.search(r'data-theme="([^"]+)"', page)
    readers = {r.id: news.export(r.id)["reader"] for r in news.readers()}
    for kept in readers.values():
        for name in ("opened", "shown", "weights"):
            kept.pop(name, None)
    with news.engine.connect() as db:
        return {
            "readers": readers,
            "weights": {
                id_: {k: (round(w.value, 9), w.pinned) for k, w in news.reader(id_).weights.items()} for id_ in readers
            },
            "sources": {s.url: s.next_fetch is None for s in store.sources.all(db)},
            "rulings": [r.word for r in store.regroupings.standing(db)],
            "learned": [run.weights for run in jobs.runs(db) if run.holds],
            "here": who and who[1],
            "theme": theme and theme[1],
        }


def way_back(answer: Answer) -> tuple[str, dict[str, str]]:
    """The form that a page offers to take back what was just done."""
    shown = re.search(r'<div class="toast"(?P<rest>[^>]*)>.*?</div>', answer.text, re.DOTALL)
    assert shown is not None
    forms = re.findall(r"<form.*?</form>", shown[0], re.DOTALL) if " hidden" not in shown["rest"] else []
    forms += re.findall(r'<form class="act undo".*?</form>', answer.text, re.DOTALL)
    assert forms, "nothing on the page takes it back"
    path = re.search(r'action="([^"]+)"', forms[0])
    assert path is not None
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', forms[0])
    return path[1], {name: unescape(value) for name, value in fields if name != "token"}


CASES = [(path, case) for path, cases in UNDONE.items() for case in cases]


@pytest.mark.parametrize(("path", "case"), CASES, ids=[" ".join(filter(None, case)) for case in CASES])
def test_what_was_just_done_is_taken_back_from_the_page_that_answers(ada: Browser, path: str, case: str) -> None:
    found = UNDONE[path][case]
    done = found if isinstance(found, Done) else Done(found)
    for change in done.first:
        change(ada)
    before = state(ada)
    answer = done.do(ada)
    assert answer.status in (200, 303), plain(answer)
    assert state(ada) != before, "it changed nothing, so this says nothing of undoing it"
    where, form = way_back(ada.follow(answer) if answer.status == 303 else answer)
    back = ada.post(where, form)
    assert back.status == 303, plain(back)
    assert state(ada) == before
    assert re.search(r'<div class="toast"[^>]*polite">\s*<p>.+</p>', ada.follow(back).text)


def test_every_action_can_be_undone_or_says_why_not() -> None:
    asked = {
        r.path for r in routes() if isinstance(r, Route) and "POST" in (r.methods or ()) and not r.path.startswith("/api/")
    }  # fmt: skip  # the API answers a program with the event's id, or a change that its own opposite takes back
    assert asked == UNDONE.keys() | NOT_UNDONE.keys()
    assert not UNDONE.keys() & NOT_UNDONE.keys()
    assert set(actions.ACTIONS) == UNDONE["/act"].keys() | NOTICED | {"undo"}


def test_what_is_for_good_asks_first(ada: Browser) -> None:
    before = state(ada)
    assert ada.post("/you/erase").status == 422
    assert ada.post("/you/ledger/forget").status == 422
    assert state(ada) == before


def test_a_change_is_taken_back_once_and_by_nobody_else(ada: Browser) -> None:
    answer = ada.post("/sources/add", {"url": CLOSED.url})
    _, form = way_back(ada.follow(answer))
    other = Browser(ada.app).begin("Eve")
    assert other.post("/undo", form).status == 404
    assert other.post("/undo", {}).status == 404
    assert ada.post("/undo", form).status == 303
    assert ada.post("/undo", form).status == 404


def test_the_address_of_a_private_source_is_on_no_page_after_it_was_removed(ada: Browser) -> None:
    PRIVATE(ada)
    answer = ada.post("/sources/remove", {"source": CLOSED.id, "next": f"/source/{CLOSED.id}"})
    page = ada.follow(answer)
    assert CLOSED.url not in page.text
    assert CLOSED.url not in answer.header("location")
    where, form = way_back(page)
    ada.post(where, form)
    assert "In your folder Letters" in plain(ada.get(f"/source/{CLOSED.id}"))


def test_a_source_that_was_new_and_that_others_came_to_read_stays_theirs(ada: Browser) -> None:
    new = "https://new.example/feed"
    answer = ada.post("/sources/add", {"url": new})
    Browser(ada.app).begin("Eve").post("/sources/add", {"url": new})
    where, form = way_back(ada.follow(answer))
    ada.post(where, form)
    with ada.app.state.newsstand.engine.connect() as db:
        [source] = [s for s in store.sources.all(db) if s.url == new]
        readers = [r for r in store.readers.all(db) if source.id in r.subscriptions]
    assert [r.name for r in readers] == ["Eve"]


def test_what_waits_of_a_source_that_was_added_by_mistake_goes_with_it(ada: Browser) -> None:
    answer = ada.post("/sources/add", {"url": "https://new.example/feed"})
    with ada.app.state.newsstand.engine.begin() as db:
        source = store.sources.by_url(db, "https://new.example/feed")
        assert source is not None
        store.entries.save_new(db, [an_entry("waits", source=source.id)], NOON)
    where, form = way_back(ada.follow(answer))
    ada.post(where, form)
    with ada.app.state.newsstand.engine.connect() as db:
        assert store.entries.counts(db, NOON).waiting == 0


def test_only_the_last_changes_are_kept_and_none_of_an_erased_reader(ada: Browser) -> None:
    answers = [ada.post("/sources/add", {"url": OPEN.url, "folder": f"F{n}"}) for n in range(store.changes.KEPT + 1)]
    oldest, next_ = (dict([re.findall(r"(change)=(\w+)", a.header("location"))[0]]) for a in answers[:2])
    assert ada.post("/undo", oldest).status == 404
    assert ada.post("/undo", next_).status == 303
    ada.post("/you/erase", {"confirm": "Ada"})
    with ada.app.state.newsstand.engine.connect() as db:
        assert [name for (name,) in db.exec_driver_sql("SELECT name FROM notes WHERE name LIKE 'changes %'")] == []
