"""What stands between the network and the pages."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Mount, Route

from broadsheet.config import Settings
from broadsheet.errors import ConfigError
from broadsheet.web import security
from broadsheet.web.app import create_app, routes
from broadsheet.web.asked import local
from tests.web.newsroom import CEASEFIRE, Browser, a_newsroom

KEY = b"k" * 32


def paths(method: str) -> list[str]:
    """Every address that takes the method, with something in its holes."""
    found = []
    for route in routes():
        if isinstance(route, Mount) and method == "GET":
            found.append(f"{route.path}/broadsheet.css")
        elif isinstance(route, Route) and route.methods and method in route.methods:
            found.append(route.path.replace("{id}", "0000000000000000").replace("{reader}", "nobody"))
    return found


@pytest.mark.parametrize("path", [*paths("GET"), f"/story/{CEASEFIRE.id}", "/nothing-here", "/static/nothing"])
def test_every_answer_wears_the_safe_headers(ada: Browser, path: str) -> None:
    answer = ada.get(path)
    policy = answer.header("content-security-policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    if not path.startswith("/image"):
        assert ("script-src 'self'" in policy) == (path != "/static/broadsheet.css")
        assert "frame-ancestors 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") == "no-referrer"
    assert answer.header("cross-origin-resource-policy") == "same-origin"
    assert answer.status < 500, answer.text


@pytest.mark.parametrize(
    "path", [p for p in paths("GET") if not p.startswith(("/api", "/static", "/image", "/healthz"))]
)
def test_no_page_holds_code_or_style_of_its_own_or_loads_from_elsewhere(ada: Browser, path: str) -> None:
    text = ada.get(path).text
    assert "<script>" not in text
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick" not in text
    assert 'src="http' not in text


@pytest.mark.parametrize("value", ["9" * 5000, "\N{SUPERSCRIPT TWO}"])
@pytest.mark.parametrize(
    "name", ["from", "minutes", "since", "limit", "before", "days", "event", "q", "outside", "interest"]
)
def test_no_number_in_an_address_is_too_odd_for_an_answer(ada: Browser, name: str, value: str) -> None:
    for path in paths("GET"):
        if not path.startswith("/static"):
            assert ada.get(f"{path}?{urlencode({name: value})}").status < 500, path


@pytest.mark.parametrize("path", [p for p in paths("POST") if not p.startswith("/api")])
def test_a_form_without_our_token_changes_nothing(ada: Browser, path: str) -> None:
    assert ada.post(path, {"name": "Eve", "event": '{"kind":"saved","story":"x"}'}, token=False).status == 403
    assert ada.post(path, {"token": "guessed"}, token=False).status == 403


@pytest.mark.parametrize("path", paths("POST") + paths("DELETE"))
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_changes_nothing_even_with_the_token(ada: Browser, path: str, site: str) -> None:
    token = ada.token()
    ada.site = site
    method = "POST" if path in paths("POST") else "DELETE"
    answer = ada.call(method, path, f"token={token}".encode(), {"content-type": "application/x-www-form-urlencoded"})
    assert answer.status == 403
    assert "another site" in answer.text


def test_an_old_browser_is_judged_by_its_origin() -> None:
    ours = Headers({"host": "localhost:8000", "origin": "http://localhost:8000"})
    theirs = Headers({"host": "localhost:8000", "origin": "https://evil.example"})
    assert security.comes_from_us(ours)
    assert not security.comes_from_us(theirs)
    assert security.comes_from_us(Headers({"host": "localhost:8000"}))


def test_the_token_of_one_browser_is_nothing_to_another(app: Starlette, ada: Browser) -> None:
    eve = Browser(app)
    token = eve.token()
    assert ada.post("/theme", {"theme": "dark", "token": token}, token=False).status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "", "a b", "10.0.0.1"]
)
def test_a_name_pointed_at_loopback_is_not_answered(app: Starlette, host: str) -> None:
    answer = Browser(app, host=host).get("/welcome")
    assert answer.status == 421
    assert "Ada" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:9", "[::1]:8000"])
def test_loopback_names_are_answered(app: Starlette, host: str) -> None:
    assert Browser(app, host=host).get("/welcome").status == 200


def test_without_a_password_only_loopback_is_served(app: Starlette) -> None:
    engine = app.state.newsstand.engine
    with pytest.raises(ConfigError, match="set a password"):
        create_app(engine, Settings(host="0.0.0.0"))
    create_app(engine, Settings(host="0.0.0.0", password="long enough"))


def test_a_body_beyond_the_limit_is_refused_whatever_its_length_says(ada: Browser) -> None:
    much = b"x" * (security.MAX_BODY + 1)
    told = {"content-type": "application/x-www-form-urlencoded"}
    assert ada.call("POST", "/act", much, told).status == 413
    assert ada.call("POST", "/act", much, told | {"content-length": "10"}).status == 413
    for none in ("many", "\N{SUPERSCRIPT TWO}", "-1"):
        assert ada.call("POST", "/act", b"", told | {"content-length": none}).status == 413


@given(st.text(max_size=200))
def test_no_cookie_that_was_not_signed_is_a_session(cookie: str) -> None:
    assert security.Session.read(KEY, cookie) is None


@given(st.text(min_size=1, max_size=40), st.text(max_size=40), st.integers(0, 2**40), st.sampled_from(["", "dark"]))
def test_a_session_comes_back_as_it_was_written_and_not_under_another_key(
    name: str, reader: str, at: int, theme: str
) -> None:
    session = security.Session(name, reader, at, theme)
    written = session.written(KEY)
    assert security.Session.read(KEY, written) == session
    assert security.Session.read(b"another" * 5, written) is None
    body, _, signature = written.partition(".")
    changed = replace(session, reader=reader + "x").written(KEY).partition(".")[0]
    assert security.Session.read(KEY, f"{changed}.{signature}") is None
    assert body != changed


@given(st.text(max_size=60))
def test_going_back_never_leaves_this_site(path: str) -> None:
    safe = local(path)
    assert safe.startswith("/")
    assert not safe.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/a\r\nb: c"],
)
def test_a_form_can_not_send_a_reader_away(ada: Browser, path: str) -> None:
    answer = ada.post("/theme", {"theme": "dark", "next": path})
    assert answer.header("location") == "/?did=theme&was=system"


# --- the password


@pytest.fixture
def locked(tmp_path: Path) -> Starlette:
    return a_newsroom(tmp_path, password="correct horse", host="0.0.0.0")


def test_nothing_is_shown_before_the_password_is_given(locked: Starlette) -> None:
    stranger = Browser(locked, host="news.example")
    for path in paths("GET"):
        answer = stranger.get(path)
        if path.startswith(("/static", "/healthz", "/login", "/manifest.webmanifest", "/sw.js", "/offline")):
            continue
        assert answer.status in (303, 401), path
        assert "Ceasefire" not in answer.text
    assert stranger.get("/latest").header("location") == "/login?next=%2Flatest"
    assert stranger.get("/api/readers").json()["error"]["status"] == 401
    assert stranger.get("/static/../welcome").status in (303, 401, 404)


def test_the_password_opens_and_logging_out_closes(locked: Starlette) -> None:
    friend = Browser(locked, host="news.example")
    token = token_of_login(friend)
    assert friend.post("/login", {"password": "wrong", "token": token}, token=False).status == 401
    opened = friend.post("/login", {"password": "correct horse", "next": "/latest", "token": token}, token=False)
    assert (opened.status, opened.header("location")) == (303, "/latest")
    assert "HttpOnly" in opened.header("set-cookie")
    assert "SameSite=Lax" in opened.header("set-cookie")
    assert friend.get("/welcome").status == 200
    friend.post("/logout")
    assert friend.get("/welcome").status == 303


def test_a_session_from_before_the_login_is_not_carried_into_it(locked: Starlette) -> None:
    friend = Browser(locked, host="news.example")
    token = token_of_login(friend)
    planted = dict(friend.cookies)
    friend.post("/login", {"password": "correct horse", "token": token}, token=False)
    assert Browser(locked, planted, host="news.example").get("/welcome").status == 303


def test_guessing_is_slowed_down(locked: Starlette) -> None:
    eve = Browser(locked, host="news.example")
    token = token_of_login(eve)
    tries = [eve.post("/login", {"password": f"guess {n}", "token": token}, token=False).status for n in range(10)]
    assert tries == [401] * 8 + [429] * 2
    late = eve.post("/login", {"password": "correct horse", "token": token}, token=False)
    assert late.status == 429
    assert int(late.header("retry-after")) > 0


def test_a_program_gives_the_password_with_each_request(locked: Starlette) -> None:
    program = Browser(locked, host="news.example", site="")
    assert program.get("/api/readers", authorization="Bearer correct horse").status == 200
    assert program.get("/api/readers", authorization="Bearer wrong").status == 401
    assert program.get("/welcome", authorization="Bearer correct horse").status == 303


def test_attempts_are_forgotten_after_the_window() -> None:
    now = [0.0]
    attempts = security.Attempts(limit=2, window=10, clock=lambda: now[0])
    attempts.fail("a")
    attempts.fail("a")
    assert attempts.wait("a") == 10
    assert attempts.wait("b") == 0
    now[0] = 10.5
    assert attempts.wait("a") == 0


def token_of_login(browser: Browser) -> str:
    text = browser.get("/login").text
    return text.split('name="token" value="')[1].split('"')[0]


def test_a_token_is_written_otherwise_on_every_page_and_holds_all_the_same(ada: Browser) -> None:
    first, second = ada.token(), ada.token()
    assert first != second
    assert ada.post("/theme", {"theme": "dark", "token": first}, token=False).status == 303
    assert ada.post("/theme", {"theme": "light", "token": second}, token=False).status == 303


@given(token=st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_other_token_is_taken_and_none_breaks_it(token: str) -> None:
    session = security.Session(name="one")
    assert not session.gave(KEY, token)
    assert session.gave(KEY, session.token(KEY))
    assert not security.Session(name="two").gave(KEY, session.token(KEY))


def test_a_page_is_compressed_only_for_a_request_that_no_other_site_caused(ada: Browser) -> None:
    own = ada.get("/about", accept_encoding="gzip")
    assert own.header("content-encoding") == "gzip"
    assert b"Broadsheet" in gzip.decompress(own.body)
    ada.site = "cross-site"
    assert ada.get("/about", accept_encoding="gzip").header("content-encoding") == ""
    ada.site = ""
    assert ada.get("/about", accept_encoding="gzip").header("content-encoding") == ""
    style = ada.get("/static/broadsheet.css", accept_encoding="gzip")  # the same for everybody
    assert style.header("content-encoding") == "gzip"
    assert ada.get("/static/serif.woff2", accept_encoding="gzip").header("content-encoding") == ""
