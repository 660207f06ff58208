"""Publishers' images through this instance: fetched safely, only images, only addresses that a page of ours signed."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from broadsheet.errors import FetchError
from broadsheet.sources.net import Client
from broadsheet.web import security

MAX_BYTES = 5 * 1024 * 1024
CACHE_BYTES = 32 * 1024 * 1024
CACHE_SECONDS = 3600.0
NOTHING_FOR = 120.0  # a picture that failed is not asked for again at once


def image_type(body: bytes) -> str:
    """The type that the first bytes say, of those that hold no script; empty for everything else, SVG included."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return ""


@dataclass(slots=True)
class Pictures:
    """The images of the last hour, at most 32 MB of them."""

    kept: OrderedDict[str, tuple[float, str, bytes]] = field(default_factory=OrderedDict)
    size: int = 0

    async def get(self, url: str, client: Client) -> tuple[str, bytes]:
        """The type and bytes of the image; an empty type for what is none."""
        held = self.kept.get(url)
        if held is not None and held[0] > time.monotonic():
            self.kept.move_to_end(url)
            return held[1], held[2]
        kind, body = await _fetched(url, client)
        self._keep(url, kind, body)
        return kind, body

    def _keep(self, url: str, kind: str, body: bytes) -> None:
        if (old := self.kept.pop(url, None)) is not None:
            self.size -= len(old[2])
        self.kept[url] = (time.monotonic() + (CACHE_SECONDS if kind else NOTHING_FOR), kind, body)
        self.size += len(body)
        while self.size > CACHE_BYTES or len(self.kept) > 2000:
            _, (_, _, dropped) = self.kept.popitem(last=False)
            self.size -= len(dropped)


async def _fetched(url: str, client: Client) -> tuple[str, bytes]:
    try:
        answer = await client.get(url, accept="image/avif,image/webp,image/png,image/jpeg,image/gif")
    except FetchError:
        return "", b""
    said = answer.content_type.partition(";")[0].strip().lower()
    kind = image_type(answer.body) if len(answer.body) <= MAX_BYTES else ""
    if answer.status != 200 or not kind or said == "image/svg+xml" or not said.startswith("image/"):
        return "", b""
    return kind, answer.body


async def image(request: Request) -> Response:
    """GET /image?u=ADDRESS&s=SIGNATURE"""
    url, signature = request.query_params.get("u", ""), request.query_params.get("s", "")
    if not security.signed_by(request.scope["key"], "image", url, signature):
        return Response("This address was not made by Broadsheet.", 403, media_type="text/plain")
    kind, body = await request.app.state.pictures.get(url, await request.app.state.net.client())
    if not kind:
        return Response("There is no image.", 404, {"Cache-Control": "private, max-age=120"}, media_type="text/plain")
    return Response(
        body,
        headers={
            "Content-Type": kind,
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": "inline",
        },
    )
