"""A publisher's web server on loopback: channels served as RSS, Atom and JSON Feed, with ETags and honest 304s.

The demo, the tests and the benchmarks read from it through the same fetch path as from any server.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from types import TracebackType
from typing import Self

import orjson
from aiohttp import web
from lxml import etree

from broadsheet.demo.corpus import Channel
from broadsheet.model import identify

_DC = "http://purl.org/dc/elements/1.1/"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_ATOM = "http://www.w3.org/2005/Atom"
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def _child(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    made = etree.SubElement(parent, name, attributes)
    made.text = _CONTROL.sub("", text) or None
    return made


def rss(channel: Channel) -> bytes:
    root = etree.Element("rss", version="2.0", nsmap={"dc": _DC, "content": _CONTENT})
    top = _child(root, "channel")
    _child(top, "title", channel.title)
    _child(top, "link", channel.homepage)
    _child(top, "description", channel.title)
    _child(top, "language", channel.language)
    for item in channel.items:
        entry = _child(top, "item")
        _child(entry, "title", item.title)
        _child(entry, "link", item.url)
        _child(entry, "guid", item.url, isPermaLink="true")
        _child(entry, "pubDate", format_datetime(item.published))
        _child(entry, f"{{{_CONTENT}}}encoded", item.html)
        _child(entry, f"{{{_DC}}}rights", item.licence)
        for category in item.categories:
            _child(entry, "category", category)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def atom(channel: Channel) -> bytes:
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", channel.language)
    _child(root, f"{{{_ATOM}}}title", channel.title)
    _child(root, f"{{{_ATOM}}}id", channel.homepage)
    _child(root, f"{{{_ATOM}}}link", rel="alternate", href=channel.homepage)
    newest = max((item.published for item in channel.items), default=None)
    if newest:
        _child(root, f"{{{_ATOM}}}updated", newest.isoformat())
    for item in channel.items:
        entry = _child(root, f"{{{_ATOM}}}entry")
        _child(entry, f"{{{_ATOM}}}title", item.title)
        _child(entry, f"{{{_ATOM}}}id", item.url)
        _child(entry, f"{{{_ATOM}}}link", rel="alternate", href=item.url)
        _child(entry, f"{{{_ATOM}}}published", item.published.isoformat())
        _child(entry, f"{{{_ATOM}}}updated", item.published.isoformat())
        _child(entry, f"{{{_ATOM}}}content", item.html, type="html")
        _child(entry, f"{{{_ATOM}}}rights", item.licence)
        for category in item.categories:
            _child(entry, f"{{{_ATOM}}}category", term=category)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def json_feed(channel: Channel) -> bytes:
    items = [
        {
            "id": item.url,
            "url": item.url,
            "title": item.title,
            "content_html": item.html,
            "date_published": item.published.isoformat(),
            "tags": list(item.categories),
            "_rights": item.licence,
        }
        for item in channel.items
    ]
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": channel.title,
            "home_page_url": channel.homepage,
            "language": channel.language,
            "items": items,
        }
    )


FORMATS = {
    "rss": (rss, "application/rss+xml; charset=utf-8"),
    "atom": (atom, "application/atom+xml; charset=utf-8"),
    "json": (json_feed, "application/feed+json; charset=utf-8"),
}


def path_of(channel: Channel) -> str:
    """The channel's address on its server; the format is settled by the title, so that all three are in use."""
    slug = re.sub(r"[^a-z0-9]+", "-", channel.title.lower()).strip("-") or "feed"
    key = identify(channel.title)
    return f"/{slug}-{key[-4:]}.{list(FORMATS)[int(key, 16) % len(FORMATS)]}"


class FeedServer:
    """Serves channels on loopback for as long as it is entered. `latency` (seconds) is waited before each answer."""

    def __init__(
        self, channels: Sequence[Channel], *, port: int = 0, host: str = "127.0.0.1", latency: float = 0.0
    ) -> None:
        self._channels = {path_of(channel): channel for channel in channels}
        self._bodies: dict[str, tuple[bytes, str]] = {}
        self._host, self._port, self._latency = host, port, latency
        self._runner: web.AppRunner | None = None
        self.requests = 0
        self.unchanged = 0

    @property
    def addresses(self) -> Mapping[str, Channel]:
        """Each feed's address and what it carries."""
        return {f"http://{self._host}:{self._port}{path}": channel for path, channel in self._channels.items()}

    def replace(self, channels: Sequence[Channel]) -> None:
        """From now on, serve these: a publisher that published."""
        self._channels = {path_of(channel): channel for channel in channels}
        self._bodies.clear()

    def _body(self, path: str) -> tuple[bytes, str]:
        if path not in self._bodies:
            body = FORMATS[path.rsplit(".", 1)[1]][0](self._channels[path])
            self._bodies[path] = (body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        return self._bodies[path]

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self._latency:
            await asyncio.sleep(self._latency)
        if request.path not in self._channels:
            return web.Response(status=404, text="There is no such feed.")
        body, etag = self._body(request.path)
        headers = {"ETag": etag, "Cache-Control": "max-age=900"}
        if request.headers.get("If-None-Match") == etag:
            self.unchanged += 1
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers=headers | {"Content-Type": FORMATS[request.path.rsplit(".", 1)[1]][1]})

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
