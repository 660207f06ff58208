"""Real servers on loopback, and a client that is allowed to reach them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp import web

from broadsheet.sources.net import AddressPolicy, Client, Limits

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = AddressPolicy(("127.0.0.0/8",))

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Daily News</title><link>https://example.org/</link>
<item><title>One</title><link>https://example.org/1</link><guid>1</guid>
<pubDate>Sat, 01 Aug 2026 10:00:00 GMT</pubDate></item></channel></rss>"""


def a_client(policy: AddressPolicy = LOOPBACK, *, limits: Limits | None = None, **options: Any) -> Client:
    return Client(
        policy, limits or Limits(total=timedelta(seconds=5)), "Broadsheet/test (+https://example.org)", **options
    )


def says(body: bytes | str = b"", status: int = 200, **headers: str) -> Handler:
    """A handler that always answers the same; `Content_Type="..."` is a header."""

    async def handle(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body.encode() if isinstance(body, str) else body, status=status, headers=named)

    return handle


@asynccontextmanager
async def serving(
    pages: Mapping[str, Handler] | Handler, seen: list[web.Request] | None = None, *, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """A web server for the time of the block; gives its address, without a last slash. `seen` collects the requests."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append(request)
        if not isinstance(pages, Mapping):
            return await pages(request)
        page = pages.get(request.path_qs) or pages.get(request.path)
        return await page(request) if page else web.Response(status=404, text="nothing here")

    server = web.Server(handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    try:
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def talking(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that says whatever it likes, byte by byte."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
