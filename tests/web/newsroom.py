"""A small paper on a real SQLite store, and a browser-like caller of the app in the same process."""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import Engine
from starlette.applications import Starlette

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.model import Article, Entity, Moment, Passage, Story, Topic, identify
from broadsheet.web.app import create_app
from tests.builders import DAY, HOUR, NOON, a_source, a_story, an_article

EVIL = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
CONFLICT = Topic(id="16000000", label="conflict, war and peace")
SPORT = Topic(id="15000000", label="sport")
OPEN = a_source("https://open.example/feed.xml", title="Open Times", homepage="https://open.example", next_fetch=NOON)
CLOSED = a_source("https://closed.example/feed.xml", title="Closed letter", private=True, next_fetch=NOON)


def told(headline: str, *publishers: str, **fields: Any) -> tuple[Story, list[Article]]:
    """A story with an article of each publisher, an hour apart, and a key point quoted from the first."""
    source = fields.pop("source", OPEN.id)
    written = fields.pop("article", {})
    articles = [
        an_article(
            headline if n == 0 else f"{headline} ({n})",
            f"The first sentence of {publisher}. Then a second one.",
            url=f"https://{n}.example/{identify(headline)}",
            publisher=publisher,
            source=source,
            published=NOON - DAY + n * HOUR,
            first_seen=NOON - DAY + n * HOUR,
            topics=fields.get("topics", ()),
            entities=fields.get("entities", ()),
            **written,
        )
        for n, publisher in enumerate(publishers)
    ]
    first = articles[0]
    story = a_story(
        headline,
        **{
            "articles": tuple(a.id for a in articles),
            "publishers": publishers,
            "independent": len(publishers),
            "sources": (source,),
            "lead": first.id,
            "key_points": (Passage(article=first.id, text=first.text[:40], start=0, end=40),),
            "timeline": tuple(Moment(date=NOON - n * DAY, sentence=first.text[:40], article=first.id) for n in (2, 1)),
            "last_seen": NOON - HOUR,
            "first_seen": NOON - DAY,
            "language": "en",
        }
        | fields,
    )
    return story, articles


STORIES = (
    told("Ceasefire holds", "Open Times", "Daily Bee", "Gazette", topics=(CONFLICT,),
         entities=(Entity(text="Antony Blinken", type="person", count=3), Entity(text="Beijing", type="place"))),
    told("Cup final tonight", "Open Times", topics=(SPORT,)),
    told("Harvest is late", "Daily Bee"),
    told("A letter for few", "Closed letter", source=CLOSED.id),
    told(f"Odd {EVIL}", f"Evil {EVIL}", entities=(Entity(text=EVIL, type="person"),), topics=(Topic(id="1", label=EVIL),),
         article={"key_points": (EVIL,), "captions": (EVIL,), "authors": (EVIL,), "licence": EVIL, "section": EVIL,
                  "html": "<p onclick=alert(1)>Fine<script>alert(1)</script><a href='javascript:alert(1)'>x</a>"
                          "<img src='https://pics.example/1.jpg' onerror='alert(1)' srcset='https://t.example/p 1x'>"
                          "<iframe src='https://frame.example'></iframe><style>p{color:red}</style></p>"}),
)  # fmt: skip


def by_headline(headline: str) -> Story:
    return next(story for story, _ in STORIES if story.headline.startswith(headline))


CEASEFIRE = by_headline("Ceasefire")
PRIVATE = by_headline("A letter")
ODD = by_headline("Odd")


def fill(engine: Engine) -> None:
    with engine.begin() as db:
        for source in (OPEN, CLOSED):
            store.sources.add(db, source)
            store.sources.save(db, source)
        store.articles.save(db, [a for _, articles in STORIES for a in articles])
        store.articles.place(db, [(a.id, s.id, a.copy_of) for s, articles in STORIES for a in articles])
        store.stories.save(db, [story for story, _ in STORIES])


def a_newsroom(folder: Path, **settings: Any) -> Starlette:
    """The app over a filled store, at noon."""
    chosen = Settings(
        **{"database": f"sqlite:///{folder / 'news.sqlite'}", "as_of": NOON.isoformat(), "timezone": "UTC"} | settings  # type: ignore[arg-type]
    )
    (folder / "news.sqlite").write_bytes(_filled())
    return create_app(store.open(chosen.database), chosen)


@lru_cache(maxsize=1)
def _filled() -> bytes:
    """The store with the paper in it: made once, for migrations take longer than a test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "news.sqlite"
        engine = store.open(f"sqlite:///{path}")
        fill(engine)
        with engine.connect() as db:
            db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name.lower()), "")

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Browser:
    """Calls the app as a browser would: keeps its cookies, sends what forms hold, says where it comes from."""

    app: Starlette
    cookies: dict[str, str] = field(default_factory=dict)
    host: str = "localhost:8000"
    site: str = "same-origin"

    def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        sent = {"host": self.host, "content-length": str(len(body))} | (
            {"sec-fetch-site": self.site} if self.site else {}
        )
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        answer = asyncio.run(_call(self.app, method, path, body, sent))
        for name, value in answer.headers:
            if name == "set-cookie":
                self.cookies |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, form: dict[str, Any] | None = None, *, token: bool = True, **headers: str) -> Answer:
        fields = dict(form or {})
        if token:
            fields["token"] = self.token()
        return self.call(
            "POST",
            path,
            urlencode(fields, doseq=True).encode(),
            {"content-type": "application/x-www-form-urlencoded"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def json(self, method: str, path: str, value: Any = None, **headers: str) -> Answer:
        return self.call(method, path, orjson.dumps(value), {"content-type": "application/json"} | headers)

    def upload(self, path: str, name: str, content: bytes) -> Answer:
        edge = "edge-of-a-part"
        parts = (
            f'--{edge}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{self.token()}\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="f.opml"\r\n\r\n'
        )
        body = parts.encode() + content + f"\r\n--{edge}--\r\n".encode()
        return self.call("POST", path, body, {"content-type": f"multipart/form-data; boundary={edge}"})

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get("/about").text)
        assert found is not None
        return found[1]

    def act(self, **event: Any) -> Answer:
        return self.post("/act", {"event": orjson.dumps(event).decode()}, accept="application/json")

    def begin(self, name: str = "Ada", **choices: Any) -> Browser:
        answer = self.post("/welcome", {"name": name, "topic": ["16000000"], **choices})
        assert answer.status == 303, answer.text
        return self

    def follow(self, answer: Answer) -> Answer:
        return self.get(answer.header("location"))


def plain(answer: Answer) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.text)))


async def _call(app: Starlette, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    raw, _, query = path.partition("#")[0].partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": raw, "raw_path": raw.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000), "server": ("localhost", 8000),
    }  # fmt: skip
    told: list[Any] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)

    await app(scope, receive, send)
    await app.state.net.close()  # its connections belong to this call's loop
    start = next(m for m in told if m["type"] == "http.response.start")
    return Answer(
        start["status"],
        tuple((name.decode().lower(), value.decode()) for name, value in start["headers"]),
        b"".join(m.get("body", b"") for m in told if m["type"] == "http.response.body"),
    )
