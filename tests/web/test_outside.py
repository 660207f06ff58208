"""What the app fetches for a reader: one article by its address, pictures through the proxy; from a site on loopback."""

from __future__ import annotations

import re
import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from broadsheet import store
from broadsheet.web import images, security
from tests.web.newsroom import Browser, a_newsroom, plain

SENTENCES = (
    "The old bridge over the river Lumen was opened again on Monday after two years of repairs.",
    "About four hundred people walked across it behind the town band, although it rained.",
    "The mayor, Teresa Almeida, said that the work had cost less than the council had feared.",
    "Engineers replaced eleven of the oak beams and left the stone piers as they were.",
    "Lorries must still take the long way round until the inspectors come back in the spring.",
)
ARTICLE = (
    '<!doctype html><html lang="en"><head><title>The bridge is mended</title>'
    '<meta property="og:type" content="article"><meta property="og:title" content="The bridge is mended">'
    '<meta property="article:published_time" content="2026-07-31T08:00:00Z"></head><body><nav><a href="/">Home</a></nav>'
    f"<article><h1>The bridge is mended</h1>{''.join(f'<p>{s} {s.lower()}</p>' for s in SENTENCES)}</article></body></html>"
).encode()


def a_png(extra: int = 0) -> bytes:
    """One grey pixel, and as much text beside it as was asked for."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header) + chunk(b"tEXt", b"Comment\0" + b"x" * extra) + chunk(b"IDAT", zlib.compress(b"\0\x80"))
    )
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
SERVED = {
    "/bridge": ("text/html; charset=utf-8", ARTICLE),
    "/empty": ("text/html", b"<!doctype html><title>Nothing</title><nav><a href=/>Home</a></nav>"),
    "/pixel.png": ("image/png", a_png()),
    "/large.png": ("image/png", a_png(images.MAX_BYTES)),
    "/page.png": ("text/html", b"<script>alert(1)</script>"),
    "/said-to-be.png": ("image/png", b"<script>alert(1)</script>"),
    "/said-to-be.html": ("text/html", a_png()),
    "/drawing.svg": ("image/svg+xml", SVG),
    "/drawing.png": ("image/png", SVG),
    "/drawing-with-a-mask.svg": ("image/svg+xml", a_png()),
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a site that serves `SERVED`, /moved.png by a redirect to the address in its query."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            kind, body = SERVED.get(path, ("text/plain", b"no"))
            self.send_response(302 if path == "/moved.png" else 200 if path in SERVED else 404)
            if path == "/moved.png":
                self.send_header("Location", query)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


@pytest.fixture
def ada(tmp_path: Path) -> Browser:
    """A reader in an app that may fetch from 127.0.0.1."""
    return Browser(a_newsroom(tmp_path, allow_addresses=("127.0.0.1/32",))).begin("Ada")


# --- one article


def test_an_article_is_read_by_its_address_and_joins_the_paper(ada: Browser, site: str) -> None:
    answer = ada.post("/sources/read", {"address": f"{site}/bridge"})
    assert answer.status == 303, plain(answer)
    page = plain(ada.follow(answer))
    assert "The bridge is mended" in page
    assert SENTENCES[3] in page
    assert "The bridge is mended" in plain(ada.get("/latest"))
    assert re.search(r'href="/story/[0-9a-f]+">The story', ada.follow(answer).text)
    again = ada.post("/sources/read", {"address": f"{site}/bridge"})
    assert again.header("location") == answer.header("location")
    assert plain(ada.get("/latest")).count("The bridge is mended") == 1


def test_an_address_that_is_one_article_can_be_read_from_where_it_was_found(ada: Browser, site: str) -> None:
    found = ada.post("/sources/find", {"address": f"{site}/bridge"})
    assert "Read this article" in plain(found)
    address = re.search(r'name="address" value="([^"]+)"', found.text)
    assert address is not None
    answer = ada.post("/sources/read", {"address": address[1]})
    assert "The bridge is mended" in plain(ada.follow(answer))


def test_pasted_text_is_read_with_or_without_an_address(ada: Browser) -> None:
    text = "The bridge is mended\r\n\r\n" + "\r\n\r\n".join(SENTENCES)
    for address in ("", "https://paper.example/bridge"):
        answer = ada.post("/sources/read", {"text": text, "address": address})
        assert answer.status == 303, plain(answer)
        shown = ada.follow(answer)
        assert all(sentence in plain(shown) for sentence in SENTENCES)
        assert ('href="https://paper.example/bridge"' in shown.text) == bool(address)


def test_hostile_pasted_text_stays_text(ada: Browser) -> None:
    answer = ada.post("/sources/read", {"text": "<script>alert(1)</script>\n\n" + "\n\n".join(SENTENCES)})
    assert "<script>alert" not in ada.follow(answer).text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Give the address of an article, or paste its text."),
        ({"address": "javascript:alert(1)"}, "That is no address on the web"),
        ({"address": "file:///etc/passwd", "text": "Some words."}, "That is no address on the web"),
        ({"text": "x" * 400_001}, "at most 400,000 characters"),
        ({"text": "Hm."}, "No article was found"),
    ],
)
def test_what_is_no_article_is_refused_with_a_sentence(ada: Browser, form: dict[str, str], words: str) -> None:
    answer = ada.post("/sources/read", form)
    assert answer.status == 422
    assert words in plain(answer)


def test_a_page_without_an_article_is_refused_with_a_sentence(ada: Browser, site: str) -> None:
    assert "No article was found" in plain(ada.post("/sources/read", {"address": f"{site}/empty"}))
    missing = ada.post("/sources/read", {"address": f"{site}/missing"})
    assert missing.status == 502
    assert "404" in plain(missing)


def test_an_address_inside_the_network_is_not_read(app: Starlette, site: str) -> None:
    eve = Browser(app).begin("Eve")
    answer = eve.post("/sources/read", {"address": f"{site}/bridge"})
    assert answer.status == 502
    assert "mended" not in plain(answer)


def test_a_stranger_and_another_site_read_nothing(app: Starlette) -> None:
    pasted = {"text": "\n\n".join(SENTENCES)}
    eve = Browser(app).begin("Eve")
    assert Browser(app).post("/sources/read", pasted).status == 403
    assert eve.post("/sources/read", pasted, token=False).status == 403
    assert "bridge" not in plain(eve.get("/latest"))


# --- pictures


def picture(ada: Browser, url: str) -> tuple[int, str, bytes]:
    """What the proxy answers for an address that a page of the app signed."""
    key = security.instance_key(_secret(ada), ada.app.state.settings)
    answer = ada.get("/image?" + urlencode({"u": url, "s": security.sign(key, "image", url)}))
    if answer.status == 200:
        assert "sandbox" in answer.header("content-security-policy")
        assert answer.header("x-content-type-options") == "nosniff"
    return answer.status, answer.header("content-type"), answer.body


def _secret(ada: Browser) -> str:
    with ada.app.state.newsstand.engine.begin() as db:
        return store.notes.put_first(db, "session key", "never this one")


def test_a_picture_passes_with_its_bytes_and_is_asked_for_once(ada: Browser, site: str) -> None:
    url = f"{site}/pixel.png"
    assert picture(ada, url) == (200, "image/png", a_png())
    SERVED["/pixel.png"] = ("text/html", b"gone")
    try:
        assert picture(ada, url) == (200, "image/png", a_png())
    finally:
        SERVED["/pixel.png"] = ("image/png", a_png())


@pytest.mark.parametrize(
    "path",
    ["page.png", "said-to-be.png", "said-to-be.html", "drawing.svg", "drawing.png", "drawing-with-a-mask.svg", "large.png", "missing.png"],
)  # fmt: skip
def test_what_is_no_picture_or_too_large_does_not_pass(ada: Browser, site: str, path: str) -> None:
    status, kind, body = picture(ada, f"{site}/{path}")
    assert status == 404
    assert kind.startswith("text/plain")
    assert body == b"There is no image."


def test_a_picture_may_move_but_not_into_the_network(ada: Browser, site: str) -> None:
    assert picture(ada, f"{site}/moved.png?{site}/pixel.png")[0] == 200
    port = site.rpartition(":")[2]
    assert picture(ada, f"{site}/moved.png?http://127.0.0.2:{port}/pixel.png")[0] == 404


def test_no_picture_is_fetched_from_loopback_unless_it_is_allowed(app: Starlette, site: str) -> None:
    assert picture(Browser(app).begin("Eve"), f"{site}/pixel.png")[0] == 404
