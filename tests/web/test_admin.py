"""The operator's page: what the instance is doing, what can be put right, and who may."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.jobs import weighing
from broadsheet.model import Regrouping, Rejected
from broadsheet.reading.instance import alike, summed
from broadsheet.web import security
from tests.builders import DAY, HOUR, NOON, a_source, an_entry
from tests.web.newsroom import CEASEFIRE, OPEN, Browser, a_newsroom, plain

POSTS = (
    ("/admin/again", {"stage": "extract", "subject": "x"}), ("/admin/ruling", {"number": "1"}), ("/admin/weights", {}),
)  # fmt: skip


def write(browser: Browser, *changes: object) -> None:
    with browser.app.state.newsstand.engine.begin() as db:
        for change in changes:
            change(db)  # type: ignore[operator]


# --- who may


def test_without_a_password_whoever_sits_at_the_machine_is_the_operator(ada: Browser) -> None:
    assert ada.get("/admin").status == 200
    assert 'href="/admin"' in ada.get("/about").text


def test_readers_who_share_a_password_are_no_operators(tmp_path: Path) -> None:
    browser = Browser(a_newsroom(tmp_path, password="all"))
    browser.post("/login", {"password": "all"}, token=False)
    token = re.search(r'name="token" value="([^"]+)"', browser.get("/login").text)
    assert token is not None
    assert browser.post("/login", {"password": "all", "token": token[1]}, token=False).status == 303
    closed = browser.get("/admin")
    assert closed.status == 403
    assert "Set operator_password" in plain(closed)
    assert 'href="/admin"' not in browser.get("/about").text
    for path, form in POSTS:
        assert browser.post(path, form).status == 403


def test_the_operators_password_opens_it_for_this_browser_alone(tmp_path: Path) -> None:
    app = a_newsroom(tmp_path, operator_password="mine")
    browser, other = Browser(app), Browser(app)
    asked = browser.get("/admin")
    assert asked.status == 403
    assert "password of its own" in plain(asked)
    assert browser.post("/admin/login", {"password": "yours"}).status == 403
    assert browser.post("/admin/login", {"password": "mine"}).header("location") == "/admin"
    assert browser.get("/admin").status == 200
    assert other.get("/admin").status == 403
    browser.post("/logout")
    assert browser.get("/admin").status == 403


def test_guessing_the_operators_password_is_slowed_down(tmp_path: Path) -> None:
    browser = Browser(a_newsroom(tmp_path, operator_password="mine"))
    statuses = [browser.post("/admin/login", {"password": f"guess {n}"}).status for n in range(10)]
    assert statuses == [403] * 8 + [429] * 2
    assert browser.post("/admin/login", {"password": "mine"}).status == 429


def test_the_operators_hours_end_and_a_new_password_ends_them_at_once() -> None:
    settings = Settings(password="all", operator_password="mine")
    now = 1_800_000_000
    session = replace(security.Session.fresh(), operating=now)
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(security.time, "time", lambda: now + security.OPERATING_AGE - 1)
        assert security.may_operate(settings, session)
        clock.setattr(security.time, "time", lambda: now + security.OPERATING_AGE)
        assert not security.may_operate(settings, session)
    key, other = (security.instance_key("s", replace(settings, operator_password=p)) for p in ("mine", "new"))
    assert security.Session.read(key, session.written(key)) == session
    assert security.Session.read(other, session.written(key)) is None


# --- what it shows and does


def test_numbers_with_and_without_their_digits() -> None:
    assert alike("only 83 characters of text at https://a.example/x") == "only … characters of text at …"
    rows = [("extract", "only 83 characters", 2, NOON - DAY), ("extract", "only 9 characters", 3, NOON), ("fetch", "it answered 503", 9, NOON)]  # fmt: skip
    assert [(d.stage, d.reason, d.count) for d in summed(rows)] == [
        ("fetch", "it answered 503", 9), ("extract", "only … characters", 5),
    ]  # fmt: skip
    assert summed(rows)[1].last == NOON


def test_an_instance_in_good_order_says_so(ada: Browser) -> None:
    text = plain(ada.get("/admin"))
    for said in (
        "nothing needs a look", "articles 7", "stories 5", "sources 2", "All of them answer.", "There are none.",
        "Nothing was dropped.", "Nobody has said anything of it.", "As it is shipped", "1 reader", "SQLite 3.", "Ada",
    ):  # fmt: skip
        assert said in text, said


def test_a_dead_letter_is_tried_again(ada: Browser) -> None:
    entry = an_entry("came to nothing", source=OPEN.id)
    lost = Rejected(stage="extract", subject=entry.url, reason="only 12 characters of text")
    gone = Rejected(stage="extract", subject="https://gone.example/", reason="it is empty")
    write(
        ada,
        lambda db: store.entries.save_new(db, [entry], NOON),
        lambda db: store.entries.done(db, [entry.id]),
        lambda db: store.rejections.save(db, [lost, gone], NOON),
    )
    page = ada.get("/admin")
    assert "some things below need a look" in plain(page)
    assert "only … characters of text extract 1" in plain(page)
    assert page.text.count("<button>Try again") == 1  # the other's entry is not here any more
    answer = ada.post("/admin/again", {"stage": "extract", "subject": entry.url})
    assert answer.header("location").startswith("/admin?did=again")
    with ada.app.state.newsstand.engine.begin() as db:
        assert [e.id for e in store.entries.claim(db, NOON, "w", HOUR, 5)] == [entry.id]
        assert [d.rejected for d in store.rejections.latest(db)] == [gone]
    assert ada.post("/admin/again", {"stage": "extract", "subject": gone.subject}).status == 404


def test_a_source_in_trouble_is_listed_and_asked_again(ada: Browser) -> None:
    bad = a_source("https://bad.example/feed.xml", title="Bad", failures=3, problem="it answered 503 (busy)", next_fetch=NOON + DAY)  # fmt: skip
    write(
        ada,
        lambda db: store.sources.add(db, bad),
        lambda db: store.rejections.save(db, [Rejected(stage="fetch", subject=bad.url, reason=bad.problem)], NOON),
    )
    page = ada.get("/admin")
    assert "3 failures" in plain(page)
    assert f'href="/source/{bad.id}"' in page.text
    assert ada.post("/admin/again", {"stage": "fetch", "subject": bad.url}).status == 303
    assert ada.app.state.newsstand.source(bad.id).next_fetch == NOON


def test_a_ruling_is_taken_back(ada: Browser) -> None:
    one, other = CEASEFIRE.articles[:2]
    write(ada, lambda db: store.regroupings.add(db, Regrouping(one=one, other=other, same=False), "Eve", NOON))
    page = plain(ada.get("/admin"))
    assert "Two stories: Ceasefire holds · Ceasefire holds (1)" in page
    assert "number 1, by Eve" in page
    assert ada.post("/admin/ruling", {"number": "1"}).status == 303
    assert "taken back" in plain(ada.get("/admin"))
    assert ada.post("/admin/ruling", {"number": "1"}).status == 422
    assert ada.post("/admin/ruling", {"number": "9"}).status == 404
    assert ada.post("/admin/ruling", {"number": "9" * 20}).status == 422  # no database holds that number


def test_learned_weights_are_shown_and_undone(ada: Browser) -> None:
    runs = [
        {"weights": {"freshness": 1.2}, "at": (NOON - DAY).isoformat(), "replay": {"pages": 90, "gain": 0.031, "half": 0.02}},
        {"weights": {"freshness": 0.8}, "at": NOON.isoformat(), "replay": {"pages": 99, "gain": 0.052, "half": 0.01}},
    ]  # fmt: skip
    write(ada, lambda db: store.notes.put(db, store.feeds.WEIGHTS, orjson.dumps(runs).decode()))

    def page() -> str:
        return plain(ada.get("/admin")).replace("\u202f", " ")

    assert "In use. on the last 99 pages +5.2 % openings, ± 1.0 freshness × 0.80" in page()
    assert "Used until the next. on the last 90 pages +3.1 % openings, ± 2.0 freshness × 1.20" in page()
    assert ada.post("/admin/weights").header("location") == "/admin?did=unweighed#weights"
    assert "In use. on the last 90 pages" in page()
    assert "Taken back. on the last 99 pages" in page()
    assert ada.post("/admin/weights", {"again": "1"}).status == 303
    assert "In use. on the last 99 pages" in page()
    assert ada.post("/admin/weights", {"again": "1"}).status == 422


def test_a_refused_run_is_told_with_its_figures_and_the_reason(ada: Browser) -> None:
    judged = {"pages": 1400, "opened": 210, "now": 1.235, "ips": 1.21, "snips": 0.2, "gain": -0.0202, "half": 0.031}
    told = [
        {"at": (NOON - 2 * DAY).isoformat(), "why": "little known", "known": 12},
        {"at": (NOON - DAY).isoformat(), "why": "no better", "known": 630, "weights": {"freshness": 0.7}, "replay": judged},
    ]  # fmt: skip
    write(ada, lambda db: store.notes.put(db, weighing.RUNS, orjson.dumps(told).decode()))
    page = plain(ada.get("/admin")).replace("\u202f", " ")
    assert "As it is shipped: nothing that was learned here is in use." in page
    assert (
        "Not used. On the pages that were kept back it is no better than what was in use. "
        "on the last 1,400 pages −2.0 % openings, ± 3.1 1.210 openings a page, 1.235 as it was "
        "learned from 630 openings freshness × 0.70"
    ) in page
    assert "12 openings were made from logged pages: too few to learn from." in page
    assert "Take back" not in page
    german = plain(ada.get("/admin", accept_language="de")).replace("\u202f", " ")
    assert "auf den letzten 1.400 Seiten −2,0 % Öffnungen, ± 3,1" in german.replace("\u00a0", " ")


def test_a_lease_names_who_leads(ada: Browser) -> None:
    from datetime import UTC, datetime

    write(ada, lambda db: store.leases.take(db, "group", "host/1/ab", datetime.now(UTC), timedelta(hours=1)))
    assert "Led by one process: group host/1/ab" in plain(ada.get("/admin"))
